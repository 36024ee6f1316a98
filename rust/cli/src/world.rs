// SPDX-License-Identifier: Apache-2.0
//! The world of a component, as `wisp inspect` shows it (doc/cli.md).

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;
use wisp_compiler::printable;

use crate::failure::Failure;
use crate::grants;
use crate::symbols;

/// A component.
#[derive(Serialize)]
pub struct World {
    /// Always true: tells a component from an image.
    pub component: bool,
    pub bytes: usize,
    /// Bytes of the core module that `wisp build` compiles, or null if the component is refused.
    pub core_bytes: Option<usize>,
    /// Why the component is refused, or null if it is not.
    pub error: Option<String>,
    pub imports: Vec<Import>,
    pub exports: Vec<String>,
}

/// An imported interface.
#[derive(Serialize)]
pub struct Import {
    pub name: String,
    /// The functions that the component calls.
    pub functions: Vec<String>,
    /// Properties of the app's node that grant the interface, or empty if it needs no grant.
    pub grant: Vec<&'static str>,
}

impl World {
    /// Reads a component.
    ///
    /// # Errors
    /// Bytes that are no valid component.
    pub fn of(path: &Path, component: &[u8]) -> Result<Self, Failure> {
        let world = wisp_component::world(component).map_err(|error| Failure::in_file(path, error))?;
        let (core_bytes, error) = match wisp_component::lower(component, 0) {
            Ok(module) => (Some(module.len()), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let import = |import: wisp_component::Import| Import {
            grant: grants::of_wit(&import.name),
            name: import.name,
            functions: import.functions,
        };
        Ok(Self {
            component: true,
            bytes: component.len(),
            core_bytes,
            error,
            imports: world.imports.into_iter().map(import).collect(),
            exports: world.exports,
        })
    }

    /// Returns the facts for people to read.
    pub fn text(&self, path: &Path) -> String {
        let mut out = format!("component, {} bytes ({})\n", self.bytes, path.display());
        if let Some(bytes) = self.core_bytes {
            out += &format!("core module: {bytes} bytes\n");
        }
        out += "\nimports\n";
        for import in &self.imports {
            out += &format!("  {}", printable(&import.name));
            if !import.grant.is_empty() {
                out += &format!(": needs {}", import.grant.join(", "));
            }
            out.push('\n');
            for function in &import.functions {
                out += &format!("    {}\n", printable(function));
            }
        }
        out += "\nexports\n";
        for export in &self.exports {
            out += &format!("  {}\n", printable(export));
        }
        if let Some(error) = &self.error {
            out += &format!("\nREFUSED: {error}\n");
        }
        out
    }
}

/// The world that an image came from, of which its symbols have the names.
#[derive(Serialize)]
pub struct Origin {
    pub imports: Vec<Imported>,
    pub exports: Vec<String>,
}

/// An import of the world.
#[derive(Serialize)]
pub struct Imported {
    pub name: String,
    /// Properties of the app's node that grant it, or empty if it needs no grant.
    pub grant: Vec<&'static str>,
}

impl Origin {
    /// Returns the names that symbols have, or `None` if they have none.
    pub fn of(world: &symbols::World) -> Option<Self> {
        let import = |name: &String| Imported { name: name.clone(), grant: grants::of_wit(name) };
        let imports: Vec<_> = world.imports.iter().map(import).collect();
        (!imports.is_empty() || !world.exports.is_empty()).then(|| Self { imports, exports: world.exports.clone() })
    }

    /// Returns the names for people to read.
    pub fn text(&self) -> String {
        let mut out = String::from("\nworld of the component that it was made of\n");
        for import in &self.imports {
            let grant = if import.grant.is_empty() { "no grant".into() } else { import.grant.join(", ") };
            let _ = writeln!(out, "  import {}: {grant}", printable(&import.name));
        }
        for export in &self.exports {
            let _ = writeln!(out, "  export {}", printable(export));
        }
        out
    }
}

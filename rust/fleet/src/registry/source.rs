// SPDX-License-Identifier: Apache-2.0
//! The module or component that an image was made from, and the tools that its producers section names.

use std::path::Path;

use wasmparser::{KnownCustom, Parser, Payload};

use crate::failure::Failure;
use crate::registry::app::{self, Identity};
use crate::registry::blob;

/// A tool that took part in making a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tool {
    /// `language`, `processed-by` or `sdk`.
    pub field: String,
    /// Its name.
    pub name: String,
    /// Its version, which may be empty.
    pub version: String,
}

/// A module or component.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Name of the file.
    pub title: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// True for a component.
    pub component: bool,
    /// The tools that the producers section names, in its order.
    pub tools: Vec<Tool>,
}

impl Source {
    /// Reads the file and compares it with the hash in the images. `heap` is the option with which `wisp build` made them.
    ///
    /// # Errors
    /// The file is no module, or the images were made from another one.
    pub fn read(path: &Path, identity: &Identity, heap: u32) -> Result<Self, Failure> {
        let bytes = app::read(path)?;
        let component = Parser::is_component(&bytes);
        if !component && !Parser::is_core_wasm(&bytes) {
            return Err(Failure::in_file(path, "not a WebAssembly module; give the file that the image was made from"));
        }
        let found = match component {
            true => blob::sha256(&wisp_component::lower(&bytes, heap).map_err(|error| Failure::in_file(path, error))?),
            false => blob::sha256(&bytes),
        };
        if found != identity.wasm {
            let what = format!(
                "the images were made from another module: its SHA-256 is {}, this one has {found}; give the module that \
                 `wisp build` took, and its --heap if it is a composed component",
                identity.wasm
            );
            return Err(Failure::in_file(path, what));
        }
        let title = path.file_name().map_or_else(|| "app.wasm".into(), |name| name.to_string_lossy().into_owned());
        Ok(Self { title, tools: tools(&bytes), component, bytes })
    }

    /// Returns the name that CNCF's layout has for its kind.
    pub fn os(&self) -> &'static str {
        if self.component {
            "wasip2"
        } else {
            "wasip1"
        }
    }
}

/// Reads all producers sections. A section that cannot be read ends the list: it is not needed to run the module.
pub fn tools(wasm: &[u8]) -> Vec<Tool> {
    let mut tools = Vec::new();
    for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
        let Payload::CustomSection(section) = payload else { continue };
        let KnownCustom::Producers(fields) = section.as_known() else { continue };
        for field in fields.into_iter().map_while(Result::ok) {
            for value in field.values.into_iter().map_while(Result::ok) {
                let tool = Tool { field: field.name.into(), name: value.name.into(), version: value.version.into() };
                if !tools.contains(&tool) {
                    tools.push(tool);
                }
            }
        }
    }
    tools
}

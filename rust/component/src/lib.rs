// SPDX-License-Identifier: Apache-2.0
//! WebAssembly components, lowered to core modules before they are compiled.
//!
//! Principles
//! 1. A device runs core modules. What a component adds to its core module is resolved here, so a device pays for none
//!    of it.
//! 2. A component has one module with a memory of its own: the *main module*. Its code is copied byte for byte, except
//!    for the indices of called functions. Debug information and the compiler's patterns stay valid. A component that is
//!    composed of several has one for each, see `compose`.
//! 3. Each import of WASI 0.2 becomes a call of a *shim*: a function in the folder `shims` that uses WASI
//!    preview 1 and `wisp:timer@1`. Only the shims that a component calls are linked.
//! 4. What cannot be lowered is refused, with words that say what it is.
#![forbid(unsafe_code)]

mod compose;
mod composed;
mod debug;
mod error;
mod facts;
mod link;
mod parse;
mod patch;
mod plan;
mod resolve;
mod shims;

use wasmparser::{ComponentExternalKind, Validator, WasmFeatures};
use wisp_compiler::printable;

pub use error::Error;
use parse::{Component, Item};
use shims::Shims;

/// The world of a component: the names that it imports and exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// The imports in the order of the component.
    pub imports: Vec<Import>,
    /// Names of exports, for example `wasi:cli/run@0.2.6`.
    pub exports: Vec<String>,
}

/// An import of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The name, for example `wasi:cli/stdout@0.2.6`.
    pub name: String,
    /// The functions of it that are called, by their names in the canonical ABI.
    pub functions: Vec<String>,
}

/// Returns the world of a component, also of one that [`lower`] refuses. The names are as the component has them, so
/// they may contain what steers a terminal.
///
/// # Errors
/// [`Error::Invalid`].
pub fn world(bytes: &[u8]) -> Result<World, Error> {
    let component = valid(bytes)?;
    let mut called = plan::called(&component);
    // the parts of a refused component may call more
    if composed::is_composed(&component).unwrap_or(false) {
        called.extend(compose::called(bytes).unwrap_or_default());
    }
    let is_item = |item: &&Item<'_>| matches!(item.kind, ComponentExternalKind::Func | ComponentExternalKind::Instance);
    let imports = component.imports.iter().filter(is_item).map(|item| Import {
        name: item.name.into(),
        functions: called.iter().filter(|(name, _)| name == item.name).map(|(_, function)| function.clone()).collect(),
    });
    let exports = component.exports.iter().filter(is_item).map(|item| item.name.into());
    Ok(World { imports: imports.collect(), exports: exports.collect() })
}

/// Lowers a component that implements `wasi:cli/run` to a core module that exports `_start`. A component that is composed
/// of several has one memory for each, with `heap` bytes of heap, or a usual number if it is 0. So the same module comes out
/// with the same `heap` only.
///
/// # Errors
/// [`Error::Invalid`] for bytes that are no component, [`Error::Unsupported`] for what Wisp cannot lower, and
/// [`Error::Imports`] for imports that nobody provides.
pub fn lower(bytes: &[u8], heap: u32) -> Result<Vec<u8>, Error> {
    let component = valid(bytes)?;
    let composed = composed::is_composed(&component)?;
    if component.asynchronous {
        return Err(Error::unsupported(resolve::ASYNC));
    }
    if component.starts {
        return Err(Error::unsupported(resolve::STARTS));
    }
    let shims = Shims::read()?;
    let module = if composed {
        plan::program(&component)?;
        compose::lower(bytes, &shims, heap)?
    } else {
        link::link(&plan::of(&component, &shims)?, &shims)?
    };
    let valid = Validator::new_with_features(WasmFeatures::all()).validate_all(&module);
    valid.map_err(|error| {
        let error = printable(&error.to_string());
        Error::unsupported(format!("the core module that Wisp made of it is not valid ({error}); report this to Wisp"))
    })?;
    Ok(module)
}

fn valid(bytes: &[u8]) -> Result<Component<'_>, Error> {
    Validator::new_with_features(WasmFeatures::all()).validate_all(bytes)?;
    Component::parse(bytes)
}

// SPDX-License-Identifier: Apache-2.0
//! Components that are composed of several with code of their own, linked to one core module.
//!
//! Principles
//! 1. Each part keeps a memory of its own: a *region* of the app's linear memory. No access of a part leaves its
//!    region, so a fault in one part cannot change what another one keeps.
//! 2. Values go from part to part as the canonical ABI says. The code that copies them is wasmtime's.
//! 3. Each part has shims of its own, which use its region. What they remember of the host is shared. A part passes them only
//!    handles that it got or was lent.
//! 4. Sizes are fixed when the component is built, so a device needs nothing for it.

mod border;
mod confine;
mod emit;
mod graph;
mod link;
mod module;
mod passing;
mod region;

use wasmtime_environ::ScopeVec;

use crate::shims::Shims;
use crate::Error;

/// Returns interface and function of each import that the parts of a composed component call.
///
/// # Errors
/// See [`crate::lower`].
pub fn called(bytes: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let scope = ScopeVec::new();
    let graph = graph::read(bytes, &scope)?;
    let import = |builtin: &graph::Builtin| match builtin {
        // a function of the world itself is its own import
        graph::Builtin::Import { interface, function, .. } if interface.is_empty() => {
            Some((function.clone(), function.clone()))
        }
        graph::Builtin::Import { interface, function, .. } => Some((interface.clone(), function.clone())),
        _ => None,
    };
    let mut called: Vec<_> = Vec::new();
    for import in graph.builtins.iter().filter_map(import) {
        if !called.contains(&import) {
            called.push(import);
        }
    }
    Ok(called)
}

/// Links a composed component to one core module. Each part has `heap` bytes of heap, or a usual number if it is 0.
///
/// # Errors
/// See [`crate::lower`].
pub fn lower(bytes: &[u8], shims: &Shims, heap: u32) -> Result<Vec<u8>, Error> {
    let scope = ScopeVec::new();
    let graph = graph::read(bytes, &scope)?;
    let modules = link::adapted(&graph);
    let mut linked = link::resolve(&graph, &modules, shims, heap)?;
    emit::module(&mut linked, shims)
}

// SPDX-License-Identifier: Apache-2.0
//! Finds out whether a component is composed of others with code of their own, and which of these cannot be linked.

use wasmparser::ComponentExternalKind;
use wisp_compiler::printable;

use crate::facts::Facts;
use crate::parse::{Component, Item};
use crate::resolve::{ASYNC, STARTS};
use crate::Error;

/// Exports of which a refusal gives the names.
const NAMED: usize = 6;
/// Components inside each other that are looked at.
const DEPTH: u32 = 16;

/// A component with code of its own.
struct Part {
    /// The depth at which it lies: 0 is the component itself.
    depth: u32,
    exports: Vec<String>,
    asynchronous: bool,
    starts: bool,
}

/// Collects the components with code of their own: core modules with a memory or, inside of
/// another component, with functions. Async functions count as code.
fn collect(component: &Component<'_>, depth: u32, parts: &mut Vec<Part>) -> Result<(), Error> {
    let mut code = false;
    for module in component.modules.iter().flatten() {
        let facts = Facts::of(module)?;
        code |= facts.memories > 0 || (depth > 0 && !facts.bodies.is_empty());
    }
    if code || component.asynchronous {
        let names = |items: &[Item<'_>]| {
            let named =
                |item: &&Item<'_>| matches!(item.kind, ComponentExternalKind::Func | ComponentExternalKind::Instance);
            items.iter().filter(named).map(|item| printable(item.name)).collect()
        };
        let exports = names(&component.exports);
        parts.push(Part { depth, exports, asynchronous: component.asynchronous, starts: component.starts });
    }
    // a component that is inside twice, or has another index, is one
    let mut seen: Vec<*const u8> = Vec::new();
    for bytes in component.components.iter().flatten() {
        if depth < DEPTH && !seen.contains(&bytes.as_ptr()) {
            seen.push(bytes.as_ptr());
            collect(&Component::parse(bytes)?, depth + 1, parts)?;
        }
    }
    Ok(())
}

/// Returns the refusal of a component that is wired up of others without code of their own.
pub fn refusal() -> Error {
    Error::unsupported(
        "it is wired up of components in a way that Wisp cannot follow; give the component that the toolchain made, \
         before tools that wrap it",
    )
}

/// Tells whether components inside of one have code of their own.
///
/// # Errors
/// A part that uses what came after WASI 0.2, or that has a start function of the component model.
pub fn is_composed(component: &Component<'_>) -> Result<bool, Error> {
    let mut parts = Vec::new();
    collect(component, 0, &mut parts)?;
    if !parts.iter().any(|part| part.depth > 0) {
        return Ok(false);
    }
    for (number, part) in (1..).zip(&parts) {
        let why = match part {
            Part { asynchronous: true, .. } => ASYNC,
            Part { starts: true, .. } => STARTS,
            _ => continue,
        };
        let exports: Vec<_> = part.exports.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
        let exports = if exports.is_empty() { "nothing".into() } else { exports.join(", ") };
        return Err(Error::unsupported(format!(
            "part {number} of {}, which exports {exports}, cannot be linked: {why}",
            parts.len()
        )));
    }
    Ok(true)
}

// SPDX-License-Identifier: Apache-2.0
//! Says what a component is composed of, if that is more than one component with code of its own.

use wasmparser::ComponentExternalKind;
use wisp_compiler::printable;

use crate::facts::Facts;
use crate::parse::{Component, Item};
use crate::Error;

/// Components of which a refusal gives the names.
const NAMED: usize = 6;
/// Components inside each other that are looked at.
const DEPTH: u32 = 16;

/// The names that a component with code of its own imports and exports.
struct Part {
    imports: Vec<String>,
    exports: Vec<String>,
}

/// Collects the components with code of their own: core modules that have functions and a memory.
fn collect(component: &Component<'_>, depth: u32, parts: &mut Vec<Part>) -> Result<(), Error> {
    let mut code = false;
    for module in component.modules.iter().flatten() {
        let facts = Facts::of(module)?;
        code |= facts.memories > 0 && !facts.bodies.is_empty();
    }
    if code {
        let names = |items: &[Item<'_>]| {
            let named =
                |item: &&Item<'_>| matches!(item.kind, ComponentExternalKind::Func | ComponentExternalKind::Instance);
            items.iter().filter(named).map(|item| printable(item.name)).collect()
        };
        parts.push(Part { imports: names(&component.imports), exports: names(&component.exports) });
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

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Returns the refusal of a component that is composed of several, with what each of them is and what to do.
pub fn refusal(component: &Component<'_>) -> Error {
    let mut parts = Vec::new();
    if let Err(error) = collect(component, 0, &mut parts) {
        return error;
    }
    if parts.len() < 2 {
        return Error::unsupported(
            "it is wired up of components in a way that Wisp cannot follow; give the component that the toolchain made, \
             before tools that wrap it",
        );
    }
    let provided: Vec<String> = parts
        .iter()
        .flat_map(|part| &part.exports)
        .filter(|name| parts.iter().any(|part| part.imports.contains(name)))
        .cloned()
        .collect();
    let mut text = format!("it is composed of {} components with code and a memory of their own", parts.len());
    for (number, part) in (1..).zip(parts.iter().take(NAMED)) {
        let exports = if part.exports.is_empty() { "nothing".into() } else { quoted(&part.exports) };
        text += &format!("{} component {number} exports {exports}", if number == 1 { ":" } else { "," });
    }
    if parts.len() > NAMED {
        text += ", and so on";
    }
    text += "; Wisp links one core module, so make one program of them: ";
    text += &match provided.is_empty() {
        true => "compile their sources together, for example as crates or libraries".into(),
        false => format!("compile what implements {} into it, for example as a crate or library", quoted(&provided)),
    };
    Error::unsupported(text)
}

// SPDX-License-Identifier: Apache-2.0
//! A recording for people and for programs.

use std::path::Path;

use serde::Serialize;
use wasmparser::{Parser, Payload, TypeRef};
use wisp_engine::TrapCode;

use super::{Item, Recording};
use crate::failure::Failure;
use crate::{input, output};

/// A recording as `--json` writes it.
#[derive(Serialize)]
struct Shown {
    image: String,
    /// Items that were lost at the beginning.
    lost: u32,
    /// True if the recording ends within an item.
    cut: bool,
    items: Vec<ShownItem>,
}

#[derive(Serialize, Default)]
struct ShownItem {
    /// `entry`, `call`, `left out` or `end`.
    kind: &'static str,
    /// The function: module and name of an import if the module was given, else its number.
    function: String,
    /// Slots of the arguments.
    arguments: Vec<u32>,
    /// Slots of the results.
    results: Vec<u32>,
    /// Bytes of memory that were written.
    written: usize,
    /// The trap in words, or null.
    trap: Option<String>,
}

/// Returns module and name of each function that a module imports.
fn names(path: &Path) -> Result<Vec<String>, Failure> {
    let bytes = input::read(path)?;
    let wasm = match input::kind(path, &bytes)? {
        // a heap of another size changes no import
        input::Kind::Component => input::lowered(path, &bytes, 0)?,
        input::Kind::Image => return Ok(super::imports(&input::image(path, &bytes)?)),
        input::Kind::Wasm => bytes,
    };
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(&wasm).map_while(Result::ok) {
        let Payload::ImportSection(imports) = payload else { continue };
        for import in imports.into_imports().map_while(Result::ok) {
            if matches!(import.ty, TypeRef::Func(_)) {
                names.push(format!("{} {}", import.module, import.name));
            }
        }
    }
    Ok(names)
}

/// Shows a recording, with the names of the imports of a module or an image.
pub fn show(recording: &Recording, module: Option<&Path>) -> Result<(), Failure> {
    let names = module.map(names).transpose()?.unwrap_or_default();
    let import = |index: u16| names.get(usize::from(index)).cloned().unwrap_or_else(|| format!("import {index}"));
    let trap = |trap: u32| {
        (trap != 0).then(|| TrapCode::from_u32(trap).map_or_else(|| trap.to_string(), |code| code.to_string()))
    };
    let item = |item: &Item| match item {
        Item::Entry { function, arguments } => ShownItem {
            kind: "entry",
            function: format!("function {}", (function & 0xffff).wrapping_sub(1)),
            arguments: arguments.clone(),
            ..ShownItem::default()
        },
        Item::HostCall(call) => ShownItem {
            kind: "call",
            function: import(call.import),
            arguments: call.arguments.clone(),
            results: call.results.clone(),
            written: call.written.iter().map(|piece| piece.1.len()).sum(),
            trap: trap(call.trap),
        },
        Item::LeftOut { import: index } => {
            ShownItem { kind: "left out", function: import(*index), ..ShownItem::default() }
        }
        Item::End(end) => ShownItem { kind: "end", trap: trap(end.trap), ..ShownItem::default() },
    };
    let shown = Shown {
        image: recording.image().to_string(),
        lost: recording.conditions.lost,
        cut: recording.cut,
        items: recording.items.iter().map(item).collect(),
    };
    output::report(&shown, Shown::text);
    Ok(())
}

fn list(slots: &[u32]) -> String {
    slots.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

impl Shown {
    fn text(&self) -> String {
        let mut lines = vec![format!("recording of image {}", self.image)];
        if self.lost > 0 {
            lines.push(format!("  the first {} items are lost; it cannot be replayed", self.lost));
        }
        for item in &self.items {
            let trap = item.trap.as_ref().map_or_else(String::new, |trap| format!(", trap: {trap}"));
            lines.push(match item.kind {
                "entry" => format!("{}({}) is called", item.function, list(&item.arguments)),
                "call" => {
                    let written =
                        if item.written > 0 { format!(", writes {} bytes", item.written) } else { String::new() };
                    format!("  {}({}) -> {}{written}{trap}", item.function, list(&item.arguments), list(&item.results))
                }
                "left out" => format!("  {}: not recorded", item.function),
                _ => format!("end{trap}"),
            });
        }
        if self.cut {
            lines.push("cut: the recording ends within an item".into());
        }
        lines.join("\n")
    }
}

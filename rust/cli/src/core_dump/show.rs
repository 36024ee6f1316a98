// SPDX-License-Identifier: Apache-2.0
//! A core dump for people and for programs.

use std::path::Path;

use serde::Serialize;
use wisp_engine::{Trap, Val};

use super::{called_from, Dump, Value};
use crate::failure::Failure;
use crate::symbols::{beside, Symbols};
use crate::{input, output, values};

/// A core dump as `--json` writes it.
#[derive(Serialize)]
pub struct Shown {
    /// Path of the module or the image, as the dump has it.
    name: String,
    image: String,
    trap: String,
    frames: Vec<ShownFrame>,
    /// There were more frames or slots than the dump has.
    frames_cut: bool,
    globals: Vec<String>,
    /// There were more globals than the dump has.
    globals_cut: bool,
    memory_bytes: u32,
    /// Bytes of the pieces that are not zero.
    kept_bytes: usize,
    /// Linear memory from this address on is not in the dump.
    memory_cut: Option<u32>,
}

#[derive(Serialize)]
struct ShownFrame {
    /// One line for each call, innermost first.
    lines: Vec<String>,
    function: u32,
    code_offset: u32,
    wasm_offset: Option<u32>,
    /// Locals of WebAssembly, or null for one that is not known.
    locals: Vec<Option<String>>,
}

fn text(value: &Value) -> String {
    values::show(Val::from_bits(value.ty, value.bits))
}

/// Returns the names that belong to a dump: those of the given file, or those of the module that the dump names.
/// `heap` is what each part of a composed component was given.
fn symbols(dump: &Dump, given: Option<&Path>, heap: u32) -> Result<Symbols, Failure> {
    let Some(file) = given else {
        let path = Path::new(&dump.name);
        let module =
            path.is_file().then(|| input::read(path).ok()).flatten().and_then(|bytes| module(path, bytes, heap).ok());
        if let Some(symbols) = module.and_then(|wasm| dump.symbols(&wasm)) {
            return Ok(symbols);
        }
        let side = beside(path);
        let found = side.is_file().then(|| Symbols::open(&side).ok()).flatten();
        return Ok(found.filter(|symbols| symbols.id() == dump.id).unwrap_or_default());
    };
    let bytes = input::read(file)?;
    if bytes.starts_with(b"\0asm") {
        return dump.symbols(&module(file, bytes, heap)?).ok_or_else(|| {
            Failure::in_file(
                file,
                "the module has no places for this core dump: it is another module, the device wrote the dump, or \
                 --heap is not that of the image; give the symbols that `wisp build` wrote, or fetch the dump with the module",
            )
        });
    }
    let symbols = Symbols::open(file)?;
    match symbols.id() == dump.id {
        true => Ok(symbols),
        false => Err(Failure::in_file(
            file,
            format_args!(
                "the symbols belong to another build: they are of {}, the core dump is of {}",
                symbols.id(),
                dump.id
            ),
        )),
    }
}

fn module(path: &Path, bytes: Vec<u8>, heap: u32) -> Result<Vec<u8>, Failure> {
    match input::kind(path, &bytes)? {
        input::Kind::Component => input::lowered(path, &bytes, heap),
        _ => Ok(bytes),
    }
}

/// Shows a core dump, with the names of the given file if there is one. `heap` is what each part of a composed component
/// was given.
pub fn show(dump: &Dump, given: Option<&Path>, heap: u32) -> Result<(), Failure> {
    let symbols = symbols(dump, given, heap)?;
    let frame = |(depth, frame): (usize, &super::Frame)| ShownFrame {
        lines: symbols.describe(frame.place.func, called_from(depth, frame.place.offset)),
        function: frame.place.func,
        code_offset: frame.place.offset,
        wasm_offset: frame.wasm,
        locals: frame.locals.iter().map(|local| local.as_ref().map(text)).collect(),
    };
    let shown = Shown {
        name: dump.name.clone(),
        image: dump.id.to_string(),
        trap: dump.trap.code.to_string(),
        frames: dump.frames.iter().enumerate().map(frame).collect(),
        frames_cut: dump.frames_cut,
        globals: dump.globals.iter().map(text).collect(),
        globals_cut: dump.globals_cut,
        memory_bytes: dump.memory,
        kept_bytes: dump.pieces.iter().map(|piece| piece.1.len()).sum(),
        memory_cut: dump.memory_cut,
    };
    output::report(&shown, |shown| shown.text(dump.trap.func == Trap::NOWHERE, symbols == Symbols::default()));
    Ok(())
}

impl Shown {
    fn text(&self, outside: bool, nameless: bool) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!(" of {}", self.name) };
        let mut lines = vec![format!("core dump{name}, image {}", self.image), format!("trap: {}", self.trap)];
        if self.frames.is_empty() && outside {
            lines.push("  it arose outside of the app's code, or its frames are not known".into());
        }
        for (depth, frame) in self.frames.iter().enumerate() {
            for (index, line) in frame.lines.iter().enumerate() {
                lines.push(if index == 0 { format!("  {depth}: {line}") } else { format!("     {line}") });
            }
            let known = frame.locals.iter().enumerate().filter_map(|(index, local)| Some((index, local.as_ref()?)));
            for (index, local) in known {
                lines.push(format!("       local {index} = {local}"));
            }
        }
        if self.frames_cut {
            lines.push("  ... the dump has no room for more frames or locals".into());
        }
        if nameless && !self.frames.is_empty() {
            lines.push(
                "  for names and source lines, give the module, or the symbols that `wisp build` wrote, with --symbols"
                    .into(),
            );
        }
        let none = self.globals.is_empty() && !self.globals_cut;
        lines.push(if none { "globals: none" } else { "globals:" }.into());
        lines.extend(self.globals.iter().enumerate().map(|(index, global)| format!("  {index} = {global}")));
        if self.globals_cut {
            lines.push("  ... the dump has no room for more globals".into());
        }
        lines.push(format!(
            "linear memory: {} bytes, of which {} are kept and the others are zero",
            self.memory_bytes, self.kept_bytes
        ));
        if let Some(cut) = self.memory_cut {
            lines.push(format!("  cut: the bytes from {cut:#x} on are not in the dump"));
        }
        lines.join("\n")
    }
}

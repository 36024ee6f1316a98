// SPDX-License-Identifier: Apache-2.0
//! `wisp inspect`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use wisp_compiler::printable;
use wisp_image::format::Section;
use wisp_image::{disassemble, Image, ImageError};

use crate::core_dump;
use crate::exit;
use crate::facts::{upto, Facts, Memory, NativeSection, Segment};
use crate::failure::Failure;
use crate::imports::type_of;
use crate::input::{self, Kind};
use crate::options::number;
use crate::output;
use crate::replay::{self, Recording};
use crate::symbols::Symbols;
use crate::world::{Origin, World};

/// Show what is in an image, and whether it is sound, or what a core dump or a recording has
#[derive(Args)]
pub struct Arguments {
    /// The image, component, core dump or recording
    file: PathBuf,
    /// Show the code
    #[arg(long, conflicts_with = "json")]
    code: bool,
    /// Names for the code. For a core dump also its module, and for a recording its module [default: those beside the
    /// image]
    #[arg(long, value_name = "FILE", alias = "map")]
    symbols: Option<PathBuf>,
    /// The `--heap` that the image was built with, if the module of a core dump is a composed component
    #[arg(long, value_name = "BYTES", default_value_t = 0, value_parser = number::<u32>)]
    heap: u32,
}

/// Shows an image. The exit code says whether hash and code are sound.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = &arguments.file;
    let bytes = input::read(path)?;
    if core_dump::is_core(&bytes) {
        core_dump::show(&core_dump::read(path)?, arguments.symbols.as_deref(), arguments.heap)?;
        return Ok(ExitCode::SUCCESS);
    }
    if replay::is_recording(&bytes) {
        replay::show(&Recording::open(path)?, arguments.symbols.as_deref())?;
        return Ok(ExitCode::SUCCESS);
    }
    match input::kind(path, &bytes)? {
        Kind::Image => {}
        Kind::Wasm => return Err(Failure::in_file(path, ImageError::RawWasm)),
        Kind::Component => {
            let world = World::of(path, &bytes)?;
            output::report(&world, |world| world.text(path).trim_end_matches('\n').into());
            return Ok(if world.error.is_none() { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILURE) });
        }
    }
    let image = input::image(path, &bytes)?;
    let symbols = match &arguments.symbols {
        Some(file) => Symbols::read(file, &image)?,
        None => Symbols::find(path, &image).or_else(|| Symbols::carried(&image)).unwrap_or_default(),
    };
    let facts = Facts::of(&image).map_err(|error| Failure::in_file(path, error))?;
    let shown = Shown { facts: &facts, world: Origin::of(symbols.world()) };
    output::report(&shown, |shown| {
        let world = shown.world.as_ref().map_or_else(String::new, Origin::text);
        text(path, shown.facts) + &world
    });
    if arguments.code && !facts.code.present {
        output::note("there is no IR to show: the image has native code only");
    } else if arguments.code {
        let code = code(&image, &symbols).map_err(|error| Failure::in_file(path, error))?;
        output::say(code.trim_end_matches('\n'));
    }
    Ok(if facts.sound { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILURE) })
}

/// The facts of an image that are shown.
#[derive(Serialize)]
struct Shown<'f> {
    #[serde(flatten)]
    facts: &'f Facts,
    /// The component that the image was made of, or null if it was none, or if the symbols are not there.
    world: Option<Origin>,
}

/// Returns the facts for people to read.
fn text(path: &Path, facts: &Facts) -> String {
    let mut out = format!("{} {}, {} bytes ({})\n", printable(&facts.name), facts.version, facts.bytes, path.display());
    let mut line = |text: String| {
        out += &text;
        out.push('\n');
    };
    line(format!("wasm: SHA-256 {}", facts.wasm_sha256));
    if facts.rollback != 0 {
        line(format!("rollback counter: {}", facts.rollback));
    }
    if facts.epoch != 0 {
        line(format!("of epoch {}", facts.epoch));
    }
    if facts.downgrade {
        line("may take the place of a higher version".into());
    }
    line(match (facts.hash, &facts.stated_hash) {
        ("wrong", Some(stated)) => format!(
            "hash: WRONG, the contents were damaged: stated {stated}, found {}; build or transfer it again",
            facts.found_hash
        ),
        ("correct", _) => "hash: correct".into(),
        _ => "hash: none; the image was cut at its end or not made by `wisp build`".into(),
    });
    line(match (facts.signed, &facts.signing_key) {
        (true, Some(key)) => format!("signature: by key {key} (not checked here)"),
        (true, None) => "signature: by an unnamed key (not checked here)".into(),
        (false, _) => "signature: none".into(),
    });
    if !facts.only.is_empty() {
        line(format!("only for devices with {}", facts.only.join(", ")));
    }
    if let Some(error) = &facts.attachment_error {
        line(format!("attached native code: REFUSED, a device will not install the image: {error}"));
    }
    if let Some(key) = &facts.compile_key {
        line(format!("native code is attached, by compile key {key} (not checked here)"));
    }
    for id in &facts.retires {
        line(format!("retires key {id} when it is confirmed"));
    }
    line(match &facts.code.error {
        Some(error) => format!("code: REFUSED, a device will not run it: {error}"),
        None if facts.code.present => format!("code: verified, {} functions", facts.code.functions),
        None => format!("code: none, {} functions in native code only", facts.code.functions),
    });
    if !facts.native.is_empty() {
        line("\nnative code".into());
    }
    facts.native.iter().for_each(|section| line(native(section)));
    line("\nneeds".into());
    line(facts.memory.as_ref().map_or_else(|| "  linear memory: none".into(), memory));
    line(format!("  globals: {} bytes, largest frame: {} bytes", facts.globals_bytes, facts.largest_frame));
    facts.depth.iter().for_each(|depth| line(depth.text()));
    for (index, table) in facts.tables.iter().enumerate() {
        line(format!("  table {index}: {} {}{}", table.min, table.ty, upto(table.max)));
    }
    if !facts.imports.is_empty() {
        line("\nimports".into());
    }
    facts.imports.iter().for_each(|import| {
        line(format!("  {} {} {}", printable(&import.module), printable(&import.name), import.ty));
    });
    if !facts.needs.is_empty() {
        line("\ninterfaces".into());
    }
    for need in &facts.needs {
        let wit = need.wit.as_ref().map_or_else(String::new, |wit| format!(" ({wit})"));
        line(format!("  {}{wit}: {}", printable(&need.module), need.text()));
    }
    if !facts.exports.is_empty() {
        line("\nexports".into());
    }
    facts.exports.iter().for_each(|export| line(format!("  {} {}", printable(&export.name), export.ty)));
    if !facts.data.is_empty() || !facts.elements.is_empty() {
        line("\nsegments".into());
    }
    for (index, data) in facts.data.iter().enumerate() {
        line(format!("  data {index}: {} bytes {}", data.length, place(data)));
    }
    for (index, segment) in facts.elements.iter().enumerate() {
        let (ty, table) = (segment.ty.unwrap_or_default(), segment.table.unwrap_or_default());
        line(format!("  elements {index}: {} {ty}, {}, table {table}", segment.length, place(segment)));
    }
    line("\nsections".into());
    for section in &facts.sections {
        line(format!("  {:<10} {:>8}", section.name, section.bytes));
    }
    out
}

fn native(section: &NativeSection) -> String {
    let Some(code) = &section.code else {
        let error = section.error.as_deref().unwrap_or_default();
        return format!(
            "  section {:#x}, {} bytes: REFUSED, a device will not run it: {error}",
            section.section, section.bytes
        );
    };
    let name = code.target.map_or_else(|| code.machine.clone(), |name| format!("{name} ({})", code.machine));
    let mut out = format!(
        "  {name}: {} bytes, {} of them code, {} functions\n    ABI {}, {} helpers",
        section.bytes, code.code_bytes, code.functions, code.abi, code.helpers
    );
    if !code.features.is_empty() {
        let _ = write!(out, ", needs {}", code.features.join(", "));
    }
    let _ = write!(
        out,
        "\n    checks: {}; traps name {}{}\n    stop: {}\n    memory: {} bytes{}; stack: {} bytes from one check to the next",
        if code.strict { "strict, each where the specification has it" } else { "merged where they can be" },
        if code.trap_sites { "their place" } else { "their function only" },
        if code.callers_bytes > 0 { format!(" and its callers ({} bytes)", code.callers_bytes) } else { String::new() },
        match code.stop {
            "poll" => "polls the stop flag",
            _ => "async, by the runtime that rewrites the program counter",
        },
        code.memory_bytes,
        if code.memory_fixed { ", a constant in the code" } else { " at least" },
        code.stack
    );
    out
}

fn memory(memory: &Memory) -> String {
    let origin = if memory.imported { ", imported" } else { "" };
    let trimmed = if memory.trimmed { format!(", trimmed from {}", memory.declared) } else { String::new() };
    let most = memory.max.map_or_else(String::new, |max| format!(", at most {max}"));
    let grows = if memory.grows { ", may grow" } else { "" };
    format!("  linear memory: {} bytes{trimmed}{origin}{grows}{most}; pages of {}", memory.bytes, memory.page)
}

fn place(segment: &Segment) -> String {
    match segment.mode {
        "active" => format!("at {:#x}", segment.offset),
        mode => mode.into(),
    }
}

fn code(image: &Image<'_>, symbols: &Symbols) -> Result<String, ImageError> {
    let mut out = String::new();
    let code = image.section(Section::Code);
    for index in 0..image.function_count() {
        let function = image.function(index)?;
        let start = function.code as usize;
        let next = image.function(index + 1).map_or(code.len(), |next| next.code as usize);
        let name = symbols.name(index as u32).map_or_else(String::new, |name| format!(" `{name}`"));
        let bytes = next.saturating_sub(start);
        let _ = writeln!(out, "\nfunction {index}{name} {}, {bytes} bytes", type_of(image.ty(function.ty)?));
        let mut last = None;
        for op in disassemble::ops(code, start, next) {
            let wasm = symbols.wasm_offset(op.offset as u32).filter(|&wasm| last.replace(wasm) != Some(wasm));
            let wasm = wasm.map_or_else(String::new, |wasm| format!("{wasm:#x}"));
            let _ = writeln!(out, "  {:#06x} {wasm:>8}  {op}", op.offset);
        }
    }
    Ok(out)
}

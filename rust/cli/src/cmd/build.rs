// SPDX-License-Identifier: Apache-2.0
//! `wisp build`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use wisp_compiler::{compile, ErrorKind};
use wisp_image::format::Section;
use wisp_image::Image;

use crate::entry;
use crate::explain;
use crate::facts::{Facts, Memory};
use crate::failure::Failure;
use crate::input::{self, Kind};
use crate::native::NativeArguments;
use crate::options::{app_name, number, CompileArguments};
use crate::output::{self, Progress};
use crate::proposals;
use crate::symbols::{self, beside, Symbols};
use crate::world::Origin;

/// Compile a wasm module or component to an image
#[derive(Args)]
pub struct Arguments {
    /// The wasm module or component
    file: PathBuf,
    /// Path of the image [default: the module's path, ending in .wisp]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name of the app, at most 31 bytes [default: that of the file]
    #[arg(long)]
    name: Option<String>,
    /// Version of the app
    #[arg(long, value_name = "MAJOR.MINOR.PATCH", default_value = "0.1.0", value_parser = version)]
    version: (u8, u8, u16),
    /// Rollback counter: a device refuses an update whose counter is lower than that of what it has
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = number::<u32>)]
    rollback: u32,
    #[command(flatten)]
    compile: CompileArguments,
    /// Build for a debugger: each operator of the module begins with a step, and code is about twice as large
    #[arg(long, conflicts_with_all = ["target", "cflags", "build_dir", "native_only"])]
    debug: bool,
    #[command(flatten)]
    native: NativeArguments,
    /// File for names, wasm offsets and source lines, which explain traps [default: the image's path and .sym]
    #[arg(long, value_name = "FILE", alias = "map")]
    symbols: Option<PathBuf>,
    /// Write no symbols
    #[arg(long, conflicts_with = "symbols")]
    no_symbols: bool,
    /// Put the names of functions into the image as well: a device's log then names them where an app traps
    #[arg(long)]
    names: bool,
    /// Say nothing when it goes well, or with --json nothing but the object
    #[arg(short, long)]
    quiet: bool,
}

fn version(text: &str) -> Result<(u8, u8, u16), String> {
    let parts: Vec<&str> = text.split('.').collect();
    let parse = || match parts[..] {
        [major, minor, patch] => Some((major.parse().ok()?, minor.parse().ok()?, patch.parse().ok()?)),
        _ => None,
    };
    parse().ok_or_else(|| "expected MAJOR.MINOR.PATCH, up to 255.255.65535".into())
}

/// Builds an image.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = &arguments.file;
    let bytes = input::read(path)?;
    let mut world = symbols::World::default();
    let wasm = match input::kind(path, &bytes)? {
        Kind::Image => {
            return Err(Failure::in_file(path, "this is a Wisp image already; `wisp build` takes the wasm module"));
        }
        Kind::Component => {
            let module = input::lowered(path, &bytes, arguments.compile.heap)?;
            let names = wisp_component::world(&bytes).map_err(|error| Failure::in_file(path, error))?;
            world.imports = names.imports.into_iter().map(|import| import.name).collect();
            world.exports = names.exports;
            module
        }
        Kind::Wasm => bytes,
    };
    let file = arguments.output.clone().unwrap_or_else(|| path.with_extension("wisp"));
    let symbols = (!arguments.no_symbols).then(|| arguments.symbols.clone().unwrap_or_else(|| beside(&file)));
    input::check_free(&file)?;
    if let Some(symbols) = &symbols {
        input::check_free(symbols)?;
        let a_device = file.exists() && !file.is_file();
        if *symbols == file && !a_device {
            return Err(Failure::in_file(&file, "the image is written there; give --symbols another file"));
        }
    }
    let (name, whole) = arguments.name.clone().map_or_else(|| app_name(path), |name| (name, true));
    if !whole && !arguments.quiet {
        output::note(format_args!("the app is named `{name}`: the file's name is longer than 31 bytes; see --name"));
    }
    let mut progress = Progress::new();
    progress.step("compiling");
    let options = arguments.compile.options(&name, arguments.version);
    let options = wisp_compiler::Options { rollback: arguments.rollback, debug: arguments.debug, ..options };
    let mut compiled = compile(&wasm, &options).map_err(|error| {
        let error = proposals::explained(&wasm, error);
        let about_memory = matches!(error.kind, ErrorKind::Memory(..));
        match about_memory {
            true => Failure::in_file(path, format_args!("{error}{}", explain::memory(&wasm))),
            false => Failure::compiling(path, error),
        }
    })?;
    let bad = |error| Failure::internal(path, format_args!("the compiler made a bad image: {error}"));
    if arguments.names {
        compiled.image = symbols::with_names(&Image::parse(&compiled.image).map_err(bad)?, &wasm);
    }
    let image = Image::parse(&compiled.image).map_err(bad)?;
    // a firmware may run what it embeds without verifying it again
    wisp_image::verify::scratch_words(&image)
        .and_then(|words| wisp_image::verify::verify(&image, &mut vec![0; words]))
        .map_err(|error| Failure::internal(path, format_args!("the compiler made bad code: {error}")))?;
    let bytes = arguments.native.add(path, &wasm, &compiled, &mut progress)?;
    input::write(&file, &bytes)?;
    // of the image as it is written: native code may have replaced the IR
    let written = input::image(path, &bytes)?;
    if let Some(symbols) = &symbols {
        progress.step("reading debug information");
        let text = Symbols::of(&wasm, &compiled, &written).with_world(world.clone()).to_text();
        input::write(symbols, text.as_bytes())?;
    }
    drop(progress);
    if !arguments.quiet || output::is_json() {
        let report = Report {
            image: file.display().to_string(),
            symbols: symbols.map(|symbols| symbols.display().to_string()),
            wisp: env!("CARGO_PKG_VERSION"),
            arguments: std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect(),
            wasm_bytes: wasm.len(),
            code_bytes: written.section(Section::Code).len(),
            facts: Facts::of(&written).map_err(bad)?,
            world: Origin::of(&world),
        };
        output::report(&report, |report| report.text());
    }
    if !arguments.quiet {
        if let Some(misfit) = entry::misfit(&image).map_err(bad)? {
            output::note(format_args!("{misfit}; the app cannot be started on a device"));
        }
        if !entry::is_startable(&image) {
            output::note(
                "the module exports neither `_start`, which comes with `main`, nor `_initialize`: the app cannot be \
                 started on a device",
            );
        }
        if explain::mixes_page_sizes(&wasm) {
            output::note(
                "the module has pages of one byte (--page-size=1), but its allocator counts pages of 65536 bytes and will \
                 write beyond what it gets; link it without that flag, or forbid growth with --initial-memory=BYTES \
                 --max-memory=BYTES",
            );
        }
        let backed = image.manifest().ok().and_then(|manifest| manifest.memory).map_or(0, |memory| memory.backed);
        if backed >= explain::LARGE {
            output::note(format_args!(
                "{backed} bytes of linear memory are more than most boards have{}",
                explain::memory(&wasm)
            ));
        } else if let Some(stack) = explain::large_stack(&wasm) {
            output::note(format_args!(
                "about {stack} of {backed} bytes of linear memory are the guest's own stack{}",
                explain::memory(&wasm)
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Report {
    image: String,
    symbols: Option<String>,
    /// Version of this command.
    wisp: &'static str,
    /// The arguments that it had.
    arguments: Vec<String>,
    wasm_bytes: usize,
    code_bytes: usize,
    #[serde(flatten)]
    facts: Facts,
    /// The component that the image was made of, or null if it was none.
    world: Option<Origin>,
}

impl Report {
    fn text(&self) -> String {
        let mut text = format!(
            "{}: {} bytes, {} of them code (wasm: {} bytes){}",
            self.image,
            self.facts.bytes,
            self.code_bytes,
            self.wasm_bytes,
            self.facts.memory.as_ref().map_or_else(String::new, memory)
        );
        for (section, code) in self.facts.native.iter().filter_map(|section| Some((section, section.code.as_ref()?))) {
            text += &format!(
                "\nnative code for {}: {} bytes, {} of them code; {} bytes of stack",
                code.target.unwrap_or(&code.machine),
                section.bytes,
                code.code_bytes,
                code.stack
            );
        }
        text
    }
}

fn memory(memory: &Memory) -> String {
    if memory.trimmed && memory.grows {
        format!(
            ", linear memory: {} bytes at least, as much of {} as the app is allowed",
            memory.bytes, memory.declared
        )
    } else if memory.trimmed {
        format!(", linear memory: {} bytes, trimmed from {}", memory.bytes, memory.declared)
    } else {
        format!(", linear memory: {} bytes", memory.declared)
    }
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_have_three_numbers_that_fit() {
        assert_eq!(version("1.2.300"), Ok((1, 2, 300)));
        for wrong in ["1", "1.2", "1.2.3.4", "256.0.0", "a.b.c", ""] {
            assert!(version(wrong).is_err(), "{wrong}");
        }
    }
}

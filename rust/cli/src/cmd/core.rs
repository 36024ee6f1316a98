// SPDX-License-Identifier: Apache-2.0
//! `wisp core`, which `west wisp core` runs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wisp_compiler::{compile, Options};
use wisp_image::format::external;

use crate::core_dump;
use crate::failure::Failure;
use crate::input::{self, Kind};
use crate::options::{app_name, CompileArguments};
use crate::{output, proposals};

/// Make a file that debuggers and `wisp inspect` read of the core dump that a device wrote
#[derive(Args)]
pub struct Arguments {
    /// The core dump
    file: PathBuf,
    /// Path of the file
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The wasm module or component that the app's image was built of
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    #[command(flatten)]
    compile: CompileArguments,
}

/// Writes the file.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut dump = core_dump::read(&arguments.file)?;
    let mut module = None;
    if let Some(path) = &arguments.module {
        let bytes = input::read(path)?;
        let wasm = match input::kind(path, &bytes)? {
            Kind::Image => return Err(Failure::in_file(path, "expected the module, which this image was made from")),
            Kind::Component => input::lowered(path, &bytes, arguments.compile.heap)?,
            Kind::Wasm => bytes,
        };
        let (name, _) = app_name(path);
        let mut ids = Vec::new();
        // the image may have been built for a debugger or not
        for debug in [true, false] {
            let options = Options { debug, ..arguments.compile.options(&name, (0, 1, 0)) };
            let compiled = compile(&wasm, &options)
                .map_err(|error| Failure::compiling(path, proposals::explained(&wasm, error)))?;
            let image = input::image(path, &compiled.image)?;
            if image.id() == dump.id {
                dump.resolve(
                    &compiled.source_map,
                    compiled.debug.as_ref(),
                    image.imports_of(external::FUNCTION) as u32,
                );
                dump.name = std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string();
                ids.clear();
                break;
            }
            ids.push(image.id().to_string());
        }
        if !ids.is_empty() {
            return Err(Failure::in_file(
                path,
                format_args!(
                    "the core dump is of image {}, and this module gives {}; give the module and the options that the image \
                     was built of",
                    dump.id,
                    ids.join(" or ")
                ),
            ));
        }
        module = Some(wasm);
    }
    input::write(&arguments.output, &dump.file(module.as_deref()))?;
    if let Some(lacks) = dump.lacks() {
        output::note(format_args!("{lacks}; more fits in a larger CONFIG_WISP_CORE_DUMP_SIZE"));
    }
    Ok(ExitCode::SUCCESS)
}

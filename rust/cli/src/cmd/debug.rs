// SPDX-License-Identifier: Apache-2.0
//! `wisp debug`, which `west wisp debug` runs.

use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wisp_compiler::{compile, Options};

use crate::core_dump;
use crate::debug::device::{Device, Wire};
use crate::debug::{self, Debugger, ADDRESS};
use crate::failure::Failure;
use crate::input::{self, Kind};
use crate::options::{app_name, CompileArguments};
use crate::{output, proposals};

/// Serve a debugger for a core dump. `west wisp debug` serves one for an app on a device
#[derive(Args)]
pub struct Arguments {
    /// The wasm module or component that the app's image was built of, with --debug
    file: PathBuf,
    /// Port or address of this machine to which the debugger connects
    #[arg(long, value_name = "ADDRESS", default_value = ADDRESS)]
    listen: String,
    /// The core dump of an app that was built or run for a debugger
    #[arg(long, value_name = "FILE")]
    core: Option<PathBuf>,
    /// Standard input and output lead to the device, as west wisp debug makes them
    #[arg(long, hide = true, conflicts_with = "core")]
    bridge: bool,
    #[command(flatten)]
    compile: CompileArguments,
}

/// Serves debuggers until they leave the core dump, or the app on the device has ended.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = &arguments.file;
    if arguments.core.is_none() && !arguments.bridge {
        let file = path.display();
        return Err(Failure::new(format!(
            "there is no app to debug: name a core dump with --core FILE, run the app here with wisp run {file} --debug, or debug \
             it on a device with west wisp debug APP {file}"
        )));
    }
    debug::address("--listen", &arguments.listen)?;
    let bytes = input::read(path)?;
    let wasm = match input::kind(path, &bytes)? {
        Kind::Image => {
            return Err(Failure::in_file(path, "a debugger needs the module, which this image was made from"))
        }
        Kind::Component => input::lowered(path, &bytes, arguments.compile.heap)?,
        Kind::Wasm => bytes,
    };
    let (name, _) = app_name(path);
    let options = Options { debug: true, ..arguments.compile.options(&name, (0, 1, 0)) };
    let mut compiled =
        compile(&wasm, &options).map_err(|error| Failure::compiling(path, proposals::explained(&wasm, error)))?;
    let id = input::image(path, &compiled.image)?.id();
    let map = compiled.debug.take().unwrap_or_default();
    if let Some(file) = &arguments.core {
        let dump = core_dump::read(file)?;
        if dump.id != id {
            return Err(Failure::in_file(
                file,
                format_args!(
                    "the core dump is of image {}, and the module gives {id} with --debug; give the module and the options of \
                     the run, and an image that was built with wisp build --debug",
                    dump.id
                ),
            ));
        }
        if let Some(lacks) = dump.lacks() {
            output::note(lacks);
        }
        let debugger = Debugger::of_dump(&arguments.listen, path, &wasm, map, dump)?;
        output::note(format_args!(
            "the core dump waits for a debugger; in LLDB: process connect --plugin wasm connect://{}",
            debugger.address()
        ));
        return Ok(ExitCode::from(debugger.wait()));
    }
    let device = Device::attach(Wire::new(BufReader::new(std::io::stdin()), std::io::stdout()))?;
    let debugger = Debugger::bridge(&arguments.listen, path, &wasm, map, device, id)?;
    output::note(format_args!(
        "the app waits for a debugger; in LLDB: process connect --plugin wasm connect://{}",
        debugger.address()
    ));
    Ok(ExitCode::from(debugger.wait()))
}

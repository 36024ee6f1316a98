// SPDX-License-Identifier: Apache-2.0
//! `wisp-bench-image IN.wasm OUT.wisp [MACHINE poll|async]`: the compiler with its default options. With a
//! machine also native code, which looks at the stop flag or is stopped from outside.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (input, output, native) = match arguments.as_slice() {
        [input, output] => (input, output, None),
        [input, output, machine, stop] => (input, output, Some((machine.as_str(), stop == "poll"))),
        _ => {
            eprintln!("usage: wisp-bench-image IN.wasm OUT.wisp [MACHINE poll|async]");
            return ExitCode::from(2);
        }
    };
    match build(Path::new(input), Path::new(output), native) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{input}: {message}");
            ExitCode::FAILURE
        }
    }
}

fn build(input: &Path, output: &Path, native: Option<(&str, bool)>) -> Result<(), String> {
    let wasm = fs::read(input).map_err(|error| error.to_string())?;
    let name = input
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or("app");
    let options = wisp_compiler::Options {
        name,
        ..Default::default()
    };
    let compiled = wisp_compiler::compile(&wasm, &options).map_err(|error| error.to_string())?;
    let image = match native {
        None => compiled.image,
        Some((machine, poll)) => {
            let machine = wisp_aotc::Machine::named(machine).map_err(|error| error.to_string())?;
            let options = wisp_aotc::Options {
                poll,
                ..Default::default()
            };
            let section = wisp_aotc::compile(&wasm, &compiled, &machine, &options)
                .map_err(|error| error.to_string())?;
            wisp_aotc::add_section(&compiled.image, &section).map_err(|error| error.to_string())?
        }
    };
    fs::write(output, image).map_err(|error| error.to_string())
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp-bench-image IN.wasm OUT.wisp`: the compiler with its default options.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        eprintln!("usage: wisp-bench-image IN.wasm OUT.wisp");
        return ExitCode::from(2);
    };
    match build(Path::new(input), Path::new(output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{input}: {message}");
            ExitCode::FAILURE
        }
    }
}

fn build(input: &Path, output: &Path) -> Result<(), String> {
    let wasm = fs::read(input).map_err(|error| error.to_string())?;
    let name = input.file_stem().and_then(|stem| stem.to_str()).unwrap_or("app");
    let options = wisp_compiler::Options { name, ..Default::default() };
    let compiled = wisp_compiler::compile(&wasm, &options).map_err(|error| error.to_string())?;
    fs::write(output, compiled.image).map_err(|error| error.to_string())
}

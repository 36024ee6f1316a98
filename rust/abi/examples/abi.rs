// SPDX-License-Identifier: Apache-2.0
//! Writes what derives from the ABI description.
//!
//! `cargo run -p wisp-abi --features render --example abi -- c-header FILE`
//! `cargo run -p wisp-abi --features render --example abi -- assemblyscript FILE`

use std::path::Path;
use std::process::ExitCode;
use wisp_abi::render;

const USAGE: &str = "usage: abi c-header FILE | abi assemblyscript FILE";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["c-header", file] => header(Path::new(file)),
        ["assemblyscript", file] => assemblyscript(Path::new(file)),
        _ => Err(USAGE.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    // An unchanged file keeps its time, so that what depends on it is not built again.
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn header(path: &Path) -> Result<(), String> {
    let mut text = String::new();
    render::c_header(&mut text).map_err(|error| error.to_string())?;
    write(path, &text)
}

fn assemblyscript(path: &Path) -> Result<(), String> {
    let mut text = String::new();
    render::assemblyscript(&mut text).map_err(|error| error.to_string())?;
    write(path, &text)
}

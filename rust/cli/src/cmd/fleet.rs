// SPDX-License-Identifier: Apache-2.0
//! The verbs that need a network. They are in a program of its own, `wisp-fleet`, so that this one has no HTTP client.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Args;

use crate::failure::Failure;

/// Arguments that are handed over as they are.
#[derive(Args)]
pub struct Arguments {
    /// See `wisp VERB --help`, which `wisp-fleet` answers
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Names the program instead of those that are found.
const VARIABLE: &str = "WISP_FLEET";
const PROGRAM: &str = "wisp-fleet";

/// Returns the program: the one that the environment names, the one beside this program, or one on the PATH.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return named.into();
    }
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().and_then(|this| Some(this.parent()?.join(&name)));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PROGRAM.into())
}

/// Hands a verb over.
///
/// # Errors
/// The program is missing or cannot be started.
pub fn run(verb: &str, arguments: &Arguments, json: bool) -> Result<ExitCode, Failure> {
    let program = program();
    let mut command = Command::new(&program);
    command.arg(verb).args(json.then_some("--json")).args(&arguments.arguments);
    let error = match become_it(&mut command) {
        Ok(code) => return Ok(code),
        Err(error) => error,
    };
    let program = program.display();
    Err(Failure::new(match error.kind() {
        std::io::ErrorKind::NotFound => format!(
            "`wisp {verb}` needs the program `{program}`, which is not there; install it with `cargo install --locked --path \
             rust/fleet` in the sources of Wisp, or name it in {VARIABLE}"
        ),
        _ => format!("`wisp {verb}` needs the program `{program}`, which cannot be started: {error}"),
    }))
}

/// Puts a program in the place of this one, so that signals reach it. Returns only if that fails.
#[cfg(unix)]
fn become_it(command: &mut Command) -> std::io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

/// Runs a program and returns its exit code.
#[cfg(not(unix))]
fn become_it(command: &mut Command) -> std::io::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(crate::exit::FAILURE)))
}

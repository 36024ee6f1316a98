// SPDX-License-Identifier: Apache-2.0
//! `wisp completions`.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output;

/// Print what makes a shell complete the arguments of `wisp`
#[derive(Args)]
#[command(after_help = "For example: wisp completions bash > ~/.local/share/bash-completion/completions/wisp")]
pub struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub fn run(arguments: &Arguments, command: &mut Command) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, command, "wisp", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let report = serde_json::json!({ "shell": arguments.shell.to_string(), "script": script });
    output::report(&report, |_| script);
    Ok(ExitCode::SUCCESS)
}

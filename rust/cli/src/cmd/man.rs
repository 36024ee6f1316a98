// SPDX-License-Identifier: Apache-2.0
//! `wisp man`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command};
use clap_mangen::Man;

use crate::failure::Failure;
use crate::{input, output};

/// Write the manual pages of `wisp` and of each of its verbs
#[derive(Args)]
pub struct Arguments {
    /// The directory that they are written to, made if it does not exist
    #[arg(value_name = "DIRECTORY")]
    directory: PathBuf,
}

/// Writes the pages.
pub fn run(arguments: &Arguments, mut command: Command) -> Result<ExitCode, Failure> {
    let directory = &arguments.directory;
    let failed = |error: std::io::Error| Failure::in_file(directory, format_args!("cannot be written: {error}"));
    std::fs::create_dir_all(directory).map_err(failed)?;
    // verbs inherit what holds for all
    command.build();
    let mut names = Vec::new();
    for page in std::iter::once(&command).chain(command.get_subcommands().filter(|verb| verb.get_name() != "help")) {
        let page = Man::new(page.clone());
        let file = page.get_filename();
        let mut text = Vec::new();
        page.render(&mut text).map_err(failed)?;
        input::write(&directory.join(&file), &text)?;
        names.push(file);
    }
    let report = serde_json::json!({ "directory": directory.display().to_string(), "files": names });
    output::report(&report, |_| format!("{}: {}", directory.display(), names.join(" ")));
    Ok(ExitCode::SUCCESS)
}

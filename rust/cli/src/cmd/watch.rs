// SPDX-License-Identifier: Apache-2.0
//! `wisp watch`, which `west wisp watch` runs.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use wisp_engine::TrapCode;

use crate::exit;
use crate::failure::Failure;
use crate::input::{self, Kind};
use crate::output;
use crate::watch::{self, WatchArguments};

/// Make an image whenever its module changes, and write the path of each to standard output
#[derive(Args)]
pub struct Arguments {
    /// A wasm module, a component or an image
    file: PathBuf,
    /// Folder for the images
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
    /// Name of the app
    #[arg(long)]
    name: Option<String>,
    /// Secret key with which images are signed
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    watch: WatchArguments,
    /// Options of `wisp build`
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<OsString>,
}

/// Makes images until this process is ended.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    // whoever reads the paths is gone when standard input ends
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(exit::of_trap(TrapCode::Interrupted).into());
    });
    let mut count = 0;
    watch::run(&arguments.watch, std::slice::from_ref(&arguments.file), || {
        count += 1;
        let image = arguments.into.join(format!("{count}.wisp"));
        match make(arguments, &image) {
            Ok(true) => output::say(&image.display().to_string()),
            Ok(false) => output::note("no image was made; the app stays as it is"),
            Err(failure) => output::note(format_args!("{failure}; the app stays as it is")),
        }
        Ok(None)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Makes an image by other verbs of this command, which say what is wrong. Returns false if one of them failed.
fn make(arguments: &Arguments, image: &Path) -> Result<bool, Failure> {
    let verb = |verb: &str, file: &Path, more: &[OsString]| {
        let failed = |error| Failure::new(format!("`wisp {verb}` cannot be started: {error}"));
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        // standard output is for paths
        command.arg(verb).arg(file).args(more).stdin(Stdio::null()).stdout(Stdio::null());
        command.status().map(|status| status.success()).map_err(failed)
    };
    let bytes = input::read(&arguments.file)?;
    match input::kind(&arguments.file, &bytes)? {
        Kind::Image => input::write(image, &bytes)?,
        Kind::Wasm | Kind::Component => {
            let mut more = vec!["--quiet".into(), "--no-symbols".into(), "--output".into(), image.into()];
            if let Some(name) = &arguments.name {
                more.extend(["--name".into(), name.into()]);
            }
            more.extend(arguments.options.iter().cloned());
            if !verb("build", &arguments.file, &more)? {
                return Ok(false);
            }
        }
    }
    match &arguments.key {
        Some(key) => verb("sign", image, &["--key".into(), key.into()]),
        None => Ok(true),
    }
}

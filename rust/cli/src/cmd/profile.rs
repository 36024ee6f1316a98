// SPDX-License-Identifier: Apache-2.0
//! `wisp profile`, which `west wisp profile` runs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;
use crate::profile::samples::Samples;
use crate::profile::{self, create};
use crate::symbols::Symbols;
use crate::{input, output};

/// Show where an app on a device spends its time, from samples that the device took
#[derive(Args)]
pub struct Arguments {
    /// The samples
    file: PathBuf,
    /// The image that ran: gives names, and with the symbols beside it source lines
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// Write a flame graph (.svg) or folded stacks (.folded) to this file (may be given several times)
    #[arg(short, long, value_name = "FILE", value_parser = profile::file)]
    output: Vec<String>,
}

/// Shows the samples.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let samples = Samples::open(&arguments.file)?;
    let Some(path) = &arguments.image else {
        let files = create(&arguments.output)?;
        output::report(&samples.finish(None, &Symbols::default(), files)?, |report| report.text());
        return Ok(ExitCode::SUCCESS);
    };
    let bytes = input::read(path)?;
    let image = input::image(path, &bytes)?;
    if image.id() != samples.image {
        return Err(Failure::in_file(
            path,
            format_args!(
                "the device ran image {}, and this is {}; give the one that is installed",
                samples.image,
                image.id()
            ),
        ));
    }
    let symbols = Symbols::find(path, &image).or_else(|| Symbols::carried(&image)).unwrap_or_default();
    let files = create(&arguments.output)?;
    output::report(&samples.finish(Some((path, &image)), &symbols, files)?, |report| report.text());
    Ok(ExitCode::SUCCESS)
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use wisp_trust::{Keys, Trailer};

use crate::failure::Failure;
use crate::symbols::hex;
use crate::{check, facts, input, keys, output};

/// Check an image as a device would: its hash, its code and its signature
#[derive(Args)]
pub struct Arguments {
    /// The image
    file: PathBuf,
    /// A public key that the device knows; may be given several times
    #[arg(short, long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    name: String,
    version: String,
    rollback: u32,
    key: String,
    /// Machines that the image has native code for.
    native: Vec<String>,
    native_only: bool,
}

/// Checks an image. Whether it is whole comes first: nobody is to sign a damaged one.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = &arguments.file;
    let known: Vec<_> = arguments.key.iter().map(|file| keys::public(file)).collect::<Result<_, _>>()?;
    let bytes = input::read(path)?;
    let image = input::image(path, &bytes)?;
    let trailer = Trailer::of(&image).map_err(|error| Failure::in_file(path, error))?;
    if trailer.hash.is_none() {
        return Err(Failure::in_file(path, "the image is cut short: its trailer is missing; send or build it again"));
    }
    check::all(&image).map_err(|error| Failure::in_file(path, error))?;
    let keys = Keys { known: &known, retired: &[] };
    let id = wisp_trust::verify(&image, &keys).map_err(|error| Failure::in_file(path, error))?;
    let manifest = image.manifest().map_err(|error| Failure::in_file(path, error))?;
    let native = image.native_sections().filter_map(|(_, bytes)| check::native(&image, bytes).ok());
    let report = Report {
        name: manifest.name.shown().into(),
        version: facts::version(manifest.version),
        rollback: manifest.rollback,
        key: hex(&id),
        native: native.map(|native| native.target.to_string()).collect(),
        native_only: image.is_native_only(),
    };
    output::report(&report, |report| {
        let only = if report.native_only { "native code only, for" } else { "native code for" };
        let native =
            if report.native.is_empty() { String::new() } else { format!(", {only} {}", report.native.join(" and ")) };
        format!(
            "{}: {} {}, rollback counter {}, signed by key {}{native}",
            path.display(),
            report.name,
            report.version,
            report.rollback,
            report.key
        )
    });
    Ok(ExitCode::SUCCESS)
}

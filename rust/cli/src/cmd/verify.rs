// SPDX-License-Identifier: Apache-2.0
//! `wisp verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wisp_trust::Keys;

use crate::failure::Failure;
use crate::symbols::hex;
use crate::{input, keys};

/// Check an image as a device would: its signature, its hash and its code
#[derive(Args)]
pub struct Arguments {
    /// The image
    file: PathBuf,
    /// A public key that the device knows; may be given several times
    #[arg(short, long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
}

/// Checks an image.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = &arguments.file;
    let bytes = input::read(path)?;
    let image = input::image(path, &bytes)?;
    let known: Vec<_> = arguments.key.iter().map(|file| keys::public(file)).collect::<Result<_, _>>()?;
    let keys = Keys { known: &known, retired: &[] };
    let id = wisp_trust::verify(&image, &keys).map_err(|error| Failure::in_file(path, error))?;
    let manifest = image.manifest().map_err(|error| Failure::in_file(path, error))?;
    wisp_image::verify::scratch_words(&image)
        .and_then(|words| wisp_image::verify::verify(&image, &mut vec![0; words]))
        .map_err(|error| Failure::in_file(path, error))?;
    let (major, minor, patch) = manifest.version;
    println!(
        "{}: {} {major}.{minor}.{patch}, rollback counter {}, signed by key {}",
        path.display(),
        manifest.name.shown(),
        manifest.rollback,
        hex(&id)
    );
    Ok(ExitCode::SUCCESS)
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wisp_trust::{Keys, Role};

use crate::failure::Failure;
use crate::symbols::hex;
use crate::{input, keys};

/// Check an image as a device would: its signature, its hash and its code
#[derive(Args)]
pub struct Arguments {
    /// The image
    file: PathBuf,
    /// A public app key that the device knows; may be given several times
    #[arg(short, long, value_name = "FILE", required_unless_present = "root_key")]
    key: Vec<PathBuf>,
    /// A public root key that the device knows; may be given several times
    #[arg(long, value_name = "FILE")]
    root_key: Vec<PathBuf>,
}

/// Checks an image.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = &arguments.file;
    let bytes = input::read(path)?;
    let image = input::image(path, &bytes)?;
    let read = |files: &[PathBuf]| files.iter().map(|file| keys::public(file)).collect::<Result<Vec<_>, _>>();
    let (known, roots) = (read(&arguments.key)?, read(&arguments.root_key)?);
    let keys = Keys { known: &known, roots: &roots, retired: &[] };
    let signer = wisp_trust::verify(&image, &keys).map_err(|error| Failure::in_file(path, error))?;
    let manifest = image.manifest().map_err(|error| Failure::in_file(path, error))?;
    wisp_image::verify::scratch_words(&image)
        .and_then(|words| wisp_image::verify::verify(&image, &mut vec![0; words]))
        .map_err(|error| Failure::in_file(path, error))?;
    let (major, minor, patch) = manifest.version;
    println!(
        "{}: {} {major}.{minor}.{patch}, rollback counter {}, signed by {} {}{}",
        path.display(),
        manifest.name.shown(),
        manifest.rollback,
        if signer.role == Role::Root { "root key" } else { "key" },
        hex(&signer.id),
        if manifest.downgrade { ", may take the place of a higher version" } else { "" }
    );
    for id in wisp_trust::retired_by(&image).map_err(|error| Failure::in_file(path, error))? {
        println!("retires key {} when it is confirmed", hex(&id));
    }
    Ok(ExitCode::SUCCESS)
}

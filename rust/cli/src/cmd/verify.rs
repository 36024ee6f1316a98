// SPDX-License-Identifier: Apache-2.0
//! `wisp verify`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use wisp_trust::{Keys, Role, Trailer, TrustError};

use crate::failure::Failure;
use crate::symbols::hex;
use crate::{check, facts, input, keys, output};

/// Check an image as a device would: its hash, its code and its signature
#[derive(Args)]
pub struct Arguments {
    /// The image
    file: PathBuf,
    /// A public app key that the device knows (may be given several times)
    #[arg(short, long, value_name = "FILE", required_unless_present = "root_key")]
    key: Vec<PathBuf>,
    /// A public root key that the device knows (may be given several times)
    #[arg(long, value_name = "FILE")]
    root_key: Vec<PathBuf>,
    /// A public compile key that the device knows (may be given several times)
    #[arg(long, value_name = "FILE")]
    compile_key: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    name: String,
    version: String,
    rollback: u32,
    key: String,
    /// True if a root key signed.
    root: bool,
    /// The epoch, or 0 if the image has none.
    epoch: u32,
    /// True if the image may take the place of a higher version.
    downgrade: bool,
    /// Ids of the keys that are retired when the image is confirmed.
    retires: Vec<String>,
    /// Machines that the image has native code for.
    native: Vec<String>,
    native_only: bool,
    /// Devices that the image is for, as `KIND=NAME`, or empty if it is for all.
    only: Vec<String>,
    /// Id of the compile key that signed the attached native code.
    compile_key: Option<String>,
}

/// Says why the signature is refused, and if its key is unknown, which keys were given.
fn refused(path: &Path, error: &TrustError, keys: &Keys<'_>) -> Failure {
    let ids = |keys: &[wisp_trust::PublicKey]| {
        let ids: Vec<String> = keys.iter().map(|key| hex(&wisp_trust::key_id(key))).collect();
        ids.join(", ")
    };
    match error {
        TrustError::UnknownKey(_) => {
            let given = ids(&[keys.known, keys.roots].concat());
            Failure::in_file(path, format_args!("{error}; the keys given are {given}"))
        }
        TrustError::UnknownCompileKey(_) if keys.compilers.is_empty() => {
            Failure::in_file(path, format_args!("{error}; name the key with --compile-key"))
        }
        TrustError::UnknownCompileKey(_) => {
            let given = ids(keys.compilers);
            Failure::in_file(path, format_args!("{error}; the compile keys given are {given}"))
        }
        _ => Failure::in_file(path, error),
    }
}

/// Checks an image. Whether it is whole comes first: nobody is to sign a damaged one.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = &arguments.file;
    let read =
        |files: &[PathBuf], role| files.iter().map(|file| keys::public_of(file, role)).collect::<Result<Vec<_>, _>>();
    let known = read(&arguments.key, keys::Role::App)?;
    let roots = read(&arguments.root_key, keys::Role::Root)?;
    let compilers = read(&arguments.compile_key, keys::Role::Compile)?;
    let bytes = input::read(path)?;
    let image = input::image(path, &bytes)?;
    let trailer = Trailer::of(&image).map_err(|error| Failure::in_file(path, error))?;
    if trailer.hash.is_none() {
        return Err(Failure::in_file(path, "the image is cut short: its trailer is missing; send or build it again"));
    }
    check::all(&image).map_err(|error| Failure::in_file(path, error))?;
    let keys = Keys { known: &known, roots: &roots, compilers: &compilers, retired: &[] };
    let signer = wisp_trust::verify(&image, &keys).map_err(|error| refused(path, &error, &keys))?;
    let manifest = image.manifest().map_err(|error| Failure::in_file(path, error))?;
    let native = image.native_sections().filter_map(|(_, bytes)| check::native(&image, bytes).ok());
    let report = Report {
        name: manifest.name.shown().into(),
        version: facts::version(manifest.version),
        rollback: manifest.rollback,
        key: hex(&signer.id),
        root: signer.role == Role::Root,
        epoch: image.epoch().unwrap_or(0),
        downgrade: manifest.downgrade,
        retires: wisp_trust::retired_by(&image)
            .map_err(|error| Failure::in_file(path, error))?
            .map(|id| hex(&id))
            .collect(),
        native: native.map(|native| native.target.to_string()).collect(),
        native_only: image.is_native_only(),
        only: facts::only(&image),
        compile_key: signer.compiler.map(|id| hex(&id)),
    };
    output::report(&report, |report| {
        let only = if report.native_only { "native code only, for" } else { "native code for" };
        let native =
            if report.native.is_empty() { String::new() } else { format!(", {only} {}", report.native.join(" and ")) };
        let signer = if report.root { "root key" } else { "key" };
        let downgrade = if report.downgrade { ", may take the place of a higher version" } else { "" };
        let mut text = format!(
            "{}: {} {}, rollback counter {}, signed by {signer} {}{downgrade}{native}",
            path.display(),
            report.name,
            report.version,
            report.rollback,
            report.key
        );
        if let Some(id) = &report.compile_key {
            text += &format!("\nnative code is attached and signed by compile key {id}");
        }
        if report.epoch != 0 {
            text += &format!("\nof epoch {}", report.epoch);
        }
        if !report.only.is_empty() {
            text += &format!("\nonly for devices with {}", report.only.join(", "));
        }
        for id in &report.retires {
            text += &format!("\nretires key {id} when it is confirmed");
        }
        text
    });
    Ok(ExitCode::SUCCESS)
}

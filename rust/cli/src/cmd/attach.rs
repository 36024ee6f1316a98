// SPDX-License-Identifier: Apache-2.0
//! `wisp attach`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use wisp_image::format::{manifest, Section, NAME_MAX};
use wisp_image::native::Target;
use wisp_image::Image;
use wisp_trust::{SignError, TrustError};

use crate::failure::Failure;
use crate::symbols::hex;
use crate::{check, input, keys, output};

/// Attach native code to a signed image
///
/// Whoever compiles for the devices needs no app key for that: content and signature of the image stay as they are.
/// The native code comes from images that `wisp build --target` makes of the same module. A compile key signs it, and
/// devices accept it with CONFIG_WISP_COMPILE_KEY_FILE.
#[derive(Args)]
pub struct Arguments {
    /// The signed image
    file: PathBuf,
    /// An image of the same module with native code (may be given several times)
    #[arg(short, long, value_name = "FILE", required = true)]
    native: Vec<PathBuf>,
    /// The secret compile key
    #[arg(short, long, value_name = "FILE")]
    key: PathBuf,
    /// Path of the image with the native code [default: in place of the image]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    image: String,
    bytes: usize,
    key: String,
    /// Machines that the attached code is for.
    native: Vec<String>,
}

/// Returns the bytes of the manifest that the compiler derives from the module: all but the app's name, its version,
/// its rollback counter and the flags of the update.
fn derived(image: &Image<'_>) -> Vec<u8> {
    let mut bytes = image.section(Section::Manifest).to_vec();
    for (at, length) in
        [(manifest::NAME, 1 + NAME_MAX), (manifest::VERSION, 4), (manifest::UPDATE_FLAGS, 1), (manifest::ROLLBACK, 4)]
    {
        if let Some(place) = bytes.get_mut(at..at + length) {
            place.fill(0);
        }
    }
    bytes
}

/// Returns the sections that native code depends on, but for manifest and IR.
fn layout<'a>(image: &Image<'a>) -> impl Iterator<Item = (u16, &'a [u8])> {
    let apart = [Section::Manifest as u16, Section::Code as u16];
    image.sections().filter(move |&(kind, _)| kind < Section::OPTIONAL && !apart.contains(&kind))
}

/// Checks that two images were made of the same module by the same compiler. One without IR has native code only.
fn alike(image: &Image<'_>, other: &Image<'_>) -> bool {
    let code = [image, other].map(|image| image.section(Section::Code));
    derived(image) == derived(other)
        && layout(image).eq(layout(other))
        && (code[0] == code[1] || image.is_native_only() || other.is_native_only())
}

/// Returns kind and bytes of each native section of a file.
fn sections_of(image: &Image<'_>, path: &Path) -> Result<Vec<(u16, Vec<u8>)>, Failure> {
    let bytes = input::read(path)?;
    let other = input::image(path, &bytes)?;
    check::all(&other).map_err(|error| Failure::in_file(path, format_args!("not attached: {error}")))?;
    let sections: Vec<_> = other.native_sections().map(|(kind, bytes)| (kind, bytes.to_vec())).collect();
    if sections.is_empty() {
        return Err(Failure::in_file(path, "the image has no native code; `wisp build --target MACHINE` makes it"));
    }
    if !alike(image, &other) {
        return Err(Failure::in_file(
            path,
            "the native code was made from another module, or by another version of `wisp build`, than the signed \
             image; build both from the same module with the same `wisp`",
        ));
    }
    Ok(sections)
}

/// Names a machine as `--target` does, or by its numbers.
fn machine(image: &Image<'_>, bytes: &[u8]) -> String {
    let target = check::native(image, bytes).ok().map(|native| native.target);
    let name = |target: Target| check::target_name(target).map_or_else(|| target.to_string(), String::from);
    target.map_or_else(String::new, name)
}

/// Attaches native code.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = &arguments.file;
    let bytes = input::read(path)?;
    // what was attached before goes, whatever it is
    let before = input::image(path, &bytes)?;
    let bytes = before.without_attachment();
    let image = input::image(path, bytes)?;
    check::all(&image).map_err(|error| Failure::in_file(path, format_args!("nothing attached: {error}")))?;
    let secret = keys::secret(&arguments.key)?;
    if keys::role(&arguments.key)?.is_some_and(|role| role != keys::Role::Compile) {
        return Err(Failure::in_file(
            &arguments.key,
            "this is no compile key, and devices would refuse the native code; `wisp keygen --role compile` makes one",
        ));
    }
    let mut sections: Vec<(u16, Vec<u8>)> = Vec::new();
    for file in &arguments.native {
        for (kind, bytes) in sections_of(&image, file)? {
            let name = machine(&image, &bytes);
            if image.native_sections().any(|(other, _)| other == kind) {
                return Err(Failure::in_file(
                    path,
                    format_args!(
                        "the signed image itself has native code for {name}, which runs in place of attached code"
                    ),
                ));
            }
            if sections.iter().any(|&(other, _)| other == kind) {
                return Err(Failure::in_file(
                    file,
                    format_args!("native code for {name} is given twice; leave one out"),
                ));
            }
            sections.push((kind, bytes));
        }
    }
    let attached = wisp_trust::attach(bytes, &sections, &secret).map_err(|error| match error {
        SignError::Damaged(TrustError::Unsigned) => {
            Failure::in_file(path, "the image is not signed; sign it with an app key first, with `wisp sign`")
        }
        SignError::Image(error) => Failure::in_file(path, error),
        SignError::Damaged(error) => Failure::in_file(path, error),
        SignError::RetiresItself => {
            Failure::in_file(&arguments.key, "the image retires this key; sign it with one that stays in use")
        }
        SignError::BadRetirement | SignError::Attached => {
            Failure::in_file(path, "the image cannot be read; build it again")
        }
    })?;
    let file = arguments.output.as_ref().unwrap_or(path);
    match input::is_same(file, path) {
        true => input::replace(file, &attached)?,
        false => input::write(file, &attached)?,
    }
    let report = Report {
        image: file.display().to_string(),
        bytes: attached.len(),
        key: hex(&wisp_trust::key_id(&wisp_trust::public_key(&secret))),
        native: sections.iter().map(|(_, bytes)| machine(&image, bytes)).collect(),
    };
    output::report(&report, |Report { image, bytes, key, native }| {
        format!("{image}: {bytes} bytes, native code for {} signed by compile key {key}", native.join(" and "))
    });
    Ok(ExitCode::SUCCESS)
}

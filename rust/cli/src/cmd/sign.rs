// SPDX-License-Identifier: Apache-2.0
//! `wisp sign`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use wisp_image::conditions::{self, Kind};
use wisp_trust::SignError;

use crate::failure::Failure;
use crate::symbols::hex;
use crate::{check, input, keys, output};

/// Sign an image
#[derive(Args)]
pub struct Arguments {
    /// The image
    file: PathBuf,
    /// The secret key
    #[arg(short, long, value_name = "FILE")]
    key: PathBuf,
    /// Path of the signed image [default: in place of the image]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A public key that devices shall no longer accept once they have confirmed this image (needs a root key)
    #[arg(long, value_name = "FILE")]
    retire: Vec<PathBuf>,
    /// Devices that the image is for: board=NAME, vendor=NAME or class=NAME, where NAME may end with * (may be given
    /// several times)
    #[arg(long, value_name = "KIND=NAME", value_parser = condition)]
    only: Vec<(Kind, String)>,
    /// The epoch: devices that confirmed the image install none of an earlier epoch, of whatever app
    #[arg(long, value_name = "NUMBER")]
    epoch: Option<NonZeroU32>,
    /// Let the image take the place of one with a higher version
    #[arg(long)]
    downgrade: bool,
}

#[derive(Serialize)]
struct Report {
    image: String,
    bytes: usize,
    key: String,
}

/// Reads a condition, such as `board=nrf5340dk`.
fn condition(text: &str) -> Result<(Kind, String), String> {
    let (kind, name) = text.split_once('=').ok_or("expected board=NAME, vendor=NAME or class=NAME")?;
    let kind = Kind::ALL.into_iter().find(|known| known.name() == kind);
    let kind = kind.ok_or("expected board=NAME, vendor=NAME or class=NAME")?;
    let printable = name.bytes().all(|byte| byte.is_ascii_graphic());
    if name.is_empty() || name.len() > conditions::NAME_MAX || !printable {
        return Err(format!("expected a name of 1 to {} printable characters", conditions::NAME_MAX));
    }
    Ok((kind, name.into()))
}

/// Signs an image.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = &arguments.file;
    let bytes = input::read(path)?;
    let image = input::image(path, &bytes)?;
    // a signature says that somebody vouches for the image
    check::all(&image).map_err(|error| Failure::in_file(path, format_args!("not signed: {error}")))?;
    let secret = keys::secret(&arguments.key)?;
    let wrong = match keys::role(&arguments.key)? {
        Some(keys::Role::Management) => Some("a management key signs requests of `west wisp`"),
        Some(keys::Role::Compile) => Some("a compile key signs native code that `wisp attach` adds"),
        Some(keys::Role::App | keys::Role::Root) | None => None,
    };
    if let Some(purpose) = wrong {
        return Err(Failure::in_file(
            &arguments.key,
            format_args!("{purpose}, and devices would refuse the image; sign it with an app key"),
        ));
    }
    let retired: Vec<_> = arguments
        .retire
        .iter()
        .map(|file| keys::public(file).map(|key| wisp_trust::key_id(&key)))
        .collect::<Result<_, _>>()?;
    if !retired.is_empty() && keys::role(&arguments.key)? == Some(keys::Role::App) {
        return Err(Failure::in_file(
            &arguments.key,
            "an app key cannot retire keys: devices would refuse the image; sign it with a root key \
             (`wisp keygen --role root`)",
        ));
    }
    for file in &arguments.retire {
        if keys::role(file)? == Some(keys::Role::Root) {
            return Err(Failure::in_file(
                file,
                "a root key cannot be retired by an image; take it out of CONFIG_WISP_ROOT_KEY_FILE in a new firmware",
            ));
        }
    }
    let fail = |error| match error {
        SignError::Image(error) => Failure::in_file(path, error),
        SignError::Damaged(error) => Failure::in_file(path, format_args!("not signed: {error}")),
        SignError::RetiresItself => {
            Failure::in_file(&arguments.key, "the image retires this key; sign it with one that stays in use")
        }
        SignError::Attached => Failure::in_file(
            path,
            "the attached native code belongs to the present content; use --retire, --only, --epoch and --downgrade \
             before `wisp attach`",
        ),
        SignError::BadRetirement => {
            Failure::in_file(path, "its list of keys to retire has no valid form; build the image again")
        }
    };
    let bytes = if arguments.downgrade { wisp_trust::allow_downgrade(&bytes).map_err(fail)? } else { bytes };
    let conditions = conditions::section(arguments.only.iter().map(|(kind, name)| (*kind, name.as_str())));
    let bytes =
        if conditions.is_empty() { bytes } else { wisp_trust::add_conditions(&bytes, conditions).map_err(fail)? };
    let bytes = match arguments.epoch {
        Some(epoch) => wisp_trust::set_epoch(&bytes, epoch).map_err(fail)?,
        None => bytes,
    };
    let content =
        if retired.is_empty() { bytes } else { wisp_trust::add_retired_keys(&bytes, &retired).map_err(fail)? };
    let signed = wisp_trust::sign(&content, &secret).map_err(fail)?;
    let file = arguments.output.as_ref().unwrap_or(path);
    match input::is_same(file, path) {
        true => input::replace(file, &signed)?,
        false => input::write(file, &signed)?,
    }
    let report = Report {
        image: file.display().to_string(),
        bytes: signed.len(),
        key: hex(&wisp_trust::key_id(&wisp_trust::public_key(&secret))),
    };
    output::report(&report, |Report { image, bytes, key }| format!("{image}: {bytes} bytes, signed by key {key}"));
    Ok(ExitCode::SUCCESS)
}

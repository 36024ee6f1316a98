// SPDX-License-Identifier: Apache-2.0
//! `wisp keygen`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use ed25519_compact::{KeyPair, Seed};

use crate::failure::Failure;
use crate::keys::Role;
use crate::symbols::hex;
use crate::{input, keys};

/// Make a key to sign images with
///
/// Writes the secret key to FILE, readable by you alone, and the public key beside it, ending in .pub.pem: the
/// firmware gets that one by CONFIG_WISP_SIGNATURE_KEY_FILE, or for a root key by CONFIG_WISP_ROOT_KEY_FILE. Both
/// are PEM files as OpenSSL reads them.
#[derive(Args)]
pub struct Arguments {
    /// Where to put the secret key
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the key is for
    #[arg(long, value_enum, default_value_t = Role::App)]
    role: Role,
}

/// Makes a key.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let pair = KeyPair::from_seed(Seed::generate());
    keys::write_secret(&arguments.file, &pair, arguments.role)?;
    let public = arguments.file.with_extension("pub.pem");
    input::write(&public, (arguments.role.line() + &pair.pk.to_pem()).as_bytes())?;
    println!(
        "key {}: secret in {}, public in {}",
        hex(&wisp_trust::key_id(&pair.pk)),
        arguments.file.display(),
        public.display()
    );
    Ok(ExitCode::SUCCESS)
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp keygen`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use ed25519_compact::{KeyPair, Seed};
use serde::Serialize;

use crate::failure::Failure;
use crate::keys::Role;
use crate::symbols::hex;
use crate::{input, keys, output};

/// Make a key to sign images or requests with
///
/// Writes the secret key to FILE, readable by you alone, and the public key beside it, ending in .pub.pem. Both are PEM
/// files as OpenSSL reads them. The firmware gets the public key by the option of its role, which --help names.
#[derive(Args)]
pub struct Arguments {
    /// File for the secret key
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Purpose of the key
    #[arg(long, value_enum, default_value_t = Role::App)]
    role: Role,
}

#[derive(Serialize)]
struct Report {
    key: String,
    secret: String,
    public: String,
}

/// Makes a key.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.file.to_string_lossy().ends_with(".pub.pem") {
        return Err(Failure::in_file(
            &arguments.file,
            "public keys have such names, and the secret one is written there; give a name as in key.pem",
        ));
    }
    let pair = KeyPair::from_seed(Seed::generate());
    let public = arguments.file.with_extension("pub.pem");
    if public.exists() && !arguments.file.exists() {
        // of another key: firmwares may still be built with it
        return Err(Failure::in_file(&public, "exists already and is not replaced; give another name"));
    }
    keys::write_secret(&arguments.file, &pair, arguments.role)?;
    input::write(&public, (arguments.role.line() + &pair.pk.to_pem()).as_bytes())?;
    let report = Report {
        key: hex(&wisp_trust::key_id(&pair.pk)),
        secret: arguments.file.display().to_string(),
        public: public.display().to_string(),
    };
    output::report(&report, |Report { key, secret, public }| {
        format!("key {key}: secret in {secret}, public in {public}")
    });
    Ok(ExitCode::SUCCESS)
}

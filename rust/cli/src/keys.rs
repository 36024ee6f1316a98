// SPDX-License-Identifier: Apache-2.0
//! Key files: PEM as OpenSSL writes and reads it, PKCS #8 for secret keys, SubjectPublicKeyInfo for public ones.

use std::io::Write;
use std::path::Path;

use ed25519_compact::{KeyPair, PublicKey};

use crate::failure::Failure;
use crate::input;

/// Writes a secret key that only this user may read. An existing file is never replaced: what it signed could
/// not be signed again.
pub fn write_secret(path: &Path, pair: &KeyPair) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(pair.sk.to_pem().as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::in_file(path, "exists already and is not replaced; give another name")
        }
        _ => Failure::in_file(path, format_args!("cannot be written: {error}")),
    })
}

fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(input::read(path)?).map_err(|_| Failure::in_file(path, "not a PEM file; expected text"))
}

/// Reads a secret key.
pub fn secret(path: &Path) -> Result<[u8; 32], Failure> {
    let text = text(path)?;
    let pair = KeyPair::from_pem(&text).map_err(|_| {
        let more = if text.contains("BEGIN PUBLIC KEY") { "this is a public key; " } else { "" };
        Failure::in_file(path, format_args!("{more}expected an Ed25519 secret key in PEM; `wisp keygen` makes one"))
    })?;
    Ok(*pair.sk.seed())
}

/// Reads a public key, or the public half of a secret one.
pub fn public(path: &Path) -> Result<wisp_trust::PublicKey, Failure> {
    let text = text(path)?;
    let key = PublicKey::from_pem(&text).or_else(|_| KeyPair::from_pem(&text).map(|pair| pair.pk));
    key.map(|key| *key).map_err(|_| {
        Failure::in_file(path, "expected an Ed25519 public key in PEM; `wisp keygen` writes one beside the secret key")
    })
}

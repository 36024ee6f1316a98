// SPDX-License-Identifier: Apache-2.0
//! Key files: PEM as OpenSSL writes and reads it, PKCS #8 for secret keys, SubjectPublicKeyInfo for public ones.
//! A line before the PEM, which OpenSSL skips, says which role a key was made for.

use std::io::Write;
use std::path::Path;

use clap::ValueEnum;
use ed25519_compact::{KeyPair, PublicKey};

use crate::failure::Failure;
use crate::input;

/// The purpose of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Role {
    /// Signs images from day to day: CONFIG_WISP_SIGNATURE_KEY_FILE
    App,
    /// Signs images that retire app keys, and stays offline: CONFIG_WISP_ROOT_KEY_FILE
    Root,
    /// Signs native code that `wisp attach` adds to images: CONFIG_WISP_COMPILE_KEY_FILE
    Compile,
    /// Signs requests of `west wisp` to a device: CONFIG_WISP_MANAGEMENT_KEY_FILE
    Management,
}

const ROLE_LINE: &str = "Wisp-Role:";

impl Role {
    /// Returns the line of a key file.
    pub fn line(self) -> String {
        format!("{ROLE_LINE} {}\n", self.name())
    }

    fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Root => "root",
            Self::Compile => "compile",
            Self::Management => "management",
        }
    }
}

/// Returns the role that a key file states. Files of OpenSSL state none.
pub fn role(path: &Path) -> Result<Option<Role>, Failure> {
    let text = text(path)?;
    let stated = text.lines().find_map(|line| line.strip_prefix(ROLE_LINE)).map(str::trim);
    let Some(name) = stated else { return Ok(None) };
    let known = Role::value_variants().iter().find(|role| role.name() == name);
    known.copied().map(Some).ok_or_else(|| {
        let what = format!("a key of the role {name:?}; this wisp knows app, root, compile and management");
        Failure::in_file(path, what)
    })
}

/// Writes a secret key that only this user may read. An existing file is never replaced: what it signed could
/// not be signed again.
pub fn write_secret(path: &Path, pair: &KeyPair, role: Role) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let text = role.line() + &pair.sk.to_pem();
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::in_file(path, "exists already and is not replaced; give another name")
        }
        _ => Failure::in_file(path, format_args!("cannot be written: {error}")),
    })
}

fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(input::read(path)?).map_err(|_| {
        Failure::in_file(path, "no text, which a key in PEM is; `openssl pkey -inform DER` reads one in DER")
    })
}

/// Returns the text of a key file from the beginning of the PEM on.
fn pem(text: &str) -> &str {
    text.find("-----BEGIN").and_then(|start| text.get(start..)).unwrap_or(text)
}

/// Says what a key file holds that is no key of Ed25519 in PEM. Returns an empty text if that is not known.
fn found(text: &str) -> &'static str {
    let kinds = [
        ("BEGIN ENCRYPTED", "this key is encrypted, and `openssl pkey -in FILE -out PLAIN` asks for its passphrase; "),
        ("Proc-Type: 4,ENCRYPTED", "this key is encrypted, and of another kind; "),
        ("BEGIN OPENSSH", "this is a key of SSH; "),
        ("ssh-", "this is a key of SSH; "),
        ("BEGIN CERTIFICATE", "this is a certificate; "),
        ("BEGIN PUBLIC KEY", "this is a public key of another kind, or it is damaged; "),
        ("PRIVATE KEY", "this is a secret key of another kind, or it is damaged; "),
    ];
    kinds.iter().find(|(mark, _)| text.contains(mark)).map_or("", |(_, what)| what)
}

/// Reads a secret key.
pub fn secret(path: &Path) -> Result<[u8; 32], Failure> {
    let text = text(path)?;
    let pair = KeyPair::from_pem(pem(&text)).map_err(|_| {
        let public = PublicKey::from_pem(pem(&text)).is_ok();
        let more = if public { "this is a public key; " } else { found(&text) };
        Failure::in_file(path, format_args!("{more}expected an Ed25519 secret key in PEM; `wisp keygen` makes one"))
    })?;
    Ok(*pair.sk.seed())
}

/// Reads a public key, or the public half of a secret one.
pub fn public(path: &Path) -> Result<wisp_trust::PublicKey, Failure> {
    let text = text(path)?;
    let key = PublicKey::from_pem(pem(&text)).or_else(|_| KeyPair::from_pem(pem(&text)).map(|pair| pair.pk));
    key.map(|key| *key).map_err(|_| {
        let more = found(&text);
        let expected = "expected an Ed25519 public key in PEM; `wisp keygen` writes one beside the secret key";
        Failure::in_file(path, format_args!("{more}{expected}"))
    })
}

/// Reads a public key as a firmware would that has it in the option for this role. A file that states no role
/// may have any.
///
/// # Errors
/// Returns the errors of [`public`], and an error if the file states another role.
pub fn public_of(path: &Path, expected: Role) -> Result<wisp_trust::PublicKey, Failure> {
    let key = public(path)?;
    let place = match role(path)?.filter(|&stated| stated != expected) {
        None => return Ok(key),
        Some(Role::App) => "an app key; name it with --key",
        Some(Role::Root) => "a root key; name it with --root-key",
        Some(Role::Compile) => "a compile key, which signs attached native code; name it with --compile-key",
        Some(Role::Management) => "a management key, which signs requests and no images; leave it out",
    };
    Err(Failure::in_file(path, format_args!("this is {place}")))
}

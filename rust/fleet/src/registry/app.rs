// SPDX-License-Identifier: Apache-2.0
//! What an image file says of itself, and whether it may be believed.

use std::path::{Path, PathBuf};

use wisp_aotc::target::NAMES;
use wisp_aotc::Machine;
use wisp_image::format::IR_VERSION;
use wisp_image::native::{Arch, Native, Refusal, Target, ABI_VERSION};
use wisp_image::{verify, Image, ImageError};
use wisp_trust::{Keys, PublicKey, Signer, Trailer, TrustError};

use crate::failure::Failure;
use crate::registry::blob::hex;
use crate::registry::documents::{note, Notes, Platform};

/// An app, as all of its images have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Name, as devices know it.
    pub name: String,
    /// `major.minor.patch`.
    pub version: String,
    /// Rollback counter.
    pub rollback: u32,
    /// SHA-256 of the module that it was made from, in hexadecimal digits.
    pub wasm: String,
    /// Id of the key that signed, in hexadecimal digits.
    pub key: Option<String>,
}

/// An image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct App {
    /// The file that it was read from, or a name for messages.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Name and version.
    pub identity: Identity,
    /// True if there is IR, which runs everywhere.
    pub portable: bool,
    /// Machines that there is native code for.
    pub targets: Vec<Target>,
}

/// Keys that a user trusts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trusted {
    /// App keys.
    pub known: Vec<PublicKey>,
    /// Root keys.
    pub roots: Vec<PublicKey>,
    /// Compile keys.
    pub compilers: Vec<PublicKey>,
}

impl Identity {
    /// Returns the annotations that state it.
    pub fn notes(&self) -> Notes {
        let mut notes = Notes::from([
            (note::NAME.into(), self.name.clone()),
            (note::VERSION.into(), self.version.clone()),
            (note::ROLLBACK.into(), self.rollback.to_string()),
            (note::WASM.into(), self.wasm.clone()),
        ]);
        notes.extend(self.key.clone().map(|key| (note::KEY.into(), key)));
        notes
    }
}

/// Checks all that does not depend on a device or a key: sections, IR, native sections.
fn sound(image: &Image<'_>) -> Result<Vec<Target>, String> {
    let words = |error: ImageError| error.to_string();
    if image.is_native_only() {
        verify::verify_structure(image, &mut vec![0; verify::structure_words(image)]).map_err(words)?;
    } else {
        verify::verify(image, &mut vec![0; verify::scratch_words(image).map_err(words)?]).map_err(words)?;
    }
    let native = |bytes| -> Result<Target, Refusal> {
        let native = Native::parse(bytes)?;
        native.fits(image)?;
        native.entries(image)?;
        Ok(native.target)
    };
    image.conditions().map_err(|_| "the image has conditions that this wisp does not understand")?;
    let targets: Vec<Target> = image
        .native_sections()
        .map(|(kind, bytes)| native(bytes).map_err(|refusal| format!("native section {kind:#x}: {refusal}")))
        .collect::<Result<_, _>>()?;
    if image.is_native_only() && targets.is_empty() {
        return Err("the image has neither IR nor native code; build it again".into());
    }
    Ok(targets)
}

impl App {
    /// Reads an image and checks what `wisp verify` checks without a key.
    ///
    /// # Errors
    /// The bytes are no image, or a device would refuse it.
    pub fn read(path: &Path, bytes: Vec<u8>) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::in_file(path, error);
        let image = Image::parse(&bytes).map_err(|error| failed(&error))?;
        let trailer = Trailer::of(&image).map_err(|error| failed(&error))?;
        if trailer.hash.is_none() {
            return Err(failed(&"the image is cut short: its trailer is missing; send or build it again"));
        }
        wisp_trust::check_hash(&image).map_err(|error| failed(&error))?;
        let targets = sound(&image).map_err(|error| failed(&error))?;
        let manifest = image.manifest().map_err(|error| failed(&error))?;
        let (major, minor, patch) = manifest.version;
        let identity = Identity {
            name: manifest.name.shown().into(),
            version: format!("{major}.{minor}.{patch}"),
            rollback: manifest.rollback,
            wasm: hex(manifest.wasm_hash),
            key: trailer.key_id.map(|id| hex(&id)),
        };
        let portable = !image.is_native_only();
        Ok(Self { path: path.into(), identity, portable, targets, bytes })
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// There is none, its key is not among these, or it is wrong.
    pub fn signer(&self, trusted: &Trusted) -> Result<Signer, Failure> {
        let keys = Keys { known: &trusted.known, roots: &trusted.roots, compilers: &trusted.compilers, retired: &[] };
        let image = Image::parse(&self.bytes).map_err(|error| Failure::in_file(&self.path, error))?;
        wisp_trust::verify(&image, &keys).map_err(|error| match error {
            TrustError::UnknownCompileKey(_) if trusted.compilers.is_empty() => {
                Failure::in_file(&self.path, format_args!("{error}; name the key with --compile-key"))
            }
            _ => Failure::in_file(&self.path, error),
        })
    }

    /// Returns the name of the file for who downloads the image.
    pub fn title(&self) -> String {
        self.path.file_name().map_or_else(|| "app.wisp".into(), |name| name.to_string_lossy().into_owned())
    }
}

/// Returns the name that `--target` takes for a machine. One that only `--cflags` reaches gets a name from its bits.
pub fn target_name(target: Target) -> String {
    let named = NAMES.iter().find(|name| Machine::named(name).is_ok_and(|machine| machine.target == target));
    named.map_or_else(|| format!("native-{:04x}", target.section()), |name| (*name).into())
}

/// Returns what an index says of IR.
pub fn portable_platform() -> Platform {
    Platform {
        architecture: "wasm".into(),
        os: "wisp".into(),
        os_version: Some(format!("ir-{IR_VERSION}")),
        variant: None,
    }
}

/// Returns what an index says of native code.
pub fn native_platform(target: Target) -> Platform {
    let architecture = match target.arch {
        Arch::Thumb => "arm",
        Arch::RiscV32 => "riscv",
        Arch::X86_64 => "amd64",
    };
    Platform {
        architecture: architecture.into(),
        os: "wisp".into(),
        os_version: Some(format!("native-{ABI_VERSION}")),
        variant: Some(target_name(target)),
    }
}

/// Reads public keys, or the public halves of secret ones, from PEM files.
///
/// # Errors
/// A file cannot be read or has no such key.
pub fn public_keys(files: &[PathBuf], role: &str) -> Result<Vec<PublicKey>, Failure> {
    files.iter().map(|file| public_key(file, role)).collect()
}

fn public_key(path: &Path, role: &str) -> Result<PublicKey, Failure> {
    let text = String::from_utf8(read(path)?).map_err(|_| Failure::in_file(path, "not a PEM file; expected text"))?;
    let stated = text.lines().find_map(|line| line.strip_prefix("Wisp-Role:")).map(str::trim);
    if let Some(stated) = stated.filter(|stated| *stated != role) {
        return Err(Failure::in_file(
            path,
            format_args!("this is a key of the role {stated}, and one of the role {role} is expected; name it with the option of its role"),
        ));
    }
    // what stands before the PEM is for people
    let pem = text.find("-----BEGIN").and_then(|start| text.get(start..)).unwrap_or(&text);
    let key = ed25519_compact::PublicKey::from_pem(pem)
        .or_else(|_| ed25519_compact::KeyPair::from_pem(pem).map(|pair| pair.pk));
    key.map(|key| *key).map_err(|_| {
        Failure::in_file(path, "expected an Ed25519 public key in PEM; `wisp keygen` writes one beside the secret key")
    })
}

/// Returns the bytes of a file.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::in_file(path, format_args!("cannot be read: {error}")))
}

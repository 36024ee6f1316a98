// SPDX-License-Identifier: Apache-2.0
//! An image as it is announced to a device.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ciborium::Value;
use sha2::{Digest, Sha256};
use wisp_image::Image;

use super::archive;
use super::artifacts::Source;
use crate::registry::app::App;

/// The images that devices are being sent: one copy of each for all devices.
#[derive(Default)]
pub struct Packages(Mutex<HashMap<String, Weak<Package>>>);

impl Packages {
    /// Returns the image in the bytes of an artifact.
    ///
    /// # Errors
    /// See [`Package::read`].
    pub fn read(&self, source: &Source, bytes: Vec<u8>) -> Result<Arc<Package>, String> {
        let mut packages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        packages.retain(|_, package| package.strong_count() > 0);
        if let Some(package) = packages.get(source.hash.name()).and_then(Weak::upgrade) {
            return Ok(package);
        }
        let package = Arc::new(Package::read(&source.file, bytes)?);
        packages.insert(source.hash.name().into(), Arc::downgrade(&package));
        Ok(package)
    }
}

/// An image that a device may get.
#[derive(Clone, PartialEq, Debug)]
pub struct Package {
    /// Name of the app.
    pub app: String,
    /// Version of the app.
    pub version: String,
    /// SHA-256 of the file.
    pub sha: [u8; 32],
    /// The file.
    pub bytes: Vec<u8>,
    /// Entries of the announcement, without those of the client.
    pub announcement: Vec<(&'static str, Value)>,
}

impl Package {
    /// Reads an artifact: an image, or an archive with one. Checks what a device checks without its keys.
    ///
    /// # Errors
    /// The bytes are no image, or every device would refuse it.
    pub fn read(file: &str, bytes: Vec<u8>) -> Result<Self, String> {
        let bytes = match archive::is_archive(&bytes) {
            true => archive::image(&bytes).map_err(|words| format!("{file}: {words}"))?.to_vec(),
            false => bytes,
        };
        let app = App::read(Path::new(file), bytes).map_err(|failure| failure.to_string())?;
        let announcement = announcement(&app.bytes).map_err(|words| format!("{file}: {words}"))?;
        Ok(Self {
            app: app.identity.name,
            version: app.identity.version,
            sha: Sha256::digest(&app.bytes).into(),
            bytes: app.bytes,
            announcement,
        })
    }
}

/// Returns what an image says of itself, under the names of `doc/lifecycle.md`.
fn announcement(bytes: &[u8]) -> Result<Vec<(&'static str, Value)>, String> {
    let words = |error: wisp_image::ImageError| error.to_string();
    let image = Image::parse(bytes).map_err(words)?;
    let manifest = image.manifest().map_err(words)?;
    let (major, minor, patch) = manifest.version;
    let version = u32::from_le_bytes([major, minor, patch.to_le_bytes()[0], patch.to_le_bytes()[1]]);
    let name = manifest.name.text().ok_or("the app's name is no text")?;
    let mut modules = Vec::new();
    for index in 0..image.import_count() {
        let module = image.import(index).map_err(words)?.module.shown();
        if !modules.contains(&module) {
            modules.push(module);
        }
    }
    let mut out: Vec<(&'static str, Value)> = vec![
        ("name", name.into()),
        ("len", (bytes.len() as u64).into()),
        ("ver", version.into()),
        ("rb", manifest.rollback.into()),
        ("mem", manifest.memory.map_or(0, |memory| memory.backed).into()),
        ("frame", manifest.max_frame.into()),
        ("if", modules.join(" ").into()),
    ];
    if manifest.downgrade {
        out.push(("down", true.into()));
    }
    if image.is_native_only() {
        // the machine of a native section is at its eighth byte
        let machines = image.native_sections().filter_map(|(_, section)| section.get(8..11));
        out.push(("tgt", Value::Bytes(machines.flatten().copied().collect())));
    }
    Ok(out)
}

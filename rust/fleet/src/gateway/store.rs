// SPDX-License-Identifier: Apache-2.0
//! The state folder: a record for each device, downloads, and what devices recognise this gateway's uploads by.
//!
//! A record is on disk as a whole or not at all: it is written under another name, synchronised, and renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{flock, FlockOperation};
use sha2::{Digest, Sha256};

use super::record::Record;
use crate::failure::Failure;

/// Bytes of a client's claim to its uploads.
pub const CLAIM: usize = 16;

/// The state folder.
pub struct Store {
    root: PathBuf,
    /// Bytes by which devices recognise uploads of this gateway.
    pub claim: [u8; CLAIM],
    /// Held for as long as the gateway runs: another one refuses the folder.
    _lock: File,
}

const DEVICES: &str = "devices";
const ARTIFACTS: &str = "artifacts";

impl Store {
    /// Opens the folder, and makes it if there is none.
    ///
    /// # Errors
    /// The folder cannot be written to, or another gateway uses it.
    pub fn open(root: &Path) -> Result<Self, Failure> {
        let bad = |error: io::Error| Failure::in_file(root, format_args!("the state folder cannot be used: {error}"));
        for folder in [DEVICES, ARTIFACTS] {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(root.join(folder)).map_err(bad)?;
        }
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(root.join("lock")).map_err(bad)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Failure::in_file(root, "another gateway uses this state folder; stop it, or give another --state")
        })?;
        let claim = claim(root).map_err(bad)?;
        Ok(Self { root: root.into(), claim, _lock: lock })
    }

    /// Returns the folder of downloads.
    pub fn artifacts(&self) -> PathBuf {
        self.root.join(ARTIFACTS)
    }

    /// Returns the path of a record. Its name has nothing of what the configuration or a server wrote.
    fn path(&self, name: &str) -> PathBuf {
        let digits: String = Sha256::digest(name).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.root.join(DEVICES).join(digits + ".json")
    }

    /// Returns the record of a device, or an empty one if there is none or it is damaged.
    pub fn read(&self, name: &str) -> Record {
        let path = self.path(name);
        let empty = || Record { name: name.into(), action: None };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return empty(),
            Err(error) => {
                tracing::error!("{name}: {}: the record cannot be read: {error}", path.display());
                return empty();
            }
        };
        // a disk that changed its bytes: the server still has the action, and the device its images
        serde_json::from_slice(&bytes).ok().filter(|record: &Record| record.name == name).unwrap_or_else(|| {
            tracing::error!("{name}: {}: the record is damaged; what the server asks for begins anew", path.display());
            empty()
        })
    }

    /// Writes a record.
    ///
    /// # Errors
    /// The disk is full, for example.
    pub fn write(&self, record: &Record) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(record).map_err(io::Error::other)?;
        write(&self.path(&record.name), &text)
    }
}

/// Writes a file as a whole, for its owner only.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// Returns the claim of this folder, and draws one if there is none.
fn claim(root: &Path) -> io::Result<[u8; CLAIM]> {
    let path = root.join("claim");
    if let Some(kept) = fs::read(&path).ok().and_then(|bytes| bytes.try_into().ok()) {
        return Ok(kept);
    }
    let mut fresh = [0; CLAIM];
    fresh.copy_from_slice(&ed25519_compact::Seed::generate()[..CLAIM]);
    write(&path, &fresh)?;
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::gateway::record::Action;

    #[test]
    fn a_record_is_read_as_it_was_written_and_a_damaged_one_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let empty = Record { name: "../lamp".into(), action: None };
        assert_eq!(store.read("../lamp"), empty);
        let action = Action { id: "7".into(), parts: vec![], verdict: None };
        let record = Record { action: Some(action), ..empty.clone() };
        store.write(&record).unwrap();
        assert_eq!(store.read("../lamp"), record);
        assert_eq!(store.read("other").action, None);
        fs::write(store.path("../lamp"), "{").unwrap();
        assert_eq!(store.read("../lamp"), empty);
    }

    #[test]
    fn a_folder_has_one_gateway_and_keeps_its_claim() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let error = Store::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("another gateway uses this state folder"), "{error}");
        let claim = store.claim;
        drop(store);
        assert_eq!(Store::open(folder.path()).unwrap().claim, claim);
        // devices and downloads are for the owner only
        let mode = fs::metadata(folder.path().join(DEVICES)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Store::open(other.path()).unwrap().claim, claim);
    }
}

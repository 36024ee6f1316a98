// SPDX-License-Identifier: Apache-2.0
//! Artifacts of the server: each is downloaded once for all devices, goes on where it was, and is compared with its hash.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use reqwest::header::CONTENT_RANGE;
use reqwest::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::ddi::{self, Artifact, Controller, Trouble};

/// Longest artifact, in bytes.
const LENGTH_MAX: u64 = 16 << 20;
/// Bytes of artifacts that are kept. Those that nobody used for longest make room.
const CACHE_MAX: u64 = 256 << 20;

/// A hash of an artifact, in hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// SHA-256.
    Sha256(String),
    /// SHA-1, where the server has no other. The device compares the image's SHA-256 in any case.
    Sha1(String),
}

impl Hash {
    /// Returns the best hash that the server names.
    fn of(artifact: &Artifact) -> Option<Self> {
        let good = |text: &Option<String>, digits: usize| {
            let text = text.as_ref()?.to_ascii_lowercase();
            (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(text)
        };
        let hashes = &artifact.hashes;
        match &hashes.sha256 {
            Some(_) => good(&hashes.sha256, 64).map(Self::Sha256),
            None => good(&hashes.sha1, 40).map(Self::Sha1),
        }
    }

    fn is_of(&self, bytes: &[u8]) -> bool {
        let digits = |hash: &[u8]| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        match self {
            Self::Sha256(expected) => *expected == digits(&Sha256::digest(bytes)),
            Self::Sha1(expected) => *expected == digits(&Sha1::digest(bytes)),
        }
    }

    /// Returns a name for a file: digits only, never what the server wrote.
    pub fn name(&self) -> &str {
        match self {
            Self::Sha256(digits) | Self::Sha1(digits) => digits,
        }
    }
}

/// An artifact that can be downloaded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Source {
    /// Name of the file, for messages.
    pub file: String,
    /// Address of the file.
    pub href: String,
    /// Bytes.
    pub size: u64,
    /// Hash that the bytes are compared with.
    pub hash: Hash,
}

impl Source {
    /// Returns how to get an artifact.
    ///
    /// # Errors
    /// The server does not say where it is, does not name a hash, or it is too long.
    pub fn of(artifact: &Artifact) -> Result<Self, String> {
        let file = ddi::shown(&artifact.filename);
        let link = artifact.links.download.as_ref().or(artifact.links.download_http.as_ref());
        let href = link.ok_or_else(|| format!("{file}: the server names no address for this artifact"))?.href.clone();
        let hash = Hash::of(artifact)
            .ok_or_else(|| format!("{file}: the server names no SHA-256 or SHA-1 for this artifact"))?;
        if artifact.size > LENGTH_MAX {
            return Err(format!("{file}: it has {} bytes, at most {LENGTH_MAX} are taken", artifact.size));
        }
        Ok(Self { file, href, size: artifact.size, hash })
    }
}

/// The downloads of all devices.
pub struct Artifacts {
    folder: PathBuf,
    /// Held while an artifact is downloaded.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Artifacts {
    /// Keeps downloads in a folder that exists.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, turns: Mutex::default() }
    }

    /// Returns the bytes of an artifact. Downloads what is missing of it, and counts these bytes.
    ///
    /// # Errors
    /// The download broke off, which the next call goes on with, or the bytes are not those that the server announced.
    pub async fn get(&self, from: &Controller, source: &Source, count: impl Fn(u64)) -> Result<Vec<u8>, Trouble> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry(source.hash.name().into()).or_default().clone()
        };
        let _held = turn.lock().await;
        let path = self.folder.join(source.hash.name());
        if let Ok(bytes) = fs::read(&path) {
            if source.hash.is_of(&bytes) {
                touch(&path);
                return Ok(bytes);
            }
            let _ = fs::remove_file(&path);
        }
        let partial = path.with_extension("part");
        self.make_room(&partial);
        let resumed = fs::metadata(&partial).is_ok_and(|data| data.len() > 0);
        self.complete(from, source, &partial, count).await?;
        let bytes = fs::read(&partial).map_err(|error| disk(&partial, &error))?;
        if !source.hash.is_of(&bytes) {
            let _ = fs::remove_file(&partial);
            let words = format!("{}: the downloaded bytes have another hash than the server announced", source.file);
            if resumed {
                // a cut of power may have left other bytes than were written
                return Err(Trouble::Passing(format!("{words}; it is downloaded anew"), None));
            }
            return Err(Trouble::Lasting(words));
        }
        fs::rename(&partial, &path).map_err(|error| disk(&path, &error))?;
        self.make_room(&path);
        Ok(bytes)
    }

    /// Downloads what a file misses.
    async fn complete(
        &self,
        from: &Controller,
        source: &Source,
        partial: &Path,
        count: impl Fn(u64),
    ) -> Result<(), Trouble> {
        let mut have = fs::metadata(partial).map_or(0, |data| data.len());
        if have > source.size {
            let _ = fs::remove_file(partial);
            have = 0;
        }
        if have == source.size && have > 0 {
            return Ok(());
        }
        let mut response = from.artifact(&source.href, have).await?;
        if have > 0 && !goes_on(&response, have) {
            // the server does not know ranges, or has other bytes than before
            let _ = fs::remove_file(partial);
            have = 0;
            if response.status() != StatusCode::OK {
                response = from.artifact(&source.href, 0).await?;
            }
        }
        let mut file =
            fs::OpenOptions::new().create(true).append(true).open(partial).map_err(|error| disk(partial, &error))?;
        loop {
            let chunk = response.chunk().await.map_err(|error| {
                let words =
                    format!("{}: the download broke off after {have} bytes: {}", source.file, ddi::reason(&error));
                Trouble::Passing(words, None)
            })?;
            let Some(chunk) = chunk else { break };
            have += chunk.len() as u64;
            if have > source.size {
                let _ = fs::remove_file(partial);
                let words =
                    format!("{}: the server sends more than the {} bytes that it announced", source.file, source.size);
                return Err(Trouble::Lasting(words));
            }
            file.write_all(&chunk).map_err(|error| disk(partial, &error))?;
            count(chunk.len() as u64);
        }
        if have < source.size {
            let words = format!("{}: the server sent {have} of {} bytes", source.file, source.size);
            return Err(Trouble::Passing(words, None));
        }
        file.sync_all().map_err(|error| disk(partial, &error))
    }

    /// Deletes artifacts and parts of them that nobody used for longest, but not the newest one and those that are being
    /// downloaded.
    fn make_room(&self, newest: &Path) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let busy: Vec<String> = {
            let turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.iter().filter(|(_, turn)| Arc::strong_count(turn) > 1).map(|(name, _)| name.clone()).collect()
        };
        let is_busy = |path: &Path| path.file_stem().is_some_and(|stem| busy.iter().any(|name| **name == *stem));
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .flatten()
            .filter(|entry| is_ours(&entry.file_name().to_string_lossy()))
            .filter(|entry| entry.path() != newest && !is_busy(&entry.path()))
            .filter_map(|entry| {
                let data = entry.metadata().ok()?;
                Some((data.modified().ok()?, data.len(), entry.path()))
            })
            .collect();
        files.sort();
        let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in files {
            if total <= CACHE_MAX {
                break;
            }
            let _ = fs::remove_file(path);
            total -= length;
        }
    }
}

/// Returns whether a file has the name of an artifact, or of a part of one. Somebody may keep other files in the state
/// folder.
fn is_ours(name: &str) -> bool {
    let name = name.strip_suffix(".part").unwrap_or(name);
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns whether an answer has the bytes from an offset on.
fn goes_on(response: &Response, from: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    response.status() == StatusCode::PARTIAL_CONTENT && range.starts_with(&format!("bytes {from}-"))
}

/// Marks an artifact as used.
fn touch(path: &Path) {
    let file = fs::OpenOptions::new().append(true).open(path);
    if let Err(error) = file.and_then(|file| file.set_modified(SystemTime::now())) {
        tracing::warn!("{}: the time of its last use is not kept: {error}", path.display());
    }
}

fn disk(path: &Path, error: &io::Error) -> Trouble {
    Trouble::Passing(format!("{}: cannot be used: {error}", path.display()), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_artifacts_make_room_and_files_of_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::new(folder.path().into());
        // three of these are more than what is kept, and take no room on the disk
        let put = |name: &str, age: u64| {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            file.set_len(CACHE_MAX / 2).unwrap();
            file.set_modified(SystemTime::now() - std::time::Duration::from_secs(age)).unwrap();
            folder.path().join(name)
        };
        let [oldest, middle, young, newest] =
            [("a", 400), ("b", 300), ("c", 200), ("d", 100)].map(|(digit, age)| put(&digit.repeat(64), age));
        let others =
            [put("photographs", 900), put(&"z".repeat(64), 900), put(&format!("{}.part", "e".repeat(64)), 900)];
        let abandoned = put(&format!("{}.part", "f".repeat(64)), 900);
        let turn = Arc::default();
        artifacts.turns.lock().unwrap().insert("e".repeat(64), Arc::clone(&turn));
        artifacts.make_room(&newest);
        assert!(!oldest.exists() && middle.exists() && young.exists() && newest.exists());
        assert!(!abandoned.exists());
        assert!(others.iter().all(|path| path.exists()));
    }
}

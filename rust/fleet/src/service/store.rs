// SPDX-License-Identifier: Apache-2.0
//! The state folder: records of jobs, modules that wait, results.
//!
//! A file appears under its name when it is complete and on disk: it is written under another name, synchronised,
//! and renamed. Names are made of hashes and numbers only, never of what a client wrote.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{flock, FlockOperation};

use super::order;
use super::record::{Record, State};
use crate::failure::Failure;

/// The state folder.
pub struct Store {
    root: PathBuf,
    /// Held for as long as the server runs: another server refuses the folder.
    _lock: File,
}

const JOBS: &str = "jobs";
const MODULES: &str = "modules";
const CACHE: &str = "cache";
const INCOMING: &str = "incoming";
const SCRATCH: &str = "scratch";

impl Store {
    /// Opens the folder, makes it if there is none, and deletes what an earlier server left half done.
    pub fn open(root: &Path) -> Result<Self, Failure> {
        let bad = |error: io::Error| Failure::in_file(root, format_args!("the state folder cannot be used: {error}"));
        for folder in [JOBS, MODULES, CACHE] {
            fs::create_dir_all(root.join(folder)).map_err(bad)?;
        }
        // the processes of a job have another folder as their own
        let root = root.canonicalize().map_err(bad)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(root.join("lock")).map_err(bad)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Failure::in_file(&root, "another server uses this state folder; stop it, or give another --state")
        })?;
        for folder in [INCOMING, SCRATCH] {
            let path = root.join(folder);
            if path.exists() {
                fs::remove_dir_all(&path).map_err(bad)?;
            }
            fs::create_dir_all(&path).map_err(bad)?;
        }
        Ok(Self { root, _lock: lock })
    }

    /// Returns the path of an upload that is not complete.
    pub fn incoming(&self, number: u64) -> PathBuf {
        self.root.join(INCOMING).join(number.to_string())
    }

    /// Returns the path of the folder that a job may write to.
    pub fn scratch(&self, sequence: u64) -> PathBuf {
        self.root.join(SCRATCH).join(sequence.to_string())
    }

    /// Returns the path of a module.
    pub fn module(&self, wasm_sha256: &str) -> PathBuf {
        self.root.join(MODULES).join(wasm_sha256)
    }

    fn record(&self, id: &str) -> PathBuf {
        self.root.join(JOBS).join(format!("{id}.json"))
    }

    fn result(&self, id: &str) -> PathBuf {
        self.root.join(CACHE).join(id)
    }

    /// Makes the names in a folder durable.
    fn settle(&self, folder: &str) -> io::Result<()> {
        File::open(self.root.join(folder))?.sync_all()
    }

    /// Writes a file of a folder as a whole.
    fn write(&self, folder: &str, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let temporary = path.with_extension("new");
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        self.settle(folder)
    }

    /// Keeps an upload, which is on disk already, as the module with this hash.
    pub fn keep_module(&self, upload: &Path, wasm_sha256: &str) -> io::Result<()> {
        fs::rename(upload, self.module(wasm_sha256))?;
        self.settle(MODULES)
    }

    /// Deletes a module. One that is not there is no error.
    pub fn drop_module(&self, wasm_sha256: &str) {
        let _ = fs::remove_file(self.module(wasm_sha256));
    }

    /// Writes a record.
    pub fn write_record(&self, record: &Record) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(record).map_err(io::Error::other)?;
        self.write(JOBS, &self.record(&record.id), &text)
    }

    /// Deletes record and result of a job.
    pub fn drop_record(&self, id: &str) -> io::Result<()> {
        let _ = fs::remove_file(self.result(id));
        match fs::remove_file(self.record(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => self.settle(JOBS),
        }
    }

    /// Writes a result.
    pub fn write_result(&self, id: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(CACHE, &self.result(id), bytes)
    }

    /// Returns a result and marks it as used, or `None` if its bytes are not those that were written.
    pub fn read_result(&self, id: &str, sha256: &str) -> Option<Vec<u8>> {
        let path = self.result(id);
        let bytes = fs::read(&path).ok()?;
        if order::sha256(&bytes) != sha256 {
            return None;
        }
        let touched = OpenOptions::new().write(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        if let Err(error) = touched {
            tracing::warn!("{}: the time of its last use is not kept: {error}", path.display());
        }
        Some(bytes)
    }

    /// Returns all records, those that were used last at the end, and deletes files that no record needs.
    pub fn records(&self) -> io::Result<Vec<Record>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.root.join(JOBS))? {
            let path = entry?.path();
            if path.extension().is_none_or(|ending| ending != "json") {
                let _ = fs::remove_file(&path);
                continue;
            }
            let text = fs::read(&path)?;
            match serde_json::from_slice::<Record>(&text).ok().filter(|record| self.record(&record.id) == path) {
                Some(record) if self.is_whole(&record) => found.push((self.last_use(&record, &path), record)),
                // a disk that changed its bytes: the client posts the job again
                _ => {
                    tracing::error!("{}: the record or its files are damaged; it is deleted", path.display());
                    let _ = fs::remove_file(&path);
                }
            }
        }
        found.sort_by_key(|(time, record)| (*time, record.sequence));
        let records: Vec<Record> = found.into_iter().map(|(_, record)| record).collect();
        self.sweep(MODULES, |name| {
            records.iter().any(|record| record.state == State::Queued && record.wasm_sha256 == name)
        })?;
        self.sweep(CACHE, |name| {
            records.iter().any(|record| matches!(record.state, State::Done { .. }) && record.id == name)
        })?;
        Ok(records)
    }

    /// Returns whether the files are there that a record needs.
    fn is_whole(&self, record: &Record) -> bool {
        match &record.state {
            State::Queued => self.module(&record.wasm_sha256).is_file(),
            State::Done { bytes, .. } => fs::metadata(self.result(&record.id)).is_ok_and(|data| data.len() == *bytes),
            State::Failed { .. } => true,
        }
    }

    fn last_use(&self, record: &Record, path: &Path) -> Option<SystemTime> {
        let file = if matches!(record.state, State::Done { .. }) { self.result(&record.id) } else { path.into() };
        fs::metadata(file).and_then(|data| data.modified()).ok()
    }

    /// Deletes the files of a folder that are not needed.
    fn sweep(&self, folder: &str, needed: impl Fn(&str) -> bool) -> io::Result<()> {
        for entry in fs::read_dir(self.root.join(folder))? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(&needed) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }
}

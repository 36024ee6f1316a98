// SPDX-License-Identifier: Apache-2.0
//! Runs the command in a folder of its own.
#![allow(dead_code)]

pub mod attaching;
pub mod composing;
pub mod cores;
pub mod functions;
pub mod memory;
pub mod mistakes;
pub mod page;
pub mod panel;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Arguments of the command, its message, and what writes the files that it needs.
pub type Case = (&'static str, &'static str, fn(&Folder));

/// A folder that is gone after the test.
pub struct Folder(PathBuf);

/// The outcome of a run of the command.
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("wisp-cli-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Writes a wasm module from its text.
    pub fn module(&self, name: &str, text: &str) {
        self.write(name, wat::parse_str(text).unwrap());
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Runs `wisp` in the folder. Arguments are separated by spaces.
    pub fn wisp(&self, arguments: &str) -> Run {
        self.wisp_from(arguments, Stdio::null())
    }

    /// Runs `wisp` like [`Folder::wisp`], with this standard input.
    pub fn wisp_from(&self, arguments: &str, input: Stdio) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wisp"));
        command.args(arguments.split_whitespace()).current_dir(&self.0).stdin(input);
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// Runs the command like [`Folder::wisp`] and fails the test if the command fails.
    pub fn succeeds(&self, arguments: &str) -> String {
        let run = self.wisp(arguments);
        assert_eq!(run.code, Some(0), "wisp {arguments}\n{}{}", run.out, run.err);
        run.out
    }

    /// Runs the command like [`Folder::wisp`], which must fail with a message that contains all of these.
    pub fn fails(&self, arguments: &str, saying: &[&str]) {
        let run = self.wisp(arguments);
        assert_eq!(run.code, Some(1), "wisp {arguments}\n{}{}", run.out, run.err);
        for part in saying {
            assert!(run.err.contains(part), "`{part}` is not in: {}", run.err);
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(Path::new(&self.0));
    }
}

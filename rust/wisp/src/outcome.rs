// SPDX-License-Identifier: Apache-2.0
//! The state of an app and the outcome of its last run.

use crate::{Error, TrapCode};
use core::fmt;

/// State of an app.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum State {
    /// No image was loaded.
    Empty,
    /// An image was loaded, and the app was not started since.
    Loaded,
    /// The app computes, or waits in a host function.
    Running,
    /// The guest returned (status 0), or called `proc_exit` with this status.
    Exited(i32),
    /// The guest trapped. [`TrapCode::Interrupted`] means that it missed its heartbeat.
    Trapped(TrapSite),
    /// The app ended because of [`App::stop`](crate::App::stop).
    Stopped,
    /// The image could not be started, for this reason. The log has the details.
    Failed(Error),
}

/// A trap and the code in which it occurred, as `wisp symbolize` wants them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrapSite {
    /// Reason of the trap.
    pub code: TrapCode,
    /// Index of the function among those that the image defines, or `None` outside of the image's code.
    pub function: Option<u32>,
    /// Byte offset in the image's code section.
    pub offset: u32,
    /// First four bytes of the SHA-256 of the module that the image was made of.
    pub image_wasm: u32,
    /// Length of the image's code section in bytes.
    pub image_code: u32,
}

/// State of an app, and figures of its last run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Status {
    /// Present state, with the outcome of the last run.
    pub state: State,
    /// Fuel that the last run used, or 0 if it had no limit.
    pub fuel_used: u64,
    /// Bytes of the arena that the last run used.
    pub arena_used: u32,
    /// Bytes of linear memory in `arena_used`.
    pub memory_used: u32,
    /// True if the last run executed native code, false if it executed IR.
    pub native: bool,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Empty => f.write_str("no image"),
            State::Loaded => f.write_str("loaded"),
            State::Running => f.write_str("running"),
            State::Exited(status) => write!(f, "exited with status {status}"),
            State::Trapped(site) => write!(f, "trapped: {site}"),
            State::Stopped => f.write_str("stopped"),
            State::Failed(error) => write!(f, "not started: {error}"),
        }
    }
}

impl fmt::Display for TrapSite {
    /// Writes the trap as the log of the runtime does, in the form that `wisp symbolize` reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, text) = (self.code as u32, self.code.text());
        write!(f, "trap {number} ({text}), image {:08x}:{:x}", self.image_wasm, self.image_code)?;
        match self.function {
            Some(function) => write!(f, ", at {function}@0x{:x}", self.offset),
            None => Ok(()),
        }
    }
}

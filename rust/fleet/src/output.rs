// SPDX-License-Identifier: Apache-2.0
//! What a command reports: sentences for people, or with `--json` one JSON object. `doc/fleet.md` has the fields.

use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::failure::Failure;

/// The form of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Sentences.
    Text,
    /// One JSON object.
    Json,
}

/// Why something that was said did not get to standard output: the first such error.
static UNSAID: Mutex<Option<io::Error>> = Mutex::new(None);

/// Notes a failure to write. A reader that has gone away, as `head` does, is none.
pub fn keep(written: io::Result<()>) {
    let Err(error) = written else { return };
    if error.kind() != ErrorKind::BrokenPipe {
        UNSAID.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Returns why a part of what was said is not on standard output, at the end of the command.
pub fn unsaid() -> Option<io::Error> {
    keep(io::stdout().flush());
    UNSAID.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Writes a line to standard output. [`unsaid`] tells whether it got there.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    keep(out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")));
}

impl Form {
    /// Writes a report to standard output.
    pub fn report<T: Serialize>(self, report: &T, text: impl FnOnce(&T) -> String) {
        match self {
            // numbers, texts, lists and maps with texts as keys: nothing that JSON has no form for
            Self::Json => say(&serde_json::to_string(report).unwrap_or_default()),
            Self::Text => say(text(report).trim_end_matches('\n')),
        }
    }

    /// Writes an error as JSON, if that is the form.
    pub fn error(self, text: &str) {
        if self == Self::Json {
            say(&serde_json::json!({ "error": text }).to_string());
        }
    }

    /// Reports why a command failed: in a sentence on standard error, and as JSON in an object of its own as well.
    pub fn failure(self, failure: &Failure) {
        self.error(&failure.to_string());
        let _ = std::io::stderr().write_fmt(format_args!("wisp: {failure}\n"));
    }
}

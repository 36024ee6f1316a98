// SPDX-License-Identifier: Apache-2.0
//! What a command reports: sentences for people, or with `--json` one JSON object. `doc/fleet.md` has the fields.

use std::io::Write;

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

/// Writes a line to standard output. A reader that has gone away, as `head` does, is no failure.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n"));
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

    /// Tells why a command failed: in a sentence on standard error, and as JSON in an object of its own as well.
    pub fn failure(self, failure: &Failure) {
        if self == Self::Json {
            say(&serde_json::json!({ "error": failure.to_string() }).to_string());
        }
        let _ = std::io::stderr().write_fmt(format_args!("wisp: {failure}\n"));
    }
}

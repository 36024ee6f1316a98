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

/// Returns text without what could command a terminal: registries and services have written parts of it.
fn harmless(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n', " ")
}

/// Returns text of a registry or service for a message: without what could command a terminal, and not too much of it.
pub fn shown(text: &str) -> String {
    text.trim().chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Form {
    /// Writes a report to standard output.
    pub fn report<T: Serialize>(self, report: &T, text: impl FnOnce(&T) -> String) {
        match self {
            // numbers, texts, lists and maps with texts as keys: nothing that JSON has no form for
            Self::Json => say(&serde_json::to_string(report).unwrap_or_default()),
            Self::Text => say(harmless(&text(report)).trim_end_matches('\n')),
        }
    }

    /// Tells why a command failed: in a sentence on standard error, and as JSON in an object of its own as well.
    pub fn failure(self, failure: &Failure) {
        if self == Self::Json {
            say(&serde_json::json!({ "error": failure.to_string() }).to_string());
        }
        let _ = std::io::stderr().write_fmt(format_args!("wisp: {}\n", harmless(&failure.to_string())));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_of_others_does_not_command_the_terminal() {
        let text = "the registry has the tags \x1b]0;title\x07, \u{9b}2J\r, ä\nand more";
        assert_eq!(super::harmless(text), "the registry has the tags  ]0;title ,  2J , ä\nand more");
    }
}

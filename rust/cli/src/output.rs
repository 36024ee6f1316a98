// SPDX-License-Identifier: Apache-2.0
//! What a verb reports: sentences for people, or with `--json` one JSON object. `doc/cli.md` has the fields.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;

/// Chosen once, before the verb runs.
static JSON: AtomicBool = AtomicBool::new(false);

/// Why something that was said did not get to standard output: the first such error.
static UNSAID: Mutex<Option<io::Error>> = Mutex::new(None);

/// Chooses JSON for all reports.
pub fn set_json(json: bool) {
    JSON.store(json, Ordering::Relaxed);
}

/// Returns true if reports are JSON.
pub fn is_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// Returns a report as one line of JSON.
pub fn line(report: &impl Serialize) -> String {
    // numbers, texts, lists and maps with texts as keys: nothing that JSON has no form for
    serde_json::to_string(report).unwrap_or_default()
}

/// Writes a line to standard output. [`unsaid`] tells whether it got there.
pub fn say(text: &str) {
    let mut out = io::stdout().lock();
    keep(out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")));
}

/// Writes bytes to standard output as they are. Returns false if nobody gets them.
pub fn pass(bytes: &[u8]) -> bool {
    let written = io::stdout().lock().write_all(bytes);
    let passed = written.is_ok();
    keep(written);
    passed
}

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

/// Writes to standard error. There is nowhere to report a failure of that.
pub fn complain(text: std::fmt::Arguments<'_>) {
    let _ = io::stderr().write_fmt(text);
}

/// Writes a report to standard output in the chosen form.
pub fn report<T: Serialize>(report: &T, text: impl FnOnce(&T) -> String) {
    if is_json() {
        say(&line(report));
    } else {
        say(text(report).trim_end_matches('\n'));
    }
}

/// Writes a sentence to standard error that concerns a result which stands all the same.
pub fn note(text: impl std::fmt::Display) {
    complain(format_args!("wisp: note: {text}\n"));
}

/// Reports why a verb failed: in a sentence, and with `--json` in an object of its own as well.
pub fn failure(failure: &impl std::fmt::Display) {
    if is_json() {
        say(&line(&serde_json::json!({ "error": failure.to_string() })));
    }
    complain(format_args!("wisp: {failure}\n"));
}

/// Steps of something that takes long, on standard error if that is a terminal.
pub struct Progress {
    began: Instant,
    shown: bool,
    /// The step that is shown.
    current: String,
}

impl Progress {
    /// Begins.
    pub fn new() -> Self {
        Self { began: Instant::now(), shown: std::io::stderr().is_terminal() && !is_json(), current: String::new() }
    }

    /// Shows the step that begins now in place of the one before.
    pub fn step(&mut self, what: &str) {
        if self.shown {
            let mut line = String::new();
            let _ = write!(line, "\r\x1b[K{what}");
            complain(format_args!("{line}"));
            self.current = what.into();
        }
    }

    /// Writes a sentence on the step that is under way to standard error, and shows the step again below it.
    pub fn note(&mut self, text: impl std::fmt::Display) {
        if self.shown {
            complain(format_args!("\r\x1b[K"));
        }
        note(text);
        let current = std::mem::take(&mut self.current);
        self.step(&current);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            complain(format_args!("\r\x1b[K"));
            if self.began.elapsed().as_secs() >= 5 {
                complain(format_args!("wisp: done in {} s\n", self.began.elapsed().as_secs()));
            }
        }
    }
}

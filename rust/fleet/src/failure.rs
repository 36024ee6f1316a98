// SPDX-License-Identifier: Apache-2.0
//! Why a command did not do what it was asked for.

use std::fmt;
use std::path::Path;

/// A text for the user: what, where, what was expected, what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// Returns a failure.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// Returns a failure that concerns a file.
    pub fn in_file(path: &Path, message: impl fmt::Display) -> Self {
        Self(format!("{}: {message}", path.display()))
    }
}

/// Returns the innermost reason of an error.
pub fn reason(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

// SPDX-License-Identifier: Apache-2.0
//! Why a command did not do what it was asked for.

use std::fmt;
use std::path::Path;

use wisp_aotc::AotError;
use wisp_compiler::{CompileError, ErrorKind};

use crate::exit;

/// A text for the user: what, where, what was expected, what to do.
#[derive(Debug)]
pub struct Failure {
    text: String,
    internal: bool,
}

impl Failure {
    /// Returns a failure.
    pub fn new(message: impl Into<String>) -> Self {
        Self { text: message.into(), internal: false }
    }

    /// Returns a failure that concerns a file.
    pub fn in_file(path: &Path, message: impl fmt::Display) -> Self {
        Self::new(format!("{}: {message}", path.display()))
    }

    /// Returns a module that the compiler does not take.
    pub fn compiling(path: &Path, error: CompileError) -> Self {
        Self { internal: matches!(error.kind, ErrorKind::Internal(_)), ..Self::in_file(path, error) }
    }

    /// Returns a module that there is no native code for.
    pub fn native(path: &Path, error: AotError) -> Self {
        Self { internal: error.is_internal(), ..Self::in_file(path, error) }
    }

    /// Returns a fault of this program, met while it worked on a file.
    pub fn internal(path: &Path, message: impl fmt::Display) -> Self {
        let text = format_args!("internal error: {message}; please report this module").to_string();
        Self { internal: true, ..Self::in_file(path, text) }
    }

    /// Returns the exit code of a command that ends with it.
    pub fn exit_code(&self) -> u8 {
        if self.internal {
            exit::INTERNAL
        } else {
            exit::FAILURE
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Tells why a component cannot be lowered.

use std::fmt;

use wisp_compiler::printable;

/// The reason why there is no core module for a component.
#[derive(Debug)]
pub enum Error {
    /// The bytes are no valid component.
    Invalid(String),
    /// The component is valid and has something that Wisp does not support.
    Unsupported(String),
    /// The component imports functions that nobody provides: one line for each interface.
    Imports(Vec<String>),
}

impl Error {
    /// Makes the error for something that is not supported.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }

    /// Makes the error for an index that leads nowhere, which the validator should have found.
    pub fn dangling(what: &str) -> Self {
        Self::Invalid(format!("it refers to a {what} that does not exist"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(what) => write!(f, "not a valid component: {what}; build or copy it again"),
            Self::Unsupported(what) => write!(f, "the component is not supported: {what}"),
            Self::Imports(lines) => {
                f.write_str("the component cannot be linked:")?;
                lines.iter().try_for_each(|line| write!(f, "\n  {line}"))
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<wasmparser::Error> for Error {
    fn from(error: wasmparser::Error) -> Self {
        // the text may contain names of the component
        Self::Invalid(printable(&error.to_string()))
    }
}

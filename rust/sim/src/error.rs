// SPDX-License-Identifier: Apache-2.0
//! What is wrong with a board file, and where.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A board file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file, if it came from one.
    pub file: Option<PathBuf>,
    /// Line, from 1; 0 if the error is not in the text.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The text of that line.
    pub source_line: String,
    /// The fault, and the value that was expected.
    pub message: String,
}

impl Error {
    /// Returns an error at a byte range of `text`.
    pub(crate) fn at(text: &str, span: Option<Range<usize>>, message: impl Into<String>) -> Self {
        let mut error = Error { file: None, line: 0, column: 0, source_line: String::new(), message: message.into() };
        if let Some(before) = span.and_then(|span| text.get(..span.start)) {
            let start = before.rfind('\n').map_or(0, |end| end + 1);
            error.line = before.matches('\n').count() + 1;
            error.column = before[start..].chars().count() + 1;
            error.source_line = text[start..].lines().next().unwrap_or("").trim().to_string();
        }
        error
    }

    pub(crate) fn in_file(mut self, file: &Path) -> Self {
        self.file = Some(file.to_path_buf());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}", file.display())?,
            None => write!(f, "board")?,
        }
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.source_line.is_empty() {
            write!(f, "\n    {}", self.source_line)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

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
    /// Line, from 1, or 0 if the error is not in the text.
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

    /// Returns an error of the parser. Types are in words of a board file, not of Rust.
    pub(crate) fn of_toml(text: &str, error: &toml::de::Error) -> Self {
        let mut message = error.message().replace(" as i128", "").replace(" as u128", "");
        if let Some((before, expected)) = message.rsplit_once(", expected ") {
            let words = match expected {
                "u8" => "a whole number from 0 to 255",
                "u16" => "a whole number from 0 to 65535",
                "u32" => "a whole number from 0 to 4294967295",
                "u64" | "usize" => "a whole number of 0 or more",
                "i32" | "i64" => "a whole number",
                "f32" | "f64" => "a number",
                "a boolean" => "true or false",
                "a sequence" => "a list in [ ]",
                "a map" => "keys in { }, or a [table] of its own",
                _ if expected.starts_with("struct ") => "keys in { }, or a [table] of its own",
                other => other,
            };
            message = format!("{before}, expected {words}");
        }
        Error::at(text, error.span(), message)
    }

    /// Adds the line of a key to an error that has none. `key` is its path from the top of `text`, with dots.
    pub(crate) fn under(self, text: &str, key: &str) -> Self {
        match (self.line, place(text, key)) {
            (0, Some(span)) => Error::at(text, Some(span), self.message),
            _ => self,
        }
    }

    pub(crate) fn in_file(mut self, file: &Path) -> Self {
        self.file = Some(file.to_path_buf());
        self
    }
}

/// Returns where the last part of a path of keys is written.
fn place(text: &str, key: &str) -> Option<Range<usize>> {
    let mut table = toml::de::DeTable::parse(text).ok()?.into_inner();
    let mut found = None;
    for part in key.split('.') {
        let (name, value) = table.into_iter().find(|(name, _)| name.get_ref() == part)?;
        found = Some(name.span());
        table = match value.into_inner() {
            toml::de::DeValue::Table(inner) => inner,
            _ => Default::default(),
        };
    }
    found
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

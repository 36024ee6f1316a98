// SPDX-License-Identifier: Apache-2.0
//! Why a module was not compiled.

use alloc::string::String;
use core::fmt;

use crate::names::printable;

/// A rejected module: what, where, and which rule or limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompileError {
    /// Offset in the wasm module, in bytes.
    pub offset: u32,
    /// Index of the function in which it was found, imports included.
    pub function: Option<u32>,
    /// Its name, if the module has a name section.
    pub name: Option<String>,
    /// The fault itself.
    pub kind: ErrorKind,
}

/// The kinds of rejection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// The module breaks a rule of the specification or uses a proposal that is not enabled.
    Invalid(String),
    /// A frame of this many slots. 16,383 is the limit.
    FrameTooLarge(u32),
    /// There are more of something than the image can hold.
    TooMany {
        /// Of what.
        what: &'static str,
        /// Number that the module has.
        count: u64,
        /// Largest number that is allowed.
        limit: u64,
        /// Advice: a change of the module that helps.
        remedy: &'static str,
    },
    /// The app cannot have this name: why.
    Name(String, &'static str),
    /// The memory is larger than the limit the caller gave: (needs, limit) in bytes, and why it needs that.
    Memory(u64, u64, MemoryNeed),
    /// An invariant of the compiler does not hold: this is an error of the compiler itself.
    Internal(&'static str),
}

/// The reason for which a module needs as much of its memory as it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryNeed {
    /// Its stack and its static data, as far as the linker states them, or pages of a size of its own.
    Static,
    /// All pages: the linker does not state where the static data ends.
    NoHeapBase,
    /// All pages: its allocator adds pages behind them.
    Grows,
    /// All pages: the code asks for their number, and may compute an address from it.
    Counts,
    /// All pages: the memory is imported, or trimming is off.
    NotTrimmed,
}

impl MemoryNeed {
    /// Returns advice: a change of the module that helps.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Static => "link it with a smaller stack (`-z stack-size=2048`) or with fewer static data",
            Self::NoHeapBase => {
                "export `__heap_base`, so that its memory can be trimmed, and link it with a small stack below the data \
                 (`-z stack-size=2048`, `--stack-first`)"
            }
            Self::Grows => {
                "its allocator takes whole pages with memory.grow, whatever its stack: give it an allocator with a heap \
                 of fixed size (doc/wasi.md)"
            }
            Self::Counts => {
                "its code asks for memory.size in pages, so that all of them must exist, whatever its stack: give it an \
                 allocator with a heap of fixed size (doc/wasi.md)"
            }
            Self::NotTrimmed => "its memory is not trimmed: define it in the module, and build without --no-trim",
        }
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::Invalid(message) => f.write_str(message)?,
            ErrorKind::FrameTooLarge(slots) => {
                write!(
                    f,
                    "the function needs a frame of {slots} slots of four bytes, the limit is 16383; split it up, or \
                     compile it with optimisation, which keeps fewer values at once"
                )?;
            }
            ErrorKind::TooMany { what, count, limit, remedy } => {
                write!(f, "the module has {count} {what}, the limit is {limit}; {remedy}")?;
            }
            ErrorKind::Name(name, problem) => {
                write!(f, "the app cannot be named {name:?}: {problem}; give another name of 1 to 31 bytes")?;
            }
            ErrorKind::Memory(needs, limit, why) => {
                write!(f, "the module asks for {needs} bytes of linear memory, {limit} are allowed; {}", why.remedy())?
            }
            ErrorKind::Internal(what) => {
                write!(f, "internal error of the compiler: {what}; please report this module")?;
            }
        }
        if self.offset == 0 {
            // it concerns the module as a whole
            return Ok(());
        }
        write!(f, " (at offset {:#x}", self.offset)?;
        if let Some(function) = self.function {
            write!(f, ", in function {function}")?;
            if let Some(name) = &self.name {
                write!(f, " `{}`", printable(name))?;
            }
        }
        f.write_str(")")
    }
}

impl core::error::Error for CompileError {}

impl CompileError {
    /// Returns the error for an invariant of the compiler that does not hold at this offset of the module.
    pub(crate) fn internal(what: &'static str, offset: u32) -> Self {
        Self { offset, function: None, name: None, kind: ErrorKind::Internal(what) }
    }
}

impl From<wasmparser::BinaryReaderError> for CompileError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self {
            offset: error.offset() as u32,
            function: None,
            name: None,
            // it may quote the module
            kind: ErrorKind::Invalid(printable(error.message())),
        }
    }
}

impl From<ErrorKind> for CompileError {
    fn from(kind: ErrorKind) -> Self {
        Self { offset: 0, function: None, name: None, kind }
    }
}

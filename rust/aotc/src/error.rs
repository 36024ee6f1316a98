// SPDX-License-Identifier: Apache-2.0
//! Why there is no native code.

use std::fmt;
use std::path::PathBuf;

/// An error on the way to a native section.
#[derive(Debug)]
pub enum AotError {
    /// The module does not pass the compiler.
    Compile(wisp_compiler::CompileError),
    /// The image cannot be read.
    Image(wisp_image::ImageError),
    /// The image was made from another module.
    OtherModule,
    /// The module cannot be read again. It passed validation, so this is a fault of Wisp itself.
    Wasm(String),
    /// No such target.
    UnknownTarget(String),
    /// The compiler, or these flags, make code for a machine that cannot be a target: which.
    UnknownMachine(String),
    /// The compiler could not be started: its name, why.
    CompilerMissing(String, std::io::Error),
    /// The compiler is older than this code needs: what it says it is, the least version.
    CompilerTooOld(String, u32),
    /// The compiler failed: command, what it said.
    CompilerFailed(String, String),
    /// A file could not be read or written.
    File(PathBuf, std::io::Error),
    /// The linked file is not what was asked for: what is wrong.
    Linked(&'static str),
    /// The code depends on its address: offset of the first byte that differs, what lies there.
    Position(u32, String),
    /// The code needs something of the C library that is not in it.
    Undefined(String),
    /// A function is too large: index, number of what, the limit.
    FunctionTooLarge(u32, &'static str, usize, usize),
    /// The functions before this one have this many bytes of trap sites, which is more than a section can hold.
    TrapSites(u32, usize),
    /// An invariant of the translation does not hold. This is a fault of Wisp itself.
    Internal {
        /// The invariant that does not hold.
        what: &'static str,
        /// Index of the function that was translated, imports included, or `None` if it concerns the module.
        function: Option<u32>,
        /// Its name, if the module has a name section.
        name: Option<String>,
        /// Offset of the operator in the wasm module, or 0 for none.
        offset: u32,
    },
}

impl AotError {
    /// Returns an invariant that does not hold of the module as a whole.
    pub(crate) fn internal(what: &'static str) -> Self {
        Self::Internal { what, function: None, name: None, offset: 0 }
    }

    /// Returns an invariant that does not hold in a function.
    pub(crate) fn internal_in(function: u32, offset: u32, what: &'static str) -> Self {
        Self::Internal { what, function: Some(function), name: None, offset }
    }

    /// Returns true for a fault of Wisp itself, not of the module or of its user.
    pub fn is_internal(&self) -> bool {
        let compile = |error: &wisp_compiler::CompileError| matches!(error.kind, wisp_compiler::ErrorKind::Internal(_));
        matches!(self, Self::Internal { .. } | Self::Position(..)) || matches!(self, Self::Compile(e) if compile(e))
    }

    /// Returns the error with the name of the function that it concerns.
    pub(crate) fn named(self, wasm: &[u8]) -> Self {
        match self {
            Self::Internal { what, function: Some(function), offset, .. } => {
                let names = wisp_compiler::function_names(wasm);
                let name = names.into_iter().find(|(index, _)| *index == function).map(|(_, name)| name.to_string());
                Self::Internal { what, function: Some(function), name, offset }
            }
            other => other,
        }
    }
}

impl fmt::Display for AotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compile(error) => error.fmt(f),
            Self::Image(error) => error.fmt(f),
            Self::OtherModule => f.write_str("the image was made from another wasm module; build both together"),
            Self::Wasm(error) => write!(f, "the module cannot be read: {error}"),
            Self::UnknownTarget(name) => {
                write!(f, "there is no target `{name}`; known are")?;
                crate::target::NAMES.iter().try_for_each(|name| write!(f, " {name}"))
            }
            Self::UnknownMachine(what) => write!(f, "native code is not supported for {what}"),
            Self::CompilerMissing(name, error) => write!(
                f,
                "the C compiler `{name}` cannot be started ({error}); install it, set ZEPHYR_SDK_INSTALL_DIR, or name one \
                 with --cc"
            ),
            Self::CompilerTooOld(found, least) => {
                write!(f, "the C compiler is too old: {found}; version {least} or later is needed")
            }
            Self::CompilerFailed(command, message) => write!(f, "the C compiler failed: {command}\n{message}"),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Linked(what) => write!(f, "the linked code cannot be used: {what}"),
            Self::Position(offset, place) => write!(
                f,
                "the code depends on the address it is linked to (offset {offset:#x}, {place}): a part of the compiler's \
                 library with absolute addresses got in; please report the module"
            ),
            Self::Undefined(name) => write!(f, "the code needs `{name}`, which the runtime does not have"),
            Self::FunctionTooLarge(function, what, count, limit) => {
                write!(f, "function {function} has {count} {what}, the limit is {limit}; split it up")
            }
            Self::TrapSites(function, bytes) => write!(
                f,
                "the functions before function {function} have {bytes} bytes of places that may trap, the limit is 65535; \
                 split the program into several apps"
            ),
            Self::Internal { what, function, name, offset } => {
                write!(f, "internal error of the native compiler: {what}; please report this module")?;
                let Some(function) = function else { return Ok(()) };
                write!(f, " (at offset {offset:#x}, in function {function}")?;
                if let Some(name) = name {
                    write!(f, " `{}`", wisp_compiler::printable(name))?;
                }
                f.write_str(")")
            }
        }
    }
}

impl std::error::Error for AotError {}

impl From<wisp_image::ImageError> for AotError {
    fn from(error: wisp_image::ImageError) -> Self {
        Self::Image(error)
    }
}

impl From<wasmparser::BinaryReaderError> for AotError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Wasm(error.to_string())
    }
}

impl From<wisp_compiler::CompileError> for AotError {
    fn from(error: wisp_compiler::CompileError) -> Self {
        Self::Compile(error)
    }
}

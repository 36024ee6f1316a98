// SPDX-License-Identifier: Apache-2.0
//! Why a module could not be instantiated.

use wisp_image::{Image, ImageError};

use crate::vm::trap::Trap;

/// The reason why an import cannot be resolved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum LinkProblem {
    /// Nobody defines it.
    Unknown,
    /// The definition is of another kind, such as a global where a function is expected.
    Kind,
    /// A function of another type.
    Signature,
    /// A memory or a table that is too small, may grow too far, or has other elements or pages.
    Limits,
    /// A global of another type or mutability.
    GlobalType,
}

/// Why a module could not be instantiated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InstantiateError {
    /// The image cannot be read.
    Image(ImageError),
    /// The import with this index, counted over all kinds.
    Import(u16, LinkProblem),
    /// The arena is too small: bytes that were needed next, bytes that were left.
    ArenaTooSmall(u32, u32),
    /// The initial memory is larger than the limit of the engine: bytes needed, bytes allowed.
    MemoryLimit(u32, u32),
    /// A table begins with more elements than the limit of the engine: elements, allowed.
    TableLimit(u32, u32),
    /// The module has more imports than allowed: imports, allowed.
    ImportLimit(u32, u32),
    /// The module defines more functions than allowed: functions, allowed.
    FunctionLimit(u32, u32),
    /// The store has as many instances as it can have.
    TooManyInstances,
    /// A segment did not fit or the start function trapped.
    Trap(Trap),
}

impl From<ImageError> for InstantiateError {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

impl From<Trap> for InstantiateError {
    fn from(trap: Trap) -> Self {
        Self::Trap(trap)
    }
}

impl InstantiateError {
    /// Module and name of the import at fault.
    pub fn import<'m>(&self, image: &Image<'m>) -> Option<(&'m str, &'m str)> {
        match *self {
            Self::Import(index, _) => image.import(usize::from(index)).ok().map(|i| (i.module.shown(), i.name.shown())),
            _ => None,
        }
    }

    /// The text with the import's name in it.
    #[cfg(feature = "text")]
    pub fn describe<'e>(&'e self, image: &'e Image<'_>) -> impl core::fmt::Display + 'e {
        Described(self, image)
    }
}

#[cfg(feature = "text")]
impl LinkProblem {
    /// The problem in words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unknown => "unknown import: nobody defines it",
            Self::Kind => "incompatible import type: it is defined as another kind of thing",
            Self::Signature => "incompatible import type: the function has other parameters or results",
            Self::Limits => "incompatible import type: the size, the maximum or the element type differs",
            Self::GlobalType => "incompatible import type: the global has another type or mutability",
        }
    }
}

#[cfg(feature = "text")]
struct Described<'e, 'i>(&'e InstantiateError, &'e Image<'i>);

#[cfg(feature = "text")]
impl core::fmt::Display for Described<'_, '_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if let (InstantiateError::Import(_, problem), Some((module, name))) = (self.0, self.0.import(self.1)) {
            return write!(f, "import `{module}` `{name}`: {}", problem.text());
        }
        self.0.fmt(f)
    }
}

#[cfg(feature = "text")]
impl core::fmt::Display for InstantiateError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Self::Image(error) => error.fmt(f),
            Self::Import(index, problem) => write!(f, "import {index}: {}", problem.text()),
            Self::ArenaTooSmall(needed, left) => write!(
                f,
                "the arena is too small: {needed} bytes needed, {left} left; give the app more memory or \
                 build it with a smaller stack and heap"
            ),
            Self::MemoryLimit(needed, allowed) => write!(
                f,
                "the module's memory begins with {needed} bytes, {allowed} are allowed; link it with a smaller \
                 stack (-z stack-size), or raise the limit"
            ),
            Self::TableLimit(needed, allowed) => write!(
                f,
                "a table of the module begins with {needed} elements, {allowed} are allowed; take the address \
                 of fewer functions, or raise the limit"
            ),
            Self::ImportLimit(count, allowed) => {
                write!(f, "the module has {count} imports, {allowed} are allowed; raise the limit")
            }
            Self::FunctionLimit(count, allowed) => {
                write!(f, "the module defines {count} functions, {allowed} are allowed; raise the limit")
            }
            Self::TooManyInstances => f.write_str("the store can take no more instances"),
            Self::Trap(trap) => trap.fmt(f),
        }
    }
}

#[cfg(feature = "text")]
impl core::error::Error for InstantiateError {}

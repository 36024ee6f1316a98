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
    /// The arena is too small: bytes that were needed next, or a few less, and the fewer bytes that were left.
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
    /// Returns the module and name of the import at fault.
    pub fn import<'m>(&self, image: &Image<'m>) -> Option<(&'m str, &'m str)> {
        match *self {
            Self::Import(index, _) => image.import(usize::from(index)).ok().map(|i| (i.module.shown(), i.name.shown())),
            _ => None,
        }
    }
}

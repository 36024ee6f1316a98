// SPDX-License-Identifier: Apache-2.0
//! The names of `native.rs` in a runtime without native code. No value of these types takes a byte.

/// There is none.
pub(crate) enum Record {}

impl Record {
    /// Stands for a function that is not built in, and cannot be called.
    pub fn set_memory(&self, _: *mut u8, _: usize) {
        match *self {}
    }
}

/// Native code of an instance, which holds nothing in this build.
#[derive(Clone, Copy)]
pub(crate) struct NativePart;

impl NativePart {
    /// The part of an instance that is interpreted.
    pub const NONE: Self = Self;

    /// Returns `None`.
    #[inline(always)]
    pub fn record(&self) -> Option<&Record> {
        None
    }
}

/// Limits of native code: none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits;

impl Limits {
    /// Returns the defaults.
    pub const fn new() -> Self {
        Self
    }
}

/// The stack of native code: none is used.
pub(crate) struct Floor;

impl Floor {
    /// Turns native code off.
    pub const fn new() -> Self {
        Self
    }
}

// SPDX-License-Identifier: Apache-2.0
//! The names of `direct.rs` in a runtime without native code: host functions have no form for it.

use core::ptr::null;

/// No form.
#[derive(Clone, Copy)]
pub struct Form;

impl Form {
    /// No form.
    pub const NONE: Self = Self;

    /// Returns null.
    pub(crate) const fn address(self) -> *const () {
        null()
    }
}

/// A function or closure.
pub(crate) trait Direct<T, P, R> {
    /// No form.
    const DIRECT: Form = Form;
}

impl<T, P, R, F> Direct<T, P, R> for F {}

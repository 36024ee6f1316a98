// SPDX-License-Identifier: Apache-2.0
//! The names of `definitions.rs` in a runtime without an allocator. No value of these types takes a byte.

use core::marker::PhantomData;

use wisp_image::Name;

use crate::api::externals::Extern;
use crate::api::host_function::HostFunction;
use crate::vm::owner::Owner;

/// The definitions of a linker: none.
pub(super) struct Definitions<T>(PhantomData<fn(&mut T)>);

impl<T> Definitions<T> {
    /// Defines nothing.
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// Keeps nothing.
    pub fn keep(&self, _: &mut Owner) {}

    /// Returns `None`.
    pub fn function(&self, _: Name<'_>, _: Name<'_>) -> Option<&HostFunction<T>> {
        None
    }

    /// Returns `None`.
    pub fn external(&self, _: Name<'_>, _: Name<'_>) -> Option<Option<Extern>> {
        None
    }
}

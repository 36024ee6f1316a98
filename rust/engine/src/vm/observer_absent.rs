// SPDX-License-Identifier: Apache-2.0
//! Nothing watches a guest: `observer.rs` without the feature `debug`.

use super::trap::RawTrap;

/// The place of an observer that does not exist.
pub(crate) struct Watcher;

/// An observer that does not exist.
#[derive(Clone, Copy)]
pub(crate) enum Watching {}

impl Watcher {
    /// Returns the empty place.
    pub const fn none() -> Self {
        Self
    }

    /// Returns nothing.
    #[inline(always)]
    #[cfg_attr(not(wisp_back_end = "loop"), allow(dead_code))]
    pub const fn get(&self) -> Option<Watching> {
        None
    }
}

#[cfg_attr(not(wisp_back_end = "loop"), allow(dead_code))]
impl Watching {
    /// Stands for a function that is not built in, and is never called.
    #[inline(always)]
    pub unsafe fn before(self, _: *const (), _: *const u16, _: *mut u8) -> RawTrap {
        match self {}
    }

    /// Stands for a function that is not built in, and is never called.
    #[inline(always)]
    pub unsafe fn trapped(self, _: *const (), _: *const u16, _: *mut u8, _: RawTrap) {
        match self {}
    }
}

// SPDX-License-Identifier: Apache-2.0
//! The place in a store of what watches its guests. `exec/observe.rs` has what it sees.

use core::cell::Cell;
use core::mem::transmute;

use super::trap::RawTrap;

/// Watches an instance, which is given by its address, at the op at `ip`, with the frame at `fp`.
pub(crate) trait Watch {
    /// Looks at a guest before each op. The guest ends with the trap that this returns, if any.
    ///
    /// # Safety
    /// `instance` is a `Ctx` of the store. The guest stands still, and its frames are as the interpreter left them (rule F).
    unsafe fn before(&self, instance: *const (), ip: *const u16, fp: *mut u8) -> RawTrap;

    /// Looks at a guest that ends with a trap or by its own wish.
    ///
    /// # Safety
    /// `instance` is a `Ctx` of the store. The guest stands still, and its frames are as the interpreter left them (rule F).
    unsafe fn trapped(&self, instance: *const (), ip: *const u16, fp: *mut u8, code: RawTrap);
}

/// The place of the observer in a store.
pub(crate) struct Watcher(Cell<Option<&'static dyn Watch>>);

impl Watcher {
    /// Returns the empty place.
    pub const fn none() -> Self {
        Self(Cell::new(None))
    }

    /// Returns the observer.
    #[inline(always)]
    pub fn get(&self) -> Option<&'static dyn Watch> {
        self.0.get()
    }

    /// Sets the observer.
    ///
    /// # Safety
    /// The observer lives as long as the store.
    pub unsafe fn set(&self, observer: &dyn Watch) {
        // SAFETY: only the lifetime changes. The caller promised that the observer outlives the store, and so this place and
        // every guest that runs with a copy of the reference.
        self.0.set(Some(unsafe { transmute::<&dyn Watch, &'static dyn Watch>(observer) }));
    }
}

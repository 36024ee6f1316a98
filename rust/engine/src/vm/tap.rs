// SPDX-License-Identifier: Apache-2.0
//! The place in a store of what stands between its guests and their host functions. `exec/tap.rs` has what it sees.

use core::cell::Cell;
use core::mem::transmute;

use super::trap::RawTrap;

/// Stands between guests and host functions.
pub(crate) trait Border {
    /// Stands in place of a host function, by the instance at this address. `tapped` is what the import has of the
    /// function.
    ///
    /// # Safety
    /// `instance` is a `Ctx` of the store, `slots` are those of the function's type, and `tapped` is a `Tapped`.
    unsafe fn host_call(&self, instance: *const (), slots: *mut u32, tapped: *const ()) -> RawTrap;

    /// Observes that the host calls a function of a guest.
    fn entry(&self, function: u32, arguments: &mut dyn Iterator<Item = u32>);
}

/// The place of it in a store.
pub(crate) struct Place(Cell<Option<&'static dyn Border>>);

impl Place {
    /// Returns the empty place.
    pub const fn none() -> Self {
        Self(Cell::new(None))
    }

    /// Returns what stands there.
    #[inline(always)]
    pub fn get(&self) -> Option<&'static dyn Border> {
        self.0.get()
    }

    /// Sets what stands there.
    ///
    /// # Safety
    /// It lives as long as the store.
    pub unsafe fn set(&self, border: &dyn Border) {
        // SAFETY: only the lifetime changes. The caller promised that the referent outlives the store.
        self.0.set(Some(unsafe { transmute::<&dyn Border, &'static dyn Border>(border) }));
    }
}

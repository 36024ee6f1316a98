// SPDX-License-Identifier: Apache-2.0
//! The names of `user.rs` in a runtime without user mode.

use wisp_image::native::Native;

use crate::vm::context::Ctx;
use crate::vm::native::Record;
use crate::vm::trap::RawTrap;

/// Lays out nothing.
pub(super) fn bind(_: &Ctx, _: *const Record, _: &Native<'_>) -> Option<()> {
    Some(())
}

/// Returns `None`: no instance runs in user mode.
///
/// # Safety
/// None.
#[inline(always)]
pub(super) unsafe fn enter(_: &Ctx, _: &Record, _: u32, _: *mut u32) -> Option<RawTrap> {
    None
}

/// Returns `None`.
#[cfg(feature = "callers")]
pub(super) fn record(_: &Ctx) -> Option<*const Record> {
    None
}

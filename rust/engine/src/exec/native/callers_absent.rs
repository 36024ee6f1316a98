// SPDX-License-Identifier: Apache-2.0
//! The names of `callers.rs` in a runtime that does not look for the callers of native code.

use wisp_image::native::Native;

pub(super) use super::halt::halting as walk;
use crate::exec::call::Frame;
use crate::vm::context::Ctx;
use crate::vm::native::Record;
use crate::vm::shared::Shared;

/// Bytes of stack that nothing takes.
#[cfg_attr(not(feature = "user-mode"), allow(dead_code))]
pub(super) const STACK: usize = 0;
/// Bytes in front of a record.
pub(super) const ROOM: usize = 0;

/// Does nothing.
pub(super) fn bind(_: *const Record, _: &Native<'_>) {}

/// Does nothing.
pub(super) fn unknown(_: &Record) {}

/// Does nothing.
pub(super) fn trapped(_: &Shared, _: &Ctx) {}

/// Returns nothing.
pub(crate) fn frames(_: &Ctx) -> impl Iterator<Item = Frame> + '_ {
    core::iter::empty()
}

/// Returns false.
pub(crate) fn cut(_: &Ctx) -> bool {
    false
}

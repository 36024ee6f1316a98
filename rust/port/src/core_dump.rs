// SPDX-License-Identifier: Apache-2.0
//! Keeps what is left of an app that trapped in RAM of the firmware, for a workstation to read.

use wisp_engine::{Store, Trap, TrapCode};

use crate::platform::Zephyr;
use crate::{shim, AppData};

/// Writes the core dump of a guest that trapped over the one before. Writes none while another app's thread, which may
/// have a lower priority, writes its own.
#[inline(never)]
pub(crate) fn keep(board: &Zephyr, store: &Store<'_, AppData>, trap: Trap) {
    // an app that was ended from outside has not failed
    if matches!(trap.code, TrapCode::Exit | TrapCode::Interrupted) {
        return;
    }
    let mut size = 0;
    // SAFETY: the board's app is one of the firmware, and the size is written during the call only.
    let room = unsafe { shim::wisp_shim_core_begin(board.app, &raw mut size) };
    if room.is_null() {
        return;
    }
    // SAFETY: the firmware gives this many bytes, which nobody else uses until `wisp_shim_core_end`.
    let room = unsafe { core::slice::from_raw_parts_mut(room, size) };
    let length = wisp_host::core_dump::write(store, trap, room);
    // SAFETY: this thread called `wisp_shim_core_begin`.
    unsafe { shim::wisp_shim_core_end(length) };
}

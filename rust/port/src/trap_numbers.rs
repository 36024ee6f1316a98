// SPDX-License-Identifier: Apache-2.0
//! As `trap.rs`, with the innermost place only, and no names.

use wisp_engine::{Image, Store, Trap, TrapCode};

use crate::platform::Zephyr;
use crate::{shim, AppData};

/// Logs a trap, unless the guest ended itself or was told to end.
pub(crate) fn report(board: &Zephyr, _store: &Store<'_, AppData>, image: &Image<'_>, trap: Trap) {
    if cfg!(feature = "log") && !matches!(trap.code, TrapCode::Exit | TrapCode::Interrupted) {
        let id = image.id();
        // SAFETY: the app is that of this thread.
        unsafe {
            shim::wisp_shim_trap(board.app(), trap.code as u32, id.wasm, id.code, trap.func, trap.offset);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! What the log says of linear memory: growth that was refused, and the guest's own stack.

use wisp_engine::{Store, Trap, TrapCode};
use wisp_host::abi::log;

use crate::platform::Zephyr;
use crate::text::Text;
use crate::AppData;

/// Reports, once in a run, that the app asked for more memory than it may have.
#[cold]
#[inline(never)]
pub(crate) fn growth_refused(app: usize, present: u32, wanted: u32) {
    // SAFETY: the address is that of the app whose run this is, and which lives as long as the program.
    let board = unsafe { Zephyr::new(core::ptr::with_exposed_provenance(app)) };
    let mut text = Text::new();
    text.push(b"memory.grow refused: has ");
    text.push_number(present);
    text.push(b" bytes, asked for ");
    text.push_number(wanted);
    text.push(b" more; raise memory-size");
    board.report(log::WARN, text.bytes());
}

/// Reports that a trap came from an overflow of the stack that the guest keeps in its linear memory.
#[cold]
#[inline(never)]
pub(crate) fn stack_overflow(board: &Zephyr, store: &Store<'_, AppData>, trap: Trap) {
    if !matches!(trap.code, TrapCode::MemoryOutOfBounds | TrapCode::BeyondTrimmedMemory) {
        return;
    }
    let Some(stack) = store.guest_stack_overflow() else { return };
    let mut text = Text::new();
    text.push(b"the guest's stack of ");
    text.push_number(stack.size);
    text.push(b" bytes overflowed; link it with a larger one, see doc/limits.md");
    board.report(log::ERROR, text.bytes());
}

// SPDX-License-Identifier: Apache-2.0
//! Entry to native code and the way out of a trap on RV32 without floating-point registers in the calling
//! convention.
//!
//! `enter` saves what a callee has to preserve and notes its stack pointer in the record; `trap` goes back
//! there. Entries nest: each keeps the former stack pointer.

use super::{callers, halt};
use crate::vm::native::Record;
use wisp_image::native::context_offset;

/// Notes the callers of code that traps, before its stack is unwound. Nothing that it overwrites is needed any more.
#[cfg(feature = "callers")]
macro_rules! note_callers {
    () => {
        "mv s0, a0\nmv a1, ra\nmv a2, sp\ncall {walk}\nmv a0, s0"
    };
}
#[cfg(not(feature = "callers"))]
macro_rules! note_callers {
    () => {
        "# without {walk}"
    };
}

core::arch::global_asm!(
    ".globl wisp_native_enter",
    ".type wisp_native_enter, @function",
    "wisp_native_enter:",
    "addi sp, sp, -64",
    "sw ra, 0(sp)",
    "sw s0, 4(sp)",
    "sw s1, 8(sp)",
    "sw s2, 12(sp)",
    "sw s3, 16(sp)",
    "sw s4, 20(sp)",
    "sw s5, 24(sp)",
    "sw s6, 28(sp)",
    "sw s7, 32(sp)",
    "sw s8, 36(sp)",
    "sw s9, 40(sp)",
    "sw s10, 44(sp)",
    "sw s11, 48(sp)",
    "lw t0, {unwind}(a0)",
    "sw t0, 52(sp)",
    "sw a0, 56(sp)",
    "sw sp, {unwind}(a0)",
    "jalr a2",
    "li a0, 0",
    "2:",
    "lw t0, 52(sp)",
    "lw t1, 56(sp)",
    "sw t0, {unwind}(t1)",
    "lw ra, 0(sp)",
    "lw s0, 4(sp)",
    "lw s1, 8(sp)",
    "lw s2, 12(sp)",
    "lw s3, 16(sp)",
    "lw s4, 20(sp)",
    "lw s5, 24(sp)",
    "lw s6, 28(sp)",
    "lw s7, 32(sp)",
    "lw s8, 36(sp)",
    "lw s9, 40(sp)",
    "lw s10, 44(sp)",
    "lw s11, 48(sp)",
    "addi sp, sp, 64",
    "ret",
    ".globl wisp_native_halted",
    ".type wisp_native_halted, @function",
    "wisp_native_halted:",
    "mv a0, ra",
    "mv a1, sp",
    "call {halting}",
    "j 3f",
    ".globl wisp_native_trap",
    ".type wisp_native_trap, @function",
    "wisp_native_trap:",
    "sw a1, {site}(a0)",
    "sw a2, {function}(a0)",
    note_callers!(),
    ".globl wisp_native_stopped",
    ".type wisp_native_stopped, @function",
    "wisp_native_stopped:",
    "3:",
    "lw sp, {unwind}(a0)",
    "li a0, 1",
    "j 2b",
    ".globl wisp_native_missing",
    ".type wisp_native_missing, @function",
    "wisp_native_missing:",
    "unimp",
    halting = sym halt::halting,
    walk = sym callers::walk,
    unwind = const context_offset("unwind", 4),
    site = const context_offset("site", 4),
    function = const context_offset("function", 4),
);

// the record is laid out for C; what its pointers lead to is not C's business
#[allow(improper_ctypes)]
extern "C" {
    /// Calls a function with the record and slots: 0, or 1 if a trap ended it.
    #[link_name = "wisp_native_enter"]
    pub(super) fn enter(record: *const Record, slots: *mut u32, function: *const u8) -> u32;
    /// Ends what the innermost entry of the record called.
    #[link_name = "wisp_native_trap"]
    pub(super) fn trap(record: *const Record, site: u32, function: u32) -> u32;
    /// Ends the code of a thread that is sent here with the record as its first argument: like `trap`, from
    /// anywhere in the code.
    #[link_name = "wisp_native_stopped"]
    pub(super) fn stopped(record: *const Record) -> u32;
    /// Stands in place of a helper, and ends the code that calls it.
    #[link_name = "wisp_native_halted"]
    pub(super) fn halted();
    /// Stands in place of a helper of a feature that is not built in.
    #[link_name = "wisp_native_missing"]
    pub(super) fn missing();
}

// SPDX-License-Identifier: Apache-2.0
//! Entry to native code and the way out of a trap on Cortex-M: instructions every one of them has, and
//! the callee-saved floating-point registers where the calling convention has them.
//!
//! `enter` saves what a callee has to preserve and notes its stack pointer in the record; `trap` goes back
//! there. Entries nest: each keeps the former stack pointer.

use super::{callers, halt};
use crate::vm::native::Record;
use wisp_image::native::context_offset;

// The linker's code generation (LTO) reads this text without the target's features, so the text names the FPU
// itself: the single-precision one of the Cortex-M4F, which every hard-float Cortex-M includes.
#[cfg(target_abi = "eabihf")]
macro_rules! save_floats {
    () => {
        ".fpu fpv4-sp-d16\nvpush {{d8-d15}}"
    };
}
#[cfg(target_abi = "eabihf")]
macro_rules! restore_floats {
    () => {
        "vpop {{d8-d15}}"
    };
}
#[cfg(not(target_abi = "eabihf"))]
macro_rules! save_floats {
    () => {
        ""
    };
}
#[cfg(not(target_abi = "eabihf"))]
macro_rules! restore_floats {
    () => {
        ""
    };
}

/// Notes the callers of code that traps, before its stack is unwound. Nothing that it overwrites is needed any more.
#[cfg(feature = "callers")]
macro_rules! note_callers {
    () => {
        "mov r4, r0\nmov r1, lr\nmov r2, sp\nbl {walk}\nmov r0, r4"
    };
}
#[cfg(not(feature = "callers"))]
macro_rules! note_callers {
    () => {
        "@ without {walk}"
    };
}

core::arch::global_asm!(
    ".syntax unified",
    ".thumb",
    ".balign 4",
    ".globl wisp_native_enter",
    ".type wisp_native_enter, %function",
    ".thumb_func",
    "wisp_native_enter:",
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "mov r7, r11",
    "push {{r4-r7}}",
    save_floats!(),
    "ldr r3, [r0, #{unwind}]",
    "push {{r0, r2, r3}}",
    "mov r3, sp",
    "str r3, [r0, #{unwind}]",
    "blx r2",
    "movs r0, #0",
    "2:",
    "pop {{r1, r2, r3}}",
    "str r3, [r1, #{unwind}]",
    restore_floats!(),
    "pop {{r4-r7}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "mov r11, r7",
    "pop {{r4-r7, pc}}",
    ".globl wisp_native_halted",
    ".type wisp_native_halted, %function",
    ".thumb_func",
    "wisp_native_halted:",
    "mov r0, lr",
    "mov r1, sp",
    "bl {halting}",
    "b 3f",
    ".globl wisp_native_trap",
    ".type wisp_native_trap, %function",
    ".thumb_func",
    "wisp_native_trap:",
    "str r1, [r0, #{site}]",
    "str r2, [r0, #{function}]",
    note_callers!(),
    ".globl wisp_native_stopped",
    ".type wisp_native_stopped, %function",
    ".thumb_func",
    "wisp_native_stopped:",
    "3:",
    "ldr r3, [r0, #{unwind}]",
    "mov sp, r3",
    "movs r0, #1",
    "b 2b",
    ".globl wisp_native_missing",
    ".type wisp_native_missing, %function",
    ".thumb_func",
    "wisp_native_missing:",
    "udf #0",
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

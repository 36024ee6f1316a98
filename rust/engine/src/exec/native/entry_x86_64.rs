// SPDX-License-Identifier: Apache-2.0
//! Entry to native code and the way out of a trap on x86-64, System V calling convention.
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
        "mov rbx, rdi\nmov rsi, [rsp]\nlea rdx, [rsp + 8]\nsub rsp, 8\ncall {walk}\nmov rdi, rbx"
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
    "wisp_native_enter:",
    "push rbp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "push rdi",
    "push qword ptr [rdi + {unwind}]",
    "sub rsp, 8",
    "mov [rdi + {unwind}], rsp",
    "call rdx",
    "xor eax, eax",
    "2:",
    "add rsp, 8",
    "pop rcx",
    "pop rdi",
    "mov [rdi + {unwind}], rcx",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    ".globl wisp_native_halted",
    "wisp_native_halted:",
    "mov rdi, [rsp]",
    "mov rsi, rsp",
    "sub rsp, 8",
    "call {halting}",
    "mov rdi, rax",
    "jmp 3f",
    ".globl wisp_native_trap",
    "wisp_native_trap:",
    "mov [rdi + {site}], esi",
    "mov [rdi + {function}], edx",
    note_callers!(),
    ".globl wisp_native_stopped",
    "wisp_native_stopped:",
    "3:",
    "mov rsp, [rdi + {unwind}]",
    "mov eax, 1",
    "jmp 2b",
    ".globl wisp_native_missing",
    "wisp_native_missing:",
    "ud2",
    halting = sym halt::halting,
    walk = sym callers::walk,
    unwind = const context_offset("unwind", 8),
    site = const context_offset("site", 8),
    function = const context_offset("function", 8),
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

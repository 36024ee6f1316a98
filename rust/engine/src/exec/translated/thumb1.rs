// SPDX-License-Identifier: Apache-2.0
//! Entry to translated code on Armv6-M and Armv8-M Baseline, the way out of a trap, and the helpers.
//!
//! [`enter`] saves what a callee has to preserve, notes the stack pointer in the instance, and clears the registers of
//! slots, so that a slot that is read before it is written holds nothing of the host. Functions of the host preserve every
//! register that code wants kept. So most helpers are such functions themselves. On the way to a helper the code moves r3
//! into r12, because no instruction jumps that far without a low register.

use core::mem::offset_of;

use super::{clz, ctz, deopt, failed, failed_there, indirect, interpret, popcnt, refill};
use wisp_translate::isa::Reg;
use wisp_translate::Helper;

use crate::exec::interpreter::escape;
use crate::vm::context::Ctx;
use crate::vm::translated::State;
use crate::vm::trap::TrapCode;

/// The instruction set.
pub type Isa = wisp_translate::thumb1::Thumb1;

/// The registers that `wisp.t.deopt` saves, from the first on, and behind them the native stack of the function. The
/// thirteenth is no slot's: the stack pointer to go on with is put there.
#[repr(C)]
pub struct Registers {
    numbers: [u32; 13],
    pub returns: u32,
}

impl Registers {
    /// Returns the value of a register.
    pub fn get(&self, register: Reg) -> u32 {
        self.numbers[usize::from(register.0)]
    }

    /// Changes the value of a register.
    pub fn set(&mut self, register: Reg, value: u32) {
        self.numbers[usize::from(register.0)] = value;
    }

    /// Says where the native stack of the function's caller lies.
    pub fn set_stack(&mut self, stack: *const u32) {
        self.numbers[12] = stack.addr() as u32;
    }
}

/// Helpers that call a function of two pairs, of which the second lies in the frame.
macro_rules! doubles {
    ($($name:literal => $function:literal,)*) => {
        concat!($(
            ".thumb_func\n", "wisp.t.", $name, ":\n push {{r4, lr}}\n add r2, r7\n ldr r3, [r2, #4]\n ldr r2, [r2]\n bl ",
            $function, "\n pop {{r4, pc}}\n",
        )*)
    };
}

core::arch::global_asm!(
    ".syntax unified",
    ".thumb",
    ".pushsection .text.wisp_translated, \"ax\", %progbits",
    ".balign 4",
    // wisp_translated_enter(ctx, entry, slots, results) -> 0 or the number of a trap
    ".globl wisp_translated_enter",
    ".type wisp_translated_enter, %function",
    ".thumb_func",
    "wisp_translated_enter:",
    "push {{r4, r5, r6, r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "mov r7, r11",
    "push {{r4, r5, r6, r7}}",
    "ldr r4, [r0, #{unwind}]",
    "push {{r0, r3, r4}}",
    "mov r10, r0",
    "mov r7, r2",
    "mov r4, sp",
    "str r4, [r0, #{unwind}]",
    "ldr r4, [r0]",
    "mov r8, r4",
    "ldr r4, [r0, #{fuel}]",
    "mov r11, r4",
    "ldr r4, [r0, #{limit}]",
    "subs r4, #1",
    "mov r9, r4",
    "movs r3, #0",
    "movs r4, #0",
    "movs r5, #0",
    "movs r6, #0",
    "blx r1",
    "ldr r2, [sp, #4]",
    "cmp r2, #0",
    "beq 1f",
    "str r0, [r7]",
    "cmp r2, #2",
    "bne 1f",
    "str r1, [r7, #4]",
    "1:",
    "mov r1, r10",
    "mov r0, r11",
    "str r0, [r1, #{fuel}]",
    "movs r0, #0",
    // r0: 0 or the number of a trap; units of fuel are in the instance
    "2:",
    "pop {{r1, r2, r3}}",
    "str r3, [r1, #{unwind}]",
    "pop {{r4, r5, r6, r7}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "mov r11, r7",
    "pop {{r4, r5, r6, r7, pc}}",
    ".thumb_func",
    "wisp.t.exit:",
    "mov r1, r10",
    "ldr r1, [r1, #{unwind}]",
    "mov sp, r1",
    "b 2b",
    // the return address lies on the stack above a word, and behind it what the function keeps
    ".thumb_func",
    "wisp.t.back:",
    "mov r2, r10",
    "ldr r3, [r2, #{limit}]",
    "subs r3, #1",
    "mov r9, r3",
    "ldr r3, [r2, #{fuel}]",
    "mov r11, r3",
    "pop {{r3, pc}}",
    // r0: a trap's number; the place is that of the call
    ".thumb_func",
    "wisp.t.failed:",
    "str r0, [sp]",
    "mov r0, r10",
    "mov r1, r7",
    "ldr r2, [sp, #4]",
    "add r3, sp, #8",
    "bl {failed}",
    "ldr r0, [sp]",
    "b wisp.t.exit",
    ".thumb_func",
    "wisp.t.deopt:",
    "sub sp, #56",
    "str r0, [sp]",
    "str r1, [sp, #4]",
    "str r2, [sp, #8]",
    "mov r3, r12",
    "str r3, [sp, #12]",
    "str r4, [sp, #16]",
    "str r5, [sp, #20]",
    "str r6, [sp, #24]",
    "str r7, [sp, #28]",
    "mov r0, r8",
    "str r0, [sp, #32]",
    "mov r0, r9",
    "str r0, [sp, #36]",
    "mov r0, r10",
    "str r0, [sp, #40]",
    "mov r1, r11",
    "str r1, [sp, #44]",
    "str r1, [r0, #{fuel}]",
    "mov r1, lr",
    "str r1, [sp, #52]",
    "mov r1, sp",
    "bl {deopt}",
    "cmp r0, #0",
    "bne 7f",
    "mov r2, r10",
    "ldr r0, [r2, #{fuel}]",
    "mov r11, r0",
    "ldr r0, [r2, #{limit}]",
    "subs r0, #1",
    "mov r9, r0",
    "ldr r0, [r7]",
    "ldr r1, [r7, #4]",
    "ldr r4, [sp, #16]",
    "ldr r5, [sp, #20]",
    "ldr r6, [sp, #24]",
    "ldr r2, [sp, #48]",
    "ldr r3, [sp, #52]",
    "mov sp, r2",
    "bx r3",
    // a conditional branch reaches no farther
    "7:",
    "b wisp.t.exit",
    ".thumb_func",
    "wisp.t.refill:",
    "push {{r3, lr}}",
    "mov r0, r10",
    "mov r1, r7",
    "mov r2, lr",
    "add r3, sp, #8",
    "bl {refill}",
    "mov r1, r10",
    "str r0, [r1, #{fuel}]",
    "cmp r0, #0",
    "bge wisp.t.back",
    // the place is known already
    "movs r2, #0",
    "str r2, [r1, #{fuel}]",
    "rsbs r0, r0, #0",
    "b wisp.t.exit",
    ".thumb_func",
    "wisp.t.overflow:",
    "push {{r3, lr}}",
    "mov r0, r10",
    "mov r1, r11",
    "str r1, [r0, #{fuel}]",
    "movs r0, #{StackOverflow}",
    "b wisp.t.failed",
    // r1: number of the import, r2: where the callee's frame begins
    ".thumb_func",
    "wisp.t.import:",
    "push {{r3, lr}}",
    "mov r0, r10",
    "mov r3, r11",
    "str r3, [r0, #{fuel}]",
    "mov r3, lr",
    "str r3, [r0, #{ip}]",
    "str r7, [r0, #{fp}]",
    "ldr r3, [r0, #{imports}]",
    "lsls r1, r1, #4",
    "adds r3, r3, r1",
    "adds r1, r7, r2",
    "ldr r2, [r3, #4]",
    "ldr r3, [r3]",
    "blx r3",
    "cmp r0, #0",
    "beq wisp.t.back",
    "b wisp.t.failed",
    // r1: index, r2: type, and the table in the upper half
    ".thumb_func",
    "wisp.t.indirect:",
    "mov r0, r10",
    "ldr r3, [r0, #{tables}]",
    "lsrs r0, r2, #16",
    "lsls r0, r0, #2",
    "ldr r3, [r3, r0]",
    "ldr r0, [r3, #4]",
    "cmp r1, r0",
    "bhs 1f",
    "ldr r3, [r3]",
    "lsls r0, r1, #2",
    "ldr r3, [r3, r0]",
    "mov r0, r10",
    "ldr r0, [r0, #{first_reference}]",
    "subs r3, r3, r0",
    "mov r0, r10",
    "ldr r0, [r0, #{function_count}]",
    "cmp r3, r0",
    "bhs 1f",
    "mov r0, r10",
    "ldr r0, [r0, #{functions}]",
    "lsls r3, r3, #3",
    "adds r0, r0, r3",
    "ldrh r0, [r0, #4]",
    "eors r0, r2",
    "lsls r0, r0, #16",
    "bne 1f",
    "mov r0, r10",
    "ldr r0, [r0, #{entries}]",
    "lsrs r3, r3, #1",
    "ldr r0, [r0, r3]",
    "cmp r0, #0",
    "beq 1f",
    "bx r0",
    "1:",
    "push {{r3, lr}}",
    "push {{r1, r2}}",
    "mov r0, r10",
    "mov r3, r11",
    "str r3, [r0, #{fuel}]",
    "mov r3, lr",
    "add r1, sp, #16",
    "push {{r0, r1}}",
    "str r1, [sp]",
    "add r1, sp, #8",
    "mov r2, r7",
    "bl {indirect}",
    "add sp, #16",
    "b 3f",
    // r1: code offset
    ".thumb_func",
    "wisp.t.interpret:",
    "push {{r3, lr}}",
    "mov r0, r10",
    "mov r2, r11",
    "str r2, [r0, #{fuel}]",
    "mov r3, lr",
    "add r2, sp, #8",
    "push {{r2, r3}}",
    "mov r2, r7",
    "bl {interpret}",
    "add sp, #8",
    "3:",
    "cmp r0, #0",
    "bne 7b",
    "ldr r0, [r7]",
    "ldr r1, [r7, #4]",
    "8:",
    "b wisp.t.back",
    // r1: code offset
    ".thumb_func",
    "wisp.t.escape:",
    "push {{r3, lr}}",
    "mov r0, r10",
    "mov r2, r11",
    "str r2, [r0, #{fuel}]",
    "ldr r2, [r0, #{code}]",
    "adds r2, r2, r1",
    "str r2, [r0, #{ip}]",
    "str r7, [r0, #{fp}]",
    "bl {escape}",
    "mov r2, r0",
    "mov r0, r1",
    "cmp r2, #0",
    "beq 8b",
    "str r2, [sp]",
    "mov r0, r10",
    "mov r1, r7",
    "ldr r2, [sp, #4]",
    "add r3, sp, #8",
    "bl {failed_there}",
    "ldr r0, [sp]",
    "b wisp.t.exit",
    // the remainder is in the second register
    ".thumb_func",
    "wisp.t.irem:",
    "push {{r4, lr}}",
    "bl __aeabi_idivmod",
    "mov r0, r1",
    "pop {{r4, pc}}",
    ".thumb_func",
    "wisp.t.urem:",
    "push {{r4, lr}}",
    "bl __aeabi_uidivmod",
    "mov r0, r1",
    "pop {{r4, pc}}",
    ".thumb_func",
    "wisp.t.lmul:",
    "push {{r4, lr}}",
    "mov r3, r12",
    "bl __aeabi_lmul",
    "pop {{r4, pc}}",
    // accesses by bytes: the address lies on the stack, and behind it the value; what is loaded comes in place of the address
    ".thumb_func",
    "wisp.t.lhu:",
    "push {{r0, r1, r2}}",
    "ldr r0, [sp, #12]",
    "ldrb r1, [r0]",
    "ldrb r2, [r0, #1]",
    "4:",
    "lsls r2, r2, #8",
    "orrs r1, r2",
    "5:",
    "str r1, [sp, #12]",
    "mov r3, r12",
    "pop {{r0, r1, r2}}",
    "bx lr",
    ".thumb_func",
    "wisp.t.lh:",
    "push {{r0, r1, r2}}",
    "ldr r0, [sp, #12]",
    "ldrb r1, [r0]",
    "ldrb r2, [r0, #1]",
    "sxtb r2, r2",
    "b 4b",
    ".thumb_func",
    "wisp.t.lw:",
    "push {{r0, r1, r2}}",
    "ldr r0, [sp, #12]",
    "ldrb r1, [r0]",
    "ldrb r2, [r0, #1]",
    "lsls r2, r2, #8",
    "orrs r1, r2",
    "ldrb r2, [r0, #2]",
    "lsls r2, r2, #16",
    "orrs r1, r2",
    "ldrb r2, [r0, #3]",
    "lsls r2, r2, #24",
    "orrs r1, r2",
    "b 5b",
    ".thumb_func",
    "wisp.t.sh:",
    "push {{r0, r1}}",
    "ldr r0, [sp, #8]",
    "ldr r1, [sp, #12]",
    "6:",
    "strb r1, [r0]",
    "lsrs r1, r1, #8",
    "strb r1, [r0, #1]",
    "mov r3, r12",
    "pop {{r0, r1}}",
    "bx lr",
    ".thumb_func",
    "wisp.t.sw:",
    "push {{r0, r1}}",
    "ldr r0, [sp, #8]",
    "ldr r1, [sp, #12]",
    "lsrs r1, r1, #16",
    "strb r1, [r0, #2]",
    "lsrs r1, r1, #8",
    "strb r1, [r0, #3]",
    "ldr r1, [sp, #12]",
    "b 6b",
    ".popsection",
    ".pushsection .rodata.wisp_translated, \"a\", %progbits",
    ".p2align 2",
    ".globl wisp_translated_helpers",
    "wisp_translated_helpers:",
    ".word wisp.t.deopt, wisp.t.refill, wisp.t.overflow, wisp.t.import",
    ".word wisp.t.indirect, wisp.t.escape, wisp.t.interpret, {popcnt}",
    ".globl wisp_translated_last",
    "wisp_translated_last:",
    ".word __aeabi_idiv, __aeabi_uidiv, wisp.t.irem, wisp.t.urem, {clz}, {ctz}",
    ".word wisp.t.lmul, {shl}, {shr_s}, {shr_u}, {rotl}, {rotr}",
    ".word wisp.t.lhu, wisp.t.lh, wisp.t.lw, wisp.t.sh, wisp.t.sw",
    ".popsection",
    unwind = const offset_of!(Ctx, translated) + offset_of!(State, unwind),
    entries = const offset_of!(Ctx, translated) + offset_of!(State, entries),
    fuel = const offset_of!(Ctx, fuel),
    limit = const offset_of!(Ctx, limits) + 8,
    ip = const offset_of!(Ctx, ip),
    fp = const offset_of!(Ctx, fp),
    code = const offset_of!(Ctx, code),
    imports = const offset_of!(Ctx, imports),
    tables = const offset_of!(Ctx, tables),
    functions = const offset_of!(Ctx, functions),
    first_reference = const offset_of!(Ctx, first_reference),
    function_count = const offset_of!(Ctx, function_count),
    StackOverflow = const TrapCode::StackOverflow as u32,
    deopt = sym deopt,
    refill = sym refill,
    failed = sym failed,
    failed_there = sym failed_there,
    indirect = sym indirect,
    interpret = sym interpret,
    escape = sym escape,
    popcnt = sym popcnt,
    clz = sym clz,
    ctz = sym ctz,
    shl = sym shl,
    shr_s = sym shr_s,
    shr_u = sym shr_u,
    rotl = sym rotl,
    rotr = sym rotr,
);

const _: () = assert!(offset_of!(Ctx, memory) == 0 && size_of::<Registers>() == 56);

#[cfg(feature = "float")]
core::arch::global_asm!(
    ".syntax unified",
    ".thumb",
    ".pushsection .text.wisp_translated_floats, \"ax\", %progbits",
    doubles! {
        "dadd" => "__aeabi_dadd", "dsub" => "__aeabi_dsub", "dmul" => "__aeabi_dmul", "ddiv" => "__aeabi_ddiv",
        "dcmpeq" => "__aeabi_dcmpeq", "dcmplt" => "__aeabi_dcmplt", "dcmple" => "__aeabi_dcmple",
    },
    ".popsection",
    ".pushsection .rodata.wisp_translated_floats, \"a\", %progbits",
    ".p2align 2",
    ".globl wisp_translated_floats",
    "wisp_translated_floats:",
    ".word __aeabi_fadd, __aeabi_fsub, __aeabi_fmul, __aeabi_fdiv, __aeabi_fcmpeq, __aeabi_fcmplt, __aeabi_fcmple",
    ".word wisp.t.dadd, wisp.t.dsub, wisp.t.dmul, wisp.t.ddiv, wisp.t.dcmpeq, wisp.t.dcmplt, wisp.t.dcmple",
    ".word __aeabi_i2f, __aeabi_ui2f, __aeabi_l2f, __aeabi_ul2f, __aeabi_i2d, __aeabi_ui2d, __aeabi_l2d, __aeabi_ul2d",
    ".word __aeabi_d2f, {f64_promote_f32}, {i32_trunc_sat_f32_s}, {i32_trunc_sat_f32_u}",
    ".word {i32_trunc_sat_f64_s}, {i32_trunc_sat_f64_u}",
    ".popsection",
    f64_promote_f32 = sym crate::exec::interpreter::f64_promote_f32,
    i32_trunc_sat_f32_s = sym crate::exec::interpreter::i32_trunc_sat_f32_s,
    i32_trunc_sat_f32_u = sym crate::exec::interpreter::i32_trunc_sat_f32_u,
    i32_trunc_sat_f64_s = sym crate::exec::interpreter::i32_trunc_sat_f64_s,
    i32_trunc_sat_f64_u = sym crate::exec::interpreter::i32_trunc_sat_f64_u,
);

/// Helpers that every build has: the first ones, and the last ones, behind those for floats.
const COMMON: usize = Helper::Popcnt as usize + 1;
const LAST: usize = Helper::DivS as usize;
#[cfg(feature = "float")]
const FLOATS: usize = LAST - COMMON;

// the instance is laid out for C where code reads it; the rest of it is not the code's business
#[allow(improper_ctypes)]
extern "C" {
    static wisp_translated_helpers: [u32; COMMON];
    static wisp_translated_last: [u32; Helper::COUNT - LAST];
    #[cfg(feature = "float")]
    static wisp_translated_floats: [u32; FLOATS];
    /// Calls code with a frame. Writes so many slots of results there. Returns 0 or the number of a trap.
    #[link_name = "wisp_translated_enter"]
    pub fn enter(ctx: &Ctx, entry: u32, slots: *mut u32, results: u32) -> u32;
}

/// Returns the address of each helper, and 0 for one that code never calls.
pub fn helpers() -> [u32; Helper::COUNT] {
    let mut addresses = [0; Helper::COUNT];
    // SAFETY: the text above has these tables, and nobody writes them.
    unsafe {
        addresses[..COMMON].copy_from_slice(&wisp_translated_helpers);
        addresses[LAST..].copy_from_slice(&wisp_translated_last);
    }
    #[cfg(feature = "float")]
    // SAFETY: the text for floats has this table, and nobody writes it.
    addresses[COMMON..LAST].copy_from_slice(unsafe { &wisp_translated_floats });
    addresses
}

macro_rules! shifts {
    ($($name:ident $method:ident $type:ty;)*) => {$(
        extern "C" fn $name(x: $type, count: u32) -> $type {
            x.$method(count & 63)
        }
    )*};
}

shifts! {
    shl wrapping_shl u64;
    shr_s wrapping_shr i64;
    shr_u wrapping_shr u64;
    rotl rotate_left u64;
    rotr rotate_right u64;
}

/// Makes code that was written visible to the processor.
pub fn synchronise() {
    // SAFETY: barriers change no state that the compiler knows of.
    unsafe { core::arch::asm!("dsb", "isb", options(nostack, preserves_flags)) };
}

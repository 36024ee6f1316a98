// SPDX-License-Identifier: Apache-2.0
//! Entry to translated code on Armv7-M and Armv8-M Mainline, the way out of a trap, and the helpers: they lead to functions in
//! Rust and of the library with the registers that code wants kept.
//!
//! [`enter`](super::common::enter) saves what a callee has to preserve, notes the stack pointer in the instance, and
//! clears the registers of slots, so that a slot that is read before it is written holds nothing of the host.

use wisp_translate::Helper;

use super::common::assemble;
#[cfg(feature = "float")]
use super::common::assemble_floats;

pub use super::saved::Registers;

/// The instruction set.
pub type Isa = wisp_translate::thumb2::Thumb2;

#[cfg(feature = "float")]
macro_rules! float_names {
    ($($name:literal => $function:literal,)*) => {
        concat!($(
            ".thumb_func\n", "wisp.t.", $name, ":\n push.w {{r2, r3, r12, lr}}\n bl ", $function, "\n pop.w {{r2, r3, r12, pc}}\n",
        )*)
    };
}

#[cfg(feature = "float")]
macro_rules! double_names {
    ($($name:literal => $function:literal,)*) => {
        concat!($(
            ".thumb_func\n", "wisp.t.", $name, ":\n push.w {{r2, r3, r12, lr}}\n add r2, r7\n ldrd r2, r3, [r2]\n bl ", $function,
            "\n pop.w {{r2, r3, r12, pc}}\n",
        )*)
    };
}

assemble!(
    ".syntax unified",
    ".thumb",
    ".pushsection .text.wisp_translated, \"ax\", %progbits",
    ".balign 4",
    // wisp_translated_enter(ctx, entry, slots, results) -> 0 or the number of a trap
    ".globl wisp_translated_enter",
    ".type wisp_translated_enter, %function",
    ".thumb_func",
    "wisp_translated_enter:",
    "push.w {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}",
    "ldr r12, [r0, #{unwind}]",
    "push.w {{r0, r3, r12}}",
    "mov r10, r0",
    "mov r7, r2",
    "str.w sp, [r0, #{unwind}]",
    "ldr r11, [r0]",
    "ldr r9, [r0, #{fuel}]",
    "ldr r12, [r0, #{limit}]",
    "sub r12, r12, #1",
    "movs r3, #0",
    "movs r4, #0",
    "movs r5, #0",
    "movs r6, #0",
    "mov r8, r3",
    "blx r1",
    "ldr r2, [sp, #4]",
    "cbz r2, 1f",
    "str r0, [r7]",
    "cmp r2, #2",
    "it eq",
    "streq r1, [r7, #4]",
    "1:",
    "movs r0, #0",
    "str r9, [r10, #{fuel}]",
    // r0: 0 or the number of a trap; units of fuel are in the instance
    "2:",
    "pop.w {{r1, r2, r3}}",
    "str r3, [r1, #{unwind}]",
    "pop.w {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}",
    ".thumb_func",
    "wisp.t.exit:",
    "ldr.w sp, [r10, #{unwind}]",
    "b 2b",
    // r3 and the return address lie on the stack, and behind them what the function keeps
    ".thumb_func",
    "wisp.t.back:",
    "ldr r12, [r10, #{limit}]",
    "sub r12, r12, #1",
    "ldr r9, [r10, #{fuel}]",
    "pop {{r3, pc}}",
    // r0: a trap's number; the place is that of the call
    ".thumb_func",
    "wisp.t.failed:",
    "push {{r0, r1}}",
    "mov r0, r10",
    "mov r1, r7",
    "ldr r2, [sp, #12]",
    "add r3, sp, #16",
    "bl {failed}",
    "pop {{r0, r1}}",
    "b wisp.t.exit",
    ".thumb_func",
    "wisp.t.deopt:",
    "push.w {{r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, lr}}",
    "str r9, [r10, #{fuel}]",
    "mov r0, r10",
    "mov r1, sp",
    "bl {deopt}",
    "cmp r0, #0",
    "bne wisp.t.exit",
    "ldrd r0, r1, [r7]",
    "ldr r9, [r10, #{fuel}]",
    "ldr r2, [sp, #48]",
    "ldr lr, [sp, #52]",
    "add r3, sp, #12",
    "ldm r3, {{r3, r4, r5, r6}}",
    "ldr r8, [sp, #32]",
    "mov sp, r2",
    "ldr r12, [r10, #{limit}]",
    "sub r12, r12, #1",
    "bx lr",
    ".thumb_func",
    "wisp.t.refill:",
    "push {{r3, lr}}",
    "mov r0, r10",
    "mov r1, r7",
    "mov r2, lr",
    "add r3, sp, #8",
    "bl {refill}",
    "str r0, [r10, #{fuel}]",
    "cmp r0, #0",
    "bge wisp.t.back",
    // the place is known already
    "rsbs r0, r0, #0",
    "movs r1, #0",
    "str r1, [r10, #{fuel}]",
    "b wisp.t.exit",
    ".thumb_func",
    "wisp.t.overflow:",
    "push {{r3, lr}}",
    "str r9, [r10, #{fuel}]",
    "movs r0, #{StackOverflow}",
    "b wisp.t.failed",
    // r1: number of the import, r2: where the callee's frame begins
    ".thumb_func",
    "wisp.t.import:",
    "push {{r3, lr}}",
    "ldr r0, [r10, #{imports}]",
    "str r9, [r10, #{fuel}]",
    "str lr, [r10, #{ip}]",
    "str r7, [r10, #{fp}]",
    "add r0, r0, r1, lsl #4",
    "adds r1, r7, r2",
    "ldrd r12, r2, [r0]",
    "mov r0, r10",
    "blx r12",
    "cmp r0, #0",
    "beq wisp.t.back",
    "b wisp.t.failed",
    // r1: index, r2: type, and the table in the upper half
    ".thumb_func",
    "wisp.t.indirect:",
    "ldr r12, [r10, #{tables}]",
    "lsrs r0, r2, #16",
    "ldr r12, [r12, r0, lsl #2]",
    "ldr r0, [r12, #4]",
    "cmp r1, r0",
    "bhs 1f",
    "ldr r12, [r12]",
    "ldr r12, [r12, r1, lsl #2]",
    "ldr r0, [r10, #{first_reference}]",
    "sub r12, r12, r0",
    "ldr r0, [r10, #{function_count}]",
    "cmp r12, r0",
    "bhs 1f",
    "ldr r0, [r10, #{functions}]",
    "add r0, r0, r12, lsl #3",
    "ldrh r0, [r0, #4]",
    "eors r0, r2",
    "lsls r0, r0, #16",
    "bne 1f",
    "ldr r0, [r10, #{entries}]",
    "ldr r0, [r0, r12, lsl #2]",
    "cbz r0, 1f",
    "ldr r12, [r10, #{limit}]",
    "sub r12, r12, #1",
    "bx r0",
    "1:",
    "push {{r3, lr}}",
    "push {{r1, r2}}",
    "str r9, [r10, #{fuel}]",
    "add r0, sp, #16",
    "mov r3, lr",
    "push {{r0, r1}}",
    "mov r0, r10",
    "add r1, sp, #8",
    "mov r2, r7",
    "bl {indirect}",
    "add sp, #16",
    "b 3f",
    // r1: code offset
    ".thumb_func",
    "wisp.t.interpret:",
    "push {{r3, lr}}",
    "str r9, [r10, #{fuel}]",
    "add r0, sp, #8",
    "mov r3, lr",
    "push {{r0, r2}}",
    "mov r0, r10",
    "mov r2, r7",
    "bl {interpret}",
    "add sp, #8",
    "3:",
    "cmp r0, #0",
    "bne wisp.t.exit",
    "ldrd r0, r1, [r7]",
    "b wisp.t.back",
    // r1: code offset
    ".thumb_func",
    "wisp.t.escape:",
    "push {{r3, lr}}",
    "ldr r0, [r10, #{code}]",
    "str r9, [r10, #{fuel}]",
    "add r0, r1",
    "str r0, [r10, #{ip}]",
    "str r7, [r10, #{fp}]",
    "mov r0, r10",
    "bl {escape}",
    "mov r2, r0",
    "mov r0, r1",
    "cmp r2, #0",
    "beq wisp.t.back",
    "push {{r1, r2}}",
    "mov r0, r10",
    "mov r1, r7",
    "ldr r2, [sp, #12]",
    "add r3, sp, #16",
    "bl {failed_there}",
    "pop {{r1, r2}}",
    "mov r0, r2",
    "b wisp.t.exit",
    ".thumb_func",
    "wisp.t.popcnt:",
    "push.w {{r2, r3, r12, lr}}",
    "bl {popcnt}",
    "pop.w {{r2, r3, r12, pc}}",
    ".popsection",
    ".pushsection .rodata.wisp_translated, \"a\", %progbits",
    ".p2align 2",
    ".globl wisp_translated_helpers",
    "wisp_translated_helpers:",
    ".word wisp.t.deopt, wisp.t.refill, wisp.t.overflow, wisp.t.import",
    ".word wisp.t.indirect, wisp.t.escape, wisp.t.interpret, wisp.t.popcnt",
    ".popsection",
    ;
);

#[cfg(feature = "float")]
assemble_floats!(
    ".syntax unified",
    ".thumb",
    ".pushsection .text.wisp_translated_floats, \"ax\", %progbits",
    float_names! {
        "fadd" => "__aeabi_fadd", "fsub" => "__aeabi_fsub", "fmul" => "__aeabi_fmul", "fdiv" => "__aeabi_fdiv",
        "fcmpeq" => "__aeabi_fcmpeq", "fcmplt" => "__aeabi_fcmplt", "fcmple" => "__aeabi_fcmple",
        "i2f" => "__aeabi_i2f", "ui2f" => "__aeabi_ui2f", "l2f" => "__aeabi_l2f", "ul2f" => "__aeabi_ul2f",
        "i2d" => "__aeabi_i2d", "ui2d" => "__aeabi_ui2d", "l2d" => "__aeabi_l2d", "ul2d" => "__aeabi_ul2d",
        "d2f" => "__aeabi_d2f",
        "f2d" => "{f64_promote_f32}", "f2iz" => "{i32_trunc_sat_f32_s}", "f2uiz" => "{i32_trunc_sat_f32_u}",
        "d2iz" => "{i32_trunc_sat_f64_s}", "d2uiz" => "{i32_trunc_sat_f64_u}",
    },
    double_names! {
        "dadd" => "__aeabi_dadd", "dsub" => "__aeabi_dsub", "dmul" => "__aeabi_dmul", "ddiv" => "__aeabi_ddiv",
        "dcmpeq" => "__aeabi_dcmpeq", "dcmplt" => "__aeabi_dcmplt", "dcmple" => "__aeabi_dcmple",
    },
    ".popsection",
    ".pushsection .rodata.wisp_translated_floats, \"a\", %progbits",
    ".p2align 2",
    ".globl wisp_translated_floats",
    "wisp_translated_floats:",
    ".word wisp.t.fadd, wisp.t.fsub, wisp.t.fmul, wisp.t.fdiv, wisp.t.fcmpeq, wisp.t.fcmplt, wisp.t.fcmple",
    ".word wisp.t.dadd, wisp.t.dsub, wisp.t.dmul, wisp.t.ddiv, wisp.t.dcmpeq, wisp.t.dcmplt, wisp.t.dcmple",
    ".word wisp.t.i2f, wisp.t.ui2f, wisp.t.l2f, wisp.t.ul2f, wisp.t.i2d, wisp.t.ui2d, wisp.t.l2d, wisp.t.ul2d",
    ".word wisp.t.d2f, wisp.t.f2d, wisp.t.f2iz, wisp.t.f2uiz, wisp.t.d2iz, wisp.t.d2uiz",
    ".popsection",
);

/// Adds nothing: the processor has instructions for what the other helpers do.
pub fn more_helpers(_: &mut [u32; Helper::COUNT]) {}

/// Makes code that was written visible to the processor.
pub fn synchronise() {
    // SAFETY: barriers change no state that the compiler knows of.
    unsafe { core::arch::asm!("dsb", "isb", options(nostack, preserves_flags)) };
}

// SPDX-License-Identifier: Apache-2.0
//! Entry to translated code on RISC-V with registers of 32 bits, the way out of a trap, and the helpers: they lead to
//! functions in Rust and of the library with the registers that code wants kept.
//!
//! [`enter`](super::common::enter) saves what a callee has to preserve, notes the stack pointer in the instance, and
//! clears the registers of slots, so that a slot that is read before it is written holds nothing of the host. Of these
//! registers only a5 is not preserved by functions of the host. The helpers save it.

use wisp_translate::isa::Reg;
use wisp_translate::Helper;

use super::common::assemble;
#[cfg(feature = "float")]
use super::common::assemble_floats;
use super::{clz, ctz};

/// The instruction set.
pub type Isa = wisp_translate::riscv::Riscv;

/// The first of the registers that `wisp.t.deopt` saves, which is s0.
const FIRST: u8 = 8;

/// The registers that `wisp.t.deopt` saves, and behind them the native stack of the function.
#[repr(C)]
pub struct Registers {
    numbers: [u32; 20],
    pub returns: u32,
    /// The stack pointer to go on with.
    stack: u32,
    /// The stack stays aligned to 16 bytes.
    filler: [u32; 2],
}

impl Registers {
    /// Returns the value of a register.
    pub fn get(&self, register: Reg) -> u32 {
        // the register that is zero is none of them
        self.numbers.get(usize::from(register.0.wrapping_sub(FIRST))).copied().unwrap_or(0)
    }

    /// Changes the value of a register.
    pub fn set(&mut self, register: Reg, value: u32) {
        if let Some(number) = self.numbers.get_mut(usize::from(register.0.wrapping_sub(FIRST))) {
            *number = value;
        }
    }

    /// Says where the native stack of the function's caller lies.
    pub fn set_stack(&mut self, stack: *const u32) {
        self.stack = stack.addr() as u32;
    }
}

/// Helpers that call a function and hand on what it returns. The third text is done with that before.
macro_rules! functions {
    ($($name:literal => $function:literal $and:literal,)*) => {
        concat!($(
            "wisp.t.", $name, ":\n addi sp, sp, -16\n sw a5, 8(sp)\n sw ra, 12(sp)\n call ", $function, "\n", $and,
            "\n lw a5, 8(sp)\n lw ra, 12(sp)\n addi sp, sp, 16\n ret\n",
        )*)
    };
}

/// Helpers that call a function of two doubles, of which the second lies in the frame.
#[cfg(feature = "float")]
macro_rules! doubles {
    ($($name:literal => $function:literal $and:literal,)*) => {
        concat!($(
            "wisp.t.", $name, ":\n addi sp, sp, -16\n sw a5, 8(sp)\n sw ra, 12(sp)\n add a3, s0, a2\n lw a2, 0(a3)\n",
            " lw a3, 4(a3)\n call ", $function, "\n", $and, "\n lw a5, 8(sp)\n lw ra, 12(sp)\n addi sp, sp, 16\n ret\n",
        )*)
    };
}

assemble!(
    ".pushsection .text.wisp_translated, \"ax\", @progbits",
    ".balign 4",
    // wisp_translated_enter(ctx, entry, slots, results) -> 0 or the number of a trap
    ".globl wisp_translated_enter",
    ".type wisp_translated_enter, @function",
    "wisp_translated_enter:",
    "addi sp, sp, -64",
    "sw s0, 0(sp)",
    "sw s1, 4(sp)",
    "sw s2, 8(sp)",
    "sw s3, 12(sp)",
    "sw s4, 16(sp)",
    "sw s5, 20(sp)",
    "sw s6, 24(sp)",
    "sw s7, 28(sp)",
    "sw s8, 32(sp)",
    "sw s9, 36(sp)",
    "sw s10, 40(sp)",
    "sw s11, 44(sp)",
    "sw ra, 48(sp)",
    "lw t1, {unwind}(a0)",
    "sw a3, 52(sp)",
    "sw t1, 56(sp)",
    "mv s9, a0",
    "mv s0, a2",
    "sw sp, {unwind}(a0)",
    "lw s11, 0(a0)",
    "lw s8, {fuel}(a0)",
    "lw s10, {limit}(a0)",
    "addi s10, s10, -1",
    "li s1, 0",
    "li a5, 0",
    "li s2, 0",
    "li s3, 0",
    "li s4, 0",
    "li s5, 0",
    "li s6, 0",
    "li s7, 0",
    "jalr a1",
    "lw a2, 52(sp)",
    "beqz a2, 1f",
    "sw a0, 0(s0)",
    "addi a2, a2, -2",
    "bnez a2, 1f",
    "sw a1, 4(s0)",
    "1:",
    "li a0, 0",
    "sw s8, {fuel}(s9)",
    // a0: 0 or the number of a trap; units of fuel are in the instance
    "2:",
    "lw t1, 56(sp)",
    "sw t1, {unwind}(s9)",
    "lw s0, 0(sp)",
    "lw s1, 4(sp)",
    "lw s2, 8(sp)",
    "lw s3, 12(sp)",
    "lw s4, 16(sp)",
    "lw s5, 20(sp)",
    "lw s6, 24(sp)",
    "lw s7, 28(sp)",
    "lw s8, 32(sp)",
    "lw s9, 36(sp)",
    "lw s10, 40(sp)",
    "lw s11, 44(sp)",
    "lw ra, 48(sp)",
    "addi sp, sp, 64",
    "ret",
    "wisp.t.exit:",
    "lw sp, {unwind}(s9)",
    "j 2b",
    // a5 and the return address lie on the stack, and behind them what the function keeps
    "wisp.t.back:",
    "lw s10, {limit}(s9)",
    "addi s10, s10, -1",
    "lw s8, {fuel}(s9)",
    "lw a5, 8(sp)",
    "lw ra, 12(sp)",
    "addi sp, sp, 16",
    "ret",
    // a0: a trap's number; the place is that of the call
    "wisp.t.failed:",
    "sw a0, 0(sp)",
    "mv a0, s9",
    "mv a1, s0",
    "lw a2, 12(sp)",
    "addi a3, sp, 16",
    "call {failed}",
    "lw a0, 0(sp)",
    "j wisp.t.exit",
    "wisp.t.deopt:",
    "addi sp, sp, -96",
    "sw s0, 0(sp)",
    "sw s1, 4(sp)",
    "sw a0, 8(sp)",
    "sw a1, 12(sp)",
    "sw a2, 16(sp)",
    "sw a3, 20(sp)",
    "sw a4, 24(sp)",
    "sw a5, 28(sp)",
    "sw a6, 32(sp)",
    "sw a7, 36(sp)",
    "sw s2, 40(sp)",
    "sw s3, 44(sp)",
    "sw s4, 48(sp)",
    "sw s5, 52(sp)",
    "sw s6, 56(sp)",
    "sw s7, 60(sp)",
    "sw s8, 64(sp)",
    "sw s9, 68(sp)",
    "sw s10, 72(sp)",
    "sw s11, 76(sp)",
    "sw ra, 80(sp)",
    "sw s8, {fuel}(s9)",
    "mv a0, s9",
    "mv a1, sp",
    "call {deopt}",
    "bnez a0, wisp.t.exit",
    "lw a0, 0(s0)",
    "lw a1, 4(s0)",
    "lw s8, {fuel}(s9)",
    "lw s10, {limit}(s9)",
    "addi s10, s10, -1",
    "lw s1, 4(sp)",
    "lw a5, 28(sp)",
    "lw s2, 40(sp)",
    "lw s3, 44(sp)",
    "lw s4, 48(sp)",
    "lw s5, 52(sp)",
    "lw s6, 56(sp)",
    "lw s7, 60(sp)",
    "lw ra, 80(sp)",
    "lw sp, 84(sp)",
    "ret",
    "wisp.t.refill:",
    "addi sp, sp, -16",
    "sw a5, 8(sp)",
    "sw ra, 12(sp)",
    "mv a0, s9",
    "mv a1, s0",
    "mv a2, ra",
    "addi a3, sp, 16",
    "call {refill}",
    "sw a0, {fuel}(s9)",
    "bgez a0, wisp.t.back",
    // the place is known already
    "neg a0, a0",
    "sw zero, {fuel}(s9)",
    "j wisp.t.exit",
    "wisp.t.overflow:",
    "addi sp, sp, -16",
    "sw a5, 8(sp)",
    "sw ra, 12(sp)",
    "sw s8, {fuel}(s9)",
    "li a0, {StackOverflow}",
    "j wisp.t.failed",
    // a1: number of the import, a2: where the callee's frame begins
    "wisp.t.import:",
    "addi sp, sp, -16",
    "sw a5, 8(sp)",
    "sw ra, 12(sp)",
    "lw a0, {imports}(s9)",
    "sw s8, {fuel}(s9)",
    "sw ra, {ip}(s9)",
    "sw s0, {fp}(s9)",
    "slli a1, a1, 4",
    "add a0, a0, a1",
    "add a1, s0, a2",
    "lw t1, 0(a0)",
    "lw a2, 4(a0)",
    "mv a0, s9",
    "jalr t1",
    "beqz a0, wisp.t.back",
    "j wisp.t.failed",
    // a1: index, a2: type, and the table in the upper half
    "wisp.t.indirect:",
    "lw t1, {tables}(s9)",
    "srli t2, a2, 16",
    "slli t2, t2, 2",
    "add t1, t1, t2",
    "lw t1, 0(t1)",
    "lw t2, 4(t1)",
    "bgeu a1, t2, 1f",
    "lw t1, 0(t1)",
    "slli t2, a1, 2",
    "add t1, t1, t2",
    "lw t1, 0(t1)",
    "lw t2, {first_reference}(s9)",
    "sub t1, t1, t2",
    "lw t2, {function_count}(s9)",
    "bgeu t1, t2, 1f",
    "lw t2, {functions}(s9)",
    "slli a0, t1, 3",
    "add t2, t2, a0",
    "lhu t2, 4(t2)",
    "xor t2, t2, a2",
    "slli t2, t2, 16",
    "bnez t2, 1f",
    "lw t2, {entries}(s9)",
    "slli t1, t1, 2",
    "add t2, t2, t1",
    "lw t2, 0(t2)",
    "beqz t2, 1f",
    "jr t2",
    "1:",
    "addi sp, sp, -32",
    "sw a1, 0(sp)",
    "sw a2, 4(sp)",
    "sw a5, 24(sp)",
    "sw ra, 28(sp)",
    "sw s8, {fuel}(s9)",
    "mv a0, s9",
    "mv a1, sp",
    "mv a2, s0",
    "mv a3, ra",
    "addi a4, sp, 32",
    "call {indirect}",
    "addi sp, sp, 16",
    "j 3f",
    // a1: code offset
    "wisp.t.interpret:",
    "addi sp, sp, -16",
    "sw a5, 8(sp)",
    "sw ra, 12(sp)",
    "sw s8, {fuel}(s9)",
    "mv a0, s9",
    "mv a2, s0",
    "mv a3, ra",
    "addi a4, sp, 16",
    "call {interpret}",
    "3:",
    "bnez a0, wisp.t.exit",
    "lw a0, 0(s0)",
    "lw a1, 4(s0)",
    "j wisp.t.back",
    // a1: code offset
    "wisp.t.escape:",
    "addi sp, sp, -16",
    "sw a5, 8(sp)",
    "sw ra, 12(sp)",
    "lw a0, {code}(s9)",
    "sw s8, {fuel}(s9)",
    "add a0, a0, a1",
    "sw a0, {ip}(s9)",
    "sw s0, {fp}(s9)",
    "mv a0, s9",
    "call {escape}",
    "mv a2, a0",
    "mv a0, a1",
    "beqz a2, wisp.t.back",
    "sw a2, 0(sp)",
    "mv a0, s9",
    "mv a1, s0",
    "lw a2, 12(sp)",
    "addi a3, sp, 16",
    "call {failed_there}",
    "lw a0, 0(sp)",
    "j wisp.t.exit",
    // accesses by bytes: t1 has the address, t6 the value, t0 the return address
    "wisp.t.lhu:",
    "lbu t6, 0(t1)",
    "lbu t4, 1(t1)",
    "slli t4, t4, 8",
    "or t6, t6, t4",
    "jr t0",
    "wisp.t.lh:",
    "lbu t6, 0(t1)",
    "lb t4, 1(t1)",
    "slli t4, t4, 8",
    "or t6, t6, t4",
    "jr t0",
    "wisp.t.lw:",
    "lbu t6, 0(t1)",
    "lbu t4, 1(t1)",
    "slli t4, t4, 8",
    "or t6, t6, t4",
    "lbu t4, 2(t1)",
    "slli t4, t4, 16",
    "or t6, t6, t4",
    "lbu t4, 3(t1)",
    "slli t4, t4, 24",
    "or t6, t6, t4",
    "jr t0",
    "wisp.t.sw:",
    "srli t4, t6, 16",
    "sb t4, 2(t1)",
    "srli t4, t6, 24",
    "sb t4, 3(t1)",
    "wisp.t.sh:",
    "srli t4, t6, 8",
    "sb t6, 0(t1)",
    "sb t4, 1(t1)",
    "jr t0",
    functions! { "popcnt" => "{popcnt}" "", "clz" => "{clz}" "", "ctz" => "{ctz}" "", },
    ".popsection",
    ".pushsection .rodata.wisp_translated, \"a\", @progbits",
    ".p2align 2",
    ".globl wisp_translated_helpers",
    "wisp_translated_helpers:",
    ".word wisp.t.deopt, wisp.t.refill, wisp.t.overflow, wisp.t.import",
    ".word wisp.t.indirect, wisp.t.escape, wisp.t.interpret, wisp.t.popcnt",
    ".globl wisp_translated_bits",
    "wisp_translated_bits:",
    ".word wisp.t.clz, wisp.t.ctz",
    ".globl wisp_translated_accesses",
    "wisp_translated_accesses:",
    ".word wisp.t.lhu, wisp.t.lh, wisp.t.lw, wisp.t.sh, wisp.t.sw",
    ".popsection",
    ;
    clz, ctz,
);

const _: () = assert!(size_of::<Registers>() == 96);

#[cfg(feature = "float")]
assemble_floats!(
    ".pushsection .text.wisp_translated_floats, \"ax\", @progbits",
    functions! {
        "fadd" => "__addsf3" "", "fsub" => "__subsf3" "", "fmul" => "__mulsf3" "", "fdiv" => "__divsf3" "",
        "feq" => "__eqsf2" "seqz a0, a0", "flt" => "__ltsf2" "sltz a0, a0", "fle" => "__lesf2" "slti a0, a0, 1",
        "i2f" => "__floatsisf" "", "ui2f" => "__floatunsisf" "", "l2f" => "__floatdisf" "",
        "ul2f" => "__floatundisf" "", "i2d" => "__floatsidf" "", "ui2d" => "__floatunsidf" "",
        "l2d" => "__floatdidf" "", "ul2d" => "__floatundidf" "", "d2f" => "__truncdfsf2" "",
        "f2d" => "{f64_promote_f32}" "", "f2iz" => "{i32_trunc_sat_f32_s}" "", "f2uiz" => "{i32_trunc_sat_f32_u}" "",
        "d2iz" => "{i32_trunc_sat_f64_s}" "", "d2uiz" => "{i32_trunc_sat_f64_u}" "",
    },
    doubles! {
        "dadd" => "__adddf3" "", "dsub" => "__subdf3" "", "dmul" => "__muldf3" "", "ddiv" => "__divdf3" "",
        "deq" => "__eqdf2" "seqz a0, a0", "dlt" => "__ltdf2" "sltz a0, a0", "dle" => "__ledf2" "slti a0, a0, 1",
    },
    ".popsection",
    ".pushsection .rodata.wisp_translated_floats, \"a\", @progbits",
    ".p2align 2",
    ".globl wisp_translated_floats",
    "wisp_translated_floats:",
    ".word wisp.t.fadd, wisp.t.fsub, wisp.t.fmul, wisp.t.fdiv, wisp.t.feq, wisp.t.flt, wisp.t.fle",
    ".word wisp.t.dadd, wisp.t.dsub, wisp.t.dmul, wisp.t.ddiv, wisp.t.deq, wisp.t.dlt, wisp.t.dle",
    ".word wisp.t.i2f, wisp.t.ui2f, wisp.t.l2f, wisp.t.ul2f, wisp.t.i2d, wisp.t.ui2d, wisp.t.l2d, wisp.t.ul2d",
    ".word wisp.t.d2f, wisp.t.f2d, wisp.t.f2iz, wisp.t.f2uiz, wisp.t.d2iz, wisp.t.d2uiz",
    ".popsection",
);

/// The helpers that count bits, and the last ones, which access memory.
const BITS: usize = Helper::Clz as usize;
const ACCESSES: usize = Helper::LoadHalf as usize;

extern "C" {
    static wisp_translated_bits: [u32; 2];
    static wisp_translated_accesses: [u32; Helper::COUNT - ACCESSES];
}

/// Adds the addresses of the helpers that do what other processors have instructions for.
pub fn more_helpers(addresses: &mut [u32; Helper::COUNT]) {
    // SAFETY: the text above has these tables, and nobody writes them.
    unsafe {
        addresses[BITS..BITS + 2].copy_from_slice(&wisp_translated_bits);
        addresses[ACCESSES..].copy_from_slice(&wisp_translated_accesses);
    }
}

/// Makes code that was written visible to the processor.
pub fn synchronise() {
    // SAFETY: fence.i changes no state that the compiler knows of. It is written as a number, because compilers do not
    // know whether the processor has it.
    unsafe { core::arch::asm!(".4byte 0x0000100f", options(nostack, preserves_flags)) };
}

// SPDX-License-Identifier: Apache-2.0
//! 64-bit values in a0 and a1, and in a2 and a3.

use super::encode::{self, ADD, AND, MUL, MULHU, OR, SLL, SLTU, SRA, SRL, SUB, XOR, ZERO};
use super::{over, Test, A0, A1, A2, A3, T1, T2};
use crate::isa::{Bin, Cond, Reg, Val};
use crate::out::Out;

/// Writes `a0, a1 = a0, a1 op a2, a3`.
pub fn bin(out: &mut Out<'_>, op: Bin) {
    let both = match op {
        Bin::Add => {
            encode::op(out, ADD, A0, A0, A2);
            encode::op(out, SLTU, T1, A0, A2);
            encode::op(out, ADD, A1, A1, A3);
            return encode::op(out, ADD, A1, A1, T1);
        }
        Bin::Sub => {
            encode::op(out, SLTU, T1, A0, A2);
            encode::op(out, SUB, A0, A0, A2);
            encode::op(out, SUB, A1, A1, A3);
            return encode::op(out, SUB, A1, A1, T1);
        }
        Bin::Mul => {
            encode::op(out, MUL, A1, A1, A2);
            encode::op(out, MUL, A3, A3, A0);
            encode::op(out, ADD, A1, A1, A3);
            encode::op(out, MULHU, A3, A0, A2);
            encode::op(out, ADD, A1, A1, A3);
            return encode::op(out, MUL, A0, A0, A2);
        }
        Bin::And => AND,
        Bin::Or => OR,
        _ => XOR,
    };
    encode::op(out, both, A0, A0, A2);
    encode::op(out, both, A1, A1, A3);
}

/// Writes `a0, a1 = a0, a1 shifted by n`.
pub fn shift(out: &mut Out<'_>, op: Bin, n: u32) {
    if op == Bin::Rotr {
        return rotate(out, n);
    }
    let (from, to, main, gain, carry) = directions(op);
    if n >= 32 {
        encode::shift(out, main, to, from, n - 32);
        return fill(out, op, from);
    }
    encode::shift(out, gain, to, to, n);
    encode::shift(out, carry, T1, from, 32 - n);
    encode::op(out, OR, to, to, T1);
    encode::shift(out, main, from, from, n);
}

/// Bits go from the first to the second register. Follow the shift of the first, that of the second, and the shift of the
/// bits that go from one to the other.
fn directions(op: Bin) -> (Reg, Reg, encode::Op, encode::Op, encode::Op) {
    match op {
        Bin::Shl => (A0, A1, SLL, SLL, SRL),
        Bin::ShrU => (A1, A0, SRL, SRL, SLL),
        _ => (A1, A0, SRA, SRL, SLL),
    }
}

/// Zeros, or signs, follow the bits that have left a register.
fn fill(out: &mut Out<'_>, op: Bin, from: Reg) {
    match op {
        Bin::ShrS => encode::shift(out, SRA, from, from, 31),
        _ => encode::mv(out, from, ZERO),
    }
}

/// Rotates to the right.
fn rotate(out: &mut Out<'_>, n: u32) {
    if n >= 32 {
        swap(out);
    }
    let n = n & 31;
    if n != 0 {
        encode::shift(out, SLL, T1, A1, 32 - n);
        encode::shift(out, SLL, T2, A0, 32 - n);
        encode::shift(out, SRL, A0, A0, n);
        encode::shift(out, SRL, A1, A1, n);
        encode::op(out, OR, A0, A0, T1);
        encode::op(out, OR, A1, A1, T2);
    }
}

fn swap(out: &mut Out<'_>) {
    encode::mv(out, T1, A0);
    encode::mv(out, A0, A1);
    encode::mv(out, A1, T1);
}

/// Returns the test whether bit 5 of the count in a2 has this value.
fn halves(out: &mut Out<'_>, set: bool) -> Test {
    encode::shift(out, SLL, T1, A2, 26);
    Test { cond: if set { Cond::LtS } else { Cond::GeS }, x: T1, y: Val::Imm(0) }
}

/// Writes `a0, a1 = a0, a1 shifted by a2`.
pub fn shift_by(out: &mut Out<'_>, op: Bin) {
    if matches!(op, Bin::Rotl | Bin::Rotr) {
        return rotate_by(out, op == Bin::Rotl);
    }
    let (from, to, main, gain, carry) = directions(op);
    // the processor takes counts modulo 32
    let far = halves(out, true);
    let near = |out: &mut Out<'_>| {
        // by 32 less the count, in two steps: the count may be 0
        encode::op_imm(out, XOR, T2, A2, u32::MAX);
        encode::shift(out, carry, T1, from, 1);
        encode::op(out, carry, T1, T1, T2);
        encode::op(out, gain, to, to, A2);
        encode::op(out, OR, to, to, T1);
        encode::op(out, main, from, from, A2);
    };
    super::either(out, far, near, |out| {
        encode::op(out, main, to, from, A2);
        fill(out, op, from);
    });
}

/// Writes `a0, a1 = a0, a1 rotated by a2`.
fn rotate_by(out: &mut Out<'_>, left: bool) {
    if left {
        encode::op(out, SUB, A2, ZERO, A2);
    }
    let near = halves(out, false);
    over(out, near, swap);
    encode::op_imm(out, XOR, T2, A2, u32::MAX);
    encode::shift(out, SLL, T1, A1, 1);
    encode::op(out, SLL, T1, T1, T2);
    encode::shift(out, SLL, A3, A0, 1);
    encode::op(out, SLL, A3, A3, T2);
    encode::op(out, SRL, A0, A0, A2);
    encode::op(out, OR, A0, A0, T1);
    encode::op(out, SRL, A1, A1, A2);
    encode::op(out, OR, A1, A1, A3);
}

/// Compares a0, a1 with a2, a3.
pub fn compare(out: &mut Out<'_>, cond: Cond) -> Test {
    if matches!(cond, Cond::Eq | Cond::Ne) {
        encode::op(out, XOR, A0, A0, A2);
        encode::op(out, XOR, A1, A1, A3);
        encode::op(out, OR, A0, A0, A1);
        return Test { cond, x: A0, y: Val::Imm(0) };
    }
    let signed = matches!(cond, Cond::LtS | Cond::GeS);
    encode::op(out, SLTU, T1, A0, A2);
    over(out, Test { cond: Cond::Eq, x: A1, y: Val::Reg(A3) }, |out| {
        encode::op(out, if signed { encode::SLT } else { SLTU }, T1, A1, A3);
    });
    let less = matches!(cond, Cond::LtS | Cond::LtU);
    Test { cond: if less { Cond::Ne } else { Cond::Eq }, x: T1, y: Val::Imm(0) }
}

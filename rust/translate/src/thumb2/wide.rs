// SPDX-License-Identifier: Apache-2.0
//! 64-bit values in r0 and r1, and in r2 and lr.

use super::encode::{self, cc, dp, sh, LR, PC};
use super::{R0, R1, R2};
use crate::isa::Bin;
use crate::out::Out;
use crate::thumb::directions;

/// Writes `r0, r1 = r0, r1 op r2, lr`.
pub fn bin(out: &mut Out<'_>, op: Bin) {
    let (short, wide) = match op {
        Bin::Add => {
            encode::add_low(out, false, R0, R0, R2);
            return encode::data(out, dp::ADC, true, R1, R1, (LR, 0, 0));
        }
        Bin::Sub => {
            encode::add_low(out, true, R0, R0, R2);
            return encode::data(out, dp::SBC, true, R1, R1, (LR, 0, 0));
        }
        Bin::Mul => {
            encode::multiply(out, LR, R0, LR, None, false);
            encode::multiply(out, LR, R2, R1, Some(LR), false);
            encode::multiply_long(out, false, (R0, R1), R0, R2);
            return encode::add_any(out, R1, LR);
        }
        Bin::And => (0, dp::AND),
        Bin::Or => (12, dp::ORR),
        _ => (1, dp::EOR),
    };
    encode::alu(out, short, R0, R2);
    encode::data(out, wide, true, R1, R1, (LR, 0, 0));
}

/// Writes `r0, r1 = r0, r1 shifted by n`.
pub fn shift(out: &mut Out<'_>, op: Bin, n: u16) {
    if op == Bin::Rotr {
        return rotate(out, n);
    }
    let (from, to, main, gain, carry) = directions(op);
    if n >= 32 {
        match n {
            32 => encode::mov(out, to, from),
            _ => encode::shift_imm(out, main, to, from, n - 32),
        }
        return match op {
            Bin::ShrS => encode::shift_imm(out, sh::ASR, R1, R1, 31),
            _ => encode::imm_8(out, 0, from, 0),
        };
    }
    encode::shift_imm(out, gain, to, to, n);
    encode::data(out, dp::ORR, false, to, to, (from, carry, 32 - n));
    encode::shift_imm(out, main, from, from, n);
}

/// Rotates to the right.
fn rotate(out: &mut Out<'_>, n: u16) {
    if n >= 32 {
        encode::mov(out, R2, R0);
        encode::mov(out, R0, R1);
        encode::mov(out, R1, R2);
    }
    let n = n & 31;
    if n != 0 {
        encode::mov(out, R2, R0);
        encode::shift_imm(out, sh::LSR, R0, R0, n);
        encode::data(out, dp::ORR, false, R0, R0, (R1, sh::LSL, 32 - n));
        encode::shift_imm(out, sh::LSR, R1, R1, n);
        encode::data(out, dp::ORR, false, R1, R1, (R2, sh::LSL, 32 - n));
    }
}

/// Writes a forward branch over what `body` writes.
fn skip(out: &mut Out<'_>, condition: Option<u8>, body: impl FnOnce(&mut Out<'_>)) {
    let at = out.at();
    out.half(0);
    body(out);
    let end = out.at();
    out.patch(at, |out| encode::branch_short(out, condition, end));
}

/// Writes `r0, r1 = r0, r1 shifted by r2`.
pub fn shift_by(out: &mut Out<'_>, op: Bin) {
    if matches!(op, Bin::Rotl | Bin::Rotr) {
        return rotate_by(out, op == Bin::Rotl);
    }
    let (from, to, main, gain, carry) = directions(op);
    encode::data_imm(out, dp::AND, false, R2, R2, 63);
    encode::data_imm(out, dp::RSB, true, LR, R2, 32);
    let at = out.at();
    out.half(0);
    // by 32 or less: shifting by 32 gives 0
    encode::shift_reg(out, gain, to, to, R2);
    encode::shift_reg(out, carry, LR, from, LR);
    encode::data(out, dp::ORR, false, to, to, (LR, 0, 0));
    encode::shift_reg(out, main, from, from, R2);
    skip(out, None, |out| {
        let here = out.at();
        out.patch(at, |out| encode::branch_short(out, Some(cc::MI), here));
        encode::imm_8(out, 3, R2, 32);
        encode::mov(out, to, from);
        encode::shift_reg(out, main, to, to, R2);
        match op {
            Bin::ShrS => encode::shift_imm(out, sh::ASR, R1, R1, 31),
            _ => encode::imm_8(out, 0, from, 0),
        }
    });
}

/// Writes `r0, r1 = r0, r1 rotated by r2`.
fn rotate_by(out: &mut Out<'_>, left: bool) {
    if left {
        encode::alu(out, 9, R2, R2);
    }
    // bit 5 of the count changes the halves
    encode::shift_imm(out, sh::LSL, LR, R2, 26);
    skip(out, Some(cc::PL), |out| {
        encode::mov(out, LR, R0);
        encode::mov(out, R0, R1);
        encode::mov(out, R1, LR);
    });
    // both halves rotated by themselves have the right bits, but for those that change the halves: the upper ones
    encode::data_imm(out, dp::AND, false, R2, R2, 31);
    encode::shift_reg(out, sh::ROR, R0, R0, R2);
    encode::shift_reg(out, sh::ROR, R1, R1, R2);
    encode::data_imm(out, dp::ORN, false, LR, PC, 0);
    encode::shift_reg(out, sh::LSR, LR, LR, R2);
    encode::data(out, dp::EOR, false, R2, R0, (R1, 0, 0));
    encode::data(out, dp::BIC, false, R2, R2, (LR, 0, 0));
    encode::alu(out, 1, R0, R2);
    encode::alu(out, 1, R1, R2);
}

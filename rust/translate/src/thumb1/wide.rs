// SPDX-License-Identifier: Apache-2.0
//! 64-bit values in r0 and r1, and in r2 and r3.

use super::encode::{self, op, sh};
use super::{R0, R1, R2, R3};
use crate::isa::{Bin, Cond};
use crate::out::Out;
use crate::thumb::directions;

/// Writes `r0, r1 = r0, r1 op r2, r3`. False, and nothing, for a product.
pub fn bin(out: &mut Out<'_>, op: Bin) -> bool {
    let both = match op {
        Bin::Add => {
            encode::add_low(out, false, R0, R0, R2);
            encode::alu(out, op::ADC, R1, R3);
            return true;
        }
        Bin::Sub => {
            encode::add_low(out, true, R0, R0, R2);
            encode::alu(out, op::SBC, R1, R3);
            return true;
        }
        Bin::And => op::AND,
        Bin::Or => op::ORR,
        Bin::Xor => op::EOR,
        _ => return false,
    };
    encode::alu(out, both, R0, R2);
    encode::alu(out, both, R1, R3);
    true
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
    encode::shift_imm(out, carry, R2, from, 32 - n);
    encode::shift_imm(out, gain, to, to, n);
    encode::alu(out, op::ORR, to, R2);
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
        encode::shift_imm(out, sh::LSL, R2, R1, 32 - n);
        encode::shift_imm(out, sh::LSL, R3, R0, 32 - n);
        encode::shift_imm(out, sh::LSR, R0, R0, n);
        encode::shift_imm(out, sh::LSR, R1, R1, n);
        encode::alu(out, op::ORR, R0, R2);
        encode::alu(out, op::ORR, R1, R3);
    }
}

/// Compares r0, r1 with r2, r3: the flags tell.
pub fn compare(out: &mut Out<'_>, cond: Cond) {
    if matches!(cond, Cond::Eq | Cond::Ne) {
        encode::alu(out, op::EOR, R0, R2);
        encode::alu(out, op::EOR, R1, R3);
        encode::alu(out, op::ORR, R0, R1);
    } else {
        encode::add_low(out, true, R0, R0, R2);
        encode::alu(out, op::SBC, R1, R3);
    }
}

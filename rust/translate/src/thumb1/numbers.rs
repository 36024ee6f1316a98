// SPDX-License-Identifier: Apache-2.0
//! Numbers, and operations with them.

use super::encode::{self, op, sh};
use crate::isa::{Bin, Reg};
use crate::out::Out;
use crate::thumb2::encode::low;

/// The largest number that sums take in two instructions.
pub const SUM: u32 = 510;

/// Returns a byte and a shift of which a number is made.
fn shifted(v: u32) -> Option<(u16, u16)> {
    let zeros = v.trailing_zeros();
    let byte = v.checked_shr(zeros).filter(|&byte| byte < 256)?;
    Some((byte as u16, zeros as u16))
}

/// Returns a byte, a shift and a byte that is added, or subtracted, of which a number is made.
fn summed(v: u32) -> Option<((u16, u16), bool, u16)> {
    let (add, sub) = (v & 0xff, v.wrapping_neg() & 0xff);
    match (shifted(v - add), shifted(v.wrapping_add(sub))) {
        (Some(upper), _) => Some((upper, false, add as u16)),
        (None, Some(upper)) => Some((upper, true, sub as u16)),
        _ => None,
    }
}

/// Writes `d = v` in at most three instructions. Writes nothing and returns false if it takes more.
fn short_imm(out: &mut Out<'_>, d: Reg, v: u32) -> bool {
    if v < 256 {
        encode::imm_8(out, 0, d, v as u16);
    } else if v <= SUM {
        encode::imm_8(out, 0, d, 255);
        encode::imm_8(out, 2, d, (v - 255) as u16);
    } else if let Some((byte, zeros)) = shifted(v) {
        encode::imm_8(out, 0, d, byte);
        encode::shift_imm(out, sh::LSL, d, d, zeros);
    } else if let Some(((byte, zeros), minus, rest)) = summed(v) {
        encode::imm_8(out, 0, d, byte);
        // numbers below 256 are not here
        encode::shift_imm(out, sh::LSL, d, d, zeros.max(1));
        encode::imm_8(out, if minus { 3 } else { 2 }, d, rest);
    } else {
        return false;
    }
    true
}

/// Writes `d = x + v`. Returns true if it sets flags. The scratch register is used for large numbers with d and x the
/// same.
pub fn add(out: &mut Out<'_>, d: Reg, x: Reg, v: u32, t: Reg) -> bool {
    let (minus, size) = if (v as i32) < 0 { (true, v.wrapping_neg()) } else { (false, v) };
    let step = if minus { 3 } else { 2 };
    if size == 0 {
        if d != x {
            encode::mov(out, d, x);
        }
        return false;
    }
    if !low(d) {
        // units of fuel
        encode::mov(out, t, x);
        let flags = add(out, t, t, v, t);
        encode::mov(out, d, t);
        return flags;
    }
    if low(x) && size < 8 {
        encode::imm_3(out, minus, d, x, size as u16);
        return true;
    }
    if size <= if d == x { SUM } else { 255 } {
        if d != x {
            encode::mov(out, d, x);
        }
        if size > 255 {
            encode::imm_8(out, step, d, 255);
        }
        encode::imm_8(out, step, d, if size > 255 { size - 255 } else { size } as u16);
        return true;
    }
    let number = if d == x { t } else { d };
    if !low(x) {
        imm(out, number, v);
        encode::add_any(out, number, x);
        return false;
    }
    imm(out, number, size);
    encode::add_low(out, minus, d, x, number);
    true
}

/// Writes `d = x op v` for and, or, exclusive or. Returns true if it sets flags.
pub fn logic(out: &mut Out<'_>, op: Bin, d: Reg, x: Reg, v: u32, t: Reg) -> bool {
    let code = match op {
        Bin::And if v == 0xff || v == 0xffff => {
            encode::extend(out, if v == 0xff { 3 } else { 2 }, d, x);
            return false;
        }
        Bin::And if v >= 256 && v & v.wrapping_add(1) == 0 && v != u32::MAX => {
            let zeros = v.leading_zeros() as u16;
            encode::shift_imm(out, sh::LSL, d, x, zeros);
            encode::shift_imm(out, sh::LSR, d, d, zeros);
            return true;
        }
        Bin::And if v != 0 && !v & (!v).wrapping_add(1) == 0 && v != u32::MAX => {
            let zeros = v.trailing_zeros() as u16;
            encode::shift_imm(out, sh::LSR, d, x, zeros);
            encode::shift_imm(out, sh::LSL, d, d, zeros);
            return true;
        }
        Bin::And => op::AND,
        Bin::Or => op::ORR,
        _ if v == u32::MAX => {
            encode::alu(out, op::MVN, d, x);
            return true;
        }
        _ => op::EOR,
    };
    if d != x {
        imm(out, d, v);
        encode::alu(out, code, d, x);
    } else if op == Bin::And && !v < 256 {
        encode::imm_8(out, 0, t, !v as u16);
        encode::alu(out, op::BIC, d, t);
    } else {
        imm(out, t, v);
        encode::alu(out, code, d, t);
    }
    true
}

/// Writes `d = v`.
pub fn imm(out: &mut Out<'_>, d: Reg, v: u32) {
    if short_imm(out, d, v) {
        return;
    }
    if !v < 256 || shifted(!v).is_some() {
        short_imm(out, d, !v);
        return encode::alu(out, op::MVN, d, d);
    }
    let zeros = v.trailing_zeros();
    if zeros > 0 && short_imm(out, d, v >> zeros) {
        return encode::shift_imm(out, sh::LSL, d, d, zeros as u16);
    }
    if short_imm(out, d, !v) {
        return encode::alu(out, op::MVN, d, d);
    }
    // the number lies behind a branch over it, at a multiple of four, and takes as many bytes everywhere
    let aligned = out.at() % 4 == 0;
    encode::load_literal(out, d, u16::from(!aligned));
    let end = out.at() + 8;
    encode::branch_short(out, None, end);
    if aligned {
        out.word(v);
        encode::nop(out);
    } else {
        encode::nop(out);
        out.word(v);
    }
}

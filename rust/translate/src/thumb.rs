// SPDX-License-Identifier: Apache-2.0
//! What Thumb-1 and Thumb-2 have in common, beside encodings: conditions, the reach of short branches, the registers that a
//! function keeps, and the directions of shifts of 64 bits.

use crate::isa::{Bin, Cond, Reg};
use crate::thumb2::encode::{cc, sh};

/// The register that a function keeps as well, so that the stack stays aligned to eight bytes.
const FILLER: u32 = 1 << 2;

/// Returns the condition under which a comparison finds the relation.
pub fn condition(cond: Cond) -> u8 {
    match cond {
        Cond::Eq => cc::EQ,
        Cond::Ne => cc::NE,
        Cond::LtS => cc::LT,
        Cond::LtU => cc::LO,
        Cond::GeS => cc::GE,
        Cond::GeU => cc::HS,
    }
}

/// Returns the condition under which the flags of a result find the relation to zero, if they can.
pub fn condition_of_result(cond: Cond) -> Option<u8> {
    match cond {
        Cond::Eq | Cond::Ne => Some(condition(cond)),
        Cond::LtS => Some(cc::MI),
        Cond::GeS => Some(cc::PL),
        _ => None,
    }
}

/// Returns the distance that a short branch reaches ahead.
pub fn ahead(test: bool) -> u32 {
    if test {
        254
    } else {
        2046
    }
}

/// Returns the registers that a function keeps, an odd number of them, and with the return address an even one.
pub fn kept(mask: u32) -> u16 {
    (mask | if mask.count_ones() % 2 == 0 { FILLER } else { 0 }) as u16
}

/// Returns the two halves of a shift in r0 and r1. Bits go from the first register to the second. Then come the shift of the
/// first, that of the second, and the shift of the bits that go from one to the other.
pub fn directions(op: Bin) -> (Reg, Reg, u16, u16, u16) {
    let (lower, upper) = (Reg(0), Reg(1));
    match op {
        Bin::Shl => (lower, upper, sh::LSL, sh::LSL, sh::LSR),
        Bin::ShrU => (upper, lower, sh::LSR, sh::LSR, sh::LSL),
        _ => (upper, lower, sh::ASR, sh::LSR, sh::LSL),
    }
}

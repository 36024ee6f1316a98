// SPDX-License-Identifier: Apache-2.0
//! Encodings that Armv6-M has (Arm v6-M Architecture Reference Manual, chapter A6), beside those that Thumb-2 shares.
//! Registers are low where nothing else is said.

use crate::isa::{Reg, Width};
use crate::out::Out;
use crate::thumb2::encode::low;
pub use crate::thumb2::encode::{
    add_any, add_low, alu, branch_long, branch_short, cc, cmp, distance, imm_3, imm_8, mov, sh, SP,
};

/// Numbers of [`alu`] operations.
pub mod op {
    /// And.
    pub const AND: u16 = 0;
    /// Exclusive or.
    pub const EOR: u16 = 1;
    /// Sum with carry.
    pub const ADC: u16 = 5;
    /// Difference with carry.
    pub const SBC: u16 = 6;
    /// Negative.
    pub const NEG: u16 = 9;
    /// Or.
    pub const ORR: u16 = 12;
    /// Product.
    pub const MUL: u16 = 13;
    /// And with the complement.
    pub const BIC: u16 = 14;
    /// Complement.
    pub const MVN: u16 = 15;
}

fn n(r: Reg) -> u16 {
    debug_assert!(low(r), "{r:?}");
    u16::from(r.0)
}

/// Writes `d = x shifted by 1 to 31`, sets flags.
pub fn shift_imm(out: &mut Out<'_>, shift: u16, d: Reg, x: Reg, amount: u16) {
    debug_assert!(shift != sh::ROR && amount > 0 && amount < 32);
    out.half(shift << 11 | amount << 6 | n(x) << 3 | n(d));
}

/// Writes `d = d shifted by y`, sets flags.
pub fn shift_reg(out: &mut Out<'_>, shift: u16, d: Reg, y: Reg) {
    alu(out, [2, 3, 4, 7][usize::from(shift)], d, y);
}

/// Extends the low byte or halfword: sign or zeros. 0: sxth, 1: sxtb, 2: uxth, 3: uxtb.
pub fn extend(out: &mut Out<'_>, op: u16, d: Reg, x: Reg) {
    out.half(0xb200 | op << 6 | n(x) << 3 | n(d));
}

/// Writes an access at base and index.
pub fn access(out: &mut Out<'_>, width: Width, store: bool, t: Reg, base: Reg, index: Reg) {
    let op = match (width, store) {
        (Width::Word, true) => 0,
        (Width::Half | Width::HalfSigned, true) => 1,
        (Width::Byte | Width::ByteSigned, true) => 2,
        (Width::ByteSigned, false) => 3,
        (Width::Word, false) => 4,
        (Width::Half, false) => 5,
        (Width::Byte, false) => 6,
        (Width::HalfSigned, false) => 7,
    };
    out.half(0x5000 | op << 9 | n(index) << 6 | n(base) << 3 | n(t));
}

/// Returns true if [`access_imm`] reaches an offset.
pub fn reaches(width: Width, offset: u32) -> bool {
    offset % width.bytes() == 0 && offset / width.bytes() < 32
}

/// Writes an access at base and an offset that it reaches. A load extends by zeros.
pub fn access_imm(out: &mut Out<'_>, width: Width, store: bool, t: Reg, base: Reg, offset: u32) {
    debug_assert!(reaches(width, offset));
    let op = match width {
        Width::Word => 0x6000,
        Width::Half | Width::HalfSigned => 0x8000,
        Width::Byte | Width::ByteSigned => 0x7000,
    };
    let units = (offset / width.bytes()) as u16;
    out.half(op | u16::from(!store) << 11 | units << 6 | n(base) << 3 | n(t));
}

/// Loads a word that lies so many words behind the program counter, which is aligned to four bytes.
pub fn load_literal(out: &mut Out<'_>, d: Reg, words: u16) {
    out.half(0x4800 | n(d) << 8 | words);
}

/// Pushes low registers, and the link register too if it is asked for.
pub fn push(out: &mut Out<'_>, mask: u16, link: bool) {
    out.half(0xb400 | u16::from(link) << 8 | mask);
}

/// Pops low registers, and the program counter too if it is asked for.
pub fn pop(out: &mut Out<'_>, mask: u16, pc: bool) {
    out.half(0xbc00 | u16::from(pc) << 8 | mask);
}

/// Gives back words of the stack.
pub fn add_stack(out: &mut Out<'_>, words: u16) {
    out.half(0xb000 | words);
}

/// Jumps to the address in a register.
pub fn branch_register(out: &mut Out<'_>, x: Reg) {
    out.half(0x4700 | u16::from(x.0) << 3);
}

/// Does nothing.
pub fn nop(out: &mut Out<'_>) {
    out.half(0x46c0);
}

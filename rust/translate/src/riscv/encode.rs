// SPDX-License-Identifier: Apache-2.0
//! Encodings of RV32IMC (The RISC-V Instruction Set Manual, volume I). Each function takes the compressed form where there
//! is one for its operands.

use crate::isa::{Cond, Reg, Width};
use crate::out::Out;

/// Reads as zero.
pub const ZERO: Reg = Reg(0);
/// The return address.
pub const RA: Reg = Reg(1);
/// The stack pointer.
pub const SP: Reg = Reg(2);

/// An operation on registers: the bits that tell it from others, at their places.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Op(u32);

/// Sum.
pub const ADD: Op = Op(0);
/// Difference.
pub const SUB: Op = Op(0x4000_0000);
/// Shift to the left.
pub const SLL: Op = Op(0x1000);
/// 1 if less, signed.
pub const SLT: Op = Op(0x2000);
/// 1 if less, unsigned.
pub const SLTU: Op = Op(0x3000);
/// Exclusive or.
pub const XOR: Op = Op(0x4000);
/// Shift to the right, zeros follow.
pub const SRL: Op = Op(0x5000);
/// Shift to the right, the sign follows.
pub const SRA: Op = Op(0x4000_5000);
/// Or.
pub const OR: Op = Op(0x6000);
/// And.
pub const AND: Op = Op(0x7000);
/// Lower half of the product.
pub const MUL: Op = Op(0x0200_0000);
/// Upper half of the signed product.
pub const MULH: Op = Op(0x0200_1000);
/// Upper half of the unsigned product.
pub const MULHU: Op = Op(0x0200_3000);
/// Signed quotient.
pub const DIV: Op = Op(0x0200_4000);
/// Unsigned quotient.
pub const DIVU: Op = Op(0x0200_5000);
/// Signed remainder.
pub const REM: Op = Op(0x0200_6000);
/// Unsigned remainder.
pub const REMU: Op = Op(0x0200_7000);

/// Returns true for the registers that every compressed form reaches.
pub fn low(r: Reg) -> bool {
    r.0 & 0x18 == 8
}

fn n(r: Reg) -> u32 {
    u32::from(r.0)
}

/// Returns the number of a register that every compressed form reaches.
fn c(r: Reg) -> u16 {
    u16::from(r.0 & 7)
}

/// Returns true if an immediate of twelve bits, with its sign, says this number.
pub fn fits(v: u32) -> bool {
    v.wrapping_add(2048) < 4096
}

/// Returns true if a compressed immediate of six bits, with its sign, says this number.
fn tiny(v: u32) -> bool {
    v.wrapping_add(32) < 64
}

/// Writes a compressed instruction with a register and six bits.
fn six(out: &mut Out<'_>, opcode: u16, d: Reg, v: u32) {
    out.half(opcode | (v as u16 >> 5 & 1) << 12 | u16::from(d.0) << 7 | (v as u16 & 31) << 2);
}

fn immediate(out: &mut Out<'_>, opcode: u32, d: Reg, x: Reg, v: u32) {
    out.word(opcode | v << 20 | n(x) << 15 | n(d) << 7);
}

/// Writes `d = s`, or nothing if they are one.
pub fn mv(out: &mut Out<'_>, d: Reg, s: Reg) {
    if s == ZERO {
        six(out, 0x4001, d, 0);
    } else if d != s {
        out.half(0x8002 | u16::from(d.0) << 7 | u16::from(s.0) << 2);
    }
}

/// Writes `d = x op y`.
pub fn op(out: &mut Out<'_>, op: Op, d: Reg, x: Reg, y: Reg) {
    let commutes = op == ADD || op == AND || op == OR || op == XOR;
    let (x, y) = if commutes && d == y { (y, x) } else { (x, y) };
    let short = match op {
        AND => Some(0x8c61),
        OR => Some(0x8c41),
        XOR => Some(0x8c21),
        SUB => Some(0x8c01),
        _ => None,
    };
    if op == ADD && (x == ZERO || y == ZERO) {
        mv(out, d, if x == ZERO { y } else { x });
    } else if op == ADD && d == x {
        out.half(0x9002 | u16::from(d.0) << 7 | u16::from(y.0) << 2);
    } else if let Some(short) = short.filter(|_| d == x && low(d) && low(y)) {
        out.half(short | c(d) << 7 | c(y) << 2);
    } else {
        out.word(0x33 | op.0 | n(y) << 20 | n(x) << 15 | n(d) << 7);
    }
}

/// Writes `d = x + v`, of twelve bits. A move if v is 0.
pub fn addi(out: &mut Out<'_>, d: Reg, x: Reg, v: u32) {
    if x == ZERO && tiny(v) {
        six(out, 0x4001, d, v);
    } else if v == 0 {
        mv(out, d, x);
    } else if d == x && tiny(v) {
        six(out, 0x0001, d, v);
    } else {
        immediate(out, 0x13, d, x, v);
    }
}

/// Writes `d = v`.
pub fn li(out: &mut Out<'_>, d: Reg, v: u32) {
    if fits(v) {
        return addi(out, d, ZERO, v);
    }
    // the lower part is signed
    let upper = v.wrapping_add(0x800) >> 12;
    let signed = (upper << 12) as i32 >> 12;
    if tiny(signed as u32) && signed != 0 && d != SP {
        six(out, 0x6001, d, signed as u32);
    } else {
        lui(out, d, upper);
    }
    let lower = v.wrapping_sub(upper << 12);
    if lower != 0 {
        addi(out, d, d, lower);
    }
}

/// Writes `d = v << 12`.
pub fn lui(out: &mut Out<'_>, d: Reg, v: u32) {
    out.word(0x37 | v << 12 | n(d) << 7);
}

/// Writes `d` = the address of this instruction.
pub fn here(out: &mut Out<'_>, d: Reg) {
    out.word(0x17 | n(d) << 7);
}

/// Writes `d = x op v`, of twelve bits, for and, or, exclusive or, less, less unsigned.
pub fn op_imm(out: &mut Out<'_>, op: Op, d: Reg, x: Reg, v: u32) {
    if op == AND && d == x && low(d) && tiny(v) {
        out.half(0x8801 | (v as u16 >> 5 & 1) << 12 | c(d) << 7 | (v as u16 & 31) << 2);
    } else {
        immediate(out, 0x13 | op.0, d, x, v);
    }
}

/// Writes `d = x shifted by v`, from 0 to 31. A move if v is 0.
pub fn shift(out: &mut Out<'_>, op: Op, d: Reg, x: Reg, v: u32) {
    if v == 0 {
        mv(out, d, x);
    } else if d == x && op == SLL {
        six(out, 0x0002, d, v);
    } else if d == x && low(d) {
        out.half(if op == SRA { 0x8401 } else { 0x8001 } | c(d) << 7 | (v as u16) << 2);
    } else {
        immediate(out, 0x13 | op.0, d, x, v);
    }
}

/// Loads from base and an offset of twelve bits.
pub fn load(out: &mut Out<'_>, width: Width, d: Reg, base: Reg, offset: u32) {
    if width == Width::Word && base == SP && offset < 256 && offset % 4 == 0 {
        let bits = (offset >> 5 & 1) << 12 | (offset >> 2 & 7) << 4 | (offset >> 6 & 3) << 2;
        return out.half(0x4002 | bits as u16 | u16::from(d.0) << 7);
    }
    if let Some(bits) = near(width, d, base, offset) {
        return out.half(0x4000 | bits);
    }
    let kind = match width {
        Width::ByteSigned => 0,
        Width::HalfSigned => 1,
        Width::Word => 2,
        Width::Byte => 4,
        Width::Half => 5,
    };
    immediate(out, 0x03 | kind << 12, d, base, offset);
}

/// Stores at base and an offset of twelve bits.
pub fn store(out: &mut Out<'_>, width: Width, s: Reg, base: Reg, offset: u32) {
    if width == Width::Word && base == SP && offset < 256 && offset % 4 == 0 {
        let bits = (offset >> 2 & 15) << 9 | (offset >> 6 & 3) << 7;
        return out.half(0xc002 | bits as u16 | u16::from(s.0) << 2);
    }
    if let Some(bits) = near(width, s, base, offset) {
        return out.half(0xc000 | bits);
    }
    let kind = match width {
        Width::Byte | Width::ByteSigned => 0,
        Width::Half | Width::HalfSigned => 1,
        Width::Word => 2,
    };
    out.word(0x23 | kind << 12 | (offset >> 5) << 25 | n(s) << 20 | n(base) << 15 | (offset & 31) << 7);
}

/// Returns the operands of a compressed access of a word.
fn near(width: Width, r: Reg, base: Reg, offset: u32) -> Option<u16> {
    let short = width == Width::Word && low(r) && low(base) && offset < 128 && offset % 4 == 0;
    let bits = (offset >> 3 & 7) << 10 | (offset >> 2 & 1) << 6 | (offset >> 6 & 1) << 5;
    short.then_some(bits as u16 | c(base) << 7 | c(r) << 2)
}

/// Branches to an offset at most 4 KB away if the relation holds.
pub fn branch(out: &mut Out<'_>, cond: Cond, x: Reg, y: Reg, to: u32) {
    let kind = match cond {
        Cond::Eq => 0,
        Cond::Ne => 1,
        Cond::LtS => 4,
        Cond::GeS => 5,
        Cond::LtU => 6,
        Cond::GeU => 7,
    };
    branch_to(out, 0x63 | kind << 12 | n(y) << 20 | n(x) << 15, to);
}

/// Writes a branch that has these bits beside its distance.
fn branch_to(out: &mut Out<'_>, bits: u32, to: u32) {
    let v = to.wrapping_sub(out.at());
    out.word(bits | (v >> 12 & 1) << 31 | (v >> 5 & 63) << 25 | (v >> 1 & 15) << 8 | (v >> 11 & 1) << 7);
}

/// Writes the branch, jump or call that has these bits to another offset. It is none with a test of zero in two bytes.
pub fn aim(out: &mut Out<'_>, bits: u32, to: u32) {
    match bits & 0x7f {
        0x63 => branch_to(out, bits & 0x01ff_f07f, to),
        0x6f => jump(out, Reg((bits >> 7) as u8 & 31), to),
        _ => jump_short(out, to),
    }
}

/// Branches to an offset at most 256 bytes away if a register of the lower ones is zero, or is not.
pub fn branch_zero(out: &mut Out<'_>, zero: bool, x: Reg, to: u32) {
    let v = to.wrapping_sub(out.at()) as u16;
    let bits = (v >> 8 & 1) << 12 | (v >> 3 & 3) << 10 | (v >> 6 & 3) << 5 | (v >> 1 & 3) << 3 | (v >> 5 & 1) << 2;
    out.half(if zero { 0xc001 } else { 0xe001 } | bits | c(x) << 7);
}

/// Jumps to an offset at most 2 KB away.
pub fn jump_short(out: &mut Out<'_>, to: u32) {
    let v = to.wrapping_sub(out.at()) as u16;
    let bits = (v >> 11 & 1) << 12
        | (v >> 4 & 1) << 11
        | (v >> 8 & 3) << 9
        | (v >> 10 & 1) << 8
        | (v >> 6 & 1) << 7
        | (v >> 7 & 1) << 6
        | (v >> 1 & 7) << 3
        | (v >> 5 & 1) << 2;
    out.half(0xa001 | bits);
}

/// Jumps to an offset at most 1 MB away, and leaves the address behind the instruction in a register.
pub fn jump(out: &mut Out<'_>, link: Reg, to: u32) {
    let v = to.wrapping_sub(out.at());
    let bits = (v >> 20 & 1) << 31 | (v >> 1 & 0x3ff) << 21 | (v >> 11 & 1) << 20 | (v >> 12 & 0xff) << 12;
    out.word(0x6f | bits | n(link) << 7);
}

/// Returns the distance of a jump with these bits.
pub fn distance(bits: u32) -> u32 {
    let value = (bits >> 31) << 20 | (bits >> 21 & 0x3ff) << 1 | (bits >> 20 & 1) << 11 | (bits >> 12 & 0xff) << 12;
    ((value << 11) as i32 >> 11) as u32
}

/// Jumps to the address in a register.
pub fn jump_register(out: &mut Out<'_>, to: Reg) {
    out.half(0x8002 | u16::from(to.0) << 7);
}

/// Jumps to the address in a register plus an offset of twelve bits.
pub fn jump_near(out: &mut Out<'_>, to: Reg, offset: u32) {
    immediate(out, 0x67, ZERO, to, offset);
}

/// Adds a multiple of 16 below 512 to the stack pointer, or a negative one.
pub fn add_to_stack(out: &mut Out<'_>, v: u32) {
    let v = v as u16;
    let bits = (v >> 9 & 1) << 12 | (v >> 4 & 1) << 6 | (v >> 6 & 1) << 5 | (v >> 7 & 3) << 3 | (v >> 5 & 1) << 2;
    out.half(0x6101 | bits);
}

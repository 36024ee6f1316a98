// SPDX-License-Identifier: Apache-2.0
//! Encodings of Thumb-2 (Arm v7-M Architecture Reference Manual, chapter A7). The short one where there is one, and
//! where that sets flags, only for functions whose name says so.

use crate::isa::Reg;
use crate::out::Out;

/// The stack pointer, the link register and the program counter.
pub const SP: Reg = Reg(13);
/// See above.
pub const LR: Reg = Reg(14);
/// See above.
pub const PC: Reg = Reg(15);

/// A condition, as instructions number them. The opposite differs in the lowest bit.
pub mod cc {
    /// Equal.
    pub const EQ: u8 = 0;
    /// Not equal.
    pub const NE: u8 = 1;
    /// Unsigned, higher or same.
    pub const HS: u8 = 2;
    /// Unsigned, lower.
    pub const LO: u8 = 3;
    /// Negative.
    pub const MI: u8 = 4;
    /// Positive or zero.
    pub const PL: u8 = 5;
    /// Unsigned, higher.
    pub const HI: u8 = 8;
    /// Signed, not less.
    pub const GE: u8 = 10;
    /// Signed, less.
    pub const LT: u8 = 11;
}

/// Numbers of the operations that a wide data-processing instruction does.
pub mod dp {
    /// And.
    pub const AND: u16 = 0;
    /// And with the complement.
    pub const BIC: u16 = 1;
    /// Or. With the program counter as first source, a move.
    pub const ORR: u16 = 2;
    /// Or with the complement. With the program counter as first source, the complement.
    pub const ORN: u16 = 3;
    /// Exclusive or.
    pub const EOR: u16 = 4;
    /// Sum.
    pub const ADD: u16 = 8;
    /// Sum with carry.
    pub const ADC: u16 = 10;
    /// Difference with carry.
    pub const SBC: u16 = 11;
    /// Difference.
    pub const SUB: u16 = 13;
    /// Difference, the other way round.
    pub const RSB: u16 = 14;
}

/// Numbers of shifts.
pub mod sh {
    /// To the left.
    pub const LSL: u16 = 0;
    /// To the right, zeros follow.
    pub const LSR: u16 = 1;
    /// To the right, the sign follows.
    pub const ASR: u16 = 2;
    /// Round to the right.
    pub const ROR: u16 = 3;
}

/// Returns true for r0 to r7.
pub fn low(r: Reg) -> bool {
    r.0 < 8
}

fn n(r: Reg) -> u16 {
    u16::from(r.0)
}

/// Returns the twelve bits that say this number as a modified immediate.
pub fn modified(v: u32) -> Option<u16> {
    if v < 256 {
        return Some(v as u16);
    }
    let byte = v & 0xff;
    if v == byte << 16 | byte {
        return Some(0x100 | byte as u16);
    }
    if v == byte * 0x0101_0101 {
        return Some(0x300 | byte as u16);
    }
    let byte = v >> 8 & 0xff;
    if v == byte << 24 | byte << 8 {
        return Some(0x200 | byte as u16);
    }
    // eight bits, the highest set, rotated to the right by 8 to 31
    let rotation = v.leading_zeros() + 8;
    let byte = v.rotate_left(rotation);
    (rotation < 32 && byte < 256).then_some((rotation << 7) as u16 | (byte & 0x7f) as u16)
}

/// Spreads `i:imm3:imm8` over the two halves.
fn spread(imm12: u16) -> (u16, u16) {
    ((imm12 >> 11 & 1) << 10, (imm12 >> 8 & 7) << 12 | imm12 & 0xff)
}

/// Writes `d = x op y << amount`, wide.
pub fn data(out: &mut Out<'_>, op: u16, set: bool, d: Reg, x: Reg, (y, shift, amount): (Reg, u16, u16)) {
    let second = (amount >> 2) << 12 | n(d) << 8 | (amount & 3) << 6 | shift << 4 | n(y);
    out.halves(0xea00 | op << 5 | u16::from(set) << 4 | n(x), second);
}

/// Writes `d = x op immediate`, wide, of a modified immediate. For a comparison d is the program counter.
pub fn data_imm(out: &mut Out<'_>, op: u16, set: bool, d: Reg, x: Reg, imm: u16) {
    let (i, rest) = spread(imm);
    out.halves(0xf000 | i | op << 5 | u16::from(set) << 4 | n(x), rest | n(d) << 8);
}

/// Writes `d = x + imm` or `d = x - imm`, of twelve bits, without flags.
pub fn add_12(out: &mut Out<'_>, minus: bool, d: Reg, x: Reg, imm: u16) {
    let (i, rest) = spread(imm);
    out.halves(if minus { 0xf2a0 } else { 0xf200 } | i | n(x), rest | n(d) << 8);
}

/// Writes `d = imm` (the lower half, the upper becoming 0), or the upper half of d.
pub fn half_word(out: &mut Out<'_>, upper: bool, d: Reg, imm: u16) {
    let (i, rest) = spread(imm & 0xfff);
    out.halves(if upper { 0xf2c0 } else { 0xf240 } | i | imm >> 12, rest | n(d) << 8);
}

/// Writes a move of any register, without flags.
pub fn mov(out: &mut Out<'_>, d: Reg, s: Reg) {
    out.half(0x4600 | (n(d) & 8) << 4 | n(s) << 3 | n(d) & 7);
}

/// Writes a short operation on two low registers, which sets flags. `op` is as in the manual's table.
pub fn alu(out: &mut Out<'_>, op: u16, d: Reg, y: Reg) {
    out.half(0x4000 | op << 6 | n(y) << 3 | n(d));
}

/// Writes `d = x + y` or `d = x - y` of low registers, sets flags.
pub fn add_low(out: &mut Out<'_>, minus: bool, d: Reg, x: Reg, y: Reg) {
    out.half(if minus { 0x1a00 } else { 0x1800 } | n(y) << 6 | n(x) << 3 | n(d));
}

/// Writes `d += y` of any registers, without flags.
pub fn add_any(out: &mut Out<'_>, d: Reg, y: Reg) {
    out.half(0x4400 | (n(d) & 8) << 4 | n(y) << 3 | n(d) & 7);
}

/// Writes a short form with eight bits: 0 moves, 1 compares, 2 adds, 3 subtracts. It sets flags.
pub fn imm_8(out: &mut Out<'_>, op: u16, d: Reg, imm: u16) {
    out.half(0x2000 | op << 11 | n(d) << 8 | imm);
}

/// Writes `d = x + imm` or `d = x - imm` of low registers and three bits, sets flags.
pub fn imm_3(out: &mut Out<'_>, minus: bool, d: Reg, x: Reg, imm: u16) {
    out.half(if minus { 0x1e00 } else { 0x1c00 } | imm << 6 | n(x) << 3 | n(d));
}

/// Compares registers.
pub fn cmp(out: &mut Out<'_>, x: Reg, y: Reg) {
    if low(x) && low(y) {
        alu(out, 10, x, y);
    } else {
        out.half(0x4500 | (n(x) & 8) << 4 | n(y) << 3 | n(x) & 7);
    }
}

/// Writes `d = x shifted by 1 to 31`, sets flags.
pub fn shift_imm(out: &mut Out<'_>, shift: u16, d: Reg, x: Reg, amount: u16) {
    if low(d) && low(x) && shift != sh::ROR {
        out.half(shift << 11 | amount << 6 | n(x) << 3 | n(d));
    } else {
        data(out, dp::ORR, true, d, PC, (x, shift, amount));
    }
}

/// Writes `d = x shifted by y`, sets flags.
pub fn shift_reg(out: &mut Out<'_>, shift: u16, d: Reg, x: Reg, y: Reg) {
    if d == x && low(d) && low(y) {
        alu(out, [2, 3, 4, 7][usize::from(shift)], d, y);
    } else {
        out.halves(0xfa10 | shift << 5 | n(x), 0xf000 | n(d) << 8 | n(y));
    }
}

/// Extends the low byte or halfword: sign or zeros. 0: sxth, 1: sxtb, 2: uxth, 3: uxtb.
pub fn extend(out: &mut Out<'_>, op: u16, d: Reg, x: Reg) {
    if low(d) && low(x) {
        out.half(0xb200 | op << 6 | n(x) << 3 | n(d));
    } else {
        out.halves([0xfa0f, 0xfa4f, 0xfa1f, 0xfa5f][usize::from(op)], 0xf080 | n(d) << 8 | n(x));
    }
}

/// Writes `d = x * y`, or with an accumulator `d = a + x * y`, or less.
pub fn multiply(out: &mut Out<'_>, d: Reg, x: Reg, y: Reg, a: Option<Reg>, minus: bool) {
    let a = a.map_or(0xf, n);
    out.halves(0xfb00 | n(x), a << 12 | n(d) << 8 | u16::from(minus) << 4 | n(y));
}

/// Writes `low, high = x * y`.
pub fn multiply_long(out: &mut Out<'_>, signed: bool, (l, h): (Reg, Reg), x: Reg, y: Reg) {
    out.halves(if signed { 0xfb80 } else { 0xfba0 } | n(x), n(l) << 12 | n(h) << 8 | n(y));
}

/// Writes `d = x / y`.
pub fn divide(out: &mut Out<'_>, signed: bool, d: Reg, x: Reg, y: Reg) {
    out.halves(if signed { 0xfb90 } else { 0xfbb0 } | n(x), 0xf0f0 | n(d) << 8 | n(y));
}

/// Counts leading zeros, or reverses the bits.
pub fn count_zeros(out: &mut Out<'_>, reverse: bool, d: Reg, x: Reg) {
    let (first, second) = if reverse { (0xfa90, 0xf0a0) } else { (0xfab0, 0xf080) };
    out.halves(first | n(x), second | n(d) << 8 | n(x));
}

/// The halves of an access with a register offset: of the short and of the wide form.
const ACCESS: [(u16, u16); 8] = [
    (0x5000, 0xf840), // str
    (0x5200, 0xf820), // strh
    (0x5400, 0xf800), // strb
    (0x5600, 0xf910), // ldrsb
    (0x5800, 0xf850), // ldr
    (0x5a00, 0xf830), // ldrh
    (0x5c00, 0xf810), // ldrb
    (0x5e00, 0xf930), // ldrsh
];

/// Writes an access at base and index. `op` counts the table above.
pub fn access(out: &mut Out<'_>, op: usize, t: Reg, base: Reg, index: Reg) {
    let (short, wide) = ACCESS[op & 7];
    if low(t) && low(base) && low(index) {
        out.half(short | n(index) << 6 | n(base) << 3 | n(t));
    } else {
        out.halves(wide | n(base), n(t) << 12 | n(index));
    }
}

/// Writes an access at base and an offset below 4096.
pub fn access_imm(out: &mut Out<'_>, op: usize, t: Reg, base: Reg, imm: u16) {
    // the opcode of the short form and the logarithm of its unit
    let short = match op {
        0 => Some((0x6000, 2)),
        1 => Some((0x8000, 1)),
        2 => Some((0x7000, 0)),
        4 => Some((0x6800, 2)),
        5 => Some((0x8800, 1)),
        6 => Some((0x7800, 0)),
        _ => None,
    };
    match short.filter(|&(_, unit)| low(t) && low(base) && imm >> unit < 32 && imm & ((1 << unit) - 1) == 0) {
        Some((opcode, unit)) => out.half(opcode | (imm >> unit) << 6 | n(base) << 3 | n(t)),
        None => out.halves(ACCESS[op & 7].1 | 0x80 | n(base), n(t) << 12 | imm),
    }
}

/// Loads or stores two registers at base and an offset, a multiple of four below 1024.
pub fn access_pair(out: &mut Out<'_>, load: bool, (a, b): (Reg, Reg), base: Reg, imm: u16) {
    out.halves(if load { 0xe9d0 } else { 0xe9c0 } | n(base), n(a) << 12 | n(b) << 8 | imm >> 2);
}

/// Writes an If-then for the instructions that follow. Those whose bit is set in `others` have the opposite condition.
pub fn it(out: &mut Out<'_>, condition: u8, others: &[bool]) {
    let first = u16::from(condition & 1);
    let mut mask = 0;
    for (place, &other) in others.iter().enumerate() {
        mask |= (first ^ u16::from(other)) << (3 - place);
    }
    out.half(0xbf00 | u16::from(condition) << 4 | mask | 1 << (3 - others.len()));
}

/// Writes a short branch, conditional or not, to an offset.
pub fn branch_short(out: &mut Out<'_>, condition: Option<u8>, to: u32) {
    let distance = to.wrapping_sub(out.at() + 4) as u16 >> 1;
    match condition {
        Some(condition) => out.half(0xd000 | u16::from(condition) << 8 | distance & 0xff),
        None => out.half(0xe000 | distance & 0x7ff),
    }
}

/// Writes a long branch, conditional or not, or a call.
pub fn branch_long(out: &mut Out<'_>, condition: Option<u8>, link: bool, to: u32) {
    let distance = to.wrapping_sub(out.at() + 4);
    let bit = |n: u32| (distance >> n & 1) as u16;
    let sign = (distance >> 31) as u16;
    let low = (distance >> 1) as u16 & 0x7ff;
    match condition {
        Some(condition) => {
            let first = 0xf000 | sign << 10 | u16::from(condition) << 6 | (distance >> 12) as u16 & 0x3f;
            out.halves(first, 0x8000 | bit(18) << 13 | bit(19) << 11 | low);
        }
        None => {
            let j = |n| (bit(n) ^ sign ^ 1) & 1;
            let first = 0xf000 | sign << 10 | (distance >> 12) as u16 & 0x3ff;
            out.halves(first, if link { 0xd000 } else { 0x9000 } | j(23) << 13 | j(22) << 11 | low);
        }
    }
}

/// Writes the branch or call that has these bits to another offset.
pub fn aim(out: &mut Out<'_>, bits: u32, to: u32) {
    let first = bits as u16;
    match first >> 12 {
        0xd => branch_short(out, Some((first >> 8) as u8 & 15), to),
        0xe => branch_short(out, None, to),
        // a condition, none, or a call
        _ => match bits >> 28 & 5 {
            0 => branch_long(out, Some((first >> 6) as u8 & 15), false, to),
            link => branch_long(out, None, link == 5, to),
        },
    }
}

/// Returns the distance of a call with these bits.
pub fn distance(bits: u32) -> u32 {
    let (first, second) = (bits & 0xffff, bits >> 16);
    let sign = first >> 10 & 1;
    let j = |n: u32| (second >> n & 1) ^ sign ^ 1;
    let value = sign << 24 | j(13) << 23 | j(11) << 22 | (first & 0x3ff) << 12 | (second & 0x7ff) << 1;
    ((value << 7) as i32 >> 7) as u32
}

/// Pushes or pops registers: the link register goes with a push, and comes back as the program counter.
pub fn stack(out: &mut Out<'_>, pop: bool, mask: u16) {
    if mask & 0xff00 == 0 {
        out.half(if pop { 0xbd00 } else { 0xb500 } | mask);
    } else if pop {
        out.halves(0xe8bd, mask | 1 << 15);
    } else {
        out.halves(0xe92d, mask | 1 << 14);
    }
}

/// Jumps by a table of halfwords behind the instruction.
pub fn table_branch(out: &mut Out<'_>, index: Reg) {
    out.halves(0xe8df, 0xf010 | n(index));
}

// SPDX-License-Identifier: Apache-2.0
//! Thumb-2, for Armv7-M and Armv8-M Mainline.
//!
//! | register | holds |
//! |---|---|
//! | r0 | accumulator, results; with r1 a value of 64 bits |
//! | r1, r2 | scratch; r2 and lr the other value of 64 bits |
//! | r3 - r6, r8 | slots |
//! | r7 | slot 0 of the running function |
//! | r9 | units of fuel in hand |
//! | r10 | the instance |
//! | r11, r12 | linear memory: first byte, bytes less four |
//! | lr | an address that several accesses have in common |

pub mod encode;
mod wide;

use encode::{cc, dp, sh, LR, PC, SP};

use crate::isa::{Bin, Cond, Div, Index, Isa, Kept, Number, Place, Plan, Reg, Un, Val, Width};
use crate::out::Out;
use crate::thumb::{ahead, condition, condition_of_result, kept};

/// The instruction set.
pub struct Thumb2;

const R0: Reg = Reg(0);
const R1: Reg = Reg(1);
const R2: Reg = Reg(2);
/// Registers for slots, in the order in which they are taken: those with short encodings first.
const PINS: [Reg; 5] = [Reg(4), Reg(5), Reg(6), Reg(3), Reg(8)];

/// Writes `d = x + v`. Returns true if it sets flags.
fn add(out: &mut Out<'_>, d: Reg, x: Reg, v: u32, t: Reg) -> bool {
    let (minus, size) = if (v as i32) < 0 { (true, v.wrapping_neg()) } else { (false, v) };
    if size == 0 {
        if d != x {
            encode::mov(out, d, x);
        }
        return false;
    }
    let all_low = encode::low(d) && encode::low(x);
    if all_low && size < 8 {
        encode::imm_3(out, minus, d, x, size as u16);
    } else if all_low && d == x && size < 256 {
        encode::imm_8(out, if minus { 3 } else { 2 }, d, size as u16);
    } else if let Some(imm) = encode::modified(size) {
        encode::data_imm(out, if minus { dp::SUB } else { dp::ADD }, true, d, x, imm);
    } else if let Some(imm) = encode::modified(size.wrapping_neg()) {
        // four equal bytes, or two, of which the negative is no such number
        encode::data_imm(out, if minus { dp::ADD } else { dp::SUB }, true, d, x, imm);
    } else if size < 4096 {
        encode::add_12(out, minus, d, x, size as u16);
        return false;
    } else {
        Thumb2::imm(out, t, v);
        return Thumb2::bin(out, Bin::Add, d, x, t, t);
    }
    true
}

/// Writes `d = x op v` for and, or, exclusive or. Returns true if it sets flags.
fn logic(out: &mut Out<'_>, op: Bin, d: Reg, x: Reg, v: u32, t: Reg) -> bool {
    let (plain, complement) = match op {
        Bin::And => (dp::AND, Some(dp::BIC)),
        Bin::Or => (dp::ORR, Some(dp::ORN)),
        _ => (dp::EOR, None),
    };
    if op == Bin::And && (v == 0xff || v == 0xffff) {
        encode::extend(out, if v == 0xff { 3 } else { 2 }, d, x);
        return false;
    }
    if op == Bin::Xor && v == u32::MAX {
        encode::data(out, dp::ORN, true, d, PC, (x, 0, 0));
    } else if let Some(imm) = encode::modified(v) {
        encode::data_imm(out, plain, true, d, x, imm);
    } else if let (Some(imm), Some(op)) = (encode::modified(!v), complement) {
        encode::data_imm(out, op, true, d, x, imm);
    } else {
        Thumb2::imm(out, t, v);
        return Thumb2::bin(out, op, d, x, t, t);
    }
    true
}

/// Returns how a product with a number beside a power of two is a sum, or a difference, with a shifted operand.
fn factor(v: u32) -> Option<(u16, u16)> {
    let shift = |power: u32| (power.is_power_of_two() && power > 1).then(|| power.trailing_zeros() as u16);
    match (shift(v.wrapping_sub(1)), shift(v.wrapping_add(1))) {
        (Some(n), _) => Some((dp::ADD, n)),
        (None, Some(n)) => Some((dp::RSB, n)),
        _ => None,
    }
}

/// Returns the number of an access in the encoder's table.
fn access(width: Width, store: bool) -> usize {
    match (width, store) {
        (Width::Byte | Width::ByteSigned, true) => 2,
        (Width::Half | Width::HalfSigned, true) => 1,
        (Width::Word, true) => 0,
        (Width::Byte, false) => 6,
        (Width::ByteSigned, false) => 3,
        (Width::Half, false) => 5,
        (Width::HalfSigned, false) => 7,
        (Width::Word, false) => 4,
    }
}

impl Isa for Thumb2 {
    const PLAN: Plan = Plan {
        wide: (R0, R1),
        other: (R2, LR),
        temps: &[R1, R2],
        pins: &PINS,
        cache: LR,
        frame: Reg(7),
        context: Reg(10),
        base: Reg(11),
        limit: Reg(12),
        fuel: Reg(9),
    };
    const HELD: u8 = 0;
    const FRAME: u32 = 4088;
    const ALIGNED: bool = false;
    const RESTS: bool = false;
    const SPARE: bool = false;
    const REACH: u32 = 4096;
    const SET_KEEPS: bool = true;
    const ISLAND: u32 = 150;
    const COLD: u32 = 8;
    const NEAR_END: u32 = 56;
    type Test = u8;

    fn mov(out: &mut Out<'_>, d: Reg, s: Reg) {
        encode::mov(out, d, s);
    }

    fn imm(out: &mut Out<'_>, d: Reg, v: u32) {
        if encode::low(d) && v < 256 {
            encode::imm_8(out, 0, d, v as u16);
        } else if let Some(imm) = encode::modified(v) {
            encode::data_imm(out, dp::ORR, false, d, PC, imm);
        } else if let Some(imm) = encode::modified(!v) {
            encode::data_imm(out, dp::ORN, false, d, PC, imm);
        } else {
            encode::half_word(out, false, d, v as u16);
            if v >> 16 != 0 {
                encode::half_word(out, true, d, (v >> 16) as u16);
            }
        }
    }

    fn constant(_: u32) -> Option<Reg> {
        None
    }

    fn plain(number: Number, v: u32) -> bool {
        let simple = encode::modified(v).is_some();
        match number {
            Number::Sum | Number::Compare => simple || encode::modified(v.wrapping_neg()).is_some(),
            Number::Bits | Number::From => simple,
            Number::Shift | Number::Rotation => true,
            Number::Factor => factor(v).is_some(),
        }
    }

    fn bin(out: &mut Out<'_>, op: Bin, d: Reg, x: Reg, y: Reg, t: Reg) -> bool {
        let all_low = encode::low(d) && encode::low(x) && encode::low(y);
        match op {
            Bin::Add | Bin::Sub if all_low => encode::add_low(out, op == Bin::Sub, d, x, y),
            Bin::Add => encode::data(out, dp::ADD, true, d, x, (y, 0, 0)),
            Bin::Sub => encode::data(out, dp::SUB, true, d, x, (y, 0, 0)),
            Bin::Mul => {
                match (all_low, d == x, d == y) {
                    (true, true, _) => encode::alu(out, 13, d, y),
                    (true, _, true) => encode::alu(out, 13, d, x),
                    _ => encode::multiply(out, d, x, y, None, false),
                }
                return false;
            }
            Bin::And | Bin::Or | Bin::Xor => {
                let (wide, short) = match op {
                    Bin::And => (dp::AND, 0),
                    Bin::Or => (dp::ORR, 12),
                    _ => (dp::EOR, 1),
                };
                match (all_low, d == x, d == y) {
                    (true, true, _) => encode::alu(out, short, d, y),
                    (true, _, true) => encode::alu(out, short, d, x),
                    _ => encode::data(out, wide, true, d, x, (y, 0, 0)),
                }
            }
            Bin::Shl | Bin::ShrS | Bin::ShrU => {
                // the processor shifts by up to 255
                encode::data_imm(out, dp::AND, false, t, y, 31);
                let shift = [sh::LSL, sh::ASR, sh::LSR][op as usize - Bin::Shl as usize];
                encode::shift_reg(out, shift, d, x, t);
            }
            Bin::Rotl => {
                encode::data_imm(out, dp::RSB, false, t, y, 0);
                encode::shift_reg(out, sh::ROR, d, x, t);
            }
            Bin::Rotr => encode::shift_reg(out, sh::ROR, d, x, y),
        }
        true
    }

    fn bin_imm(out: &mut Out<'_>, op: Bin, d: Reg, x: Reg, v: u32, t: Reg) -> bool {
        let shift = match op {
            Bin::Add => return add(out, d, x, v, t),
            Bin::Sub => return add(out, d, x, v.wrapping_neg(), t),
            Bin::And | Bin::Or | Bin::Xor => return logic(out, op, d, x, v, t),
            Bin::Mul => {
                match factor(v) {
                    Some((op, n)) => encode::data(out, op, true, d, x, (x, sh::LSL, n)),
                    None => {
                        Self::imm(out, t, v);
                        return Self::bin(out, Bin::Mul, d, x, t, t);
                    }
                }
                return true;
            }
            Bin::Shl => sh::LSL,
            Bin::ShrS => sh::ASR,
            Bin::ShrU => sh::LSR,
            Bin::Rotl | Bin::Rotr => sh::ROR,
        };
        let amount = if op == Bin::Rotl { v.wrapping_neg() } else { v } & 31;
        if amount == 0 {
            return add(out, d, x, 0, t);
        }
        encode::shift_imm(out, shift, d, x, amount as u16);
        true
    }

    fn sub_from(out: &mut Out<'_>, d: Reg, v: u32, y: Reg, t: Reg) {
        match encode::modified(v) {
            Some(imm) => encode::data_imm(out, dp::RSB, true, d, y, imm),
            None => {
                Self::imm(out, t, v);
                Self::bin(out, Bin::Sub, d, t, y, t);
            }
        }
    }

    fn un(out: &mut Out<'_>, op: Un, d: Reg, x: Reg) -> bool {
        match op {
            Un::Clz => encode::count_zeros(out, false, d, x),
            Un::Ctz => {
                encode::count_zeros(out, true, d, x);
                encode::count_zeros(out, false, d, d);
            }
            Un::Extend8 => encode::extend(out, 1, d, x),
            Un::Extend16 => encode::extend(out, 0, d, x),
        }
        true
    }

    fn div(out: &mut Out<'_>, op: Div, d: Reg, x: Reg, y: Reg, t: Reg) -> bool {
        if op.rest {
            encode::divide(out, op.signed, t, x, y);
            encode::multiply(out, d, t, y, Some(x), true);
        } else {
            encode::divide(out, op.signed, d, x, y);
        }
        true
    }

    fn compare(out: &mut Out<'_>, cond: Cond, x: Reg, y: Val, t: Reg) -> u8 {
        match y {
            Val::Reg(y) => encode::cmp(out, x, y),
            Val::Imm(v) if encode::low(x) && v < 256 => encode::imm_8(out, 1, x, v as u16),
            Val::Imm(v) => {
                if let Some(imm) = encode::modified(v) {
                    encode::data_imm(out, dp::SUB, true, PC, x, imm);
                } else if let Some(imm) = encode::modified(v.wrapping_neg()).filter(|_| v != 0) {
                    // the sum with the negative has the flags of the difference
                    encode::data_imm(out, dp::ADD, true, PC, x, imm);
                } else {
                    Self::imm(out, t, v);
                    encode::cmp(out, x, t);
                }
            }
        }
        condition(cond)
    }

    fn on_flags(cond: Cond) -> Option<u8> {
        condition_of_result(cond)
    }

    fn not(test: u8) -> u8 {
        test ^ 1
    }

    fn branch(out: &mut Out<'_>, test: Option<u8>, to: u32, long: bool) {
        if long {
            encode::branch_long(out, test, false, to);
        } else {
            encode::branch_short(out, test, to);
        }
    }

    fn reaches(from: u32, to: u32, test: bool) -> bool {
        let distance = to.wrapping_sub(from + 4) as i32;
        let reach = ahead(test) as i32;
        (-reach - 2..=reach).contains(&distance)
    }

    fn near(ir: u32, test: bool) -> bool {
        ir * 2 <= ahead(test)
    }

    const SHORT: [u32; 2] = [2, 2];

    fn aim(out: &mut Out<'_>, at: u32, to: u32, _: bool) {
        let bits = out.word_at(at);
        out.patch(at, |out| encode::aim(out, bits, to));
    }

    fn shortens(_: Option<u8>) -> u32 {
        2
    }

    fn set(out: &mut Out<'_>, test: u8, d: Reg) {
        encode::it(out, test, &[true]);
        for v in [1, 0] {
            // inside such a block the short form sets no flags
            if encode::low(d) {
                encode::imm_8(out, 0, d, v);
            } else {
                encode::data_imm(out, dp::ORR, false, d, PC, v);
            }
        }
    }

    fn select(out: &mut Out<'_>, test: u8, d: Reg, a: Place, b: Place) {
        let put = |out: &mut Out<'_>, place| match place {
            Place::Reg(s) => encode::mov(out, d, s),
            Place::Slot(slot) => encode::access_imm(out, 4, d, Self::PLAN.frame, slot as u16),
        };
        if a == Place::Reg(d) {
            if b != a {
                encode::it(out, test ^ 1, &[]);
                put(out, b);
            }
        } else if b == Place::Reg(d) {
            encode::it(out, test, &[]);
            put(out, a);
        } else {
            encode::it(out, test, &[true]);
            put(out, a);
            put(out, b);
        }
    }

    fn table(out: &mut Out<'_>, index: Reg, _: Reg) {
        encode::table_branch(out, index);
    }

    const TABLE: i32 = 0;

    fn get(out: &mut Out<'_>, d: Reg, base: Reg, offset: u32) {
        encode::access_imm(out, 4, d, base, offset as u16);
    }

    fn put(out: &mut Out<'_>, s: Reg, base: Reg, offset: u32) {
        encode::access_imm(out, 0, s, base, offset as u16);
    }

    fn get_pair(out: &mut Out<'_>, d: (Reg, Reg), base: Reg, offset: u32) {
        if offset < 1024 {
            encode::access_pair(out, true, d, base, offset as u16);
        } else if d.0 == base {
            Self::get(out, d.1, base, offset + 4);
            Self::get(out, d.0, base, offset);
        } else {
            Self::get(out, d.0, base, offset);
            Self::get(out, d.1, base, offset + 4);
        }
    }

    fn put_pair(out: &mut Out<'_>, s: (Reg, Reg), base: Reg, offset: u32) {
        if offset < 1024 {
            encode::access_pair(out, false, s, base, offset as u16);
        } else {
            Self::put(out, s.0, base, offset);
            Self::put(out, s.1, base, offset + 4);
        }
    }

    fn load(out: &mut Out<'_>, width: Width, d: Reg, base: Reg, index: Index) {
        match index {
            Index::Reg(index) => encode::access(out, access(width, false), d, base, index),
            Index::Imm(imm) => encode::access_imm(out, access(width, false), d, base, imm as u16),
        }
    }

    fn store(out: &mut Out<'_>, width: Width, s: Reg, base: Reg, index: Index, _: Reg) {
        match index {
            Index::Reg(index) => encode::access(out, access(width, true), s, base, index),
            Index::Imm(imm) => encode::access_imm(out, access(width, true), s, base, imm as u16),
        }
    }

    fn wide_bin(out: &mut Out<'_>, op: Bin) -> bool {
        wide::bin(out, op);
        true
    }

    fn wide_shift(out: &mut Out<'_>, op: Bin, n: u32) {
        wide::shift(out, op, n as u16);
    }

    fn wide_shift_by(out: &mut Out<'_>, op: Bin) -> bool {
        wide::shift_by(out, op);
        true
    }

    fn wide_compare(out: &mut Out<'_>, cond: Cond) -> u8 {
        encode::cmp(out, R0, R2);
        if matches!(cond, Cond::Eq | Cond::Ne) {
            encode::it(out, cc::EQ, &[]);
            encode::cmp(out, R1, LR);
        } else {
            encode::data(out, dp::SBC, true, R1, R1, (LR, 0, 0));
        }
        condition(cond)
    }

    fn enter(out: &mut Out<'_>, mask: u32) {
        encode::stack(out, false, kept(mask));
    }

    fn leave(out: &mut Out<'_>, mask: u32) {
        encode::stack(out, true, kept(mask));
    }

    fn kept_by(first: u32) -> Kept {
        let (first, second) = (first & 0xffff, first >> 16);
        let mask = if first == 0xe92d { second & 0x1fff } else { first & 0xff };
        Kept { mask, words: mask.count_ones() + 1 }
    }

    const ENTRY: u32 = 1;

    fn stack_below(out: &mut Out<'_>, limit: Reg) -> u8 {
        encode::cmp(out, SP, limit);
        cc::LO
    }

    fn call(out: &mut Out<'_>, to: u32) {
        encode::branch_long(out, None, true, to);
    }

    fn called(at: u32, bits: u32) -> u32 {
        (at + 4).wrapping_add(encode::distance(bits))
    }

    const STAND_IN: u32 = 12;
    const CALLS: u32 = 1 << 24;
    const TRAMPOLINE: u32 = 10;

    fn trampoline(out: &mut Out<'_>, address: u32) -> u32 {
        if out.at() % 4 != 0 {
            out.half(0xbf00);
        }
        let at = out.at();
        encode::access_imm(out, 4, PC, PC, 0);
        out.word(address);
        at
    }
}

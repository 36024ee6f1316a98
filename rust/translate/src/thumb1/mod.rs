// SPDX-License-Identifier: Apache-2.0
//! Thumb-1, for Armv6-M and Armv8-M Baseline.
//!
//! | register | holds |
//! |---|---|
//! | r0 | accumulator, results; with r1 a value of 64 bits |
//! | r1, r2 | scratch; r2 and r3 the other value of 64 bits |
//! | r3 | an address that several accesses have in common |
//! | r4 - r6 | slots |
//! | r7 | slot 0 of the running function |
//! | r8, r9 | linear memory: first byte, bytes less four |
//! | r10 | the instance |
//! | r11 | units of fuel in hand |
//! | r12 | scratch of one op, and r3 on the way into the firmware |

pub mod encode;
mod memory;
mod numbers;
mod wide;

use encode::{cc, op, sh, SP};
use numbers::{add, logic, SUM};

use crate::isa::{Bin, Cond, Div, Index, Isa, Kept, Number, Place, Plan, Reg, Un, Val, Width};
use crate::out::Out;
use crate::thumb::{ahead, condition, condition_of_result, kept};
use crate::thumb2::{self, encode::low};

/// The instruction set.
pub struct Thumb1;

const R0: Reg = Reg(0);
const R1: Reg = Reg(1);
const R2: Reg = Reg(2);
const R3: Reg = Reg(3);
const R12: Reg = Reg(12);
const PC: Reg = Reg(15);

/// Conditions of the processor: of the flags as they are, or as a comparison leaves them that whoever uses the test makes.
#[derive(Clone, Copy)]
pub struct Test {
    condition: u8,
    compare: Option<(Reg, Val)>,
}

impl Test {
    fn not(self) -> Self {
        Self { condition: self.condition ^ 1, ..self }
    }

    /// Makes the comparison.
    fn flags(self, out: &mut Out<'_>) {
        match self.compare {
            Some((x, Val::Reg(y))) => encode::cmp(out, x, y),
            Some((x, Val::Imm(v))) => encode::imm_8(out, 1, x, v as u16),
            None => {}
        }
    }

    fn names(self, r: Reg) -> bool {
        self.compare.is_some_and(|(x, y)| x == r || y == Val::Reg(r))
    }
}

/// Writes a branch over what `body` writes, which is a few instructions.
fn over(out: &mut Out<'_>, condition: Option<u8>, body: impl FnOnce(&mut Out<'_>)) {
    let at = out.at();
    out.half(0);
    body(out);
    let end = out.at();
    out.patch(at, |out| encode::branch_short(out, condition, end));
}

/// Writes a branch between two bodies of a few instructions: the second is for when the condition holds.
fn either(out: &mut Out<'_>, condition: u8, no: impl FnOnce(&mut Out<'_>), yes: impl FnOnce(&mut Out<'_>)) {
    let mut at = 0;
    over(out, Some(condition), |out| {
        no(out);
        at = out.at();
        out.half(0);
    });
    yes(out);
    let end = out.at();
    out.patch(at, |out| encode::branch_short(out, None, end));
}

/// Writes `d = x shifted by t`, where t is not x.
fn shift_by(out: &mut Out<'_>, shift: u16, d: Reg, x: Reg, t: Reg) {
    if d == x {
        return encode::shift_reg(out, shift, d, t);
    }
    if d != t {
        encode::mov(out, d, x);
        return encode::shift_reg(out, shift, d, t);
    }
    encode::mov(out, R12, x);
    encode::shift_reg(out, shift, x, t);
    encode::mov(out, d, x);
    encode::mov(out, x, R12);
}

/// Jumps to an offset in four bytes, from everywhere. The return address is lost, which a function keeps on the stack.
fn far(out: &mut Out<'_>, to: u32) {
    if Thumb1::reaches(out.at(), to, false) {
        encode::branch_short(out, None, to);
        encode::nop(out);
    } else {
        encode::branch_long(out, None, true, to);
    }
}

impl Isa for Thumb1 {
    const PLAN: Plan = Plan {
        wide: (R0, R1),
        other: (R2, R3),
        temps: &[R1, R2],
        pins: &[Reg(4), Reg(5), Reg(6)],
        cache: R3,
        frame: Reg(7),
        context: Reg(10),
        base: Reg(8),
        limit: Reg(9),
        fuel: Reg(11),
    };
    const HELD: u8 = 0;
    const FRAME: u32 = 4088;
    const ALIGNED: bool = true;
    const RESTS: bool = false;
    const SPARE: bool = true;
    const REACH: u32 = 128;
    const ISLAND: u32 = 170;
    const COLD: u32 = 18;
    const NEAR_END: u32 = 1 << 24;
    type Test = Test;

    fn mov(out: &mut Out<'_>, d: Reg, s: Reg) {
        encode::mov(out, d, s);
    }

    fn imm(out: &mut Out<'_>, d: Reg, v: u32) {
        numbers::imm(out, d, v);
    }

    fn constant(_: u32) -> Option<Reg> {
        None
    }

    fn plain(number: Number, v: u32) -> bool {
        match number {
            Number::Sum => v <= SUM || v.wrapping_neg() <= SUM,
            Number::Bits => false,
            Number::Factor => v.is_power_of_two(),
            Number::Shift => true,
            Number::Rotation => v & 31 == 0,
            Number::Compare => v < 256,
            Number::From => v == 0 || v == u32::MAX,
        }
    }

    fn bin(out: &mut Out<'_>, op: Bin, d: Reg, x: Reg, y: Reg, t: Reg) -> bool {
        let all_low = low(d) && low(x) && low(y);
        let code = match op {
            Bin::Add | Bin::Sub if all_low => {
                encode::add_low(out, op == Bin::Sub, d, x, y);
                return true;
            }
            Bin::Add => {
                match d == y {
                    true => encode::add_any(out, d, x),
                    false => {
                        if d != x {
                            encode::mov(out, d, x);
                        }
                        encode::add_any(out, d, y);
                    }
                }
                return false;
            }
            // x is low: no address is subtracted from
            Bin::Sub => {
                let low_y = if d == x { t } else { d };
                encode::mov(out, low_y, y);
                encode::add_low(out, true, d, x, low_y);
                return true;
            }
            Bin::Mul => op::MUL,
            Bin::And => op::AND,
            Bin::Or => op::ORR,
            Bin::Xor => op::EOR,
            Bin::Shl | Bin::ShrS | Bin::ShrU => {
                // the processor shifts by up to 255
                encode::imm_8(out, 0, t, 31);
                encode::alu(out, op::AND, t, y);
                let shift = [sh::LSL, sh::ASR, sh::LSR][op as usize - Bin::Shl as usize];
                shift_by(out, shift, d, x, t);
                return false;
            }
            Bin::Rotl => {
                encode::alu(out, op::NEG, t, y);
                shift_by(out, sh::ROR, d, x, t);
                return false;
            }
            Bin::Rotr if d == y && d != x => {
                shift_by(out, sh::ROR, d, x, y);
                return false;
            }
            Bin::Rotr => {
                if d != x {
                    encode::mov(out, d, x);
                }
                encode::shift_reg(out, sh::ROR, d, y);
                return false;
            }
        };
        if d == y {
            encode::alu(out, code, d, x);
        } else {
            if d != x {
                encode::mov(out, d, x);
            }
            encode::alu(out, code, d, y);
        }
        true
    }

    fn bin_imm(out: &mut Out<'_>, op: Bin, d: Reg, x: Reg, v: u32, t: Reg) -> bool {
        let shift = match op {
            Bin::Add => return add(out, d, x, v, t),
            Bin::Sub => return add(out, d, x, v.wrapping_neg(), t),
            Bin::And | Bin::Or | Bin::Xor => return logic(out, op, d, x, v, t),
            Bin::Mul if v.is_power_of_two() => return Self::bin_imm(out, Bin::Shl, d, x, v.trailing_zeros(), t),
            Bin::Mul => {
                let number = if d == x { t } else { d };
                Self::imm(out, number, v);
                encode::alu(out, op::MUL, d, if d == x { t } else { x });
                return true;
            }
            Bin::Shl => sh::LSL,
            Bin::ShrS => sh::ASR,
            Bin::ShrU => sh::LSR,
            Bin::Rotl | Bin::Rotr => sh::ROR,
        };
        let amount = (if op == Bin::Rotl { v.wrapping_neg() } else { v } & 31) as u16;
        if amount == 0 {
            return add(out, d, x, 0, t);
        }
        if shift == sh::ROR {
            encode::imm_8(out, 0, t, amount);
            shift_by(out, shift, d, x, t);
            return false;
        }
        encode::shift_imm(out, shift, d, x, amount);
        true
    }

    fn sub_from(out: &mut Out<'_>, d: Reg, v: u32, y: Reg, t: Reg) {
        match v {
            0 => encode::alu(out, op::NEG, d, y),
            u32::MAX => encode::alu(out, op::MVN, d, y),
            _ => {
                let number = if d == y { t } else { d };
                Self::imm(out, number, v);
                encode::add_low(out, true, d, number, y);
            }
        }
    }

    fn un(out: &mut Out<'_>, op: Un, d: Reg, x: Reg) -> bool {
        let op = match op {
            Un::Extend8 => 1,
            Un::Extend16 => 0,
            Un::Clz | Un::Ctz => return false,
        };
        encode::extend(out, op, d, x);
        true
    }

    fn div(_: &mut Out<'_>, _: Div, _: Reg, _: Reg, _: Reg, _: Reg) -> bool {
        false
    }

    fn compare(out: &mut Out<'_>, cond: Cond, x: Reg, y: Val, t: Reg) -> Test {
        let y = match y {
            Val::Imm(v) if v >= 256 || !low(x) => {
                Self::imm(out, t, v);
                Val::Reg(t)
            }
            _ => y,
        };
        Test { condition: condition(cond), compare: Some((x, y)) }
    }

    fn on_flags(cond: Cond) -> Option<Test> {
        condition_of_result(cond).map(|condition| Test { condition, compare: None })
    }

    fn not(test: Test) -> Test {
        test.not()
    }

    fn branch(out: &mut Out<'_>, test: Option<Test>, to: u32, long: bool) {
        let Some(test) = test else {
            return if long { far(out, to) } else { encode::branch_short(out, None, to) };
        };
        // whether a target ahead is known decides nothing: until then it is the branch itself
        let back = to < out.at();
        test.flags(out);
        if !long {
            encode::branch_short(out, Some(test.condition), to);
        } else if back && Self::reaches(out.at() + 2, to, false) {
            over(out, Some(test.condition ^ 1), |out| encode::branch_short(out, None, to));
        } else {
            over(out, Some(test.condition ^ 1), |out| far(out, to));
        }
    }

    fn reaches(from: u32, to: u32, test: bool) -> bool {
        let distance = to.wrapping_sub(from + 4) as i32;
        let reach = ahead(test) as i32;
        // a comparison in front takes the two bytes that a branch reaches farther back
        (if test { -reach } else { -reach - 2 }..=reach).contains(&distance)
    }

    fn near(ir: u32, test: bool) -> bool {
        ir * 2 <= ahead(test)
    }

    const SHORT: [u32; 2] = [2, 2];

    fn aim(out: &mut Out<'_>, at: u32, to: u32, long: bool) {
        let bits = out.word_at(at);
        // a long branch is a short one so far, and it can become a call
        let branch = long && bits >> 12 & 0xf == 0xe;
        out.patch(at, |out| if branch { far(out, to) } else { thumb2::encode::aim(out, bits, to) });
    }

    fn shortens(test: Option<Test>) -> u32 {
        if test.is_some() {
            4
        } else {
            2
        }
    }

    fn set(out: &mut Out<'_>, test: Test, d: Reg) {
        match (test.condition, test.compare) {
            // the carry tells
            (cc::LO, _) => {
                test.flags(out);
                encode::alu(out, op::SBC, d, d);
                encode::alu(out, op::NEG, d, d);
            }
            (cc::HS, _) => {
                test.flags(out);
                encode::imm_8(out, 0, d, 0);
                encode::alu(out, op::ADC, d, d);
            }
            (cc::EQ, Some((x, Val::Imm(0)))) => {
                // the carry says that x is 0
                encode::alu(out, op::NEG, d, x);
                if d == x {
                    encode::imm_8(out, 0, d, 0);
                }
                encode::alu(out, op::ADC, d, if d == x { d } else { x });
            }
            (cc::NE, Some((x, Val::Imm(0)))) => {
                encode::alu(out, op::NEG, d, x);
                encode::alu(out, op::SBC, d, d);
                encode::alu(out, op::NEG, d, d);
            }
            (cc::LT, Some((x, Val::Imm(0)))) => encode::shift_imm(out, sh::LSR, d, x, 31),
            (cc::GE, Some((x, Val::Imm(0)))) => {
                encode::alu(out, op::MVN, d, x);
                encode::shift_imm(out, sh::LSR, d, d, 31);
            }
            (condition, Some(_)) if !test.names(d) => {
                encode::imm_8(out, 0, d, 1);
                test.flags(out);
                over(out, Some(condition), |out| encode::imm_8(out, 0, d, 0));
            }
            (condition, _) => {
                test.flags(out);
                either(out, condition, |out| encode::imm_8(out, 0, d, 0), |out| encode::imm_8(out, 0, d, 1));
            }
        }
    }

    fn select(out: &mut Out<'_>, test: Test, d: Reg, a: Place, b: Place) {
        let put = |out: &mut Out<'_>, place| match place {
            Place::Reg(s) => encode::mov(out, d, s),
            Place::Slot(slot) => Self::get(out, d, Self::PLAN.frame, slot),
        };
        let condition = test.condition;
        if a == b {
            put(out, a);
        } else if a == Place::Reg(d) {
            test.flags(out);
            over(out, Some(condition), |out| put(out, b));
        } else if b == Place::Reg(d) {
            test.flags(out);
            over(out, Some(condition ^ 1), |out| put(out, a));
        } else if test.names(d) || test.compare.is_none() {
            test.flags(out);
            either(out, condition, |out| put(out, b), |out| put(out, a));
        } else {
            put(out, a);
            test.flags(out);
            over(out, Some(condition), |out| put(out, b));
        }
    }

    fn table(out: &mut Out<'_>, index: Reg, t: Reg) {
        encode::shift_imm(out, sh::LSL, t, index, 1);
        encode::add_any(out, t, PC);
        // the program counter was two bytes behind this load, and the table is four more
        encode::access_imm(out, Width::Half, false, t, t, 4);
        encode::shift_imm(out, sh::LSL, t, t, 1);
        encode::add_any(out, PC, t);
    }

    // the program counter was two bytes behind the first entry
    const TABLE: i32 = 2;

    fn get(out: &mut Out<'_>, d: Reg, base: Reg, offset: u32) {
        let base = match low(base) {
            true => base,
            // the instance
            false => {
                encode::mov(out, d, base);
                d
            }
        };
        if offset < Self::REACH {
            return encode::access_imm(out, Width::Word, false, d, base, offset);
        }
        // a slot: globals and fields of the instance lie below
        debug_assert!(d != base);
        Self::imm(out, d, offset);
        encode::access(out, Width::Word, false, d, base, d);
    }

    fn put(out: &mut Out<'_>, s: Reg, base: Reg, offset: u32) {
        if offset < Self::REACH {
            return encode::access_imm(out, Width::Word, true, s, base, offset);
        }
        if offset - 124 < 256 {
            let step = (offset - 124) as u16;
            encode::imm_8(out, 2, base, step);
            encode::access_imm(out, Width::Word, true, s, base, 124);
            return encode::imm_8(out, 3, base, step);
        }
        let t = [R0, R1, R2].into_iter().find(|&t| t != s && t != base).unwrap_or(R3);
        encode::mov(out, R12, t);
        Self::imm(out, t, offset);
        encode::access(out, Width::Word, true, s, base, t);
        encode::mov(out, t, R12);
    }

    fn keeps_flags(offset: u32) -> bool {
        offset < Self::REACH
    }

    fn get_pair(out: &mut Out<'_>, d: (Reg, Reg), base: Reg, offset: u32) {
        Self::get(out, d.0, base, offset);
        Self::get(out, d.1, base, offset + 4);
    }

    fn put_pair(out: &mut Out<'_>, s: (Reg, Reg), base: Reg, offset: u32) {
        Self::put(out, s.0, base, offset);
        Self::put(out, s.1, base, offset + 4);
    }

    fn load(out: &mut Out<'_>, width: Width, d: Reg, base: Reg, index: Index) {
        memory::load(out, width, d, base, index);
    }

    fn store(out: &mut Out<'_>, width: Width, s: Reg, base: Reg, index: Index, t: Reg) {
        memory::store(out, width, s, base, index, t);
    }

    fn spare(width: Width, base: Reg, index: Index) -> bool {
        !low(base) || matches!(index, Index::Imm(offset) if !encode::reaches(width, offset))
    }

    fn rest(out: &mut Out<'_>, base: Reg, index: Index, bytes: u32, t: Reg) {
        memory::rest(out, base, index, bytes, t);
    }

    fn misaligned() -> Option<Test> {
        Some(Test { condition: cc::NE, compare: None })
    }

    fn by_bytes(out: &mut Out<'_>, store: bool, r: Reg, at: (Reg, Index), t: Reg, to: u32) -> u32 {
        memory::by_bytes(out, store, r, at, t, to)
    }

    fn wide_bin(out: &mut Out<'_>, op: Bin) -> bool {
        wide::bin(out, op)
    }

    fn wide_shift(out: &mut Out<'_>, op: Bin, n: u32) {
        wide::shift(out, op, n as u16);
    }

    fn wide_shift_by(_: &mut Out<'_>, _: Bin) -> bool {
        false
    }

    fn wide_compare(out: &mut Out<'_>, cond: Cond) -> Test {
        wide::compare(out, cond);
        Test { condition: condition(cond), compare: None }
    }

    fn enter(out: &mut Out<'_>, mask: u32) {
        encode::push(out, kept(mask), true);
    }

    fn leave(out: &mut Out<'_>, mask: u32) {
        encode::pop(out, kept(mask), true);
    }

    fn kept_by(first: u32) -> Kept {
        let mask = first & 0xff;
        Kept { mask, words: mask.count_ones() + 1 }
    }

    const ENTRY: u32 = 1;

    fn stack_below(_: &mut Out<'_>, limit: Reg) -> Test {
        Test { condition: cc::LO, compare: Some((SP, Val::Reg(limit))) }
    }

    fn call(out: &mut Out<'_>, to: u32) {
        encode::branch_long(out, None, true, to);
    }

    fn called(at: u32, bits: u32) -> u32 {
        (at + 4).wrapping_add(encode::distance(bits))
    }

    fn jump(out: &mut Out<'_>, to: u32) {
        if Self::reaches(out.at(), to, false) {
            return encode::branch_short(out, None, to);
        }
        // the distance lies behind, at a multiple of four
        let aligned = out.at() % 4 == 0;
        let from = out.at() + 6;
        encode::load_literal(out, R3, u16::from(!aligned));
        encode::add_any(out, PC, R3);
        if !aligned {
            encode::nop(out);
        }
        out.word(to.wrapping_sub(from));
    }

    const STAND_IN: u32 = 20;
    const CALLS: u32 = 1 << 24;
    const TRAMPOLINE: u32 = 14;

    fn trampoline(out: &mut Out<'_>, address: u32) -> u32 {
        // the address lies at a multiple of four
        if out.at() % 4 == 0 {
            encode::nop(out);
        }
        let at = out.at();
        encode::mov(out, R12, R3);
        encode::load_literal(out, R3, 0);
        encode::branch_register(out, R3);
        out.word(address);
        at
    }
}

// SPDX-License-Identifier: Apache-2.0
//! RISC-V with 32-bit registers, multiplication and compressed instructions (RV32IMC), with the soft-float convention.
//!
//! | register | holds |
//! |---|---|
//! | a0 | accumulator, results; with a1 a value of 64 bits |
//! | a1, a2, a3, a6, a7 | scratch; a2 and a3 the other value of 64 bits |
//! | a4 | an address that several accesses have in common |
//! | a5, s1 - s7 | slots |
//! | s0 | slot 0 of the running function |
//! | s8 | units of fuel in hand |
//! | s9 | the instance |
//! | s10, s11 | linear memory: bytes less four, first byte |
//! | t1, t2 | scratch of one op: numbers, addresses |
//! | t3 | whether an address is misaligned |
//! | t0, t4, t6 | of an access by bytes: return address, scratch, value; t1 has the address |
//! | t5 | scratch of jumps to the firmware |

pub mod encode;
mod wide;

use encode::{ADD, AND, DIV, DIVU, MUL, OR, RA, REM, REMU, SLL, SLT, SLTU, SP, SRA, SRL, SUB, XOR, ZERO};

use crate::isa::{Bin, Cond, Div, Index, Isa, Kept, Number, Place, Plan, Reg, Un, Val, Width};
use crate::out::Out;

/// The instruction set.
pub struct Riscv;

const T0: Reg = Reg(5);
const T1: Reg = Reg(6);
const T2: Reg = Reg(7);
const A0: Reg = Reg(10);
const A1: Reg = Reg(11);
const A2: Reg = Reg(12);
const A3: Reg = Reg(13);
const T3: Reg = Reg(28);
const T5: Reg = Reg(30);
const T6: Reg = Reg(31);
/// Registers for slots, in the order in which they are taken: those with compressed encodings first.
const PINS: [Reg; 8] = [Reg(9), Reg(15), Reg(18), Reg(19), Reg(20), Reg(21), Reg(22), Reg(23)];
/// Bytes that a test takes at most in front of its branch: a number that is compared with.
const NUMBER: u32 = 8;

/// A comparison that branches and the like do themselves. The registers keep their values until then.
#[derive(Clone, Copy)]
pub struct Test {
    cond: Cond,
    x: Reg,
    y: Val,
}

impl Test {
    fn not(self) -> Self {
        let cond = match self.cond {
            Cond::Eq => Cond::Ne,
            Cond::Ne => Cond::Eq,
            Cond::LtS => Cond::GeS,
            Cond::GeS => Cond::LtS,
            Cond::LtU => Cond::GeU,
            Cond::GeU => Cond::LtU,
        };
        Self { cond, ..self }
    }

    /// Returns true if a compressed branch can test it.
    fn short(self) -> bool {
        self.y == Val::Imm(0) && encode::low(self.x) && matches!(self.cond, Cond::Eq | Cond::Ne)
    }

    fn names(self, r: Reg) -> bool {
        self.x == r || self.y == Val::Reg(r)
    }

    /// Returns the second register, after its number was put there.
    fn second(self, out: &mut Out<'_>) -> Reg {
        match self.y {
            Val::Reg(y) => y,
            Val::Imm(0) => ZERO,
            Val::Imm(v) => {
                encode::li(out, T1, v);
                T1
            }
        }
    }
}

/// Branches to an offset that is near.
fn branch_near(out: &mut Out<'_>, test: Test, to: u32) {
    let y = test.second(out);
    encode::branch(out, test.cond, test.x, y, to);
}

/// Writes a branch over what `body` writes, which is a few instructions, if the test holds.
fn over(out: &mut Out<'_>, test: Test, body: impl FnOnce(&mut Out<'_>)) {
    let skip = |out: &mut Out<'_>, to| match test.short() {
        true => encode::branch_zero(out, test.cond == Cond::Eq, test.x, to),
        false => branch_near(out, test, to),
    };
    let at = out.at();
    skip(out, at);
    body(out);
    let end = out.at();
    out.patch(at, |out| skip(out, end));
}

/// Writes a branch between two bodies of a few instructions: the second is for when the test holds.
fn either(out: &mut Out<'_>, test: Test, no: impl FnOnce(&mut Out<'_>), yes: impl FnOnce(&mut Out<'_>)) {
    let mut at = 0;
    over(out, test, |out| {
        no(out);
        at = out.at();
        encode::jump_short(out, at);
    });
    yes(out);
    let end = out.at();
    out.patch(at, |out| encode::jump_short(out, end));
}

/// Returns base and offset of an access of the firmware's records, whose offset may be beyond the reach of instructions.
fn far(out: &mut Out<'_>, base: Reg, offset: u32) -> (Reg, u32) {
    if encode::fits(offset) {
        return (base, offset);
    }
    let upper = offset.wrapping_add(0x800) >> 12;
    encode::li(out, T1, upper << 12);
    encode::op(out, ADD, T1, T1, base);
    (T1, offset.wrapping_sub(upper << 12))
}

/// Returns base and offset of an access of linear memory.
fn reach(out: &mut Out<'_>, base: Reg, index: Index) -> (Reg, u32) {
    match index {
        Index::Imm(offset) => far(out, base, offset),
        Index::Reg(index) => {
            encode::op(out, ADD, T1, base, index);
            (T1, 0)
        }
    }
}

/// Writes `d = x op v` for and, or, exclusive or.
fn logic(out: &mut Out<'_>, op: encode::Op, d: Reg, x: Reg, v: u32) {
    if encode::fits(v) {
        encode::op_imm(out, op, d, x, v);
    } else if op == AND && v & v.wrapping_add(1) == 0 {
        // ones below zeros
        encode::shift(out, SLL, d, x, v.leading_zeros());
        encode::shift(out, SRL, d, d, v.leading_zeros());
    } else {
        encode::li(out, T1, v);
        encode::op(out, op, d, x, T1);
    }
}

fn rotate(out: &mut Out<'_>, d: Reg, x: Reg, left: u32) {
    if left == 0 {
        return encode::mv(out, d, x);
    }
    encode::shift(out, SRL, T1, x, 32 - left);
    encode::shift(out, SLL, d, x, left);
    encode::op(out, OR, d, d, T1);
}

/// Returns the bytes of native stack that a function takes which keeps this many registers and the return address.
fn stack(count: u32) -> u32 {
    (4 * count + 4).next_multiple_of(16)
}

/// Saves or restores the registers that a function keeps: the return address first, which lies behind the others.
fn keep(out: &mut Out<'_>, mask: u32, access: fn(&mut Out<'_>, Width, Reg, Reg, u32)) {
    access(out, Width::Word, RA, SP, 4 * mask.count_ones());
    for (place, register) in (0..32).filter(|n| mask >> n & 1 == 1).enumerate() {
        access(out, Width::Word, Reg(register), SP, 4 * place as u32);
    }
}

impl Isa for Riscv {
    const PLAN: Plan = Plan {
        wide: (A0, A1),
        other: (A2, A3),
        temps: &[A1, A2, A3, Reg(16), Reg(17)],
        pins: &PINS,
        cache: Reg(14),
        frame: Reg(8),
        context: Reg(25),
        base: Reg(27),
        limit: Reg(26),
        fuel: Reg(24),
    };
    const HELD: u8 = 10;
    const FRAME: u32 = 4088;
    const ALIGNED: bool = true;
    const RESTS: bool = true;
    const SPARE: bool = false;
    const REACH: u32 = 2048;
    const ISLAND: u32 = 3500;
    const COLD: u32 = 8;
    const NEAR_END: u32 = 400;
    type Test = Test;

    fn mov(out: &mut Out<'_>, d: Reg, s: Reg) {
        encode::mv(out, d, s);
    }

    fn imm(out: &mut Out<'_>, d: Reg, v: u32) {
        encode::li(out, d, v);
    }

    fn constant(v: u32) -> Option<Reg> {
        (v == 0).then_some(ZERO)
    }

    fn plain(_: Number, _: u32) -> bool {
        true
    }

    fn bin(out: &mut Out<'_>, op: Bin, d: Reg, x: Reg, y: Reg, _: Reg) -> bool {
        let op = match op {
            Bin::Add => ADD,
            Bin::Sub => SUB,
            Bin::Mul => MUL,
            Bin::And => AND,
            Bin::Or => OR,
            Bin::Xor => XOR,
            Bin::Shl => SLL,
            Bin::ShrS => SRA,
            Bin::ShrU => SRL,
            Bin::Rotl | Bin::Rotr => {
                let (to, back) = if op == Bin::Rotl { (SLL, SRL) } else { (SRL, SLL) };
                encode::op(out, SUB, T1, ZERO, y);
                encode::op(out, back, T1, x, T1);
                encode::op(out, to, d, x, y);
                encode::op(out, OR, d, d, T1);
                return false;
            }
        };
        encode::op(out, op, d, x, y);
        false
    }

    fn bin_imm(out: &mut Out<'_>, op: Bin, d: Reg, x: Reg, v: u32, _: Reg) -> bool {
        let amount = v & 31;
        match op {
            Bin::Add | Bin::Sub => {
                let v = if op == Bin::Sub { v.wrapping_neg() } else { v };
                if encode::fits(v) {
                    encode::addi(out, d, x, v);
                } else {
                    encode::li(out, T1, v);
                    encode::op(out, ADD, d, x, T1);
                }
            }
            Bin::Mul if v.is_power_of_two() => encode::shift(out, SLL, d, x, v.trailing_zeros()),
            Bin::Mul => {
                encode::li(out, T1, v);
                encode::op(out, MUL, d, x, T1);
            }
            Bin::And => logic(out, AND, d, x, v),
            Bin::Or => logic(out, OR, d, x, v),
            Bin::Xor => logic(out, XOR, d, x, v),
            Bin::Shl => encode::shift(out, SLL, d, x, amount),
            Bin::ShrS => encode::shift(out, SRA, d, x, amount),
            Bin::ShrU => encode::shift(out, SRL, d, x, amount),
            Bin::Rotl => rotate(out, d, x, amount),
            Bin::Rotr => rotate(out, d, x, amount.wrapping_neg() & 31),
        }
        false
    }

    fn sub_from(out: &mut Out<'_>, d: Reg, v: u32, y: Reg, _: Reg) {
        match v {
            0 => encode::op(out, SUB, d, ZERO, y),
            u32::MAX => encode::op_imm(out, XOR, d, y, v),
            _ => {
                encode::li(out, T1, v);
                encode::op(out, SUB, d, T1, y);
            }
        }
    }

    fn un(out: &mut Out<'_>, op: Un, d: Reg, x: Reg) -> bool {
        let rest = match op {
            Un::Extend8 => 24,
            Un::Extend16 => 16,
            Un::Clz | Un::Ctz => return false,
        };
        encode::shift(out, SLL, d, x, rest);
        encode::shift(out, SRA, d, d, rest);
        true
    }

    fn div(out: &mut Out<'_>, op: Div, d: Reg, x: Reg, y: Reg, _: Reg) -> bool {
        let op = match (op.signed, op.rest) {
            (true, false) => DIV,
            (false, false) => DIVU,
            (true, true) => REM,
            (false, true) => REMU,
        };
        encode::op(out, op, d, x, y);
        true
    }

    fn compare(_: &mut Out<'_>, cond: Cond, x: Reg, y: Val, _: Reg) -> Test {
        Test { cond, x, y }
    }

    fn on_flags(_: Cond) -> Option<Test> {
        None
    }

    fn not(test: Test) -> Test {
        test.not()
    }

    fn branch(out: &mut Out<'_>, test: Option<Test>, to: u32, long: bool) {
        match test {
            None if long => encode::jump(out, ZERO, to),
            None => encode::jump_short(out, to),
            Some(test) if long => over(out, test.not(), |out| encode::jump(out, ZERO, to)),
            // a branch ahead has one length, whatever it turns out to reach
            Some(test) if test.short() && to < out.at() && out.at() - to <= 256 => {
                encode::branch_zero(out, test.cond == Cond::Eq, test.x, to);
            }
            Some(test) => branch_near(out, test, to),
        }
    }

    fn reaches(from: u32, to: u32, test: bool) -> bool {
        let distance = to.wrapping_sub(from) as i32;
        match test {
            true => (NUMBER as i32 - 4096..=4094).contains(&distance),
            false => (-2048..=2046).contains(&distance),
        }
    }

    fn near(ir: u32, test: bool) -> bool {
        ir <= if test { 1200 } else { 600 }
    }

    const SHORT: [u32; 2] = [2, 4];

    fn aim(out: &mut Out<'_>, at: u32, to: u32, _: bool) {
        let bits = out.word_at(at);
        out.patch(at, |out| encode::aim(out, bits, to));
    }

    fn shortens(test: Option<Test>) -> u32 {
        match test {
            Some(test) if !test.short() => 4,
            _ => 2,
        }
    }

    fn set(out: &mut Out<'_>, test: Test, d: Reg) {
        let Test { cond, x, y } = test;
        let op = match cond {
            Cond::Eq | Cond::Ne => {
                let rest = match y {
                    Val::Imm(0) => x,
                    Val::Imm(v) if encode::fits(v.wrapping_neg()) => {
                        encode::addi(out, d, x, v.wrapping_neg());
                        d
                    }
                    _ => {
                        let y = test.second(out);
                        encode::op(out, XOR, d, x, y);
                        d
                    }
                };
                return match cond {
                    Cond::Eq => encode::op_imm(out, SLTU, d, rest, 1),
                    _ => encode::op(out, SLTU, d, ZERO, rest),
                };
            }
            Cond::LtS | Cond::GeS => SLT,
            Cond::LtU | Cond::GeU => SLTU,
        };
        match y {
            Val::Imm(v) if encode::fits(v) => encode::op_imm(out, op, d, x, v),
            _ => {
                let y = test.second(out);
                encode::op(out, op, d, x, y);
            }
        }
        if matches!(cond, Cond::GeS | Cond::GeU) {
            encode::op_imm(out, XOR, d, d, 1);
        }
    }

    fn select(out: &mut Out<'_>, test: Test, d: Reg, a: Place, b: Place) {
        let put = |out: &mut Out<'_>, place| match place {
            Place::Reg(s) => encode::mv(out, d, s),
            Place::Slot(slot) => Self::get(out, d, Self::PLAN.frame, slot),
        };
        if a == b {
            put(out, a);
        } else if a == Place::Reg(d) {
            over(out, test, |out| put(out, b));
        } else if b == Place::Reg(d) {
            over(out, test.not(), |out| put(out, a));
        } else if test.names(d) {
            either(out, test, |out| put(out, b), |out| put(out, a));
        } else {
            put(out, a);
            over(out, test, |out| put(out, b));
        }
    }

    fn table(out: &mut Out<'_>, index: Reg, _: Reg) {
        // from the first instruction to the table
        const BEFORE: u32 = -Riscv::TABLE as u32;
        encode::shift(out, SLL, T1, index, 1);
        let here = out.at();
        encode::here(out, T2);
        encode::op(out, ADD, T1, T1, T2);
        encode::load(out, Width::Half, T1, T1, BEFORE);
        encode::shift(out, SLL, T1, T1, 1);
        encode::op(out, ADD, T1, T1, T2);
        encode::jump_register(out, T1);
        debug_assert!(out.at() == here + BEFORE);
    }

    const TABLE: i32 = -16;

    fn get(out: &mut Out<'_>, d: Reg, base: Reg, offset: u32) {
        let (base, offset) = far(out, base, offset);
        encode::load(out, Width::Word, d, base, offset);
    }

    fn put(out: &mut Out<'_>, s: Reg, base: Reg, offset: u32) {
        let (base, offset) = far(out, base, offset);
        encode::store(out, Width::Word, s, base, offset);
    }

    fn get_pair(out: &mut Out<'_>, d: (Reg, Reg), base: Reg, offset: u32) {
        if d.0 == base {
            Self::get(out, d.1, base, offset + 4);
            Self::get(out, d.0, base, offset);
        } else {
            Self::get(out, d.0, base, offset);
            Self::get(out, d.1, base, offset + 4);
        }
    }

    fn put_pair(out: &mut Out<'_>, s: (Reg, Reg), base: Reg, offset: u32) {
        Self::put(out, s.0, base, offset);
        Self::put(out, s.1, base, offset + 4);
    }

    fn load(out: &mut Out<'_>, width: Width, d: Reg, base: Reg, index: Index) {
        let (base, offset) = reach(out, base, index);
        encode::load(out, width, d, base, offset);
    }

    fn store(out: &mut Out<'_>, width: Width, s: Reg, base: Reg, index: Index, _: Reg) {
        let (base, offset) = reach(out, base, index);
        encode::store(out, width, s, base, offset);
    }

    fn sum(out: &mut Out<'_>, base: Reg, index: Index, into: Option<Reg>) -> (Reg, Index) {
        // compressed accesses have a base among the lower registers
        if let (Index::Reg(index), Some(into)) = (index, into.filter(|&into| encode::low(into))) {
            encode::op(out, ADD, into, base, index);
            return (into, Index::Imm(0));
        }
        let (base, offset) = reach(out, base, index);
        (base, Index::Imm(offset))
    }

    fn rest(out: &mut Out<'_>, base: Reg, index: Index, bytes: u32, _: Reg) {
        let (base, offset) = reach(out, base, index);
        let low = if offset % bytes == 0 {
            base
        } else {
            encode::addi(out, T3, base, offset % bytes);
            T3
        };
        encode::op_imm(out, AND, T3, low, bytes - 1);
    }

    fn misaligned() -> Option<Test> {
        Some(Test { cond: Cond::Ne, x: T3, y: Val::Imm(0) })
    }

    fn by_bytes(out: &mut Out<'_>, store: bool, r: Reg, at: (Reg, Index), _: Reg, to: u32) -> u32 {
        let (base, offset) = reach(out, at.0, at.1);
        encode::addi(out, T1, base, offset);
        if store {
            encode::mv(out, T6, r);
        }
        let call = out.at();
        encode::jump(out, T0, to);
        if !store {
            encode::mv(out, r, T6);
        }
        call
    }

    fn wide_bin(out: &mut Out<'_>, op: Bin) -> bool {
        wide::bin(out, op);
        true
    }

    fn wide_shift(out: &mut Out<'_>, op: Bin, n: u32) {
        wide::shift(out, op, n);
    }

    fn wide_shift_by(out: &mut Out<'_>, op: Bin) -> bool {
        wide::shift_by(out, op);
        true
    }

    fn wide_compare(out: &mut Out<'_>, cond: Cond) -> Test {
        wide::compare(out, cond)
    }

    fn enter(out: &mut Out<'_>, mask: u32) {
        encode::add_to_stack(out, stack(mask.count_ones()).wrapping_neg());
        keep(out, mask, encode::store);
    }

    fn leave(out: &mut Out<'_>, mask: u32) {
        keep(out, mask, encode::load);
        encode::add_to_stack(out, stack(mask.count_ones()));
        encode::jump_register(out, RA);
    }

    fn kept_by(first: u32) -> Kept {
        // the second instruction saves the return address, behind the registers of slots, which are taken in their order
        let store = first >> 16;
        let count = (store >> 9 & 15 | (store >> 7 & 3) << 4).min(PINS.len() as u32);
        let mask = PINS.iter().take(count as usize).fold(0, |mask, register| mask | 1 << register.0);
        Kept { mask, words: stack(count) / 4 }
    }

    const ENTRY: u32 = 0;

    fn stack_below(_: &mut Out<'_>, limit: Reg) -> Test {
        Test { cond: Cond::LtU, x: SP, y: Val::Reg(limit) }
    }

    fn call(out: &mut Out<'_>, to: u32) {
        encode::jump(out, RA, to);
    }

    fn called(at: u32, bits: u32) -> u32 {
        at.wrapping_add(encode::distance(bits))
    }

    const STAND_IN: u32 = 12;
    const CALLS: u32 = 1 << 20;
    const TRAMPOLINE: u32 = 8;

    fn trampoline(out: &mut Out<'_>, address: u32) -> u32 {
        let at = out.at();
        let upper = address.wrapping_add(0x800) >> 12;
        encode::lui(out, T5, upper);
        encode::jump_near(out, T5, address.wrapping_sub(upper << 12));
        at
    }
}

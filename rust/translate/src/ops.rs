// SPDX-License-Identifier: Apache-2.0
//! Ops on 32 bits, moves, globals, and the choice of what translates an op.

use wisp_image::ops::{Class, Operand, Sem};

use crate::decode::Part;
use crate::flow::Cold;
use crate::function::Function;
use crate::isa::{Bin, Cond, Div, Isa, Number, Reg, Un, Val};
use crate::{Helper, Unfit};

/// Returns the integer operation that a meaning is, in 32 or 64 bits.
pub fn operation(sem: Sem) -> Option<Bin> {
    Some(match sem {
        Sem::I32Add | Sem::I64Add => Bin::Add,
        Sem::I32Sub | Sem::I64Sub => Bin::Sub,
        Sem::I32Mul | Sem::I64Mul => Bin::Mul,
        Sem::I32And | Sem::I64And => Bin::And,
        Sem::I32Or | Sem::I64Or => Bin::Or,
        Sem::I32Xor | Sem::I64Xor => Bin::Xor,
        Sem::I32Shl | Sem::I64Shl => Bin::Shl,
        Sem::I32ShrS | Sem::I64ShrS => Bin::ShrS,
        Sem::I32ShrU | Sem::I64ShrU => Bin::ShrU,
        Sem::I32Rotl | Sem::I64Rotl => Bin::Rotl,
        Sem::I32Rotr | Sem::I64Rotr => Bin::Rotr,
        _ => return None,
    })
}

/// Returns the relation that a meaning is.
pub fn relation(sem: Sem) -> Option<Cond> {
    Some(match sem {
        Sem::I32Eq | Sem::I64Eq => Cond::Eq,
        Sem::I32Ne | Sem::I64Ne => Cond::Ne,
        Sem::I32LtS | Sem::I64LtS => Cond::LtS,
        Sem::I32LtU | Sem::I64LtU => Cond::LtU,
        Sem::I32GeS | Sem::I64GeS => Cond::GeS,
        Sem::I32GeU | Sem::I64GeU => Cond::GeU,
        _ => return None,
    })
}

/// Returns the function that does an op of single precision, or a conversion to or from 32 bits.
fn library(sem: Sem) -> Option<Helper> {
    Some(match sem {
        Sem::F32Add => Helper::F32Add,
        Sem::F32Sub => Helper::F32Sub,
        Sem::F32Mul => Helper::F32Mul,
        Sem::F32Div => Helper::F32Div,
        Sem::F32Eq | Sem::F32Ne => Helper::F32Eq,
        Sem::F32Lt => Helper::F32Lt,
        Sem::F32Le => Helper::F32Le,
        Sem::F64Add => Helper::F64Add,
        Sem::F64Sub => Helper::F64Sub,
        Sem::F64Mul => Helper::F64Mul,
        Sem::F64Div => Helper::F64Div,
        Sem::F64Eq | Sem::F64Ne => Helper::F64Eq,
        Sem::F64Lt => Helper::F64Lt,
        Sem::F64Le => Helper::F64Le,
        Sem::F32ConvertI32S => Helper::I32ToF32,
        Sem::F32ConvertI32U => Helper::U32ToF32,
        Sem::F32ConvertI64S => Helper::I64ToF32,
        Sem::F32ConvertI64U => Helper::U64ToF32,
        Sem::F64ConvertI32S => Helper::I32ToF64,
        Sem::F64ConvertI32U => Helper::U32ToF64,
        Sem::F64ConvertI64S => Helper::I64ToF64,
        Sem::F64ConvertI64U => Helper::U64ToF64,
        Sem::F32DemoteF64 => Helper::F64ToF32,
        Sem::F64PromoteF32 => Helper::F32ToF64,
        Sem::I32TruncSatF32S => Helper::F32ToI32,
        Sem::I32TruncSatF32U => Helper::F32ToU32,
        Sem::I32TruncSatF64S => Helper::F64ToI32,
        Sem::I32TruncSatF64U => Helper::F64ToU32,
        _ => return None,
    })
}

impl<I: Isa> Function<'_, '_, I> {
    /// Translates an op. `flags` says that the flags tell of the accumulator, and `truth` which comparison they tell of.
    pub fn part(&mut self, part: &Part, flags: bool, truth: Option<(I::Test, u32)>) -> Result<(), Unfit> {
        if let Some(helper) = library(part.sem) {
            self.arithmetic(part, helper);
            return Ok(());
        }
        match part.class {
            Class::Bin32 if self.binary(part) => Ok(()),
            Class::Div32 => self.divide(part),
            Class::Un32 if self.unary(part) => Ok(()),
            Class::Set32 | Class::Br32 | Class::Select32 => self.comparison(part, flags, truth),
            Class::Select64 => {
                self.select_wide(part);
                Ok(())
            }
            Class::Bin64 if self.binary_wide(part) => Ok(()),
            Class::Un64 if self.unary_wide(part) => Ok(()),
            Class::Set64 => self.set_wide(part),
            Class::Narrow if part.sem == Sem::I64Eqz => {
                self.is_zero(part);
                Ok(())
            }
            Class::Widen if self.widen(part) => Ok(()),
            Class::Load32 | Class::Load64 => self.load(part),
            Class::Store32 | Class::Store64 => self.store(part),
            Class::Special => self.special(part),
            _ => self.escape(part),
        }
    }

    /// Leaves an op to the function of the interpreter: its slots are in the frame before and after.
    pub fn escape(&mut self, part: &Part) -> Result<(), Unfit> {
        if !self.first || !self.ops.between() || self.reads_acc {
            return Err(Unfit::Op);
        }
        for (slot, wide) in part.sources() {
            self.flush(slot, if wide { 8 } else { 4 });
        }
        I::imm(self.out, I::PLAN.temps[0], self.start);
        self.helper(Helper::Escape);
        match part.result() {
            Some((slot, false)) => {
                let result = I::PLAN.wide.0;
                self.forget_slot(slot);
                match self.pins.get(slot) {
                    Some(pin) => I::mov(self.out, pin, result),
                    None => self.hold(result, slot),
                }
                self.acc = Some(result);
                self.acc_slot = Some(slot);
            }
            Some((slot, true)) => {
                self.forget_slot(slot);
                self.forget_slot(slot + 4);
            }
            None => {}
        }
        Ok(())
    }

    /// Writes `d = f(x, y)`. Returns false if there is no emitter.
    fn binary(&mut self, part: &Part) -> bool {
        if part.sem == Sem::F32Copysign {
            self.copy_sign(part);
            return true;
        }
        let Some(op) = operation(part.sem) else { return false };
        let (first, second) = if part.kind(0) == Operand::DstFirst { (0, 1) } else { (1, 2) };
        let d = self.target(part);
        let immediate = |operand| matches!(part.kind(operand), Operand::Imm16 | Operand::Imm32);
        let flags = if immediate(second) {
            let v = part.value(second);
            let x = self.source(part, first);
            let t = self.temp_for(Number::of(op), v);
            I::bin_imm(self.out, op, d, x, v, t)
        } else if immediate(first) {
            let y = self.source(part, second);
            let t = self.temp_for(Number::From, part.value(first));
            I::sub_from(self.out, d, part.value(first), y, t);
            true
        } else {
            let (x, y) = (self.source(part, first), self.source(part, second));
            let needs = matches!(op, Bin::Shl | Bin::ShrS | Bin::ShrU | Bin::Rotl);
            let t = if needs { self.temp() } else { d };
            I::bin(self.out, op, d, x, y, t)
        };
        self.done(part, d, flags);
        true
    }

    /// Writes `d = f(x)`. Returns false if there is no emitter.
    fn unary(&mut self, part: &Part) -> bool {
        let op = match part.sem {
            Sem::I32Clz => Un::Clz,
            Sem::I32Ctz => Un::Ctz,
            Sem::I32Extend8S => Un::Extend8,
            Sem::I32Extend16S => Un::Extend16,
            Sem::I32Popcnt => {
                self.arithmetic(part, Helper::Popcnt);
                return true;
            }
            Sem::F32Abs | Sem::F32Neg => {
                let (x, d) = (self.source(part, 1), self.target(part));
                let (op, v) = if part.sem == Sem::F32Abs { (Bin::And, 0x7fff_ffff) } else { (Bin::Xor, 0x8000_0000) };
                let t = self.temp();
                I::bin_imm(self.out, op, d, x, v, t);
                self.done(part, d, false);
                return true;
            }
            _ => return false,
        };
        let (x, d) = (self.source(part, 1), self.target(part));
        if !I::un(self.out, op, d, x) {
            self.arithmetic(part, if op == Un::Clz { Helper::Clz } else { Helper::Ctz });
            return true;
        }
        self.done(part, d, false);
        true
    }

    fn copy_sign(&mut self, part: &Part) {
        let (x, y) = (self.source(part, 1), self.source(part, 2));
        self.release(x);
        let t = self.temp();
        I::bin_imm(self.out, Bin::ShrU, t, y, 31, t);
        I::bin_imm(self.out, Bin::Shl, t, t, 31, t);
        let d = I::PLAN.wide.0;
        // x may have gone with the scratch register
        let x = if x == t { self.slot(part.value(1)) } else { x };
        self.clobber(d);
        I::bin_imm(self.out, Bin::Shl, d, x, 1, d);
        I::bin_imm(self.out, Bin::ShrU, d, d, 1, d);
        I::bin(self.out, Bin::Or, d, d, t, t);
        self.done(part, d, false);
    }

    /// Calls a function of the firmware: sources of 32 bits in the first two registers, of 64 bits in the first pair and
    /// in the frame.
    fn arithmetic(&mut self, part: &Part, helper: Helper) {
        let (first, second) = I::PLAN.wide;
        if part.kind(1) == Operand::Slot64 {
            self.source_wide(part, 1, I::PLAN.wide);
            if part.count > 2 {
                I::imm(self.out, I::PLAN.temps[1], part.value(2));
            }
        } else {
            self.arguments(part, first, second);
        }
        self.helper(helper);
        if part.kind(0) == Operand::Dst64 {
            return self.done_wide(part);
        }
        if matches!(part.sem, Sem::F32Ne | Sem::F64Ne) {
            I::bin_imm(self.out, Bin::Xor, first, first, 1, second);
        }
        let d = self.target(part);
        self.copy(d, first);
        self.done(part, d, false);
    }

    /// Puts one or two operands of 32 bits into two registers.
    fn arguments(&mut self, part: &Part, first: Reg, second: Reg) {
        if part.count < 3 {
            return self.source_into(part, 1, first);
        }
        let x = self.source(part, 1);
        let y = self.source(part, 2);
        if y == first && x == second {
            let t = I::PLAN.temps[1];
            I::mov(self.out, t, y);
            I::mov(self.out, first, x);
            I::mov(self.out, second, t);
        } else if y == first {
            self.copy(second, y);
            self.copy(first, x);
        } else {
            self.copy(first, x);
            self.copy(second, y);
        }
    }

    /// Writes `d = x / y`, or the remainder: a trap goes to the interpreter.
    fn divide(&mut self, part: &Part) -> Result<(), Unfit> {
        let op = match part.sem {
            Sem::I32DivS => Div { signed: true, rest: false },
            Sem::I32DivU => Div { signed: false, rest: false },
            Sem::I32RemS => Div { signed: true, rest: true },
            _ => Div { signed: false, rest: true },
        };
        let divisor = Some(part.value(2)).filter(|_| part.kind(2) == Operand::Imm16);
        if divisor == Some(0) || divisor == Some(u32::MAX) && op.signed {
            return self.deopt();
        }
        let (x, y) = (self.source(part, 1), self.source(part, 2));
        if divisor.is_none() {
            let t = self.temp();
            self.release(t);
            let zero = I::compare(self.out, Cond::Eq, y, Val::Imm(0), t);
            self.cold(zero, Cold::Deopt);
            if op.signed {
                let one = I::compare(self.out, Cond::Eq, y, Val::Imm(u32::MAX), t);
                // rare enough for the interpreter, whether it overflows or not
                self.cold(one, Cold::Deopt);
            }
        }
        let (d, t) = (self.target(part), self.temp());
        if !I::div(self.out, op, d, x, y, t) {
            let helper = match (op.signed, op.rest) {
                (true, false) => Helper::DivS,
                (false, false) => Helper::DivU,
                (true, true) => Helper::RemS,
                (false, true) => Helper::RemU,
            };
            self.arithmetic(part, helper);
            return Ok(());
        }
        self.done(part, d, false);
        Ok(())
    }

    /// Compares two operands, the first of which is at `first`.
    fn compare(&mut self, part: &Part, first: usize, flags: bool) -> Result<I::Test, Unfit> {
        let cond = relation(part.sem).ok_or(Unfit::Op)?;
        let zero = part.kind(first + 1) == Operand::Imm16 && part.value(first + 1) == 0;
        if let Some(test) = self.outcome.take() {
            return Ok(if cond == Cond::Ne { test } else { I::not(test) });
        }
        if let Some(test) = I::on_flags(cond).filter(|_| flags && zero && part.kind(first) == Operand::Acc) {
            return Ok(test);
        }
        let x = self.source(part, first);
        let y = self.val(part, first + 1);
        let t = match y {
            Val::Imm(v) => self.temp_for(Number::Compare, v),
            Val::Reg(_) => I::PLAN.temps[0],
        };
        Ok(I::compare(self.out, cond, x, y, t))
    }

    /// Sets, branches or selects by a comparison.
    fn comparison(&mut self, part: &Part, flags: bool, truth: Option<(I::Test, u32)>) -> Result<(), Unfit> {
        if relation(part.sem).is_none() {
            return self.escape(part);
        }
        let first = if part.class == Class::Br32 { 0 } else { 1 };
        let truth = truth.filter(|&(_, slot)| self.is_not_zero(part, first, slot));
        let test = match (truth, relation(part.sem)) {
            (Some((test, _)), Some(Cond::Ne)) => test,
            (Some((test, _)), _) => I::not(test),
            _ => self.compare(part, first, flags)?,
        };
        if part.class == Class::Br32 {
            return self.branch(part, Some(test));
        }
        if part.class == Class::Set32 {
            self.set(part, test);
            return Ok(());
        }
        let d = self.target(part);
        let (a, b) = (self.place(part.value(3)), self.place(part.value(4)));
        I::select(self.out, test, d, a, b);
        self.done(part, d, false);
        let changed = self.result.map(|(slot, _)| slot);
        self.truth =
            truth.filter(|&(_, slot)| changed.is_some_and(|changed| changed != slot && I::keeps_flags(changed)));
        Ok(())
    }

    /// Writes the outcome of a comparison as a number. If only a branch by it follows, nothing is written, and the branch
    /// uses the comparison.
    pub fn set(&mut self, part: &Part, test: I::Test) {
        if part.kind(0) == Operand::DstAcc && self.ops.branches_by_acc(self.next_target) {
            self.acc = None;
            self.acc_slot = None;
            self.outcome = Some(test);
            return;
        }
        let d = self.target(part);
        I::set(self.out, test, d);
        self.done(part, d, false);
        if I::SET_KEEPS {
            self.truth = part.result().map(|(slot, _)| (test, slot));
        }
    }

    /// Returns true if an op compares a slot with zero for equality.
    fn is_not_zero(&self, part: &Part, first: usize, slot: u32) -> bool {
        let zero = part.kind(first + 1) == Operand::Imm16 && part.value(first + 1) == 0;
        let compared = match part.kind(first) {
            Operand::Acc => self.acc_slot,
            Operand::Slot => Some(part.value(first)),
            _ => None,
        };
        zero && compared == Some(slot) && matches!(relation(part.sem), Some(Cond::Eq | Cond::Ne))
    }

    /// Writes slots that live in registers and lie in a piece of the frame to the frame.
    pub fn flush(&mut self, from: u32, bytes: u32) {
        let pins = self.pins;
        for (slot, register) in pins.iter().filter(|&(slot, _)| slot >= from && slot < from + bytes) {
            I::put(self.out, register, I::PLAN.frame, slot);
        }
    }

    /// Loads slots that live in registers and lie in a piece of the frame from the frame.
    pub fn fetch(&mut self, from: u32, bytes: u32) {
        let pins = self.pins;
        for (slot, register) in pins.iter().filter(|&(slot, _)| slot >= from && slot < from + bytes) {
            I::get(self.out, register, I::PLAN.frame, slot);
        }
    }
}

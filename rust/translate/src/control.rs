// SPDX-License-Identifier: Apache-2.0
//! Entries, returns, calls, tables of branches; moves, constants and globals.

use wisp_image::ops::{Operand, Sem};
use wisp_image::{Image, TypeRef};

use crate::decode::Part;
use crate::flow::Cold;
use crate::function::{Fact, Function, Site};
use crate::isa::{Bin, Cond, Index, Isa, Reg, Val, Width};
use crate::labels::Form;
use crate::{Helper, Unfit};

/// The largest number of slots that an entry clears one by one.
const CLEARED: u32 = 8;
/// Bytes of a frame's header, below its slots.
const HEADER: u32 = 8;

/// Returns the index of the defined function that a call in an image calls.
pub fn callee(image: &Image<'_>, part: &Part) -> Option<usize> {
    let distance = if part.kind(1) == Operand::Callee { part.value(1).wrapping_mul(2) } else { part.value(1) };
    let target = part.start.wrapping_add(distance);
    let functions = image.functions();
    let (mut low, mut high) = (0, functions.len());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match functions.get(middle) {
            Ok(function) if function.code <= target => low = middle,
            _ => high = middle,
        }
    }
    (high > low).then_some(low)
}

impl<I: Isa> Function<'_, '_, I> {
    /// Translates an op with a meaning of its own.
    pub fn special(&mut self, part: &Part) -> Result<(), Unfit> {
        match part.sem {
            Sem::Enter => return self.enter(part),
            Sem::Br => return self.branch(part, None),
            Sem::BrTable => return self.table(part),
            Sem::Return | Sem::Return32 | Sem::Return64 => self.leave(part),
            Sem::Call => return self.call(part),
            Sem::CallImport => return self.call_import(part),
            Sem::CallIndirect => return self.call_indirect(part),
            Sem::Unreachable | Sem::ReturnCall | Sem::ReturnCallImport | Sem::ReturnCallIndirect => {
                return self.deopt()
            }
            Sem::Mov => self.mov(part),
            Sem::Const => {
                let d = self.target(part);
                self.clobber(d);
                I::imm(self.out, d, part.value(1));
                self.done(part, d, false);
            }
            Sem::Mov64 | Sem::Const64 => {
                self.source_wide(part, 1, I::PLAN.wide);
                self.done_wide(part);
            }
            Sem::GlobalGet | Sem::GlobalSet | Sem::GlobalGet64 | Sem::GlobalSet64 => self.global(part),
            Sem::AddressAdd => {
                let (x, v) = (self.source(part, 1), part.value(2));
                let t = self.temp();
                let spare = self.temp();
                I::bin_imm(self.out, Bin::Add, t, x, v, spare);
                let test = I::compare(self.out, Cond::LtU, t, Val::Reg(x), spare);
                self.cold(test, Cold::Deopt);
                self.done(part, t, false);
            }
            _ => return self.escape(part),
        }
        Ok(())
    }

    fn mov(&mut self, part: &Part) {
        let slot = part.value(0);
        if let Some(pin) = self.pins.get(slot) {
            self.source_into(part, 1, pin);
            return self.done(part, pin, false);
        }
        let register = self.source(part, 1);
        self.forget_slot(slot);
        I::put(self.out, register, I::PLAN.frame, slot);
        if self.pins.mask() >> register.0 & 1 == 0 {
            self.hold(register, slot);
        }
        self.acc = Some(register);
        self.acc_slot = Some(slot);
    }

    /// Writes the entry of a function: checks of the frame and of the native stack, a unit of fuel, slots that are
    /// cleared, and parameters.
    fn enter(&mut self, part: &Part) -> Result<(), Unfit> {
        let plan = &I::PLAN;
        let frame = part.value(0);
        if frame > I::FRAME {
            return Err(Unfit::Frame);
        }
        let (t, u) = (plan.temps[0], plan.temps[1]);
        I::enter(self.out, self.pins.mask());
        I::get(self.out, t, plan.context, self.env.layout.stack_limit);
        I::bin_imm(self.out, Bin::Add, u, plan.frame, frame, plan.wide.0);
        let test = I::compare(self.out, Cond::LtU, t, Val::Reg(u), u);
        self.cold(test, Cold::Deopt);
        if !self.leaf {
            I::get(self.out, t, plan.context, self.env.layout.floor);
            let test = I::stack_below(self.out, t);
            self.cold(test, Cold::Overflow);
        }
        if self.env.fuel {
            I::bin_imm(self.out, Bin::Sub, plan.fuel, plan.fuel, 1, t);
            let test = I::on_flags(Cond::LtS);
            let test = test.unwrap_or_else(|| I::compare(self.out, Cond::LtS, plan.fuel, Val::Imm(0), t));
            self.cold(test, Cold::Refill);
        }
        self.fetch(0, 4 * self.params);
        if part.count > 1 {
            self.clear(part.value(1) & 0xffff, part.value(1) >> 16);
        }
        Ok(())
    }

    fn clear(&mut self, first: u32, count: u32) {
        let plan = &I::PLAN;
        let pins = self.pins;
        let within = |slot: u32| slot >= first && slot < first + 4 * count;
        for (_, register) in pins.iter().filter(|&(slot, _)| within(slot)) {
            I::imm(self.out, register, 0);
        }
        let zero = plan.wide.0;
        I::imm(self.out, zero, 0);
        if count <= CLEARED {
            for slot in (first..first + 4 * count).step_by(4).filter(|&slot| pins.get(slot).is_none()) {
                I::put(self.out, zero, plan.frame, slot);
            }
            return;
        }
        let (at, end) = (plan.temps[0], plan.temps[1]);
        I::bin_imm(self.out, Bin::Add, at, plan.frame, first, at);
        I::bin_imm(self.out, Bin::Add, end, at, 4 * count, plan.cache);
        let begin = self.out.at();
        I::store(self.out, Width::Word, zero, at, Index::Imm(0), end);
        I::bin_imm(self.out, Bin::Add, at, at, 4, end);
        let test = I::compare(self.out, Cond::Ne, at, Val::Reg(end), end);
        I::branch(self.out, Some(test), begin, false);
    }

    /// Writes the return: one result in the first register or pair, several in the frame.
    fn leave(&mut self, part: &Part) {
        match part.sem {
            Sem::Return32 => self.source_into(part, 0, I::PLAN.wide.0),
            Sem::Return64 => self.source_wide(part, 0, I::PLAN.wide),
            _ => self.flush(0, 4 * self.results),
        }
        I::leave(self.out, self.pins.mask());
    }

    /// Jumps by a table. An index beyond it goes the way of the last entry.
    fn table(&mut self, part: &Part) -> Result<(), Unfit> {
        let count = part.value(1);
        let (code, start, table) = (self.code, self.start, part.table);
        let target = |n: u32| start + u32::from(code.word(table + 2 * n));
        let index = self.source(part, 0);
        if count != 0 {
            let t = self.temp();
            let beyond = I::compare(self.out, Cond::GeU, index, Val::Imm(count), t);
            self.branch_to(Some(beyond), target(count));
            I::table(self.out, index, t);
            self.note(self.out.at(), Form::Table, count);
            for target in (0..count).map(target) {
                let index = self.labels.index(target).ok_or(Unfit::Op)?;
                self.note(self.begin, Form::Table, index as u32);
                self.out.half(0);
            }
            return Ok(());
        }
        self.branch_to(None, target(0));
        Ok(())
    }

    /// Moves the slots of arguments that live in registers to the callee's frame, which becomes the running one.
    fn begin_call(&mut self, base: u32, ty: TypeRef<'_>) {
        self.flush(base, 4 * ty.param_slots() as u32);
    }

    fn move_frame(&mut self, op: Bin, base: u32) {
        // results are in the first pair
        let t = I::PLAN.temps[1];
        I::bin_imm(self.out, op, I::PLAN.frame, I::PLAN.frame, base, t);
    }

    /// Moves results in registers to their slots after the callee has returned.
    fn end_call(&mut self, base: u32, ty: TypeRef<'_>, in_registers: bool) {
        self.forget_registers();
        let bytes = 4 * ty.result_slots() as u32;
        for checked in &mut self.checked {
            if checked.slot.saturating_add(HEADER) >= base {
                *checked = Fact::NONE;
            }
        }
        match (ty.results().len(), bytes) {
            (1, 4) if in_registers => {
                let result = I::PLAN.wide.0;
                match self.pins.get(base) {
                    Some(pin) => I::mov(self.out, pin, result),
                    None => {
                        I::put(self.out, result, I::PLAN.frame, base);
                        self.hold(result, base);
                    }
                }
            }
            (1, _) if in_registers => {
                I::put_pair(self.out, I::PLAN.wide, I::PLAN.frame, base);
                self.fetch(base, bytes);
                self.pair = Some(base);
            }
            _ => self.fetch(base, bytes),
        }
    }

    fn call(&mut self, part: &Part) -> Result<(), Unfit> {
        let index = callee(self.env.image, part).ok_or(Unfit::Op)?;
        let function = self.env.image.functions().get(index).map_err(|_| Unfit::Op)?;
        let ty = self.env.image.ty(function.ty).map_err(|_| Unfit::Op)?;
        let base = part.value(0);
        self.begin_call(base, ty);
        self.move_frame(Bin::Add, base);
        self.call_code(self.env.functions.get(index));
        let site = Site { frame: Some(base), ..self.site() };
        self.returned(site);
        self.move_frame(Bin::Sub, base);
        self.end_call(base, ty, true);
        Ok(())
    }

    fn call_import(&mut self, part: &Part) -> Result<(), Unfit> {
        let (base, index) = (part.value(0), part.value(1));
        let ty = self.env.image.imported_function_type(index as usize).map_err(|_| Unfit::Op)?;
        self.begin_call(base, ty);
        I::imm(self.out, I::PLAN.temps[0], index);
        I::imm(self.out, I::PLAN.temps[1], base);
        self.helper(Helper::Import);
        self.end_call(base, ty, false);
        Ok(())
    }

    /// Writes a call through a table: the helper goes on to the function, which returns here.
    fn call_indirect(&mut self, part: &Part) -> Result<(), Unfit> {
        let (base, ty, table) = (part.value(0), part.value(1), part.value(2));
        let signature = self.env.image.ty(ty as u16).map_err(|_| Unfit::Op)?;
        self.begin_call(base, signature);
        self.source_into(part, 3, I::PLAN.temps[0]);
        I::imm(self.out, I::PLAN.temps[1], ty | table << 16);
        let wide = I::PLAN.wide.0;
        I::bin_imm(self.out, Bin::Add, I::PLAN.frame, I::PLAN.frame, base, wide);
        let site = Site { frame: Some(base), ..self.site() };
        self.call_helper(Helper::Indirect, site);
        self.move_frame(Bin::Sub, base);
        self.end_call(base, signature, true);
        Ok(())
    }

    /// Reads or writes a global.
    fn global(&mut self, part: &Part) {
        let writes = matches!(part.sem, Sem::GlobalSet | Sem::GlobalSet64);
        let (place, value) = if writes { (0, 1) } else { (1, 0) };
        let t = self.temp();
        let mut offset = part.value(place);
        if matches!(part.kind(place), Operand::Global | Operand::Global64) {
            I::get(self.out, t, I::PLAN.context, self.env.layout.globals);
        } else {
            I::get(self.out, t, I::PLAN.context, self.env.layout.imported_globals);
            self.near(t, offset * 4);
            I::get(self.out, t, t, if offset * 4 + 8 <= I::REACH { offset * 4 } else { 0 });
            offset = 0;
        }
        self.near(t, offset);
        let offset = if offset + 8 <= I::REACH { offset } else { 0 };
        match part.sem {
            Sem::GlobalGet => {
                let d = self.target(part);
                I::get(self.out, d, t, offset);
                self.done(part, d, false);
            }
            Sem::GlobalSet => {
                let s = self.source(part, value);
                I::put(self.out, s, t, offset);
            }
            Sem::GlobalGet64 => {
                self.clobber(I::PLAN.wide.0);
                self.clobber(I::PLAN.wide.1);
                // the address may be in the second of the pair
                I::get(self.out, I::PLAN.wide.0, t, offset);
                I::get(self.out, I::PLAN.wide.1, t, offset + 4);
                self.done_wide(part);
            }
            _ => {
                for half in [0, 4] {
                    let s = self.slot(part.value(value) + half);
                    I::put(self.out, s, t, offset + half);
                    self.release(s);
                }
            }
        }
    }

    /// Adds an offset that instructions do not reach to an address.
    fn near(&mut self, t: Reg, offset: u32) {
        if offset + 8 > I::REACH {
            let u = self.temp();
            I::bin_imm(self.out, Bin::Add, t, t, offset, u);
            self.release(u);
        }
    }
}

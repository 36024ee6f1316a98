// SPDX-License-Identifier: Apache-2.0
//! Operands: where values are, and which register still holds what.

use wisp_image::ops::Operand;

use crate::decode::Part;
use crate::function::{Fact, Function};
use crate::isa::{Isa, Number, Place, Reg, Val};
use crate::Unfit;

/// The number of registers that may hold copies of slots.
pub const HELD: usize = 8;
/// In place of a slot's offset: the register has no copy of a slot.
pub const NO_SLOT: u32 = u32::MAX;

/// Returns the bit of a slot, which it shares with others.
fn bit(slot: u32) -> u32 {
    1 << (slot / 4 % 32)
}

impl<I: Isa> Function<'_, '_, I> {
    /// Forgets everything about registers: control may come from elsewhere.
    pub fn forget_registers(&mut self) {
        self.held = [NO_SLOT; HELD];
        self.acc = None;
        self.acc_slot = None;
        self.flags = false;
        self.pair = None;
        self.fact.slot = NO_SLOT;
        self.rest = None;
        self.truth = None;
    }

    /// Returns the entry of a register that may have a copy of a slot.
    fn held_by(&mut self, register: Reg) -> Option<&mut u32> {
        self.held.get_mut(usize::from(register.0.wrapping_sub(I::HELD)))
    }

    /// Notes that a register is about to change.
    pub fn clobber(&mut self, register: Reg) {
        if let Some(held) = self.held_by(register) {
            *held = NO_SLOT;
        }
        if register == I::PLAN.cache {
            self.fact.slot = NO_SLOT;
        }
        if I::RESTS {
            self.rest = self.rest.filter(|&(base, ..)| base != register);
        }
        if register == I::PLAN.wide.0 || register == I::PLAN.wide.1 {
            self.pair = None;
        }
    }

    /// Notes that a slot is about to change.
    pub fn forget_slot(&mut self, slot: u32) {
        if self.pair.is_some_and(|pair| pair == slot || pair + 4 == slot) {
            self.pair = None;
        }
        if self.acc_slot == Some(slot) {
            self.acc_slot = None;
        }
        if self.named & bit(slot) == 0 {
            return;
        }
        for held in self.held.iter_mut().filter(|held| **held == slot) {
            *held = NO_SLOT;
        }
        for fact in self.checked.iter_mut().chain([&mut self.fact]) {
            if fact.slot == slot {
                fact.slot = NO_SLOT;
            }
        }
    }

    /// Notes that a register or a fact is about the slot.
    pub fn name(&mut self, slot: u32) {
        self.named |= bit(slot);
    }

    /// Notes that the register holds the value of the slot, until one of them changes.
    pub fn hold(&mut self, register: Reg, slot: u32) {
        self.name(slot);
        if let Some(held) = self.held_by(register) {
            *held = slot;
        }
    }

    fn holder(&self, slot: u32) -> Option<Reg> {
        if let Some(first) = self.pair {
            let (low, high) = I::PLAN.wide;
            return [(first, low), (first + 4, high)]
                .into_iter()
                .find(|half| half.0 == slot)
                .map(|half| half.1)
                .or_else(|| self.copy_of(slot));
        }
        self.copy_of(slot)
    }

    fn copy_of(&self, slot: u32) -> Option<Reg> {
        self.held.iter().position(|&held| held == slot).map(|n| Reg(n as u8 + I::HELD))
    }

    /// Keeps the register from being given out again for this op.
    pub fn keep(&mut self, register: Reg) {
        self.busy |= 1 << register.0;
    }

    /// Lets the register be given out again.
    pub fn release(&mut self, register: Reg) {
        if Some(register) != self.acc || !self.reads_acc {
            self.busy &= !(1 << register.0);
        }
    }

    /// Takes a scratch register.
    pub fn temp(&mut self) -> Reg {
        let plan = &I::PLAN;
        let free = |function: &Self, register: Reg| function.busy >> register.0 & 1 == 0;
        let holds = |function: &Self, register: Reg| {
            function.held.get(usize::from(register.0.wrapping_sub(I::HELD))).is_some_and(|&held| held != NO_SLOT)
        };
        let paired = |function: &Self, register: Reg| {
            function.pair.is_some() && (register == plan.wide.0 || register == plan.wide.1)
        };
        let temps = plan.temps.iter().copied();
        // what holds nothing goes first; then in turn
        let unused = temps.clone().find(|&r| free(self, r) && !holds(self, r) && !paired(self, r));
        self.turn = self.turn.wrapping_add(1);
        let start = usize::from(self.turn) % plan.temps.len();
        let used = temps.clone().cycle().skip(start).take(plan.temps.len()).find(|&r| free(self, r));
        let last = [plan.wide.0, plan.cache].into_iter().find(|&r| free(self, r));
        let register = unused.or(used).or(last).unwrap_or_else(|| {
            self.unfit.get_or_insert(Unfit::Op);
            plan.cache
        });
        self.clobber(register);
        self.keep(register);
        register
    }

    /// Returns a scratch register for an operation with this number. It takes none if the operation leaves it alone.
    pub fn temp_for(&mut self, number: Number, v: u32) -> Reg {
        if I::plain(number, v) {
            return I::PLAN.temps[0];
        }
        let register = self.temp();
        self.release(register);
        register
    }

    /// Returns the register that has the value of a slot.
    pub fn slot(&mut self, slot: u32) -> Reg {
        if let Some(register) = self.pins.get(slot).or_else(|| self.holder(slot)) {
            self.keep(register);
            return register;
        }
        let register = self.temp();
        I::get(self.out, register, I::PLAN.frame, slot);
        self.hold(register, slot);
        register
    }

    /// Returns where the value of a slot is, without loading it.
    pub fn place(&self, slot: u32) -> Place {
        self.pins.get(slot).or_else(|| self.holder(slot)).map_or(Place::Slot(slot), Place::Reg)
    }

    /// Returns the register that has the value of an operand.
    pub fn source(&mut self, part: &Part, operand: usize) -> Reg {
        match (part.kind(operand), self.acc) {
            (Operand::Slot | Operand::DstFirst, _) => self.slot(part.value(operand)),
            (Operand::Acc, Some(acc)) => {
                self.keep(acc);
                acc
            }
            _ => {
                if let Some(register) = I::constant(part.value(operand)) {
                    return register;
                }
                let register = self.temp();
                I::imm(self.out, register, part.value(operand));
                register
            }
        }
    }

    /// Returns an operand, as a number if it is one.
    pub fn val(&mut self, part: &Part, operand: usize) -> Val {
        match part.kind(operand) {
            Operand::Imm16 | Operand::Imm32 => Val::Imm(part.value(operand)),
            _ => Val::Reg(self.source(part, operand)),
        }
    }

    /// Loads the value of an operand into a certain register.
    pub fn source_into(&mut self, part: &Part, operand: usize, d: Reg) {
        if let Operand::Imm16 | Operand::Imm32 = part.kind(operand) {
            self.clobber(d);
            return I::imm(self.out, d, part.value(operand));
        }
        let slot = part.value(operand);
        match (part.kind(operand), self.acc) {
            (Operand::Acc, Some(acc)) => self.copy(d, acc),
            _ => match self.place(slot) {
                Place::Reg(register) => self.copy(d, register),
                Place::Slot(slot) => {
                    self.clobber(d);
                    I::get(self.out, d, I::PLAN.frame, slot);
                }
            },
        }
    }

    /// Writes `d = s`.
    pub fn copy(&mut self, d: Reg, s: Reg) {
        if d != s {
            self.clobber(d);
            I::mov(self.out, d, s);
        }
    }

    /// Returns the register for the result of an op.
    pub fn target(&self, part: &Part) -> Reg {
        let slot = part.result().filter(|_| part.kind(0) != Operand::Dst64);
        slot.and_then(|(slot, _)| self.pins.get(slot)).unwrap_or(I::PLAN.wide.0)
    }

    /// Notes that the result of an op of 32 bits is in the register. `flags` says that the flags tell of it.
    pub fn done(&mut self, part: &Part, register: Reg, mut flags: bool) {
        self.clobber(register);
        self.acc_slot = None;
        if let Some((slot, _)) = part.result() {
            self.forget_slot(slot);
            match self.pins.get(slot) {
                Some(pin) if pin == register => {}
                Some(pin) => I::mov(self.out, pin, register),
                None => {
                    I::put(self.out, register, I::PLAN.frame, slot);
                    self.hold(register, slot);
                    flags &= I::keeps_flags(slot);
                }
            }
            self.acc_slot = Some(slot);
        }
        self.acc = Some(register);
        self.flags = flags;
    }

    /// Notes that the result of an op of 64 bits is in the first pair.
    pub fn done_wide(&mut self, part: &Part) {
        let slot = part.value(0);
        self.forget_slot(slot);
        self.forget_slot(slot + 4);
        I::put_pair(self.out, I::PLAN.wide, I::PLAN.frame, slot);
        self.pair = Some(slot);
    }

    /// Loads an operand of 64 bits into a pair.
    pub fn source_wide(&mut self, part: &Part, operand: usize, pair: (Reg, Reg)) {
        let first = pair == I::PLAN.wide;
        let slot = part.value(operand);
        if first && part.kind(operand) == Operand::Slot64 && self.pair == Some(slot) {
            return self.clobber_held(pair);
        }
        self.clobber(pair.0);
        self.clobber(pair.1);
        match part.kind(operand) {
            Operand::Slot64 => I::get_pair(self.out, pair, I::PLAN.frame, slot),
            _ => {
                let (low, high) = part.number_wide(operand);
                I::imm(self.out, pair.0, low);
                I::imm(self.out, pair.1, high);
            }
        }
    }

    /// Notes that the registers of the pair hold no slots of 32 bits any more.
    fn clobber_held(&mut self, pair: (Reg, Reg)) {
        for register in [pair.0, pair.1] {
            if let Some(held) = self.held_by(register) {
                *held = NO_SLOT;
            }
        }
    }

    /// Notes that accesses by the slot, from `low` on and `bound` bytes, fit.
    pub fn learn(&mut self, slot: Option<u32>, low: u32, bound: u32) {
        let Some(slot) = slot else { return };
        self.name(slot);
        let fact = Fact { slot, low, bound };
        let place = self.checked.iter().position(|fact| fact.slot == NO_SLOT || fact.slot == slot);
        let place = place.unwrap_or(usize::from(self.turn) % self.checked.len());
        self.checked[place] = fact;
    }
}

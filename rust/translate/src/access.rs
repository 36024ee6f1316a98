// SPDX-License-Identifier: Apache-2.0
//! Accesses of linear memory, and the checks before them.
//!
//! An address is a sum that wraps at 32 bits, plus an offset that does not. With `limit` the bytes of the memory less
//! four, `bound` bytes from r on exist if r <= limit - (bound - 4).
//!
//! A check may cover all accesses of the block by the same slot: if it fails, the interpreter goes on from there, and
//! traps where the program does. This holds at the first op of a sequence, where the interpreter can begin.

use wisp_image::ops::{Class, Operand, Sem};

use crate::decode::{meaning, Part};
use crate::flow::Cold;
use crate::function::{Fact, Function};
use crate::isa::{Bin, Cond, Index, Isa, Number, Reg, Val, Width};
use crate::values::NO_SLOT;
use crate::{Helper, Unfit};

/// Ops that a look ahead goes through.
const AHEAD: usize = 24;

/// The address operands of an access.
#[derive(Clone, Copy)]
struct Address {
    /// Operands that are registers or slots: none, one or two.
    sources: [usize; 2],
    count: usize,
    /// Added, wrapping if `wraps`.
    offset: u32,
    wraps: bool,
    bytes: u32,
}

impl Address {
    fn of(part: &Part) -> Option<Self> {
        let (first, last, bytes) = match part.class {
            Class::Load32 | Class::Load64 => (1, part.count, width(part.sem)),
            Class::Store32 | Class::Store64 => (0, part.count - 1, width(part.sem)),
            _ => return None,
        };
        let mut address = Self { sources: [0; 2], count: 0, offset: 0, wraps: false, bytes };
        for operand in first..last {
            match part.kind(operand) {
                Operand::Imm16 => (address.offset, address.wraps) = (part.value(operand), true),
                Operand::Offset => address.offset = part.value(operand),
                _ => {
                    *address.sources.get_mut(address.count)? = operand;
                    address.count += 1;
                }
            }
        }
        address.wraps |= address.offset == 0;
        Some(address)
    }

    /// Returns true if the accesses that the fact says to fit include this one.
    fn within(&self, fact: &Fact) -> bool {
        let from = self.offset.wrapping_sub(fact.low);
        (self.wraps || fact.low == 0)
            && from as i32 >= 0
            && u64::from(from) + u64::from(self.bytes) <= u64::from(fact.bound)
    }
}

/// Returns the bytes of an access.
fn width(sem: Sem) -> u32 {
    match sem {
        Sem::Load8S | Sem::Load8U | Sem::Load64From8S | Sem::Load64From8U | Sem::Store8 => 1,
        Sem::Load16S | Sem::Load16U | Sem::Load64From16S | Sem::Load64From16U | Sem::Store16 => 2,
        Sem::Load64 | Sem::Store64 => 8,
        _ => 4,
    }
}

impl<I: Isa> Function<'_, '_, I> {
    /// Checks the access of an op and returns base and index. `None` if the code that was emitted never goes on.
    pub fn address(&mut self, part: &Part) -> Result<Option<(Reg, Index)>, Unfit> {
        let address = Address::of(part).ok_or(Unfit::Op)?;
        if self.env.memory < 4 {
            self.deopt()?;
            return Ok(None);
        }
        let (first, second) = (address.sources[0], address.sources[1]);
        Ok(Some(match address.count {
            0 => self.constant(address),
            1 => {
                let slot = match part.kind(first) {
                    Operand::Acc => self.acc_slot,
                    _ => Some(part.value(first)),
                };
                self.by_slot(part, first, slot, address)
            }
            _ => {
                let (x, y) = (self.source(part, first), self.source(part, second));
                self.release(x);
                self.release(y);
                let t = self.temp_beside(x, y);
                I::bin(self.out, Bin::Add, t, x, y, t);
                self.checked_at(t, None, address)
            }
        }))
    }

    /// Takes a scratch register that may be one of two whose values are not needed after the operation.
    fn temp_beside(&mut self, x: Reg, y: Reg) -> Reg {
        let pinned = self.pins.mask();
        let usable = |r: Reg| Some(r) != I::constant(0) && pinned >> r.0 & 1 == 0 && self.busy >> r.0 & 1 == 0;
        match [x, y].into_iter().find(|&r| usable(r)) {
            Some(register) => {
                self.clobber(register);
                self.keep(register);
                register
            }
            None => self.temp(),
        }
    }

    /// Returns base and index of an access at an address that is known.
    fn constant(&mut self, address: Address) -> (Reg, Index) {
        let fits = u64::from(address.offset) + u64::from(address.bytes) <= u64::from(self.env.memory);
        if fits && address.offset + address.bytes <= I::REACH {
            return (I::PLAN.base, Index::Imm(address.offset));
        }
        let t = self.temp();
        I::imm(self.out, t, address.offset);
        if !fits {
            self.check(t, address.bytes);
        }
        (I::PLAN.base, Index::Reg(t))
    }

    /// Returns base and index of an access by one register. `slot` has the same value, if one does.
    fn by_slot(&mut self, part: &Part, operand: usize, slot: Option<u32>, address: Address) -> (Reg, Index) {
        let plan = &I::PLAN;
        if Some(self.fact.slot) == slot && address.within(&self.fact) {
            return (plan.cache, Index::Imm(address.offset.wrapping_sub(self.fact.low)));
        }
        let known = self.checked.iter().find(|fact| Some(fact.slot) == slot && address.within(fact)).copied();
        let register = self.source(part, operand);
        if let Some(group) = slot.filter(|_| part.first).and_then(|slot| self.group(slot, address)) {
            return self.with_base(register, group, known, address);
        }
        if known.is_none() {
            return self.checked_at(register, slot, address);
        }
        self.at_known(register, address)
    }

    /// Returns base and index of an access that is known to fit.
    fn at_known(&mut self, register: Reg, address: Address) -> (Reg, Index) {
        if address.offset == 0 {
            return (I::PLAN.base, Index::Reg(register));
        }
        self.release(register);
        let t = self.temp_beside(register, register);
        // an offset below zero is added, because no instruction has room for it
        if address.offset.checked_add(address.bytes).is_some_and(|end| end <= I::REACH) {
            I::bin(self.out, Bin::Add, t, I::PLAN.base, register, t);
            return (t, Index::Imm(address.offset));
        }
        self.add_offset(t, register, address.offset);
        (I::PLAN.base, Index::Reg(t))
    }

    fn add_offset(&mut self, d: Reg, x: Reg, offset: u32) {
        let t = if d == x { self.temp_for(Number::Sum, offset) } else { d };
        I::bin_imm(self.out, Bin::Add, d, x, offset, t);
    }

    /// Checks an access by itself.
    fn checked_at(&mut self, register: Reg, slot: Option<u32>, address: Address) -> (Reg, Index) {
        if !address.wraps {
            self.check(register, address.offset + address.bytes);
            self.learn(slot, 0, address.offset + address.bytes);
            return self.at_known(register, address);
        }
        let mut at = register;
        if address.offset != 0 {
            self.release(register);
            at = self.temp_beside(register, register);
            self.add_offset(at, register, address.offset);
        }
        self.check(at, address.bytes);
        self.learn(slot, address.offset, address.bytes);
        (I::PLAN.base, Index::Reg(at))
    }

    /// Checks a group of accesses and keeps the address that they have in common.
    fn with_base(&mut self, register: Reg, group: Fact, known: Option<Fact>, address: Address) -> (Reg, Index) {
        let cache = I::PLAN.cache;
        self.clobber(cache);
        let mut at = register;
        if group.low != 0 {
            at = cache;
            self.add_offset(at, register, group.low);
        }
        let fits = known.is_some_and(|known| {
            let from = group.low.wrapping_sub(known.low);
            from as i32 >= 0 && from + group.bound <= known.bound && (known.low == 0 || group.low != 0)
        });
        if !fits {
            self.busy |= 1 << cache.0;
            self.check(at, group.bound);
            self.busy &= !(1 << cache.0);
            self.learn(Some(group.slot), group.low, group.bound);
        }
        I::bin(self.out, Bin::Add, cache, I::PLAN.base, at, cache);
        self.release(register);
        self.fact = group;
        self.name(group.slot);
        (cache, Index::Imm(address.offset.wrapping_sub(group.low)))
    }

    /// Returns what an access by a slot and those after it in the block have in common. `None` if it is the only one.
    fn group(&self, slot: u32, address: Address) -> Option<Fact> {
        let mut low = if address.wraps { address.offset as i32 } else { 0 };
        let from = if address.wraps { i64::from(address.offset as i32) } else { address.offset.into() };
        let mut high = from + i64::from(address.bytes);
        let (mut plain, mut found) = (!address.wraps, false);
        let mut ops = self.ops;
        let mut acc_slot = self.after_slot;
        if self.writes(slot) || self.ops.ends_flow() {
            return None;
        }
        let mut part = Part::NONE;
        for _ in 0..AHEAD {
            if ops.between() && ops.at() == self.next_target {
                break;
            }
            let Some(opcode) = ops.opcode() else { break };
            let (class, sem) = meaning(opcode);
            let result = ops.result(opcode);
            if matches!(class, Class::Load32 | Class::Load64 | Class::Store32 | Class::Store64) {
                ops.operands(opcode, &mut part);
                let by =
                    |operand| if part.kind(operand) == Operand::Acc { acc_slot } else { Some(part.value(operand)) };
                let other = Address::of(&part).filter(|other| other.count == 1 && by(other.sources[0]) == Some(slot));
                if let Some(other) = other {
                    let from = if other.wraps { i64::from(other.offset as i32) } else { other.offset.into() };
                    let (new_low, new_high) = (i64::from(low).min(from), high.max(from + i64::from(other.bytes)));
                    let base = if plain || !other.wraps { new_low.min(0) } else { new_low };
                    let mixed = (plain || !other.wraps) && new_low < 0;
                    if !mixed && new_high - base <= i64::from(I::REACH) {
                        (low, high, found) = (new_low as i32, new_high, true);
                        plain |= !other.wraps;
                    }
                }
            } else {
                ops.skip_operands(opcode);
            }
            acc_slot = result.filter(|&(_, wide)| !wide).map(|(slot, _)| slot);
            let written = result.is_some_and(|(d, wide)| d == slot || wide && d + 4 == slot);
            if written || clobbers_cache(class, sem) || ops.ends_flow() {
                break;
            }
        }
        let low = if plain { 0 } else { low };
        let fits = high - i64::from(low) <= i64::from(I::REACH) && i64::from(address.offset as i32) >= i64::from(low);
        (found && fits).then_some(Fact { slot, low: low as u32, bound: (high - i64::from(low)) as u32 })
    }

    /// Returns true if the op that is translated writes the slot.
    fn writes(&self, slot: u32) -> bool {
        self.result.is_some_and(|(d, wide)| d == slot || wide && d + 4 == slot)
    }

    /// Goes to a cold end unless `bound` bytes from a register on exist.
    pub fn check(&mut self, r: Reg, bound: u32) {
        let plan = &I::PLAN;
        if bound <= 4 {
            let test = I::compare(self.out, Cond::LtU, plan.limit, Val::Reg(r), plan.temps[0]);
            if bound == 4 {
                return self.cold_refused(test, Cold::Deopt, Some((r, bound)));
            }
            let spare = self.temp();
            self.release(spare);
            return self.cold_refused(test, Cold::Near { r, spare, slack: 4 - bound }, Some((r, bound)));
        }
        let rest = bound - 4;
        let t = self.temp();
        self.release(t);
        if bound > self.env.memory {
            let test = I::compare(self.out, Cond::LtU, plan.limit, Val::Imm(rest), t);
            self.cold_refused(test, Cold::Deopt, Some((r, bound)));
        }
        I::bin_imm(self.out, Bin::Sub, t, plan.limit, rest, t);
        let test = I::compare(self.out, Cond::LtU, t, Val::Reg(r), t);
        self.cold_refused(test, Cold::Deopt, Some((r, bound)));
    }

    /// Translates a load.
    pub fn load(&mut self, part: &Part) -> Result<(), Unfit> {
        let Some((base, index)) = self.address(part)? else { return Ok(()) };
        let (width, signed) = match part.sem {
            Sem::Load8U | Sem::Load64From8U => (Width::Byte, false),
            Sem::Load8S | Sem::Load64From8S => (Width::ByteSigned, true),
            Sem::Load16U | Sem::Load64From16U => (Width::Half, false),
            Sem::Load16S | Sem::Load64From16S => (Width::HalfSigned, true),
            Sem::Load64From32S => (Width::Word, true),
            _ => (Width::Word, false),
        };
        if part.class == Class::Load32 {
            let d = self.target(part);
            self.transfer(width, false, d, base, index);
            self.done(part, d, false);
            return Ok(());
        }
        let (low, high) = I::PLAN.wide;
        if part.sem == Sem::Load64 {
            let (base, offset) = self.flat(base, index);
            // the base may be one of the pair
            let (first, second) = if base == low { ((high, 4), (low, 0)) } else { ((low, 0), (high, 4)) };
            self.keep(low);
            self.keep(high);
            for (register, more) in [first, second] {
                self.transfer(Width::Word, false, register, base, Index::Imm(offset + more));
            }
        } else {
            self.transfer(width, false, low, base, index);
            match signed {
                true => drop(I::bin_imm(self.out, Bin::ShrS, high, low, 31, high)),
                false => I::imm(self.out, high, 0),
            }
        }
        self.clobber(low);
        self.clobber(high);
        self.done_wide(part);
        Ok(())
    }

    /// Writes one access that was checked.
    fn transfer(&mut self, width: Width, store: bool, r: Reg, base: Reg, index: Index) {
        // memory itself begins at a multiple of 8
        let aligned = matches!(index, Index::Imm(offset) if base == I::PLAN.base && offset % width.bytes() == 0);
        if !I::ALIGNED || width.bytes() == 1 || aligned {
            let takes = store && I::SPARE && I::spare(width, base, index);
            let t = if takes { self.spare(store, r, base, index) } else { r };
            return self.access(width, store, r, base, index, t);
        }
        let into = self.sum_register(width, store, r, index);
        let (base, index) = I::sum(self.out, base, index, into);
        let t = if I::SPARE { self.spare(store, r, base, index) } else { r };
        let Some(test) = I::misaligned() else { return self.access(width, store, r, base, index, t) };
        self.rest(base, index, width.bytes(), t);
        let helper = match (width, store) {
            (Width::Word, false) => Helper::LoadWord,
            (Width::Word, true) => Helper::StoreWord,
            (Width::HalfSigned, false) => Helper::LoadHalfSigned,
            (_, false) => Helper::LoadHalf,
            (_, true) => Helper::StoreHalf,
        };
        self.cold(test, Cold::ByBytes { helper, r, at: (base, index), spare: t });
        self.access(width, store, r, base, index, t);
        self.back_here();
    }

    /// Returns the register for an address: that of the result, or the one of common addresses if it has none.
    fn sum_register(&mut self, width: Width, store: bool, r: Reg, index: Index) -> Option<Reg> {
        let cache = I::PLAN.cache;
        if width != Width::Word || matches!(index, Index::Imm(_)) {
            return None;
        }
        if !store {
            return Some(r);
        }
        if self.fact.slot != NO_SLOT || self.busy >> cache.0 & 1 == 1 {
            return None;
        }
        self.clobber(cache);
        Some(cache)
    }

    /// Returns a scratch register for an access, which is none of its registers. A load takes its result's if it can.
    fn spare(&mut self, store: bool, r: Reg, base: Reg, index: Index) -> Reg {
        if !store && r != base && index != Index::Reg(r) {
            return r;
        }
        let busy = self.busy;
        self.keep(r);
        self.keep(base);
        if let Index::Reg(index) = index {
            self.keep(index);
        }
        let t = self.temp();
        self.busy = busy;
        t
    }

    /// Finds the rest of an address, unless that of one with the same base is known.
    fn rest(&mut self, base: Reg, index: Index, bytes: u32, t: Reg) {
        let rest = match index {
            Index::Imm(offset) if I::RESTS => Some((base, bytes, offset % bytes)),
            _ => None,
        };
        if rest.is_none() || self.rest != rest {
            I::rest(self.out, base, index, bytes, t);
            // a sum is in another register, which does not keep it
            self.rest = rest.filter(|_| base == I::PLAN.cache || I::PLAN.temps.contains(&base));
        }
    }

    fn access(&mut self, width: Width, store: bool, r: Reg, base: Reg, index: Index, t: Reg) {
        if store {
            I::store(self.out, width, r, base, index, t);
        } else {
            I::load(self.out, width, r, base, index);
        }
    }

    /// Makes a base and a number of a base and an index.
    fn flat(&mut self, base: Reg, index: Index) -> (Reg, u32) {
        match index {
            Index::Imm(offset) if offset.checked_add(4).is_some_and(|end| end < I::REACH) => (base, offset),
            Index::Imm(offset) => {
                let t = self.temp();
                self.add_offset(t, base, offset);
                (t, 0)
            }
            Index::Reg(index) => {
                self.release(index);
                let t = self.temp_beside(index, index);
                I::bin(self.out, Bin::Add, t, base, index, t);
                (t, 0)
            }
        }
    }

    /// Translates a store.
    pub fn store(&mut self, part: &Part) -> Result<(), Unfit> {
        let Some((base, index)) = self.address(part)? else { return Ok(()) };
        let last = part.count - 1;
        let width = match part.sem {
            Sem::Store8 => Width::Byte,
            Sem::Store16 => Width::Half,
            _ => Width::Word,
        };
        if part.class == Class::Store32 {
            let value = self.source(part, last);
            self.transfer(width, true, value, base, index);
            return Ok(());
        }
        let (base, offset) = self.flat(base, index);
        self.keep(base);
        let slot = part.value(last);
        let pair = self.pair == Some(slot) && base != I::PLAN.wide.0 && base != I::PLAN.wide.1;
        if pair {
            self.keep(I::PLAN.wide.0);
            self.keep(I::PLAN.wide.1);
        }
        for half in [0, 4] {
            let value = match pair {
                true => [I::PLAN.wide.0, I::PLAN.wide.1][half / 4],
                false => self.slot(slot + half as u32),
            };
            self.transfer(Width::Word, true, value, base, Index::Imm(offset + half as u32));
            self.release(value);
        }
        Ok(())
    }
}

/// Returns true if the op calls something, or takes the register that keeps the address for something else.
fn clobbers_cache(class: Class, sem: Sem) -> bool {
    match class {
        Class::Bin64 | Class::Set64 => true,
        Class::Special => !matches!(
            sem,
            Sem::Mov | Sem::Const | Sem::GlobalGet | Sem::GlobalSet | Sem::Br | Sem::Mov64 | Sem::Const64
        ),
        _ => false,
    }
}

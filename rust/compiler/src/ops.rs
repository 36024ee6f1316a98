// SPDX-License-Identifier: Apache-2.0
//! Operators that compute: each becomes one instruction, or none.

use wasmparser::{MemArg, Operator};
use wisp_image::format::ValType;
use wisp_image::ops::{Class, Operand, Sem};

use crate::control::Callee;
use crate::function::{FrameKind, Function};
use crate::inst::{commutes, inverse, Arg, Dst, Inst, Item, Slot};
use crate::stack::{dst, imm16, source, Place};

/// Comparisons before they are brought to the six conditions of the op table.
#[derive(Clone, Copy)]
enum Order {
    Eq,
    Ne,
    LtS,
    LtU,
    GtS,
    GtU,
    LeS,
    LeU,
    GeS,
    GeU,
}

impl Order {
    /// Returns the same with its sides exchanged.
    fn swapped(self) -> Self {
        match self {
            Self::Eq => Self::Eq,
            Self::Ne => Self::Ne,
            Self::LtS => Self::GtS,
            Self::LtU => Self::GtU,
            Self::GtS => Self::LtS,
            Self::GtU => Self::LtU,
            Self::LeS => Self::GeS,
            Self::LeU => Self::GeU,
            Self::GeS => Self::LeS,
            Self::GeU => Self::LeU,
        }
    }

    /// Returns the condition of the table, if it has it: (32-bit, 64-bit).
    fn condition(self) -> Option<(Sem, Sem)> {
        Some(match self {
            Self::Eq => (Sem::I32Eq, Sem::I64Eq),
            Self::Ne => (Sem::I32Ne, Sem::I64Ne),
            Self::LtS => (Sem::I32LtS, Sem::I64LtS),
            Self::LtU => (Sem::I32LtU, Sem::I64LtU),
            Self::GeS => (Sem::I32GeS, Sem::I64GeS),
            Self::GeU => (Sem::I32GeU, Sem::I64GeU),
            Self::GtS | Self::GtU | Self::LeS | Self::LeU => return None,
        })
    }

    /// Rewrites a comparison: `x > c` is `x >= c + 1` and `x <= c` is `x < c + 1`, unless `c` is the largest value.
    fn next(self, c: u64, wide: bool) -> Option<(Self, u64)> {
        let (signed, order) = match self {
            Self::GtS => (true, Self::GeS),
            Self::LeS => (true, Self::LtS),
            Self::GtU => (false, Self::GeU),
            Self::LeU => (false, Self::LtU),
            _ => return None,
        };
        let largest = match (signed, wide) {
            (true, false) => i32::MAX as u64,
            (true, true) => i64::MAX as u64,
            (false, false) => u64::from(u32::MAX),
            (false, true) => u64::MAX,
        };
        let mask = if wide { u64::MAX } else { 0xffff_ffff };
        // the one after -1 is 0
        (c & mask != largest).then(|| (order, c.wrapping_add(1) & mask))
    }
}

impl Function<'_> {
    fn un(&mut self, class: Class, sem: Sem, to_wide: bool) {
        let x = self.pop_arg();
        let to = self.fresh(to_wide);
        self.emit(class, sem, to, &[x]);
        self.push_temp(to_wide);
    }

    fn bin_plain(&mut self, class: Class, sem: Sem, to_wide: bool, swap: bool) {
        let y = self.pop_arg();
        let x = self.pop_arg();
        let to = self.fresh(to_wide);
        let args = if swap { [y, x] } else { [x, y] };
        self.emit(class, sem, to, &args);
        self.push_temp(to_wide);
    }

    /// Translates integer arithmetic, and tries the immediate forms.
    fn bin_int(&mut self, class: Class, sem: Sem, wide: bool) {
        let count = self.stack.len();
        if commutes(sem) && count >= 2 {
            let (x, y) = (self.stack[count - 2].place, self.stack[count - 1].place);
            let (Place::Const(bits), false) = (x, matches!(y, Place::Const(_) | Place::Compare(..))) else {
                return self.bin_int_ordered(class, sem, wide);
            };
            if imm16(bits, wide).is_some() || self.long_immediate(sem, bits) {
                // a temporary stays where it is, which may be above its new home
                self.settled = self.settled.min(count - 2);
                self.stack[count - 2].place = y;
                self.stack[count - 1].place = x;
            }
        }
        self.bin_int_ordered(class, sem, wide);
    }

    fn bin_int_ordered(&mut self, class: Class, mut sem: Sem, wide: bool) {
        let negated = match (sem, self.stack.last().map(|v| v.place)) {
            (Sem::I32Sub, Some(Place::Const(bits))) => Some((Sem::I32Add, u64::from((bits as u32).wrapping_neg()))),
            (Sem::I64Sub, Some(Place::Const(bits))) => Some((Sem::I64Add, bits.wrapping_neg())),
            _ => None,
        };
        if let Some((add, bits)) = negated {
            if imm16(bits, wide).is_some() || self.long_immediate(add, bits) {
                sem = add;
                if let Some(top) = self.stack.last_mut() {
                    top.place = Place::Const(bits);
                }
            }
        }
        // a 32-bit subtraction has its immediate on the left: on the right it is an addition
        let subtraction = sem == Sem::I32Sub;
        let long = match self.stack.last().map(|v| v.place) {
            Some(Place::Const(bits)) if imm16(bits, wide).is_none() && self.long_immediate(sem, bits) => {
                Some(Arg::Imm32(bits as u32))
            }
            _ => None,
        };
        let y = match long {
            Some(immediate) => {
                self.pop();
                immediate
            }
            None if subtraction || class == Class::Div64 => self.pop_arg(),
            None => self.pop_arg_imm(),
        };
        let x = if subtraction { self.pop_arg_imm() } else { self.pop_arg() };
        let (sem, y) = match (sem, y) {
            // Arm rotates to the right only
            (Sem::I32Rotl, Arg::Imm(count)) => (Sem::I32Rotr, Arg::Imm(count.wrapping_neg() & 31)),
            other => other,
        };
        let to = self.fresh(wide);
        self.emit(class, sem, to, &[x, y]);
        self.push_temp(wide);
    }

    /// Returns true if the op has a form with this constant as an immediate of 32 bits, and no slot holds it.
    fn long_immediate(&self, sem: Sem, bits: u64) -> bool {
        use Sem::*;
        matches!(sem, I32Add | I32Mul | I32And | I32Or | I32Xor) && self.pooled(bits, false).is_none()
    }

    fn compare(&mut self, mut order: Order, wide: bool) {
        let count = self.stack.len();
        let constant = |v: Option<&crate::stack::Value>| match v.map(|v| v.place) {
            Some(Place::Const(bits)) => Some(bits),
            _ => None,
        };
        let mut y_const = constant(self.stack.last());
        let x_const = if count >= 2 { constant(self.stack.get(count - 2)) } else { None };
        let mut exchange = false;
        if x_const.is_some() && y_const.is_none() {
            exchange = true;
            order = order.swapped();
            y_const = x_const;
        }
        // sides as sources, in stack order
        let mut immediate = None;
        if let Some(c) = y_const {
            let (tried, c) = match order.condition() {
                Some(_) => (order, c),
                None => order.next(c, wide).unwrap_or((order, c)),
            };
            if tried.condition().is_some() {
                if let Some(imm) = imm16(c, wide) {
                    order = tried;
                    immediate = Some(Arg::Imm(imm));
                }
            }
        }
        let (x, y) = if exchange {
            let first = self.pop_arg();
            let second = match immediate {
                Some(imm) => {
                    self.pop();
                    imm
                }
                None => self.pop_arg(),
            };
            (first, second)
        } else {
            let second = match immediate {
                Some(imm) => {
                    self.pop();
                    imm
                }
                None => self.pop_arg(),
            };
            (self.pop_arg(), second)
        };
        let (order, x, y) = match order.condition() {
            Some(_) => (order, x, y),
            None => (order.swapped(), y, x),
        };
        let Some((narrow, long)) = order.condition() else {
            return self.broken("a comparison that has no condition either way");
        };
        if wide {
            let to = self.fresh(false);
            self.emit(Class::Set64, long, to, &[x, y]);
            self.push_temp(false);
        } else {
            self.push(false, Place::Compare(narrow, x, y));
        }
    }

    fn eqz(&mut self) {
        let value = self.pop();
        let place = match value.place {
            Place::Compare(sem, x, y) => match inverse(sem) {
                Some(opposite) => Place::Compare(opposite, x, y),
                None => return self.broken("a condition without an opposite"),
            },
            _ => Place::Compare(Sem::I32Eq, self.as_arg(value), Arg::Imm(0)),
        };
        self.push(false, place);
    }

    /// Returns an address and what is added to it, as the operands that precede the value.
    fn address(&mut self, memarg: &MemArg) -> ([Arg; 3], usize) {
        let offset = memarg.offset as u32;
        let value = self.pop();
        if let Place::Const(base) = value.place {
            let sum = u64::from(base as u32) + u64::from(offset);
            if let Ok(sum) = u16::try_from(sum) {
                return ([Arg::Offset(sum), Arg::None, Arg::None], 1);
            }
        }
        if offset > u32::from(u16::MAX) {
            let base = self.as_arg(value);
            let to = value.home;
            self.vacate(to, 1, self.stack.len());
            self.touch(to + 1);
            self.special(Sem::AddressAdd, Dst::Narrow(to), &[base, Arg::Imm32(offset)]);
            return ([source(false, to, true), Arg::Offset(0), Arg::None], 2);
        }
        let offset = offset as u16;
        if let Place::Temp(slot) = value.place {
            if let Some(at) = self.addition(slot) {
                if let Item::Inst(Inst { args, .. }) = self.items[at] {
                    if matches!(args[1], Arg::Narrow { .. }) {
                        self.items.remove(at);
                        return ([args[0], args[1], Arg::Offset(offset)], 3);
                    }
                    if offset == 0 {
                        self.items.remove(at);
                        return ([args[0], args[1], Arg::None], 2);
                    }
                }
            }
        }
        ([self.as_arg(value), Arg::Offset(offset), Arg::None], 2)
    }

    /// Returns the index of the addition whose sum is in this temporary, if its sources still hold the same values
    /// there. Then the access may add them instead. The value to store is computed in between.
    fn addition(&self, sum: Slot) -> Option<usize> {
        /// Number of instructions to look back.
        const WINDOW: usize = 12;
        for at in (self.items.len().saturating_sub(WINDOW)..self.items.len()).rev() {
            let Item::Inst(inst) = self.items[at] else { return None };
            if inst.dst == Dst::Narrow(sum) {
                let [x @ Arg::Narrow { slot: first, .. }, y, ..] = inst.args else { return None };
                let second = match y {
                    Arg::Narrow { slot, .. } => slot,
                    Arg::Imm(_) => first,
                    _ => return None,
                };
                let kept = |slot| {
                    self.items[at + 1..].iter().all(|item| match item {
                        Item::Inst(later) => {
                            let (from, count) = later.writes();
                            !crate::inst::overlap(from, count, slot, 1)
                        }
                        Item::Label(_) => false,
                    })
                };
                let adds = inst.class == Class::Bin32 && inst.sem == Sem::I32Add && x != Arg::Acc;
                return (adds && kept(first) && kept(second)).then_some(at);
            }
            // calls overwrite what lies above them; another path may want the sum
            let leaves = inst.class == Class::Br32 || matches!(inst.sem, Sem::Br | Sem::BrTable);
            if leaves || inst.reads(sum, 1) || inst.clobbers_from().is_some() {
                return None;
            }
        }
        None
    }

    fn load(&mut self, class: Class, sem: Sem, memarg: &MemArg) {
        let wide = class == Class::Load64;
        let (mut args, mut n) = self.address(memarg);
        let narrow_only = wide && sem != Sem::Load64;
        if narrow_only && !matches!(args[1], Arg::Offset(_)) {
            args = self.plain_address(args, n);
            n = 2;
        }
        if !wide && n == 2 && args[1] == Arg::Offset(0) {
            n = 1;
        }
        let to = self.fresh(wide);
        self.emit(class, sem, to, &args[..n]);
        self.push_temp(wide);
    }

    /// Returns an address of any shape as one slot and an offset, for the rare loads that have that form only.
    fn plain_address(&mut self, args: [Arg; 3], n: usize) -> [Arg; 3] {
        let slot = self.next_home();
        let to = self.fresh(false);
        match n {
            1 => {
                self.emit_const(0, false, slot);
                [source(false, slot, true), args[0], Arg::None]
            }
            _ => {
                self.emit(Class::Bin32, Sem::I32Add, to, &args[..2]);
                let offset = if n == 3 { args[2] } else { Arg::Offset(0) };
                [source(false, slot, true), offset, Arg::None]
            }
        }
    }

    fn store(&mut self, sem: Sem, memarg: &MemArg) {
        let wide = sem == Sem::Store64;
        let value = self.pop();
        // an 8-, 16- or 32-bit store of an i64 stores from its low half
        let value = crate::stack::Value { wide, ..value };
        let immediate = match value.place {
            Place::Const(bits) if !wide => imm16(bits, false),
            _ => None,
        };
        let source = match immediate {
            Some(imm) => Arg::Imm(imm),
            None => self.as_arg(value),
        };
        let class = if wide { Class::Store64 } else { Class::Store32 };
        let (address, n) = self.address(memarg);
        let mut args = [Arg::None; 4];
        args[..n].copy_from_slice(&address[..n]);
        args[n] = source;
        let mut count = n + 1;
        if immediate.is_some() && n == 3 {
            // no form for two sources and an immediate value: the sum goes back into a slot
            let plain = self.plain_address(address, n);
            args = [plain[0], plain[1], source, Arg::None];
            count = 3;
        } else if !wide && immediate.is_none() && n == 2 && args[1] == Arg::Offset(0) {
            args[1] = source;
            count = 2;
        }
        self.emit(class, sem, Dst::None, &args[..count]);
    }

    fn local_set(&mut self, index: u32, tee: bool) {
        let (slot, wide) = self.locals[index as usize];
        let value = self.pop();
        if value.place == Place::Local(slot) {
            if tee {
                self.push(wide, Place::Local(slot));
            }
            return;
        }
        let before = self.items.len();
        self.keep_local(slot, value.slots());
        let patched = before == self.items.len() && self.patch_result(value.place, wide, slot);
        if !patched {
            self.move_to(value, slot);
        }
        if tee {
            self.push(wide, Place::Local(slot));
        }
    }

    /// Lets the instruction just emitted write the local instead of the temporary.
    fn patch_result(&mut self, place: Place, wide: bool, local: Slot) -> bool {
        let Place::Temp(from) = place else { return false };
        match self.items.last_mut() {
            Some(Item::Inst(inst)) if inst.dst == dst(wide, from) => {
                inst.dst = dst(wide, local);
                true
            }
            _ => false,
        }
    }

    fn select(&mut self) {
        let condition = self.pop();
        let wide = self.stack.last().is_some_and(|v| v.wide);
        if wide {
            let c = self.as_arg(condition);
            let b = self.pop_arg();
            let a = self.pop_arg();
            let to = self.fresh(true);
            self.emit(Class::Select64, Sem::I32Ne, to, &[c, a, b]);
            self.push_temp(true);
        } else {
            // the sources of the comparison lie at or above the condition's home: nothing below touches them
            let (sem, x, y) = self.condition(condition);
            let b = self.pop_arg();
            let a = self.pop_arg();
            let to = self.fresh(false);
            self.emit(Class::Select32, sem, to, &[x, y, a, b]);
            self.push_temp(false);
        }
    }

    fn global_get(&mut self, index: u32) {
        let global = self.module.globals[index as usize];
        let wide = global.ty.slots() == 2;
        let to = self.fresh(wide);
        let sem = match wide {
            true => Sem::GlobalGet64,
            false => match global.ty {
                ValType::FuncRef => Sem::GlobalGetFunc,
                ValType::ExternRef => Sem::GlobalGetExtern,
                _ => Sem::GlobalGet,
            },
        };
        self.special(sem, to, &[global.operand()]);
        self.push_temp(wide);
    }

    pub(crate) fn global_set(&mut self, index: u32) {
        let global = self.module.globals[index as usize];
        let value = self.pop_arg();
        let sem = match global.ty {
            ValType::FuncRef => Sem::GlobalSetFunc,
            ValType::ExternRef => Sem::GlobalSetExtern,
            ty if ty.slots() == 2 => Sem::GlobalSet64,
            _ => Sem::GlobalSet,
        };
        self.special(sem, Dst::None, &[global.operand(), value]);
    }

    /// Emits an op with `n` 32-bit sources from the stack behind index operands.
    pub(crate) fn bulk(&mut self, sem: Sem, indices: &[Arg], n: usize, result: bool) {
        let mut args = [Arg::None; crate::inst::ARGS];
        args[..indices.len()].copy_from_slice(indices);
        for position in (0..n).rev() {
            args[indices.len() + position] = self.pop_arg();
        }
        let to = if result { self.fresh(false) } else { Dst::None };
        self.special(sem, to, &args[..indices.len() + n]);
        if result {
            self.push_temp(false);
        }
    }

    fn constant(&mut self, bits: u64, wide: bool) {
        match self.pooled(bits, wide) {
            Some(slot) if imm16(bits, wide).is_none() => self.push(wide, Place::Fixed(slot)),
            _ => self.push(wide, Place::Const(bits)),
        }
    }

    /// Translates an operator that the validator has accepted. True if it ended the function.
    pub fn operator(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as O;
        // structure first: it is followed in unreachable code too
        match operator {
            O::Block { blockty } | O::Loop { blockty } | O::If { blockty } => {
                let (params, results) = self.module.block_type(*blockty);
                let kind = match operator {
                    O::Block { .. } => FrameKind::Block,
                    O::Loop { .. } => FrameKind::Loop,
                    _ => FrameKind::If(self.label()),
                };
                self.open(kind, params, results);
                return false;
            }
            O::Else => {
                self.otherwise();
                return false;
            }
            O::End => return self.close(),
            _ if self.dead => return false,
            _ => {}
        }
        match operator {
            O::Nop => {}
            O::Unreachable => {
                self.special(Sem::Unreachable, Dst::None, &[]);
                self.dead = true;
            }
            O::Br { relative_depth } => self.branch(*relative_depth),
            O::BrIf { relative_depth } => self.branch_on(*relative_depth),
            O::BrTable { targets } => {
                let depths: Result<alloc::vec::Vec<u32>, _> = targets.targets().collect();
                match depths {
                    Ok(mut depths) => {
                        depths.push(targets.default());
                        self.branch_table(&depths);
                    }
                    Err(_) => self.broken("a `br_table` that the validator has not read"),
                }
            }
            O::Return => self.return_now(),
            O::Call { function_index } => {
                let ty = self.module.function_type(*function_index);
                self.call(Callee::Function(*function_index), ty);
            }
            O::CallIndirect { type_index, table_index } => {
                let (ty, canonical) = self.module.ty(*type_index);
                self.call(Callee::Indirect { ty: canonical, table: *table_index as u16 }, ty);
            }
            O::ReturnCall { function_index } => {
                let ty = self.module.function_type(*function_index);
                let canonical = self.module.canonical_of(*function_index);
                self.return_call(Callee::Function(*function_index), ty, canonical);
            }
            O::ReturnCallIndirect { type_index, table_index } => {
                let (ty, canonical) = self.module.ty(*type_index);
                let callee = Callee::Indirect { ty: canonical, table: *table_index as u16 };
                self.return_call(callee, ty, canonical);
            }
            O::Drop => {
                self.pop();
            }
            O::Select | O::TypedSelect { .. } => self.select(),
            O::LocalGet { local_index } => {
                let (slot, wide) = self.locals[*local_index as usize];
                self.push(wide, Place::Local(slot));
            }
            O::LocalSet { local_index } => self.local_set(*local_index, false),
            O::LocalTee { local_index } => self.local_set(*local_index, true),
            O::GlobalGet { global_index } => self.global_get(*global_index),
            O::GlobalSet { global_index } => self.global_set(*global_index),
            O::I32Const { value } => self.constant(u64::from(*value as u32), false),
            O::I64Const { value } => self.constant(*value as u64, true),
            O::F32Const { value } => self.constant(u64::from(value.bits()), false),
            O::F64Const { value } => self.constant(value.bits(), true),
            O::RefNull { .. } => self.push(false, Place::Const(0)),
            O::RefIsNull => self.eqz(),
            O::RefFunc { function_index } => {
                let to = self.fresh(false);
                self.special(Sem::RefFunc, to, &[Arg::Word(Operand::Func, *function_index as u16)]);
                self.push_temp(false);
            }
            O::MemorySize { .. } => self.bulk(Sem::MemorySize, &[], 0, true),
            O::MemoryGrow { .. } => self.bulk(Sem::MemoryGrow, &[], 1, true),
            O::MemoryFill { .. } => self.bulk(Sem::MemoryFill, &[], 3, false),
            O::MemoryCopy { .. } => self.bulk(Sem::MemoryCopy, &[], 3, false),
            O::MemoryInit { data_index, .. } => {
                self.bulk(Sem::MemoryInit, &[Arg::Word(Operand::Data, *data_index as u16)], 3, false);
            }
            O::DataDrop { data_index } => {
                self.special(Sem::DataDrop, Dst::None, &[Arg::Word(Operand::Data, *data_index as u16)]);
            }
            O::TableGet { table } => self.bulk(Sem::TableGet, &[word(Operand::TableIndex, *table)], 1, true),
            O::TableSet { table } => self.bulk(Sem::TableSet, &[word(Operand::TableIndex, *table)], 2, false),
            O::TableSize { table } => self.bulk(Sem::TableSize, &[word(Operand::TableIndex, *table)], 0, true),
            O::TableGrow { table } => self.bulk(Sem::TableGrow, &[word(Operand::TableIndex, *table)], 2, true),
            O::TableFill { table } => self.bulk(Sem::TableFill, &[word(Operand::TableIndex, *table)], 3, false),
            O::TableCopy { dst_table, src_table } => {
                let tables = [word(Operand::TableIndex, *dst_table), word(Operand::TableIndex, *src_table)];
                self.bulk(Sem::TableCopy, &tables, 3, false);
            }
            O::TableInit { elem_index, table } => {
                let indices = [word(Operand::Element, *elem_index), word(Operand::TableIndex, *table)];
                self.bulk(Sem::TableInit, &indices, 3, false);
            }
            O::ElemDrop { elem_index } => {
                self.special(Sem::ElemDrop, Dst::None, &[word(Operand::Element, *elem_index)]);
            }
            O::I32WrapI64 => {
                let value = self.pop();
                let place = match value.place {
                    Place::Const(bits) => Place::Const(bits & 0xffff_ffff),
                    other => other,
                };
                self.push(false, place);
            }
            O::I32ReinterpretF32 | O::F32ReinterpretI32 | O::I64ReinterpretF64 | O::F64ReinterpretI64 => {}
            _ => self.numeric(operator),
        }
        false
    }

    fn numeric(&mut self, operator: &Operator<'_>) {
        use Operator as O;
        use Order::*;
        match operator {
            O::I32Eqz => self.eqz(),
            O::I32Eq => self.compare(Eq, false),
            O::I32Ne => self.compare(Ne, false),
            O::I32LtS => self.compare(LtS, false),
            O::I32LtU => self.compare(LtU, false),
            O::I32GtS => self.compare(GtS, false),
            O::I32GtU => self.compare(GtU, false),
            O::I32LeS => self.compare(LeS, false),
            O::I32LeU => self.compare(LeU, false),
            O::I32GeS => self.compare(GeS, false),
            O::I32GeU => self.compare(GeU, false),
            O::I64Eqz => self.un(Class::Narrow, Sem::I64Eqz, false),
            O::I64Eq => self.compare(Eq, true),
            O::I64Ne => self.compare(Ne, true),
            O::I64LtS => self.compare(LtS, true),
            O::I64LtU => self.compare(LtU, true),
            O::I64GtS => self.compare(GtS, true),
            O::I64GtU => self.compare(GtU, true),
            O::I64LeS => self.compare(LeS, true),
            O::I64LeU => self.compare(LeU, true),
            O::I64GeS => self.compare(GeS, true),
            O::I64GeU => self.compare(GeU, true),
            O::F32Eq => self.bin_plain(Class::Set32, Sem::F32Eq, false, false),
            O::F32Ne => self.bin_plain(Class::Set32, Sem::F32Ne, false, false),
            O::F32Lt => self.bin_plain(Class::Set32, Sem::F32Lt, false, false),
            O::F32Gt => self.bin_plain(Class::Set32, Sem::F32Lt, false, true),
            O::F32Le => self.bin_plain(Class::Set32, Sem::F32Le, false, false),
            O::F32Ge => self.bin_plain(Class::Set32, Sem::F32Le, false, true),
            O::F64Eq => self.bin_plain(Class::Set64, Sem::F64Eq, false, false),
            O::F64Ne => self.bin_plain(Class::Set64, Sem::F64Ne, false, false),
            O::F64Lt => self.bin_plain(Class::Set64, Sem::F64Lt, false, false),
            O::F64Gt => self.bin_plain(Class::Set64, Sem::F64Lt, false, true),
            O::F64Le => self.bin_plain(Class::Set64, Sem::F64Le, false, false),
            O::F64Ge => self.bin_plain(Class::Set64, Sem::F64Le, false, true),
            O::I32Load { memarg } | O::F32Load { memarg } => self.load(Class::Load32, Sem::Load, memarg),
            O::I32Load8S { memarg } => self.load(Class::Load32, Sem::Load8S, memarg),
            O::I32Load8U { memarg } => self.load(Class::Load32, Sem::Load8U, memarg),
            O::I32Load16S { memarg } => self.load(Class::Load32, Sem::Load16S, memarg),
            O::I32Load16U { memarg } => self.load(Class::Load32, Sem::Load16U, memarg),
            O::I64Load { memarg } | O::F64Load { memarg } => self.load(Class::Load64, Sem::Load64, memarg),
            O::I64Load8S { memarg } => self.load(Class::Load64, Sem::Load64From8S, memarg),
            O::I64Load8U { memarg } => self.load(Class::Load64, Sem::Load64From8U, memarg),
            O::I64Load16S { memarg } => self.load(Class::Load64, Sem::Load64From16S, memarg),
            O::I64Load16U { memarg } => self.load(Class::Load64, Sem::Load64From16U, memarg),
            O::I64Load32S { memarg } => self.load(Class::Load64, Sem::Load64From32S, memarg),
            O::I64Load32U { memarg } => self.load(Class::Load64, Sem::Load64From32U, memarg),
            O::I32Store { memarg } | O::F32Store { memarg } | O::I64Store32 { memarg } => {
                self.store(Sem::Store, memarg);
            }
            O::I32Store8 { memarg } | O::I64Store8 { memarg } => self.store(Sem::Store8, memarg),
            O::I32Store16 { memarg } | O::I64Store16 { memarg } => self.store(Sem::Store16, memarg),
            O::I64Store { memarg } | O::F64Store { memarg } => self.store(Sem::Store64, memarg),
            _ => {
                if let Some((class, sem, wide)) = crate::tables::binary(operator) {
                    match class {
                        Class::Bin32 | Class::Bin64 if crate::tables::is_float(sem) => {
                            self.bin_plain(class, sem, wide, false);
                        }
                        _ => self.bin_int(class, sem, wide),
                    }
                } else if let Some((class, sem, wide)) = crate::tables::unary(operator) {
                    self.un(class, sem, wide);
                } else {
                    self.broken("an operator that has no translation");
                }
            }
        }
    }
}

fn word(kind: Operand, index: u32) -> Arg {
    Arg::Word(kind, index as u16)
}

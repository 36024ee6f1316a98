// SPDX-License-Identifier: Apache-2.0
//! Blocks, branches, calls and returns.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use wisp_image::format::FRAME_HEADER_SLOTS;
use wisp_image::ops::{Class, Operand, Sem};

use crate::function::{Frame, FrameKind, Function};
use crate::inst::{inverse, Arg, Dst, Label, Slot};
use crate::module::FuncType;
use crate::stack::{imm16, source, Place, Value};

const HEADER: u32 = FRAME_HEADER_SLOTS as u32;

/// Entries of a table in the code, at most: with an island of six bytes for each it still reaches them all with
/// 16 bits.
const TABLE_MAX: usize = 8000;

/// Whom to call.
pub enum Callee {
    /// A function of this module or an import.
    Function(u32),
    /// Through a table. The index is on the stack.
    Indirect { ty: u16, table: u16 },
}

impl Function<'_> {
    /// Translates `block`, `loop` or `if`.
    pub fn open(&mut self, kind: FrameKind, params: Vec<bool>, results: Vec<bool>) {
        let condition = match kind {
            FrameKind::If(_) if !self.dead => Some(self.pop()),
            _ => None,
        };
        let label = self.label();
        if self.dead {
            let frame = Frame { kind, label, height: 0, home: 0, params, results, reached: false, dead: true };
            self.frames.push(frame);
            return;
        }
        let height = self.stack.len().saturating_sub(params.len());
        // the condition still reads its sources: they lie above everything that moves now
        self.settle_all();
        for index in height..self.stack.len() {
            self.settle_fully(index);
        }
        let home = self.stack.get(height).map_or(self.next_home(), |first| first.home);
        if let (FrameKind::If(otherwise), Some(condition)) = (kind, condition) {
            self.branch_if(condition, otherwise, true);
        }
        if kind == FrameKind::Loop {
            self.place(label);
        }
        self.frames.push(Frame { kind, label, height, home, params, results, reached: false, dead: false });
    }

    /// Translates `else`.
    pub fn otherwise(&mut self) {
        let Some(mut frame) = self.frames.pop() else { return self.broken("an `else` outside of all blocks") };
        if let FrameKind::If(label) = frame.kind {
            if !frame.dead {
                if !self.dead {
                    self.fall_through(&frame);
                    frame.reached = true;
                    self.special(Sem::Br, Dst::None, &[Arg::Label(frame.label)]);
                }
                self.place(label);
                self.restore(frame.height, frame.home, &frame.params);
                self.dead = false;
            }
        }
        frame.kind = FrameKind::Block;
        self.frames.push(frame);
    }

    /// Translates the `end` of a block or of the function. Returns true if it was the function's.
    pub fn close(&mut self) -> bool {
        let Some(mut frame) = self.frames.pop() else {
            self.broken("an `end` outside of all blocks");
            return true;
        };
        if frame.dead {
            return false;
        }
        if frame.kind == FrameKind::Function {
            if !self.dead {
                self.return_values(&frame.results);
            }
            self.dead = true;
            return true;
        }
        if !self.dead {
            self.fall_through(&frame);
            frame.reached = true;
        }
        if let FrameKind::If(label) = frame.kind {
            // without `else` the parameters are the results
            self.place(label);
            frame.reached = true;
        }
        if frame.kind != FrameKind::Loop {
            self.place(frame.label);
        }
        self.dead = !frame.reached;
        self.restore(frame.height, frame.home, &frame.results);
        false
    }

    /// Moves the results to their homes at the end of a block.
    fn fall_through(&mut self, frame: &Frame) {
        for index in frame.height..self.stack.len() {
            self.settle_fully(index);
        }
    }

    /// Sets the stack to what it is where paths meet: these values in their homes above `height`.
    fn restore(&mut self, height: usize, home: Slot, values: &[bool]) {
        self.truncate(height);
        let mut slot = home;
        for &wide in values {
            self.stack.push(Value { wide, place: Place::Temp(slot), home: slot });
            slot += 1 + u32::from(wide);
        }
        // those below are where `open` settled them
        self.settled = self.stack.len();
        self.touch(slot);
    }

    /// Branches if the condition holds, or if it does not (`negate`).
    fn branch_if(&mut self, condition: Value, label: Label, negate: bool) {
        let (sem, x, y) = self.condition(condition);
        let sem = match inverse(sem) {
            Some(opposite) if negate => opposite,
            Some(_) => sem,
            None => return self.broken("a condition without an opposite"),
        };
        self.emit(Class::Br32, sem, Dst::None, &[x, y, Arg::Label(label)]);
    }

    /// Returns a popped i32 as a comparison.
    pub fn condition(&mut self, value: Value) -> (Sem, Arg, Arg) {
        match value.place {
            Place::Compare(sem, x, y) => (sem, x, y),
            _ => (Sem::I32Ne, self.as_arg(value), Arg::Imm(0)),
        }
    }

    /// Returns the index in `frames` of a branch target.
    fn target(&mut self, depth: u32) -> usize {
        match self.frames.len().checked_sub(1 + depth as usize) {
            Some(target) => target,
            None => {
                self.broken("a branch out of the function");
                0
            }
        }
    }

    /// Widths of the values a branch to this frame carries.
    fn carried(&self, target: usize) -> Vec<bool> {
        let frame = &self.frames[target];
        if frame.kind == FrameKind::Loop {
            frame.params.clone()
        } else {
            frame.results.clone()
        }
    }

    /// Jumps to a frame with the values on top of the stack, which stay there for other paths.
    fn jump(&mut self, target: usize) {
        let carried = self.carried(target);
        if self.frames[target].kind == FrameKind::Function {
            self.return_values(&carried);
            return;
        }
        let first = self.top(carried.len());
        let mut slot = self.frames[target].home;
        for index in first..self.stack.len() {
            let value = self.stack[index];
            self.move_to(value, slot);
            slot += value.slots();
        }
        let label = self.reach(target);
        self.special(Sem::Br, Dst::None, &[Arg::Label(label)]);
    }

    /// Notes that a branch goes to this frame, and returns its label.
    fn reach(&mut self, target: usize) -> Label {
        let frame = &mut self.frames[target];
        // a branch to a loop goes to its start and says nothing about its end
        frame.reached |= frame.kind != FrameKind::Loop;
        frame.label
    }

    /// Returns true if a branch to this frame needs no code but itself.
    fn direct(&self, target: usize) -> bool {
        if self.frames[target].kind == FrameKind::Function {
            return false;
        }
        let carried = self.carried(target);
        let first = self.stack.len().saturating_sub(carried.len());
        let mut slot = self.frames[target].home;
        self.stack[first..].iter().all(|value| {
            let here = value.place == Place::Temp(slot);
            slot += value.slots();
            here
        })
    }

    /// Translates `br`.
    pub fn branch(&mut self, depth: u32) {
        let target = self.target(depth);
        self.jump(target);
        self.dead = true;
    }

    /// Translates `br_if`.
    pub fn branch_on(&mut self, depth: u32) {
        let condition = self.pop();
        let target = self.target(depth);
        if self.direct(target) {
            let label = self.reach(target);
            self.branch_if(condition, label, false);
        } else {
            let skip = self.label();
            self.branch_if(condition, skip, true);
            self.jump(target);
            self.place(skip);
        }
    }

    /// Translates `br_table`. The last depth is the default.
    pub fn branch_table(&mut self, depths: &[u32]) {
        let mut index = self.pop_arg();
        if depths.len() > TABLE_MAX {
            // the part of the index that a table of its own takes is computed into a slot that is free
            self.fresh(false);
            if let Arg::Narrow { dies, .. } = &mut index {
                *dies = false;
            }
        }
        let scratch = self.next_home();
        let mut detours = BTreeMap::new();
        let mut entries = Vec::with_capacity(depths.len());
        for &depth in depths {
            entries.push(match detours.get(&depth) {
                Some(&label) => label,
                None => {
                    let target = self.target(depth);
                    // entries reach forward only: a loop is reached by a detour
                    let direct = self.direct(target) && self.frames[target].kind != FrameKind::Loop;
                    let label = if direct { self.reach(target) } else { self.label() };
                    detours.insert(depth, label);
                    label
                }
            });
        }
        let Some(default) = entries.pop() else { return self.broken("a `br_table` without a default") };
        let mut rest = &entries[..];
        while rest.len() >= TABLE_MAX {
            let (part, others) = rest.split_at(TABLE_MAX - 1);
            let next = self.label();
            let first = Arg::Imm(part.len() as i16);
            self.emit(Class::Br32, Sem::I32GeU, Dst::None, &[index, first, Arg::Label(next)]);
            self.table(index, part, default);
            self.place(next);
            let fewer = Arg::Imm(-(part.len() as i16));
            self.emit(Class::Bin32, Sem::I32Add, Dst::Narrow(scratch), &[index, fewer]);
            index = source(false, scratch, false);
            rest = others;
        }
        self.table(index, rest, default);
        for (depth, label) in detours {
            let target = self.target(depth);
            if self.frames[target].label != label {
                self.place(label);
                self.jump(target);
            }
        }
        self.dead = true;
    }

    /// Writes a table of the code.
    fn table(&mut self, index: Arg, entries: &[Label], default: Label) {
        let list = self.targets.len() as u32;
        self.targets.push(entries.iter().copied().chain([default]).collect());
        self.special(Sem::BrTable, Dst::None, &[index, Arg::Targets(list)]);
    }

    /// Translates `return`.
    pub fn return_now(&mut self) {
        match self.frames.first() {
            Some(frame) => {
                let results = frame.results.clone();
                self.return_values(&results);
            }
            None => self.broken("a `return` outside of the function"),
        }
        self.dead = true;
    }

    /// Translates the return of the values on top of the stack, which stay there for other paths.
    fn return_values(&mut self, results: &[bool]) {
        let first = self.top(results.len());
        let values: Vec<Value> = self.stack[first..].to_vec();
        match values[..] {
            [] => self.special(Sem::Return, Dst::None, &[]),
            [value] if !value.wide => {
                let arg = match value.place {
                    Place::Const(bits) => match imm16(bits, false) {
                        Some(immediate) => Arg::Imm(immediate),
                        None => self.in_passing(value),
                    },
                    _ => self.in_passing(value),
                };
                self.special(Sem::Return32, Dst::None, &[arg]);
            }
            [value] => {
                let arg = self.in_passing(value);
                self.special(Sem::Return64, Dst::None, &[arg]);
            }
            _ => {
                self.move_results(&values);
                self.special(Sem::Return, Dst::None, &[]);
            }
        }
    }

    /// Returns a value as a source for an instruction that ends this path. It stays on the stack.
    fn in_passing(&mut self, value: Value) -> Arg {
        match value.place {
            // read for the last time on this path, and no other begins between the op that computed it and here
            Place::Local(slot) | Place::Fixed(slot) | Place::Temp(slot) => source(value.wide, slot, true),
            Place::Const(_) | Place::Compare(..) => {
                self.move_to(value, value.home);
                source(value.wide, value.home, true)
            }
        }
    }

    /// Moves several results to the first slots. Results that come from there go through the top of the
    /// stack first, because the moves happen one after the other.
    fn move_results(&mut self, values: &[Value]) {
        let count = values.iter().map(Value::slots).sum::<u32>();
        // above the stack and above results that a call left two slots over their homes
        let mut parked = self.next_home() + HEADER;
        let mut sources = Vec::with_capacity(values.len());
        for value in values {
            let low = |arg: Arg| matches!(arg, Arg::Narrow { slot, .. } if slot < count);
            let conflict = match value.place {
                Place::Local(slot) | Place::Fixed(slot) | Place::Temp(slot) => slot < count,
                Place::Compare(_, x, y) => low(x) || low(y),
                Place::Const(bits) => self.pooled(bits, value.wide).is_some_and(|slot| slot < count),
            };
            if conflict {
                self.move_to(*value, parked);
                sources.push(Value { place: Place::Temp(parked), ..*value });
                parked += value.slots();
            } else {
                sources.push(*value);
            }
        }
        let mut slot = 0;
        for value in sources {
            self.move_to(value, slot);
            slot += value.slots();
        }
    }

    /// Moves the arguments on top of the stack into a callee's frame. Returns its first slot and the index
    /// of an indirect call.
    fn arguments(&mut self, count: usize, indirect: bool) -> (Slot, Option<Arg>) {
        let total = count + usize::from(indirect);
        let first = self.top(total);
        let base = self.stack.get(first).map_or(self.next_home(), |value| value.home);
        let end = self.next_home();
        // nothing below may lie in the frame; the values of the call themselves move last to first
        self.vacate(base, end - base + 2 * HEADER, first);
        let mut index = None;
        for position in (0..total).rev() {
            let at = first + position;
            let to = self.stack[at].home + HEADER;
            self.vacate(to, self.stack[at].slots(), at);
            let value = self.stack[at];
            let is_index = indirect && position == count;
            match value.place {
                Place::Local(slot) | Place::Fixed(slot) if is_index => index = Some(source(false, slot, false)),
                Place::Temp(slot) if slot == to => {}
                Place::Temp(slot) if self.retarget(slot, to, value.wide) => {}
                _ => self.move_to(value, to),
            }
            if is_index && index.is_none() {
                index = Some(source(false, to, true));
            }
        }
        self.touch(end + HEADER);
        self.truncate(first);
        (base + HEADER, index)
    }

    /// Translates a call.
    pub fn call(&mut self, callee: Callee, ty: &FuncType) {
        let indirect = matches!(callee, Callee::Indirect { .. });
        let (base, index) = self.arguments(ty.params.len(), indirect);
        let frame = Arg::Frame(base);
        match (callee, index) {
            (Callee::Indirect { ty, table }, Some(index)) => self.special(
                Sem::CallIndirect,
                Dst::None,
                &[frame, Arg::Word(Operand::Type, ty), Arg::Word(Operand::TableIndex, table), index],
            ),
            (Callee::Function(function), _) => match self.module.defined(function) {
                Some(defined) => self.special(Sem::Call, Dst::None, &[frame, Arg::Callee(defined)]),
                None => {
                    let import = Arg::Word(Operand::Import, function as u16);
                    self.special(Sem::CallImport, Dst::None, &[frame, import]);
                }
            },
            (Callee::Indirect { .. }, None) => self.broken("an indirect call without an index"),
        }
        let mut slot = base;
        for result in &ty.results {
            let wide = result.slots() == 2;
            let home = self.next_home();
            self.stack.push(Value { wide, place: Place::Temp(slot), home });
            slot += 1 + u32::from(wide);
        }
        self.touch(slot);
        self.bound();
    }

    /// Translates a tail call.
    pub fn return_call(&mut self, callee: Callee, ty: &FuncType, canonical: u16) {
        let indirect = matches!(callee, Callee::Indirect { .. });
        let (base, index) = self.arguments(ty.params.len(), indirect);
        // the engine moves parameters and results through this frame
        let values = |types: &[wisp_image::format::ValType]| types.iter().map(|t| t.slots() as u32).sum::<u32>();
        self.touch(base + values(&ty.params).max(values(&ty.results)));
        let frame = Arg::Frame(base);
        let kind = Arg::Word(Operand::Type, canonical);
        match (callee, index) {
            (Callee::Indirect { table, .. }, Some(index)) => {
                let table = Arg::Word(Operand::TableIndex, table);
                self.special(Sem::ReturnCallIndirect, Dst::None, &[frame, kind, table, index]);
            }
            (Callee::Function(function), _) => match self.module.defined(function) {
                Some(defined) => self.special(Sem::ReturnCall, Dst::None, &[frame, kind, Arg::Callee(defined)]),
                None => {
                    let import = Arg::Word(Operand::Import, function as u16);
                    self.special(Sem::ReturnCallImport, Dst::None, &[frame, kind, import]);
                }
            },
            (Callee::Indirect { .. }, None) => self.broken("an indirect call without an index"),
        }
        self.dead = true;
    }
}

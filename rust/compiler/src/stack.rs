// SPDX-License-Identifier: Apache-2.0
//! The operand stack at compile time: where each value is, and code that moves it.
//!
//! A value has a home, the slot that its stack position has in every path through the function. It is
//! moved there only when paths meet; before, it may be a local, a constant, a comparison not yet made, or
//! wherever the op before left it.

use wisp_image::ops::{Class, Sem};

use crate::function::Function;
use crate::inst::{overlap, Arg, Dst, Slot};

/// The place of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In a local, which a later `local.set` may overwrite.
    Local(Slot),
    /// In a slot that nobody writes again.
    Fixed(Slot),
    /// A constant.
    Const(u64),
    /// In a temporary: the home, or a slot above it.
    Temp(Slot),
    /// The result of comparing two 32-bit sources.
    Compare(Sem, Arg, Arg),
}

/// A value on the operand stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Value {
    /// 64 bits wide.
    pub wide: bool,
    /// The place where the value is now.
    pub place: Place,
    /// Its home slot.
    pub home: Slot,
}

impl Value {
    /// Returns the slots it takes.
    pub fn slots(&self) -> u32 {
        1 + u32::from(self.wide)
    }

    /// Returns true if the value is read from one of these slots.
    fn lies_in(&self, first: Slot, count: u32) -> bool {
        let narrow = |arg: Arg| matches!(arg, Arg::Narrow { slot, .. } if overlap(slot, 1, first, count));
        match self.place {
            Place::Local(slot) | Place::Temp(slot) => overlap(slot, self.slots(), first, count),
            Place::Compare(_, x, y) => narrow(x) || narrow(y),
            Place::Const(_) | Place::Fixed(_) => false,
        }
    }
}

/// Returns the value as an immediate, if it fits 16 bits sign-extended to its width.
pub fn imm16(bits: u64, wide: bool) -> Option<i16> {
    let value = if wide { bits as i64 } else { i64::from(bits as u32 as i32) };
    i16::try_from(value).ok()
}

/// Returns the destination of this width.
pub fn dst(wide: bool, slot: Slot) -> Dst {
    if wide {
        Dst::Wide(slot)
    } else {
        Dst::Narrow(slot)
    }
}

/// Returns the source of this width.
pub fn source(wide: bool, slot: Slot, dies: bool) -> Arg {
    if wide {
        Arg::Wide { slot, dies }
    } else {
        Arg::Narrow { slot, dies }
    }
}

/// Values on top of the stack, at most, that are not in their homes: what looks through them costs no more in a
/// function with a deep stack.
const UNSETTLED: usize = 64;

impl Function<'_> {
    /// Returns the home of the value that is pushed next.
    pub fn next_home(&self) -> Slot {
        self.stack.last().map_or(self.temps, |top| top.home + top.slots())
    }

    /// Pushes a value that needs no code now.
    pub fn push(&mut self, wide: bool, place: Place) {
        let home = self.next_home();
        self.stack.push(Value { wide, place, home });
        self.bound();
    }

    /// Settles values deep in the stack.
    pub fn bound(&mut self) {
        while self.stack.len() - self.settled > UNSETTLED {
            self.settle(self.settled);
            self.settled += 1;
        }
    }

    /// Takes values off the stack until this many are left.
    pub fn truncate(&mut self, count: usize) {
        self.stack.truncate(count);
        self.settled = self.settled.min(count);
    }

    /// Returns the index of the first of this many values on top of the stack.
    pub fn top(&mut self, count: usize) -> usize {
        match self.stack.len().checked_sub(count) {
            Some(first) => first,
            None => {
                self.broken("the operand stack has too few values");
                0
            }
        }
    }

    /// Makes the home of a new value free and returns it as a destination. [`Self::push_temp`] follows.
    pub fn fresh(&mut self, wide: bool) -> Dst {
        let home = self.next_home();
        let slots = 1 + u32::from(wide);
        self.vacate(home, slots, self.stack.len());
        self.touch(home + slots);
        dst(wide, home)
    }

    /// Pushes the value that an op has just written to [`Self::fresh`].
    pub fn push_temp(&mut self, wide: bool) {
        let home = self.next_home();
        self.push(wide, Place::Temp(home));
    }

    /// Takes the top value off the stack. The validator has seen that it exists.
    pub fn pop(&mut self) -> Value {
        let value = self.stack.pop();
        self.settled = self.settled.min(self.stack.len());
        match value {
            Some(value) => value,
            None => {
                self.broken("the operand stack is empty");
                // translation ends before this value is used
                Value { wide: false, place: Place::Const(0), home: self.temps }
            }
        }
    }

    /// Moves every value below `depth` that lies in these slots to its home.
    pub fn vacate(&mut self, first: Slot, count: u32, depth: usize) {
        for index in (self.settled.min(depth)..depth).rev() {
            let value = self.stack[index];
            if value.lies_in(first, count) && value.place != Place::Temp(value.home) {
                self.settle(index);
            }
        }
    }

    /// Moves the value at this position of the stack to its home, unless it is a constant.
    pub fn settle(&mut self, index: usize) {
        let value = self.stack[index];
        if matches!(value.place, Place::Const(_) | Place::Fixed(_)) || value.place == Place::Temp(value.home) {
            return;
        }
        self.vacate(value.home, value.slots(), index);
        self.move_to(value, value.home);
        self.stack[index].place = Place::Temp(value.home);
    }

    /// Moves the value at this position to its home even if it is a constant.
    pub fn settle_fully(&mut self, index: usize) {
        self.settle(index);
        let value = self.stack[index];
        if value.place != Place::Temp(value.home) {
            self.vacate(value.home, value.slots(), index);
            self.move_to(value, value.home);
            self.stack[index].place = Place::Temp(value.home);
        }
    }

    /// Settles all values: what holds before control may arrive from elsewhere.
    pub fn settle_all(&mut self) {
        for index in self.settled..self.stack.len() {
            self.settle(index);
        }
        self.settled = self.stack.len();
    }

    /// Emits the code that writes a value to a slot. The value stays usable.
    pub fn move_to(&mut self, value: Value, slot: Slot) {
        self.touch(slot + value.slots());
        let to = dst(value.wide, slot);
        let mov = if value.wide { Sem::Mov64 } else { Sem::Mov };
        match value.place {
            Place::Local(from) | Place::Fixed(from) | Place::Temp(from) => {
                if from != slot {
                    self.emit(Class::Special, mov, to, &[source(value.wide, from, false)]);
                }
            }
            Place::Const(bits) => match self.pooled(bits, value.wide) {
                Some(from) if imm16(bits, value.wide).is_none() => {
                    self.emit(Class::Special, mov, to, &[source(value.wide, from, false)]);
                }
                _ => self.emit_const(bits, value.wide, slot),
            },
            Place::Compare(sem, x, y) => self.emit(Class::Set32, sem, to, &[x, y]),
        }
    }

    /// Writes a constant to a slot.
    pub fn emit_const(&mut self, bits: u64, wide: bool, slot: Slot) {
        let to = dst(wide, slot);
        let sem = if wide { Sem::Const64 } else { Sem::Const };
        let arg = match (imm16(bits, wide), wide) {
            (Some(imm), _) => Arg::Imm(imm),
            (None, false) => Arg::Imm32(bits as u32),
            (None, true) => Arg::Imm64(bits),
        };
        self.emit(Class::Special, sem, to, &[arg]);
    }

    /// Takes the top value off the stack as a source operand. Constants and comparisons are computed into
    /// its home first.
    pub fn pop_arg(&mut self) -> Arg {
        let value = self.pop();
        self.as_arg(value)
    }

    /// Takes the top value off the stack like [`Self::pop_arg`], but a constant that fits becomes an immediate.
    pub fn pop_arg_imm(&mut self) -> Arg {
        let value = self.pop();
        if let Place::Const(bits) = value.place {
            if let Some(imm) = imm16(bits, value.wide) {
                return Arg::Imm(imm);
            }
        }
        self.as_arg(value)
    }

    /// Returns a popped value as a source operand.
    pub fn as_arg(&mut self, value: Value) -> Arg {
        match value.place {
            Place::Local(slot) | Place::Fixed(slot) => source(value.wide, slot, false),
            Place::Temp(slot) => source(value.wide, slot, true),
            Place::Const(bits) => {
                if let Some(slot) = self.pooled(bits, value.wide) {
                    return source(value.wide, slot, false);
                }
                self.vacate(value.home, value.slots(), self.stack.len());
                self.move_to(value, value.home);
                source(value.wide, value.home, true)
            }
            Place::Compare(..) => {
                self.vacate(value.home, value.slots(), self.stack.len());
                self.move_to(value, value.home);
                source(value.wide, value.home, true)
            }
        }
    }

    /// Moves values that still refer to a local to their homes, before it is written.
    pub fn keep_local(&mut self, slot: Slot, slots: u32) {
        for index in self.settled..self.stack.len() {
            let value = self.stack[index];
            let refers = match value.place {
                Place::Temp(_) => false,
                _ => value.lies_in(slot, slots),
            };
            if refers {
                self.settle(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use wasmparser::{BlockType, Operator};

    use crate::error::CompileError;
    use crate::function::Function;
    use crate::module::Module;
    use crate::prescan::Prescan;

    /// Translates operators that no validator has seen, at the offsets 1, 2 and so on.
    fn translated(operators: &[Operator<'_>]) -> Result<(), CompileError> {
        let module = Module::default();
        let mut function = Function::new(&module, &[], &[], &[], &Prescan::default(), 0);
        for (operator, offset) in operators.iter().zip(1..) {
            function.offset = offset;
            function.operator(operator);
            function.check()?;
        }
        Ok(())
    }

    #[test]
    fn a_broken_invariant_is_an_error_with_its_place() {
        let number = || Operator::I32Const { value: 1 };
        assert_eq!(translated(&[number(), Operator::Drop, Operator::End]), Ok(()));
        for (operators, what, place) in [
            (&[Operator::Drop, Operator::End][..], "the operand stack is empty", 1),
            (&[number(), Operator::I32Add, Operator::Drop], "the operand stack is empty", 2),
            (&[Operator::End, Operator::End], "an `end` outside of all blocks", 2),
            (&[Operator::End, Operator::Else], "an `else` outside of all blocks", 2),
            (&[Operator::Br { relative_depth: 3 }], "a branch out of the function", 1),
            (&[Operator::If { blockty: BlockType::Empty }], "the operand stack is empty", 1),
        ] {
            let error = translated(operators).unwrap_err();
            assert_eq!(error.offset, place, "{operators:?}");
            let words =
                "internal error of the compiler: ".to_string() + what + "; please report this module (at offset";
            assert!(error.to_string().starts_with(&words), "{error}");
        }
    }
}

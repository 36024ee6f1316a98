// SPDX-License-Identifier: Apache-2.0
//! State of the translation of one function: frame, labels, emission. `ops.rs` translates the operators,
//! `control.rs` blocks, branches and calls, `stack.rs` moves values.

use alloc::vec::Vec;

use wisp_image::format::{ValType, FRAME_HEADER_SLOTS};
use wisp_image::ops::{Class, Sem};

use crate::error::CompileError;
use crate::inst::{Arg, Dst, Inst, Item, Label, Slot, ARGS};
use crate::module::Module;
use crate::prescan::Prescan;
use crate::stack::Value;

/// A block that is open.
pub struct Frame {
    /// Kind of the operator that opened it.
    pub kind: FrameKind,
    /// Target of a branch to it.
    pub label: Label,
    /// Number of values on the stack below its parameters.
    pub height: usize,
    /// Home of its first parameter or result.
    pub home: Slot,
    /// Widths of the parameters.
    pub params: Vec<bool>,
    /// Widths of the results.
    pub results: Vec<bool>,
    /// A branch goes to the label, or control reaches the end.
    pub reached: bool,
    /// The block began in unreachable code: nothing is emitted for it.
    pub dead: bool,
}

/// The kind of the operator that opened a block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// The function itself: a branch to it returns.
    Function,
    /// `block`, or `if` after its `else`.
    Block,
    /// `loop`: a branch goes to its start.
    Loop,
    /// `if` before an `else`. It holds the label of the `else` part.
    If(Label),
}

/// A function being translated.
pub struct Function<'m> {
    pub(crate) module: &'m Module<'m>,
    pub(crate) items: Vec<Item>,
    pub(crate) targets: Vec<Vec<Label>>,
    pub(crate) stack: Vec<Value>,
    /// Number of values at the bottom of the stack that no op moves any more: constants, and those in their homes.
    pub(crate) settled: usize,
    pub(crate) frames: Vec<Frame>,
    /// (slot, wide) of each local.
    pub(crate) locals: Vec<(Slot, bool)>,
    /// First slot of the operand stack.
    pub(crate) temps: Slot,
    /// Constants that live in slots: (bits, wide, slot).
    pool: Vec<(u64, bool, Slot)>,
    /// Slots of the frame.
    size: u32,
    labels: Label,
    /// The code emitted next cannot be reached.
    pub(crate) dead: bool,
    /// Compile for a debugger.
    pub(crate) debug: bool,
    /// Offset of the current operator in the module.
    pub(crate) offset: u32,
    /// The first invariant of the compiler that did not hold.
    broken: Option<CompileError>,
}

fn wide(ty: ValType) -> bool {
    ty.slots() == 2
}

impl<'m> Function<'m> {
    /// Begins a function with these parameters, results and further locals.
    pub fn new(
        module: &'m Module<'m>,
        params: &[ValType],
        results: &[ValType],
        locals: &[ValType],
        scan: &Prescan,
        offset: u32,
    ) -> Self {
        let mut places = Vec::with_capacity(params.len() + locals.len());
        let mut slot = 0;
        for &ty in params {
            places.push((slot, wide(ty)));
            slot += ty.slots() as Slot;
        }
        // locals that must be cleared come first, so that one range covers them
        places.resize(params.len() + locals.len(), (0, false));
        let first_cleared = slot;
        let mut cleared = 0;
        for pass in [true, false] {
            for (index, &ty) in locals.iter().enumerate() {
                let local = params.len() + index;
                if scan.is_used(local) && scan.needs_clearing(local) == pass {
                    places[local] = (slot, wide(ty));
                    slot += ty.slots() as Slot;
                }
            }
            if pass {
                cleared = slot - first_cleared;
            }
        }
        let mut pool = Vec::new();
        for &(bits, is_wide) in &scan.constants {
            pool.push((bits, is_wide, slot));
            slot += 1 + u32::from(is_wide);
        }
        let widths = |types: &[ValType]| types.iter().map(|&ty| wide(ty)).collect::<Vec<_>>();
        let result_slots = results.iter().map(|ty| ty.slots()).sum::<usize>() as u32;
        let mut function = Self {
            module,
            items: Vec::new(),
            targets: Vec::new(),
            stack: Vec::new(),
            settled: 0,
            frames: Vec::new(),
            locals: places,
            temps: slot,
            pool: Vec::new(),
            size: slot.max(result_slots).max(2),
            labels: 0,
            dead: false,
            debug: false,
            offset,
            broken: None,
        };
        let label = function.label();
        function.frames.push(Frame {
            kind: FrameKind::Function,
            label,
            height: 0,
            home: slot,
            params: Vec::new(),
            results: widths(results),
            reached: false,
            dead: false,
        });
        let enter: &[Arg] =
            if cleared > 0 { &[Arg::FrameSize, Arg::Zero(first_cleared, cleared)] } else { &[Arg::FrameSize] };
        function.emit(Class::Special, Sem::Enter, Dst::None, enter);
        for &(bits, is_wide, slot) in &pool {
            function.emit_const(bits, is_wide, slot);
        }
        function.pool = pool;
        function
    }

    /// Notes that an invariant of the compiler does not hold: no image results.
    pub fn broken(&mut self, what: &'static str) {
        if self.broken.is_none() {
            self.broken = Some(CompileError::internal(what, self.offset));
        }
    }

    /// Checks that all invariants held.
    ///
    /// # Errors
    /// The first that did not, with the offset of the operator.
    pub fn check(&self) -> Result<(), CompileError> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// Returns the number of slots of the frame.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Makes the frame reach up to this slot.
    pub fn touch(&mut self, end: Slot) {
        self.size = self.size.max(end);
    }

    /// Returns the slot that holds this constant throughout the function.
    pub fn pooled(&self, bits: u64, is_wide: bool) -> Option<Slot> {
        self.pool.iter().find(|&&(b, w, _)| b == bits && w == is_wide).map(|&(_, _, slot)| slot)
    }

    /// Returns a new label.
    pub fn label(&mut self) -> Label {
        self.labels += 1;
        self.labels
    }

    /// Puts a label here.
    pub fn place(&mut self, label: Label) {
        self.items.push(Item::Label(label));
    }

    /// Marks where the current operator begins, in code for a debugger: there the guest can stop, with all locals in
    /// their slots.
    pub fn step(&mut self) {
        if self.debug && !self.dead {
            self.special(Sem::Mov, Dst::Narrow(0), &[Arg::Narrow { slot: 0, dies: false }]);
        }
    }

    /// Appends an instruction.
    pub fn emit(&mut self, class: Class, sem: Sem, dst: Dst, operands: &[Arg]) {
        let mut args = [Arg::None; ARGS];
        args[..operands.len()].copy_from_slice(operands);
        self.items.push(Item::Inst(Inst { class, sem, dst, args, offset: self.offset }));
    }

    /// Appends an instruction of the class [`Class::Special`].
    pub fn special(&mut self, sem: Sem, dst: Dst, operands: &[Arg]) {
        self.emit(Class::Special, sem, dst, operands);
    }

    /// Lets the instruction that computed `from` write `to` instead, if between it and here nothing touches either.
    /// Returns true if that could be done. Otherwise the value has not moved.
    pub fn retarget(&mut self, from: Slot, to: Slot, is_wide: bool) -> bool {
        /// Number of instructions to look back: arguments are computed shortly before the call.
        const WINDOW: usize = 24;
        if self.debug {
            return false;
        }
        let count = 1 + u32::from(is_wide);
        let header = FRAME_HEADER_SLOTS as u32;
        for index in (self.items.len().saturating_sub(WINDOW)..self.items.len()).rev() {
            let Item::Inst(inst) = self.items[index] else { return false };
            let wanted = crate::stack::dst(is_wide, from);
            if inst.dst == wanted {
                let changed = Inst { dst: crate::stack::dst(is_wide, to), ..inst };
                self.items[index] = Item::Inst(changed);
                self.touch(to + count);
                return true;
            }
            // the path that leaves here may want the value where it was
            if inst.class == Class::Br32 || matches!(inst.sem, Sem::Br | Sem::BrTable) {
                return false;
            }
            let (slot, slots) = inst.writes();
            let touches = |first| crate::inst::overlap(slot, slots, first, count) || inst.reads(first, count);
            // a call destroys its frame, and the two slots of its header below
            let destroyed = inst.clobbers_from().is_some_and(|first| first < to + count + header);
            if touches(from) || touches(to) || destroyed {
                return false;
            }
        }
        false
    }
}

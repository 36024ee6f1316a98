// SPDX-License-Identifier: Apache-2.0
//! Which slots live in registers: those that a function names most often. Names in a loop count more.

use wisp_image::ops::Operand;

use crate::decode::{Code, Ops, Part};
use crate::isa::Reg;
use crate::Unfit;

/// The largest number of slots that any instruction set keeps in registers.
pub const MOST: usize = 12;
/// A count that says that the slot is half of a 64-bit value, which lives in memory.
const PAIR: u32 = u32::MAX;

/// The slots that live in registers.
#[derive(Clone, Copy, Default)]
pub struct Pins {
    /// Byte offset of each, in the order of the registers.
    slots: [u16; MOST],
    registers: &'static [Reg],
    count: usize,
}

impl Pins {
    /// Chooses the slots of a function whose frame has this many bytes. `params` are slots that its caller writes.
    ///
    /// # Errors
    /// [`Unfit::Scratch`].
    pub fn choose(
        code: Code<'_>,
        frame: u32,
        params: u32,
        registers: &'static [Reg],
        scratch: &mut [u32],
    ) -> Result<Self, Unfit> {
        let (mut counts, _) = Counts::new(frame, scratch)?;
        let mut ops = Ops::new(code, code.start);
        counts.weigh(Loops::find(code));
        let mut part = Part::NONE;
        while ops.survey(&mut part, &mut counts).is_some() {}
        Ok(counts.choose(params, registers))
    }

    /// Returns the register in which a slot lives.
    pub fn get(&self, slot: u32) -> Option<Reg> {
        let pinned = self.slots.get(..self.count)?.iter().position(|&pinned| u32::from(pinned) == slot)?;
        self.registers.get(pinned).copied()
    }

    /// Returns the slots and their registers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, Reg)> + Clone + '_ {
        self.slots.iter().zip(self.registers).take(self.count).map(|(&slot, &register)| (u32::from(slot), register))
    }

    /// Returns the registers in use, a bit for each.
    pub fn mask(&self) -> u32 {
        self.iter().fold(0, |mask, (_, register)| mask | 1 << register.0)
    }
}

/// The largest number of loops that count: those whose ends come first.
const LOOPS: usize = 16;

/// The loops of a function.
pub struct Loops {
    /// The byte offsets of the first op of each, and behind the last op that branches there.
    spans: [(u32, u32); LOOPS],
    count: usize,
}

impl Loops {
    const NONE: Self = Self { spans: [(0, 0); LOOPS], count: 0 };

    /// Finds the loops of a function.
    pub fn find(code: Code<'_>) -> Self {
        let mut loops = Self::NONE;
        let mut ops = Ops::new(code, code.start);
        let mut part = Part::NONE;
        while ops.next_back(&mut part) {
            let Some(head) = part.target().filter(|&target| target <= part.start) else { continue };
            let spans = &mut loops.spans;
            let known = spans.iter().take(loops.count).position(|&(first, _)| first == head);
            if let Some(span) = spans.get_mut(known.unwrap_or(loops.count)) {
                *span = (head, ops.at());
                loops.count += usize::from(known.is_none());
            }
        }
        loops
    }

    /// Returns how many times the names of an op count, which lies at a byte offset, and of those behind it up to another
    /// offset.
    fn weight(&self, at: u32) -> (u32, u32) {
        let (mut depth, mut until) = (0, u32::MAX);
        for &(head, end) in self.spans.iter().take(self.count) {
            let inside = head <= at && at < end;
            depth += u32::from(inside);
            let border = if inside { end } else { head };
            if border > at {
                until = until.min(border);
            }
        }
        (1 << (3 * depth.min(3)), until)
    }
}

/// Counts how often ops name each slot, in scratch memory.
pub struct Counts<'s> {
    counts: &'s mut [u32],
    loops: Loops,
    /// Times that a name counts, up to a byte offset.
    weight: u32,
    until: u32,
}

impl<'s> Counts<'s> {
    /// Begins with none. Returns the scratch memory that is left, too.
    ///
    /// # Errors
    /// [`Unfit::Scratch`].
    pub fn new(frame: u32, scratch: &'s mut [u32]) -> Result<(Self, &'s mut [u32]), Unfit> {
        let (counts, rest) = scratch.split_at_mut_checked(frame as usize / 4).ok_or(Unfit::Scratch)?;
        counts.fill(0);
        Ok((Self { counts, loops: Loops::NONE, weight: 1, until: 0 }, rest))
    }

    /// Lets names in loops count more.
    pub fn weigh(&mut self, loops: Loops) {
        self.loops = loops;
    }

    /// Begins with the names of the op at a byte offset. Offsets ascend.
    pub fn reach(&mut self, at: u32) {
        if at >= self.until {
            (self.weight, self.until) = self.loops.weight(at);
        }
    }

    /// Counts the slot of an operand.
    pub fn add(&mut self, kind: Operand, slot: u32) {
        let slot = slot as usize / 4;
        if matches!(kind, Operand::Dst64 | Operand::Slot64) {
            let halves = self.counts.get_mut(slot..);
            return halves.into_iter().flatten().take(2).for_each(|half| *half = PAIR);
        }
        if let Some(count) = self.counts.get_mut(slot).filter(|count| **count != PAIR) {
            // that of `DstFirst` is read and written
            *count = count.saturating_add(if kind == Operand::DstFirst { 2 * self.weight } else { self.weight });
        }
    }

    /// Chooses the slots that live in registers.
    pub fn choose(self, params: u32, registers: &'static [Reg]) -> Pins {
        let counts = self.counts;
        // a parameter is read from memory at the entry
        for slot in counts.iter_mut().take(params as usize).filter(|count| **count != PAIR) {
            *slot = slot.saturating_sub(1);
        }
        let mut pins = Pins { slots: [0; MOST], registers, count: 0 };
        while pins.count < registers.len().min(MOST) {
            // the first of those that are named most often
            let best =
                counts.iter().enumerate().filter(|(_, &count)| count != PAIR).max_by_key(|(n, &c)| (c, usize::MAX - n));
            // saving and restoring a register costs two instructions
            let Some((slot, _)) = best.filter(|(_, &count)| count > 2) else { break };
            counts[slot] = 0;
            pins.slots[pins.count] = slot as u16 * 4;
            pins.count += 1;
        }
        pins
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Which slots live in registers: those that a function names most often.

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
        while let Some(part) = ops.next() {
            counts.add(&part);
        }
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

/// Counts how often ops name each slot, in scratch memory.
pub struct Counts<'s> {
    counts: &'s mut [u32],
}

impl<'s> Counts<'s> {
    /// Begins with none. Returns the scratch memory that is left, too.
    ///
    /// # Errors
    /// [`Unfit::Scratch`].
    pub fn new(frame: u32, scratch: &'s mut [u32]) -> Result<(Self, &'s mut [u32]), Unfit> {
        let (counts, rest) = scratch.split_at_mut_checked(frame as usize / 4).ok_or(Unfit::Scratch)?;
        counts.fill(0);
        Ok((Self { counts }, rest))
    }

    /// Counts the slots of an op.
    pub fn add(&mut self, part: &Part) {
        for (kind, &slot) in part.kinds.iter().zip(&part.values).take(part.count) {
            match kind {
                Operand::Dst | Operand::Slot => self.name(slot, 1),
                Operand::DstFirst => self.name(slot, 2),
                Operand::Dst64 | Operand::Slot64 => {
                    let slot = slot as usize / 4;
                    self.counts.iter_mut().skip(slot).take(2).for_each(|half| *half = PAIR);
                }
                _ => {}
            }
        }
    }

    fn name(&mut self, slot: u32, times: u32) {
        if let Some(count) = self.counts.get_mut(slot as usize / 4).filter(|count| **count != PAIR) {
            *count = count.saturating_add(times);
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

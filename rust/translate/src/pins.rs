// SPDX-License-Identifier: Apache-2.0
//! Which slots live in registers: those that a function names most often.

use wisp_image::ops::Operand;

use crate::decode::{Code, Ops};
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
        let counts = scratch.get_mut(..frame as usize / 4).ok_or(Unfit::Scratch)?;
        count(code, params, counts);
        let mut pins = Self { slots: [0; MOST], registers, count: 0 };
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
        Ok(pins)
    }

    /// Returns the register in which a slot lives.
    pub fn get(&self, slot: u32) -> Option<Reg> {
        self.iter().find(|&(pinned, _)| pinned == slot).map(|(_, register)| register)
    }

    /// The slots and their registers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, Reg)> + Clone + '_ {
        self.slots.iter().zip(self.registers).take(self.count).map(|(&slot, &register)| (u32::from(slot), register))
    }

    /// Returns the registers in use, a bit for each.
    pub fn mask(&self) -> u32 {
        self.iter().fold(0, |mask, (_, register)| mask | 1 << register.0)
    }
}

/// Counts how often ops name each slot.
fn count(code: Code<'_>, params: u32, counts: &mut [u32]) {
    counts.fill(0);
    let mut add = |slot: u32, pair: bool| {
        let slot = slot as usize / 4;
        for half in counts.iter_mut().skip(slot).take(1 + usize::from(pair)) {
            *half = if pair { PAIR } else { half.saturating_add(u32::from(*half != PAIR)) };
        }
    };
    let mut ops = Ops::new(code, code.start);
    while let Some(part) = ops.next() {
        for (kind, value) in part.kinds.iter().zip(part.values) {
            match kind {
                Operand::D | Operand::S => add(value, false),
                Operand::M => {
                    add(value, false);
                    add(value, false);
                }
                Operand::E | Operand::T => add(value, true),
                _ => {}
            }
        }
    }
    // a parameter is read from memory at the entry
    for slot in counts.iter_mut().take(params as usize).filter(|count| **count != PAIR) {
        *slot = slot.saturating_sub(1);
    }
}

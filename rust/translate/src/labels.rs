// SPDX-License-Identifier: Apache-2.0
//! Branch targets of a function, and where their code lies.
//!
//! Scratch memory: a bit for each word of the IR, a halfword for each 32 of these bits, and eight bytes for each target.

use core::cell::Cell;

use crate::decode::{Code, Ops};
use crate::Unfit;

/// The targets of a function, in scratch memory.
pub struct Labels<'s> {
    start: u32,
    bits: &'s [u32],
    /// Number of targets before each word of bits.
    ranks: &'s [u32],
    /// For each target where its code begins at most, and where it begins.
    places: &'s [Cell<u32>],
}

impl<'s> Labels<'s> {
    /// Finds the targets of a function.
    ///
    /// # Errors
    /// [`Unfit::Scratch`].
    pub fn find(code: Code<'_>, scratch: &'s mut [u32]) -> Result<Self, Unfit> {
        let words = ((code.end - code.start) as usize / 2).div_ceil(32);
        let (bits, rest) = scratch.split_at_mut_checked(words).ok_or(Unfit::Scratch)?;
        let (ranks, rest) = rest.split_at_mut_checked(words).ok_or(Unfit::Scratch)?;
        bits.fill(0);
        let mut mark = |target: u32| {
            let word = target.wrapping_sub(code.start) / 2;
            if let Some(bits) = bits.get_mut(word as usize / 32) {
                *bits |= 1 << (word % 32);
            }
        };
        let mut ops = Ops::new(code, code.start);
        while let Some(part) = ops.next() {
            if let Some(target) = part.target() {
                mark(target);
            }
            if part.table != 0 {
                for entry in 0..=part.value(1) {
                    mark(part.start + u32::from(code.word(part.table + 2 * entry)));
                }
            }
        }
        let mut count = 0;
        for (rank, bits) in ranks.iter_mut().zip(&*bits) {
            *rank = count;
            count += bits.count_ones();
        }
        let places = rest.get_mut(..2 * count as usize).ok_or(Unfit::Scratch)?;
        places.fill(0);
        let places = Cell::from_mut(places).as_slice_of_cells();
        Ok(Self { start: code.start, bits, ranks, places })
    }

    /// Returns the number of the target at this byte offset, if it is one.
    pub fn index(&self, at: u32) -> Option<usize> {
        let word = at.wrapping_sub(self.start) / 2;
        let bits = *self.bits.get(word as usize / 32)?;
        let below = (1u32 << (word % 32)) - 1;
        let rank = self.ranks.get(word as usize / 32)? + (bits & below).count_ones();
        (bits >> (word % 32) & 1 == 1).then_some(rank as usize)
    }

    /// Returns the estimate and the exact place of a target's code, from the start of the function.
    pub fn places(&self, at: u32) -> (u32, u32) {
        let index = self.index(at).unwrap_or(0);
        let place = |n| self.places.get(n).map_or(0, Cell::get);
        (place(2 * index), place(2 * index + 1))
    }

    /// Notes where the code of a target begins: exactly, or at most.
    pub fn bind(&self, index: usize, place: u32, exact: bool) {
        if let Some(entry) = self.places.get(2 * index + usize::from(exact)) {
            entry.set(place);
        }
    }
}

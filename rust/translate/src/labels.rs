// SPDX-License-Identifier: Apache-2.0
//! Branch targets of a function, and where their code lies.
//!
//! Scratch memory: a bit for each word of the IR, a halfword for each 32 of these bits, and eight bytes for each target.

use core::cell::Cell;

use crate::decode::{Code, Part};
use crate::Unfit;

/// The targets of a function, in scratch memory.
pub struct Labels<'s> {
    start: u32,
    bits: &'s [u32],
    /// Number of targets before each word of bits.
    ranks: &'s [u32],
    /// For each target where its code begins at most, and where it begins. Until that is known, the last place that all
    /// branches to it reach, or 0.
    places: &'s [Cell<u32>],
    /// There are branches ahead.
    pub ahead: bool,
}

/// The targets of a function while they are found.
pub struct Marks<'s> {
    start: u32,
    bits: &'s mut [u32],
    ranks: &'s mut [u32],
    rest: &'s mut [u32],
    ahead: bool,
}

impl<'s> Marks<'s> {
    /// Begins with none.
    ///
    /// # Errors
    /// [`Unfit::Scratch`].
    pub fn new(code: Code<'_>, scratch: &'s mut [u32]) -> Result<Self, Unfit> {
        let words = ((code.end - code.start) as usize / 2).div_ceil(32);
        let (bits, rest) = scratch.split_at_mut_checked(words).ok_or(Unfit::Scratch)?;
        let (ranks, rest) = rest.split_at_mut_checked(words).ok_or(Unfit::Scratch)?;
        bits.fill(0);
        Ok(Self { start: code.start, bits, ranks, rest, ahead: false })
    }

    /// Marks the targets of an op.
    pub fn add(&mut self, code: Code<'_>, part: &Part) {
        if let Some(target) = part.target() {
            self.mark(part.start, target);
        }
        if part.table != 0 {
            for entry in 0..=part.value(1) {
                self.mark(part.start, part.start + u32::from(code.word(part.table + 2 * entry)));
            }
        }
    }

    fn mark(&mut self, from: u32, target: u32) {
        self.ahead |= target > from;
        let word = target.wrapping_sub(self.start) / 2;
        if let Some(bits) = self.bits.get_mut(word as usize / 32) {
            *bits |= 1 << (word % 32);
        }
    }

    /// Numbers the targets.
    ///
    /// # Errors
    /// [`Unfit::Scratch`].
    pub fn labels(self) -> Result<Labels<'s>, Unfit> {
        let mut count = 0;
        for (rank, bits) in self.ranks.iter_mut().zip(&*self.bits) {
            *rank = count;
            count += bits.count_ones();
        }
        let places = self.rest.get_mut(..2 * count as usize).ok_or(Unfit::Scratch)?;
        places.fill(0);
        let places = Cell::from_mut(places).as_slice_of_cells();
        Ok(Labels { start: self.start, bits: self.bits, ranks: self.ranks, places, ahead: self.ahead })
    }
}

impl Labels<'_> {
    /// Returns the number of the target at this byte offset, if it is one.
    pub fn index(&self, at: u32) -> Option<usize> {
        let word = at.wrapping_sub(self.start) / 2;
        let bits = *self.bits.get(word as usize / 32)?;
        if bits >> (word % 32) & 1 == 0 {
            return None;
        }
        let below = (1u32 << (word % 32)) - 1;
        let rank = self.ranks.get(word as usize / 32)? + (bits & below).count_ones();
        Some(rank as usize)
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

    /// Notes the last place at which a branch reaches a target that lies ahead.
    pub fn limit(&self, at: u32, last: u32) {
        let entry = self.index(at).and_then(|index| self.places.get(2 * index + 1));
        if let Some(entry) = entry.filter(|entry| entry.get() == 0 || entry.get() > last) {
            entry.set(last);
        }
    }

    /// Returns true if all branches to a target reach its code, which begins at `place`, and is not bound yet.
    pub fn reached(&self, index: usize, place: u32) -> bool {
        let last = self.places.get(2 * index + 1).map_or(0, Cell::get);
        last == 0 || place <= last
    }
}

#[cfg(test)]
mod tests {
    use super::Marks;
    use crate::decode::Code;

    #[test]
    fn a_target_is_reached_if_its_code_begins_no_later_than_every_branch_to_it_allows() {
        let mut scratch = [7; 16];
        let code = Code { section: &[], start: 100, end: 200 };
        let mut marks = Marks::new(code, &mut scratch).expect("there is room");
        marks.mark(150, 110);
        assert!(!marks.ahead);
        marks.mark(150, 180);
        assert!(marks.ahead);
        let labels = marks.labels().expect("there is room");
        assert_eq!([108, 110, 180, 182].map(|at| labels.index(at)), [None, Some(0), Some(1), None]);
        assert!(labels.reached(1, 1000), "no branch to it is short");
        for (last, most) in [(300, 300), (280, 280), (400, 280)] {
            labels.limit(180, last);
            assert!(labels.reached(1, most) && !labels.reached(1, most + 1), "{last}");
        }
        labels.bind(1, 250, true);
        assert_eq!(labels.places(180), (0, 250));
    }
}

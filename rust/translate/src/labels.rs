// SPDX-License-Identifier: Apache-2.0
//! Branch targets of a function, and where their code lies.
//!
//! Scratch memory: a bit for each word of the IR, a word for each 32 of these bits, a word for each target, and a word for
//! each branch ahead.

use core::cell::Cell;

use crate::decode::{Code, Part};
use crate::Unfit;

/// The form of an instruction that goes to a target ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// A branch with the short reach of one without a condition.
    Short,
    /// A branch with the short reach of one with a condition.
    ShortIf,
    /// A branch that reaches everything.
    Long,
    /// A table of branches begins here. In place of a target it has the number of its entries, which follow.
    Table,
}

/// A branch ahead, or an entry of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Branch {
    /// Its offset from the start of the function's code.
    pub at: u32,
    /// Its form.
    pub form: Form,
    /// The number of its target.
    pub target: u32,
}

impl Branch {
    /// Bytes of a function's code. Long branches reach everything in it.
    pub const REACH: u32 = 1 << 18;

    /// Returns the branch as a word. `None` if it lies too far, or its target has too high a number.
    fn pack(self) -> Option<u32> {
        (self.at < Self::REACH && self.target < 1 << 13)
            .then_some((self.at / 2) | (self.form as u32) << 17 | self.target << 19)
    }

    fn unpack(word: u32) -> Self {
        let form = [Form::Short, Form::ShortIf, Form::Long, Form::Table][word as usize >> 17 & 3];
        Self { at: word % (1 << 17) * 2, form, target: word >> 19 }
    }
}

/// The targets of a function, in scratch memory.
pub struct Labels<'s> {
    start: u32,
    bits: &'s [u32],
    /// Number of targets before each word of bits.
    ranks: &'s [u32],
    /// The place of each target's code. Until that is known, the last place that it may have, or 0.
    places: &'s [Cell<u32>],
    /// Branches ahead, in the order in which they are written.
    branches: &'s [Cell<u32>],
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
        let (places, branches) = self.rest.split_at_mut_checked(count as usize).ok_or(Unfit::Scratch)?;
        places.fill(0);
        let (places, branches) = (Cell::from_mut(places), Cell::from_mut(branches));
        let (places, branches) = (places.as_slice_of_cells(), branches.as_slice_of_cells());
        Ok(Labels { start: self.start, bits: self.bits, ranks: self.ranks, places, branches, ahead: self.ahead })
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

    /// Returns the byte offset of the first target from an offset on, or one behind all.
    pub fn next(&self, at: u32) -> u32 {
        let word = at.wrapping_sub(self.start) / 2;
        let mut index = word as usize / 32;
        let mut mask = u32::MAX << (word % 32);
        while let Some(&bits) = self.bits.get(index) {
            let bits = bits & mask;
            if bits != 0 {
                return self.start + 2 * (index as u32 * 32 + bits.trailing_zeros());
            }
            (index, mask) = (index + 1, u32::MAX);
        }
        u32::MAX
    }

    /// Returns where a target's code begins, or before that is known, where it does at most.
    pub fn place(&self, index: usize) -> u32 {
        self.places.get(index).map_or(0, Cell::get)
    }

    /// Notes where the code of a target begins.
    pub fn bind(&self, index: usize, place: u32) {
        if let Some(entry) = self.places.get(index) {
            entry.set(place);
        }
    }

    /// Notes a branch ahead, the `n`th that is written.
    ///
    /// # Errors
    /// The branch lies too far in the function, or the function has too many targets or branches.
    pub fn note(&self, n: usize, branch: Branch) -> Result<(), Unfit> {
        let entry = self.branches.get(n).ok_or(Unfit::Scratch)?;
        entry.set(branch.pack().ok_or(Unfit::Reach)?);
        Ok(())
    }

    /// Returns the branches that were noted, of which there are `count`.
    pub fn branches(&self, count: usize) -> impl Iterator<Item = Branch> + '_ {
        self.branches.iter().take(count).map(|entry| Branch::unpack(entry.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Branch, Form, Marks};
    use crate::decode::Code;
    use crate::Unfit;

    #[test]
    fn targets_are_numbered_in_their_order_and_have_places() {
        let mut scratch = [7; 16];
        let code = Code { section: &[], start: 100, end: 200 };
        let mut marks = Marks::new(code, &mut scratch).expect("there is room");
        marks.mark(150, 110);
        assert!(!marks.ahead);
        marks.mark(150, 180);
        assert!(marks.ahead);
        let labels = marks.labels().expect("there is room");
        assert_eq!([108, 110, 180, 182].map(|at| labels.index(at)), [None, Some(0), Some(1), None]);
        assert_eq!([100, 110, 112, 180, 182].map(|at| labels.next(at)), [110, 110, 180, 180, u32::MAX]);
        labels.bind(1, 250);
        assert_eq!([labels.place(0), labels.place(1)], [0, 250]);
    }

    #[test]
    fn a_branch_ahead_is_noted_unless_it_lies_too_far_or_its_target_has_too_high_a_number() {
        let mut scratch = [7; 16];
        let marks = Marks::new(Code { section: &[], start: 100, end: 200 }, &mut scratch).expect("there is room");
        let labels = marks.labels().expect("there is room");
        let forms = [Form::Short, Form::ShortIf, Form::Long, Form::Table];
        let last = |form| Branch { at: Branch::REACH - 2, form, target: (1 << 13) - 1 };
        for (n, form) in forms.into_iter().enumerate() {
            assert_eq!(labels.note(n, last(form)), Ok(()));
        }
        assert!(labels.branches(4).eq(forms.map(last)));
        let far = Branch { at: Branch::REACH, ..last(Form::Long) };
        assert_eq!(labels.note(4, far), Err(Unfit::Reach));
        assert_eq!(labels.note(4, Branch { target: 1 << 13, ..last(Form::Long) }), Err(Unfit::Reach));
        assert_eq!(labels.note(12, last(Form::Long)), Err(Unfit::Scratch), "four words are bits and ranks");
    }
}

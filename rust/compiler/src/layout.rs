// SPDX-License-Identifier: Apache-2.0
//! Where everything of a function lies, and with which op each instruction is encoded.
//!
//! Layout and choice of ops depend on each other: a branch or call that spans more than its short form can say
//! takes a longer one, which no sequence has, so that ops are chosen again and more spans may get too long. So
//! both are repeated until all spans fit. It ends because what is far stays far. After
//! [`EXACT_ROUNDS`] everything counts as far that could still come out of reach, which makes the next round the last.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use wisp_image::ops::{Class, Sem};

use crate::error::CompileError;
use crate::fuse::{choose, Chosen};
use crate::inst::{inverse, Arg, Dst, Inst, Item, Label, Reach, ARGS};

/// Rounds in which only what does not reach becomes far.
const EXACT_ROUNDS: u32 = 6;
/// By how much code can grow at most when all in it becomes far: an entry of a table of two bytes gets six more.
const GROWTH: u32 = 5;
/// Bytes that a branch reaches in its short form.
const BRANCH: u32 = u16::MAX as u32;
/// Bytes that a call reaches in its short form, either way: a signed word that counts units of two bytes.
const CALL: u32 = i16::MAX as u32 * 2;

/// Returns the number of bytes that short forms are taken to reach in a round. `bytes` is their true reach.
fn reach_in(round: u32, bytes: u32) -> u32 {
    if round < EXACT_ROUNDS {
        bytes
    } else {
        bytes / GROWTH
    }
}

/// A function's instructions, and how they are laid out.
pub struct Layout {
    items: Vec<Item>,
    targets: Vec<Vec<Label>>,
    /// By item: the reach of its branch or call.
    reach: Vec<Reach>,
    /// By item: the op that begins with it.
    ops: Vec<Chosen>,
    /// By item: byte offset of the op that it belongs to.
    at: Vec<u32>,
    /// By label: index of its item.
    order: Vec<usize>,
    /// By label: byte offset.
    places: Vec<u32>,
    /// By label: it marks an island, a far branch behind a table in place of a target out of its reach.
    is_island: Vec<bool>,
    /// Neighbouring instructions may become one op.
    joins: bool,
    /// Bytes of the code.
    size: u32,
    round: u32,
}

impl Layout {
    /// Lays out a function. Without `joins`, each instruction is an op of its own.
    ///
    /// # Errors
    /// An instruction that the op table does not have, which would be an error of the compiler.
    pub fn new(items: Vec<Item>, targets: Vec<Vec<Label>>, joins: bool) -> Result<Self, CompileError> {
        let mut layout = Self {
            items,
            targets,
            reach: Vec::new(),
            ops: Vec::new(),
            at: Vec::new(),
            order: Vec::new(),
            places: Vec::new(),
            is_island: Vec::new(),
            joins,
            size: 0,
            round: 0,
        };
        layout.reach = vec![Reach::Forward; layout.items.len()];
        layout.settle()?;
        Ok(layout)
    }

    /// Returns the number of bytes of the code.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Returns the instructions and labels.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Returns the places where a guest can stop for a debugger: (byte offset, offset in the wasm module).
    pub fn steps(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.items.iter().zip(&self.at).filter_map(|(item, &at)| match item {
            Item::Inst(inst) if inst.is_step() => Some((at, inst.offset)),
            _ => None,
        })
    }

    /// Returns the op that begins with this item.
    pub fn op(&self, item: usize) -> Chosen {
        self.ops[item]
    }

    /// Returns the byte offset of the op that this item belongs to.
    pub fn at(&self, item: usize) -> u32 {
        self.at[item]
    }

    /// Returns the reach of this item's branch or call.
    pub fn reach(&self, item: usize) -> Reach {
        self.reach[item]
    }

    /// Returns the byte offset of a label.
    pub fn place_of(&self, label: Label) -> u32 {
        self.places[label as usize]
    }

    /// Returns the entries of a table, the default last.
    pub fn targets(&self, list: u32) -> &[Label] {
        &self.targets[list as usize]
    }

    /// Returns the calls of functions of the module in their short form, by the indices of their items.
    pub fn near_calls(&self) -> Vec<usize> {
        let near = |&index: &usize| self.reach[index] != Reach::Far && self.callee(index).is_some();
        (0..self.items.len()).filter(near).collect()
    }

    /// Returns the function of the module that this item calls.
    pub fn callee(&self, item: usize) -> Option<u32> {
        match &self.items[item] {
            Item::Inst(inst) => inst.callee(),
            Item::Label(_) => None,
        }
    }

    /// Returns true if a call over this distance has to be far in this round of the layout of the module.
    pub fn beyond(round: u32, distance: i64) -> bool {
        distance.unsigned_abs() > u64::from(reach_in(round, CALL))
    }

    /// Gives these calls, by the indices of their items, the form that reaches everywhere.
    ///
    /// # Errors
    /// The same as for [`Self::new`].
    pub fn make_far(&mut self, calls: &[usize]) -> Result<(), CompileError> {
        for &item in calls {
            self.reach[item] = Reach::Far;
        }
        self.settle()
    }

    /// Chooses and places until everything reaches.
    fn settle(&mut self) -> Result<(), CompileError> {
        loop {
            self.number()?;
            self.ops = choose(&self.items, &self.reach, self.joins)?;
            self.place();
            if !self.extend()? {
                return Ok(());
            }
            self.round += 1;
        }
    }

    /// Finds the labels and which branches go back.
    fn number(&mut self) -> Result<(), CompileError> {
        self.order.clear();
        for (index, item) in self.items.iter().enumerate() {
            if let Item::Label(label) = *item {
                let label = label as usize;
                if label >= self.order.len() {
                    self.order.resize(label + 1, usize::MAX);
                }
                self.order[label] = index;
            }
        }
        let missing = |inst: &Inst| CompileError::internal("a label that nothing places", inst.offset);
        for (index, item) in self.items.iter().enumerate() {
            let Item::Inst(inst) = item else { continue };
            if let Some(label) = inst.label() {
                let place = self.order.get(label as usize).copied().filter(|&place| place != usize::MAX);
                let back = place.ok_or_else(|| missing(inst))? < index;
                if self.reach[index] != Reach::Far {
                    self.reach[index] = if back { Reach::Backward } else { Reach::Forward };
                }
            }
            if let Some(list) = inst.targets() {
                let ahead =
                    |&label: &Label| self.order.get(label as usize).is_some_and(|&at| at != usize::MAX && at > index);
                if !self.targets[list].iter().all(ahead) {
                    return Err(CompileError::internal("a table with an entry that goes back", inst.offset));
                }
            }
        }
        Ok(())
    }

    /// Computes offsets.
    fn place(&mut self) {
        self.at.clear();
        self.places.clear();
        self.places.resize(self.order.len(), 0);
        let (mut offset, mut start) = (0, 0);
        for (index, item) in self.items.iter().enumerate() {
            match item {
                Item::Label(label) => {
                    self.places[*label as usize] = offset;
                    self.at.push(offset);
                }
                Item::Inst(inst) => {
                    let first = self.ops[index].parts > 0;
                    if first {
                        start = offset;
                    }
                    // all of a sequence is at its start
                    self.at.push(start);
                    let mut words = usize::from(first) + inst.operand_words(self.reach[index]);
                    if let Some(list) = inst.targets() {
                        words += self.targets[list].len();
                    }
                    offset += 2 * words as u32;
                }
            }
        }
        self.size = offset;
    }

    /// Gives longer forms to branches that do not reach. True if there were any.
    fn extend(&mut self) -> Result<bool, CompileError> {
        let limit = reach_in(self.round, BRANCH);
        let far = |index: usize, label: Label| self.places[label as usize].abs_diff(self.at[index]) > limit;
        let mut changed = false;
        let mut more = false;
        let mut long = vec![false; self.items.len()];
        for (index, item) in self.items.iter().enumerate() {
            let Item::Inst(inst) = item else { continue };
            long[index] = match (inst.label(), inst.targets()) {
                (Some(label), _) => self.reach[index] != Reach::Far && far(index, label),
                (None, Some(list)) => {
                    self.targets[list].iter().any(|&label| far(index, label) && !self.is_island(label))
                }
                (None, None) => false,
            };
            changed |= long[index];
            more |= long[index] && inst.sem != Sem::Br;
        }
        if !more {
            for (reach, _) in self.reach.iter_mut().zip(long).filter(|(_, long)| *long) {
                *reach = Reach::Far;
            }
            return Ok(changed);
        }
        let mut items = Vec::with_capacity(self.items.len() + 64);
        let mut reach = Vec::with_capacity(self.items.len() + 64);
        let mut fresh = self.order.len().max(1) as Label;
        for (index, is_long) in long.into_iter().enumerate() {
            let item = self.items[index];
            let (Item::Inst(inst), true) = (item, is_long) else {
                items.push(item);
                reach.push(self.reach[index]);
                continue;
            };
            if let Some(list) = inst.targets() {
                items.push(item);
                reach.push(self.reach[index]);
                for (target, island) in self.islands(index, list, limit, &mut fresh) {
                    self.is_island.resize(island as usize + 1, false);
                    self.is_island[island as usize] = true;
                    items.extend([Item::Label(island), Item::Inst(branch(&inst, target))]);
                    reach.extend([Reach::Forward, Reach::Far]);
                }
            } else if inst.sem == Sem::Br {
                items.push(item);
                reach.push(Reach::Far);
            } else {
                // the opposite condition jumps over a far branch
                let (Some(label), Some(opposite)) = (inst.label(), inverse(inst.sem)) else {
                    return Err(CompileError::internal("a branch without an opposite", inst.offset));
                };
                let mut skip = Inst { sem: opposite, ..inst };
                for arg in &mut skip.args {
                    if matches!(arg, Arg::Label(_)) {
                        *arg = Arg::Label(fresh);
                    }
                }
                items.extend([Item::Inst(skip), Item::Inst(branch(&inst, label)), Item::Label(fresh)]);
                reach.extend([Reach::Forward, Reach::Far, Reach::Forward]);
                fresh += 1;
            }
        }
        (self.items, self.reach) = (items, reach);
        Ok(true)
    }

    /// Returns true if the label is an island of a table: those are so near to it that they always reach.
    fn is_island(&self, label: Label) -> bool {
        self.is_island.get(label as usize).copied().unwrap_or(false)
    }

    /// Gives a table islands in place of its targets that are too far: (target, island) each.
    fn islands(&mut self, index: usize, list: usize, limit: u32, fresh: &mut Label) -> BTreeMap<Label, Label> {
        let mut islands = BTreeMap::new();
        for entry in 0..self.targets[list].len() {
            let label = self.targets[list][entry];
            if self.places[label as usize].abs_diff(self.at[index]) > limit && !self.is_island(label) {
                let island = *islands.entry(label).or_insert_with(|| {
                    *fresh += 1;
                    *fresh - 1
                });
                self.targets[list][entry] = island;
            }
        }
        islands
    }
}

/// Returns a branch to this label in the place of another instruction.
fn branch(inst: &Inst, label: Label) -> Inst {
    let mut args = [Arg::None; ARGS];
    args[0] = Arg::Label(label);
    Inst { class: Class::Special, sem: Sem::Br, dst: Dst::None, args, ..*inst }
}

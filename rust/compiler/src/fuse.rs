// SPDX-License-Identifier: Apache-2.0
//! Makes neighbouring instructions one op where the table has the sequence.
//!
//! What is saved is the way from one handler to the next: 2 instructions on ARMv7-M, 4 on ARMv6-M, 5 on RISC-V,
//! of about eight that an op takes. Control enters a sequence only at its start, so that no label lies in one.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use wisp_image::ops::SEQUENCE_PARTS;

use crate::encode::sequence_opcode;
use crate::inst::{Inst, Item, Label, Reach};

/// Marks the instructions to join: such that the fewest ops remain.
pub fn fuse(items: &mut [Item]) {
    let mut places: BTreeMap<Label, usize> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        if let Item::Label(label) = item {
            places.insert(*label, index);
        }
    }
    // by index: ops from there to the end of the function, and length of the first
    let mut best: Vec<(usize, usize)> = vec![(0, 1); items.len() + 1];
    for index in (0..items.len()).rev() {
        best[index] = (best[index + 1].0 + 1, 1);
        for length in 2..=SEQUENCE_PARTS.min(items.len() - index) {
            let count = best[index + length].0 + 1;
            if count < best[index].0 && is_sequence(&items[index..index + length], index, &places) {
                best[index] = (count, length);
            }
        }
    }
    let mut index = 0;
    while index < items.len() {
        let length = best[index].1;
        for item in &mut items[index + 1..index + length] {
            if let Item::Inst(inst) = item {
                inst.joined = true;
            }
        }
        index += length;
    }
}

/// True if these items, of which the first has this index, are one op of the table.
fn is_sequence(items: &[Item], index: usize, places: &BTreeMap<Label, usize>) -> bool {
    let mut parts: Vec<Inst> = Vec::with_capacity(items.len());
    let mut reach = Vec::with_capacity(items.len());
    for (n, item) in items.iter().enumerate() {
        let Item::Inst(inst) = item else { return false };
        let back = inst.label().and_then(|label| places.get(&label)).is_some_and(|&place| place < index + n);
        parts.push(*inst);
        reach.push(if back { Reach::Backward } else { Reach::Forward });
    }
    sequence_opcode(&parts, &reach, Reach::Forward).is_some()
}

// SPDX-License-Identifier: Apache-2.0
//! Chooses the ops of a function: makes neighbouring instructions one op where the table has the sequence.
//!
//! What is saved is the way from one handler to the next: 2 instructions on ARMv7-M, 4 on ARMv6-M, 5 on RISC-V,
//! of about eight that an op takes. Control enters a sequence only at its start, so that no label lies in one.
//! The reach of branches and calls is given: a sequence is chosen only if the table has it with those.

use alloc::vec;
use alloc::vec::Vec;

use wisp_image::ops::{sequence_opcode, SEQUENCE_PARTS};

use crate::error::CompileError;
use crate::inst::{Item, Reach};

/// The op that begins with an item.
#[derive(Clone, Copy, Default)]
pub struct Chosen {
    /// Its opcode.
    pub opcode: u16,
    /// Number of items that it consists of, or 0 for a label, and for an instruction that an op before takes in.
    pub parts: u8,
}

/// No opcode: a label.
const NONE: u16 = u16::MAX;

/// Chooses for each item the op that begins with it, such that the fewest ops result. Without `joins`, it is one for
/// each.
///
/// # Errors
/// An instruction that the table does not have on its own.
pub fn choose(items: &[Item], reach: &[Reach], joins: bool) -> Result<Vec<Chosen>, CompileError> {
    let mut single = Vec::with_capacity(items.len());
    for (item, &reach) in items.iter().zip(reach) {
        single.push(match item {
            Item::Label(_) => NONE,
            Item::Inst(inst) => {
                inst.opcode(reach).ok_or_else(|| CompileError::internal(inst.sem.name(), inst.offset))?
            }
        });
    }
    // by item: the best op that begins with it, and how many there are from there to the end of the function
    let mut chosen = vec![Chosen::default(); items.len()];
    let mut count = vec![0_u32; items.len() + 1];
    for index in (0..items.len()).rev() {
        count[index] = count[index + 1];
        if single[index] == NONE {
            continue;
        }
        count[index] += 1;
        chosen[index] = Chosen { opcode: single[index], parts: 1 };
        for length in 2..=if joins { SEQUENCE_PARTS.min(items.len() - index) } else { 1 } {
            let parts = &single[index..index + length];
            if parts[length - 1] == NONE {
                break;
            }
            if count[index + length] + 1 < count[index] {
                if let Some(opcode) = sequence_opcode(parts) {
                    count[index] = count[index + length] + 1;
                    chosen[index] = Chosen { opcode, parts: length as u8 };
                }
            }
        }
    }
    let mut index = 0;
    while index < items.len() {
        let parts = usize::from(chosen[index].parts).max(1);
        chosen[index + 1..index + parts].fill(Chosen::default());
        index += parts;
    }
    Ok(chosen)
}

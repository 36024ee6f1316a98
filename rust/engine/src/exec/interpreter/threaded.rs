// SPDX-License-Identifier: Apache-2.0
//! Direct-threaded code: an instance's copy of its module's code, in the arena, in which the opcode of each op is
//! replaced by the distance of the op's handler from the core's first byte. A dispatch adds that and jumps: the
//! table of handlers is read here, once, instead of with each op. All else is as in the image, at the same
//! offset, so that operands, places of traps and calls mean the same; who needs an opcode asks
//! [`Ctx::encoded`](crate::vm::context::Ctx::encoded).
//!
//! Costs RAM: as many bytes as the code section has.

use super::assembly::{handlers, LENGTHS};
use crate::vm::arena::Arena;

/// Bit of a length that says that a table follows the op's words.
const TABLE: usize = 128;

/// Copies code that consists of ops from its first byte to its last, which the verifier established (or whoever
/// made the image). `None` if the arena has no room, or if there is something else between the ops.
pub fn copy(arena: &Arena, code: &[u8]) -> Option<*const u8> {
    // images and RISC-V have the same order of bytes
    let copy = arena.alloc_copy(code)?;
    let mut at = 0;
    while let Some(word) = copy.get(at) {
        let opcode = usize::from(word.get() / 4);
        let length = usize::from(*LENGTHS.get(opcode)?);
        word.set(handlers()[opcode]);
        at += length % TABLE;
        if length >= TABLE {
            // the last of the op's words is the number of targets; one more is for every larger index
            at += 1 + usize::from(copy.get(at - 1)?.get());
        }
    }
    (at == copy.len()).then_some(copy.as_ptr().cast())
}

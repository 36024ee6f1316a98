// SPDX-License-Identifier: Apache-2.0
//! What a core needs to know of an instruction set.

use wisp_image::ops::Op;

use crate::asm::{Asm, End};

/// An instruction set with its options.
pub trait Isa: Clone {
    /// Returns the bytes that an instruction takes at most.
    fn bytes(&self, instruction: &str) -> usize;

    /// Returns true if a conditional branch reaches as many bytes ahead, less a margin for the handler and the ends
    /// between.
    fn reaches(&self, bytes: usize) -> bool;

    /// Returns true if a conditional branch reaches as many bytes back, less one handler.
    fn reaches_back(&self, bytes: usize) -> bool;

    /// Returns true if the core runs code that has handlers in place of opcodes.
    fn threaded(&self) -> bool {
        false
    }

    /// Emits what marks a name as that of a function, before its label.
    fn function(asm: &mut Asm<Self>, name: &str);

    /// Emits an end, to which handlers branch.
    fn end(asm: &mut Asm<Self>, end: End);

    /// Emits what stands before the first handler.
    fn begin(asm: &mut Asm<Self>);

    /// Emits the template of an op. Returns false, and emits nothing of use, if it has none and goes to the escape.
    fn expand(asm: &mut Asm<Self>, op: &Op) -> bool;

    /// Emits what stands behind the last handler: the table with the name of each op's handler.
    fn finish(asm: &mut Asm<Self>, table: &[String]);
}

// SPDX-License-Identifier: Apache-2.0
//! Writes the interpreter's back ends from the op table: a core in assembly for each instruction set, and the arms
//! of the portable back end. The engine's build script calls this crate, and includes what it writes.
//!
//! [`asm`] holds what all instruction sets share (labels, ends of handlers, sequences), [`isa`] is the trait that one
//! of them implements, and [`core_of`] makes a core of it. `thumb` and `riscv` hold the templates of the ops.
#![forbid(unsafe_code)]

pub mod asm;
pub mod isa;
pub mod portable;
pub mod riscv;
#[cfg(test)]
mod tests;
pub mod text;
pub mod thumb;

use wisp_image::ops::{op, Sem, COUNT};

use asm::Asm;
use isa::Isa;
use text::{name, Core};

/// Writes the core for an instruction set. `built` says which ops the engine has: the others go to the escape, which
/// ends with a trap, because the verifier refuses them. `tells` makes a core for profilers. They find where a guest stands
/// in registers while the processor is between `wisp_core_begin` and `wisp_core_end`, and else in the instance.
pub fn core_of<I: Isa>(isa: &I, built: &dyn Fn(u16) -> bool, tells: bool) -> Core {
    let mut asm = Asm::new(isa.clone());
    asm.tells = tells;
    I::begin(&mut asm);
    let mut table = Vec::new();
    let mut escaped = Vec::new();
    for opcode in 0..COUNT as u16 {
        if !built(opcode) {
            table.push("wisp.escape".into());
            continue;
        }
        let op = op(opcode).expect("below COUNT");
        let name = name(&op);
        let in_assembly = I::expand(&mut Asm::new(isa.clone()), &op);
        if in_assembly {
            asm.function(&name);
            I::expand(&mut asm, &op);
            asm.end_handler();
        }
        table.push(if in_assembly { name } else { "wisp.escape".into() });
        // the slow way of an indirect call
        if !in_assembly || op.sem == Sem::CallIndirect {
            escaped.push(opcode);
        }
    }
    // the op that an outermost frame returns to
    table.push("wisp.exit".into());
    asm.place_ends(true);
    I::finish(&mut asm, &table);
    let core = Core::new(asm.text(), escaped);
    if isa.threaded() {
        core.threaded()
    } else {
        core
    }
}

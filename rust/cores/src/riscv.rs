// SPDX-License-Identifier: Apache-2.0
//! Writes the core for 32-bit RISC-V with multiplication: a handler for each op of the table, in assembly,
//! as one `global_asm!`. The engine's `exec/interpreter/assembly.rs` holds what surrounds it. `thumb.rs` is its
//! sibling and says more.

pub mod asm;
mod control;
mod memory;
mod wide;

use wisp_image::ops::{Class, Op, Operand, Sem};

use self::asm::{emit, Asm, End};
use crate::isa::Isa;

/// The extensions of a target beyond the base and multiplication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// Instructions of 16 bits.
    pub compressed: bool,
    /// Floats in registers of their own: the library's functions expect them there.
    pub floats: bool,
    /// The code that it runs has handlers in place of opcodes.
    pub threaded: bool,
}

impl Isa for Target {
    fn bytes(&self, _: &str) -> usize {
        4
    }

    fn reaches(&self, bytes: usize) -> bool {
        bytes < asm::REACH
    }

    fn reaches_back(&self, bytes: usize) -> bool {
        bytes < asm::REACH
    }

    fn threaded(&self) -> bool {
        self.threaded
    }

    fn function(asm: &mut Asm, name: &str) {
        emit!(asm, ".type {name}, @function");
    }

    fn end(asm: &mut Asm, end: End) {
        asm::end(asm, end);
    }

    fn begin(asm: &mut Asm) {
        // link-time optimisation forgets the target's features where assembly is concerned
        let extensions = if asm.isa.compressed { ".option arch, +m, +c" } else { ".option arch, +m" };
        asm.lines(&[".option push", extensions]);
        asm.line(".pushsection .text.wisp_riscv, \"ax\", @progbits");
        asm.line(".Lwisp.base:");
        asm.border("wisp_core_begin");
        control::frame_of_core(asm);
        memory::unaligned(asm);
    }

    fn expand(asm: &mut Asm, op: &Op) -> bool {
        expand(asm, op)
    }

    fn finish(asm: &mut Asm, table: &[String]) {
        asm.border("wisp_core_end");
        asm.line(".popsection");
        asm.line(".pushsection .rodata.wisp_riscv, \"a\", @progbits");
        if asm.isa.threaded {
            // read once, when an instance copies its code
            asm.lines(&[".p2align 1", ".global wisp_riscv_handlers", "wisp_riscv_handlers:"]);
        } else {
            asm.lines(&[".p2align 2", "wisp.handlers:"]);
        }
        for name in table {
            if asm.isa.threaded {
                emit!(asm, ".half {name} - .Lwisp.base");
            } else {
                emit!(asm, ".word {name}");
            }
        }
        asm.lines(&[".popsection", ".option pop"]);
    }
}

/// Emits the template of an op. Returns false, and emits nothing of use, if the op has none and goes to the escape.
fn expand(asm: &mut Asm, op: &Op) -> bool {
    let library = !asm.isa.floats;
    if op.class == Class::Sequence {
        return asm.sequence(op, expand);
    }
    if let Some(function) = wide::library(op.sem).filter(|_| library) {
        match op.class {
            Class::Bin32 | Class::Un32 | Class::Widen | Class::Set32 => wide::call32(asm, op, function),
            _ => wide::call64(asm, op, function),
        }
        return true;
    }
    match op.class {
        Class::Bin32 => return binary(asm, op),
        Class::Div32 => divide(asm, op),
        Class::Un32 => return unary(asm, op),
        Class::Set32 => return set(asm, op),
        Class::Br32 => branch(asm, op),
        Class::Select32 => select(asm, op),
        Class::Select64 => select_wide(asm, op),
        Class::Bin64 => return wide::binary(asm, op),
        Class::Un64 => return wide::unary(asm, op),
        Class::Set64 => return wide::set(asm, op),
        Class::Narrow => return wide::narrow(asm, op),
        Class::Widen => return wide::widen(asm, op),
        Class::Load32 => memory::load(asm, op),
        Class::Load64 => memory::load_wide(asm, op),
        Class::Store32 => memory::store(asm, op),
        Class::Store64 => memory::store_wide(asm, op),
        Class::Special => return control::special(asm, op),
        // a division of 64 bits takes a hundred instructions or more, and who converts with traps is rare
        Class::Div64 | Class::Un32Trap | Class::Un64Trap | Class::NarrowTrap | Class::WidenTrap => return false,
        Class::Sequence => panic!("a sequence in a sequence"),
    }
    true
}

/// Loads two 32-bit sources that may be the accumulator and names their registers.
fn pair(asm: &mut Asm, op: &Op, first: usize) -> (&'static str, &'static str) {
    asm.sources(op, &[(first, "a1"), (first + 1, "a2")]);
    let place = |n: usize, register| if op.form[n] == Operand::Acc { "a5" } else { register };
    (place(first, "a1"), place(first + 1, "a2"))
}

/// Reads operands like [`pair`], for a slot that is source and result. Leaves its address in a6.
fn modified(asm: &mut Asm, op: &Op) -> (&'static str, &'static str) {
    asm.word("a6", 1);
    asm.sources(op, &[(1, "a2")]);
    asm.slot("a6");
    asm.line("lw a1, 0(a6)");
    ("a1", if op.form[1] == Operand::Acc { "a5" } else { "a2" })
}

/// Writes `d = f(x, y)`.
fn binary(asm: &mut Asm, op: &Op) -> bool {
    let instruction = match op.sem {
        Sem::I32Add => "add",
        Sem::I32Sub => "sub",
        Sem::I32Mul => "mul",
        Sem::I32And => "and",
        Sem::I32Or => "or",
        Sem::I32Xor => "xor",
        Sem::I32Shl => "sll",
        Sem::I32ShrS => "sra",
        Sem::I32ShrU => "srl",
        Sem::I32Rotl | Sem::I32Rotr => "",
        Sem::F32Copysign => {
            asm.sources(op, &[(1, "a1"), (2, "a2")]);
            asm.lines(&["slli a1, a1, 1", "srli a1, a1, 1", "srli a2, a2, 31", "slli a2, a2, 31", "or a5, a1, a2"]);
            asm.result(op);
            return true;
        }
        _ => return false,
    };
    let (x, y) = if op.form[0] == Operand::DstFirst { modified(asm, op) } else { pair(asm, op, 1) };
    match op.sem {
        Sem::I32Rotl | Sem::I32Rotr => {
            let (one, other) = if op.sem == Sem::I32Rotl { ("sll", "srl") } else { ("srl", "sll") };
            emit!(asm, "neg a3, {y}");
            emit!(asm, "{one} a4, {x}, {y}");
            emit!(asm, "{other} a3, {x}, a3");
            asm.line("or a5, a4, a3");
        }
        _ => emit!(asm, "{instruction} a5, {x}, {y}"),
    }
    asm.result(op);
    true
}

/// Writes `d = f(x, y)`, which may trap.
fn divide(asm: &mut Asm, op: &Op) {
    let (x, y) = pair(asm, op, 1);
    asm.trap_if(&format!("beqz {y}"), "IntegerDivisionByZero");
    let instruction = match op.sem {
        Sem::I32DivS => "div",
        Sem::I32DivU => "divu",
        Sem::I32RemS => "rem",
        _ => "remu",
    };
    if op.sem == Sem::I32DivS {
        // the lowest number divided by -1
        emit!(asm, "addi a3, {y}, 1");
        asm.lines(&["bnez a3, 1f", "lui a3, 0x80000"]);
        asm.trap_if(&format!("beq {x}, a3"), "IntegerOverflow");
        asm.line("1:");
    }
    emit!(asm, "{instruction} a5, {x}, {y}");
    asm.result(op);
}

/// Writes `d = f(x)`.
fn unary(asm: &mut Asm, op: &Op) -> bool {
    let x = if op.form[1] == Operand::Acc { "a5" } else { "a1" };
    let (first, second) = match op.sem {
        Sem::I32Extend8S => (format!("slli a5, {x}, 24"), "srai a5, a5, 24".to_string()),
        Sem::I32Extend16S => (format!("slli a5, {x}, 16"), "srai a5, a5, 16".into()),
        Sem::F32Abs => (format!("slli a5, {x}, 1"), "srli a5, a5, 1".into()),
        Sem::F32Neg => ("lui a5, 0x80000".into(), format!("xor a5, a5, {x}")),
        _ => return false,
    };
    asm.sources(op, &[(1, "a1")]);
    asm.lines(&[&first, &second]);
    asm.result(op);
    true
}

/// Writes `d = f(x, y) ? 1 : 0`. Returns false if there is no template.
fn set(asm: &mut Asm, op: &Op) -> bool {
    let (instruction, then) = match op.sem {
        Sem::I32Eq => ("sub", "seqz a5, a5"),
        Sem::I32Ne => ("sub", "snez a5, a5"),
        Sem::I32LtS => ("slt", ""),
        Sem::I32LtU => ("sltu", ""),
        Sem::I32GeS => ("slt", "xori a5, a5, 1"),
        Sem::I32GeU => ("sltu", "xori a5, a5, 1"),
        _ => return false,
    };
    let (x, y) = pair(asm, op, 1);
    emit!(asm, "{instruction} a5, {x}, {y}");
    if !then.is_empty() {
        asm.line(then);
    }
    asm.result(op);
    true
}

/// Returns the branch that is taken where the relation holds.
fn branch_if(sem: Sem) -> &'static str {
    match sem {
        Sem::I32Eq => "beq",
        Sem::I32Ne => "bne",
        Sem::I32LtS => "blt",
        Sem::I32LtU => "bltu",
        Sem::I32GeS => "bge",
        Sem::I32GeU => "bgeu",
        other => panic!("{other:?} is no integer relation"),
    }
}

/// Writes `if f(x, y) branch`.
fn branch(asm: &mut Asm, op: &Op) {
    let (x, y) = pair(asm, op, 0);
    let target = asm::word(op, 2);
    let end = asm.end(match op.form[2] {
        Operand::Forward => End::Forward(target),
        Operand::Back => End::Backward(target),
        other => panic!("{other:?} is no branch"),
    });
    emit!(asm, "{} {x}, {y}, {end}", branch_if(op.sem));
    asm.next(op.words());
}

/// Writes `d = f(x, y) ? a : b`.
fn select(asm: &mut Asm, op: &Op) {
    let (x, y) = pair(asm, op, 1);
    asm.word("a3", asm::word(op, 3));
    emit!(asm, "{} {x}, {y}, 1f", branch_if(op.sem));
    asm.word("a3", asm::word(op, 4));
    asm.line("1:");
    asm.slot("a3");
    asm.line("lw a5, 0(a3)");
    asm.result(op);
}

/// Writes `e = x != 0 ? a : b`.
fn select_wide(asm: &mut Asm, op: &Op) {
    asm.sources(op, &[(1, "a0")]);
    asm.word("a1", asm::word(op, 2));
    asm.line("bnez a0, 1f");
    asm.word("a1", asm::word(op, 3));
    asm.line("1:");
    asm.slot("a1");
    asm.lines(&["lw a0, 0(a1)", "lw a1, 4(a1)"]);
    asm.wide_result(op, "a0", "a1");
}

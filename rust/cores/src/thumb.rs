// SPDX-License-Identifier: Apache-2.0
//! Writes the Thumb core: a handler for each op of the table, in assembly, as the arguments of one
//! `global_asm!`. The engine's `exec/interpreter/assembly.rs` holds what surrounds it.
//!
//! A handler ends with the load of the next opcode word, which is an offset into the handler table, and a
//! jump there: two instructions in Thumb-2. Operands are read where they are needed, once. Everything the
//! core keeps is in callee-saved registers ([`asm`] lists them), so calls of the host and of the
//! library save nothing. What is rare or long goes to the `escape`, which runs the arm that the portable
//! back end has for the op.

pub mod asm;
mod control;
mod memory;
mod wide;

use wisp_image::ops::{Class, Op, Operand, Sem};

pub use self::asm::Flavour;
use self::asm::{emit, Asm, End};
use crate::isa::Isa;

impl Isa for Flavour {
    fn bytes(&self, instruction: &str) -> usize {
        if *self == Self::V6 && !instruction.starts_with("bl ") {
            2
        } else {
            4
        }
    }

    fn reaches(&self, bytes: usize) -> bool {
        *self == Self::V7 || bytes <= asm::REACH
    }

    fn reaches_back(&self, bytes: usize) -> bool {
        *self == Self::V7 || bytes < asm::REACH_BACK
    }

    fn function(asm: &mut Asm, name: &str) {
        emit!(asm, ".type {name}, %function");
        asm.line(".thumb_func");
    }

    fn end(asm: &mut Asm, end: End) {
        asm::end(asm, end);
    }

    fn begin(asm: &mut Asm) {
        asm.line(".pushsection .text.wisp_thumb, \"ax\", %progbits");
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
        asm.line(".pushsection .rodata.wisp_thumb, \"a\", %progbits");
        asm.line(".p2align 2");
        asm.line("wisp.handlers:");
        for name in table {
            emit!(asm, ".word {name}");
        }
        asm.line(".popsection");
    }
}

/// Emits the template of an op. Returns false, and emits nothing of use, if the op has none and goes to the escape.
fn expand(asm: &mut Asm, op: &Op) -> bool {
    if op.class == Class::Sequence {
        return asm.sequence(op, expand);
    }
    if let Some(function) = wide::library(op.sem) {
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
        Class::Set32 => set(asm, op),
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
fn pair(asm: &mut Asm, op: &Op, first: usize, x: &'static str, y: &'static str) -> (&'static str, &'static str) {
    asm.sources(op, &[(first, x), (first + 1, y)]);
    let place = |n: usize, register| if op.form[n] == Operand::Acc { "r3" } else { register };
    (place(first, x), place(first + 1, y))
}

/// Reads operands like [`pair`], for a slot that is source and result. Leaves its offset in r1.
fn modified(asm: &mut Asm, op: &Op) -> (&'static str, &'static str) {
    // x goes where the result is wanted unless that is y
    let (x, y) = if op.form[1] == Operand::Acc { ("r2", "r3") } else { ("r3", "r2") };
    asm.word("r1", 1);
    asm.sources(op, &[(1, y)]);
    emit!(asm, "ldr {x}, [r5, r1]");
    (x, y)
}

/// Writes `d = f(x, y)`.
fn binary(asm: &mut Asm, op: &Op) -> bool {
    // x goes where the result is wanted unless that is y
    let last = op.form[op.form.len() - 1];
    let x = if last == Operand::Acc { "r1" } else { "r3" };
    let operation = match op.sem {
        Sem::I32Add => "adds",
        Sem::I32Sub => "subs",
        Sem::I32Mul => "muls",
        Sem::I32And => "ands",
        Sem::I32Or => "orrs",
        Sem::I32Xor => "eors",
        Sem::I32Shl => "lsls",
        Sem::I32ShrS => "asrs",
        Sem::I32ShrU => "lsrs",
        Sem::I32Rotl | Sem::I32Rotr => "rors",
        Sem::F32Copysign => {
            asm.sources(op, &[(1, "r3"), (2, "r2")]);
            asm.lines(&["lsls r3, r3, #1", "lsrs r3, r3, #1", "lsrs r2, r2, #31", "lsls r2, r2, #31"]);
            asm.line("orrs r3, r2");
            asm.result(op);
            return true;
        }
        _ => return false,
    };
    let (x, mut y) = if op.form[0] == Operand::DstFirst { modified(asm, op) } else { pair(asm, op, 1, x, "r2") };
    match op.sem {
        Sem::I32Add | Sem::I32Sub => {
            emit!(asm, "{operation} r3, {x}, {y}");
            asm.result(op);
            return true;
        }
        // the core shifts by more than 31, wasm does not; the compiler makes immediates fit
        Sem::I32Shl | Sem::I32ShrS | Sem::I32ShrU if last != Operand::Imm16 => {
            if asm.v6() {
                asm.line("movs r0, #31");
                emit!(asm, "ands r0, {y}");
                y = "r0";
            } else {
                emit!(asm, "and r2, {y}, #31");
                y = "r2";
            }
        }
        Sem::I32Rotl => {
            emit!(asm, "rsbs r2, {y}, #0");
            y = "r2";
        }
        _ => {}
    }
    let commutes = matches!(op.sem, Sem::I32Mul | Sem::I32And | Sem::I32Or | Sem::I32Xor);
    if commutes && y == "r3" {
        emit!(asm, "{operation} r3, {x}");
    } else {
        emit!(asm, "{operation} {x}, {y}");
        if x != "r3" {
            emit!(asm, "movs r3, {x}");
        }
    }
    asm.result(op);
    true
}

/// Writes `d = f(x, y)`, which may trap.
fn divide(asm: &mut Asm, op: &Op) {
    if asm.v6() {
        control::tell(asm);
    }
    let (x, y) = pair(asm, op, 1, "r0", "r1");
    emit!(asm, "cmp {y}, #0");
    asm.trap_if("eq", "IntegerDivisionByZero");
    if op.sem == Sem::I32DivS {
        // the lowest number divided by -1
        if asm.v6() {
            emit!(asm, "adds r2, {y}, #1");
        } else {
            emit!(asm, "cmp {y}, #-1");
        }
        asm.line("bne 1f");
        emit!(asm, "lsls r2, {x}, #1");
        asm.line("bne 1f");
        emit!(asm, "cmp {x}, #0");
        asm.trap_if("mi", "IntegerOverflow");
        asm.line("1:");
    }
    let lines: &[&str] = match (op.sem, asm.v6()) {
        (Sem::I32DivS, false) => &["sdiv r3, r0, r1"],
        (Sem::I32DivU, false) => &["udiv r3, r0, r1"],
        (Sem::I32RemS, false) => &["sdiv r2, r0, r1", "mls r3, r2, r1, r0"],
        (Sem::I32RemU, false) => &["udiv r2, r0, r1", "mls r3, r2, r1, r0"],
        (Sem::I32DivS, true) => &["bl __aeabi_idivmod", "movs r3, r0"],
        (Sem::I32DivU, true) => &["bl __aeabi_uidivmod", "movs r3, r0"],
        (Sem::I32RemS, true) => &["bl __aeabi_idivmod", "movs r3, r1"],
        (Sem::I32RemU, true) => &["bl __aeabi_uidivmod", "movs r3, r1"],
        _ => panic!("{:?} is no division", op.sem),
    };
    asm.lines(lines);
    asm.result(op);
}

/// Writes `d = f(x)`.
fn unary(asm: &mut Asm, op: &Op) -> bool {
    let x = if op.form[1] == Operand::Acc { "r3" } else { "r1" };
    let one = |instruction: &str| vec![format!("{instruction} r3, {x}")];
    let lines = match op.sem {
        Sem::I32Extend8S => one("sxtb"),
        Sem::I32Extend16S => one("sxth"),
        Sem::I32Clz if !asm.v6() => one("clz"),
        Sem::I32Ctz if !asm.v6() => vec![format!("rbit r3, {x}"), "clz r3, r3".into()],
        Sem::F32Abs => vec![format!("lsls r3, {x}, #1"), "lsrs r3, r3, #1".into()],
        Sem::F32Neg => vec!["movs r3, #1".into(), "lsls r3, r3, #31".into(), format!("eors r3, {x}")],
        _ => return false,
    };
    asm.sources(op, &[(1, "r1")]);
    for line in lines {
        asm.line(&line);
    }
    asm.result(op);
    true
}

/// Returns the condition under which `cmp x, y` finds the relation.
fn condition(sem: Sem) -> &'static str {
    match sem {
        Sem::I32Eq => "eq",
        Sem::I32Ne => "ne",
        Sem::I32LtS => "lt",
        Sem::I32LtU => "lo",
        Sem::I32GeS => "ge",
        Sem::I32GeU => "hs",
        other => panic!("{other:?} is no integer relation"),
    }
}

/// Sets r3 to 1 if the flags say `condition`, one of two that exclude each other, and else to 0.
fn set_if(asm: &mut Asm, condition: &str) {
    let other = if condition == "lt" { "ge" } else { "lt" };
    if asm.v6() {
        emit!(asm, "b{condition} 1f");
        asm.lines(&["movs r3, #0", "b 2f", "1:", "movs r3, #1", "2:"]);
    } else {
        emit!(asm, "ite {condition}");
        emit!(asm, "mov{condition} r3, #1");
        emit!(asm, "mov{other} r3, #0");
    }
}

/// Writes `d = f(x, y) ? 1 : 0`.
fn set(asm: &mut Asm, op: &Op) {
    let (x, y) = pair(asm, op, 1, "r1", "r2");
    match op.sem {
        Sem::I32Eq => {
            emit!(asm, "subs r1, {x}, {y}");
            asm.lines(&["rsbs r3, r1, #0", "adcs r3, r1"]);
        }
        Sem::I32Ne => {
            emit!(asm, "subs r3, {x}, {y}");
            asm.lines(&["subs r1, r3, #1", "sbcs r3, r1"]);
        }
        Sem::I32LtU => {
            emit!(asm, "cmp {x}, {y}");
            asm.lines(&["sbcs r3, r3", "rsbs r3, r3, #0"]);
        }
        Sem::I32GeU => {
            emit!(asm, "cmp {x}, {y}");
            asm.lines(&["movs r3, #0", "adcs r3, r3"]);
        }
        _ => {
            emit!(asm, "cmp {x}, {y}");
            set_if(asm, condition(op.sem));
        }
    }
    asm.result(op);
}

/// Writes `if f(x, y) branch`.
fn branch(asm: &mut Asm, op: &Op) {
    let (x, y) = pair(asm, op, 0, "r1", "r2");
    let target = asm::word(op, 2);
    let end = asm.end(match op.form[2] {
        Operand::Forward => End::Forward(target),
        Operand::Back => End::Backward(target),
        other => panic!("{other:?} is no branch"),
    });
    emit!(asm, "cmp {x}, {y}");
    emit!(asm, "b{} {end}", condition(op.sem));
    asm.next(op.words());
}

/// Writes `d = f(x, y) ? a : b`.
fn select(asm: &mut Asm, op: &Op) {
    let (x, y) = pair(asm, op, 1, "r1", "r2");
    asm.word("r0", asm::word(op, 3));
    emit!(asm, "cmp {x}, {y}");
    emit!(asm, "b{} 1f", condition(op.sem));
    asm.word("r0", asm::word(op, 4));
    asm.lines(&["1:", "ldr r3, [r5, r0]"]);
    asm.result(op);
}

/// Writes `e = x != 0 ? a : b`.
fn select_wide(asm: &mut Asm, op: &Op) {
    asm.sources(op, &[(1, "r0")]);
    asm.word("r1", asm::word(op, 2));
    asm.lines(&["cmp r0, #0", "bne 1f"]);
    asm.word("r1", asm::word(op, 3));
    asm.lines(&["1:", "adds r1, r1, r5", "ldm r1, {r0, r1}"]);
    asm.wide_result(op, "r0", "r1", "r2");
}

// SPDX-License-Identifier: Apache-2.0
//! Loads and stores. Misaligned ones go byte by byte: not every core does them, and those that trap into
//! an emulation are slower than this.

use wisp_image::ops::{Op, Operand, Sem};

use super::asm::{emit, word, Asm, End};

/// Returns the bytes that an access moves, and the instruction that moves the first (or only) four.
fn access(sem: Sem) -> (u32, &'static str) {
    match sem {
        Sem::Load | Sem::Load64From32S | Sem::Load64From32U => (4, "lw"),
        Sem::Load8S | Sem::Load64From8S => (1, "lb"),
        Sem::Load8U | Sem::Load64From8U => (1, "lbu"),
        Sem::Load16S | Sem::Load64From16S => (2, "lh"),
        Sem::Load16U | Sem::Load64From16U => (2, "lhu"),
        Sem::Load64 => (8, "lw"),
        Sem::Store => (4, "sw"),
        Sem::Store8 => (1, "sb"),
        Sem::Store16 => (2, "sh"),
        Sem::Store64 => (8, "sw"),
        other => panic!("{other:?} is no access"),
    }
}

/// Computes the address from the operands `from..to` and checks it for `width` bytes and for alignment:
/// a misaligned one goes to the label it returns. Leaves the place in memory in a1. Overwrites a2 and a3.
fn address(asm: &mut Asm, op: &Op, from: usize, to: usize, width: u32) -> String {
    let offset = (from..to).find(|&n| op.form[n] == Operand::Offset);
    let parts: Vec<_> = (from..to).filter(|&n| op.form[n] != Operand::Offset).collect();
    let place = |n: usize, register| if op.form[n] == Operand::Acc { "a5" } else { register };
    let overflow = |asm: &mut Asm| asm.trap_if("bltu a1, a2", "MemoryOutOfBounds");
    let register = match (&parts[..], offset) {
        ([], Some(offset)) => {
            asm.word("a1", word(op, offset));
            "a1"
        }
        (&[base], None) => {
            asm.sources(op, &[(base, "a1")]);
            place(base, "a1")
        }
        (&[base], Some(offset)) => {
            asm.sources(op, &[(base, "a1"), (offset, "a2")]);
            emit!(asm, "add a1, {}, a2", place(base, "a1"));
            overflow(asm);
            "a1"
        }
        (&[base, index], offset) => {
            asm.sources(op, &[(base, "a1"), (index, "a2")]);
            emit!(asm, "add a1, {}, {}", place(base, "a1"), place(index, "a2"));
            if let Some(offset) = offset {
                asm.word("a2", word(op, offset));
                asm.line("add a1, a1, a2");
                overflow(asm);
            }
            "a1"
        }
        _ => panic!("{:?} {:?}: unknown kind of address", op.sem, op.form),
    };
    let refused = asm.end(End::Refused(width, register));
    if width == 8 {
        emit!(asm, "addi a2, {register}, 4");
        // less than 4 if it wrapped
        emit!(asm, "bltu a2, {register}, {refused}");
        emit!(asm, "bgeu a2, s6, {refused}");
    } else {
        let limit = ["s4", "s5", "", "s6"][width as usize - 1];
        emit!(asm, "bgeu {register}, {limit}, {refused}");
    }
    if width > 1 {
        emit!(asm, "andi a3, {register}, {}", if width == 2 { 1 } else { 3 });
    }
    emit!(asm, "add a1, {register}, s2");
    let away = asm.label();
    if width > 1 {
        emit!(asm, "bnez a3, {away}");
    }
    away
}

/// Writes the access itself, `lines`, and what a misaligned one does instead.
fn access_aligned(asm: &mut Asm, away: &str, width: u32, lines: &[&str], slow: &[&str]) {
    asm.lines(lines);
    if width > 1 {
        let back = asm.label();
        emit!(asm, "{back}:");
        asm.aside(&[&format!("{away}:")]);
        asm.aside(slow);
        asm.aside(&[&format!("j {back}")]);
    }
}

/// Writes `d = load(address)`.
pub fn load(asm: &mut Asm, op: &Op) {
    let (width, instruction) = access(op.sem);
    let away = address(asm, op, 1, op.form.len(), width);
    let slow = format!("jal wisp.unaligned.{instruction}");
    access_aligned(asm, &away, width, &[&format!("{instruction} a5, 0(a1)")], &[&slow]);
    asm.result(op);
}

/// Writes `e = load(address)`.
pub fn load_wide(asm: &mut Asm, op: &Op) {
    let (width, instruction) = access(op.sem);
    let away = address(asm, op, 1, op.form.len(), width);
    if width == 8 {
        access_aligned(asm, &away, width, &["lw a5, 0(a1)", "lw a3, 4(a1)"], &["jal wisp.unaligned.ld"]);
    } else {
        let slow = format!("jal wisp.unaligned.{instruction}");
        access_aligned(asm, &away, width, &[&format!("{instruction} a5, 0(a1)")], &[&slow]);
        asm.line(match op.sem {
            Sem::Load64From8U | Sem::Load64From16U | Sem::Load64From32U => "li a3, 0",
            _ => "srai a3, a5, 31",
        });
    }
    asm.wide_result(op, "a5", "a3");
}

/// Writes a store of 32 bits or fewer.
pub fn store(asm: &mut Asm, op: &Op) {
    let (width, instruction) = access(op.sem);
    let last = op.form.len() - 1;
    // the value first: it does not depend on the address
    asm.sources(op, &[(last, "a4")]);
    let value = if op.form[last] == Operand::Acc { "a5" } else { "a4" };
    let away = address(asm, op, 0, last, width);
    let call = format!("jal wisp.unaligned.{instruction}");
    let slow: &[&str] = if value == "a4" { &[&call] } else { &["mv a4, a5", &call] };
    access_aligned(asm, &away, width, &[&format!("{instruction} {value}, 0(a1)")], slow);
    asm.next(op.words());
}

/// Writes a store of 64 bits.
pub fn store_wide(asm: &mut Asm, op: &Op) {
    let last = op.form.len() - 1;
    asm.wide_source(op, last, "a4", "a6");
    let away = address(asm, op, 0, last, 8);
    access_aligned(asm, &away, 8, &["sw a4, 0(a1)", "sw a6, 4(a1)"], &["mv a3, a6", "jal wisp.unaligned.sd"]);
    asm.next(op.words());
}

/// Writes the accesses byte by byte: at a1, into a5 (loads) and a3 (the upper half), from a4 (stores) and a3. They
/// overwrite a0, a2 and t0.
pub fn unaligned(asm: &mut Asm) {
    for (instruction, last, width) in [("lhu", "lbu", 2), ("lh", "lb", 2), ("lw", "lbu", 4)] {
        asm.function(&format!("wisp.unaligned.{instruction}"));
        asm.line("lbu a5, 0(a1)");
        for n in 1..width {
            emit!(asm, "{} a0, {n}(a1)", if n == width - 1 { last } else { "lbu" });
            emit!(asm, "slli a0, a0, {}", n * 8);
            asm.line("or a5, a5, a0");
        }
        asm.line("ret");
    }
    asm.function("wisp.unaligned.ld");
    asm.lines(&["mv t0, ra", "addi a1, a1, 4", "jal wisp.unaligned.lw", "mv a3, a5", "addi a1, a1, -4"]);
    asm.lines(&["jal wisp.unaligned.lw", "jr t0"]);
    for (instruction, width) in [("sh", 2), ("sw", 4)] {
        asm.function(&format!("wisp.unaligned.{instruction}"));
        asm.line("sb a4, 0(a1)");
        for n in 1..width {
            asm.line("srli a4, a4, 8");
            emit!(asm, "sb a4, {n}(a1)");
        }
        asm.line("ret");
    }
    asm.function("wisp.unaligned.sd");
    asm.lines(&["mv t0, ra", "jal wisp.unaligned.sw", "mv a4, a3", "addi a1, a1, 4", "jal wisp.unaligned.sw", "jr t0"]);
}

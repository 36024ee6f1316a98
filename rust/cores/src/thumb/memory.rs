// SPDX-License-Identifier: Apache-2.0
//! Loads and stores.

use wisp_image::ops::{Op, Operand, Sem};

use super::asm::{emit, word, Asm, End};

/// Returns the bytes that an access moves, and the instruction that moves the first (or only) four.
fn access(sem: Sem) -> (u32, &'static str) {
    match sem {
        Sem::Load | Sem::Load64From32S | Sem::Load64From32U => (4, "ldr"),
        Sem::Load8S | Sem::Load64From8S => (1, "ldrsb"),
        Sem::Load8U | Sem::Load64From8U => (1, "ldrb"),
        Sem::Load16S | Sem::Load64From16S => (2, "ldrsh"),
        Sem::Load16U | Sem::Load64From16U => (2, "ldrh"),
        Sem::Load64 => (8, "ldr"),
        Sem::Store => (4, "str"),
        Sem::Store8 => (1, "strb"),
        Sem::Store16 => (2, "strh"),
        Sem::Store64 => (8, "str"),
        other => panic!("{other:?} is no access"),
    }
}

/// Computes the address from the operands `from..to` and checks it for `width` bytes. Gives the register
/// it is in: r3 if it is the accumulator as it stands, else r1. Overwrites r2.
fn address(asm: &mut Asm, op: &Op, from: usize, to: usize, width: u32) -> &'static str {
    let offset = (from..to).find(|&n| op.form[n] == Operand::Offset);
    let parts: Vec<_> = (from..to).filter(|&n| op.form[n] != Operand::Offset).collect();
    let place = |n: usize, register| if op.form[n] == Operand::Acc { "r3" } else { register };
    let overflow = |asm: &mut Asm| asm.trap_if("cs", "MemoryOutOfBounds");
    let register = match (&parts[..], offset) {
        ([], Some(offset)) => {
            asm.word("r1", word(op, offset));
            "r1"
        }
        (&[base], None) => {
            asm.sources(op, &[(base, "r1")]);
            place(base, "r1")
        }
        (&[base], Some(offset)) => {
            asm.sources(op, &[(base, "r1"), (offset, "r2")]);
            emit!(asm, "adds r1, {}, r2", place(base, "r1"));
            overflow(asm);
            "r1"
        }
        (&[base, index], offset) => {
            asm.sources(op, &[(base, "r1"), (index, "r2")]);
            emit!(asm, "adds r1, {}, {}", place(base, "r1"), place(index, "r2"));
            if let Some(offset) = offset {
                asm.word("r2", word(op, offset));
                asm.line("adds r1, r1, r2");
                overflow(asm);
            }
            "r1"
        }
        _ => panic!("{:?} {:?}: unknown kind of address", op.sem, op.form),
    };
    let refused = asm.end(End::Refused(width, register));
    if width == 8 {
        emit!(asm, "adds r2, {register}, #4");
        overflow(asm);
        asm.line("cmp r2, r10");
    } else {
        let limit = ["r8", "r9", "", "r10"][width as usize - 1];
        emit!(asm, "cmp {register}, {limit}");
    }
    emit!(asm, "bhs {refused}");
    register
}

/// Writes the access itself, `lines`. Some cores fault on misaligned accesses. There, those whose address (in
/// `register`) is not a multiple of the width go another way, `slow`, in which r1 is the place in memory. Overwrites r2
/// before the access.
fn access_aligned(asm: &mut Asm, register: &str, width: u32, lines: &[&str], slow: &[&str]) {
    if !asm.v6() || width == 1 {
        asm.lines(lines);
        return;
    }
    let (away, back) = (asm.label(), asm.label());
    emit!(asm, "lsls r2, {register}, #{}", if width == 2 { 31 } else { 30 });
    emit!(asm, "bne {away}");
    asm.lines(lines);
    emit!(asm, "{back}:");
    asm.aside(&[&format!("{away}:"), &format!("adds r1, {register}, r6")]);
    asm.aside(slow);
    asm.aside(&[&format!("b {back}")]);
}

/// Writes `d = load(address)`.
pub fn load(asm: &mut Asm, op: &Op) {
    let (width, instruction) = access(op.sem);
    let register = address(asm, op, 1, op.form.len(), width);
    let line = format!("{instruction} r3, [r6, {register}]");
    access_aligned(asm, register, width, &[&line], &[&format!("bl wisp.unaligned.{instruction}")]);
    asm.result(op);
}

/// Writes `e = load(address)`.
pub fn load_wide(asm: &mut Asm, op: &Op) {
    let (width, instruction) = access(op.sem);
    let register = address(asm, op, 1, op.form.len(), width);
    if width == 8 {
        let place = format!("adds r1, {register}, r6");
        // `ldm` and `ldrd` fault on misaligned addresses
        let lines: &[&str] =
            if asm.v6() { &[&place, "ldm r1!, {r2, r3}"] } else { &[&place, "ldr r2, [r1]", "ldr r3, [r1, #4]"] };
        access_aligned(asm, register, width, lines, &["bl wisp.unaligned.ldrd"]);
    } else {
        let line = format!("{instruction} r3, [r6, {register}]");
        access_aligned(asm, register, width, &[&line], &[&format!("bl wisp.unaligned.{instruction}")]);
        asm.line("movs r2, r3");
        asm.line(match op.sem {
            Sem::Load64From8U | Sem::Load64From16U | Sem::Load64From32U => "movs r3, #0",
            _ => "asrs r3, r3, #31",
        });
    }
    asm.wide_result(op, "r2", "r3", "r1");
}

/// Writes a store of 32 bits or fewer.
pub fn store(asm: &mut Asm, op: &Op) {
    let (width, instruction) = access(op.sem);
    let last = op.form.len() - 1;
    let register = address(asm, op, 0, last, width);
    asm.sources(op, &[(last, "r0")]);
    let value = if op.form[last] == Operand::Acc { "r3" } else { "r0" };
    let line = format!("{instruction} {value}, [r6, {register}]");
    let call = format!("bl wisp.unaligned.{instruction}");
    let slow: &[&str] = if value == "r3" { &["movs r0, r3", &call] } else { &[&call] };
    access_aligned(asm, register, width, &[&line], slow);
    asm.next(op.words());
}

/// Writes a store of 64 bits.
pub fn store_wide(asm: &mut Asm, op: &Op) {
    let last = op.form.len() - 1;
    let register = address(asm, op, 0, last, 8);
    if asm.v6() {
        emit!(asm, "movs r0, {register}");
    }
    emit!(asm, "adds r1, {register}, r6");
    asm.word("r2", word(op, last));
    asm.lines(&["adds r2, r2, r5", "ldm r2, {r2, r3}"]);
    if asm.v6() {
        // r2 holds the value: the test needs another register
        let (away, back) = (asm.label(), asm.label());
        asm.line("lsls r0, r0, #30");
        emit!(asm, "bne {away}");
        asm.line("stm r1!, {r2, r3}");
        emit!(asm, "{back}:");
        asm.aside(&[&format!("{away}:"), "bl wisp.unaligned.strd", &format!("b {back}")]);
    } else {
        asm.lines(&["str r2, [r1]", "str r3, [r1, #4]"]);
    }
    asm.next(op.words());
}

/// Writes the accesses byte by byte: at r1, into or from r3 (loads), r0 (stores), r2 and r3 (64 bits).
pub fn unaligned(asm: &mut Asm) {
    if !asm.v6() {
        return;
    }
    let shift = |asm: &mut Asm, n: u32| emit!(asm, "lsls r0, r0, #{}", n * 8);
    for (instruction, width) in [("ldrh", 2), ("ldr", 4)] {
        asm.function(&format!("wisp.unaligned.{instruction}"));
        asm.line("ldrb r3, [r1]");
        for n in 1..width {
            emit!(asm, "ldrb r0, [r1, #{n}]");
            shift(asm, n);
            asm.line("orrs r3, r0");
        }
        asm.line("bx lr");
    }
    asm.function("wisp.unaligned.ldrsh");
    asm.lines(&["mov r12, lr", "bl wisp.unaligned.ldrh", "sxth r3, r3", "bx r12"]);
    asm.function("wisp.unaligned.ldrd");
    asm.lines(&["mov r12, lr", "bl wisp.unaligned.ldr", "movs r2, r3", "adds r1, r1, #4"]);
    asm.lines(&["bl wisp.unaligned.ldr", "bx r12"]);
    for (instruction, width) in [("strh", 2), ("str", 4)] {
        asm.function(&format!("wisp.unaligned.{instruction}"));
        asm.line("strb r0, [r1]");
        for n in 1..width {
            asm.line("lsrs r0, r0, #8");
            emit!(asm, "strb r0, [r1, #{n}]");
        }
        asm.line("bx lr");
    }
    asm.function("wisp.unaligned.strd");
    asm.lines(&["mov r12, lr", "movs r0, r2", "bl wisp.unaligned.str", "adds r1, r1, #4"]);
    asm.lines(&["movs r0, r3", "bl wisp.unaligned.str", "bx r12"]);
}

// SPDX-License-Identifier: Apache-2.0
//! What holds the core together (entry, exit, calls into Rust), and the ops that have a template each.

use wisp_image::ops::{Op, Operand, Sem};

use super::asm::{emit, word, Asm, End};

/// Registers of the caller that the core saves.
const SAVED: [&str; 12] = ["ra", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10"];

/// Writes the entry, the exit, and the ends that call Rust.
pub fn frame_of_core(asm: &mut Asm) {
    // wisp_riscv_run(ctx, ip, fp) -> trap code or 0
    asm.line(".global wisp_riscv_run");
    asm.function("wisp_riscv_run");
    asm.line("addi sp, sp, -48");
    for (n, register) in SAVED.iter().enumerate() {
        emit!(asm, "sw {register}, {}(sp)", n * 4);
    }
    asm.lines(&["mv s10, a0", "mv s0, a1", "mv s1, a2"]);
    asm.lines(&["lw s8, <GLOBALS>(s10)", "lw s9, <STACK_LIMIT>(s10)"]);
    emit!(asm, "la s3, {}", if asm.isa.threaded { ".Lwisp.base" } else { "wisp.handlers" });
    reload(asm);
    asm.go();

    // the outermost frame returned
    asm.function("wisp.exit");
    asm.line("li a0, 0");
    // a0: why; leaves the core
    asm.function("wisp.stop");
    save(asm);
    for (n, register) in SAVED.iter().enumerate() {
        emit!(asm, "lw {register}, {}(sp)", n * 4);
    }
    asm.lines(&["addi sp, sp, 48", "ret"]);

    // a1: address, a2: bytes
    asm.function("wisp.refused");
    asm.lines(&["mv a0, s10", "call <refused>", "j wisp.stop"]);

    // s7 is negative; goes on at ip
    asm.function("wisp.refill");
    asm.lines(&["mv a0, s10", "mv a1, s1", "call <refill>", "mv s7, a0", "bltz a0, 1f"]);
    asm.go();
    asm.lines(&["1:", "li s7, 0", "neg a0, a0", "j wisp.stop"]);

    // as above, but the op at ip takes its unit again
    asm.function("wisp.refill.again");
    asm.lines(&["mv a0, s10", "mv a1, s1", "call <refill>", "bltz a0, 1b", "addi s7, a0, 1"]);
    asm.go();

    // the portable arm does the op at ip and says in the instance where to go on
    asm.function("wisp.escape");
    save(asm);
    asm.lines(&["mv a0, s10", "call <escape>", "lw s0, <IP>(s10)", "lw s1, <IP> + 4(s10)", "mv a5, a1"]);
    reload(asm);
    // the fuel that is left is in the instance, and s7
    asm.line("bnez a0, wisp.stop");
    asm.go();
}

/// Loads memory, limits and fuel from the instance.
fn reload(asm: &mut Asm) {
    for (n, register) in ["s2", "s4", "s5", "s6", "s7"].iter().enumerate() {
        emit!(asm, "lw {register}, {}(s10)", n * 4);
    }
}

/// Stores ip, fp and fuel into the instance.
fn save(asm: &mut Asm) {
    asm.lines(&["sw s0, <IP>(s10)", "sw s1, <IP> + 4(s10)", "sw s7, <FUEL>(s10)"]);
}

/// Makes the callee's frame, which [`Operand::Frame`] names, the running one, and writes its header. The header has
/// the distance of the frames, and where the call, which has this many words, returns to. Overwrites a0 and a2.
fn push(asm: &mut Asm, words: usize) {
    asm.word("a0", 1);
    let words = words + asm.shift;
    emit!(asm, "addi a2, s0, {}", words * 2);
    asm.lines(&["add s1, s1, a0", "sw a0, -8(s1)", "sw a2, -4(s1)"]);
}

/// Goes back to where the header below fp says.
fn leave(asm: &mut Asm) {
    asm.lines(&["lw a0, -8(s1)", "lw s0, -4(s1)", "sub s1, s1, a0"]);
    asm.go();
}

/// Writes an op of [`wisp_image::ops::Class::Special`]. False if there is no template.
pub fn special(asm: &mut Asm, op: &Op) -> bool {
    let form = op.form;
    let first = form.first().copied().unwrap_or(Operand::None);
    match op.sem {
        Sem::Unreachable => {
            let end = asm.end(End::Trap("Unreachable"));
            emit!(asm, "j {end}");
        }
        Sem::Enter => enter(asm, op),
        Sem::Br => {
            match first {
                Operand::Forward => {
                    asm.word("a0", 1);
                    asm.line("add s0, s0, a0");
                }
                Operand::Back => {
                    asm.word("a0", 1);
                    asm.line("sub s0, s0, a0");
                    asm.take_fuel(End::Refill);
                }
                _ => {
                    asm.long("a0", 1);
                    asm.line("add s0, s0, a0");
                    asm.take_fuel(End::Refill);
                }
            }
            asm.go();
        }
        Sem::BrTable => br_table(asm, op),
        Sem::Return => leave(asm),
        Sem::Return32 => {
            asm.sources(op, &[(0, "a1")]);
            emit!(asm, "sw {}, 0(s1)", if first == Operand::Acc { "a5" } else { "a1" });
            leave(asm);
        }
        Sem::Return64 => {
            asm.wide_source(op, 0, "a0", "a1");
            asm.lines(&["sw a0, 0(s1)", "sw a1, 4(s1)"]);
            leave(asm);
        }
        Sem::Call => {
            if form[1] == Operand::Callee {
                asm.signed("a1", word(op, 1));
                asm.line("slli a1, a1, 1");
            } else {
                asm.long("a1", word(op, 1));
            }
            push(asm, op.words());
            asm.line("add s0, s0, a1");
            asm.go();
        }
        Sem::CallImport => call_import(asm, op),
        Sem::CallIndirect => call_indirect(asm, op),
        Sem::Mov => {
            asm.sources(op, &[(1, "a5")]);
            asm.result(op);
        }
        Sem::Mov64 => {
            asm.wide_source(op, 1, "a0", "a1");
            asm.wide_result(op, "a0", "a1");
        }
        Sem::Const => {
            if form[1] == Operand::Imm16 {
                asm.signed("a5", 2);
            } else {
                asm.long("a5", 2);
            }
            asm.result(op);
        }
        Sem::Const64 => {
            if form[1] == Operand::Imm16 {
                asm.signed("a0", 2);
                asm.line("srai a1, a0, 31");
            } else {
                asm.long("a0", 2);
                asm.long("a1", 4);
            }
            asm.wide_result(op, "a0", "a1");
        }
        Sem::GlobalGet => {
            global(asm, op, 1);
            asm.line("lw a5, 0(a1)");
            asm.result(op);
        }
        Sem::GlobalSet => {
            global(asm, op, 0);
            asm.sources(op, &[(1, "a2")]);
            emit!(asm, "sw {}, 0(a1)", if form[1] == Operand::Acc { "a5" } else { "a2" });
            asm.next(op.words());
        }
        Sem::GlobalGet64 => {
            global(asm, op, 1);
            asm.lines(&["lw a0, 0(a1)", "lw a1, 4(a1)"]);
            asm.wide_result(op, "a0", "a1");
        }
        Sem::GlobalSet64 => {
            global(asm, op, 0);
            asm.wide_source(op, 1, "a2", "a3");
            asm.lines(&["sw a2, 0(a1)", "sw a3, 4(a1)"]);
            asm.next(op.words());
        }
        Sem::AddressAdd => {
            asm.sources(op, &[(1, "a1")]);
            asm.long("a2", 3);
            asm.line("add a5, a1, a2");
            asm.trap_if("bltu a5, a2", "MemoryOutOfBounds");
            asm.result(op);
        }
        _ => return false,
    }
    true
}

/// Loads the address of the global that this operand names into a1. Overwrites a0.
fn global(asm: &mut Asm, op: &Op, operand: usize) {
    asm.word("a1", word(op, operand));
    match op.form[operand] {
        Operand::Global | Operand::Global64 => asm.line("add a1, a1, s8"),
        _ => asm.lines(&["lw a0, <IMPORTED_GLOBALS>(s10)", "slli a1, a1, 2", "add a1, a1, a0", "lw a1, 0(a1)"]),
    }
}

fn enter(asm: &mut Asm, op: &Op) {
    asm.word("a0", 1);
    asm.slot("a0");
    asm.trap_if("bltu s9, a0", "StackOverflow");
    asm.take_fuel(End::RefillAgain);
    if op.form.len() == 2 {
        // clears two slots a round, after the odd one
        asm.word("a1", 2);
        asm.word("a2", 3);
        asm.slot("a1");
        asm.lines(&["andi a0, a2, 1", "slli a2, a2, 2", "add a2, a2, a1", "beqz a0, 1f"]);
        asm.lines(&["sw zero, 0(a1)", "addi a1, a1, 4", "1:", "bgeu a1, a2, 3f"]);
        asm.lines(&["2:", "sw zero, 0(a1)", "sw zero, 4(a1)", "addi a1, a1, 8", "bltu a1, a2, 2b", "3:"]);
    }
    asm.next(op.words());
}

fn br_table(asm: &mut Asm, op: &Op) {
    asm.sources(op, &[(0, "a5")]);
    let n = word(op, 1);
    asm.word("a1", n);
    asm.lines(&["bltu a5, a1, 1f", "mv a5, a1", "1:", "slli a5, a5, 1", "add a1, a5, s0"]);
    emit!(asm, "lhu a0, {}(a1)", (n + 1 + asm.shift) * 2);
    asm.line("add s0, s0, a0");
    asm.go();
}

/// Loads the function, its slots and its environment, lets the host see where the guest stands, calls. Memory may
/// have grown meanwhile, and fuel may be other than before.
fn call_import(asm: &mut Asm, op: &Op) {
    asm.word("a2", word(op, 1));
    asm.line("lw a3, <IMPORTS>(s10)");
    asm.word("a1", 1);
    asm.lines(&["slli a2, a2, 4", "add a3, a3, a2"]);
    asm.lines(&["lw a4, 0(a3)", "lw a2, 4(a3)"]);
    save(asm);
    asm.slot("a1");
    asm.lines(&["mv a0, s10", "jalr a4"]);
    let (stopped, grown, done) = (asm.label(), asm.label(), asm.label());
    // the fuel that is left is in the instance
    asm.lines(&["lw a1, <LIMIT>(s10)", "lw s7, <FUEL>(s10)"]);
    emit!(asm, "bnez a0, {stopped}");
    emit!(asm, "bne a1, s4, {grown}");
    emit!(asm, "{done}:");
    asm.next(op.words());
    asm.aside(&[&format!("{stopped}:"), "j wisp.stop", &format!("{grown}:")]);
    let mut rest = asm.beside();
    reload(&mut rest);
    asm.aside_of(rest);
    asm.aside(&[&format!("j {done}")]);
}

/// Writes an indirect call. If the function in the table belongs to this instance and has the type that the call names,
/// it is a call as any other. Everything else is for the escape.
fn call_indirect(asm: &mut Asm, op: &Op) {
    let escape = asm.end(End::Escape);
    asm.word("a1", word(op, 2));
    asm.word("a3", word(op, 3));
    asm.line("lw a2, <TABLES>(s10)");
    asm.slot("a3");
    asm.lines(&["slli a1, a1, 2", "add a2, a2, a1", "lw a2, 0(a2)", "lw a3, 0(a3)"]);
    // a1: elements, a2: their number, a3: index
    asm.lines(&["lw a1, 0(a2)", "lw a2, 4(a2)"]);
    emit!(asm, "bgeu a3, a2, {escape}");
    asm.lines(&["slli a3, a3, 2", "add a1, a1, a3", "lw a1, 0(a1)"]);
    // a1: reference, then number among the functions defined here
    asm.lines(&["lw a2, <FIRST_REFERENCE>(s10)", "lw a3, <FUNCTION_COUNT>(s10)", "sub a1, a1, a2"]);
    emit!(asm, "bgeu a1, a3, {escape}");
    asm.line("lw a2, <FUNCTIONS>(s10)");
    asm.word("a3", word(op, 1));
    asm.lines(&["slli a1, a1, 3", "add a1, a1, a2", "lhu a2, 4(a1)"]);
    // a1: offset of its code, a2: its type
    emit!(asm, "bne a2, a3, {escape}");
    asm.lines(&["lw a1, 0(a1)", "lw a3, <CODE>(s10)"]);
    push(asm, op.words());
    asm.line("add s0, a1, a3");
    asm.go();
}

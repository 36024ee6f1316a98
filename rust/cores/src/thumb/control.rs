// SPDX-License-Identifier: Apache-2.0
//! What holds the core together (entry, exit, calls into Rust), and the ops that have a template each.

use wisp_image::ops::{Op, Operand, Sem};

use super::asm::{emit, word, Asm, End};

/// Writes the entry, the exit, and the ends that call Rust.
pub fn frame_of_core(asm: &mut Asm) {
    // wisp_thumb_run(ctx, ip, fp) -> trap code or 0
    asm.line(".global wisp_thumb_run");
    asm.function("wisp_thumb_run");
    if asm.v6() {
        asm.lines(&["push {r4, r5, r6, r7, lr}", "mov r4, r8", "mov r5, r9", "mov r6, r10", "mov r7, r11"]);
        asm.line("push {r4, r5, r6, r7}");
    } else {
        asm.line("push {r4, r5, r6, r7, r8, r9, r10, r11, lr}");
    }
    asm.lines(&["movs r4, r1", "movs r5, r2"]);
    asm.lines(&["ldr r1, [r0, #<STACK_LIMIT>]", "ldr r2, [r0, #<GLOBALS>]", "push {r0, r1, r2}"]);
    asm.line("ldr r7, 1f");
    reload(asm, "r0");
    asm.go();
    asm.lines(&[".p2align 2", "1:", ".word wisp.handlers"]);

    // the outermost frame returned
    asm.function("wisp.exit");
    asm.line("movs r0, #0");
    // r0: why; leaves the core
    asm.function("wisp.stop");
    asm.line("ldr r1, [sp]");
    save(asm, "r1", "r2");
    asm.line("add sp, #12");
    if asm.v6() {
        asm.lines(&["pop {r4, r5, r6, r7}", "mov r8, r4", "mov r9, r5", "mov r10, r6", "mov r11, r7"]);
        asm.line("pop {r4, r5, r6, r7, pc}");
    } else {
        asm.line("pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}");
    }

    // r1: address, r2: bytes
    asm.function("wisp.refused");
    asm.lines(&["ldr r0, [sp]", "bl <refused>", "b wisp.stop"]);

    // r11 is negative; goes on at ip
    asm.function("wisp.refill");
    asm.lines(&["ldr r0, [sp]", "movs r1, r5", "bl <refill>", "mov r11, r0", "cmp r0, #0", "blt 1f"]);
    asm.go();
    asm.lines(&["1:", "movs r1, #0", "mov r11, r1", "rsbs r0, r0, #0", "b wisp.stop"]);

    // as above, but the op at ip takes its unit again
    asm.function("wisp.refill.again");
    asm.lines(&[
        "ldr r0, [sp]",
        "movs r1, r5",
        "bl <refill>",
        "cmp r0, #0",
        "blt 1b",
        "adds r0, r0, #1",
        "mov r11, r0",
    ]);
    asm.go();

    // the portable arm does the op at ip and says in the instance where to go on
    asm.function("wisp.escape");
    asm.line("ldr r0, [sp]");
    save(asm, "r0", "r2");
    asm.lines(&["bl <escape>", "ldr r2, [sp]"]);
    if asm.v6() {
        asm.lines(&["ldr r4, [r2, #<IP>]", "ldr r5, [r2, #<IP> + 4]"]);
    } else {
        asm.line("ldrd r4, r5, [r2, #<IP>]");
    }
    asm.lines(&["movs r3, r1", "cmp r0, #0", "bne 2f"]);
    reload(asm, "r2");
    asm.go();
    // the fuel that is left is in the instance
    asm.lines(&["2:", "ldr r1, [r2, #<FUEL>]", "mov r11, r1", "b wisp.stop"]);
}

/// Loads memory, limits and fuel from the instance in this register.
fn reload(asm: &mut Asm, ctx: &str) {
    if asm.v6() {
        emit!(asm, "ldm {ctx}!, {{r6}}");
        for register in ["r8", "r9", "r10", "r11"] {
            emit!(asm, "ldm {ctx}!, {{r1}}");
            emit!(asm, "mov {register}, r1");
        }
    } else {
        emit!(asm, "ldm {ctx}, {{r6, r8, r9, r10, r11}}");
    }
}

/// Stores ip and fp into the instance in this register.
fn save_place(asm: &mut Asm, ctx: &str) {
    if asm.v6() {
        emit!(asm, "str r4, [{ctx}, #<IP>]");
        emit!(asm, "str r5, [{ctx}, #<IP> + 4]");
    } else {
        emit!(asm, "strd r4, r5, [{ctx}, #<IP>]");
    }
}

/// Stores ip, fp and fuel into the instance in this register.
fn save(asm: &mut Asm, ctx: &str, scratch: &str) {
    save_place(asm, ctx);
    if asm.v6() {
        emit!(asm, "mov {scratch}, r11");
        emit!(asm, "str {scratch}, [{ctx}, #<FUEL>]");
    } else {
        emit!(asm, "str r11, [{ctx}, #<FUEL>]");
    }
}

/// Says in the instance where the guest stands, for profilers. Begins a handler that calls a library. Overwrites r0.
pub fn tell(asm: &mut Asm) {
    if asm.tells {
        asm.line("ldr r0, [sp]");
        save_place(asm, "r0");
    }
}

/// Makes the callee's frame, which [`Operand::Frame`] names, the running one, and writes its header. The header has
/// the distance of the frames, and where the call, which has this many words, returns to. Overwrites r0 and r2.
fn push(asm: &mut Asm, words: usize) {
    asm.word("r0", 1);
    asm.line("adds r5, r5, r0");
    let words = words + asm.shift;
    if asm.v6() {
        asm.line("movs r2, r4");
        emit!(asm, "adds r2, #{}", words * 2);
        // into the two slots below r5
        asm.lines(&["subs r5, #8", "stm r5!, {r0, r2}"]);
    } else {
        emit!(asm, "add r2, r4, #{}", words * 2);
        asm.line("strd r0, r2, [r5, #-8]");
    }
}

/// Goes back to where the header below fp says.
fn leave(asm: &mut Asm) {
    if asm.v6() {
        asm.lines(&["subs r5, #8", "ldm r5!, {r1, r4}"]);
    } else {
        asm.line("ldrd r1, r4, [r5, #-8]");
    }
    asm.line("subs r5, r5, r1");
    asm.go();
}

/// Writes an op of [`wisp_image::ops::Class::Special`]. False if there is no template.
pub fn special(asm: &mut Asm, op: &Op) -> bool {
    let form = op.form;
    let first = form.first().copied().unwrap_or(Operand::None);
    match op.sem {
        Sem::Unreachable => {
            let end = asm.end(End::Trap("Unreachable"));
            emit!(asm, "b {end}");
        }
        Sem::Enter => enter(asm, op),
        Sem::Br => match first {
            Operand::Forward => {
                asm.word("r0", 1);
                asm.line("adds r4, r4, r0");
                asm.go();
            }
            Operand::Back => {
                asm.word("r0", 1);
                asm.line("subs r4, r4, r0");
                asm.take_fuel(End::Refill);
                asm.go();
            }
            _ => {
                asm.long("r0", 1, "r1");
                asm.line("adds r4, r4, r0");
                asm.take_fuel(End::Refill);
                asm.go();
            }
        },
        Sem::BrTable => br_table(asm, op),
        Sem::Return => leave(asm),
        Sem::Return32 => {
            asm.sources(op, &[(0, "r1")]);
            emit!(asm, "str {}, [r5]", if first == Operand::Acc { "r3" } else { "r1" });
            leave(asm);
        }
        Sem::Return64 => {
            asm.wide_source(op, 0, "r0", "r1");
            asm.lines(&["str r0, [r5]", "str r1, [r5, #4]"]);
            leave(asm);
        }
        Sem::Call => {
            if form[1] == Operand::Callee {
                asm.signed("r1", word(op, 1));
            } else {
                asm.long("r1", word(op, 1), "r2");
            }
            push(asm, op.words());
            match (form[1], asm.v6()) {
                (Operand::Callee, false) => asm.line("add r4, r4, r1, lsl #1"),
                (Operand::Callee, true) => asm.lines(&["lsls r1, r1, #1", "adds r4, r4, r1"]),
                _ => asm.line("adds r4, r4, r1"),
            }
            asm.go();
        }
        Sem::CallImport => call_import(asm, op),
        Sem::CallIndirect => call_indirect(asm, op),
        Sem::Mov => {
            asm.sources(op, &[(1, "r3")]);
            asm.result(op);
        }
        Sem::Mov64 => {
            asm.wide_source(op, 1, "r0", "r1");
            asm.wide_result(op, "r0", "r1", "r2");
        }
        Sem::Const => {
            if form[1] == Operand::Imm16 {
                asm.signed("r3", 2);
            } else {
                asm.long("r3", 2, "r1");
            }
            asm.result(op);
        }
        Sem::Const64 => {
            if form[1] == Operand::Imm16 {
                asm.signed("r0", 2);
                asm.line("asrs r1, r0, #31");
            } else {
                asm.long("r0", 2, "r2");
                asm.long("r1", 4, "r2");
            }
            asm.wide_result(op, "r0", "r1", "r2");
        }
        Sem::GlobalGet => {
            global(asm, op, 1);
            asm.line("ldr r3, [r1]");
            asm.result(op);
        }
        Sem::GlobalSet => {
            global(asm, op, 0);
            asm.sources(op, &[(1, "r2")]);
            emit!(asm, "str {}, [r1]", if form[1] == Operand::Acc { "r3" } else { "r2" });
            asm.next(op.words());
        }
        Sem::GlobalGet64 => {
            global(asm, op, 1);
            asm.line("ldm r1, {r0, r1}");
            asm.wide_result(op, "r0", "r1", "r2");
        }
        Sem::GlobalSet64 => {
            global(asm, op, 0);
            asm.wide_source(op, 1, "r2", "r3");
            asm.line("stm r1!, {r2, r3}");
            asm.next(op.words());
        }
        Sem::AddressAdd => {
            asm.sources(op, &[(1, "r1")]);
            asm.long("r2", 3, "r0");
            asm.line("adds r3, r1, r2");
            asm.trap_if("cs", "MemoryOutOfBounds");
            asm.result(op);
        }
        _ => return false,
    }
    true
}

/// Loads the address of the global that this operand names into r1. Overwrites r0.
fn global(asm: &mut Asm, op: &Op, operand: usize) {
    match op.form[operand] {
        Operand::Global | Operand::Global64 => {
            asm.word("r1", word(op, operand));
            asm.lines(&["ldr r0, [sp, #8]", "adds r1, r1, r0"]);
        }
        _ => {
            asm.word("r1", word(op, operand));
            asm.lines(&["ldr r0, [sp]", "ldr r0, [r0, #<IMPORTED_GLOBALS>]", "lsls r1, r1, #2"]);
            asm.line("ldr r1, [r0, r1]");
        }
    }
}

fn enter(asm: &mut Asm, op: &Op) {
    let refill = End::RefillAgain;
    asm.word("r0", 1);
    asm.lines(&["ldr r1, [sp, #4]", "adds r0, r0, r5", "cmp r0, r1"]);
    asm.trap_if("hi", "StackOverflow");
    asm.take_fuel(refill);
    if op.form.len() == 2 {
        // clears two slots a round, after the odd one
        asm.word("r1", 2);
        asm.word("r2", 3);
        asm.lines(&["adds r1, r1, r5", "movs r0, #0", "movs r3, #0", "lsrs r2, r2, #1", "bcc 1f"]);
        asm.lines(&["stm r1!, {r3}", "1:", "cmp r2, #0", "beq 3f"]);
        asm.lines(&["2:", "stm r1!, {r0, r3}", "subs r2, r2, #1", "bne 2b", "3:"]);
    }
    asm.next(op.words());
}

fn br_table(asm: &mut Asm, op: &Op) {
    asm.sources(op, &[(0, "r3")]);
    let n = word(op, 1);
    asm.word("r1", n);
    asm.lines(&["cmp r3, r1", "blo 1f", "movs r3, r1", "1:"]);
    if asm.v6() {
        asm.lines(&["lsls r3, r3, #1", "adds r1, r4, r3"]);
    } else {
        asm.line("add r1, r4, r3, lsl #1");
    }
    emit!(asm, "ldrh r0, [r1, #{}]", (n + 1 + asm.shift) * 2);
    asm.line("adds r4, r4, r0");
    asm.go();
}

/// Loads the function, its slots and its environment, lets the host see where the guest stands, calls. Memory may
/// have grown meanwhile, and fuel may be other than before.
fn call_import(asm: &mut Asm, op: &Op) {
    asm.line("ldr r0, [sp]");
    asm.word("r2", word(op, 1));
    asm.line("ldr r3, [r0, #<IMPORTS>]");
    if asm.v6() {
        asm.lines(&["lsls r1, r2, #4", "adds r3, r3, r1"]);
    } else {
        asm.line("add r3, r3, r2, lsl #4");
    }
    asm.word("r1", 1);
    save(asm, "r0", "r2");
    let stopped = asm.label();
    if asm.v6() {
        asm.lines(&["ldr r2, [r3, #4]", "ldr r3, [r3]", "adds r1, r1, r5", "blx r3", "cmp r0, #0"]);
        emit!(asm, "bne {stopped}");
        // nine instructions for all that may have changed: only if the size did
        let (grown, done) = (asm.label(), asm.label());
        asm.lines(&["ldr r0, [sp]", "ldr r1, [r0, #<LIMIT>]", "cmp r1, r8"]);
        emit!(asm, "bne {grown}");
        asm.lines(&["ldr r1, [r0, #<FUEL>]", "mov r11, r1"]);
        emit!(asm, "{done}:");
        let mut rest = asm.beside();
        emit!(rest, "{grown}:");
        reload(&mut rest, "r0");
        emit!(rest, "b {done}");
        asm.aside_of(rest);
    } else {
        asm.lines(&["ldrd r12, r2, [r3]", "adds r1, r1, r5", "blx r12"]);
        emit!(asm, "cbnz r0, {stopped}");
        asm.line("ldr r0, [sp]");
        reload(asm, "r0");
    }
    asm.next(op.words());
    // the fuel that is left is in the instance
    let stop = if asm.v6() { "bl wisp.stop" } else { "b wisp.stop" };
    asm.aside(&[&format!("{stopped}:"), "ldr r2, [sp]", "ldr r1, [r2, #<FUEL>]", "mov r11, r1", stop]);
}

/// Writes an indirect call. If the function in the table belongs to this instance and has the type that the call names,
/// it is a call as any other. Everything else is for the escape.
fn call_indirect(asm: &mut Asm, op: &Op) {
    let escape = asm.end(End::Escape);
    asm.line("ldr r0, [sp]");
    asm.word("r1", word(op, 2));
    asm.word("r3", word(op, 3));
    asm.line("ldr r2, [r0, #<TABLES>]");
    if asm.v6() {
        asm.lines(&["lsls r1, r1, #2", "ldr r2, [r2, r1]"]);
    } else {
        asm.line("ldr r2, [r2, r1, lsl #2]");
    }
    // r1: elements, r2: their number, r3: index
    asm.lines(&["ldr r3, [r5, r3]", "ldm r2, {r1, r2}", "cmp r3, r2"]);
    emit!(asm, "bhs {escape}");
    if asm.v6() {
        asm.lines(&["lsls r3, r3, #2", "ldr r1, [r1, r3]"]);
    } else {
        asm.line("ldr r1, [r1, r3, lsl #2]");
    }
    // r1: reference, then number among the functions defined here
    asm.lines(&[
        "ldr r2, [r0, #<FIRST_REFERENCE>]",
        "ldr r3, [r0, #<FUNCTION_COUNT>]",
        "subs r1, r1, r2",
        "cmp r1, r3",
    ]);
    emit!(asm, "bhs {escape}");
    asm.line("ldr r2, [r0, #<FUNCTIONS>]");
    if asm.v6() {
        asm.lines(&["lsls r1, r1, #3", "adds r1, r1, r2"]);
    } else {
        asm.line("add r1, r2, r1, lsl #3");
    }
    // r1: offset of its code, r2: its type
    asm.word("r3", word(op, 1));
    asm.lines(&["ldrh r2, [r1, #4]", "cmp r2, r3"]);
    emit!(asm, "bne {escape}");
    asm.lines(&["ldr r1, [r1]", "ldr r3, [r0, #<CODE>]"]);
    push(asm, op.words());
    asm.lines(&["adds r4, r1, r3"]);
    asm.go();
}

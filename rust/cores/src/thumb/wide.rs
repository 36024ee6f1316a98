// SPDX-License-Identifier: Apache-2.0
//! 64-bit integers, and floating point through the library that every compiler for Arm brings along
//! (the run-time ABI for the Arm architecture: `__aeabi_*`, integer registers only).

use wisp_image::ops::{Op, Operand, Sem};

use super::asm::{emit, Asm};
use super::control::tell;
use super::set_if;

/// Returns the library function that does the whole op, if there is one, with its sources in r0.. and its
/// result in r0 or r0, r1. Its NaNs are quiet, as wasm has them.
pub fn library(sem: Sem) -> Option<&'static str> {
    Some(match sem {
        Sem::F32Add => "__aeabi_fadd",
        Sem::F32Sub => "__aeabi_fsub",
        Sem::F32Mul => "__aeabi_fmul",
        Sem::F32Div => "__aeabi_fdiv",
        Sem::F32Eq | Sem::F32Ne => "__aeabi_fcmpeq",
        Sem::F32Lt => "__aeabi_fcmplt",
        Sem::F32Le => "__aeabi_fcmple",
        Sem::F64Add => "__aeabi_dadd",
        Sem::F64Sub => "__aeabi_dsub",
        Sem::F64Mul => "__aeabi_dmul",
        Sem::F64Div => "__aeabi_ddiv",
        Sem::F64Eq | Sem::F64Ne => "__aeabi_dcmpeq",
        Sem::F64Lt => "__aeabi_dcmplt",
        Sem::F64Le => "__aeabi_dcmple",
        Sem::F32ConvertI32S => "__aeabi_i2f",
        Sem::F32ConvertI32U => "__aeabi_ui2f",
        Sem::F32ConvertI64S => "__aeabi_l2f",
        Sem::F32ConvertI64U => "__aeabi_ul2f",
        Sem::F64ConvertI32S => "__aeabi_i2d",
        Sem::F64ConvertI32U => "__aeabi_ui2d",
        Sem::F64ConvertI64S => "__aeabi_l2d",
        Sem::F64ConvertI64U => "__aeabi_ul2d",
        Sem::F32DemoteF64 => "__aeabi_d2f",
        // what Arm's library says about NaN and about numbers out of range differs from what wasm says
        Sem::F64PromoteF32 => "<f64_promote_f32>",
        Sem::I32TruncSatF32S => "<i32_trunc_sat_f32_s>",
        Sem::I32TruncSatF32U => "<i32_trunc_sat_f32_u>",
        Sem::I32TruncSatF64S => "<i32_trunc_sat_f64_s>",
        Sem::I32TruncSatF64U => "<i32_trunc_sat_f64_u>",
        _ => return None,
    })
}

/// Writes `d = library(x, y)`, `d = library(x)`: 32-bit sources.
pub fn call32(asm: &mut Asm, op: &Op, function: &str) {
    tell(asm);
    match op.form.len() {
        2 => asm.sources(op, &[(1, "r0")]),
        _ => asm.sources(op, &[(1, "r0"), (2, "r1")]),
    }
    call(asm, op, function);
}

/// Calls a function like [`call32`], with 64-bit sources.
pub fn call64(asm: &mut Asm, op: &Op, function: &str) {
    tell(asm);
    match op.form.len() {
        2 => asm.wide_source(op, 1, "r0", "r1"),
        _ => asm.wide_sources(op, 1, 2),
    }
    call(asm, op, function);
}

fn call(asm: &mut Asm, op: &Op, function: &str) {
    emit!(asm, "bl {function}");
    if op.form[0] == Operand::Dst64 {
        asm.wide_result(op, "r0", "r1", "r2");
        return;
    }
    match op.sem {
        Sem::F32Ne | Sem::F64Ne => asm.lines(&["movs r3, #1", "eors r3, r0"]),
        _ => asm.line("movs r3, r0"),
    }
    asm.result(op);
}

/// Writes `e = f(x, y)` in line. Returns false if there is no template.
pub fn binary(asm: &mut Asm, op: &Op) -> bool {
    match op.sem {
        Sem::I64Add => in_registers(asm, op, &["adds r0, r0, r2", "adcs r1, r3"]),
        Sem::I64Sub => in_registers(asm, op, &["subs r0, r0, r2", "sbcs r1, r3"]),
        Sem::I64And => in_registers(asm, op, &["ands r0, r2", "ands r1, r3"]),
        Sem::I64Or => in_registers(asm, op, &["orrs r0, r2", "orrs r1, r3"]),
        Sem::I64Xor => in_registers(asm, op, &["eors r0, r2", "eors r1, r3"]),
        Sem::I64Mul if asm.v6() => {
            tell(asm);
            in_registers(asm, op, &["bl __aeabi_lmul"]);
        }
        Sem::I64Mul => {
            in_registers(asm, op, &["muls r1, r2, r1", "mla r1, r0, r3, r1", "umull r0, r2, r0, r2", "adds r1, r1, r2"])
        }
        Sem::I64Shl | Sem::I64ShrS | Sem::I64ShrU => shift(asm, op),
        Sem::I64XorShrU => xor_shift(asm, op),
        Sem::I64Rotl | Sem::I64Rotr if !asm.v6() => rotate(asm, op),
        Sem::F64Copysign => in_registers(
            asm,
            op,
            &["lsls r1, r1, #1", "lsrs r1, r1, #1", "lsrs r3, r3, #31", "lsls r3, r3, #31", "orrs r1, r3"],
        ),
        _ => return false,
    }
    true
}

fn in_registers(asm: &mut Asm, op: &Op, lines: &[&str]) {
    asm.wide_sources(op, 1, 2);
    asm.lines(lines);
    asm.wide_result(op, "r0", "r1", "r2");
}

/// Loads the count into r2, below 64. The compiler makes immediate counts so.
fn count(asm: &mut Asm, op: &Op) {
    asm.wide_sources_low(op, 1, 2);
    if op.form[2] != Operand::Imm16 {
        if asm.v6() {
            asm.lines(&["movs r3, #63", "ands r2, r3"]);
        } else {
            asm.line("and r2, r2, #63");
        }
    }
}

fn shift(asm: &mut Asm, op: &Op) {
    count(asm, op);
    // r3 = count - 32, then 32 - count: shifting by 32 gives 0
    if asm.v6() {
        asm.lines(&["movs r3, r2", "subs r3, #32"]);
    } else {
        asm.line("subs r3, r2, #32");
    }
    let (away, back_again) = (asm.label(), asm.label());
    emit!(asm, "bpl {away}");
    asm.line("rsbs r3, r3, #0");
    let (across, back, main) = match op.sem {
        Sem::I64Shl => ("r0", "r1", "lsls"),
        Sem::I64ShrU => ("r1", "r0", "lsrs"),
        _ => ("r1", "r0", "asrs"),
    };
    // `across` loses bits to `back`
    let (lose, gain) = if op.sem == Sem::I64Shl { ("lsr", "lsls") } else { ("lsl", "lsrs") };
    emit!(asm, "{gain} {back}, {back}, r2");
    if asm.v6() {
        emit!(asm, "mov r12, {across}");
        emit!(asm, "{lose}s {across}, {across}, r3");
        emit!(asm, "orrs {back}, {across}");
        emit!(asm, "mov {across}, r12");
    } else {
        emit!(asm, "{lose} r3, {across}, r3");
        emit!(asm, "orrs {back}, r3");
    }
    emit!(asm, "{main} {across}, {across}, r2");
    emit!(asm, "{back_again}:");
    asm.wide_result(op, "r0", "r1", "r2");
    asm.aside(&[&format!("{away}:"), &format!("movs {back}, {across}"), &format!("{main} {back}, {back}, r3")]);
    let zero = format!("movs {across}, #0");
    asm.aside(&[if op.sem == Sem::I64ShrS { "asrs r1, r1, #31" } else { &zero }, &format!("b {back_again}")]);
}

/// Writes `x ^ (x >> count)`, by which hash functions mix: the count is an immediate.
fn xor_shift(asm: &mut Asm, op: &Op) {
    count(asm, op);
    let (away, back) = (asm.label(), asm.label());
    if asm.v6() {
        asm.lines(&["movs r3, r2", "subs r3, #32"]);
    } else {
        asm.line("subs r3, r2, #32");
    }
    emit!(asm, "bpl {away}");
    asm.line("rsbs r3, r3, #0");
    if asm.v6() {
        asm.lines(&["mov r12, r1", "lsls r1, r1, r3", "movs r3, r0", "lsrs r3, r3, r2", "eors r0, r3", "eors r0, r1"]);
        asm.lines(&["mov r1, r12", "movs r3, r1", "lsrs r3, r3, r2", "eors r1, r3"]);
    } else {
        asm.lines(&[
            "lsl r3, r1, r3",
            "lsr r12, r0, r2",
            "eors r0, r3",
            "eor r0, r0, r12",
            "lsr r3, r1, r2",
            "eors r1, r3",
        ]);
    }
    emit!(asm, "{back}:");
    asm.wide_result(op, "r0", "r1", "r2");
    asm.aside(&[&format!("{away}:"), "movs r2, r1", "lsrs r2, r2, r3", "eors r0, r2", &format!("b {back}")]);
}

fn rotate(asm: &mut Asm, op: &Op) {
    asm.wide_sources_low(op, 1, 2);
    if op.sem == Sem::I64Rotl {
        asm.line("rsbs r2, r2, #0");
    }
    // bit 5 of the count changes the halves
    asm.lines(&["lsls r3, r2, #26", "bpl 1f", "mov r3, r0", "mov r0, r1", "mov r1, r3", "1:"]);
    asm.lines(&["and r2, r2, #31", "rsb r3, r2, #32", "lsl r12, r1, r3", "lsl r3, r0, r3"]);
    asm.lines(&["lsrs r0, r0, r2", "lsrs r1, r1, r2", "orr r0, r0, r12", "orrs r1, r3"]);
    asm.wide_result(op, "r0", "r1", "r2");
}

/// Writes `e = f(x)` in line. Returns false if there is no template.
pub fn unary(asm: &mut Asm, op: &Op) -> bool {
    let lines: &[&str] = match op.sem {
        Sem::I64Extend8S => &["sxtb r0, r0", "asrs r1, r0, #31"],
        Sem::I64Extend16S => &["sxth r0, r0", "asrs r1, r0, #31"],
        Sem::I64Extend32S => &["asrs r1, r0, #31"],
        Sem::F64Abs => &["lsls r1, r1, #1", "lsrs r1, r1, #1"],
        Sem::F64Neg => &["movs r2, #1", "lsls r2, r2, #31", "eors r1, r2"],
        _ => return false,
    };
    asm.wide_source(op, 1, "r0", "r1");
    asm.lines(lines);
    asm.wide_result(op, "r0", "r1", "r2");
    true
}

/// Writes `d = f(x, y) ? 1 : 0` in line. Returns false if there is no template.
pub fn set(asm: &mut Asm, op: &Op) -> bool {
    match op.sem {
        Sem::I64Eq | Sem::I64Ne => {
            asm.wide_sources(op, 1, 2);
            asm.lines(&["eors r0, r2", "eors r1, r3", "orrs r0, r1"]);
            is_zero(asm, op.sem == Sem::I64Eq);
        }
        Sem::I64LtS | Sem::I64LtU | Sem::I64GeS | Sem::I64GeU => {
            asm.wide_sources(op, 1, 2);
            asm.lines(&["cmp r0, r2", "sbcs r1, r3"]);
            match op.sem {
                Sem::I64LtU => asm.lines(&["sbcs r3, r3", "rsbs r3, r3, #0"]),
                Sem::I64GeU => asm.lines(&["movs r3, #0", "adcs r3, r3"]),
                Sem::I64LtS => set_if(asm, "lt"),
                _ => set_if(asm, "ge"),
            }
        }
        _ => return false,
    }
    asm.result(op);
    true
}

/// Sets r3 to 1 if r0 is zero (or is not), and else to 0.
fn is_zero(asm: &mut Asm, zero: bool) {
    if zero {
        asm.lines(&["rsbs r3, r0, #0", "adcs r3, r0"]);
    } else {
        asm.lines(&["subs r1, r0, #1", "sbcs r0, r1", "movs r3, r0"]);
    }
}

/// Writes `d = f(t)` in line. Returns false if there is no template.
pub fn narrow(asm: &mut Asm, op: &Op) -> bool {
    if op.sem != Sem::I64Eqz {
        return false;
    }
    asm.wide_source(op, 1, "r0", "r1");
    asm.line("orrs r0, r1");
    is_zero(asm, true);
    asm.result(op);
    true
}

/// Writes `e = f(s)` in line. Returns false if there is no template.
pub fn widen(asm: &mut Asm, op: &Op) -> bool {
    let high = match op.sem {
        Sem::I64ExtendI32S => "asrs r1, r0, #31",
        Sem::I64ExtendI32U => "movs r1, #0",
        _ => return false,
    };
    asm.sources(op, &[(1, "r0")]);
    asm.line(high);
    asm.wide_result(op, "r0", "r1", "r2");
    true
}

// SPDX-License-Identifier: Apache-2.0
//! 64-bit integers, and floating point through the library that every compiler brings along, or through
//! Rust where floats travel in registers of their own.

use wisp_image::ops::{Op, Operand, Sem};

use super::asm::{emit, Asm};

/// Returns the function that does the whole op, if there is one, with its sources in a0.. and its result in a0 or a0,
/// a1. Each is an integer or the bits of a float. Its NaNs are quiet, as wasm has them.
pub fn library(sem: Sem) -> Option<&'static str> {
    Some(match sem {
        Sem::F32Add => "__addsf3",
        Sem::F32Sub => "__subsf3",
        Sem::F32Mul => "__mulsf3",
        Sem::F32Div => "__divsf3",
        Sem::F32Eq | Sem::F32Ne => "__eqsf2",
        Sem::F32Lt => "__ltsf2",
        Sem::F32Le => "__lesf2",
        Sem::F64Add => "__adddf3",
        Sem::F64Sub => "__subdf3",
        Sem::F64Mul => "__muldf3",
        Sem::F64Div => "__divdf3",
        Sem::F64Eq | Sem::F64Ne => "__eqdf2",
        Sem::F64Lt => "__ltdf2",
        Sem::F64Le => "__ledf2",
        Sem::F32ConvertI32S => "__floatsisf",
        Sem::F32ConvertI32U => "__floatunsisf",
        Sem::F32ConvertI64S => "__floatdisf",
        Sem::F32ConvertI64U => "__floatundisf",
        Sem::F64ConvertI32S => "__floatsidf",
        Sem::F64ConvertI32U => "__floatunsidf",
        Sem::F64ConvertI64S => "__floatdidf",
        Sem::F64ConvertI64U => "__floatundidf",
        Sem::F32DemoteF64 => "__truncdfsf2",
        // what libraries say about NaN and about numbers out of range differs from what wasm says
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
    match op.form.len() {
        2 => asm.sources(op, &[(1, "a0")]),
        _ => asm.sources(op, &[(1, "a0"), (2, "a1")]),
    }
    call(asm, op, function);
}

/// Calls a function like [`call32`], with 64-bit sources.
pub fn call64(asm: &mut Asm, op: &Op, function: &str) {
    match op.form.len() {
        2 => asm.wide_source(op, 1, "a0", "a1"),
        _ => asm.wide_sources(op, 1, 2),
    }
    call(asm, op, function);
}

fn call(asm: &mut Asm, op: &Op, function: &str) {
    if asm.tells {
        asm.lines(&["sw s0, <IP>(s10)", "sw s1, <IP> + 4(s10)"]);
    }
    emit!(asm, "call {function}");
    if op.form[0] == Operand::Dst64 {
        asm.wide_result(op, "a0", "a1");
        return;
    }
    asm.line(match op.sem {
        Sem::F32Eq | Sem::F64Eq => "seqz a5, a0",
        Sem::F32Ne | Sem::F64Ne => "snez a5, a0",
        Sem::F32Lt | Sem::F64Lt => "slti a5, a0, 0",
        Sem::F32Le | Sem::F64Le => "slti a5, a0, 1",
        _ => "mv a5, a0",
    });
    asm.result(op);
}

/// Writes `e = f(x, y)` in line. Returns false if there is no template.
pub fn binary(asm: &mut Asm, op: &Op) -> bool {
    let lines: &[&str] = match op.sem {
        Sem::I64Add => &["add a0, a0, a2", "sltu a2, a0, a2", "add a1, a1, a3", "add a1, a1, a2"],
        Sem::I64Sub => &["sltu a4, a0, a2", "sub a0, a0, a2", "sub a1, a1, a3", "sub a1, a1, a4"],
        Sem::I64And => &["and a0, a0, a2", "and a1, a1, a3"],
        Sem::I64Or => &["or a0, a0, a2", "or a1, a1, a3"],
        Sem::I64Xor => &["xor a0, a0, a2", "xor a1, a1, a3"],
        Sem::I64Mul => &[
            "mul a1, a1, a2",
            "mul a3, a0, a3",
            "mulhu a4, a0, a2",
            "mul a0, a0, a2",
            "add a1, a1, a3",
            "add a1, a1, a4",
        ],
        Sem::F64Copysign => {
            &["slli a1, a1, 1", "srli a1, a1, 1", "srli a3, a3, 31", "slli a3, a3, 31", "or a1, a1, a3"]
        }
        Sem::I64Shl | Sem::I64ShrS | Sem::I64ShrU => {
            shift(asm, op);
            return true;
        }
        Sem::I64XorShrU => {
            xor_shift(asm, op);
            return true;
        }
        Sem::I64Rotl | Sem::I64Rotr => {
            rotate(asm, op);
            return true;
        }
        _ => return false,
    };
    asm.wide_sources(op, 1, 2);
    asm.lines(lines);
    asm.wide_result(op, "a0", "a1");
    true
}

/// Writes a shift. The core shifts by the low five bits of a count.
fn shift(asm: &mut Asm, op: &Op) {
    asm.wide_sources_low(op, 1, 2);
    let (away, back) = (asm.label(), asm.label());
    // bit 5 of the count
    asm.lines(&["andi a3, a2, 32", "not a4, a2"]);
    emit!(asm, "bnez a3, {away}");
    match op.sem {
        // the bits that cross: by one, then by 31 less the count, so that a count of 0 moves none
        Sem::I64Shl => {
            asm.lines(&["srli a3, a0, 1", "srl a3, a3, a4", "sll a1, a1, a2", "or a1, a1, a3", "sll a0, a0, a2"]);
        }
        _ => {
            asm.lines(&["slli a3, a1, 1", "sll a3, a3, a4", "srl a0, a0, a2", "or a0, a0, a3"]);
            asm.line(if op.sem == Sem::I64ShrS { "sra a1, a1, a2" } else { "srl a1, a1, a2" });
        }
    }
    emit!(asm, "{back}:");
    asm.wide_result(op, "a0", "a1");
    asm.aside(&[&format!("{away}:")]);
    asm.aside(match op.sem {
        Sem::I64Shl => &["sll a1, a0, a2", "li a0, 0"],
        Sem::I64ShrS => &["sra a0, a1, a2", "srai a1, a1, 31"],
        _ => &["srl a0, a1, a2", "li a1, 0"],
    });
    asm.aside(&[&format!("j {back}")]);
}

/// Writes `x ^ (x >> count)`, by which hash functions mix.
fn xor_shift(asm: &mut Asm, op: &Op) {
    asm.wide_sources_low(op, 1, 2);
    let (away, back) = (asm.label(), asm.label());
    asm.lines(&["andi a3, a2, 32", "not a4, a2"]);
    emit!(asm, "bnez a3, {away}");
    asm.lines(&["slli a3, a1, 1", "sll a3, a3, a4", "srl a4, a0, a2", "xor a0, a0, a3", "xor a0, a0, a4"]);
    asm.lines(&["srl a4, a1, a2", "xor a1, a1, a4"]);
    emit!(asm, "{back}:");
    asm.wide_result(op, "a0", "a1");
    asm.aside(&[&format!("{away}:"), "srl a3, a1, a2", "xor a0, a0, a3", &format!("j {back}")]);
}

fn rotate(asm: &mut Asm, op: &Op) {
    asm.wide_sources_low(op, 1, 2);
    if op.sem == Sem::I64Rotl {
        asm.line("neg a2, a2");
    }
    // bit 5 of the count changes the halves
    asm.lines(&["andi a3, a2, 32", "beqz a3, 1f", "mv a3, a0", "mv a0, a1", "mv a1, a3", "1:"]);
    asm.lines(&["not a4, a2", "slli a3, a1, 1", "sll a3, a3, a4", "slli a6, a0, 1", "sll a6, a6, a4"]);
    asm.lines(&["srl a0, a0, a2", "or a0, a0, a3", "srl a1, a1, a2", "or a1, a1, a6"]);
    asm.wide_result(op, "a0", "a1");
}

/// Writes `e = f(x)` in line. Returns false if there is no template.
pub fn unary(asm: &mut Asm, op: &Op) -> bool {
    let lines: &[&str] = match op.sem {
        Sem::I64Extend8S => &["slli a0, a0, 24", "srai a0, a0, 24", "srai a1, a0, 31"],
        Sem::I64Extend16S => &["slli a0, a0, 16", "srai a0, a0, 16", "srai a1, a0, 31"],
        Sem::I64Extend32S => &["srai a1, a0, 31"],
        Sem::F64Abs => &["slli a1, a1, 1", "srli a1, a1, 1"],
        Sem::F64Neg => &["lui a2, 0x80000", "xor a1, a1, a2"],
        _ => return false,
    };
    asm.wide_source(op, 1, "a0", "a1");
    asm.lines(lines);
    asm.wide_result(op, "a0", "a1");
    true
}

/// Writes `d = f(x, y) ? 1 : 0` in line. Returns false if there is no template.
pub fn set(asm: &mut Asm, op: &Op) -> bool {
    let (high, low, inverted) = match op.sem {
        Sem::I64Eq | Sem::I64Ne => {
            asm.wide_sources(op, 1, 2);
            asm.lines(&["xor a0, a0, a2", "xor a1, a1, a3", "or a0, a0, a1"]);
            asm.line(if op.sem == Sem::I64Eq { "seqz a5, a0" } else { "snez a5, a0" });
            asm.result(op);
            return true;
        }
        Sem::I64LtS => ("slt", "sltu", false),
        Sem::I64LtU => ("sltu", "sltu", false),
        Sem::I64GeS => ("slt", "sltu", true),
        Sem::I64GeU => ("sltu", "sltu", true),
        _ => return false,
    };
    asm.wide_sources(op, 1, 2);
    emit!(asm, "{high} a5, a1, a3");
    asm.line("bne a1, a3, 1f");
    emit!(asm, "{low} a5, a0, a2");
    asm.line("1:");
    if inverted {
        asm.line("xori a5, a5, 1");
    }
    asm.result(op);
    true
}

/// Writes `d = f(t)` in line. Returns false if there is no template.
pub fn narrow(asm: &mut Asm, op: &Op) -> bool {
    if op.sem != Sem::I64Eqz {
        return false;
    }
    asm.wide_source(op, 1, "a0", "a1");
    asm.lines(&["or a0, a0, a1", "seqz a5, a0"]);
    asm.result(op);
    true
}

/// Writes `e = f(s)` in line. Returns false if there is no template.
pub fn widen(asm: &mut Asm, op: &Op) -> bool {
    let high = match op.sem {
        Sem::I64ExtendI32S => "srai a1, a0, 31",
        Sem::I64ExtendI32U => "li a1, 0",
        _ => return false,
    };
    asm.sources(op, &[(1, "a0")]);
    asm.line(high);
    asm.wide_result(op, "a0", "a1");
    true
}

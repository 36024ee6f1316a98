// SPDX-License-Identifier: Apache-2.0
//! What the cores in assembly have in common: the Rust around their text.

use std::fmt::Write;

use wisp_image::ops::{op, Op, Operand, COUNT};

/// The operands that the text of a core takes from Rust.
const OPERANDS: &[(&str, &str)] = &[
    ("STACK_LIMIT", "const offset_of!(Ctx, stack_limit)"),
    ("GLOBALS", "const offset_of!(Ctx, globals)"),
    ("FUEL", "const offset_of!(Ctx, fuel)"),
    ("LIMIT", "const offset_of!(Ctx, limits)"),
    ("IP", "const offset_of!(Ctx, ip)"),
    ("IMPORTS", "const offset_of!(Ctx, imports)"),
    ("IMPORTED_GLOBALS", "const offset_of!(Ctx, imported_globals)"),
    ("TABLES", "const offset_of!(Ctx, tables)"),
    ("FUNCTIONS", "const offset_of!(Ctx, functions)"),
    ("FIRST_REFERENCE", "const offset_of!(Ctx, first_reference)"),
    ("FUNCTION_COUNT", "const offset_of!(Ctx, function_count)"),
    ("CODE", "const offset_of!(Ctx, code)"),
    ("Unreachable", "const TrapCode::Unreachable as u32"),
    ("MemoryOutOfBounds", "const TrapCode::MemoryOutOfBounds as u32"),
    ("IntegerDivisionByZero", "const TrapCode::IntegerDivisionByZero as u32"),
    ("IntegerOverflow", "const TrapCode::IntegerOverflow as u32"),
    ("StackOverflow", "const TrapCode::StackOverflow as u32"),
    ("escape", "sym escape"),
    ("refill", "sym refill"),
    ("refused", "sym refused"),
    ("f64_promote_f32", "sym f64_promote_f32"),
    ("i32_trunc_sat_f32_s", "sym i32_trunc_sat_f32_s"),
    ("i32_trunc_sat_f32_u", "sym i32_trunc_sat_f32_u"),
    ("i32_trunc_sat_f64_s", "sym i32_trunc_sat_f64_s"),
    ("i32_trunc_sat_f64_u", "sym i32_trunc_sat_f64_u"),
];

/// A core's text, and the opcodes that it leaves to the escape.
pub struct Core {
    /// A `global_asm!`.
    pub text: String,
    /// Opcodes without a handler of their own.
    pub escaped: Vec<u16>,
    /// It runs code in which handlers stand in place of opcodes.
    pub threaded: bool,
}

impl Core {
    /// Returns the text of the strings of a `global_asm!`.
    pub fn new(strings: String, escaped: Vec<u16>) -> Self {
        let mut text = String::from("core::arch::global_asm!(\n");
        text.push_str(&strings);
        for (name, value) in OPERANDS {
            // an operand that is not used is an error
            if strings.contains(&format!("{{{name}}}")) {
                writeln!(text, "{name} = {value},").expect("a string grows");
            }
        }
        text.push_str(");\n");
        Self { text, escaped, threaded: false }
    }

    /// Adds what a copy of the code needs: the words of each op, with 128 added if a table follows them.
    pub fn threaded(mut self) -> Self {
        let lengths: Vec<_> = (0..COUNT as u16)
            .map(|opcode| {
                let op = op(opcode).expect("below COUNT");
                let table = op.form.last() == Some(&Operand::Targets);
                assert!(op.words() < 128, "{} words", op.words());
                op.words() + if table { 128 } else { 0 }
            })
            .collect();
        let text = "/// Words of each op, with 128 added if a table follows them.\npub static LENGTHS";
        writeln!(self.text, "{text}: [u8; {COUNT}] = {lengths:?};").expect("a string grows");
        self.threaded = true;
        self
    }
}

/// Returns the symbol that a disassembler or a profiler shows: `wisp.i32.add.Dst_Slot_Slot`.
pub fn name(op: &Op) -> String {
    let part = |op: &Op| {
        let form: Vec<_> = op.form.iter().map(|operand| format!("{operand:?}")).collect();
        format!("{}.{}", op.sem.name(), form.join("_"))
    };
    let parts: Vec<_> = op.parts().map(|op| part(&op)).collect();
    format!("wisp.{}", parts.join(".then."))
}

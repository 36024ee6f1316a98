// SPDX-License-Identifier: Apache-2.0
//! The generated file: prelude, record and helpers, functions, their forms for the host, tables.

use std::fmt::Write;

use wisp_image::format::ValType;
use wisp_image::native;

use super::lines::GLUE;
use super::parts::{Parts, PART};
use super::{c_type, function, Plan, Trap};
use crate::error::AotError;
use crate::module::Module;
use crate::target::Machine;

const PRELUDE: &str = include_str!("../prelude.h");
const OPERATORS: &str = include_str!("../prelude_ops.h");

/// Copies for what the compiler makes of assignments. Those of the library would not be in the image. The first file
/// has them, the others see them.
const COPIES_SEEN: &str = "
HID void *memset(void *d, int c, __SIZE_TYPE__ n);
HID void *memcpy(void *d, const void *s, __SIZE_TYPE__ n);
HID void *memmove(void *d, const void *s, __SIZE_TYPE__ n);
";
const COPIES: &str = "
HID void *memset(void *d, int c, __SIZE_TYPE__ n)
{ u8 *p = d; while (n--) *p++ = (u8)c; return d; }
HID void *memcpy(void *d, const void *s, __SIZE_TYPE__ n)
{ u8 *p = d; const u8 *q = s; while (n--) *p++ = *q++; return d; }
HID void *memmove(void *d, const void *s, __SIZE_TYPE__ n)
{ u8 *p = d; const u8 *q = s; if (p < q) while (n--) *p++ = *q++; else while (n--) p[n] = q[n]; return d; }
";

/// Bytes of the parts in one file, at most.
const FILE: usize = 16 * PART;

/// The functions of a C file, by how large they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Functions of usual size.
    Usual,
    /// One huge function.
    Huge,
    /// Parts of one function that is divided.
    Parts,
}

/// A generated C file.
pub struct Unit {
    pub text: String,
    pub kind: Kind,
}

/// The generated files, and what is known of their functions.
pub struct Generated {
    pub units: Vec<Unit>,
    /// By defined function: its trap sites.
    pub sites: Vec<Vec<(u32, Trap)>>,
    /// By defined function: it has a form for the host, its own address is needed.
    pub wanted: Vec<(bool, bool)>,
    /// Number of functions that are divided into parts.
    pub divided: usize,
    /// By imported function: it is called.
    pub imports: Vec<bool>,
}

/// Returns a value from the bits in an expression.
pub fn from_bits(ty: ValType, bits: &str) -> String {
    match ty {
        ValType::F32 => format!("asf32((u32){bits})"),
        ValType::F64 => format!("asf64({bits})"),
        ValType::I64 => bits.into(),
        _ => format!("(u32){bits}"),
    }
}

/// Returns the bits of a value.
fn bits(ty: ValType, value: &str) -> String {
    match ty {
        ValType::F32 => format!("asu32({value})"),
        ValType::F64 => format!("asu64({value})"),
        _ => value.into(),
    }
}

/// Returns a value from slots.
pub fn from_slots(ty: ValType, slots: &str, slot: usize) -> String {
    match ty.slots() {
        2 => from_bits(ty, &format!("({slots}[{slot}] | (u64){slots}[{}] << 32)", slot + 1)),
        _ => from_bits(ty, &format!("{slots}[{slot}]")),
    }
}

/// Statements that put bits in slots.
pub fn to_slots(ty: ValType, bits: &str, slots: &str, slot: usize) -> String {
    match ty.slots() {
        2 => format!("{slots}[{slot}] = (u32)({bits}); {slots}[{}] = (u32)(({bits}) >> 32);", slot + 1),
        _ => format!("{slots}[{slot}] = {bits};"),
    }
}

/// Returns the declaration of a function without its semicolon.
pub fn prototype(plan: &Plan<'_, '_>, index: u32) -> String {
    let ty = plan.module.function_type(index);
    let seen = address_wanted(plan, index) || plan.units.are_several();
    let mut out = String::from(if seen { "HID " } else { "static " });
    let result = match ty.results[..] {
        [result] => c_type(result),
        _ => "void",
    };
    let _ = write!(out, "{result} fn{index}(ctx *c");
    for (local, &ty) in ty.params.iter().enumerate() {
        let _ = write!(out, ", {} l{local}", c_type(ty));
    }
    out.push_str(if ty.results.len() > 1 { ", u64 *r)" } else { ")" });
    out
}

fn address_wanted(plan: &Plan<'_, '_>, index: u32) -> bool {
    in_table(plan.module, index)
}

/// Returns true if a function is called by other means than direct calls of the module.
pub fn called_elsewhere(module: &Module<'_>, index: u32) -> bool {
    module.reachable.contains(&index) || in_table(module, index)
}

fn in_table(module: &Module<'_>, index: u32) -> bool {
    module.in_table.contains(&index)
}

/// Returns the form of a function that the host calls.
fn thunk(plan: &Plan<'_, '_>, index: u32) -> String {
    let ty = plan.module.function_type(index);
    let mut slot = 0;
    let mut arguments = String::new();
    for &ty in &ty.params {
        let _ = write!(arguments, ", {}", from_slots(ty, "s", slot));
        slot += ty.slots();
    }
    let mut out = plan.line(GLUE);
    let _ = writeln!(out, "HID void w{index}(ctx *c, u32 *s)\n{{");
    match ty.results[..] {
        [] => {
            let _ = writeln!(out, "fn{index}(c{arguments});");
        }
        [result] => {
            let _ = writeln!(out, "{} x = fn{index}(c{arguments});", c_type(result));
            let _ = writeln!(out, "{}", to_slots(result, &bits(result, "x"), "s", 0));
        }
        ref results => {
            let _ = writeln!(out, "u64 r[{}];\nfn{index}(c{arguments}, r);", results.len());
            let mut slot = 0;
            for (position, &ty) in results.iter().enumerate() {
                let cast = if ty.slots() == 2 { "" } else { "(u32)" };
                let _ = writeln!(out, "{}", to_slots(ty, &format!("{cast}r[{position}]"), "s", slot));
                slot += ty.slots();
            }
        }
    }
    out.push_str("}\n");
    out
}

/// Returns the form of an imported function through which it is called if the host's has none for native code: values
/// go through slots.
fn through_slots(plan: &Plan<'_, '_>, index: u32) -> String {
    let ty = plan.module.function_type(index);
    let slots = |types: &[ValType]| types.iter().map(|ty| ty.slots()).sum::<usize>();
    let result = match ty.results[..] {
        [result] => c_type(result),
        _ => "void",
    };
    let mut out = format!("HID {result} import{index}(ctx *c");
    let mut body = format!("u32 s[{}];\n", slots(&ty.params).max(slots(&ty.results)).max(1));
    let mut slot = 0;
    for (local, &ty) in ty.params.iter().enumerate() {
        let _ = write!(out, ", {} l{local}", c_type(ty));
        let _ = writeln!(body, "{}", to_slots(ty, &bits(ty, &format!("l{local}")), "s", slot));
        slot += ty.slots();
    }
    let import = format!("c->imports[{index}]");
    let _ = writeln!(body, "u32 e = {import}.function(c->engine, s, {import}.env);\nif (e) c->code_number = e;");
    if let [result] = ty.results[..] {
        let _ = writeln!(body, "return {};", from_slots(result, "s", 0));
    } else {
        out.push_str(if ty.results.is_empty() { "" } else { ", u64 *r" });
        let mut slot = 0;
        for (position, &ty) in ty.results.iter().enumerate() {
            let _ = writeln!(body, "r[{position}] = {};", bits(ty, &from_slots(ty, "s", slot)));
            slot += ty.slots();
        }
    }
    let _ = write!(out, ")\n{{\n{body}}}\n");
    out
}

/// Declarations of the tables whose elements are known.
fn tables_seen(plan: &Plan<'_, '_>) -> String {
    let known = plan.module.tables.iter().enumerate().filter(|(_, table)| table.fixed.is_some());
    let declared = known.map(|(number, _)| {
        format!(
            "extern const struct {{ i32 distance; u32 type; }} table{number}[] \
             __attribute__((visibility(\"hidden\")));\n"
        )
    });
    declared.collect()
}

/// Returns those tables, as distances from the table: no address stands in the code.
fn tables(plan: &Plan<'_, '_>) -> String {
    let module = plan.module;
    let mut out = String::new();
    for (number, table) in module.tables.iter().enumerate() {
        let Some(entries) = &table.fixed else { continue };
        let _ = writeln!(out, "__asm__(\".pushsection .rodata.table{number},\\\"a\\\"\\n.balign 4\\n\"");
        let _ = writeln!(out, "\".globl table{number}\\n.hidden table{number}\\ntable{number}:\\n\"");
        for entry in entries {
            let (distance, ty) = match entry.function {
                Some(f) => (format!("fn{f} - table{number}"), module.types[module.functions[f as usize] as usize].1),
                None => ("0".into(), u16::MAX),
            };
            let _ = writeln!(out, "\".long {distance}, {ty}\\n\"");
        }
        out.push_str("\".popsection\");\n");
    }
    out
}

/// Returns the record and the helpers as C declares them.
fn declarations() -> String {
    let mut out = String::from("typedef struct {\n");
    for (name, result, parameters) in native::HELPERS {
        let _ = writeln!(out, "{result} (*{name})({parameters});");
    }
    out.push_str("} helpers;\nstruct wisp_ctx {\n");
    for (_, _, declaration) in native::CONTEXT {
        let _ = writeln!(out, "{declaration};");
    }
    out.push_str("} __attribute__((aligned(8)));\n");
    out
}

/// Returns the head of each file: what the machine is, types, operators, and the functions and tables of all files.
fn head(plan: &Plan<'_, '_>, machine: &Machine) -> String {
    let mut text = String::new();
    for (name, value) in machine.definitions() {
        let _ = writeln!(text, "#define {name} {}", u8::from(value));
    }
    let _ = writeln!(text, "#define STRICT {}", u8::from(plan.options.strict));
    let _ = writeln!(text, "#define ASSERT_ALIGNED {}", u8::from(plan.options.assert_known));
    let _ = writeln!(text, "#define COMPACT {}", u8::from(plan.options.optimize == "-Os"));
    text.push_str(PRELUDE);
    text.push_str(&declarations());
    // the record is laid out by two languages: say so where it would differ
    for (name, _, _) in native::CONTEXT {
        let offset = native::context_offset(name, machine.word());
        let _ = writeln!(text, "_Static_assert(__builtin_offsetof(ctx, {name}) == {offset}, \"{name}\");");
    }
    let size = native::context_offset("", machine.word());
    let _ = writeln!(text, "_Static_assert(sizeof(ctx) == {size}, \"size\");");
    text.push_str(OPERATORS);
    text.push_str(COPIES_SEEN);
    for defined in 0..plan.module.bodies.len() as u32 {
        let _ = writeln!(text, "{};", prototype(plan, plan.module.imported_functions + defined));
    }
    text.push_str(&tables_seen(plan));
    text
}

/// Writes the files.
pub fn generate(plan: &Plan<'_, '_>, machine: &Machine) -> Result<Generated, AotError> {
    let module = plan.module;
    let head = head(plan, machine);
    let unit = |kind| Unit { text: head.clone(), kind };
    let kind = |&huge: &bool| if huge { Kind::Huge } else { Kind::Usual };
    let mut units: Vec<Vec<Unit>> = plan.units.huge().iter().map(|huge| vec![unit(kind(huge))]).collect();
    units[0][0].text.push_str(COPIES);
    units[0][0].text.push_str(&tables(plan));
    let count = module.bodies.len() as u32;
    let translate = || (0..count).map(|defined| function(plan, defined)).collect::<Result<Vec<_>, _>>();
    let mut functions = translate()?;
    // ends: there are fewer bits each time
    while plan.alignment.lowered() {
        functions = translate()?;
    }
    let (mut sites, mut wanted, mut divided) = (Vec::new(), Vec::new(), 0);
    for (defined, translated) in (0..).zip(functions) {
        let index = module.imported_functions + defined;
        let host = module.reachable.contains(&index);
        let thunk = if host { thunk(plan, index) } else { String::new() };
        let files = &mut units[plan.units.of(defined as usize)];
        match translated.parts {
            None => files[0].text += &(translated.text + &thunk),
            Some(Parts { declarations, main, parts }) => {
                divided += 1;
                files[0].kind = Kind::Parts;
                files[0].text += &(declarations.clone() + &main + &thunk);
                // in this order, with nothing between, so that an offset in a part is one in the function
                let mut filled = 0;
                for part in parts {
                    if filled + part.len() > FILE {
                        let mut file = unit(Kind::Parts);
                        file.text.push_str(&declarations);
                        files.push(file);
                        filled = 0;
                    }
                    filled += part.len();
                    if let Some(file) = files.last_mut() {
                        file.text.push_str(&part);
                    }
                }
            }
        }
        sites.push(translated.sites);
        wanted.push((host, address_wanted(plan, index)));
    }
    let called = module.called_imports();
    let imports: Vec<bool> = (0..module.imported_functions).map(|index| called.contains(&index)).collect();
    for index in (0..).zip(&imports).filter_map(|(index, &called)| called.then_some(index)) {
        units[0][0].text.push_str(&through_slots(plan, index));
    }
    Ok(Generated { units: units.into_iter().flatten().collect(), sites, wanted, divided, imports })
}

// SPDX-License-Identifier: Apache-2.0
//! Core dumps as files: a module in the format of WebAssembly's tool conventions, with a section of Wisp's own for what that
//! format has no place for.

use std::path::Path;

use wasm_encoder::{
    ConstExpr, CoreDumpInstancesSection, CoreDumpModulesSection, CoreDumpSection, CoreDumpStackSection, CoreDumpValue,
    CustomSection, DataSection, GlobalSection, GlobalType, HeapType, Ieee32, Ieee64, MemorySection, MemoryType, Module,
};
use wasmparser::{DataKind, KnownCustom, Operator, Parser, Payload};
use wisp_engine::ValType;

use super::{Dump, Value};
use crate::failure::Failure;
use crate::input;

/// Name of Wisp's own section.
const SECTION: &str = "wisp:core";
/// Bytes of a page in the dump, whatever pages the app has.
const PAGE: u32 = 1 << 16;

fn value(value: &Option<Value>) -> CoreDumpValue {
    let Some(Value { ty, bits }) = *value else { return CoreDumpValue::Missing };
    match ty {
        ValType::I32 => CoreDumpValue::I32(bits as i32),
        ValType::I64 => CoreDumpValue::I64(bits as i64),
        ValType::F32 => CoreDumpValue::F32(Ieee32::new(bits as u32)),
        ValType::F64 => CoreDumpValue::F64(Ieee64::new(bits)),
        ValType::FuncRef | ValType::ExternRef => CoreDumpValue::Missing,
    }
}

fn global(value: &Value) -> (wasm_encoder::ValType, ConstExpr) {
    use wasm_encoder::ValType as Type;
    match value.ty {
        ValType::I32 => (Type::I32, ConstExpr::i32_const(value.bits as i32)),
        ValType::I64 => (Type::I64, ConstExpr::i64_const(value.bits as i64)),
        ValType::F32 => (Type::F32, ConstExpr::f32_const(Ieee32::new(value.bits as u32))),
        ValType::F64 => (Type::F64, ConstExpr::f64_const(Ieee64::new(value.bits))),
        ValType::FuncRef => (Type::FUNCREF, ConstExpr::ref_null(HeapType::FUNC)),
        ValType::ExternRef => (Type::EXTERNREF, ConstExpr::ref_null(HeapType::EXTERN)),
    }
}

/// Returns the offset at which the body of each defined function begins in a module.
fn bodies(wasm: &[u8]) -> Vec<u32> {
    let body = |payload| match payload {
        Payload::CodeSectionEntry(body) => Some(body.range().start as u32),
        _ => None,
    };
    Parser::new(0).parse_all(wasm).map_while(Result::ok).filter_map(body).collect()
}

impl Dump {
    /// Returns the file of a dump. Frames are in the part that other tools read if the module is given and their places in
    /// it are known.
    pub fn file(&self, wasm: Option<&[u8]>) -> Vec<u8> {
        let bodies = wasm.map(bodies).unwrap_or_default();
        let mut stack = CoreDumpStackSection::new("main");
        for frame in &self.frames {
            let body = bodies.get(frame.place.func as usize).copied();
            let Some((offset, body)) = frame.wasm.zip(body) else { break };
            let locals: Vec<_> = frame.locals.iter().map(value).collect();
            stack.frame(0, self.imported + frame.place.func, offset.saturating_sub(body), locals, []);
        }
        let (mut memory, mut globals, mut data) = (MemorySection::new(), GlobalSection::new(), DataSection::new());
        let minimum = u64::from(self.memory.div_ceil(PAGE));
        memory.memory(MemoryType { minimum, maximum: None, memory64: false, shared: false, page_size_log2: None });
        for value in &self.globals {
            let (val_type, init) = global(value);
            globals.global(GlobalType { val_type, mutable: true, shared: false }, &init);
        }
        for (address, bytes) in &self.pieces {
            data.active(0, &ConstExpr::i32_const(*address as i32), bytes.iter().copied());
        }
        let (mut modules, mut instances) = (CoreDumpModulesSection::new(), CoreDumpInstancesSection::new());
        modules.module(&self.name);
        instances.instance(0, [0], (0..self.globals.len() as u32).collect::<Vec<_>>());
        let mut module = Module::new();
        module.section(&CoreDumpSection::new(&self.name));
        module.section(&modules).section(&instances).section(&stack);
        module.section(&CustomSection { name: SECTION.into(), data: self.records().into() });
        module.section(&memory).section(&globals).section(&data);
        module.finish()
    }
}

/// Returns true if a file is a core dump: a module with that section, or what a device wrote.
pub fn is_core(bytes: &[u8]) -> bool {
    let first = Parser::new(0).parse_all(bytes).map_while(Result::ok).nth(1);
    let named = matches!(first, Some(Payload::CustomSection(section)) if section.name() == "core");
    named || bytes.starts_with(&wisp_host::core_dump::MAGIC)
}

/// Reads a file with a core dump.
pub fn read(path: &Path) -> Result<Dump, Failure> {
    let bytes = input::read(path)?;
    parse(&bytes).map_err(|error| Failure::in_file(path, error))
}

/// Reads the bytes of a file with a core dump.
pub(super) fn parse(bytes: &[u8]) -> Result<Dump, &'static str> {
    if !bytes.starts_with(b"\0asm") {
        return Dump::parse(bytes);
    }
    let cut = "the core dump is cut short; read it again";
    let (mut dump, mut name, mut pieces, mut locals) = (None, String::new(), Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|_| cut)? {
            Payload::CustomSection(section) if section.name() == SECTION => dump = Some(Dump::parse(section.data())?),
            Payload::CustomSection(section) => match section.as_known() {
                KnownCustom::CoreDump(core) => name = core.name.to_owned(),
                KnownCustom::CoreDumpStack(stack) => locals = stack.frames,
                _ => {}
            },
            Payload::DataSection(data) => {
                for data in data {
                    let data = data.map_err(|_| cut)?;
                    let DataKind::Active { offset_expr, .. } = data.kind else { continue };
                    if let Ok(Operator::I32Const { value }) = offset_expr.get_operators_reader().read() {
                        pieces.push((value as u32, data.data.to_vec()));
                    }
                }
            }
            _ => {}
        }
    }
    let mut dump =
        dump.ok_or("the core dump is of another runtime; expected one that `wisp run --core` or a device wrote")?;
    dump.name = name;
    dump.pieces = pieces;
    for (frame, found) in dump.frames.iter_mut().zip(locals) {
        frame.locals = found.locals.iter().map(known).collect();
    }
    Ok(dump)
}

fn known(value: &wasmparser::CoreDumpValue) -> Option<Value> {
    use wasmparser::CoreDumpValue as Found;
    let (ty, bits) = match value {
        Found::Missing => return None,
        Found::I32(value) => (ValType::I32, u64::from(*value as u32)),
        Found::I64(value) => (ValType::I64, *value as u64),
        Found::F32(value) => (ValType::F32, value.bits().into()),
        Found::F64(value) => (ValType::F64, value.bits()),
    };
    Some(Value { ty, bits })
}

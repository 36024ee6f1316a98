// SPDX-License-Identifier: Apache-2.0
//! Stands in for the imports of a module: for each name that it imports from a module that exports what is asked
//! for. Functions return zeros. So every engine gets the same host, without a line of its own.

use std::collections::BTreeMap;

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    Instruction, MemorySection, Module, RefType, TableSection, TypeSection, ValType,
};
use wasmparser::{Parser, Payload, TypeRef};

/// The first address that a module linked at load time may use, and where its stack begins: what emscripten's
/// loaders give.
const BASES: [(&str, i32); 3] = [("__memory_base", 1024), ("__table_base", 1), ("__stack_pointer", 65_536)];

#[derive(Default)]
struct Stub {
    types: TypeSection,
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    globals: GlobalSection,
    exports: ExportSection,
    code: CodeSection,
    names: BTreeMap<String, TypeRef>,
}

fn zero(ty: ValType) -> ConstExpr {
    match ty {
        ValType::I64 => ConstExpr::i64_const(0),
        ValType::F32 => ConstExpr::f32_const(0.0.into()),
        ValType::F64 => ConstExpr::f64_const(0.0.into()),
        ValType::Ref(RefType { heap_type, .. }) => ConstExpr::ref_null(heap_type),
        _ => ConstExpr::i32_const(0),
    }
}

fn push_zero(function: &mut Function, ty: ValType) {
    match ty {
        ValType::I64 => function.instruction(&Instruction::I64Const(0)),
        ValType::F32 => function.instruction(&Instruction::F32Const(0.0.into())),
        ValType::F64 => function.instruction(&Instruction::F64Const(0.0.into())),
        ValType::Ref(RefType { heap_type, .. }) => function.instruction(&Instruction::RefNull(heap_type)),
        _ => function.instruction(&Instruction::I32Const(0)),
    };
}

/// Returns (name, module) for each module that this one imports from.
///
/// # Errors
/// An import that nothing can stand in for, or a plan that cannot be read.
pub fn of(wasm: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let failed = |error: wasmparser::BinaryReaderError| error.to_string();
    let mut types = Vec::new();
    let mut stubs: BTreeMap<String, Stub> = BTreeMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(failed)? {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    types.push(ty.map_err(failed)?);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(failed)?;
                    let stub = stubs.entry(import.module.into()).or_default();
                    if let Some(known) = stub.names.get(import.name) {
                        if *known == import.ty {
                            continue;
                        }
                        return Err(format!("{} {} is imported as two things", import.module, import.name));
                    }
                    stub.names.insert(import.name.into(), import.ty);
                    stub.add(import.name, import.ty, &types)?;
                }
            }
            _ => {}
        }
    }
    Ok(stubs.into_iter().map(|(name, stub)| (name, stub.finish())).collect())
}

impl Stub {
    fn add(&mut self, name: &str, ty: TypeRef, types: &[wasmparser::FuncType]) -> Result<(), String> {
        let unknown = |_| format!("{name} has a type of another proposal");
        let mut reencode = RoundtripReencoder;
        match ty {
            TypeRef::Func(index) => {
                let ty = types.get(index as usize).ok_or("a type that does not exist")?;
                let mut convert = |types: &[wasmparser::ValType]| -> Result<Vec<ValType>, String> {
                    types.iter().map(|&ty| reencode.val_type(ty).map_err(unknown)).collect()
                };
                let (params, results) = (convert(ty.params())?, convert(ty.results())?);
                let mut body = Function::new([]);
                results.iter().for_each(|&ty| push_zero(&mut body, ty));
                body.instruction(&Instruction::End);
                self.exports.export(name, ExportKind::Func, self.functions.len());
                self.functions.function(self.types.len());
                self.types.ty().function(params, results);
                self.code.function(&body);
            }
            TypeRef::Table(ty) => {
                self.exports.export(name, ExportKind::Table, self.tables.len());
                self.tables.table(reencode.table_type(ty).map_err(unknown)?);
            }
            TypeRef::Memory(ty) => {
                self.exports.export(name, ExportKind::Memory, self.memories.len());
                self.memories.memory(reencode.memory_type(ty).map_err(unknown)?);
            }
            TypeRef::Global(ty) => {
                let ty: GlobalType = reencode.global_type(ty).map_err(unknown)?;
                let base = BASES.iter().find(|(base, _)| *base == name && ty.val_type == ValType::I32);
                let value = base.map_or(zero(ty.val_type), |&(_, value)| ConstExpr::i32_const(value));
                self.exports.export(name, ExportKind::Global, self.globals.len());
                self.globals.global(ty, &value);
            }
            TypeRef::Tag(_) | TypeRef::FuncExact(_) => return Err(format!("{name} is of another proposal")),
        }
        Ok(())
    }

    fn finish(self) -> Vec<u8> {
        let mut module = Module::new();
        module.section(&self.types).section(&self.functions).section(&self.tables).section(&self.memories);
        module.section(&self.globals).section(&self.exports).section(&self.code);
        module.finish()
    }
}

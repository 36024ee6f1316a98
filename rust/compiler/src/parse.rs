// SPDX-License-Identifier: Apache-2.0
//! Reads and validates a module; translates its functions.

use alloc::vec::Vec;
use core::ops::Range;

use wasmparser::{
    FuncToValidate, FuncValidatorAllocations, FunctionBody, Operator, Parser, Payload, TypeRef, ValidPayload,
    Validator, ValidatorResources, WasmFeatures,
};
use wisp_image::format::ValType;

use crate::encode::FRAME_MAX;
use crate::error::{CompileError, ErrorKind};
use crate::function::Function;
use crate::layout::Layout;
use crate::module::{val_type, FuncType, Module};
use crate::peephole;
use crate::prescan::Prescan;
use crate::Options;

/// A validated module with its functions translated.
pub struct Parsed<'a> {
    /// The module.
    pub module: Module<'a>,
    /// Items of the defined functions, in order.
    pub functions: Vec<Translated>,
}

/// A function before encoding.
pub struct Translated {
    /// Its instructions and where they lie.
    pub layout: Layout,
    /// Its frame in slots.
    pub frame: u32,
    /// (slot, type) of each local, if the function was compiled for a debugger. It is empty otherwise.
    pub locals: Vec<(u32, ValType)>,
    /// Offsets of its body in the module, or empty for code that no function of the module has.
    pub body: Range<u32>,
}

impl Translated {
    /// Takes a finished function, whose body lies at this offset in the module.
    ///
    /// # Errors
    /// Its frame is too large, or an invariant of the compiler does not hold.
    pub fn new(mut function: Function<'_>, offset: u32) -> Result<Self, CompileError> {
        function.check()?;
        let frame = function.size();
        if frame > FRAME_MAX / 4 {
            return Err(CompileError { offset, ..ErrorKind::FrameTooLarge(frame).into() });
        }
        let joins = !function.debug;
        if joins {
            peephole::combine(&mut function.items);
            peephole::forward(&mut function.items);
            peephole::modify(&mut function.items);
        }
        Ok(Self {
            layout: Layout::new(function.items, function.targets, joins)?,
            frame,
            locals: Vec::new(),
            body: 0..0,
        })
    }
}

fn features(options: &Options<'_>) -> WasmFeatures {
    let mut features = WasmFeatures::WASM2.difference(WasmFeatures::SIMD);
    features.set(WasmFeatures::TAIL_CALL, options.tail_call);
    features.set(WasmFeatures::EXTENDED_CONST, options.extended_const);
    features.set(WasmFeatures::CUSTOM_PAGE_SIZES, options.custom_page_sizes);
    features
}

/// Reads a module.
pub fn parse<'a>(wasm: &'a [u8], options: &Options<'_>) -> Result<Parsed<'a>, CompileError> {
    let mut validator = Validator::new_with_features(features(options));
    let mut module = Module::default();
    let mut bodies: Vec<(FuncToValidate<ValidatorResources>, FunctionBody<'a>)> = Vec::new();
    let mut parser = Parser::new(0);
    // the encoding of a memory index or a limit depends on them too
    parser.set_features(features(options));
    for payload in parser.parse_all(wasm) {
        let payload = payload?;
        if let ValidPayload::Func(validate, body) = validator.payload(&payload)? {
            bodies.push((validate, body));
        }
        collect(&mut module, payload)?;
    }
    module.check_counts()?;
    for (_, body) in &bodies {
        for operator in body.get_operators_reader()? {
            match operator {
                Ok(Operator::MemoryGrow { .. }) => module.grows = true,
                Ok(Operator::MemorySize { .. }) => module.asks_for_size = true,
                Ok(Operator::MemoryInit { .. } | Operator::DataDrop { .. }) => module.names_data = true,
                _ => {}
            }
        }
    }
    let mut functions = Vec::with_capacity(bodies.len());
    let mut allocations = FuncValidatorAllocations::default();
    for (position, (validate, body)) in bodies.into_iter().enumerate() {
        let index = module.imported_functions + position as u32;
        let translated = function(&module, index, validate, &body, allocations, options.debug);
        let (translated, reused) = translated.map_err(|error| CompileError { function: Some(index), ..error })?;
        allocations = reused;
        functions.push(translated);
    }
    Ok(Parsed { module, functions })
}

/// Reads a module that [`crate::compile`] has accepted, and the bodies of its functions in order.
///
/// # Errors
/// The bytes are no module, or use features that are not supported. Functions are not looked into.
pub fn read(wasm: &[u8]) -> Result<(Module<'_>, Vec<FunctionBody<'_>>), CompileError> {
    let mut module = Module::default();
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::CodeSectionEntry(body) => bodies.push(body),
            payload => collect(&mut module, payload)?,
        }
    }
    Ok((module, bodies))
}

/// Adds what a section says to the module.
fn collect<'a>(module: &mut Module<'a>, payload: Payload<'a>) -> Result<(), CompileError> {
    match payload {
        Payload::TypeSection(types) => {
            for ty in types.into_iter_err_on_gc_types() {
                let ty = ty?;
                let convert = |types: &[wasmparser::ValType]| types.iter().map(|&t| val_type(t)).collect();
                let params: Result<Vec<ValType>, ErrorKind> = convert(ty.params());
                let results: Result<Vec<ValType>, ErrorKind> = convert(ty.results());
                module.add_type(FuncType { params: params?, results: results? });
            }
        }
        Payload::ImportSection(imports) => {
            let mut globals = 0;
            for import in imports.into_imports() {
                let import = import?;
                match import.ty {
                    TypeRef::Func(ty) => {
                        module.functions.push(ty);
                        module.imported_functions += 1;
                    }
                    TypeRef::Table(ty) => {
                        module.add_table(ty)?;
                        module.imported_tables += 1;
                    }
                    TypeRef::Memory(ty) => module.set_memory(ty, true),
                    TypeRef::Global(ty) => {
                        module.add_global(ty, Some(globals))?;
                        globals += 1;
                    }
                    TypeRef::Tag(_) | TypeRef::FuncExact(_) => {}
                }
                module.imports.push(import);
            }
        }
        Payload::FunctionSection(functions) => {
            for ty in functions {
                module.functions.push(ty?);
            }
        }
        Payload::TableSection(tables) => {
            for table in tables {
                module.add_table(table?.ty)?;
            }
        }
        Payload::MemorySection(memories) => {
            for memory in memories {
                module.set_memory(memory?, false);
            }
        }
        Payload::GlobalSection(globals) => {
            for global in globals {
                let global = global?;
                module.add_global(global.ty, None)?;
                module.global_inits.push(global.init_expr);
            }
        }
        Payload::ExportSection(exports) => {
            for export in exports {
                module.exports.push(export?);
            }
        }
        Payload::StartSection { func, .. } => module.start = Some(func),
        Payload::ElementSection(elements) => {
            for element in elements {
                module.elements.push(element?);
            }
        }
        Payload::DataSection(segments) => {
            for segment in segments {
                module.data.push(segment?);
            }
        }
        _ => {}
    }
    Ok(())
}

fn function<'a>(
    module: &Module<'a>,
    index: u32,
    validate: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'a>,
    allocations: FuncValidatorAllocations,
    debug: bool,
) -> Result<(Translated, FuncValidatorAllocations), CompileError> {
    let mut validator = validate.into_validator(allocations);
    let mut reader = body.get_binary_reader();
    let offset = reader.original_position() as u32;
    validator.read_locals(&mut reader)?;
    let mut locals = Vec::new();
    for declaration in body.get_locals_reader()? {
        let (count, ty) = declaration?;
        let ty = val_type(ty)?;
        locals.resize(locals.len() + count as usize, ty);
    }
    let ty = module.function_type(index);
    let scan = match debug {
        // every local has a slot, and is zero until the guest writes it
        true => Prescan::default(),
        false => Prescan::new(body.get_operators_reader()?, ty.params.len(), ty.params.len() + locals.len()),
    };
    let mut function = Function::new(module, &ty.params, &ty.results, &locals, &scan, offset);
    function.debug = debug;
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let (operator, at) = operators.read_with_offset()?;
        validator.op(at, &operator)?;
        function.offset = at as u32;
        function.step();
        function.operator(&operator);
        function.check()?;
    }
    let end = operators.original_position() as u32;
    operators.finish()?;
    let slots: Vec<u32> = if debug { function.locals.iter().map(|local| local.0).collect() } else { Vec::new() };
    let types = ty.params.iter().chain(&locals).copied();
    let locals = slots.into_iter().zip(types).collect();
    let body = offset..end;
    let translated = Translated { locals, body, ..Translated::new(function, offset)? };
    Ok((translated, validator.into_allocations()))
}

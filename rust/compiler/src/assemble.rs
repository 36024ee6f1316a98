// SPDX-License-Identifier: Apache-2.0
//! Lays the sections of the image out.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};
use wasmparser::{ElementKind, ExternalKind, TypeRef};
use wisp_image::format::{self, external, manifest, memory_flags, Section, ValType};
use wisp_image::writer::{append_trailer, Writer};

use crate::debug;
use crate::encode;
use crate::error::{CompileError, ErrorKind};
use crate::init::{self, Init};
use crate::layout::Layout;
use crate::memory;
use crate::module::{FuncType, Module};
use crate::parse::{Parsed, Translated};
use crate::{Compiled, Options};

/// Little-endian bytes of a section.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn byte(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    fn half(&mut self, value: u16) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn word(&mut self, value: u32) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }
}

/// The string section: each string once.
#[derive(Default)]
struct Strings {
    bytes: Vec<u8>,
    known: BTreeMap<String, u32>,
}

impl Strings {
    fn offset(&mut self, text: &str) -> Result<u32, CompileError> {
        if let Some(&offset) = self.known.get(text) {
            return Ok(offset);
        }
        let what = "bytes in the name of an import or export";
        let length = u16::try_from(text.len()).map_err(|_| ErrorKind::TooMany {
            what,
            count: text.len() as u64,
            limit: u64::from(u16::MAX),
            remedy: "shorten it",
        })?;
        let offset = self.bytes.len() as u32;
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(text.as_bytes());
        self.known.insert(text.to_string(), offset);
        Ok(offset)
    }
}

/// Bytes of code, at most: a far call says its distance in 32 bits with a sign.
const CODE_MAX: u64 = i32::MAX as u64;

/// Code of all functions in place.
struct Code {
    bytes: Vec<u8>,
    starts: Vec<u32>,
    source_map: Vec<(u32, u32)>,
}

/// Makes the image.
pub fn assemble(wasm: &[u8], mut parsed: Parsed<'_>, options: &Options<'_>) -> Result<Compiled, CompileError> {
    let mut init = init::plan(&parsed.module)?;
    let code = place(&mut parsed, &mut init)?;
    let debug = options.debug.then(|| debug::map(&parsed.functions, &code.starts));
    let parsed = &parsed;
    let module = &parsed.module;
    let mut strings = Strings::default();
    let mut writer = Writer::new();
    writer.section(Section::Manifest, manifest_bytes(wasm, parsed, &init, &code, options)?);
    writer.section(Section::Types, types(module));
    writer.section(Section::Imports, imports(module, &mut strings)?);
    writer.section(Section::Functions, functions(module, &code, init.function.is_some()));
    writer.section(Section::Globals, globals(module, &init));
    writer.section(Section::Tables, tables(module));
    writer.section(Section::Exports, exports(module, &mut strings)?);
    elements(module, &init, &mut writer)?;
    data(module, &init, &mut writer);
    writer.section(Section::Strings, strings.bytes);
    writer.section(Section::Code, code.bytes);
    let mut image = writer.finish();
    let hash = Sha256::digest(&image);
    append_trailer(&mut image, &[(format::TAG_HASH, &hash)]);
    Ok(Compiled { image, source_map: code.source_map, debug })
}

/// Encodes all functions one behind the other.
///
/// Calls that do not reach their callee get a longer form, which moves what lies behind them. That is repeated
/// until all reach, for the reason and with the bound that [`crate::layout`] gives for branches.
fn place(parsed: &mut Parsed<'_>, init: &mut Init) -> Result<Code, CompileError> {
    let imported = parsed.module.imported_functions;
    let mut functions: Vec<&mut Translated> = parsed.functions.iter_mut().chain(&mut init.function).collect();
    let mut starts = vec![0; functions.len()];
    let mut near: Vec<Vec<usize>> = functions.iter().map(|f| f.layout.near_calls()).collect();
    let mut round = 0;
    let size = loop {
        let mut size = 0_u64;
        for (start, function) in starts.iter_mut().zip(&functions) {
            *start = size as u32;
            size += u64::from(function.layout.size());
        }
        if size > CODE_MAX {
            let remedy = "split the program into several apps";
            return Err(ErrorKind::TooMany { what: "bytes of code", count: size, limit: CODE_MAX, remedy }.into());
        }
        let mut all_reach = true;
        for (index, function) in functions.iter_mut().enumerate() {
            let (layout, start) = (&mut function.layout, i64::from(starts[index]));
            let (far, still_near) = near[index].iter().partition(|&&item| {
                layout.callee(item).is_some_and(|callee| {
                    Layout::beyond(round, i64::from(starts[callee as usize]) - start - i64::from(layout.at(item)))
                })
            });
            let far: Vec<usize> = far;
            near[index] = still_near;
            if !far.is_empty() {
                all_reach = false;
                let named = |error| CompileError { function: Some(imported + index as u32), ..error };
                layout.make_far(&far).map_err(named)?;
                near[index] = layout.near_calls();
            }
        }
        if all_reach {
            break size;
        }
        round += 1;
    };
    let mut code = Code { bytes: Vec::with_capacity(size as usize), starts, source_map: Vec::new() };
    for function in functions {
        encode::write(&function.layout, function.frame, &code.starts, &mut code.bytes, &mut code.source_map);
    }
    Ok(code)
}

/// Returns why an app cannot have this name: `None` if it can. Devices compare it with the names of their apps,
/// and print it.
fn name_problem(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("it is empty"),
        _ if name.len() > format::NAME_MAX => Some("it is longer than 31 bytes"),
        _ if name.chars().any(char::is_control) => Some("it has a control character"),
        _ => None,
    }
}

fn manifest_bytes(
    wasm: &[u8],
    parsed: &Parsed<'_>,
    init: &Init,
    code: &Code,
    options: &Options<'_>,
) -> Result<Vec<u8>, CompileError> {
    let module = &parsed.module;
    let mut out = vec![0; manifest::SIZE];
    out[manifest::WASM_HASH..manifest::WASM_HASH + 32].copy_from_slice(&Sha256::digest(wasm));
    let name = options.name;
    if let Some(problem) = name_problem(name) {
        return Err(ErrorKind::Name(name.into(), problem).into());
    }
    out[manifest::NAME] = name.len() as u8;
    out[manifest::NAME + 1..manifest::NAME + 1 + name.len()].copy_from_slice(name.as_bytes());
    let mut word = |at: usize, value: u32| out[at..at + 4].copy_from_slice(&value.to_le_bytes());
    let (major, minor, patch) = options.version;
    word(manifest::VERSION, u32::from(major) | u32::from(minor) << 8 | u32::from(patch) << 16);
    let (backed, flags) = memory::backed(module, init, options)?;
    if let Some(memory) = module.memory {
        word(manifest::MEMORY_FLAGS, flags | u32::from(memory.page_size_log2) << memory_flags::PAGE_SHIFT);
        word(manifest::MEMORY_MIN, memory.min);
        word(manifest::MEMORY_MAX, memory.max.unwrap_or(format::NONE));
        word(manifest::MEMORY_BACKED, backed);
    }
    word(manifest::STACK, memory::guest_stack(wasm, module, init));
    word(manifest::GLOBALS_SIZE, module.globals_size);
    word(manifest::ROLLBACK, options.rollback);
    let last = init.function.as_ref().map(|_| code.starts.len() as u32 - 1);
    word(manifest::INIT, last.unwrap_or(format::NONE));
    let frames = parsed.functions.iter().chain(&init.function).map(|f| f.frame * 4);
    word(manifest::MAX_FRAME, frames.max().unwrap_or(0));
    Ok(out)
}

fn types(module: &Module<'_>) -> Vec<u8> {
    // the type of the init function, which takes and returns nothing, comes last if no other is like it
    let mut distinct: Vec<(&[ValType], &[ValType])> = Vec::new();
    for (canonical, ty) in &module.types {
        if *canonical as usize == distinct.len() {
            distinct.push((&ty.params, &ty.results));
        }
    }
    if usize::from(empty_type(module)) == distinct.len() {
        distinct.push((&[], &[]));
    }
    let mut out = Bytes::default();
    out.word(distinct.len() as u32);
    let mut offset = 4 + distinct.len() * format::entry::TYPE;
    for (params, results) in &distinct {
        out.word(offset as u32).half(params.len() as u16).half(results.len() as u16);
        offset += params.len() + results.len();
    }
    for (params, results) in distinct {
        for ty in params.iter().chain(results) {
            out.byte(*ty as u8);
        }
    }
    out.0
}

/// Returns the index of the type without parameters and results.
fn empty_type(module: &Module<'_>) -> u16 {
    let known = module.distinct.get(&FuncType::default());
    known.map_or(module.distinct.len() as u32, |&canonical| canonical) as u16
}

fn imports(module: &Module<'_>, strings: &mut Strings) -> Result<Vec<u8>, CompileError> {
    let mut out = Bytes::default();
    let mut tables = module.tables.iter();
    let mut globals = module.globals.iter();
    for import in &module.imports {
        out.word(strings.offset(import.module)?).word(strings.offset(import.name)?);
        match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                out.byte(external::FUNCTION).byte(0).half(module.ty(ty).1).word(0).word(0);
            }
            TypeRef::Table(_) => {
                if let Some(table) = tables.next() {
                    out.byte(external::TABLE).byte(table.ty as u8).half(0);
                    out.word(table.min).word(table.max.unwrap_or(format::NONE));
                }
            }
            TypeRef::Memory(_) => {
                if let Some(memory) = module.memory {
                    out.byte(external::MEMORY).byte(memory.page_size_log2).half(0);
                    out.word(memory.min).word(memory.max.unwrap_or(format::NONE));
                }
            }
            TypeRef::Global(_) => {
                if let Some(global) = globals.next() {
                    out.byte(external::GLOBAL).byte(global.ty as u8).half(u16::from(global.mutable)).word(0).word(0);
                }
            }
            TypeRef::Tag(_) => {}
        }
    }
    Ok(out.0)
}

fn functions(module: &Module<'_>, code: &Code, init: bool) -> Vec<u8> {
    let mut out = Bytes::default();
    let defined = module.functions.len() as u32 - module.imported_functions;
    for (index, &start) in code.starts.iter().enumerate() {
        let ty = if init && index as u32 == defined {
            empty_type(module)
        } else {
            module.canonical_of(module.imported_functions + index as u32)
        };
        out.word(start).half(ty).half(0);
    }
    out.0
}

fn globals(module: &Module<'_>, init: &Init) -> Vec<u8> {
    let mut out = Bytes::default();
    let defined = module.globals.iter().filter(|g| g.imported.is_none());
    for (global, &bits) in defined.zip(&init.globals) {
        out.byte(global.ty as u8).byte(u8::from(global.mutable)).half(0).word(global.offset);
        out.word(bits as u32).word((bits >> 32) as u32);
    }
    out.0
}

fn tables(module: &Module<'_>) -> Vec<u8> {
    let mut out = Bytes::default();
    for table in &module.tables[module.imported_tables..] {
        out.byte(table.ty as u8).byte(0).half(0).word(table.min).word(table.max.unwrap_or(format::NONE));
    }
    out.0
}

fn exports(module: &Module<'_>, strings: &mut Strings) -> Result<Vec<u8>, CompileError> {
    let mut out = Bytes::default();
    for export in &module.exports {
        let kind = match export.kind {
            ExternalKind::Func | ExternalKind::FuncExact => external::FUNCTION,
            ExternalKind::Table => external::TABLE,
            ExternalKind::Memory => external::MEMORY,
            ExternalKind::Global => external::GLOBAL,
            ExternalKind::Tag => continue,
        };
        out.word(strings.offset(export.name)?).byte(kind).byte(0).half(export.index as u16);
    }
    Ok(out.0)
}

fn elements(module: &Module<'_>, init: &Init, writer: &mut Writer) -> Result<(), CompileError> {
    let mut out = Bytes::default();
    let mut all = Bytes::default();
    for (index, element) in module.elements.iter().enumerate() {
        let place = &init.elements[index];
        let items = &init.items[index];
        let table = match element.kind {
            ElementKind::Active { table_index, .. } => table_index.unwrap_or(0) as u16,
            _ => 0,
        };
        out.byte(place.mode).byte(init::element_type(&element.items)? as u8).half(table).word(place.offset);
        out.word((all.0.len() / 4) as u32).word(items.len() as u32);
        for &item in items {
            all.word(item);
        }
    }
    writer.section(Section::Elements, out.0);
    writer.section(Section::Items, all.0);
    Ok(())
}

fn data(module: &Module<'_>, init: &Init, writer: &mut Writer) {
    let mut out = Bytes::default();
    let mut all = Vec::new();
    for run in &init.runs {
        out.word(u32::from(run.mode)).word(run.offset).word(all.len() as u32).word(run.length);
        run.append(&module.data, &init.data, &mut all);
    }
    writer.section(Section::Data, out.0);
    writer.section(Section::DataBytes, all);
}

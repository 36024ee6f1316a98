// SPDX-License-Identifier: Apache-2.0
//! A core module as linking needs it: its sections, and all of its imports in order.

use std::collections::BTreeMap;

use wasmparser::{ExternalKind, FuncType, FunctionBody, MemoryType, Parser, Payload, TypeRef};

use crate::debug::Debug;
use crate::Error;

/// A core module.
#[derive(Default)]
pub struct Module<'a> {
    /// Module, name and type of the imports.
    pub imports: Vec<(&'a str, &'a str, TypeRef)>,
    pub types: Option<wasmparser::TypeSectionReader<'a>>,
    pub func_types: Vec<Option<FuncType>>,
    /// Type indices of the functions that the module defines.
    pub funcs: Vec<u32>,
    pub tables: Option<wasmparser::TableSectionReader<'a>>,
    pub memories: Vec<MemoryType>,
    pub globals: Option<wasmparser::GlobalSectionReader<'a>>,
    pub exports: BTreeMap<&'a str, (ExternalKind, u32)>,
    pub start: Option<u32>,
    pub elements: Option<wasmparser::ElementSectionReader<'a>>,
    pub data: Option<wasmparser::DataSectionReader<'a>>,
    pub bodies: Vec<FunctionBody<'a>>,
    pub names: Option<wasmparser::NameSectionReader<'a>>,
    /// Offset at which the contents of the code section begin.
    pub code_start: u64,
    pub debug: Debug<'a>,
}

impl<'a> Module<'a> {
    /// Reads a module.
    ///
    /// # Errors
    /// Bytes that are no module.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(types) => {
                    for group in types.clone() {
                        for ty in group?.into_types() {
                            module.func_types.push(match ty.composite_type.inner {
                                wasmparser::CompositeInnerType::Func(ty) => Some(ty),
                                _ => None,
                            });
                        }
                    }
                    module.types = Some(types);
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import?;
                        module.imports.push((import.module, import.name, import.ty));
                    }
                }
                Payload::FunctionSection(functions) => {
                    module.funcs = functions.into_iter().collect::<Result<_, _>>()?
                }
                Payload::TableSection(tables) => module.tables = Some(tables),
                Payload::MemorySection(memories) => module.memories = memories.into_iter().collect::<Result<_, _>>()?,
                Payload::GlobalSection(globals) => module.globals = Some(globals),
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        module.exports.insert(export.name, (export.kind, export.index));
                    }
                }
                Payload::StartSection { func, .. } => module.start = Some(func),
                Payload::ElementSection(elements) => module.elements = Some(elements),
                Payload::DataSection(data) => module.data = Some(data),
                Payload::CodeSectionStart { unchecked_range, .. } => module.code_start = unchecked_range.start,
                Payload::CodeSectionEntry(body) => module.bodies.push(body),
                Payload::CustomSection(section) => {
                    if let wasmparser::KnownCustom::Name(names) = section.as_known() {
                        module.names = Some(names);
                    } else if section.name().starts_with(".debug_") {
                        module.debug.push((section.name(), section.data()));
                    }
                }
                _ => {}
            }
        }
        Ok(module)
    }

    /// Returns the type of each imported function.
    pub fn imported_funcs(&self) -> impl Iterator<Item = u32> + '_ {
        self.imports.iter().filter_map(|(.., ty)| match ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => Some(*ty),
            _ => None,
        })
    }

    /// Returns a type of functions.
    pub fn func_type(&self, ty: u32) -> Result<&FuncType, Error> {
        self.func_types.get(ty as usize).and_then(Option::as_ref).ok_or_else(|| Error::dangling("type"))
    }

    /// Returns the exported function with this name.
    pub fn exported(&self, name: &str) -> Option<u32> {
        self.exports.get(name).and_then(|&(kind, index)| (kind == ExternalKind::Func).then_some(index))
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Reads of a core module what linking needs.

use std::collections::BTreeMap;

use wasmparser::{
    ElementItems, ElementKind, Export, ExternalKind, FuncType, FunctionBody, Operator, Parser, Payload, TypeRef,
};

use crate::Error;

/// An active segment of functions.
#[derive(Debug)]
pub struct Elements {
    pub table: u32,
    pub offset: u32,
    pub functions: Vec<u32>,
}

/// A function that only calls an entry of a table with its own parameters.
#[derive(Debug, Clone, Copy)]
pub struct Jump {
    pub table: u32,
    pub entry: u32,
}

/// A core module.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    pub types: Vec<Option<FuncType>>,
    /// Module, name and type index of the imported functions.
    pub imported_funcs: Vec<(&'a str, &'a str, u32)>,
    /// Module and name of the imported tables.
    pub imported_tables: Vec<(&'a str, &'a str)>,
    /// Module, name and kind of the other imports.
    pub other_imports: Vec<(&'a str, &'a str, &'static str)>,
    pub memories: u32,
    /// Type indices of the functions that the module defines.
    pub funcs: Vec<u32>,
    pub bodies: Vec<FunctionBody<'a>>,
    /// Offset of the contents of the code section.
    pub code_start: u64,
    pub exports: BTreeMap<&'a str, (ExternalKind, u32)>,
    pub elements: Vec<Elements>,
    pub start: Option<u32>,
}

impl<'a> Facts<'a> {
    /// Reads a module.
    ///
    /// # Errors
    /// Bytes that are no module.
    pub fn of(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut facts = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(groups) => facts.read_types(groups)?,
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import?;
                        facts.import(import.module, import.name, import.ty);
                    }
                }
                Payload::FunctionSection(functions) => {
                    facts.funcs = functions.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::MemorySection(memories) => facts.memories = memories.count(),
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let Export { name, kind, index } = export?;
                        facts.exports.insert(name, (kind, index));
                    }
                }
                Payload::StartSection { func, .. } => facts.start = Some(func),
                Payload::ElementSection(segments) => facts.read_elements(segments)?,
                Payload::CodeSectionStart { unchecked_range, .. } => facts.code_start = unchecked_range.start,
                Payload::CodeSectionEntry(body) => facts.bodies.push(body),
                _ => {}
            }
        }
        Ok(facts)
    }

    fn read_types(&mut self, groups: wasmparser::TypeSectionReader<'a>) -> Result<(), Error> {
        for group in groups {
            for ty in group?.into_types() {
                let inner = ty.composite_type.inner;
                self.types.push(match inner {
                    wasmparser::CompositeInnerType::Func(ty) => Some(ty),
                    _ => None,
                });
            }
        }
        Ok(())
    }

    fn import(&mut self, module: &'a str, name: &'a str, ty: TypeRef) {
        match ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => self.imported_funcs.push((module, name, ty)),
            TypeRef::Table(_) => self.imported_tables.push((module, name)),
            TypeRef::Memory(_) => self.other_imports.push((module, name, "memory")),
            TypeRef::Global(_) => self.other_imports.push((module, name, "global")),
            TypeRef::Tag(_) => self.other_imports.push((module, name, "tag")),
        }
    }

    /// Keeps active segments of functions at constant offsets: a module for the linking of others has no others.
    fn read_elements(&mut self, segments: wasmparser::ElementSectionReader<'a>) -> Result<(), Error> {
        for segment in segments {
            let segment = segment?;
            let (ElementKind::Active { table_index, offset_expr }, ElementItems::Functions(functions)) =
                (segment.kind, segment.items)
            else {
                continue;
            };
            let mut offset = offset_expr.get_operators_reader();
            let (Operator::I32Const { value }, Operator::End) = (offset.read()?, offset.read()?) else { continue };
            self.elements.push(Elements {
                table: table_index.unwrap_or(0),
                offset: value as u32,
                functions: functions.into_iter().collect::<Result<_, _>>()?,
            });
        }
        Ok(())
    }

    /// Returns the type of a function, imported or not.
    pub fn type_of(&self, func: u32) -> Option<&FuncType> {
        let imported = self.imported_funcs.len();
        let index = match self.imported_funcs.get(func as usize) {
            Some(&(_, _, ty)) => ty,
            None => *self.funcs.get(func as usize - imported)?,
        };
        self.types.get(index as usize)?.as_ref()
    }

    /// Returns the exported function with this name.
    pub fn exported(&self, name: &str) -> Option<u32> {
        self.exports.get(name).and_then(|&(kind, index)| (kind == ExternalKind::Func).then_some(index))
    }

    /// Returns the table entry that a function calls, if it does nothing else: such functions stand for others that
    /// exist only later.
    pub fn jump(&self, func: u32) -> Option<Jump> {
        let params = self.type_of(func)?.params().len() as u32;
        let body = self.bodies.get((func as usize).checked_sub(self.imported_funcs.len())?)?;
        let mut ops = body.get_operators_reader().ok()?;
        for param in 0..params {
            let Operator::LocalGet { local_index } = ops.read().ok()? else { return None };
            if local_index != param {
                return None;
            }
        }
        let Operator::I32Const { value } = ops.read().ok()? else { return None };
        let Operator::CallIndirect { table_index, .. } = ops.read().ok()? else { return None };
        matches!(ops.read().ok()?, Operator::End).then_some(Jump { table: table_index, entry: value as u32 })
    }
}

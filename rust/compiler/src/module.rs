// SPDX-License-Identifier: Apache-2.0
//! The module model: what surrounds the functions, for this crate and for whoever else reads a validated module.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use wasmparser::{BlockType, ConstExpr, Data, Element, Export, Import};
use wisp_image::format::ValType;
use wisp_image::ops::Operand;

use crate::error::{CompileError, ErrorKind};
use crate::inst::Arg;

/// A function type.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct FuncType {
    /// Parameters.
    pub params: Vec<ValType>,
    /// Results.
    pub results: Vec<ValType>,
}

/// A global, imported or defined.
#[derive(Clone, Copy)]
pub struct GlobalInfo {
    /// Type.
    pub ty: ValType,
    /// May be written.
    pub mutable: bool,
    /// Index among the imported globals, or `None` if it is defined.
    pub imported: Option<u32>,
    /// Byte offset of a defined global in the instance.
    pub offset: u32,
}

impl GlobalInfo {
    /// Returns the operand that names it.
    pub(crate) fn operand(&self) -> Arg {
        let wide = self.ty.slots() == 2;
        match (self.imported, wide) {
            (Some(index), false) => Arg::Word(Operand::GlobalImport, index as u16),
            (Some(index), true) => Arg::Word(Operand::GlobalImport64, index as u16),
            (None, false) => Arg::Word(Operand::Global, self.offset as u16),
            (None, true) => Arg::Word(Operand::Global64, self.offset as u16),
        }
    }
}

/// A table, imported or defined.
#[derive(Clone, Copy)]
pub struct TableInfo {
    /// Element type.
    pub ty: ValType,
    /// Initial number of elements.
    pub min: u32,
    /// Largest number of elements.
    pub max: Option<u32>,
}

/// The memory, imported or defined.
#[derive(Clone, Copy)]
pub struct MemoryInfo {
    /// Imported.
    pub imported: bool,
    /// Initial pages.
    pub min: u32,
    /// Largest size in pages.
    pub max: Option<u32>,
    /// Binary logarithm of the page size.
    pub page_size_log2: u8,
}

/// A parsed module. Everything in it borrows the wasm bytes.
#[derive(Default)]
pub struct Module<'a> {
    /// All types in order: (index among the distinct ones, type). [`crate::compile`] refuses modules
    /// in which those indices do not fit 16 bits.
    pub types: Vec<(u32, FuncType)>,
    /// The distinct types and their indices.
    pub distinct: BTreeMap<FuncType, u32>,
    /// Imports in order.
    pub imports: Vec<Import<'a>>,
    /// Type index of each function, imports first.
    pub functions: Vec<u32>,
    /// Number of imported functions.
    pub imported_functions: u32,
    /// Globals, imports first.
    pub globals: Vec<GlobalInfo>,
    /// Initialisers of the defined globals.
    pub global_inits: Vec<ConstExpr<'a>>,
    /// Bytes of the defined globals.
    pub globals_size: u32,
    /// Tables, imports first.
    pub tables: Vec<TableInfo>,
    /// Number of imported tables.
    pub imported_tables: usize,
    /// The memory.
    pub memory: Option<MemoryInfo>,
    /// Exports.
    pub exports: Vec<Export<'a>>,
    /// Start function.
    pub start: Option<u32>,
    /// Element segments.
    pub elements: Vec<Element<'a>>,
    /// Data segments.
    pub data: Vec<Data<'a>>,
    /// Some function calls `memory.grow`.
    pub grows: bool,
    /// Some function calls `memory.size`.
    pub asks_for_size: bool,
    /// The code asks for the end of memory as [`crate::adapt`] makes it.
    pub adapted: bool,
    /// Some function names a data segment.
    pub names_data: bool,
}

/// Returns a value type of the supported features.
///
/// # Errors
/// It is a vector, or a reference to anything but functions or values of the host.
pub fn val_type(ty: wasmparser::ValType) -> Result<ValType, ErrorKind> {
    Ok(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::Ref(r) => ref_type(r)?,
        wasmparser::ValType::V128 => return Err(ErrorKind::Invalid("SIMD is not supported".into())),
    })
}

/// Returns a reference type of the supported features.
fn ref_type(ty: wasmparser::RefType) -> Result<ValType, ErrorKind> {
    if ty.is_func_ref() {
        Ok(ValType::FuncRef)
    } else if ty.is_extern_ref() {
        Ok(ValType::ExternRef)
    } else {
        Err(ErrorKind::Invalid("only funcref and externref are supported".into()))
    }
}

impl Module<'_> {
    /// Returns a type by its index in the module, and its index among the distinct types.
    pub fn ty(&self, index: u32) -> (&FuncType, u16) {
        let (canonical, ty) = &self.types[index as usize];
        (ty, *canonical as u16)
    }

    /// Returns the type of a function.
    pub fn function_type(&self, function: u32) -> &FuncType {
        self.ty(self.functions[function as usize]).0
    }

    /// Returns the index among the distinct types of the type of a function.
    pub fn canonical_of(&self, function: u32) -> u16 {
        self.ty(self.functions[function as usize]).1
    }

    /// Returns the index among the defined functions, or `None` for an import.
    pub fn defined(&self, function: u32) -> Option<u32> {
        function.checked_sub(self.imported_functions)
    }

    /// Widths of a block's parameters and results.
    pub fn block_type(&self, ty: BlockType) -> (Vec<bool>, Vec<bool>) {
        let widths = |types: &[ValType]| types.iter().map(|t| t.slots() == 2).collect();
        match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(ty) => {
                let wide = matches!(ty, wasmparser::ValType::I64 | wasmparser::ValType::F64);
                (Vec::new(), [wide].to_vec())
            }
            BlockType::FuncType(index) => {
                let (ty, _) = self.ty(index);
                (widths(&ty.params), widths(&ty.results))
            }
        }
    }

    /// Adds a type and finds its place among the distinct ones.
    pub(crate) fn add_type(&mut self, ty: FuncType) {
        let next = self.distinct.len() as u32;
        let canonical = *self.distinct.entry(ty.clone()).or_insert(next);
        self.types.push((canonical, ty));
    }

    /// Adds a global.
    pub(crate) fn add_global(&mut self, ty: wasmparser::GlobalType, imported: Option<u32>) -> Result<(), CompileError> {
        let mutable = ty.mutable;
        let ty = val_type(ty.content_type)?;
        let offset = self.globals_size;
        if imported.is_none() {
            self.globals_size += 4 * ty.slots() as u32;
        }
        self.globals.push(GlobalInfo { ty, mutable, imported, offset });
        Ok(())
    }

    /// Adds a table.
    pub(crate) fn add_table(&mut self, ty: wasmparser::TableType) -> Result<(), CompileError> {
        let limit = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.tables.push(TableInfo {
            ty: ref_type(ty.element_type)?,
            min: limit(ty.initial),
            max: ty.maximum.map(limit),
        });
        Ok(())
    }

    /// Sets the memory.
    pub(crate) fn set_memory(&mut self, ty: wasmparser::MemoryType, imported: bool) {
        let limit = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.memory = Some(MemoryInfo {
            imported,
            min: limit(ty.initial),
            max: ty.maximum.map(limit),
            page_size_log2: ty.page_size_log2.unwrap_or(16) as u8,
        });
    }

    /// Checks the counts that the image format bounds, `init` function included.
    ///
    /// # Errors
    /// The first that is too large, with what can be done about it.
    pub(crate) fn check_counts(&self) -> Result<(), CompileError> {
        /// Number of values that one word of the code can tell apart.
        const WORD: usize = 1 << 16;
        const SPLIT: &str = "split the program into several apps";
        const FEWER_GLOBALS: &str = "keep them in linear memory";
        const FEWER_SEGMENTS: &str = "give them constant offsets, or join neighbours";
        let imported_globals = self.globals.iter().filter(|g| g.imported.is_some()).count();
        let counts = [
            // one more for what the image does at instantiation
            ("functions", self.functions.len() + 1, wisp_image::format::FUNCTIONS_MAX, SPLIT),
            ("distinct types", self.distinct.len() + 1, WORD - 1, "share signatures"),
            ("tables", self.tables.len(), WORD, "join them"),
            ("bytes of globals", self.globals_size as usize, WORD - 8, FEWER_GLOBALS),
            ("imported globals", imported_globals, WORD, FEWER_GLOBALS),
            ("globals", self.globals.len(), WORD, FEWER_GLOBALS),
            ("element segments", self.elements.len(), WORD - 1, FEWER_SEGMENTS),
        ];
        for (what, count, limit, remedy) in counts {
            if count > limit {
                return Err(ErrorKind::TooMany { what, count: count as u64, limit: limit as u64, remedy }.into());
            }
        }
        Ok(())
    }
}

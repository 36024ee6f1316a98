// SPDX-License-Identifier: Apache-2.0
//! What the translation needs of the module, read from wasm that the compiler has validated.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{BlockType, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FunctionBody, Operator};
use wisp_compiler::{val_type, CompileError, FuncType};
use wisp_image::format::{segment, ValType};
use wisp_image::{Image, Memory};

use crate::error::AotError;

/// A global.
pub struct Global {
    pub ty: ValType,
    /// Index among the imported globals, or `None` if it is defined.
    pub imported: Option<usize>,
    /// Byte offset of a defined one behind the context.
    pub offset: u32,
    /// Its bits, if they never change.
    pub constant: Option<u64>,
    /// Lower bits of its first value that are zero, or 0 if it is set elsewhere.
    pub zeros: u8,
}

/// An element of a table nobody can write to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Function, or `None` for null.
    pub function: Option<u32>,
}

/// A table.
pub struct Table {
    /// All elements, if nothing but the code of this module reads the table and nothing writes it.
    pub fixed: Option<Vec<Entry>>,
}

/// The functions that a call through a table with one type may reach.
pub struct Indirect {
    /// Number that stands for all of these functions in the graph of calls: behind those of functions.
    pub node: u32,
    /// The functions.
    pub callees: Vec<u32>,
    /// Of a fixed table that consists of nulls and then of functions of this type only: the first of those.
    pub run: Option<usize>,
}

/// A function body.
pub struct Body<'a> {
    /// Types of the locals behind the parameters.
    pub locals: Vec<ValType>,
    /// Operators, and their offsets in the module.
    pub operators: Vec<(Operator<'a>, u32)>,
}

/// A module.
pub struct Module<'a> {
    /// By index in the module: type, index among the distinct ones.
    pub types: Vec<(FuncType, u16)>,
    /// Type index of each function, imported ones first.
    pub functions: Vec<u32>,
    pub imported_functions: u32,
    pub globals: Vec<Global>,
    pub tables: Vec<Table>,
    pub memory: Option<Memory>,
    /// Functions that a reference, or the host, can reach: exported ones and those in writable tables.
    pub reachable: BTreeSet<u32>,
    /// By table and index of the type among the distinct ones: what indirect calls may reach.
    pub indirect: BTreeMap<(u32, u16), Indirect>,
    /// Functions in tables, as far as their elements are known, or in a table that may change.
    pub in_table: BTreeSet<u32>,
    /// Defined functions, the init function behind them if there is one.
    pub bodies: Vec<Body<'a>>,
}

/// The module as the compiler reads it, with the operators of its functions.
struct Raw<'a> {
    source: wisp_compiler::Module<'a>,
    bodies: Vec<Body<'a>>,
}

/// Reads a module. The image is made from it: it says where globals lie and what became of segments.
pub fn read<'a>(wasm: &'a [u8], image: &Image<'_>) -> Result<Module<'a>, AotError> {
    let (source, bodies) = wisp_compiler::read(wasm)?;
    let bodies = bodies.iter().map(body).collect::<Result<_, _>>()?;
    let mut raw = Raw { source, bodies };
    let source = &raw.source;
    let manifest = image.manifest()?;
    let mut module = Module {
        types: source.types.iter().map(|(distinct, ty)| (ty.clone(), *distinct as u16)).collect(),
        functions: source.functions.clone(),
        imported_functions: source.imported_functions,
        globals: Vec::new(),
        tables: Vec::new(),
        memory: manifest.memory,
        reachable: BTreeSet::new(),
        indirect: BTreeMap::new(),
        in_table: BTreeSet::new(),
        bodies: Vec::new(),
    };
    let exported = |kind| source.exports.iter().filter(move |e| e.kind == kind).map(|e| e.index);
    let exported_globals: BTreeSet<u32> = exported(ExternalKind::Global).collect();
    let imported_globals = source.globals.len() - source.global_inits.len();
    for (index, global) in source.globals.iter().enumerate() {
        let (mut constant, mut zeros) = (None, 0);
        if let Some(own) = index.checked_sub(imported_globals) {
            let first = source.global_inits.get(own).and_then(constant_of);
            constant = first.filter(|_| !global.mutable);
            // one without a constant is zero until code of the module sets it
            zeros = first.unwrap_or(0).trailing_zeros().min(32) as u8;
        }
        if exported_globals.contains(&(index as u32)) {
            zeros = 0;
        }
        let imported = global.imported.map(|index| index as usize);
        module.globals.push(Global { ty: global.ty, imported, offset: global.offset, constant, zeros });
    }
    module.reachable.extend(exported(ExternalKind::Func));
    raw.tables(image, &mut module)?;
    if manifest.init.is_some() {
        let body = raw.init(image)?;
        module.types.push((FuncType::default(), u16::MAX));
        module.functions.push(module.types.len() as u32 - 1);
        module.reachable.insert(module.functions.len() as u32 - 1);
        raw.bodies.push(body);
    }
    for body in &raw.bodies {
        for (operator, _) in &body.operators {
            if let Operator::RefFunc { function_index } = operator {
                module.reachable.insert(*function_index);
            }
        }
    }
    module.bodies = raw.bodies;
    module.find_indirect();
    Ok(module)
}

/// Returns the bits of a constant expression that depends on nothing.
fn constant_of(expr: &ConstExpr<'_>) -> Option<u64> {
    let mut operators = expr.get_operators_reader().into_iter();
    let value = match operators.next()?.ok()? {
        Operator::I32Const { value } => u64::from(value as u32),
        Operator::I64Const { value } => value as u64,
        Operator::F32Const { value } => u64::from(value.bits()),
        Operator::F64Const { value } => value.bits(),
        _ => return None,
    };
    matches!(operators.next(), Some(Ok(Operator::End))).then_some(value)
}

fn expression<'a>(expr: &ConstExpr<'a>, out: &mut Vec<(Operator<'a>, u32)>) -> Result<(), AotError> {
    for operator in expr.get_operators_reader() {
        match operator? {
            Operator::End => {}
            operator => out.push((operator, 0)),
        }
    }
    Ok(())
}

/// Returns the functions that an element segment names, with `None` for an item that is neither a constant function nor
/// null.
fn items(items: &ElementItems<'_>) -> Result<Vec<Option<Entry>>, AotError> {
    let mut out = Vec::new();
    match items {
        ElementItems::Functions(functions) => {
            for function in functions.clone() {
                out.push(Some(Entry { function: Some(function?) }));
            }
        }
        ElementItems::Expressions(_, expressions) => {
            for expr in expressions.clone() {
                let first = expr?.get_operators_reader().into_iter().next();
                out.push(match first {
                    Some(Ok(Operator::RefFunc { function_index })) => Some(Entry { function: Some(function_index) }),
                    Some(Ok(Operator::RefNull { .. })) => Some(Entry { function: None }),
                    _ => None,
                });
            }
        }
    }
    Ok(out)
}

/// Reads the operators of a function.
fn body<'a>(body: &FunctionBody<'a>) -> Result<Body<'a>, AotError> {
    let mut locals = Vec::new();
    for declaration in body.get_locals_reader()? {
        let (count, ty) = declaration?;
        locals.resize(locals.len() + count as usize, val_type(ty).map_err(CompileError::from)?);
    }
    let mut operators = Vec::new();
    for operator in body.get_operators_reader()?.into_iter_with_offsets() {
        let (operator, at) = operator?;
        operators.push((operator, at as u32));
    }
    Ok(Body { locals, operators })
}

impl<'a> Raw<'a> {
    /// Finds the tables whose elements never change, and the functions that the others hold.
    fn tables(&self, image: &Image<'_>, module: &mut Module<'a>) -> Result<(), AotError> {
        let imported = self.source.imported_tables;
        let mut open: Vec<bool> = (0..self.source.tables.len()).map(|index| index < imported).collect();
        for export in self.source.exports.iter().filter(|export| export.kind == ExternalKind::Table) {
            open[export.index as usize] = true;
        }
        for (operator, _) in self.bodies.iter().flat_map(|body| &body.operators) {
            let written = match operator {
                Operator::TableSet { table } | Operator::TableGrow { table } | Operator::TableFill { table } => *table,
                Operator::TableInit { table, .. } => *table,
                Operator::TableCopy { dst_table, .. } => *dst_table,
                _ => continue,
            };
            open[written as usize] = true;
        }
        let mut contents: Vec<Option<Vec<Entry>>> = Vec::new();
        for (index, open) in open.iter().enumerate() {
            contents.push(match open {
                true => None,
                false => Some(vec![Entry { function: None }; image.table(index - imported)?.min as usize]),
            });
        }
        let mut leaks = BTreeSet::new();
        for (index, element) in self.source.elements.iter().enumerate() {
            let placed = image.element(index)?;
            let entries = items(&element.items)?;
            let target = match &element.kind {
                ElementKind::Active { table_index, .. } => Some(table_index.unwrap_or(0) as usize),
                _ => None,
            };
            let constant = placed.mode == segment::ACTIVE && entries.iter().all(Option::is_some);
            if let (Some(table), false) = (target, constant) {
                contents[table] = None;
            }
            if let (Some(table), true) = (target, constant) {
                if let Some(elements) = &mut contents[table] {
                    let place = elements.get_mut(placed.offset as usize..).and_then(|e| e.get_mut(..entries.len()));
                    match place {
                        Some(place) => place.iter_mut().zip(&entries).for_each(|(e, new)| *e = new.unwrap_or(*e)),
                        None => contents[table] = None,
                    }
                }
            }
            leaks.insert((target, index));
        }
        for table in contents.iter_mut() {
            // calls of imports leave through the engine: keep to the general way
            let imports = |e: &Entry| e.function.is_some_and(|f| f < self.source.imported_functions);
            if table.as_ref().is_some_and(|elements| elements.iter().any(imports)) {
                *table = None;
            }
        }
        for (target, index) in leaks {
            if target.is_none_or(|table| contents[table].is_none()) {
                for entry in items(&self.source.elements[index].items)?.into_iter().flatten() {
                    module.reachable.extend(entry.function);
                }
            }
        }
        // reading a table hands its references out
        for (operator, _) in self.bodies.iter().flat_map(|body| &body.operators) {
            let read = match operator {
                Operator::TableGet { table } => *table,
                Operator::TableCopy { src_table, .. } => *src_table,
                _ => continue,
            };
            for entry in contents[read as usize].iter().flatten() {
                module.reachable.extend(entry.function);
            }
        }
        module.tables = contents.into_iter().map(|fixed| Table { fixed }).collect();
        Ok(())
    }

    /// Returns the function that does what the image cannot state, operator for operator as the compiler plans it.
    fn init(&self, image: &Image<'_>) -> Result<Body<'a>, AotError> {
        let mut out = Vec::new();
        let imported = self.source.globals.len() - self.source.global_inits.len();
        for (position, expr) in self.source.global_inits.iter().enumerate() {
            let null = matches!(expr.get_operators_reader().into_iter().next(), Some(Ok(Operator::RefNull { .. })));
            if constant_of(expr).is_none() && !null {
                expression(expr, &mut out)?;
                out.push((Operator::GlobalSet { global_index: (imported + position) as u32 }, 0));
            }
        }
        for (index, element) in self.source.elements.iter().enumerate() {
            let placed = image.element(index)?;
            if let (ElementKind::Active { table_index, offset_expr }, segment::PASSIVE) = (&element.kind, placed.mode) {
                let (elem_index, table) = (index as u32, table_index.unwrap_or(0));
                expression(offset_expr, &mut out)?;
                out.push((Operator::I32Const { value: 0 }, 0));
                out.push((Operator::I32Const { value: placed.len() as i32 }, 0));
                out.push((Operator::TableInit { elem_index, table }, 0));
                out.push((Operator::ElemDrop { elem_index }, 0));
            }
        }
        for (index, data) in self.source.data.iter().enumerate() {
            // those that the compiler has joined are active
            if image.data_count() != self.source.data.len() {
                break;
            }
            let placed = image.data(index)?;
            if let (DataKind::Active { offset_expr, .. }, segment::PASSIVE) = (&data.kind, placed.mode) {
                let data_index = index as u32;
                expression(offset_expr, &mut out)?;
                out.push((Operator::I32Const { value: 0 }, 0));
                out.push((Operator::I32Const { value: data.data.len() as i32 }, 0));
                out.push((Operator::MemoryInit { data_index, mem: 0 }, 0));
                out.push((Operator::DataDrop { data_index }, 0));
            }
        }
        if let Some(function_index) = self.source.start {
            out.push((Operator::Call { function_index }, 0));
        }
        out.push((Operator::End, 0));
        Ok(Body { locals: Vec::new(), operators: out })
    }
}

impl Module<'_> {
    /// Returns the type of a function.
    pub fn function_type(&self, function: u32) -> &FuncType {
        &self.types[self.functions[function as usize] as usize].0
    }

    /// Returns the index among the defined functions, or `None` for an import.
    pub fn defined(&self, function: u32) -> Option<u32> {
        function.checked_sub(self.imported_functions)
    }

    /// Returns the parameters and results of a block.
    pub fn block_type(&self, ty: BlockType) -> Result<FuncType, AotError> {
        Ok(match ty {
            BlockType::Empty => FuncType::default(),
            BlockType::Type(ty) => {
                FuncType { params: Vec::new(), results: vec![val_type(ty).map_err(CompileError::from)?] }
            }
            BlockType::FuncType(index) => self.types[index as usize].0.clone(),
        })
    }

    /// Returns the imported functions that are called by name.
    pub fn called_imports(&self) -> BTreeSet<u32> {
        let operators = self.bodies.iter().flat_map(|body| &body.operators);
        let called = operators.filter_map(|(operator, _)| match operator {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => Some(*function_index),
            _ => None,
        });
        called.filter(|&function| function < self.imported_functions).collect()
    }

    /// Finds what indirect calls may reach, and what stands in tables.
    fn find_indirect(&mut self) {
        let mut wanted = BTreeSet::new();
        for (operator, _) in self.bodies.iter().flat_map(|body| &body.operators) {
            if let Operator::CallIndirect { type_index, table_index }
            | Operator::ReturnCallIndirect { type_index, table_index } = operator
            {
                wanted.insert((*table_index, self.types[*type_index as usize].1));
            }
        }
        let type_of = |function: u32| self.types[self.functions[function as usize] as usize].1;
        let mut by_table = Vec::new();
        for table in &self.tables {
            let functions: Vec<u32> = match &table.fixed {
                Some(entries) => entries.iter().filter_map(|entry| entry.function).collect(),
                None => self.reachable.iter().copied().collect(),
            };
            let mut by_type: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
            for &function in &functions {
                by_type.entry(type_of(function)).or_default().push(function);
            }
            self.in_table.extend(functions);
            // nulls, then functions of one type
            let entries = table.fixed.as_deref().unwrap_or_default();
            let nulls = entries.iter().take_while(|entry| entry.function.is_none()).count();
            let whole = by_type.len() == 1 && entries[nulls..].iter().all(|entry| entry.function.is_some());
            by_table.push((by_type, whole.then_some(nulls)));
        }
        for (number, key) in (0..).zip(wanted) {
            let (by_type, run) = &by_table[key.0 as usize];
            let callees = by_type.get(&key.1).cloned().unwrap_or_default();
            let run = run.filter(|_| !callees.is_empty());
            let node = self.functions.len() as u32 + number;
            self.indirect.insert(key, Indirect { node, callees, run });
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Writes the module that all units of a composed component become.

use std::collections::BTreeMap;
use std::convert::Infallible;

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, CustomSection, DataCountSection, DataSection, ElementSection, EntityType,
    ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction,
    MemorySection, MemoryType, Module, NameMap, NameSection, StartSection, TableSection, TypeSection,
};
use wasmparser::{DataKind, FuncType, Name, TypeRef, ValType};

use super::confine::Confine;
use super::link::{body, is_own, Arg, Func, Linked, Unit};
use super::region::{constant, outside, Region};
use crate::debug::{self, Moved};
use crate::shims::Shims;
use crate::Error;

/// Flags of a component instance that may be entered and left.
const FREE: i32 = 3;

/// New indices for those of one unit.
#[derive(Default, Clone)]
struct Map {
    types: u32,
    funcs: Vec<u32>,
    tables: Vec<u32>,
    globals: Vec<u32>,
    elements: u32,
    data: u32,
}

type Reencoded = Result<u32, wasm_encoder::reencode::Error<Infallible>>;

/// Returns the new index of one. None of the module's own refers to what is left out.
fn of(indices: &[u32], index: u32) -> Reencoded {
    Ok(indices.get(index as usize).copied().unwrap_or(u32::MAX))
}

impl Reencode for Map {
    type Error = Infallible;

    fn function_index(&mut self, func: u32) -> Reencoded {
        of(&self.funcs, func)
    }

    fn type_index(&mut self, ty: u32) -> Reencoded {
        Ok(ty + self.types)
    }

    fn table_index(&mut self, table: u32) -> Reencoded {
        of(&self.tables, table)
    }

    fn global_index(&mut self, global: u32) -> Reencoded {
        of(&self.globals, global)
    }

    fn element_index(&mut self, element: u32) -> Reencoded {
        Ok(element + self.elements)
    }

    fn data_index(&mut self, data: u32) -> Reencoded {
        Ok(data + self.data)
    }
}

/// Types of functions that are made here, behind those of all units.
struct Types {
    first: u32,
    made: Vec<FuncType>,
}

impl Types {
    fn index(&mut self, ty: &FuncType) -> u32 {
        let found = self.made.iter().position(|other| other == ty);
        let at = found.unwrap_or_else(|| {
            self.made.push(ty.clone());
            self.made.len() - 1
        });
        self.first + at as u32
    }
}

fn encoder_types(types: &[ValType]) -> Result<Vec<wasm_encoder::ValType>, Error> {
    let mut map = Map::default();
    types.iter().map(|&ty| Ok(map.val_type(ty)?)).collect()
}

/// Writes the module.
///
/// # Errors
/// Data outside of its memory, and items that are not numbered.
pub fn module(linked: &mut Linked<'_>, shims: &Shims) -> Result<Vec<u8>, Error> {
    let mut types = Types { first: 0, made: Vec::new() };
    let mut section = TypeSection::new();
    let mut maps = Vec::new();
    for unit in &linked.units {
        let mut map = Map { types: section.len(), ..Map::default() };
        if let Some(types) = unit.module.types.clone() {
            map.parse_type_section(&mut section, types)?;
        }
        maps.push(map);
    }
    types.first = section.len();
    let first_made = functions(linked, &mut maps)?;
    let made = |index: usize| first_made + index as u32;
    let first = linked.units.iter().filter_map(|unit| unit.module.start.map(|_| ())).count();
    let start_function = made(linked.made.len());
    let entry = start_function + u32::from(first > 0);
    tables(linked, &mut maps);
    let globals = globals(linked, shims, &mut maps)?;

    let index = |maps: &[Map], func: Func| match func {
        Func::Unit(unit, func) => {
            maps[unit].funcs.get(func as usize).copied().ok_or_else(|| Error::dangling("function"))
        }
        Func::Made(index) => Ok(made(index)),
    };
    let (mut code, mut declared) = (CodeSection::new(), FunctionSection::new());
    let mut moved = Vec::new();
    for (unit, map) in linked.units.iter().zip(&mut maps) {
        moved.push(bodies(unit, map, &linked.regions, &mut types, &mut code, &mut declared)?);
    }
    let drops = types.index(&FuncType::new([ValType::I32], []));
    for function in &linked.made {
        code.function(&body(function, linked, |func| index(&maps, func), drops)?);
        declared.function(types.index(&function.ty));
    }
    let nothing = types.index(&FuncType::new([], []));
    if first > 0 {
        let mut function = Function::new([]);
        for (unit, map) in linked.units.iter().zip(&maps) {
            if let Some(start) = unit.module.start {
                function.instruction(&Instruction::Call(of(&map.funcs, start)?));
            }
        }
        code.function(function.instruction(&Instruction::End));
        declared.function(nothing);
    }
    let mut function = Function::new([]);
    function.instruction(&Instruction::Call(index(&maps, linked.run)?));
    function.instruction(&Instruction::Call(index(&maps, linked.end)?)).instruction(&Instruction::End);
    code.function(&function);
    declared.function(nothing);

    let mut imports = ImportSection::new();
    for (module, name, ty) in &linked.imports {
        imports.import(module, name, EntityType::Function(types.index(ty)));
    }
    for ty in &types.made {
        section.ty().function(encoder_types(ty.params())?, encoder_types(ty.results())?);
    }
    let mut module = Module::new();
    module.section(&section).section(&imports).section(&declared);
    module.section(&table_section(linked, &mut maps)?);
    module.section(&memory(linked.bytes)).section(&globals);
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0).export("_start", ExportKind::Func, entry);
    module.section(&exports);
    if first > 0 {
        module.section(&StartSection { function_index: start_function });
    }
    let mut elements = ElementSection::new();
    let mut data = DataSection::new();
    for (unit, map) in linked.units.iter().zip(&mut maps) {
        if let Some(section) = unit.module.elements.clone() {
            map.parse_element_section(&mut elements, section)?;
        }
        segments(unit, &linked.regions, &mut data)?;
    }
    module.section(&elements).section(&DataCountSection { count: data.len() }).section(&code).section(&data);
    module.section(&names(linked, &maps, first_made, entry));
    moved.iter_mut().for_each(|moved| moved.behind_count(code.len()));
    let debug: Vec<_> = linked.units.iter().map(|unit| &unit.module.debug).zip(&moved).collect();
    for (name, data) in debug::sections(&debug) {
        module.section(&CustomSection { name: name.into(), data: data.into() });
    }
    Ok(module.finish())
}

/// Returns the section with the one memory, whose size is exact.
fn memory(bytes: u32) -> MemorySection {
    let mut section = MemorySection::new();
    let bytes = u64::from(bytes);
    section.memory(MemoryType {
        minimum: bytes,
        maximum: Some(bytes),
        memory64: false,
        shared: false,
        page_size_log2: Some(0),
    });
    section
}

/// Gives functions their indices. Returns the index of the first function that is made here.
fn functions(linked: &Linked<'_>, maps: &mut [Map]) -> Result<u32, Error> {
    let mut next = linked.imports.len() as u32;
    for (unit, map) in linked.units.iter().zip(&mut *maps) {
        let imported = unit.module.imported_funcs().count() as u32;
        map.funcs = vec![u32::MAX; imported as usize];
        for func in (imported..).take(unit.module.funcs.len()) {
            let kept = unit.kept.as_ref().is_none_or(|kept| kept.contains(&func));
            map.funcs.push(if kept { next } else { u32::MAX });
            next += u32::from(kept);
        }
    }
    let resolved = |maps: &[Map], func: Func| match func {
        Func::Made(usize::MAX) => u32::MAX,
        Func::Made(index) => next + index as u32,
        Func::Unit(unit, func) => maps[unit].funcs.get(func as usize).copied().unwrap_or(u32::MAX),
    };
    for (number, unit) in linked.units.iter().enumerate() {
        let imports = unit.module.imports.iter().zip(&unit.args);
        let funcs = imports.filter(|((.., ty), _)| matches!(ty, TypeRef::Func(_)));
        for (at, (_, arg)) in funcs.enumerate() {
            let Arg::Func(func) = *arg else { return Err(Error::dangling("function")) };
            maps[number].funcs[at] = resolved(maps, func);
        }
        for (&func, &other) in &unit.replaced {
            maps[number].funcs[func as usize] = resolved(maps, other);
        }
    }
    Ok(next)
}

/// Gives tables their indices.
fn tables(linked: &Linked<'_>, maps: &mut [Map]) {
    let mut next = 0;
    for (number, unit) in linked.units.iter().enumerate() {
        let imported = unit.args.iter().filter_map(|arg| match *arg {
            Arg::Table(unit, table) => Some(maps[unit].tables.get(table as usize).copied().unwrap_or(u32::MAX)),
            _ => None,
        });
        let mut tables: Vec<u32> = imported.collect();
        for _ in 0..unit.module.tables.as_ref().map_or(0, |tables| tables.count()) {
            tables.push(next);
            next += 1;
        }
        maps[number].tables = tables;
    }
}

fn table_section(linked: &Linked<'_>, maps: &mut [Map]) -> Result<TableSection, Error> {
    let mut section = TableSection::new();
    for (unit, map) in linked.units.iter().zip(maps) {
        if let Some(tables) = unit.module.tables.clone() {
            map.parse_table_section(&mut section, tables)?;
        }
    }
    Ok(section)
}

/// Writes the globals, and gives them and segments their indices: first the flags of component instances, then the pages of
/// memories that grow.
fn globals(linked: &mut Linked<'_>, shims: &Shims, maps: &mut [Map]) -> Result<GlobalSection, Error> {
    let mut section = GlobalSection::new();
    let word = GlobalType { val_type: wasm_encoder::ValType::I32, mutable: true, shared: false };
    for _ in 0..linked.flags {
        section.global(word, &ConstExpr::i32_const(FREE));
    }
    for region in &mut linked.regions {
        if let Some((_, global)) = &mut region.growth {
            *global = section.len();
            section.global(word, &ConstExpr::i32_const(region.pages as i32));
        }
    }
    let (mut elements, mut data) = (0, 0);
    for (number, unit) in linked.units.iter().enumerate() {
        let imported = unit.args.iter().filter_map(|arg| match *arg {
            Arg::Global(unit, global) => Some(maps[unit].globals.get(global as usize).copied().unwrap_or(u32::MAX)),
            Arg::Flags(instance) => Some(instance),
            _ => None,
        });
        maps[number].globals = imported.collect();
        for (index, global) in (0..).zip(unit.module.globals.clone().into_iter().flatten()) {
            let shared = unit.shares.filter(|_| !is_own(shims, index)).map(|other| maps[other].globals[index as usize]);
            let new = shared.unwrap_or(section.len());
            if shared.is_none() {
                maps[number].parse_global(&mut section, global?)?;
            }
            maps[number].globals.push(new);
        }
        maps[number].elements = elements;
        maps[number].data = data;
        elements += unit.module.elements.as_ref().map_or(0, |elements| elements.count());
        data += unit.module.data.as_ref().map_or(0, |data| data.count());
    }
    Ok(section)
}

/// Returns the regions of a unit's memories.
fn regions_of(unit: &Unit<'_>, regions: &[Region]) -> Result<Vec<Region>, Error> {
    let imported = unit.args.iter().filter_map(|arg| match arg {
        Arg::Memory(region) => Some(region),
        _ => None,
    });
    let all = imported.chain(&unit.regions);
    all.map(|&region| regions.get(region).copied().ok_or_else(|| Error::dangling("memory"))).collect()
}

/// Writes the functions of a unit. Returns where its code is.
fn bodies(
    unit: &Unit<'_>,
    map: &mut Map,
    regions: &[Region],
    types: &mut Types,
    code: &mut CodeSection,
    declared: &mut FunctionSection,
) -> Result<Moved, Error> {
    let mut moved = Moved::default();
    let mut places = Vec::new();
    let regions = regions_of(unit, regions)?;
    let confine = Confine { regions: &regions };
    let imported = unit.module.imported_funcs().count() as u32;
    for (func, (&ty, body)) in (imported..).zip(unit.module.funcs.iter().zip(&unit.module.bodies)) {
        if unit.kept.as_ref().is_some_and(|kept| !kept.contains(&func)) {
            continue;
        }
        let signature = unit.module.func_type(ty)?;
        let results = match encoder_types(signature.results())?[..] {
            [] => BlockType::Empty,
            [result] => BlockType::Result(result),
            _ => BlockType::FunctionType(types.index(&FuncType::new([], signature.results().iter().copied()))),
        };
        let function = confine.body(map, signature.params().len(), results, body, &mut places)?;
        code.function(&function);
        declared.function(ty + map.types);
        let end = code.byte_len() as u64;
        let new = places.drain(..);
        if !unit.module.debug.is_empty() {
            moved.body(body, unit.module.code_start, end - function.byte_len() as u64..end, new);
        }
    }
    Ok(moved)
}

/// Writes the data of a unit, at the addresses of its regions.
fn segments(unit: &Unit<'_>, regions: &[Region], section: &mut DataSection) -> Result<(), Error> {
    let regions = regions_of(unit, regions)?;
    for data in unit.module.data.clone().into_iter().flatten() {
        let data = data?;
        match &data.kind {
            DataKind::Passive => section.passive(data.data.iter().copied()),
            DataKind::Active { memory_index, offset_expr } => {
                let region = regions.get(*memory_index as usize).ok_or_else(|| Error::dangling("memory"))?;
                let offset = constant(offset_expr)?.ok_or_else(|| {
                    Error::unsupported(
                        "a part has data at an address that is known at run time only; link the part statically",
                    )
                })? as u32;
                if u64::from(offset) + data.data.len() as u64 > u64::from(region.size) {
                    return Err(outside(offset, region.size));
                }
                let offset = ConstExpr::i32_const(offset.wrapping_add(region.base) as i32);
                section.active(0, &offset, data.data.iter().copied())
            }
        };
    }
    Ok(())
}

/// Returns the names of functions, as the units have them.
fn names(linked: &Linked<'_>, maps: &[Map], first_made: u32, entry: u32) -> NameSection {
    let mut functions: BTreeMap<u32, String> = BTreeMap::new();
    for (unit, map) in linked.units.iter().zip(maps) {
        let imported = unit.module.imported_funcs().count() as u32;
        // names are no part of what a module does, so damaged ones end here
        for part in unit.module.names.clone().into_iter().flatten().map_while(Result::ok) {
            let Name::Function(names) = part else { continue };
            for naming in names.into_iter().map_while(Result::ok).filter(|naming| naming.index >= imported) {
                if let Some(&index) = map.funcs.get(naming.index as usize).filter(|&&index| index != u32::MAX) {
                    functions.insert(index, naming.name.into());
                }
            }
        }
    }
    for (index, made) in (first_made..).zip(&linked.made) {
        functions.insert(index, made.name.clone());
    }
    functions.insert(entry, "_start".into());
    let mut map = NameMap::new();
    functions.iter().for_each(|(&index, name)| map.append(index, name));
    let mut section = NameSection::new();
    section.functions(&map);
    section
}

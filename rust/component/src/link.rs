// SPDX-License-Identifier: Apache-2.0
//! Makes one core module of the main module and the shims that it needs.
//!
//! The functions of the new module are, in this order: its imports, those of the main module, the shims, the traps and
//! `_start`. The code of the main module keeps its length wherever the new indices fit, so that offsets in debug
//! information stay true.

use std::collections::BTreeMap;

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{
    CustomSection, DataCountSection, DataSection, ElementSection, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, ImportSection, Instruction, MemorySection, Module, NameMap, NameSection,
    RawSection, SectionId, StartSection, TableSection, TagSection, TypeSection,
};
use wasmparser::{BinaryReader, ExternalKind, FunctionBody, KnownCustom, Name, Operator, Parser, Payload};
use wisp_compiler::printable;

use crate::debug::{self, Debug, Moved};
use crate::patch::{self, Code};
use crate::plan::{Entry, Link, Plan};
use crate::shims::{Shims, ABSOLUTE, APP, END, LOCAL};
use crate::Error;

/// New indices for those of one module.
struct Map {
    funcs: Vec<u32>,
    types: u32,
    /// Those of the globals that get a new index.
    globals: BTreeMap<u32, u32>,
}

impl Reencode for Map {
    type Error = core::convert::Infallible;

    fn function_index(&mut self, func: u32) -> Result<u32, wasm_encoder::reencode::Error<Self::Error>> {
        Ok(self.funcs.get(func as usize).copied().unwrap_or(u32::MAX))
    }

    fn type_index(&mut self, ty: u32) -> Result<u32, wasm_encoder::reencode::Error<Self::Error>> {
        Ok(ty + self.types)
    }

    fn global_index(&mut self, global: u32) -> Result<u32, wasm_encoder::reencode::Error<Self::Error>> {
        Ok(self.globals.get(&global).copied().unwrap_or(global))
    }
}

impl From<wasm_encoder::reencode::Error> for Error {
    fn from(error: wasm_encoder::reencode::Error) -> Self {
        Self::Invalid(printable(&error.to_string()))
    }
}

/// An imported function of the new module.
struct Import<'a> {
    module: &'a str,
    name: &'a str,
    /// Type index in the new module.
    ty: u32,
}

/// Indices of the new module.
struct Layout<'a> {
    imports: Vec<Import<'a>>,
    main: Map,
    shims: Map,
    /// The shims that are linked, by their indices among the shims.
    linked: Vec<u32>,
    /// Type indices of the functions that trap, one for each type.
    traps: Vec<u32>,
    /// Index of the function that ends a command, and of `_start`.
    start: Option<(u32, u32)>,
}

/// Links.
///
/// # Errors
/// A shim that needs an allocator, and a main module that exports none.
pub fn link(plan: &Plan<'_>, shims: &Shims) -> Result<Vec<u8>, Error> {
    let mut layout = lay_out(plan, shims)?;
    let mut module = Module::new();
    let main = Sections::of(plan.module)?;
    let own = Sections::of(shims.bytes)?;
    types(&mut module, &main, &own, &mut layout)?;
    imports(&mut module, &layout);
    functions(&mut module, plan, shims, &layout);
    if let Some(tables) = main.tables {
        let mut section = TableSection::new();
        layout.main.parse_table_section(&mut section, tables)?;
        module.section(&section);
    }
    if let Some(memories) = main.memories {
        let mut section = MemorySection::new();
        layout.main.parse_memory_section(&mut section, memories)?;
        module.section(&section);
    }
    if let Some(tags) = main.tags {
        let mut section = TagSection::new();
        layout.main.parse_tag_section(&mut section, tags)?;
        module.section(&section);
    }
    let mut globals = GlobalSection::new();
    if let Some(section) = main.globals {
        layout.main.parse_global_section(&mut globals, section)?;
    }
    for (index, global) in (0..).zip(own.globals.into_iter().flatten()) {
        if layout.shims.globals.contains_key(&index) {
            layout.shims.parse_global(&mut globals, global?)?;
        }
    }
    module.section(&globals);
    exports(&mut module, plan, &layout);
    if let Some(start) = plan.facts.start {
        module.section(&StartSection { function_index: layout.main.funcs[start as usize] });
    }
    if let Some(elements) = main.elements {
        let mut section = ElementSection::new();
        layout.main.parse_element_section(&mut section, elements)?;
        module.section(&section);
    }
    if let Some(count) = main.data_count {
        module.section(&DataCountSection { count });
    }
    let debug = debug_of(plan.module)?;
    let moved = code(&mut module, plan, shims, &mut layout, !debug.is_empty())?;
    if let Some(data) = main.data {
        let mut section = DataSection::new();
        layout.main.parse_data_section(&mut section, data)?;
        module.section(&section);
    }
    customs(&mut module, plan, shims, &mut layout, moved.is_some())?;
    if let Some(moved) = moved {
        for (name, data) in debug::sections(&[(&debug, &moved)]) {
            module.section(&CustomSection { name: name.into(), data: data.into() });
        }
    }
    Ok(module.finish())
}

/// Gives every function its index.
fn lay_out<'a>(plan: &Plan<'a>, shims: &Shims) -> Result<Layout<'a>, Error> {
    let main_types = plan.facts.types.len() as u32;
    let mut wanted: Vec<u32> =
        plan.links.iter().filter_map(|link| if let Link::Shim(func) = link { Some(*func) } else { None }).collect();
    let end = shims.facts.exported(END).ok_or_else(|| Error::dangling("function"))?;
    if matches!(plan.entry, Entry::Made { .. }) {
        wanted.push(end);
    }
    let border = shims.border();
    let mut reachable = shims.reachable(wanted)?;
    reachable.retain(|func| !border.contains(func));
    let own_imports = shims.facts.imported_funcs.len() as u32;
    let mut imports: Vec<Import<'a>> = Vec::new();
    let mut imported = |module, name, ty| {
        let found = imports.iter().position(|import| import.module == module && import.name == name);
        found.unwrap_or_else(|| {
            imports.push(Import { module, name, ty });
            imports.len() - 1
        }) as u32
    };
    let unknown = u32::MAX;
    let mut main = vec![unknown; plan.facts.imported_funcs.len()];
    for (index, &(module, name, ty)) in plan.facts.imported_funcs.iter().enumerate() {
        if plan.links[index] == Link::Keep {
            main[index] = imported(module, name, ty);
        }
    }
    let mut own = vec![unknown; own_imports as usize + shims.facts.funcs.len()];
    let mut allocates = false;
    for &func in reachable.iter().filter(|&&func| func < own_imports) {
        let (module, name, ty) = shims.facts.imported_funcs[func as usize];
        match module {
            APP => allocates = true,
            _ => own[func as usize] = imported(module, name, ty + main_types),
        }
    }
    let mut next = imports.len() as u32;
    for _ in &plan.facts.funcs {
        main.push(next);
        next += 1;
    }
    if allocates {
        let realloc = plan.realloc.ok_or_else(|| {
            Error::unsupported(
                "its main module exports no `cabi_realloc`, which a function that it imports needs; link it with the \
                 allocator of its toolchain",
            )
        })?;
        let app = shims.facts.imported_funcs.iter().position(|&(module, _, _)| module == APP);
        own[app.unwrap_or(0)] = main[realloc as usize];
    }
    let first = Sections::of(plan.module)?.globals.map_or(0, |globals| globals.count());
    let globals = shims.globals(&reachable)?.into_iter().zip(first..).collect();
    let linked: Vec<u32> = reachable.into_iter().filter(|&func| func >= own_imports).collect();
    for &func in &linked {
        own[func as usize] = next;
        next += 1;
    }
    let mut traps = Vec::new();
    for (index, link) in plan.links.iter().enumerate() {
        let ty = plan.facts.imported_funcs[index].2;
        match *link {
            Link::Keep => {}
            Link::Main(func) => main[index] = main[func as usize],
            Link::Shim(func) => main[index] = own[func as usize],
            Link::Trap => main[index] = next + position_of(&mut traps, ty),
        }
    }
    next += traps.len() as u32;
    let start = matches!(plan.entry, Entry::Made { .. }).then_some((own[end as usize], next));
    Ok(Layout {
        imports,
        main: Map { funcs: main, types: 0, globals: BTreeMap::new() },
        shims: Map { funcs: own, types: main_types, globals },
        linked,
        traps,
        start,
    })
}

/// Returns the position of an item in a list, which gets it if it has it not.
fn position_of(list: &mut Vec<u32>, item: u32) -> u32 {
    let found = list.iter().position(|&other| other == item);
    found.unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    }) as u32
}

/// The sections of a module that are written anew.
#[derive(Default)]
struct Sections<'a> {
    types: Option<wasmparser::TypeSectionReader<'a>>,
    tables: Option<wasmparser::TableSectionReader<'a>>,
    memories: Option<wasmparser::MemorySectionReader<'a>>,
    tags: Option<wasmparser::TagSectionReader<'a>>,
    globals: Option<wasmparser::GlobalSectionReader<'a>>,
    elements: Option<wasmparser::ElementSectionReader<'a>>,
    data_count: Option<u32>,
    data: Option<wasmparser::DataSectionReader<'a>>,
}

impl<'a> Sections<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut sections = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(section) => sections.types = Some(section),
                Payload::TableSection(section) => sections.tables = Some(section),
                Payload::MemorySection(section) => sections.memories = Some(section),
                Payload::TagSection(section) => sections.tags = Some(section),
                Payload::GlobalSection(section) => sections.globals = Some(section),
                Payload::ElementSection(section) => sections.elements = Some(section),
                Payload::DataCountSection { count, .. } => sections.data_count = Some(count),
                Payload::DataSection(section) => sections.data = Some(section),
                _ => {}
            }
        }
        Ok(sections)
    }
}

/// Writes the types of the main module, of the shims and of `_start`, in this order.
fn types(module: &mut Module, main: &Sections<'_>, own: &Sections<'_>, layout: &mut Layout<'_>) -> Result<(), Error> {
    let mut section = TypeSection::new();
    if let Some(types) = main.types.clone() {
        layout.main.parse_type_section(&mut section, types)?;
    }
    if let Some(types) = own.types.clone() {
        layout.shims.parse_type_section(&mut section, types)?;
    }
    section.ty().function([], []);
    module.section(&section);
    Ok(())
}

fn imports(module: &mut Module, layout: &Layout<'_>) {
    let mut section = ImportSection::new();
    for import in &layout.imports {
        section.import(import.module, import.name, EntityType::Function(import.ty));
    }
    module.section(&section);
}

fn functions(module: &mut Module, plan: &Plan<'_>, shims: &Shims, layout: &Layout<'_>) {
    let mut section = FunctionSection::new();
    for &ty in &plan.facts.funcs {
        section.function(ty);
    }
    let imported = shims.facts.imported_funcs.len();
    for &func in &layout.linked {
        section.function(shims.facts.funcs[func as usize - imported] + layout.shims.types);
    }
    for &ty in &layout.traps {
        section.function(ty);
    }
    if layout.start.is_some() {
        section.function(layout.shims.types + shims.facts.types.len() as u32);
    }
    module.section(&section);
}

/// Writes the exports that are no functions, and the entry. Nobody calls the other functions.
fn exports(module: &mut Module, plan: &Plan<'_>, layout: &Layout<'_>) {
    let mut section = ExportSection::new();
    for (&name, &(kind, index)) in &plan.facts.exports {
        match kind {
            ExternalKind::Memory => section.export(name, ExportKind::Memory, index),
            ExternalKind::Table => section.export(name, ExportKind::Table, index),
            ExternalKind::Global => section.export(name, ExportKind::Global, index),
            ExternalKind::Func if name == "_start" && plan.entry == Entry::Own => {
                section.export(name, ExportKind::Func, layout.main.funcs[index as usize])
            }
            _ => &mut section,
        };
    }
    if let Some((_, start)) = layout.start {
        section.export("_start", ExportKind::Func, start);
    }
    module.section(&section);
}

/// Returns the debug information of a module.
fn debug_of(module: &[u8]) -> Result<Debug<'_>, Error> {
    let mut debug = Debug::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::CustomSection(section) if section.name().starts_with(".debug_") => {
                debug.push((section.name(), section.data()));
            }
            _ => {}
        }
    }
    Ok(debug)
}

/// Writes the code. Returns where it is now if code of the main module is at another offset in the section than before.
fn code(
    module: &mut Module,
    plan: &Plan<'_>,
    shims: &Shims,
    layout: &mut Layout<'_>,
    follow: bool,
) -> Result<Option<Moved>, Error> {
    let added = layout.linked.len() + layout.traps.len() + usize::from(layout.start.is_some());
    let mut code = Code::new(plan.facts.bodies.len() + added);
    let (mut moved, mut places) = (false, Moved::default());
    for body in &plan.facts.bodies {
        let new = patch::calls(body, &layout.main.funcs)?;
        code.push(&new, patch::size_width(plan.module, body));
        let end = code.bytes().len() as u64;
        moved |= end != body.range().end - plan.facts.code_start;
        if follow {
            let same = FunctionBody::new(BinaryReader::new(&new, 0));
            let [old, new] =
                [body, &same].map(|body| Ok::<_, Error>(body.get_operators_reader()?.into_iter_with_offsets()));
            let offsets = old?.zip(new?).map_while(|(old, new)| Some((old.ok()?.1, new.ok()?.1)));
            places.body(body, plan.facts.code_start, end - same.as_bytes().len() as u64..end, offsets);
        }
    }
    let imported = shims.facts.imported_funcs.len();
    let [absolute, local] = [ABSOLUTE, LOCAL].map(|name| shims.facts.exported(name).unwrap_or(u32::MAX));
    for &func in &layout.linked {
        let body = &shims.facts.bodies[func as usize - imported];
        let mut function = layout.shims.new_function_with_parsed_locals(body)?;
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            match reader.read()? {
                // the length is of no use where addresses are the same on both sides
                Operator::Call { function_index } if function_index == absolute => {
                    function.instruction(&Instruction::Drop);
                }
                Operator::Call { function_index } if function_index == local => {}
                operator => {
                    function.instruction(&layout.shims.instruction(operator)?);
                }
            }
        }
        code.push(&function.into_raw_body(), 1);
    }
    for _ in &layout.traps {
        let mut function = Function::new([]);
        function.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
        code.push(&function.into_raw_body(), 1);
    }
    if let (Some((end, _)), Entry::Made { before, run }) = (layout.start, &plan.entry) {
        let mut function = Function::new([]);
        for &func in before.iter().chain([run]) {
            function.instruction(&Instruction::Call(layout.main.funcs[func as usize]));
        }
        function.instruction(&Instruction::Call(end)).instruction(&Instruction::End);
        code.push(&function.into_raw_body(), 1);
    }
    module.section(&RawSection { id: SectionId::Code as u8, data: code.bytes() });
    Ok(moved.then_some(places))
}

/// Copies debug information and the like, and writes the names of functions and globals. Leaves out what is wrong in
/// the new module: debug information if code moved, which is converted, and what has indices of functions.
fn customs(
    module: &mut Module,
    plan: &Plan<'_>,
    shims: &Shims,
    layout: &mut Layout<'_>,
    moved: bool,
) -> Result<(), Error> {
    let mut wrong = vec!["component-type", "metadata.code.", "linking", "reloc."];
    if moved {
        wrong.push(".debug_");
    }
    for payload in Parser::new(0).parse_all(plan.module) {
        let Payload::CustomSection(section) = payload? else { continue };
        if let KnownCustom::Name(names) = section.as_known() {
            module.section(&renamed(names, shims, layout)?);
        } else if !wrong.iter().any(|start| section.name().starts_with(start)) {
            module.section(&CustomSection { name: section.name().into(), data: section.data().into() });
        }
    }
    Ok(())
}

fn renamed(
    names: wasmparser::NameSectionReader<'_>,
    shims: &Shims,
    layout: &mut Layout<'_>,
) -> Result<NameSection, Error> {
    let mut section = NameSection::new();
    let mut functions: BTreeMap<u32, String> = BTreeMap::new();
    let mut globals = NameMap::new();
    // names are no part of what a module does, so damaged ones end here
    for part in names.into_iter().map_while(Result::ok) {
        match part {
            Name::Module { name, .. } => section.module(name),
            Name::Function(map) => {
                for naming in map.into_iter().map_while(Result::ok) {
                    let Some(&index) = layout.main.funcs.get(naming.index as usize) else { continue };
                    functions.insert(index, naming.name.into());
                }
            }
            Name::Global(map) => {
                for naming in map.into_iter().map_while(Result::ok) {
                    globals.append(naming.index, naming.name);
                }
            }
            _ => {}
        }
    }
    for (&name, &(kind, index)) in &shims.facts.exports {
        let linked = kind == ExternalKind::Func && layout.linked.contains(&index);
        if linked {
            functions.insert(layout.shims.function_index(index)?, name.into());
        }
    }
    if let Some((_, start)) = layout.start {
        functions.insert(start, "_start".into());
    }
    let mut map = NameMap::new();
    functions.iter().for_each(|(&index, name)| map.append(index, name));
    section.functions(&map);
    section.globals(&globals);
    Ok(section)
}

// SPDX-License-Identifier: Apache-2.0
//! Links all core instances of a composed component, with the shims that each part needs, to one module.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use wasm_encoder::{Function, Instruction};
use wasmparser::{FuncType, Operator, TypeRef, ValType};

use super::border;
use super::graph::{Builtin, Def, Graph, Kind, Origin};
use super::module::Module;
use super::passing::{self, Passed};
use super::region::{self, Region};
use crate::plan::{reason, refused, PREVIEW1};
use crate::shims::{watches_pin, Shim, Shims, ABSOLUTE, APP, BYTE, END, PER_PART, WORD};
use crate::Error;

/// Copies strings between two memories.
static STRINGS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/strings.wasm"));
/// Keeps the handles of resources.
static HANDLES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/handles.wasm"));

/// A function of the new module, before it has an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Func {
    /// A function that a unit defines: the number of the unit, and the index in its module.
    Unit(usize, u32),
    /// A function that is made here.
    Made(usize),
}

/// An item that a unit imports.
#[derive(Debug, Clone, Copy)]
pub enum Arg {
    Func(Func),
    Table(usize, u32),
    Memory(usize),
    Global(usize, u32),
    /// The flags of a component instance.
    Flags(u32),
}

/// One instance of a core module, of the shims or of a module of Wisp.
pub struct Unit<'a> {
    pub module: Module<'a>,
    pub args: Vec<Arg>,
    /// The functions that are linked, or `None` for all.
    pub kept: Option<BTreeSet<u32>>,
    /// The regions of the memories that it defines.
    pub regions: Vec<usize>,
    /// Functions that others take the place of.
    pub replaced: BTreeMap<u32, Func>,
    /// Unit whose globals it shares, except for some.
    pub shares: Option<usize>,
}

/// The body of a function that is made here.
pub enum Body {
    /// Instructions whose calls have indices of the first list.
    Code(Vec<Func>, Vec<Instruction<'static>>),
    /// A function that calls an import of the new module.
    Host(usize),
    Absolute,
    Local,
}

/// A function that is made here.
pub struct Made {
    pub ty: FuncType,
    pub body: Body,
    /// The region of the part that calls it.
    pub region: usize,
    pub name: String,
}

/// All that is linked.
pub struct Linked<'a> {
    pub units: Vec<Unit<'a>>,
    pub made: Vec<Made>,
    pub regions: Vec<Region>,
    /// Bytes of the whole memory.
    pub bytes: u32,
    /// Module, name and type of the imports of the new module.
    pub imports: Vec<(String, String, FuncType)>,
    /// Flags of component instances.
    pub flags: u32,
    pub run: Func,
    pub end: Func,
}

/// Returns the modules with the places changed where an allocator asks for the end of its memory.
pub fn adapted<'a>(graph: &Graph<'a>) -> Vec<(Cow<'a, [u8]>, bool)> {
    let adapt = |bytes: &'a [u8]| match wisp_compiler::adapt(bytes) {
        Some(adapted) => (Cow::Owned(adapted), true),
        None => (Cow::Borrowed(bytes), false),
    };
    graph.instances.iter().map(|instance| adapt(instance.module)).collect()
}

struct Linker<'a, 'g> {
    graph: &'g Graph<'a>,
    shims: &'g Shims,
    linked: Linked<'g>,
    /// The unit of the shims of each part, by its region.
    parts: BTreeMap<usize, usize>,
    /// The allocator of each part, by its region.
    reallocs: BTreeMap<usize, Func>,
    /// The units that copy strings, by the regions.
    strings: BTreeMap<(usize, usize), usize>,
    handles: Option<usize>,
    /// The regions of component instances without a memory.
    without_memory: BTreeMap<u32, usize>,
    builtins: BTreeMap<usize, Func>,
    missing: BTreeMap<(String, &'static str), Vec<String>>,
    with_pins: bool,
}

/// Finds out what is to be linked. `modules` are those of the graph's instances.
///
/// # Errors
/// Functions that nobody provides, and what a region cannot hold.
pub fn resolve<'a: 'g, 'g>(
    graph: &'g Graph<'a>,
    modules: &'g [(Cow<'a, [u8]>, bool)],
    shims: &'g Shims,
    heap: u32,
) -> Result<Linked<'g>, Error> {
    let watches = |builtin: &Builtin| match builtin {
        Builtin::Import { interface, function, .. } => watches_pin(interface, function),
        _ => false,
    };
    let placeholder = Func::Made(0);
    let linked = Linked {
        units: Vec::new(),
        made: Vec::new(),
        regions: Vec::new(),
        bytes: 0,
        imports: Vec::new(),
        flags: 0,
        run: placeholder,
        end: placeholder,
    };
    let mut linker = Linker {
        graph,
        shims,
        linked,
        parts: BTreeMap::new(),
        reallocs: BTreeMap::new(),
        strings: BTreeMap::new(),
        handles: None,
        without_memory: BTreeMap::new(),
        builtins: BTreeMap::new(),
        missing: BTreeMap::new(),
        with_pins: graph.builtins.iter().any(watches),
    };
    for (bytes, adapted) in modules {
        linker.unit(bytes, *adapted, heap)?;
    }
    if linker.linked.regions.is_empty() {
        return Err(Error::unsupported(
            "none of its parts has a memory, so it is no program; build a program with a `main`",
        ));
    }
    let Def::Item(run, Kind::Func, function) = graph.run else { return Err(Error::dangling("function `run`")) };
    let part = linker.memory_of(run);
    linker.allocators()?;
    linker.arguments()?;
    linker.linked.run = linker.func(run, function)?;
    let end = shims.facts.exported(END).ok_or_else(|| Error::dangling("function"))?;
    linker.linked.end = linker.shim(part.unwrap_or(0), end)?;
    if !linker.missing.is_empty() {
        let lines = linker.missing.iter();
        return Err(Error::Imports(lines.map(|((from, why), functions)| refused(from, functions, why)).collect()));
    }
    let count = linker.linked.regions.len();
    let mut order: Vec<usize> = (0..count).filter(|&region| Some(region) != part).collect();
    order.extend(part);
    linker.linked.bytes = region::lay_out(&mut linker.linked.regions, &order)?;
    linker.linked.flags = flags(&linker.linked.units);
    Ok(linker.linked)
}

/// Returns how many component instances have flags.
fn flags(units: &[Unit<'_>]) -> u32 {
    let flags = units.iter().flat_map(|unit| &unit.args).filter_map(|arg| match arg {
        Arg::Flags(instance) => Some(instance + 1),
        _ => None,
    });
    flags.max().unwrap_or(0)
}

impl<'a: 'g, 'g> Linker<'a, 'g> {
    /// Adds a unit with the regions of its memories.
    fn unit(&mut self, bytes: &'g [u8], adapted: bool, heap: u32) -> Result<usize, Error> {
        let module = Module::read(bytes)?;
        let mut regions = Vec::new();
        for memory in 0..module.memories.len() as u32 {
            regions.push(self.linked.regions.len());
            self.linked.regions.push(region::of(&module, memory, adapted, heap)?);
        }
        let unit = Unit { module, args: Vec::new(), kept: None, regions, replaced: BTreeMap::new(), shares: None };
        self.linked.units.push(unit);
        Ok(self.linked.units.len() - 1)
    }

    /// Returns the region of an instance's first memory.
    fn memory_of(&self, instance: usize) -> Option<usize> {
        let imported = self.graph.instances.get(instance)?.args.iter().find_map(|arg| match arg {
            Def::Item(instance, Kind::Memory, index) => self.region(*instance, *index),
            _ => None,
        });
        imported.or_else(|| self.linked.units[instance].regions.first().copied())
    }

    /// Returns the region of a memory of an instance, which it may import itself.
    fn region(&self, instance: usize, memory: u32) -> Option<usize> {
        let imported = self.graph.instances.get(instance)?.args.iter();
        let imported: Vec<_> = imported.filter(|arg| matches!(arg, Def::Item(_, Kind::Memory, _))).collect();
        match imported.get(memory as usize) {
            Some(Def::Item(owner, _, index)) => self.region(*owner, *index),
            _ => self.linked.units[instance].regions.get(memory as usize - imported.len()).copied(),
        }
    }

    /// Returns the region of a memory that functions of the canonical ABI name.
    fn named_region(&self, memory: usize) -> Result<usize, Error> {
        let &(instance, index) = self.graph.memories.get(memory).ok_or_else(|| Error::dangling("memory"))?;
        self.region(instance, index).ok_or_else(|| Error::dangling("memory"))
    }

    /// Finds the allocator of each part: what a function names, else what its module exports.
    fn allocators(&mut self) -> Result<(), Error> {
        for builtin in &self.graph.builtins {
            let Builtin::Import { memory: Some(memory), realloc: Some(Def::Item(instance, Kind::Func, func)), .. } =
                builtin
            else {
                continue;
            };
            let (region, func) = (self.named_region(*memory)?, self.func(*instance, *func)?);
            self.reallocs.entry(region).or_insert(func);
        }
        for unit in 0..self.graph.instances.len() {
            let (Some(&region), Some(func)) =
                (self.linked.units[unit].regions.first(), self.linked.units[unit].module.exported("cabi_realloc"))
            else {
                continue;
            };
            self.reallocs.entry(region).or_insert(Func::Unit(unit, func));
        }
        Ok(())
    }

    /// Resolves the imports of all instances.
    fn arguments(&mut self) -> Result<(), Error> {
        for unit in 0..self.graph.instances.len() {
            let mut args = Vec::new();
            for (index, def) in self.graph.instances[unit].args.iter().enumerate() {
                if let Some(func) = self.preview1(unit, index)? {
                    args.push(Arg::Func(func));
                    continue;
                }
                args.push(match *def {
                    Def::Item(instance, Kind::Func, index) => Arg::Func(self.func(instance, index)?),
                    Def::Item(instance, Kind::Table, index) => Arg::Table(instance, index),
                    Def::Item(instance, Kind::Global, index) => Arg::Global(instance, index),
                    Def::Item(instance, Kind::Memory, index) => {
                        Arg::Memory(self.region(instance, index).ok_or_else(|| Error::dangling("memory"))?)
                    }
                    Def::Flags(instance) => Arg::Flags(instance),
                    Def::Builtin(builtin) => {
                        let ty = match self.linked.units[unit].module.imports.get(index) {
                            Some((.., TypeRef::Func(ty))) => self.linked.units[unit].module.func_type(*ty)?.clone(),
                            _ => return Err(Error::dangling("function")),
                        };
                        Arg::Func(self.builtin(builtin, &ty)?)
                    }
                });
            }
            self.linked.units[unit].args = args;
        }
        Ok(())
    }

    /// Returns the shim for an import of preview 1. It takes the place of what the toolchain of the part put around it to
    /// translate to 0.2, which works in memory of the part that it allocates.
    fn preview1(&mut self, unit: usize, import: usize) -> Result<Option<Func>, Error> {
        let module = &self.linked.units[unit].module;
        let Some(&(PREVIEW1, name, TypeRef::Func(ty))) = module.imports.get(import) else { return Ok(None) };
        let ty = module.func_type(ty)?;
        let shim = self.shims.preview1(name).filter(|&func| self.shims.facts.type_of(func) == Some(ty));
        match (shim, self.memory_of(unit)) {
            (Some(func), Some(region)) => self.shim(region, func).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns the function behind one of an instance, which it may import itself.
    fn func(&mut self, instance: usize, func: u32) -> Result<Func, Error> {
        let missing = || Error::dangling("function");
        let imports = &self.linked.units.get(instance).ok_or_else(missing)?.module.imports;
        let mut funcs = imports.iter().enumerate().filter(|(_, (.., ty))| matches!(ty, TypeRef::Func(_)));
        let Some((index, (.., TypeRef::Func(ty)))) = funcs.nth(func as usize) else {
            return Ok(Func::Unit(instance, func));
        };
        let ty = self.linked.units[instance].module.func_type(*ty)?.clone();
        match *self.graph.instances[instance].args.get(index).ok_or_else(missing)? {
            Def::Item(instance, Kind::Func, func) => self.func(instance, func),
            Def::Builtin(builtin) => self.builtin(builtin, &ty),
            _ => Err(missing()),
        }
    }

    fn made(&mut self, ty: FuncType, body: Body, region: usize, name: String) -> Func {
        self.linked.made.push(Made { ty, body, region, name });
        Func::Made(self.linked.made.len() - 1)
    }

    /// Returns a function of the canonical ABI. `ty` is its type.
    fn builtin(&mut self, index: usize, ty: &FuncType) -> Result<Func, Error> {
        if let Some(&found) = self.builtins.get(&index) {
            return Ok(found);
        }
        let graph = self.graph;
        let func = match graph.builtins.get(index).ok_or_else(|| Error::dangling("function"))? {
            Builtin::Import { interface, function, caller, memory, passed, .. } => {
                let region = self.caller(*caller, *memory)?;
                let import = self.import(interface, function, region, ty)?;
                self.checked(import, passed, region, ty)?
            }
            Builtin::Transcode { op, from, to } => {
                let (from, to) = (self.named_region(*from)?, self.named_region(*to)?);
                self.string(op.desc(), from, to)?
            }
            Builtin::Trap => self.trap(ty),
            Builtin::New(table) => self.handle("new", *table, ty)?,
            Builtin::Rep(table) => self.handle("rep", *table, ty)?,
            Builtin::Drop(table) => self.drop(*table, ty)?,
            Builtin::TransferOwn => self.keeper("transfer-own")?,
            Builtin::TransferBorrow => self.keeper("transfer-borrow")?,
            Builtin::EnterCall => self.keeper("enter-call")?,
            Builtin::ExitCall => self.keeper("exit-call")?,
        };
        self.builtins.insert(index, func);
        Ok(func)
    }

    /// Returns the region of a component instance that calls an import. One that names no memory passes no values
    /// through memory, and its shims work in a region of its own.
    fn caller(&mut self, instance: u32, memory: Option<usize>) -> Result<usize, Error> {
        match memory.or_else(|| self.graph.part.get(&instance).copied()) {
            Some(memory) => self.named_region(memory),
            None => {
                let next = self.linked.regions.len();
                let region = *self.without_memory.entry(instance).or_insert(next);
                if region == next {
                    self.linked.regions.push(region::without_memory());
                }
                Ok(region)
            }
        }
    }

    fn trap(&mut self, ty: &FuncType) -> Func {
        let code = vec![Instruction::Unreachable, Instruction::End];
        self.made(ty.clone(), Body::Code(Vec::new(), code), 0, "trap".into())
    }

    /// Returns what takes the place of an imported function of the component.
    fn import(&mut self, interface: &str, function: &str, region: usize, ty: &FuncType) -> Result<Func, Error> {
        let find = if self.with_pins { Shims::find_with_pins } else { Shims::find };
        match find(self.shims, interface, function) {
            Some(Shim::Func(func)) if self.shims.facts.type_of(func) == Some(ty) => self.shim(region, func),
            Some(Shim::Trap) => Ok(self.trap(ty)),
            _ => {
                let why = reason(interface, function, self.shims);
                self.missing.entry((interface.into(), why)).or_default().push(function.into());
                Ok(self.trap(ty))
            }
        }
    }

    /// Returns a function that checks the handles which a part passes to an import, and notes those that it gets.
    fn checked(&mut self, import: Func, passed: &Passed, region: usize, ty: &FuncType) -> Result<Func, Error> {
        if passed.is_empty() || matches!(import, Func::Made(_)) {
            return Ok(import);
        }
        let code = passed.code(ty.params().len() as u32);
        let mut calls = vec![import];
        let functions = [(passing::HOLDS, "holds"), (passing::GAVE, "gave"), (passing::GOT, "got")];
        for (call, name) in functions.into_iter().chain([(passing::WORD, WORD), (passing::BYTE, BYTE)]) {
            let called = code.iter().any(|instruction| matches!(instruction, Instruction::Call(of) if *of == call));
            calls.push(match call {
                // nobody calls it
                _ if !called => import,
                passing::WORD | passing::BYTE => {
                    let func = self.shims.facts.exported(name).ok_or_else(|| Error::dangling("function"))?;
                    self.shim(region, func)?
                }
                _ => self.keeper(name)?,
            });
        }
        Ok(self.made(ty.clone(), Body::Code(calls, code), region, "handles".into()))
    }

    /// Links a function of the shims, with all that it calls, for the part in a region.
    fn shim(&mut self, region: usize, func: u32) -> Result<Func, Error> {
        let unit = match self.parts.get(&region) {
            Some(&unit) => unit,
            None => self.shims_of(region)?,
        };
        let border = self.shims.border();
        let found = self.shims.reachable(vec![func])?;
        let imported = self.shims.facts.imported_funcs.len();
        for func in found {
            if border.contains(&func) {
                let (ty, body) = match self.shims.facts.exported(ABSOLUTE) == Some(func) {
                    true => (FuncType::new([ValType::I32; 2], [ValType::I32]), Body::Absolute),
                    false => (FuncType::new([ValType::I32], [ValType::I32]), Body::Local),
                };
                if !self.linked.units[unit].replaced.contains_key(&func) {
                    let made = self.made(ty, body, region, "address".into());
                    self.linked.units[unit].replaced.insert(func, made);
                }
            } else if (func as usize) < imported {
                self.host(unit, region, func)?;
            } else {
                self.linked.units[unit].kept.get_or_insert_default().insert(func);
            }
        }
        Ok(Func::Unit(unit, func))
    }

    /// Adds the shims of a part.
    fn shims_of(&mut self, region: usize) -> Result<usize, Error> {
        let module = Module::read(self.shims.bytes)?;
        let trap = Func::Made(usize::MAX);
        let args = module.imports.iter().map(|(.., ty)| match ty {
            TypeRef::Memory(_) => Arg::Memory(region),
            _ => Arg::Func(trap),
        });
        let args = args.collect();
        let shares = self.parts.values().next().copied();
        let kept = Some(BTreeSet::new());
        self.linked.units.push(Unit { module, args, kept, regions: Vec::new(), replaced: BTreeMap::new(), shares });
        self.parts.insert(region, self.linked.units.len() - 1);
        Ok(self.linked.units.len() - 1)
    }

    /// Links an import of the shims.
    fn host(&mut self, unit: usize, region: usize, func: u32) -> Result<(), Error> {
        let (module, name, ty) = self.shims.facts.imported_funcs[func as usize];
        let imports = self.linked.units[unit].module.imports.iter().enumerate();
        let at = imports.filter(|(_, (.., ty))| matches!(ty, TypeRef::Func(_))).nth(func as usize);
        let at = at.map(|(at, _)| at).ok_or_else(|| Error::dangling("function"))?;
        if !matches!(self.linked.units[unit].args[at], Arg::Func(Func::Made(usize::MAX))) {
            return Ok(());
        }
        let target = match module {
            APP => *self.reallocs.get(&region).ok_or_else(|| {
                Error::unsupported(
                    "one of its parts has no `cabi_realloc`, which a function that it imports needs; link it with the \
                     allocator of its toolchain",
                )
            })?,
            _ => {
                let ty = self.linked.units[unit].module.func_type(ty)?.clone();
                let imports = &mut self.linked.imports;
                let known = imports.iter().position(|(m, n, _)| m == module && n == name);
                let host = known.unwrap_or_else(|| {
                    imports.push((module.into(), name.into(), ty.clone()));
                    imports.len() - 1
                });
                self.made(ty, Body::Host(host), region, format!("{module} {name}"))
            }
        };
        self.linked.units[unit].args[at] = Arg::Func(target);
        Ok(())
    }

    /// Returns the function that copies strings between two regions.
    fn string(&mut self, name: &str, from: usize, to: usize) -> Result<Func, Error> {
        let unit = match self.strings.get(&(from, to)) {
            Some(&unit) => unit,
            None => {
                let module = Module::read(STRINGS)?;
                let args = vec![Arg::Memory(from), Arg::Memory(to)];
                let kept = Some(BTreeSet::new());
                self.linked.units.push(Unit {
                    module,
                    args,
                    kept,
                    regions: Vec::new(),
                    replaced: BTreeMap::new(),
                    shares: None,
                });
                self.strings.insert((from, to), self.linked.units.len() - 1);
                self.linked.units.len() - 1
            }
        };
        let func = self.linked.units[unit].module.exported(name).ok_or_else(|| {
            Error::unsupported(format!(
                "it copies strings between parts as {name}, expected both in UTF-8; build all parts with strings in UTF-8"
            ))
        })?;
        let found = reachable(&self.linked.units[unit].module, func)?;
        self.linked.units[unit].kept.get_or_insert_default().extend(found);
        Ok(Func::Unit(unit, func))
    }

    /// Returns an exported function of the module that keeps handles.
    fn keeper(&mut self, name: &str) -> Result<Func, Error> {
        let unit = match self.handles {
            Some(unit) => unit,
            None => {
                let kind = self.kinds();
                let unit = self.unit(HANDLES, false, 0)?;
                self.linked.units[unit].args = vec![Arg::Func(kind)];
                self.linked.units[unit].kept = Some(BTreeSet::new());
                self.handles = Some(unit);
                unit
            }
        };
        let func = self.linked.units[unit].module.exported(name).ok_or_else(|| Error::dangling("function"))?;
        let found = reachable(&self.linked.units[unit].module, func)?;
        self.linked.units[unit].kept.get_or_insert_default().extend(found);
        Ok(Func::Unit(unit, func))
    }

    /// Makes the function that tells what kind of resources a table of handles has.
    fn kinds(&mut self) -> Func {
        let mut code = Vec::new();
        for (number, table) in (0..).zip(&self.graph.tables) {
            let kind = match table.origin {
                Origin::Import(..) => continue,
                Origin::Instance(instance, _) if instance == table.instance => 1,
                Origin::Instance(..) => 2,
            };
            code.extend([Instruction::LocalGet(0), Instruction::I32Const(number), Instruction::I32Eq]);
            code.extend([Instruction::If(wasm_encoder::BlockType::Empty), Instruction::I32Const(kind)]);
            code.extend([Instruction::Return, Instruction::End]);
        }
        code.extend([Instruction::I32Const(0), Instruction::End]);
        let ty = FuncType::new([ValType::I32], [ValType::I32]);
        self.made(ty, Body::Code(Vec::new(), code), 0, "kind".into())
    }

    /// Makes a function with one handle of a table.
    fn handle(&mut self, name: &str, table: u32, ty: &FuncType) -> Result<Func, Error> {
        let keeper = self.keeper(name)?;
        let code =
            vec![Instruction::LocalGet(0), Instruction::I32Const(table as i32), Instruction::Call(0), Instruction::End];
        Ok(self.made(ty.clone(), Body::Code(vec![keeper], code), 0, format!("resource {name}")))
    }

    /// Makes the function that drops handles of a table.
    fn drop(&mut self, table: u32, ty: &FuncType) -> Result<Func, Error> {
        let graph = self.graph;
        let found = graph.tables.get(table as usize).ok_or_else(|| Error::dangling("resource"))?;
        let (name, end) = match &found.origin {
            Origin::Instance(_, None) => ("drop", None),
            Origin::Instance(_, Some(Def::Item(instance, Kind::Func, func))) => {
                ("drop", Some(self.func(*instance, *func)?))
            }
            Origin::Instance(..) => return Err(Error::dangling("function")),
            Origin::Import(interface, name) => {
                let region = self.caller(found.instance, None)?;
                let end = self.import(interface, &format!("[resource-drop]{name}"), region, ty)?;
                ("drop-import", Some(end))
            }
        };
        let keeper = self.keeper(name)?;
        let mut code = vec![Instruction::LocalGet(0), Instruction::I32Const(table as i32), Instruction::Call(0)];
        match end {
            None => code.extend([Instruction::Drop, Instruction::Drop]),
            // the representation takes the place of the handle
            Some(_) => code.extend([
                Instruction::If(wasm_encoder::BlockType::FunctionType(u32::MAX)),
                Instruction::Call(1),
                Instruction::Else,
                Instruction::Drop,
                Instruction::End,
            ]),
        }
        code.push(Instruction::End);
        let calls = std::iter::once(keeper).chain(end).collect();
        Ok(self.made(ty.clone(), Body::Code(calls, code), 0, "resource drop".into()))
    }
}

/// Returns a function with all that it calls, except for imports.
fn reachable(module: &Module<'_>, func: u32) -> Result<BTreeSet<u32>, Error> {
    let imported = module.imported_funcs().count();
    let mut found = BTreeSet::new();
    let mut wanted = vec![func];
    while let Some(func) = wanted.pop() {
        let Some(body) = (func as usize).checked_sub(imported).and_then(|at| module.bodies.get(at)) else { continue };
        if !found.insert(func) {
            continue;
        }
        for operator in body.get_operators_reader()? {
            if let Operator::Call { function_index } = operator? {
                wanted.push(function_index);
            }
        }
    }
    Ok(found)
}

/// Returns the body of a function that is made here. `index` gives functions and imports their indices.
pub fn body(
    made: &Made,
    linked: &Linked<'_>,
    index: impl Fn(Func) -> Result<u32, Error>,
    block: u32,
) -> Result<Function, Error> {
    let region = linked.regions.get(made.region).copied();
    let region = || region.ok_or_else(|| Error::dangling("memory"));
    match &made.body {
        Body::Absolute => Ok(border::absolute(&region()?)),
        Body::Local => Ok(border::local(&region()?)),
        Body::Host(host) => {
            let (module, name, _) = &linked.imports[*host];
            border::call(module, name, &region()?, *host as u32).ok_or_else(|| Error::dangling("function"))
        }
        Body::Code(calls, code) => {
            // one variable, which only code for handles uses
            let mut function = Function::new([(1, wasm_encoder::ValType::I32)]);
            for instruction in code {
                match instruction {
                    Instruction::Call(call) => function.instruction(&Instruction::Call(index(calls[*call as usize])?)),
                    Instruction::If(wasm_encoder::BlockType::FunctionType(_)) => {
                        function.instruction(&Instruction::If(wasm_encoder::BlockType::FunctionType(block)))
                    }
                    other => function.instruction(other),
                };
            }
            Ok(function)
        }
    }
}

/// Returns true for a global of the shims of which each part has one of its own.
pub fn is_own(shims: &Shims, global: u32) -> bool {
    PER_PART.iter().any(|name| shims.facts.exports.get(name) == Some(&(wasmparser::ExternalKind::Global, global)))
}

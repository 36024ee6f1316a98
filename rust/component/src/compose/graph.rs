// SPDX-License-Identifier: Apache-2.0
//! The core instances of a composed component, with the adapters between its parts.
//!
//! Wasmtime's translator follows the wiring through all components inside, and makes the adapters: core modules that
//! copy values from the memory of one part to that of another as the canonical ABI demands.

use std::collections::BTreeMap;

use wasmtime_environ::component::{
    CanonicalOptionsDataModel, Component, ComponentTypesBuilder, CoreDef, Export, ExportItem, GlobalInitializer,
    InstantiateModule, RuntimeImportIndex, StringEncoding, Transcode, Translator, TypeResourceTableIndex,
};
use wasmtime_environ::wasmparser::{Validator, WasmFeatures};
use wasmtime_environ::{EntityIndex, EntityRef, ScopeVec, Tunables};
use wisp_compiler::printable;

use super::passing::Passed;
use crate::resolve::{ASYNC, IMPORTED};
use crate::shims::is_run;
use crate::Error;

/// The kind of an item of a core module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Func,
    Table,
    Memory,
    Global,
}

/// An item that a core instance imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Def {
    /// An item of an instance: the number of the instance, and the item's kind and index.
    Item(usize, Kind, u32),
    /// The flags of the component instance with this number, which only adapters use.
    Flags(u32),
    /// The function of the canonical ABI with this number.
    Builtin(usize),
}

/// A core instance.
#[derive(Debug)]
pub struct Instance<'a> {
    pub module: &'a [u8],
    /// One for each import.
    pub args: Vec<Def>,
}

/// A function that the canonical ABI provides.
#[derive(Debug)]
pub enum Builtin {
    /// A function that the component imports.
    Import {
        /// The interface with its version, or empty for a function of the world itself.
        interface: String,
        function: String,
        /// Number of the component instance that calls it.
        caller: u32,
        /// The memory that it uses, as an index of [`Graph::memories`].
        memory: Option<usize>,
        realloc: Option<Def>,
        /// The handles in parameters and results.
        passed: Passed,
    },
    /// Copies a string between two memories.
    Transcode {
        op: Transcode,
        from: usize,
        to: usize,
    },
    Trap,
    /// Functions for handles of the table with this number.
    New(u32),
    Rep(u32),
    Drop(u32),
    TransferOwn,
    TransferBorrow,
    EnterCall,
    ExitCall,
}

/// The origin of a resource.
#[derive(Debug)]
pub enum Origin {
    /// An import: interface with version, and name.
    Import(String, String),
    /// A component instance defines it, and may end it with a core function.
    Instance(u32, Option<Def>),
}

/// A table of handles: those of one resource in one component instance.
#[derive(Debug)]
pub struct Table {
    pub instance: u32,
    pub origin: Origin,
}

/// All that is linked of a composed component.
#[derive(Debug)]
pub struct Graph<'a> {
    pub instances: Vec<Instance<'a>>,
    /// Core instance and index of each memory through which values pass.
    pub memories: Vec<(usize, u32)>,
    pub builtins: Vec<Builtin>,
    pub tables: Vec<Table>,
    /// The function of `wasi:cli/run`.
    pub run: Def,
    /// The memory of each component instance, as far as its functions name one.
    pub part: BTreeMap<u32, usize>,
}

/// Returns the proposals that core modules may use: those that the compiler knows, and several memories for the
/// adapters.
fn features() -> WasmFeatures {
    WasmFeatures::WASM2
        | WasmFeatures::COMPONENT_MODEL
        | WasmFeatures::CUSTOM_PAGE_SIZES
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::TAIL_CALL
}

/// Reads a component. `scope` keeps the adapters.
///
/// # Errors
/// Code that is imported, async functions, features that the compiler does not have, and a missing `wasi:cli/run`.
pub fn read<'a>(bytes: &'a [u8], scope: &'a ScopeVec<u8>) -> Result<Graph<'a>, Error> {
    let refused = |error: &dyn std::fmt::Display| Error::unsupported(printable(&error.to_string()));
    let mut validator = Validator::new_with_features(features());
    let mut types = ComponentTypesBuilder::new(&validator);
    let tunables = Tunables::default_u32();
    let translator = Translator::new(&tunables, &mut validator, &mut types, scope);
    let (translation, modules) = translator.translate(bytes).map_err(|error| refused(&format!("{error:#}")))?;
    let component = &translation.component;
    let mut graph = Graph {
        instances: Vec::new(),
        memories: Vec::new(),
        builtins: Vec::new(),
        tables: Vec::new(),
        run: run(component)?,
        part: BTreeMap::new(),
    };
    let (mut imports, mut reallocs, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for initializer in &component.initializers {
        match initializer {
            GlobalInitializer::InstantiateModule(InstantiateModule::Static(module, args)) => {
                let args = args.iter().map(def).collect::<Result<_, _>>()?;
                graph.instances.push(Instance { module: modules[*module].wasm, args });
            }
            GlobalInitializer::InstantiateModule(InstantiateModule::Import(..)) => {
                return Err(Error::unsupported(IMPORTED));
            }
            GlobalInitializer::LowerImport { import, .. } => imports.push(*import),
            GlobalInitializer::ExtractMemory(memory) => {
                let ExportItem::Index(index) = memory.export.item else { return Err(Error::unsupported(IMPORTED)) };
                graph.memories.push((memory.export.instance.index(), index.as_u32()));
            }
            GlobalInitializer::ExtractRealloc(realloc) => reallocs.push(def(&realloc.def)?),
            GlobalInitializer::Resource(resource) => {
                ends.push((resource.instance.as_u32(), resource.dtor.as_ref().map(def).transpose()?));
            }
            // adapters have what they call after a return as imports of their own
            GlobalInitializer::ExtractPostReturn(_) => {}
            _ => return Err(Error::unsupported(ASYNC)),
        }
    }
    for options in component.options.values() {
        if let CanonicalOptionsDataModel::LinearMemory(options_of_memory) = options.data_model {
            if let Some(memory) = options_of_memory.memory {
                graph.part.insert(options.instance.as_u32(), memory.index());
            }
        }
    }
    for trampoline in translation.trampolines.values() {
        graph.builtins.push(builtin(component, &types, trampoline, &imports, &reallocs)?);
    }
    for index in 0..types.num_resource_tables() {
        let table = &types[TypeResourceTableIndex::new(index)];
        let origin = match component.defined_resource_index(table.ty) {
            Some(defined) => {
                let (instance, end) = ends.get(defined.index()).copied().ok_or_else(|| Error::dangling("resource"))?;
                Origin::Instance(instance, end)
            }
            None => {
                let (interface, name) = import(component, component.imported_resources[table.ty]);
                Origin::Import(interface, name)
            }
        };
        graph.tables.push(Table { instance: table.instance.as_u32(), origin });
    }
    Ok(graph)
}

fn def(def: &CoreDef) -> Result<Def, Error> {
    match def {
        CoreDef::Export(export) => {
            let (kind, index) = match export.item {
                ExportItem::Index(EntityIndex::Function(index)) => (Kind::Func, index.as_u32()),
                ExportItem::Index(EntityIndex::Table(index)) => (Kind::Table, index.as_u32()),
                ExportItem::Index(EntityIndex::Memory(index)) => (Kind::Memory, index.as_u32()),
                ExportItem::Index(EntityIndex::Global(index)) => (Kind::Global, index.as_u32()),
                _ => return Err(Error::unsupported(IMPORTED)),
            };
            Ok(Def::Item(export.instance.index(), kind, index))
        }
        CoreDef::InstanceFlags(instance) => Ok(Def::Flags(instance.as_u32())),
        CoreDef::Trampoline(trampoline) => Ok(Def::Builtin(trampoline.index())),
    }
}

/// Returns the interface and the name of an import.
fn import(component: &Component, index: RuntimeImportIndex) -> (String, String) {
    let (import, path) = &component.imports[index];
    let name = component.import_types[*import].0.clone();
    match path.first() {
        Some(function) => (name, function.clone()),
        None => (String::new(), name),
    }
}

fn builtin(
    component: &Component,
    types: &ComponentTypesBuilder,
    trampoline: &wasmtime_environ::component::Trampoline,
    imports: &[RuntimeImportIndex],
    reallocs: &[Def],
) -> Result<Builtin, Error> {
    use wasmtime_environ::component::Trampoline;
    Ok(match trampoline {
        Trampoline::LowerImport { index, options, lower_ty } => {
            let (interface, function) = import(component, imports[index.index()]);
            let options = &component.options[*options];
            let (memory, realloc) = match options.data_model {
                CanonicalOptionsDataModel::LinearMemory(options) => (options.memory, options.realloc),
                CanonicalOptionsDataModel::Gc {} => return Err(Error::unsupported(GC)),
            };
            if options.async_ || options.callback.is_some() {
                return Err(Error::unsupported(ASYNC));
            }
            if options.string_encoding != StringEncoding::Utf8 {
                return Err(Error::unsupported(crate::resolve::UTF_16));
            }
            let passed = Passed::of(types, *lower_ty, &format!("{interface} {function}"))?;
            Builtin::Import {
                interface,
                function,
                caller: options.instance.as_u32(),
                memory: memory.map(|memory| memory.index()),
                realloc: realloc.map(|realloc| reallocs[realloc.index()]),
                passed,
            }
        }
        Trampoline::Transcoder { op, from, from64: false, to, to64: false } => {
            Builtin::Transcode { op: *op, from: from.index(), to: to.index() }
        }
        Trampoline::AlwaysTrap => Builtin::Trap,
        Trampoline::ResourceNew(table) => Builtin::New(table.as_u32()),
        Trampoline::ResourceRep(table) => Builtin::Rep(table.as_u32()),
        Trampoline::ResourceDrop(table) => Builtin::Drop(table.as_u32()),
        Trampoline::ResourceTransferOwn => Builtin::TransferOwn,
        Trampoline::ResourceTransferBorrow => Builtin::TransferBorrow,
        Trampoline::ResourceEnterCall => Builtin::EnterCall,
        Trampoline::ResourceExitCall => Builtin::ExitCall,
        _ => return Err(Error::unsupported(ASYNC)),
    })
}

/// Returns the core function that `wasi:cli/run` was lifted from.
fn run(component: &Component) -> Result<Def, Error> {
    let missing = || Error::dangling("function `run`");
    let found = component.exports.raw_iter().find(|(name, _)| is_run(name));
    let (_, &export) = found.ok_or_else(missing)?;
    let Export::Instance { exports, .. } = &component.export_items[export] else { return Err(missing()) };
    let (_, &function) = exports.raw_iter().find(|(name, _)| *name == "run").ok_or_else(missing)?;
    match &component.export_items[function] {
        Export::LiftedFunction { func, options, .. } if !component.options[*options].async_ => def(func),
        Export::LiftedFunction { .. } => Err(Error::unsupported(ASYNC)),
        _ => Err(missing()),
    }
}

/// The refusal of values on a garbage-collected heap.
const GC: &str = "it passes garbage-collected values to imports; build it with a toolchain that uses linear memory";

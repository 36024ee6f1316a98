// SPDX-License-Identifier: Apache-2.0
//! Follows each import of a component's main module to the function that stands behind it.

use std::collections::HashMap;

use wasmparser::{CanonicalOption, ComponentExternalKind, ComponentInstance, ExternalKind, Instance};

use crate::composed;
use crate::facts::Facts;
use crate::parse::{Component, CoreFunc, Func, Inst, Ty};
use crate::Error;

/// Aliases that are followed at most: a component can chain them, and can close a circle through a table.
const DEPTH: u32 = 64;

/// The origin of a core function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place<'a> {
    /// A function that a core instance defines: instance and index in its module.
    Defined(u32, u32),
    /// An imported function of the component, or the drop of an imported resource.
    Import {
        /// The interface with its version, or empty for a function of the world itself.
        interface: &'a str,
        /// The name that the canonical ABI gives it.
        function: String,
        /// The allocator that it may use, as an index of a core function.
        realloc: Option<u32>,
    },
    /// The function that makes or reads a handle of a resource that the component defines.
    Own,
    /// The drop of a resource that the component defines and that has nothing to end.
    Nothing,
}

/// Follows the aliases of a component.
#[derive(Debug)]
pub struct Resolver<'c, 'a> {
    component: &'c Component<'a>,
    modules: Vec<Facts<'a>>,
    /// Entries of tables that another instance than the table's owner fills.
    entries: HashMap<(u32, u32, u32), (u32, u32)>,
}

impl<'c, 'a> Resolver<'c, 'a> {
    /// Reads all core modules.
    ///
    /// # Errors
    /// Core modules that are imported, and modules that fill the tables of others in unknown ways.
    pub fn new(component: &'c Component<'a>) -> Result<Self, Error> {
        let mut modules = Vec::new();
        for module in &component.modules {
            let bytes = module.ok_or_else(|| Error::unsupported(IMPORTED))?;
            modules.push(Facts::of(bytes)?);
        }
        let mut resolver = Self { modules, ..Self::without_modules(component) };
        for instance in 0..component.core_instances.len() as u32 {
            resolver.fill(instance)?;
        }
        Ok(resolver)
    }

    /// Makes one that follows functions and types of the component, and no core functions.
    pub fn without_modules(component: &'c Component<'a>) -> Self {
        Self { component, modules: Vec::new(), entries: HashMap::new() }
    }

    /// Returns the facts of the module that a core instance was made from.
    pub fn facts(&self, instance: u32) -> Option<&Facts<'a>> {
        match self.component.core_instances.get(instance as usize)? {
            Instance::Instantiate { module_index, .. } => self.modules.get(*module_index as usize),
            Instance::FromExports(_) => None,
        }
    }

    /// Records what an instance writes to tables of others.
    fn fill(&mut self, instance: u32) -> Result<(), Error> {
        let Some(facts) = self.facts(instance) else { return Ok(()) };
        let mut found = Vec::new();
        for segment in &facts.elements {
            if segment.table as usize >= facts.imported_tables.len() {
                continue;
            }
            let (owner, table) = self.table(instance, segment.table, 0)?;
            for (index, &func) in segment.functions.iter().enumerate() {
                found.push(((owner, table, segment.offset.wrapping_add(index as u32)), (instance, func)));
            }
        }
        self.entries.extend(found);
        Ok(())
    }

    /// Returns the core instance that an import module of `instance` is linked to.
    fn argument(&self, instance: u32, module: &str) -> Result<u32, Error> {
        let Some(Instance::Instantiate { args, .. }) = self.component.core_instances.get(instance as usize) else {
            return Err(Error::dangling("core instance"));
        };
        let found = args.iter().find(|argument| argument.name == module);
        found.map(|argument| argument.index).ok_or_else(|| Error::dangling("core instance"))
    }

    /// Returns owner and index of a table.
    fn table(&self, instance: u32, table: u32, depth: u32) -> Result<(u32, u32), Error> {
        let facts = self.facts(instance).ok_or_else(|| Error::dangling("core instance"))?;
        let Some(&(module, name)) = facts.imported_tables.get(table as usize) else { return Ok((instance, table)) };
        self.exported_table(self.argument(instance, module)?, name, depth)
    }

    fn exported_table(&self, instance: u32, name: &str, depth: u32) -> Result<(u32, u32), Error> {
        let missing = || Error::dangling("table");
        limit(depth)?;
        match self.component.core_instances.get(instance as usize).ok_or_else(missing)? {
            Instance::FromExports(exports) => {
                let export = exports.iter().find(|export| export.name == name && export.kind == ExternalKind::Table);
                let index = export.ok_or_else(missing)?.index as usize;
                let &(instance, name) = self.component.core_tables.get(index).ok_or_else(missing)?;
                self.exported_table(instance, name, depth + 1)
            }
            Instance::Instantiate { .. } => {
                let facts = self.facts(instance).ok_or_else(missing)?;
                match facts.exports.get(name) {
                    Some(&(ExternalKind::Table, index)) => self.table(instance, index, depth + 1),
                    _ => Err(missing()),
                }
            }
        }
    }

    /// Returns what stands behind a function of a core instance.
    ///
    /// # Errors
    /// Functions of the canonical ABI that Wisp does not support.
    pub fn func(&self, instance: u32, func: u32) -> Result<Place<'a>, Error> {
        self.func_at(instance, func, 0)
    }

    fn func_at(&self, instance: u32, func: u32, depth: u32) -> Result<Place<'a>, Error> {
        limit(depth)?;
        let facts = self.facts(instance).ok_or_else(|| Error::dangling("core instance"))?;
        if let Some(&(module, name, _)) = facts.imported_funcs.get(func as usize) {
            return self.export_at(self.argument(instance, module)?, name, depth + 1);
        }
        if let Some(jump) = facts.jump(func) {
            let (owner, table) = self.table(instance, jump.table, 0)?;
            if let Some(&(instance, func)) = self.entries.get(&(owner, table, jump.entry)) {
                return self.func_at(instance, func, depth + 1);
            }
        }
        Ok(Place::Defined(instance, func))
    }

    fn export_at(&self, instance: u32, name: &str, depth: u32) -> Result<Place<'a>, Error> {
        let missing = || Error::dangling("core function");
        limit(depth)?;
        match self.component.core_instances.get(instance as usize).ok_or_else(missing)? {
            Instance::FromExports(exports) => {
                let export = exports.iter().find(|export| export.name == name && export.kind == ExternalKind::Func);
                self.core_at(export.ok_or_else(missing)?.index, depth + 1)
            }
            Instance::Instantiate { .. } => {
                let func = self.facts(instance).and_then(|facts| facts.exported(name)).ok_or_else(missing)?;
                self.func_at(instance, func, depth + 1)
            }
        }
    }

    /// Returns what stands behind a core function of the component.
    ///
    /// # Errors
    /// Functions of the canonical ABI that Wisp does not support.
    pub fn core(&self, index: u32) -> Result<Place<'a>, Error> {
        self.core_at(index, 0)
    }

    fn core_at(&self, index: u32, depth: u32) -> Result<Place<'a>, Error> {
        limit(depth)?;
        match self.component.core_funcs.get(index as usize).ok_or_else(|| Error::dangling("core function"))? {
            CoreFunc::Export(instance, name) => self.export_at(*instance, name, depth + 1),
            CoreFunc::Lower(func, options) => {
                let realloc = realloc(options)?;
                let (interface, function) = self.import(*func)?;
                Ok(Place::Import { interface, function, realloc })
            }
            CoreFunc::Drop(resource) => match self.component.type_at(*resource) {
                Ty::Own(Some(end)) => self.core_at(end, depth + 1),
                Ty::Own(None) => Ok(Place::Nothing),
                _ => {
                    let (interface, name) = self.resource(*resource)?;
                    Ok(Place::Import { interface, function: format!("[resource-drop]{name}"), realloc: None })
                }
            },
            CoreFunc::Own => Ok(Place::Own),
            CoreFunc::Other => Err(Error::unsupported(ASYNC)),
        }
    }

    /// Returns interface and name of the import that a core function of the component was lowered from, or whose
    /// resource it drops. Returns `None` for other functions and for those that come from elsewhere.
    pub fn lowered(&self, index: u32) -> Option<(&'a str, String)> {
        match self.component.core_funcs.get(index as usize)? {
            CoreFunc::Lower(func, _) => self.import(*func).ok(),
            CoreFunc::Drop(resource) => {
                self.resource(*resource).ok().map(|(interface, name)| (interface, format!("[resource-drop]{name}")))
            }
            _ => None,
        }
    }

    /// Returns interface and name of the import behind a component function.
    fn import(&self, func: u32) -> Result<(&'a str, String), Error> {
        match self.component_func(func, 0)? {
            Origin::Import(interface, function) => Ok((interface, function)),
            Origin::Lift(_) => Err(composed::refusal()),
        }
    }

    /// Returns interface and name of the resource with this type index.
    fn resource(&self, ty: u32) -> Result<(&'a str, &'a str), Error> {
        let (instance, name) = match self.component.type_at(ty) {
            Ty::Export(instance, name) => (instance, name),
            Ty::Import(name) => return Ok(("", name)),
            Ty::Own(_) | Ty::Other => return Err(composed::refusal()),
        };
        match self.instance(instance)? {
            Inst::Import(interface) => Ok((interface, name)),
            _ => Err(composed::refusal()),
        }
    }

    fn instance(&self, mut index: u32) -> Result<&Inst<'a>, Error> {
        loop {
            match self.component.instances.get(index as usize).ok_or_else(|| Error::dangling("instance"))? {
                // an index of an export is always that of something before it
                Inst::Same(before) => index = *before,
                found => return Ok(found),
            }
        }
    }

    /// Returns the core function that is lifted to a function of an instance.
    ///
    /// # Errors
    /// A function that comes from an import, or from a component inside this one with code of its own.
    pub fn lifted(&self, instance: u32, name: &str) -> Result<u32, Error> {
        match self.instance_export(instance, name, 0)? {
            Origin::Lift(core) => Ok(core),
            Origin::Import(..) => Err(composed::refusal()),
        }
    }

    fn component_func(&self, index: u32, depth: u32) -> Result<Origin<'a>, Error> {
        limit(depth)?;
        match self.component.funcs.get(index as usize).ok_or_else(|| Error::dangling("function"))? {
            Func::Import(name) => Ok(Origin::Import("", (*name).into())),
            Func::Export(instance, name) => self.instance_export(*instance, name, depth + 1),
            Func::Lift(core) => Ok(Origin::Lift(*core)),
            Func::Same(index) => self.component_func(*index, depth + 1),
        }
    }

    fn instance_export(&self, instance: u32, name: &str, depth: u32) -> Result<Origin<'a>, Error> {
        match self.instance(instance)? {
            Inst::Import(interface) => Ok(Origin::Import(interface, name.into())),
            Inst::Made(ComponentInstance::FromExports(exports)) => {
                let function = |export: &&wasmparser::ComponentExport<'_>| {
                    export.name.name == name && export.kind == ComponentExternalKind::Func
                };
                let export = exports.iter().find(function).ok_or_else(|| Error::dangling("function"))?;
                self.component_func(export.index, depth + 1)
            }
            Inst::Made(ComponentInstance::Instantiate { component_index, args }) => {
                let import = self.passed_through(*component_index, name)?;
                let argument = args.iter().find(|a| a.name == import && a.kind == ComponentExternalKind::Func);
                self.component_func(argument.ok_or_else(|| Error::dangling("function"))?.index, depth + 1)
            }
            Inst::Same(_) | Inst::Inner => Err(composed::refusal()),
        }
    }

    /// Returns the import that an inner component exports under a name. Toolchains wrap exports in components that
    /// do nothing else.
    fn passed_through(&self, component: u32, name: &str) -> Result<&'a str, Error> {
        let bytes = self.component.components.get(component as usize).copied().flatten();
        let inner = Component::parse(bytes.ok_or_else(|| Error::unsupported(IMPORTED))?)?;
        let export = inner.exports.iter().find(|e| e.name == name && e.kind == ComponentExternalKind::Func);
        let mut index = export.ok_or_else(|| Error::dangling("function"))?.index;
        loop {
            match inner.funcs.get(index as usize).ok_or_else(|| Error::dangling("function"))? {
                Func::Import(name) => return Ok(name),
                // an index of an export is always that of something before it
                Func::Same(before) => index = *before,
                _ => return Err(composed::refusal()),
            }
        }
    }
}

enum Origin<'a> {
    Import(&'a str, String),
    Lift(u32),
}

/// Refuses aliases that are followed too far.
fn limit(depth: u32) -> Result<(), Error> {
    if depth > DEPTH {
        return Err(Error::unsupported(format!(
            "it renames a function more than {DEPTH} times; give the component that the toolchain made, before tools \
             that wrap it"
        )));
    }
    Ok(())
}

/// The refusal of code that is not in the file.
pub const IMPORTED: &str = "it imports a core module or another component, so a part of its code is missing; give a \
                        component that contains all of its code";
/// The refusal of a start function of the component model.
pub const STARTS: &str = "it has a start function of the component model; build a program with a `main` instead";
/// The refusal of strings that shims do not read.
pub const UTF_16: &str = "its strings are UTF-16; build it with strings in UTF-8";
/// The refusal of several core modules.
pub const MODULES: &str =
    "it has several core modules with code of their own; Wisp links one core module, so link the \
                           program statically";
/// The refusal of everything of the component model that came after WASI 0.2.
pub const ASYNC: &str = "it uses async functions, streams, futures or threads of the component model, or another \
                         part of it that came after WASI 0.2; build it for WASI 0.2, for example with rustc's target \
                         wasm32-wasip2";

/// Returns the allocator in the options of a lowered function.
fn realloc(options: &[CanonicalOption]) -> Result<Option<u32>, Error> {
    let mut found = None;
    for option in options {
        match option {
            CanonicalOption::Realloc(index) => found = Some(*index),
            CanonicalOption::UTF16 | CanonicalOption::CompactUTF16 => {
                return Err(Error::unsupported(UTF_16));
            }
            CanonicalOption::Gc | CanonicalOption::CoreType(_) => {
                return Err(Error::unsupported(
                    "it passes garbage-collected values to imports; build it with a toolchain that uses linear memory",
                ));
            }
            _ => {}
        }
    }
    Ok(found)
}

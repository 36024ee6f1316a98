// SPDX-License-Identifier: Apache-2.0
//! What is linked: the main module, what stands for each of its imports, and how the app begins.

use std::collections::BTreeMap;

use wasmparser::Instance;

use crate::facts::Facts;
use crate::parse::Component;
use crate::resolve::{Place, Resolver, COMPOSED};
use crate::shims::{Shim, Shims};
use crate::Error;

/// The import module of WASI preview 1, which Wisp's host has itself.
const PREVIEW1: &str = "wasi_snapshot_preview1";
const RUN: &str = "wasi:cli/run";

/// The stand-in for a function that the main module imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The import stays.
    Keep,
    /// A function of the main module itself.
    Main(u32),
    /// A function of the shims.
    Shim(u32),
    /// A trap.
    Trap,
}

/// The way in which the app begins.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// The main module exports `_start`.
    Own,
    /// `_start` is made: it calls functions of the main module, the last of which returns 0 for success.
    Made {
        /// Functions without parameters and results.
        before: Vec<u32>,
        /// The function that `wasi:cli/run` was lifted from.
        run: u32,
    },
}

/// All that is linked.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The bytes of the main module.
    pub module: &'a [u8],
    pub facts: Facts<'a>,
    /// One for each imported function.
    pub links: Vec<Link>,
    /// The allocator in the main module.
    pub realloc: Option<u32>,
    pub entry: Entry,
}

/// Returns the core instance with a memory of its own.
fn main_instance(component: &Component<'_>, resolver: &Resolver<'_, '_>) -> Result<u32, Error> {
    let instances = 0..component.core_instances.len() as u32;
    let mut with_memory = instances.filter(|&at| resolver.facts(at).is_some_and(|facts| facts.memories > 0));
    match (with_memory.next(), with_memory.next()) {
        (Some(main), None) if component.core_memories.iter().all(|&(instance, _)| instance == main) => Ok(main),
        (None, _) if component.components.is_empty() => Err(Error::unsupported("it has no core module with a memory")),
        _ => Err(Error::unsupported(COMPOSED)),
    }
}

/// Returns interface and function of each import that the core modules refer to.
///
/// # Errors
/// Those of [`Resolver::core`].
pub fn called(component: &Component<'_>) -> Result<Vec<(String, String)>, Error> {
    let resolver = Resolver::new(component)?;
    let mut called = Vec::new();
    for index in 0..component.core_funcs.len() as u32 {
        if let Place::Import { interface, function, .. } = resolver.core(index)? {
            // a function of the world itself is its own import
            let interface = if interface.is_empty() { function.clone() } else { interface.into() };
            if !called.contains(&(interface.clone(), function.clone())) {
                called.push((interface, function));
            }
        }
    }
    Ok(called)
}

/// Finds out what is to be linked.
///
/// # Errors
/// See [`crate::lower`].
pub fn of<'a>(component: &Component<'a>, shims: &Shims) -> Result<Plan<'a>, Error> {
    let resolver = Resolver::new(component)?;
    let main = main_instance(component, &resolver)?;
    let Some(Instance::Instantiate { module_index, .. }) = component.core_instances.get(main as usize) else {
        return Err(Error::dangling("core instance"));
    };
    let module = component.modules.get(*module_index as usize).copied().flatten();
    let module = module.ok_or_else(|| Error::dangling("core module"))?;
    let facts = Facts::of(module)?;
    if let Some(&(from, name, kind)) = facts.other_imports.first() {
        return Err(Error::unsupported(format!("its main module imports the {kind} `{from}` `{name}`")));
    }
    if let Some(&(from, name)) = facts.imported_tables.first() {
        return Err(Error::unsupported(format!("its main module imports the table `{from}` `{name}`")));
    }
    let (links, realloc) = links(&resolver, main, &facts, shims)?;
    let entry = entry(component, &resolver, main, &facts)?;
    let realloc = realloc.or_else(|| facts.exported("cabi_realloc"));
    Ok(Plan { module, facts, links, realloc, entry })
}

/// Returns what stands for each import of the main module, and the allocator that they name.
fn links(
    resolver: &Resolver<'_, '_>,
    main: u32,
    facts: &Facts<'_>,
    shims: &Shims,
) -> Result<(Vec<Link>, Option<u32>), Error> {
    let mut links = Vec::new();
    let mut allocator = None;
    let mut missing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (index, &(module, _, _)) in facts.imported_funcs.iter().enumerate() {
        let link = match resolver.func(main, index as u32)? {
            Place::Defined(instance, func) if instance == main => Link::Main(func),
            // what the component puts in between translates preview 1 to 0.2
            Place::Defined(..) if module == PREVIEW1 => Link::Keep,
            Place::Defined(..) => return Err(Error::unsupported(COMPOSED)),
            Place::Import { interface, function, realloc } => {
                allocator = allocator.or(realloc);
                match shims.find(interface, &function) {
                    Some(Shim::Func(func)) if shims.facts.type_of(func) == facts.type_of(index as u32) => {
                        Link::Shim(func)
                    }
                    Some(Shim::Trap) => Link::Trap,
                    _ => {
                        missing.entry(interface).or_default().push(function);
                        Link::Trap
                    }
                }
            }
        };
        links.push(link);
    }
    if !missing.is_empty() {
        return Err(Error::Imports(
            missing.iter().map(|(interface, functions)| refused(interface, functions)).collect(),
        ));
    }
    let allocator = match allocator.map(|index| resolver.core(index)).transpose()? {
        Some(Place::Defined(instance, func)) if instance == main => Some(func),
        _ => None,
    };
    Ok((links, allocator))
}

/// Says what is wrong with functions of an interface.
fn refused(interface: &str, functions: &[String]) -> String {
    let names = functions.join("`, `");
    let why = match interface {
        "" => "the world imports it without an interface; Wisp provides interfaces of WASI 0.2 only",
        _ if interface.starts_with("wasi:http/") => {
            "Wisp has no network; leave HTTP out, or let the firmware do it and use `wisp:msg@1`"
        }
        _ if interface.contains("@0.3") => "a later WASI; build the component for WASI 0.2",
        _ if interface.starts_with("wasi:") => "Wisp does not provide this; doc/components.md lists what it does",
        _ => "not an interface of WASI; Wisp provides interfaces of WASI 0.2 only",
    };
    format!("import `{interface}` `{names}`: {why}")
}

/// Finds out how the app begins.
fn entry(component: &Component<'_>, resolver: &Resolver<'_, '_>, main: u32, facts: &Facts<'_>) -> Result<Entry, Error> {
    let is_run =
        |name: &str| name.split_once('@').is_some_and(|(name, version)| name == RUN && version.starts_with("0.2"));
    let Some(export) = component.exports.iter().find(|export| is_run(export.name)) else {
        let names: Vec<_> = component.exports.iter().map(|export| format!("`{}`", export.name)).collect();
        let names = if names.is_empty() { "nothing".into() } else { names.join(", ") };
        return Err(Error::unsupported(format!(
            "it exports {names} and no `{RUN}@0.2`; build a program with a `main`, not a library"
        )));
    };
    let run = match resolver.core(resolver.lifted(export.index, "run")?)? {
        Place::Defined(instance, func) if instance == main => func,
        // the component translates from a program for preview 1
        Place::Defined(..) if facts.exported("_start").is_some() => return Ok(Entry::Own),
        _ => return Err(Error::unsupported(COMPOSED)),
    };
    let mut before = Vec::new();
    for instance in (0..component.core_instances.len() as u32).filter(|&instance| instance != main) {
        let Some(start) = resolver.facts(instance).and_then(|facts| facts.start) else { continue };
        match resolver.func(instance, start)? {
            Place::Defined(owner, func) if owner == main => before.push(func),
            _ => return Err(Error::unsupported("a core module besides its main module has a start function")),
        }
    }
    Ok(Entry::Made { before, run })
}

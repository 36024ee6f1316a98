// SPDX-License-Identifier: Apache-2.0
//! Plans what is linked: the main module, what stands for each of its imports, and how the app begins.

use std::collections::BTreeMap;

use wasmparser::Instance;
use wisp_compiler::printable;

use crate::composed;
use crate::facts::Facts;
use crate::parse::{Component, Item};
use crate::resolve::{Place, Resolver, MODULES};
use crate::shims::{is_0_2, is_known, is_run, is_version, proposal, watches_pin, Shim, Shims, WISP};
use crate::Error;

/// The import module of WASI preview 1, which Wisp's host has itself.
pub const PREVIEW1: &str = "wasi_snapshot_preview1";
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
        (None, _) if component.components.is_empty() => Err(Error::unsupported(
            "it has no core module with a memory, so it is no program; build a program with a `main`",
        )),
        _ if component.components.is_empty() => Err(Error::unsupported(MODULES)),
        _ => Err(composed::refusal()),
    }
}

/// Returns interface and function of each import that the core modules refer to.
pub fn called(component: &Component<'_>) -> Vec<(String, String)> {
    let resolver = Resolver::without_modules(component);
    let mut called = Vec::new();
    for (interface, function) in (0..component.core_funcs.len() as u32).filter_map(|index| resolver.lowered(index)) {
        // a function of the world itself is its own import
        let interface = if interface.is_empty() { function.clone() } else { interface.into() };
        if !called.contains(&(interface.clone(), function.clone())) {
            called.push((interface, function));
        }
    }
    called
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
    let tables = facts.imported_tables.iter().map(|&(from, name)| (from, name, "table"));
    if let Some((from, name, kind)) = facts.other_imports.iter().copied().chain(tables).next() {
        return Err(Error::unsupported(format!(
            "its main module imports the {kind} `{}` `{}` from another core module; link the program statically",
            printable(from),
            printable(name)
        )));
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
    let mut missing: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    let places = (0..facts.imported_funcs.len() as u32).map(|index| resolver.func(main, index));
    let places = places.collect::<Result<Vec<_>, _>>()?;
    let watches = |place: &Place<'_>| matches!(place, Place::Import { interface, function, .. } if watches_pin(interface, function));
    let find = if places.iter().any(watches) { Shims::find_with_pins } else { Shims::find };
    for (index, (&(module, _, _), place)) in facts.imported_funcs.iter().zip(places).enumerate() {
        let link = match place {
            Place::Defined(instance, func) if instance == main => Link::Main(func),
            // what the component puts in between translates preview 1 to 0.2
            Place::Defined(..) if module == PREVIEW1 => Link::Keep,
            Place::Defined(..) => return Err(Error::unsupported(MODULES)),
            Place::Own => shims.same(),
            Place::Nothing => shims.nothing(),
            Place::Import { interface, function, realloc } => {
                allocator = allocator.or(realloc);
                match find(shims, interface, &function) {
                    Some(Shim::Func(func)) if shims.facts.type_of(func) == facts.type_of(index as u32) => {
                        Link::Shim(func)
                    }
                    Some(Shim::Trap) => Link::Trap,
                    _ => {
                        let why = reason(interface, &function, shims);
                        missing.entry((interface, why)).or_default().push(function);
                        Link::Trap
                    }
                }
            }
        };
        links.push(link);
    }
    if !missing.is_empty() {
        return Err(Error::Imports(
            missing.iter().map(|((interface, why), functions)| refused(interface, functions, why)).collect(),
        ));
    }
    let allocator = match allocator.map(|index| resolver.core(index)).transpose()? {
        Some(Place::Defined(instance, func)) if instance == main => Some(func),
        _ => None,
    };
    Ok((links, allocator))
}

/// Returns the reason why nothing takes the place of a function of an interface.
pub fn reason(interface: &str, function: &str, shims: &Shims) -> &'static str {
    let (name, version) = interface.split_once('@').unwrap_or((interface, ""));
    match version {
        _ if interface.is_empty() => {
            "the world imports it without an interface; Wisp provides interfaces of WASI 0.2 and of its folder `wit`"
        }
        _ if name.starts_with(WISP) && !is_version(name, version) => {
            "the interface is of another version; build the component with the packages in Wisp's folder `wit`"
        }
        _ if name.starts_with(WISP) && shims.find(interface, function).is_some() => {
            "its parameters or results differ; build the component with the packages in Wisp's folder `wit`"
        }
        _ if name.starts_with(WISP) => "Wisp has no such function; the packages in its folder `wit` list what it has",
        _ if proposal(name).is_some() && !is_version(name, version) => {
            "another version of the proposal; doc/wasi-hardware.md names the one that Wisp has"
        }
        _ if proposal(name).is_some() && shims.find(interface, function).is_some() => {
            "its parameters or results differ from those in the proposal; doc/wasi-hardware.md names the version"
        }
        _ if proposal(name).is_some() => "Wisp does not provide this; doc/wasi-hardware.md lists what it does",
        _ if !name.starts_with("wasi:") => {
            "not an interface of WASI; compose the component with one that exports it, or make what implements it a part \
             of the program, because Wisp provides interfaces of WASI 0.2 and of its folder `wit` only"
        }
        _ if name.starts_with("wasi:http/") => {
            "Wisp has no HTTP; leave it out, or build an app that is no component and uses the sockets of `wisp:net@1`"
        }
        _ if !is_known(name) => "Wisp does not provide this; doc/components.md lists what it does",
        "" => {
            "it has no version, expected one of WASI 0.2; build the component with a released version of the interface"
        }
        _ if version.starts_with("0.2.") && !is_0_2(version) => {
            "a draft of WASI 0.2; build the component with a released version of the interface"
        }
        _ if !is_0_2(version) => "another WASI than 0.2; build the component for WASI 0.2",
        _ if shims.find(interface, function).is_some() => {
            "its parameters or results differ from those in WASI 0.2; build the component with the interface as WASI \
             publishes it"
        }
        _ => "Wisp does not provide this; doc/components.md lists what it does",
    }
}

/// Returns the line for functions of an interface that nothing takes the place of.
pub fn refused(interface: &str, functions: &[String], why: &str) -> String {
    let names: Vec<_> = functions.iter().map(|name| format!("`{}`", printable(name))).collect();
    let names = names.join(", ");
    match interface {
        "" => format!("import {names}: {why}"),
        _ => format!("import `{}` {names}: {why}", printable(interface)),
    }
}

/// Says what a component exports instead of a program.
fn no_program(component: &Component<'_>) -> Error {
    let names: Vec<_> = component.exports.iter().map(|export| format!("`{}`", printable(export.name))).collect();
    let later = component.exports.iter().any(|export| export.name.split_once('@').is_some_and(|(name, _)| name == RUN));
    Error::unsupported(match (names.is_empty(), later) {
        (true, _) => format!("it exports nothing, expected `{RUN}@0.2`; build a program with a `main`, not a library"),
        (_, true) => format!("it exports {} and no `{RUN}@0.2`; build it for WASI 0.2", names.join(", ")),
        _ => {
            format!("it exports {} and no `{RUN}@0.2`; build a program with a `main`, not a library", names.join(", "))
        }
    })
}

/// Returns the export with which a program begins.
///
/// # Errors
/// A component that is no program.
pub fn program<'c, 'a>(component: &'c Component<'a>) -> Result<&'c Item<'a>, Error> {
    component.exports.iter().find(|export| is_run(export.name)).ok_or_else(|| no_program(component))
}

/// Finds out how the app begins.
fn entry(component: &Component<'_>, resolver: &Resolver<'_, '_>, main: u32, facts: &Facts<'_>) -> Result<Entry, Error> {
    let export = program(component)?;
    let run = match resolver.core(resolver.lifted(export.index, "run")?)? {
        Place::Defined(instance, func) if instance == main => func,
        // the component translates from a program for preview 1
        Place::Defined(..) if facts.exported("_start").is_some() => return Ok(Entry::Own),
        Place::Defined(..) => return Err(Error::unsupported(MODULES)),
        _ => return Err(composed::refusal()),
    };
    let mut before = Vec::new();
    for instance in (0..component.core_instances.len() as u32).filter(|&instance| instance != main) {
        let Some(start) = resolver.facts(instance).and_then(|facts| facts.start) else { continue };
        match resolver.func(instance, start)? {
            Place::Defined(owner, func) if owner == main => before.push(func),
            _ => return Err(Error::unsupported(MODULES)),
        }
    }
    Ok(Entry::Made { before, run })
}

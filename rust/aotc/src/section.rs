// SPDX-License-Identifier: Apache-2.0
//! The native section, byte by byte.

use std::collections::BTreeMap;

use wasmparser::Operator;
use wisp_image::disassemble::ops;
use wisp_image::format::Section;
use wisp_image::native::callers::{Place, Writer};
use wisp_image::native::{self, flags, header};
use wisp_image::Image;

use crate::emit::lines::{GLUE, NOWHERE, TRAP};
use crate::emit::{Generated, Plan};
use crate::error::AotError;
use crate::graph::Graph;
use crate::module::Module;
use crate::target::Machine;
use crate::toolchain::Built;

/// Stack that the runtime's helpers and the compiler's library take, on top of the functions'.
const HELPERS_STACK: u32 = 128;

/// From offsets in the module to offsets in the IR, as traps report them.
pub struct Places {
    /// (offset in the module, offset in the code section), ascending.
    map: Vec<(u32, u32)>,
}

impl Places {
    /// Turns the compiler's map around. Without one, places are offsets in the module.
    ///
    /// What an operator needs in slots may be put there by ops of its own, which stand first: the op that
    /// traps is the last of the operator's.
    pub fn new(source_map: &[(u32, u32)], code: &[u8]) -> Self {
        let mut map = Vec::new();
        for (index, &(start, wasm)) in source_map.iter().enumerate() {
            let end = source_map.get(index + 1).map_or(code.len(), |&(next, _)| next as usize);
            let last = ops(code, start as usize, end).last();
            map.push((wasm, last.map_or(start, |op| op.offset as u32)));
        }
        map.sort_unstable();
        map.dedup_by_key(|&mut (wasm, _)| wasm);
        Self { map }
    }

    /// Returns the place behind a call, as callers have it: in the module, one within its operator.
    fn behind(&self, wasm: u32, code: &[u8]) -> u32 {
        let place = self.place(wasm);
        if self.map.is_empty() {
            return place + 1;
        }
        ops(code, place as usize, code.len()).nth(1).map_or(code.len(), |op| op.offset) as u32
    }

    fn place(&self, wasm: u32) -> u32 {
        if self.map.is_empty() {
            return wasm;
        }
        let after = self.map.partition_point(|&(at, _)| at <= wasm);
        after.checked_sub(1).map_or(0, |index| self.map[index].1)
    }
}

/// Returns the features that code made from this image needs: those of its ops.
pub fn features(image: &Image<'_>) -> u8 {
    let code = image.section(Section::Code);
    let start = |index| image.function(index).map_or(code.len(), |function| function.code as usize);
    let decoded = (0..image.function_count()).flat_map(|index| ops(code, start(index), start(index + 1)));
    decoded.fold(0, |sum, op| sum | op.features())
}

/// Returns the index of the wasm function that a C function is made from. Parts of a function, and what the compiler
/// splits off or copies, have names with a suffix.
pub fn index_of(name: &str, prefix: &str) -> Option<u32> {
    name.strip_prefix(prefix)?.split(['.', '_']).next()?.parse().ok()
}

/// Returns the stack that each function takes: its own frame, and that of the part that takes most.
fn frames(built: &BTreeMap<String, u32>, word: u32) -> BTreeMap<u32, u32> {
    let (mut own, mut parts) = (BTreeMap::new(), BTreeMap::<u32, u32>::new());
    for (name, &size) in built {
        let Some(index) = index_of(name, "fn") else { continue };
        if name.contains('_') {
            let most = parts.entry(index).or_default();
            *most = size.max(*most);
        } else {
            own.insert(index, size);
        }
    }
    for (index, size) in parts {
        *own.entry(index).or_default() += size + word;
    }
    own
}

/// Returns the offset of a symbol in the code.
fn symbol(built: &Built, wanted: bool, name: &str) -> Result<u32, AotError> {
    if !wanted {
        return Ok(native::NONE);
    }
    built.symbols.get(name).copied().ok_or(AotError::Linked("a function is missing"))
}

/// The trap sites of all functions as the section has them.
pub struct Sites {
    /// By defined function: where its sites begin.
    first: Vec<u16>,
    bytes: Vec<u8>,
}

impl Sites {
    /// Writes the sites of functions.
    ///
    /// # Errors
    /// There are more than the section can hold.
    pub fn new(generated: &Generated, imported_functions: u32, places: &Places) -> Result<Self, AotError> {
        let mut sites = Self { first: Vec::new(), bytes: Vec::new() };
        for (index, own) in (imported_functions..).zip(&generated.sites) {
            let first = sites.bytes.len();
            let fits = u16::try_from(first).map_err(|_| AotError::TrapSites(index, first));
            sites.first.push(fits?);
            let mut before = 0;
            for &(offset, trap) in own {
                let offset = places.place(offset);
                native::site(before, offset, trap as u8, &mut |byte| sites.bytes.push(byte));
                before = offset;
            }
        }
        Ok(sites)
    }
}

/// Returns the place of a call in a line, or `Some(None)` if the call has none and its caller follows. `None` stands for a
/// call that is not on the stack at a trap, and for one about which something is in doubt.
fn place_of(
    module: &Module<'_>,
    function: Option<u32>,
    line: u32,
    behind: impl Fn(u32) -> u32,
) -> Option<Option<Place>> {
    let defined = match function {
        // between parts of a function, and from the form for the host
        _ if (GLUE..TRAP).contains(&line) => return Some(None),
        function => module.defined(function?)?,
    };
    // the operators of the init function are nowhere, in no order
    if line == NOWHERE {
        return Some(Some(Place { function: defined, offset: behind(0) }));
    }
    let operators = &module.bodies.get(defined as usize)?.operators;
    let (operator, offset) = &operators[operators.binary_search_by_key(&line, |&(_, offset)| offset).ok()?];
    match operator {
        Operator::Call { function_index } if module.defined(*function_index).is_none() => None,
        Operator::Call { .. } | Operator::CallIndirect { .. } => {
            Some(Some(Place { function: defined, offset: behind(*offset) }))
        }
        // the function is left before the call
        Operator::ReturnCall { .. } | Operator::ReturnCallIndirect { .. } => Some(None),
        _ => None,
    }
}

/// Returns the table of callers. A call about which something is in doubt is left out.
fn callers(module: &Module<'_>, machine: &Machine, code: &[u8], built: &Built, places: &Places) -> Vec<u8> {
    let mut table = Writer::new(machine.target.arch);
    for call in &built.calls {
        // the code that raises a trap says itself where
        let raises = matches!(call.lines[..], [(_, TRAP..), ..]);
        let lines = &call.lines[usize::from(raises)..];
        let places = lines
            .iter()
            .map(|&(function, line)| place_of(module, function, line, |offset| places.behind(offset, code)));
        if let Some(places) = places.collect::<Option<Vec<_>>>() {
            let places: Vec<Place> = places.into_iter().flatten().collect();
            table.add(call.returns as u32, call.frame, &places);
        }
    }
    table.finish()
}

/// Puts the section together.
#[allow(clippy::too_many_arguments)]
pub fn assemble(
    plan: &Plan<'_, '_>,
    machine: &Machine,
    image: &Image<'_>,
    generated: &Generated,
    built: &Built,
    graph: &Graph,
    places: &Places,
    sites: &Sites,
) -> Result<Vec<u8>, AotError> {
    let module = plan.module;
    let mut starts = BTreeMap::new();
    for (name, &offset) in &built.symbols {
        if let Some(index) = index_of(name, "fn") {
            starts.entry(index).or_insert(offset);
        }
    }
    let mut functions = Vec::new();
    for (defined, (first, &(host, address))) in sites.first.iter().zip(&generated.wanted).enumerate() {
        let index = module.imported_functions + defined as u32;
        // a table only ever sees the type of functions that have an address
        let ty = if address { module.types[module.functions[index as usize] as usize].1 } else { u16::MAX };
        // others only tell which function an offset is in
        let entry = match address {
            true => symbol(built, true, &format!("fn{index}"))?,
            false => starts.get(&index).copied().unwrap_or(native::NONE),
        };
        functions.extend(entry.to_le_bytes());
        functions.extend(symbol(built, host, &format!("w{index}"))?.to_le_bytes());
        functions.extend(ty.to_le_bytes());
        functions.extend(first.to_le_bytes());
    }
    let sites = &sites.bytes;
    let mut imports = Vec::new();
    for (index, &called) in generated.imports.iter().enumerate() {
        imports.extend(symbol(built, called, &format!("import{index}"))?.to_le_bytes());
    }
    let word = machine.word() as u32;
    let frames = frames(&built.frames, word);
    let thunk = built.frames.iter().filter(|(name, _)| index_of(name, "w").is_some()).map(|(_, &size)| size).max();
    let others = built.frames.iter().filter(|(name, _)| index_of(name, "w").or(index_of(name, "fn")).is_none());
    let library = others.map(|(_, &size)| size).max().unwrap_or(0) + HELPERS_STACK;
    let stack = graph.depth(&frames, &plan.groups, word) + thunk.unwrap_or(0) + library;

    let mut bits = 0;
    for (flag, set) in [
        (flags::FIXED_MEMORY, plan.memory_fixed && module.memory.is_some()),
        (flags::POLLS, plan.options.poll),
        (flags::STRICT, plan.options.strict),
        (flags::SITES, plan.options.sites),
        (flags::CALLERS, plan.options.callers),
    ] {
        bits |= if set { flag } else { 0 };
    }
    let align = |n: usize| n.next_multiple_of(16);
    let callers = if plan.options.callers {
        callers(module, machine, image.section(Section::Code), built, places)
    } else {
        Vec::new()
    };
    let functions_at = header::SIZE + if plan.options.callers { 8 } else { 0 };
    let imports_at = functions_at + functions.len();
    let sites_at = imports_at + imports.len();
    let callers_at = sites_at + sites.len();
    let code_at = align(callers_at + callers.len());
    let mut out = vec![0; functions_at];
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    put(header::MAGIC, &native::MAGIC);
    put(header::ABI_VERSION, &native::ABI_VERSION.to_le_bytes());
    put(header::HELPERS, &(native::HELPERS.len() as u16).to_le_bytes());
    put(header::TARGET, &machine.target.to_bytes());
    put(header::FLAGS, &u32::to_le_bytes(bits));
    put(header::FEATURES, &[features(image)]);
    put(header::WASM_HASH, image.manifest()?.wasm_hash);
    for (at, offset, count) in [
        (header::CODE, code_at, built.code.len()),
        (header::FUNCTIONS, functions_at, functions.len() / native::FUNCTION_SIZE),
        (header::SITES, sites_at, sites.len()),
        (header::IMPORTS, imports_at, imports.len() / 4),
        (header::CALLERS, callers_at, callers.len()),
    ] {
        if at >= functions_at {
            continue;
        }
        put(at, &(offset as u32).to_le_bytes());
        put(at + 4, &(count as u32).to_le_bytes());
    }
    put(header::STACK, &stack.to_le_bytes());
    put(header::MEMORY, &(plan.memory_least as u32).to_le_bytes());
    out.extend(functions);
    out.extend(imports);
    out.extend(sites);
    out.extend(callers);
    out.resize(code_at, 0);
    out.extend(&built.code);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::Trap;

    #[test]
    fn more_trap_sites_than_a_section_holds_are_refused_by_number() {
        let places = Places::new(&[], &[]);
        // each takes two bytes: the step to its offset, and the trap
        let of = |functions: usize| {
            let own: Vec<(u32, Trap)> = (1..=4096).map(|n| (64 * n, Trap::Memory)).collect();
            let sites = vec![own; functions];
            let generated = Generated { units: Vec::new(), sites, wanted: Vec::new(), divided: 0, imports: Vec::new() };
            Sites::new(&generated, 5, &places)
        };
        let fitting = of(8).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((fitting.first[7], fitting.bytes.len()), (7 * 8192, 65536));
        let error = of(9).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(
            error.contains("before function 13 have 65536 bytes") && error.contains("split the program"),
            "{error}"
        );
    }
}

// SPDX-License-Identifier: Apache-2.0
//! How much of its memory a module needs, and where its own stack lies in it.

use wasmparser::{ExternalKind, KnownCustom, Name, Parser, Payload};
use wisp_image::format::{self, memory_flags, segment, ValType};

use crate::error::{CompileError, ErrorKind, MemoryNeed};
use crate::init::Init;
use crate::module::Module;
use crate::Options;

/// Returns the bytes of the memory that must exist from the start, and its flags.
///
/// # Errors
/// More than the options allow.
pub fn backed(module: &Module<'_>, init: &Init, options: &Options<'_>) -> Result<(u32, u32), CompileError> {
    let Some(memory) = module.memory else { return Ok((0, 0)) };
    let declared = u64::from(memory.min) << memory.page_size_log2;
    let mut needs = declared;
    let mut flags = if memory.imported { memory_flags::IMPORTED } else { memory_flags::DEFINED };
    let base = heap_base(module, init).map(u64::from);
    let silent = !module.grows && !module.asks_for_size;
    let possible = options.trim && !memory.imported && memory.page_size_log2 == format::PAGE_SIZE_LOG2;
    // Without the linker's word, the end of the data and the top of the stack are known to be needed.
    let known = base.or_else(|| module.adapted.then(|| highest_pointer(module, init, declared)));
    let exported = module.exports.iter().any(|e| e.kind == ExternalKind::Memory);
    match known {
        Some(base) if possible && (silent || module.adapted) => {
            let data = init.runs.iter().filter(|run| run.mode == segment::ACTIVE);
            let data_end = data.map(|run| u64::from(run.offset) + u64::from(run.length)).max().unwrap_or(0);
            let wanted = (base.max(data_end) + u64::from(options.heap)).next_multiple_of(8);
            needs = wanted.min(declared);
            if module.adapted {
                flags |= memory_flags::TRIMMED | memory_flags::GROWS;
            } else if wanted < declared {
                flags |= memory_flags::TRIMMED;
            }
        }
        // Who trims says that nobody outside grows the memory.
        _ if module.grows || (exported && !options.trim) => flags |= memory_flags::GROWS,
        _ => {}
    }
    if let Some(limit) = options.memory_limit {
        if needs > limit {
            let why = match (memory.page_size_log2 == format::PAGE_SIZE_LOG2, possible) {
                (false, _) => MemoryNeed::Static,
                (true, false) => MemoryNeed::NotTrimmed,
                _ if module.adapted || (silent && base.is_some()) => MemoryNeed::Static,
                _ if module.grows => MemoryNeed::Grows,
                _ if module.asks_for_size => MemoryNeed::Counts,
                _ => MemoryNeed::NoHeapBase,
            };
            return Err(ErrorKind::Memory(needs, limit, why).into());
        }
    }
    // 4 GiB are valid; no engine has them
    Ok((u32::try_from(needs).unwrap_or(u32::MAX), flags))
}

/// Returns the address at which the heap begins, as the linker states it: nothing static lies above.
fn heap_base(module: &Module<'_>, init: &Init) -> Option<u32> {
    let export = module.exports.iter().find(|e| e.name == "__heap_base" && e.kind == ExternalKind::Global)?;
    let imported = module.globals.len() - module.global_inits.len();
    let index = (export.index as usize).checked_sub(imported)?;
    let global = module.globals.get(export.index as usize)?;
    let value = init.globals.get(index)?;
    (global.ty == ValType::I32 && !global.mutable && *value != 0).then_some(*value as u32)
}

/// Returns the first global that a module defines, if linkers may have made it as the stack pointer: its offset among
/// the defined globals, and its initial value.
fn stack_pointer(module: &Module<'_>, init: &Init) -> Option<(u32, u32)> {
    let global = module.globals.iter().find(|global| global.imported.is_none())?;
    let top = *init.globals.first()? as u32;
    (global.ty == ValType::I32 && global.mutable && top != 0 && top.is_multiple_of(16)).then_some((global.offset, top))
}

/// Returns the highest address that some global begins with, if it may be the top of a stack: AssemblyScript has its
/// stack above the data, and its pointer behind other globals. What is no address costs memory only.
fn highest_pointer(module: &Module<'_>, init: &Init, declared: u64) -> u64 {
    let defined = module.globals.iter().filter(|global| global.imported.is_none());
    let changing = defined.zip(&init.globals).filter(|(global, _)| global.ty == ValType::I32 && global.mutable);
    let tops = changing.map(|(_, value)| u64::from(*value as u32)).filter(|top| top % 8 == 0 && *top <= declared);
    tops.max().unwrap_or(0)
}

/// Returns the manifest's word on the guest's own stack, or 0.
///
/// LLVM's linker makes the stack pointer the first global and calls it `__stack_pointer` in the name section.
/// Without names, such a global counts if a segment of data begins exactly where the stack ends.
pub fn guest_stack(wasm: &[u8], module: &Module<'_>, init: &Init) -> u32 {
    let Some((offset, top)) = stack_pointer(module, init) else { return 0 };
    let active = || init.data.iter().zip(&module.data).filter(|(place, _)| place.mode == segment::ACTIVE);
    let above = active().map(|(place, _)| place.offset).min().is_none_or(|low| low >= top);
    let named = global_name(wasm, (module.globals.len() - module.global_inits.len()) as u32);
    if !named.map_or(above && active().next().is_some(), |name| name == "__stack_pointer") {
        return 0;
    }
    let below = active().map(|(place, data)| u64::from(place.offset) + data.data.len() as u64);
    let below = below.filter(|end| *end <= u64::from(top)).max().unwrap_or(0);
    let size = if above { top } else { top - (below as u32).next_multiple_of(format::stack::UNIT).min(top) };
    let (units, index) = (size / format::stack::UNIT, offset / 4 + 1);
    let fits = index < 1 << format::stack::GLOBAL_BITS && units < 1 << (32 - format::stack::GLOBAL_BITS);
    if fits && units > 0 {
        index | units << format::stack::GLOBAL_BITS
    } else {
        0
    }
}

/// Returns the name of a global in the name section.
fn global_name(wasm: &[u8], index: u32) -> Option<&str> {
    let sections = Parser::new(0).parse_all(wasm).map_while(Result::ok).filter_map(|payload| match payload {
        Payload::CustomSection(section) => Some(section),
        _ => None,
    });
    for section in sections {
        let KnownCustom::Name(reader) = section.as_known() else { continue };
        for name in reader.into_iter().map_while(Result::ok) {
            if let Name::Global(map) = name {
                return map.into_iter().map_while(Result::ok).find(|n| n.index == index).map(|n| n.name);
            }
        }
    }
    None
}

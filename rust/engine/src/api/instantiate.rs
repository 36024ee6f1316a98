// SPDX-License-Identifier: Apache-2.0
//! From a module to an instance.

use core::ptr::null;

use wisp_image::format::{segment, Section};
use wisp_image::{Image, ImportKind, Imports};

use crate::api::error::{InstantiateError, LinkProblem};
use crate::api::externals::Extern;
use crate::api::func::Func;
use crate::api::instance::Instance;
use crate::api::linker::Linker;
use crate::api::module::Module;
use crate::exec::call::{foreign, Entry};
use crate::exec::instance::make;
use crate::exec::native::import_form;
use crate::vm::context::{Counts, Ctx};
use crate::vm::globals::set_bits;
use crate::vm::imports::Import;
use crate::vm::memory::LinearMemory;
use crate::vm::segments::init_table;
use crate::vm::shared::Shared;
use crate::vm::table::TableRecord;
use crate::vm::trap::{Trap, TrapCode};
use crate::vm::ty::val_types;
use crate::vm::ty::FuncType;

/// Links, takes memory, initialises and starts.
pub(crate) fn instantiate<T>(
    linker: &Linker<'_, T>,
    shared: &Shared,
    data: &mut T,
    module: &Module<'_>,
) -> Result<Instance, InstantiateError> {
    if shared.instances_full() {
        return Err(InstantiateError::TooManyInstances);
    }
    let image = module.image();
    let built = in_room(shared, || build(linker, shared, module));
    #[cfg(wisp_translates)]
    shared.translation_done(built.as_ref().ok().copied());
    let ctx = built?;
    shared.add_instance(ctx);
    apply_segments(ctx, image)?;
    #[cfg(feature = "user-mode")]
    crate::exec::native::inside::bind(ctx).ok_or_else(|| small(0, shared.table_arena().remaining()))?;
    if let Some(init) = image.init()? {
        let entry = Entry::new(shared, 0)?;
        entry.call(ctx, u32::from(ctx.import_count) + init, data)?;
    }
    Ok(Instance { index: ctx.index() })
}

/// Returns the error of an arena that had `left` bytes when more were needed, of which `known` are counted.
fn small(known: usize, left: usize) -> InstantiateError {
    // pads and small records are not counted
    let needed = known.max(left.saturating_add(1));
    let word = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX);
    InstantiateError::ArenaTooSmall(word(needed), word(left))
}

/// Makes an instance, and leaves the store as it was if that fails. If machine code takes what the records need, the
/// instance does without.
fn in_room<'s>(
    shared: &'s Shared,
    build: impl Fn() -> Result<&'s Ctx, InstantiateError>,
) -> Result<&'s Ctx, InstantiateError> {
    let built = shared.attempt(&build);
    #[cfg(wisp_translates)]
    if matches!(built, Err(InstantiateError::ArenaTooSmall(..))) {
        let before = shared.translates.replace(false);
        let built = shared.attempt(&build);
        shared.translates.set(before);
        return built;
    }
    built
}

/// Does all steps that leave the store as it was if they fail.
fn build<'s, T>(linker: &Linker<'_, T>, shared: &'s Shared, module: &Module<'_>) -> Result<&'s Ctx, InstantiateError> {
    let image = module.image();
    let imports = image.imports();
    let [functions, tables, _, globals] = imports.counts();
    let globals_size = image.globals_size()?;
    let config = &shared.config;
    let within = |count: usize, allowed: u32, error: fn(u32, u32) -> InstantiateError| {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if count <= allowed {
            Ok(())
        } else {
            Err(error(count, allowed))
        }
    };
    let defined = image.functions();
    within(imports.len(), config.max_imports, InstantiateError::ImportLimit)?;
    within(defined.len(), config.max_functions, InstantiateError::FunctionLimit)?;
    let (imported_functions, imported_tables) = (functions, tables);
    let left = shared.arena.remaining();
    let ctx = make(shared, image, module.native(), defined, Counts { functions, globals, tables }, globals_size);
    let ctx = ctx.ok_or_else(|| {
        let code = if cfg!(wisp_threaded) { image.section(Section::Code).len() } else { 0 };
        small(size_of::<Ctx>() + globals_size as usize + imported_functions * size_of::<Import>() + code, left)
    })?;
    // a translation may have been told to end
    #[cfg(wisp_translates)]
    shared.go_on().map_err(Trap::new)?;
    link(linker, shared, ctx, module, imports)?;
    for index in 0..ctx.table_count() - imported_tables {
        shared.go_on().map_err(Trap::new)?;
        let table = image.table(index)?;
        within(table.min as usize, config.max_table, InstantiateError::TableLimit)?;
        let elements = TableRecord::new(shared, table.ty, table.min, table.max);
        let needed = TableRecord::capacity(shared, table.min, table.max) as usize * 4;
        let elements = elements.ok_or_else(|| small(needed, shared.table_arena().remaining()))?;
        let record = shared.arena.alloc(elements);
        let record = record.ok_or_else(|| small(size_of::<TableRecord>(), shared.arena.remaining()))?;
        ctx.set_table(imported_tables + index, record);
    }
    let globals = ctx.globals();
    for (index, global) in image.globals().enumerate() {
        if index % 256 == 0 {
            shared.go_on().map_err(Trap::new)?;
        }
        let global = global?;
        let first = (global.offset / 4) as usize;
        set_bits(globals.get(first..first + global.ty.slots()).unwrap_or(&[]), global.init);
    }
    if let Some(memory) = image.memory()?.filter(|memory| !memory.imported) {
        let limit = shared.config.max_memory;
        let declared = u64::from(memory.min) << memory.page_size_log2;
        let least = if memory.trimmed { declared.min(u64::from(memory.backed)) } else { declared };
        let all = shared.memory_arena().remaining();
        let left = all.saturating_sub(size_of::<LinearMemory>() + 16);
        let adapted = memory.trimmed && memory.grows;
        let backed = match adapted {
            true => least.max(declared.min(u64::from(limit)).min(left as u64) & !7),
            false => least,
        };
        let allowed = usize::try_from(backed).ok().filter(|_| backed <= u64::from(limit));
        let Some(backed) = allowed else {
            return Err(InstantiateError::MemoryLimit(u32::try_from(backed).unwrap_or(u32::MAX), limit));
        };
        let capacity = if memory.grows {
            let most = u64::from(memory.max.unwrap_or(u32::MAX)) << memory.page_size_log2;
            usize::try_from(most.min(u64::from(limit))).unwrap_or(usize::MAX).min(left)
        } else {
            backed
        };
        let bytes = LinearMemory::new(shared, backed, capacity, &memory);
        let bytes = bytes.ok_or_else(|| small(backed, all))?;
        let record = shared.arena.alloc(bytes);
        ctx.set_linear(record.ok_or_else(|| small(size_of::<LinearMemory>(), shared.arena.remaining()))?);
    }
    Ok(ctx)
}

fn link<T>(
    linker: &Linker<'_, T>,
    shared: &Shared,
    ctx: &Ctx,
    module: &Module<'_>,
    imports: Imports<'_>,
) -> Result<(), InstantiateError> {
    let image = module.image();
    let (mut functions, mut globals, mut tables) = (0, 0, 0);
    for index in 0..imports.len() {
        shared.go_on().map_err(Trap::new)?;
        let import = imports.get(index)?;
        let fail = |problem| InstantiateError::Import(index as u16, problem);
        let defined = linker.external_for(import.module, import.name);
        let other = || {
            let empty = FuncType::new(&[], &[]);
            let function = linker.function_for(import.module, import.name, empty);
            if defined.is_some() || !matches!(function, Err(LinkProblem::Unknown)) {
                fail(LinkProblem::Kind)
            } else {
                fail(LinkProblem::Unknown)
            }
        };
        match import.kind {
            ImportKind::Function(ty) => {
                let (params, results) = image.ty(ty)?.bytes();
                let wanted = FuncType::new(val_types(params), val_types(results));
                let references = wanted.has_references();
                let (function, env, direct) = match defined {
                    Some(Extern::Func(func)) => {
                        let (owner, index) = shared.resolve(Func::to_bits(Some(func))).ok_or_else(other)?;
                        if owner.function_type(index) != Some(wanted) {
                            return Err(fail(LinkProblem::Signature));
                        }
                        match owner.imports().get(index as usize) {
                            Some(import) => (import.get().function, import.get().env, null()),
                            None => {
                                let (function, env) = foreign(Func::to_bits(Some(func)));
                                (function, env, null())
                            }
                        }
                    }
                    Some(_) => return Err(fail(LinkProblem::Kind)),
                    None => {
                        let found = linker.function_for(import.module, import.name, wanted).map_err(fail)?;
                        // a function in the raw form would take any number for a reference
                        if references && !found.checks_references {
                            return Err(fail(LinkProblem::Signature));
                        }
                        let found = (found.function, found.env, found.direct());
                        #[cfg(feature = "record")]
                        let found = crate::exec::tap::wrap(shared, functions, wanted, found)
                            .ok_or_else(|| small(1, shared.arena.remaining()))?;
                        found
                    }
                };
                if let Some(place) = ctx.imports().get(functions) {
                    let direct = import_form(ctx, module.native(), functions, direct);
                    place.set(Import { function, env, direct, ty });
                }
                functions += 1;
            }
            ImportKind::Global(ty, mutable) => {
                let Some(Extern::Global(global)) = defined else { return Err(other()) };
                let (found, found_mutable, slots) = global.record(shared).ok_or_else(other)?;
                if found != ty || found_mutable != mutable {
                    return Err(fail(LinkProblem::GlobalType));
                }
                ctx.import_global(globals, slots);
                globals += 1;
            }
            ImportKind::Table(table) => {
                let Some(Extern::Table(found)) = defined else { return Err(other()) };
                let found = found.record(shared).ok_or_else(other)?;
                if found.ty != table.ty || !fits(found.size(), found.max, table.min, table.max) {
                    return Err(fail(LinkProblem::Limits));
                }
                ctx.set_table(tables, found);
                tables += 1;
            }
            ImportKind::Memory(min, max, page_size_log2) => {
                let Some(Extern::Memory(found)) = defined else { return Err(other()) };
                let found = found.record(shared).ok_or_else(other)?;
                if found.page_size_log2 != page_size_log2 || !fits(found.pages(), found.max_pages, min, max) {
                    return Err(fail(LinkProblem::Limits));
                }
                ctx.set_linear(found);
            }
        }
    }
    Ok(())
}

/// Applies WebAssembly's rule for imports that have limits.
fn fits(size: u32, max: Option<u32>, wanted: u32, most: Option<u32>) -> bool {
    size >= wanted && most.is_none_or(|most| max.is_some_and(|max| max <= most))
}

/// Applies and drops the active segments, elements first.
fn apply_segments(ctx: &Ctx, image: &Image<'_>) -> Result<(), InstantiateError> {
    if !ctx.has_segments() {
        return Ok(());
    }
    for index in 0..image.element_count() {
        ctx.go_on().map_err(Trap::new)?;
        let elements = image.element(index)?;
        if elements.mode == segment::ACTIVE {
            let table = usize::from(elements.table);
            init_table(ctx, table, &elements, elements.offset, 0, elements.len()).map_err(Trap::new)?;
        }
        if elements.mode != segment::PASSIVE {
            ctx.drop_elements(index);
        }
    }
    for index in 0..image.data_count() {
        ctx.go_on().map_err(Trap::new)?;
        let data = image.data(index)?;
        if data.mode == segment::ACTIVE {
            let length = data.bytes.len() as u32;
            match ctx.linear() {
                Some(memory) => memory.init(ctx.shared(), data.offset, data.bytes, 0, length).map_err(Trap::new)?,
                None => return Err(Trap::new(TrapCode::MemoryOutOfBounds).into()),
            }
            ctx.drop_data(index);
        }
    }
    Ok(())
}

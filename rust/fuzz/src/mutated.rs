// SPDX-License-Identifier: Apache-2.0
//! Damaged images that pass the verifier, run. Arena and image lie between guard pages; the arena holds rubbish
//! before the store takes it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use arbitrary::Unstructured;
use wisp_compiler::{compile, Options};
use wisp_engine::{
    Config, Ctx, Engine, Extern, FuncType, Global, HostFunction, Linker, Memory, Module, Name, RawTrap, Resolve,
    Signature, Store, Table, Val,
};
use wisp_image::{Image, ImportKind};

use crate::guard::Guarded;
use crate::{modules, mutation, Outcome};

/// Bytes for the largest image.
const LARGEST: usize = 1 << 20;
/// Bytes of the arena.
const ARENA: usize = 1 << 20;
/// Bytes of frames.
const STACK: u32 = 16 << 10;
/// Backward branches and calls of a call.
const FUEL: u64 = 5_000;

thread_local! {
    static MEMORY: RefCell<(Guarded, Guarded)> = RefCell::new((Guarded::new(ARENA), Guarded::new(LARGEST)));
}

/// Defines every function that is asked for. It returns zeros.
struct Anything;

unsafe extern "C" fn zeros(_: *mut Ctx, slots: *mut u32, env: *const ()) -> RawTrap {
    for index in 0..env.addr() {
        // SAFETY: `env` is the number of slots of the results (see `resolve`).
        unsafe { slots.add(index).write(0) };
    }
    RawTrap::NONE
}

impl Resolve<()> for Anything {
    fn resolve(&self, _module: Name<'_>, _name: Name<'_>, ty: FuncType<'_>) -> Option<HostFunction<()>> {
        let letters = letters(ty)?;
        let slots: usize = ty.results.iter().map(|ty| ty.slots()).sum();
        let env = std::ptr::without_provenance(slots);
        // SAFETY: `zeros` writes as many slots as results of this type take, and looks at nothing else.
        Some(unsafe { HostFunction::raw("", "", Signature::Letters(letters.as_bytes()), zeros, env) })
    }
}

/// Returns the letters of a type without references. They are leaked: few types occur, again and again.
fn letters(ty: FuncType<'_>) -> Option<&'static str> {
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let text = ty.letters()?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if !known.contains(text.as_str()) {
        known.insert(Box::leak(text.clone().into_boxed_str()));
    }
    known.get(text.as_str()).copied()
}

fn define(linker: &mut Linker<'_, ()>, store: &mut Store<'_, ()>, image: &Image<'_>) -> Option<()> {
    for index in 0..image.import_count() {
        let import = image.import(index).ok()?;
        let external = match import.kind {
            ImportKind::Function(_) => continue,
            ImportKind::Global(ty, mutable) => Extern::Global(Global::new(&mut *store, Val::zero(ty), mutable)?),
            ImportKind::Table(table) => {
                let size = table.min.min(1000);
                Extern::Table(Table::new(&mut *store, table.ty, size, table.max)?)
            }
            ImportKind::Memory(min, max, log2) => Extern::Memory(Memory::new(&mut *store, min, max, log2)?),
        };
        linker.define(import.module.shown(), import.name.shown(), external);
    }
    Some(())
}

/// Returns the image of a random module, with damage to its code.
///
/// # Errors
/// The bytes are used up, or make no module.
pub fn image(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let wasm = modules::module(u, modules::Imports::Any)?;
    let options = Options { trim: u.arbitrary()?, ..Options::default() };
    let Ok(compiled) = compile(&wasm, &options) else { return Err(arbitrary::Error::IncorrectFormat) };
    let mut image = compiled.image;
    mutation::code(u, &mut image)?;
    Ok(image)
}

/// Runs one input.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let Ok(image) = image(&mut u) else { return Outcome::Rejected };
    if image.len() > LARGEST {
        return Outcome::Rejected;
    }
    MEMORY.with_borrow_mut(|(arena, place)| {
        let image = place.at_end(&image);
        let config = Config::new().stack_size(STACK).max_memory(modules::MEMORY).table_capacity(modules::TABLE);
        let engine = Engine::new(&config.native_depth(8));
        let Ok(module) = Module::new(&engine, image) else { return Outcome::Refused };
        let arena = arena.words();
        arena.fill(0xa5a5_a5a5_a5a5_a5a5);
        execute(&mut u, &engine, arena, &module).unwrap_or(Outcome::Refused)
    })
}

fn execute<'a>(
    u: &mut Unstructured<'_>,
    engine: &Engine,
    arena: &'a mut [u64],
    module: &Module<'a>,
) -> Option<Outcome> {
    let mut store = Store::new(engine, arena, ())?;
    let mut linker = Linker::new();
    linker.resolver(&Anything).ok()?;
    define(&mut linker, &mut store, module.image())?;
    store.set_fuel(Some(FUEL));
    let instance = linker.instantiate(&mut store, module).ok()?;
    let mut functions = Vec::new();
    instance.for_each_export(&store, |_, external| {
        if let Extern::Func(func) = external {
            functions.push(func);
        }
    });
    for func in functions {
        let ty = func.ty(&store)?;
        let bits: u64 = u.arbitrary().unwrap_or(0);
        let arguments: Vec<Val> = ty
            .params
            .iter()
            .map(|&ty| match Val::zero(ty) {
                Val::FuncRef(_) => Val::FuncRef(Some(func).filter(|_| bits & 1 == 1)),
                _ => Val::from_bits(ty, bits),
            })
            .collect();
        let mut results = vec![Val::I32(0); ty.results.len()];
        store.set_fuel(Some(FUEL));
        if let Err(trap) = func.call(&mut store, &arguments, &mut results) {
            assert!(!trap.to_string().is_empty());
            assert!(store.backtrace().count() <= STACK as usize);
        }
        for value in results {
            if let Val::FuncRef(Some(func)) = value {
                // damaged code may make a reference of any number; it is checked wherever it is used
                let _ = func.call(&mut store, &[], &mut []);
            }
        }
    }
    Some(Outcome::Ran)
}

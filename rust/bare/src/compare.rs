// SPDX-License-Identifier: Apache-2.0
//! Runs whole images in the interpreter and as translated code, and compares how they end.
//!
//! `rust/fuzz/examples/board.rs` writes the images. Damaged code may read slots that nobody wrote, which hold other values
//! in each tier. So its ends are not compared. But it has to end, and the memory around the arena has to stay as it was.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use semihosting::println;
use wisp_engine::{
    scratch, Caller, Config, Ctx, Engine, Extern, FuncType, Global, HostFunction, InstantiateError, Linker, Memory,
    Module, Name, RawTrap, Resolve, Signature, Store, Table, Trap, TrapCode, Val, ValType,
};
use wisp_image::{Image, ImportKind};

/// Units of fuel of each call, in turn. With few of them a call ends in its midst.
const FUEL: [u64; 4] = [20_000, 3, 40, 500];
/// Bytes of the arena for code, in turn. With the small ones a part of the functions is interpreted.
const CODE: [u32; 4] = [256 * 1024, 1500, 4000, 12_000];
/// Calls that an image may make inside each other, for half of the images that host functions call again.
const CALLS: u32 = 10;
/// Words around the arena, and what they hold.
const GUARD: usize = 64;
const RUBBISH: u64 = 0xa5a5_5a5a_c3c3_3c3c;

/// A number made of all arguments of all calls of host functions.
static HOST: AtomicU32 = AtomicU32::new(0);

fn mix(state: u32, value: u32) -> u32 {
    (state ^ value).wrapping_mul(0x0100_0193).rotate_left(5)
}

/// Notes the arguments, and returns numbers made of them.
unsafe extern "C" fn note(_: *mut Ctx, slots: *mut u32, env: *const ()) -> RawTrap {
    let (params, results) = (env.addr() & 0xffff, env.addr() >> 16);
    let mut state = HOST.load(Ordering::Relaxed);
    for index in 0..params {
        // SAFETY: `env` has the numbers of slots of the type (see `resolve`), and the caller has laid out so many.
        state = mix(state, unsafe { slots.add(index).read() });
    }
    HOST.store(state, Ordering::Relaxed);
    for index in 0..results {
        // SAFETY: the caller has laid out as many slots for results as the type has.
        unsafe { slots.add(index).write(mix(state, index as u32) & 0xff) };
    }
    RawTrap::NONE
}

/// Calls a function that the image exports.
fn again(mut caller: Caller<'_, ()>, name: &str, value: u32) -> Result<u32, Trap> {
    let func = caller.instance().get_typed_func::<u32, u32>(&caller, name).ok_or(TrapCode::UnknownHandle)?;
    func.call(&mut caller, value)
}

/// The functions of the module `guest`.
const AGAIN: [(&str, HostFunction<()>); 2] = [
    ("inner", HostFunction::wrap("", "", |caller: Caller<'_, ()>, value: u32| again(caller, "inner", value))),
    ("large", HostFunction::wrap("", "", |caller: Caller<'_, ()>, value: u32| again(caller, "large", value))),
];

/// Defines every function that is asked for. Those of the module `guest` call the image again.
struct Anything;

impl Resolve<()> for Anything {
    fn resolve(&self, module: Name<'_>, name: Name<'_>, ty: FuncType<'_>) -> Option<HostFunction<()>> {
        if module == "guest" {
            return AGAIN.into_iter().find(|&(of, _)| name == of).map(|(_, host)| host);
        }
        let slots = |types: &[ValType]| types.iter().map(|ty| ty.slots()).sum::<usize>();
        // These few bytes are never given back. The program ends soon.
        let letters: &'static str = Box::leak(ty.letters()?.into_boxed_str());
        let env = core::ptr::without_provenance(slots(ty.params) | slots(ty.results) << 16);
        // SAFETY: `note` reads and writes as many slots as values of this type take.
        Some(unsafe { HostFunction::raw("", "", Signature::Letters(letters.as_bytes()), note, env) })
    }
}

/// Defines the globals, tables and memories that an image imports. Returns `None` if there is no room for one.
fn define(linker: &mut Linker<'_, ()>, store: &mut Store<'_, ()>, image: &Image<'_>) -> Option<()> {
    for index in 0..image.import_count() {
        let import = image.import(index).ok()?;
        let external = match import.kind {
            ImportKind::Function(_) => continue,
            ImportKind::Global(ty, mutable) => Extern::Global(Global::new(&mut *store, Val::zero(ty), mutable)?),
            ImportKind::Table(table) => {
                Extern::Table(Table::new(&mut *store, table.ty, table.min.min(1000), table.max)?)
            }
            ImportKind::Memory(min, max, log2) => Extern::Memory(Memory::new(&mut *store, min, max, log2)?),
        };
        linker.define(import.module.shown(), import.name.shown(), external);
    }
    Some(())
}

/// The way in which an image is run.
struct Run<'a> {
    config: &'a Config,
    number: usize,
    /// The stop flag is set before every call.
    stopped: bool,
}

/// The ends of all calls, in words, and the number of functions that became machine code.
type Ends = (Vec<String>, u32);

/// Describes a trap. Its place is left out at the end of the fuel and at a stop: a tier may say the branch or its target.
fn describe(store: &Store<'_, ()>, trap: Trap) -> String {
    match trap.code {
        TrapCode::OutOfFuel | TrapCode::Interrupted => format!("{:?}", trap.code),
        _ => format!("{trap:?} {:?}", store.backtrace().map(|frame| (frame.func, frame.offset)).collect::<Vec<_>>()),
    }
}

/// Calls every exported function of an image. Returns `None` if the image is refused, or cannot be linked.
fn ends(image: &[u8], run: &Run<'_>, arena: &mut [u64]) -> Option<Ends> {
    HOST.store(0, Ordering::Relaxed);
    let engine = Engine::new(run.config);
    let module = Module::new_in(&engine, image, scratch(arena)).ok()?;
    let mut store = Store::new(&engine, arena, ())?;
    let mut linker = Linker::new();
    linker.resolver(&Anything).ok()?;
    define(&mut linker, &mut store, module.image())?;
    store.set_fuel(Some(FUEL[0]));
    let instance = match linker.instantiate(&mut store, &module) {
        Ok(instance) => instance,
        Err(InstantiateError::Trap(trap)) => return Some((vec![describe(&store, trap)], 0)),
        Err(_) => return None,
    };
    let mut functions = Vec::new();
    instance.for_each_export(&store, |_, external| {
        if let Extern::Func(func) = external {
            functions.push(func);
        }
    });
    let mut ends = Vec::new();
    for (turn, func) in functions.into_iter().enumerate() {
        let ty = func.ty(&store)?;
        let bits = [0, 1, 7, 0xffff_ffff_8000_0000, 0x4010_0000_0000_0040][(run.number + turn) % 5];
        let arguments: Vec<Val> = ty.params.iter().map(|&ty| Val::from_bits(ty, bits)).collect();
        let mut results = vec![Val::I32(0); ty.results.len()];
        store.set_fuel(Some(FUEL[(run.number + turn) % FUEL.len()]));
        if run.stopped {
            store.interrupt_handle().interrupt();
        }
        let end = func.call(&mut store, &arguments, &mut results);
        let end = end.map(|()| results.iter().map(|value| value.bits()).collect::<Vec<_>>());
        store.clear_interrupt();
        let memory = instance.memory(&store).map(|memory| {
            let bytes = memory.data(&store);
            (bytes.len(), bytes.iter().fold(0, |state, &byte| mix(state, byte.into())))
        });
        let end = end.map_or_else(|trap| describe(&store, trap), |values| format!("{values:x?}"));
        ends.push(format!("{end} {memory:x?} {:x} {:?}", HOST.load(Ordering::Relaxed), store.fuel()));
    }
    let translated = store.translated().translated;
    Some((ends, translated))
}

/// Returns true if host functions that an image imports call it again.
fn nests(image: &[u8]) -> bool {
    let imports = |image: Image<'_>| {
        (0..image.import_count()).any(|index| image.import(index).is_ok_and(|import| import.module == "guest"))
    };
    Image::parse(image).is_ok_and(imports)
}

/// Runs an image as code that may use no native stack at all: each of its functions traps, also those that are interpreted
/// and come to code through the host.
fn bounded(image: &[u8], arena: &mut [u64], config: &Config) -> bool {
    let run = Run { config: &config.translated_limit(usize::MAX), number: 0, stopped: false };
    ends(image, &run, arena).is_some_and(|(ends, functions)| {
        functions != 0 && !ends.is_empty() && ends.iter().all(|end| end.contains("StackOverflow"))
    })
}

/// Writes to memory for code, which nothing protects here.
unsafe extern "C" fn write(to: *mut u8, from: *const u8, bytes: usize) {
    // SAFETY: the engine writes inside the memory that it was given, and from a number of its own.
    unsafe { to.copy_from_nonoverlapping(from, bytes) }
}

/// Runs an image as code outside of the arena. Returns true if it has code at a multiple of eight only, and ends alike
/// everywhere.
fn aligned(image: &[u8], arena: &mut [u64], config: &Config) -> bool {
    let mut code = vec![0u64; 4096];
    let mut at = |offset: usize| {
        let start = code.as_mut_ptr().expose_provenance() + offset;
        // SAFETY: RAM can be executed here, and the memory is longer by more than the offset. It outlives the store.
        let config = unsafe { config.translate_to(start, 16 << 10, write, |_, _| (), 0) };
        ends(image, &Run { config: &config, number: 0, stopped: false }, arena)
    };
    let Some((wanted, functions)) = at(0) else { return false };
    functions != 0 && (1..8).all(|offset| at(offset).is_some_and(|(got, functions)| functions == 0 && got == wanted))
}

/// The outcomes of all images.
#[derive(Default)]
struct Counts {
    equal: u32,
    damaged: u32,
    refused: u32,
    failed: u32,
    functions: u32,
}

impl Counts {
    fn image(&mut self, number: usize, image: &[u8], damaged: bool, arena: &mut [u64], translating: &Config) {
        // Every third image is stopped, each after another number of units.
        let slice = if number % 3 == 0 { 1 + number as u32 / 3 % 50 } else { 1000 };
        let config =
            |config: &Config| config.stack_size(16 << 10).max_memory(4 << 16).table_capacity(200).fuel_slice(slice);
        let (mut plain, mut translating) = (config(&Config::new()), config(translating));
        if nests(image) {
            if number % CODE.len() == 0 && !bounded(image, arena, &translating) {
                println!("image {number}: code went beyond the end of the native stack");
                self.failed += 1;
            }
            if number % CODE.len() == 0 && !aligned(image, arena, &translating) {
                println!("image {number}: code lies where it must not, or has no place, or ends in another way");
                self.failed += 1;
            }
            if number % 2 == 1 {
                (plain, translating) = (plain.max_depth(CALLS), translating.max_depth(CALLS));
            }
        }
        let run = |config| Run { config, number, stopped: number % 3 == 0 };
        let wanted = ends(image, &run(&plain), arena);
        let got = ends(image, &run(&translating), arena);
        match (wanted, got) {
            (None, None) => self.refused += 1,
            (Some((wanted, _)), Some((got, functions))) if damaged || wanted == got => {
                self.functions += functions;
                *if damaged { &mut self.damaged } else { &mut self.equal } += 1;
            }
            (wanted, got) => {
                self.failed += 1;
                let (wanted, got) = (wanted.unwrap_or_default().0, got.unwrap_or_default().0);
                let first = (0..wanted.len().max(got.len())).find(|&n| wanted.get(n) != got.get(n)).unwrap_or(0);
                println!("image {number}, call {first}\n  want {:?}\n  got  {:?}", wanted.get(first), got.get(first));
            }
        }
    }
}

/// Runs all images of a file. Returns false if one ended in another way as translated code.
pub fn run(images: &[u8], arena: &mut [u64], translating: &dyn Fn(Config, u32) -> Config) -> bool {
    let mut counts = Counts::default();
    arena.fill(RUBBISH);
    let inner = GUARD..arena.len() - GUARD;
    for (number, (image, damaged)) in crate::images::all(images).enumerate() {
        let config = translating(Config::new(), CODE[number % CODE.len()]);
        counts.image(number, image, damaged, &mut arena[inner.clone()], &config);
        if arena[..GUARD].iter().chain(&arena[inner.end..]).any(|&word| word != RUBBISH) {
            println!("image {number} has written beside the arena");
            return false;
        }
    }
    let Counts { equal, damaged, refused, failed, functions } = counts;
    println!("images: {equal} equal, {damaged} damaged, {refused} refused, {functions} translated, {failed} failed");
    failed == 0 && equal != 0
}

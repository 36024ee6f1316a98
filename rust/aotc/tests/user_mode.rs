// SPDX-License-Identifier: Apache-2.0
//! Native code and interpreters that the host does not trust, as on a device in user mode, but without the protection of
//! memory: what they ask for is done as ever, and what they forge is not believed.
#![cfg(all(target_arch = "x86_64", unix))]

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::LazyLock;

use wisp_aotc::desk::Mapping;
use wisp_aotc::{add_section, compile, Machine, Options};
use wisp_engine::{serve, Caller, Config, Engine, Func, Linker, Module, Outcome, Store, Trap, TrapCode, UserMode, Val};

extern "C" {
    fn wisp_native_enter(record: *const c_void, slots: *mut u32, function: *const u8) -> u32;
}

thread_local! {
    /// The instance whose code runs.
    static RUNNING: Cell<*const c_void> = const { Cell::new(std::ptr::null()) };
}

unsafe extern "C" fn request(what: usize, a: usize, b: usize, c: usize, d: usize, e: usize) -> u32 {
    // SAFETY: called by code that one of the `enter` functions below runs, in the same thread.
    unsafe { serve(RUNNING.get(), &[what, a, b, c, d, e]) }
}

/// Runs the code as it is.
unsafe extern "C" fn enter(
    _: *const c_void,
    ctx: *const c_void,
    record: *const c_void,
    slots: *mut u32,
    function: *const u8,
    _: *mut usize,
) -> u32 {
    let before = RUNNING.replace(ctx);
    // SAFETY: the engine gives what belongs together.
    let outcome = unsafe { wisp_native_enter(record, slots, function) };
    RUNNING.set(before);
    outcome
}

const CANARY: u64 = 0xc0ff_ee00_dead_beef;

/// Words of what the code may write beside memory and stack.
const WINDOW: usize = 768;

/// The way in which an image runs.
#[derive(Clone, Copy, PartialEq)]
enum Tier {
    Native,
    Interpreter,
}

/// Memory, the rest of what the code may write, and what it may not.
struct Ram {
    before: [u64; 8],
    memory: [u64; 20 << 10],
    window: [u64; WINDOW],
    stack: [u64; 128],
    after: [u64; 8],
}

impl Ram {
    fn new() -> Box<Self> {
        let (before, after) = ([CANARY; 8], [CANARY; 8]);
        Box::new(Ram { before, memory: [0; 20 << 10], window: [0; WINDOW], stack: [0; 128], after })
    }

    fn is_well(&self) -> bool {
        self.before == [CANARY; 8] && self.after == [CANARY; 8]
    }

    /// Runs code on the stack of the test, or pretends to run it on a stack of its own.
    fn user_mode(&mut self, tier: Tier, enter: EnterFunction, own_stack: bool) -> UserMode {
        let stack = self.stack.as_ptr().expose_provenance();
        UserMode {
            memory: self.memory.as_mut_ptr(),
            memory_words: self.memory.len(),
            window: self.window.as_mut_ptr(),
            window_words: self.window.len(),
            frames: if tier == Tier::Interpreter { 2048 } else { 0 },
            stack: if own_stack { stack } else { 0 },
            stack_end: if own_stack { stack + size_of_val(&self.stack) } else { usize::MAX & !3 },
            enter,
            request,
            env: std::ptr::from_mut(self).cast(),
        }
    }
}

type EnterFunction =
    unsafe extern "C" fn(*const c_void, *const c_void, *const c_void, *mut u32, *const u8, *mut usize) -> u32;

const RICH: &str = r#"(module
    (type $unary (func (param i32) (result i32)))
    (import "env" "add" (func $add (param i32 i64) (result i64)))
    (import "env" "fail" (func $fail))
    (import "env" "again" (func $again))
    (import "env" "unary" (func $unary_host (type $unary)))
    (memory 1 2) (data $text "some text") (table $t 8 16 funcref) (elem (i32.const 1) $twice $unary_host)
    (elem $late func $twice $unary_host) (global $g (mut i64) (i64.const 5))
    (func $twice (type $unary) (i32.add (local.get 0) (local.get 0)))
    (func (export "all") (param i32) (result i32)
      (memory.init $text (i32.const 100) (i32.const 0) (i32.const 9)) (data.drop $text)
      (memory.copy (i32.const 200) (i32.const 100) (i32.const 9)) (memory.fill (i32.const 200) (i32.const 7) (i32.const 2))
      (drop (memory.grow (i32.const 1))) (i32.store (i32.const 131068) (memory.size))
      (table.init $t $late (i32.const 4) (i32.const 0) (i32.const 2)) (elem.drop $late)
      (table.copy $t $t (i32.const 6) (i32.const 4) (i32.const 2))
      (drop (table.grow $t (ref.func $twice) (i32.const 2))) (table.fill $t (i32.const 0) (table.get $t (i32.const 9)) (i32.const 1))
      (global.set $g (call $add (local.get 0) (global.get $g)))
      (i32.add (i32.add (i32.load (i32.const 200)) (i32.load (i32.const 131068)))
        (i32.add (i32.wrap_i64 (global.get $g))
          (i32.add (call_indirect $t (type $unary) (i32.const 3) (i32.const 7))
            (call_indirect $t (type $unary) (i32.const 3) (i32.const 0))))))
    (func (export "bounds") (param i32) (result i32) (memory.fill (i32.const 65530) (i32.const 0) (i32.const 70000)) (i32.const 0))
    (func (export "null") (param i32) (result i32) (call_indirect $t (type $unary) (i32.const 3) (i32.const 3)))
    (func (export "wrong") (param i32) (result i32) (call_indirect $t (i32.const 1)) (i32.const 0))
    (func (export "fails") (param i32) (result i32) (call $fail) (i32.const 0))
    (func (export "nested") (param i32) (result i32) (call $again) (i32.const 0))
    (func (export "outside") (param i32) (result i32) (i32.load (local.get 0))))"#;

/// The module above, with native code.
static IMAGE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let wasm = wat::parse_str(RICH).unwrap();
    let compiled = wisp_compiler::compile(&wasm, &wisp_compiler::Options::default()).unwrap();
    let native = compile(&wasm, &compiled, &Machine::named("x86-64").unwrap(), &Options::default()).unwrap();
    add_section(&compiled.image, &native).unwrap()
});

/// The number that is added next, and the function to call from the host.
type Data = (i64, Option<Func>);

/// Calls an export: its result, and whether the memory around is as it was.
fn call(tier: Tier, name: &str, argument: i32, user: Option<(EnterFunction, bool)>) -> Result<i32, Trap> {
    let mut ram = Ram::new();
    let mut config = Config::new().table_capacity(16);
    if let Some((enter, own_stack)) = user {
        // SAFETY: it outlives the store; nothing but the store and the code uses it.
        config = unsafe { config.user_mode(ram.user_mode(tier, enter, own_stack)) };
    }
    let engine = Engine::new(&config);
    let mut module = Module::new(&engine, &IMAGE).unwrap();
    let mapping = Mapping::new(module.native_section(&engine).unwrap().bytes()).unwrap();
    if tier == Tier::Native {
        // SAFETY: made above; the mapping outlives the store.
        unsafe { module.use_native(&engine, mapping.section().unwrap()) }.unwrap();
    }
    let mut arena = vec![0u64; 40 << 10];
    let mut store = Store::new(&engine, &mut arena, (7, None)).unwrap();
    let mut linker = Linker::new();
    linker.func_wrap("env", "add", |mut caller: Caller<'_, Data>, a: i32, b: i64| -> i64 {
        caller.data_mut().0 += 1;
        i64::from(a) + b + caller.data().0
    });
    linker.func_wrap("env", "unary", |_: Caller<'_, Data>, a: i32| a + 1000);
    linker.func_wrap("env", "fail", |_: Caller<'_, Data>| -> Result<(), Trap> { Err(Trap::new(TrapCode::HostError)) });
    linker.func_wrap("env", "again", |mut caller: Caller<'_, Data>| -> Result<(), Trap> {
        let func = caller.data().1.unwrap();
        func.call(&mut caller, &[Val::I32(0)], &mut [Val::I32(0)])
    });
    let instance = linker.instantiate(&mut store, &module).unwrap();
    store.data_mut().1 = instance.get_func(&store, "outside");
    let func = instance.get_func(&store, name).unwrap();
    let mut results = [Val::I32(0)];
    let ended = func.call(&mut store, &[Val::I32(argument)], &mut results);
    drop(store);
    assert!(ram.is_well());
    ended.map(|()| match results[0] {
        Val::I32(value) => value,
        _ => unreachable!("the type has an i32"),
    })
}

#[test]
fn code_that_asks_the_host_does_what_it_always_does() {
    for tier in [Tier::Native, Tier::Interpreter] {
        for name in ["all", "bounds", "null", "wrong", "fails", "outside"] {
            for argument in [0, 8, 65533] {
                let plain = call(tier, name, argument, None);
                assert_eq!(call(tier, name, argument, Some((enter, false))), plain, "{name} {argument}");
            }
        }
    }
}

#[test]
fn a_host_function_does_not_enter_the_code_again() {
    for tier in [Tier::Native, Tier::Interpreter] {
        assert_eq!(call(tier, "nested", 0, None), Ok(0));
        assert_eq!(call(tier, "nested", 0, Some((enter, false))).unwrap_err().code, TrapCode::NestingExceeded);
    }
}

#[test]
fn slots_must_lie_on_the_stack_of_the_code() {
    // which this code does not use: the first host function that it calls gets none
    assert_eq!(call(Tier::Native, "fails", 0, Some((enter, true))).unwrap_err().code, TrapCode::MemoryProtection);
    assert_eq!(call(Tier::Native, "all", 0, Some((enter, true))).unwrap_err().code, TrapCode::MemoryProtection);
}

/// Pseudo-random words, most of them small or near to what matters.
struct Words(u64);

impl Words {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 16
    }

    fn near(&mut self, ram: &Ram) -> usize {
        let places = [
            ram.before.as_ptr().addr(),
            ram.memory.as_ptr().addr(),
            ram.window.as_ptr().addr(),
            ram.stack.as_ptr().addr(),
            ram.after.as_ptr().addr(),
            usize::MAX - 64,
            u32::MAX as usize - 8,
            0,
            0,
            0,
        ];
        let place = places[self.next() as usize % places.len()];
        place.wrapping_add(self.next() as usize % 80)
    }
}

/// Overwrites all that the code can write and asks for anything.
unsafe extern "C" fn rampage(
    env: *const c_void,
    ctx: *const c_void,
    _: *const c_void,
    _: *mut u32,
    _: *const u8,
    pc: *mut usize,
) -> u32 {
    let mut words = Words(SEED.get());
    let ram = env.cast::<Ram>().cast_mut();
    for _ in 0..40 {
        for _ in 0..200 {
            // SAFETY: `user_mode` gave it; the engine keeps cells there.
            unsafe {
                (&raw mut (*ram).window).cast::<u64>().add(words.next() as usize % WINDOW).write_volatile(words.next())
            };
        }
        for _ in 0..100 {
            // SAFETY: as above; only addresses are taken.
            let mut near = || words.near(unsafe { &*ram });
            let request = [near() % 20, near(), near(), near(), near(), near()];
            // SAFETY: the instance is the one that `enter` was called for, in this thread.
            unsafe { serve(ctx, &request) };
        }
    }
    // SAFETY: the engine gave it.
    unsafe { pc.write(words.next() as usize) };
    [Outcome::RETURNED, Outcome::TRAPPED, Outcome::FAULTED, 77][words.next() as usize % 4]
}

thread_local! {
    static SEED: Cell<u64> = const { Cell::new(0) };
}

#[test]
fn nothing_that_the_code_writes_or_asks_for_reaches_the_host() {
    for seed in 0..120 {
        SEED.set(seed);
        let tier = if seed < 60 { Tier::Native } else { Tier::Interpreter };
        if let Err(trap) = call(tier, "all", 3, Some((rampage, true))) {
            assert!(trap.func == Trap::NOWHERE || trap.func < 8, "{trap:?}");
            assert!(!matches!(trap.code, TrapCode::Interrupted | TrapCode::DeadlineExceeded), "{trap:?}");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Native code on the workstation does what the interpreter does.
#![cfg(all(target_arch = "x86_64", unix))]

mod common;

use std::sync::Mutex;

use common::{compiled, image_with};
use wisp_aotc::desk::Mapping;
use wisp_aotc::{add_section, compile, Machine, Options};
use wisp_engine::{
    Caller, Config, Engine, Func, HostFunction, InterruptHandle, Linker, Module, Native, Refusal, Store, Trap,
    TrapCode, Val,
};

/// The handles that a host function needs to stop its own guest, and to call it.
#[derive(Clone)]
struct Handles {
    handle: InterruptHandle<'static>,
    spin: Func,
}

/// Functions that native code passes values to as C does: in registers of both kinds, and more than there are.
static DIRECT: [HostFunction<u32>; 4] = [
    HostFunction::wrap("direct", "none", |mut caller: Caller<'_, u32>| *caller.data_mut() *= 3),
    HostFunction::wrap("direct", "single", |_: Caller<'_, u32>, a: f32, b: i32| a * 2.0 + b as f32),
    HostFunction::wrap("direct", "function", |_: Caller<'_, u32>, f: Option<Func>| i32::from(f.is_some())),
    HostFunction::wrap("direct", "many", many),
];

#[allow(clippy::too_many_arguments)]
fn many(caller: Caller<'_, u32>, a: i32, b: i64, c: f32, d: f64, e: i32, f: f64, g: i64, h: u32, i: u64) -> f64 {
    f64::from(a)
        + b as f64 * 2.0
        + f64::from(c) * 3.0
        + d * 5.0
        + f64::from(e) * 7.0
        + f * 11.0
        + g as f64 * 13.0
        + f64::from(h) * 17.0
        + i as f64 * 19.0
        + f64::from(*caller.data())
}

/// Calls an export on one tier or the other, in a fresh store.
fn call(image: &[u8], native: bool, name: &str, arguments: &[Val], results: &mut [Val]) -> Result<(), Trap> {
    let engine = Engine::new(&Config::new().stack_size(64 << 10));
    let mut module = Module::new(&engine, image).unwrap();
    let mapping;
    if native {
        mapping = Mapping::new(module.native_section(&engine).unwrap().bytes()).unwrap();
        // SAFETY: made by `image_with` from this module; the mapping outlives the store.
        unsafe { module.use_native(&engine, mapping.section().unwrap()) }.unwrap();
        assert!(module.is_native());
    }
    let mut store = Store::with_capacity(&engine, 8 << 20, 7u32).unwrap();
    let mut linker = Linker::new();
    linker.func_wrap("env", "add", |mut caller: wisp_engine::Caller<'_, u32>, a: i32, b: i64| -> i64 {
        *caller.data_mut() += 1;
        i64::from(a) + b + i64::from(*caller.data())
    });
    linker.table(&DIRECT).unwrap();
    linker.func_wrap("env", "fail", |_: wisp_engine::Caller<'_, u32>| -> Result<(), Trap> {
        Err(Trap::new(TrapCode::HostError))
    });
    let module: Module<'static> = unsafe_static(module);
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let func = instance.get_func(&store, name).unwrap();
    func.call(&mut store, arguments, results)
}

/// Lets a module live for ever, as a store with an arena of its own wants it. It outlives the store.
fn unsafe_static(module: Module<'_>) -> Module<'static> {
    // SAFETY: in `call` the image and the mapping are dropped after the store.
    unsafe { std::mem::transmute(module) }
}

/// Runs a function in both tiers, and compares results and traps.
fn same(wat: &str, name: &str, arguments: &[Val], results: usize) -> Result<Vec<Val>, Trap> {
    let (wasm, compiled) = compiled(wat);
    let mut outcomes = Vec::new();
    let strict = Options { strict: true, assert_known: true, ..Options::default() };
    let unpolled = Options { optimize: "-Os".into(), assert_known: true, ..Options::default() };
    for options in [None, Some(Options::default()), Some(strict), Some(unpolled)] {
        let mut out = vec![Val::I32(0); results];
        let outcome = match &options {
            None => call(&compiled.image, false, name, arguments, &mut out),
            Some(options) => call(&image_with(&wasm, &compiled, options), true, name, arguments, &mut out),
        };
        outcomes.push(outcome.map(|()| out));
    }
    let first = outcomes[0].clone();
    for outcome in outcomes {
        match (&first, &outcome) {
            (Err(a), Err(b)) => assert_eq!((a.code, a.func), (b.code, b.func), "{name}"),
            (a, b) => assert_eq!(a, b, "{name}"),
        }
    }
    first
}

#[test]
fn recursion_and_arithmetic_agree() {
    let wat = "(module (func $fib (export \"fib\") (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
        (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                       (call $fib (i32.sub (local.get 0) (i32.const 2))))))))";
    assert_eq!(same(wat, "fib", &[Val::I32(15)], 1), Ok(vec![Val::I32(610)]));
}

#[test]
fn memory_is_checked_at_its_last_byte() {
    let wat = "(module (memory 1 1) (func (export \"f\") (param i32) (result i32)
        (i32.store offset=4 (local.get 0) (i32.const 7)) (i32.load offset=4 (local.get 0))))";
    assert_eq!(same(wat, "f", &[Val::I32(65528)], 1), Ok(vec![Val::I32(7)]));
    for address in [65529, 65532, 65536, -4, -1, i32::MIN] {
        let trap = same(wat, "f", &[Val::I32(address)], 1).unwrap_err();
        assert_eq!(trap.code, TrapCode::MemoryOutOfBounds, "{address}");
    }
}

#[test]
fn addresses_that_wrap_around_are_outside() {
    // the base is computed: both accesses share a root, and the second would be inside if sums wrapped
    let wat = "(module (memory 1 1) (func (export \"f\") (param i32) (result i32)
        (i32.add (i32.load (i32.add (local.get 0) (i32.const 16)))
                 (i32.load offset=8 (i32.sub (local.get 0) (i32.const 4))))))";
    assert_eq!(same(wat, "f", &[Val::I32(4)], 1), Ok(vec![Val::I32(0)]));
    let trap = same(wat, "f", &[Val::I32(2)], 1).unwrap_err();
    assert_eq!(trap.code, TrapCode::MemoryOutOfBounds);
}

#[test]
fn tables_with_known_and_with_changing_elements_agree() {
    for (set, name) in [("", "fixed"), ("(func (export \"set\") (table.set (i32.const 0) (ref.func 0)))", "open")] {
        let wat = format!(
            "(module (type $t (func (param i32) (result i32))) (table 6 6 funcref)
            (elem (i32.const 1) func $a $b $c) (elem declare func 0) {set}
            (func $a (type $t) (i32.add (local.get 0) (i32.const 1)))
            (func $b (type $t) (i32.mul (local.get 0) (i32.const 3)))
            (func $c (result i64) (i64.const 5))
            (func (export \"f\") (param i32) (result i32) (call_indirect (type $t) (i32.const 10) (local.get 0))))"
        );
        let wat = wat.replace("func 0) (func (export", "func $a) (func (export").replace("ref.func 0", "ref.func $a");
        let wat = wat.replace("(elem declare func 0)", "(elem declare func $a)");
        let code = |index| same(&wat, "f", &[Val::I32(index)], 1).map_err(|trap| trap.code);
        assert_eq!(code(1), Ok(vec![Val::I32(11)]), "{name}");
        assert_eq!(code(2), Ok(vec![Val::I32(30)]), "{name}");
        assert_eq!(code(3), Err(TrapCode::BadSignature), "{name}");
        assert_eq!(code(0), Err(TrapCode::IndirectCallToNull), "{name}");
        assert_eq!(code(6), Err(TrapCode::TableOutOfBounds), "{name}");
        assert_eq!(code(-1), Err(TrapCode::TableOutOfBounds), "{name}");
    }
}

#[test]
fn host_functions_get_and_give_wide_values_and_traps() {
    let wat = "(module (import \"env\" \"add\" (func $add (param i32 i64) (result i64)))
        (import \"env\" \"fail\" (func $fail))
        (func (export \"f\") (param i32 i64) (result i64) (call $add (local.get 0) (local.get 1)))
        (func (export \"fail\") (call $fail)))";
    let results = same(wat, "f", &[Val::I32(-2), Val::I64(1 << 40)], 1);
    assert_eq!(results, Ok(vec![Val::I64((1 << 40) + 6)]));
    assert_eq!(same(wat, "fail", &[], 0).unwrap_err().code, TrapCode::HostError);
}

#[test]
fn host_functions_get_their_values_in_registers() {
    let wat = "(module
        (import \"direct\" \"many\" (func $many
            (param i32 i64 f32 f64 i32 f64 i64 i32 i64) (result f64)))
        (import \"direct\" \"none\" (func $none))
        (import \"direct\" \"single\" (func $single (param f32 i32) (result f32)))
        (import \"direct\" \"function\" (func $function (param funcref) (result i32)))
        (elem declare func $single)
        (func (export \"f\") (param i32) (result f64 f32 i32 i32) (local f64)
            (loop $l
                (call $none)
                (local.set 1 (f64.add (local.get 1) (call $many (local.get 0) (i64.const -2) (f32.const 0.5)
                    (f64.const 0.25) (i32.const -5) (f64.const 6) (i64.const 0x100000000) (i32.const -1)
                    (i64.const 9))))
                (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get 1) (call $single (f32.const 1.5) (i32.const 4))
            (call $function (ref.func $single)) (call $function (ref.null func))))";
    let results = same(wat, "f", &[Val::I32(3)], 4).unwrap();
    let once = |a: f64, data: f64| {
        a - 4.0 + 1.5 + 1.25 - 35.0 + 66.0 + 13.0 * 4_294_967_296.0 + 17.0 * 4_294_967_295.0 + 171.0 + data
    };
    let sum = once(3.0, 21.0) + once(2.0, 63.0) + once(1.0, 189.0);
    assert_eq!(results, [Val::from(sum), Val::from(7.0f32), Val::I32(1), Val::I32(0)]);
}

#[test]
fn endless_recursion_ends_in_a_trap() {
    // what follows the call keeps the compiler from making a loop of it
    let wat = "(module (memory 1 1) (func $f (export \"f\") (param i64) (result i64)
        (i64.add (call $f (i64.add (local.get 0) (i64.const 1))) (local.get 0))
        (i64.store (i32.const 8) (local.get 0))))";
    let trap = same(wat, "f", &[Val::I64(0)], 1).unwrap_err();
    assert_eq!(trap.code, TrapCode::StackOverflow);
}

#[test]
fn a_trap_names_the_operator_the_interpreter_names() {
    let wat = "(module (memory 1 1) (func (nop)) (func (export \"f\") (param i32) (result i32) (local i32)
        (local.set 1 (i32.div_u (i32.const 100) (local.get 0)))
        (i32.load (i32.mul (local.get 1) (i32.const 65537)))))";
    let (wasm, compiled) = compiled(wat);
    let image = image_with(&wasm, &compiled, &Options::default());
    for argument in [0, 1] {
        let mut out = [Val::I32(0)];
        let interpreted = call(&image, false, "f", &[Val::I32(argument)], &mut out).unwrap_err();
        let native = call(&image, true, "f", &[Val::I32(argument)], &mut out).unwrap_err();
        // several ops may come from one operator: the map takes both to it
        let wasm = |trap: Trap| {
            let after = compiled.source_map.partition_point(|&(code, _)| code <= trap.offset);
            (trap.code, trap.func, compiled.source_map[after - 1].1)
        };
        assert_eq!(wasm(native), wasm(interpreted));
    }
}

#[test]
fn blocks_with_several_values_and_loops_with_parameters_agree() {
    let wat = "(module (func $two (param i32) (result i32 i64) (local.get 0) (i64.const 9))
        (func (export \"f\") (param i32) (result i32 i64 f64)
            (i32.const 1) (i32.const 2)
            (loop $l (param i32 i32) (result i32)
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (i32.add) (i32.const 5) (br_if $l (local.get 0)) (i32.mul))
            (call $two) (f64.const 1.5)))";
    let results = same(wat, "f", &[Val::I32(3)], 3);
    assert_eq!(results, Ok(vec![Val::I32((1 + 2 + 5 + 5) * 5), Val::I64(9), Val::F64(1.5f64.to_bits())]));
}

#[test]
fn a_value_read_before_its_local_changes_keeps() {
    let wat = "(module (func (export \"f\") (param i32) (result i32)
        (local.get 0) (if (local.get 0) (then (local.set 0 (i32.const 100))))
        (local.get 0) (i32.sub)))";
    assert_eq!(same(wat, "f", &[Val::I32(3)], 1), Ok(vec![Val::I32(-97)]));
    assert_eq!(same(wat, "f", &[Val::I32(0)], 1), Ok(vec![Val::I32(0)]));
}

#[test]
fn memory_that_grows_is_checked_against_its_new_size() {
    let wat = "(module (memory 1 2) (func (export \"f\") (param i32) (result i32)
        (drop (memory.grow (local.get 0))) (i32.store (i32.const 65536) (i32.const 3)) (memory.size)))";
    assert_eq!(same(wat, "f", &[Val::I32(1)], 1), Ok(vec![Val::I32(2)]));
    assert_eq!(same(wat, "f", &[Val::I32(2)], 1).unwrap_err().code, TrapCode::MemoryOutOfBounds);
}

#[test]
fn the_stop_flag_ends_an_endless_loop() {
    let (wasm, compiled) = compiled("(module (func (export \"f\") (loop (br 0))))");
    let image = image_with(&wasm, &compiled, &Options::default());
    let engine = Engine::default();
    let mut module = Module::new(&engine, &image).unwrap();
    let mapping = Mapping::new(module.native_section(&engine).unwrap().bytes()).unwrap();
    // SAFETY: made above; the mapping outlives the store.
    unsafe { module.use_native(&engine, mapping.section().unwrap()) }.unwrap();
    let mut arena = vec![0u64; 1024];
    let mut store = Store::new(&engine, &mut arena, ()).unwrap();
    let instance = Linker::new().instantiate(&mut store, &module).unwrap();
    let handle = store.interrupt_handle();
    handle.deadline();
    let func = instance.get_func(&store, "f").unwrap();
    assert_eq!(func.call(&mut store, &[], &mut []).unwrap_err().code, TrapCode::DeadlineExceeded);
}

/// Stops from outside are a matter of one processor: one test at a time has them.
static STOPS: Mutex<()> = Mutex::new(());

/// Does what a port does to stop a thread that is in the host.
fn stop_outside_of_code(handle: &InterruptHandle<'static>) {
    handle.interrupt();
    // SAFETY: the store lives; this address is in no code, so nothing has to be put into registers.
    assert_eq!(unsafe { handle.redirect(0) }, None);
}

#[test]
fn code_that_does_not_look_at_its_flag_ends_with_the_next_helper_it_calls() {
    let _stops = STOPS.lock();
    let wat = "(module (import \"env\" \"stop\" (func $stop (param i32))) (memory 1 1)
        (func $spin (export \"f\") (param i32)
            (call $stop (local.get 0))
            (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 8)) (br 0)))
        (func (export \"g\") (param i32) (memory.fill (i32.const 8) (i32.const 1) (i32.const 8))))";
    let (wasm, compiled) = compiled(wat);
    let image = image_with(&wasm, &compiled, &Options { poll: false, ..Options::default() });
    let engine = Engine::new(&Config::new().stack_size(64 << 10).native_stop(true));
    let mut module = Module::new(&engine, &image).unwrap();
    let mapping = Mapping::new(module.native_section(&engine).unwrap().bytes()).unwrap();
    // SAFETY: made by `image_with` from this module; the mapping outlives the store.
    unsafe { module.use_native(&engine, mapping.section().unwrap()) }.unwrap();
    let module = unsafe_static(module);
    let mut store = Store::with_capacity(&engine, 1 << 20, None::<Handles>).unwrap();
    let mut linker = Linker::new();
    linker.func_wrap("env", "stop", |mut caller: Caller<'_, Option<Handles>>, nested: i32| -> Result<(), Trap> {
        let handles = caller.data().clone().unwrap();
        if nested > 0 {
            // the same code below itself, which ends and takes what called it along
            return handles.spin.call(&mut caller, &[Val::I32(nested - 1)], &mut []);
        }
        stop_outside_of_code(&handles.handle);
        Ok(())
    });
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let [f, g] = ["f", "g"].map(|name| instance.get_func(&store, name).unwrap());
    *store.data_mut() = Some(Handles { handle: store.interrupt_handle(), spin: f });
    for nested in [0, 1, 2, 0] {
        let trap = f.call(&mut store, &[Val::I32(nested)], &mut []).unwrap_err();
        assert_eq!((trap.code, trap.func), (TrapCode::Interrupted, 0), "{nested}");
        store.clear_interrupt();
        assert_eq!(g.call(&mut store, &[Val::I32(0)], &mut []), Ok(()), "helpers are there again");
    }
}

#[test]
fn stores_are_stopped_in_their_own_stacks() {
    let _stops = STOPS.lock();
    // each stops the next one inside it, so that all are on their way out at a time; two more than are listed
    let wat = "(module (import \"env\" \"stop\" (func $stop (param i32))) (memory 1 1)
        (func $spin (export \"f\") (param i32)
            (loop (call $stop (local.get 0))
                (memory.fill (i32.const 0) (i32.const 1) (i32.const 8)) (br 0))))";
    fn inside(image: &'static [u8], code: Native<'static>, depth: i32) -> TrapCode {
        let engine = Engine::new(&Config::new().stack_size(64 << 10).native_stop(true));
        let mut module = Module::new(&engine, image).unwrap();
        // SAFETY: made by `image_with` from this module; the mapping is never given back.
        unsafe { module.use_native(&engine, code) }.unwrap();
        let mut store = Store::with_capacity(&engine, 1 << 20, None::<InterruptHandle<'static>>).unwrap();
        let mut linker = Linker::new();
        linker.func_wrap(
            "env",
            "stop",
            move |caller: Caller<'_, Option<InterruptHandle<'static>>>, left: i32| -> Result<(), Trap> {
                stop_outside_of_code(caller.data().as_ref().unwrap());
                if left > 0 {
                    assert_eq!(inside(image, code, left - 1), TrapCode::Interrupted);
                }
                Ok(())
            },
        );
        let instance = linker.instantiate(&mut store, &module).unwrap();
        *store.data_mut() = Some(store.interrupt_handle());
        let f = instance.get_func(&store, "f").unwrap();
        f.call(&mut store, &[Val::I32(depth)], &mut []).unwrap_err().code
    }
    let (wasm, compiled) = compiled(wat);
    let image: &'static [u8] = image_with(&wasm, &compiled, &Options { poll: false, ..Options::default() }).leak();
    let engine = Engine::default();
    let section = Module::new(&engine, image).unwrap().native_section(&engine).unwrap();
    let code: &'static Mapping = Box::leak(Box::new(Mapping::new(section.bytes()).unwrap()));
    assert_eq!(inside(image, code.section().unwrap(), 5), TrapCode::Interrupted);
}

#[test]
fn sections_that_do_not_fit_are_refused_with_both_sides_named() {
    let (wasm, compiled) = compiled("(module (memory 1 1) (func (export \"f\")))");
    let engine = Engine::default();
    let image = image_with(&wasm, &compiled, &Options::default());
    let mut module = Module::new(&engine, &image).unwrap();
    let bytes = module.native_section(&engine).unwrap().bytes().to_vec();
    use wisp_image::native::header;
    let mut refused = |at: usize, value: u8| {
        let mut changed = bytes.clone();
        changed[at] = value;
        let changed: &'static [u8] = changed.leak();
        // SAFETY: refused, so never run.
        Native::parse(changed).and_then(|section| unsafe { module.use_native(&engine, section) }).unwrap_err()
    };
    assert_eq!(refused(header::ABI_VERSION, 9), Refusal::AbiVersion(9, wisp_image::native::ABI_VERSION));
    assert_eq!(refused(header::WASM_HASH, !bytes[header::WASM_HASH]), Refusal::Hash);
    assert!(matches!(refused(header::HELPERS + 1, 1), Refusal::Helpers(256.., _)));
    assert!(matches!(refused(header::TARGET, 1), Refusal::Target(Some(_), Some(_))));
    assert_eq!(refused(header::MEMORY + 2, 2), Refusal::Memory(2 << 16, 1 << 16));
    let text = refused(header::TARGET, 1).to_string();
    assert!(text.contains("Armv6-M") && text.contains("x86-64"), "{text}");
    assert!(!module.is_native());

    let unpolled = image_with(&wasm, &compiled, &Options { poll: false, ..Options::default() });
    let mut module = Module::new(&engine, &unpolled).unwrap();
    let section = module.native_section(&engine).unwrap();
    // SAFETY: refused, so never run.
    let error = unsafe { module.use_native(&engine, section) }.unwrap_err();
    assert_eq!(error, Refusal::Unstoppable);

    let m3 = compile(&wasm, &compiled, &Machine::named("cortex-m3").unwrap(), &Options::default());
    if let Ok(m3) = m3 {
        let image = add_section(&compiled.image, &m3).unwrap();
        let module = Module::new(&engine, &image).unwrap();
        assert!(matches!(module.native_section(&engine), Err(Refusal::Target(Some(_), Some(_)))));
    }
    let module = Module::new(&engine, &compiled.image).unwrap();
    assert!(matches!(module.native_section(&engine), Err(Refusal::Target(None, Some(_)))));
}

#[test]
fn functions_that_only_a_global_names_can_be_called() {
    let wat = "(module (type $t (func (result i32))) (func $f (type $t) (i32.const 42))
        (global $g (export \"g\") funcref (ref.func $f)) (table (export \"t\") 1 1 funcref)
        (func (export \"f\") (result i32)
            (table.set (i32.const 0) (global.get $g)) (call_indirect (type $t) (i32.const 0))))";
    assert_eq!(same(wat, "f", &[], 1), Ok(vec![Val::I32(42)]));
}

#[test]
fn instances_of_both_tiers_call_each_other() {
    let callee = "(module (func (export \"halve\") (param i64 i32) (result i64)
        (i64.div_s (local.get 0) (i64.extend_i32_u (local.get 1)))))";
    let caller = "(module (import \"a\" \"halve\" (func $halve (param i64 i32) (result i64)))
        (func (export \"f\") (param i32) (result i64)
            (i64.add (call $halve (i64.const -8000000000) (local.get 0)) (i64.const 5))))";
    let images = [callee, caller].map(|wat| {
        let (wasm, compiled) = compiled(wat);
        image_with(&wasm, &compiled, &Options::default())
    });
    let engine = Engine::new(&Config::new().stack_size(64 << 10));
    let mut places = Vec::new();
    for native in [[false, true], [true, false], [true, true], [false, false]] {
        let mut modules = [0, 1].map(|index| Module::new(&engine, &images[index]).unwrap());
        let mappings =
            [0, 1].map(|index| Mapping::new(modules[index].native_section(&engine).unwrap().bytes()).unwrap());
        for index in [0, 1] {
            if native[index] {
                // SAFETY: made above from this module; the mapping outlives the store.
                unsafe { modules[index].use_native(&engine, mappings[index].section().unwrap()) }.unwrap();
            }
        }
        let mut arena = vec![0u64; 16 << 10];
        let mut store = Store::new(&engine, &mut arena, ()).unwrap();
        let first = Linker::new().instantiate(&mut store, &modules[0]).unwrap();
        let mut linker = Linker::new();
        linker.define("a", "halve", wisp_engine::Extern::Func(first.get_func(&store, "halve").unwrap()));
        let second = linker.instantiate(&mut store, &modules[1]).unwrap();
        let func = second.get_func(&store, "f").unwrap();
        let mut result = [Val::I64(0)];
        func.call(&mut store, &[Val::I32(2)], &mut result).unwrap();
        assert_eq!(result, [Val::I64(-3_999_999_995)], "{native:?}");
        // a trap inside the other instance ends both, and the place is that of the inner one
        let trap = func.call(&mut store, &[Val::I32(0)], &mut result).unwrap_err();
        assert_eq!(trap.code, TrapCode::IntegerDivisionByZero, "{native:?}");
        places.push((trap.func, trap.offset));
    }
    assert!(places.iter().all(|place| place == &places[0]), "{places:?}");
}

#[test]
fn an_allocator_learns_the_end_of_memory_in_both_tiers() {
    let (wasm, compiled) = compiled(
        r#"(module (memory 1)
            (func (export "end") (result i32) (i32.shl (memory.size) (i32.const 16)))
            (func (export "last") (result i32)
                (i32.store (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 4)) (i32.const 7))
                (i32.load (i32.const 12284)))
            (func (export "beyond") (i32.store (i32.shl (memory.size) (i32.const 16)) (i32.const 7)))
            (func (export "grow") (result i32) (memory.grow (i32.const 1))))"#,
    );
    let image = image_with(&wasm, &compiled, &Options::default());
    for native in [false, true] {
        let engine = Engine::new(&Config::new().stack_size(4096).max_memory(12 << 10));
        let mut module = Module::new(&engine, &image).unwrap();
        let mapping = Mapping::new(module.native_section(&engine).unwrap().bytes()).unwrap();
        if native {
            // SAFETY: made by `image_with` from this module; the mapping outlives the store.
            unsafe { module.use_native(&engine, mapping.section().unwrap()) }.unwrap();
        }
        let mut store = Store::with_capacity(&engine, 1 << 20, ()).unwrap();
        let instance = Linker::new().instantiate(&mut store, &module).unwrap();
        let call = |store: &mut Store<'_, ()>, name: &str| {
            let mut results = [Val::I32(0)];
            let func = instance.get_func(&*store, name).unwrap();
            func.call(store, &[], &mut results[..usize::from(name != "beyond")]).map(|()| results[0])
        };
        assert_eq!(call(&mut store, "end"), Ok(Val::I32(12 << 10)), "{native}");
        assert_eq!(call(&mut store, "last"), Ok(Val::I32(7)), "{native}");
        assert_eq!(call(&mut store, "grow"), Ok(Val::I32(-1)), "{native}");
        let code = call(&mut store, "beyond").unwrap_err().code;
        assert!(matches!(code, TrapCode::BeyondTrimmedMemory | TrapCode::MemoryOutOfBounds), "{native} {code:?}");
    }
}

/// Returns steps that mix the first local, each of nine operators. They differ from each other.
fn steps(from: usize, count: usize) -> String {
    let step = |k: usize| {
        let factor = 1_664_525 + 2 * k;
        format!(
            "(local.set 0 (i32.xor (i32.mul (local.get 0) (i32.const {factor})) (i32.shr_u (local.get 0) (i32.const 3))))"
        )
    };
    (from..from + count).map(step).collect()
}

/// Returns a module that becomes three C files: two of functions that call each other across them, and one of a huge
/// function.
fn of_three_files() -> String {
    let small = |n: usize| {
        let next = match n {
            29 => "(i32.div_u (local.get 0) (i32.and (local.get 0) (i32.const 1)))".to_string(),
            20 => "(call_indirect (type $t) (local.get 0) (i32.const 1))".to_string(),
            _ => format!("(call $small{} (local.get 0))", n + 1),
        };
        format!("(func $small{n} (type $t) {} {next})", steps(n, 110))
    };
    format!(
        "(module (type $t (func (param i32) (result i32))) (table 2 2 funcref) (elem (i32.const 0) $huge $small21)
        (func $huge (export \"f\") (type $t) {} (call $small0 (local.get 0)))
        {})",
        steps(0, 800),
        (0..30).map(small).collect::<String>()
    )
}

#[test]
fn a_module_of_several_files_computes_what_the_interpreter_does() {
    let (wasm, compiled) = compiled(&of_three_files());
    let native = compile(&wasm, &compiled, &Machine::named("x86-64").unwrap(), &Options::default()).unwrap();
    assert!(native.notes.len() == 1 && native.notes[0].contains("less optimisation"), "{:?}", native.notes);
    let image = add_section(&compiled.image, &native).unwrap();
    let mut codes = Vec::new();
    for argument in 0..6 {
        let outcome = |image: &[u8], native: bool| {
            let mut out = [Val::I32(0)];
            let ended = call(image, native, "f", &[Val::I32(argument)], &mut out);
            ended.map(|()| out).map_err(|trap| (trap.code, trap.func))
        };
        assert_eq!(outcome(&image, true), outcome(&compiled.image, false), "{argument}");
        codes.push(outcome(&image, true).map_err(|(code, func)| (code as u8, func)).map(drop));
    }
    // the last of the small functions divides by zero or one
    assert!(codes.contains(&Ok(())) && codes.contains(&Err((TrapCode::IntegerDivisionByZero as u8, 30))), "{codes:?}");
}

#[test]
fn a_huge_function_that_ends_by_calling_itself_takes_no_stack() {
    let huge = format!(
        "(module (func $f (export \"f\") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 7))))
        (if (i32.eq (local.get 0) (i32.const -1)) (then {}))
        (return_call $f (i32.sub (local.get 0) (i32.const 1))))
        (func (param i32) {}))",
        steps(0, 800),
        steps(800, 2400)
    );
    assert_eq!(same(&huge, "f", &[Val::I32(1_000_000)], 1), Ok(vec![Val::I32(7)]));
}

#[test]
fn a_huge_function_that_calls_itself_without_end_exhausts_the_stack_in_strict_code() {
    let huge = format!(
        "(module (func $f (export \"f\") (param i32) (result i32) {} (call $f (local.get 0))) (func (param i32) {}))",
        steps(0, 800),
        steps(800, 2400)
    );
    let (wasm, compiled) = compiled(&huge);
    let strict = Options { strict: true, ..Options::default() };
    let image = image_with(&wasm, &compiled, &strict);
    let trap = call(&image, true, "f", &[Val::I32(1)], &mut [Val::I32(0)]).unwrap_err();
    assert_eq!(trap.code, TrapCode::StackOverflow);
}

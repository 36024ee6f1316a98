// SPDX-License-Identifier: Apache-2.0
//! Each limit stops what goes beyond it, with a reason of its own, and leaves the store usable.

mod common;

use common::module;
use wisp_engine::{
    Caller, Config, Engine, Instance, InstantiateError, Linker, Store, Trap, TrapCode, TypedFunc, WasmValues,
};

const ROOM: usize = 256 << 10;

fn start(config: &Config, wat: &str) -> (Store<'static, ()>, Result<Instance, InstantiateError>) {
    let mut store = Store::with_capacity(&Engine::new(config), ROOM, ()).expect("there is memory");
    let instance = Linker::new().instantiate(&mut store, &module(wat));
    (store, instance)
}

fn func<P: WasmValues, R: WasmValues>(store: &Store<'_, ()>, instance: Instance, name: &str) -> TypedFunc<P, R> {
    instance.get_typed_func(store, name).expect("it is exported with this type")
}

/// Calls itself n times, with a loop and a large frame on the way if n is even.
const DOWN: &str = r#"(module
    (func $down (export "down") (param i32) (result i32) (local i64 i64 i32)
      (local.set 3 (i32.const 3))
      (loop $l (br_if $l (local.tee 3 (i32.sub (local.get 3) (i32.const 1)))))
      (if (result i32) (local.get 0)
        (then (i32.add (i32.const 1) (call $small (i32.sub (local.get 0) (i32.const 1)))))
        (else (i32.const 1))))
    (func $small (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
        (else (i32.const 1))))
    (func $tail (export "tail") (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (return_call $tail (i32.sub (local.get 0) (i32.const 1))))
        (else (i32.const 7))))
    (func (export "spin") (loop $l (br $l))))"#;

#[test]
fn the_call_depth_is_exact() {
    for depth in [1, 2, 3, 10, 100] {
        let (mut store, instance) = start(&Config::new().stack_size(32 << 10).max_depth(depth), DOWN);
        let down = func::<i32, i32>(&store, instance.unwrap(), "down");
        let depth = depth as i32;
        for _ in 0..2 {
            assert_eq!(down.call(&mut store, depth - 1), Ok(depth));
            assert_eq!(down.call(&mut store, depth).unwrap_err().code, TrapCode::CallDepthExceeded);
            assert_eq!(down.call(&mut store, 100_000).unwrap_err().code, TrapCode::CallDepthExceeded);
        }
    }
}

#[test]
fn tail_calls_do_not_count_as_depth() {
    let (mut store, instance) = start(&Config::new().max_depth(1), DOWN);
    assert_eq!(func::<i32, i32>(&store, instance.unwrap(), "tail").call(&mut store, 5000), Ok(7));
}

#[test]
fn the_frame_stack_ends_before_the_depth_where_it_is_smaller() {
    let (mut store, instance) = start(&Config::new().stack_size(512).max_depth(1000), DOWN);
    let down = func::<i32, i32>(&store, instance.unwrap(), "down");
    assert_eq!(down.call(&mut store, 900).unwrap_err().code, TrapCode::StackOverflow);
}

#[test]
fn fuel_is_counted_the_same_with_a_limited_depth() {
    let mut used = Vec::new();
    for config in [Config::new().stack_size(32 << 10), Config::new().stack_size(32 << 10).max_depth(21)] {
        let (mut store, instance) = start(&config, DOWN);
        let down = func::<i32, i32>(&store, instance.unwrap(), "down");
        store.set_fuel(Some(1_000));
        assert_eq!(down.call(&mut store, 20), Ok(21));
        used.push(store.fuel());
    }
    assert_eq!(used[0], used[1]);
}

#[test]
fn a_call_from_the_host_has_its_own_depth() {
    let mut linker = Linker::<()>::new();
    linker.func_wrap("env", "again", |mut caller: Caller<'_, ()>, n: i32| -> Result<i32, Trap> {
        let f = caller.instance().get_typed_func::<i32, i32>(&caller, "down").ok_or(TrapCode::HostError)?;
        f.call(&mut caller, n)
    });
    let wat = r#"(module (import "env" "again" (func $again (param i32) (result i32)))
        (func $down (export "down") (param i32) (result i32)
          (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 1))))
        (func (export "f") (param i32) (result i32)
          (drop (call $again (i32.const 4))) (call $down (local.get 0))))"#;
    let mut store = Store::with_capacity(&Engine::new(&Config::new().max_depth(5)), ROOM, ()).unwrap();
    let instance = linker.instantiate(&mut store, &module(wat)).unwrap();
    let f = func::<i32, i32>(&store, instance, "f");
    assert_eq!(f.call(&mut store, 3), Ok(4));
    // what the inner run had left must not let the outer one go deeper
    assert_eq!(f.call(&mut store, 4).unwrap_err().code, TrapCode::CallDepthExceeded);
}

#[test]
fn tables_have_a_limit() {
    let wat = r#"(module (table 8 funcref)
        (func (export "grow") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))"#;
    let (_, instance) = start(&Config::new().max_table(7), wat);
    assert_eq!(instance, Err(InstantiateError::TableLimit(8, 7)));
    let (mut store, instance) = start(&Config::new().max_table(10).table_capacity(64), wat);
    let grow = func::<i32, i32>(&store, instance.unwrap(), "grow");
    assert_eq!(grow.call(&mut store, 3), Ok(-1));
    assert_eq!(grow.call(&mut store, 2), Ok(8));
    assert_eq!(grow.call(&mut store, 1), Ok(-1));
}

#[test]
fn imports_and_functions_have_limits() {
    let wat = r#"(module (import "a" "b" (func)) (import "a" "c" (func)) (func) (func) (func))"#;
    let (mut store, instance) = start(&Config::new().max_imports(1), wat);
    assert_eq!(instance, Err(InstantiateError::ImportLimit(2, 1)));
    // nothing is left of the attempt
    assert!(Linker::new().instantiate(&mut store, &module("(module (func))")).is_ok());
    let (_, instance) = start(&Config::new().max_functions(2), wat);
    assert_eq!(instance, Err(InstantiateError::FunctionLimit(3, 2)));
    // within the limits the next problem shows
    let (_, instance) = start(&Config::new().max_imports(2).max_functions(3), wat);
    assert!(matches!(instance, Err(InstantiateError::Import(0, _))));
}

#[test]
fn a_start_function_stops_when_it_is_told_to() {
    let wat = "(module (func $spin (loop $l (br $l))) (start $spin))";
    for deadline in [false, true] {
        let mut store = Store::with_capacity(&Engine::new(&Config::new()), ROOM, ()).unwrap();
        let handle = store.interrupt_handle();
        let stopper = std::thread::spawn(move || if deadline { handle.deadline() } else { handle.interrupt() });
        let error = Linker::new().instantiate(&mut store, &module(wat)).unwrap_err();
        stopper.join().unwrap();
        let expected = if deadline { TrapCode::DeadlineExceeded } else { TrapCode::Interrupted };
        assert!(matches!(error, InstantiateError::Trap(trap) if trap.code == expected), "{error:?}");
    }
}

/// Checks that a guest neither calls the host nor begins a bulk operation when it is to stop.
#[test]
fn host_calls_and_bulk_operations_look_at_the_stop_flag() {
    let mut linker = Linker::<u32>::new();
    linker.func_wrap("env", "host", |mut caller: Caller<'_, u32>| *caller.data_mut() += 1);
    let wat = r#"(module (import "env" "host" (func $host))
        (func (export "f") (loop $l (call $host) (br $l))))"#;
    for slice in [1, 10, 1000] {
        let engine = Engine::new(&Config::new().fuel_slice(slice));
        let mut store = Store::with_capacity(&engine, ROOM, 0).unwrap();
        let instance = linker.instantiate(&mut store, &module(wat)).unwrap();
        store.interrupt_handle().interrupt();
        let f = instance.get_typed_func::<(), ()>(&store, "f").unwrap();
        assert_eq!(f.call(&mut store, ()).unwrap_err().code, TrapCode::Interrupted);
        assert_eq!(*store.data(), 0);
    }
    // what a host function says that was interrupted is what the flag says
    let mut linker = Linker::<()>::new();
    linker.func_wrap("env", "sleep", |caller: Caller<'_, ()>| -> Result<(), Trap> {
        let _ = caller;
        Err(TrapCode::Interrupted.into())
    });
    let wat = r#"(module (import "env" "sleep" (func $sleep)) (func (export "f") (call $sleep)))"#;
    let mut store = Store::with_capacity(&Engine::new(&Config::new()), ROOM, ()).unwrap();
    let instance = linker.instantiate(&mut store, &module(wat)).unwrap();
    let f = func::<(), ()>(&store, instance, "f");
    assert_eq!(f.call(&mut store, ()).unwrap_err().code, TrapCode::Interrupted);
    store.interrupt_handle().deadline();
    assert_eq!(f.call(&mut store, ()).unwrap_err().code, TrapCode::DeadlineExceeded);
    let wat = r#"(module (memory 1)
        (func (export "f") (memory.fill (i32.const 0) (i32.const 7) (i32.const 9)))
        (func (export "g") (result i32) (i32.load8_u (i32.const 0))))"#;
    let (mut store, instance) = start(&Config::new(), wat);
    let instance = instance.unwrap();
    // a unit in hand, so that the call itself does not look
    assert_eq!(func::<(), i32>(&store, instance, "g").call(&mut store, ()), Ok(0));
    store.interrupt_handle().interrupt();
    let f = func::<(), ()>(&store, instance, "f");
    assert_eq!(f.call(&mut store, ()).unwrap_err().code, TrapCode::Interrupted);
    store.clear_interrupt();
    assert_eq!(func::<(), i32>(&store, instance, "g").call(&mut store, ()), Ok(0));
}

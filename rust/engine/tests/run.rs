// SPDX-License-Identifier: Apache-2.0
//! Modules written as text, compiled and run.

mod common;

use common::{instance, Guest};
use wisp_engine::{Caller, Linker, Trap, TrapCode, Val};

#[test]
fn adds_two_numbers() {
    let mut guest =
        Guest::new(r#"(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))"#);
    assert_eq!(guest.typed::<(i32, i32), i32>("add").call(&mut guest.store, (40, 2)), Ok(42));
}

#[test]
fn calls_itself() {
    let mut guest = Guest::new(
        r#"(module (func $fib (export "fib") (param i32) (result i32)
            (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
              (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                             (call $fib (i32.sub (local.get 0) (i32.const 2))))))))"#,
    );
    assert_eq!(guest.typed::<i32, i32>("fib").call(&mut guest.store, 15), Ok(610));
}

#[test]
fn passes_wide_values_through_calls() {
    let mut guest = Guest::new(
        r#"(module
            (func $swap (param i64 i32 f64) (result f64 i32 i64) local.get 2 local.get 1 local.get 0)
            (func (export "f") (param i64 i32 f64) (result f64 i32 i64)
              local.get 0 i64.const -1 i64.xor local.get 1 i32.const 1 i32.add local.get 2 call $swap))"#,
    );
    let mut results = [Val::I32(0); 3];
    let f = guest.func("f");
    let params = [Val::I64(5), Val::I32(6), Val::from(1.5)];
    f.call(&mut guest.store, &params, &mut results).unwrap();
    assert_eq!(results, [Val::from(1.5), Val::I32(7), Val::I64(!5)]);
}

#[test]
fn loops_over_memory() {
    let mut guest = Guest::new(
        r#"(module (memory (export "memory") 1) (data (i32.const 16) "\01\02\03\04")
            (func (export "sum") (param i32 i32) (result i32) (local i32)
              (loop $l (local.set 2 (i32.add (local.get 2) (i32.load8_u (local.get 0))))
                (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
              (local.get 2)))"#,
    );
    assert_eq!(guest.typed::<(i32, i32), i32>("sum").call(&mut guest.store, (16, 4)), Ok(10));
    let trap = guest.typed::<(i32, i32), i32>("sum").call(&mut guest.store, (65530, 7)).unwrap_err();
    assert_eq!((trap.code, trap.func), (TrapCode::MemoryOutOfBounds, 0));
}

#[test]
fn calls_the_host_with_its_memory_and_data() {
    let mut linker = Linker::<u64>::new();
    linker.func_wrap("env", "sum", |mut caller: Caller<'_, u64>, at: u32, n: u32, scale: i64| -> Result<i64, Trap> {
        let sum: i64 = caller.bytes(at, n)?.iter().map(|&b| i64::from(b)).sum();
        *caller.data_mut() += 1;
        Ok(sum * scale)
    });
    let wat = r#"(module (import "env" "sum" (func $sum (param i32 i32 i64) (result i64)))
        (memory 1) (data (i32.const 0) "\0a\14")
        (func (export "f") (param i32) (result i64) (call $sum (i32.const 0) (local.get 0) (i64.const 1000000000000))))"#;
    let (mut store, instance) = instance(wat, &linker, 0u64).unwrap();
    let f = instance.get_typed_func::<i32, i64>(&store, "f").unwrap();
    assert_eq!(f.call(&mut store, 2), Ok(30_000_000_000_000));
    let trap = f.call(&mut store, 70_000).unwrap_err();
    assert_eq!((trap.code, trap.func), (TrapCode::MemoryOutOfBounds, 0));
    assert_eq!(*store.data(), 1);
}

#[test]
fn a_function_of_a_type_known_at_run_time_gets_and_gives_values() {
    use wisp_engine::{FuncType, ValType};
    let params = [ValType::I64, ValType::I32, ValType::F64];
    let results = [ValType::F32, ValType::I64];
    let mut linker = Linker::<u32>::new();
    linker.func_new("env", "f", FuncType::new(&params, &results), |mut caller, arguments, results| {
        *caller.data_mut() += 1;
        assert_eq!(arguments, [Val::I64(-2), Val::I32(7), Val::from(0.5)]);
        results.copy_from_slice(&[Val::from(1.5f32), Val::I64(1 << 40)]);
        // the second call gives a result of another type, the third a trap
        match *caller.data() {
            2 => results[0] = Val::I32(0),
            3 => return Err(Trap::exit(9)),
            _ => {}
        }
        Ok(())
    });
    let wat = |result: &str| {
        format!(
            r#"(module (import "env" "f" (func $f (param i64 i32 f64) (result f32 {result})))
                (func (export "f") (result f32 {result}) (call $f (i64.const -2) (i32.const 7) (f64.const 0.5))))"#
        )
    };
    let (mut store, instance) = instance(&wat("i64"), &linker, 0).unwrap();
    drop(linker);
    let f = instance.get_func(&store, "f").unwrap();
    let mut results = [Val::I32(0); 2];
    f.call(&mut store, &[], &mut results).unwrap();
    assert_eq!(results, [Val::from(1.5f32), Val::I64(1 << 40)]);
    assert_eq!(f.call(&mut store, &[], &mut results).unwrap_err().code, TrapCode::HostError);
    assert_eq!(f.call(&mut store, &[], &mut results).unwrap_err().exit_status(), Some(9));

    let mut linker = Linker::<u32>::new();
    linker.func_new("env", "f", FuncType::new(&params, &[ValType::F32, ValType::I64]), |_, _, _| Ok(()));
    assert!(common::instance(&wat("i32"), &linker, 0).is_err());
}

#[test]
fn traps_say_where_and_the_backtrace_says_how() {
    let mut guest = Guest::new(
        r#"(module
            (func $inner (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
            (func $outer (param i32) (result i32) (i32.add (call $inner (local.get 0)) (i32.const 1)))
            (func (export "f") (param i32) (result i32) (i32.mul (call $outer (local.get 0)) (i32.const 2))))"#,
    );
    let f = guest.typed::<i32, i32>("f");
    assert_eq!(f.call(&mut guest.store, 1), Ok(4));
    assert_eq!(guest.store.backtrace().count(), 0);
    let trap = f.call(&mut guest.store, 0).unwrap_err();
    assert_eq!((trap.code, trap.func), (TrapCode::IntegerDivisionByZero, 0));
    let functions: Vec<u32> = guest.store.backtrace().map(|frame| frame.func).collect();
    assert_eq!(functions, [0, 1, 2]);
    assert_eq!(guest.store.backtrace().next().map(|frame| frame.offset), Some(trap.offset));
}

#[test]
fn the_backtrace_of_a_trap_in_a_call_by_a_host_function_ends_where_that_call_began() {
    let mut linker = Linker::<()>::new();
    linker.func_wrap("env", "again", |mut caller: Caller<'_, ()>| -> Result<(), Trap> {
        let inner = caller.instance().get_typed_func::<(), ()>(&caller, "inner").unwrap();
        inner.call(&mut caller, ())
    });
    let wat = r#"(module (import "env" "again" (func $again))
        (func $trap (unreachable))
        (func (export "inner") (call $trap))
        (func (export "f") (call $again)))"#;
    let (mut store, instance) = instance(wat, &linker, ()).unwrap();
    let f = instance.get_typed_func::<(), ()>(&store, "f").unwrap();
    for _ in 0..2 {
        assert_eq!(f.call(&mut store, ()).unwrap_err().code, TrapCode::Unreachable);
        let functions: Vec<u32> = store.backtrace().take(9).map(|frame| frame.func).collect();
        assert_eq!(functions, [0, 1]);
    }
}

#[test]
fn the_backtrace_stays_in_the_stack_when_the_guest_went_on_over_the_frames_of_a_trap() {
    let mut linker = Linker::<()>::new();
    linker.func_wrap("env", "again", |mut caller: Caller<'_, ()>| {
        let inner = caller.instance().get_typed_func::<(), ()>(&caller, "inner").unwrap();
        assert_eq!(inner.call(&mut caller, ()).unwrap_err().code, TrapCode::Unreachable);
    });
    // numbers that lead far outside if they are taken for distances
    let wide = "i64 ".repeat(32);
    let numbers = "(i64.const 0x7ffffff07ffffff0) ".repeat(32);
    let wat = format!(
        r#"(module (import "env" "again" (func $again))
        (func $trap (unreachable))
        (func (export "inner") (call $trap))
        (func $fill (param {wide}) (param $n i32)
            (if (local.get $n) (then (call $fill {numbers} (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "f") (call $again) (call $fill {numbers} (i32.const 3))))"#
    );
    let (mut store, instance) = instance(&wat, &linker, ()).unwrap();
    let f = instance.get_typed_func::<(), ()>(&store, "f").unwrap();
    assert_eq!(f.call(&mut store, ()), Ok(()));
    let frames = store.backtrace().take(100).count();
    assert!(frames < 100, "the walk does not end");
}

#[test]
fn endless_recursion_exhausts_the_frame_stack_only() {
    let mut guest =
        Guest::new(r#"(module (func $f (export "f") (call $f)) (func (export "g") (result i32) (i32.const 1)))"#);
    let f = guest.typed::<(), ()>("f");
    assert_eq!(f.call(&mut guest.store, ()).unwrap_err().code, TrapCode::StackOverflow);
    assert_eq!(guest.typed::<(), i32>("g").call(&mut guest.store, ()), Ok(1));
}

#[test]
fn fuel_runs_out_exactly() {
    let mut guest = Guest::new(
        r#"(module (func (export "f") (param i32)
            (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#,
    );
    let f = guest.typed::<i32, ()>("f");
    // one for the call, one for each branch back
    guest.store.set_fuel(Some(5000));
    assert_eq!(f.call(&mut guest.store, 5000), Ok(()));
    assert_eq!(guest.store.fuel(), Some(0));
    guest.store.set_fuel(Some(4999));
    assert_eq!(f.call(&mut guest.store, 5000).unwrap_err().code, TrapCode::OutOfFuel);
    guest.store.set_fuel(Some(10));
    assert_eq!(f.call(&mut guest.store, 3), Ok(()));
    assert_eq!(guest.store.fuel(), Some(7));
    guest.store.set_fuel(None);
    assert_eq!(f.call(&mut guest.store, 100_000), Ok(()));
}

#[test]
fn a_stop_from_another_thread_ends_a_loop() {
    let mut guest = Guest::new(r#"(module (func (export "f") (loop $l (br $l))))"#);
    let f = guest.typed::<(), ()>("f");
    let handle = guest.store.interrupt_handle();
    let stopper = std::thread::spawn(move || handle.interrupt());
    assert_eq!(f.call(&mut guest.store, ()).unwrap_err().code, TrapCode::Interrupted);
    stopper.join().unwrap();
    // it holds until it is taken back
    assert_eq!(f.call(&mut guest.store, ()).unwrap_err().code, TrapCode::Interrupted);
    guest.store.clear_interrupt();
    guest.store.set_fuel(Some(10));
    assert_eq!(f.call(&mut guest.store, ()).unwrap_err().code, TrapCode::OutOfFuel);
}

#[test]
fn memory_grows_within_its_cap_and_is_zero() {
    let mut guest = Guest::new(
        r#"(module (memory (export "memory") 1 3)
            (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
            (func (export "size") (result i32) (memory.size))
            (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#,
    );
    let (grow, size, load) =
        (guest.typed::<i32, i32>("grow"), guest.typed::<(), i32>("size"), guest.typed::<i32, i32>("load"));
    assert_eq!(load.call(&mut guest.store, 65536).unwrap_err().code, TrapCode::MemoryOutOfBounds);
    assert_eq!(grow.call(&mut guest.store, 1), Ok(1));
    assert_eq!(load.call(&mut guest.store, 131068), Ok(0));
    assert_eq!(load.call(&mut guest.store, 131069).unwrap_err().code, TrapCode::MemoryOutOfBounds);
    assert_eq!(grow.call(&mut guest.store, 2), Ok(-1));
    assert_eq!(grow.call(&mut guest.store, -1), Ok(-1));
    assert_eq!(size.call(&mut guest.store, ()), Ok(2));
}

#[test]
fn indirect_calls_check_index_null_and_type() {
    let mut guest = Guest::new(
        r#"(module (type $t (func (result i32))) (type $u (func (param i32) (result i32)))
            (table 4 funcref) (elem (i32.const 0) $a $b)
            (func $a (result i32) (i32.const 7))
            (func $b (param i32) (result i32) (local.get 0))
            (func (export "f") (param i32) (result i32) (i32.add (i32.const 1) (call_indirect (type $t) (local.get 0)))))"#,
    );
    let f = guest.typed::<i32, i32>("f");
    assert_eq!(f.call(&mut guest.store, 0), Ok(8));
    assert_eq!(f.call(&mut guest.store, 1).unwrap_err().code, TrapCode::BadSignature);
    assert_eq!(f.call(&mut guest.store, 2).unwrap_err().code, TrapCode::IndirectCallToNull);
    assert_eq!(f.call(&mut guest.store, 4).unwrap_err().code, TrapCode::TableOutOfBounds);
}

#[test]
fn tail_calls_need_no_stack() {
    let mut guest = Guest::new(
        r#"(module (type $t (func (param i32 i64) (result i64))) (table funcref (elem $odd))
            (func $even (export "f") (param i32 i64) (result i64)
              (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
              (return_call_indirect (type $t)
                (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 3)) (i32.const 0)))
            (func $odd (param i32 i64) (result i64)
              (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
              (return_call $even (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 1)))))"#,
    );
    let f = guest.typed::<(i32, i64), i64>("f");
    assert_eq!(f.call(&mut guest.store, (100_000, 0)), Ok(200_000));
}

#[test]
fn the_host_calls_the_guest_back_and_the_depth_is_bounded() {
    let mut linker = Linker::<()>::new();
    linker.func_wrap("env", "again", |mut caller: Caller<'_, ()>, n: i32| -> Result<i32, Trap> {
        let f = caller.instance().get_typed_func::<i32, i32>(&caller, "f").ok_or(TrapCode::HostError)?;
        f.call(&mut caller, n - 1)
    });
    let wat = r#"(module (import "env" "again" (func $again (param i32) (result i32)))
        (func (export "f") (param i32) (result i32) (local i32 i32)
          (local.set 1 (i32.const 100))
          (if (result i32) (local.get 0)
            (then (i32.add (call $again (local.get 0)) (local.get 1))) (else (i32.const 5)))))"#;
    let (mut store, instance) = instance(wat, &linker, ()).unwrap();
    let f = instance.get_typed_func::<i32, i32>(&store, "f").unwrap();
    assert_eq!(f.call(&mut store, 3), Ok(305));
    assert_eq!(f.call(&mut store, 1000).unwrap_err().code, TrapCode::NestingExceeded);
    assert_eq!(f.call(&mut store, 2), Ok(205));
}

#[test]
fn the_guest_ends_itself_with_a_status() {
    let mut linker = Linker::<()>::new();
    linker.func_wrap("env", "exit", |_: Caller<'_, ()>, status: i32| -> Result<(), Trap> { Err(Trap::exit(status)) });
    let wat =
        r#"(module (import "env" "exit" (func $exit (param i32))) (func (export "f") (call $exit (i32.const 3))))"#;
    let (mut store, instance) = instance(wat, &linker, ()).unwrap();
    let trap = instance.get_typed_func::<(), ()>(&store, "f").unwrap().call(&mut store, ()).unwrap_err();
    assert_eq!(trap.exit_status(), Some(3));
}

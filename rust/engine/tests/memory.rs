// SPDX-License-Identifier: Apache-2.0
//! Memory that is backed in part: trimmed ones, allocators that take all they get, and the guest's own stack.

mod common;

use std::sync::atomic::{AtomicU64, Ordering};

use common::{image_of, module_of, Guest};
use wisp_engine::{Config, Engine, GuestStackOverflow, Instance, InstantiateError, Linker, Store, TrapCode};

/// Returns an instance of a module whose linear memory may have `limit` bytes.
fn limited(wat: &str, limit: u32, config: Config) -> Result<(Store<'static, ()>, Instance), InstantiateError> {
    let engine = Engine::new(&config.max_memory(limit));
    let mut store = Store::with_capacity(&engine, 4 << 20, ()).expect("there is memory");
    let instance = Linker::new().instantiate(&mut store, &module_of(image_of(wat, true)))?;
    Ok((store, instance))
}

const ALLOCATOR: &str = r#"(module (memory 1 4) (data (i32.const 1024) "static")
    (func (export "end") (result i32) (i32.shl (memory.size) (i32.const 16)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#;

#[test]
fn an_allocator_learns_how_much_there_is_and_growth_stops_there() {
    for (limit, end) in [(2048, 2048), (16 << 10, 16 << 10), (65535, 65528), (65536, 65536), (1 << 20, 65536)] {
        let (mut store, instance) = limited(ALLOCATOR, limit, Config::new()).unwrap();
        let get = |store: &Store<'static, ()>, name| instance.get_typed_func::<i32, i32>(store, name).unwrap();
        let ask = instance.get_typed_func::<(), i32>(&store, "end").unwrap();
        assert_eq!(ask.call(&mut store, ()), Ok(end));
        let (load, grow) = (get(&store, "load"), get(&store, "grow"));
        assert_eq!(load.call(&mut store, end - 4), Ok(0));
        let beyond = if end < 65536 { TrapCode::BeyondTrimmedMemory } else { TrapCode::MemoryOutOfBounds };
        assert_eq!(load.call(&mut store, end - 3).unwrap_err().code, beyond, "{limit}");
        // no page more as long as the first is not whole
        assert_eq!(grow.call(&mut store, 0), Ok(1));
        assert_eq!(grow.call(&mut store, 1), Ok(if limit < 131_072 { -1 } else { 1 }), "{limit}");
        if limit > 131_072 {
            assert_eq!(ask.call(&mut store, ()), Ok(131_072));
            assert_eq!(load.call(&mut store, 131_068), Ok(0));
            assert_eq!(grow.call(&mut store, 3), Ok(-1), "the module's own maximum");
        }
    }
}

/// An allocator that frees nothing, as that of TinyGo with `-gc=leaking`. The end of its heap comes from a size that a
/// variable keeps, and it doubles the memory at that end. `sum` adds the numbers below its parameter by a list, with
/// 16 bytes for each.
const LEAKING: &str = r#"(module (memory 1 4) (data (i32.const 512) "static")
    (func (export "start") (local $pages i32)
        (local.set $pages (memory.size))
        (i32.store (i32.const 1024) (i32.const 1040))
        (i32.store (i32.const 1028) (i32.shl (local.get $pages) (i32.const 16))))
    (func $grow (result i32)
        (if (i32.eq (memory.grow (memory.size)) (i32.const -1)) (then (return (i32.const 0))))
        (i32.store (i32.const 1028) (i32.shl (memory.size) (i32.const 16)))
        (i32.const 1))
    (func $allocate (result i32) (local $at i32)
        (i32.store (i32.const 1024) (i32.add (local.tee $at (i32.load (i32.const 1024))) (i32.const 16)))
        (block $fits (loop $again
            (br_if $fits (i32.le_u (i32.load (i32.const 1024)) (i32.load (i32.const 1028))))
            (br_if $again (call $grow))
            (unreachable)))
        (local.get $at))
    (func (export "sum") (param $count i32) (result i32) (local $list i32) (local $next i32) (local $sum i32)
        (loop $fill
            (local.set $next (call $allocate))
            (i32.store (local.get $next) (local.get $list))
            (i32.store offset=12 (local.tee $list (local.get $next))
                (local.tee $count (i32.sub (local.get $count) (i32.const 1))))
            (br_if $fill (local.get $count)))
        (loop $add
            (local.set $sum (i32.add (local.get $sum) (i32.load offset=12 (local.get $list))))
            (br_if $add (local.tee $list (i32.load (local.get $list)))))
        (local.get $sum)))"#;

#[test]
fn an_allocator_that_keeps_the_size_in_a_variable_runs_in_less_than_a_page() {
    // numbers that fit above the 1040 bytes of variables
    for (limit, most) in [(2048, 63), (8192, 447), (65536, 4031), (131_072, 8127), (1 << 20, 16319)] {
        let sum_of = |count: i32| {
            let (mut store, instance) = limited(LEAKING, limit, Config::new()).unwrap();
            let start = instance.get_typed_func::<(), ()>(&store, "start").unwrap();
            start.call(&mut store, ()).unwrap();
            let sum = instance.get_typed_func::<i32, i32>(&store, "sum").unwrap();
            sum.call(&mut store, count).map_err(|trap| trap.code)
        };
        assert_eq!(sum_of(most), Ok(most * (most - 1) / 2), "{limit}");
        assert_eq!(sum_of(most + 1), Err(TrapCode::Unreachable), "{limit}: told by the allocator");
    }
}

#[test]
fn what_is_static_must_fit() {
    assert!(matches!(limited(ALLOCATOR, 1029, Config::new()), Err(InstantiateError::MemoryLimit(1032, 1029))));
    limited(ALLOCATOR, 1032, Config::new()).unwrap();
}

#[test]
fn without_trimming_the_specification_holds() {
    let engine = Engine::new(&Config::new().max_memory(16 << 10));
    let mut store = Store::with_capacity(&engine, 4 << 20, ()).unwrap();
    let refused = Linker::new().instantiate(&mut store, &module_of(image_of(ALLOCATOR, false)));
    assert!(matches!(refused, Err(InstantiateError::MemoryLimit(65536, 16384))));
}

#[test]
fn a_module_that_asks_for_its_size_in_pages_keeps_all_of_them() {
    let mut guest = Guest::new(
        r#"(module (memory 1) (global (export "__heap_base") i32 (i32.const 1024))
            (func (export "last") (result i32) (i32.load8_u (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)))))"#,
    );
    assert_eq!(guest.typed::<(), i32>("last").call(&mut guest.store, ()), Ok(0));
}

#[test]
fn a_refused_growth_is_told_once() {
    static TOLD: AtomicU64 = AtomicU64::new(0);
    fn tell(context: usize, present: u32, wanted: u32) {
        assert_eq!((context, present, wanted), (7, 4096, 131_072));
        TOLD.fetch_add(1, Ordering::Relaxed);
    }
    let (mut store, instance) = limited(ALLOCATOR, 4096, Config::new().on_growth_refused(tell, 7)).unwrap();
    let grow = instance.get_typed_func::<i32, i32>(&store, "grow").unwrap();
    for _ in 0..3 {
        assert_eq!(grow.call(&mut store, 2), Ok(-1));
    }
    assert_eq!(TOLD.load(Ordering::Relaxed), 1);
}

#[test]
fn an_empty_range_may_lie_anywhere_in_the_declared_memory() {
    let mut guest = Guest::new(
        r#"(module (memory 1) (global (export "__heap_base") i32 (i32.const 1024)) (data $d "x")
            (func (export "fill") (param i32) (memory.fill (local.get 0) (i32.const 1) (i32.const 0)))
            (func (export "copy") (param i32) (memory.copy (local.get 0) (local.get 0) (i32.const 0)))
            (func (export "init") (param i32) (memory.init $d (local.get 0) (i32.const 0) (i32.const 0))))"#,
    );
    for name in ["fill", "copy", "init"] {
        let call = guest.typed::<i32, ()>(name);
        for at in [0, 1024, 1025, 40000, 65536] {
            assert_eq!(call.call(&mut guest.store, at), Ok(()), "{name} {at}");
        }
        assert_eq!(call.call(&mut guest.store, 65537).unwrap_err().code, TrapCode::MemoryOutOfBounds, "{name}");
    }
}

/// Returns a function that takes `frame` bytes of the guest's stack and writes to the first of them.
fn with_stack(size: u32, layout: &str) -> Guest {
    Guest::new(&format!(
        r#"(module (memory 1) (global $__stack_pointer (mut i32) (i32.const {size})) {layout}
            (func (export "take") (param $frame i32) (local $sp i32)
                (global.set $__stack_pointer (local.tee $sp (i32.sub (global.get $__stack_pointer) (local.get $frame))))
                (i32.store (local.get $sp) (i32.const 1))
                (global.set $__stack_pointer (i32.add (local.get $sp) (local.get $frame))))
            (func (export "wild") (drop (i32.load (i32.const -4)))))"#
    ))
}

#[test]
fn an_overflow_of_the_guests_stack_is_known_by_its_size() {
    let mut guest = with_stack(2048, r#"(data (i32.const 2048) "x")"#);
    let take = guest.typed::<i32, ()>("take");
    assert_eq!(take.call(&mut guest.store, 1024), Ok(()));
    assert_eq!(guest.store.guest_stack_overflow(), None);
    assert_eq!(take.call(&mut guest.store, 2064).unwrap_err().code, TrapCode::MemoryOutOfBounds);
    let overflow = GuestStackOverflow { size: 2048, used: 2064 };
    assert_eq!(guest.store.guest_stack_overflow(), Some(overflow));
}

#[test]
fn another_bad_access_is_no_overflow_of_the_stack() {
    let mut guest = with_stack(2048, r#"(data (i32.const 2048) "x")"#);
    let wild = guest.typed::<(), ()>("wild");
    assert_eq!(wild.call(&mut guest.store, ()).unwrap_err().code, TrapCode::MemoryOutOfBounds);
    assert_eq!(guest.store.guest_stack_overflow(), None);
}

#[test]
fn a_stack_above_the_data_ends_where_the_data_does() {
    let mut guest = with_stack(4096, r#"(data (i32.const 1024) "0123456789abcdef")"#);
    let take = guest.typed::<i32, ()>("take");
    assert!(take.call(&mut guest.store, 4096 + 16).is_err());
    let overflow = GuestStackOverflow { size: 4096 - 1040, used: 4096 + 16 };
    assert_eq!(guest.store.guest_stack_overflow(), Some(overflow));
}

#[test]
fn a_global_that_is_no_stack_pointer_is_not_taken_for_one() {
    let mut guest = Guest::new(
        r#"(module (memory 1) (global $counter (mut i32) (i32.const 4096)) (data (i32.const 4096) "x")
            (func (export "f") (global.set $counter (i32.const -1)) (drop (i32.load (i32.const -1)))))"#,
    );
    assert!(guest.typed::<(), ()>("f").call(&mut guest.store, ()).is_err());
    assert_eq!(guest.store.guest_stack_overflow(), None);
}

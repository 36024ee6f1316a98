// SPDX-License-Identifier: Apache-2.0
//! Imports: from the host, from tables in flash, from other instances.

mod common;

use common::{image, image_of, instance, module, module_of, store};
use wisp_engine::{
    scratch, Caller, Config, Ctx, Engine, Extern, FuncType, Global, HostFunction, InstantiateError, LinkProblem,
    Linker, Memory, Module, Name, RawTrap, Resolve, Signature, Store, Table, TrapCode, Val, ValType,
};

fn add_to_data(mut caller: Caller<'_, u32>, x: u32) -> u32 {
    *caller.data_mut() += x;
    *caller.data()
}

static TABLE: [HostFunction<u32>; 2] = [
    HostFunction::wrap("env", "add", add_to_data),
    HostFunction::wrap("env", "data", |caller: Caller<'_, u32>| *caller.data()),
];

const USES_TABLE: &str = r#"(module (import "env" "add" (func $add (param i32) (result i32)))
    (import "env" "data" (func $data (result i32)))
    (func (export "f") (param i32) (result i32) (drop (call $add (local.get 0))) (call $data)))"#;

#[test]
fn an_app_runs_in_an_arena_of_its_own_without_an_allocator() {
    let mut arena = [0x5555_5555_5555_5555u64; 400];
    let engine = Engine::new(&Config::new().stack_size(512));
    let image = image(USES_TABLE);
    let module = Module::new_in(&engine, image, scratch(&mut arena)).ok().unwrap();
    let mut store = Store::new(&engine, &mut arena, 5u32).unwrap();
    let instance = Linker::from_table(&TABLE).instantiate(&mut store, &module).unwrap();
    let f = instance.get_typed_func::<u32, u32>(&store, "f").unwrap();
    assert_eq!(f.call(&mut store, 7), Ok(12));
    assert_eq!(f.call(&mut store, 1), Ok(13));
    assert_eq!(store.into_data(), 13);
}

#[test]
fn a_store_may_move_between_calls() {
    let mut store = Box::new(store(1u32));
    let instance = Linker::from_table(&TABLE).instantiate(&mut store, &module(USES_TABLE)).unwrap();
    let f = instance.get_typed_func::<u32, u32>(&*store, "f").unwrap();
    assert_eq!(f.call(&mut *store, 1), Ok(2));
    let mut moved = *store;
    assert_eq!(f.call(&mut moved, 1), Ok(3));
    let moved = std::thread::spawn(move || {
        assert_eq!(f.call(&mut moved, 1), Ok(4));
        moved
    });
    assert_eq!(*moved.join().unwrap().data(), 4);
}

#[test]
fn an_arena_that_is_too_small_is_an_error_and_leaves_the_store_usable() {
    let engine = Engine::new(&Config::new().stack_size(512));
    let mut arena = [0u64; 200];
    assert!(Store::new(&engine, &mut arena[..8], ()).is_none());
    let mut store = Store::new(&engine, &mut arena, ()).unwrap();
    let left = store.arena_left();
    let large = module("(module (memory 1))");
    let error = Linker::new().instantiate(&mut store, &large).unwrap_err();
    assert!(matches!(error, InstantiateError::ArenaTooSmall(needed, left) if needed > left), "{error:?}");
    assert_eq!(store.arena_left(), left);
    let table = module("(module (table 400 funcref))");
    let error = Linker::new().instantiate(&mut store, &table).unwrap_err();
    assert!(matches!(error, InstantiateError::ArenaTooSmall(needed, left) if needed > left), "{error:?}");
    let small = module(r#"(module (func (export "f") (result i32) (i32.const 1)))"#);
    let instance = Linker::new().instantiate(&mut store, &small).unwrap();
    assert_eq!(instance.get_typed_func::<(), i32>(&store, "f").unwrap().call(&mut store, ()), Ok(1));
}

#[test]
fn an_arena_of_any_size_is_enough_or_says_that_more_is_needed_than_is_left() {
    let engine = Engine::new(&Config::new().stack_size(512).max_memory(1 << 16).table_capacity(8));
    let many: String = (0..20).map(|_| "(global (mut i64) (i64.const 1)) (table 3 funcref)").collect();
    for text in [
        "(module)".into(),
        "(module (memory 1))".into(),
        "(module (table 100 funcref) (elem declare func $f) (func $f))".into(),
        r#"(module (func (export "f") (param externref)))"#.into(),
        format!("(module {many})"),
    ] {
        let module = module(&text);
        let attempt = |words: usize| {
            let mut arena = vec![0u64; words];
            let mut store = Store::new(&engine, &mut arena, ())?;
            Some(Linker::new().instantiate(&mut store, &module).map(drop))
        };
        let first = (0..).find(|&words| attempt(words).is_some()).unwrap();
        let enough = (first..).find(|&words| attempt(words) == Some(Ok(()))).unwrap();
        assert!(enough > first, "{text}");
        for words in first..enough {
            let Some(Err(InstantiateError::ArenaTooSmall(needed, left))) = attempt(words) else {
                panic!("{text} with {words} words");
            };
            let missing = 8 * (enough - words) as u32;
            assert!(needed > left && needed - left <= missing, "{text}: {needed} of {left}, {missing} are missing");
        }
    }
}

#[test]
fn a_memory_above_the_limit_is_refused() {
    let engine = Engine::new(&Config::new().max_memory(65536));
    let mut store = Store::with_capacity(&engine, 1 << 20, ()).unwrap();
    let error = Linker::new().instantiate(&mut store, &module("(module (memory 2))")).unwrap_err();
    assert_eq!(error, InstantiateError::MemoryLimit(131072, 65536));
    // it grows up to the limit only
    let text = r#"(module (memory 1) (func (export "f") (result i32) (memory.grow (i32.const 1))))"#;
    let instance = Linker::new().instantiate(&mut store, &module(text)).unwrap();
    assert_eq!(instance.get_typed_func::<(), i32>(&store, "f").unwrap().call(&mut store, ()), Ok(-1));
}

#[test]
fn problems_of_imports_name_the_import() {
    let linker = Linker::from_table(&TABLE);
    let problem = |text: &str| instance(text, &linker, 0u32).err().unwrap();
    let unknown =
        problem(r#"(module (import "env" "add" (func (param i32) (result i32))) (import "env" "sub" (func)))"#);
    assert_eq!(unknown, InstantiateError::Import(1, LinkProblem::Unknown));
    let text =
        unknown.describe(module(r#"(module (import "a" "b" (func)) (import "env" "sub" (func)))"#).image()).to_string();
    assert!(text.contains("`env` `sub`"), "{text}");
    let signature = problem(r#"(module (import "env" "add" (func (param i64) (result i32))))"#);
    assert_eq!(signature, InstantiateError::Import(0, LinkProblem::Signature));
    let memory = problem(r#"(module (import "env" "memory" (memory 1)))"#);
    assert_eq!(memory, InstantiateError::Import(0, LinkProblem::Unknown));
}

struct Section;

unsafe extern "C" fn triple(_: *mut Ctx, slots: *mut u32, env: *const ()) -> RawTrap {
    // SAFETY: the signature says one parameter and one result of one slot; env is the number below.
    unsafe { *slots = *slots * 3 + *env.cast::<u32>() };
    RawTrap::NONE
}

unsafe extern "C" fn fails(_: *mut Ctx, _: *mut u32, _: *const ()) -> RawTrap {
    RawTrap::of(TrapCode::HostError)
}

static ONE: u32 = 1;

impl Resolve<()> for Section {
    fn resolve(&self, module: Name<'_>, name: Name<'_>, _: FuncType<'_>) -> Option<HostFunction<()>> {
        let env = (&raw const ONE).cast();
        let (name, letters, function): (_, _, wisp_engine::RawHostFn) = match (module.shown(), name.shown()) {
            ("c", "triple") => ("triple", b"(i)i".as_slice(), triple),
            ("c", "fails") => ("fails", b"(*~)", fails),
            _ => return None,
        };
        // SAFETY: the functions above match these signatures and use `env` as they may.
        Some(unsafe { HostFunction::raw("c", name, Signature::Letters(letters), function, env) })
    }
}

#[test]
fn a_resolver_finds_raw_functions_by_name_and_letters() {
    let mut linker = Linker::<()>::new();
    linker.resolver(&Section).ok().unwrap();
    let text = r#"(module (import "c" "triple" (func $triple (param i32) (result i32)))
        (import "c" "fails" (func $fails (param i32 i32)))
        (func (export "f") (result i32) (call $triple (i32.const 5)))
        (func (export "g") (call $fails (i32.const 5) (i32.const 6))))"#;
    let (mut store, linked) = instance(text, &linker, ()).unwrap();
    assert_eq!(linked.get_typed_func::<(), i32>(&store, "f").unwrap().call(&mut store, ()), Ok(16));
    let trap = linked.get_typed_func::<(), ()>(&store, "g").unwrap().call(&mut store, ()).unwrap_err();
    assert_eq!((trap.code, trap.func), (TrapCode::HostError, 1));
    let wrong = r#"(module (import "c" "fails" (func $fails (param i32 i64))))"#;
    assert_eq!(instance(wrong, &linker, ()).err(), Some(InstantiateError::Import(0, LinkProblem::Signature)));
}

#[test]
fn instances_share_functions_memories_tables_and_globals() {
    let mut store = store(());
    let owner = module_of(image_of(
        r#"(module (memory (export "memory") 1 4) (table (export "table") 4 8 funcref)
            (global (export "counter") (mut i64) (i64.const 5))
            (global (export "constant") i32 (i32.const 9))
            (func $count (export "count") (param i64) (result i64)
              (global.set 0 (i64.add (global.get 0) (local.get 0))) (global.get 0))
            (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
            (func (export "trap") unreachable)
            (func (drop (memory.grow (i32.const 0))))
            (elem (i32.const 0) $count))"#,
        false,
    ));
    let mut linker = Linker::new();
    let owner = linker.instantiate(&mut store, &owner).unwrap();
    linker.instance(&store, "owner", owner);
    let user = module(
        r#"(module (type $count (func (param i64) (result i64)))
            (import "owner" "count" (func $count (type $count)))
            (import "owner" "trap" (func $trap))
            (import "owner" "memory" (memory 1)) (import "owner" "table" (table 1 funcref))
            (import "owner" "counter" (global $counter (mut i64))) (import "owner" "constant" (global i32))
            (global $own i32 (global.get 1))
            (elem (i32.const 1) $mine $count)
            (func $mine (type $count) (i64.mul (local.get 0) (i64.const 2)))
            (func (export "count") (param i64) (result i64) (call $count (local.get 0)))
            (func (export "counter") (result i64) (global.get $counter))
            (func (export "own") (result i32) (global.get $own))
            (func (export "indirect") (param i32 i64) (result i64)
              (call_indirect (type $count) (local.get 1) (local.get 0)))
            (func (export "tail") (param i32 i64) (result i64)
              (return_call_indirect (type $count) (local.get 1) (local.get 0)))
            (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
            (func (export "grow") (result i32) (memory.grow (i32.const 1)))
            (func (export "trap") (call $trap)))"#,
    );
    let user = linker.instantiate(&mut store, &user).unwrap();
    let count = user.get_typed_func::<i64, i64>(&store, "count").unwrap();
    assert_eq!(count.call(&mut store, 3), Ok(8));
    assert_eq!(user.get_typed_func::<(), i64>(&store, "counter").unwrap().call(&mut store, ()), Ok(8));
    assert_eq!(user.get_typed_func::<(), i32>(&store, "own").unwrap().call(&mut store, ()), Ok(9));
    for name in ["indirect", "tail"] {
        let call = user.get_typed_func::<(i32, i64), i64>(&store, name).unwrap();
        let now = count.call(&mut store, 0).unwrap();
        assert_eq!(call.call(&mut store, (0, 2)), Ok(now + 2), "the owner's function");
        assert_eq!(call.call(&mut store, (1, 21)), Ok(42), "its own");
        assert_eq!(call.call(&mut store, (2, 1)), Ok(now + 3), "the import, through the table");
        assert_eq!(call.call(&mut store, (3, 1)).unwrap_err().code, TrapCode::IndirectCallToNull);
    }
    let load = owner.get_typed_func::<i32, i32>(&store, "load").unwrap();
    let put = user.get_typed_func::<(i32, i32), ()>(&store, "store").unwrap();
    put.call(&mut store, (100, 77)).unwrap();
    assert_eq!(load.call(&mut store, 100), Ok(77));
    // one instance grows the memory, the other sees it
    assert_eq!(load.call(&mut store, 65536).unwrap_err().code, TrapCode::MemoryOutOfBounds);
    assert_eq!(user.get_typed_func::<(), i32>(&store, "grow").unwrap().call(&mut store, ()), Ok(1));
    assert_eq!(load.call(&mut store, 65536), Ok(0));
    // a trap keeps the place where it arose: the owner's function 2
    let trap = user.get_typed_func::<(), ()>(&store, "trap").unwrap().call(&mut store, ()).unwrap_err();
    assert_eq!((trap.code, trap.func), (TrapCode::Unreachable, 2));
    assert_eq!(store.backtrace().next().map(|frame| frame.instance), Some(owner.index()));
}

#[test]
fn fuel_is_one_budget_for_all_instances() {
    let mut store = store(());
    let mut linker = Linker::new();
    let inner = module(
        r#"(module (func (export "f") (param i32)
        (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#,
    );
    let inner = linker.instantiate(&mut store, &inner).unwrap();
    linker.instance(&store, "inner", inner);
    let outer = module(
        r#"(module (import "inner" "f" (func $f (param i32)))
        (func (export "g") (param i32) (call $f (local.get 0)) (call $f (local.get 0))))"#,
    );
    let outer = linker.instantiate(&mut store, &outer).unwrap();
    let g = outer.get_typed_func::<i32, ()>(&store, "g").unwrap();
    store.set_fuel(Some(100));
    assert_eq!(g.call(&mut store, 10), Ok(()));
    // g, and twice f with nine branches back
    assert_eq!(store.fuel(), Some(100 - 1 - 2 * 10));
    store.set_fuel(Some(20));
    assert_eq!(g.call(&mut store, 10).unwrap_err().code, TrapCode::OutOfFuel);
    assert_eq!(store.fuel(), Some(0));
}

#[test]
fn the_host_makes_what_guests_import() {
    let mut store = store(());
    let memory = Memory::new(&mut store, 1, Some(2), 16).unwrap();
    let table = Table::new(&mut store, ValType::FuncRef, 2, Some(4)).unwrap();
    let global = Global::new(&mut store, Val::I64(1 << 40), true).unwrap();
    let mut linker = Linker::new();
    linker.define("host", "memory", Extern::Memory(memory));
    linker.define("host", "table", Extern::Table(table));
    linker.define("host", "global", Extern::Global(global));
    let text = r#"(module (import "host" "memory" (memory 1 2)) (import "host" "table" (table 2 funcref))
        (import "host" "global" (global (mut i64)))
        (func $seven (export "seven") (result i32) (i32.const 7))
        (elem (i32.const 1) $seven) (data (i32.const 3) "x")
        (func (export "f") (global.set 0 (i64.add (global.get 0) (i64.const 1)))))"#;
    let guest = linker.instantiate(&mut store, &module(text)).unwrap();
    assert_eq!(memory.data(&store)[3], b'x');
    memory.write(&mut store, 65535, &[1, 2]).unwrap_err();
    assert_eq!(memory.grow(&mut store, 1), Some(1));
    memory.write(&mut store, 65535, &[1, 2]).unwrap();
    assert_eq!(memory.grow(&mut store, 1), None);
    let seven = guest.get_func(&store, "seven");
    assert_eq!(table.get(&store, 1), Some(Val::FuncRef(seven)));
    table.set(&mut store, 0, Val::FuncRef(seven)).unwrap();
    assert_eq!(table.set(&mut store, 0, Val::ExternRef(None)), Err(TrapCode::ArgumentMismatch));
    assert_eq!(table.grow(&mut store, 2, Val::FuncRef(None)), Ok(2));
    assert_eq!(table.grow(&mut store, 1, Val::FuncRef(None)), Err(TrapCode::TableOutOfBounds));
    guest.get_typed_func::<(), ()>(&store, "f").unwrap().call(&mut store, ()).unwrap();
    assert_eq!(global.get(&store), Some(Val::I64((1 << 40) + 1)));
    assert_eq!(global.set(&mut store, Val::I32(0)), Err(TrapCode::ArgumentMismatch));
    global.set(&mut store, Val::I64(3)).unwrap();
    assert_eq!(global.get(&store), Some(Val::I64(3)));
}

#[test]
fn limits_of_imports_are_compared() {
    let mut store = store(());
    let mut linker = Linker::new();
    let memory = Memory::new(&mut store, 1, Some(2), 16).unwrap();
    linker.define("host", "memory", Extern::Memory(memory));
    for (text, fits) in [("1", true), ("1 2", true), ("2", false), ("1 1", false), ("0 3", true)] {
        let text = format!(r#"(module (import "host" "memory" (memory {text})))"#);
        assert_eq!(linker.instantiate(&mut store, &module(&text)).is_ok(), fits, "{text}");
    }
}

#[test]
fn handles_of_another_store_are_refused() {
    let (store_a, guest) =
        instance(r#"(module (func) (func (export "f")) (memory (export "m") 1))"#, &Linker::new(), ()).unwrap();
    let f = guest.get_func(&store_a, "f").unwrap();
    let memory = guest.get_memory(&store_a, "m").unwrap();
    let mut empty = store(());
    assert_eq!(f.call(&mut empty, &[], &mut []).unwrap_err().code, TrapCode::UnknownHandle);
    assert!(memory.data(&empty).is_empty());
    assert!(guest.get_func(&empty, "f").is_none());
    assert!(Global::new(&mut empty, Val::FuncRef(Some(f)), false).is_none());
}

#[test]
fn calls_with_other_types_are_the_hosts_mistake() {
    let (mut store, guest) =
        instance(r#"(module (func (export "f") (param i32) (result i64) (i64.const 1)))"#, &Linker::new(), ()).unwrap();
    let f = guest.get_func(&store, "f").unwrap();
    let mut result = [Val::I32(0)];
    assert_eq!(f.call(&mut store, &[Val::I32(1)], &mut result), Ok(()));
    assert_eq!(result, [Val::I64(1)]);
    for (params, results) in [(&[][..], 1), (&[Val::I64(1)][..], 1), (&[Val::I32(1)][..], 0)] {
        let trap = f.call(&mut store, params, &mut result[..results]).unwrap_err();
        assert_eq!(trap.code, TrapCode::ArgumentMismatch);
    }
    assert!(guest.get_typed_func::<i32, i32>(&store, "f").is_none());
    assert!(f.typed::<(i32, i32), i64>(&store).is_none());
}

#[test]
fn exports_are_listed_in_order() {
    let text = r#"(module (func (export "a")) (memory (export "b") 1) (global (export "c") i32 (i32.const 1)))"#;
    let (store, guest) = instance(text, &Linker::new(), ()).unwrap();
    let mut names = Vec::new();
    guest.for_each_export(&store, |name, external| names.push((name.to_string(), matches!(external, Extern::Func(_)))));
    assert_eq!(names, [("a".into(), true), ("b".into(), false), ("c".into(), false)]);
}

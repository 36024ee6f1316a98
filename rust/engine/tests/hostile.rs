// SPDX-License-Identifier: Apache-2.0
//! Images that were tampered with: refused, or harmless.

mod common;

use common::image;
use wisp_engine::{scratch, Caller, Config, Engine, Extern, HostFunction, Linker, Module, Store, TrapCode, Val};

/// A module that has one of everything, so that a flipped bit meets something.
const RICH: &str = r#"(module
    (type $unary (func (param i32) (result i32)))
    (import "env" "host" (func $host (param i32 i64) (result i64)))
    (memory (export "memory") 1 2) (data (i32.const 8) "\01\02\03\04\05\06\07\08") (data $passive "passive")
    (table $t 8 16 funcref) (table $e 4 externref)
    (elem (i32.const 0) $twice $fact $fact) (elem $late func $twice $sum) (elem declare func $loads)
    (global $g (mut i32) (i32.const 5)) (global $h (mut i64) (i64.const -1)) (global $r (mut funcref) (ref.null func))
    (func $twice (export "twice") (type $unary) (i32.add (local.get 0) (local.get 0)))
    (func $fact (export "fact") (type $unary)
      (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (i32.const 1))
        (else (i32.mul (local.get 0) (call $fact (i32.sub (local.get 0) (i32.const 1)))))))
    (func $sum (export "sum") (type $unary) (local i32 i64)
      (loop $l
        (local.set 1 (i32.add (local.get 1) (i32.load8_u offset=8 (local.get 0))))
        (local.set 2 (i64.add (local.get 2) (i64.load offset=4 (local.get 0))))
        (i32.store16 offset=100 (local.get 0) (local.get 1))
        (i64.store offset=200 (local.get 0) (local.get 2))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (i32.add (local.get 1) (i32.wrap_i64 (local.get 2))))
    (func $loads (export "loads") (type $unary)
      (memory.copy (i32.const 300) (local.get 0) (i32.const 50))
      (memory.fill (local.get 0) (i32.const 7) (i32.const 9))
      (memory.init $passive (local.get 0) (i32.const 0) (i32.const 7)) (data.drop $passive)
      (drop (memory.grow (i32.const 0)))
      (i32.add (memory.size) (i32.load (i32.const 298))))
    (func (export "tables") (type $unary)
      (table.init $t $late (i32.const 4) (i32.const 0) (i32.const 2)) (elem.drop $late)
      (table.copy $t $t (i32.const 1) (i32.const 3) (i32.const 3))
      (table.fill $t (i32.const 6) (ref.func $loads) (i32.const 2))
      (drop (table.grow $e (ref.null extern) (i32.const 1)))
      (global.set $r (table.get $t (i32.const 4))) (table.set $t (i32.const 0) (global.get $r))
      (call_indirect $t (type $unary) (i32.const 3) (i32.and (local.get 0) (i32.const 7))))
    (func (export "switch") (type $unary)
      (block $a (block $b (block $c (br_table $a $b $c (local.get 0))) (return (i32.const 10)))
        (return (call $twice (global.get $g))))
      (global.set $g (i32.add (global.get $g) (i32.const 1)))
      (i32.wrap_i64 (call $host (local.get 0) (global.get $h))))
    (func (export "floats") (type $unary)
      (i32.trunc_f64_s (f64.mul (f64.sqrt (f64.convert_i32_s (local.get 0))) (f64.const 1e9))))
    (func (export "tail") (type $unary)
      (if (i32.eqz (local.get 0)) (then (return (i32.const 3))))
      (return_call_indirect $t (type $unary) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))))"#;

static HOST: [HostFunction<u64>; 1] =
    [HostFunction::wrap("env", "host", |mut caller: Caller<'_, u64>, x: i32, y: i64| {
        *caller.data_mut() ^= 1;
        i64::from(x) ^ y
    })];

const CANARY: u64 = 0xc0ff_ee00_dead_beef;
/// Words of the arena, and of the canaries on both sides of it.
const ARENA: usize = 10_240;
const GUARD: usize = 512;

/// Runs all exports of an image that verifies. Returns `true` if it did.
fn run(image: &[u8], memory: &mut [u64]) -> bool {
    memory.fill(CANARY);
    let engine = Engine::new(&Config::new().stack_size(1024).table_capacity(16).max_memory(66_000));
    let arena = &mut memory[GUARD..GUARD + ARENA];
    let Ok(module) = Module::new_in(&engine, image, scratch(arena)) else { return false };
    let mut store = Store::new(&engine, arena, 0u64).expect("the arena holds the frames");
    store.set_fuel(Some(500));
    let Ok(instance) = Linker::from_table(&HOST).instantiate(&mut store, &module) else { return true };
    let mut functions = Vec::new();
    instance.for_each_export(&store, |_, external| {
        if let Extern::Func(func) = external {
            functions.push(func);
        }
    });
    for func in functions {
        let Some(ty) = func.ty(&store) else { continue };
        let params: Vec<Val> = ty.params.iter().map(|&ty| Val::from_bits(ty, 6)).collect();
        let params: Vec<Val> =
            params.into_iter().map(|v| if let Val::FuncRef(_) = v { Val::FuncRef(None) } else { v }).collect();
        let mut results = vec![Val::I32(0); ty.results.len()];
        store.set_fuel(Some(500));
        if func.call(&mut store, &params, &mut results).is_err() {
            assert!(store.backtrace().count() < 300);
        }
    }
    true
}

#[test]
fn images_with_flipped_bits_are_refused_or_stay_in_their_arena() {
    let original = image(RICH);
    let mut memory = vec![0; ARENA + 2 * GUARD];
    assert!(run(original, &mut memory), "the image as it was verifies");
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let (mut accepted, rounds) = (0, if cfg!(miri) { 60 } else { 30_000 });
    let mut bytes = original.to_vec();
    for _ in 0..rounds {
        bytes.copy_from_slice(original);
        for _ in 0..1 + random(2) {
            let at = random(bytes.len());
            match random(3) {
                0 => bytes[at] ^= 1 << random(8),
                1 => bytes[at] = random(256) as u8,
                _ => bytes[at] = bytes[random(original.len())],
            }
        }
        accepted += usize::from(run(&bytes, &mut memory));
        assert!(memory[..GUARD].iter().chain(&memory[GUARD + ARENA..]).all(|&word| word == CANARY));
    }
    // otherwise the test would not test what runs
    assert!(accepted > rounds / 20, "{accepted} of {rounds} verified");
    assert!(accepted < rounds, "{accepted} of {rounds} verified");
}

#[test]
fn images_cut_short_are_refused() {
    let original = image(RICH);
    let mut memory = vec![0; ARENA + 2 * GUARD];
    let total = u32::from_le_bytes([original[8], original[9], original[10], original[11]]) as usize;
    for length in (0..total).step_by(if cfg!(miri) { 60 } else { 1 }) {
        assert!(!run(&original[..length], &mut memory), "{length}");
    }
}

#[test]
fn an_access_beyond_a_trimmed_memory_has_a_trap_of_its_own() {
    let mut guest = common::Guest::new(
        r#"(module (memory 1) (global (export "__heap_base") i32 (i32.const 1024)) (data (i32.const 0) "x")
            (func (export "load") (param i32) (result i32) (i32.load offset=4 (local.get 0)))
            (func (export "fill") (param i32) (memory.fill (local.get 0) (i32.const 0) (i32.const 8))))"#,
    );
    let load = guest.typed::<i32, i32>("load");
    assert_eq!(load.call(&mut guest.store, 1016), Ok(0));
    for (at, code) in [
        (1017, TrapCode::BeyondTrimmedMemory),
        (65528, TrapCode::BeyondTrimmedMemory),
        (65529, TrapCode::MemoryOutOfBounds),
        (-4, TrapCode::MemoryOutOfBounds),
        (-1, TrapCode::MemoryOutOfBounds),
    ] {
        assert_eq!(load.call(&mut guest.store, at).unwrap_err().code, code, "{at}");
    }
    let fill = guest.typed::<i32, ()>("fill");
    assert_eq!(fill.call(&mut guest.store, 1020).unwrap_err().code, TrapCode::BeyondTrimmedMemory);
}

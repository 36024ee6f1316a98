// SPDX-License-Identifier: Apache-2.0
//! Random loops around the end of memory. Code that leaves checks out, because it knows the range of an address, does what
//! the interpreter does, and ends the process where an access without a check would be outside.
#![cfg(all(target_arch = "x86_64", unix))]

mod common;

use common::{compiled, image_with, loaded};
use wisp_aotc::Options;
use wisp_engine::{Config, Engine, Linker, Store, TrapCode, Val};

/// Modules, and functions in each.
const MODULES: u64 = 5;
const FUNCTIONS: usize = 24;
/// Arguments of the calls of each function.
const ARGUMENTS: [i32; 6] = [0, 3, 255, 65_520, -16, i32::MIN];

/// Pseudo-random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// Locals 2 to 5 are those that loops step, 6 counts rounds, 7 is the result. Locals 8 and 9 have 64 bits.
fn local(random: &mut Random) -> usize {
    2 + random.below(4)
}

/// Returns a number of 32 bits that is made of one of 64.
fn narrowed(random: &mut Random) -> String {
    let wide = format!("(local.get {})", 8 + random.below(2));
    let value = match random.below(4) {
        0 => format!("(i64.rem_u {wide} (i64.const {}))", random.of(&[1000i64, 65_535, 70_000, 1 << 33])),
        1 => format!("(i64.and {wide} (i64.const {}))", random.of(&[255i64, 65_535, -1 << 32, 0xffff_ffff])),
        _ => format!("(i64.shr_u {wide} (i64.const {}))", random.of(&[8, 16, 24, 32, 32, 40, 48, 49])),
    };
    format!("(i32.wrap_i64 {value})")
}

/// Returns a statement that sets a local of 64 bits.
fn widened(random: &mut Random) -> String {
    let wide = 8 + random.below(2);
    match random.below(4) {
        0 => format!("(local.set {wide} (i64.extend_i32_{} (local.get {})))", random.of(&["u", "s"]), local(random)),
        1 => format!("(local.set {wide} (i64.const {}))", random.of(&[0i64, 1 << 16, 1 << 40, 1 << 48, -1])),
        _ => {
            let step = random.of(&[1i64, 1 << 16, 1 << 24, 1 << 32, 1 << 33, 1 << 47, -1]);
            format!("(local.set {wide} (i64.add (local.get {wide}) (i64.const {step})))")
        }
    }
}

/// Returns a number that is mostly inside memory, else near its end or near that of the numbers.
fn number(random: &mut Random) -> i64 {
    let inside = [0, 0, 1, 4, 16, 33, 64, 255, 256, 1024, 4096, 60_000];
    let ends = [65_472, 65_504, 65_535, 65_536, -1, -4, -16, -512, i64::from(i32::MAX)];
    let near = random.of(&[0, 0, 0, 1, -1, 3]);
    match random.below(8) {
        0 => random.of(&ends) + near,
        _ => (random.of(&inside) + near).max(0),
    }
}

/// Returns a condition on locals, parameters and constants.
fn condition(random: &mut Random) -> String {
    let relation =
        random.of(&["eq", "ne", "ne", "lt_u", "lt_u", "le_u", "gt_u", "ge_u", "lt_s", "le_s", "gt_s", "ge_s"]);
    let left = format!("(local.get {})", local(random));
    let right = match random.below(4) {
        0 => format!("(local.get {})", local(random)),
        1 => format!("(local.get {})", random.below(2)),
        _ => format!("(i32.const {})", number(random) as i32),
    };
    let test = match random.below(3) {
        0 => format!("(i32.{relation} {right} {left})"),
        _ => format!("(i32.{relation} {left} {right})"),
    };
    match random.below(5) {
        0 => format!("(i32.eqz {test})"),
        1 => left,
        _ => test,
    }
}

/// Returns an address near a local.
fn address(random: &mut Random) -> String {
    let base = format!("(local.get {})", local(random));
    match random.below(11) {
        9 | 10 => narrowed(random),
        0 => format!("(i32.shl {base} (i32.const {}))", random.below(5)),
        1 | 2 => format!("(i32.and {base} (i32.const {}))", random.of(&[255, 65_535, 65_532, 65_528])),
        3 => format!("(i32.shr_u (i32.add {base} (local.get {})) (i32.const {}))", local(random), 1 + random.below(16)),
        4 => base,
        _ => format!("(i32.add {base} (i32.const {}))", number(random) as i32),
    }
}

fn statement(random: &mut Random, depth: usize) -> String {
    let step = match random.below(12) {
        0 => random.of(&[100, 1 << 20, 1 << 30, -300, i32::MIN]),
        1 | 2 => random.of(&[-1, -1, -2, -3, -4, -8]),
        _ => random.of(&[1, 1, 2, 3, 4, 4, 8, 16]),
    };
    match random.below(16) {
        14 | 15 => widened(random),
        0 | 1 => format!(
            "(local.set 7 (i32.add (local.get 7) (i32.load8_u offset={} {})))",
            random.of(&[0, 0, 0, 1, 32, 4000]),
            address(random)
        ),
        2 => format!(
            "(local.set 7 (i32.xor (local.get 7) (i32.load offset={} {})))",
            random.of(&[0, 4, 8]),
            address(random)
        ),
        3 => format!("(i32.store8 {} (local.get 7))", address(random)),
        4 => format!("(i64.store offset={} {} (i64.const 77))", random.of(&[0, 8]), address(random)),
        5 if depth > 0 => format!("(if {} (then {}))", condition(random), statements(random, depth - 1)),
        6 if depth > 0 => {
            let (then, otherwise) = (statements(random, depth - 1), statements(random, depth - 1));
            format!("(if {} (then {then}) (else {otherwise}))", condition(random))
        }
        7 | 8 if depth > 0 => looping(random, depth - 1),
        9 => {
            let (to, from) = (local(random), local(random));
            format!(
                "(local.set {to} (select (local.get {from}) (i32.const {}) {}))",
                number(random) as i32,
                condition(random)
            )
        }
        10 => format!("(local.set {} (i32.const {}))", local(random), number(random) as i32),
        11 => format!(
            "(local.set {} (i32.rem_u (local.get {}) (i32.const {})))",
            local(random),
            local(random),
            1 + random.below(70_000)
        ),
        _ => {
            let local = local(random);
            format!("(local.set {local} (i32.add (local.get {local}) (i32.const {step})))")
        }
    }
}

fn statements(random: &mut Random, depth: usize) -> String {
    (0..1 + random.below(4)).map(|_| statement(random, depth)).collect()
}

/// Returns a loop that ends after some rounds at the latest: by a local, of which the compiler knows, or by a global.
fn looping(random: &mut Random, depth: usize) -> String {
    let counted = match random.below(2) {
        0 => "(br_if 1 (i32.eqz (local.tee 6 (i32.sub (local.get 6) (i32.const 1)))))",
        _ => "(br_if 1 (i32.le_s (global.get 0) (i32.const 100)))",
    };
    let start: String = (0..random.below(4))
        .map(|_| format!("(local.set {} (i32.const {}))", local(random), number(random) as i32))
        .collect();
    let (before, after) = (statements(random, depth), statements(random, depth));
    let leave = if random.below(2) == 0 { format!("(br_if 1 {})", condition(random)) } else { String::new() };
    // local 6 begins where it is, so it may wrap around: the global ends that
    format!(
        "{start} (block (loop {before} {leave} {after}
            (global.set 0 (i32.sub (global.get 0) (i32.const 1))) (br_if 1 (i32.le_s (global.get 0) (i32.const 0))) {counted}
            (br_if 0 {})))",
        condition(random)
    )
}

fn module(random: &mut Random) -> String {
    let mut text = String::from("(module (memory 1 1) (global (mut i32) (i32.const 900))");
    text.push_str(
        "(func (export \"fill\") (global.set 0 (i32.const 900))
            (memory.fill (i32.const 0) (i32.const 0x5b) (i32.const 65536)))
        (func (export \"hash\") (result i32) (local i32 i32)
            (loop (local.set 1 (i32.add (i32.mul (local.get 1) (i32.const 31)) (i32.load8_u (local.get 0))))
                (local.set 1 (i32.add (i32.mul (local.get 1) (i32.const 31)) (i32.load8_u offset=65024 (local.get 0))))
                (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 512))))
            (local.get 1))",
    );
    for function in 0..FUNCTIONS {
        let counter = 1 + random.below(300);
        let body: String = (0..2).map(|_| looping(random, 2)).collect();
        // every other one is called by the module only, with constants, so that ranges of its parameters are known
        let (inner, second) = (number(random) as i32, number(random) as i32);
        text.push_str(&format!(
            "(func $i{function} (param i32 i32) (result i32) (local i32 i32 i32 i32 i32 i32 i64 i64)
                (local.set 2 (local.get 1)) (local.set 6 (i32.const {counter})) {body} (local.get 7))
            (func (export \"f{function}\") (param i32) (result i32)
                (i32.add (call $i{function} (i32.const {inner}) (i32.const {second}))
                    (call $i{function} (i32.const {second}) {})))",
            if function % 2 == 0 { "(local.get 0)" } else { "(i32.const 5)" }
        ));
    }
    text + ")"
}

/// Results, traps and memory of all calls.
fn outcomes(image: &[u8], native: bool) -> Vec<(Result<i32, TrapCode>, i32)> {
    let engine = Engine::new(&Config::new().stack_size(64 << 10));
    let module = loaded(&engine, image, native);
    let mut store = Store::with_capacity(&engine, 1 << 20, ()).unwrap();
    let instance = Linker::new().instantiate(&mut store, &module).unwrap();
    let mut call = |name: &str, arguments: &[Val], results: usize| {
        let mut out = [Val::I32(0); 1];
        let func = instance.get_func(&store, name).unwrap();
        let end = func.call(&mut store, arguments, &mut out[..results]);
        let Val::I32(value) = out[0] else { panic!("{name} returns no i32") };
        end.map(|()| value).map_err(|trap| trap.code)
    };
    let mut out = Vec::new();
    for function in 0..FUNCTIONS {
        for argument in ARGUMENTS {
            call("fill", &[], 0).unwrap();
            let end = call(&format!("f{function}"), &[Val::I32(argument)], 1);
            out.push((end, call("hash", &[], 1).unwrap()));
        }
    }
    out
}

#[test]
fn random_loops_stay_inside_memory_and_do_what_the_interpreter_does() {
    let seeds = std::env::var("WISP_RANGES").ok().and_then(|count| count.parse().ok()).unwrap_or(MODULES);
    let (mut values, mut traps) = (0, 0);
    for seed in 0..seeds {
        let text = module(&mut Random(seed * 7919 + 1));
        let (wasm, compiled) = compiled(&text);
        let expected = outcomes(&compiled.image, false);
        for strict in [true, false] {
            let options = Options { strict, assert_known: true, optimize: "-O1".into(), ..Options::default() };
            let native = outcomes(&image_with(&wasm, &compiled, &options), true);
            for (position, (expected, native)) in expected.iter().zip(&native).enumerate() {
                let place = format!("seed {seed}, strict {strict}, f{}", position / ARGUMENTS.len());
                assert_eq!(expected.0, native.0, "{place}\n{text}");
                // a trap may come before stores of its basic block
                if strict || expected.0.is_ok() {
                    assert_eq!(expected.1, native.1, "{place}: memory\n{text}");
                }
            }
        }
        values += expected.iter().filter(|(end, _)| end.is_ok()).count();
        traps += expected.iter().filter(|(end, _)| end.is_err()).count();
    }
    assert!(values > 100 && traps > 100, "{values} values and {traps} traps");
}

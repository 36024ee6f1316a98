// SPDX-License-Identifier: Apache-2.0
//! What spans more than 64 KiB of code, or is as large as validators allow, does what it should.

mod common;

use std::fmt::Write;

use common::module;
use wisp_engine::{Config, Engine, Instance, Linker, Store, TypedFunc, WasmValues};

const ROOM: usize = 2 << 20;
/// Statements of 20 bytes of code each: together more than a short branch or call reaches.
const STATEMENTS: u32 = 3600;

fn start(wat: &str) -> (Store<'static, ()>, Instance) {
    let engine = Engine::new(&Config::new().stack_size(512 << 10));
    let mut store = Store::with_capacity(&engine, ROOM, ()).expect("there is memory");
    let instance = Linker::new().instantiate(&mut store, &module(wat)).expect("it is linked");
    (store, instance)
}

fn func<P: WasmValues, R: WasmValues>(store: &Store<'_, ()>, instance: Instance, name: &str) -> TypedFunc<P, R> {
    instance.get_typed_func(store, name).expect("it is exported with this type")
}

/// Statements that change local 0, from this number on.
fn filler(from: u32, count: u32) -> String {
    (from..from + count).fold(String::new(), |mut text, n| {
        let (factor, mask) = constants(n);
        writeln!(text, "local.get 0 i32.const {factor} i32.mul i32.const {mask} i32.xor local.set 0").unwrap();
        text
    })
}

fn constants(n: u32) -> (u32, u32) {
    (n * 7 + 70_001, n + 90_001)
}

/// Returns the result of those statements for a number.
fn filled(from: u32, count: u32, x: u32) -> u32 {
    (from..from + count).map(constants).fold(x, |x, (factor, mask)| x.wrapping_mul(factor) ^ mask)
}

#[test]
fn calls_reach_over_more_than_64_kib() {
    // of the same size as the calls' reach, in small functions between caller and callee
    let between = (0..STATEMENTS / 8).fold(String::new(), |mut text, n| {
        write!(text, "(func (param i32) (result i32) {} local.get 0)", filler(8 * n, 8)).unwrap();
        text
    });
    let (mut store, instance) = start(&format!(
        "(module
           (func $first (param i32) (result i32) local.get 0 i32.const 1 i32.add)
           (func (export \"back\") (param i32) (result i32) (local i32)
             local.get 0 if (result i32) local.get 0 i32.const -1 i32.add call $last else i32.const 100 end)
           {between}
           (func (export \"go\") (param i32) (result i32) (local i32) local.get 0 call $first)
           (func (export \"constant\") (result i32) i32.const 41 call $first i32.const 7 call $near i32.add)
           (func (export \"tail\") (param i32) (result i32) local.get 0 i32.const 3 i32.mul return_call $first)
           (func $near (param i32) (result i32) local.get 0 i32.const 2 i32.mul)
           (func $last (param i32) (result i32) local.get 0 call 1 i32.const 1 i32.add))"
    ));
    assert_eq!(func::<i32, i32>(&store, instance, "go").call(&mut store, 1), Ok(2));
    assert_eq!(func::<(), i32>(&store, instance, "constant").call(&mut store, ()), Ok(56));
    assert_eq!(func::<i32, i32>(&store, instance, "tail").call(&mut store, 5), Ok(16));
    // three calls each way
    assert_eq!(func::<i32, i32>(&store, instance, "back").call(&mut store, 3), Ok(103));
}

#[test]
fn branches_reach_over_more_than_64_kib() {
    let (mut store, instance) = start(&format!(
        "(module
           (func (export \"skip\") (param i32) (result i32)
             block local.get 0 i32.const 5 i32.lt_u br_if 0 {0} end local.get 0)
           (func (export \"choose\") (param i32) (result i32)
             local.get 0 i32.const 1 i32.and if {0} else local.get 0 i32.const 9 i32.add local.set 0 end local.get 0)
           (func (export \"rounds\") (param i32) (result i32) (local i32)
             i32.const 3 local.set 1
             loop {0} local.get 1 i32.const -1 i32.add local.tee 1 br_if 0 end local.get 0)
           (func (export \"forever\") (param i32) (result i32) (local i32)
             loop {0} local.get 1 i32.const 1 i32.add local.tee 1 i32.const 2 i32.eq if local.get 0 return end br 0 end
             unreachable))",
        filler(0, STATEMENTS)
    ));
    let once = |x| filled(0, STATEMENTS, x);
    let mut call = |name, x: u32| func::<u32, u32>(&store, instance, name).call(&mut store, x).expect("it returns");
    assert_eq!((call("skip", 4), call("skip", 5)), (4, once(5)));
    assert_eq!((call("choose", 8), call("choose", 7)), (17, once(7)));
    assert_eq!(call("rounds", 11), once(once(once(11))));
    assert_eq!(call("forever", 12), once(once(12)));
}

#[test]
fn tables_reach_over_more_than_64_kib() {
    // the index chooses where to begin; index 4 goes to the loop's start once, and from there leaves
    let (mut store, instance) = start(&format!(
        "(module (func (export \"enter\") (param i32 i32) (result i32)
           block $end
             loop $again
               block $c block $b block $a
                 local.get 1 i32.const 1 i32.add local.set 1
                 local.get 1 i32.const 7 i32.and br_table $a $b $c $end $a $again $c $a $b
               end {} end {} end {}
             end
           end
           local.get 0))",
        filler(0, STATEMENTS),
        filler(10_000, STATEMENTS),
        filler(20_000, STATEMENTS)
    ));
    let from = |part: u32, x| (part..3).fold(x, |x, part| filled(10_000 * part, STATEMENTS, x));
    let enter = func::<(u32, u32), u32>(&store, instance, "enter");
    for (index, expected) in
        [(0, from(0, 3)), (1, from(1, 3)), (2, from(2, 3)), (3, 3), (4, from(0, 3)), (6, from(2, 3))]
    {
        assert_eq!(enter.call(&mut store, (3, index + 7)), Ok(expected), "index {index}");
    }
    // index 5 begins again, with one more
    assert_eq!(enter.call(&mut store, (3, 4)), Ok(from(2, 3)));
}

#[test]
fn the_largest_table_finds_each_target() {
    const ENTRIES: u32 = 65_520;
    let entries = (0..ENTRIES).fold(String::new(), |mut text, n| {
        write!(text, "{} ", n * 7 % 5).unwrap();
        text
    });
    let ends = (0..6).fold(String::new(), |mut text, n| {
        write!(text, "end i32.const {} return ", 10 + n).unwrap();
        text
    });
    let (mut store, instance) = start(&format!(
        "(module (func (export \"of\") (param i32) (result i32)
           {} local.get 0 br_table {entries} 5 {ends} end i32.const 99)
         (func (export \"sum\") (param i32 i32) (result i32)
           {0} local.get 1 local.get 0 i32.add i32.const 0 i32.add br_table {entries} 5 {ends} end i32.const 99))",
        "block ".repeat(7)
    ));
    let of = func::<u32, u32>(&store, instance, "of");
    let sum = func::<(u32, u32), u32>(&store, instance, "sum");
    let indices =
        [0, 1, 7997, 7998, 7999, 8000, 15_997, 15_998, 15_999, 23_997, 32_767, 32_768, 40_000, 65_518, 65_519];
    for index in indices {
        assert_eq!(of.call(&mut store, index), Ok(10 + index * 7 % 5), "index {index}");
        assert_eq!(sum.call(&mut store, (index, 0)), Ok(10 + index * 7 % 5), "index {index}");
    }
    for index in [ENTRIES, ENTRIES + 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        assert_eq!(of.call(&mut store, index), Ok(15), "index {index}");
    }
}

#[test]
fn blocks_are_nested_as_deep_as_one_likes() {
    const DEPTH: usize = 20_000;
    let (mut store, instance) = start(&format!(
        "(module (func (export \"out\") (param i32) (result i32)
           {} local.get 0 i32.const 7 i32.eq br_if {} local.get 0 br_if 0 {} local.get 0))",
        "block ".repeat(DEPTH),
        DEPTH - 1,
        "end local.get 0 i32.const 1 i32.add local.set 0 ".repeat(DEPTH)
    ));
    let out = func::<u32, u32>(&store, instance, "out");
    assert_eq!(out.call(&mut store, 7), Ok(8));
    assert_eq!(out.call(&mut store, 1), Ok(1 + DEPTH as u32));
}

#[test]
fn frames_of_almost_64_kib_hold_their_values() {
    const LOCALS: u64 = 8000;
    let sets = (0..LOCALS).fold(String::new(), |mut text, n| {
        write!(text, "local.get 0 i64.extend_i32_u i64.const {} i64.mul local.set {} ", n * n + 1, n + 1).unwrap();
        text
    });
    let sum = (0..LOCALS).fold(String::new(), |mut text, n| {
        write!(text, "local.get {} i64.add ", n + 1).unwrap();
        text
    });
    let (mut store, instance) = start(&format!(
        "(module (func (export \"sum\") (param i32) (result i64) (local {}) {sets} i64.const 0 {sum}))",
        "i64 ".repeat(LOCALS as usize)
    ));
    let expected = (0..LOCALS).map(|n| 3 * (n * n + 1)).sum::<u64>();
    assert_eq!(func::<u32, u64>(&store, instance, "sum").call(&mut store, 3), Ok(expected));
}

#[test]
fn a_deep_operand_stack_keeps_its_order() {
    const VALUES: u32 = 3000;
    let pushes = (0..VALUES).fold(String::new(), |mut text, n| {
        // constants, locals that change afterwards, and results
        write!(text, "local.get 0 local.get 0 i32.const {n} i32.add local.tee 0 i32.const {n} ").unwrap();
        text
    });
    let (mut store, instance) = start(&format!(
        "(module (func (export \"fold\") (param i32) (result i32) {pushes} {}))",
        "i32.const 3 i32.rotl i32.sub ".repeat(3 * VALUES as usize - 1)
    ));
    let mut x = 5_u32;
    let mut stack = Vec::new();
    for n in 0..VALUES {
        stack.push(x);
        x = x.wrapping_add(n);
        stack.extend([x, n]);
    }
    let mut top = stack.pop().unwrap();
    while let Some(below) = stack.pop() {
        top = below.wrapping_sub(top.rotate_left(3));
    }
    assert_eq!(func::<u32, u32>(&store, instance, "fold").call(&mut store, 5), Ok(top));
}

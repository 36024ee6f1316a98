// SPDX-License-Identifier: Apache-2.0
//! Images of which the meaning was changed, not the bytes at random: another op in place of one, other slots, globals,
//! tables, types, functions, another kind of reference, the accumulator where a slot was. What the verifier accepts
//! passes a second checker ([`crate::reference`]), and is run between guard pages beside other instances of the same
//! store, which must not notice.

use std::cell::RefCell;
use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use wisp_compiler::{compile, Options};
use wisp_engine::{Caller, Config, Engine, Extern, Func, Instance, Linker, Module, Store, Val, ValType};
use wisp_image::format::Section;
use wisp_image::ops::{self, Operand};
use wisp_image::{disassemble, Image};

use crate::guard::Guarded;
use crate::{reference, Outcome};

const ARENA: usize = 512 << 10;
const LARGEST: usize = 64 << 10;
const STACK: u32 = 8 << 10;
const FUEL: u64 = 2_000;

/// Shares nothing: nobody may reach what it has.
const ALONE: &str = r#"(module (memory 1) (type $v (func (result i32)))
    (func $private (type $v) (i32.store (i32.const 0) (i32.const 1)) (i32.const 0x5ec4e7))
    (func (export "untouched") (result i32) (i32.load (i32.const 0)))
    (func (export "work") (param i32) (result i32) (local i64 i64 i64 i64)
        (local.set 1 (i64.const 0x05ec4e75ec4e75ec)) (local.set 2 (local.get 1)) (local.set 3 (local.get 1))
        (if (i32.eqz (local.get 0)) (then (return (i32.wrap_i64 (local.get 3)))))
        (i32.add (i32.wrap_i64 (local.get 2)) (i32.const 1)))
    (func (export "keep") (if (i32.const 0) (then (drop (call $private))))))"#;

/// Gives some of what it has.
const FRIEND: &str = r#"(module (type $v (func (result i32)))
    (global $touched (mut i32) (i32.const 0))
    (func $private (type $v) (global.set $touched (i32.const 1)) (i32.const 2))
    (func $public (export "public") (type $v) (i32.const 7))
    (table (export "table") 3 5 funcref) (elem (i32.const 0) $public)
    (table (export "others") 2 4 externref)
    (global (export "constant") i32 (i32.const 1234)) (global (export "wide") i64 (i64.const 5678))
    (global (export "number") (mut i32) (i32.const 0)) (global (export "func") (mut funcref) (ref.func $public))
    (global (export "extern") (mut externref) (ref.null extern))
    (func (export "same") (param funcref externref) (result externref funcref) (local.get 1) (local.get 0))
    (func (export "untouched") (result i32) (global.get $touched))
    (func (export "keep") (if (i32.const 0) (then (drop (call $private))))))"#;

/// Has something of each kind, to be changed.
const HOSTILE: &str = r#"(module (type $v (func (result i32))) (type $two (func (param i32 i64) (result i64 i32)))
    (import "f" "table" (table $shared 1 5 funcref)) (import "f" "others" (table $others 1 4 externref))
    (import "f" "constant" (global $constant i32)) (import "f" "wide" (global $wide i64))
    (import "f" "number" (global $number (mut i32))) (import "f" "func" (global $func (mut funcref)))
    (import "f" "extern" (global $extern (mut externref)))
    (import "f" "same" (func $same (param funcref externref) (result externref funcref)))
    (import "f" "public" (func $public (type $v)))
    (import "h" "give" (func $give (param i32) (result i32))) (import "h" "take" (func $take (param funcref)))
    (memory (export "memory") 1 1) (data (i32.const 8) "\01\02\03\04") (data $passive "passive")
    (table $own (export "own") 6 8 funcref) (table $e (export "e") 3 4 externref)
    (elem (i32.const 0) $a $b) (elem $late func $a $public) (elem $later externref (ref.null extern))
    (elem declare func $tail $c)
    (global $n (export "n") (mut i32) (i32.const 5)) (global $l (mut i64) (i64.const -1)) (global $k i32 (i32.const 9))
    (global $r (export "r") (mut funcref) (ref.null func)) (global $x (mut externref) (ref.null extern))
    (global $f funcref (ref.func $a))
    (func $a (type $v) (i32.add (global.get $n) (i32.load8_u (i32.const 9))))
    (func $b (type $v) (global.set $number (global.get $constant)) (i32.const 3))
    (func $c (type $two) (i64.add (local.get 1) (i64.extend_i32_s (local.get 0))) (i32.sub (local.get 0) (i32.const 1)))
    (func $tail (type $v) (return_call_indirect $own (type $v) (i32.const 0)))
    (func (export "refs") (param i32 externref)
        (table.set $own (i32.const 2) (ref.func $c)) (table.set $own (local.get 0) (table.get $shared (i32.const 0)))
        (table.set $shared (i32.const 1) (ref.func $tail)) (table.fill $own (i32.const 3) (ref.func $a) (i32.const 2))
        (drop (table.grow $own (global.get $func) (i32.const 1))) (table.set $e (i32.const 0) (local.get 1))
        (table.copy $own $shared (i32.const 4) (i32.const 0) (i32.const 1)) (table.copy $e $others (i32.const 1) (i32.const 0) (i32.const 1))
        (table.init $own $late (i32.const 1) (i32.const 0) (i32.const 2)) (table.init $e $later (i32.const 0) (i32.const 0) (i32.const 1))
        (global.set $r (table.get $own (i32.const 3))) (global.set $func (global.get $r)) (global.set $x (local.get 1))
        (global.set $extern (global.get $x)) (elem.drop $late) (call $take (global.get $r)))
    (func (export "calls") (param i32) (result i32) (local i32)
        (local.set 1 (call $give (local.get 0))) (global.set $n (i32.add (global.get $n) (local.get 1)))
        (i32.add (call_indirect $own (type $v) (i32.and (local.get 0) (i32.const 7))) (call $a)))
    (func (export "pass") (param funcref externref) (result externref funcref) (call $same (local.get 0) (local.get 1)))
    (func (export "own_ref") (result funcref) (ref.func $b))
    (func (export "loop") (param i32) (result i32) (local i64)
        (loop $l (local.set 1 (i64.add (local.get 1) (i64.load (local.get 0)))) (global.set $l (local.get 1))
            (i32.store8 (local.get 0) (i32.wrap_i64 (local.get 1)))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (block $z (block $y (br_table $y $z (global.get $k))) (return (call $tail)))
        (memory.init $passive (i32.const 0) (i32.const 1) (i32.const 2)) (memory.fill (i32.const 3) (i32.const 4) (i32.const 5))
        (select (global.get $n) (i32.wrap_i64 (global.get $wide)) (i32.eqz (memory.grow (i32.const 0)))))
    (func (export "two") (param i32 i64) (result i64 i32) (return_call $c (local.get 0) (local.get 1))))"#;

fn image(text: &str) -> Vec<u8> {
    let wasm = wat::parse_str(text).expect("the text is a module");
    compile(&wasm, &Options::default()).expect("the module compiles").image
}

static IMAGES: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| [image(ALONE), image(FRIEND), image(HOSTILE)]);

thread_local! {
    static MEMORY: RefCell<(Guarded, Guarded)> = RefCell::new((Guarded::new(ARENA), Guarded::new(LARGEST)));
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// An op among an image's bytes: where it is, its words, and where each of its operands is.
type Place = (usize, usize, Vec<(usize, Operand)>);

/// Returns an image that has something of each kind.
pub fn hostile() -> Vec<u8> {
    IMAGES[2].clone()
}

/// Changes what a few ops of an image mean.
pub fn change(u: &mut Unstructured<'_>, bytes: &mut [u8]) -> Result<()> {
    let parsed = Image::parse(bytes).expect("it was compiled");
    let code = parsed.section(Section::Code);
    if code.is_empty() {
        return Ok(());
    }
    let start = code.as_ptr().addr() - bytes.as_ptr().addr();
    let places: Vec<Place> = disassemble::ops(code, 0, code.len())
        .map(|decoded| {
            let mut at = 2;
            let mut operands = Vec::new();
            for part in decoded.op.parts() {
                for &operand in part.form {
                    operands.push((start + decoded.offset + at, operand));
                    at += 2 * operand.words();
                }
            }
            (start + decoded.offset, decoded.bytes.len() / 2, operands)
        })
        .collect();
    for _ in 0..u.int_in_range(1..=4)? {
        let (at, words, operands) = u.choose(&places)?;
        match u.int_in_range(0..=6)? {
            // any op of as many words: an accumulator for a slot, a constant for a reference, a call for a move
            0..=2 => {
                let fits = |number: &u16| ops::op(*number).is_some_and(|op| op.words() == *words);
                let all: Vec<u16> = (0..ops::SINGLE as u16).filter(fits).collect();
                if !all.is_empty() {
                    bytes[*at..at + 2].copy_from_slice(&(u.choose(&all)? * 4).to_le_bytes());
                }
            }
            // an operand as another op of the module has it, of the same kind or not
            3 | 4 if !operands.is_empty() => {
                let (to, kind) = *u.choose(operands)?;
                let same: Vec<usize> = places
                    .iter()
                    .flat_map(|(_, _, operands)| operands)
                    .filter(|(_, other)| other.words() > 0 && (*other == kind || other.words() == 1))
                    .map(|&(from, _)| from)
                    .collect();
                if kind.words() > 0 {
                    let value = word(bytes, *u.choose(&same)?);
                    bytes[to..to + 2].copy_from_slice(&value.to_le_bytes());
                }
            }
            // a small index, or a slot
            5 if !operands.is_empty() => {
                let (to, kind) = *u.choose(operands)?;
                let value = match u.arbitrary()? {
                    true => u.int_in_range(0..=12u16)?,
                    false => u.int_in_range(0..=24u16)? * 4,
                };
                if kind.words() > 0 {
                    bytes[to..to + 2].copy_from_slice(&value.to_le_bytes());
                }
            }
            // two ops of the same length change places
            _ => {
                let same: Vec<usize> = places.iter().filter(|place| place.1 == *words).map(|place| place.0).collect();
                let other = *u.choose(&same)?;
                for byte in 0..2 * words {
                    bytes.swap(at + byte, other + byte);
                }
            }
        }
    }
    // or an entry of another section: a type, whether a global is mutable, a table of a segment
    if u.ratio(1, 4)? {
        let sections = [
            Section::Imports,
            Section::Globals,
            Section::Tables,
            Section::Elements,
            Section::Items,
            Section::Functions,
        ];
        let section = Image::parse(bytes).expect("its sections are as they were").section(*u.choose(&sections)?);
        if section.is_empty() {
            return Ok(());
        }
        let place = section.as_ptr().addr() - bytes.as_ptr().addr();
        let at = place + u.choose_index(section.len())?;
        bytes[at] = *u.choose(&[0, 1, 2, 0x6f, 0x70, 0x7f, 0x7e])?;
    }
    Ok(())
}

/// Runs one input.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let [alone, friend, hostile] = &*IMAGES;
    let mut changed = hostile.clone();
    if change(&mut u, &mut changed).is_err() {
        return Outcome::Rejected;
    }
    MEMORY.with_borrow_mut(|(arena, place)| {
        let changed = place.at_end(&changed);
        let engine = Engine::new(&Config::new().stack_size(STACK).native_depth(8).table_capacity(8).max_references(16));
        let Ok(module) = Module::new(&engine, changed) else { return Outcome::Refused };
        if let Err(hole) = reference::check(module.image()) {
            panic!("the verifier accepts what it must not: {hole}");
        }
        let arena = arena.words();
        arena.fill(0xa5a5_a5a5_a5a5_a5a5);
        let mut store = Store::new(&engine, arena, Vec::new()).expect("the arena is large enough");
        let module_of = |image| Module::new(&engine, image).expect("it was compiled");
        let (alone, friend) = (module_of(alone), module_of(friend));
        let alone = Linker::new().instantiate(&mut store, &alone).expect("it needs nothing");
        let friend = Linker::new().instantiate(&mut store, &friend).expect("it needs nothing");
        execute(&mut u, &mut store, alone, friend, &module)
    })
}

fn call(store: &mut Store<'_, Vec<u32>>, instance: Instance, name: &str) -> i32 {
    let func = instance.get_typed_func::<(), i32>(&*store, name).expect("it is exported");
    store.set_fuel(Some(FUEL));
    func.call(&mut *store, ()).expect("it works as ever")
}

fn execute<'a>(
    u: &mut Unstructured<'_>,
    store: &mut Store<'a, Vec<u32>>,
    alone: Instance,
    friend: Instance,
    module: &Module<'a>,
) -> Outcome {
    let mut linker = Linker::new();
    linker.instance(&*store, "f", friend);
    linker.func_wrap("h", "give", |_: Caller<'_, Vec<u32>>, number: u32| number);
    linker.func_wrap("h", "take", |mut caller: Caller<'_, Vec<u32>>, func: Option<Func>| {
        caller.data_mut().push(Func::to_bits(func));
    });
    let constants = |store: &Store<'a, Vec<u32>>| {
        ["constant", "wide"].map(|name| friend.get_global(store, name).and_then(|global| global.get(store)))
    };
    let before = constants(store);
    store.set_fuel(Some(FUEL));
    let linked = linker.instantiate(&mut *store, module);
    let mut outcome = Outcome::Refused;
    // functions of the friend that anybody was given, and all of the hostile instance
    let public = Func::to_bits(friend.get_func(&*store, "public"));
    let private = |bits: u32| bits != 0 && (bits >> 16 == 0 || bits >> 16 == 1 && bits != public);
    if let Ok(instance) = linked {
        outcome = Outcome::Ran;
        let mut functions = Vec::new();
        instance.for_each_export(&*store, |_, external| {
            if let Extern::Func(func) = external {
                functions.push(func);
            }
        });
        for _ in 0..3 {
            for &func in &functions {
                // the other instances work in between
                let work = alone.get_typed_func::<i32, i32>(&*store, "work").expect("it is exported");
                store.set_fuel(Some(FUEL));
                assert_eq!(work.call(&mut *store, 0).map_err(|trap| trap.code), Ok(SECRET as i32));
                let Some(ty) = func.ty(&*store) else { continue };
                let bits: u64 = u.arbitrary().unwrap_or(0);
                let arguments: Vec<Val> = ty
                    .params
                    .iter()
                    .map(|&ty| match ty {
                        ValType::FuncRef => Val::FuncRef(Some(func).filter(|_| bits & 1 == 1)),
                        ValType::ExternRef => Val::ExternRef(Some((bits & 3) as u32)),
                        ty => Val::from_bits(ty, bits % 16),
                    })
                    .collect();
                let mut results = vec![Val::I32(0); ty.results.len()];
                store.set_fuel(Some(FUEL));
                if func.call(&mut *store, &arguments, &mut results).is_ok() {
                    for value in results {
                        match value {
                            Val::FuncRef(func) => assert!(!private(Func::to_bits(func)), "a private function came out"),
                            Val::ExternRef(Some(number)) => assert!(number < 4, "the host never gave {number}"),
                            Val::I64(number) => assert!(!secret(number), "it read what another left"),
                            _ => {}
                        }
                    }
                }
            }
        }
        for (name, owner) in [("table", friend), ("others", friend), ("own", instance), ("e", instance)] {
            let Some(table) = owner.get_table(&*store, name) else { continue };
            for index in 0..table.size(&*store) {
                match table.get(&*store, index) {
                    Some(Val::FuncRef(func)) => {
                        assert!(!private(Func::to_bits(func)), "{name} holds a private function")
                    }
                    Some(Val::ExternRef(number)) => assert!(number.is_none_or(|n| n < 4), "{name} holds {number:?}"),
                    other => panic!("{name} holds {other:?}"),
                }
            }
        }
        for bits in store.data() {
            assert!(!private(*bits), "the host was given a private function");
        }
    }
    assert_eq!(constants(store), before, "a constant has changed");
    assert_eq!(call(store, alone, "untouched"), 0, "a private function ran");
    assert_eq!(call(store, friend, "untouched"), 0, "a private function ran");
    outcome
}

/// Number that the instance that shares nothing keeps in its frames.
const SECRET: i64 = 0x5ec_4e75_ec4e_75ec;

fn secret(number: i64) -> bool {
    number == SECRET || number as u32 == SECRET as u32
}

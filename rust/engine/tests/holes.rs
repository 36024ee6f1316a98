// SPDX-License-Identifier: Apache-2.0
//! What hostile images tried, several instances in one store among them: refused, or harmless.

mod common;

use common::{engine, image, module, module_of, store};
use wisp_engine::{
    Caller, Config, Engine, Func, HostFunction, ImageError, Instance, Linker, Module, Rule, Store, TrapCode, Val,
    ValType,
};
use wisp_image::format::Section;
use wisp_image::ops::{opcode, Class, Operand, Sem};
use wisp_image::Image;

/// Returns the bytes of the code of an image.
fn code(image: &[u8]) -> std::ops::Range<usize> {
    let parsed = Image::parse(image).expect("it is an image");
    let code = parsed.section(Section::Code);
    let start = code.as_ptr() as usize - image.as_ptr() as usize;
    start..start + code.len()
}

/// Replaces an op, and the word of it that follows the first operand, and counts how often.
fn replace(image: &mut [u8], from: (Sem, &[Operand]), to: (Sem, &[Operand]), word: Option<u16>) -> usize {
    let number = |(sem, form): (Sem, &[Operand])| opcode(Class::Special, sem, form).expect("there is such an op") * 4;
    let (from, to) = (number(from).to_le_bytes(), number(to).to_le_bytes());
    let mut count = 0;
    let range = code(image);
    for at in range.step_by(2) {
        if image[at..at + 2] == from {
            image[at..at + 2].copy_from_slice(&to);
            if let Some(word) = word {
                image[at + 4..at + 6].copy_from_slice(&word.to_le_bytes());
            }
            count += 1;
        }
    }
    count
}

const REF_FUNC: (Sem, &[Operand]) = (Sem::RefFunc, &[Operand::Dst, Operand::Func]);
const CONST: (Sem, &[Operand]) = (Sem::Const, &[Operand::Dst, Operand::Imm16]);

const VICTIM: &str = r#"(module (memory 1) (type $v (func (result i32)))
    (func $private (type $v) (i32.store (i32.const 0) (i32.const 0xbad)) (i32.const 42))
    (func $public (export "public") (type $v) (i32.const 7))
    (table (export "given") 1 funcref) (elem (i32.const 0) $public)
    (global (export "g") (mut funcref) (ref.func $public))
    (func (export "take") (param funcref) (result funcref) (local.get 0))
    (func (export "peek") (result i32) (i32.load (i32.const 0)))
    (func (export "keep") (if (i32.const 0) (then (drop (call $private))))))"#;

/// Returns an image in which every `ref.func` is the number 1 instead: the first function of the first instance.
fn forger(text: &str) -> Vec<u8> {
    let mut forged = image(text).to_vec();
    assert_eq!(replace(&mut forged, REF_FUNC, CONST, Some(1)), 1, "{text}");
    forged
}

/// Makes an instance of the victim, then one of the image, linked to it, and calls `go` of that.
fn attack(image: Vec<u8>) -> (Result<(), TrapCode>, i32) {
    let mut store = store(());
    let victim = Linker::new().instantiate(&mut store, &module(VICTIM)).expect("the victim is right");
    let mut linker = Linker::new();
    linker.instance(&store, "v", victim);
    linker.func_wrap("h", "take", |caller: Caller<'_, ()>, func: Option<Func>| {
        _ = (caller, func.expect("it is not null"));
    });
    let module = module_of(Vec::leak(image));
    let hostile = linker.instantiate(&mut store, &module).expect("it links");
    let go = hostile.get_typed_func::<(), ()>(&store, "go").expect("it is exported");
    let result = go.call(&mut store, ()).map_err(|trap| trap.code);
    let peek = victim.get_typed_func::<(), i32>(&store, "peek").expect("it is exported");
    (result, peek.call(&mut store, ()).expect("it reads"))
}

const HEAD: &str = "(type $v (func (result i32))) (func $own (type $v) (i32.const 1)) (elem declare func $own)";

#[test]
fn a_number_is_no_reference_wherever_it_is_used() {
    let uses = [
        ("", "(table.set $t (i32.const 0) (ref.func $own)) (drop (call_indirect $t (type $v) (i32.const 0)))"),
        ("", "(table.fill $t (i32.const 0) (ref.func $own) (i32.const 1))"),
        ("", "(drop (table.grow $t (ref.func $own) (i32.const 1)))"),
        ("(global $g (mut funcref) (ref.null func))", "(global.set $g (ref.func $own))"),
        (r#"(import "v" "g" (global $g (mut funcref)))"#, "(global.set $g (ref.func $own))"),
        (r#"(import "h" "take" (func $take (param funcref)))"#, "(call $take (ref.func $own))"),
        (r#"(import "v" "take" (func $take (param funcref) (result funcref)))"#, "(drop (call $take (ref.func $own)))"),
    ];
    for (head, body) in uses {
        let (imports, rest) = if head.contains("import") { (head, "") } else { ("", head) };
        let text = format!(r#"(module {imports} {rest} (table $t 1 2 funcref) {HEAD} (func (export "go") {body}))"#);
        assert_eq!(attack(forger(&text)), (Err(TrapCode::BadSignature), 0), "{body}");
    }
    // as a result, for the host and for another instance
    let text = format!(r#"(module {HEAD} (func (export "f") (result funcref) (ref.func $own)))"#);
    let mut store = store(());
    let victim = Linker::new().instantiate(&mut store, &module(VICTIM)).unwrap();
    let forged = Linker::new().instantiate(&mut store, &module_of(Vec::leak(forger(&text)))).unwrap();
    let f = forged.get_func(&store, "f").unwrap();
    let mut results = [Val::I32(0)];
    assert_eq!(f.call(&mut store, &[], &mut results).unwrap_err().code, TrapCode::BadSignature);
    let typed = forged.get_typed_func::<(), Option<Func>>(&store, "f").unwrap();
    assert_eq!(typed.call(&mut store, ()).unwrap_err().code, TrapCode::BadSignature);
    let mut linker = Linker::new();
    linker.instance(&store, "f", forged);
    let caller =
        module(r#"(module (import "f" "f" (func $f (result funcref))) (func (export "go") (drop (call $f))))"#);
    let caller = linker.instantiate(&mut store, &caller).unwrap();
    let go = caller.get_typed_func::<(), ()>(&store, "go").unwrap();
    assert_eq!(go.call(&mut store, ()).unwrap_err().code, TrapCode::BadSignature);
    _ = victim;
}

#[test]
fn a_reference_of_another_instance_can_be_used_once_it_was_given() {
    let from_table = r#"(module (import "v" "given" (table $v 1 funcref)) (table $t 1 funcref) (type $f (func (result i32)))
        (func (export "go") (table.set $t (i32.const 0) (table.get $v (i32.const 0)))
            (if (i32.ne (call_indirect $t (type $f) (i32.const 0)) (i32.const 7)) (then unreachable))))"#;
    let from_global = r#"(module (import "v" "g" (global $g (mut funcref))) (table $t 1 funcref) (type $f (func (result i32)))
        (func (export "go") (table.set $t (i32.const 0) (global.get $g)) (global.set $g (table.get $t (i32.const 0)))
            (if (i32.ne (call_indirect $t (type $f) (i32.const 0)) (i32.const 7)) (then unreachable))))"#;
    let own_there_and_back = r#"(module (import "v" "take" (func $take (param funcref) (result funcref))) (table $t 1 funcref)
        (type $f (func (result i32))) (func $own (type $f) (i32.const 3)) (elem declare func $own)
        (func (export "go") (table.set $t (i32.const 0) (call $take (ref.func $own)))
            (if (i32.ne (call_indirect $t (type $f) (i32.const 0)) (i32.const 3)) (then unreachable))))"#;
    for text in [from_table, from_global, own_there_and_back] {
        assert_eq!(attack(image(text).to_vec()), (Ok(()), 0), "{text}");
    }
}

#[test]
fn what_one_instance_was_given_no_other_may_use() {
    let mut store = store(());
    let victim = Linker::new().instantiate(&mut store, &module(VICTIM)).unwrap();
    let keeper = r#"(module (table $t 1 funcref) (func (export "keep") (param funcref) (table.set $t (i32.const 0) (local.get 0))))"#;
    let (first, second) = (module(keeper), module(keeper));
    let first = Linker::new().instantiate(&mut store, &first).unwrap();
    let second = Linker::new().instantiate(&mut store, &second).unwrap();
    let public = victim.get_func(&store, "public");
    let keep =
        |instance: Instance, store: &Store<'_, ()>| instance.get_typed_func::<Option<Func>, ()>(store, "keep").unwrap();
    keep(first, &store).call(&mut store, public).unwrap();
    keep(second, &store).call(&mut store, None).unwrap();
    let number = Func::to_bits(public) as i32;
    let text = format!(
        r#"(module (table $t 1 funcref) {HEAD} (func (export "go") (table.set $t (i32.const 0) (ref.func $own))))"#
    );
    let mut forged = image(&text).to_vec();
    assert_eq!(replace(&mut forged, REF_FUNC, CONST, Some(number as u16)), 1);
    let forged = Linker::new().instantiate(&mut store, &module_of(Vec::leak(forged))).unwrap();
    let go = forged.get_typed_func::<(), ()>(&store, "go").unwrap();
    assert_eq!(go.call(&mut store, ()).unwrap_err().code, TrapCode::BadSignature);
}

#[test]
fn a_host_reference_cannot_be_made_up_nor_taken_for_a_function() {
    let text = r#"(module (table $e 1 externref) (table $f 1 funcref)
        (func (export "keep") (param externref) (table.set $e (i32.const 0) (local.get 0)))
        (func (export "pass") (param externref) (result externref) (local.get 0))
        (func (export "number") (result externref) (ref.null extern)))"#;
    let mut store = store(());
    let victim = Linker::new().instantiate(&mut store, &module(VICTIM)).unwrap();
    let instance = Linker::new().instantiate(&mut store, &module(text)).unwrap();
    let pass = instance.get_func(&store, "pass").unwrap();
    let mut results = [Val::I32(0)];
    pass.call(&mut store, &[Val::ExternRef(Some(5))], &mut results).unwrap();
    assert_eq!(results[0], Val::ExternRef(Some(5)));
    // table.set of the table of functions: as a number, the reference of the host is one of the first instance
    let mut confused = image(text).to_vec();
    let set = opcode(Class::Special, Sem::TableSet, &[Operand::TableIndex, Operand::Slot, Operand::Slot]).unwrap() * 4;
    let at = code(&confused).step_by(2).find(|&at| confused[at..at + 2] == set.to_le_bytes()).unwrap();
    confused[at + 2] = 1;
    let confused = Linker::new().instantiate(&mut store, &module_of(Vec::leak(confused))).unwrap();
    let keep = confused.get_func(&store, "keep").unwrap();
    let trap = keep.call(&mut store, &[Val::ExternRef(Some(0))], &mut []).unwrap_err();
    assert_eq!(trap.code, TrapCode::BadSignature);
    // a number that the host never gave
    let mut forged = image(
        r#"(module (func $own) (elem declare func $own)
        (func (export "f") (result externref) (ref.null extern)))"#,
    )
    .to_vec();
    let back = opcode(Class::Special, Sem::Return32, &[Operand::Imm16]).unwrap() * 4;
    let at = code(&forged).step_by(2).find(|&at| forged[at..at + 2] == back.to_le_bytes()).unwrap();
    forged[at + 2] = 9;
    let forged = Linker::new().instantiate(&mut store, &module_of(Vec::leak(forged))).unwrap();
    let f = forged.get_func(&store, "f").unwrap();
    assert_eq!(f.call(&mut store, &[], &mut results).unwrap_err().code, TrapCode::BadSignature);
    _ = victim;
}

#[test]
fn an_instance_holds_as_many_references_of_others_as_it_may() {
    let engine = Engine::new(&Config::new().stack_size(4096).max_references(3));
    let mut store = Store::with_capacity(&engine, 1 << 20, ()).unwrap();
    let text = r#"(module (func (export "take") (param externref)))"#;
    let instance = Linker::new().instantiate(&mut store, &module(text)).unwrap();
    let take = instance.get_func(&store, "take").unwrap();
    for number in [1, 2, 3, 1, 2, 3] {
        take.call(&mut store, &[Val::ExternRef(Some(number))], &mut []).unwrap();
    }
    let trap = take.call(&mut store, &[Val::ExternRef(Some(4))], &mut []).unwrap_err();
    assert_eq!(trap.code, TrapCode::TooManyReferences);
    // who can be given none needs no room for them
    let (with, before) = (store.arena_left(), module("(module (func))"));
    Linker::new().instantiate(&mut store, &before).unwrap();
    let without = with - store.arena_left();
    let with = store.arena_left();
    Linker::new().instantiate(&mut store, &module(text)).unwrap();
    assert!(with - store.arena_left() >= without + 12);
}

#[test]
fn the_accumulator_tells_nothing_of_the_host() {
    let mut leak =
        image(r#"(module (import "h" "f" (func $f)) (func (export "go") (result i32) (call $f) (i32.const 1)))"#)
            .to_vec();
    let from = (Sem::Return32, &[Operand::Imm16][..]);
    let (immediate, acc) = (
        opcode(Class::Special, from.0, from.1).unwrap() * 4,
        opcode(Class::Special, Sem::Return32, &[Operand::Acc]).unwrap() * 4,
    );
    let range = code(&leak);
    let at = range.clone().step_by(2).find(|&at| leak[at..at + 2] == immediate.to_le_bytes()).unwrap();
    // one word less: what is behind it is no op any more, so the word before takes its place
    leak[at..at + 2].copy_from_slice(&acc.to_le_bytes());
    let end = opcode(Class::Special, Sem::Unreachable, &[]).unwrap() * 4;
    leak[at + 2..at + 4].copy_from_slice(&end.to_le_bytes());
    let error = Module::new(&engine(), &leak).err();
    assert!(matches!(error, Some(ImageError::Code(_, _, Rule::Accumulator))), "{error:?}");
}

#[test]
fn a_constant_of_another_instance_stays_constant() {
    let mut hostile = image(
        r#"(module (import "v" "c" (global $c i32)) (import "v" "m" (global $m (mut i32)))
            (func (export "go") (global.set $m (i32.const 5))))"#,
    )
    .to_vec();
    let set = opcode(Class::Special, Sem::GlobalSet, &[Operand::GlobalImport, Operand::Slot]).unwrap() * 4;
    let at = code(&hostile).step_by(2).find(|&at| hostile[at..at + 2] == set.to_le_bytes()).unwrap();
    hostile[at + 2] = 0;
    let error = Module::new(&engine(), &hostile).err();
    assert!(matches!(error, Some(ImageError::Code(_, _, Rule::Mutable))), "{error:?}");
}

#[test]
fn another_instance_of_the_store_leaves_nothing_in_the_frames() {
    // the first fills many slots; the second returns slots that it never wrote
    let secret = r#"(module (func $deep (param i32) (result i32) (local i64 i64 i64 i64 i64 i64)
        (local.set 1 (i64.const 0x5ec2e75ec2e75ec2)) (local.set 2 (local.get 1)) (local.set 3 (local.get 1))
        (local.set 4 (local.get 1)) (local.set 5 (local.get 1)) (local.set 6 (local.get 1))
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.wrap_i64 (local.get 6)))
            (else (i32.add (i32.wrap_i64 (local.get 3)) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))
        (func (export "run") (result i32) (call $deep (i32.const 5))))"#;
    let reader = r#"(module (func (export "read") (param i32) (result i64 i64 i64 i64 i64 i64 i64 i64)
        (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8)))"#;
    let mut reader = image(reader).to_vec();
    // returns at once: the results are what lies there
    let range = code(&reader);
    let back = opcode(Class::Special, Sem::Return, &[]).unwrap() * 4;
    reader[range.start + 4..range.start + 6].copy_from_slice(&back.to_le_bytes());
    let body: Vec<u8> = std::iter::repeat_n(back.to_le_bytes(), (range.len() - 6) / 2).flatten().collect();
    reader[range.start + 6..range.end].copy_from_slice(&body);
    let mut store = store(());
    let secret = Linker::new().instantiate(&mut store, &module(secret)).unwrap();
    let reader = Linker::new().instantiate(&mut store, &module_of(Vec::leak(reader))).unwrap();
    let run = secret.get_typed_func::<(), i32>(&store, "run").unwrap();
    let read = reader.get_func(&store, "read").unwrap();
    for _ in 0..2 {
        run.call(&mut store, ()).unwrap();
        let mut results = [Val::I32(0); 8];
        read.call(&mut store, &[Val::I32(0)], &mut results).unwrap();
        assert_eq!(results, [Val::I64(0); 8]);
    }
}

#[test]
#[cfg_attr(miri, ignore = "so large a module takes hours")]
fn verification_stops_when_it_is_told() {
    use std::cell::Cell;
    let functions: String =
        (0..400).map(|n| format!("(func (export \"f{n}\") (result i32) (i32.const {n}))")).collect();
    let large = image(&format!("(module {functions})"));
    let words = wisp_image::verify::scratch_words(&Image::parse(large).unwrap()).unwrap();
    let mut scratch = vec![0; words];
    for allowed in 0..3 {
        let looks = Cell::new(0);
        let go_on = || {
            looks.set(looks.get() + 1);
            looks.get() <= allowed
        };
        let error = Module::new_while(&engine(), large, &mut scratch, &go_on).err();
        assert_eq!((error, looks.get()), (Some(ImageError::Stopped), allowed + 1));
    }
    assert!(Module::new_while(&engine(), large, &mut scratch, &|| true).is_ok());
}

#[test]
fn instantiation_stops_when_it_is_told() {
    let globals: String = (0..600).map(|n| format!("(global i32 (i32.const {n}))")).collect();
    let texts = [
        format!("(module {globals})"),
        r#"(module (memory 1) (data (i32.const 0) "x"))"#.to_string(),
        r#"(module (table 4 funcref) (func $f) (elem (i32.const 0) $f))"#.to_string(),
    ];
    for text in texts {
        let mut store = store(());
        store.interrupt_handle().deadline();
        let error = Linker::new().instantiate(&mut store, &module(&text)).unwrap_err();
        let trap = match error {
            wisp_engine::InstantiateError::Trap(trap) => trap.code,
            other => panic!("{other:?}"),
        };
        assert_eq!(trap, TrapCode::DeadlineExceeded, "{text}");
    }
}

static STOPS: [HostFunction<Option<wisp_engine::InterruptHandle<'static>>>; 1] =
    [HostFunction::wrap("h", "late", |caller: Caller<'_, Option<wisp_engine::InterruptHandle<'static>>>| {
        caller.data().as_ref().expect("it is set").deadline();
    })];

#[test]
fn a_deadline_that_passed_is_no_success() {
    let text = r#"(module (import "h" "late" (func $late)) (func (export "go") (call $late)))"#;
    let mut store: Store<'static, Option<wisp_engine::InterruptHandle<'static>>> = store(None);
    let handle = store.interrupt_handle();
    *store.data_mut() = Some(handle);
    let instance = Linker::from_table(&STOPS).instantiate(&mut store, &module(text)).unwrap();
    let go = instance.get_typed_func::<(), ()>(&store, "go").unwrap();
    assert_eq!(go.call(&mut store, ()).unwrap_err().code, TrapCode::DeadlineExceeded);
    store.clear_interrupt();
}

#[test]
fn long_bulk_operations_move_all_bytes_in_the_right_order() {
    let mut guest = common::Guest::new(
        r#"(module (memory (export "m") 1)
            (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
            (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2))))"#,
    );
    let memory = guest.instance.get_memory(&guest.store, "m").unwrap();
    let mut wanted: Vec<u8> = (0..65_536u32).map(|n| (n * 7 + n / 256) as u8).collect();
    memory.data_mut(&mut guest.store).copy_from_slice(&wanted);
    let copy = guest.typed::<(i32, i32, i32), ()>("copy");
    let fill = guest.typed::<(i32, i32, i32), ()>("fill");
    for (to, from, n) in
        [(0, 10, 60_000), (10, 0, 60_000), (5000, 904, 20_000), (904, 5000, 20_000), (0, 0, 0), (65_536, 0, 0)]
    {
        copy.call(&mut guest.store, (to, from, n)).unwrap();
        wanted.copy_within(from as usize..(from + n) as usize, to as usize);
        assert!(memory.data(&guest.store) == wanted, "{to} {from} {n}");
    }
    fill.call(&mut guest.store, (100, 3, 50_001)).unwrap();
    wanted[100..50_101].fill(3);
    assert!(memory.data(&guest.store) == wanted);
    _ = ValType::I32;
}

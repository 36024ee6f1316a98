// SPDX-License-Identifier: Apache-2.0
//! What is known of addresses that loops and branches change: `ld32k` and `st32k` are accesses without a test
//! of their alignment, `ld32n` and `st32n` those with one.

use std::collections::BTreeMap;

use wasmparser::Operator;
use wisp_image::Image;

use super::{generate, Plan};
use crate::error::AotError;
use crate::module::Module;
use crate::{module, Machine, Options};

/// Returns the C code of a function `(param i32 i32 i32)` with locals 3 to 8, in a module with 64 KB of memory.
pub(super) fn translated(body: &str) -> String {
    functions(&format!("(func (export \"f\") (param i32 i32 i32) (local i32 i32 i32 i32 i32 i32) {body})"))
}

/// Returns the C code of the functions of a module with 64 KB of memory.
pub(super) fn functions(fields: &str) -> String {
    in_memory(fields, "(memory 1 1)")
}

/// Returns the C code of the functions of a module with this memory.
pub(super) fn in_memory(fields: &str, memory: &str) -> String {
    let text = changed(&format!("{fields} {memory}"), |_| {}).unwrap();
    // what follows the prelude
    text[text.find("fn0(").unwrap()..].into()
}

/// Translates a module that is changed after the validator has seen it.
fn changed(fields: &str, change: impl FnOnce(&mut Module<'_>)) -> Result<String, AotError> {
    let wasm = wat::parse_str(format!("(module {fields})")).unwrap();
    let compiled = wisp_compiler::compile(&wasm, &wisp_compiler::Options::default()).unwrap();
    let image = Image::parse(&compiled.image).unwrap();
    let mut module = module::read(&wasm, &image).unwrap();
    change(&mut module);
    let options = Options::default();
    let plan = Plan::new(&module, &options, image.manifest().unwrap().memory, BTreeMap::new());
    let generated = generate(&plan, &Machine::named("cortex-m0plus").unwrap());
    generated
        .map(|generated| generated.units.into_iter().map(|unit| unit.text).collect())
        .map_err(|error| error.named(&wasm))
}

/// Returns (accesses known to be aligned, accesses that are tested).
fn accesses(body: &str) -> (usize, usize) {
    counted(&translated(body))
}

fn counted(text: &str) -> (usize, usize) {
    let count = |names: [&str; 2]| names.iter().map(|name| text.matches(name).count()).sum();
    (count(["ld32k(", "st32k("]), count(["ld32n(", "st32n("]))
}

/// Returns a loop that loads from local 3 and then steps it.
fn stepping(start: &str, step: &str) -> String {
    format!(
        "(local.set 3 {start})
        (loop $l (drop (i32.load (local.get 3)))
            (local.set 3 (i32.add (local.get 3) {step}))
            (br_if $l (i32.ne (local.get 3) (local.get 0))))"
    )
}

#[test]
fn a_pointer_of_a_loop_is_as_aligned_as_its_start_and_its_steps() {
    let aligned = "(i32.const 1024)";
    assert_eq!(accesses(&stepping(aligned, "(i32.const 4)")), (1, 0));
    assert_eq!(accesses(&stepping(aligned, "(i32.const -8)")), (1, 0));
    assert_eq!(accesses(&stepping(aligned, "(i32.const 2)")), (0, 1));
    assert_eq!(accesses(&stepping("(i32.const 1026)", "(i32.const 4)")), (0, 1));
    assert_eq!(accesses(&stepping("(local.get 1)", "(i32.const 4)")), (0, 1));
    // steps that are themselves known
    assert_eq!(accesses(&stepping(aligned, "(i32.shl (local.get 1) (i32.const 2))")), (1, 0));
    assert_eq!(accesses(&stepping(aligned, "(i32.shl (local.get 1) (i32.const 1))")), (0, 1));
    assert_eq!(accesses(&stepping("(i32.and (local.get 1) (i32.const -4))", "(i32.const 4)")), (1, 0));
}

#[test]
fn one_branch_back_that_brings_less_is_enough() {
    let with = |other: &str| {
        format!(
            "(local.set 3 (i32.const 64))
            (loop $l (i32.store (local.get 3) (i32.const 1))
                (local.set 3 (i32.add (local.get 3) (i32.const 4)))
                (br_if $l (local.get 0))
                (local.set 3 (i32.add (local.get 3) {other}))
                (br_if $l (local.get 1))
                (local.set 3 (i32.const 128))
                (br_table $l $l 1 (local.get 2)))"
        )
    };
    assert_eq!(accesses(&with("(i32.const 12)")), (1, 0));
    assert_eq!(accesses(&with("(i32.const 1)")), (0, 1));
    assert_eq!(accesses(&with("(local.get 2)")), (0, 1));
}

#[test]
fn what_an_inner_loop_breaks_holds_in_no_loop_around_it() {
    let with = |step: u32| {
        format!(
            "(local.set 3 (i32.const 64))
            (loop $outer
                (i32.store (local.get 3) (i32.const 1))
                (loop $inner
                    (i32.store (local.get 3) (i32.const 2))
                    (local.set 3 (i32.add (local.get 3) (i32.const {step})))
                    (br_if $inner (local.get 0)))
                (i32.store (local.get 3) (i32.const 3))
                (br_if $outer (local.get 1)))"
        )
    };
    assert_eq!(accesses(&with(4)), (3, 0));
    assert_eq!(accesses(&with(2)), (0, 3));
    // the outer loop's pointer is spoilt by a local that the inner one changes
    let through = "(local.set 3 (i32.const 64))
        (loop $outer
            (i32.store (local.get 3) (i32.const 1))
            (loop $inner
                (local.set 4 (i32.add (local.get 4) (i32.const 6)))
                (br_if $inner (local.get 0)))
            (local.set 3 (i32.add (local.get 3) (local.get 4)))
            (br_if $outer (local.get 1)))";
    assert_eq!(accesses(through), (0, 1));
    assert_eq!(accesses(&through.replace("const 6", "const 12")), (1, 0));
}

#[test]
fn what_follows_a_block_is_what_all_ways_to_it_bring() {
    let with = |left: &str, right: &str| {
        format!(
            "(if (local.get 0) (then (local.set 3 {left})) (else (local.set 3 {right})))
            (drop (i32.load (local.get 3)))"
        )
    };
    assert_eq!(accesses(&with("(i32.const 64)", "(i32.const 68)")), (1, 0));
    assert_eq!(accesses(&with("(i32.const 64)", "(i32.const 66)")), (0, 1));
    assert_eq!(accesses(&with("(local.get 1)", "(i32.const 64)")), (0, 1));
    // a way that ends does not count; one past an `if` and one out of a block do
    assert_eq!(accesses(&with("(local.get 1) return", "(i32.const 64)")), (1, 0));
    let past = "(local.set 3 (local.get 1)) (if (local.get 0) (then (local.set 3 (i32.const 64))))
        (drop (i32.load (local.get 3)))";
    assert_eq!(accesses(past), (0, 1));
    assert_eq!(accesses(&past.replace("(local.get 1)", "(i32.const 8)")), (1, 0));
    let out = "(block $b (local.set 3 (i32.const 3)) (br_if $b (local.get 0)) (local.set 3 (i32.const 64)))
        (drop (i32.load (local.get 3)))";
    assert_eq!(accesses(out), (0, 1));
    assert_eq!(accesses(&out.replace("const 3)", "const 4)")), (1, 0));
}

#[test]
fn bounds_survive_where_ways_meet() {
    let meets = "(local.set 3 (i32.const 64)) (if (local.get 0) (then (local.set 3 (i32.const 65532))))
        (drop (i32.load (local.get 3)))";
    assert!(!translated(meets).contains("goto trap"));
    assert!(translated(&meets.replace("65532", "65536")).contains("goto trap"));
    // a loop's local has none
    assert!(translated(&stepping("(i32.const 64)", "(i32.const 4)")).contains("goto trap"));
}

#[test]
fn long_chains_of_locals_end_with_nothing_assumed() {
    // what spoils the last of the locals takes one translation more to reach each before it
    let chain = |locals: u32| {
        let moves: String = (3..3 + locals).map(|n| format!("(local.set {n} (local.get {}))", n + 1)).collect();
        let extra = "(local i32) ".repeat(locals as usize);
        let last = 3 + locals;
        format!(
            "{extra} (loop $l (drop (i32.load (local.get 3))) {moves}
                (local.set {last} (i32.add (local.get {last}) (i32.const 1)))
                (br_if $l (local.get 0)))"
        )
    };
    assert_eq!(accesses(&chain(5)), (0, 1));
    assert_eq!(accesses(&chain(200)), (0, 1));
}

/// Returns a function with a frame of 32 bytes on the stack of a guest in C, which passes its address.
fn frame(global: &str, size: u32, pass: &str) -> String {
    functions(&format!(
        "{global}
        (func $callee (param i32 i32) (result i32) (i32.load (local.get 0)))
        (func (export \"f\") (param i32) (result i32) (local i32)
            (global.set $sp (local.tee 1 (i32.sub (global.get $sp) (i32.const {size}))))
            (i32.store offset=8 (local.get 1) (i32.const 1))
            (i32.load offset=12 (local.get 1))
            (call $callee {pass} (i32.const 1))
            (i32.add)
            (global.set $sp (i32.add (local.get 1) (i32.const {size}))))"
    ))
}

const OWN: &str = "(global $sp (mut i32) (i32.const 4096))";
const ON_FRAME: &str = "(i32.add (local.get 1) (i32.const 16))";

#[test]
fn a_global_is_as_aligned_as_what_it_is_set_to() {
    assert_eq!(counted(&frame(OWN, 32, ON_FRAME)), (3, 0));
    assert_eq!(counted(&frame("(global $sp (mut i32) (i32.const 4098))", 32, ON_FRAME)), (0, 3));
    assert_eq!(counted(&frame(OWN, 30, ON_FRAME)), (0, 3));
    let elsewhere = format!("{OWN} (func (export \"g\") (param i32) (global.set $sp (local.get 0)))");
    assert_eq!(counted(&frame(&elsewhere, 32, ON_FRAME)), (0, 3));
}

#[test]
fn a_global_that_others_see_is_not_known() {
    assert_eq!(counted(&frame("(global $sp (export \"sp\") (mut i32) (i32.const 4096))", 32, ON_FRAME)), (0, 3));
    assert_eq!(counted(&frame("(global $sp (import \"m\" \"sp\") (mut i32))", 32, ON_FRAME)), (0, 3));
}

#[test]
fn a_parameter_is_as_aligned_as_what_all_callers_pass() {
    assert_eq!(counted(&frame(OWN, 32, "(i32.add (local.get 1) (i32.const 17))")), (2, 1));
    assert_eq!(counted(&frame(OWN, 32, "(local.get 0)")), (2, 1));
    let again = |call: &str| format!("{OWN} (func (export \"g\") (param i32) (result i32) (call $callee {call}))");
    assert_eq!(counted(&frame(&again("(i32.const 64) (i32.const 3)"), 32, ON_FRAME)), (3, 0));
    assert_eq!(counted(&frame(&again("(local.get 0) (i32.const 3)"), 32, ON_FRAME)), (2, 1));
    let exported = format!("{OWN} (export \"g\" (func $callee))");
    assert_eq!(counted(&frame(&exported, 32, ON_FRAME)), (2, 1));
    let in_table = format!("{OWN} (table 1 1 funcref) (elem (i32.const 0) $callee)");
    assert_eq!(counted(&frame(&in_table, 32, ON_FRAME)), (2, 1));
}

/// Returns the error for the function `broken`, index 1, without the operators that are picked.
fn internal_error(body: &str, picked: fn(&Operator<'_>) -> bool) -> String {
    let fields = format!(
        "(type $t (func (param i32) (result i32))) (table 1 1 funcref) (func $first)
        (func $broken (export \"f\") (param i32) (result i32) {body})"
    );
    assert!(changed(&fields, |_| {}).is_ok(), "{body}");
    let error = changed(&fields, |module| module.bodies[1].operators.retain(|(operator, _)| !picked(operator)));
    let error = error.expect_err(body);
    assert!(error.is_internal());
    error.to_string()
}

#[test]
fn a_broken_invariant_is_an_error_with_function_and_place() {
    let constants = |operator: &Operator<'_>| matches!(operator, Operator::I32Const { .. });
    let ends = |operator: &Operator<'_>| matches!(operator, Operator::End);
    let openings = |operator: &Operator<'_>| matches!(operator, Operator::Block { .. } | Operator::If { .. });
    for (body, picked, what) in [
        ("(i32.add (local.get 0) (i32.const 1))", constants as fn(&Operator<'_>) -> bool, "the operand stack is empty"),
        ("(return (i32.const 1))", constants, "the operand stack has too few values"),
        ("(call_indirect (type $t) (local.get 0) (i32.const 0))", constants, "the operand stack has too few values"),
        ("(local.set 0 (i32.const 1)) (local.get 0)", constants, "the operand stack is empty"),
        ("(block (result i32) (br 0 (i32.const 1)))", constants, "the operand stack has too few values"),
        ("(local.get 0)", ends, "a block has no end"),
        ("(local.get 0) (block (br 0))", openings, "an `end` outside of all blocks"),
        ("(block (block (br 1))) (local.get 0)", openings, "a branch out of the function"),
        (
            "(if (result i32) (local.get 0) (then (local.get 0)) (else (local.get 0)))",
            openings,
            "an `else` without its `if`",
        ),
    ] {
        let error = internal_error(body, picked);
        let expected =
            format!("internal error of the native compiler: {what}; please report this module (at offset 0x");
        assert!(error.starts_with(&expected), "{body}: {error}");
        assert!(error.ends_with(", in function 1 `broken`)"), "{body}: {error}");
    }
}

#[test]
fn deep_conditions_are_jumps_that_no_compiler_runs_out_of_braces_for() {
    let depth = 300;
    let body = format!("{} (local.set 3 (i32.const 1)) {}", "local.get 0 if ".repeat(depth), "else end ".repeat(depth));
    let text = translated(&body);
    let mut nested = 0;
    let mut most = 0;
    for c in text.chars() {
        nested += i32::from(c == '{') - i32::from(c == '}');
        most = nested.max(most);
    }
    assert_eq!(nested, 0);
    assert!((50..100).contains(&most), "{most}");
    assert_eq!(text.matches("goto E").count(), text.matches("goto F").count());
    assert!(text.matches("goto E").count() > depth / 2);
}

// SPDX-License-Identifier: Apache-2.0
//! Which accesses of loops and functions need a comparison with the size of memory: those whose range is not known. Memory
//! has 65,536 bytes.

use super::tests::{functions, translated};

/// Returns the number of comparisons in a function `(param i32 i32 i32)` with locals 3 to 8.
fn checks(body: &str) -> usize {
    translated(body).matches("> ms - ").count()
}

/// Returns the number of comparisons of a loop that loads from local 3, does something, and goes on under a condition.
fn looping(start: i64, step: &str, condition: &str) -> usize {
    checks(&format!(
        "(local.set 3 (i32.const {start})) (loop $l (drop (i32.load (local.get 3))) {step} (br_if $l {condition}))"
    ))
}

fn by(step: i64) -> String {
    format!("(local.set 3 (i32.add (local.get 3) (i32.const {step})))")
}

#[test]
fn a_loop_that_counts_to_a_constant_stays_below_it() {
    let until = |bound: i64| format!("(i32.ne (local.get 3) (i32.const {bound}))");
    assert_eq!(looping(0, &by(1), &until(65_533)), 0);
    assert_eq!(looping(0, &by(1), &until(65_534)), 1);
    assert_eq!(looping(0, &by(4), &until(65_536)), 0);
    assert_eq!(looping(0, &by(4), &until(65_540)), 1);
    assert_eq!(looping(0, &by(3), &until(999)), 0);
    assert_eq!(looping(5, &by(8), &until(1005)), 0);
    // never met: it wraps around
    assert_eq!(looping(0, &by(3), &until(1000)), 1);
    assert_eq!(looping(4, &by(4), &until(0)), 1);
    assert_eq!(looping(1000, &by(4), &until(400)), 1);
}

#[test]
fn comparisons_bound_a_loop_as_they_are_signed_or_not() {
    let test = |relation: &str, bound: i64| format!("(i32.{relation} (local.get 3) (i32.const {bound}))");
    assert_eq!(looping(0, &by(1), &test("lt_u", 65_533)), 0);
    assert_eq!(looping(0, &by(1), &test("le_u", 65_533)), 1);
    assert_eq!(looping(0, &by(100), &test("lt_u", 60_000)), 0);
    assert_eq!(looping(0, &by(1), &test("lt_s", 1000)), 0);
    assert_eq!(looping(0, &by(1), &test("gt_s", 1000)), 1);
    assert_eq!(looping(0, &by(1), &test("gt_u", 1000)), 1);
    // a number that is negative is less than any bound, and far outside
    assert_eq!(looping(0, &by(-1), &test("lt_s", 1000)), 1);
    assert_eq!(looping(-8, &by(1), &test("lt_s", 1000)), 1);
    assert_eq!(looping(0, &by(1 << 30), &test("lt_s", 1000)), 1);
}

#[test]
fn loops_count_down() {
    let test = |relation: &str, bound: i64| format!("(i32.{relation} (local.get 3) (i32.const {bound}))");
    assert_eq!(looping(400, &by(-4), "(local.get 3)"), 0);
    assert_eq!(looping(65_532, &by(-4), &test("ne", 0)), 0);
    assert_eq!(looping(65_536, &by(-4), &test("ne", 0)), 1);
    assert_eq!(looping(401, &by(-4), &test("ne", 0)), 1);
    assert_eq!(looping(400, &by(-4), &test("ge_s", 0)), 0);
    assert_eq!(looping(400, &by(-4), &test("gt_u", 8)), 0);
    // always true
    assert_eq!(looping(400, &by(-4), &test("ge_u", 0)), 1);
    assert_eq!(looping(400, &by(-4), "(i32.const 1)"), 1);
}

#[test]
fn addresses_wrap_around() {
    let load = |start: i64, offset: i64, step: i64, condition: &str| {
        checks(&format!(
            "(local.set 3 (i32.const {start}))
            (loop $l (drop (i32.load (i32.add (local.get 3) (i32.const {offset})))) {} (br_if $l {condition}))",
            by(step)
        ))
    };
    // from 0xfffffff0 to 0 the sum is inside, the number itself is not
    assert_eq!(load(-16, 32, 4, "(local.get 3)"), 0);
    assert_eq!(load(-16, 0, 4, "(local.get 3)"), 1);
    assert_eq!(load(-16, 12, 4, "(local.get 3)"), 1);
    // a step from 0xfffffff0 leads to 16
    assert_eq!(load(-16, 0, 32, "(i32.lt_u (local.get 3) (i32.const 100))"), 1);
    assert_eq!(load(-16, 32, 32, "(i32.lt_u (local.get 3) (i32.const 100))"), 1);
    assert_eq!(checks("(drop (i32.load (i32.add (i32.and (local.get 0) (i32.const 15)) (i32.const -16))))"), 1);
    assert_eq!(checks("(drop (i32.load (i32.add (i32.or (local.get 0) (i32.const -16)) (i32.const 32))))"), 0);
}

#[test]
fn a_bound_that_changes_is_none() {
    let below = "(i32.lt_u (local.get 3) (local.get 4))";
    let with = |bound: &str, more: &str| {
        let setting = format!("(local.set 4 {bound})");
        checks(&format!(
            "{setting} (local.set 3 (i32.const 0))
            (loop $l (drop (i32.load (local.get 3))) {} {more} (br_if $l {below}))",
            by(1)
        ))
    };
    assert_eq!(with("(i32.const 100)", ""), 0);
    assert_eq!(with("(i32.and (local.get 0) (i32.const 255))", ""), 0);
    assert_eq!(with("(local.get 0)", ""), 1);
    assert_eq!(with("(i32.const 100)", "(local.set 4 (i32.add (local.get 4) (i32.const 1)))"), 1);
    assert_eq!(with("(i32.const 100)", "(local.set 4 (local.get 0))"), 1);
    // it becomes less
    assert_eq!(with("(i32.const 100)", "(local.set 4 (i32.shr_u (local.get 4) (i32.const 1)))"), 0);
}

#[test]
fn a_local_in_step_with_one_that_counts_is_bounded_by_the_rounds() {
    let with = |first: i64, step: &str| {
        checks(&format!(
            "(local.set 3 (i32.const 64)) (local.set 4 (i32.const {first}))
            (loop $l (drop (i32.load (local.get 3))) {step}
                (br_if $l (local.tee 4 (i32.sub (local.get 4) (i32.const 1)))))"
        ))
    };
    assert_eq!(with(100, &by(8)), 0);
    assert_eq!(with(8185, &by(8)), 1);
    assert_eq!(with(8, &by(-8)), 0);
    assert_eq!(with(10, &by(-8)), 1);
    // not in each round, or not by the same
    assert_eq!(with(100, &format!("(if (local.get 0) (then {}))", by(8))), 1);
    assert_eq!(with(100, &format!("(if (local.get 0) (then {}) (else {}))", by(8), by(4))), 1);
    assert_eq!(with(100, &format!("(if (local.get 0) (then {} (br $l)))", by(4))), 1);
    assert_eq!(with(100, "(local.set 3 (i32.shl (local.get 3) (i32.const 1)))"), 1);
    // 65536 rounds of a step that wraps around
    assert_eq!(with(9, &by(1 << 29)), 1);
}

#[test]
fn a_condition_holds_where_it_led_to_and_nowhere_else() {
    let load = "(drop (i32.load (local.get 0)))";
    let small = "(i32.lt_u (local.get 0) (i32.const 100))";
    assert_eq!(checks(&format!("(if {small} (then {load}))")), 0);
    assert_eq!(checks(&format!("(if {small} (then) (else {load}))")), 1);
    assert_eq!(checks(&format!("(if (i32.eqz {small}) (then) (else {load}))")), 0);
    assert_eq!(checks(&format!("(if {small} (then)) {load}")), 1);
    assert_eq!(checks(&format!("(block (br_if 0 {small}) {load})")), 1);
    assert_eq!(checks(&format!("(block (br_if 0 (i32.eqz {small})) {load})")), 0);
    assert_eq!(checks(&format!("(block (br_if 0 (i32.eqz {small})) (local.set 0 (local.get 1)) {load})")), 1);
    assert_eq!(checks("(if (i32.lt_s (local.get 0) (i32.const 100)) (then (drop (i32.load (local.get 0)))))"), 1);
    let chosen = |a: &str, b: &str| format!("(drop (i32.load (select {a} {b} {small})))");
    assert_eq!(checks(&chosen("(local.get 0)", "(i32.const 8)")), 0);
    assert_eq!(checks(&chosen("(i32.const 8)", "(local.get 0)")), 1);
}

#[test]
fn what_all_ways_checked_is_checked_behind_them() {
    let load = "(drop (i32.load (local.get 0)))";
    assert_eq!(checks(&format!("(if (local.get 1) (then {load}) (else {load})) {load}")), 2);
    assert_eq!(checks(&format!("(if (local.get 1) (then {load})) {load}")), 2);
    assert_eq!(checks(&format!("(block {load} (br_if 0 (local.get 1)) (drop (i32.load8_u (local.get 2)))) {load}")), 2);
    assert_eq!(checks(&format!("(block (br_if 0 (local.get 1)) {load}) {load}")), 2);
}

#[test]
fn a_memory_that_grows_has_its_least_size() {
    let with = |bound: i64| {
        let text = functions_of(&format!(
            "(local.set 3 (i32.const 0))
            (loop $l (drop (i32.load (local.get 3))) (drop (memory.grow (i32.const 1)))
                (br_if $l (i32.ne (local.tee 3 (i32.add (local.get 3) (i32.const 4))) (i32.const {bound}))))"
        ));
        text.matches("> ms - ").count()
    };
    assert_eq!(with(65_536), 0);
    assert_eq!(with(65_540), 1);
}

fn functions_of(body: &str) -> String {
    super::tests::in_memory(
        &format!("(func (export \"f\") (param i32 i32 i32) (local i32 i32 i32 i32 i32 i32) {body})"),
        "(memory 1 3)",
    )
}

#[test]
fn a_parameter_has_the_range_of_what_all_callers_pass() {
    let with = |export: &str, more: &str| {
        let text = functions(&format!(
            "(func $f {export} (param i32) (drop (i32.load (local.get 0)))
                (if (i32.ne (local.get 0) (i32.const 1000)) (then (call $f (i32.add (local.get 0) (i32.const 1))))))
            (func (export \"g\") (param i32) (call $f (i32.const 8)) (call $f (i32.const 200)) {more})"
        ));
        text.matches("> ms - ").count()
    };
    assert_eq!(with("", ""), 0);
    assert_eq!(with("(export \"f\")", ""), 1);
    assert_eq!(with("", "(call $f (local.get 0))"), 1);
    assert_eq!(with("", "(call $f (i32.const 65533))"), 1);
    assert_eq!(with("", "(call $f (i32.and (local.get 0) (i32.const 511)))"), 0);
}

#[test]
fn the_range_of_a_number_of_64_bits_is_not_that_of_32_bits() {
    // the upper half of a local that a loop changes may be anything
    let loads = |value: &str| {
        functions(&format!(
            "(func (export \"f\") (param i64 i64) (result i32) (local i32)
               (loop $l
                 (local.set 2 (i32.load8_u (i32.wrap_i64 {value})))
                 (local.set 0 (i64.add (local.get 0) (local.get 1)))
                 (br_if $l (local.get 2)))
               (local.get 2))"
        ))
        .matches("> ms - ")
        .count()
    };
    assert_eq!(loads("(i64.shr_u (local.get 0) (i64.const 32))"), 1);
    assert_eq!(loads("(i64.div_u (local.get 0) (i64.const 65536))"), 1);
    assert_eq!(loads("(i64.rem_u (local.get 0) (i64.const 70000))"), 1);
    // these are below the end of memory
    assert_eq!(loads("(i64.shr_u (local.get 0) (i64.const 49))"), 0);
    assert_eq!(loads("(i64.rem_u (local.get 0) (i64.const 65535))"), 0);
}

// SPDX-License-Identifier: Apache-2.0
//! Random programs that trap deep in calls.

use std::fmt::Write;

/// Returns a program whose functions call each other at random for some rounds, and trap then. Calls of the same
/// function stand at the ends of both arms of branches, the last function never returns, and some are equal.
pub fn program(mut state: u32) -> String {
    const FUNCTIONS: u32 = 9;
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut wat = String::from(
        r#"(module (type $t (func (param i32 i32) (result i32)))
        (import "env" "add" (func $add (param i32 i32) (result i32)))
        (memory 1)
        (func $panic (param i32) (i32.store (i32.const 8) (local.get 0)) (unreachable))
        (func $empty1 (call $panic (i32.const 1))) (func $empty2 (call $panic (i32.const 1)))
        "#,
    );
    for function in 0..FUNCTIONS {
        let mut arms = Vec::new();
        let call = |callee: u32| {
            format!(
                "(call $f{callee} (i32.add (local.get 0) (i32.const {callee})) (i32.sub (local.get 1) (i32.const 1)))"
            )
        };
        for _ in 0..4 {
            let (a, b) = (random(FUNCTIONS), random(FUNCTIONS));
            arms.push(match random(6) {
                0 => call(a),
                1 => format!("(i32.add (i32.const 1) {})", call(a)),
                2 => format!(
                    "(if (result i32) (i32.and (local.get 0) (i32.const 1)) (then (global.set 0 (i32.const {b})) {}) \
                     (else {}))",
                    call(a),
                    call(a)
                ),
                3 => "(call_indirect (type $t) (i32.shr_u (local.get 0) (i32.const 1)) \
                      (i32.sub (local.get 1) (i32.const 1)) (i32.rem_u (local.get 0) (i32.const 9)))"
                    .into(),
                4 => format!("(call $add (call $leaf (local.get 0)) {})", call(b)),
                _ => format!("(block (result i32) (drop {}) (call $leaf (local.get 1)))", call(a)),
            });
        }
        let traps = [
            "(unreachable)",
            "(i32.div_s (i32.const 1) (i32.const 0))",
            "(i32.load (i32.const -8))",
            "(call $panic (i32.const 3)) (i32.const 0)",
            "(call $empty1) (i32.const 0)",
            "(call $empty2) (i32.const 0)",
        ];
        let (one, other) = (traps[random(6) as usize], traps[random(6) as usize]);
        let _ = write!(
            wat,
            "(func $f{function} (param i32 i32) (result i32)
                (if (i32.eqz (local.get 1)) (then
                    (if (i32.and (local.get 0) (i32.const 2)) (then {one} drop) (else {other} drop))))
                (block $3 (block $2 (block $1 (block $0
                    (br_table $0 $1 $2 $3 (i32.and (local.get 0) (i32.const 3))))
                    (return {}))
                    (return {}))
                    (return {}))
                {})\n",
            arms[0], arms[1], arms[2], arms[3]
        );
    }
    wat.push_str(
        r#"(func $leaf (param i32) (result i32) (i32.mul (local.get 0) (i32.const 5)))
        (global (mut i32) (i32.const 0))
        (table 9 funcref) (elem (i32.const 0) $f0 $f1 $f2 $f3 $f4 $f5 $f6 $f7 $f8)
        (func (export "f") (param i32) (result i32)
            (call $f0 (local.get 0) (i32.rem_u (local.get 0) (i32.const 7)))))"#,
    );
    wat
}

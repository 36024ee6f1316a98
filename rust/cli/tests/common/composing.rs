// SPDX-License-Identifier: Apache-2.0
//! Composed components as text, and what has to come of them.

use super::{Folder, Run};

/// Interfaces of WASI, for the whole component and for each part.
pub const WASI: &str = concat!(
    include_str!("../../../component/tests/stdout.wat"),
    r#"  (core func $get (canon lower (func $stdout "get-stdout")))"#
);

/// A memory, an allocator that takes memory from 1024 upwards, and a check, for every part with code.
pub const PART: &str = r#"
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (global (export "__heap_base") i32 (i32.const 1024))
    (func $realloc (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32)
      (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $at) (local.get $new)))
      (memory.copy (local.get $at) (local.get $old) (local.get $size))
      (local.get $at))
    (func $is (param i32 i32) (if (i32.ne (local.get 0) (local.get 1)) (then (unreachable))))"#;

/// Returns a part that exports `wasi:cli/run`, with a core module whose imports are those of the instance `$i`.
pub fn program(items: &str, imports: &str, code: &str) -> String {
    format!(
        r#"{items}
        (core module $m {imports} {PART} {code})
        (core instance $c (instantiate $m (with "i" (instance $i))))
        (func $run (result (result)) (canon lift (core func $c "run")))
        (instance $r (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $r))"#
    )
}

pub fn run_with(text: &str, options: &str) -> Run {
    let folder = Folder::new();
    folder.write("a.wasm", wat::parse_str(text).unwrap());
    folder.wisp(&format!("run a.wasm {options}"))
}

pub fn run(text: &str) -> Run {
    run_with(text, "")
}

/// Runs a component that has to end without an error.
pub fn passes(text: &str) -> String {
    let run = run(text);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    run.out
}

/// Runs a component that has to trap.
pub fn traps(text: &str, reason: &str) {
    let run = run(text);
    assert_ne!(run.code, Some(0), "{}{}", run.out, run.err);
    assert!(run.err.contains(reason), "{}{}", run.out, run.err);
}

/// Returns two parts: the first exports `f` with this type, the second calls it.
pub fn two(ty: &str, core: &str, options: &str, callee: &str, caller: &str) -> String {
    let program = program(
        &format!(
            r#"(import "acme:lib/f" (instance $f (export "f" (func {ty}))))
            (core module $store {PART})
            (core instance $own (instantiate $store))
            (alias core export $own "memory" (core memory $memory))
            (alias core export $own "cabi_realloc" (core func $realloc))
            (core func $f (canon lower (func $f "f") (memory $memory) (realloc $realloc) {options}))
            (core instance $i
              (export "f" (func $f)) (export "memory" (memory $memory)) (export "realloc" (func $realloc)))"#
        ),
        "",
        "",
    );
    // the module of the program shares the memory that its imports were lowered with
    let own = format!(
        r#"(core module $m (import "i" "f" (func $f {core})) (import "i" "memory" (memory 1))
          (import "i" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
          (func $is (param i32 i32) (if (i32.ne (local.get 0) (local.get 1)) (then (unreachable))))
          {caller})"#
    );
    let (before, behind) = program.split_once("(core module $m").unwrap();
    let behind = &behind[behind.find("(core instance $c").unwrap()..];
    format!(
        r#"(component
        (component $lib
          (core module $m {PART} {callee})
          (core instance $c (instantiate $m))
          (alias core export $c "memory" (core memory $memory))
          (alias core export $c "cabi_realloc" (core func $realloc))
          (alias core export $c "after" (core func $after))
          (func $f {ty}
            (canon lift (core func $c "f") (memory $memory) (realloc $realloc) (post-return $after) {options}))
          (instance $f (export "f" (func $f)))
          (export "acme:lib/f" (instance $f)))
        (component $program {before}{own}{behind})
        (instance $l (instantiate $lib))
        (instance $p (instantiate $program (with "acme:lib/f" (instance $l "acme:lib/f"))))
        (alias export $p "wasi:cli/run@0.2.0" (instance $run))
        (export "wasi:cli/run@0.2.0" (instance $run)))"#
    )
}

/// Returns a library whose function does something with a number, and a program that gives it one.
pub fn poked(callee: &str, number: &str, then: &str) -> String {
    two(
        r#"(param "n" u32) (result u32)"#,
        "(param i32) (result i32)",
        "",
        &format!(r#"(func (export "f") (param $n i32) (result i32) {callee}) (func (export "after") (param i32))"#),
        &format!(
            r#"(func (export "run") (result i32) (local $n i32) (local.set $n (call $f {number})) {then} (i32.const 0))"#
        ),
    )
}

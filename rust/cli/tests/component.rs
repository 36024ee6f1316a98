// SPDX-License-Identifier: Apache-2.0
//! Components with each verb: they run on Wisp's own host.

mod common;

use common::Folder;

/// Returns a component whose `run` has this body, with more imports besides `exit`.
fn program(imports: &str, lowered: &str, declared: &str, body: &str) -> String {
    format!(
        r#"(component
          {imports}
          (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
          (core module $main
            (import "i" "exit" (func $exit (param i32)))
            {declared}
            (memory (export "memory") 1)
            (global (export "__heap_base") i32 (i32.const 4096))
            (global $top (mut i32) (i32.const 1024))
            (func (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
              (local $at i32)
              (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
              (global.set $top (i32.add (local.get $at) (local.get $new)))
              (memory.copy (local.get $at) (local.get $old)
                (select (local.get $size) (local.get $new) (i32.lt_u (local.get $size) (local.get $new))))
              (local.get $at))
            (func (export "run") (result i32) {body}))
          (core func $exited (canon lower (func $exit "exit")))
          {lowered}
          (instance $r (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $r)))"#
    )
}

/// Returns a program that needs no memory for its imports.
fn clock(body: &str) -> String {
    program(
        r#"(import "wasi:clocks/monotonic-clock@0.2.3" (instance $clock
            (export "now" (func (result u64)))))
        (import "wasi:random/random@0.2.3" (instance $random
            (export "get-random-u64" (func (result u64)))))"#,
        r#"(core func $now (canon lower (func $clock "now")))
        (core func $u64 (canon lower (func $random "get-random-u64")))
        (core instance $i (export "exit" (func $exited)) (export "now" (func $now)) (export "u64" (func $u64)))
        (core instance $m (instantiate $main (with "i" (instance $i))))
        (func $run (result (result)) (canon lift (core func $m "run")))"#,
        r#"(import "i" "now" (func $now (result i64))) (import "i" "u64" (func $u64 (result i64)))"#,
        body,
    )
}

#[test]
fn the_result_of_a_component_is_the_exit_code() {
    let folder = Folder::new();
    for (body, code) in [
        ("(i32.const 0)", 0),
        ("(i32.const 1)", 1),
        ("(call $exit (i32.const 1)) (unreachable)", 1),
        ("(call $exit (i32.const 0)) (unreachable)", 0),
    ] {
        folder.module("a.wasm", &clock(body));
        let run = folder.wisp("run a.wasm");
        assert_eq!(run.code, Some(code), "{body}: {}", run.err);
    }
}

#[test]
fn clock_and_random_numbers_are_those_of_the_host() {
    let folder = Folder::new();
    // a clock in nanoseconds does not run backwards, and two random numbers differ
    folder.module("a.wasm", &clock("(i32.or (i64.gt_u (call $now) (call $now)) (i64.eq (call $u64) (call $u64)))"));
    folder.succeeds("run a.wasm");
    folder.succeeds("build a.wasm -o a.wisp");
    folder.succeeds("run a.wisp");
    let shown = folder.succeeds("inspect a.wisp");
    assert!(shown.contains("wisp:timer@1 uptime_us") && shown.contains("wasi_snapshot_preview1 random_get"), "{shown}");
    assert!(shown.contains("trimmed from 65536"), "{shown}");
}

#[test]
fn the_world_of_a_component_is_shown() {
    let folder = Folder::new();
    folder.module("a.wasm", &clock("(i32.const 0)"));
    let shown = folder.succeeds("inspect a.wasm");
    for part in [
        "core module: ",
        "\nimports\n  wasi:clocks/monotonic-clock@0.2.3\n    now\n  wasi:random/random@0.2.3\n    get-random-u64\n",
        "\nexports\n  wasi:cli/run@0.2.0",
    ] {
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
    let json = folder.succeeds("--json inspect a.wasm");
    assert!(json.contains(r#""exports":["wasi:cli/run@0.2.0"]"#) && json.contains(r#""error":null"#), "{json}");
}

#[test]
fn a_component_that_is_refused_shows_its_world_and_fails() {
    let folder = Folder::new();
    folder.module("a.wasm", r#"(component (import "acme:lamp/switch@1.0.0" (instance (export "on" (func)))))"#);
    let run = folder.wisp("inspect a.wasm");
    assert_eq!(run.code, Some(1));
    assert!(
        run.out.contains("REFUSED: the component is not supported: ") && run.out.contains("acme:lamp/switch@1.0.0")
    );
}

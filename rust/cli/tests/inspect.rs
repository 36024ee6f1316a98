// SPDX-License-Identifier: Apache-2.0
//! `wisp inspect`.

mod common;

use common::Folder;

const MODULE: &str = r#"(module
  (import "wisp:timer@1" "uptime_us" (func $now (result i64)))
  (memory (export "memory") 1 3)
  (table (export "table") 2 funcref)
  (elem (i32.const 1) $now)
  (data (i32.const 16) "abc")
  (global (export "g") (mut i64) (i64.const 5))
  (func (export "f") (param i32) (result i64) (i64.add (call $now) (i64.extend_i32_u (local.get 0)))))"#;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.module("a.wasm", MODULE);
    folder.succeeds("build a.wasm --quiet");
    folder
}

#[test]
fn everything_an_app_needs_and_offers_is_shown() {
    let shown = folder().succeeds("inspect a.wisp");
    for part in [
        "hash: correct",
        "signature: none",
        "code: verified, 1 functions",
        "linear memory: 65536 bytes, at most 196608; pages of 65536",
        "globals: 8 bytes",
        "table 0: 2 funcref",
        "wisp:timer@1 uptime_us func () -> (i64)",
        "f func (i32) -> (i64)",
        "memory memory",
        "g global 0",
        "data 0: 3 bytes at 0x10",
        "elements 0: 1 funcref, at 0x1, table 0",
        "Manifest",
        "Code",
    ] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    assert!(!shown.contains("enter"), "code only when asked for");
}

#[test]
fn the_code_is_shown_op_by_op() {
    let shown = folder().succeeds("inspect a.wisp --code");
    for part in ["function 0 (i32) -> (i64)", "enter frame", "call_import frame", "i64.add", "return64"] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
}

#[test]
fn damage_is_found() {
    let folder = folder();
    let mut image = folder.read("a.wisp");
    let middle = image.len() / 2;
    image[middle] ^= 1;
    folder.write("a.wisp", &image);
    let run = folder.wisp("inspect a.wisp");
    assert_eq!(run.code, Some(1), "{}{}", run.out, run.err);
    assert!((run.out + &run.err).contains("WRONG"));
}

#[test]
fn a_wasm_module_is_no_image() {
    folder().fails("inspect a.wasm", &["a.wasm: ", "raw wasm module", "wisp build"]);
}

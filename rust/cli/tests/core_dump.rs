// SPDX-License-Identifier: Apache-2.0
//! `wisp run --core`, and what shows a core dump.

mod common;

use common::Folder;

const GUEST: &str = r#"(module
  (memory 1)
  (global (mut i32) (i32.const 41))
  (func $divide (param $by i32) (result i32) (i32.div_u (i32.const 7) (local.get $by)))
  (func (export "_start") (i32.store (i32.const 12) (i32.const 258)) (drop (call $divide (i32.const 0)))))"#;

#[test]
fn a_trap_leaves_a_core_dump_that_inspect_shows_with_names() {
    let folder = Folder::new();
    folder.module("guest.wasm", GUEST);
    let run = folder.wisp("run guest.wasm --core guest.core");
    assert_eq!(run.code, Some(136), "{}", run.err);
    let text = folder.succeeds("inspect guest.core");
    for expected in [
        "trap: integer divide by zero",
        "  0: `divide`, wasm offset 0x",
        "       local 0 = 0",
        "globals:\n  0 = 41",
        "linear memory: 65536 bytes, of which 2 are kept",
    ] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    let json = folder.succeeds("inspect guest.core --json");
    assert!(json.contains(r#""locals":["0"]"#), "{json}");
    // an image has no debug information, and its symbols have the names
    folder.succeeds("build guest.wasm --quiet -o other.wisp");
    assert_eq!(folder.wisp("run other.wisp --core other.core").code, Some(136));
    assert!(folder.succeeds("inspect other.core").contains("  0: `divide`, wasm offset 0x"));
    let wrong = folder.wisp("inspect guest.core --symbols other.wisp.sym");
    assert!(wrong.err.contains("the symbols belong to another build"), "{}", wrong.err);
}

#[test]
fn an_app_that_does_not_trap_leaves_none() {
    let folder = Folder::new();
    folder.module("guest.wasm", r#"(module (func (export "_start")))"#);
    folder.succeeds("run guest.wasm --core guest.core");
    assert!(folder.wisp("inspect guest.core").err.contains("cannot be read"));
}

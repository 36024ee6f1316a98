// SPDX-License-Identifier: Apache-2.0
//! `wisp build`.

mod common;

use common::Folder;

const ADD: &str =
    "(module (func $add (export \"add\") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))";

#[test]
fn the_image_lies_beside_the_module_unless_told_otherwise() {
    let folder = Folder::new();
    folder.module("add.wasm", ADD);
    let said = folder.succeeds("build add.wasm");
    assert!(said.contains("add.wisp") && said.contains("bytes"), "{said}");
    folder.succeeds("build add.wasm -o other.wisp");
    assert_eq!(folder.read("add.wisp"), folder.read("other.wisp"));
    assert!(folder.read("add.wisp").starts_with(b"WISP"));
}

#[test]
fn name_and_version_are_in_the_image() {
    let folder = Folder::new();
    folder.module("add.wasm", ADD);
    folder.succeeds("build add.wasm -o a.wisp --name sensor --version 1.2.345 --quiet");
    assert!(folder.succeeds("inspect a.wisp").starts_with("sensor 1.2.345, "));
}

#[test]
fn a_memory_above_the_limit_is_refused_with_the_flag_that_cures_it() {
    let folder = Folder::new();
    let text = "(module (memory 17) (global (mut i32) (i32.const 1048576)) (data (i32.const 1048576) \"x\"))";
    folder.module("big.wasm", text);
    let saying = ["big.wasm: ", "1114112 bytes", "65536 are allowed", "1048576 of them stack", "-zstack-size=2048"];
    folder.fails("build big.wasm --memory-limit 65536", &saying);
    assert!(!folder.path("big.wisp").exists());
}

#[test]
fn trimming_backs_what_the_linker_says_is_used_and_the_heap() {
    let folder = Folder::new();
    let text = "(module (memory 1) (global (export \"__heap_base\") i32 (i32.const 2048)))";
    folder.module("a.wasm", text);
    assert!(folder.succeeds("build a.wasm").contains("linear memory: 2048 bytes, trimmed from 65536"));
    assert!(folder.succeeds("build a.wasm --heap 1000").contains("linear memory: 3048 bytes"));
    assert!(folder.succeeds("build a.wasm --no-trim").contains("linear memory: 65536 bytes"));
}

#[test]
fn an_invalid_module_is_refused_with_offset_and_function() {
    let folder = Folder::new();
    folder.module("bad.wasm", "(module (func) (func $wrong (result i32) (i64.const 1)))");
    folder.fails("build bad.wasm", &["bad.wasm: ", "type mismatch", "at offset 0x", "in function 1 `wrong`"]);
}

#[test]
fn a_module_that_needs_simd_is_refused_with_its_name() {
    let folder = Folder::new();
    folder.module("simd.wasm", "(module (func (result v128) (v128.const i64x2 0 0)))");
    folder.fails("build simd.wasm", &["simd.wasm: the module needs the proposal SIMD"]);
}

#[test]
fn what_is_no_module_is_told_from_what_is_a_damaged_one() {
    let folder = Folder::new();
    folder.fails("build nowhere.wasm", &["nowhere.wasm: cannot be read"]);
    let cases: [(&[u8], &str); 8] = [
        (b"", "the file is empty"),
        (b"\x7fELF\x01\x01", "native program"),
        (b"\x01\x02\x03\x04", "neither a wasm module nor a Wisp image: it begins with [01, 02, 03, 04]"),
        (b"  (module)", "WebAssembly text"),
        (b"\0asm\x0d\0\x01\0", "component"),
        (b"\0asm\x02\0\0\0", "wasm version [02, 00, 00, 00], expected [01, 00, 00, 00]"),
        (b"\0asm", "cut short"),
        (b"WISP\x01\0\x01\0", "Wisp image already"),
    ];
    for (bytes, saying) in cases {
        folder.write("x.wasm", bytes);
        folder.fails("build x.wasm", &["x.wasm: ", saying]);
    }
    folder.module("add.wasm", ADD);
    let add = folder.read("add.wasm");
    folder.write("cut.wasm", &add[..add.len() - 3]);
    folder.fails("build cut.wasm", &["cut.wasm: ", "unexpected end", "at offset 0x"]);
}

#[test]
fn the_symbols_belong_to_their_image() {
    let folder = Folder::new();
    folder.module("add.wasm", ADD);
    folder.module("other.wasm", "(module (func (export \"f\")))");
    folder.succeeds("build add.wasm --symbols add.sym");
    folder.succeeds("build other.wasm --no-symbols");
    assert!(folder.succeeds("inspect add.wisp --code --symbols add.sym").contains("function 0 `add`"));
    folder
        .fails("inspect other.wisp --symbols add.sym", &["add.sym: ", "another build", "`wisp build` wrote together"]);
    folder.fails("inspect add.wisp --symbols add.wasm", &["add.wasm: "]);
}

#[test]
fn names_are_in_the_image_only_if_asked_for() {
    let folder = Folder::new();
    folder.module("add.wasm", ADD);
    folder.succeeds("build add.wasm -o without.wisp --no-symbols --quiet");
    folder.succeeds("build add.wasm -o with.wisp --no-symbols --names --quiet");
    let (without, with) = (folder.read("without.wisp"), folder.read("with.wisp"));
    // an entry of the section table, and the section: an offset, a length, `add`
    assert!((20..=32).contains(&(with.len() - without.len())), "{} {}", with.len(), without.len());
    let shown = folder.succeeds("inspect with.wisp --code");
    for part in ["hash: correct", "code: verified", "Names", "function 0 `add` "] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    let shown = folder.succeeds("inspect without.wisp --code");
    assert!(!shown.contains("Names") && !shown.contains("`add`"), "{shown}");
}

#[test]
fn a_trap_is_named_by_the_image_where_there_are_no_symbols() {
    let folder = Folder::new();
    let text = "(module (func $deep unreachable) (func (export \"run\") (call $deep)))";
    folder.module("a.wasm", text);
    folder.succeeds("build a.wasm --no-symbols --names --quiet");
    let run = folder.wisp("run a.wisp --invoke run");
    assert!(run.err.contains("  0: `deep`, code offset "), "{}", run.err);
}

#[test]
fn an_image_that_no_device_can_start_is_noted() {
    let folder = Folder::new();
    let said = |exports: &str| {
        folder.module("a.wasm", &format!("(module (func {exports}))"));
        let run = folder.wisp("build a.wasm");
        assert_eq!(run.code, Some(0), "{}", run.err);
        run.err
    };
    let note =
        "wisp: note: the module exports neither `_start`, which comes with `main`, nor `_initialize`: the app cannot \
                be started on a device\n";
    assert_eq!(said("(export \"add\")"), note);
    assert_eq!(said("(export \"_start\")"), "");
    assert_eq!(said("(export \"_initialize\")"), "");
}

// SPDX-License-Identifier: Apache-2.0
//! What programs that others wrote ask of `wisp run`: exit statuses, files, events, memory.

mod common;

use common::Folder;

/// Returns a module that ends with what `body` leaves on the stack as its status.
fn ending(imports: &str, body: &str) -> String {
    format!(
        r#"(module {imports}
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 100) "config/../secret")
        (func (export "_start") (call $exit {body})))"#
    )
}

#[test]
fn a_status_that_no_exit_code_holds_is_no_success() {
    let folder = Folder::new();
    for (status, code) in [("0", 0), ("255", 255), ("256", 255), ("-1", 255)] {
        folder.module("a.wasm", &ending("", &format!("(i32.const {status})")));
        let run = folder.wisp("run a.wasm");
        assert_eq!(run.code, Some(code), "{status}");
        assert_eq!(run.err.contains("ended with status"), status == "256" || status == "-1", "{}", run.err);
    }
}

const OPEN: &str = r#"(import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"#;

/// Returns the error of opening `length` bytes of the path for reading.
fn opening(length: u32) -> String {
    let call = format!(
        "(call $open (i32.const 3) (i32.const 1) (i32.const 100) (i32.const {length}) (i32.const 0) (i64.const 2) \
         (i64.const 0) (i32.const 0) (i32.const 0))"
    );
    ending(OPEN, &call)
}

#[test]
fn only_a_folder_that_was_granted_has_files() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("inner")).unwrap();
    folder.write("inner/config", "x");
    folder.write("secret", "y");
    folder.module("a.wasm", &opening(6));
    assert_eq!(folder.wisp("run a.wasm").code, Some(8), "badf: there is no folder");
    assert_eq!(folder.wisp("run a.wasm --dir inner::/").code, Some(0));
    assert_eq!(folder.wisp("run a.wasm --dir .::/").code, Some(44), "noent");
    folder.module("b.wasm", &opening(16));
    assert_ne!(folder.wisp("run b.wasm --dir inner::/").code, Some(0));
    folder.fails("run a.wasm --dir missing", &["missing: cannot be granted as a folder"]);
    folder.write("board.toml", "[apps.a.folders.\"/\"]\npath = \"inner\"\nquota = 1000\n");
    assert_eq!(folder.wisp("run a.wasm --board board.toml").code, Some(0));
    folder.write("board.toml", "[apps.a.folders.\"/\"]\npath = \"missing\"\n");
    folder.fails("run a.wasm --board board.toml", &["missing: cannot be granted as a folder"]);
}

#[test]
fn a_reactor_is_set_up_and_then_called_for_events() {
    let folder = Folder::new();
    let reactor = |handler: &str| {
        format!(
            r#"(module
            (import "wisp:timer@1" "start" (func $start (param i32 i64 i64) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (global $seen (mut i32) (i32.const 0))
            (func (export "_initialize") (drop (call $start (i32.const 2) (i64.const 1000) (i64.const 1000))))
            {handler})"#
        )
    };
    let handler = r#"(func (export "on_event") (param $kind i32) (param $source i32) (param $value i32) (param $lost i32)
        (global.set $seen (i32.add (global.get $seen) (local.get $source)))
        (if (i32.ne (local.get $kind) (i32.const 1)) (then (unreachable)))
        (if (i32.eq (global.get $seen) (i32.const 6)) (then (call $exit (global.get $seen)))))"#;
    folder.write("board.toml", "[apps.a]\n");
    folder.module("a.wasm", &reactor(handler));
    assert_eq!(folder.wisp("run a.wasm --board board.toml").code, Some(6));
    folder.module("a.wasm", &reactor(""));
    assert_eq!(folder.wisp("run a.wasm --board board.toml").code, Some(0), "no handler: it is only set up");
    folder.module("a.wasm", &reactor(r#"(func (export "on_event") (param i32 i32 i32 i32))"#));
    let run = folder.wisp("run a.wasm --board board.toml --duration 50");
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "the end of the run is a normal end");
}

#[test]
fn an_overflow_of_the_guests_stack_is_told_with_the_flags_that_raise_it() {
    let folder = Folder::new();
    let text = r#"(module (memory 1) (global $__stack_pointer (mut i32) (i32.const 2048)) (data (i32.const 2048) "x")
        (func (export "_start") (local $sp i32)
            (global.set $__stack_pointer (local.tee $sp (i32.sub (global.get $__stack_pointer) (i32.const 4096))))
            (i32.store (local.get $sp) (i32.const 1))))"#;
    folder.module("a.wasm", text);
    let run = folder.wisp("run a.wasm");
    assert_eq!(run.code, Some(139));
    for part in
        ["out of bounds memory access", "stack of 2048 bytes overflowed with 4096 bytes in use", "-zstack-size=8192"]
    {
        assert!(run.err.contains(part), "{}", run.err);
    }
}

#[test]
fn an_allocator_gets_what_the_app_is_allowed_and_a_refusal_is_told() {
    let folder = Folder::new();
    let text = r#"(module (memory 1)
        (func (export "end") (result i32) (i32.shl (memory.size) (i32.const 16)))
        (func (export "grow") (result i32) (drop (memory.grow (i32.const 1))) (memory.grow (i32.const 1))))"#;
    folder.module("a.wasm", text);
    assert_eq!(folder.succeeds("run a.wasm --max-memory 16384 --invoke end"), "16384\n");
    assert_eq!(folder.succeeds("run a.wasm --invoke end"), "65536\n");
    folder.fails("run a.wasm --max-memory 16384 --no-trim --invoke end", &["65536 bytes, 16384 are allowed"]);
    let run = folder.wisp("run a.wasm --max-memory 16384 --invoke grow");
    assert_eq!((run.code, run.out.as_str()), (Some(0), "-1\n"));
    assert_eq!(run.err.matches("memory.grow was refused").count(), 1, "{}", run.err);
}

#[test]
fn pages_of_one_byte_with_an_allocator_that_counts_large_ones_are_warned_of() {
    let folder = Folder::new();
    let module = |memory: &str| {
        format!("(module {memory} (func (param i32) (drop (memory.grow (i32.shr_u (local.get 0) (i32.const 16))))))")
    };
    folder.module("a.wasm", &module("(memory 4096 (pagesize 1))"));
    assert!(folder.wisp("build a.wasm").err.contains("--page-size=1"));
    folder.module("b.wasm", &module("(memory 1)"));
    assert!(!folder.wisp("build b.wasm").err.contains("--page-size=1"));
}

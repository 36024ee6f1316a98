// SPDX-License-Identifier: Apache-2.0
//! Modules that no tested toolchain makes: each is run right, or refused in one sentence.

mod common;

use common::{Folder, Run};

/// Returns the file with what it takes to run it: every verb ends in order and steers no terminal.
fn ended(folder: &Folder, arguments: &str) -> Run {
    let run = folder.wisp(arguments);
    let text = format!("{}{}", run.out, run.err);
    assert!(matches!(run.code, Some(0 | 1)) || run.code.is_some_and(|code| code > 128), "{arguments}: {text}");
    assert!(!text.contains("panicked") && !text.contains("internal error"), "{arguments}: {text}");
    assert!(text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "{arguments}: {text:?}");
    run
}

/// Returns what calling an export prints, or the first line of its trap.
fn interpreted(text: &str, export: &str, arguments: &str) -> String {
    let folder = Folder::new();
    folder.module("a.wasm", text);
    ended(&folder, "build a.wasm --quiet");
    ended(&folder, "inspect a.wisp --code");
    said(&ended(&folder, &format!("run a.wasm --invoke {export} {arguments}")))
}

fn said(run: &Run) -> String {
    match run.code {
        Some(0) => run.out.clone(),
        _ => run.err.lines().next().unwrap_or_default().into(),
    }
}

/// Returns what [`interpreted`] does, after native code gave the same.
fn invoked(text: &str, export: &str, arguments: &str) -> String {
    let interpreted = interpreted(text, export, arguments);
    let folder = Folder::new();
    folder.module("a.wasm", text);
    let native = ended(&folder, &format!("run a.wasm --native --invoke {export} {arguments}"));
    assert_eq!(said(&native), interpreted, "{text}: {}", native.err);
    interpreted
}

/// Returns the message with which building and running refuse a module.
fn refused(wasm: &[u8]) -> String {
    let folder = Folder::new();
    folder.write("a.wasm", wasm);
    let build = ended(&folder, "build a.wasm");
    let run = ended(&folder, "run a.wasm");
    assert_eq!((build.code, run.code), (Some(1), Some(1)), "{}{}", build.err, run.err);
    assert_eq!(build.err, run.err);
    assert_eq!(build.err.trim_end().lines().count(), 1, "{}", build.err);
    build.err
}

/// Returns a module of sections, each an id and its content.
fn sections(sections: &[(u8, &[u8])]) -> Vec<u8> {
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    for (id, content) in sections {
        wasm.extend([*id, content.len() as u8]);
        wasm.extend(*content);
    }
    wasm
}

const TYPE: (u8, &[u8]) = (1, &[1, 0x60, 0, 1, 0x7f]);
const FUNCTION: (u8, &[u8]) = (3, &[1, 0]);
const EXPORT: (u8, &[u8]) = (7, &[1, 1, b'f', 0, 0]);
const CODE: (u8, &[u8]) = (10, &[1, 4, 0, 0x41, 42, 0x0b]);
const CUSTOM: (u8, &[u8]) = (0, &[3, b'o', b'd', b'd', 1, 2, 3]);

#[test]
fn custom_sections_may_stand_anywhere_and_others_may_not() {
    let folder = Folder::new();
    folder.write("a.wasm", sections(&[CUSTOM, TYPE, CUSTOM, FUNCTION, CUSTOM, EXPORT, CODE, CUSTOM]));
    assert_eq!(folder.succeeds("run a.wasm --invoke f"), "42\n");
    for order in [[FUNCTION, TYPE, EXPORT, CODE], [TYPE, EXPORT, FUNCTION, CODE], [TYPE, FUNCTION, CODE, EXPORT]] {
        let said = refused(&sections(&order));
        assert!(said.contains("out of order") || said.contains("unknown"), "{said}");
    }
    let twice = refused(&sections(&[TYPE, TYPE, FUNCTION, CODE]));
    assert!(twice.contains("out of order"), "{twice}");
    let bodiless = refused(&sections(&[TYPE, FUNCTION, EXPORT]));
    assert!(bodiless.contains("code section is absent"), "{bodiless}");
    let unknown = refused(&sections(&[TYPE, (99, &[]), FUNCTION, CODE]));
    assert!(unknown.contains("section"), "{unknown}");
}

#[test]
fn names_that_steer_a_terminal_are_shown_as_escapes() {
    let folder = Folder::new();
    folder.module(
        "a.wasm",
        r#"(module (import "e\1b[31m" "x\0ay" (func)) (func (@name "tr\0aap\1b[2J") (export "a\0db") unreachable))"#,
    );
    let run = ended(&folder, "run a.wasm --invoke f");
    assert!(run.err.contains(r"import `e\u{1b}[31m` `x\ny`"), "{}", run.err);
    folder.succeeds("build a.wasm --quiet --names");
    let shown = ended(&folder, "inspect a.wisp --code");
    assert!(shown.out.contains(r"a\rb func") && shown.out.contains(r"`tr\nap\u{1b}[2J`"), "{}", shown.out);
    folder.module("b.wasm", r#"(module (func (@name "tr\0aap\1b[2J") (export "a\0db") unreachable))"#);
    assert!(ended(&folder, "run b.wasm --invoke f").err.contains(r"a\rb() -> ()"));
    folder.module("c.wasm", r#"(module (func (@name "tr\0aap\1b[2J") (export "f") unreachable))"#);
    for file in ["c.wasm", "c.wisp"] {
        let run = ended(&folder, &format!("run {file} --invoke f"));
        assert!(run.err.contains(r"`tr\nap\u{1b}[2J`"), "{}", run.err);
        folder.succeeds("build c.wasm --quiet");
    }
    let twice = wat::parse_str(r#"(module (func (export "a\1b") (export "a\1b")))"#).unwrap();
    assert!(refused(&twice).contains(r"\u{1b}"));
}

#[test]
fn exports_may_have_an_empty_name_or_any_other() {
    let folder = Folder::new();
    folder.module(
        "a.wasm",
        r#"(module (func (export "")) (func (export "a b")) (func (export "💡") (result i32) i32.const 7))"#,
    );
    folder.succeeds("build a.wasm --quiet");
    ended(&folder, "inspect a.wisp");
    assert_eq!(folder.succeeds("run a.wisp --invoke 💡"), "7\n");
    let run = ended(&folder, "run a.wisp");
    assert!(run.err.contains("no exported function `_start`") && run.err.contains("a b() -> ()"), "{}", run.err);
    folder.module("b.wasm", "(module)");
    folder.succeeds("build b.wasm --quiet");
    ended(&folder, "inspect b.wisp --code");
    assert!(ended(&folder, "run b.wasm").err.contains("it exports no function"));
}

#[test]
fn start_functions_run_first_and_may_trap() {
    let counts = r#"(module (global $g (mut i32) (i32.const 1)) (start $s)
        (func $s (global.set $g (i32.mul (global.get $g) (i32.const 6))))
        (func (export "f") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))"#;
    assert_eq!(interpreted(counts, "f", ""), "7\n");
    let traps = r#"(module (start $s) (func $s unreachable) (func (export "f")))"#;
    assert!(interpreted(traps, "f", "").starts_with("wisp: trap: unreachable"));
}

#[test]
fn segments_that_are_passive_overlap_or_lie_outside() {
    let overlapping = r#"(module (memory 1) (data (i32.const 0) "\01\02\03\04") (data (i32.const 2) "\09") (data (i32.const 1) "\07\08")
        (func (export "f") (result i32) (i32.load (i32.const 0))))"#;
    assert_eq!(interpreted(overlapping, "f", ""), format!("{}\n", 0x0408_0701));
    let passive = |length: u32| {
        format!(
            r#"(module (memory 1) (data $d "abcd") (func (export "f") (result i32)
            (memory.init $d (i32.const 8) (i32.const 1) (i32.const {length})) (data.drop $d) (i32.load (i32.const 8))))"#
        )
    };
    assert_eq!(invoked(&passive(3), "f", ""), format!("{}\n", 0x0064_6362));
    assert!(interpreted(&passive(4), "f", "").starts_with("wisp: trap: out of bounds memory access"));
    let outside = r#"(module (memory 1) (data (i32.const 65535) "ab") (func (export "f")))"#;
    assert!(interpreted(outside, "f", "").starts_with("wisp: trap: out of bounds memory access"));
    let elements = r#"(module (table 2 funcref) (elem (i32.const 1) $a $a) (func $a) (func (export "f")))"#;
    assert!(interpreted(elements, "f", "").starts_with("wisp: trap: out of bounds table access"));
}

/// Returns a module that passes this many values through two functions, and the result.
fn passing(count: i64) -> (String, i64) {
    let params = "i64 ".repeat(count as usize);
    let each = |text: &dyn Fn(i64) -> String| (0..count).map(text).collect::<String>();
    let module = format!(
        "(module (func $many (param {params}) (result {params}) {})
        (func $sum (param {params}) (result i64) (local i64) {} (local.get {count}))
        (func (export \"f\") (result i64) {} (call $many) (call $sum)))",
        each(&|n| format!("(local.get {})", count - 1 - n)),
        each(&|n| format!(
            "(local.set {count} (i64.add (local.get {count}) (i64.mul (local.get {n}) (i64.const {n}))))"
        )),
        each(&|n| format!("(i64.const {})", 3 * n + 1)),
    );
    // the values arrive the other way round
    (module, (0..count).map(|n| (3 * (count - 1 - n) + 1) * n).sum())
}

#[test]
fn a_thousand_parameters_and_results_arrive() {
    let (module, expected) = passing(1000);
    let folder = Folder::new();
    folder.module("a.wasm", &module);
    assert_eq!(folder.succeeds("run a.wasm --invoke f"), format!("{expected}\n"));
    let (module, expected) = passing(60);
    assert_eq!(invoked(&module, "f", ""), format!("{expected}\n"));
}

#[test]
fn a_large_table_of_branches_reaches_all_of_its_targets() {
    let targets: String = (0..12_000).map(|n| format!("{} ", n % 3)).collect();
    let tried = [0, 1, 2, 11_999, 11_998, 12_000, -1];
    let calls: String = tried.iter().map(|index| format!("(call $t (i32.const {index}))")).collect();
    let module = format!(
        "(module (func $t (param i32) (result i32)
        (block (block (block (br_table {targets} 1 (local.get 0))) (return (i32.const 10))) (return (i32.const 20)))
        (i32.const 30))
        (func (export \"f\") (result {}) {calls}))",
        "i32 ".repeat(tried.len())
    );
    assert_eq!(invoked(&module, "f", ""), "10\n20\n30\n30\n20\n20\n20\n");
}

#[test]
fn results_may_be_several_of_all_types() {
    let module = r#"(module (func (export "f") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
        (local.get 3) (local.get 2) (local.get 1) (local.get 0)))"#;
    assert_eq!(invoked(module, "f", "-1 9007199254740993 1.5 -0.25"), "-0.25\n1.5\n9007199254740993\n-1\n");
}

#[test]
fn memories_grow_to_their_maximum_and_no_further() {
    let module = |max: &str| {
        format!(
            r#"(module (memory 1 {max}) (func (export "f") (param i32) (result i32 i32)
            (memory.grow (local.get 0)) (memory.size)))"#
        )
    };
    assert_eq!(interpreted(&module("3"), "f", "2"), "1\n3\n");
    assert_eq!(interpreted(&module("3"), "f", "3"), "-1\n1\n");
    assert_eq!(interpreted(&module("1"), "f", "1"), "-1\n1\n");
    assert_eq!(interpreted(&module(""), "f", "-1"), "-1\n1\n");
    // no memory of 4 GiB fits a device, but the module is valid
    let folder = Folder::new();
    folder.module("a.wasm", "(module (memory 65536) (func (export \"_start\") (drop (i32.load (i32.const -4)))))");
    ended(&folder, "build a.wasm --quiet");
    let run = ended(&folder, "run a.wasm");
    assert!(run.code == Some(1) && run.err.contains("memory begins with"), "{}", run.err);
    // one page more: 65537 in three bytes
    let larger = sections(&[(5, &[1, 0, 0x81, 0x80, 0x04])]);
    assert_eq!(
        refused(&larger),
        "wisp: a.wasm: memory size must be at most 0x10000 65536-byte pages (at offset 0xb)\n"
    );
}

#[test]
fn imports_that_nobody_has_are_named_once_with_what_to_do() {
    for (import, expected) in [
        (r#"(import "" "" (func))"#, "import `` ``: nobody has this interface"),
        (r#"(import "game" "draw" (func (param f32)))"#, "import `game` `draw`: nobody has this interface"),
        (r#"(import "env" "memory" (memory 1))"#, "import `env` `memory`: it is no function"),
        (r#"(import "env" "t" (table 1 funcref))"#, "import `env` `t`: it is no function"),
        (r#"(import "env" "g" (global i64))"#, "import `env` `g`: it is no function"),
        (r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i64)))"#, "the app has it as (i64) -> ()"),
        (r#"(import "wasi_snapshot_preview1" "fd_fly" (func))"#, "the interface has no such function"),
    ] {
        let folder = Folder::new();
        folder.module("a.wasm", &format!("(module {import} (func (export \"_start\")))"));
        folder.succeeds("build a.wasm --quiet");
        ended(&folder, "inspect a.wisp");
        let run = ended(&folder, "run a.wasm");
        assert!(run.code == Some(1) && run.err.contains(expected), "{import}: {}", run.err);
    }
}

#[test]
fn tables_and_recursion_beyond_all_measure_end_in_words() {
    let folder = Folder::new();
    folder.module("a.wasm", "(module (table 10000000 funcref) (func (export \"_start\")))");
    let run = ended(&folder, "run a.wasm");
    let arena = "wisp: a.wasm: the arena is too small: 40000000 bytes needed, ";
    assert!(run.code == Some(1) && run.err.starts_with(arena), "{}", run.err);
    let deep =
        r#"(module (func $f (export "f") (param i64) (result i64) (i64.add (call $f (local.get 0)) (i64.const 1))))"#;
    assert!(interpreted(deep, "f", "1").starts_with("wisp: trap: call stack exhausted"));
    let depth = 400;
    let nested = format!(
        "(module (func (export \"f\") (param i32) (result i32) {} (return (i32.const 5)) {} (i32.const 6)))",
        "local.get 0 if ".repeat(depth),
        "end ".repeat(depth)
    );
    assert_eq!((invoked(&nested, "f", "1"), invoked(&nested, "f", "0")), ("5\n".into(), "6\n".into()));
}

#[test]
fn an_entry_of_another_type_is_told() {
    let folder = Folder::new();
    folder.module("a.wasm", "(module (func (export \"_start\") (param i32) (result i32) (local.get 0)))");
    let run = ended(&folder, "run a.wasm");
    assert!(run.code == Some(1) && run.err.contains("_start"), "{}", run.err);
    folder.module("b.wasm", "(module (memory (export \"_start\") 1))");
    let run = ended(&folder, "run b.wasm");
    assert!(run.code == Some(1) && run.err.contains("no exported function `_start`"), "{}", run.err);
    folder.module("c.wasm", "(module (func (export \"f\") (param funcref externref) (result i32) (i32.const 1)))");
    ended(&folder, "run c.wasm --invoke f 1 2");
    ended(&folder, "run c.wasm --invoke f null null");
}

#[test]
fn a_backtrace_names_functions_as_the_module_counts_them() {
    let imports = r#"(import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $e (param i32)))"#;
    let folder = Folder::new();
    folder.module("a.wasm", &format!("(module {imports} (func (export \"_start\") (call 3)) (func unreachable))"));
    let run = ended(&folder, "run a.wasm");
    let lines: Vec<&str> = run.err.lines().collect();
    assert_eq!(lines[0], "wisp: trap: unreachable");
    assert!(lines[1].starts_with("  0: function 3, wasm offset 0x"), "{}", run.err);
    assert!(lines[2].starts_with("  1: function 2, wasm offset 0x"), "{}", run.err);
    folder.module("b.wasm", &format!("(module {imports} (func (export \"_start\") (drop (call $y))))"));
    let run = ended(&folder, "run b.wasm --profile");
    assert!(run.err.lines().any(|line| line.ends_with("  function 2")), "{}", run.err);
}

#[test]
fn a_trap_of_the_start_function_comes_from_no_function_that_the_module_lacks() {
    let folder = Folder::new();
    folder.module("a.wasm", "(module (func $s unreachable) (start $s) (func (export \"_start\")))");
    let run = ended(&folder, "run a.wasm");
    let lines: Vec<&str> = run.err.lines().collect();
    assert!(lines[1].starts_with("  0: `s`, wasm offset 0x"), "{}", run.err);
    assert_eq!(lines[2..], ["  1: instantiation of the module"]);
}

#[test]
fn a_segment_that_lies_outside_is_told_though_no_function_traps() {
    let folder = Folder::new();
    let entry = "(func $f (export \"_start\"))";
    for (segment, reason, told) in [
        (
            "(memory 1) (data (i32.const 65536) \"a\")",
            "out of bounds memory access",
            "a segment of data lies outside of the memory",
        ),
        (
            "(table 1 funcref) (elem (i32.const 1) $f)",
            "out of bounds table access (undefined element)",
            "a segment of elements lies outside of the table",
        ),
    ] {
        folder.module("a.wasm", &format!("(module {segment} {entry})"));
        let run = ended(&folder, "run a.wasm");
        assert_eq!(run.err.trim_end(), format!("wisp: trap: {reason}\n  {told} with which the module begins"));
    }
}

#[test]
fn a_function_of_one_argument_asks_for_one_argument() {
    let folder = Folder::new();
    folder.module("a.wasm", "(module (func (export \"f\") (param i32)))");
    let run = ended(&folder, "run a.wasm --invoke f");
    assert_eq!(run.err.lines().next(), Some("wisp: `f` takes 1 argument, 0 given; its type is (i32) -> ()"));
}

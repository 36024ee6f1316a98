// SPDX-License-Identifier: Apache-2.0
//! Composed components: parts with memories of their own call each other, as the canonical ABI says.

mod common;

use common::composing::{passes, poked, program, run, run_with, traps, two, PART};
use common::Folder;

/// The type of a function from a string to a string, and those of its core functions.
const STRINGS: [&str; 2] = [r#"(param "s" string) (result string)"#, "(param i32 i32 i32)"];

/// Returns what it gets between two brackets, and counts calls after a return.
const BRACKETS: &str = r#"
    (global $returned (mut i32) (i32.const 0))
    (func (export "f") (param $at i32) (param $length i32) (result i32)
      (local $to i32)
      (call $is (global.get $returned) (i32.load (i32.const 8)))
      (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1)))
      (local.set $to (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.add (local.get $length) (i32.const 2))))
      (i32.store8 (local.get $to) (i32.const 91))
      (memory.copy (i32.add (local.get $to) (i32.const 1)) (local.get $at) (local.get $length))
      (i32.store8 offset=1 (i32.add (local.get $to) (local.get $length)) (i32.const 93))
      (i32.store (i32.const 16) (local.get $to))
      (i32.store (i32.const 20) (i32.add (local.get $length) (i32.const 2)))
      (i32.const 16))
    (func (export "after") (param i32)
      (call $is (local.get 0) (i32.const 16))
      (global.set $returned (i32.add (global.get $returned) (i32.const 1))))"#;

#[test]
fn a_string_goes_from_part_to_part_and_back_and_the_callee_hears_of_the_return() {
    // "h\u{e9}\u{20ac}\u{1f600}" has characters of 1 to 4 bytes
    let text = two(
        STRINGS[0],
        STRINGS[1],
        "",
        BRACKETS,
        r#"(data (i32.const 32) "h\c3\a9\e2\82\ac\f0\9f\98\80")
        (func (export "run") (result i32)
          (local $round i32) (local $at i32)
          (loop $again
            (call $f (i32.const 32) (i32.const 10) (i32.const 64))
            (call $is (i32.load (i32.const 68)) (i32.const 12))
            (local.set $at (i32.load (i32.const 64)))
            (call $is (i32.load8_u (local.get $at)) (i32.const 91))
            (call $is (i32.load offset=1 (local.get $at)) (i32.load (i32.const 32)))
            (call $is (i32.load offset=7 (local.get $at)) (i32.load (i32.const 38)))
            (call $is (i32.load8_u offset=11 (local.get $at)) (i32.const 93))
            (local.set $round (i32.add (local.get $round) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $round) (i32.const 5))))
          (i32.const 0))"#,
    );
    passes(&text);
}

#[test]
fn a_string_that_is_not_utf_8_traps() {
    for (bytes, length, valid) in [
        ("\\c3\\a9", 2, true),
        ("\\ed\\9f\\bf", 3, true),
        ("\\f4\\8f\\bf\\bf", 4, true),
        ("\\c3\\a9", 1, false),
        ("\\c0\\80", 2, false),
        ("\\e0\\9f\\80", 3, false),
        ("\\ed\\a0\\80", 3, false),
        ("\\f0\\8f\\80\\80", 4, false),
        ("\\f4\\90\\80\\80", 4, false),
        ("\\f5\\80\\80\\80", 4, false),
        ("\\80", 1, false),
        ("\\e2\\82a", 3, false),
        ("abcdefgh", 8, true),
        ("abcdefgh\\80", 9, false),
        ("abcdefg\\c3\\a9", 9, true),
        ("abcdefg\\c3", 8, false),
    ] {
        let caller = format!(
            r#"(data (i32.const 32) "{bytes}")
            (func (export "run") (result i32) (call $f (i32.const 32) (i32.const {length}) (i32.const 64)) (i32.const 0))"#
        );
        let run = run(&two(STRINGS[0], STRINGS[1], "", BRACKETS, &caller));
        assert_eq!(run.code == Some(0), valid, "{bytes} {length}: {}{}", run.out, run.err);
    }
}

#[test]
fn values_of_all_kinds_go_through_memory() {
    let ty = r#"(param "l" (list (tuple u8 string (option u64) (result (list f32) (error bool))))) (param "c" char)
        (param "n" (option f64)) (result (list (tuple s16 bool)))"#;
    let callee = r#"
      (func (export "f") (param $at i32) (param $count i32) (param $char i32) (param $some i32) (param $number f64)
        (result i32)
        (call $is (local.get $count) (i32.const 2))
        (call $is (local.get $char) (i32.const 0x1f600))
        (call $is (i32.and (local.get $some) (f64.eq (local.get $number) (f64.const 2.5))) (i32.const 1))
        ;; u8 at 0, string at 4, option<u64> at 16, result at 32, 48 bytes in all
        (call $is (i32.load8_u (local.get $at)) (i32.const 200))
        (call $is (i32.load8_u (i32.load offset=4 (local.get $at))) (i32.const 120))
        (call $is (i32.load8_u offset=16 (local.get $at)) (i32.const 1))
        (call $is (i64.eq (i64.load offset=24 (local.get $at)) (i64.const 0x123456789abcdef)) (i32.const 1))
        (call $is (i32.load8_u offset=32 (local.get $at)) (i32.const 0))
        (call $is (i32.load offset=40 (local.get $at)) (i32.const 1))
        (call $is (f32.eq (f32.load (i32.load offset=36 (local.get $at))) (f32.const 0.5)) (i32.const 1))
        (call $is (i32.load8_u offset=48 (local.get $at)) (i32.const 7))
        (call $is (i32.load8_u offset=64 (local.get $at)) (i32.const 0))
        (call $is (i32.load8_u offset=80 (local.get $at)) (i32.const 1))
        (call $is (i32.load8_u offset=84 (local.get $at)) (i32.const 1))
        ;; two entries of 4 bytes
        (i32.store16 (i32.const 128) (i32.const -5))
        (i32.store8 (i32.const 130) (i32.const 1))
        (i32.store16 (i32.const 132) (i32.const 9))
        (i32.store (i32.const 16) (i32.const 128))
        (i32.store (i32.const 20) (i32.const 2))
        (i32.const 16))
      (func (export "after") (param i32))"#;
    let caller = r#"
      (func (export "run") (result i32)
        (local $list i32)
        (local.set $list (i32.const 256))
        (i32.store8 (local.get $list) (i32.const 200))
        (i32.store offset=4 (local.get $list) (i32.const 200))
        (i32.store offset=8 (local.get $list) (i32.const 1))
        (i32.store8 (i32.const 200) (i32.const 120))
        (i32.store8 offset=16 (local.get $list) (i32.const 1))
        (i64.store offset=24 (local.get $list) (i64.const 0x123456789abcdef))
        (f32.store (i32.const 208) (f32.const 0.5))
        (i32.store offset=36 (local.get $list) (i32.const 208))
        (i32.store offset=40 (local.get $list) (i32.const 1))
        (i32.store8 offset=48 (local.get $list) (i32.const 7))
        (i32.store8 offset=80 (local.get $list) (i32.const 1))
        (i32.store8 offset=84 (local.get $list) (i32.const 1))
        (call $f (local.get $list) (i32.const 2) (i32.const 0x1f600) (i32.const 1) (f64.const 2.5) (i32.const 64))
        (call $is (i32.load (i32.const 68)) (i32.const 2))
        (local.set $list (i32.load (i32.const 64)))
        (call $is (i32.load16_s (local.get $list)) (i32.const -5))
        (call $is (i32.load8_u offset=2 (local.get $list)) (i32.const 1))
        (call $is (i32.load16_s offset=4 (local.get $list)) (i32.const 9))
        (i32.const 0))"#;
    passes(&two(ty, "(param i32 i32 i32 i32 f64 i32)", "", callee, caller));
}

#[test]
fn no_access_of_a_part_leaves_its_own_memory() {
    // the part has 1024 bytes below its heap and 8192 above
    let size = 9216;
    for (access, width) in [
        ("(i32.load8_u (local.get $n))", 1),
        ("(i32.load16_s (local.get $n))", 2),
        ("(i32.load (local.get $n))", 4),
        ("(i32.wrap_i64 (i64.load (local.get $n)))", 8),
        ("(i64.store (local.get $n) (i64.const -1)) (i32.const 0)", 8),
        ("(i32.store8 (local.get $n) (i32.const -1)) (i32.const 0)", 1),
        ("(f32.store (local.get $n) (f32.const 1)) (i32.const 0)", 4),
        ("(f64.store (local.get $n) (f64.const 1)) (i32.const 0)", 8),
        ("(memory.fill (local.get $n) (i32.const 7) (i32.const 24)) (i32.const 0)", 24),
        ("(memory.copy (local.get $n) (i32.const 0) (i32.const 24)) (i32.const 0)", 24),
        ("(memory.copy (i32.const 0) (local.get $n) (i32.const 24)) (i32.const 0)", 24),
        ("(i32.load offset=96 (local.get $n))", 100),
    ] {
        let last = size - width;
        passes(&poked(access, &format!("(i32.const {last})"), ""));
        for beyond in [last + 1, size, size + 4096, 65535, -1, -9000, i32::MIN] {
            traps(&poked(access, &format!("(i32.const {beyond})"), ""), "trap");
        }
    }
    // an offset beyond the part's memory
    traps(&poked("(i32.load offset=9216 (local.get $n))", "(i32.const 0)", ""), "trap");
    traps(
        &poked("(i32.store offset=0xffffffff (local.get $n) (i32.const 1)) (i32.const 1)", "(i32.const 1)", ""),
        "trap",
    );
}

#[test]
fn the_program_reaches_its_own_memory_only() {
    let mark = "(i32.store (i32.const 64) (i32.const 0x5a5a5a5a)) (local.get $n)";
    for beyond in [-1, -4, -9000, 9213, 65536, i32::MIN] {
        let load = format!("(drop (i32.load (i32.const {beyond})))");
        traps(&poked(mark, "(i32.const 1)", &load), "trap");
        let fill = format!("(memory.fill (i32.const {beyond}) (i32.const 0) (i32.const 4))");
        traps(&poked(mark, "(i32.const 1)", &fill), "trap");
    }
    // the same address in both is not the same byte
    passes(&poked(
        mark,
        "(i32.const 1)",
        "(call $is (i32.load (i32.const 64)) (i32.const 0)) (drop (i32.load (i32.const 9212)))",
    ));
}

#[test]
fn memory_that_no_allocator_knows_the_end_of_grows_by_whole_pages() {
    let grow = "(call $is (memory.size) (i32.const 1))
        (call $is (memory.grow (i32.const 2)) (i32.const -1))
        (call $is (memory.grow (i32.const 0)) (i32.const 1))
        (call $is (memory.grow (i32.const 1)) (i32.const 1))
        (call $is (memory.grow (i32.const 1)) (i32.const -1))
        (i32.store (i32.const 131068) (i32.const 5))
        (memory.size)";
    let text = poked(grow, "(i32.const 1)", "(call $is (local.get $n) (i32.const 2))");
    let run = run_with(&text, "--max-memory 300000");
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    let asks = poked(
        "(i32.mul (memory.size) (i32.const 65536))",
        "(i32.const 1)",
        "(call $is (local.get $n) (i32.const 65536))",
    );
    let run = run_with(&asks, "--max-memory 300000");
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
}

/// Returns three parts: one defines the resource, one is lent and given handles, and the program makes them.
fn resources(middle: &str, run: &str) -> String {
    let types = r#"(export "thing" (type $thing (sub resource)))
        (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))
        (export "[method]thing.get" (func (param "self" (borrow $thing)) (result u32)))
        (export "ended" (func (result u32)))"#;
    let lower = r#"
        (alias export $things "thing" (type $thing))
        (core func $new (canon lower (func $things "[constructor]thing")))
        (core func $get (canon lower (func $things "[method]thing.get")))
        (core func $ended (canon lower (func $things "ended")))
        (core func $drop (canon resource.drop $thing))"#;
    let imports = r#"
        (import "i" "new" (func $new (param i32) (result i32)))
        (import "i" "get" (func $get (param i32) (result i32)))
        (import "i" "ended" (func $ended (result i32)))
        (import "i" "drop" (func $drop (param i32)))"#;
    let exports = r#"(export "new" (func $new)) (export "get" (func $get)) (export "ended" (func $ended))
        (export "drop" (func $drop))"#;
    let program = program(
        &format!(
            r#"(import "acme:r/things" (instance $things {types})) {lower}
            (import "acme:r/middle" (instance $middle
              (alias outer 1 $thing (type $t)) (export "thing" (type $thing (eq $t)))
              (export "look" (func (param "t" (borrow $thing)) (result u32)))
              (export "take" (func (param "t" (own $thing)) (result u32)))))
            (core func $look (canon lower (func $middle "look")))
            (core func $take (canon lower (func $middle "take")))
            (core instance $i {exports} (export "look" (func $look)) (export "take" (func $take)))"#
        ),
        &format!(
            r#"{imports}
            (import "i" "look" (func $look (param i32) (result i32)))
            (import "i" "take" (func $take (param i32) (result i32)))"#
        ),
        &format!(r#"(func (export "run") (result i32) (local $a i32) (local $b i32) {run} (i32.const 0))"#),
    );
    format!(
        r#"(component
        (component $defines
          (core module $ends
            (memory (export "memory") 1) (global (export "__heap_base") i32 (i32.const 64))
            (func (export "end") (param i32)
              (i32.store (i32.const 0) (i32.add (i32.mul (i32.load (i32.const 0)) (i32.const 10)) (local.get 0)))))
          (core instance $e (instantiate $ends))
          (alias core export $e "end" (core func $end))
          (alias core export $e "memory" (core memory $memory))
          (type $thing' (resource (rep i32) (dtor (core func $end))))
          (core func $new (canon resource.new $thing'))
          (core module $m
            (import "i" "new" (func $new (param i32) (result i32)))
            (import "i" "memory" (memory 1))
            (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
            (func (export "get") (param i32) (result i32) (local.get 0))
            (func (export "ended") (result i32) (i32.load (i32.const 0))))
          (core instance $i (export "new" (func $new)) (export "memory" (memory $memory)))
          (core instance $c (instantiate $m (with "i" (instance $i))))
          (func $make (param "n" u32) (result (own $thing')) (canon lift (core func $c "make")))
          (func $get (param "self" (borrow $thing')) (result u32) (canon lift (core func $c "get")))
          (func $ended (result u32) (canon lift (core func $c "ended")))
          (component $names
            (import "thing" (type $t (sub resource)))
            (import "make" (func $make (param "n" u32) (result (own $t))))
            (import "get" (func $get (param "self" (borrow $t)) (result u32)))
            (import "ended" (func $ended (result u32)))
            (export $thing "thing" (type $t))
            (export "[constructor]thing" (func $make) (func (param "n" u32) (result (own $thing))))
            (export "[method]thing.get" (func $get) (func (param "self" (borrow $thing)) (result u32)))
            (export "ended" (func $ended)))
          (instance $things (instantiate $names
            (with "thing" (type $thing')) (with "make" (func $make)) (with "get" (func $get)) (with "ended" (func $ended))))
          (export "acme:r/things" (instance $things)))
        (component $middle
          (import "acme:r/things" (instance $things {types})) {lower}
          (core instance $i {exports})
          (core module $m {imports} {PART} {middle})
          (core instance $c (instantiate $m (with "i" (instance $i))))
          (func $look (param "t" (borrow $thing)) (result u32) (canon lift (core func $c "look")))
          (func $take (param "t" (own $thing)) (result u32) (canon lift (core func $c "take")))
          (component $names
            (import "thing" (type $t (sub resource)))
            (import "look" (func $look (param "t" (borrow $t)) (result u32)))
            (import "take" (func $take (param "t" (own $t)) (result u32)))
            (export $thing "thing" (type $t))
            (export "look" (func $look) (func (param "t" (borrow $thing)) (result u32)))
            (export "take" (func $take) (func (param "t" (own $thing)) (result u32))))
          (instance $exported (instantiate $names
            (with "thing" (type $thing)) (with "look" (func $look)) (with "take" (func $take))))
          (export "acme:r/middle" (instance $exported)))
        (component $program {program})
        (instance $d (instantiate $defines))
        (instance $w (instantiate $middle (with "acme:r/things" (instance $d "acme:r/things"))))
        (instance $p (instantiate $program
          (with "acme:r/things" (instance $d "acme:r/things")) (with "acme:r/middle" (instance $w "acme:r/middle"))))
        (alias export $p "wasi:cli/run@0.2.0" (instance $run))
        (export "wasi:cli/run@0.2.0" (instance $run)))"#
    )
}

/// Looks at what it is lent and gives it back, and ends what it gets.
const GOOD: &str = r#"
    (func (export "look") (param i32) (result i32) (call $get (local.get 0)) (call $drop (local.get 0)))
    (func (export "take") (param i32) (result i32) (call $get (local.get 0)) (call $drop (local.get 0)))"#;

#[test]
fn a_resource_is_lent_and_given_away_and_ended_once() {
    passes(&resources(
        GOOD,
        "(local.set $a (call $new (i32.const 4))) (local.set $b (call $new (i32.const 7)))
        (call $is (call $get (local.get $a)) (i32.const 4))
        (call $is (call $look (local.get $a)) (i32.const 4))
        (call $is (call $look (local.get $b)) (i32.const 7))
        (call $is (call $ended) (i32.const 0))
        (call $is (call $take (local.get $b)) (i32.const 7))
        (call $is (call $ended) (i32.const 7))
        (call $is (call $look (local.get $a)) (i32.const 4))
        (call $drop (local.get $a))
        (call $is (call $ended) (i32.const 74))
        ;; places are free again
        (local.set $b (i32.const 0))
        (loop $next
          (call $drop (call $new (i32.const 0)))
          (drop (call $take (call $new (i32.const 0))))
          (br_if $next (i32.lt_u (local.tee $b (i32.add (local.get $b) (i32.const 1))) (i32.const 200))))",
    ));
}

#[test]
fn wrong_handles_trap() {
    let make = "(local.set $a (call $new (i32.const 4)))";
    for (middle, run) in [
        (GOOD, "(drop (call $get (i32.const 4)))"),
        (GOOD, "(drop (call $get (i32.const 0)))"),
        (GOOD, "(drop (call $get (i32.const -1)))"),
        (GOOD, "(call $drop (local.get $a)) (drop (call $get (local.get $a)))"),
        (GOOD, "(call $drop (local.get $a)) (call $drop (local.get $a))"),
        (GOOD, "(drop (call $take (local.get $a))) (drop (call $look (local.get $a)))"),
        // the 128th handle
        (GOOD, "(loop $next (drop (call $new (i32.const 1))) (br $next))"),
        // what is lent is kept, is given away, or is not there
        (
            r#"(func (export "look") (param i32) (result i32) (i32.const 0)) (func (export "take") (param i32) (result i32)
          (i32.const 0))"#,
            "(drop (call $look (local.get $a)))",
        ),
        (
            r#"(func (export "look") (param i32) (result i32) (call $get (i32.const 1))) (func (export "take") (param i32)
          (result i32) (i32.const 0))"#,
            "(drop (call $look (call $new (i32.const 1))))",
        ),
    ] {
        traps(&resources(middle, &format!("{make} {run}")), "trap");
    }
}

#[test]
fn parts_that_cannot_be_linked_are_named() {
    let refused = |text: &str, parts: &[&str]| {
        let run = run(text);
        assert_ne!(run.code, Some(0), "{}{}", run.out, run.err);
        for part in parts {
            assert!(run.err.contains(part), "`{part}` is not in: {}", run.err);
        }
    };
    let number = poked("(local.get $n)", "(i32.const 1)", "");
    let asynchronous = number.replace(
        "(component $program",
        r#"(component $later
          (core module $m (func (export "f") (result i32) (i32.const 0))
            (func (export "c") (param i32 i32 i32) (result i32) (i32.const 0)))
          (core instance $i (instantiate $m))
          (func $f async (canon lift (core func $i "f") async (callback (core func $i "c"))))
          (instance $x (export "f" (func $f)))
          (export "acme:later/f" (instance $x)))
        (component $program"#,
    );
    refused(&asynchronous, &["part 2 of 3, which exports `acme:later/f`", "it uses async functions, streams, futures"]);
    let wide = two(
        STRINGS[0],
        STRINGS[1],
        "string-encoding=latin1+utf16",
        BRACKETS,
        r#"(func (export "run") (result i32)
        (call $f (i32.const 0) (i32.const 0) (i32.const 64)) (i32.const 0))"#,
    );
    refused(&wide, &["it copies strings between parts as", "build all parts with strings in UTF-8"]);
    let data = number.replacen("(func (export \"f\")", "(data (i32.const 65530) \"12345678\") (func (export \"f\")", 1);
    refused(&data, &["a part has data at 65530, outside of its memory"]);
    let nobody = number.replacen(
        "(instance $l (instantiate $lib))",
        r#"(import "acme:lib/f" (instance $imported
        (export "f" (func (param "n" u32) (result u32)))))
        (instance $l (export "acme:lib/f" (instance $imported)))"#,
        1,
    );
    refused(
        &nobody,
        &["import `acme:lib/f` `f`: not an interface of WASI; compose the component with one that exports it"],
    );
    let library = number.replace("wasi:cli/run@0.2.0", "acme:cli/run");
    refused(&library, &["it exports `acme:cli/run` and no `wasi:cli/run@0.2`"]);
}

#[test]
fn commands_find_the_image_of_a_component_with_the_heap_that_it_was_built_with() {
    let folder = Folder::new();
    let text = poked("(i32.load (i32.const -1))", "(i32.const 1)", "");
    folder.write("a.wasm", wat::parse_str(text).unwrap());
    folder.wisp("run a.wasm --heap 4096 --core a.core");
    let shown = folder.succeeds("inspect a.core");
    let id = shown.lines().next().and_then(|line| line.rsplit(' ').next()).unwrap();
    // the dump of another image: the message has the ids that the command found
    folder.write("raw", [&b"WCD1"[..], &[0; 8], &[1, 0, 0, 0], &[0; 12], b"E"].concat());
    let found = folder.wisp("core raw --module a.wasm --heap 4096 -o raw.core").err;
    assert!(found.contains(id), "{id} is not in {found}");
    assert!(!folder.wisp("core raw --module a.wasm -o raw.core").err.contains(id));

    folder.write("b.wasm", folder.read("a.wasm"));
    let other = folder.wisp("inspect a.core --symbols b.wasm");
    assert!(other.err.contains("--heap is not that of the image"), "{}{}", other.out, other.err);
    let shown = folder.succeeds("inspect a.core --symbols b.wasm --heap 4096");
    assert!(!shown.contains("for names and source lines"), "{shown}");
}

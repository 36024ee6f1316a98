// SPDX-License-Identifier: Apache-2.0
//! Runs the functions of WASI 0.2 in a component that watches its memory: no function changes a byte that it does not
//! own, and none takes more memory the longer a program runs.

mod common;

use std::process::{Command, Stdio};

use common::{Folder, Run};

/// Name in the test program, instance in `world.wat`, name of the function, and its core type.
const FUNCTIONS: [(&str, &str, &str, &str); 38] = [
    ("stdin", "stdin", "get-stdin", "(result i32)"),
    ("stdout", "stdout", "get-stdout", "(result i32)"),
    ("stderr", "stderr", "get-stderr", "(result i32)"),
    ("read", "streams", "[method]input-stream.read", "(param i32 i64 i32)"),
    ("blocking_read", "streams", "[method]input-stream.blocking-read", "(param i32 i64 i32)"),
    ("subscribe_in", "streams", "[method]input-stream.subscribe", "(param i32) (result i32)"),
    ("check_write", "streams", "[method]output-stream.check-write", "(param i32 i32)"),
    ("write", "streams", "[method]output-stream.write", "(param i32 i32 i32 i32)"),
    ("write_flush", "streams", "[method]output-stream.blocking-write-and-flush", "(param i32 i32 i32 i32)"),
    ("flush", "streams", "[method]output-stream.flush", "(param i32 i32)"),
    ("blocking_flush", "streams", "[method]output-stream.blocking-flush", "(param i32 i32)"),
    ("subscribe_out", "streams", "[method]output-stream.subscribe", "(param i32) (result i32)"),
    ("error_text", "error", "[method]error.to-debug-string", "(param i32 i32)"),
    ("ready", "poll", "[method]pollable.ready", "(param i32) (result i32)"),
    ("block", "poll", "[method]pollable.block", "(param i32)"),
    ("poll", "poll", "poll", "(param i32 i32 i32)"),
    ("arguments", "environment", "get-arguments", "(param i32)"),
    ("environment", "environment", "get-environment", "(param i32)"),
    ("cwd", "environment", "initial-cwd", "(param i32)"),
    ("exit", "exit", "exit", "(param i32)"),
    ("exit_with_code", "exit", "exit-with-code", "(param i32)"),
    ("terminal", "terminal_stdout", "get-terminal-stdout", "(param i32)"),
    ("now", "monotonic", "now", "(result i64)"),
    ("resolution", "monotonic", "resolution", "(result i64)"),
    ("instant", "monotonic", "subscribe-instant", "(param i64) (result i32)"),
    ("duration", "monotonic", "subscribe-duration", "(param i64) (result i32)"),
    ("wall", "wall", "now", "(param i32)"),
    ("wall_resolution", "wall", "resolution", "(param i32)"),
    ("bytes", "random", "get-random-bytes", "(param i64 i32)"),
    ("u64", "random", "get-random-u64", "(result i64)"),
    ("insecure_bytes", "insecure", "get-insecure-random-bytes", "(param i64 i32)"),
    ("insecure_u64", "insecure", "get-insecure-random-u64", "(result i64)"),
    ("seed", "seed", "insecure-seed", "(param i32)"),
    ("directories", "preopens", "get-directories", "(param i32)"),
    // the drops of resources: the instance is that of a type
    ("drop_pollable", "pollable_type", "", "(param i32)"),
    ("drop_clock_pollable", "clock_pollable_type", "", "(param i32)"),
    ("drop_output", "output_type", "", "(param i32)"),
    ("drop_input", "input_type", "", "(param i32)"),
];

/// The parts of a component that have an entry for each function.
#[derive(Default)]
struct Parts {
    /// Imports of the main module.
    imports: String,
    /// Functions that call an entry of the table.
    jumps: String,
    /// The jumps, as they are given to the main module.
    given: String,
    /// Definitions of the lowered functions.
    lowered: String,
    /// Imports of the module that fills the table.
    taken: String,
    /// The lowered functions, as they are given to that module.
    linked: String,
    count: usize,
}

impl Parts {
    fn add(&mut self, (name, instance, function, ty): (&str, &str, &str, &str)) {
        let params = ty.split(')').next().unwrap().strip_prefix("(param ").map_or(0, |types| types.split(' ').count());
        let locals: String = (0..params).map(|param| format!("(local.get {param})")).collect();
        let entry = self.count;
        self.imports += &format!("(import \"i\" \"{name}\" (func ${name} {ty}))");
        self.jumps += &format!("(func (export \"{name}\") {ty} (call_indirect {ty} {locals} (i32.const {entry})))");
        self.given += &format!("(export \"{name}\" (func $shim \"{name}\"))");
        self.lowered += &match function {
            "" => format!("(core func ${name} (canon resource.drop ${instance}))"),
            _ => format!(
                "(core func ${name} (canon lower (func ${instance} \"{function}\") (memory $memory) (realloc $realloc)))"
            ),
        };
        self.taken += &format!("(import \"\" \"{name}\" (func {ty}))");
        self.linked += &format!("(export \"{name}\" (func ${name}))");
        self.count += 1;
    }
}

/// Returns a component whose main module has these functions, of which `$test` is the program. As toolchains do it,
/// functions that need the program's memory are called through a table that is filled last.
fn component(functions: &str) -> String {
    let (world, strict) = (include_str!("guests/world.wat"), include_str!("guests/strict.wat"));
    let mut parts = Parts::default();
    for function in FUNCTIONS {
        let called = format!("(call ${}", function.0);
        if [strict, functions, "(call $stdout)"].iter().any(|text| text.contains(&called)) {
            parts.add(function);
        }
    }
    let Parts { imports, jumps, given, lowered, taken, linked, count } = parts;
    let filled: String = (0..count).map(|index| format!(" {index}")).collect();
    format!(
        r#"(component
          {world}
          (core module $Main
            {imports}
            {strict}
            {functions}
            (func (export "run") (result i32)
              (global.set $out (call $stdout))
              (call $test)
              (i32.const 0)))
          (core module $Shim (table (export "t") {count} {count} funcref) {jumps})
          (core module $Fixup {taken} (import "" "t" (table {count} {count} funcref)) (elem (i32.const 0) func {filled}))
          (core instance $shim (instantiate $Shim))
          (core instance $i {given})
          (core instance $main (instantiate $Main (with "i" (instance $i))))
          (alias core export $main "memory" (core memory $memory))
          (alias core export $main "cabi_realloc" (core func $realloc))
          {lowered}
          (alias core export $shim "t" (core table $t))
          (core instance $all (export "t" (table $t)) {linked})
          (core instance (instantiate $Fixup (with "" (instance $all))))
          (func $run (result (result)) (canon lift (core func $main "run")))
          (instance $exported (export "run" (func $run)))
          (export "wasi:cli/run@0.2.3" (instance $exported)))"#
    )
}

/// Runs a test program with these arguments of `wisp run` and this standard input.
fn run(functions: &str, arguments: &[&str], input: &str) -> Run {
    let folder = Folder::new();
    folder.module("app.wasm", &component(functions));
    folder.write("input", input);
    let mut command = Command::new(env!("CARGO_BIN_EXE_wisp"));
    command.args(["run", "app.wasm"]).args(arguments).current_dir(folder.path("."));
    command.stdin(Stdio::from(std::fs::File::open(folder.path("input")).unwrap()));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs a test program, which must succeed, and returns what it printed.
fn printed(functions: &str, arguments: &[&str], input: &str) -> String {
    let run = run(functions, arguments, input);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    run.out
}

#[test]
fn standard_input_is_read_to_its_end_and_asking_again_takes_no_memory() {
    let copy = r#"
      (data (i32.const 128) "done\n")
      (func $copy (param $in i32)
        (loop $more
          (call $begin)
          (call $blocking_read (local.get $in) (i64.const 500) (i32.const 64))
          (call $end (i32.const 12))
          (if (i32.eqz (i32.load8_u (i32.const 64)))
            (then
              (call $print (i32.load (i32.const 68)) (i32.load (i32.const 72)))
              (br $more))))
        ;; the case `closed`
        (call $assert (i32.eq (i32.load8_u (i32.const 68)) (i32.const 1))))
      (func $test
        (local $in i32) (local $asked i32) (local $count i32)
        (local.set $in (call $stdin))
        (call $begin)
        (call $read (local.get $in) (i64.const 0) (i32.const 64))
        (call $end (i32.const 12))
        (call $assert (i32.eqz (i32.or (i32.load8_u (i32.const 64)) (i32.load (i32.const 72)))))
        (call $copy (local.get $in))
        (local.set $asked (global.get $asked))
        (loop $again
          (call $copy (local.get $in))
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $count) (i32.const 10))))
        (call $assert (i32.eq (local.get $asked) (global.get $asked)))
        (call $drop_input (local.get $in))
        (call $begin)
        (call $write_flush (call $stderr) (i32.const 128) (i32.const 5) (i32.const 64))
        (call $end (i32.const 12)))"#;
    let input: String = (0..400).map(|line| format!("line {line}\n")).collect();
    let run = run(copy, &[], &input);
    assert_eq!((run.code, run.err.as_str()), (Some(0), "done\n"));
    assert_eq!(run.out, input);
}

#[test]
fn arguments_and_environment_are_strings_of_their_own() {
    let list = r#"
      (data (i32.const 128) "=\n")
      (global $left (mut i32) (i32.const 0))
      (global $entry (mut i32) (i32.const 0))
      ;; Keeps the strings and their bytes at 32768, from which one is printed after the other.
      (func $keep (param $entries i32)
        (memory.copy (i32.const 32768) (i32.const 1024) (i32.const 15360))
        (global.set $left (i32.load (i32.const 68)))
        (global.set $entry (call $kept (i32.load (i32.const 64)))))
      (func $kept (param $address i32) (result i32)
        (i32.add (local.get $address) (i32.const 31744)))
      (func $string
        (if (i32.load offset=4 (global.get $entry))
          (then
            (call $print (call $kept (i32.load (global.get $entry))) (i32.load offset=4 (global.get $entry)))))
        (global.set $entry (i32.add (global.get $entry) (i32.const 8))))
      (func $test
        (call $begin)
        (call $arguments (i32.const 64))
        (call $end (i32.const 8))
        (call $keep (i32.const 1))
        (loop $next
          (if (global.get $left)
            (then
              (call $string)
              (call $print (i32.const 129) (i32.const 1))
              (global.set $left (i32.sub (global.get $left) (i32.const 1)))
              (br $next))))
        (call $begin)
        (call $environment (i32.const 64))
        (call $end (i32.const 8))
        (call $keep (i32.const 2))
        (loop $next
          (if (global.get $left)
            (then
              (call $string)
              (call $print (i32.const 128) (i32.const 1))
              (call $string)
              (call $print (i32.const 129) (i32.const 1))
              (global.set $left (i32.sub (global.get $left) (i32.const 1)))
              (br $next))))
        (call $begin)
        (call $cwd (i32.const 64))
        (call $end (i32.const 1))
        (call $assert (i32.eqz (i32.load8_u (i32.const 64)))))"#;
    assert_eq!(printed(list, &[], ""), "app\n");
    let arguments = ["--env", "ROOM=kitchen", "--env", "EMPTY=", "--env", "A=b=c", "--", "one", "", "three"];
    assert_eq!(printed(list, &arguments, ""), "app\none\n\nthree\nROOM=kitchen\nEMPTY=\nA=b=c\n");
    let one = ["--env", "ROOM=kitchen", "--", "a longer argument than the others"];
    assert_eq!(printed(list, &one, ""), "app\na longer argument than the others\nROOM=kitchen\n");
}

/// A list of three pollables at 200, which `$poll` takes.
const POLLABLES: &str = r#"
  (func $poll_three (param $first i32) (param $second i32) (param $third i32)
    (i32.store (i32.const 200) (local.get $first))
    (i32.store (i32.const 204) (local.get $second))
    (i32.store (i32.const 208) (local.get $third))
    (call $begin)
    (call $poll (i32.const 200) (i32.const 3) (i32.const 64))
    (call $end (i32.const 8)))
  (func $is_list (param $count i32) (param $first i32) (param $second i32)
    (call $assert (i32.eq (i32.load (i32.const 68)) (local.get $count)))
    (call $assert (i32.eq (i32.load (i32.load (i32.const 64))) (local.get $first)))
    (if (i32.gt_u (local.get $count) (i32.const 1))
      (then (call $assert (i32.eq (i32.load offset=4 (i32.load (i32.const 64))) (local.get $second))))))"#;

#[test]
fn two_clocks_are_polled_and_their_memory_is_not_the_program_s() {
    let clocks = r#"
      (func $test
        (local $hour i32) (local $soon i32) (local $in i32) (local $asked i32) (local $count i32)
        ;; a time that is lost fails here and does not let the program sleep
        (call $begin)
        (local.set $soon (call $instant (i64.const 0)))
        (call $begin)
        (call $assert (call $ready (local.get $soon)))
        (call $drop_pollable (local.get $soon))
        (call $end (i32.const 0))
        (call $begin)
        (call $assert (i64.eq (call $resolution) (i64.const 1000)))
        (call $assert (i64.le_u (call $now) (call $now)))
        (local.set $hour (call $duration (i64.const 3600000000000)))
        (local.set $soon (call $instant (i64.add (call $now) (i64.const 2000))))
        (local.set $in (call $subscribe_in (call $stdin)))
        (call $end (i32.const 0))
        (call $poll_three (local.get $hour) (local.get $soon) (local.get $hour))
        (call $is_list (i32.const 1) (i32.const 1) (i32.const 0))
        (call $poll_three (local.get $in) (local.get $hour) (local.get $soon))
        (call $is_list (i32.const 2) (i32.const 0) (i32.const 2))
        (call $poll_three (local.get $hour) (local.get $hour) (call $subscribe_out (call $stdout)))
        (call $is_list (i32.const 1) (i32.const 2) (i32.const 0))
        (call $begin)
        (call $block (local.get $soon))
        (call $assert (call $ready (local.get $soon)))
        (call $assert (i32.eqz (call $ready (local.get $hour))))
        (call $assert (call $ready (local.get $in)))
        (call $drop_pollable (local.get $soon))
        (call $drop_pollable (local.get $in))
        (local.set $asked (global.get $asked))
        (loop $again
          (local.set $soon (call $duration (i64.const 1)))
          (call $block (local.get $soon))
          (call $drop_clock_pollable (local.get $soon))
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $count) (i32.const 100))))
        (call $end (i32.const 0))
        (call $assert (i32.eq (local.get $asked) (global.get $asked)))
        (call $assert (i32.eqz (call $ready (local.get $hour)))))"#;
    printed(&[clocks, POLLABLES].concat(), &[], "");
}

#[test]
fn sixteen_pollables_keep_their_times_and_the_next_one_traps() {
    let many = |count: u32| {
        format!(
            r#"
      ;; pollable number n is due n hours after the start of time, and those of even numbers at once
      (func $when (param $n i32) (result i64)
        (if (result i64) (i32.and (local.get $n) (i32.const 1))
          (then (i64.mul (i64.extend_i32_u (local.get $n)) (i64.const 3600000000000)))
          (else (i64.const 0))))
      (func $test
        (local $n i32)
        (call $begin)
        (loop $next
          (i32.store (i32.add (i32.const 200) (i32.shl (local.get $n) (i32.const 2)))
            (call $instant (call $when (i32.add (local.get $n) (i32.const 1)))))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $n) (i32.const {count}))))
        (call $end (i32.const 0))
        (call $begin)
        (call $assert (call $ready (i32.load (i32.const 204))))
        (call $poll (i32.const 200) (i32.const 16) (i32.const 64))
        (call $end (i32.const 8))
        (call $assert (i32.eq (i32.load (i32.const 68)) (i32.const 8)))
        (local.set $n (i32.const 0))
        (loop $next
          (call $assert
            (i32.eq
              (i32.load (i32.add (i32.load (i32.const 64)) (i32.shl (local.get $n) (i32.const 2))))
              (i32.add (i32.shl (local.get $n) (i32.const 1)) (i32.const 1))))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $n) (i32.const 8)))))"#
        )
    };
    printed(&many(16), &[], "");
    let run = run(&many(17), &[], "");
    assert_ne!(run.code, Some(0));
    assert!(run.err.contains("wasi:clocks/monotonic-clock subscribe-instant"), "{}", run.err);
}

#[test]
fn random_numbers_are_written_to_their_results_only() {
    let random = r#"
      (func $test
        (local $number i64)
        (call $begin)
        (local.set $number (call $u64))
        (call $end (i32.const 0))
        (call $begin)
        (call $assert (i64.ne (local.get $number) (call $u64)))
        (call $end (i32.const 0))
        (call $begin)
        (call $assert (i64.ne (local.get $number) (call $insecure_u64)))
        (call $end (i32.const 0))
        (call $begin)
        (call $bytes (i64.const 100) (i32.const 64))
        (call $end (i32.const 8))
        (call $assert (i32.eq (i32.load (i32.const 68)) (i32.const 100)))
        (call $assert (i64.ne (i64.load offset=92 (i32.load (i32.const 64))) (i64.const 0xa5a5a5a5a5a5a5a5)))
        (call $begin)
        (call $insecure_bytes (i64.const 8) (i32.const 64))
        (call $end (i32.const 8))
        (call $assert (i32.eq (i32.load (i32.const 68)) (i32.const 8)))
        (call $begin)
        (call $seed (i32.const 64))
        (call $end (i32.const 16))
        (call $assert (i64.ne (i64.load (i32.const 64)) (i64.load (i32.const 72))))
        ;; the seed stays the same
        (local.set $number (i64.load (i32.const 72)))
        (call $begin)
        (call $seed (i32.const 64))
        (call $end (i32.const 16))
        (call $assert (i64.eq (local.get $number) (i64.load (i32.const 72)))))"#;
    printed(random, &[], "");
}

#[test]
fn the_other_functions_answer_in_their_results_only() {
    let others = r#"
      (func $test
        (call $begin)
        (call $wall (i32.const 64))
        (call $end (i32.const 12))
        ;; later than 2020
        (call $assert (i64.gt_u (i64.load (i32.const 64)) (i64.const 1577836800)))
        (call $assert (i32.lt_u (i32.load (i32.const 72)) (i32.const 1000000000)))
        (call $begin)
        (call $wall_resolution (i32.const 64))
        (call $end (i32.const 12))
        (call $begin)
        (call $check_write (global.get $out) (i32.const 64))
        (call $end (i32.const 16))
        (call $assert (i32.eqz (i32.load8_u (i32.const 64))))
        (call $assert (i64.gt_u (i64.load (i32.const 72)) (i64.const 0)))
        (call $begin)
        (call $flush (global.get $out) (i32.const 64))
        (call $end (i32.const 1))
        (call $blocking_flush (global.get $out) (i32.const 64))
        (call $end (i32.const 1))
        (call $assert (i32.eqz (i32.load8_u (i32.const 64))))
        (call $begin)
        (call $error_text (i32.const 4) (i32.const 64))
        (call $end (i32.const 8))
        (call $assert (i32.eqz (i32.load (i32.const 68))))
        (call $begin)
        (call $terminal (i32.const 64))
        (call $end (i32.const 1))
        (call $assert (i32.eqz (i32.load8_u (i32.const 64))))
        (call $begin)
        (call $directories (i32.const 64))
        (call $end (i32.const 8))
        (call $assert (i32.eqz (i32.load (i32.const 68))))
        (call $drop_output (global.get $out)))"#;
    printed(others, &[], "");
}

#[test]
fn a_program_ends_with_the_status_that_it_gives() {
    for (call, code) in [
        ("(call $exit (i32.const 0))", 0),
        ("(call $exit (i32.const 1))", 1),
        ("(call $exit_with_code (i32.const 7))", 7),
    ] {
        let run = run(&format!("(func $test {call} (unreachable))"), &[], "");
        assert_eq!(run.code, Some(code), "{call}: {}", run.err);
    }
}

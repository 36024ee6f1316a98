// SPDX-License-Identifier: Apache-2.0
//! Composed components: each part calls the host with its own memory and its own handles.

mod common;

use common::composing::{passes, program, run_with, traps, PART, WASI};
use common::Folder;

/// Lowers the functions that get, write and drop the stream of standard output, for a part with a memory of its own.
const LOWER: &str = r#"
        (core func $drop (canon resource.drop $stream))
        (core module $store (memory (export "memory") 1) (global (export "__heap_base") i32 (i32.const 1024)))
        (core instance $own (instantiate $store))
        (alias core export $own "memory" (core memory $memory))
        (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
          (memory $memory)))
        (core instance $i (export "get" (func $get)) (export "write" (func $write)) (export "drop" (func $drop))
          (export "memory" (memory $memory)))"#;

/// The imports of a core module for these.
const IMPORTS: &str = r#"
        (import "i" "get" (func $get (result i32)))
        (import "i" "write" (func $write (param i32 i32 i32 i32)))
        (import "i" "drop" (func $drop (param i32)))
        (import "i" "memory" (memory 1))"#;

/// Runs two parts that write to standard output, one of them as often as it is called.
#[test]
fn each_part_uses_wasi_with_its_own_memory() {
    let text = |data: &str, at: u32, length: u32| {
        format!(
            r#"(data (i32.const {at}) "{data}")
            (func $say (local $stream i32)
              (local.set $stream (call $get))
              (call $write (local.get $stream) (i32.const {at}) (i32.const {length}) (i32.const 512))
              (if (i32.load8_u (i32.const 512)) (then (unreachable)))
              (call $drop (local.get $stream)))"#
        )
    };
    let component = |at: u32, length: u32| {
        format!(
            r#"(component {WASI}
        (component $lib {WASI} {LOWER}
          (core module $m {IMPORTS} {lib} (func (export "f") (call $say)))
          (core instance $c (instantiate $m (with "i" (instance $i))))
          (func $f (canon lift (core func $c "f")))
          (instance $f (export "f" (func $f)))
          (export "acme:lib/f" (instance $f)))
        (component $program {WASI} {LOWER}
          (import "acme:lib/f" (instance $f (export "f" (func))))
          (core func $f (canon lower (func $f "f")))
          (core module $m {IMPORTS} (import "f" "f" (func $f)) {own}
            (func (export "run") (result i32) (call $say) (call $f) (call $say) (call $f) (i32.const 0)))
          (core instance $fs (export "f" (func $f)))
          (core instance $c (instantiate $m (with "i" (instance $i)) (with "f" (instance $fs))))
          (func $run (result (result)) (canon lift (core func $c "run")))
          (instance $r (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $r)))
        (instance $l (instantiate $lib
          (with "wasi:io/streams@0.2.6" (instance $streams)) (with "wasi:cli/stdout@0.2.6" (instance $stdout))))
        (instance $p (instantiate $program (with "acme:lib/f" (instance $l "acme:lib/f"))
          (with "wasi:io/streams@0.2.6" (instance $streams)) (with "wasi:cli/stdout@0.2.6" (instance $stdout))))
        (alias export $p "wasi:cli/run@0.2.0" (instance $run))
        (export "wasi:cli/run@0.2.0" (instance $run)))"#,
            lib = text("library\\n", 16, 8),
            own = text("program\\n", at, length),
        )
    };
    let out = passes(&component(16, 8));
    assert!(out.contains("program\nlibrary\nprogram\nlibrary\n"), "{out}");
    // the last bytes of a part's memory, and what lies behind it, which is not for the host either
    assert!(passes(&component(9208, 8)).contains("program\nlibrary\n"));
    traps(&component(9208, 9), "trap");
    traps(&component(16, u32::MAX), "trap");
}

/// Returns a program that calls a library, which calls functions of the host with a memory of some bytes.
fn library_with(bytes: u32, items: &str, lower: &str, imports: &str, code: &str) -> String {
    format!(
        r#"(component {items}
        (component $lib {items}
          (core module $store (memory (export "memory") {bytes} (pagesize 1)))
          (core instance $own (instantiate $store))
          (alias core export $own "memory" (core memory $memory))
          {lower}
          (core module $m (import "i" "memory" (memory {bytes} (pagesize 1))) {imports} (func (export "f") {code}))
          (core instance $c (instantiate $m (with "i" (instance $i))))
          (func $f (canon lift (core func $c "f")))
          (instance $f (export "f" (func $f)))
          (export "acme:lib/f" (instance $f)))
        (component $program
          (import "acme:lib/f" (instance $f (export "f" (func))))
          (core func $f (canon lower (func $f "f")))
          (core instance $i (export "f" (func $f)))
          {program})
        (instance $l (instantiate $lib {with}))
        (instance $p (instantiate $program (with "acme:lib/f" (instance $l "acme:lib/f"))))
        (alias export $p "wasi:cli/run@0.2.0" (instance $run))
        (export "wasi:cli/run@0.2.0" (instance $run)))"#,
        with = items
            .split("(import ")
            .skip(1)
            .map(|import| {
                let mut words = import.split_whitespace();
                let (name, instance) = (words.next().unwrap(), words.nth(1).unwrap());
                format!("(with {name} (instance {instance}))")
            })
            .collect::<String>(),
        program = program(
            "",
            r#"(import "i" "f" (func $f))"#,
            r#"(func (export "run") (result i32) (call $f) (i32.const 0))"#
        ),
    )
}

#[test]
fn the_host_writes_nothing_that_is_larger_than_a_part_has_room_for() {
    let error = r#"(type $e (enum "perm" "noent" "intr" "io" "nxio" "badf" "again" "nomem" "acces" "fault" "busy" "nodev"
      "inval" "nospc" "range" "nosys" "timedout" "msgsize" "notsup" "overflow" "canceled" "proto"))
      (export "error-code" (type $c (eq $e)))"#;
    let items = format!(
        r#"
      (import "wisp:timer/timer@1.0.0" (instance $timer {error}
        (export "start" (func (param "timer" u32) (param "delay" u64) (param "period" u64) (result (result (error $c)))))))
      (import "wisp:event/event@1.0.0" (instance $event {error}
        (type $r (record (field "time-us" u64) (field "kind" u32) (field "source" u32) (field "value" u32) (field "lost" u32)))
        (export "event" (type $v (eq $r)))
        (export "wait" (func (param "timeout" u32) (result (result $v (error $c)))))))"#
    );
    let lower = r#"
      (core func $start (canon lower (func $timer "start") (memory $memory)))
      (core func $wait (canon lower (func $event "wait") (memory $memory)))
      (core instance $i (export "start" (func $start)) (export "wait" (func $wait)) (export "memory" (memory $memory)))"#;
    let imports = r#"
      (import "i" "start" (func $start (param i32 i64 i64 i32)))
      (import "i" "wait" (func $wait (param i32 i32)))"#;
    // an event has 24 bytes, and lies 8 bytes behind the address that a part gives for the result
    for (bytes, at) in [(16, -8), (16, 0), (16, 8), (32, 8)] {
        let code = format!(
            "(call $start (i32.const 0) (i64.const 1000) (i64.const 0) (i32.const 0))
             (call $wait (i32.const 1000) (i32.const {at}))"
        );
        let folder = Folder::new();
        folder.write("a.wasm", wat::parse_str(library_with(bytes, &items, lower, imports, &code)).unwrap());
        let run = folder.wisp("run a.wasm --core a.core");
        assert_ne!(run.code, Some(0), "{}{}", run.out, run.err);
        let dump = folder.wisp("inspect a.core");
        assert!(dump.out.contains("bytes, of which 0 are kept"), "{bytes} {at}: {}{}{}", run.err, dump.out, dump.err);
    }
    let fits = "(call $start (i32.const 0) (i64.const 1000) (i64.const 0) (i32.const 0))
        (call $wait (i32.const 1000) (i32.const 0)) (if (i32.ne (i32.load offset=16 (i32.const 0)) (i32.const 1)) (then (unreachable)))";
    passes(&library_with(32, &items, lower, imports, fits));
}

#[test]
fn a_part_without_a_memory_uses_none_of_another_part() {
    let random = r#"
      (import "wasi:random/random@0.2.0" (instance $random (export "get-random-u64" (func (result u64)))))"#;
    // the first part has a memory of no bytes, and the shim borrows 8
    let text = library_with(0, "", "(core instance $i (export \"memory\" (memory $memory)))", "", "");
    let program = format!(
        r#"(component {random}
        (component $bare {random}
          (core func $get (canon lower (func $random "get-random-u64")))
          (core module $m (import "i" "get" (func $get (result i64)))
            (func (export "f") (if (i64.eq (call $get) (call $get)) (then (unreachable)))))
          (core instance $i (export "get" (func $get)))
          (core instance $c (instantiate $m (with "i" (instance $i))))
          (func $f (canon lift (core func $c "f")))
          (instance $f (export "f" (func $f)))
          (export "acme:lib/f" (instance $f)))
        (instance $b (instantiate $bare (with "wasi:random/random@0.2.0" (instance $random))))"#
    );
    let text = text.replacen("(component", &program, 1).replace(
        "(with \"acme:lib/f\" (instance $l \"acme:lib/f\"))",
        "(with \"acme:lib/f\" (instance $b \"acme:lib/f\"))",
    );
    passes(&text);
}

/// Returns a library and a program that writes to standard output. The library is lent the stream, or gets it.
fn streams(library: &str, program: &str) -> String {
    let say = r#"
        (data (i32.const 16) "written\n")
        (func $say (param $stream i32) (call $write (local.get $stream) (i32.const 16) (i32.const 8) (i32.const 512)))"#;
    let with =
        r#"(with "wasi:io/streams@0.2.6" (instance $streams)) (with "wasi:cli/stdout@0.2.6" (instance $stdout))"#;
    format!(
        r#"(component {WASI}
        (component $lib {WASI} {LOWER}
          (core module $m {IMPORTS} {say} {library})
          (core instance $c (instantiate $m (with "i" (instance $i))))
          (func $lend (param "s" (borrow $stream)) (canon lift (core func $c "lend")))
          (func $give (param "s" (own $stream)) (canon lift (core func $c "give")))
          (instance $f (export "lend" (func $lend)) (export "give" (func $give)))
          (export "acme:lib/f" (instance $f)))
        (component $program {WASI} {LOWER}
          (import "acme:lib/f" (instance $f
            (export "lend" (func (param "s" (borrow $stream)))) (export "give" (func (param "s" (own $stream))))))
          (core func $lend (canon lower (func $f "lend")))
          (core func $give (canon lower (func $f "give")))
          (core module $m {IMPORTS} (import "f" "lend" (func $lend (param i32))) (import "f" "give" (func $give (param i32))) {say}
            (func (export "run") (result i32) (local $s i32) {program} (i32.const 0)))
          (core instance $fs (export "lend" (func $lend)) (export "give" (func $give)))
          (core instance $c (instantiate $m (with "i" (instance $i)) (with "f" (instance $fs))))
          (func $run (result (result)) (canon lift (core func $c "run")))
          (instance $r (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $r)))
        (instance $l (instantiate $lib {with}))
        (instance $p (instantiate $program (with "acme:lib/f" (instance $l "acme:lib/f")) {with}))
        (alias export $p "wasi:cli/run@0.2.0" (instance $run))
        (export "wasi:cli/run@0.2.0" (instance $run)))"#
    )
}

/// Writes to what it is lent and gives it back, and writes to what it gets and drops it.
const PROPER: &str = r#"
    (func (export "lend") (param i32) (call $say (local.get 0)) (call $drop (local.get 0)))
    (func (export "give") (param i32) (call $say (local.get 0)) (call $drop (local.get 0)))"#;

#[test]
fn a_part_uses_the_handles_of_the_host_that_it_got_or_was_lent() {
    let twice =
        "(local.set $s (call $get)) (call $lend (local.get $s)) (call $lend (local.get $s)) (call $say (local.get $s))
        (call $give (local.get $s))";
    assert_eq!(passes(&streams(PROPER, twice)).matches("written\n").count(), 4);
    // the host gives one handle twice, and each can be dropped
    let same = "(drop (call $get)) (local.set $s (call $get)) (call $give (local.get $s)) (call $say (local.get $s))
        (call $drop (local.get $s))";
    assert_eq!(passes(&streams(PROPER, same)).matches("written\n").count(), 2);
}

#[test]
fn a_handle_that_is_all_of_a_result_is_the_one_that_the_part_got() {
    let within = |program: &str| streams(PROPER, program).replace("(result (own 1))", "(result (tuple (own 1)))");
    assert_eq!(passes(&within("(call $say (call $get))")), "written\n");
    // the first word of the memory is no result
    traps(&within("(i32.store (i32.const 0) (i32.const 3)) (drop (call $get)) (call $say (i32.const 3))"), "trap");
}

#[test]
fn a_handle_that_nothing_would_check_is_refused() {
    let contents = r#"(param "contents" (list u8))"#;
    let within = streams(PROPER, "").replace(contents, r#"(param "contents" (option (borrow 0)))"#);
    let many: String = (0..16).map(|n| format!("(param \"p{n}\" u32)")).collect();
    let many =
        streams(PROPER, "").replace(contents, &many).replace("(param i32 i32 i32 i32)", "(param i32 i32)").replace(
            "(call $write (local.get $stream) (i32.const 16) (i32.const 8) (i32.const 512))",
            "(call $write (i32.const 16) (i32.const 512))",
        );
    for (text, reason) in [(within, "passes a handle within another value"), (many, "among more than 16 values")] {
        traps(&text, reason);
    }
}

#[test]
fn a_handle_of_the_host_that_a_part_neither_got_nor_was_lent_traps() {
    // 2 is standard output
    let guess = r#"(func (export "lend") (param i32) (call $drop (local.get 0)) (call $say (i32.const 2)))
        (func (export "give") (param i32) (call $say (i32.const 3)))"#;
    let keeps = r#"(global $kept (mut i32) (i32.const 0))
        (func (export "lend") (param i32)
          (if (global.get $kept) (then (call $drop (local.get 0)) (call $say (global.get $kept))))
          (global.set $kept (local.get 0)) (call $drop (local.get 0)))
        (func (export "give") (param i32) (call $drop (local.get 0)) (call $say (local.get 0)))"#;
    let get = "(local.set $s (call $get))";
    for (library, program) in [
        (PROPER, "(call $say (i32.const 2))".to_string()),
        (PROPER, "(call $lend (i32.const 2))".into()),
        (PROPER, "(call $give (i32.const 2))".into()),
        (PROPER, "(call $drop (i32.const 2))".into()),
        (PROPER, format!("{get} (call $drop (local.get $s)) (call $say (local.get $s))")),
        (PROPER, format!("{get} (call $give (local.get $s)) (call $say (local.get $s))")),
        (PROPER, format!("{get} (call $say (i32.const 3))")),
        (guess, format!("{get} (call $lend (local.get $s))")),
        (guess, format!("{get} (call $give (local.get $s))")),
        (keeps, format!("{get} (call $lend (local.get $s)) (call $lend (local.get $s))")),
        (keeps, format!("{get} (call $give (local.get $s))")),
    ] {
        traps(&streams(library, &program), "trap");
    }
}

#[test]
fn handles_in_lists_and_in_results_in_memory_are_checked_as_well() {
    let items = r#"
      (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type $p (sub resource)))
        (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
      (alias export $poll "pollable" (type $pollable))
      (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (alias outer 1 $pollable (type $p)) (export "pollable" (type (eq $p)))
        (export "subscribe-duration" (func (param "when" u64) (result (own 1))))))
      (import "wasi:keyvalue/store@0.2.0-draft2" (instance $store
        (type $v (variant (case "no-such-store") (case "access-denied") (case "other" string)))
        (export "error" (type $e (eq $v))) (export "bucket" (type $b (sub resource)))
        (export "open" (func (param "identifier" string) (result (result (own $b) (error $e)))))
        (export "[method]bucket.exists"
          (func (param "self" (borrow $b)) (param "key" string) (result (result bool (error $e)))))))"#;
    let lower = r#"
      (core module $allocator (func (export "f") (param i32 i32 i32 i32) (result i32) (i32.const 256)))
      (core instance $allocates (instantiate $allocator))
      (alias core export $allocates "f" (core func $realloc))
      (core func $wait (canon lower (func $poll "poll") (memory $memory) (realloc $realloc)))
      (core func $sleep (canon lower (func $clock "subscribe-duration")))
      (core func $open (canon lower (func $store "open") (memory $memory) (realloc $realloc)))
      (core func $exists (canon lower (func $store "[method]bucket.exists") (memory $memory) (realloc $realloc)))
      (core instance $i (export "wait" (func $wait)) (export "sleep" (func $sleep)) (export "open" (func $open))
        (export "exists" (func $exists)) (export "memory" (memory $memory)))"#;
    let imports = r#"
      (import "i" "wait" (func $wait (param i32 i32 i32)))
      (import "i" "sleep" (func $sleep (param i64) (result i32)))
      (import "i" "open" (func $open (param i32 i32 i32)))
      (import "i" "exists" (func $exists (param i32 i32 i32 i32)))"#;
    let waits =
        "(i32.store (i32.const 16) (call $sleep (i64.const 1))) (i32.store (i32.const 20) (call $sleep (i64.const 2)))
        (call $wait (i32.const 16) (i32.const 2) (i32.const 32))";
    let opens = "(call $open (i32.const 0) (i32.const 0) (i32.const 64))
        (call $exists (i32.load (i32.const 68)) (i32.const 16) (i32.const 1) (i32.const 128))";
    passes(&library_with(1024, items, lower, imports, &format!("{waits} {opens}")));
    for code in [
        waits.replace("(call $sleep (i64.const 2))", "(i32.const 6)"),
        waits.replace("(i32.const 2) (i32.const 32)", "(i32.const 3) (i32.const 32)"),
        opens.replace("(i32.load (i32.const 68))", "(i32.const 2)"),
        "(call $exists (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 128))".into(),
        // another bucket, of which there is none
        opens.replace("(call $open (i32.const 0) (i32.const 0)", "(call $open (i32.const 0) (i32.const 1)"),
    ] {
        traps(&library_with(1024, items, lower, imports, &code), "trap");
    }
}

/// Returns a program that calls a library with this function. The library was built for preview 1, and what its toolchain put
/// around it traps.
fn for_preview1(code: &str) -> String {
    let functions = [
        ("fd_write", "(param i32 i32 i32 i32) (result i32)"),
        ("fd_read", "(param i32 i32 i32 i32) (result i32)"),
        ("fd_close", "(param i32) (result i32)"),
        ("fd_seek", "(param i32 i64 i32 i32) (result i32)"),
        ("fd_fdstat_get", "(param i32 i32) (result i32)"),
        ("fd_prestat_get", "(param i32 i32) (result i32)"),
        ("args_sizes_get", "(param i32 i32) (result i32)"),
        ("args_get", "(param i32 i32) (result i32)"),
        ("environ_get", "(param i32 i32) (result i32)"),
        ("poll_oneoff", "(param i32 i32 i32 i32) (result i32)"),
    ];
    let adapter = functions.map(|(name, ty)| format!(r#"(func (export "{name}") {ty} (unreachable))"#)).concat();
    let imports = functions
        .map(|(name, ty)| format!(r#"(import "wasi_snapshot_preview1" "{name}" (func ${name} {ty}))"#))
        .concat();
    let program = program(
        r#"(import "acme:lib/f" (instance $f (export "f" (func))))
        (core func $f (canon lower (func $f "f")))
        (core instance $i (export "f" (func $f)))"#,
        r#"(import "i" "f" (func $f))"#,
        r#"(func (export "run") (result i32) (call $f) (i32.const 0))"#,
    );
    format!(
        r#"(component
        (component $lib
          (core module $adapter {adapter})
          (core module $m {imports} {PART}
            (data (i32.const 16) "hello\n")
            (func (export "f") {code}))
          (core instance $a (instantiate $adapter))
          (core instance $c (instantiate $m (with "wasi_snapshot_preview1" (instance $a))))
          (func $f (canon lift (core func $c "f")))
          (instance $f (export "f" (func $f)))
          (export "acme:lib/f" (instance $f)))
        (component $program {program})
        (instance $l (instantiate $lib))
        (instance $p (instantiate $program (with "acme:lib/f" (instance $l "acme:lib/f"))))
        (alias export $p "wasi:cli/run@0.2.0" (instance $run))
        (export "wasi:cli/run@0.2.0" (instance $run)))"#
    )
}

/// Writes a list of three pieces to address 32, of which the first has this address and length.
fn pieces(at: i64, length: i64) -> String {
    format!(
        "(i32.store (i32.const 32) (i32.const {at})) (i32.store (i32.const 36) (i32.const {length}))
        (i32.store (i32.const 48) (i32.const 18)) (i32.store (i32.const 52) (i32.const 4))"
    )
}

#[test]
fn a_part_for_preview_1_uses_the_streams_of_the_host_in_place_of_what_is_around_it() {
    let write = |list: u32, out: u32| {
        format!("(call $is (call $fd_write (i32.const 1) (i32.const {list}) (i32.const 3) (i32.const {out})) (i32.const 0))")
    };
    let (fine, written) = (pieces(16, 2), "(call $is (i32.load (i32.const 64)) (i32.const 6))");
    let list =
        "(call $is (i32.load (i32.const 32)) (i32.const 16)) (call $is (i32.load (i32.const 48)) (i32.const 18))";
    let out = passes(&for_preview1(&format!("{fine} {} {written} {list}", write(32, 64))));
    assert_eq!(out, "hello\n");
    // the memory of the part ends at 9216
    for (first, list, out) in [
        (pieces(9216, 1), 32, 64),
        (pieces(9215, 2), 32, 64),
        (pieces(16, -1), 32, 64),
        (pieces(-1, 2), 32, 64),
        (fine.clone(), 9212, 64),
        (fine.clone(), 32, 9213),
    ] {
        traps(&for_preview1(&format!("{first} {}", write(list, out))), "trap");
    }
    let number = |call: &str, expected: u32| format!("(call $is (call {call}) (i32.const {expected}))");
    let calls = [
        number("$fd_write (i32.const 3) (i32.const 32) (i32.const 3) (i32.const 64)", 8),
        number("$fd_read (i32.const 0) (i32.const 32) (i32.const 0) (i32.const 64)", 0),
        number("$fd_close (i32.const 1)", 0),
        number("$fd_close (i32.const 3)", 8),
        number("$fd_seek (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 64)", 70),
        number("$fd_fdstat_get (i32.const 3) (i32.const 64)", 8),
        number("$fd_fdstat_get (i32.const 1) (i32.const 64)", 0),
        number("$fd_prestat_get (i32.const 3) (i32.const 64)", 8),
        number("$poll_oneoff (i32.const 64) (i32.const 64) (i32.const 0x10000) (i32.const 64)", 28),
        // a stream that was closed stays open for the others
        number("$fd_write (i32.const 1) (i32.const 32) (i32.const 3) (i32.const 64)", 0),
    ];
    assert_eq!(passes(&for_preview1(&format!("{fine} {}", calls.concat()))), "hello\n");
    // a read ends with the first piece that it filled, however much there is
    let folder = Folder::new();
    let read = number("$fd_read (i32.const 0) (i32.const 32) (i32.const 3) (i32.const 64)", 0);
    let two = "(call $is (i32.load (i32.const 64)) (i32.const 2))";
    folder.write("a.wasm", wat::parse_str(for_preview1(&format!("{fine} {read} {two}"))).unwrap());
    folder.write("input", "abcdefgh");
    let run = folder.wisp_from("run a.wasm", std::fs::File::open(folder.path("input")).unwrap().into());
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    let all = 9216 / 48;
    traps(
        &for_preview1(&number(
            &format!("$poll_oneoff (i32.const 64) (i32.const 0) (i32.const {all}) (i32.const 64)"),
            0,
        )),
        "trap",
    );
}

#[test]
fn a_part_for_preview_1_gets_its_arguments_within_its_own_memory() {
    let get = |list: u32, bytes: u32| {
        format!(
            r#"(i64.store (i32.const 0) (i64.const 0x1234567890))
            (call $is (call $args_sizes_get (i32.const 64) (i32.const 68)) (i32.const 0))
            (call $is (i32.load (i32.const 64)) (i32.const 2))
            (call $is (call $args_get (i32.const {list}) (i32.const {bytes})) (i32.const 0))
            (call $is (i32.load8_u (i32.load (i32.add (i32.const {list}) (i32.const 4)))) (i32.const 111))
            (if (i64.ne (i64.load (i32.const 0)) (i64.const 0x1234567890)) (then (unreachable)))"#
        )
    };
    for (list, bytes, fits) in [(128, 256, true), (9208, 256, true), (9212, 256, false), (128, 9213, false)] {
        let run = run_with(&for_preview1(&get(list, bytes)), "-- one");
        assert_eq!(run.code == Some(0), fits, "{list} {bytes}: {}{}", run.out, run.err);
    }
}

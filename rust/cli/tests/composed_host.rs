// SPDX-License-Identifier: Apache-2.0
//! Composed components: each part calls the host with its own memory and its own handles.

mod common;

use common::composing::{passes, program, traps, WASI};
use common::Folder;

/// Runs two parts that write to standard output, one of them as often as it is called.
#[test]
fn each_part_uses_wasi_with_its_own_memory() {
    let lower = r#"
        (core func $drop (canon resource.drop $stream))
        (core module $store (memory (export "memory") 1) (global (export "__heap_base") i32 (i32.const 1024)))
        (core instance $own (instantiate $store))
        (alias core export $own "memory" (core memory $memory))
        (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
          (memory $memory)))
        (core instance $i (export "get" (func $get)) (export "write" (func $write)) (export "drop" (func $drop))
          (export "memory" (memory $memory)))"#;
    let imports = r#"
        (import "i" "get" (func $get (result i32)))
        (import "i" "write" (func $write (param i32 i32 i32 i32)))
        (import "i" "drop" (func $drop (param i32)))
        (import "i" "memory" (memory 1))"#;
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
        (component $lib {WASI} {lower}
          (core module $m {imports} {lib} (func (export "f") (call $say)))
          (core instance $c (instantiate $m (with "i" (instance $i))))
          (func $f (canon lift (core func $c "f")))
          (instance $f (export "f" (func $f)))
          (export "acme:lib/f" (instance $f)))
        (component $program {WASI} {lower}
          (import "acme:lib/f" (instance $f (export "f" (func))))
          (core func $f (canon lower (func $f "f")))
          (core module $m {imports} (import "f" "f" (func $f)) {own}
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

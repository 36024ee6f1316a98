// SPDX-License-Identifier: Apache-2.0
//! `wisp run --record` and `wisp run --replay`.

mod common;

use common::Folder;

/// Divides by a random number until it is zero, and writes what it got.
const GUEST: &str = r#"(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wisp:timer@1" "sleep_ms" (func $sleep (param i32) (result i32)))
  (memory (export "memory") 1)
  (global $sum (mut i32) (i32.const 0))
  (func $divide (param $by i32) (result i32) (i32.div_u (i32.const 1000) (local.get $by)))
  (func (export "_start")
    (loop $again
      (drop (call $random (i32.const 8) (i32.const 4)))
      (global.set $sum (i32.add (global.get $sum)
        (call $divide (i32.and (i32.load (i32.const 8)) (i32.const 7)))))
      (drop (call $sleep (i32.const 1)))
      (br $again))))"#;

/// Sleeps once, and then computes without an end.
const SPIN: &str = r#"(module
  (import "wisp:timer@1" "sleep_ms" (func $sleep (param i32) (result i32)))
  (memory 1)
  (func (export "_start") (drop (call $sleep (i32.const 1)))
    (loop $again (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))) (br $again))))"#;

/// Returns what a core dump shows below its first line, which has the path.
fn dump(folder: &Folder, name: &str) -> String {
    folder.succeeds(&format!("inspect {name}")).split_once('\n').unwrap().1.to_owned()
}

#[test]
fn a_run_that_trapped_by_chance_traps_again_with_the_same_locals() {
    let folder = Folder::new();
    folder.module("guest.wasm", GUEST);
    let run = folder.wisp("run guest.wasm --record guest.rec --core first.core");
    assert_eq!(run.code, Some(136), "{}", run.err);
    for again in ["second.core", "third.core"] {
        let run = folder.wisp(&format!("run guest.wasm --replay guest.rec --core {again}"));
        assert_eq!(run.code, Some(136), "{}", run.err);
        assert!(run.err.contains("the replay ended as recorded, after "), "{}", run.err);
        assert_eq!(dump(&folder, again), dump(&folder, "first.core"));
    }
    // the same calls in the form that users get
    folder.succeeds("build guest.wasm --quiet --debug");
    let image = folder.wisp("run guest.wisp --replay guest.rec");
    assert_eq!(image.code, Some(136), "{}", image.err);
    let shown = folder.succeeds("inspect guest.rec --symbols guest.wasm");
    assert!(shown.contains("  wasi_snapshot_preview1 random_get(8, 4) -> 0, writes "), "{shown}");
    assert!(shown.ends_with("end, trap: integer divide by zero\n"), "{shown}");
    assert!(folder.succeeds("inspect guest.rec --json").contains(r#""kind":"end""#));
}

#[test]
fn a_run_that_was_stopped_while_it_computed_is_stopped_at_the_same_place() {
    let folder = Folder::new();
    folder.module("guest.wasm", SPIN);
    folder.succeeds("run guest.wasm --record guest.rec --duration 600");
    let place = |name: &str| {
        let run = folder.wisp(&format!("run guest.wasm --replay guest.rec --core {name}"));
        assert_eq!(run.code, Some(130), "{}", run.err);
        assert!(run.err.contains("the replay ended as recorded, after 1 host calls"), "{}", run.err);
        run.err
    };
    assert_eq!(place("a.core"), place("b.core"));
}

#[test]
fn a_recording_of_another_module_is_refused_and_of_a_changed_board_not_needed() {
    let folder = Folder::new();
    folder.module("guest.wasm", GUEST);
    folder.module("other.wasm", SPIN);
    folder.wisp("run guest.wasm --record guest.rec");
    folder.fails(
        "run other.wasm --replay guest.rec",
        &["the recording is of image ", "give the module that was recorded"],
    );
    folder.fails("run other.wasm --replay other.wasm", &["this is no recording"]);
    let bytes = folder.read("guest.rec");
    folder.write("cut.rec", &bytes[..bytes.len() - 1]);
    folder.fails("run guest.wasm --replay cut.rec", &["the recording does not have the end of the run"]);
    let mut lost = bytes;
    lost[32] = 3;
    folder.write("lost.rec", lost);
    folder.fails("run guest.wasm --replay lost.rec", &["the first 3 items of the recording are lost", "wisp inspect"]);
    assert!(folder.succeeds("inspect lost.rec").contains("it cannot be replayed"));
}

// SPDX-License-Identifier: Apache-2.0
//! Guests that are recorded, and run again without their host.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use wisp_compiler::{compile, Options};
use wisp_engine::{Caller, Config, Engine, Image, Instance, Linker, Module, Store, Tap, Trap, TrapCode};
use wisp_host::recording::Conditions;

use super::player::{define, Outcome};
use super::*;

/// Asks the host for numbers until it gives 3, reads some bytes, adds all in a global, and divides by what is left.
const GUEST: &str = r#"(module
    (import "env" "number" (func $number (param i32 i64) (result i64)))
    (import "env" "read" (func $read (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (global $sum (export "sum") (mut i64) (i64.const 0))
    (func (export "_initialize")
        (drop (call $read (i32.const 4000) (i32.const 3))))
    (func (export "on_event") (param i32 i32 i32 i32) (local $got i64)
        (loop $again
            (local.set $got (call $number (local.get 2) (i64.const -5)))
            (global.set $sum (i64.add (global.get $sum) (local.get $got)))
            (br_if $again (i64.ne (local.get $got) (i64.const 3))))
        (drop (i32.div_u (i32.const 1) (i32.sub (local.get 2) (i32.load8_u (i32.const 4001)))))))"#;

const IMAGE: ImageId = ImageId { wasm: 1, code: 2 };
const OTHER: ImageId = ImageId { wasm: 1, code: 3 };
const CONDITIONS: Conditions =
    Conditions { image: (IMAGE.wasm, IMAGE.code), memory: 65536, stack: 4096, depth: 0, fuel: u64::MAX, lost: 0 };

/// Returns the path of a file that no other test has.
fn file() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("wisp-replay-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    std::env::temp_dir().join(name)
}

/// The trap of a guest, its global, and its memory from 3999 on.
type Seen = (Option<TrapCode>, u64, Vec<u8>);

/// Runs a guest with what defines its imports, and what drives it.
fn run(
    wat: &str,
    debug: bool,
    tap: &(impl Tap + 'static),
    link: impl FnOnce(&mut Linker<'_, u64>, &Image<'_>),
    go: impl FnOnce(&mut Store<'_, u64>, Instance) -> Result<(), Trap>,
) -> (Seen, Option<Trap>, Vec<String>) {
    let wasm = wat::parse_str(wat).unwrap();
    let compiled = compile(&wasm, &Options { debug, ..Options::default() }).unwrap();
    let engine = Engine::new(&Config::new().stack_size(4096));
    let module = Module::new(&engine, &compiled.image).unwrap();
    let mut arena = vec![0; 1 << 14];
    let mut store = Store::new(&engine, &mut arena, 9).unwrap();
    // SAFETY: the store and the tap stay on this thread.
    #[allow(unsafe_code)]
    unsafe {
        store.tap(tap);
    }
    let mut linker = Linker::new();
    link(&mut linker, module.image());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let ended = go(&mut store, instance).err();
    let view = store.post_mortem().unwrap();
    let mut bytes = vec![0; 5];
    view.read(3999, &mut bytes);
    ((ended.map(|trap| trap.code), view.global(0).unwrap().1, bytes), ended, imports(module.image()))
}

/// Records a guest on a host that counts down from 9. Returns what was seen, and the file.
fn record(wat: &str) -> (Seen, Vec<u8>) {
    let path = file();
    let recorder = Recorder::create(&path, &CONDITIONS).ok().unwrap();
    let host = |linker: &mut Linker<'_, u64>, _: &Image<'_>| {
        linker.func_wrap("env", "number", |mut caller: Caller<'_, u64>, _: u32, _: u64| {
            *caller.data_mut() -= 1;
            *caller.data()
        });
        linker.func_wrap("env", "read", |mut caller: Caller<'_, u64>, at: u32, length: u32| {
            caller.bytes_mut(at, length).map(|bytes| {
                bytes.copy_from_slice(&b"abc"[..length as usize]);
                length
            })
        });
    };
    let (seen, ended, _) = run(wat, false, &recorder, host, |store, instance| {
        instance.get_typed_func::<(), ()>(&*store, "_initialize").unwrap().call(&mut *store, ())?;
        let handler = instance.get_typed_func::<(u32, u32, u32, u32), ()>(&*store, "on_event").unwrap();
        handler.call(&mut *store, (0, 0, 5, 0))?;
        // the count is at 3, and goes on below 0 for what does not end at once
        *store.data_mut() = 4;
        handler.call(&mut *store, (0, 0, b'b'.into(), 0))
    });
    assert_eq!(recorder.finish(ended, 0).ok(), Some(8));
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    (seen, bytes)
}

/// Plays a file to a guest.
fn replay(wat: &str, debug: bool, bytes: &[u8]) -> (Seen, Outcome) {
    let wasm = wat::parse_str(wat).unwrap();
    let compiled = compile(&wasm, &Options::default()).unwrap();
    let names = imports(&Image::parse(&compiled.image).unwrap());
    let player = Player::new(Recording::parse(bytes).unwrap(), names);
    let (seen, ended, _) = run(wat, debug, &player, define, |store, _| player.run(store));
    (seen, player.outcome(ended, if debug { OTHER } else { IMAGE }))
}

fn problem(outcome: Outcome) -> String {
    match outcome {
        Outcome::Other(problem) => problem,
        Outcome::Same => "the same".into(),
        Outcome::Over => "over".into(),
    }
}

#[test]
fn a_replay_ends_as_the_run_did_with_the_same_memory_and_globals() {
    let (seen, bytes) = record(GUEST);
    assert_eq!(seen, (Some(TrapCode::IntegerDivisionByZero), 8 + 7 + 6 + 5 + 4 + 3 + 3, b"\0abc\0".to_vec()));
    for debug in [false, true] {
        let (again, outcome) = replay(GUEST, debug, &bytes);
        assert_eq!(again, seen);
        assert_eq!(problem(outcome), "the same");
    }
}

#[test]
fn an_app_that_calls_something_else_is_told_at_which_call() {
    let (_, bytes) = record(GUEST);
    let other = GUEST.replace("(i64.const -5)", "(i64.const -6)");
    let said = problem(replay(&other, false, &bytes).1);
    let there = "the recording has the call env number(5, 4294967291, 4294967295) there";
    assert!(said.starts_with("host call 2 is env number(5, 4294967290, 4294967295)") && said.contains(there), "{said}");
    let other = GUEST.replace("(i64.ne (local.get $got) (i64.const 3))", "(i32.const 1)");
    let said = problem(replay(&other, false, &bytes).1);
    assert!(
        said.contains("host call 8 is env number(") && said.contains("has a call of the app by the host there"),
        "{said}"
    );
    let other = GUEST.replace("(i32.const 1) (i32.sub", "(i32.const 0) (i32.add");
    let said = problem(replay(&other, false, &bytes).1);
    assert_eq!(
        said,
        "the app ended with it returned after host call 8, and the recording has the end `integer divide by zero`"
    );
}

#[test]
fn a_recording_that_was_cut_is_played_as_far_as_it_goes() {
    let (_, bytes) = record(GUEST);
    let whole = Recording::parse(&bytes).unwrap();
    assert_eq!((whole.items.len(), whole.cut), (12, false));
    for length in raw::HEADER..bytes.len() {
        let part = Recording::parse(&bytes[..length]).unwrap();
        assert_eq!(part.items[..], whole.items[..part.items.len()]);
        assert!(matches!(replay(GUEST, false, &bytes[..length]).1, Outcome::Over), "{length}");
    }
    assert!(Recording::parse(b"WRE0").unwrap_err().contains("no recording"));
    let mut damaged = bytes;
    damaged[raw::HEADER + 1] = b'?';
    assert!(Recording::parse(&damaged).unwrap_err().contains("item 1 of the recording is damaged"));
}

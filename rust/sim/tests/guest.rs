// SPDX-License-Identifier: Apache-2.0
//! Guests on the simulated board: compiler, engine, host functions and board together.

use wisp_compiler::{compile, Options};
use wisp_engine::{Config, Engine, Linker, Module, Store, Trap, TrapCode};
use wisp_host::{App, Interfaces};
use wisp_sim::{Board, Capture, SimPlatform, TraceFormat};

/// The outcome of a guest's run.
struct Run {
    result: Result<(), Trap>,
    trace: String,
    out: String,
    time_is_up: bool,
}

/// Runs `_start` of a guest with one page of memory as app `a` of a board.
fn run(board: &str, wat: &str) -> Run {
    let wasm = wat::parse_str(wat).unwrap();
    let image = compile(&wasm, &Options::default()).unwrap().image;
    let (trace, out) = (Capture::new(), Capture::new());
    let mut board = Board::from_toml(board).unwrap();
    board.set_trace(trace.clone(), TraceFormat::Csv);
    board.set_output(out.clone(), out.clone());

    let engine = Engine::new(&Config::default());
    let module = Module::new(&engine, &image).unwrap();
    let mut store = Store::with_capacity(&engine, 1 << 18, App::new(board.platform("a"))).unwrap();
    let mut linker = Linker::new();
    let interfaces = Interfaces::<SimPlatform>(App::<SimPlatform>::ALL);
    linker.resolver(&interfaces).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let start = instance.get_func(&store, "_start").unwrap();
    let result = start.call(&mut store, &[], &mut []);
    store.data_mut().release();
    let time_is_up = store.data().platform().time_is_up();
    // The header line tells nothing.
    let trace = trace.text().lines().skip(1).map(|line| format!("{line}\n")).collect();
    Run { result, trace, out: out.text(), time_is_up }
}

const BLINK: &str = r#"(module
    (import "wisp:gpio@1" "open" (func $open (param i32 i32 i32) (result i32)))
    (import "wisp:gpio@1" "toggle" (func $toggle (param i32) (result i32)))
    (import "wisp:timer@1" "sleep_ms" (func $sleep (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "led")
    (func (export "_start")
      (local $pin i32)
      (local.set $pin (call $open (i32.const 16) (i32.const 3) (i32.const 1)))
      (if (i32.lt_s (local.get $pin) (i32.const 0))
        (then (call $exit (i32.sub (i32.const 0) (local.get $pin)))))
      (loop $again
        (drop (call $toggle (local.get $pin)))
        (drop (call $sleep (i32.const 500)))
        (br $again))))"#;

#[test]
fn a_guest_blinks_until_the_time_is_up_and_leaves_its_pin_inactive() {
    let run = run("[board]\nduration_ms = 1200\n[apps.a.gpio]\nled = {}\n", BLINK);
    assert_eq!(run.result.unwrap_err().code, TrapCode::Interrupted);
    assert!(run.time_is_up);
    let expected = "0,a,gpio,led,inactive\n0,a,gpio,led,active\n500000,a,gpio,led,inactive\n\
                    1000000,a,gpio,led,active\n1200000,a,gpio,led,inactive\n";
    assert_eq!(run.trace, expected);
}

#[test]
fn a_guest_without_the_grant_gets_eacces_and_the_trace_tells_why() {
    let run = run("[apps.other.gpio]\nled = {}\n", BLINK);
    assert_eq!(run.result.unwrap_err().exit_status(), Some(13));
    assert!(run.trace.contains("refused") && run.trace.contains("apps.a.gpio.led"), "{}", run.trace);
}

#[test]
fn a_guest_prints_logs_and_ends_with_its_status() {
    let run = run(
        "",
        r#"(module
            (import "wisp:log@1" "write" (func $log (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\10\00\00\00\06\00\00\00")
            (data (i32.const 16) "hello\n")
            (func (export "_start")
              (drop (call $log (i32.const 2) (i32.const 16) (i32.const 4)))
              (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
              (if (i32.ne (i32.load (i32.const 8)) (i32.const 6)) (then (unreachable)))
              (call $exit (i32.const 3))))"#,
    );
    assert_eq!(run.result.unwrap_err().exit_status(), Some(3));
    assert_eq!((run.trace.as_str(), run.out.as_str()), ("0,a,log,wrn,hell\n", "hello\n"));
}

#[test]
fn wide_arguments_and_results_cross_the_border() {
    // Sleeps 2^32 + 5 us, then exits with what has passed since, beyond 2^32 us.
    let run = run(
        "",
        r#"(module
            (import "wisp:timer@1" "uptime_us" (func $uptime (result i64)))
            (import "wisp:timer@1" "sleep_us" (func $sleep (param i64) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start")
              (if (call $sleep (i64.const 0x1_0000_0005)) (then (unreachable)))
              (call $exit (i32.wrap_i64 (i64.sub (call $uptime) (i64.const 0x1_0000_0000))))))"#,
    );
    assert_eq!(run.result.unwrap_err().exit_status(), Some(6));
}

#[test]
fn hostile_pointers_are_errors_and_never_traps() {
    // Counts the calls that do not return the error expected.
    let run = run(
        "[apps.a.gpio]\nled = {}\n",
        r#"(module
            (import "wisp:log@1" "write" (func $log (param i32 i32 i32) (result i32)))
            (import "wisp:gpio@1" "open" (func $open (param i32 i32 i32) (result i32)))
            (import "wisp:gpio@1" "set_active" (func $set (param i32) (result i32)))
            (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func $expect (param $got i32) (param $expected i32) (result i32)
              (i32.ne (local.get $got) (local.get $expected)))
            (func (export "_start")
              (call $exit (i32.add (i32.add (i32.add (i32.add
                (call $expect (call $log (i32.const 3) (i32.const -1) (i32.const 2)) (i32.const -14))
                (call $expect (call $open (i32.const 65535) (i32.const 2) (i32.const 0)) (i32.const -14)))
                (call $expect (call $set (i32.const 0)) (i32.const -9)))
                (call $expect (call $random (i32.const 0) (i32.const -1)) (i32.const 21)))
                (call $expect (call $time (i32.const 1) (i64.const 0) (i32.const 65530)) (i32.const 21))))))"#,
    );
    assert_eq!(run.result.unwrap_err().exit_status(), Some(0));
    assert_eq!(run.trace, "");
}

/// Runs a guest that asks a server by the address in text, and one that asks a server which it was not granted.
#[test]
fn a_guest_reaches_the_server_that_it_was_granted() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut connection, _) = listener.accept().unwrap();
        let mut question = [0; 4];
        connection.read_exact(&mut question).unwrap();
        connection.write_all(b"pong").unwrap();
        question
    });
    let guest = |port: u16| {
        format!(
            r#"(module
            (import "wisp:net@1" "resolve" (func $resolve (param i32 i32 i32 i32) (result i32)))
            (import "wisp:net@1" "open" (func $open (param i32) (result i32)))
            (import "wisp:net@1" "connect" (func $connect (param i32 i64 i64 i32 i32) (result i32)))
            (import "wisp:net@1" "send" (func $send (param i32 i32 i32 i32) (result i32)))
            (import "wisp:net@1" "receive" (func $receive (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "127.0.0.1")
            (data (i32.const 32) "ping")
            (func (export "_start") (local $result i32)
              (if (call $resolve (i32.const 0) (i32.const 9) (i32.const 0) (i32.const 16)) (then (unreachable)))
              (if (call $open (i32.const 2)) (then (unreachable)))
              (local.set $result (call $connect (i32.const 0) (i64.load (i32.const 16)) (i64.load (i32.const 24))
                (i32.const {port}) (i32.const -1)))
              (if (local.get $result) (then (call $exit (local.get $result))))
              (if (i32.ne (call $send (i32.const 0) (i32.const 32) (i32.const 4) (i32.const -1)) (i32.const 4))
                (then (unreachable)))
              (drop (call $receive (i32.const 0) (i32.const 64) (i32.const 8) (i32.const -1)))
              (call $exit (i32.load8_u (i32.const 64)))))"#
        )
    };
    let board = format!("[apps.a.net]\nendpoints = [\"tcp:127.0.0.1:{port}\"]\n");
    let refused = run(&board, &guest(port ^ 1));
    assert_eq!(refused.result.unwrap_err().exit_status(), Some(-13));
    assert!(refused.trace.contains("add it to endpoints in [apps.a.net]"), "{}", refused.trace);
    let reached = run(&board, &guest(port));
    assert_eq!(reached.result.unwrap_err().exit_status(), Some(i32::from(b'p')));
    assert_eq!(&server.join().unwrap(), b"ping");
}

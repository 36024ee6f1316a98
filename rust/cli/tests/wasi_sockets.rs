// SPDX-License-Identifier: Apache-2.0
//! A program for WASI that listens: the host has bound nothing before, and the program asks for nothing but descriptor 3.

mod common;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use common::Folder;

/// Accepts two connections, one after the other, and sends back what comes, until the peer has ended. With an error, the
/// status is its number.
const ECHO: &str = r#"
(module
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_shutdown" (func $shutdown (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func $check (param $error i32)
    (if (local.get $error) (then (call $exit (local.get $error)))))
  (func $serve (local $fd i32)
    ;; waits until the listener can be read
    (i32.store8 (i32.const 264) (i32.const 1))
    (i32.store (i32.const 272) (i32.const 3))
    (call $check (call $poll (i32.const 256) (i32.const 320) (i32.const 1) (i32.const 16)))
    (call $check (call $accept (i32.const 3) (i32.const 0) (i32.const 16)))
    (local.set $fd (i32.load (i32.const 16)))
    (loop $next
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 100))
      (call $check (call $recv (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 4) (i32.const 8)))
      (if (i32.load (i32.const 4)) (then
        (call $check (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16)))
        (br $next))))
    (call $check (call $shutdown (local.get $fd) (i32.const 2)))
    (call $check (call $close (local.get $fd))))
  (func (export "_start") (call $serve) (call $serve)))"#;

/// Connects as soon as the program listens.
fn connect(port: u16) -> TcpStream {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(stream) => return stream,
            Err(error) if Instant::now() > end => panic!("nobody listens: {error}"),
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}

#[test]
fn a_program_for_wasi_accepts_connections_at_the_port_that_it_was_granted() {
    let folder = Folder::new();
    folder.module("echo.wasm", ECHO);
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    let port = free.expect("a port is free").port();
    let board =
        format!("[board]\nduration_ms = 120000\n[apps.echo.net]\nendpoints = [\"tcp-listen:127.0.0.1:{port}\"]\n");
    folder.write("board.toml", board);
    thread::scope(|scope| {
        let run = scope.spawn(|| folder.wisp("run echo.wasm --board board.toml --app echo"));
        for length in [10, 1000] {
            let sent: Vec<u8> = (0..length).map(|at: u32| at as u8).collect();
            let mut stream = connect(port);
            stream.write_all(&sent).expect("the program reads");
            stream.shutdown(Shutdown::Write).expect("the end can be said");
            let mut received = Vec::new();
            stream.read_to_end(&mut received).expect("the program answers");
            assert_eq!(received, sent);
        }
        let run = run.join().expect("the command ran");
        assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    });
}

#[test]
fn without_a_grant_the_descriptor_is_not_open() {
    let folder = Folder::new();
    folder.module("echo.wasm", ECHO);
    let run = folder.wisp("run echo.wasm");
    assert_eq!(run.code, Some(8), "badf\n{}", run.err);
}

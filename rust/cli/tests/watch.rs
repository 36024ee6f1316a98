// SPDX-License-Identifier: Apache-2.0
//! `wisp run --watch`.

mod common;

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use common::Folder;

/// Writes a word, and sleeps for very long.
fn guest(word: &str) -> String {
    let length = word.len() + 1;
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wisp:timer@1" "sleep_ms" (func $sleep (param i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\08\00\00\00\{length:02x}\00\00\00{word}\n")
            (func (export "_start")
                (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
                (drop (call $sleep (i32.const 1000000000)))))"#
    )
}

/// `wisp run --watch`, which ends with the test.
struct Watch {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn begin(folder: &Folder, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wisp"));
        command.args(["run", "app.wasm", "--realtime"]).args(more).current_dir(folder.path("."));
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// Returns the next line that an app writes.
    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn an_app_runs_anew_when_its_module_changes() {
    let folder = Folder::new();
    folder.module("app.wasm", &guest("one"));
    let mut watch = Watch::begin(&folder, &["--watch"]);
    assert_eq!(watch.line(), "one");
    folder.module("app.wasm", &guest("second"));
    assert_eq!(watch.line(), "second");
}

#[test]
fn sources_are_built_when_they_change_and_an_app_outlives_a_failure() {
    let folder = Folder::new();
    folder.module("app.wasm", &guest("one"));
    folder.module("next.wasm", &guest("second"));
    std::fs::create_dir_all(folder.path("src/deep")).unwrap();
    // the command fails until there is a second source
    let build = "--build=test -e src/deep/more && cp next.wasm app.wasm || { touch failed; false; }";
    let mut watch = Watch::begin(&folder, &["--watch=src", build]);
    assert_eq!(watch.line(), "one");
    folder.write("src/a", "1");
    while !folder.path("failed").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(watch.process.try_wait().unwrap().is_none());
    folder.write("src/deep/more", "2");
    assert_eq!(watch.line(), "second");
}

#[test]
fn a_command_that_writes_among_its_sources_runs_twice_for_a_change() {
    let folder = Folder::new();
    folder.module("app.wasm", &guest("one"));
    folder.module("next.wasm", &guest("second"));
    std::fs::create_dir(folder.path("src")).unwrap();
    let build = "--build=echo run >> src/runs; cmp -s next.wasm app.wasm || cp next.wasm app.wasm";
    let mut watch = Watch::begin(&folder, &["--watch=src", build]);
    assert_eq!(watch.line(), "one");
    folder.write("src/a", "1");
    assert_eq!(watch.line(), "second");
    folder.module("next.wasm", &guest("third"));
    folder.write("src/a", "22");
    assert_eq!(watch.line(), "third");
    let runs = String::from_utf8(folder.read("src/runs")).unwrap().lines().count();
    assert!((2..=4).contains(&runs), "{runs} runs");
}

#[test]
fn a_folder_that_does_not_exist_is_refused() {
    let folder = Folder::new();
    folder.module("app.wasm", &guest("one"));
    let run = folder.wisp("run app.wasm --watch=nowhere");
    assert_eq!((run.code, run.err.as_str()), (Some(1), "wisp: --watch=nowhere: there is no such folder or file\n"));
    let run = folder.wisp("run app.wasm --watch --build=make");
    assert!(run.err.contains("--build: say which sources it concerns, with --watch=FOLDER"), "{}", run.err);
}

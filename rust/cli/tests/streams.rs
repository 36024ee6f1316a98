// SPDX-License-Identifier: Apache-2.0
//! Standard output and standard error that take nothing: a full disk, and a reader that has gone away.
#![cfg(target_os = "linux")]

mod common;

use std::fs::OpenOptions;
use std::io::Read;
use std::process::{Command, Stdio};

use common::Folder;

const TRAP: &str = r#"(module (func (export "_start") unreachable))"#;

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

fn command(folder: &Folder, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wisp"));
    command.args(arguments.split_whitespace()).current_dir(folder.path("")).stdin(Stdio::null());
    command
}

/// Returns a module, its image and a log of a trap that no symbols explain.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.module("a.wasm", TRAP);
    folder.succeeds("build a.wasm --quiet");
    folder.write("log", "a: trap 1 (unreachable), image 00000001:2, at 0@0x4\n".repeat(2000));
    folder
}

#[test]
fn a_report_that_does_not_fit_on_the_disk_is_a_failure() {
    let folder = folder();
    for arguments in [
        "inspect a.wisp",
        "inspect a.wisp --json",
        "build a.wasm",
        "keygen k.pem",
        "new lamp --lang c",
        "completions bash",
        "man pages",
        "symbolize --symbols a.wisp.sym log",
        "--help",
    ] {
        let done = command(&folder, arguments).stdout(full()).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "{arguments}: {said}");
        assert!(
            said.ends_with("wisp: standard output cannot be written: No space left on device (os error 28)\n"),
            "{arguments}: {said}"
        );
    }
}

#[test]
fn a_full_standard_error_changes_no_exit_code() {
    let folder = folder();
    let cases = [("run a.wasm", 134), ("run a.wasm --json", 134), ("run a.wasm --profile", 134)];
    let others = [("symbolize -s a.wisp.sym log", 1), ("inspect nowhere", 1), ("inspect", 2)];
    for (arguments, code) in cases.into_iter().chain(others) {
        let done = command(&folder, arguments).stderr(full()).output().unwrap();
        assert_eq!(done.status.code(), Some(code), "{arguments}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = folder();
    folder.write("log", "nothing happened\n".repeat(100_000));
    for arguments in ["symbolize -s a.wisp.sym log", "completions bash", "inspect a.wisp"] {
        let mut child = command(&folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 1]).unwrap();
        let done = child.wait_with_output().unwrap();
        assert_eq!((done.status.code(), done.stderr), (Some(0), Vec::new()), "{arguments}");
    }
}

#[test]
fn a_dash_is_standard_input_for_a_log() {
    let folder = folder();
    let log = std::fs::File::open(folder.path("log")).unwrap();
    let done = command(&folder, "symbolize -s a.wisp.sym --json -").stdin(log).output().unwrap();
    let out = String::from_utf8(done.stdout).unwrap();
    assert_eq!((done.status.code(), out.lines().count()), (Some(1), 2000));
    assert!(out.starts_with(r#"{"line":1,"image":"00000001:2","known":false,"#), "{out}");
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp compile` against a server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use crate::harness::{module, wisp, Place, Server, ANNE};

fn compile(place: &Place, server: &Server, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wisp-fleet"))
        .args(["compile", "lamp.wasm", "--token-file=token", "--wisp"])
        .arg(wisp())
        .arg(format!("--service=http://{}", server.address))
        .args(more)
        .current_dir(place.folder.path())
        .output()
        .unwrap()
}

fn fails(output: &Output, words: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && text.contains(words), "{text}");
}

#[test]
fn an_image_with_code_of_the_service_is_the_one_that_compilers_here_make() {
    let place = Place::new();
    let server = place.serve(&[]);
    fs::write(place.path("lamp.wasm"), module(3)).unwrap();
    fs::write(place.path("token"), format!("{ANNE}\n")).unwrap();
    let targets = ["--target=cortex-m33", "--target=rv32imac", "--version=1.2.3", "--rollback=5", "--small"];
    let output = compile(&place, &server, &[&targets[..], &["-o", "served.wisp"]].concat());
    assert!(output.status.success(), "{output:?}");
    let built = Command::new(wisp())
        .args(["build", "lamp.wasm", "-o", "built.wisp"])
        .args(targets)
        .current_dir(place.folder.path())
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
    let read = |name: &str| fs::read(place.path(name)).unwrap();
    assert_eq!(read("served.wisp"), read("built.wisp"));
    assert_eq!(read("served.wisp.sym"), read("built.wisp.sym"));
}

#[test]
fn whoever_cannot_compile_is_told_why() {
    let place = Place::new();
    let server = place.serve(&[]);
    fs::write(place.path("lamp.wasm"), module(3)).unwrap();
    fs::write(place.path("token"), "wrong").unwrap();
    fails(&compile(&place, &server, &["--target=cortex-m33"]), "the request has no valid token");
    fs::write(place.path("token"), ANNE).unwrap();
    fails(
        &compile(&place, &server, &["--target=cortex-m99"]),
        "there is no target `cortex-m99`; expected one of: cortex-m0plus",
    );
    fs::write(place.path("lamp.wasm"), "text").unwrap();
    fails(&compile(&place, &server, &["--target=cortex-m33"]), "this is text, not a wasm module");
    let at = |address: &str, more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_wisp-fleet"))
            .args(["compile", "lamp.wasm", "--token-file=token", "--target=cortex-m33", "--service", address])
            .args(more)
            .current_dir(place.folder.path())
            .output()
            .unwrap()
    };
    let expected = "the token would be readable on its way; use an address with https";
    fails(&at("http://service.example", &[]), expected);
    let expected = "no address of a service, expected https://HOST or https://HOST:PORT";
    fails(&at("localhost:8080", &[]), expected);
    fails(&at("ftp://service.example", &[]), expected);
    fs::write(place.path("token"), "\n").unwrap();
    fails(&at("http://localhost:1", &[]), "token: there is no token; whoever runs the service gives one");
    let usage = at("http://localhost:1", &["--json", "--tokn"]);
    let said: serde_json::Value = serde_json::from_slice(&usage.stdout).unwrap();
    assert_eq!(usage.status.code(), Some(2));
    assert!(said["error"].as_str().unwrap().starts_with("unexpected argument '--tokn' found"), "{said}");
}

#[test]
fn a_service_that_does_not_run_is_told_with_the_reason() {
    let place = Place::new();
    fs::write(place.path("lamp.wasm"), module(3)).unwrap();
    fs::write(place.path("token"), ANNE).unwrap();
    // a port that was free a moment ago
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_wisp-fleet"))
        .args(["compile", "lamp.wasm", "--token-file=token", "--target=cortex-m33", "--wisp"])
        .arg(wisp())
        .arg(format!("--service=http://{free}"))
        .current_dir(place.folder.path())
        .output()
        .unwrap();
    let expected =
        "the service does not answer: Connection refused (os error 111); check its name and port, and whether it";
    fails(&output, &format!("http://{free}/: {expected} runs"));
}

#[test]
fn an_image_that_is_not_the_one_that_was_made_here_is_refused() {
    let place = Place::new();
    let server = place.serve(&[]);
    let named = wat::parse_str("(module (func $named (export \"start\")))").unwrap();
    fs::write(place.path("lamp.wasm"), named).unwrap();
    fs::write(place.path("token"), ANNE).unwrap();
    // the `wisp` of this machine makes another image than that of the service
    let script = place.path("other");
    fs::write(&script, format!("#!/bin/sh\nexec {} \"$@\" --names\n", wisp().display())).unwrap();
    fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_wisp-fleet"))
        .args(["compile", "lamp.wasm", "--token-file=token", "--target=cortex-m33", "--wisp"])
        .arg(&script)
        .arg(format!("--service=http://{}", server.address))
        .current_dir(place.folder.path())
        .output()
        .unwrap();
    fails(&output, "the service made another image of this module than `wisp build` here");
}

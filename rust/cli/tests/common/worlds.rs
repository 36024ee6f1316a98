// SPDX-License-Identifier: Apache-2.0
//! Makes components of core modules in text, as the toolchains do it.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// The folders of `wit` whose packages a world can import, those that others use first.
const PACKAGES: [&str; 15] = [
    "gpio",
    "i2c",
    "kv",
    "uart",
    "event",
    "timer",
    "sensor",
    "wasi-i2c",
    "grants",
    "wasi-io",
    "wasi-gpio",
    "pins",
    "wasi-spi",
    "wasi-logging",
    "wasi-keyvalue",
];

/// The part of WASI 0.2 with pollables of the clock.
const CLOCK: &str = "package wasi:clocks@0.2.4;
    interface monotonic-clock {
        use wasi:io/poll@0.2.4.{pollable};
        now: func() -> u64;
        subscribe-duration: func(when: u64) -> pollable;
    }";

/// Returns a program whose world imports these items. Its core module has the imports, data and functions of
/// `definitions`, and an allocator that takes memory from 4096 upwards. It also has `$is`, which traps unless two
/// numbers are equal, and `$run` for the body of the program.
pub fn program(items: &[&str], definitions: &str, body: &str) -> Vec<u8> {
    encoded(items, definitions, body, StringEncoding::UTF8)
}

/// Makes the component of [`program`] with an encoding of strings.
pub fn encoded(items: &[&str], definitions: &str, body: &str, encoding: StringEncoding) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_str("run.wit", "package wasi:cli@0.2.0; interface run { run: func() -> result; }").unwrap();
    for package in PACKAGES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit").join(package);
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            resolve.push_str(&path, &std::fs::read_to_string(&path).unwrap()).unwrap();
        }
    }
    resolve.push_str("clocks.wit", CLOCK).unwrap();
    let imports: String = items.iter().map(|item| format!("import {item}; ")).collect();
    let world = format!("package test:app; world app {{ {imports} export wasi:cli/run@0.2.0; }}");
    let package = resolve.push_str("app.wit", &world).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let (imports, rest): (Vec<&str>, Vec<&str>) =
        definitions.lines().map(str::trim).partition(|line| line.starts_with("(import"));
    let text = format!(
        r#"(module
          {}
          (memory (export "memory") 1)
          (global $top (mut i32) (i32.const 4096))
          (func (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
            (local $at i32)
            (if (i32.le_u (local.get $new) (local.get $size)) (then (return (local.get $old))))
            (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
            (global.set $top (i32.add (local.get $at) (local.get $new)))
            (memory.copy (local.get $at) (local.get $old) (local.get $size))
            (local.get $at))
          (func $is (param i32 i32) (if (i32.ne (local.get 0) (local.get 1)) (then (unreachable))))
          {}
          (func $run (export "wasi:cli/run@0.2.0#run") (result i32) {body} (i32.const 0)))"#,
        imports.join("\n"),
        rest.join("\n")
    );
    let mut module = wat::parse_str(text).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, encoding, false).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

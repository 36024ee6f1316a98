// SPDX-License-Identifier: Apache-2.0
//! Assembles the shims in `shims/` to one core module, which the crate includes.

use std::path::Path;

use wisp_abi::Errno;

/// The files of the shims, the one with imports first. They share one module, so a function may call one of another file.
const FILES: [&str; 14] = [
    "base",
    "analog",
    "cli",
    "clocks",
    "filesystem",
    "gpio",
    "i2c",
    "io",
    "keyvalue",
    "logging",
    "pins",
    "preview1",
    "random",
    "spi",
];

/// The modules for composed components, in a folder of their own.
const PARTS: [&str; 2] = ["handles", "strings"];

/// The file of pollables, which is assembled once for each line: the end of names in the ABI, the end of names of
/// functions, and the function that waits.
const POLL: &str = "poll";
const POLLS: [[&str; 3]; 2] = [["", "", "sleep_until"], [" with pins", "_with_pins", "wait_until"]];

/// Reads a file of the shims, in which the name of an error number in braces stands for its negative number.
fn read(file: &str) -> String {
    let path = format!("shims/{file}.wat");
    println!("cargo::rerun-if-changed={path}");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let number =
        |text: String, errno: &Errno| text.replace(&format!("{{{}}}", errno.name()), &errno.code().to_string());
    Errno::ALL.iter().fold(text, number)
}

fn main() {
    let mut text = String::from("(module\n");
    wisp_abi::render::shim_imports(&mut text).expect("a string takes all");
    for file in FILES {
        text += &read(file);
    }
    for [with, pins, wait] in POLLS {
        text += &read(POLL).replace("{with}", with).replace("{pins}", pins).replace("{wait}", wait);
    }
    wisp_abi::render::shims(&mut text).expect("a string takes all");
    text.push(')');
    let module = wat::parse_str(&text).unwrap_or_else(|error| panic!("the shims: {error}"));
    write("shims", &module);
    for part in PARTS {
        let path = format!("shims/parts/{part}.wat");
        println!("cargo::rerun-if-changed={path}");
        write(part, &wat::parse_file(&path).unwrap_or_else(|error| panic!("{path}: {error}")));
    }
}

/// Writes a module for the crate to include.
fn write(name: &str, module: &[u8]) {
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(Path::new(&out).join(format!("{name}.wasm")), module).expect("the module is written");
}

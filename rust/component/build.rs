// SPDX-License-Identifier: Apache-2.0
//! Assembles the shims in `shims/` to one core module, which the crate includes.

use std::path::Path;

/// The files of the shims. They share one module, so a function may call one of another file.
const FILES: [&str; 7] = ["base", "cli", "clocks", "filesystem", "i2c", "io", "random"];

fn main() {
    let mut text = String::from("(module\n");
    wisp_abi::render::shim_imports(&mut text).expect("a string takes all");
    for file in FILES {
        let path = format!("shims/{file}.wat");
        println!("cargo::rerun-if-changed={path}");
        text += &std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    wisp_abi::render::shims(&mut text).expect("a string takes all");
    text.push(')');
    let module = wat::parse_str(&text).unwrap_or_else(|error| panic!("the shims: {error}"));
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(Path::new(&out).join("shims.wasm"), module).expect("the module is written");
}

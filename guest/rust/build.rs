// SPDX-License-Identifier: Apache-2.0
//! Generates the imports and their wrappers from the ABI description.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let directory = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut text = String::new();
    wisp_abi::render::rust_guest(&mut text).expect("a String takes any text");
    std::fs::write(directory.join("abi.rs"), text).expect("OUT_DIR is writable");
}

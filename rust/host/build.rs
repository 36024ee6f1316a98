// SPDX-License-Identifier: Apache-2.0
//! Generates traits and glue from the ABI description, so that a host function which does not match
//! its description does not compile.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let directory = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut text = String::new();
    for interface in wisp_abi::INTERFACES {
        wisp_abi::render::rust_host(&mut text, interface)
            .unwrap_or_else(|_| panic!("{}: a combination of buffers without a rule", interface.module));
    }
    std::fs::write(directory.join("bindings.rs"), text).expect("OUT_DIR is writable");
}

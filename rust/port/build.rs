// SPDX-License-Identifier: Apache-2.0
//! Generates the bindings to the C shims.

use std::env;
use std::path::PathBuf;

fn main() {
    let crate_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let repository = crate_dir.join("../..");
    let header = repository.join("src/border/shim.h");
    let include = repository.join("include");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", repository.join("src/border").display());
    println!("cargo::rerun-if-changed={}", repository.join("src/storage/shim.h").display());
    println!("cargo::rerun-if-changed={}", include.join("wisp").display());

    let bindings = bindgen::Builder::default()
        .header(header.to_string_lossy())
        .clang_arg("-ffreestanding")
        .clang_arg(format!("-I{}", include.display()))
        .clang_arg(format!("-I{}", repository.join("src").display()))
        .use_core()
        .enable_function_attribute_detection()
        .allowlist_function("wisp_.*")
        .allowlist_type("wisp_.*")
        .allowlist_var("WISP_.*")
        .layout_tests(false)
        .generate()
        .expect("src/border/shim.h is plain C");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    bindings.write_to_file(out.join("shim.rs")).expect("OUT_DIR is writable");
}

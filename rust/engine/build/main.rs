// SPDX-License-Identifier: Apache-2.0
//! Writes the interpreter's back ends from the op table, a file for each.

mod loop_back_end;

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rustc-check-cfg=cfg(wisp_strict_align)");
    let target = env::var("TARGET").unwrap_or_default();
    // cores that fault on unaligned loads and stores, or may
    if target.starts_with("thumbv6m") || target.starts_with("riscv") || target.starts_with("thumbv8m.base") {
        println!("cargo:rustc-cfg=wisp_strict_align");
    }
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = Path::new(&out);
    fs::write(out.join("loop_arms.rs"), loop_back_end::arms()).expect("OUT_DIR can be written");
}

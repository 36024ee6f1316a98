// SPDX-License-Identifier: Apache-2.0
//! Writes the interpreter's back ends from the op table, a file for each.

mod loop_back_end;
mod thumb;

use std::path::Path;
use std::{env, fs};

use wisp_image::ops::COUNT;

fn main() {
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rustc-check-cfg=cfg(wisp_strict_align)");
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo:rustc-env=WISP_TARGET={target}");
    // cores that fault on unaligned loads and stores, or may
    if target.starts_with("thumbv6m") || target.starts_with("riscv") || target.starts_with("thumbv8m.base") {
        println!("cargo:rustc-cfg=wisp_strict_align");
    }
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = Path::new(&out);
    let flavour = thumb_flavour(&target);
    let back_end = match flavour {
        _ if env::var_os("CARGO_FEATURE_INTERP_LOOP").is_some() => "loop",
        Some(_) => "thumb",
        None => "loop",
    };
    println!("cargo:rustc-check-cfg=cfg(wisp_back_end, values(\"loop\", \"thumb\"))");
    println!("cargo:rustc-cfg=wisp_back_end=\"{back_end}\"");
    let write = |name: &str, text: String| fs::write(out.join(name), text).expect("OUT_DIR can be written");
    match (back_end, flavour) {
        ("thumb", Some(flavour)) => {
            let core = thumb::core(flavour);
            write("thumb_core.rs", core.text);
            write("escape_arms.rs", loop_back_end::arms(&core.escaped));
        }
        _ => {
            let all: Vec<_> = (0..COUNT as u16).collect();
            write("loop_arms.rs", loop_back_end::arms(&all));
        }
    }
}

/// The instructions a target has, if it is a Cortex-M.
fn thumb_flavour(target: &str) -> Option<thumb::Flavour> {
    let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| target.starts_with(prefix));
    if is(&["thumbv6m", "thumbv8m.base"]) {
        Some(thumb::Flavour::V6)
    } else if is(&["thumbv7m", "thumbv7em", "thumbv8m.main"]) {
        Some(thumb::Flavour::V7)
    } else {
        None
    }
}

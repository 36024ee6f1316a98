// SPDX-License-Identifier: Apache-2.0
//! Writes the interpreter's back ends from the op table, a file for each.

use std::path::Path;
use std::{env, fs};

use wisp_cores::text::Core;
use wisp_cores::{core_of, portable, riscv, thumb};
use wisp_image::features::{needed, Feature};
use wisp_image::ops::COUNT;

/// Returns true if the features of an op are built in.
fn built(opcode: u16) -> bool {
    let missing = |feature: &&Feature| {
        let name = feature.name().replace('-', "_").to_uppercase();
        env::var_os(format!("CARGO_FEATURE_{name}")).is_none()
    };
    let missing = Feature::ALL.iter().filter(missing).fold(0, |sum, &feature| sum | feature as u8);
    needed(opcode) & missing == 0
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(wisp_strict_align)");
    println!("cargo:rustc-check-cfg=cfg(wisp_threaded)");
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo:rustc-env=WISP_TARGET={target}");
    // Cores that fault on unaligned loads and stores, or may.
    let strict = ["thumbv6m", "thumbv8m.base", "riscv", "armv7a", "aarch64-unknown-none"];
    if strict.iter().any(|name| target.starts_with(name)) {
        println!("cargo:rustc-cfg=wisp_strict_align");
    }
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = Path::new(&out);
    let core = match thumb_flavour(&target) {
        _ if env::var_os("CARGO_FEATURE_INTERP_LOOP").is_some() => None,
        Some(flavour) => Some(("thumb", core_of(&flavour, &built, tells()))),
        None => riscv_core().map(|core| ("riscv", core)),
    };
    println!("cargo:rustc-check-cfg=cfg(wisp_translates)");
    println!("cargo:rustc-check-cfg=cfg(wisp_thumb1)");
    if matches!(thumb_flavour(&target), Some(thumb::Flavour::V6)) {
        println!("cargo:rustc-cfg=wisp_thumb1");
    }
    let translates = core.is_some() && (thumb_flavour(&target).is_some() || riscv_translates());
    if translates && env::var_os("CARGO_FEATURE_TRANSLATE").is_some() {
        println!("cargo:rustc-cfg=wisp_translates");
    }
    println!("cargo:rustc-check-cfg=cfg(wisp_back_end, values(\"loop\", \"thumb\", \"riscv\"))");
    println!("cargo:rustc-cfg=wisp_back_end=\"{}\"", core.as_ref().map_or("loop", |(name, _)| name));
    // a guest that is watched runs in the portable back end, whatever the others have
    let has_loop = core.is_none() || env::var_os("CARGO_FEATURE_DEBUG").is_some();
    println!("cargo:rustc-check-cfg=cfg(wisp_loop)");
    let write = |name: &str, text: &str| fs::write(out.join(name), text).expect("OUT_DIR can be written");
    if let Some((_, core)) = core {
        if core.threaded {
            println!("cargo:rustc-cfg=wisp_threaded");
        }
        write("core.rs", &core.text);
        write("escape_arms.rs", &portable::arms(&core.escaped, &built));
    }
    if has_loop {
        println!("cargo:rustc-cfg=wisp_loop");
        let all: Vec<_> = (0..COUNT as u16).filter(|&opcode| built(opcode)).collect();
        write("loop_arms.rs", &portable::arms(&all, &built));
    }
}

/// Returns true if the target is a RISC-V for which there are emitters: with multiplication and compressed
/// instructions, and floats in registers of integers.
fn riscv_translates() -> bool {
    riscv_target().is_some_and(|target| target.compressed && !target.floats)
}

/// Returns true if profilers look at the core.
fn tells() -> bool {
    env::var_os("CARGO_FEATURE_SAMPLE").is_some()
}

/// Returns the core for RISC-V with 32 registers of 32 bits and multiplication.
fn riscv_core() -> Option<Core> {
    riscv_target().map(|target| core_of(&target, &built, tells()))
}

/// Returns what a target has, if it is a RISC-V with 32 registers of 32 bits and multiplication.
fn riscv_target() -> Option<riscv::Target> {
    let cfg = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let features = cfg("FEATURE");
    let has = |feature: &str| features.split(',').any(|f| f == feature);
    (cfg("ARCH") == "riscv32" && has("m") && !has("e")).then(|| {
        let threaded = env::var_os("CARGO_FEATURE_THREADED_CODE").is_some();
        riscv::Target { compressed: has("c"), floats: has("f"), threaded }
    })
}

/// Returns the instructions a target has, if it is a Cortex-M.
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

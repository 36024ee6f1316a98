// SPDX-License-Identifier: Apache-2.0
//! Compares the features of this crate with the firmware's Kconfig, before a linker finds a difference.

use std::{env, fs};

/// Features that a firmware has if and only if Kconfig has the option.
const SAME: &[(&str, &str)] = &[
    ("callers", "CONFIG_WISP_NATIVE_CALLERS"),
    ("core-dump", "CONFIG_WISP_CORE_DUMP"),
    ("debug", "CONFIG_WISP_DEBUG"),
    ("epoch", "CONFIG_WISP_EPOCH"),
    ("host-time", "CONFIG_WISP_HOST_TIME"),
    ("profile", "CONFIG_WISP_PROFILE"),
    ("record", "CONFIG_WISP_RECORD"),
    ("interpreter", "CONFIG_WISP_INTERPRETER"),
    ("native", "CONFIG_WISP_NATIVE"),
    ("signature", "CONFIG_WISP_SIGNATURE"),
    ("storage", "CONFIG_WISP_STORAGE"),
    ("threaded-code", "CONFIG_WISP_THREADED_CODE"),
    ("user-mode", "CONFIG_WISP_NATIVE_USER_MODE"),
];

/// Options that all need the feature `wasm`.
const WASM: &[&str] = &[
    "CONFIG_WISP_BULK_MEMORY",
    "CONFIG_WISP_FLOAT",
    "CONFIG_WISP_REFERENCE_TYPES",
    "CONFIG_WISP_SATURATING_FLOAT_TO_INT",
    "CONFIG_WISP_SIGN_EXTENSION",
    "CONFIG_WISP_TAIL_CALL",
];

/// Returns the first difference between the features and the configuration, and what to do about it.
fn difference(is_set: &dyn Fn(&str) -> bool, has: &dyn Fn(&str) -> bool) -> Option<String> {
    if !is_set("CONFIG_WISP") {
        return Some("CONFIG_WISP is not enabled; set CONFIG_WISP=y in prj.conf".to_owned());
    }
    let same = SAME.iter().find_map(|(feature, option)| match (is_set(option), has(feature)) {
        (true, false) => {
            Some(format!("{option}=y, but the feature `{feature}` of the crate `wisp` is off; add it in Cargo.toml"))
        }
        (false, true) => Some(format!(
            "the feature `{feature}` of the crate `wisp` is on, but {option} is not; set it in prj.conf, or remove the \
             feature in Cargo.toml"
        )),
        _ => None,
    });
    same.or_else(|| {
        let option = WASM.iter().find(|option| is_set(option) && !has("wasm"))?;
        Some(format!("{option}=y, but the feature `wasm` of the crate `wisp` is off; add it in Cargo.toml"))
    })
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=DOTCONFIG");
    println!("cargo::rustc-check-cfg=cfg(CONFIG_WISP_DEADLINE)");
    let Some(path) = env::var_os("DOTCONFIG").filter(|path| !path.is_empty()) else {
        println!(
            "cargo::error=the crate `wisp` is built by Zephyr only: call rust_cargo_application() in CMakeLists.txt"
        );
        return;
    };
    println!("cargo::rerun-if-changed={}", path.to_string_lossy());
    let options = fs::read_to_string(&path).expect("DOTCONFIG names the configuration of the firmware");
    let is_set = |option: &str| options.lines().any(|line| line.strip_suffix("=y") == Some(option));
    let has =
        |feature: &str| env::var_os(format!("CARGO_FEATURE_{}", feature.replace('-', "_").to_uppercase())).is_some();
    if let Some(problem) = difference(&is_set, &has) {
        println!("cargo::error={problem}");
    }
    if is_set("CONFIG_WISP_DEADLINE") {
        println!("cargo::rustc-cfg=CONFIG_WISP_DEADLINE");
    }
}

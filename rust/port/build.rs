// SPDX-License-Identifier: Apache-2.0
//! Generates the bindings to the C shims, and takes the interfaces from the configuration of an application in Rust.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Features that need no other crate and are named as options of Kconfig. The interfaces are among them as well.
const PLAIN: [&str; 3] = ["assemblyscript", "error-messages", "wasi"];

/// Makes comments of C readable in Rust.
#[derive(Debug)]
struct Comments;

impl bindgen::callbacks::ParseCallbacks for Comments {
    fn process_comment(&self, comment: &str) -> Option<String> {
        let comment = comment.replace("@brief ", "");
        // the only command of Doxygen with braces that the headers have
        Some(if comment.contains("@kconfig{") { comment.replace("@kconfig{", "`").replace('}', "`") } else { comment })
    }
}

/// Turns on the features that the firmware's Kconfig chose, where zephyr-lang-rust names its configuration.
///
/// An application in C passes them as features of cargo (`cmake/rust.cmake`). The `cargo` command of
/// zephyr-lang-rust passes none, so that an application in Rust would have to repeat its `prj.conf`.
fn features_of_kconfig(repository: &Path) {
    println!("cargo::rerun-if-env-changed=DOTCONFIG");
    let Some(path) = env::var_os("DOTCONFIG").filter(|path| !path.is_empty()) else { return };
    println!("cargo::rerun-if-changed={}", path.to_string_lossy());
    let options = fs::read_to_string(&path).expect("DOTCONFIG names the configuration of the firmware");
    let is_set = |option: &str| options.lines().any(|line| line.strip_suffix("=y") == Some(option));
    let drivers = fs::read_dir(repository.join("src/drivers")).expect("a folder of this repository");
    let interfaces = drivers.filter_map(|entry| {
        entry.expect("a file of this repository").file_name().to_str()?.strip_prefix("Kconfig.").map(str::to_owned)
    });
    for feature in interfaces.chain(PLAIN.map(str::to_owned)) {
        if is_set(&format!("CONFIG_WISP_{}", feature.replace('-', "_").to_uppercase())) {
            println!("cargo::rustc-cfg=feature=\"{feature}\"");
        }
    }
    if is_set("CONFIG_LOG") {
        println!("cargo::rustc-cfg=feature=\"log\"");
    }
}

fn main() {
    let crate_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let repository = crate_dir.join("../..");
    let header = repository.join("src/border/shim.h");
    let include = repository.join("include");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", repository.join("src/border").display());
    println!("cargo::rerun-if-changed={}", repository.join("src/storage/shim.h").display());
    println!("cargo::rerun-if-changed={}", include.join("wisp").display());

    features_of_kconfig(&repository);

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
        .parse_callbacks(Box::new(Comments))
        .generate()
        .expect("src/border/shim.h is plain C");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    bindings.write_to_file(out.join("shim.rs")).expect("OUT_DIR is writable");
}

// SPDX-License-Identifier: Apache-2.0
//! Lists the files of the crates that `wisp new` copies into a Rust app.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Adds a folder's files to the list, and those of its folders.
fn add(list: &mut String, root: &Path, folder: &str) {
    println!("cargo::rerun-if-changed={}", root.join(folder).display());
    let entries = std::fs::read_dir(root.join(folder)).expect("the folder is part of the sources");
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    for name in names {
        let path = format!("{folder}/{name}");
        if root.join(&path).is_dir() {
            add(list, root, &path);
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(root.join(&path)).expect("the file is text");
            writeln!(list, "    ({path:?}, {text:?}),").unwrap();
        }
    }
}

/// Returns the manifest of a crate of the workspace with the values that it has from there, or without them.
fn manifest_of(root: &Path, folder: &str) -> String {
    let path = root.join(folder).join("Cargo.toml");
    println!("cargo::rerun-if-changed={}", path.display());
    let text = std::fs::read_to_string(path).expect("the manifest is part of the sources");
    let mut out = String::new();
    for part in text.split("\n\n").filter(|part| !part.starts_with("[lints]") && !part.starts_with("[[example]]")) {
        for line in part.lines() {
            match line.strip_suffix(".workspace = true") {
                Some("version") => writeln!(out, "version = {:?}", env!("CARGO_PKG_VERSION")).unwrap(),
                // a copy of a crate is never published
                Some("edition") => writeln!(out, "edition = \"2021\"\npublish = false").unwrap(),
                Some(_) => {}
                None => writeln!(out, "{line}").unwrap(),
            }
        }
        out.push('\n');
    }
    out
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // asked at run time: worktrees may share a target folder, and with it this program
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets the folder");
    let root = Path::new(&folder).join("../..");
    let mut list = String::from("&[\n");
    let manifest =
        std::fs::read_to_string(root.join("guest/rust/Cargo.toml")).expect("the manifest is part of the sources");
    println!("cargo::rerun-if-changed={}", root.join("guest/rust/Cargo.toml").display());
    // the app has a workspace of its own
    let manifest = manifest.replace("[workspace]\n\n", "");
    writeln!(list, "    (\"guest/rust/Cargo.toml\", {manifest:?}),").unwrap();
    for folder in ["rust/abi", "rust/contract"] {
        let (name, text) = (format!("{folder}/Cargo.toml"), manifest_of(&root, folder));
        writeln!(list, "    ({name:?}, {text:?}),").unwrap();
        add(&mut list, &root, &format!("{folder}/src"));
    }
    let build = std::fs::read_to_string(root.join("guest/rust/build.rs")).expect("the script is part of the sources");
    println!("cargo::rerun-if-changed={}", root.join("guest/rust/build.rs").display());
    writeln!(list, "    (\"guest/rust/build.rs\", {build:?}),").unwrap();
    add(&mut list, &root, "guest/rust/src");
    list.push_str("]\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(out.join("crates.rs"), list).expect("OUT_DIR is writable");
}

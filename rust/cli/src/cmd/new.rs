// SPDX-License-Identifier: Apache-2.0
//! `wisp new`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use wisp_abi::render;

use crate::failure::Failure;
use crate::{input, output};

/// Begin an app
///
/// Makes a directory with an app that blinks, a board for `wisp run`, and what its language's own tools need to
/// build it; README.md there says how.
#[derive(Args)]
pub struct Arguments {
    /// The app's name, and its directory's
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// What it is written in
    #[arg(long, value_name = "LANGUAGE")]
    lang: Language,
    /// The directory `guest` of Wisp's sources, where a Rust app finds its crate [default: where this program was
    /// built]
    #[arg(long, value_name = "DIRECTORY")]
    sdk: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Rust,
    C,
    Assemblyscript,
}

/// A name that is one everywhere: in cargo, npm, a devicetree node and the image.
fn name(text: &str) -> Result<String, String> {
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    let plain = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if starts && plain && text.len() <= 31 {
        Ok(text.into())
    } else {
        Err("expected a lower-case letter, then letters, digits and _, at most 31 in all".into())
    }
}

const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guest");

/// A file of the new directory.
type File = (&'static str, String);

macro_rules! guest {
    ($path:literal) => {
        include_str!(concat!("../../../../guest/", $path)).to_string()
    };
}

fn rust(sdk: &Path) -> Result<Vec<File>, Failure> {
    let krate = sdk.join("rust");
    let krate = krate.canonicalize().map_err(|error| {
        Failure::in_file(&krate, format_args!("{error}: give --sdk the directory `guest` of Wisp's sources"))
    })?;
    let manifest = guest!("templates/rust/Cargo.toml.in").replace("@SDK@", &krate.display().to_string());
    let config = format!("{}\n[build]\ntarget = \"wasm32-unknown-unknown\"\n", guest!("rust/wasm.toml"));
    Ok(vec![
        ("Cargo.toml", manifest),
        ("src/main.rs", guest!("templates/rust/main.rs")),
        (".cargo/config.toml", config),
        (".gitignore", "/target\n".into()),
        ("README.md", guest!("templates/rust/README.md")),
    ])
}

fn c() -> Vec<File> {
    let mut header = String::new();
    // A String takes any text.
    let _ = render::c_header(&mut header);
    vec![
        ("app.c", guest!("templates/c/app.c")),
        ("Makefile", guest!("templates/c/Makefile")),
        ("compile.flags", guest!("c/compile.flags")),
        ("link.flags", guest!("c/link.flags")),
        ("include/wisp.h", header),
        ("include/stdio.h", guest!("c/include/stdio.h")),
        ("include/string.h", guest!("c/include/string.h")),
        ("lib/start.c", guest!("c/src/start.c")),
        ("lib/stdio.c", guest!("c/src/stdio.c")),
        ("lib/string.c", guest!("c/src/string.c")),
        (".gitignore", "*.wasm\n*.wisp\n".into()),
        ("README.md", guest!("templates/c/README.md")),
    ]
}

fn assemblyscript() -> Vec<File> {
    let mut bindings = String::new();
    // As above.
    let _ = render::assemblyscript(&mut bindings);
    vec![
        ("package.json", guest!("templates/assemblyscript/package.json")),
        ("asconfig.json", guest!("templates/assemblyscript/asconfig.json")),
        ("assembly/index.ts", guest!("templates/assemblyscript/index.ts")),
        ("assembly/wisp.ts", bindings),
        (".gitignore", "/node_modules\n*.wasm\n*.wisp\n".into()),
        ("README.md", guest!("templates/assemblyscript/README.md")),
    ]
}

/// Makes the directory.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let directory = Path::new(&arguments.name);
    if directory.exists() {
        return Err(Failure::in_file(directory, "is there already; choose another name or remove it"));
    }
    let mut files = match arguments.lang {
        Language::Rust => rust(arguments.sdk.as_deref().unwrap_or(Path::new(SDK)))?,
        Language::C => c(),
        Language::Assemblyscript => assemblyscript(),
    };
    files.push(("board.toml", guest!("templates/board.toml")));
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    for (name, text) in files {
        let path = directory.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| Failure::in_file(parent, error))?;
        }
        input::write(&path, text.replace("@NAME@", &arguments.name).as_bytes())?;
    }
    output::report(&serde_json::json!({ "directory": arguments.name, "files": names }), |_| {
        format!("{0}: an app; {0}/README.md says how to build and run it", arguments.name)
    });
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_good_for_every_tool() {
        for good in ["a", "sensor_logger", "app2"] {
            assert!(name(good).is_ok(), "{good}");
        }
        for bad in ["", "2app", "_app", "App", "my-app", "a b", "../a", &"a".repeat(32)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_of_a_template_is_left_unfilled() {
        let all = [rust(Path::new(SDK)).unwrap(), c(), assemblyscript()].concat();
        for (file, text) in all {
            let text = text.replace("@NAME@", "app");
            assert!(!text.contains("@SDK@") && !text.contains("@NAME@") && !text.is_empty(), "{file}");
        }
    }
}

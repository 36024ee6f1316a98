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
/// Makes a directory with an app that blinks, a board for `wisp run`, and what its language's own tools need to build
/// it. README.md there says how.
#[derive(Args)]
pub struct Arguments {
    /// The app's name, and its directory's
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// Language of the app
    #[arg(long, value_name = "rust|c|cpp|assemblyscript|zig", ignore_case = true, hide_possible_values = true)]
    lang: Language,
    /// For Rust: an app with std, for the target wasm32-wasip1
    #[arg(long)]
    std: bool,
    /// For Rust: a component with std, for the target wasm32-wasip2
    #[arg(long, conflicts_with_all = ["std", "sdk"])]
    component: bool,
    /// For Rust: the directory `guest` of Wisp's sources, whose crate the app uses in place [default: a copy in the app]
    #[arg(long, value_name = "DIRECTORY")]
    sdk: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    Rust,
    C,
    #[value(alias = "c++")]
    Cpp,
    Assemblyscript,
    Zig,
}

/// Returns a name that is one everywhere: in cargo, npm, a devicetree node and the image.
fn name(text: &str) -> Result<String, String> {
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    let plain = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if starts && plain && text.len() <= 31 {
        Ok(text.into())
    } else {
        Err("expected a lower-case letter, then letters, digits and _, at most 31 in all".into())
    }
}

/// A file of the new directory.
type File = (String, String);

macro_rules! guest {
    ($path:literal) => {
        include_str!(concat!("../../../../guest/", $path)).to_string()
    };
}

fn file(name: &str, text: impl Into<String>) -> File {
    (name.into(), text.into())
}

/// The sources of the crates `wisp-guest` and `wisp-abi`: (path in the app, text). The build script lists them.
const CRATES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/crates.rs"));

/// Returns the path of the SDK's crate as the manifest of the app has it: relative to the app.
fn crate_path(sdk: &Path) -> Result<String, Failure> {
    let path = sdk.join("rust");
    if !path.join("Cargo.toml").is_file() {
        return Err(Failure::in_file(
            &path,
            "there is no Cargo.toml: give --sdk the directory `guest` of Wisp's sources, or leave --sdk out",
        ));
    }
    // the app's directory is one below this one
    let path = if path.is_absolute() { path } else { Path::new("..").join(path) };
    Ok(path.display().to_string().replace('\\', "/"))
}

fn rust(std: bool, sdk: Option<&Path>) -> Result<Vec<File>, Failure> {
    let (path, crates) = match sdk {
        Some(sdk) => (crate_path(sdk)?, &[][..]),
        None => ("wisp/guest/rust".into(), CRATES),
    };
    let (features, target, main) = match std {
        true => (", default-features = false", "wasm32-wasip1", guest!("templates/rust-std/main.rs")),
        false => ("", "wasm32-unknown-unknown", guest!("templates/rust/main.rs")),
    };
    let manifest = guest!("templates/rust/Cargo.toml.in").replace("@SDK@", &path).replace("@FEATURES@", features);
    let config = format!("{}\n[build]\ntarget = \"{target}\"\n", guest!("rust/wasm.toml"));
    let readme = if std { guest!("templates/rust-std/README.md") } else { guest!("templates/rust/README.md") };
    let mut files = vec![
        file("Cargo.toml", manifest),
        file("src/main.rs", main),
        file(".cargo/config.toml", config),
        file(".gitignore", "/target\n"),
        file("README.md", readme),
    ];
    files.extend(crates.iter().map(|&(name, text)| file(&format!("wisp/{name}"), text)));
    Ok(files)
}

/// Returns the files of a component: it has bindings of its own, and no crate of the SDK.
fn component() -> Vec<File> {
    let config = format!("{}\n[build]\ntarget = \"wasm32-wasip2\"\n", guest!("rust/wasm.toml"));
    vec![
        file("Cargo.toml", guest!("templates/rust-component/Cargo.toml.in")),
        file("src/main.rs", guest!("templates/rust-component/main.rs")),
        file("wit/world.wit", guest!("templates/rust-component/world.wit")),
        file("wit/deps/gpio/gpio.wit", guest!("../wit/gpio/gpio.wit")),
        file(".cargo/config.toml", config),
        file(".gitignore", "/target\n*.wisp\n*.sym\n"),
        file("README.md", guest!("templates/rust-component/README.md")),
    ]
}

fn c_header() -> File {
    let mut header = String::new();
    // A String takes any text.
    let _ = render::c_header(&mut header);
    file("include/wisp.h", header)
}

fn c(cpp: bool) -> Vec<File> {
    let mut files = vec![
        file("Makefile", guest!("templates/c/Makefile")),
        file("compile.flags", guest!("c/compile.flags")),
        file("cpp.flags", guest!("c/cpp.flags")),
        file("link.flags", if cpp { guest!("c/link.flags") + "-lc++\n-lc++abi\n" } else { guest!("c/link.flags") }),
        c_header(),
        file(".gitignore", "/build\n*.wasm\n*.wisp\n*.sym\n"),
    ];
    files.extend(match cpp {
        true => {
            [file("app.cpp", guest!("templates/cpp/app.cpp")), file("README.md", guest!("templates/cpp/README.md"))]
        }
        false => [file("app.c", guest!("templates/c/app.c")), file("README.md", guest!("templates/c/README.md"))],
    });
    files
}

fn assemblyscript() -> Vec<File> {
    let mut bindings = String::new();
    // As above.
    let _ = render::assemblyscript(&mut bindings);
    vec![
        file("package.json", guest!("templates/assemblyscript/package.json")),
        file("asconfig.json", guest!("templates/assemblyscript/asconfig.json")),
        file("assembly/index.ts", guest!("templates/assemblyscript/index.ts")),
        file("assembly/wisp.ts", bindings),
        file(".gitignore", "/node_modules\n*.wasm\n*.wisp\n*.sym\n"),
        file("README.md", guest!("templates/assemblyscript/README.md")),
    ]
}

fn zig() -> Vec<File> {
    vec![
        file("app.zig", guest!("templates/zig/app.zig")),
        file(".gitignore", "/.zig-cache\n*.wasm\n*.o\n*.wisp\n*.sym\n"),
        file("README.md", guest!("templates/zig/README.md")),
    ]
}

/// Makes the directory.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let directory = Path::new(&arguments.name);
    if directory.exists() {
        return Err(Failure::in_file(directory, "is there already; choose another name or remove it"));
    }
    let for_rust = arguments.std || arguments.component || arguments.sdk.is_some();
    if arguments.lang != Language::Rust && for_rust {
        return Err(Failure::new("--std, --component and --sdk are for --lang rust only; leave them out"));
    }
    let mut files = match arguments.lang {
        Language::Rust if arguments.component => component(),
        Language::Rust => rust(arguments.std, arguments.sdk.as_deref())?,
        Language::C => c(false),
        Language::Cpp => c(true),
        Language::Assemblyscript => assemblyscript(),
        Language::Zig => zig(),
    };
    files.push(file("board.toml", guest!("templates/board.toml")));
    let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    for (name, text) in files {
        let path = directory.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|error| Failure::in_file(parent, format_args!("the folder cannot be made: {error}")))?;
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
        let sdk = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guest"));
        let rust = [rust(false, None).unwrap(), rust(true, None).unwrap(), rust(false, Some(sdk)).unwrap()].concat();
        let all = [rust, component(), c(false), c(true), assemblyscript(), zig()].concat();
        for (file, text) in all {
            let text = text.replace("@NAME@", "app");
            assert!(!text.contains("@SDK@") && !text.contains("@FEATURES@"), "{file}");
            assert!(!text.contains("@NAME@") && !text.is_empty(), "{file}");
        }
    }

    #[test]
    fn an_app_names_no_folder_of_this_machine() {
        let here = env!("CARGO_MANIFEST_DIR").trim_end_matches("/rust/cli");
        for (file, text) in
            [rust(false, None).unwrap(), rust(true, None).unwrap(), component(), c(true), zig()].concat()
        {
            assert!(!text.contains(here), "{file}");
        }
    }

    #[test]
    fn the_copied_crates_are_whole() {
        let wanted = ["guest/rust/Cargo.toml", "guest/rust/build.rs", "guest/rust/src/lib.rs", "rust/abi/src/wasi.rs"];
        for name in wanted.into_iter().chain(["rust/contract/src/errno.rs"]) {
            assert!(CRATES.iter().any(|(path, _)| *path == name), "{name}");
        }
        for name in ["rust/abi/Cargo.toml", "rust/contract/Cargo.toml"] {
            let (_, manifest) = CRATES.iter().find(|(path, _)| *path == name).unwrap();
            assert!(!manifest.contains("workspace"), "{manifest}");
        }
    }
}

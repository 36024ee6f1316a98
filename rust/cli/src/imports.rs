// SPDX-License-Identifier: Apache-2.0
//! What an app imports, against what the host has.

use std::fmt::Write;

use wisp_compiler::printable;
use wisp_engine::{FuncType, HostFunction, Signature, ValType};
use wisp_image::{Image, ImageError, ImportKind, TypeRef};

/// `(i32, i64) -> (i32)`
pub fn type_text(params: &[ValType], results: &[ValType]) -> String {
    let list = |types: &[ValType]| types.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(", ");
    format!("({}) -> ({})", list(params), list(results))
}

/// Writes a type in an image in the form of [`type_text`].
pub fn type_of(ty: TypeRef<'_>) -> String {
    type_text(&ty.params().collect::<Vec<_>>(), &ty.results().collect::<Vec<_>>())
}

fn signature_text(signature: Signature) -> String {
    match signature {
        Signature::Types(ty) => type_text(ty.params, ty.results),
        Signature::Letters(letters) => String::from_utf8_lossy(letters).into_owned(),
    }
}

/// The module of functions that a linker left undefined. AssemblyScript's own few are there, too.
const TOOLCHAIN: &str = "env";

/// Imports with the same fault and the same remedy.
struct Group<'i> {
    module: &'i str,
    names: Vec<&'i str>,
    fault: String,
}

/// Returns advice about an interface that nobody provides.
fn remedy(module: &str) -> &'static str {
    match module {
        "env" => "link what defines them, or build the app for Wisp: these were left undefined",
        "wasi_unstable" => "an older WASI; build the app for wasm32-wasip1",
        "wasi" => "threads are not supported; build the app without them",
        "wbg" => "made by wasm-bindgen, which needs JavaScript; build the app without it",
        _ if module.starts_with("__wbindgen") || module.ends_with(".js") => {
            "made by wasm-bindgen, which needs JavaScript; build the app without it"
        }
        _ if module.starts_with("wasi:") => {
            "a later WASI; give `wisp` the component, or build the app for wasm32-wasip1"
        }
        _ if module.starts_with("wisp:") => {
            "the interface is of another version; build the app with bindings of this one"
        }
        _ => "the app was built for another host; a function of a firmware's own exists on the device only",
    }
}

/// Finds out what is wrong with the imports of an image, in one line for each fault of an interface. Empty if
/// the host has them all.
pub fn problems<T>(image: &Image<'_>, host: &[&[HostFunction<T>]]) -> Result<String, ImageError> {
    let all = || host.iter().copied().flatten();
    let mut modules: Vec<&str> = all().map(|function| function.module).collect();
    modules.dedup();
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut unknown = false;
    for index in 0..image.import_count() {
        let import = image.import(index)?;
        let (module, name) = (import.module.shown(), import.name.shown());
        let fault = if let ImportKind::Function(ty) = import.kind {
            let ty = image.ty(ty)?;
            let (params, results): (Vec<_>, Vec<_>) = (ty.params().collect(), ty.results().collect());
            match all().find(|function| function.module == module && function.name == name) {
                Some(function) if function.signature.matches(FuncType::new(&params, &results)) => continue,
                Some(function) => format!(
                    "the app has it as {}, the host as {}; build the app with bindings of this version",
                    type_text(&params, &results),
                    signature_text(function.signature)
                ),
                None if modules.contains(&module) && module != TOOLCHAIN => {
                    "the interface has no such function; build the app with bindings of this version".into()
                }
                None => {
                    unknown = true;
                    format!("nobody has this interface: {}", remedy(module))
                }
            }
        } else {
            "it is no function, and an app can import functions only; link it without --import-memory, \
             --import-table and shared globals"
                .into()
        };
        match groups.iter_mut().find(|group| group.module == module && group.fault == fault) {
            Some(group) => group.names.push(name),
            None => groups.push(Group { module, names: vec![name], fault }),
        }
    }
    let mut text = String::new();
    for Group { module, names, fault } in groups {
        let names: Vec<String> = names.into_iter().map(printable).collect();
        let _ = write!(text, "\n  import `{}` `{}`: {fault}", printable(module), names.join("`, `"));
    }
    if unknown {
        let _ = write!(text, "\n  the host has {}", modules.join(", "));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wisp_engine::HostFunction;

    #[test]
    fn imports_with_the_same_fault_share_a_line() {
        let wasm = wat::parse_str(
            r#"(module (import "env" "a" (func)) (import "wasi:io/poll" "p" (func)) (import "env" "b" (func))
                       (import "env" "m" (memory 1)))"#,
        )
        .unwrap();
        let image = wisp_compiler::compile(&wasm, &wisp_compiler::Options::default()).unwrap().image;
        let host: [&[HostFunction<()>]; 0] = [];
        let text = problems(&Image::parse(&image).unwrap(), &host).unwrap();
        let lines: Vec<&str> = text.trim_start().lines().map(str::trim).collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[0].starts_with("import `env` `a`, `b`: nobody has this interface: link what defines them"));
        assert!(lines[1].contains("`p`: nobody has this interface: a later WASI"));
        assert!(lines[2].contains("`env` `m`: it is no function"));
        assert!(text.len() < 600, "{}", text.len());
    }
}

// SPDX-License-Identifier: Apache-2.0
//! What an app imports, against what the host has.

use std::fmt::Write;

use wisp_compiler::printable;
use wisp_engine::{FuncType, ValType};
use wisp_host::Table;
use wisp_image::{Image, ImageError, ImportKind, TypeRef};

use crate::stubs::{self, Stub};

/// Returns a type as text, for example `(i32, i64) -> (i32)`.
pub fn type_text(params: &[ValType], results: &[ValType]) -> String {
    let list = |types: &[ValType]| types.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(", ");
    format!("({}) -> ({})", list(params), list(results))
}

/// Writes a type in an image in the form of [`type_text`].
pub fn type_of(ty: TypeRef<'_>) -> String {
    type_text(&ty.params().collect::<Vec<_>>(), &ty.results().collect::<Vec<_>>())
}

/// Writes the letters of a type in the form of [`type_text`].
fn letters_text(letters: &str) -> String {
    // A pointer and a length are numbers of 32 bits, too.
    let types = |letters: &str| -> Vec<_> {
        let types = letters.bytes().map(|letter| ValType::from_letter(letter).unwrap_or(ValType::I32));
        types.collect()
    };
    let (params, results) = letters.trim_start_matches('(').split_once(')').unwrap_or_default();
    type_text(&types(params), &types(results))
}

/// The module of functions that a linker left undefined. AssemblyScript's own few are there, too.
const TOOLCHAIN: &str = "env";

/// Imports with the same fault and the same remedy.
struct Group<'i> {
    module: &'i str,
    names: Vec<&'i str>,
    fault: String,
    /// Lines of a board file that would stub them.
    stubs: Vec<String>,
}

/// Lines that are shown to stub the functions of one interface.
const STUBS_SHOWN: usize = 8;

/// Names that are shown of imports with the same fault.
const NAMES_SHOWN: usize = 12;

/// A fault of one import, in words, and the line of a board file that would mend it.
struct Fault {
    text: String,
    stub: Option<String>,
}

impl Fault {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), stub: None }
    }
}

/// Returns advice about an interface that nobody provides, or `None` if a board may stub it.
fn remedy(module: &str) -> Option<&'static str> {
    Some(match module {
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
        _ => return None,
    })
}

/// The sources of an app's functions: the interfaces of the host, and the board's functions of a firmware.
struct Sources<'s, T: 'static> {
    host: &'s [Table<T>],
    stubs: &'s [Stub<'s>],
}

impl<T> Sources<'_, T> {
    fn modules(&self) -> Vec<&str> {
        let mut modules: Vec<&str> = self.host.iter().map(|table| table.module).collect();
        modules.extend(self.stubs.iter().map(|stub| stub.0));
        modules.dedup();
        modules
    }

    /// Says what is wrong with the import of a function. Returns `None` if nothing is.
    fn fault(&self, module: &str, name: &str, ty: FuncType<'_>) -> Option<Fault> {
        if let Some(stub) = self.stubs.iter().find(|stub| (stub.0, stub.1) == (module, name)) {
            return stubs::misfit(*stub, ty).map(Fault::new);
        }
        let table = self.host.iter().find(|table| table.module == module);
        match table.and_then(|table| table.functions.iter().find(|function| function.name == name)) {
            Some(function) if function.signature().matches(ty) => return None,
            Some(function) => {
                let (app, host) = (type_text(ty.params, ty.results), letters_text(function.letters));
                let text =
                    format!("the app has it as {app}, the host as {host}; build the app with bindings of this version");
                return Some(Fault::new(text));
            }
            None => {}
        }
        if module != TOOLCHAIN && table.is_some() {
            return Some(Fault::new("the interface has no such function; build the app with bindings of this version"));
        }
        let stub = stubs::line(name, ty);
        if self.stubs.iter().any(|stub| stub.0 == module) {
            return Some(Fault { text: "the board has no such function of the firmware; stub it there:".into(), stub });
        }
        Some(match remedy(module) {
            Some(remedy) => Fault::new(format!("{NOBODY}: {remedy}")),
            None if stub.is_none() => Fault::new(format!("{NOBODY}: the app was built for another host")),
            None => {
                let text = format!(
                    "{NOBODY}: the app was built for another host, or for a firmware with functions of its own; the file \
                     for --board can stub those:"
                );
                Fault { text, stub }
            }
        })
    }
}

/// No host and no board has the module.
const NOBODY: &str = "nobody has this interface";

/// Finds out what is wrong with the imports of an image, in one line for each fault of an interface. Empty if
/// the host and the board have them all.
pub fn problems<T: 'static>(image: &Image<'_>, host: &[Table<T>], stubs: &[Stub<'_>]) -> Result<String, ImageError> {
    let sources = Sources { host, stubs };
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut unknown = false;
    for index in 0..image.import_count() {
        let import = image.import(index)?;
        let (module, name) = (import.module.shown(), import.name.shown());
        let fault = if let ImportKind::Function(ty) = import.kind {
            let ty = image.ty(ty)?;
            let (params, results): (Vec<_>, Vec<_>) = (ty.params().collect(), ty.results().collect());
            match sources.fault(module, name, FuncType::new(&params, &results)) {
                None => continue,
                Some(fault) => fault,
            }
        } else {
            Fault::new(
                "it is no function, and an app can import functions only; link it without --import-memory, \
                 --import-table and shared globals",
            )
        };
        unknown |= fault.text.starts_with(NOBODY);
        match groups.iter_mut().find(|group| group.module == module && group.fault == fault.text) {
            Some(group) => {
                group.names.push(name);
                group.stubs.extend(fault.stub);
            }
            None => {
                groups.push(Group { module, names: vec![name], fault: fault.text, stubs: Vec::from_iter(fault.stub) })
            }
        }
    }
    let mut text = String::new();
    for Group { module, names, fault, stubs: lines } in groups {
        let shown: Vec<String> = names.iter().copied().take(NAMES_SHOWN).map(printable).collect();
        let _ = write!(text, "\n  import `{}` `{}`", printable(module), shown.join("`, `"));
        if names.len() > NAMES_SHOWN {
            let _ = write!(text, " and {} more", names.len() - NAMES_SHOWN);
        }
        let _ = write!(text, ": {fault}");
        if !lines.is_empty() {
            let _ = write!(text, "\n    {}", stubs::table(module));
        }
        lines.iter().take(STUBS_SHOWN).for_each(|line| text.push_str(&format!("\n    {line}")));
        if lines.len() > STUBS_SHOWN {
            let _ = write!(text, "\n    # and {} more", lines.len() - STUBS_SHOWN);
        }
    }
    if unknown {
        let _ = write!(text, "\n  the host has {}", sources.modules().join(", "));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_with_the_same_fault_share_a_line() {
        let wasm = wat::parse_str(
            r#"(module (import "env" "a" (func)) (import "wasi:io/poll" "p" (func)) (import "env" "b" (func))
                       (import "env" "m" (memory 1)))"#,
        )
        .unwrap();
        let image = wisp_compiler::compile(&wasm, &wisp_compiler::Options::default()).unwrap().image;
        let host: [Table<()>; 0] = [];
        let text = problems(&Image::parse(&image).unwrap(), &host, &[]).unwrap();
        let lines: Vec<&str> = text.trim_start().lines().map(str::trim).collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[0].starts_with("import `env` `a`, `b`: nobody has this interface: link what defines them"));
        assert!(lines[1].contains("`p`: nobody has this interface: a later WASI"));
        assert!(lines[2].contains("`env` `m`: it is no function"));
        assert!(text.len() < 600, "{}", text.len());
    }

    #[test]
    fn of_many_imports_with_one_fault_some_are_named_and_the_others_counted() {
        let imports: String = (0..300).map(|n| format!(r#"(import "env" "n{n}" (func))"#)).collect();
        let wasm = wat::parse_str(format!("(module {imports})")).unwrap();
        let image = wisp_compiler::compile(&wasm, &wisp_compiler::Options::default()).unwrap().image;
        let host: [Table<()>; 0] = [];
        let text = problems(&Image::parse(&image).unwrap(), &host, &[]).unwrap();
        assert!(text.contains("`n0`, `n1`, ") && text.contains("`n11` and 288 more: nobody has"), "{text}");
        assert!(text.len() < 400, "{}", text.len());
    }
}

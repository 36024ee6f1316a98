// SPDX-License-Identifier: Apache-2.0
//! What an app imports, against what the host has.

use std::fmt::Write;

use wisp_engine::{FuncType, HostFunction, Signature, ValType};
use wisp_image::{Image, ImageError, ImportKind, TypeRef};

/// `(i32, i64) -> (i32)`
pub fn type_text(params: &[ValType], results: &[ValType]) -> String {
    let list = |types: &[ValType]| types.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(", ");
    format!("({}) -> ({})", list(params), list(results))
}

/// As [`type_text`], of a type in an image.
pub fn type_of(ty: TypeRef<'_>) -> String {
    type_text(&ty.params().collect::<Vec<_>>(), &ty.results().collect::<Vec<_>>())
}

fn signature_text(signature: Signature) -> String {
    match signature {
        Signature::Types(ty) => type_text(ty.params, ty.results),
        Signature::Letters(letters) => String::from_utf8_lossy(letters).into_owned(),
    }
}

/// Finds out what is wrong with the imports of an image. Empty if the host has them all.
pub fn problems<T>(image: &Image<'_>, host: &[&[HostFunction<T>]]) -> Result<String, ImageError> {
    let all = || host.iter().copied().flatten();
    let mut modules: Vec<&str> = all().map(|function| function.module).collect();
    modules.dedup();
    let mut text = String::new();
    for index in 0..image.import_count() {
        let import = image.import(index)?;
        let (module, name) = (import.module.shown(), import.name.shown());
        let ImportKind::Function(ty) = import.kind else {
            let _ = write!(
                text,
                "\n  import `{module}` `{name}`: it is no function, and an app can import functions only; link it \
                 without --import-memory, --import-table and shared globals"
            );
            continue;
        };
        let ty = image.ty(ty)?;
        let (params, results): (Vec<_>, Vec<_>) = (ty.params().collect(), ty.results().collect());
        match all().find(|function| function.module == module && function.name == name) {
            Some(function) if function.signature.matches(FuncType::new(&params, &results)) => {}
            Some(function) => {
                let _ = write!(
                    text,
                    "\n  import `{module}` `{name}`: the app has it as {}, the host as {}; build the app with bindings of \
                     this version",
                    type_text(&params, &results),
                    signature_text(function.signature)
                );
            }
            None if modules.contains(&module) => {
                let names = all().filter(|function| function.module == module).map(|function| function.name);
                let _ = write!(
                    text,
                    "\n  import `{module}` `{name}`: the interface has no such function; it has {}",
                    names.collect::<Vec<_>>().join(", ")
                );
            }
            None => {
                let _ = write!(
                    text,
                    "\n  import `{module}` `{name}`: nobody has this interface; the host has {}",
                    modules.join(", ")
                );
            }
        }
    }
    Ok(text)
}

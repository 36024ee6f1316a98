// SPDX-License-Identifier: Apache-2.0
//! Functions of a firmware's own, which a board file stubs: what an app has to find there.

use wisp_compiler::printable;
use wisp_engine::FuncType;

use crate::imports::type_text;

/// A function that the board has: module, name and type.
pub type Stub<'s> = (&'s str, &'s str, FuncType<'s>);

/// Returns the line of a board file that stubs a function, or `None` if its type has references, which cannot be
/// written there.
pub fn line(name: &str, ty: FuncType<'_>) -> Option<String> {
    let signature = ty.letters()?;
    let returns = match ty.results.len() {
        0 => String::new(),
        1 => ", returns = 0".into(),
        count => format!(", returns = [{}]", vec!["0"; count].join(", ")),
    };
    Some(format!("{} = {{ signature = \"{signature}\"{returns} }}", key(name)))
}

/// Returns the table of a board file with the functions of a module.
pub fn table(module: &str) -> String {
    format!("[functions.{}]", key(module))
}

/// Returns a key of a board file, in quotes where it needs them.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) {
        name.into()
    } else {
        let escaped = name.chars().map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if printable(c.encode_utf8(&mut [0; 4])).starts_with('\\') => format!("\\U{:08X}", u32::from(c)),
            c => c.into(),
        });
        format!("\"{}\"", escaped.collect::<String>())
    }
}

/// Says why an app with this import is not linked to a function of the board. Returns `None` if it is.
pub fn misfit(stub: Stub<'_>, ty: FuncType<'_>) -> Option<String> {
    let (module, name, own) = stub;
    if own == ty {
        return None;
    }
    let types = |ty: FuncType<'_>| type_text(ty.params, ty.results);
    let what = format!("the app has it as {}, the board as {}", types(ty), types(own));
    Some(match line(name, ty) {
        Some(line) => format!("{what}; build the app for this firmware, or write in {}: {line}", table(module)),
        None => format!("{what}; build the app for this firmware"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wisp_engine::ValType;

    #[test]
    fn a_line_has_the_type_and_zeros() {
        use ValType::{ExternRef, F32, F64, I32, I64};
        let line = |name, params, results| line(name, FuncType::new(params, results));
        assert_eq!(line("set", &[I32, I64], &[]).unwrap(), r#"set = { signature = "(iI)" }"#);
        assert_eq!(line("a b", &[], &[F64]).unwrap(), r#""a b" = { signature = "()F", returns = 0 }"#);
        assert_eq!(line("two", &[F32], &[I32, F32]).unwrap(), r#"two = { signature = "(f)if", returns = [0, 0] }"#);
        assert_eq!(line("object", &[ExternRef], &[]), None);
        assert_eq!(
            (table("env"), table("acme:lamp@1")),
            ("[functions.env]".into(), "[functions.\"acme:lamp@1\"]".into())
        );
        assert_eq!(table("a\"\n"), r#"[functions."a\"\U0000000A"]"#);
        assert_eq!(table("a\\b"), r#"[functions."a\\b"]"#);
    }
}

// SPDX-License-Identifier: Apache-2.0
//! The name section.

use alloc::string::String;
use alloc::vec::Vec;

use wasmparser::{KnownCustom, Name, Parser, Payload};

/// Returns indices and names of the functions that have one. There are none without a readable name section.
pub fn function_names(wasm: &[u8]) -> Vec<(u32, &str)> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
        let Payload::CustomSection(section) = payload else { continue };
        let KnownCustom::Name(reader) = section.as_known() else { continue };
        for name in reader.into_iter().map_while(Result::ok) {
            if let Name::Function(map) = name {
                names.extend(map.into_iter().map_while(Result::ok).map(|naming| (naming.index, naming.name)));
            }
        }
    }
    names
}

/// Returns a name out of a module in a form that can be shown. What steers a terminal, begins a line or changes the
/// direction of the text is written as an escape.
pub fn printable(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        let steers =
            c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match steers {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn what_steers_a_terminal_becomes_an_escape() {
        assert_eq!(printable("a b`\"é\\"), "a b`\"é\\");
        assert_eq!(printable("a\nb\x1b[31m\0"), "a\\nb\\u{1b}[31m\\u{0}");
        assert_eq!(printable("a\u{202e}b"), "a\\u{202e}b");
    }
}

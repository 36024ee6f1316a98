// SPDX-License-Identifier: Apache-2.0
//! The name section.

use alloc::vec::Vec;

use wasmparser::{KnownCustom, Name, Parser, Payload};

/// Indices and names of the functions that have one; empty if there is no readable name section.
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

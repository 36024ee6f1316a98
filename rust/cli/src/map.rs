// SPDX-License-Identifier: Apache-2.0
//! The side file that tells names and wasm offsets for places in the code of an image. It is text, a record
//! a line:
//!
//! ```text
//! wisp-map 1
//! wasm SHA-256 of the module, in hexadecimal digits
//! import NUMBER of imported functions
//! name INDEX NAME
//! at CODE-OFFSET WASM-OFFSET
//! ```

use std::fmt::Write;
use std::path::Path;

use wisp_compiler::Compiled;
use wisp_image::format::external;
use wisp_image::Image;

use crate::failure::Failure;

const FIRST_LINE: &str = "wisp-map 1";

/// Names and offsets.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Map {
    /// SHA-256 of the wasm module, in hexadecimal digits.
    wasm: String,
    imported: u32,
    /// (function index, imports included; name), ascending.
    names: Vec<(u32, String)>,
    /// (code offset, wasm offset), ascending.
    offsets: Vec<(u32, u32)>,
}

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Map {
    /// The map of a module that was just compiled.
    pub fn of(wasm: &[u8], compiled: &Compiled, image: &Image<'_>) -> Self {
        let mut names: Vec<_> =
            wisp_compiler::function_names(wasm).into_iter().map(|(index, name)| (index, name.to_string())).collect();
        names.sort();
        Self {
            wasm: image.manifest().map(|manifest| hex(manifest.wasm_hash)).unwrap_or_default(),
            imported: image.imports_of(external::FUNCTION) as u32,
            names,
            offsets: compiled.source_map.clone(),
        }
    }

    /// As text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{FIRST_LINE}\nwasm {}\nimport {}\n", self.wasm, self.imported);
        for (index, name) in &self.names {
            // a name may hold anything, a record ends at the line's end
            let _ = writeln!(text, "name {index} {}", name.escape_debug());
        }
        for (code, wasm) in &self.offsets {
            let _ = writeln!(text, "at {code:#x} {wasm:#x}");
        }
        text
    }

    /// Reads the text; the error names the line.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let mut map = Self::default();
        let mut lines = text.lines().enumerate();
        let first = lines.next().map_or("", |line| line.1);
        if first != FIRST_LINE {
            return Err(format!("line 1: found `{first}`, expected `{FIRST_LINE}`; make it with `wisp build --map`"));
        }
        for (index, line) in lines {
            let fail = || format!("line {}: `{line}` is no record of a map", index + 1);
            let (tag, rest) = line.split_once(' ').ok_or_else(fail)?;
            match tag {
                "wasm" => map.wasm = rest.into(),
                "import" => map.imported = rest.parse().map_err(|_| fail())?,
                "name" => {
                    let (index, name) = rest.split_once(' ').ok_or_else(fail)?;
                    map.names.push((index.parse().map_err(|_| fail())?, name.into()));
                }
                "at" => {
                    let (code, wasm) = rest.split_once(' ').ok_or_else(fail)?;
                    let number = |digits: &str| u32::from_str_radix(digits.strip_prefix("0x")?, 16).ok();
                    map.offsets.push((number(code).ok_or_else(fail)?, number(wasm).ok_or_else(fail)?));
                }
                _ => return Err(fail()),
            }
        }
        map.names.sort();
        map.offsets.sort_unstable();
        Ok(map)
    }

    /// Reads a map for this image.
    pub fn read(path: &Path, image: &Image<'_>) -> Result<Self, Failure> {
        let bytes = crate::input::read(path)?;
        let map = std::str::from_utf8(&bytes).map_err(|_| "not a map: it is no text".to_string());
        let map = map.and_then(Self::from_text).map_err(|error| Failure::in_file(path, error))?;
        let found = image.manifest().map(|manifest| hex(manifest.wasm_hash)).unwrap_or_default();
        if map.wasm != found {
            return Err(Failure::in_file(
                path,
                "the map belongs to another build: it was made from another wasm module than the image; build both \
                 together with `wisp build --map`",
            ));
        }
        Ok(map)
    }

    /// Name of a defined function.
    pub fn name(&self, defined: u32) -> Option<&str> {
        let index = self.imported.checked_add(defined)?;
        let at = self.names.binary_search_by_key(&index, |name| name.0).ok()?;
        self.names.get(at).map(|name| name.1.as_str())
    }

    /// Offset in the wasm module of the instruction behind a code offset.
    pub fn wasm_offset(&self, code: u32) -> Option<u32> {
        let behind = self.offsets.partition_point(|offset| offset.0 <= code);
        self.offsets.get(behind.checked_sub(1)?).map(|offset| offset.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Map {
        Map {
            wasm: "00ff".into(),
            imported: 1,
            names: vec![(1, "main".into()), (2, "a b".into())],
            offsets: vec![(0, 0x40), (10, 0x44)],
        }
    }

    #[test]
    fn text_brings_everything_back() {
        assert_eq!(Map::from_text(&map().to_text()), Ok(map()));
    }

    #[test]
    fn names_count_defined_functions() {
        assert_eq!((map().name(0), map().name(1), map().name(2)), (Some("main"), Some("a b"), None));
    }

    #[test]
    fn an_offset_within_an_op_is_that_of_its_instruction() {
        assert_eq!(
            [0, 9, 10, 99].map(|code| map().wasm_offset(code)),
            [Some(0x40), Some(0x40), Some(0x44), Some(0x44)]
        );
        assert_eq!(Map::default().wasm_offset(0), None);
    }

    #[test]
    fn what_is_no_map_is_refused_with_its_line() {
        assert!(Map::from_text("").unwrap_err().contains("line 1"));
        let error = Map::from_text("wisp-map 1\nat 5 6\n").unwrap_err();
        assert!(error.contains("line 2") && error.contains("at 5 6"), "{error}");
    }
}

// SPDX-License-Identifier: Apache-2.0
//! The side file. It is text, a record a line:
//!
//! ```text
//! wisp-symbols 1
//! wasm SHA-256 of the module, in hexadecimal digits
//! code BYTES of the image's code section
//! import NUMBER of imported functions
//! world-import NAME
//! world-export NAME
//! name INDEX NAME
//! file NAME
//! function NAME
//! at CODE-OFFSET WASM-OFFSET [FUNCTION,FILE,LINE,COLUMN]...
//! host WASM-OFFSET NAME
//! ```
//!
//! The records `world-*` are the names in WIT of the component that the module was lowered from, if it was.
//!
//! A record `host` is a call of an imported function.
//!
//! `file` and `function` records are numbered from 0. The calls of a place come innermost first; `-` stands for
//! a function or a file that is not known. A place holds up to the next.

use std::fmt::Write;

use wisp_compiler::printable;

use super::{Call, Place, Symbols};

const FIRST_LINE: &str = "wisp-symbols 1";

impl Symbols {
    /// Returns the symbols as text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{FIRST_LINE}\nwasm {}\ncode {}\nimport {}\n", self.wasm, self.code, self.imported);
        for name in &self.world.imports {
            let _ = writeln!(text, "world-import {}", printable(name));
        }
        for name in &self.world.exports {
            let _ = writeln!(text, "world-export {}", printable(name));
        }
        // a name may hold anything, a record ends at the line's end
        for (index, name) in &self.names {
            let _ = writeln!(text, "name {index} {}", printable(name));
        }
        for file in &self.files {
            let _ = writeln!(text, "file {}", printable(file));
        }
        for function in &self.functions {
            let _ = writeln!(text, "function {}", printable(function));
        }
        let number = |number: Option<u32>| number.map_or_else(|| "-".into(), |number| number.to_string());
        for place in &self.places {
            let _ = write!(text, "at {:#x} {:#x}", place.code, place.wasm);
            for Call { function, file, line, column } in &place.calls {
                let _ = write!(text, " {},{},{line},{column}", number(*function), number(*file));
            }
            text.push('\n');
        }
        for (offset, name) in &self.hosts {
            let _ = writeln!(text, "host {offset:#x} {}", printable(name));
        }
        text
    }

    /// Reads the text. The error names the line.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let mut symbols = Self::default();
        let mut lines = text.lines().enumerate();
        let first = lines.next().map_or("", |line| line.1);
        if first != FIRST_LINE {
            let shown: String = first.chars().take(40).collect();
            let newer = if first.starts_with("wisp-symbols ") { " (made by another version of wisp)" } else { "" };
            return Err(format!(
                "line 1: found `{}`, expected `{FIRST_LINE}`{newer}; give the file ending in .sym that `wisp build` \
                 wrote beside the image",
                shown.escape_debug()
            ));
        }
        for (index, line) in lines {
            symbols.record(line).ok_or_else(|| {
                let shown: String = line.chars().take(80).collect();
                format!(
                    "line {}: `{}` is no record of a symbols file that this wisp knows; build the image again, or take the wisp \
                     that wrote the file",
                    index + 1,
                    shown.escape_debug()
                )
            })?;
        }
        symbols.names.sort();
        symbols.places.sort_by_key(|place| place.code);
        symbols.hosts.sort();
        Ok(symbols)
    }

    fn record(&mut self, line: &str) -> Option<()> {
        let (tag, rest) = line.split_once(' ')?;
        match tag {
            "wasm" => self.wasm = rest.into(),
            "code" => self.code = rest.parse().ok()?,
            "import" => self.imported = rest.parse().ok()?,
            "name" => {
                let (index, name) = rest.split_once(' ')?;
                self.names.push((index.parse().ok()?, name.into()));
            }
            "host" => {
                let (offset, name) = rest.split_once(' ')?;
                self.hosts.push((u32::from_str_radix(offset.strip_prefix("0x")?, 16).ok()?, name.into()));
            }
            "world-import" => self.world.imports.push(rest.into()),
            "world-export" => self.world.exports.push(rest.into()),
            "file" => self.files.push(rest.into()),
            "function" => self.functions.push(rest.into()),
            "at" => {
                let mut words = rest.split(' ');
                let mut number = || u32::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
                let (code, wasm) = (number()?, number()?);
                let calls = words.map(call).collect::<Option<_>>()?;
                self.places.push(Place { code, wasm, calls });
            }
            _ => return None,
        }
        Some(())
    }
}

fn call(text: &str) -> Option<Call> {
    let mut parts = text.split(',');
    let mut index = || match parts.next()? {
        "-" => Some(None),
        digits => digits.parse().ok().map(Some),
    };
    let (function, file) = (index()?, index()?);
    let (line, column) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(Call { function, file, line, column })
}

#[cfg(test)]
mod tests {
    use super::super::tests::symbols;
    use super::*;

    #[test]
    fn text_brings_everything_back() {
        let mut symbols = symbols();
        symbols.places[1].calls[0].function = None;
        symbols.world.imports = vec!["wasi:gpio/digital@0.2.0".into(), "a b".into()];
        symbols.world.exports = vec!["wasi:cli/run@0.2.6".into()];
        assert_eq!(Symbols::from_text(&symbols.to_text()), Ok(symbols));
    }

    #[test]
    fn what_is_no_symbols_file_is_refused_with_its_line() {
        let error = Symbols::from_text("wisp-symbols 2\n").unwrap_err();
        assert!(error.contains("line 1: found `wisp-symbols 2`") && error.contains("another version"), "{error}");
        for line in ["at 5 6", "at 0x5", "at 0x5 0x6 1,2,3", "at 0x5 0x6 1,2,3,4,5", "name x", "shame 1", ""] {
            let error = Symbols::from_text(&format!("wisp-symbols 1\n{line}\n")).unwrap_err();
            assert!(error.starts_with(&format!("line 2: `{line}`")), "{error}");
        }
    }
}

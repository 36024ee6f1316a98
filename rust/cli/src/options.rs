// SPDX-License-Identifier: Apache-2.0
//! Options of the compiler, wherever a module is compiled.

use std::path::Path;

use clap::Args;
use wisp_compiler::Options;
use wisp_image::format::NAME_MAX;

/// Options of the translation from a wasm module to an image.
#[derive(Args)]
pub struct CompileArguments {
    /// Bytes of heap above the module's data that a trimmed memory keeps. For each part of a composed component
    #[arg(long, value_name = "BYTES", default_value_t = 0, value_parser = number::<u32>)]
    pub heap: u32,
    /// Back all memory that the module declares, not only what it needs
    #[arg(long)]
    no_trim: bool,
    /// Refuse a module that begins with more bytes of linear memory
    #[arg(long, value_name = "BYTES", value_parser = number::<u64>)]
    memory_limit: Option<u64>,
}

impl CompileArguments {
    /// Returns these options in the form that the compiler takes.
    pub fn options<'a>(&self, name: &'a str, version: (u8, u8, u16)) -> Options<'a> {
        Options {
            name,
            version,
            trim: !self.no_trim,
            heap: self.heap,
            memory_limit: self.memory_limit,
            ..Options::default()
        }
    }
}

impl CompileArguments {
    /// Returns the first option that was given, which concerns the compilation of a module only.
    pub fn given(&self) -> Option<&'static str> {
        let options =
            [(self.heap > 0, "--heap"), (self.no_trim, "--no-trim"), (self.memory_limit.is_some(), "--memory-limit")];
        options.iter().find(|(given, _)| *given).map(|&(_, option)| option)
    }
}

/// Reads a number of the command line.
///
/// # Errors
/// The text is no number, or the number does not fit: the message has the range.
pub fn number<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let largest = u64::MAX >> (64 - 8 * size_of::<T>());
    let value = text.parse::<u64>().ok().and_then(|value| T::try_from(value).ok());
    value.ok_or_else(|| format!("expected a whole number from 0 to {largest}, in digits and without a unit"))
}

/// Returns a name for an app that was given none: as much of its file's as a name may have. True if that is all.
pub fn app_name(path: &Path) -> (String, bool) {
    let stem = path.file_stem().map_or_else(|| "app".into(), |stem| stem.to_string_lossy());
    let mut name: String = stem.chars().map(|c| if c.is_control() { '_' } else { c }).collect();
    let whole = name.len() <= NAME_MAX;
    while name.len() > NAME_MAX {
        name.pop();
    }
    (name, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_digits_only_and_fits() {
        assert_eq!((number::<u32>("0"), number::<u32>("4294967295")), (Ok(0), Ok(u32::MAX)));
        assert_eq!(number::<u64>("18446744073709551615"), Ok(u64::MAX));
        for wrong in ["", "-1", "4294967296", "16k", "0x10", "1e3", "4 096", "x"] {
            let expected = "expected a whole number from 0 to 4294967295, in digits and without a unit";
            assert_eq!(number::<u32>(wrong), Err(expected.into()), "{wrong}");
        }
        assert!(number::<u64>("18446744073709551616").unwrap_err().contains("0 to 18446744073709551615,"));
    }

    #[test]
    fn a_files_name_becomes_an_apps() {
        let named = |file: &str| app_name(Path::new(file));
        assert_eq!(named("folder/lamp.wasm"), ("lamp".into(), true));
        assert_eq!(named("a b ä.wasm"), ("a b ä".into(), true));
        assert_eq!(named("a\nb.wasm"), ("a_b".into(), true));
        assert_eq!(named(&"x".repeat(31)), ("x".repeat(31), true));
        assert_eq!(named(&"x".repeat(32)), ("x".repeat(31), false));
        // no part of a character is left
        assert_eq!(named(&"ä".repeat(16)), ("ä".repeat(15), false));
        assert_eq!(named(".."), ("app".into(), true));
    }
}

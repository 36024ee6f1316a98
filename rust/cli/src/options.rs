// SPDX-License-Identifier: Apache-2.0
//! Options of the compiler, wherever a module is compiled.

use std::path::Path;

use clap::Args;
use wisp_compiler::Options;
use wisp_image::format::NAME_MAX;

/// Options of the translation from a wasm module to an image.
#[derive(Args)]
pub struct CompileArguments {
    /// Bytes of heap above the module's data that a trimmed memory keeps
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    heap: u32,
    /// Back all memory that the module declares, not only what it needs
    #[arg(long)]
    no_trim: bool,
    /// Refuse a module that begins with more bytes of linear memory
    #[arg(long, value_name = "BYTES")]
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

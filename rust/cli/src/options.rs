// SPDX-License-Identifier: Apache-2.0
//! Options of the compiler, wherever a module is compiled.

use std::path::Path;

use clap::Args;
use wisp_compiler::Options;

/// How a wasm module becomes an image.
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
    /// As the compiler takes them.
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

/// The name of an app that has none: that of its file.
pub fn default_name(path: &Path) -> String {
    path.file_stem().map_or_else(|| "app".into(), |stem| stem.to_string_lossy().into_owned())
}

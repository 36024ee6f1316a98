// SPDX-License-Identifier: Apache-2.0
//! Compiles a WebAssembly module to a Wisp image.
//!
//! Principles
//! 1. One pass over the code, validated operator by operator by `wasmparser`: what the validator has not
//!    accepted is never translated.
//! 2. The result is deterministic: the same module and options give the same bytes.
//! 3. Work is moved from the device to here: sizes, offsets, distinct types and canonical slots are decided
//!    once; what is left to the engine is to copy data and run.
//!
//! Not here: machine code (see `aotc`), files, the name section's text (it stays outside the image).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod assemble;
mod control;
mod data;
mod debug;
mod encode;
mod error;
mod function;
mod fuse;
mod heap;
mod init;
mod inst;
mod layout;
mod memory;
mod module;
mod names;
mod ops;
mod parse;
mod peephole;
mod prescan;
mod stack;
mod tables;

use alloc::vec::Vec;

pub use debug::{DebugFunction, DebugMap};
pub use error::{CompileError, ErrorKind, MemoryNeed};
pub use heap::adapt;
pub use module::{val_type, FuncType, GlobalInfo, MemoryInfo, Module, TableInfo};
pub use names::{function_names, printable};
pub use parse::read;

/// Limits of the modules that are accepted, and choices for the layout of the image.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Name of the app, at most 31 bytes of UTF-8. Longer ones are cut at a character.
    pub name: &'a str,
    /// Major, minor, patch.
    pub version: (u8, u8, u16),
    /// Rollback counter.
    pub rollback: u32,
    /// Back only the bytes below the heap base and `heap` more, where the module says where that is
    /// and never asks for the size of its memory. Where an allocator asks in a form that [`adapt`] knows, back as
    /// much as the app is allowed. An exported memory then has a fixed size too: nobody outside grows it.
    pub trim: bool,
    /// Bytes above the heap base that a trimmed memory keeps.
    pub heap: u32,
    /// Refuse modules that ask for more bytes of linear memory at the start.
    pub memory_limit: Option<u64>,
    /// Tail calls.
    pub tail_call: bool,
    /// Arithmetic in constant expressions.
    pub extended_const: bool,
    /// Pages of one byte.
    pub custom_page_sizes: bool,
    /// Compile for a debugger: see [`DebugMap`] for what then holds. The code is about twice as long and slower.
    pub debug: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            name: "app",
            version: (0, 1, 0),
            rollback: 0,
            trim: true,
            heap: 0,
            memory_limit: None,
            tail_call: true,
            extended_const: true,
            custom_page_sizes: true,
            debug: false,
        }
    }
}

/// The result.
pub struct Compiled {
    /// The image, with a trailer that holds its SHA-256.
    pub image: Vec<u8>,
    /// (code offset, offset in the wasm module), ascending: tells where a trap came from. Not in the image.
    pub source_map: Vec<(u32, u32)>,
    /// Map for a debugger, if [`Options::debug`] asked for it.
    pub debug: Option<DebugMap>,
}

/// Compiles a module.
///
/// # Errors
/// The first rule of the specification that the module breaks, or the first limit it exceeds, with offset
/// and function.
pub fn compile(wasm: &[u8], options: &Options<'_>) -> Result<Compiled, CompileError> {
    let adapted = if options.trim { adapt(wasm) } else { None };
    let result = parse::parse(adapted.as_deref().unwrap_or(wasm), options).and_then(|mut parsed| {
        parsed.module.adapted = adapted.is_some();
        assemble::assemble(wasm, parsed, options)
    });
    result.map_err(|mut error| {
        if let Some(function) = error.function {
            error.name = function_names(wasm).into_iter().find(|(index, _)| *index == function).map(|(_, n)| n.into());
        }
        error
    })
}

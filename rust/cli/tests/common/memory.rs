// SPDX-License-Identifier: Apache-2.0
//! Modules that need more linear memory than they may have, by the reason for it.

use super::{Case, Folder};

fn module(folder: &Folder, fields: &str) {
    folder.module("a.wasm", &format!("(module (memory 1) {fields} (func (export \"_start\")))"));
}

/// Each reason.
pub const CASES: &[Case] = &[
    (
        "build a.wasm --memory-limit 1000",
        "a.wasm: the module asks for 65536 bytes of linear memory, 1000 are allowed; export `__heap_base`, so that its \
         memory can be trimmed, and link it with a small stack below the data (`-z stack-size=2048`, `--stack-first`)\n  \
         the module declares 65536 bytes\n",
        |f| module(f, ""),
    ),
    (
        "build a.wasm --memory-limit 1000",
        "a.wasm: the module asks for 4096 bytes of linear memory, 1000 are allowed; link it with a smaller stack (`-z \
         stack-size=2048`) or with fewer static data\n",
        |f| module(f, "(global (export \"__heap_base\") i32 (i32.const 4096))"),
    ),
    (
        "build a.wasm --memory-limit 16384",
        "a.wasm: the module asks for 65536 bytes of linear memory, 16384 are allowed; its allocator takes whole pages with \
         memory.grow, whatever its stack: give it an allocator with a heap of fixed size (doc/wasi.md)\n  the module \
         declares 65536 bytes\n  its allocator takes whole pages with memory.grow, whatever its stack: one with a heap of \
         fixed size avoids that (Rust: the crate talc; doc/wasi.md)",
        |f| {
            // as in every module that clang and rustc link, the end of the data is known and does not help
            module(f, "(global (export \"__heap_base\") i32 (i32.const 4096)) (func (drop (memory.grow (i32.const 1))))");
        },
    ),
    (
        "build a.wasm --memory-limit 16384",
        "a.wasm: the module asks for 65536 bytes of linear memory, 16384 are allowed; its code asks for memory.size in \
         pages, so that all of them must exist, whatever its stack: give it an allocator with a heap of fixed size \
         (doc/wasi.md)\n",
        |f| module(f, "(func (drop (memory.size)))"),
    ),
    (
        "build a.wasm --memory-limit 1000 --no-trim",
        "a.wasm: the module asks for 65536 bytes of linear memory, 1000 are allowed; its memory is not trimmed: define it \
         in the module, and build without --no-trim\n",
        |f| module(f, "(global (export \"__heap_base\") i32 (i32.const 4096))"),
    ),
    (
        "run a.wasm --max-memory 1000",
        "a.wasm: the module's memory begins with 65536 bytes, 1000 are allowed; raise the limit, or see what `wisp build \
         --memory-limit 1000` advises",
        |f| module(f, ""),
    ),
    (
        "run a.wasm --max-memory 1000",
        "a.wasm: the module's memory begins with 4096 bytes, 1000 are allowed; raise the limit, or see what `wisp build \
         --memory-limit 1000` advises: these are its stack and its static data",
        |f| module(f, "(global (export \"__heap_base\") i32 (i32.const 4096))"),
    ),
    (
        "run a.wasm --max-memory 1000",
        "a.wasm: the module's memory begins with 65536 bytes, 1000 are allowed; raise the limit, or see what `wisp build \
         --memory-limit 1000` advises: these are whole pages, because the memory can grow",
        |f| module(f, "(func (drop (memory.grow (i32.const 1))))"),
    ),
];

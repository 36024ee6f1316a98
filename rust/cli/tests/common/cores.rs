// SPDX-License-Identifier: Apache-2.0
//! Mistakes with core dumps.

use super::{Case, Folder};

/// Makes a core dump of an image, changed, and module and symbols of another.
fn core(folder: &Folder, change: fn(&mut Vec<u8>)) {
    folder.module("a.wasm", r#"(module (memory 1) (data (i32.const 9) "abc") (func (export "_start") unreachable))"#);
    folder.succeeds("build a.wasm --quiet --no-symbols");
    folder.wisp("run a.wisp --core a.core");
    let mut bytes = folder.read("a.core");
    change(&mut bytes);
    folder.write("a.core", bytes);
    folder.module("b.wasm", r#"(module (func (export "f") (result i32) i32.const 7))"#);
    folder.succeeds("build b.wasm --quiet --symbols b.sym");
}

/// Command, message, and what it needs.
pub const CASES: &[Case] = &[
    (
        "debug a.wasm --core a.core",
        "a.core: the core dump is of image 8d15fb30:6, and the module gives 8d15fb30:c with --debug; give the module and the \
         options of the run, and an image that was built with wisp build --debug",
        |f| core(f, |_| ()),
    ),
    (
        "inspect a.core --symbols b.sym",
        "b.sym: the symbols belong to another build: they are of ",
        |f| core(f, |_| ()),
    ),
    (
        "inspect a.core --symbols b.wasm",
        "b.wasm: the module has no places for this core dump: it is another module, the device wrote the dump, \
         or --heap is not that of the image; give the symbols that `wisp build` wrote, or fetch the dump with the module",
        |f| core(f, |_| ()),
    ),
    ("inspect a.core", "a.core: the core dump is cut short; read it again", |f| core(f, |bytes| bytes.truncate(200))),
    (
        "inspect a.core",
        "a.core: the core dump is of another runtime; expected one that `wisp run --core` or a device wrote",
        |f| core(f, |bytes| *bytes = b"\0asm\x01\0\0\0\0\x07\x04core\0\0".to_vec()),
    ),
];

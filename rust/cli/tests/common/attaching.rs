// SPDX-License-Identifier: Apache-2.0
//! Mistakes with native code that is attached to an image.

use super::{Case, Folder};

const SEVEN: &str = r#"(module (func (export "seven") (result i32) i32.const 7))"#;

/// Makes a signed image, one of another module, and keys.
fn files(folder: &Folder) {
    folder.module("a.wasm", SEVEN);
    folder.module("b.wasm", &SEVEN.replace("const 7", "const 8"));
    folder.succeeds("build a.wasm --quiet --no-symbols");
    folder.succeeds("keygen app.pem");
    folder.succeeds("keygen compile.pem --role compile");
    folder.succeeds("sign a.wisp --key app.pem");
}

/// Makes the same, with an image that has native code.
fn native(folder: &Folder) {
    files(folder);
    folder.succeeds("build a.wasm --target x86-64 --quiet --no-symbols -o native.wisp");
}

fn attached(folder: &Folder) {
    native(folder);
    folder.succeeds("attach a.wisp --native native.wisp --key compile.pem");
}

/// Writes a copy with one bit changed, that many bytes before the end.
fn damaged(folder: &Folder, from: &str, to: &str, before_end: usize) {
    let mut bytes = folder.read(from);
    let at = bytes.len() - before_end;
    bytes[at] ^= 1;
    folder.write(to, bytes);
}

/// Command, message, and what it needs.
pub const CASES: &[Case] = &[
    (
        "sign a.wisp --key compile.pem",
        "compile.pem: a compile key signs native code that `wisp attach` adds, and devices would refuse the image; sign \
         it with an app key",
        files,
    ),
    (
        "verify a.wisp --key compile.pub.pem",
        "compile.pub.pem: this is a compile key, which signs attached native code; name it with --compile-key",
        files,
    ),
    (
        "attach a.wisp --native a.wisp --key app.pem",
        "app.pem: this is no compile key, and devices would refuse the native code; `wisp keygen --role compile` makes one",
        files,
    ),
    (
        "attach a.wisp --native a.wisp --key compile.pem",
        "a.wisp: the image has no native code; `wisp build --target MACHINE` makes it",
        files,
    ),
    (
        "attach bad.wisp --native a.wisp --key compile.pem",
        "bad.wisp: nothing attached: the image is damaged: its hash differs from its trailer's; send it again",
        |f| {
            files(f);
            damaged(f, "a.wisp", "bad.wisp", 150);
        },
    ),
    (
        "sign kind.wisp --key app.pem",
        "kind.wisp: not signed: the image has conditions that this wisp does not understand; use the wisp that signed it, \
         or build the image again",
        |f| {
            files(f);
            let image = f.read("a.wisp");
            let unknown = wisp_trust::add_conditions(&image, vec![9, 1, b'x']).unwrap();
            f.write("kind.wisp", unknown);
        },
    ),
    (
        "sign never.wisp --key app.pem",
        "never.wisp: not signed: the image's epoch has no valid form; build the image again",
        |f| {
            files(f);
            let mut image = wisp_trust::set_epoch(&f.read("a.wisp"), 1.try_into().unwrap()).unwrap();
            *image.last_chunk_mut().unwrap() = [0; 8];
            f.write("never.wisp", image);
        },
    ),
    (
        "attach a.wisp --native bad.wisp --key compile.pem",
        "bad.wisp: not attached: the image is damaged: its hash differs from its trailer's; send it again",
        |f| {
            files(f);
            damaged(f, "a.wisp", "bad.wisp", 150);
        },
    ),
];

/// The same, for a machine that native code can be made for.
pub const NATIVE: &[Case] = &[
    (
        "attach a.wisp --native other.wisp --key compile.pem",
        "other.wisp: the native code was made from another module, or by another version of `wisp build`, than the signed \
         image; build both from the same module with the same `wisp`",
        |f| {
            files(f);
            f.succeeds("build b.wasm --target x86-64 --quiet --no-symbols -o other.wisp");
        },
    ),
    (
        "attach a.wisp --native native.wisp --native native.wisp --key compile.pem",
        "native.wisp: native code for x86-64 is given twice; leave one out",
        native,
    ),
    (
        "attach unsigned.wisp --native native.wisp --key compile.pem",
        "unsigned.wisp: the image is not signed; sign it with an app key first, with `wisp sign`",
        |f| {
            native(f);
            f.succeeds("build a.wasm --quiet --no-symbols -o unsigned.wisp");
        },
    ),
    (
        "attach own.wisp --native native.wisp --key compile.pem",
        "own.wisp: the signed image itself has native code for x86-64, which runs in place of attached code",
        |f| {
            native(f);
            f.succeeds("sign native.wisp --key app.pem -o own.wisp");
        },
    ),
    (
        "sign a.wisp --key app.pem --downgrade",
        "a.wisp: the attached native code belongs to the present content; use --retire, --only, --epoch and --downgrade \
         before `wisp attach`",
        attached,
    ),
    (
        "verify bad.wisp --key app.pub.pem --compile-key compile.pub.pem",
        "bad.wisp: the attached native code is damaged or belongs to another image; attach it again",
        |f| {
            attached(f);
            damaged(f, "a.wisp", "bad.wisp", 200);
        },
    ),
    (
        "verify a.wisp --key app.pub.pem",
        "a.wisp: the attached native code is signed by a key that is no compile key of this firmware, or a retired one \
         (key ",
        attached,
    ),
];

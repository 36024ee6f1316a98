// SPDX-License-Identifier: Apache-2.0
//! `wisp attach`: native code that a compile key signs.
#![cfg(all(target_arch = "x86_64", unix))]

mod common;

use common::Folder;

/// Returns a folder with a signed image, the same with native code, and a compile key.
fn folder() -> Folder {
    let folder = Folder::new();
    folder
        .module("a.wasm", "(module (memory (export \"memory\") 1) (func (export \"seven\") (result i32) i32.const 7))");
    folder.succeeds("keygen app.pem");
    folder.succeeds("keygen compile.pem --role compile");
    folder.succeeds("build a.wasm --name lamp --version 1.2.3 --quiet -o signed.wisp");
    folder.succeeds("sign signed.wisp -k app.pem");
    // whoever compiles needs to know neither name nor version
    folder.succeeds("build a.wasm --target x86-64 --quiet -o native.wisp");
    folder
}

#[test]
fn attached_code_runs_and_is_shown() {
    let folder = folder();
    let said = folder.succeeds("attach signed.wisp --native native.wisp -k compile.pem -o lamp.wisp");
    assert!(said.contains("native code for x86-64 signed by compile key "), "{said}");
    assert!(folder.read("lamp.wisp").starts_with(&folder.read("signed.wisp")));
    assert!(folder.succeeds("run lamp.wisp --native --invoke seven").contains('7'));
    assert!(folder.succeeds("run lamp.wisp --invoke seven").contains('7'));
    let shown = folder.succeeds("inspect lamp.wisp");
    assert!(shown.contains("hash: correct") && shown.contains("native code is attached, by compile key "), "{shown}");
    assert!(shown.contains("x86-64 (x86-64): "), "{shown}");
    let said = folder.succeeds("verify lamp.wisp -k app.pub.pem --compile-key compile.pub.pem");
    assert!(said.contains("native code for x86-64"), "{said}");
    assert!(said.contains("native code is attached and signed by compile key "), "{said}");
    // in place, and a second time
    folder.succeeds("attach signed.wisp --native native.wisp -k compile.pem");
    folder.succeeds("attach signed.wisp --native native.wisp -k compile.pem");
    assert_eq!(folder.read("signed.wisp"), folder.read("lamp.wisp"));
}

#[test]
fn code_without_ir_can_be_attached() {
    let folder = folder();
    folder.succeeds("build a.wasm --target x86-64 --native-only --quiet -o only.wisp");
    folder.succeeds("attach signed.wisp --native only.wisp -k compile.pem");
    assert!(folder.succeeds("run signed.wisp --native --invoke seven").contains('7'));
}

#[test]
fn attached_code_needs_its_key() {
    let folder = folder();
    folder.succeeds("attach signed.wisp --native native.wisp -k compile.pem");
    folder.fails("verify signed.wisp -k app.pub.pem", &["; name the key with --compile-key"]);
    // a damaged attachment is shown, and replaced
    let mut bytes = folder.read("signed.wisp");
    let at = bytes.len() - 200;
    bytes[at] ^= 1;
    folder.write("damaged.wisp", bytes);
    let shown = folder.wisp("inspect damaged.wisp");
    let refused = "attached native code: REFUSED, a device will not install the image: ";
    assert!(shown.code == Some(1) && shown.out.contains(refused), "{}", shown.out);
    folder.succeeds("attach damaged.wisp --native native.wisp -k compile.pem");
    assert_eq!(folder.read("damaged.wisp"), folder.read("signed.wisp"));
    let mut bytes = folder.read("signed.wisp");
    let header = bytes.windows(4).rposition(|four| four == b"WNAT").unwrap();
    bytes[header + 9] ^= 1;
    folder.write("damaged.wisp", bytes);
    folder.succeeds("attach damaged.wisp --native native.wisp -k compile.pem");
    assert_eq!(folder.read("damaged.wisp"), folder.read("signed.wisp"));
    folder.succeeds("keygen other.pem --role compile");
    folder.fails("verify signed.wisp -k app.pub.pem --compile-key other.pub.pem", &["; the compile keys given are "]);
    // a signature of another app key changes nothing in what is attached
    folder.succeeds("keygen spare.pem");
    folder.succeeds("sign signed.wisp -k spare.pem");
    folder.succeeds("verify signed.wisp -k spare.pub.pem --compile-key compile.pub.pem");
}

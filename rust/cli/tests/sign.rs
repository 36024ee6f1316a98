// SPDX-License-Identifier: Apache-2.0
//! `wisp keygen`, `wisp sign`, `wisp verify`.

mod common;

use common::Folder;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.module("a.wasm", "(module (func (export \"_start\")))");
    folder.succeeds("build a.wasm --name lamp --version 1.2.3 --rollback 4 --quiet");
    folder.succeeds("keygen one.pem");
    folder.succeeds("keygen two.pem");
    folder
}

#[test]
fn a_signed_image_verifies_with_its_key_among_others() {
    let folder = folder();
    folder.succeeds("sign a.wisp -k one.pem -o signed.wisp");
    let said = folder.succeeds("verify signed.wisp -k two.pub.pem -k one.pub.pem");
    assert!(said.contains("lamp 1.2.3, rollback counter 4, signed by key "), "{said}");
    assert!(folder.succeeds("inspect signed.wisp").contains("hash: correct"));
    folder.fails("verify signed.wisp -k two.pub.pem", &["signed.wisp: ", "does not know"]);
    folder.fails("verify a.wisp -k one.pub.pem", &["not signed", "wisp sign"]);
}

#[test]
fn a_changed_image_is_refused() {
    let folder = folder();
    folder.succeeds("sign a.wisp -k one.pem");
    let mut bytes = folder.read("a.wisp");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    folder.write("a.wisp", bytes);
    folder.fails(
        "verify a.wisp -k one.pub.pem",
        &["a.wisp: the image's signature is not that of its key; send it again, from whoever signed it (key "],
    );
}

#[test]
fn a_secret_key_is_not_overwritten_nor_readable_by_others() {
    let folder = folder();
    let key = folder.read("one.pem");
    folder.fails("keygen one.pem", &["one.pem: exists already"]);
    assert_eq!(folder.read("one.pem"), key);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(folder.path("one.pem")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // nor a public key without its secret one, which firmwares may have been built with
    std::fs::remove_file(folder.path("one.pem")).unwrap();
    folder.fails("keygen one.pem", &["one.pub.pem: exists already and is not replaced; give another name"]);
    assert!(!folder.path("one.pem").exists());
}

#[test]
fn a_key_is_retired_by_an_image_of_another() {
    let folder = folder();
    folder.fails("sign a.wisp -k one.pem --retire one.pub.pem", &["one.pem: ", "retires this key"]);
    folder.succeeds("sign a.wisp -k two.pem --retire one.pub.pem");
    folder.succeeds("verify a.wisp -k two.pub.pem");
}

#[test]
fn a_wrong_key_file_is_told_with_what_is_expected() {
    let folder = folder();
    folder.write("junk", "junk");
    folder
        .fails("sign a.wisp -k one.pub.pem", &["one.pub.pem: this is a public key", "expected an Ed25519 secret key"]);
    folder.fails("verify a.wisp -k junk", &["junk: expected an Ed25519 public key"]);
    folder.fails("sign junk -k one.pem", &["junk: "]);
}

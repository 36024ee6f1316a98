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
fn a_file_that_is_no_such_key_is_told_by_what_it_is() {
    let folder = folder();
    let pem = |kind: &str| format!("-----BEGIN {kind}-----\nMC4CAQAwBQYDK2Vw\n-----END {kind}-----\n");
    let kinds = [
        (
            "ENCRYPTED PRIVATE KEY",
            "this key is encrypted, and `openssl pkey -in FILE -out PLAIN` asks for its passphrase; ",
        ),
        ("OPENSSH PRIVATE KEY", "this is a key of SSH; "),
        ("EC PRIVATE KEY", "this is a secret key of another kind, or it is damaged; "),
        ("PUBLIC KEY", "this is a public key of another kind, or it is damaged; "),
        ("CERTIFICATE", "this is a certificate; "),
    ];
    for (kind, told) in kinds {
        folder.write("key", pem(kind));
        folder.fails("sign a.wisp -k key", &[&format!("key: {told}expected an Ed25519 secret key in PEM")]);
        folder.fails("verify a.wisp -k key", &[&format!("key: {told}expected an Ed25519 public key in PEM")]);
    }
    folder.write("key", b"\x30\x2e\xff");
    folder.fails("sign a.wisp -k key", &["key: no text, which a key in PEM is", "-inform DER"]);
}

fn text(folder: &Folder, name: &str) -> String {
    String::from_utf8(folder.read(name)).unwrap()
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
fn conditions_are_part_of_what_is_signed() {
    let folder = folder();
    folder.succeeds("sign a.wisp -k one.pem -o lamp.wisp --only class=lamp-1 --only board=nrf53* --only class=lamp-2");
    let devices = "only for devices with board=nrf53*, class=lamp-1, class=lamp-2";
    assert!(folder.succeeds("inspect lamp.wisp").contains(devices));
    assert!(folder.succeeds("verify lamp.wisp -k one.pub.pem").contains(devices));
    // signed anew, it has the new conditions only, or keeps those that it has
    folder.succeeds("sign lamp.wisp -k two.pem -o again.wisp");
    assert!(folder.succeeds("inspect again.wisp").contains(devices));
    folder.succeeds("sign lamp.wisp -k two.pem -o other.wisp --only vendor=acme");
    assert!(folder.succeeds("inspect other.wisp").contains("only for devices with vendor=acme\n"));
    // the epoch is signed as well, and stays until another one is given
    folder.succeeds("sign lamp.wisp -k one.pem -o five.wisp --epoch 5");
    folder.succeeds("sign five.wisp -k two.pem -o still.wisp --only class=lamp-3");
    assert!(folder.succeeds("verify still.wisp -k two.pub.pem").contains("\nof epoch 5\n"));
    folder.succeeds("sign still.wisp -k one.pem -o six.wisp --epoch 6");
    assert!(folder.succeeds("inspect six.wisp").contains("of epoch 6\n"));
    assert!(!folder.succeeds("inspect lamp.wisp").contains("epoch"));
    assert_eq!(folder.wisp("sign lamp.wisp -k one.pem --epoch 0").code, Some(2));
    // conditions of a later version are met by no device
    let unknown = wisp_trust::add_conditions(&folder.read("lamp.wisp"), vec![9, 1, b'x']).unwrap();
    folder.write("unknown.wisp", wisp_trust::sign(&unknown, &[7; 32]).unwrap());
    let run = folder.wisp("inspect unknown.wisp");
    assert!(run.code == Some(1) && run.out.contains("only for devices with unknown"), "{}", run.out);
    for bad in ["lamp", "colour=red", "board=", "class=two%20words%20"] {
        let command = format!("sign a.wisp -k one.pem --only {}", bad.replace("%20", "\u{1}"));
        assert_eq!(folder.wisp(&command).code, Some(2), "{bad}");
    }
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
fn a_root_key_retires_app_keys_and_an_app_key_none() {
    let folder = folder();
    folder.succeeds("keygen root.pem --role root");
    folder.fails(
        "sign a.wisp -k two.pem --retire one.pub.pem",
        &["two.pem: ", "an app key cannot retire keys", "--role root"],
    );
    folder.fails("sign a.wisp -k root.pem --retire root.pub.pem", &["root.pub.pem: ", "cannot be retired"]);
    folder.succeeds("sign a.wisp -k root.pem --retire one.pub.pem");
    let said = folder.succeeds("verify a.wisp -k two.pub.pem --root-key root.pub.pem");
    assert!(said.contains("signed by root key ") && said.contains("retires key "), "{said}");
    assert!(folder.succeeds("inspect a.wisp").contains("retires key "));
    // with its role unknown the device, and so verify, is what refuses it
    folder.write("plain.pub.pem", text(&folder, "root.pub.pem").replace("Wisp-Role: root\n", ""));
    folder.fails("verify a.wisp -k plain.pub.pem", &["which only a root key may do"]);
    let unmarked: String =
        text(&folder, "one.pem").lines().filter(|line| !line.contains("Role")).map(|l| l.to_owned() + "\n").collect();
    folder.write("unmarked.pem", unmarked);
    folder.fails("sign a.wisp -k unmarked.pem --retire one.pub.pem", &["unmarked.pem: ", "retires this key"]);
    folder.succeeds("sign a.wisp -k unmarked.pem --retire two.pub.pem");
    folder.fails("verify a.wisp -k one.pub.pem", &["which only a root key may do"]);
}

#[test]
fn a_key_of_an_unknown_role_is_refused() {
    let folder = folder();
    let text = text(&folder, "one.pem").replace("Wisp-Role: app", "Wisp-Role: king");
    folder.write("king.pem", text);
    folder.fails(
        "sign a.wisp -k king.pem --retire two.pub.pem",
        &["king.pem: ", "king", "app, root, compile and management"],
    );
    let run = folder.wisp("keygen x.pem --role king");
    assert!(
        run.code == Some(2) && run.err.contains("[possible values: app, root, compile, management]"),
        "{}",
        run.err
    );
}

#[test]
fn a_downgrade_is_signed_and_shown() {
    let folder = folder();
    folder.succeeds("sign a.wisp -k one.pem");
    assert!(!folder.succeeds("verify a.wisp -k one.pub.pem").contains("higher version"));
    folder.succeeds("sign a.wisp -k one.pem --downgrade");
    assert!(folder.succeeds("verify a.wisp -k one.pub.pem").contains("may take the place of a higher version"));
    assert!(folder.succeeds("inspect a.wisp").contains("may take the place of a higher version"));
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

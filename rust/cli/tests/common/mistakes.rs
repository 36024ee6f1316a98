// SPDX-License-Identifier: Apache-2.0
//! Mistakes with the names of files and with keys.

use super::{Case, Folder};

/// Makes a module, its image, and a key of each role.
fn all(folder: &Folder) {
    folder.module("a.wasm", r#"(module (func (export "_start")))"#);
    folder.succeeds("build a.wasm --quiet");
    folder.succeeds("keygen app.pem");
    folder.succeeds("keygen root.pem --role root");
    folder.succeeds("keygen manager.pem --role management");
    folder.succeeds("sign a.wisp --key app.pem -o signed.wisp");
}

fn board(folder: &Folder, text: &str) {
    all(folder);
    folder.write("board.toml", text);
}

const USED: &str = "this command has another use for the file and does not replace it; name another one";

/// (command, what it says on standard error without `wisp: `, what there is before).
pub const CASES: &[Case] = &[
    ("inspect -", "-: the name of a file is expected; stdin is /dev/stdin, and ./- a file of this name", all),
    ("build a.wasm -o -", "-: the name of a file is expected; stdout is /dev/stdout, and ./- a file of this name", all),
    ("build a.wasm -o b.wisp --symbols b.wisp", "b.wisp: the image is written there; give --symbols another file", all),
    ("sign a.wisp --key app.pem -o app.pem", "app.pem: this command has another use for the file and does not ", all),
    ("inspect large", "large: the file has more than 1 GiB; name another one", |folder| {
        folder.write("large", b"");
        // without blocks on the disk
        std::fs::OpenOptions::new().write(true).open(folder.path("large")).unwrap().set_len((1 << 30) + 1).unwrap();
    }),
    ("sign empty --key app.pem", "empty: the file is empty; expected a Wisp image", |folder| {
        all(folder);
        folder.write("empty", b"");
    }),
    (
        "sign app.pub.pem --key app.pem",
        "app.pub.pem: no Wisp image: it begins with [57, 69, 73, 70], expected 57 49 53 50 (\"WISP\"); give the image, \
         which `wisp build` writes as NAME.wisp",
        all,
    ),
    (
        "keygen key.pub.pem",
        "key.pub.pem: public keys have such names, and the secret one is written there; give a name as in key.pem",
        |_| {},
    ),
    ("verify signed.wisp --key root.pub.pem", "root.pub.pem: this is a root key; name it with --root-key", all),
    ("verify signed.wisp --root-key app.pub.pem", "app.pub.pem: this is an app key; name it with --key", all),
    (
        "verify signed.wisp --key manager.pub.pem",
        "manager.pub.pem: this is a management key, which signs requests and no images; leave it out",
        all,
    ),
    ("run a.wasm --board a.wasm", "a.wasm: this is no text; expected a board file in TOML", all),
    (
        "run a.wasm --board board.toml",
        "board.toml:2:1: trace.file: board.toml: this file is read for the run and not replaced; name another one",
        |folder| board(folder, "[trace]\nfile = \"board.toml\"\n"),
    ),
    (
        "run a.wasm --board board.toml",
        "board.toml:2:1: trace.file: a.wasm: this file is read for the run and not replaced; name another one",
        |folder| board(folder, "[trace]\nfile = \"a.wasm\"\n"),
    ),
    (
        "run a.wasm --board board.toml",
        "board.toml:2:1: trace.file: nowhere/trace cannot be written: No such file or directory (os error 2)",
        |folder| board(folder, "[trace]\nfile = \"nowhere/trace\"\n"),
    ),
];

/// Commands that would replace what they read.
pub const REPLACING: &[&str] = &[
    "build a.wasm -o a.wasm",
    "build a.wasm -o ./a.wasm",
    "build a.wasm --symbols a.wasm",
    "sign a.wisp --key app.pem -o app.pem",
    "sign a.wisp --key root.pem --retire app.pub.pem -o app.pub.pem",
    "run a.wasm --trace-file a.wasm",
    "run a.wasm --board board.toml --trace-file board.toml",
];

/// Checks that a command of [`REPLACING`] changes no file that it reads.
pub fn keeps_its_inputs(command: &str) {
    let folder = Folder::new();
    board(&folder, "[board]\n");
    let inputs = ["a.wasm", "a.wisp", "app.pem", "app.pub.pem", "root.pem", "board.toml"];
    let before = inputs.map(|name| folder.read(name));
    let run = folder.wisp(command);
    assert_eq!(run.code, Some(1), "{command}: {}", run.err);
    assert!(run.err.contains(USED), "{command}: {}", run.err);
    assert_eq!(inputs.map(|name| folder.read(name)), before, "{command}");
}

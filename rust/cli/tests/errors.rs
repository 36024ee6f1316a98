// SPDX-License-Identifier: Apache-2.0
//! Every way to go wrong, as a user meets it: the whole message. `doc/errors.md` explains each of them; here the
//! page is compared with what the command says, and with the texts in the firmware's sources. Those of CMake are
//! brought about in `build_files.rs`.

mod common;

use std::path::Path;

use common::page::{fits, parts, patterns};
use common::Folder;

const ADD: &str = r#"(module (func $add (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))"#;

/// A component that imports what no device has.
const SWITCH: &str = r#"(component
  (import "acme:lamp/switch@1.0.0" (instance $switch (export "on" (func))))
  (core func $on (canon lower (func $switch "on")))
  (core module $m
    (import "i" "on" (func))
    (memory (export "memory") 1)
    (func (export "run") (result i32) (i32.const 0)))
  (core instance $i (export "on" (func $on)))
  (core instance $c (instantiate $m (with "i" (instance $i))))
  (func $run (result (result)) (canon lift (core func $c "run")))
  (instance $r (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $r)))"#;

/// Puts the files that a case needs into a folder.
type Prepare = fn(&Folder);

fn image(folder: &Folder) -> Vec<u8> {
    folder.module("a.wasm", ADD);
    folder.succeeds("build a.wasm --quiet --no-symbols");
    folder.read("a.wisp")
}

/// Makes an image with the bytes at an offset changed.
fn changed(folder: &Folder, at: usize, bytes: &[u8]) {
    let mut image = image(folder);
    image[at..at + bytes.len()].copy_from_slice(bytes);
    folder.write("a.wisp", image);
}

fn keys(folder: &Folder) {
    image(folder);
    folder.succeeds("keygen one.pem");
    folder.succeeds("keygen two.pem");
    folder.succeeds("sign a.wisp --key one.pem");
}

/// Returns the end of an image's content, where its trailer begins.
fn content(image: &[u8]) -> usize {
    u32::from_le_bytes(image[8..12].try_into().unwrap()) as usize
}

/// Makes a root key, and one that says nothing of its role.
fn roles(folder: &Folder) {
    keys(folder);
    folder.succeeds("keygen root.pem --role root");
    folder.succeeds("keygen manager.pem --role management");
    let marked = String::from_utf8(folder.read("one.pem")).unwrap();
    folder.write("unmarked.pem", marked.replace("Wisp-Role: app\n", ""));
    folder.write("king.pem", marked.replace("Wisp-Role: app", "Wisp-Role: king"));
}

/// Returns an image that retires more keys than it may.
fn nine_retired(folder: &Folder) -> Vec<u8> {
    keys(folder);
    let image = wisp_trust::add_retired_keys(&folder.read("a.wisp"), &[[3; 8]; 9]).unwrap();
    folder.write("a.wisp", &image);
    image
}

fn board(folder: &Folder, text: &str) {
    folder.module("a.wasm", r#"(module (func (export "_start")))"#);
    folder.write("board.toml", text);
}

/// (command, what it says on standard error without `wisp: `, what there is before).
const CASES: &[(&str, &str, Prepare)] = &[
    ("build nowhere.wasm", "nowhere.wasm: cannot be read: No such file or directory (os error 2)", |_| {}),
    ("build a.wasm", "a.wasm: the file is empty; expected a wasm module or a Wisp image", |f| f.write("a.wasm", b"")),
    (
        "build a.wasm",
        "a.wasm: the wasm module is cut short after its first bytes; build or copy it again",
        |f| f.write("a.wasm", b"\0asm"),
    ),
    (
        "build a.wasm",
        "a.wasm: wasm version [02, 00, 00, 00], expected [01, 00, 00, 00]; Wisp reads version 1 only",
        |f| f.write("a.wasm", b"\0asm\x02\0\0\0"),
    ),
    (
        "build a.wasm",
        "a.wasm: the component is not supported: it has no core module with a memory",
        |f| f.write("a.wasm", b"\0asm\x0d\0\x01\0"),
    ),
    (
        "run a.wasm",
        "a.wasm: not a valid component: unexpected end",
        |f| f.write("a.wasm", b"\0asm\x0d\0\x01\0\x07\x04"),
    ),
    (
        "build a.wasm",
        "a.wasm: the component cannot be linked:\n  import `acme:lamp/switch@1.0.0` `on`: not an interface of WASI; \
         compose the component with one that exports it, or make what implements it a part of the program, because Wisp \
         provides interfaces of WASI 0.2 and of its folder `wit` only",
        |f| f.module("a.wasm", SWITCH),
    ),
    (
        "build a.wasm",
        "a.wasm: this is WebAssembly text; make a binary of it first, for example with `wasm-tools parse`",
        |f| f.write("a.wasm", b"(module)"),
    ),
    (
        "build a.wasm",
        "a.wasm: this is a native program (ELF), not a wasm module; build it for a wasm target",
        |f| f.write("a.wasm", b"\x7fELF\x01\x01"),
    ),
    (
        "build a.wasm",
        "a.wasm: neither a wasm module nor a Wisp image: it begins with [01, 02, 03, 04], expected [00, 61, 73, 6d] \
         (wasm) or [57, 49, 53, 50] (Wisp)",
        |f| f.write("a.wasm", b"\x01\x02\x03\x04\x05"),
    ),
    (
        "build a.wasm",
        "a.wasm: this is a native program, not a wasm module; build it for a wasm target",
        |f| f.write("a.wasm", b"MZ\x90\0\x03\0"),
    ),
    (
        "run a.wasm",
        "a.wasm: this is a compressed file, not a wasm module; unpack it first",
        |f| f.write("a.wasm", b"\x1f\x8b\x08\0"),
    ),
    (
        "build a.wasm",
        "a.wasm: this is a library of object files, not a wasm module; link it with wasm-ld, or through clang or rustc",
        |f| f.write("a.wasm", b"!<arch>\n/      "),
    ),
    (
        "build a.o",
        "a.o: this is an object file, which is not linked yet; link it with wasm-ld, or through clang or rustc",
        |f| f.module("a.o", r#"(module (import "env" "__linear_memory" (memory 0)))"#),
    ),
    (
        "build joined.o",
        "joined.o: this is an object file, which is not linked yet; link it with wasm-ld, or through clang or rustc",
        |f| f.module("joined.o", r#"(module (memory 1) (@custom "linking" "\02"))"#),
    ),
    (
        "run a.wasm",
        "a.wasm: the module's memory begins with 4 GiB, 67108864 bytes are allowed; link it with a smaller \
         --initial-memory",
        |f| f.module("a.wasm", r#"(module (memory 65536) (func (export "_start")))"#),
    ),
    (
        "build a.wasm",
        "a.wasm: this is LLVM bitcode, not a wasm module; compile and link it for a wasm target",
        |f| f.write("a.wasm", b"BC\xc0\xde5\x14"),
    ),
    (
        "inspect a.wisp.sym",
        "a.wisp.sym: these are symbols, which `wisp build` wrote beside an image; give the module or the image",
        |f| {
            f.module("a.wasm", ADD);
            f.succeeds("build a.wasm --quiet");
        },
    ),
    (
        "build a.c",
        "a.c: this is text, not a wasm module: a source or a web page perhaps; give the file that the compiler for a \
         wasm target made",
        |f| f.write("a.c", "int main(void) { return 0; } /* \u{e4} */\n"),
    ),
    (
        "build a.wat",
        "a.wat: this is WebAssembly text; make a binary of it first, for example with `wasm-tools parse`",
        |f| f.write("a.wat", b";; an example\n(module)"),
    ),
    ("build folder", "folder: cannot be read: Is a directory (os error 21)", |f| {
        std::fs::create_dir(f.path("folder")).unwrap();
    }),
    ("build a.wisp", "a.wisp: this is a Wisp image already; `wisp build` takes the wasm module", |f| drop(image(f))),
    (
        "build cut.wasm",
        "cut.wasm: unexpected end",
        |f| {
            f.module("a.wasm", ADD);
            let wasm = f.read("a.wasm");
            f.write("cut.wasm", &wasm[..wasm.len() - 3]);
        },
    ),
    (
        "build a.wasm",
        "a.wasm: type mismatch: expected i32, found i64 (at offset 0x1a, in function 0)",
        |f| f.module("a.wasm", "(module (func (result i32) (i64.const 1)))"),
    ),
    (
        "build a.wasm",
        "a.wasm: the module needs the proposal SIMD, which Wisp does not have; build it without: -mno-simd128 (clang), \
         -C target-feature=-simd128 (rustc), -mcpu=lime1 (zig); asc: leave --enable simd out (at offset 0x",
        |f| f.module("a.wasm", "(module (func (result v128) (v128.const i64x2 0 0)))"),
    ),
    (
        "run a.wasm",
        "a.wasm: the module needs the proposal threads, which Wisp does not have; build it without: -mno-atomics and no \
         -pthread or --shared-memory (clang), -C target-feature=-atomics and a target without `-threads` (rustc), \
         -fsingle-threaded (zig), -scheduler=none (tinygo) (at offset 0x",
        |f| f.module("a.wasm", "(module (memory 1 2 shared))"),
    ),
    (
        "build a.wasm --name a_name_of_thirty_two_bytes_is_long",
        "a.wasm: the app cannot be named \"a_name_of_thirty_two_bytes_is_long\": it is longer than 31 bytes; give another \
         name of 1 to 31 bytes",
        |f| f.module("a.wasm", ADD),
    ),
    (
        "build a.wasm -o nowhere/a.wisp",
        "nowhere/a.wisp: cannot be written: No such file or directory (os error 2)",
        |f| f.module("a.wasm", ADD),
    ),
    (
        "build a.wasm --native-only",
        "--native-only concerns native code: say for what machine, with --target",
        |f| f.module("a.wasm", ADD),
    ),
    (
        "build a.wasm -o .",
        ".: cannot be written: Is a directory (os error 21)",
        |f| f.module("a.wasm", ADD),
    ),
    (
        "build a.wasm --target z80",
        "there is no target `z80`; known are",
        |f| f.module("a.wasm", ADD),
    ),
    (
        "build a.wasm --target cortex-m3 --cc no-such-gcc",
        "a.wasm: the C compiler `no-such-gcc` cannot be started (No such file or directory (os error 2)); install it, set \
         ZEPHYR_SDK_INSTALL_DIR, or name one with --cc",
        |f| f.module("a.wasm", ADD),
    ),
    (
        "inspect a.wisp",
        "a.wisp: the image is cut short: 16 bytes expected, 10 present; transfer or build it again",
        |f| {
            let image = image(f);
            f.write("a.wisp", &image[..10]);
        },
    ),
    (
        "inspect a.wasm",
        "a.wasm: this is a raw wasm module, not a Wisp image; make one with `wisp build app.wasm -o app.wisp`",
        |f| f.module("a.wasm", ADD),
    ),
    (
        "inspect a.wisp",
        "a.wisp: image format version 9, this runtime reads 1; build the app with the matching `wisp`",
        |f| changed(f, 4, &[9, 0]),
    ),
    (
        "inspect a.wisp",
        "a.wisp: section kind 99 is unknown to this runtime; build the app with the matching `wisp`",
        |f| changed(f, 16, &[99, 0]),
    ),
    (
        "inspect a.wisp",
        "a.wisp: section kind 1 is misaligned, occurs twice or reaches beyond the end of the image",
        |f| changed(f, 20, &[1]),
    ),
    (
        "run a.wisp --invoke add 1 2",
        "a.wisp: IR version 99, this runtime runs",
        |f| changed(f, 6, &[99, 0]),
    ),
    ("run a.wasm", "a.wasm: no exported function `_start`, the entry of an app; call another with --invoke; it exports\n  \
      add(i32, i32) -> (i32)", |f| f.module("a.wasm", ADD)),
    (
        "run a.wasm",
        "a.wasm: `_start` has the type (i32) -> (i32); Wisp calls it as () -> ()",
        |f| f.module("a.wasm", r#"(module (func (export "_start") (param i32) (result i32) local.get 0))"#),
    ),
    (
        "run a.wasm",
        "a.wasm: `on_event` has the type (i32, i32, i32) -> (); Wisp calls it as (i32, i32, i32, i32) -> (): kind, \
         source, value, lost",
        |f| {
            let module = r#"(module (func (export "_initialize")) (func (export "on_event") (param i32 i32 i32)))"#;
            f.module("a.wasm", module);
        },
    ),
    (
        "run a.wasm --invoke add 1",
        "`add` takes 2 arguments, 1 given; its type is (i32, i32) -> (i32)",
        |f| f.module("a.wasm", ADD),
    ),
    (
        "run a.wasm --debug=192.168.0.1:9000",
        "--debug=192.168.0.1:9000: whoever connects controls the app, so only addresses of this machine are served; reach \
         it from another one with `ssh -L`",
        |f| f.module("a.wasm", ADD),
    ),
    ("run a.wasm --debug=here", "--debug=here: expected a port, or an address and a port, as in 127.0.0.1:1234", |f| {
        f.module("a.wasm", ADD);
    }),
    ("debug a.wasm", "there is no app to debug: name a core dump with --core FILE,", |f| f.module("a.wasm", ADD)),
    ("debug a.wisp --core a.core", "a.wisp: a debugger needs the module, which this image was made from", |f| drop(image(f))),
    ("run a.wisp --debug", "a.wisp: --debug needs the wasm module, which this image was made from", |f| drop(image(f))),
    (
        "run a.wasm --invoke add 1 x",
        "argument 2 of `add`: `x` is not an i32: a decimal or 0x number of 32 bits",
        |f| f.module("a.wasm", ADD),
    ),
    (
        "run a.wasm",
        "a.wasm: the app cannot be linked:\n  import `env` `f`: nobody has this interface: link what defines them",
        |f| f.module("a.wasm", r#"(module (import "env" "f" (func)) (func (export "_start")))"#),
    ),
    (
        "run a.wasm",
        "a.wasm: the app cannot be linked:\n  import `wisp:gpio@1` `teleport`: the interface has no such function; build the app \
         with bindings of this version",
        |f| f.module("a.wasm", r#"(module (import "wisp:gpio@1" "teleport" (func)) (func (export "_start")))"#),
    ),
    (
        "run a.wasm",
        "a.wasm: the app cannot be linked:\n  import `wisp:timer@1` `uptime_us`: the app has it as () -> (i32), the host as \
         () -> (i64); build the app with bindings of this version",
        |f| {
            f.module("a.wasm", r#"(module (import "wisp:timer@1" "uptime_us" (func (result i32))) (func (export "_start")))"#)
        },
    ),
    (
        "run a.wasm",
        "a.wasm: the app cannot be linked:\n  import `env` `m`: it is no function, and an app can import functions only; \
         link it without --import-memory, --import-table and shared globals",
        |f| f.module("a.wasm", r#"(module (import "env" "m" (memory 1)) (func (export "_start")))"#),
    ),
    (
        "run a.wasm --board nowhere.toml",
        "nowhere.toml: cannot be read: No such file or directory (os error 2)",
        |f| f.module("a.wasm", r#"(module (func (export "_start")))"#),
    ),
    (
        "run a.wasm --board board.toml",
        "board.toml:2:1: unknown field `gpios`, expected one of",
        |f| board(f, "[apps.a]\ngpios = 1\n"),
    ),
    (
        "run a.wasm --board board.toml --app b",
        "the board has no app `b`; it has: a",
        |f| board(f, "[apps.a]\n"),
    ),
    ("verify a.wisp --key one.pub.pem", "a.wisp: the image is not signed; use wisp sign", |f| {
        keys(f);
        image(f);
    }),
    (
        "verify a.wisp --key one.pub.pem",
        "a.wisp: the image is cut short: its trailer is missing; send or build it again",
        |f| {
            keys(f);
            let image = f.read("a.wisp");
            f.write("a.wisp", &image[..content(&image)]);
        },
    ),
    (
        "verify a.wisp --key one.pub.pem",
        "a.wisp: the image is damaged: its trailer cannot be read; send it again",
        |f| {
            keys(f);
            let mut image = f.read("a.wisp");
            image.push(0);
            f.write("a.wisp", image);
        },
    ),
    (
        "verify a.wisp --key one.pub.pem",
        "a.wisp: the image's signature is not that of its key; send it again, from whoever signed it (key ",
        |f| {
            keys(f);
            let mut image = f.read("a.wisp");
            *image.last_mut().unwrap() ^= 1;
            f.write("a.wisp", image);
        },
    ),
    (
        "sign a.wisp --key one.pem",
        "a.wisp: not signed: the image is damaged: its hash differs from its trailer's; send it again",
        |f| {
            keys(f);
            let mut image = image(f);
            let manifest = u32::from_le_bytes(image[20..24].try_into().unwrap()) as usize;
            image[manifest + 64] ^= 1;
            f.write("a.wisp", image);
        },
    ),
    (
        "verify a.wisp --key two.pub.pem",
        "a.wisp: the image is signed by a key that this firmware does not know (key ",
        keys,
    ),
    (
        "verify a.wisp --key one.pub.pem",
        "a.wisp: the image is damaged: its hash differs from its trailer's; send it again",
        |f| {
            keys(f);
            let mut image = f.read("a.wisp");
            // the app's version, in the manifest, which is the first section
            let manifest = u32::from_le_bytes(image[20..24].try_into().unwrap()) as usize;
            image[manifest + 64] ^= 1;
            f.write("a.wisp", image);
        },
    ),
    (
        "verify a.wisp --key a.wasm",
        "a.wasm: expected an Ed25519 public key in PEM; `wisp keygen` writes one beside the secret key",
        keys,
    ),
    (
        "sign a.wisp --key one.pub.pem",
        "one.pub.pem: this is a public key; expected an Ed25519 secret key in PEM; `wisp keygen` makes one",
        keys,
    ),
    (
        "sign a.wisp --key unmarked.pem --retire one.pub.pem",
        "unmarked.pem: the image retires this key; sign it with one that stays in use",
        roles,
    ),
    (
        "sign a.wisp --key one.pem --retire two.pub.pem",
        "one.pem: an app key cannot retire keys: devices would refuse the image; sign it with a root key (`wisp keygen \
         --role root`)",
        roles,
    ),
    (
        "sign a.wisp --key root.pem --retire root.pub.pem",
        "root.pub.pem: a root key cannot be retired by an image; take it out of CONFIG_WISP_ROOT_KEY_FILE in a new \
         firmware",
        roles,
    ),
    (
        "sign a.wisp --key king.pem --retire two.pub.pem",
        "king.pem: a key of the role \"king\"; this wisp knows app, root, compile and management",
        roles,
    ),
    (
        "sign a.wisp --key manager.pem",
        "manager.pem: a management key signs requests of `west wisp`, and devices would refuse the image; sign it with \
         an app key",
        roles,
    ),
    (
        "verify a.wisp --key plain.pub.pem",
        "a.wisp: the image retires keys, which only a root key may do; sign it with a root key (key ",
        |f| {
            roles(f);
            f.succeeds("sign a.wisp --key root.pem --retire one.pub.pem");
            let root = String::from_utf8(f.read("root.pub.pem")).unwrap();
            f.write("plain.pub.pem", root.replace("Wisp-Role: root\n", ""));
        },
    ),
    (
        "sign a.wisp --key one.pem",
        "a.wisp: its list of keys to retire has no valid form; build the image again",
        |f| drop(nine_retired(f)),
    ),
    (
        "verify a.wisp --key one.pub.pem",
        "a.wisp: the image's list of keys to retire is wrong; sign it again",
        |f| {
            let mut image = nine_retired(f);
            let pem = String::from_utf8(f.read("one.pub.pem")).unwrap();
            let key = ed25519_compact::PublicKey::from_pem(pem.split_once('\n').unwrap().1).unwrap();
            let id = wisp_trust::key_id(&key);
            let hash = wisp_trust::sha256(&image);
            wisp_image::writer::append_trailer(&mut image, &[(1, &hash), (2, &id), (3, &[0; 64])]);
            f.write("a.wisp", image);
        },
    ),
    ("keygen one.pem", "one.pem: exists already and is not replaced; give another name", keys),
    (
        "inspect a.wisp --symbols other.sym",
        "other.sym: the symbols belong to another build: they are of 00000000:0, the image is ",
        |f| {
            image(f);
            f.write("other.sym", "wisp-symbols 1\n");
        },
    ),
    (
        "symbolize --symbols a.wisp log",
        "a.wisp: expected symbols; give the file ending in .sym that `wisp build` wrote beside the image",
        |f| drop(image(f)),
    ),
];

/// More [`CASES`], for machines whose compiler makes native code.
const NATIVE: &[(&str, &str, Prepare)] = &[
    (
        "run a.wisp --invoke add 1 2",
        "a.wisp: the image has native code only, for x86-64; --native runs that of this machine, which `wisp build --target \
         x86-64` makes",
        |f| {
            f.module("a.wasm", ADD);
            f.succeeds("build a.wasm --quiet --target x86-64 --native-only");
        },
    ),
    (
        "run a.wisp --native --invoke add 1 2",
        "a.wisp: the image has no native code for this machine; build it with --target x86-64 as well, or run the wasm \
         module",
        |f| drop(image(f)),
    ),
    (
        "verify a.wisp --key one.pub.pem",
        "a.wisp: native section 0x1602: the native section is damaged (header offset 56)",
        |f| {
            keys(f);
            f.succeeds("build a.wasm --quiet --target x86-64");
            let mut bytes = f.read("a.wisp");
            let native = wisp_image::Image::parse(&bytes).unwrap().native_sections().next().unwrap().1;
            let at = native.as_ptr().addr() - bytes.as_ptr().addr();
            let table = u32::from_le_bytes(native[56..60].try_into().unwrap()) as usize;
            // where the host enters the first function
            bytes[at + table + 6] = 0xff;
            let end = content(&bytes);
            bytes.truncate(end);
            let hash = wisp_trust::sha256(&bytes);
            wisp_image::writer::append_trailer(&mut bytes, &[(wisp_image::format::TAG_HASH, &hash)]);
            f.write("a.wisp", bytes);
        },
    ),
];

#[test]
fn each_mistake_is_told_in_full_and_explained_on_the_page() {
    let patterns = patterns("The `wisp` command");
    let mut used = vec![false; patterns.len()];
    let mut wrong = String::new();
    use common::{attaching, cores, functions, memory, mistakes};
    let here = cfg!(all(target_arch = "x86_64", unix));
    let [native, attached]: [&[_]; 2] = if here { [NATIVE, attaching::NATIVE] } else { [&[]; 2] };
    let portable = [CASES, attaching::CASES, cores::CASES, functions::CASES, memory::CASES, mistakes::CASES];
    for (command, message, prepare) in portable.into_iter().chain([native, attached]).flatten() {
        let folder = Folder::new();
        prepare(&folder);
        let run = folder.wisp(command);
        let said = run.err.strip_prefix("wisp: ").unwrap_or(&run.err).trim_end();
        if run.code != Some(1) || !said.starts_with(message) {
            wrong += &format!("wisp {command}\n  says     {said}\n  expected {message}\n");
        }
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let explained: Vec<_> = (0..patterns.len()).filter(|&index| fits(patterns[index], &said)).collect();
        if explained.is_empty() {
            wrong += &format!("wisp {command}\n  says     {said}\n  which doc/errors.md does not explain\n");
        }
        explained.into_iter().for_each(|index| used[index] = true);
    }
    for (pattern, used) in patterns.iter().zip(used) {
        let elsewhere = native.is_empty() && pattern.contains("native");
        if !used && !elsewhere {
            wrong += &format!("doc/errors.md explains {pattern}\n  which no case here brings about\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn no_command_replaces_a_file_that_it_reads() {
    common::mistakes::REPLACING.iter().for_each(|command| common::mistakes::keeps_its_inputs(command));
}

/// Returns the texts of files, and of all sources below folders, without the line breaks inside of string literals.
fn sources(paths: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut text = String::new();
    for path in paths {
        append(&root.join(path), &mut text);
    }
    joined(&text.replace("\\\"", "\""))
}

/// Appends a file, or the C and Rust files below a folder.
fn append(path: &Path, text: &mut String) {
    if !path.is_dir() {
        *text += &std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() || path.extension().is_some_and(|end| end == "c" || end == "rs") {
            append(&path, text);
        }
    }
}

/// Joins string literals that C, Python (`"a"` newline `"b"`) or Rust (a backslash at the end of the line) break.
fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let next = line.trim_start();
        if out.ends_with('\\') {
            out.pop();
            out += next;
        } else if out.ends_with('"') && next.starts_with('"') {
            out.pop();
            out += &next[1..];
        } else {
            out.push('\n');
            out += line;
        }
    }
    out
}

fn in_sources(section: &str, files: &[&str]) {
    let text = sources(files);
    for pattern in patterns(section) {
        // what to do is a text of its own in the firmware, shared by several messages
        for part in parts(pattern).iter().flat_map(|part| part.split("; ")) {
            assert!(text.contains(part), "doc/errors.md, {section}: `{part}` of `{pattern}` is in none of {files:?}");
        }
    }
}

#[test]
fn what_the_page_says_of_the_devices_log_is_in_the_firmware() {
    let files =
        ["ble", "native", "net", "report", "platform", "trap", "memory"].map(|name| format!("rust/port/src/{name}.rs"));
    let files: Vec<&str> = files.iter().map(String::as_str).chain(["src/app", "src/drivers"]).collect();
    in_sources("A device's log", &files);
}

#[test]
fn what_the_page_says_of_rare_messages_is_in_the_sources() {
    let rust = ["rust/cli/src", "rust/compiler/src", "rust/aotc/src", "rust/sim/src"];
    in_sources("The `wisp` command: rare messages", &rust);
    in_sources("Notes of the `wisp` command", &rust);
    in_sources("The trace of `wisp run`", &["rust/sim/src"]);
    in_sources("A device's log: native code", &["rust/port/src", "rust/image/src/native.rs", "src/native"]);
    in_sources("A device's log: installed apps", &["src", "rust/port/src"]);
    in_sources("A device's log: translated code", &["src/translate"]);
    in_sources(
        "`west wisp`",
        &[
            "scripts/west_commands/device.py",
            "scripts/west_commands/store_errors.json",
            "scripts/west_commands/answers.py",
            "scripts/west_commands/wisp.py",
        ],
    );
    in_sources("The shell", &["src"]);
    in_sources("The compile service", &["rust/fleet/src/service"]);
    in_sources("The gateway", &["rust/fleet/src/gateway"]);
    in_sources("The client of a rollout server", &["src/ddi"]);
    in_sources("Apps as software of LwM2M", &["src/lwm2m"]);
    in_sources("Registries", &["rust/fleet/src/registry", "rust/cli/src/cmd/fleet.rs"]);
}

#[test]
fn the_page_has_the_words_of_each_error_of_the_app_storage() {
    let text = sources(&["rust/contract/src/storage.rs"]);
    let page = include_str!("../../../doc/errors.md");
    let section = page.split("## The app storage\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let header = include_str!("../../../include/wisp/storage.h");
    let mut numbers = Vec::new();
    for row in section.lines().filter_map(|line| line.strip_prefix("| ")) {
        let Some((number, rest)) = row.split_once(" | `` ") else { continue };
        let words = rest.split_once(" `` |").unwrap().0;
        assert!(text.contains(words), "`{words}` is no message of the app storage");
        numbers.push(number.parse::<u32>().unwrap());
    }
    let known = header.split("enum wisp_store_error {").nth(1).and_then(|rest| rest.split("};").next()).unwrap();
    let known = known.lines().filter_map(|line| line.split(" = ").nth(1)?.trim_end_matches(',').parse().ok());
    // 0 is success
    assert_eq!(numbers, known.filter(|&number| number != 0).collect::<Vec<u32>>());
}

#[test]
fn the_page_explains_each_number_of_a_devices_log() {
    let page = include_str!("../../../doc/errors.md");
    let section = page.split("## A device's log, in numbers").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows = section.unwrap_or_default().lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let explained: Vec<u32> = rows.filter_map(|cell| cell.parse().ok()).collect();
    let source = sources(&["rust/port/src/report_numbers.rs"]);
    let list = source.split("enum Error {").nth(1).and_then(|rest| rest.split('}').next()).unwrap_or_default();
    let known = list.split(',').filter_map(|line| line.split(" = ").nth(1)?.parse().ok());
    assert_eq!(explained, known.collect::<Vec<u32>>());
}

#[test]
fn what_the_page_says_of_builds_is_in_the_build_files() {
    let files = ["cmake/guest.cmake", "cmake/rust.cmake", "cmake/update.cmake", "src/storage/signature.cmake"];
    in_sources("CMake", &[&files[..], &["scripts/guest.py", "scripts/public_keys.py"]].concat());
    in_sources("Devicetree", &["src/app", "src/drivers", "src/drivers/dac.h"]);
}

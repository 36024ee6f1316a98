// SPDX-License-Identifier: Apache-2.0
//! Mistakes in an application's CMake files, as its author meets them: CMake is run, without Zephyr, on a project
//! that makes one. `doc/errors.md` explains each message.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::page::{fits, patterns};
use common::Folder;

/// The project: what the build files take from Zephyr is set by hand, up to where a message ends them.
const PROJECT: &str = "cmake_minimum_required(VERSION 3.20)
project(mistaken NONE)
set(ZEPHYR_WISP_MODULE_DIR @ROOT@)
set(PYTHON_EXECUTABLE python3)
set(APPLICATION_SOURCE_DIR ${CMAKE_SOURCE_DIR})
set(CONFIG_WISP y)
include(@ROOT@/cmake/rust.cmake)
include(@ROOT@/cmake/guest.cmake)
include(@ROOT@/cmake/update.cmake)
";

/// (what the project's CMakeLists.txt says, the message from its beginning to what to do). `<>` stands for any words.
const CASES: &[(&str, &str)] = &[
    (
        "set(CONFIG_WISP)\nset(CONFIG_WISP_SUPPORTED y)\nset(CONFIG_MULTITHREADING y)\nwisp_add_app(NAME a SOURCE a.c)",
        "wisp_add_app(): CONFIG_WISP is not enabled; set CONFIG_WISP=y in prj.conf",
    ),
    (
        "set(CONFIG_WISP)\nset(CONFIG_WISP_SUPPORTED y)\nwisp_add_app(NAME a SOURCE a.c)",
        "wisp_add_app(): Wisp needs threads; set CONFIG_MULTITHREADING=y in prj.conf",
    ),
    (
        "set(CONFIG_WISP)\nset(CONFIG_XTENSA y)\nset(CONFIG_BOARD_TARGET b)\nwisp_add_app(NAME a SOURCE a.c)",
        "wisp_add_app(): b has an Xtensa core, for which the Rust project has no compiler; choose a board with an",
    ),
    (
        "set(CONFIG_WISP)\nset(CONFIG_ARC y)\nset(CONFIG_ARCH arc)\nset(CONFIG_BOARD_TARGET b)\n\
         wisp_add_app(NAME a SOURCE a.c)",
        "wisp_add_app(): b has a core of the kind ARC, for which the Rust project has no compiler; choose a board with an",
    ),
    (
        "set(CONFIG_WISP)\nset(CONFIG_SPARC y)\nset(CONFIG_ARCH sparc)\nset(CONFIG_BOARD_TARGET b)\n\
         wisp_add_app(NAME a SOURCE a.c)",
        "wisp_add_app(): b has a core of the kind SPARC, for which the Rust project has no library that rustup can",
    ),
    (
        "set(CONFIG_WISP)\nset(CONFIG_RISCV y)\nset(CONFIG_BOARD_TARGET b)\nwisp_add_app(NAME a SOURCE a.c)",
        "wisp_add_app(): b has a RISC-V core of the E kind with 16 registers, or one of 128 bits; Wisp needs RV32I or",
    ),
    (
        "set(CONFIG_WISP)\nset(CONFIG_ARM y)\nset(CONFIG_BIG_ENDIAN y)\nset(CONFIG_BOARD_TARGET b)\n\
         wisp_add_app(NAME a SOURCE a.c)",
        "wisp_add_app(): b has the most significant byte first, and Wisp needs the least significant one first; choose",
    ),
    (
        "set(CONFIG_WISP)\nset(CONFIG_X86 y)\nset(CONFIG_BOARD_TARGET b)\nwisp_add_app(NAME a SOURCE a.c)",
        "wisp_add_app(): b has an x86 core without SSE2, which Rust's library for 32 bits needs; choose a board with a newer",
    ),
    ("wisp_add_app(SOURCE a.c)", "wisp_add_app(): NAME is needed, the name by which the firmware finds the image"),
    (
        "wisp_add_app(NAME a TRIM NO SOURCE a.c)",
        "wisp_add_app(NAME a): not understood: TRIM;NO; expected SOURCE, WASM, LIBC, REACTOR, STACK, HEAP, <>NAMES, AOT,",
    ),
    ("wisp_add_app(NAME a LIBC musl SOURCE a.c)", "wisp_add_app(NAME a): LIBC is musl; expected wasi or tiny"),
    (
        "wisp_add_app(NAME a SOURCE a.c STACK)",
        "wisp_add_app(NAME a): nothing stands behind STACK; give a value, or leave the word out",
    ),
    (
        "wisp_add_app(NAME a SOURCE a.c HEAP 4k)",
        "wisp_add_app(NAME a): HEAP is 4k; expected a whole number, in digits and without a unit",
    ),
    (
        "wisp_add_app(NAME a SOURCE a.c VERSION 1.2)",
        "wisp_add_app(NAME a): VERSION is 1.2; expected MAJOR.MINOR.PATCH, up to 255.255.65535",
    ),
    (
        "wisp_add_app(NAME a_name_that_is_one_byte_too_long SOURCE a.c)",
        "wisp_add_app(NAME a_name_that_is_one_byte_too_long): the name has 32 bytes; expected 31 at most",
    ),
    (
        "wisp_check_unique(a-b a_b)\nwisp_check_unique(a_c a_c)\nwisp_check_unique(a_b a_b)",
        "wisp_add_app(NAME a_b): the firmware has the app a-b already; give this one a NAME that differs in letters or \
         digits",
    ),
    (
        "wisp_add_update(NAME a VERSION 1 SOURCE a.c)",
        "wisp_add_update(NAME a): VERSION is 1; expected MAJOR.MINOR.PATCH, up to 255.255.65535",
    ),
    (
        "wisp_add_update(NAME a VERSION 1.0.0 ROLLBACK one SOURCE a.c)",
        "wisp_add_update(NAME a): ROLLBACK is one; expected a whole number, in digits and without a unit",
    ),
    ("wisp_add_app(NAME a)", "wisp_add_app(NAME a): give one of SOURCE and WASM: what the guest is compiled from, or"),
    ("wisp_add_app(NAME a SOURCE a.c WASM a.wasm)", "wisp_add_app(NAME a): give one of SOURCE and WASM: what"),
    (
        "wisp_add_app(NAME a SOURCE a.c nowhere.c)",
        "wisp_add_app(NAME a): <>/nowhere.c does not exist; SOURCE is relative to the CMakeLists.txt that calls it",
    ),
    (
        "wisp_add_app(NAME a SOURCE empty)",
        "wisp_add_app(NAME a): <>/empty has neither a Cargo.toml nor C files; give the folder of a guest, or its C files",
    ),
    (
        "wisp_add_app(NAME a SOURCE a.c AOT)",
        "wisp_add_app(NAME a AOT): CONFIG_WISP_NATIVE is not enabled; set it in prj.conf, or leave AOT out",
    ),
    ("wisp_add_update(NAME a SOURCE a.c)", "wisp_add_update(NAME;a;SOURCE;a.c): NAME, VERSION and SOURCE are needed"),
    (
        "wisp_add_update(NAME a VERSION 1.0.0 SIGN SOURCE a.c)",
        "wisp_add_update(NAME a): not understood: SIGN; expected VERSION, SOURCE, KEY, ROLLBACK, STACK, LIBC",
    ),
    (
        "wisp_add_update(NAME a VERSION 1.0.0 SOURCE nowhere.c)",
        "wisp_add_update(NAME a): <>/nowhere.c does not exist; SOURCE is relative to the CMakeLists.txt that calls it",
    ),
    (
        "wisp_add_update(NAME a VERSION 1.0.0 SOURCE a.c KEY nowhere.pem)",
        "wisp_add_update(NAME a): the secret key <>/nowhere.pem does not exist; `wisp keygen` makes one",
    ),
    (
        "set(CONFIG_WISP_SIGNATURE_KEY_FILE nowhere.pub.pem)\ninclude(@ROOT@/src/storage/signature.cmake)",
        "CONFIG_WISP_SIGNATURE_KEY_FILE: <>/nowhere.pub.pem does not exist; give the public key that `wisp keygen` \
         writes beside the secret one, name.pub.pem",
    ),
    (
        "set(CONFIG_WISP_MGMT_SIGNED y)\ninclude(@ROOT@/src/storage/signature.cmake)",
        "CONFIG_WISP_MGMT_SIGNED: CONFIG_WISP_MANAGEMENT_KEY_FILE names no key, so that nobody could manage the apps; \
         give it the public key that `wisp keygen --role management` writes, name.pub.pem",
    ),
];

/// Beginnings of messages about the machine and the board, which no project brings about.
const OF_THE_MACHINE: &[&str] = &[
    "Wisp: no Rust",
    "clang was not found",
    "no linker for wasm",
    "guest/c/tiny is for C only",
    "is built for",
    "llvm-nm was not found",
    "has no Cargo.toml",
    "does not exist, or is no file",
    "is a source and is not replaced",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs a program that must fail, and returns what it says, in one line.
fn fails(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    let said = String::from_utf8_lossy(&stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!status.success(), "{command:?} went well: {said}");
    said
}

fn configure(project: &str) -> String {
    let folder = Folder::new();
    let text = format!("{PROJECT}{project}\n").replace("@ROOT@", &root().display().to_string());
    folder.write("CMakeLists.txt", text);
    folder.write("a.c", "");
    std::fs::create_dir(folder.path("empty")).unwrap();
    fails(Command::new("cmake").args(["-S", ".", "-B", "build"]).current_dir(folder.path("")))
}

/// Returns the message of the firmware's build about key files. Arguments are separated by spaces.
fn public_keys(arguments: &str) -> String {
    let folder = Folder::new();
    folder.succeeds("keygen key.pem");
    folder.succeeds("keygen root.pem --role root");
    folder.succeeds("keygen manager.pem --role management");
    folder.write("other.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    let text = String::from_utf8(folder.read("key.pub.pem")).unwrap();
    folder.write("unmarked.pub.pem", text.replace("Wisp-Role: app\n", ""));
    for number in 0..9 {
        folder.succeeds(&format!("keygen {number}.pem"));
        folder.succeeds(&format!("keygen compile{number}.pem --role compile"));
    }
    let script = root().join("scripts/public_keys.py");
    let command = ["--output", "keys.c"].into_iter().chain(arguments.split_whitespace());
    fails(Command::new("python3").arg(script).args(command).current_dir(folder.path("")))
}

/// Returns the page's patterns, with variables of CMake and Python as words in angle brackets.
fn explained() -> Vec<String> {
    let angle = |pattern: &str| pattern.replace("${", "<").replace('{', "<").replace('}', ">");
    patterns("CMake").into_iter().map(angle).collect()
}

/// The options of Zephyr's configuration, and the Rust target that the build chooses for them.
const TARGETS: &[(&str, &str)] = &[
    ("CPU_CORTEX_M CPU_CORTEX_M0", "thumbv6m-none-eabi"),
    ("CPU_CORTEX_M CPU_CORTEX_M0PLUS", "thumbv6m-none-eabi"),
    ("CPU_CORTEX_M CPU_CORTEX_M3", "thumbv7m-none-eabi"),
    ("CPU_CORTEX_M CPU_CORTEX_M4 FP_HARDABI", "thumbv7em-none-eabihf"),
    ("CPU_CORTEX_M CPU_CORTEX_M7", "thumbv7em-none-eabi"),
    ("CPU_CORTEX_M CPU_CORTEX_M23", "thumbv8m.base-none-eabi"),
    ("CPU_CORTEX_M CPU_CORTEX_M33", "thumbv8m.main-none-eabi"),
    ("CPU_CORTEX_M CPU_CORTEX_M55 FP_HARDABI", "thumbv8m.main-none-eabihf"),
    ("CPU_CORTEX_M CPU_CORTEX_M85", "thumbv8m.main-none-eabi"),
    ("ARM64 64BIT", "aarch64-unknown-none-softfloat"),
    ("ARM64 64BIT FPU FPU_SHARING", "aarch64-unknown-none"),
    ("RISCV RISCV_ISA_RV32I", "riscv32i-unknown-none-elf"),
    ("RISCV RISCV_ISA_RV32I RISCV_ISA_EXT_M RISCV_ISA_EXT_C", "riscv32imc-unknown-none-elf"),
    ("RISCV RISCV_ISA_RV64I 64BIT", "riscv64imac-unknown-none-elf"),
    ("RISCV RISCV_ISA_RV64I 64BIT FLOAT_HARD", "riscv64gc-unknown-none-elf"),
    ("X86 X86_64 64BIT", "x86_64-unknown-none"),
];

#[test]
fn each_processor_gets_its_rust_target() {
    if Command::new("cmake").arg("--version").output().is_err() {
        eprintln!("skipped: no cmake here");
        return;
    }
    let check = "function(check target)\nforeach(option IN LISTS ARGN)\nset(CONFIG_${option} y)\nendforeach()\n\
                 wisp_rust_target(found)\nif(NOT found STREQUAL target)\n\
                 message(SEND_ERROR \"wrong: ${ARGN}: ${found} and not ${target}\")\nendif()\nendfunction()\n";
    let calls: String = TARGETS.iter().map(|(options, target)| format!("check({target} {options})\n")).collect();
    // CMake has to come to this end, and to fail for no other reason.
    let said = configure(&format!("{check}{calls}message(FATAL_ERROR \"all compared\")"));
    assert!(said.contains("all compared") && !said.contains("wrong: "), "{said}");
}

#[test]
fn each_mistake_in_a_build_file_is_told_in_full_and_explained_on_the_page() {
    if Command::new("cmake").arg("--version").output().is_err() {
        eprintln!("skipped: no cmake here");
        return;
    }
    let mut said: Vec<(String, &str)> = CASES.iter().map(|(project, message)| (configure(project), *message)).collect();
    let nine = (0..9).fold("--app".to_owned(), |all, number| format!("{all} {number}.pub.pem"));
    let names = |role: &str, count| (0..count).map(|number| format!(" {role}{number}.pub.pem")).collect::<String>();
    let five_and_four = format!("--app{} --compile{}", names("", 5), names("compile", 4));
    let keys = [
        (
            "--app key.pem",
            "CONFIG_WISP_SIGNATURE_KEY_FILE: key.pem is a secret key; give the firmware the public one, name.pub.pem",
        ),
        (
            "--app other.pem",
            "CONFIG_WISP_SIGNATURE_KEY_FILE: other.pem is no Ed25519 public key in PEM; wisp keygen makes one",
        ),
        (
            "--app root.pub.pem",
            "CONFIG_WISP_SIGNATURE_KEY_FILE: root.pub.pem is marked as a key of the role root; it belongs into \
             CONFIG_WISP_ROOT_KEY_FILE",
        ),
        (
            "--root key.pub.pem",
            "CONFIG_WISP_ROOT_KEY_FILE: key.pub.pem is marked as a key of the role app; it belongs into \
             CONFIG_WISP_SIGNATURE_KEY_FILE",
        ),
        (
            "--app key.pub.pem unmarked.pub.pem",
            "CONFIG_WISP_SIGNATURE_KEY_FILE: unmarked.pub.pem holds a key that is given twice",
        ),
        (
            "--app key.pub.pem --root unmarked.pub.pem",
            "CONFIG_WISP_ROOT_KEY_FILE: a root key is an app key, too; make a key of its own with wisp keygen --role \
             root, and keep its secret part offline",
        ),
        (
            "--root manager.pub.pem",
            "CONFIG_WISP_ROOT_KEY_FILE: manager.pub.pem is marked as a key of the role management; it belongs into \
             CONFIG_WISP_MANAGEMENT_KEY_FILE",
        ),
        (
            "--app key.pub.pem --management unmarked.pub.pem",
            "CONFIG_WISP_MANAGEMENT_KEY_FILE: a management key signs images, too; make a key of its own with wisp keygen \
             --role management",
        ),
        (
            "--compile key.pub.pem",
            "CONFIG_WISP_COMPILE_KEY_FILE: key.pub.pem is marked as a key of the role app; it belongs into \
             CONFIG_WISP_SIGNATURE_KEY_FILE",
        ),
        (
            "--app key.pub.pem --compile unmarked.pub.pem",
            "CONFIG_WISP_COMPILE_KEY_FILE: a compile key signs images, too; make a key of its own with wisp keygen \
             --role compile",
        ),
        (
            &five_and_four,
            "CONFIG_WISP_COMPILE_KEY_FILE: 5 app keys and 4 compile keys are too many, expected 8 together at most: a \
             device can remember the retirement of no more",
        ),
        (
            &nine,
            "CONFIG_WISP_SIGNATURE_KEY_FILE: 9 keys are too many, expected 8 at most: a device can remember the \
             retirement of no more",
        ),
    ];
    said.extend(keys.map(|(arguments, message)| (public_keys(arguments), message)));

    let patterns = explained();
    let mut wrong = String::new();
    for (text, message) in &said {
        if !fits(message, text) {
            wrong += &format!("says     {text}\nexpected {message}\n");
        }
        if !patterns.iter().any(|pattern| fits(pattern, text)) {
            wrong += &format!("says     {text}\nwhich doc/errors.md does not explain\n");
        }
    }
    for pattern in patterns.iter().filter(|pattern| !OF_THE_MACHINE.iter().any(|start| pattern.starts_with(start))) {
        if !said.iter().any(|(text, _)| fits(pattern, text)) {
            wrong += &format!("doc/errors.md explains {pattern}\nwhich no case here brings about\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_script_for_guests_says_what_is_wrong_and_keeps_the_sources() {
    let folder = Folder::new();
    folder.write("a.c", "int main(void) { return 0; }\n");
    std::fs::create_dir(folder.path("empty")).unwrap();
    for (arguments, message) in [
        ("c -o a.wasm b.c", "guest.py: b.c does not exist, or is no file; give the C or C++ files of the guest"),
        ("c -o a.wasm empty", "guest.py: empty does not exist, or is no file; give the C or C++ files of the guest"),
        ("c -o a.c a.c", "guest.py: a.c is a source and is not replaced; give --output another file"),
        ("rust -o a.wasm empty", "guest.py: empty has no Cargo.toml; give the folder of a Cargo package"),
        ("rust -o a.wasm nowhere", "guest.py: nowhere has no Cargo.toml; give the folder of a Cargo package"),
    ] {
        let script = root().join("scripts/guest.py");
        let mut command = Command::new("python3");
        assert_eq!(fails(command.arg(script).args(arguments.split(' ')).current_dir(folder.path(""))), message);
    }
    assert_eq!(folder.read("a.c"), b"int main(void) { return 0; }\n");
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp inspect`.

mod common;

use common::Folder;

const MODULE: &str = r#"(module
  (import "wisp:timer@1" "uptime_us" (func $now (result i64)))
  (memory (export "memory") 1 3)
  (table (export "table") 2 funcref)
  (elem (i32.const 1) $now)
  (data (i32.const 16) "abc")
  (global (export "g") (mut i64) (i64.const 5))
  (func (export "f") (param i32) (result i64) (i64.add (call $now) (i64.extend_i32_u (local.get 0)))))"#;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.module("a.wasm", MODULE);
    folder.succeeds("build a.wasm --quiet");
    folder
}

#[test]
fn everything_an_app_needs_and_offers_is_shown() {
    let shown = folder().succeeds("inspect a.wisp");
    for part in [
        "hash: correct",
        "signature: none",
        "code: verified, 1 functions",
        "linear memory: 65536 bytes, at most 196608; pages of 65536",
        "globals: 8 bytes",
        "table 0: 2 funcref",
        "wisp:timer@1 uptime_us func () -> (i64)",
        "f func (i32) -> (i64)",
        "memory memory",
        "g global 0",
        "data 0: 3 bytes at 0x10",
        "elements 0: 1 funcref, at 0x1, table 0",
        "Manifest",
        "Code",
    ] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    assert!(!shown.contains("enter"), "code only when asked for");
}

#[test]
fn the_code_is_shown_op_by_op() {
    let shown = folder().succeeds("inspect a.wisp --code");
    for part in ["function 0 (i32) -> (i64)", "enter frame", "call_import frame", "i64.add", "return64"] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
}

#[test]
fn damage_is_found() {
    let folder = folder();
    let mut image = folder.read("a.wisp");
    let middle = image.len() / 2;
    image[middle] ^= 1;
    folder.write("a.wisp", &image);
    let run = folder.wisp("inspect a.wisp");
    assert_eq!(run.code, Some(1), "{}{}", run.out, run.err);
    assert!((run.out + &run.err).contains("WRONG"));
}

#[test]
fn a_wasm_module_is_no_image() {
    folder().fails("inspect a.wasm", &["a.wasm: ", "raw wasm module", "wisp build"]);
}

#[test]
fn names_of_c_stay_what_they_are() {
    let folder = Folder::new();
    folder.module("a.wasm", "(module (func $i unreachable) (func $v (export \"go\") (call $i)))");
    let run = folder.wisp("run a.wasm --invoke go");
    assert!(run.err.contains("  0: `i`, ") && run.err.contains("  1: `v`, "), "{}", run.err);
    folder.succeeds("build a.wasm --quiet");
    let shown = folder.succeeds("inspect a.wisp --code");
    assert!(shown.contains("function 0 `i` ") && shown.contains("function 1 `v` "), "{shown}");
}

#[cfg(all(target_arch = "x86_64", unix))]
mod native {
    use super::*;

    /// Returns the module with native code for the workstation, made with these flags.
    fn with(flags: &str) -> Folder {
        let folder = folder();
        folder.succeeds(&format!("build a.wasm --target x86-64 --quiet {flags}"));
        folder
    }

    #[test]
    fn sections_are_shown() {
        for (flags, parts) in [
            (
                "",
                [
                    "code: verified, 1 functions",
                    "checks: merged where they can be; traps name their place",
                    "polls the stop flag",
                ],
            ),
            (
                "--native-only",
                ["code: none, 1 functions in native code only", "x86-64 (x86-64): ", "polls the stop flag"],
            ),
            (
                "--strict --stop async --no-trap-sites",
                ["checks: strict", "traps name their function only", "stop: async"],
            ),
        ] {
            let shown = with(flags).succeeds("inspect a.wisp");
            for part in
                parts.iter().chain(&["hash: correct", "\nnative code\n", " functions\n    ABI ", "memory: 65536 bytes"])
            {
                assert!(shown.contains(part), "{flags}: `{part}` is not in:\n{shown}");
            }
        }
    }

    #[test]
    fn an_image_of_native_code_is_verified() {
        let folder = with("--native-only");
        folder.succeeds("keygen k.pem");
        folder.succeeds("sign a.wisp --key k.pem");
        let said = folder.succeeds("verify a.wisp --key k.pub.pem");
        assert!(said.ends_with(", native code only, for x86-64\n"), "{said}");
        let run = folder.wisp("inspect a.wisp --code");
        assert_eq!(run.code, Some(0));
        assert!(run.err.contains("there is no IR to show"), "{}", run.err);
    }

    #[test]
    fn a_section_of_another_module_is_refused() {
        let folder = with("--native-only");
        let mut bytes = folder.read("a.wisp");
        let native = wisp_image::Image::parse(&bytes).unwrap().native_sections().next().unwrap().1;
        let at = native.as_ptr().addr() - bytes.as_ptr().addr();
        bytes[at + wisp_image::native::header::WASM_HASH] ^= 1;
        folder.write("a.wisp", &bytes);
        let run = folder.wisp("inspect a.wisp");
        let refused =
            "REFUSED, a device will not run it: the native code was made from another wasm module than the image";
        assert!(run.code == Some(1) && run.out.contains(refused), "{}", run.out);
    }
}

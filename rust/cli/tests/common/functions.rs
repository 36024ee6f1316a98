// SPDX-License-Identifier: Apache-2.0
//! Mistakes with functions of a firmware that a board file stubs.

use super::{Case, Folder};

/// An app that imports a function of a firmware.
const APP: &str = r#"(module (import "acme:lamp@1" "f" (func (param i64))) (func (export "_start")))"#;

fn board(folder: &Folder, text: &str) {
    folder.module("a.wasm", APP);
    folder.write("board.toml", text);
}

/// Each mistake.
pub const CASES: &[Case] = &[
    (
        "run a.wasm",
        "a.wasm: the app cannot be linked:\n  import `acme:lamp@1` `f`: nobody has this interface: the app was built for \
         another host, or for a firmware with functions of its own; the file for --board can stub those:\n    \
         [functions.\"acme:lamp@1\"]\n    f = { signature = \"(I)\" }\n",
        |f| f.module("a.wasm", APP),
    ),
    (
        "run a.wasm --board board.toml",
        "a.wasm: the app cannot be linked:\n  import `acme:lamp@1` `f`: the app has it as (i64) -> (), the board as () -> (); \
         build the app for this firmware, or write in [functions.\"acme:lamp@1\"]: f = { signature = \"(I)\" }",
        |f| {
            f.write("board.toml", "[functions.\"acme:lamp@1\"]\nf = { signature = \"()\" }\n");
            f.module("a.wasm", APP);
        },
    ),
    (
        "run a.wasm --board board.toml",
        "a.wasm: the app cannot be linked:\n  import `acme:lamp@1` `f`: the board has no such function of the firmware; stub \
         it there:\n    [functions.\"acme:lamp@1\"]\n    f = { signature = \"(I)\" }",
        |f| {
            f.write("board.toml", "[functions.\"acme:lamp@1\"]\ng = { signature = \"()\" }\n");
            f.module("a.wasm", APP);
        },
    ),
    (
        "run a.wasm --board board.toml",
        "board.toml:2:19: functions.\"acme:lamp@1\".f: signature = \"i32\", expected the letters of the parameters in \
         brackets and those of the results, such as \"(*~i)i\"; i, I, f and F are i32, i64, f32 and f64, and *~ is an \
         address and a length",
        |f| board(f, "[functions.\"acme:lamp@1\"]\nf = { signature = \"i32\" }\n"),
    ),
    (
        "run a.wasm --board board.toml",
        "board.toml:2:36: functions.\"acme:lamp@1\".f: returns = [0, 0.5], expected an i32, or a list of one for each call",
        |f| board(f, "[functions.\"acme:lamp@1\"]\nf = { signature = \"()i\", returns = [0, 0.5] }\n"),
    ),
    (
        "run a.wasm --board board.toml",
        "board.toml: functions.\"acme:lamp@1\".f: returns is missing, expected an i32, or a list of one for each call",
        |f| board(f, "[functions.\"acme:lamp@1\"]\nf = { signature = \"()i\" }\n"),
    ),
    (
        "run a.wasm --board board.toml",
        "board.toml:2:35: functions.\"acme:lamp@1\".f: by its signature it returns nothing; leave returns out",
        |f| board(f, "[functions.\"acme:lamp@1\"]\nf = { signature = \"()\", returns = 0 }\n"),
    ),
    (
        "run a.wasm --board board.toml",
        "board.toml:2:22: functions.\"wisp:gpio@1\".open: an interface of Wisp, which the board simulates; describe what it \
         grants under [apps]",
        |f| board(f, "[functions.\"wisp:gpio@1\"]\nopen = { signature = \"()\" }\n"),
    ),
    (
        "run a.wasm --board board.toml",
        "board.toml:2:21: functions.\"gpio\".led: the trace has a source of this name; a firmware's module has a name of its \
         own, as in \"acme:lamp@1\"",
        |f| board(f, "[functions.gpio]\nled = { signature = \"()\" }\n"),
    ),
    (
        "run a.wasm --board board.toml",
        "board.toml:2:17: apps.a.functions.\"acme:lamp@1\".f: no such function, expected one of \
         [functions.\"acme:lamp@1\"] with its signature",
        |f| board(f, "[apps.a.functions.\"acme:lamp@1\"]\nf = { returns = 0 }\n"),
    ),
];

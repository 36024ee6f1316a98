// SPDX-License-Identifier: Apache-2.0
//! `--json` of each verb, as `doc/cli.md` has it.

mod common;

use common::{Folder, Run};
use serde_json::Value;

const PAGE: &str = include_str!("../../../doc/cli.md");

/// Returns the members that the page names for a verb, in the first column of its table.
fn members(verb: &str) -> Vec<&'static str> {
    let start = PAGE.find(&format!("### `wisp {verb}`\n")).unwrap_or_else(|| panic!("no section of {verb}"));
    let text = &PAGE[start + 4..];
    let text = text.find("\n#").map_or(text, |end| &text[..end]);
    text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name).collect()
}

/// Checks that an object has the members of the page, and no others.
fn agrees(verb: &str, text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{verb}: {error}: {text}"));
    let found: Vec<&String> = value.as_object().unwrap().keys().collect();
    let mut expected = members(verb);
    if verb == "build" {
        expected.extend(members("inspect"));
    }
    expected.sort_unstable();
    assert_eq!(found, expected, "{verb}: {text}");
    value
}

fn one_line(run: &Run) -> &str {
    assert_eq!(run.out.lines().count(), 1, "{}{}", run.out, run.err);
    run.out.trim_end()
}

const MODULE: &str = r#"(module
  (memory (export "memory") 1)
  (func $bad (export "bad") unreachable)
  (func (export "add") (param i32 i32) (result i32 i32) (i32.add (local.get 0) (local.get 1)) (i32.const -1)))"#;

#[test]
fn each_verb_reports_what_the_page_says() {
    let folder = Folder::new();
    folder.module("a.wasm", MODULE);
    let verb = |verb: &str, arguments: &str| {
        let run = folder.wisp(&format!("{verb} {arguments} --json"));
        assert_eq!(run.code, Some(0), "{verb}: {}{}", run.out, run.err);
        agrees(verb, one_line(&run))
    };
    let built = verb("build", "a.wasm --name lamp --version 1.2.3");
    assert_eq!((&built["name"], &built["version"]), (&"lamp".into(), &"1.2.3".into()));
    assert_eq!(built["bytes"], folder.read("a.wisp").len());
    let shown = verb("inspect", "a.wisp");
    assert_eq!(shown["memory"]["bytes"], 65536);
    assert_eq!(shown["exports"][2]["type"], "func (i32, i32) -> (i32, i32)");
    let made = verb("keygen", "k.pem");
    let signed = verb("sign", "a.wisp --key k.pem");
    let verified = verb("verify", "a.wisp --key k.pub.pem");
    assert_eq!((&made["key"], &made["key"]), (&signed["key"], &verified["key"]));
    assert_eq!(verb("new", "lamp --lang c")["directory"], "lamp");
    assert!(verb("completions", "fish")["script"].as_str().unwrap().contains("wisp"));
    assert!(verb("man", "pages")["files"].as_array().unwrap().contains(&"wisp-build.1".into()));
    // of a device: a trap, with symbols and without
    let id = {
        let text = String::from_utf8(folder.read("a.wisp.sym")).unwrap();
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_string();
        format!("{}:{:x}", &field("wasm ")[..8], field("code ").parse::<u32>().unwrap())
    };
    folder.write("log", format!("a line\na: trap 1 (unreachable), image {id}, at 0@0x4\n"));
    let trap = verb("symbolize", "-s a.wisp.sym log");
    assert_eq!((&trap["line"], &trap["known"]), (&2.into(), &true.into()));
    assert!(trap["frames"][0][0].as_str().unwrap().starts_with("`bad`, "), "{trap}");
}

#[test]
fn a_run_reports_behind_what_the_guest_prints() {
    let folder = Folder::new();
    folder.module("a.wasm", MODULE);
    let run = folder.wisp("run a.wasm --json --invoke add 3 4");
    assert_eq!((run.code, run.out.as_str()), (Some(0), ""));
    let report = agrees("run", run.err.trim_end());
    assert_eq!((&report["ended"], &report["results"]), (&"returned".into(), &serde_json::json!(["7", "-1"])));
    let run = folder.wisp("run a.wasm --json --invoke bad");
    let report = agrees("run", run.err.trim_end());
    assert_eq!((run.code, &report["exit_code"]), (Some(134), &134.into()));
    assert_eq!((&report["ended"], &report["trap"]), (&"trapped".into(), &"unreachable".into()));
}

#[test]
fn a_failure_is_an_object_and_a_sentence() {
    let folder = Folder::new();
    let run = folder.wisp("--json build nowhere.wasm");
    assert_eq!(run.code, Some(1));
    let value: Value = serde_json::from_str(one_line(&run)).unwrap();
    let said = "nowhere.wasm: cannot be read: No such file or directory (os error 2)";
    assert_eq!(value, serde_json::json!({ "error": said }));
    assert_eq!(run.err, format!("wisp: {said}\n"));
}

#[test]
fn shells_and_manuals_know_every_verb() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.succeeds(&format!("completions {shell}"));
        for verb in ["symbolize", "inspect", "keygen"] {
            assert!(script.contains(verb), "{shell}: {verb}");
        }
    }
    folder.succeeds("man a/new/folder");
    let page = String::from_utf8(folder.read("a/new/folder/wisp-verify.1")).unwrap();
    assert!(page.contains(".TH wisp-verify 1") && page.contains("A public app key that the device knows"), "{page}");
    folder.write("file", "");
    folder.fails("man file", &["file: cannot be written: "]);
}

#[test]
fn arguments_that_are_not_understood_are_an_error_object_too() {
    let folder = Folder::new();
    for (command, error) in [
        ("build --json", "the following required arguments were not provided:\n  <FILE>"),
        ("--json build", "the following required arguments were not provided:\n  <FILE>"),
        (
            "build a.wasm --heap 4k --json",
            "invalid value '4k' for '--heap <BYTES>': expected a whole number from 0 to 4294967295, in digits and without \
             a unit",
        ),
        ("buidl --json", "unrecognized subcommand 'buidl'\n  tip: a similar subcommand exists: 'build'"),
        ("new lamp --json", "the following required arguments were not provided:\n  --lang <rust|c|cpp|assemblyscript|zig>"),
    ] {
        let run = folder.wisp(command);
        assert_eq!(run.code, Some(2), "{command}");
        let object: Value = serde_json::from_str(one_line(&run)).unwrap();
        assert_eq!(object["error"], error, "{command}");
        assert!(run.err.starts_with("error: "), "{command}: {}", run.err);
    }
    let plain = folder.wisp("build");
    assert_eq!((plain.code, plain.out.as_str()), (Some(2), ""));
    let help = folder.wisp("build --json --help");
    assert_eq!(help.code, Some(0));
    assert!(help.out.starts_with("Compile a wasm module"), "{}", help.out);
}

#[test]
fn quiet_leaves_the_object_and_nothing_else() {
    let folder = Folder::new();
    folder.module("a.wasm", MODULE);
    let run = folder.wisp("build a.wasm --quiet --json");
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    agrees("build", one_line(&run));
}

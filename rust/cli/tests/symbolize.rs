// SPDX-License-Identifier: Apache-2.0
//! `wisp symbolize`, with guests that real compilers made.

mod common;

use std::process::Command;

use common::Folder;

/// The module made from the package beside it, see there, in hexadecimal digits.
const RUST: &str = include_str!("guests/average.hex");
const RUST_SOURCE: &str = include_str!("guests/average/src/lib.rs");
const C_SOURCE: &str = include_str!("guests/faulty.c");
const WEAK_SOURCE: &str = include_str!("guests/weak.c");

/// Returns the number of the line that ends in this comment.
fn line(source: &str, comment: &str) -> usize {
    let with = |line: &str| line.ends_with(&format!("// {comment}")) || line.ends_with(&format!("/* {comment} */"));
    source.lines().position(with).expect("the comment is in the source") + 1
}

/// Runs an image without its symbols: the frames as a device tells them.
fn places(folder: &Folder, call: &str) -> String {
    let run = folder.wisp(&format!("run {call}"));
    let number = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap().to_string();
    let frames = run.err.lines().filter_map(|line| {
        let (_, function) = line.split_once(": function ")?;
        let (_, offset) = line.split_once("code offset ")?;
        Some(format!("{}@{}", number(function), number(offset)))
    });
    frames.collect::<Vec<_>>().join(" < ")
}

/// Returns the id of an image, from its symbols.
fn id(symbols: &str) -> String {
    let field = |name: &str| symbols.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    format!("{}:{:x}", &field("wasm ")[..8], field("code ").parse::<u32>().unwrap())
}

fn symbolized(folder: &Folder, name: &str, call: &str, reason: &str) -> String {
    folder.succeeds(&format!("build {name}.wasm --quiet --symbols kept.sym"));
    let places = places(folder, &format!("{name}.wisp --invoke {call}"));
    let id = id(&String::from_utf8(folder.read("kept.sym")).unwrap());
    let log = format!(
        "[00:00:00.100,000] <inf> wisp: {name}: began\r\n\
         [00:00:00.200,000] <err> wisp: {name}: trap {reason}, image {id}, at {places}\r\n\
         [00:00:00.300,000] <inf> main: goes on\r\n"
    );
    folder.write("log", &log);
    let text = folder.succeeds("symbolize --symbols kept.sym log");
    let mut lines = text.split_inclusive('\n');
    let mut passed = log.split_inclusive('\n');
    assert_eq!(lines.next(), passed.next());
    assert_eq!(lines.next(), passed.next());
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.last().copied(), passed.next());
    lines[..lines.len() - 1].concat()
}

#[test]
fn a_rust_guests_panic_leads_to_its_lines() {
    let folder = Folder::new();
    let digits: String = RUST.split_whitespace().collect();
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    folder.write("average.wasm", (0..digits.len()).step_by(2).map(byte).collect::<Vec<_>>());
    let text = symbolized(&folder, "average", "average 0", "1 (unreachable)");
    let at = |comment: &str| format!("/average/src/lib.rs:{}:", line(RUST_SOURCE, comment));
    for expected in [
        format!("`panic` at {}", at("TRAP")),
        "`core::panicking::panic_const::panic_const_div_by_zero` at ".to_string(),
        format!("`divide` at {}", at("PANIC")),
        format!("`<average::Samples as average::Mean>::mean` at {}", at("INLINED")),
        format!("`average` at {}", at("CALL")),
    ] {
        assert!(text.lines().any(|line| line.contains(&expected)), "{expected} is not in:\n{text}");
    }
    assert!(text.contains("wasm offset 0x"), "{text}");
}

#[test]
fn a_c_guests_trap_leads_to_its_lines() {
    let Some(clang) = ["clang", "clang-21", "clang-20", "clang-19", "clang-18"]
        .into_iter()
        .find(|clang| Command::new(clang).arg("--version").output().is_ok_and(|output| output.status.success()))
    else {
        eprintln!("skipped: no clang here");
        return;
    };
    let folder = Folder::new();
    folder.write("faulty.c", C_SOURCE);
    folder.write("weak.c", WEAK_SOURCE);
    let flags = "--target=wasm32 -O2 -g -nostdlib -Wl,--no-entry -o faulty.wasm weak.c faulty.c";
    let status = Command::new(clang).args(flags.split(' ')).current_dir(folder.path("")).status();
    assert!(status.is_ok_and(|status| status.success()), "{clang} {flags}");
    let text = symbolized(&folder, "faulty", "faulty 1", "8 (integer divide by zero)");
    let lines: Vec<&str> = text.lines().collect();
    let at = |comment: &str| format!("faulty.c:{}:", line(C_SOURCE, comment));
    for (index, start, place) in [
        (0, "  0: `share` at ", at("TRAP")),
        (1, "     `split` at ", at("INLINED")),
        (2, "  1: `faulty` at ", at("CALL")),
    ] {
        let line = lines.get(index).copied().unwrap_or_default();
        assert!(line.starts_with(start) && line.contains(&place), "{start}{place} is not in:\n{text}");
    }
    assert!(lines[0].ends_with(", inlined into") && lines[1].contains(", wasm offset 0x"), "{text}");
}

const TWO: &str = r#"(module
  (func $deep (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
  (func (export "run") (result i32) (call $deep (i32.const 0))))"#;

#[test]
fn without_debug_information_there_are_names_and_offsets() {
    let folder = Folder::new();
    folder.module("two.wasm", TWO);
    let text = symbolized(&folder, "two", "run", "8 (integer divide by zero)");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].starts_with("  0: `deep`, wasm offset 0x"), "{text}");
    assert!(lines[1].starts_with("  1: function 1, wasm offset 0x"), "{text}");
}

#[test]
fn a_trap_of_another_build_is_told_and_the_log_still_passes() {
    let folder = Folder::new();
    folder.module("two.wasm", TWO);
    folder.succeeds("build two.wasm --quiet");
    let id = id(&String::from_utf8(folder.read("two.wisp.sym")).unwrap());
    let line = "two: trap 8 (integer divide by zero), image 01234567:e, at 0@0x6\n";
    folder.write("log", line);
    let run = folder.wisp("symbolize --symbols two.wisp.sym log");
    assert_eq!(run.code, Some(1));
    assert_eq!(run.out, line);
    assert_eq!(
        run.err,
        format!(
            "wisp: line 1: the trap is in image 01234567:e, no symbols given are of that build (two.wisp.sym is of \
             {id}); take those that `wisp build` wrote together with the image that runs there\n"
        )
    );
}

#[test]
fn several_apps_find_their_symbols() {
    let folder = Folder::new();
    folder.module("one.wasm", TWO);
    folder.module("two.wasm", "(module (func $other (export \"run\") unreachable))");
    folder.succeeds("build one.wasm --quiet");
    folder.succeeds("build two.wasm --quiet");
    let sym = |name| id(&String::from_utf8(folder.read(name)).unwrap());
    let (one, two) = (sym("one.wisp.sym"), sym("two.wisp.sym"));
    folder.write("log", format!("a: trap 8 (x), image {one}, at 0@0x6\nb: trap 1 (y), image {two}, at 0@0x4\n"));
    let text = folder.succeeds("symbolize -s one.wisp.sym -s two.wisp.sym log");
    assert!(text.contains("`deep`") && text.contains("`other`"), "{text}");
}

#[test]
fn what_are_no_symbols_is_refused() {
    let folder = Folder::new();
    folder.module("two.wasm", TWO);
    folder.succeeds("build two.wasm --quiet --no-symbols");
    assert!(!folder.path("two.wisp.sym").exists());
    folder.write("log", "");
    folder.fails("symbolize -s two.wisp log", &["two.wisp: expected symbols", ".sym that `wisp build` wrote"]);
    folder.fails("symbolize -s log log", &["log: line 1: found ``, expected `wisp-symbols 1`"]);
    folder.fails("symbolize -s nowhere.sym log", &["nowhere.sym: cannot be read"]);
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp run`.

mod common;

use common::Folder;
use wisp_image::format::IR_VERSION;

const CALC: &str = r#"(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "wide") (param i64) (result i64) (i64.add (local.get 0) (i64.const 1)))
  (func (export "half") (param f64) (result f32 f64)
    (f32.demote_f64 (f64.mul (local.get 0) (f64.const 0.5))) (f64.mul (local.get 0) (f64.const 0.5)))
  (func (export "null") (result externref) (ref.null extern)))"#;

const TRAPS: &str = r#"(module
  (memory 1)
  (table 1 funcref)
  (type $none (func))
  (func $load (export "load") (result i32) (i32.load (i32.const 65536)))
  (func (export "outer") (drop (call $load)) (unreachable))
  (func (export "unreachable") (unreachable))
  (func (export "divide") (result i32) (i32.div_u (i32.const 1) (i32.const 0)))
  (func (export "null") (call_indirect (type $none) (i32.const 0)))
  (func $deep (export "deep") (call $deep))
  (func (export "spin") (loop (br 0))))"#;

const GUEST: &str = r#"(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\03\00\00\00hi\n")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
    (call $exit (i32.const 42))))"#;

/// The guest of `samples/host_functions`, without its printing.
const DIMMER: &str = r#"(module
  (import "acme:lamp@1" "set" (func $set (param i32 i32 i32) (result i32)))
  (import "acme:lamp@1" "fade" (func $fade (param i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "hall")
  (func (export "_start") (local $percent i32) (local $error i32)
    (loop $next
      (local.set $percent (i32.add (local.get $percent) (i32.const 20)))
      (local.set $error (call $set (i32.const 32) (i32.const 4) (local.get $percent)))
      (if (local.get $error) (then (call $exit (i32.sub (i32.const 0) (local.get $error)))))
      (call $fade (i32.const 50))
      (br_if $next (i32.lt_u (local.get $percent) (i32.const 100))))))"#;

#[test]
fn a_board_stubs_functions_of_the_firmware() {
    let folder = Folder::new();
    folder.module("dimmer.wasm", DIMMER);
    folder.write("board.toml", include_str!("../../../samples/host_functions/guest/board.toml"));
    let line = |us: u32, app: &str, call: &str| format!("[00:00:00.000,{us:03}] <inf> {app}: acme:lamp@1 {call}\n");
    let mut evening = String::new();
    for step in 1..=3 {
        evening += &line(2 * step - 1, "evening", &format!("set (\"hall\", {}) -> 0", 20 * step));
        evening += &line(2 * step, "evening", "fade (50)");
    }
    evening += &line(7, "evening", "set (\"hall\", 80) -> -34");
    let visitor = line(1, "visitor", "set (\"hall\", 20) -> -13");
    folder.succeeds("build dimmer.wasm --quiet");
    for file in ["dimmer.wasm", "dimmer.wisp", "dimmer.wasm --native"] {
        for (app, code, expected) in [("evening", 34, &evening), ("visitor", 13, &visitor)] {
            if file.contains("--native") && !cfg!(target_arch = "x86_64") {
                continue;
            }
            let run = folder.wisp(&format!("run {file} --board board.toml --app {app}"));
            assert_eq!((run.code, &run.out, run.err.as_str()), (Some(code), expected, ""), "{file}");
        }
    }
    let quiet = folder.wisp("run dimmer.wasm --board board.toml --app evening --trace off");
    assert_eq!((quiet.code, quiet.out.as_str()), (Some(34), ""));
}

#[test]
fn functions_that_the_board_lacks_are_told_as_lines_for_it() {
    let folder = Folder::new();
    folder.module("dimmer.wasm", DIMMER);
    let lines = "\n    [functions.\"acme:lamp@1\"]\n    set = { signature = \"(iii)i\", returns = 0 }\n    \
                 fade = { signature = \"(i)\" }\n";
    folder.fails("run dimmer.wasm", &["import `acme:lamp@1` `set`, `fade`: nobody has this interface", lines]);
    // what is advised is right
    folder.write("board.toml", lines);
    folder.succeeds("run dimmer.wasm --board board.toml");
    folder.write("board.toml", "[functions.\"acme:lamp@1\"]\nset = { signature = \"(*~)i\", returns = 0 }\n");
    folder.fails(
        "run dimmer.wasm --board board.toml",
        &[
            "import `acme:lamp@1` `set`: the app has it as (i32, i32, i32) -> (i32), the board as (i32, i32) -> (i32); \
             build the app for this firmware, or write in [functions.\"acme:lamp@1\"]: \
             set = { signature = \"(iii)i\", returns = 0 }\n",
            "import `acme:lamp@1` `fade`: the board has no such function of the firmware; stub it there:\n    \
             [functions.\"acme:lamp@1\"]\n    fade = { signature = \"(i)\" }\n",
        ],
    );
    let many: String = (0..10).map(|i| format!("(import \"a\" \"f{i}\" (func))")).collect();
    folder.module("many.wasm", &format!("(module {many} (func (export \"_start\")))"));
    folder.fails("run many.wasm", &["f7 = { signature = \"()\" }\n    # and 2 more\n"]);
}

#[test]
fn results_are_printed_one_a_line() {
    let folder = Folder::new();
    folder.module("calc.wasm", CALC);
    assert_eq!(folder.succeeds("run calc.wasm --invoke add 3 4"), "7\n");
    assert_eq!(folder.succeeds("run --invoke add calc.wasm 3 -4"), "-1\n");
    assert_eq!(folder.succeeds("run calc.wasm --invoke add -- -3 0x10"), "13\n");
    assert_eq!(folder.succeeds("run calc.wasm --invoke wide 9223372036854775807"), "-9223372036854775808\n");
    assert_eq!(folder.succeeds("run calc.wasm --invoke half 5"), "2.5\n2.5\n");
    assert_eq!(folder.succeeds("run calc.wasm --invoke null"), "<null externref>\n");
}

#[test]
fn module_and_image_do_the_same() {
    let folder = Folder::new();
    folder.module("calc.wasm", CALC);
    folder.succeeds("build calc.wasm");
    assert_eq!(folder.succeeds("run calc.wisp --invoke add 3 4"), "7\n");
}

#[test]
fn wrong_arguments_are_told_with_what_is_expected() {
    let folder = Folder::new();
    folder.module("calc.wasm", CALC);
    folder.fails("run calc.wasm --invoke add 1", &["takes 2 arguments, 1 given", "(i32, i32) -> (i32)"]);
    folder.fails("run calc.wasm --invoke add 1 x", &["argument 2 of `add`", "`x` is not an i32"]);
    folder.fails("run calc.wasm --invoke sub 1 2", &["no exported function `sub`", "add(i32, i32) -> (i32)"]);
    folder.fails("run calc.wasm", &["no exported function `_start`", "--invoke"]);
}

#[test]
fn the_exit_code_tells_how_the_guest_ended() {
    let folder = Folder::new();
    folder.module("traps.wasm", TRAPS);
    let cases = [
        ("unreachable", 134, "unreachable"),
        ("null", 134, "uninitialized element"),
        ("divide", 136, "integer divide by zero"),
        ("load", 139, "out of bounds memory access"),
        ("deep", 139, "call stack exhausted"),
        ("spin --fuel 1000", 152, "out of fuel"),
    ];
    for (call, code, reason) in cases {
        let run = folder.wisp(&format!("run traps.wasm --invoke {call}"));
        assert_eq!(run.code, Some(code), "{call}: {}", run.err);
        assert!(run.err.contains(&format!("wisp: trap: {reason}")), "{call}: {}", run.err);
        assert_eq!(run.out, "");
        let advice =
            "the frames of its calls have no room left: unless it calls itself without end, give it more with --stack";
        assert_eq!(run.err.contains(advice), call == "deep", "{}", run.err);
    }
}

#[test]
fn a_trap_names_its_functions_and_their_wasm_offsets() {
    let folder = Folder::new();
    folder.module("traps.wasm", TRAPS);
    let run = folder.wisp("run traps.wasm --invoke outer");
    let lines: Vec<&str> = run.err.lines().collect();
    assert!(lines[1].starts_with("  0: `load`, wasm offset 0x"), "{}", run.err);
    assert!(lines[2].starts_with("  1: function 1, wasm offset 0x"), "{}", run.err);
    let wasm = folder.read("traps.wasm");
    let offset = |line: &str| usize::from_str_radix(line.rsplit("0x").next().unwrap(), 16).unwrap();
    assert_eq!(wasm[offset(lines[1])], 0x28, "i32.load");
    assert_eq!(wasm[offset(lines[2])], 0x10, "call");
}

#[test]
#[cfg(all(target_arch = "x86_64", unix))]
fn a_trap_of_native_code_names_the_functions_that_the_interpreter_names() {
    let folder = Folder::new();
    folder.module("traps.wasm", TRAPS);
    let frames = |options: &str| {
        let run = folder.wisp(&format!("run traps.wasm --invoke outer {options}"));
        run.err.lines().filter(|line| line.contains("wasm offset")).map(String::from).collect::<Vec<_>>()
    };
    let interpreted = frames("");
    assert_eq!(interpreted.len(), 2);
    assert_eq!(frames("--native"), interpreted);
    folder.module(
        "start.wasm",
        "(module (memory 1) (func $first (nop)) (func $begin (call $load)) (start $begin)
           (func $load (drop (i32.load (i32.const 65535)))) (func (export \"_start\")))",
    );
    let [interpreted, native] = ["", "--native"].map(|options| folder.wisp(&format!("run start.wasm {options}")).err);
    assert!(interpreted.contains("instantiation of the module"), "{interpreted}");
    assert_eq!(native, interpreted);
    let endless = folder.wisp("run traps.wasm --invoke deep --native").err;
    assert!(endless.contains("frames more") && endless.contains("more callers, which are not known"), "{endless}");
}

#[test]
fn a_trap_in_a_host_function_names_it_before_the_function_that_called_it() {
    let folder = Folder::new();
    let module = r#"(module (import "acme:lamp@1" "set" (func $set (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func $outer (export "outer") (drop (call $set (i32.const 65530) (i32.const 100)))))"#;
    folder.module("host.wasm", module);
    folder.write("board.toml", "[functions.\"acme:lamp@1\"]\nset = { signature = \"(*~)i\", returns = 0 }\n");
    folder.succeeds("build host.wasm --quiet");
    for app in ["host.wasm", "host.wisp"] {
        let run = folder.wisp(&format!("run {app} --board board.toml --invoke outer"));
        let mut lines = run.err.lines().skip_while(|line| !line.starts_with("  0:"));
        assert_eq!(lines.next(), Some("  0: host function `acme:lamp@1.set`, called by"), "{}", run.err);
        assert!(lines.next().is_some_and(|line| line.starts_with("     `outer`, wasm offset 0x")), "{}", run.err);
    }
}

#[test]
fn an_image_gets_its_names_from_its_symbols() {
    let folder = Folder::new();
    folder.module("traps.wasm", TRAPS);
    folder.succeeds("build traps.wasm --symbols kept.sym");
    let without = folder.wisp("run traps.wisp --invoke load").err;
    assert!(without.contains("function 0, code offset 0x") && without.contains("--symbols"), "{without}");
    let with = folder.wisp("run traps.wisp --invoke load --symbols kept.sym").err;
    assert!(with.contains("`load`, wasm offset 0x"), "{with}");
    folder.succeeds("build traps.wasm");
    let beside = folder.wisp("run traps.wisp --invoke load").err;
    assert_eq!(beside, with);
    folder.write("traps.wisp.sym", "wisp-symbols 1\nwasm 00\n");
    let other = folder.wisp("run traps.wisp --invoke load").err;
    assert!(other.contains("note: no names: traps.wisp.sym: the symbols belong to another build"), "{other}");
}

#[test]
fn a_deep_backtrace_is_cut_in_the_middle() {
    let folder = Folder::new();
    folder.module("traps.wasm", TRAPS);
    let run = folder.wisp("run traps.wasm --invoke deep");
    assert!(run.err.contains("frames more"));
    assert!(run.err.lines().count() < 25, "{}", run.err);
}

#[test]
fn a_guest_prints_and_exits_with_its_own_code() {
    let folder = Folder::new();
    folder.module("guest.wasm", GUEST);
    let run = folder.wisp("run guest.wasm");
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (Some(42), "hi\n", ""));
}

#[test]
fn an_import_nobody_has_is_told_with_what_there_is() {
    let folder = Folder::new();
    folder.module("a.wasm", r#"(module (import "env" "f" (func)) (func (export "_start")))"#);
    folder.fails("run a.wasm", &["a.wasm: ", "`env` `f`", "nobody has this interface", "wasi_snapshot_preview1"]);
    let text = r#"(module (import "wasi_snapshot_preview1" "path_teleport" (func)) (func (export "_start")))"#;
    folder.module("b.wasm", text);
    folder.fails("run b.wasm", &["`path_teleport`", "no such function"]);
    folder.module("c.wasm", r#"(module (import "env" "m" (memory 1)) (func (export "_start")))"#);
    folder.fails("run c.wasm", &["`env` `m`", "no function"]);
}

#[test]
fn an_import_of_another_signature_is_told_with_both() {
    let folder = Folder::new();
    let text = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i64))) (func (export "_start")))"#;
    folder.module("a.wasm", text);
    folder.fails("run a.wasm", &["`proc_exit`", "the app has it as (i64) -> ()", "the host as (i32) -> ()"]);
}

#[test]
fn images_that_are_damaged_or_of_another_version_are_refused() {
    let folder = Folder::new();
    folder.module("calc.wasm", CALC);
    folder.succeeds("build calc.wasm");
    let image = folder.read("calc.wisp");
    folder.write("cut.wisp", &image[..image.len() / 2]);
    folder.fails("run cut.wisp", &["cut.wisp: ", "cut short", "bytes expected", "present"]);
    let mut newer = image.clone();
    newer[4] = 9;
    folder.write("newer.wisp", &newer);
    folder.fails("run newer.wisp", &["image format version 9, this runtime reads 1", "matching `wisp`"]);
    let mut ir = image.clone();
    ir[6] = IR_VERSION as u8 + 1;
    folder.write("ir.wisp", &ir);
    let told = format!("IR version {}, this runtime runs {IR_VERSION}", ir[6]);
    folder.fails("run ir.wisp", &[&told]);
}

#[test]
fn memory_above_the_limit_is_refused() {
    let folder = Folder::new();
    folder.module("a.wasm", "(module (memory 4) (func (export \"_start\")))");
    folder.fails("run a.wasm --max-memory 65536", &["262144 bytes", "65536"]);
    folder.fails("run a.wasm --memory-limit 65536", &["262144 bytes", "65536"]);
}

#[test]
fn memory_grows_up_to_the_limit() {
    let folder = Folder::new();
    let text = "(module (memory 1) (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0))))";
    folder.module("a.wasm", text);
    assert_eq!(folder.succeeds("run a.wasm --max-memory 131072 --invoke grow 1"), "1\n");
    assert_eq!(folder.succeeds("run a.wasm --max-memory 131072 --invoke grow 2"), "-1\n");
}

#[test]
fn a_board_that_does_not_exist_or_lacks_the_app_is_told() {
    let folder = Folder::new();
    folder.module("guest.wasm", GUEST);
    folder.fails("run guest.wasm --board none.toml", &["none.toml"]);
    folder.write("board.toml", "[apps.blinky]\n");
    folder.fails("run guest.wasm --board board.toml --app guest", &["no app `guest`", "blinky"]);
    folder.write("board.toml", "[apps.blinky]\nargz = []\n");
    folder.fails("run guest.wasm --board board.toml", &["board.toml:2", "argz", "args"]);
}

#[test]
fn arguments_and_environment_reach_the_guest() {
    let folder = Folder::new();
    let text = r#"(module
      (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func (export "_start")
        (drop (call $args (i32.const 0) (i32.const 4)))
        (drop (call $environ (i32.const 8) (i32.const 12)))
        (call $exit (i32.add (i32.mul (i32.load (i32.const 0)) (i32.const 10)) (i32.load (i32.const 8))))))"#;
    folder.module("args.wasm", text);
    assert_eq!(folder.wisp("run args.wasm --env A=1 --env B=2 -- one --two").code, Some(32));
    assert_eq!(folder.wisp("run args.wasm").code, Some(10));
}

#[test]
fn a_duration_ends_a_guest_that_never_sleeps() {
    let folder = Folder::new();
    folder.module(
        "spin.wasm",
        r#"(module
          (import "wisp:timer@1" "uptime_us" (func $now (result i64)))
          (func (export "compute") (loop (br 0)))
          (func (export "ask") (loop (drop (call $now)) (br 0)))
          (func (export "_start") (loop (br 0))))"#,
    );
    let mut calls = vec!["spin.wasm", "spin.wasm --invoke compute", "spin.wasm --invoke ask"];
    if cfg!(all(target_arch = "x86_64", unix)) {
        calls.push("spin.wasm --native --invoke compute");
    }
    for call in calls {
        let run = folder.wisp(&format!("run --duration 1 {call}"));
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{call}");
    }
    // in real time, and by the board's duration
    folder.write("board.toml", "[board]\nduration_ms = 1\n");
    assert_eq!(folder.wisp("run spin.wasm --realtime --board board.toml").code, Some(0));
}

#[test]
#[cfg(all(target_arch = "x86_64", unix))]
fn native_code_does_what_the_interpreter_does() {
    let folder = Folder::new();
    folder.module("calc.wasm", CALC);
    folder.module("traps.wasm", TRAPS);
    folder.module("guest.wasm", GUEST);
    assert_eq!(folder.succeeds("run calc.wasm --native --invoke half 5"), "2.5\n2.5\n");
    let run = folder.wisp("run guest.wasm --native");
    assert_eq!((run.code, run.out.as_str()), (Some(42), "hi\n"), "{}", run.err);
    for (call, code) in [("unreachable", 134), ("divide", 136), ("load", 139), ("null", 134)] {
        let native = folder.wisp(&format!("run traps.wasm --native --invoke {call}"));
        assert_eq!(native.code, Some(code), "{call}: {}", native.err);
        let interpreted = folder.wisp(&format!("run traps.wasm --invoke {call}"));
        let first = |text: &str| text.lines().take(2).map(String::from).collect::<Vec<_>>();
        assert_eq!(first(&native.err), first(&interpreted.err), "{call}");
    }
    // an image for the workstation alone, with the places of its traps beside it
    folder.succeeds("build traps.wasm --target x86-64 --native-only --quiet");
    let run = folder.wisp("run traps.wisp --native --invoke load");
    assert!(run.err.contains("  0: `load`, wasm offset 0x"), "{}", run.err);
}

#[test]
fn a_profile_is_a_table_a_picture_and_stacks() {
    let folder = Folder::new();
    folder.module(
        "a.wasm",
        r#"(module
          (func $twice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
          (func $start (export "_start") (drop (call $twice (i32.const 1))) (drop (call $twice (i32.const 2)))))"#,
    );
    let run = folder.wisp("run a.wasm --profile=a.svg --profile=a.folded");
    assert_eq!((run.code, run.out.as_str()), (Some(0), ""));
    let table: Vec<Vec<&str>> = run.err.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(table[1], ["own", "total", "calls", "function"]);
    let row = |name: &str| table.iter().find(|row| row.last() == Some(&name)).unwrap_or_else(|| panic!("{}", run.err));
    assert_eq!(row("twice")[3], "2");
    assert_eq!(row("start")[3], "1");
    let folded = String::from_utf8(folder.read("a.folded")).unwrap();
    let stacks: Vec<&str> = folded.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(stacks, ["start", "start;twice"]);
    assert!(folder.read("a.svg").starts_with(b"<svg "));
    // a run that traps is counted up to there
    folder.module("b.wasm", r#"(module (func $start (export "_start") unreachable))"#);
    let run = folder.wisp("run b.wasm --profile");
    assert_eq!(run.code, Some(134));
    assert!(run.err.starts_with("wisp: profile: 2 ops\n") && run.err.contains("unreachable"), "{}", run.err);
}

#[test]
fn options_that_change_nothing_and_boards_of_other_apps_are_noted() {
    let folder = Folder::new();
    folder.module("a.wasm", "(module (func (export \"_start\")))");
    folder.succeeds("build a.wasm --quiet");
    folder.write("board.toml", "[apps.lamp]\n[apps.heater]\n");
    let said = |arguments: &str| {
        let run = folder.wisp(arguments);
        assert_eq!(run.code, Some(0), "{arguments}: {}", run.err);
        run.err
    };
    for option in ["--heap 4", "--no-trim", "--memory-limit 9"] {
        let name = option.split(' ').next().unwrap();
        let note = format!("wisp: note: {name} changes nothing: the image was compiled without it\n");
        assert_eq!(said(&format!("run a.wisp {option}")), note);
        assert_eq!(said(&format!("run a.wasm {option}")), "");
    }
    let note = "wisp: note: the board has nothing for the app `a`; it has: heater, lamp; take one of them with --app\n";
    assert_eq!(said("run a.wasm --board board.toml"), note);
    assert_eq!(said("run a.wasm --board board.toml --app lamp"), "");
}

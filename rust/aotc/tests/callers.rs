// SPDX-License-Identifier: Apache-2.0
//! A trap of native code has the callers that it has in the interpreter, also where the C compiler inlined functions.
#![cfg(all(target_arch = "x86_64", unix))]

use wisp_aotc::{add_section, compile, Machine, Options};
use wisp_engine::{Caller, Config, Engine, Linker, Native, Store, Trap, TrapCode};
use wisp_image::Image;

mod common;

#[path = "../examples/callers/program.rs"]
mod program;

use common::{clang, compiled, image_with, loaded};
use program::program;

/// A trap: its reason, functions and offsets from the innermost on, and whether callers are missing.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Chain {
    code: TrapCode,
    frames: Vec<(u32, u32)>,
    cut: bool,
}

/// Calls `f` with each argument in a store of its own: `None` if it returns.
fn chains(image: &[u8], native: bool, arguments: &[i32]) -> Vec<Option<Chain>> {
    let engine = Engine::new(&Config::new().stack_size(64 << 10).native_stop(true));
    let module = loaded(&engine, image, native);
    let call = |&argument: &i32| {
        let mut arena = vec![0u64; 1 << 16];
        let mut store = Store::new(&engine, &mut arena, ()).unwrap();
        let mut linker = Linker::new();
        linker.func_wrap("env", "add", |_: Caller<'_, ()>, a: i32, b: i32| a.wrapping_add(b));
        linker.func_wrap("env", "fail", |_: Caller<'_, ()>, a: i32| match a {
            0 => Ok(()),
            _ => Err(Trap::new(TrapCode::HostError)),
        });
        linker.func_wrap("env", "back", |mut caller: Caller<'_, ()>, a: i32| {
            let inner = caller.instance().get_typed_func::<i32, i32>(&caller, "inner").unwrap();
            inner.call(&mut caller, a)
        });
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let f = instance.get_typed_func::<i32, i32>(&store, "f").unwrap();
        let mut chain = None;
        // the second finds what the first has left
        for _ in 0..2 {
            chain = f.call(&mut store, argument).err().map(|trap| Chain {
                code: trap.code,
                frames: store.backtrace().map(|frame| (frame.func, frame.offset)).collect(),
                cut: store.backtrace_is_cut(),
            });
        }
        chain
    };
    arguments.iter().map(call).collect()
}

fn ways() -> Vec<Options> {
    let with = |optimize: &str| Options { callers: true, optimize: optimize.into(), ..Options::default() };
    vec![
        with("-O2"),
        with("-Os"),
        with("-O3"),
        Options { strict: true, poll: false, ..with("-O2") },
        Options { part: Some(700), ..with("-O2") },
    ]
}

/// Compares the chains of native code with those of the interpreter, and returns them.
fn same(wat: &str, arguments: &[i32]) -> Vec<Option<Chain>> {
    let (wasm, compiled) = compiled(wat);
    let expected = chains(&compiled.image, false, arguments);
    for options in ways() {
        let found = chains(&image_with(&wasm, &compiled, &options), true, arguments);
        for (argument, (found, expected)) in arguments.iter().zip(found.iter().zip(&expected)) {
            assert_eq!(found, expected, "f({argument}), {} {:?} in\n{wat}", options.optimize, options.part);
        }
    }
    expected
}

fn functions(chain: &Option<Chain>) -> Vec<u32> {
    chain.iter().flat_map(|chain| chain.frames.iter().map(|&(function, _)| function)).collect()
}

#[test]
fn a_recursion_through_tables_and_host_functions_has_all_its_callers() {
    let chains = same(
        r#"(module
            (import "env" "add" (func $add (param i32 i32) (result i32)))
            (type $t (func (param i32) (result i32)))
            (table 2 funcref) (elem (i32.const 0) $leaf $rec)
            (func $leaf (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
            (func $rec (param i32) (result i32)
                (if (result i32) (i32.gt_s (local.get 0) (i32.const 3))
                    (then (i32.add (i32.const 1) (call $rec (call $add (local.get 0) (i32.const -1)))))
                    (else (call_indirect (type $t) (i32.const 0) (i32.const 0)))))
            (func (export "f") (param i32) (result i32) (i32.mul (i32.const 3) (call $rec (local.get 0)))))"#,
        &[0, 6],
    );
    assert_eq!(functions(&chains[1]), [0, 1, 1, 1, 1, 2]);
}

#[test]
fn a_host_function_that_fails_is_called_from_where_it_is_in_the_interpreter() {
    let chains = same(
        r#"(module
            (import "env" "fail" (func $fail (param i32)))
            (func $outer (param i32) (result i32) (call $fail (local.get 0)) (i32.const 1))
            (func (export "f") (param i32) (result i32) (i32.add (call $outer (local.get 0)) (i32.const 1))))"#,
        &[0, 1],
    );
    assert_eq!((&chains[0], functions(&chains[1])), (&None, vec![0, 1]));
}

#[test]
fn a_trap_behind_a_host_function_has_its_place_and_no_callers_of_others() {
    let wat = r#"(module
        (import "env" "back" (func $back (param i32) (result i32)))
        (func $outer (param i32) (result i32) (i32.add (call $back (local.get 0)) (i32.const 1)))
        (func (export "inner") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
        (func (export "f") (param i32) (result i32) (i32.add (call $outer (local.get 0)) (i32.const 1))))"#;
    let (wasm, compiled) = compiled(wat);
    let place = |chains: &[Option<Chain>]| chains[1].as_ref().map(|chain| (chain.code, chain.frames[0])).unwrap();
    let interpreted = chains(&compiled.image, false, &[1, 0]);
    for options in ways() {
        let found = chains(&image_with(&wasm, &compiled, &options), true, &[1, 0]);
        assert_eq!((&found[0], place(&found)), (&None, place(&interpreted)));
        assert!(functions(&found[1]) == [1] && found[1].as_ref().unwrap().cut, "{found:?}");
    }
}

#[test]
fn a_tail_call_leaves_its_caller_out_and_a_call_at_the_end_does_not() {
    let chains = same(
        r#"(module
            (func $trap (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
            (func $tail (param i32) (result i32) (return_call $trap (local.get 0)))
            (func $last (param i32) (result i32) (call $tail (local.get 0)))
            (func (export "f") (param i32) (result i32) (call $last (local.get 0))))"#,
        &[0],
    );
    assert_eq!(functions(&chains[0]), [0, 2, 3]);
}

#[test]
fn a_recursion_without_end_has_its_innermost_callers() {
    let wat =
        r#"(module (func $f (export "f") (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1))))"#;
    let (wasm, compiled) = compiled(wat);
    for options in ways() {
        let chains = chains(&image_with(&wasm, &compiled, &options), true, &[0]);
        let chain = chains[0].as_ref().unwrap();
        assert!(chain.code == TrapCode::StackOverflow && chain.cut && chain.frames.len() > 100, "{chain:?}");
    }
}

#[test]
fn code_without_a_table_says_that_callers_are_missing() {
    let wat =
        r#"(module (func $g (unreachable)) (func (export "f") (param i32) (result i32) (call $g) (i32.const 0)))"#;
    let (wasm, compiled) = compiled(wat);
    let chains = chains(&image_with(&wasm, &compiled, &Options::default()), true, &[0]);
    let chain = chains[0].as_ref().unwrap();
    assert!(chain.cut && functions(&chains[0]) == [0], "{chain:?}");
}

#[test]
fn random_programs_have_the_callers_of_the_interpreter() {
    let arguments: Vec<i32> = (0..60).collect();
    for seed in 0..8 {
        let chains = same(&program(seed), &arguments);
        let deepest = chains.iter().map(|chain| functions(chain).len()).max();
        assert!(deepest > Some(5) && chains.iter().flatten().all(|chain| !chain.cut), "{deepest:?}");
    }
}

#[test]
fn clang_is_told_to_be_no_compiler_for_callers() {
    let Some(clang) = clang() else { return };
    let (wasm, compiled) = compiled(r#"(module (func (export "f") (param i32) (result i32) (unreachable)))"#);
    let options = Options { callers: true, compiler: Some(clang.into()), ..Options::default() };
    let native = compile(&wasm, &compiled, &Machine::named("x86-64").unwrap(), &options).unwrap();
    assert!(native.notes[0].contains("compile with gcc"), "{:?}", native.notes);
    let image = add_section(&compiled.image, &native).unwrap();
    assert_eq!(functions(&chains(&image, true, &[0])[0]), [0]);
}

#[test]
fn what_the_compiler_tells_of_calls_changes_no_instruction() {
    let (wasm, compiled) = compiled(&program(3));
    let code = |name: &str, more: &[&str]| {
        let keep = std::env::temp_dir().join(format!("wisp-callers-{}-{name}", std::process::id()));
        let options = Options { callers: true, keep: Some(keep.clone()), ..Options::default() };
        compile(&wasm, &compiled, &Machine::named("x86-64").unwrap(), &options).unwrap();
        let output = std::process::Command::new("gcc")
            .current_dir(&keep)
            .args(["-O2", "-w", "-ffreestanding", "-fPIC", "-ffunction-sections", "-c", "module.c", "-o", "again.o"])
            .args(more)
            .output();
        assert!(output.unwrap().status.success());
        let strip = std::process::Command::new("strip").current_dir(&keep).args(["-g", "again.o"]).status();
        assert!(strip.unwrap().success());
        let bytes = std::fs::read(keep.join("again.o")).unwrap();
        std::fs::remove_dir_all(&keep).unwrap();
        bytes
    };
    assert_eq!(code("with", &["-g", "-gdwarf-4"]), code("without", &[]));
}

#[test]
fn a_damaged_table_gives_other_callers_and_nothing_worse() {
    let (wasm, compiled) = compiled(&program(1));
    let with = Options { callers: true, ..Options::default() };
    let native = compile(&wasm, &compiled, &Machine::named("x86-64").unwrap(), &with).unwrap();
    let table = Native::parse(&native.section).unwrap().callers().bytes();
    let start = table.as_ptr().addr() - native.section.as_ptr().addr();
    let range = start..start + table.len();
    let functions = Image::parse(&compiled.image).unwrap().function_count() as u32;
    let (mut state, mut other) = (7u32, 0);
    let whole = chains(&image_with(&wasm, &compiled, &with), true, &[13]);
    for round in 0..400 {
        let mut damaged = wisp_aotc::Compilation { section: native.section.clone(), notes: Vec::new(), ..native };
        for _ in 0..1 + round % 20 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = range.start + (state >> 8) as usize % range.len();
            damaged.section[at] = (state >> 24) as u8;
        }
        let found = chains(&add_section(&compiled.image, &damaged).unwrap(), true, &[13]);
        let chain = found[0].as_ref().unwrap();
        assert!(chain.frames.iter().all(|&(function, _)| function < functions));
        assert_eq!(chain.frames[0], whole[0].as_ref().unwrap().frames[0]);
        other += u32::from(found != whole);
    }
    assert!(other > 100, "{other}");
}

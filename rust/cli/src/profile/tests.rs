// SPDX-License-Identifier: Apache-2.0
//! Counts of guests whose ops are known.

use wisp_compiler::{compile, Options};
use wisp_engine::{Caller, Config, Engine, HostFunction, Linker, Module, Store};

use super::*;

/// Runs `_start` of a guest, with a host function `env.tick`, and returns its counts with the names.
fn profiled(wat: &str) -> (Counts, Vec<String>, Vec<Row>) {
    let wasm = wat::parse_str(wat).unwrap();
    let compiled = compile(&wasm, &Options::default()).unwrap();
    let image = Image::parse(&compiled.image).unwrap();
    let symbols = Symbols::of(&wasm, &compiled, &image);
    let profiler = Profiler::new(&image).unwrap();
    let engine = Engine::new(&Config::new().stack_size(4096));
    let module = Module::new(&engine, &compiled.image).unwrap();
    let mut arena = vec![0; 1 << 14];
    let mut store = Store::new(&engine, &mut arena, ()).unwrap();
    // SAFETY: the store and the profiler stay on this thread.
    #[allow(unsafe_code)]
    unsafe {
        store.observe(&profiler);
    }
    let host: [HostFunction<()>; 1] = [HostFunction::wrap("env", "tick", |_: Caller<'_, ()>| {})];
    let instance = Linker::from_table(&host).instantiate(&mut store, &module).unwrap();
    let start = instance.get_typed_func::<(), ()>(&store, "_start").unwrap();
    let _ = start.call(&mut store, ());
    let rows = profiler.finish(&image, &symbols, Vec::new()).unwrap();
    let names = names(&image, &symbols);
    (profiler.counts.into_inner(), names, rows)
}

const CALLS: &str = r#"(module
    (import "env" "tick" (func $tick))
    (func $leaf (call $tick) (call $tick))
    (func $middle (call $leaf) (call $leaf) (call $leaf))
    (func $tail (return_call $leaf))
    (func $start (export "_start") (call $middle) (call $tail)))"#;

#[test]
fn each_op_counts_for_its_function_in_its_chain_of_calls() {
    let (counts, names, _) = profiled(CALLS);
    // of each call: `enter`, a call each, `return`; a tail call takes the place of the return
    assert_eq!(
        report::folded(&counts, &names),
        "start 4\nstart;leaf 4\nstart;middle 5\nstart;middle;leaf 12\nstart;tail 2\n"
    );
}

#[test]
fn a_row_has_the_calls_the_own_ops_and_all_below() {
    let (_, _, rows) = profiled(CALLS);
    let row = |name: &str| {
        let row = rows.iter().find(|row| row.function == name).unwrap_or_else(|| panic!("{name}: {rows:?}"));
        (row.calls.unwrap(), row.own, row.total, row.host)
    };
    assert_eq!(row("leaf"), (4, 16, 16, false));
    assert_eq!(row("middle"), (1, 5, 17, false));
    assert_eq!(row("tail"), (1, 2, 2, false));
    assert_eq!(row("env.tick"), (8, 0, 0, true));
    let table = table(&rows, Unit::Ops);
    assert!(table.starts_with("wisp: profile: 27 ops\n"), "{table}");
    assert!(table.contains("          16  59.3%           16          4  leaf\n"), "{table}");
    assert!(table.contains("           -                   -          8  env.tick (host)\n"), "{table}");
}

#[test]
fn a_recursion_counts_once_in_its_total() {
    let (_, _, rows) = profiled(
        r#"(module (func $down (param i32)
            (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "_start") (call $down (i32.const 9))))"#,
    );
    let down = rows.iter().find(|row| row.function == "down").unwrap();
    assert_eq!((down.calls, down.own), (Some(10), down.total));
}

#[test]
fn beyond_the_most_chains_calls_count_as_the_hosts() {
    let begins = |function| Op { weight: 1, begins: Some(function), calls: None };
    let found = |most, names| {
        let mut counts = Counts { nodes: vec![Node::default()], frames: Vec::new(), most, names };
        for (depth, function) in [0, 1, 1, 0].into_iter().enumerate() {
            counts.count(begins(function), 100 - depth);
        }
        counts.nodes.iter().map(|node| (node.function, node.calls, node.ops)).collect::<Vec<_>>()
    };
    assert_eq!(found(3, 0), [(0, 0, 0), (0, 2, 2), (1, 1, 1), (1, 1, 1)]);
    // the chains have too many names
    assert_eq!(found(9, NAMES), [(0, 0, 0), (0, 2, 2), (1, 2, 2)]);
}

#[test]
fn a_flame_graph_gives_each_chain_its_width() {
    let (counts, names, _) = profiled(CALLS);
    let svg = flame::svg(&counts, &names, Unit::Ops);
    assert_eq!(svg.matches("<rect").count(), 6);
    // 12 of 27 ops, and the box of all ops over the whole width
    let leaf = svg.lines().find(|line| line.contains("<title>leaf (12 ops, 44.4 %, 3 calls)")).unwrap();
    assert!(leaf.contains("width=\"533.33\""), "{leaf}");
    assert!(
        svg.contains("<title>all (27 ops, 100.0 %, 0 calls)</title><rect x=\"0.00\" y=\"54\" width=\"1200.00\""),
        "{svg}"
    );
}

#[test]
fn a_file_is_a_picture_or_stacks() {
    assert_eq!(file("a.svg"), Ok("a.svg".into()));
    assert_eq!(file("a.folded"), Ok("a.folded".into()));
    assert_eq!(file(""), Ok(String::new()));
    assert!(file("a.png").unwrap_err().contains(".svg"));
}

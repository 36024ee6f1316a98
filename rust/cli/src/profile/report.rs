// SPDX-License-Identifier: Apache-2.0
//! Counts as texts: a table by function, and folded stacks.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::{Counts, Function};

/// The counts of a function over all chains of calls.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub struct Row {
    /// Name of the function.
    pub function: String,
    /// True for a function of the host, whose ops are not counted.
    pub host: bool,
    /// Number of calls.
    pub calls: u64,
    /// Ops that it executed itself.
    pub own: u64,
    /// Ops that it and the functions that it called executed.
    pub total: u64,
}

/// Returns the ops of each node with those below it, by index.
pub fn totals(counts: &Counts) -> Vec<u64> {
    let mut totals: Vec<u64> = counts.nodes.iter().map(|node| node.ops).collect();
    // a node is younger than the one that called it
    for (index, node) in counts.nodes.iter().enumerate().rev() {
        totals[index] += node.children.values().map(|&child| totals[child]).sum::<u64>();
    }
    totals
}

/// Returns a row for each function that was called, the one with most ops of its own first.
pub fn rows(counts: &Counts, names: &[String], imported: u32) -> Vec<Row> {
    let totals = totals(counts);
    let mut rows: BTreeMap<Function, Row> = BTreeMap::new();
    // nodes to visit, each with the functions of the chain above it
    let mut open: Vec<(usize, Vec<Function>)> = counts.nodes[0].children.values().map(|&n| (n, Vec::new())).collect();
    while let Some((index, chain)) = open.pop() {
        let node = &counts.nodes[index];
        let row = rows.entry(node.function).or_insert_with(|| Row {
            function: names[node.function as usize].clone(),
            host: node.function < imported,
            calls: 0,
            own: 0,
            total: 0,
        });
        row.calls += node.calls;
        row.own += node.ops;
        // of a recursion, the outermost call has all of it
        if !chain.contains(&node.function) {
            row.total += totals[index];
        }
        for &child in node.children.values() {
            let mut chain = chain.clone();
            chain.push(node.function);
            open.push((child, chain));
        }
    }
    let mut rows: Vec<Row> = rows.into_values().collect();
    rows.sort_by(|a, b| (b.own, b.total, b.calls).cmp(&(a.own, a.total, a.calls)).then(a.function.cmp(&b.function)));
    rows
}

/// Returns a table for people.
pub fn table(rows: &[Row]) -> String {
    let all: u64 = rows.iter().map(|row| row.own).sum();
    let mut text =
        format!("wisp: profile: {all} ops\n{:>12} {:>6} {:>12} {:>10}  function\n", "own", "", "total", "calls");
    for row in rows {
        let Row { function, calls, own, total, .. } = row;
        let _ = match row.host {
            true => writeln!(text, "{:>12} {:>6} {:>12} {calls:>10}  {function} (host)", "-", "", "-"),
            false => {
                let percent = *own as f64 * 100.0 / (all as f64).max(1.0);
                writeln!(text, "{own:>12} {percent:>5.1}% {total:>12} {calls:>10}  {function}")
            }
        };
    }
    text
}

/// Returns a line for each chain of calls: the names from the outermost on, and the ops of the innermost itself.
pub fn folded(counts: &Counts, names: &[String]) -> String {
    let mut text = String::new();
    let mut open: Vec<(usize, String)> = vec![(0, String::new())];
    while let Some((index, chain)) = open.pop() {
        let node = &counts.nodes[index];
        if node.ops > 0 && index != 0 {
            let _ = writeln!(text, "{chain} {}", node.ops);
        }
        for (&function, &child) in node.children.iter().rev() {
            // a semicolon ends a name in this format
            let name = names[function as usize].replace(';', ":");
            open.push((child, if chain.is_empty() { name } else { format!("{chain};{name}") }));
        }
    }
    text
}

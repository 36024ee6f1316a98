// SPDX-License-Identifier: Apache-2.0
//! Counts as texts: a table by function, and folded stacks.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::{Counts, Function};

/// Says what is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Ops that an app executed, of which none is left out.
    Ops,
    /// Times that an app was found somewhere.
    Samples,
}

impl Unit {
    /// Returns its name, of several.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ops => "ops",
            Self::Samples => "samples",
        }
    }
}

/// The counts of a function over all chains of calls.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub struct Row {
    /// Name of the function.
    pub function: String,
    /// True for a function of the host, whose ops are not counted.
    pub host: bool,
    /// Number of calls, which samples do not show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// Ops that it executed itself, or samples of it.
    pub own: u64,
    /// Those of it and of the functions that it called.
    pub total: u64,
}

/// Returns the counts of each node with those below it, by index.
pub fn totals(counts: &Counts) -> Vec<u64> {
    let mut totals: Vec<u64> = counts.nodes.iter().map(|node| node.ops).collect();
    // a node is younger than the one that called it
    for (index, node) in counts.nodes.iter().enumerate().rev() {
        totals[index] += node.children.values().map(|&child| totals[child]).sum::<u64>();
    }
    totals
}

/// Returns a row for each function that was called, the one with the highest count of its own first.
pub fn rows(counts: &Counts, names: &[String], imported: u32, unit: Unit) -> Vec<Row> {
    let totals = totals(counts);
    let mut rows: BTreeMap<Function, Row> = BTreeMap::new();
    // nodes to visit, each with the functions of the chain above it
    let mut open: Vec<(usize, Vec<Function>)> = counts.nodes[0].children.values().map(|&n| (n, Vec::new())).collect();
    while let Some((index, chain)) = open.pop() {
        let node = &counts.nodes[index];
        let row = rows.entry(node.function).or_insert_with(|| Row {
            function: names[node.function as usize].clone(),
            host: node.function < imported,
            calls: (unit == Unit::Ops).then_some(0),
            own: 0,
            total: 0,
        });
        row.calls = row.calls.map(|calls| calls + node.calls);
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
pub fn table(rows: &[Row], unit: Unit) -> String {
    let all: u64 = rows.iter().map(|row| row.own).sum();
    let calls_of = |calls: &str| if unit == Unit::Ops { format!(" {calls:>10}") } else { String::new() };
    let head = calls_of("calls");
    let mut text =
        format!("wisp: profile: {all} {}\n{:>12} {:>6} {:>12}{head}  function\n", unit.name(), "own", "", "total");
    for row in rows {
        let Row { function, calls, own, total, host } = row;
        let calls = calls_of(&calls.unwrap_or_default().to_string());
        let whose = if *host { " (host)" } else { "" };
        let _ = match (*host, unit) {
            (true, Unit::Ops) => writeln!(text, "{:>12} {:>6} {:>12}{calls}  {function}{whose}", "-", "", "-"),
            _ => {
                let percent = *own as f64 * 100.0 / (all as f64).max(1.0);
                writeln!(text, "{own:>12} {percent:>5.1}% {total:>12}{calls}  {function}{whose}")
            }
        };
    }
    text
}

/// Returns a line for each chain of calls: the names from the outermost on, and the count of the innermost itself.
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

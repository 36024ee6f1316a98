// SPDX-License-Identifier: Apache-2.0
//! One look at a function before it is translated: which locals each block writes.

use std::collections::{BTreeSet, HashMap};

use wasmparser::Operator;

/// By position of the operator that opens a block: the locals written inside.
#[derive(Default)]
pub struct Scan {
    pub written: HashMap<usize, BTreeSet<u32>>,
}

/// Scans a body.
pub fn scan(operators: &[(Operator<'_>, u32)]) -> Scan {
    let mut scan = Scan::default();
    let mut open: Vec<(usize, BTreeSet<u32>)> = Vec::new();
    for (position, (operator, _)) in operators.iter().enumerate() {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                open.push((position, BTreeSet::new()));
            }
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                if let Some((_, written)) = open.last_mut() {
                    written.insert(*local_index);
                }
            }
            Operator::End => {
                if let Some((start, written)) = open.pop() {
                    if let Some((_, outer)) = open.last_mut() {
                        outer.extend(&written);
                    }
                    scan.written.insert(start, written);
                }
            }
            _ => {}
        }
    }
    scan
}

// SPDX-License-Identifier: Apache-2.0
//! Who calls whom: which functions have to check the stack, and how much of it the others may take.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::Operator;

use crate::module::Module;

/// Calls inside a module, by function index. Calls that go through the host are not among them: they
/// come back through an entry, which checks the stack itself.
pub struct Graph {
    callees: Vec<BTreeSet<u32>>,
}

impl Graph {
    /// Reads the calls of all functions.
    pub fn new(module: &Module<'_>) -> Self {
        let mut callees = vec![BTreeSet::new(); module.functions.len()];
        for (defined, body) in module.bodies.iter().enumerate() {
            let own = &mut callees[module.imported_functions as usize + defined];
            for (operator, _) in &body.operators {
                match operator {
                    Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                        own.insert(*function_index);
                    }
                    Operator::CallIndirect { type_index, table_index }
                    | Operator::ReturnCallIndirect { type_index, table_index } => {
                        own.extend(module.callees(*table_index, module.types[*type_index as usize].1));
                    }
                    _ => {}
                }
            }
            own.retain(|&callee| callee >= module.imported_functions);
        }
        Self { callees }
    }

    /// Functions on a cycle of calls.
    pub fn recursive(&self) -> BTreeSet<u32> {
        let mut state =
            Search { graph: self, order: vec![0; self.callees.len()], low: vec![0; self.callees.len()], next: 0 };
        let mut out = BTreeSet::new();
        for function in 0..self.callees.len() as u32 {
            if state.order[function as usize] == 0 {
                state.visit(function, &mut out);
            }
        }
        out
    }

    /// Most stack that is taken between two checks, or between an entry and the first one. `frames` gives
    /// the frame of each function in bytes, `checked` the functions that check at their start.
    pub fn depth(&self, frames: &BTreeMap<u32, u32>, checked: &BTreeSet<u32>, word: u32) -> u32 {
        let mut below: Vec<Option<u32>> = vec![None; self.callees.len()];
        let mut most = 0;
        for function in 0..self.callees.len() as u32 {
            let deepest = self.below(function, frames, checked, word, &mut below);
            most = most.max(deepest + frames.get(&function).copied().unwrap_or(0) + word);
        }
        most
    }

    /// Stack that the callees of a function take until they check. Ends because every cycle has a check.
    fn below(
        &self,
        function: u32,
        frames: &BTreeMap<u32, u32>,
        checked: &BTreeSet<u32>,
        word: u32,
        known: &mut Vec<Option<u32>>,
    ) -> u32 {
        if let Some(known) = known[function as usize] {
            return known;
        }
        // breadth first order is not needed: chains of calls without recursion are short
        let mut most = 0;
        for &callee in &self.callees[function as usize] {
            let own = frames.get(&callee).copied().unwrap_or(0) + word;
            let rest = if checked.contains(&callee) { 0 } else { self.below(callee, frames, checked, word, known) };
            most = most.max(own + rest);
        }
        known[function as usize] = Some(most);
        most
    }
}

/// Tarjan's search for strongly connected components, without recursion of our own.
struct Search<'g> {
    graph: &'g Graph,
    order: Vec<u32>,
    low: Vec<u32>,
    next: u32,
}

impl Search<'_> {
    fn visit(&mut self, start: u32, out: &mut BTreeSet<u32>) {
        let mut open: Vec<u32> = Vec::new();
        let mut on = BTreeSet::new();
        let mut path: Vec<(u32, Vec<u32>)> = Vec::new();
        let mut enter = Some(start);
        loop {
            if let Some(function) = enter.take() {
                self.next += 1;
                self.order[function as usize] = self.next;
                self.low[function as usize] = self.next;
                open.push(function);
                on.insert(function);
                path.push((function, self.graph.callees[function as usize].iter().copied().collect()));
            }
            let Some((function, rest)) = path.last_mut() else { return };
            let function = *function;
            if let Some(callee) = rest.pop() {
                if self.order[callee as usize] == 0 {
                    enter = Some(callee);
                } else if on.contains(&callee) {
                    self.low[function as usize] = self.low[function as usize].min(self.order[callee as usize]);
                }
                continue;
            }
            path.pop();
            if let Some(&(caller, _)) = path.last() {
                self.low[caller as usize] = self.low[caller as usize].min(self.low[function as usize]);
            }
            if self.low[function as usize] != self.order[function as usize] {
                continue;
            }
            let at = open.iter().position(|&f| f == function).unwrap_or(0);
            let component = open.split_off(at);
            for member in &component {
                on.remove(member);
            }
            if component.len() > 1 || self.graph.callees[function as usize].contains(&function) {
                out.extend(component);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[&[u32]]) -> Graph {
        Graph { callees: edges.iter().map(|callees| callees.iter().copied().collect()).collect() }
    }

    #[test]
    fn only_functions_on_cycles_check_the_stack() {
        let calls = graph(&[&[1, 4], &[2], &[3], &[1], &[5], &[], &[6]]);
        assert_eq!(calls.recursive(), BTreeSet::from([1, 2, 3, 6]));
    }

    #[test]
    fn depth_counts_from_check_to_check() {
        let calls = graph(&[&[1, 2], &[], &[3], &[2]]);
        let frames = BTreeMap::from([(0, 10), (1, 100), (2, 20), (3, 30)]);
        let checked = BTreeSet::from([2]);
        // 0 -> 1 is deepest: from 2 it goes to 3 and back to 2, which checks
        assert_eq!(calls.depth(&frames, &checked, 4), 10 + 4 + 100 + 4);
    }
}

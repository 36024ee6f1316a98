// SPDX-License-Identifier: Apache-2.0
//! Who calls whom: which functions have to check the stack, and how much of it the others may take.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::Operator;

use crate::module::Module;

/// Calls inside a module, by function index. Behind the functions stands a node for each kind of indirect call, which
/// calls what that may reach. Calls that go through the host are not among them: they
/// come back through an entry, which checks the stack itself.
pub struct Graph {
    callees: Vec<BTreeSet<u32>>,
    /// Number of nodes that are functions.
    functions: usize,
}

impl Graph {
    /// Reads the calls of all functions.
    pub fn new(module: &Module<'_>) -> Self {
        let mut callees = vec![BTreeSet::new(); module.functions.len() + module.indirect.len()];
        for indirect in module.indirect.values() {
            let own = &mut callees[indirect.node as usize];
            own.extend(indirect.callees.iter().copied().filter(|&callee| callee >= module.imported_functions));
        }
        for (defined, body) in module.bodies.iter().enumerate() {
            let own = &mut callees[module.imported_functions as usize + defined];
            for (operator, _) in &body.operators {
                match operator {
                    Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                        own.insert(*function_index);
                    }
                    Operator::CallIndirect { type_index, table_index }
                    | Operator::ReturnCallIndirect { type_index, table_index } => {
                        let key = (*table_index, module.types[*type_index as usize].1);
                        own.extend(module.indirect.get(&key).map(|indirect| indirect.node));
                    }
                    _ => {}
                }
            }
            own.retain(|&callee| callee >= module.imported_functions);
        }
        Self { functions: module.functions.len(), callees }
    }

    /// Returns the functions on cycles of calls, each with the number of its group: those that can reach one another.
    pub fn recursive(&self) -> BTreeMap<u32, u32> {
        let mut state =
            Search { graph: self, order: vec![0; self.callees.len()], low: vec![0; self.callees.len()], next: 0 };
        let mut out = BTreeMap::new();
        for function in 0..self.callees.len() as u32 {
            if state.order[function as usize] == 0 {
                state.visit(function, &mut out);
            }
        }
        out
    }

    /// Returns the most stack that is taken from a check to the next, or from an entry to the first one. `frames` gives
    /// the frame of each function in bytes. Calls inside a `group` of [`Graph::recursive`] are checked
    /// before they are made: what is taken is the callee's frame and whatever it calls outside its group.
    pub fn depth(&self, frames: &BTreeMap<u32, u32>, groups: &BTreeMap<u32, u32>, word: u32) -> u32 {
        let mut known: Vec<Option<u32>> = vec![None; self.callees.len()];
        let mut most = 0;
        for start in 0..self.functions as u32 {
            // whoever calls waits for what is called; ends because what is followed has no cycles
            let mut waiting = vec![start];
            while let Some(&function) = waiting.last() {
                let group = groups.get(&function);
                let followed = |callee: &&u32| group.is_none() || groups.get(*callee) != group;
                let callees = self.callees[function as usize].iter().filter(followed);
                let before = waiting.len();
                if known[function as usize].is_none() {
                    let open: Vec<u32> = callees.clone().copied().filter(|&c| known[c as usize].is_none()).collect();
                    waiting.extend(open);
                }
                if waiting.len() == before {
                    let below = callees.filter_map(|&callee| known[callee as usize]).max().unwrap_or(0);
                    // a node that stands for an indirect call takes nothing itself
                    let own = if (function as usize) < self.functions { word } else { 0 };
                    known[function as usize] = Some(frames.get(&function).copied().unwrap_or(0) + own + below);
                    waiting.pop();
                }
            }
            most = most.max(known[start as usize].unwrap_or(0));
        }
        most
    }
}

/// Tarjan's search for strongly connected components, without recursion.
struct Search<'g> {
    graph: &'g Graph,
    order: Vec<u32>,
    low: Vec<u32>,
    next: u32,
}

impl Search<'_> {
    fn visit(&mut self, start: u32, out: &mut BTreeMap<u32, u32>) {
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
            let mut component = Vec::new();
            while let Some(member) = open.pop() {
                on.remove(&member);
                component.push(member);
                if member == function {
                    break;
                }
            }
            if component.len() > 1 || self.graph.callees[function as usize].contains(&function) {
                out.extend(component.into_iter().map(|member| (member, function)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[&[u32]]) -> Graph {
        Graph {
            functions: edges.len(),
            callees: edges.iter().map(|callees| callees.iter().copied().collect()).collect(),
        }
    }

    #[test]
    fn only_functions_on_cycles_are_in_groups() {
        let calls = graph(&[&[1, 4], &[2], &[3], &[1], &[5], &[], &[6]]);
        let groups = calls.recursive();
        assert_eq!(groups.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 6]);
        assert!(groups[&1] == groups[&2] && groups[&2] == groups[&3] && groups[&1] != groups[&6]);
    }

    #[test]
    fn depth_counts_from_check_to_check() {
        let calls = graph(&[&[1, 2], &[], &[3], &[2, 4], &[]]);
        let frames = BTreeMap::from([(0, 10), (1, 50), (2, 20), (3, 30), (4, 10)]);
        // the deepest way without a check is 0 -> 1; inside the group it is 3 -> 4
        assert_eq!(calls.depth(&frames, &calls.recursive(), 4), 10 + 4 + 50 + 4);
        let deeper = BTreeMap::from([(2, 20), (3, 30), (4, 400)]);
        assert_eq!(calls.depth(&deeper, &calls.recursive(), 4), 30 + 4 + 400 + 4);
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Blocks, branches and returns.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{BlockType, Operator};
use wisp_image::format::ValType;

use super::ranges::Facts;
use super::value::{Node, Value};
use super::{Emitter, Trap};
use crate::error::AotError;

/// The facts that are known of a local where control comes from several places.
#[derive(Clone, Copy)]
struct Known {
    zeros: u8,
    min: u64,
    max: u64,
    /// It is the same root at the same distance on all ways.
    same: Option<(u32, i64)>,
}

impl Known {
    fn of(node: Node) -> Self {
        Self { zeros: node.zeros, min: node.min, max: node.max, same: Some((node.root, node.distance)) }
    }

    fn meet(self, node: Node) -> Self {
        Self {
            zeros: self.zeros.min(node.zeros),
            min: self.min.min(node.min),
            max: self.max.max(node.max),
            same: self.same.filter(|&same| same == (node.root, node.distance)),
        }
    }
}

/// The instruction that opened a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Function,
    Block,
    Loop,
    /// Before its `else`.
    If,
    /// After it.
    Else,
}

/// An open block.
pub struct Frame {
    kind: Kind,
    label: u32,
    /// Values on the stack below its parameters.
    height: usize,
    /// Variables a branch to it assigns: the parameters of a loop, else the results.
    targets: Vec<(String, ValType)>,
    results: Vec<ValType>,
    /// A branch goes to its label.
    used: bool,
    /// Locals written inside.
    written: BTreeSet<u32>,
    /// The facts known of those locals on all ways to the label so far.
    met: BTreeMap<u32, Known>,
    /// The values that those of 32 bits are assumed to have where a loop starts.
    heads: BTreeMap<u32, Node>,
    /// Position of the operator that opened it.
    position: usize,
    /// State at its start, for `else` and for what follows.
    facts: Facts,
    /// The facts that hold on all ways to the label so far.
    after: Option<Facts>,
    stack_checked: bool,
    /// Those of the locals that are written inside.
    locals: Vec<(u32, Node)>,
    params: Vec<Value>,
    /// Line where a loop's look at the stop flag goes.
    poll: usize,
    /// An `if` that is made of jumps: compilers bound how deep braces are nested.
    jumps: bool,
    /// Number of loops around what is inside.
    pub(super) loops: usize,
    /// Number of braces around what is inside.
    braces: usize,
}

/// Cases of a switch, at most: a compiler takes time that grows with their square.
const CASES: usize = 512;
/// Instances of `if` in each other that are made of braces.
const BRACES: usize = 64;

impl Frame {
    /// Returns the line between the two parts of an `if`.
    fn otherwise(&self) -> String {
        match self.jumps {
            true => format!("goto F{0}; E{0}:; ", self.label),
            false => "} else { ".into(),
        }
    }
}

impl<'a> Emitter<'_, '_, 'a> {
    pub(super) fn open_function(&mut self) {
        let results = self.results.clone();
        let frame = self.frame(Kind::Function, results, Vec::new(), BTreeSet::new());
        self.frames.push(frame);
    }

    fn frame(&mut self, kind: Kind, results: Vec<ValType>, params: Vec<Value>, written: BTreeSet<u32>) -> Frame {
        self.labels += 1;
        self.block += 1;
        let locals = written.iter().map(|&local| (local, self.locals[local as usize].1)).collect();
        let (loops, braces) = self.frames.last().map_or((0, 0), |around| (around.loops, around.braces));
        Frame {
            kind,
            label: self.labels,
            height: self.stack.len(),
            targets: Vec::new(),
            results,
            used: false,
            written,
            met: BTreeMap::new(),
            heads: BTreeMap::new(),
            position: 0,
            facts: self.facts.clone(),
            after: None,
            stack_checked: self.stack_checked,
            locals,
            params,
            poll: 0,
            jumps: false,
            loops: loops + usize::from(kind == Kind::Loop),
            braces,
        }
    }

    /// Follows blocks through dead code. Returns true for what ends it.
    pub(super) fn leaves_dead_code(&mut self, operator: &Operator<'a>) -> bool {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                self.skipped += 1;
                false
            }
            Operator::End if self.skipped > 0 => {
                self.skipped -= 1;
                false
            }
            Operator::End => true,
            Operator::Else => self.skipped == 0,
            _ => false,
        }
    }

    /// Translates blocks and branches. Returns false for other operators.
    pub(super) fn control(&mut self, operator: &Operator<'a>, position: usize) -> Result<bool, AotError> {
        match operator {
            Operator::Block { blockty } => self.open(Kind::Block, *blockty, position)?,
            Operator::Loop { blockty } => self.open(Kind::Loop, *blockty, position)?,
            Operator::If { blockty } => self.open(Kind::If, *blockty, position)?,
            Operator::Else => self.else_(),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => {
                let branch = self.branch(*relative_depth);
                self.push_line(branch);
                self.die();
            }
            Operator::BrIf { relative_depth } => {
                let condition = self.pop();
                let test = self.test_of(condition.node);
                let before = self.facts.clone();
                self.facts.assume(&test);
                let branch = self.branch(*relative_depth);
                self.facts = before;
                self.facts.assume(&test.negated());
                self.push_line(format!("if ({}) {{ {branch} }}", condition.text));
                self.block += 1;
            }
            Operator::BrTable { targets } => {
                let selector = self.pop();
                let mut cases: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
                for (case, target) in targets.targets().enumerate() {
                    cases.entry(target?).or_default().push(case);
                }
                cases.remove(&targets.default());
                if targets.len() as usize > CASES {
                    self.large_table(&selector, targets.len() as usize, &cases);
                    let branch = self.branch(targets.default());
                    self.push_line(branch);
                } else {
                    self.push_line(format!("switch ({}) {{", selector.text));
                    for (depth, cases) in &cases {
                        let labels: String = cases.iter().map(|case| format!("case {case}: ")).collect();
                        let branch = self.branch(*depth);
                        self.push_line(format!("{labels}{branch}"));
                    }
                    let branch = self.branch(targets.default());
                    self.push_line(format!("default: {branch} }}"));
                }
                self.die();
            }
            Operator::Return => {
                let line = self.return_();
                self.push_line(line);
                self.die();
            }
            Operator::Unreachable => {
                let trap = self.trap(Trap::Unreachable);
                self.push_line(trap);
                self.die();
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Writes the switch of a large `br_table`. Control goes on behind it for the default. A table has the number of each
    /// case's target, so that the compiler sees each target once. More targets than [`CASES`] are several switches.
    fn large_table(&mut self, selector: &Value, length: usize, cases: &BTreeMap<u32, Vec<usize>>) {
        let mut numbers = vec![0; length];
        for (number, cases) in (1..).zip(cases.values()) {
            cases.iter().for_each(|&case| numbers[case] = number);
        }
        let element = if cases.len() < 256 { "u8" } else { "u16" };
        let elements: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        self.labels += 1;
        let (table, index) = (format!("cases{}", self.labels), &selector.text);
        let number = self.variable(ValType::I32);
        self.push_line(format!("static const {element} {table}[] = {{ {} }};", elements.join(",")));
        self.push_line(format!("{number} = {index} < {length}u ? {table}[{index}] : 0;"));
        let nested = cases.len() >= CASES;
        if let (true, Some(_)) = (nested, &self.seams) {
            return self.far_table(&number, cases);
        }
        let outer = if nested { format!("{number} / {CASES}u") } else { number.clone() };
        self.push_line(format!("switch ({outer}) {{"));
        for (of, depth) in (1..).zip(cases.keys()) {
            if nested && (of == 1 || of % CASES == 0) {
                let end = if of == 1 { "" } else { "} break; " };
                self.push_line(format!("{end}case {}: switch ({number} % {CASES}u) {{", of / CASES));
            }
            let branch = self.branch(*depth);
            self.push_line(format!("case {}: {branch}", if nested { of % CASES } else { of }));
        }
        self.push_line(if nested { "} }".into() } else { "}".into() });
    }

    /// Writes a line of a divided function that jumps to one of many labels, and what else branches to them do behind
    /// labels of its own.
    fn far_table(&mut self, number: &str, cases: &BTreeMap<u32, Vec<usize>>) {
        let (mut line, mut behind) = (format!("{} {number}", super::parts::FAR), Vec::new());
        for &depth in cases.keys() {
            let branch = self.branch(depth);
            let plain = branch.strip_prefix("goto ").and_then(|rest| rest.strip_suffix(';'));
            if let Some(label) = plain.filter(|label| label.starts_with('L')) {
                line.push_str(&format!(" {label}"));
                continue;
            }
            self.labels += 1;
            line.push_str(&format!(" L{}", self.labels));
            behind.push(format!("L{}:; {branch}", self.labels));
        }
        self.labels += 1;
        let default = format!("L{}", self.labels);
        self.push_line(line);
        self.push_line(format!("goto {default};"));
        for line in behind {
            self.seam();
            self.push_line(line);
        }
        self.seam();
        self.push_line(format!("{default}:;"));
    }

    pub(super) fn die(&mut self) {
        self.dead = true;
        self.skipped = 0;
        self.block += 1;
    }

    fn open(&mut self, kind: Kind, ty: BlockType, position: usize) -> Result<(), AotError> {
        let condition = (kind == Kind::If).then(|| self.pop());
        let ty = self.plan.module.block_type(ty)?;
        // a local read before the block and written in it would have to be copied on one path only
        let written = self.scan.written.get(&position).cloned().unwrap_or_else(|| {
            self.broken("a block that was not looked at before");
            BTreeSet::new()
        });
        for index in 0..self.stack.len() {
            if self.stack[index].local.is_some_and(|local| written.contains(&local)) {
                self.copy_out(index);
            }
        }
        let params = self.pop_many(ty.params.len());
        let mut frame = self.frame(kind, ty.results, params.clone(), written);
        frame.position = position;
        if kind == Kind::Loop {
            for param in &params {
                let name = self.variable(param.ty);
                self.push_line(format!("{name} = {};", param.text));
                let node = self.fresh();
                self.stack.push(Value { text: name.clone(), ty: param.ty, node, local: None });
                frame.targets.push((name, param.ty));
            }
            for local in frame.written.clone() {
                let node = self.assumed_at(position, local);
                if self.locals[local as usize].0 == ValType::I32 {
                    self.facts.limit(node, node.range());
                    frame.heads.insert(local, node);
                }
                self.locals[local as usize].1 = node;
            }
            let label = frame.label;
            self.push_line(format!("L{label}:;"));
            frame.poll = self.lines.len();
            self.push_line(String::new());
        } else {
            for &ty in &frame.results.clone() {
                let name = self.variable(ty);
                frame.targets.push((name, ty));
            }
            self.stack.extend(params);
        }
        if let Some(condition) = condition {
            let test = self.test_of(condition.node);
            self.facts.assume(&test);
            frame.facts.assume(&test.negated());
            frame.jumps = self.seams.is_some() || frame.braces >= BRACES;
            frame.braces += usize::from(!frame.jumps);
            self.push_line(match frame.jumps {
                true => format!("if (!({})) {{ goto E{}; }}", condition.text, frame.label),
                false => format!("if ({}) {{", condition.text),
            });
        }
        self.frames.push(frame);
        Ok(())
    }

    /// Returns what is assumed of a local at the start of a loop.
    fn assumed_at(&mut self, position: usize, local: u32) -> Node {
        let (ty, before) = self.locals[local as usize];
        let (before, node) = (self.facts.at(before), self.fresh());
        match ty {
            ValType::I32 => self.assumed.at((position, local), before, node),
            _ => node,
        }
    }

    /// Assigns the values on top of the stack to variables, at once.
    fn assign(&mut self, targets: &[(String, ValType)]) -> String {
        let first = self.top(targets.len());
        let values: Vec<String> = self.stack[first..].iter().map(|value| value.text.clone()).collect();
        let moves: Vec<(&str, &str)> = targets
            .iter()
            .zip(&values)
            .map(|((target, _), value)| (target.as_str(), value.as_str()))
            .filter(|(target, value)| target != value)
            .collect();
        // parameters of a loop may be assigned to one another
        let crossed = moves.iter().any(|(_, value)| targets.iter().any(|(target, _)| target == value));
        let mut out = String::new();
        if crossed {
            for (index, ((_, ty), value)) in targets.iter().zip(&values).enumerate() {
                out.push_str(&format!("{} x{index} = {value}; ", super::c_type(*ty)));
            }
            for (index, (target, _)) in targets.iter().enumerate() {
                out.push_str(&format!("{target} = x{index}; "));
            }
            return format!("{{ {out}}} ");
        }
        for (target, value) in moves {
            out.push_str(&format!("{target} = {value}; "));
        }
        out
    }

    /// Statements that branch.
    fn branch(&mut self, depth: u32) -> String {
        let Some(index) = self.frames.len().checked_sub(1 + depth as usize) else {
            self.broken("a branch out of the function");
            return String::new();
        };
        if self.frames[index].kind == Kind::Function {
            return self.return_();
        }
        self.frames[index].used = true;
        self.meet(index);
        let targets = self.frames[index].targets.clone();
        let moves = self.assign(&targets);
        format!("{moves}goto L{};", self.frames[index].label)
    }

    /// Notes that control goes to the label of a block from here.
    fn meet(&mut self, index: usize) {
        let frame = &mut self.frames[index];
        if frame.kind == Kind::Loop {
            for (&local, &head) in &frame.heads {
                let node = self.facts.at(self.locals[local as usize].1);
                let before = self.facts.at(head).range();
                self.assumed.brings((frame.position, local), head, before, node, &self.bounds);
            }
            return;
        }
        for &local in &frame.written {
            let node = self.facts.at(self.locals[local as usize].1);
            let known = frame.met.get(&local).map_or(Known::of(node), |known| known.meet(node));
            frame.met.insert(local, known);
        }
        match &mut frame.after {
            Some(after) => after.meet(&self.facts),
            after => *after = Some(self.facts.clone()),
        }
    }

    /// Statements that return the values on top of the stack.
    pub(super) fn return_(&mut self) -> String {
        let first = self.top(self.results.len());
        let values = &self.stack[first..];
        let divided = self.seams.is_some();
        match values {
            [] if divided => "goto done;".into(),
            [value] if divided => format!("f->result = {}; goto done;", value.text),
            [] => "return;".into(),
            [value] => format!("return {};", value.text),
            values => {
                let mut out = String::new();
                for (index, value) in values.iter().enumerate() {
                    out.push_str(&format!("r[{index}] = {}; ", value.bits()));
                }
                out.push_str(if divided { "goto done;" } else { "return;" });
                out
            }
        }
    }

    fn else_(&mut self) {
        match self.frames.last() {
            Some(frame) if frame.kind != Kind::If => return self.broken("an `else` without its `if`"),
            Some(_) if !self.dead => self.meet(self.frames.len() - 1),
            _ => {}
        }
        let Some(mut frame) = self.frames.pop() else { return self.broken("an `else` outside of all blocks") };
        if !self.dead {
            let moves = self.assign(&frame.targets);
            self.push_line(moves);
        }
        self.push_line(frame.otherwise());
        self.stack.truncate(frame.height);
        self.stack.extend(frame.params.clone());
        self.restore(&frame);
        self.dead = false;
        self.block += 1;
        frame.kind = Kind::Else;
        self.frames.push(frame);
    }

    /// Goes back to what was known at the start of a block.
    fn restore(&mut self, frame: &Frame) {
        self.facts = frame.facts.clone();
        self.stack_checked = frame.stack_checked;
        for &(local, node) in &frame.locals {
            self.locals[local as usize].1 = node;
        }
    }

    fn end(&mut self) {
        if !self.dead && self.frames.last().is_some_and(|frame| frame.kind != Kind::Loop) {
            self.meet(self.frames.len() - 1);
        }
        let Some(frame) = self.frames.pop() else { return self.broken("an `end` outside of all blocks") };
        self.block += 1;
        if frame.kind == Kind::Function {
            if !self.dead {
                let line = self.return_();
                self.push_line(line);
            }
            return;
        }
        let joins = frame.used || matches!(frame.kind, Kind::If | Kind::Else);
        if frame.kind == Kind::Loop {
            self.assumed.ends(frame.position);
            if frame.used && self.plan.options.poll {
                let trap = self.trap(Trap::Stop);
                self.lines[frame.poll] = format!("if (UNLIKELY(*c->stop)) {trap}");
            }
            // control leaves a loop at its end only
            return self.drop_below(&frame);
        }
        if !joins {
            return self.drop_below(&frame);
        }
        if !self.dead {
            let moves = self.assign(&frame.targets);
            self.push_line(moves);
        }
        let mut otherwise = frame.kind == Kind::Else;
        if frame.kind == Kind::If && !frame.params.is_empty() {
            // without an `else` the parameters are the results
            let moves: String =
                frame.targets.iter().zip(&frame.params).map(|((t, _), p)| format!("{t} = {}; ", p.text)).collect();
            self.push_line(frame.otherwise() + &moves);
            otherwise = true;
        }
        if matches!(frame.kind, Kind::If | Kind::Else) {
            self.push_line(match (frame.jumps, otherwise) {
                (true, false) => format!("E{}:;", frame.label),
                (true, true) => format!("F{}:;", frame.label),
                (false, _) => "}".into(),
            });
        }
        if frame.used {
            self.push_line(format!("L{}:;", frame.label));
        }
        self.restore(&frame);
        if let Some(mut after) = frame.after {
            if frame.kind == Kind::If {
                after.meet(&frame.facts);
            }
            self.facts = after;
        }
        for &local in &frame.written {
            let before = frame.facts.at(self.locals[local as usize].1);
            let known = match (frame.met.get(&local), frame.kind) {
                // the way past it
                (Some(known), Kind::If) => known.meet(before),
                (None, Kind::If) => Known::of(before),
                (Some(known), _) => *known,
                (None, _) => Known { zeros: 0, min: 0, max: u64::MAX, same: None },
            };
            let node = match known.same {
                Some((root, distance)) if root != 0 => Node { distance, ..Node::unknown(root) },
                _ => self.fresh(),
            };
            let node = node.with_zeros(known.zeros);
            self.locals[local as usize].1 = Node { min: known.min, max: known.max, ..node };
        }
        self.stack.truncate(frame.height);
        for (name, ty) in frame.targets {
            let node = self.fresh();
            self.stack.push(Value { text: name, ty, node, local: None });
        }
        self.dead = false;
    }

    /// Ends a block that is left at its end only: its results are what is on the stack.
    fn drop_below(&mut self, frame: &Frame) {
        if self.dead {
            self.stack.truncate(frame.height);
            return;
        }
        let results = self.pop_many(frame.results.len());
        self.stack.truncate(frame.height);
        self.stack.extend(results);
    }
}

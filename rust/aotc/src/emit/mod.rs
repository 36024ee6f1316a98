// SPDX-License-Identifier: Apache-2.0
//! From operators to C.
//!
//! A function is translated in one pass over its operators with a stack of C expressions, each a constant,
//! a local or a temporary that is assigned once. `value.rs` knows what is known about values, `memory.rs`
//! turns that into few bounds checks, `control.rs` translates blocks and branches, `calls.rs` calls and
//! tables, `numeric.rs` the arithmetic, `file.rs` puts the file together,
//! and `parts.rs` divides functions that are too large for a C compiler.
//!
//! A function is translated several times: to learn how far addresses that a loop changes are aligned, which
//! bytes around each address a basic block touches, and at last to write it, with one check for those bytes.

mod alignment;
mod assumed;
mod calls;
mod control;
mod file;
pub mod lines;
mod memory;
mod numeric;
mod parts;
mod prescan;
#[cfg(test)]
mod range_tests;
mod ranges;
#[cfg(test)]
mod tests;
mod units;
mod value;

use std::collections::{BTreeMap, HashMap};

use wasmparser::Operator;
use wisp_contract::trap::TrapCode;
use wisp_image::format::ValType;
use wisp_image::native;

use crate::error::AotError;
use crate::module::Module;
use crate::Options;

pub use file::{generate, Generated, Kind, Unit};
pub use units::HUGE;

use alignment::Alignment;
use assumed::Assumed;
use calls::Tails;
use control::Frame;
use file::called_elsewhere;
use memory::Windows;
use parts::{Declaration, Parts, Seam, Whole};
use ranges::{Bounds, Facts, Test};
use units::Units;
use value::{Node, Value};

/// Numbers of traps that the code raises itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Trap {
    /// The number is in the context.
    InContext = 0,
    Unreachable = TrapCode::Unreachable as u8,
    Memory = TrapCode::MemoryOutOfBounds as u8,
    Table = TrapCode::TableOutOfBounds as u8,
    NullCall = TrapCode::IndirectCallToNull as u8,
    Signature = TrapCode::BadSignature as u8,
    Overflow = TrapCode::IntegerOverflow as u8,
    DivisionByZero = TrapCode::IntegerDivisionByZero as u8,
    Conversion = TrapCode::BadConversionToInteger as u8,
    Stack = TrapCode::StackOverflow as u8,
    Stop = native::SITE_STOP,
}

/// The facts about the module as a whole.
pub struct Plan<'m, 'a> {
    pub module: &'m Module<'a>,
    pub options: &'m Options,
    /// Bytes of memory that always exist.
    pub memory_least: u64,
    /// The memory never has another size.
    pub memory_fixed: bool,
    /// Functions on cycles of calls, with the number of their group: calls inside a group check the stack.
    pub groups: BTreeMap<u32, u32>,
    /// The alignments that are assumed of globals and parameters.
    pub alignment: Alignment,
    /// The C files that the functions go to.
    pub units: Units,
}

impl<'m, 'a> Plan<'m, 'a> {
    /// Returns a directive that gives the next line of C a number, if lines are wanted.
    fn line(&self, number: u32) -> String {
        if self.options.callers {
            lines::directive(number)
        } else {
            String::new()
        }
    }

    /// Returns the facts of a module whose image has this memory. `groups` are those of [`crate::graph::Graph`].
    pub fn new(
        module: &'m Module<'a>,
        options: &'m Options,
        memory: Option<wisp_image::Memory>,
        groups: BTreeMap<u32, u32>,
    ) -> Self {
        let (memory_least, memory_fixed) = match memory {
            Some(memory) if memory.imported => (u64::from(memory.min) << memory.page_size_log2, false),
            Some(memory) => (u64::from(memory.backed), !memory.grows),
            None => (0, true),
        };
        let alignment = Alignment::new(module, |function| called_elsewhere(module, function));
        let units = Units::new(module.bodies.iter().map(|body| body.operators.len()));
        Self { module, options, memory_least, memory_fixed, groups, alignment, units }
    }
}

/// C code of a function.
pub struct Function {
    pub text: String,
    /// The parts that it calls, if it is divided.
    pub parts: Option<Parts>,
    /// (offset in the module, number) of its trap sites.
    pub sites: Vec<(u32, Trap)>,
}

/// A function being translated.
struct Emitter<'p, 'm, 'a> {
    plan: &'p Plan<'m, 'a>,
    index: u32,
    results: Vec<ValType>,
    locals: Vec<(ValType, Node)>,
    stack: Vec<Value>,
    frames: Vec<Frame>,
    lines: Vec<String>,
    declarations: Vec<Declaration>,
    /// The function is divided into parts of so many bytes at most: where it can be cut.
    seams: Option<(usize, Vec<Seam>)>,
    tails: Tails,
    /// The operator is a tail call.
    tail: bool,
    temporaries: u32,
    labels: u32,
    /// Roots of values handed out.
    roots: u32,
    dead: bool,
    /// Blocks opened in dead code.
    skipped: u32,
    /// Number of the basic block.
    block: u32,
    offset: u32,
    facts: Facts,
    /// The comparisons whose results values are, by root.
    tests: HashMap<u32, Test>,
    /// The address ranges that the first translation collects and the second uses.
    windows: Windows,
    /// The alignments that are assumed at the start of loops.
    assumed: Assumed,
    collecting: bool,
    scan: prescan::Scan,
    bounds: Bounds,
    sites: Vec<(u32, Trap)>,
    site_of: HashMap<(u32, Trap), usize>,
    /// Slots of the largest call through slots.
    slots: usize,
    uses_memory: bool,
    /// A loop calls imported functions.
    imports_at_start: bool,
    /// The stack was checked on every way to here.
    stack_checked: bool,
    /// The first invariant of the translation that did not hold, and the offset of its operator.
    broken: Option<(&'static str, u32)>,
}

/// Returns the C type of a value type.
fn c_type(ty: ValType) -> &'static str {
    match ty {
        ValType::I64 => "u64",
        ValType::F32 => "f32",
        ValType::F64 => "f64",
        ValType::I32 | ValType::FuncRef | ValType::ExternRef => "u32",
    }
}

/// Translates a function, given by its index among the defined ones.
pub fn function(plan: &Plan<'_, '_>, defined: u32) -> Result<Function, AotError> {
    /// Translations after which nothing is assumed of loops. Few need more than six.
    const MOST: usize = 32;
    /// Translations after which bounds that do not hold are given up, for a function of usual size and for a huge one.
    const HURRIED: [usize; 2] = [14, 4];
    let huge = plan.module.bodies[defined as usize].operators.len() > HUGE;
    let mut assumed = Assumed::default();
    for round in 0..=MOST {
        assumed.begin(round >= HURRIED[usize::from(huge)], round == MOST);
        let mut emitter = Emitter::new(plan, defined, Windows::default(), assumed, true);
        emitter.body(defined)?;
        assumed = emitter.assumed;
        if assumed.holds() && !assumed.sharpen() {
            let mut emitter = Emitter::new(plan, defined, emitter.windows, assumed, false);
            emitter.body(defined)?;
            if emitter.assumed.holds() {
                return emitter.finish();
            }
            break;
        }
    }
    let function = plan.module.imported_functions + defined;
    Err(AotError::internal_in(function, 0, "assumptions about loops do not hold"))
}

impl<'p, 'm, 'a> Emitter<'p, 'm, 'a> {
    fn new(plan: &'p Plan<'m, 'a>, defined: u32, windows: Windows, assumed: Assumed, collecting: bool) -> Self {
        let module = plan.module;
        let index = module.imported_functions + defined;
        let body = &module.bodies[defined as usize];
        let ty = module.function_type(index);
        let mut emitter = Self {
            plan,
            index,
            results: ty.results.clone(),
            locals: Vec::new(),
            stack: Vec::new(),
            frames: Vec::new(),
            lines: Vec::new(),
            declarations: Vec::new(),
            seams: parts::needed(&body.operators, plan.options.part).map(|part| (part, Vec::new())),
            tails: Tails::default(),
            tail: false,
            temporaries: 0,
            labels: 0,
            roots: 0,
            dead: false,
            skipped: 0,
            block: 0,
            offset: 0,
            facts: Facts::default(),
            tests: HashMap::new(),
            windows,
            assumed,
            collecting,
            scan: prescan::scan(&body.operators),
            bounds: Bounds::default(),
            sites: Vec::new(),
            site_of: HashMap::new(),
            slots: 0,
            uses_memory: false,
            imports_at_start: false,
            stack_checked: false,
            broken: None,
        };
        emitter.bounds.add(&body.operators);
        for (param, &ty) in ty.params.iter().enumerate() {
            let mut node = emitter.fresh().with_zeros(plan.alignment.param(defined, param));
            if ty == ValType::I32 {
                node = node.within(plan.alignment.range(defined, param));
                emitter.facts.limit(node, node.range());
            }
            emitter.locals.push((ty, node));
        }
        for &ty in &body.locals {
            emitter.locals.push((ty, Node::constant(0)));
            let name = format!("l{}", emitter.locals.len() - 1);
            emitter.declarations.push(Declaration { ty: c_type(ty), name, rest: " = 0".into() });
        }
        emitter
    }

    fn body(&mut self, defined: u32) -> Result<(), AotError> {
        let module = self.plan.module;
        self.open_function();
        for (position, (operator, offset)) in module.bodies[defined as usize].operators.iter().enumerate() {
            self.offset = *offset;
            self.seam();
            self.tail = matches!(operator, Operator::ReturnCall { .. } | Operator::ReturnCallIndirect { .. });
            let first = self.lines.len();
            self.operator(operator, position)?;
            let number = self.plan.line(if *offset == 0 { lines::NOWHERE } else { *offset });
            for line in self.lines[first..].iter_mut().filter(|line| !line.starts_with(parts::FAR)) {
                line.insert_str(0, &number);
            }
            self.unbroken()?;
        }
        if !self.frames.is_empty() {
            self.broken("a block has no end");
        }
        self.unbroken()
    }

    /// Notes that a function that is divided can be cut here.
    fn seam(&mut self) {
        if let Some((_, seams)) = &mut self.seams {
            let loops = self.frames.last().map_or(0, |frame| frame.loops);
            seams.push(Seam { line: self.lines.len(), loops });
        }
    }

    /// Notes that an invariant of the translation does not hold: no code results.
    fn broken(&mut self, what: &'static str) {
        self.broken.get_or_insert((what, self.offset));
    }

    /// Checks that all invariants held.
    fn unbroken(&self) -> Result<(), AotError> {
        self.broken.map_or(Ok(()), |(what, offset)| Err(AotError::internal_in(self.index, offset, what)))
    }

    fn push_line(&mut self, line: String) {
        self.lines.push(line);
    }

    /// Returns a root nothing is known about.
    fn fresh(&mut self) -> Node {
        self.roots += 1;
        Node::unknown(self.roots)
    }

    /// Returns a variable.
    fn variable(&mut self, ty: ValType) -> String {
        self.variable_of(c_type(ty))
    }

    /// Returns a variable of a C type.
    fn variable_of(&mut self, ty: &'static str) -> String {
        self.temporaries += 1;
        let name = format!("t{}", self.temporaries);
        self.declarations.push(Declaration { ty, name: name.clone(), rest: String::new() });
        name
    }

    /// Pushes the value of an expression.
    fn push(&mut self, ty: ValType, expression: &str) {
        let node = self.fresh();
        self.push_node(ty, expression, node);
    }

    /// Pushes the value of an expression about which something is known.
    fn push_node(&mut self, ty: ValType, expression: &str, node: Node) {
        let name = self.variable(ty);
        self.lines.push(format!("{name} = {expression};"));
        self.stack.push(Value { text: name, ty, node, local: None });
    }

    /// Takes the top value off the stack. The validator has seen that it exists. If it does not, translation ends
    /// with an error before the value that stands in for it is used.
    fn pop(&mut self) -> Value {
        self.stack.pop().unwrap_or_else(|| {
            self.broken("the operand stack is empty");
            Value::constant(ValType::I32, 0)
        })
    }

    /// Returns the position of the first of this many values on top of the stack.
    fn top(&mut self, count: usize) -> usize {
        self.stack.len().checked_sub(count).unwrap_or_else(|| {
            self.broken("the operand stack has too few values");
            self.stack.len()
        })
    }

    /// Takes the values on top off the stack, the deepest first. There are as many as asked for in any case: those
    /// that are missing are stood in for, until translation ends with an error.
    fn pop_many(&mut self, count: usize) -> Vec<Value> {
        let first = self.top(count);
        let mut values = self.stack.split_off(first);
        values.resize(count, Value::constant(ValType::I32, 0));
        values
    }

    /// Returns a statement that raises a trap here.
    fn trap(&mut self, trap: Trap) -> String {
        let offset = if self.plan.options.sites { self.offset } else { 0 };
        let next = self.sites.len();
        let site = *self.site_of.entry((offset, trap)).or_insert(next);
        if site == next {
            self.sites.push((offset, trap));
        }
        format!("{{ site = {site}; goto trap; }}")
    }

    /// Raises a trap if a condition holds.
    fn trap_if(&mut self, condition: &str, trap: Trap) {
        let trap = self.trap(trap);
        self.lines.push(format!("if (UNLIKELY({condition})) {trap}"));
    }

    /// Raises the trap whose number a helper or host function gave, if it is none of 0.
    fn trap_code(&mut self, expression: &str) {
        let trap = self.trap(Trap::InContext);
        self.lines.push(format!("{{ u32 e = {expression}; if (UNLIKELY(e)) {{ c->code_number = e; {trap} }} }}"));
    }

    fn finish(self) -> Result<Function, AotError> {
        const SITES: usize = u16::MAX as usize;
        if self.sites.len() > SITES {
            return Err(AotError::FunctionTooLarge(self.index, "places that may trap", self.sites.len(), SITES));
        }
        let prototype = file::prototype(self.plan, self.index);
        let mut preamble = String::new();
        if self.uses_memory {
            preamble.push_str("u8 *const m = c->memory;\n");
            if self.plan.memory_fixed {
                preamble.push_str(&format!("const up ms = {}u;\n", self.plan.memory_least));
            } else {
                preamble.push_str("up ms = c->memory_size;\n");
            }
        }
        if self.imports_at_start {
            preamble.push_str("const import *const im = c->imports;\n");
        }
        if self.slots > 0 {
            preamble.push_str(&format!("u32 s[{}];\n", self.slots));
        }
        let mut trap = String::new();
        if !self.sites.is_empty() {
            preamble.push_str("u32 site;\n");
            let defined = self.index - self.plan.module.imported_functions;
            trap = format!(
                "{}trap: c->trap(c, site, {defined});\n__builtin_unreachable();\n",
                self.plan.line(lines::TRAP)
            );
        }
        if let Some((part, seams)) = &self.seams {
            let ty = self.plan.module.function_type(self.index);
            let divided = parts::divide(&Whole {
                index: self.index,
                prototype: &prototype,
                params: ty.params.iter().map(|&ty| c_type(ty)).collect(),
                results: ty.results.iter().map(|&ty| c_type(ty)).collect(),
                preamble: &preamble,
                glue: &self.plan.line(lines::GLUE),
                trap: &trap,
                declarations: &self.declarations,
                lines: &self.lines,
                part: *part,
                seams,
                tails: &self.tails,
            })?;
            return Ok(Function { text: String::new(), parts: Some(divided), sites: self.sites });
        }
        let mut text = format!("{prototype}\n{{\n{preamble}");
        self.declarations.iter().for_each(|declaration| text.push_str(&format!("{declaration}\n")));
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&trap);
        text.push_str("}\n");
        Ok(Function { text, parts: None, sites: self.sites })
    }

    fn operator(&mut self, operator: &Operator<'a>, position: usize) -> Result<(), AotError> {
        if self.dead && !self.leaves_dead_code(operator) {
            return Ok(());
        }
        if self.control(operator, position)? || self.call_or_table(operator) || self.memory_access(operator) {
            return Ok(());
        }
        match operator {
            Operator::Nop => {}
            Operator::Drop => {
                self.pop();
            }
            Operator::Select | Operator::TypedSelect { .. } => {
                let (condition, b, a) = (self.pop(), self.pop(), self.pop());
                let mut node = self.fresh();
                let test = self.test_of(condition.node);
                let (x, y) = (self.where_holds(&test, a.node), self.where_holds(&test.negated(), b.node));
                node.min = x.min.min(y.min);
                node.max = x.max.max(y.max);
                node.zeros = a.node.zeros.min(b.node.zeros);
                self.push_node(a.ty, &format!("{} ? {} : {}", condition.text, a.text, b.text), node);
            }
            Operator::LocalGet { local_index } => {
                let (ty, node) = self.locals[*local_index as usize];
                let text = format!("l{local_index}");
                self.stack.push(Value { text, ty, node, local: Some(*local_index) });
            }
            Operator::LocalSet { local_index } => {
                let value = self.pop();
                self.set_local(*local_index, &value);
            }
            Operator::LocalTee { local_index } => {
                let value = self.pop();
                self.set_local(*local_index, &value);
                let (ty, node) = self.locals[*local_index as usize];
                self.stack.push(Value { text: format!("l{local_index}"), ty, node, local: Some(*local_index) });
            }
            Operator::GlobalGet { global_index } => self.global_get(*global_index),
            Operator::GlobalSet { global_index } => {
                let value = self.pop();
                self.plan.alignment.sets(*global_index, value.node.zeros);
                let place = self.global(*global_index);
                let bits = value.bits();
                self.lines.push(format!("{place} = {bits};"));
            }
            Operator::RefNull { hty } => {
                let ty = if *hty == wasmparser::HeapType::EXTERN { ValType::ExternRef } else { ValType::FuncRef };
                self.stack.push(Value { text: "0u".into(), ty, node: Node::constant(0), local: None });
            }
            Operator::RefIsNull => {
                let value = self.pop();
                let node = self.fresh().at_most(1);
                self.push_node(ValType::I32, &format!("{} == 0", value.text), node);
            }
            Operator::RefFunc { function_index } => {
                let distance = i64::from(*function_index) - i64::from(self.plan.module.imported_functions);
                self.push(ValType::FuncRef, &format!("c->first_reference + (u32)({distance})"));
            }
            _ => self.numeric(operator)?,
        }
        Ok(())
    }

    /// Returns the test that holds where a value is not 0.
    fn test_of(&self, node: Node) -> Test {
        let known = self.tests.get(&node.root).filter(|_| node.distance == 0);
        known.copied().unwrap_or(Test::nonzero(node))
    }

    /// Returns a value with what is known of it where a test holds.
    fn where_holds(&self, test: &Test, node: Node) -> Node {
        let mut facts = self.facts.clone();
        facts.assume(test);
        facts.at(node)
    }

    fn set_local(&mut self, index: u32, value: &Value) {
        // whoever still needs the former value gets a copy
        for position in 0..self.stack.len() {
            if self.stack[position].local == Some(index) {
                self.copy_out(position);
            }
        }
        if value.local != Some(index) {
            self.lines.push(format!("l{index} = {};", value.text));
        }
        self.locals[index as usize].1 = value.node;
    }

    /// Gives a value on the stack a variable of its own.
    fn copy_out(&mut self, position: usize) {
        let ty = self.stack[position].ty;
        let name = self.variable(ty);
        self.lines.push(format!("{name} = {};", self.stack[position].text));
        self.stack[position].text = name;
        self.stack[position].local = None;
    }

    /// Returns the place of a global, with the type of its bits.
    fn global(&self, index: u32) -> String {
        let global = &self.plan.module.globals[index as usize];
        let bits = if global.ty.slots() == 2 { "g64" } else { "g32" };
        match global.imported {
            Some(index) => format!("*({bits} *)c->imported_globals[{index}]"),
            None => format!("*({bits} *)((u8 *)(c + 1) + {})", global.offset),
        }
    }

    fn global_get(&mut self, index: u32) {
        let global = &self.plan.module.globals[index as usize];
        if let Some(bits) = global.constant {
            self.stack.push(Value::constant(global.ty, bits));
            return;
        }
        let place = self.global(index);
        let text = match global.ty {
            ValType::F32 => format!("asf32({place})"),
            ValType::F64 => format!("asf64({place})"),
            _ => place,
        };
        let node = self.fresh().with_zeros(self.plan.alignment.global(index));
        self.push_node(global.ty, &text, node);
    }
}

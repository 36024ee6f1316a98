// SPDX-License-Identifier: Apache-2.0
//! Calls and tables.

use std::collections::BTreeMap;

use wasmparser::Operator;
use wisp_compiler::FuncType;
use wisp_image::format::ValType;

use super::parts::{Declaration, TAIL};
use super::value::Value;
use super::{c_type, file, Emitter, Trap};

/// The function that a tail call goes to.
enum Callee<'c> {
    Function(u32),
    /// Its address, as an expression.
    Pointer(&'c str),
}

/// The tail calls of a divided function.
#[derive(Default)]
pub struct Tails {
    /// By type: variables of the arguments, and that of the address.
    pub variables: BTreeMap<FuncType, Vec<String>>,
    /// Distinct calls, with their numbers.
    pub calls: BTreeMap<String, usize>,
}

impl<'a> Emitter<'_, '_, 'a> {
    /// Translates calls and operators on tables. Returns false for other operators.
    pub(super) fn call_or_table(&mut self, operator: &Operator<'a>) -> bool {
        match operator {
            Operator::Call { function_index } => self.call(*function_index),
            Operator::ReturnCall { function_index } => {
                let divided = self.seams.is_some();
                match self.plan.module.defined(*function_index).filter(|_| divided) {
                    Some(defined) => self.hand_over_to(*function_index, defined),
                    None => {
                        self.call(*function_index);
                        self.leave();
                    }
                }
            }
            Operator::CallIndirect { type_index, table_index } => self.call_indirect(*type_index, *table_index, false),
            Operator::ReturnCallIndirect { type_index, table_index } => {
                self.call_indirect(*type_index, *table_index, self.seams.is_some());
                if !self.dead {
                    self.leave();
                }
            }
            Operator::TableGet { table } => {
                let index = self.pop();
                let value = self.variable(ValType::FuncRef);
                self.trap_code(&format!("H(table_get)(c, {table}, {}, &{value})", index.text));
                let node = self.fresh();
                self.stack.push(Value { text: value, ty: ValType::FuncRef, node, local: None });
            }
            Operator::TableSet { table } => self.bulk("table_set", &format!("{table}, "), 2),
            Operator::TableSize { table } => self.push(ValType::I32, &format!("c->tables[{table}]->size")),
            Operator::TableGrow { table } => {
                let operands = self.pop_many(2);
                let call = format!("H(table_grow)(c, {table}, {}, {})", operands[0].text, operands[1].text);
                self.push(ValType::I32, &call);
            }
            Operator::TableFill { table } => self.bulk("table_fill", &format!("{table}, "), 3),
            Operator::TableCopy { dst_table, src_table } => {
                self.bulk("table_copy", &format!("{dst_table}, {src_table}, "), 3);
            }
            Operator::TableInit { elem_index, table } => {
                self.bulk("table_init", &format!("{table}, {elem_index}, "), 3)
            }
            Operator::ElemDrop { elem_index } => self.push_line(format!("H(elem_drop)(c, {elem_index});")),
            _ => return false,
        }
        true
    }

    fn leave(&mut self) {
        let line = self.return_();
        self.push_line(format!("{line} {}", crate::toolchain::TAIL_CALLS));
        self.die();
    }

    /// Writes a tail call of a function of this module by a divided function.
    fn hand_over_to(&mut self, function: u32, defined: u32) {
        let ty = self.plan.module.function_type(function).clone();
        self.check_stack(function);
        let arguments = self.pop_many(ty.params.len());
        for (param, argument) in arguments.iter().enumerate() {
            let range = self.facts.at(argument.node).range();
            self.plan.alignment.passes(defined, param, argument.node.zeros, range);
        }
        self.hand_over(Callee::Function(function), &arguments, &ty);
        self.die();
    }

    /// Writes a tail call of a divided function, which is made when none of its parts is on the stack any more.
    fn hand_over(&mut self, callee: Callee<'_>, arguments: &[Value], ty: &FuncType) {
        if !self.tails.variables.contains_key(ty) {
            let mut variables: Vec<String> = ty.params.iter().map(|&ty| self.variable(ty)).collect();
            variables.push(self.variable_of("up"));
            self.tails.variables.insert(ty.clone(), variables);
        }
        let variables = self.tails.variables[ty].clone();
        for (variable, value) in variables.iter().zip(arguments) {
            self.push_line(format!("{variable} = {};", value.text));
        }
        let function = match callee {
            Callee::Function(function) => format!("fn{function}"),
            Callee::Pointer(pointer) => {
                let variable = &variables[ty.params.len()];
                self.push_line(format!("{variable} = (up){pointer};"));
                format!("(({}){variable})", pointer_type(ty))
            }
        };
        let arguments: String = variables[..ty.params.len()].iter().map(|variable| format!(", {variable}")).collect();
        let results = if ty.results.len() > 1 { ", r" } else { "" };
        let call = format!("{function}(c{arguments}{results})");
        let next = self.tails.calls.len();
        let number = *self.tails.calls.entry(call).or_insert(next);
        self.push_line(format!("to = {TAIL}u + {number}; goto out; {}", crate::toolchain::TAIL_CALLS));
    }

    /// Checks, before a call that may come back here, that there is stack for another round and that the guest is not
    /// to stop. Once on every way through the function will do for the stack. `callee` is its node in the graph of
    /// calls.
    fn check_stack(&mut self, callee: u32) {
        let groups = &self.plan.groups;
        let Some(own) = groups.get(&self.index) else { return };
        if groups.get(&callee) != Some(own) {
            return;
        }
        if std::mem::replace(&mut self.stack_checked, true) {
            return;
        }
        self.trap_if("stack_pointer() < c->stack_limit", Trap::Stack);
        if self.plan.options.poll {
            self.trap_if("*c->stop", Trap::Stop);
        }
    }

    fn call(&mut self, function: u32) {
        let ty = self.plan.module.function_type(function).clone();
        self.check_stack(function);
        let arguments = self.pop_many(ty.params.len());
        if let Some(defined) = self.plan.module.defined(function) {
            for (param, argument) in arguments.iter().enumerate() {
                let range = self.facts.at(argument.node).range();
                self.plan.alignment.passes(defined, param, argument.node.zeros, range);
            }
            self.direct(&format!("fn{function}"), &arguments, &ty);
            self.after_call();
            return;
        }
        // they are where they are for as long as the instance lives: a loop finds them once
        let looping = self.frames.last().is_some_and(|frame| frame.loops > 0);
        self.imports_at_start |= looping;
        let imports = if looping { "im" } else { "c->imports" };
        let form = format!("(({}){imports}[{function}].direct)", pointer_type(&ty));
        self.direct(&form, &arguments, &ty);
        // set by the function that traps, or by whoever stops this code from outside meanwhile
        self.trap_if("c->code_number", Trap::InContext);
        self.after_call();
    }

    /// Calls a function of this module, or a pointer to one.
    fn direct(&mut self, function: &str, arguments: &[Value], ty: &FuncType) {
        self.call_with(function, arguments, ty);
        if self.plan.options.callers && !self.tail {
            // a call that something follows is none that takes its caller's place
            self.push_line("__asm__ volatile(\"\");".into());
        }
    }

    fn call_with(&mut self, function: &str, arguments: &[Value], ty: &FuncType) {
        let arguments: String = arguments.iter().map(|value| format!(", {}", value.text)).collect();
        match ty.results[..] {
            [] => self.push_line(format!("{function}(c{arguments});")),
            [result] => self.push(result, &format!("{function}(c{arguments})")),
            ref results => {
                let name = format!("r{}", self.temporaries);
                let rest = format!("[{}]", results.len());
                self.declarations.push(Declaration { ty: "u64", name: name.clone(), rest });
                self.push_line(format!("{function}(c{arguments}, {name});"));
                for (index, &ty) in results.iter().enumerate() {
                    self.push(ty, &file::from_bits(ty, &format!("{name}[{index}]")));
                }
            }
        }
    }

    /// Writes a call whose arguments and results lie in slots, and which returns the number of a trap.
    fn through_slots(&mut self, arguments: &[Value], ty: &FuncType, call: impl Fn(&str) -> String) {
        self.store_slots(arguments, ty);
        self.trap_code(&call("s"));
        let mut slot = 0;
        for &ty in &ty.results {
            self.push(ty, &file::from_slots(ty, "s", slot));
            slot += ty.slots();
        }
    }

    fn store_slots(&mut self, arguments: &[Value], ty: &FuncType) {
        let slots = |types: &[ValType]| types.iter().map(|ty| ty.slots()).sum::<usize>();
        self.slots = self.slots.max(slots(&ty.params)).max(slots(&ty.results)).max(1);
        let mut slot = 0;
        for value in arguments {
            self.push_line(file::to_slots(value.ty, &value.bits(), "s", slot));
            slot += value.ty.slots();
        }
    }

    /// Writes a call through a table. With `tail` it is a tail call of a divided function, and control may end here.
    fn call_indirect(&mut self, type_index: u32, table: u32, tail: bool) {
        let (ty, distinct) = self.plan.module.types[type_index as usize].clone();
        let node = self.plan.module.indirect.get(&(table, distinct)).map(|indirect| indirect.node);
        match node {
            Some(node) => self.check_stack(node),
            None => self.broken("an indirect call that is not in the graph of calls"),
        }
        let index = self.pop();
        let arguments = self.pop_many(ty.params.len());
        match &self.plan.module.tables[table as usize].fixed {
            Some(entries) => {
                let pointer = self.fixed_table(&index, distinct, table, entries.len());
                if tail {
                    self.hand_over(Callee::Pointer(&pointer), &arguments, &ty);
                    return self.die();
                }
                self.direct(&format!("(({}){pointer})", pointer_type(&ty)), &arguments, &ty);
            }
            None => self.open_table(&index, &arguments, &ty, distinct, table, tail),
        }
        self.after_call();
    }

    /// Checks a call through a table whose elements are known, and returns the address: their distances from the table
    /// lie in the code.
    fn fixed_table(&mut self, index: &Value, distinct: u16, table: u32, last: usize) -> String {
        let i = &index.text;
        let run = self.plan.module.indirect.get(&(table, distinct)).and_then(|indirect| indirect.run);
        match run {
            // nulls, then functions of this type: one comparison
            Some(first) => {
                let null = self.trap(Trap::NullCall);
                let outside = self.trap(Trap::Table);
                let position = if first == 0 { i.clone() } else { format!("(u32)({i} - {first}u)") };
                let null = if first == 0 { String::new() } else { format!("if ({i} < {first}u) {null} ") };
                if index.node.max32() >= last as u64 || first > 0 {
                    self.push_line(format!("if (UNLIKELY({position} >= {}u)) {{ {null}{outside} }}", last - first));
                }
            }
            None if last == 0 => self.trap_if("1", Trap::Table),
            _ => {
                self.trap_if(&format!("{i} >= {last}u"), Trap::Table);
                self.trap_if(&format!("!table{table}[{i}].distance"), Trap::NullCall);
                self.trap_if(&format!("table{table}[{i}].type != {distinct}"), Trap::Signature);
            }
        }
        format!("((const u8 *)table{table} + table{table}[{i}].distance)")
    }

    /// Calls through a table that may change.
    fn open_table(&mut self, index: &Value, arguments: &[Value], ty: &FuncType, distinct: u16, table: u32, tail: bool) {
        self.trap_if(&format!("{} >= c->tables[{table}]->size", index.text), Trap::Table);
        let reference = self.variable(ValType::FuncRef);
        self.push_line(format!("{reference} = c->tables[{table}]->elements[{}];", index.text));
        let own = self.variable(ValType::I32);
        self.push_line(format!("{own} = {reference} - c->first_reference;"));
        self.push_line(format!("if ({own} < c->function_count && c->functions[{own}].ty == {distinct}) {{"));
        let pointer = format!("(c->code + c->functions[{own}].entry)");
        let results: Vec<String> = ty.results.iter().map(|&ty| self.variable(ty)).collect();
        let before = self.stack.len();
        if tail {
            self.hand_over(Callee::Pointer(&pointer), arguments, ty);
        } else {
            self.direct(&format!("(({}){pointer})", pointer_type(ty)), arguments, ty);
        }
        for (result, value) in results.iter().zip(self.stack.split_off(before)) {
            self.push_line(format!("{result} = {};", value.text));
        }
        self.push_line("} else {".into());
        self.through_slots(arguments, ty, |slots| format!("H(call_reference)(c, {reference}, {distinct}, {slots})"));
        for (result, value) in results.iter().zip(self.stack.split_off(before)) {
            self.push_line(format!("{result} = {};", value.text));
        }
        self.push_line("}".into());
        for (text, &ty) in results.into_iter().zip(&ty.results) {
            let node = self.fresh();
            self.stack.push(Value { text, ty, node, local: None });
        }
    }
}

/// Returns the C type of a pointer to a function.
fn pointer_type(ty: &FuncType) -> String {
    let params: String = ty.params.iter().map(|&ty| format!(", {}", c_type(ty))).collect();
    match ty.results[..] {
        [] => format!("void (*)(ctx *{params})"),
        [result] => format!("{} (*)(ctx *{params})", c_type(result)),
        _ => format!("void (*)(ctx *{params}, u64 *)"),
    }
}

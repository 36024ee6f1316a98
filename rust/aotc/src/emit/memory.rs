// SPDX-License-Identifier: Apache-2.0
//! Accesses to linear memory, and which of their checks are needed.
//!
//! An address is a root plus a distance. Once the bytes from `low` to `high` around a root were checked,
//! that holds wherever control comes from there: roots are values, not variables, and memory never
//! shrinks. A window always begins at an address the code itself computes, so that an address that wraps
//! around is found out by its own check.

use std::collections::HashMap;

use wasmparser::{MemArg, Operator};
use wisp_image::format::ValType;

use super::value::{Node, Value};
use super::{Emitter, Trap};

/// By basic block and root: the window its accesses touch.
#[derive(Default)]
pub struct Windows(HashMap<(u32, u32), (i64, i64)>);

/// Widest window that is checked at once: wider ones are not worth a trap that comes early.
const WINDOW: i64 = 4096;

/// The way a load or store is done.
struct Access {
    ty: ValType,
    width: u32,
    /// The value read, as an expression over `{v}`, or the value written, over `{v}`.
    form: &'static str,
    max: u64,
}

fn load(operator: &Operator<'_>) -> Option<(Access, MemArg)> {
    use ValType::{F32, F64, I32, I64};
    let any = u64::MAX;
    let (ty, width, form, max, memarg) = match *operator {
        Operator::I32Load { memarg } => (I32, 4, "{v}", any, memarg),
        Operator::I64Load { memarg } => (I64, 8, "{v}", any, memarg),
        Operator::F32Load { memarg } => (F32, 4, "asf32({v})", any, memarg),
        Operator::F64Load { memarg } => (F64, 8, "asf64({v})", any, memarg),
        Operator::I32Load8S { memarg } => (I32, 1, "(u32)(i32)(i8){v}", any, memarg),
        Operator::I32Load8U { memarg } => (I32, 1, "{v}", 0xff, memarg),
        Operator::I32Load16S { memarg } => (I32, 2, "(u32)(i32)(i16){v}", any, memarg),
        Operator::I32Load16U { memarg } => (I32, 2, "{v}", 0xffff, memarg),
        Operator::I64Load8S { memarg } => (I64, 1, "(u64)(i64)(i8){v}", any, memarg),
        Operator::I64Load8U { memarg } => (I64, 1, "{v}", 0xff, memarg),
        Operator::I64Load16S { memarg } => (I64, 2, "(u64)(i64)(i16){v}", any, memarg),
        Operator::I64Load16U { memarg } => (I64, 2, "{v}", 0xffff, memarg),
        Operator::I64Load32S { memarg } => (I64, 4, "(u64)(i64)(i32){v}", any, memarg),
        Operator::I64Load32U { memarg } => (I64, 4, "{v}", 0xffff_ffff, memarg),
        _ => return None,
    };
    Some((Access { ty, width, form, max }, memarg))
}

fn store(operator: &Operator<'_>) -> Option<(u32, &'static str, MemArg)> {
    Some(match *operator {
        Operator::I32Store { memarg } | Operator::F32Store { memarg } => (4, "{v}", memarg),
        Operator::I64Store { memarg } | Operator::F64Store { memarg } => (8, "{v}", memarg),
        Operator::I32Store8 { memarg } | Operator::I64Store8 { memarg } => (1, "(u8){v}", memarg),
        Operator::I32Store16 { memarg } | Operator::I64Store16 { memarg } => (2, "(u16){v}", memarg),
        Operator::I64Store32 { memarg } => (4, "(u32){v}", memarg),
        _ => return None,
    })
}

fn number(value: u64) -> String {
    if value > u64::from(u32::MAX) {
        format!("{value}ull")
    } else {
        format!("{value}u")
    }
}

impl<'a> Emitter<'_, '_, 'a> {
    /// Translates loads, stores and what else concerns the memory. Returns false for other operators.
    pub(super) fn memory_access(&mut self, operator: &Operator<'a>) -> bool {
        if let Some((access, memarg)) = load(operator) {
            let address = self.pop();
            let place = self.place(&address, memarg.offset, access.width);
            let read = match access.width {
                1 => format!("*({place})"),
                width => format!("ld{}{}({place})", width * 8, suffix(&address, &memarg, width)),
            };
            let node = self.fresh().at_most(access.max);
            self.push_node(access.ty, &access.form.replace("{v}", &read), node);
            return true;
        }
        if let Some((width, form, memarg)) = store(operator) {
            let value = self.pop();
            let address = self.pop();
            let place = self.place(&address, memarg.offset, width);
            let written = form.replace("{v}", &value.bits());
            self.push_line(match width {
                1 => format!("*({place}) = {written};"),
                width => format!("st{}{}({place}, {written});", width * 8, suffix(&address, &memarg, width)),
            });
            return true;
        }
        match operator {
            Operator::MemorySize { .. } => match self.plan.module.memory {
                Some(memory) if self.plan.memory_fixed => {
                    self.stack.push(Value::constant(ValType::I32, memory.min.into()));
                }
                _ => self.push(ValType::I32, "H(memory_pages)(c)"),
            },
            Operator::MemoryGrow { .. } => {
                let delta = self.pop();
                self.push(ValType::I32, &format!("H(memory_grow)(c, {})", delta.text));
                self.after_call();
            }
            Operator::MemoryCopy { .. } => self.bulk("memory_copy", "", 3),
            Operator::MemoryFill { .. } => self.bulk("memory_fill", "", 3),
            Operator::MemoryInit { data_index, .. } => self.bulk("memory_init", &format!("{data_index}, "), 3),
            Operator::DataDrop { data_index } => self.push_line(format!("H(data_drop)(c, {data_index});")),
            _ => return false,
        }
        true
    }

    /// Calls a helper that takes operands and may trap.
    pub(super) fn bulk(&mut self, helper: &str, first: &str, operands: usize) {
        let operands: Vec<String> = self.pop_many(operands).into_iter().map(|value| value.text).collect();
        self.block += 1;
        self.trap_code(&format!("H({helper})(c, {first}{})", operands.join(", ")));
    }

    /// Reads the size of memory again, which a call may have changed.
    pub(super) fn after_call(&mut self) {
        self.block += 1;
        if !self.plan.memory_fixed && self.plan.module.memory.is_some() {
            self.uses_memory = true;
            self.push_line("ms = c->memory_size;".into());
        }
    }

    /// Returns a pointer to the bytes of an access, after whatever check it needs.
    fn place(&mut self, address: &Value, offset: u64, width: u32) -> String {
        self.uses_memory = true;
        let needed = offset + u64::from(width);
        let node = self.facts.at(address.node);
        if node.max32() + needed > self.plan.memory_least {
            self.check(address, node, needed);
        } else {
            self.assert_inside(address, needed);
        }
        match offset {
            0 => format!("m + {}", address.text),
            _ => format!("m + {} + {}", address.text, number(offset)),
        }
    }

    /// Ends the process, for tests, if an access without a check is outside.
    fn assert_inside(&mut self, address: &Value, needed: u64) {
        if self.plan.options.assert_known {
            self.push_line(format!("if ((u64){} + {} > ms) __builtin_trap();", address.text, number(needed)));
        }
    }

    fn check(&mut self, address: &Value, node: Node, needed: u64) {
        let low = node.distance;
        let high = low.saturating_add(i64::try_from(needed).unwrap_or(i64::MAX));
        let key = (self.block, node.root);
        let variable = node.root != 0;
        if variable && self.collecting {
            let window = self.windows.0.entry(key).or_insert((low, high));
            *window = (window.0.min(low), window.1.max(high));
        }
        if variable && self.facts.covers(node.root, low, high) {
            return self.assert_inside(address, needed);
        }
        let (mut from, mut to) = (low, high);
        if let (Some(&(first, last)), true) = (self.windows.0.get(&key), variable && !self.plan.options.strict) {
            if last - first <= WINDOW && (last - first) as u64 <= self.plan.memory_least {
                (from, to) = (first, last);
            }
        }
        let length = (to - from) as u64;
        let base = match low - from {
            0 => address.text.clone(),
            back => format!("(u32)({} - {})", address.text, number(back as u64)),
        };
        let mut condition = format!("{base} > ms - {}", number(length));
        if length > self.plan.memory_least {
            condition = format!("ms < {} || {condition}", number(length));
        }
        self.trap_if(&condition, Trap::Memory);
        if variable {
            self.facts.add(node.root, from, to);
        }
    }
}

/// Returns the form of an access that the alignment allows: known, promised, none.
fn suffix(address: &Value, memarg: &MemArg, width: u32) -> &'static str {
    let log2 = width.trailing_zeros() as u8;
    let known = u32::from(address.node.zeros).min(memarg.offset.trailing_zeros());
    if known >= u32::from(log2).min(2) {
        "k"
    } else if memarg.align >= log2 {
        "n"
    } else {
        ""
    }
}

// SPDX-License-Identifier: Apache-2.0
//! One look at a function before it is translated.
//!
//! Finds the constants that are worth a slot (they stand in a loop and fit no immediate: loading them once at
//! the entry saves an op an iteration) and the locals that may be read before they are written.

use alloc::vec;
use alloc::vec::Vec;

use wasmparser::{Operator, OperatorsReader};

use crate::stack::imm16;

/// Constants kept in slots, at most. Each costs an op a call and one or two slots of the frame.
const POOL_MAX: usize = 16;

/// What the scan found.
#[derive(Default)]
pub struct Prescan {
    /// (bits, wide) of the constants that get a slot.
    pub constants: Vec<(u64, bool)>,
    /// By local index: written before it can be read.
    written_first: Vec<bool>,
}

impl Prescan {
    /// Scans a body with this number of locals, parameters included.
    pub fn new(operators: OperatorsReader<'_>, locals: usize) -> Self {
        let mut scan = Self { constants: Vec::new(), written_first: vec![false; locals] };
        let mut read = vec![false; locals];
        // one bool for each open block: is it a loop
        let mut blocks = Vec::new();
        let mut loops = 0;
        // still in the code that runs first and in order
        let mut straight = true;
        for operator in operators {
            let Ok(operator) = operator else { break };
            match operator {
                Operator::Block { .. } => blocks.push(false),
                Operator::Loop { .. } => {
                    blocks.push(true);
                    loops += 1;
                }
                Operator::If { .. } => {
                    straight = false;
                    blocks.push(false);
                }
                Operator::End => {
                    if blocks.pop() == Some(true) {
                        loops -= 1;
                    }
                }
                Operator::Br { .. }
                | Operator::BrIf { .. }
                | Operator::BrTable { .. }
                | Operator::Return
                | Operator::Unreachable
                | Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. } => straight = false,
                Operator::LocalGet { local_index } if straight => {
                    if let Some(seen) = read.get_mut(local_index as usize) {
                        *seen = true;
                    }
                }
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } if straight => {
                    let index = local_index as usize;
                    if let (Some(first), Some(false)) = (scan.written_first.get_mut(index), read.get(index)) {
                        *first = true;
                    }
                }
                Operator::I32Const { value } if loops > 0 => scan.constant(u64::from(value as u32), false),
                Operator::I64Const { value } if loops > 0 => scan.constant(value as u64, true),
                Operator::F32Const { value } if loops > 0 => scan.float(u64::from(value.bits()), false),
                Operator::F64Const { value } if loops > 0 => scan.float(value.bits(), true),
                _ => {}
            }
        }
        scan
    }

    /// True if the local has to be zero at the entry.
    pub fn needs_clearing(&self, local: usize) -> bool {
        !self.written_first.get(local).copied().unwrap_or(false)
    }

    fn constant(&mut self, bits: u64, wide: bool) {
        if imm16(bits, wide).is_none() {
            self.float(bits, wide);
        }
    }

    /// Floats have no immediate forms.
    fn float(&mut self, bits: u64, wide: bool) {
        if self.constants.len() < POOL_MAX && !self.constants.contains(&(bits, wide)) {
            self.constants.push((bits, wide));
        }
    }
}

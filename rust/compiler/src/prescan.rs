// SPDX-License-Identifier: Apache-2.0
//! One look at a function before it is translated.
//!
//! Finds the constants that are worth a slot (they stand in a loop and fit no immediate: loading them once at
//! the entry saves an op an iteration) and the locals that may be read before they are written, which are the
//! only ones that have to be cleared.

use alloc::vec;
use alloc::vec::Vec;

use wasmparser::{Operator, OperatorsReader};

use crate::stack::imm16;

/// Constants kept in slots, at most. Each costs an op a call and one or two slots of the frame.
const POOL_MAX: usize = 16;

/// The findings of the scan.
#[derive(Default)]
pub struct Prescan {
    /// (bits, wide) of the constants that get a slot.
    pub constants: Vec<(u64, bool)>,
    /// By local index: may be read before it is written.
    read_first: Vec<bool>,
    /// By local index: some operator names it.
    used: Vec<bool>,
}

/// Words of [`Written`] that are kept at once, at most: eight megabytes.
const KEPT_MAX: usize = 1 << 20;
/// Words of [`Written`] that are looked at, at most: so many, and that many more for each operator.
const LOOKED_AT_MAX: usize = 1 << 20;
const LOOKED_AT_EACH: usize = 64;

/// The locals written on every path to a place, or `None` where no path leads.
type Written = Option<Vec<u64>>;

/// An open block.
struct Block {
    is_loop: bool,
    /// Locals written where it began: the state at an `else`.
    at_start: Written,
    /// Locals written on every branch to its end so far.
    at_end: Written,
    /// `if` without an `else` so far: control may skip it.
    may_skip: bool,
}

/// Joins two paths: only a local that both wrote is written behind the place where they meet.
fn meet(a: Written, b: &Written) -> Written {
    match (a, b) {
        (None, b) => b.clone(),
        (a, None) => a,
        (Some(mut a), Some(b)) => {
            a.iter_mut().zip(b).for_each(|(a, b)| *a &= b);
            Some(a)
        }
    }
}

impl Prescan {
    /// Scans a body with this number of locals, of which the first `params` are parameters.
    pub fn new(operators: OperatorsReader<'_>, params: usize, locals: usize) -> Self {
        let mut scan = Self { constants: Vec::new(), read_first: vec![false; locals], used: vec![false; locals] };
        let words = locals.div_ceil(64);
        let mut start = vec![0; words];
        for local in 0..params {
            start[local / 64] |= 1 << (local % 64);
        }
        let mut now: Written = Some(start);
        let mut blocks: Vec<Block> = Vec::new();
        let mut loops = 0;
        let (mut allowed, mut follows) = (LOOKED_AT_MAX, true);
        for operator in operators {
            let Ok(operator) = operator else { break };
            let looked_at = match &operator {
                Operator::Block { .. }
                | Operator::Loop { .. }
                | Operator::If { .. }
                | Operator::Else
                | Operator::End
                | Operator::Br { .. }
                | Operator::BrIf { .. } => words,
                Operator::BrTable { targets } => words * (targets.len() as usize + 1),
                _ => 0,
            };
            if follows && (allowed + LOOKED_AT_EACH < looked_at || blocks.len() * 2 * words > KEPT_MAX) {
                // so many locals in so many blocks: all of them are cleared
                follows = false;
                scan.read_first.fill(true);
                blocks.iter_mut().for_each(|block| (block.at_start, block.at_end) = (None, None));
                now = None;
            }
            allowed = (allowed + LOOKED_AT_EACH).saturating_sub(looked_at);
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    let is_loop = matches!(operator, Operator::Loop { .. });
                    loops += usize::from(is_loop);
                    let may_skip = matches!(operator, Operator::If { .. });
                    blocks.push(Block { is_loop, at_start: now.clone(), at_end: None, may_skip });
                }
                Operator::Else => {
                    if let Some(block) = blocks.last_mut() {
                        block.at_end = meet(block.at_end.take(), &now);
                        block.may_skip = false;
                        now = block.at_start.clone();
                    }
                }
                Operator::End => {
                    if let Some(block) = blocks.pop() {
                        loops -= usize::from(block.is_loop);
                        now = meet(now, &block.at_end);
                        if block.may_skip {
                            now = meet(now, &block.at_start);
                        }
                    }
                }
                Operator::Br { relative_depth } => {
                    branch(&mut blocks, relative_depth, &now);
                    now = None;
                }
                Operator::BrIf { relative_depth } => branch(&mut blocks, relative_depth, &now),
                Operator::BrTable { targets } => {
                    for depth in targets.targets().map_while(Result::ok).chain([targets.default()]) {
                        branch(&mut blocks, depth, &now);
                    }
                    now = None;
                }
                Operator::Return
                | Operator::Unreachable
                | Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. } => now = None,
                Operator::LocalGet { local_index } => {
                    let index = local_index as usize;
                    if let Some(used) = scan.used.get_mut(index) {
                        *used = true;
                    }
                    if let (Some(now), Some(read)) = (&now, scan.read_first.get_mut(index)) {
                        *read |= now[index / 64] & 1 << (index % 64) == 0;
                    }
                }
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                    let index = local_index as usize;
                    if let Some(used) = scan.used.get_mut(index) {
                        *used = true;
                    }
                    if let Some(word) = now.as_mut().and_then(|now| now.get_mut(index / 64)) {
                        *word |= 1 << (index % 64);
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

    /// Returns true if the function names the local: others need no slot.
    pub fn is_used(&self, local: usize) -> bool {
        self.used.get(local).copied().unwrap_or(true)
    }

    /// Returns true if the local has to be zero at the entry.
    pub fn needs_clearing(&self, local: usize) -> bool {
        self.read_first.get(local).copied().unwrap_or(true)
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

/// Notes a branch. One to a loop goes to its start, where more is written than when it was entered.
fn branch(blocks: &mut [Block], depth: u32, now: &Written) {
    let target = blocks.len().checked_sub(1 + depth as usize).and_then(|index| blocks.get_mut(index));
    if let Some(block) = target.filter(|block| !block.is_loop) {
        block.at_end = meet(block.at_end.take(), now);
    }
}

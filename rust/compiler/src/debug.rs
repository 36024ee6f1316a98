// SPDX-License-Identifier: Apache-2.0
//! Tells a debugger what it has to know about code that was compiled for it.

use alloc::vec::Vec;
use core::ops::Range;

use wisp_image::format::ValType;

use crate::parse::Translated;

/// Maps between code of an image and its module, for code that was compiled with [`crate::Options::debug`].
///
/// There, each operator of the module that can be reached begins with an op of its own, a *step*. At a step, every local of
/// the function is in its slot, with the value that it has in WebAssembly, and nothing of the operator is done yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DebugMap {
    /// The defined functions, in order.
    pub functions: Vec<DebugFunction>,
}

/// A function in a [`DebugMap`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DebugFunction {
    /// Offsets in the wasm module between which the body of the function lies.
    pub body: Range<u32>,
    /// (slot, type) of each local, parameters first. A 64-bit local has the next slot as well.
    pub locals: Vec<(u32, ValType)>,
    /// (code offset, offset in the wasm module) of each step, ascending in both.
    pub steps: Vec<(u32, u32)>,
}

impl DebugMap {
    /// Returns the step that stands at this code offset or is the next behind it in the function, or `None` behind the
    /// last.
    pub fn step_from(&self, function: u32, code: u32) -> Option<(u32, u32)> {
        let steps = &self.functions.get(function as usize)?.steps;
        steps.get(steps.partition_point(|step| step.0 < code)).copied()
    }

    /// Returns the step whose operator the op at this code offset belongs to, or `None` in front of the first.
    pub fn step_of(&self, function: u32, code: u32) -> Option<(u32, u32)> {
        let steps = &self.functions.get(function as usize)?.steps;
        steps.get(steps.partition_point(|step| step.0 <= code).checked_sub(1)?).copied()
    }

    /// Returns the first step at or behind an offset in the wasm module, which is where a breakpoint there stops, or
    /// `None` if no function goes on there.
    pub fn step_at(&self, wasm: u32) -> Option<(u32, u32)> {
        let function = self.functions.get(self.functions.partition_point(|function| function.body.end <= wasm))?;
        let steps = function.body.contains(&wasm).then_some(&function.steps)?;
        steps.get(steps.partition_point(|step| step.1 < wasm)).copied()
    }
}

/// Returns the map of these functions, whose code begins at `starts`.
pub(crate) fn map(functions: &[Translated], starts: &[u32]) -> DebugMap {
    let functions = functions.iter().zip(starts).map(|(function, &start)| DebugFunction {
        body: function.body.clone(),
        locals: function.locals.clone(),
        steps: function.layout.steps().map(|(at, wasm)| (start + at, wasm)).collect(),
    });
    DebugMap { functions: functions.collect() }
}

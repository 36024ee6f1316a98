// SPDX-License-Identifier: Apache-2.0
//! How far the values of globals and parameters are aligned, whoever sets them, and which range parameters have.
//!
//! All are assumed to be aligned as far as their first values are; the whole module is translated again for as
//! long as a translation finds something set or passed that is not. So the shadow stack of a C guest, whose
//! pointer is a global, is known to be aligned, and what lies on it where it is passed on. Ranges begin with what is
//! passed first and are widened likewise. If that takes long, parameters may have any value.

use std::cell::Cell;

use wisp_image::format::ValType;

use super::ranges::{Bounds, Range};
use crate::module::Module;

const ANY: Range = (0, u32::MAX as u64);
/// Translations of a module after which its parameters may have any value.
const ROUNDS: u32 = 8;
/// Operators of a module for which ranges of parameters are assumed, at most: each translation takes time.
const OPERATORS: usize = 24_000;

/// Lower bits that are zero: more than these say nothing more about an access.
const MOST: u8 = 3;

/// The alignments that are assumed of a module's globals and parameters.
pub struct Alignment {
    globals: Vec<Cell<u8>>,
    /// By defined function and parameter, or none for functions that are called from elsewhere.
    params: Vec<Vec<Cell<u8>>>,
    /// Likewise the ranges. One that is empty belongs to a function that was not called so far.
    ranges: Vec<Vec<Cell<Range>>>,
    bounds: Bounds,
    lowered: Cell<bool>,
    rounds: Cell<u32>,
}

impl Alignment {
    /// Returns the most that may be assumed. `elsewhere` tells of a function whether others than direct calls call it.
    pub fn new(module: &Module<'_>, elsewhere: impl Fn(u32) -> bool) -> Self {
        let globals = module.globals.iter().map(|global| Cell::new(global.zeros.min(MOST)));
        let params = (module.imported_functions..module.functions.len() as u32).map(|function| {
            let params = module.function_type(function).params.iter();
            let assumed = |ty: &ValType| if *ty == ValType::I32 { MOST } else { 0 };
            params.filter(|_| !elsewhere(function)).map(|ty| Cell::new(assumed(ty))).collect()
        });
        let params: Vec<Vec<Cell<u8>>> = params.collect();
        let mut bounds = Bounds::default();
        module.bodies.iter().for_each(|body| bounds.add(&body.operators));
        let large = module.bodies.iter().map(|body| body.operators.len()).sum::<usize>() > OPERATORS;
        let first = if large { ANY } else { (ANY.1, 0) };
        let own = |(params, function): (&Vec<_>, u32)| {
            let types = module.function_type(function).params.iter().take(params.len());
            types.map(|&ty| Cell::new(if ty == ValType::I32 { first } else { ANY })).collect()
        };
        let ranges = params.iter().zip(module.imported_functions..).map(own).collect();
        let (lowered, rounds) = (Cell::new(false), Cell::new(0));
        Self { globals: globals.collect(), params, ranges, bounds, lowered, rounds }
    }

    /// Returns the range of a parameter of 32 bits of a defined function.
    pub fn range(&self, defined: u32, param: usize) -> Range {
        let range = self.ranges[defined as usize].get(param).map_or(ANY, Cell::get);
        // where there is no call yet, any number will do: what is passed later is noted
        if range.0 > range.1 {
            (0, 0)
        } else {
            range
        }
    }

    /// Returns the lower bits of a global that are zero.
    pub fn global(&self, index: u32) -> u8 {
        self.globals[index as usize].get()
    }

    /// Returns the lower bits of a parameter of a defined function that are zero.
    pub fn param(&self, defined: u32, param: usize) -> u8 {
        self.params[defined as usize].get(param).map_or(0, Cell::get)
    }

    /// Notes that a global is set to a value with that many.
    pub fn sets(&self, index: u32, zeros: u8) {
        self.lower(&self.globals[index as usize], zeros);
    }

    /// Notes that a parameter is passed with that many, and with a range if it has 32 bits.
    pub fn passes(&self, defined: u32, param: usize, zeros: u8, range: Range) {
        if let Some(assumed) = self.params[defined as usize].get(param) {
            self.lower(assumed, zeros);
        }
        let Some(assumed) = self.ranges[defined as usize].get(param) else { return };
        let (low, high) = assumed.get();
        if range.0 >= low && range.1 <= high {
            return;
        }
        self.lowered.set(true);
        let first = low > high;
        let below = if first { range.0 } else { self.bounds.below(range.0, 0) };
        let above = if first { range.1 } else { self.bounds.above(range.1, 0) };
        assumed.set((if range.0 < low { below } else { low }, if range.1 > high { above } else { high }));
    }

    fn lower(&self, assumed: &Cell<u8>, zeros: u8) {
        if zeros < assumed.get() {
            assumed.set(zeros);
            self.lowered.set(true);
        }
    }

    /// Returns true if less is assumed than when this was asked last.
    pub fn lowered(&self) -> bool {
        self.rounds.set(self.rounds.get() + 1);
        if self.rounds.get() == ROUNDS {
            self.ranges.iter().flatten().for_each(|range| range.set(ANY));
            self.lowered.set(true);
        }
        self.lowered.take()
    }
}

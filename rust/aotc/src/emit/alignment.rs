// SPDX-License-Identifier: Apache-2.0
//! How far the values of globals and parameters are aligned, whoever sets them.
//!
//! All are assumed to be aligned as far as their first values are; the whole module is translated again for as
//! long as a translation finds something set or passed that is not. So the shadow stack of a C guest, whose
//! pointer is a global, is known to be aligned, and what lies on it where it is passed on.

use std::cell::Cell;

use wisp_image::format::ValType;

use crate::module::Module;

/// Lower bits that are zero: more than these say nothing more about an access.
const MOST: u8 = 3;

/// The alignments that are assumed of a module's globals and parameters.
pub struct Alignment {
    globals: Vec<Cell<u8>>,
    /// By defined function and parameter, or none for functions that are called from elsewhere.
    params: Vec<Vec<Cell<u8>>>,
    lowered: Cell<bool>,
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
        Self { globals: globals.collect(), params: params.collect(), lowered: Cell::new(false) }
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

    /// Notes that a parameter is passed with that many.
    pub fn passes(&self, defined: u32, param: usize, zeros: u8) {
        if let Some(assumed) = self.params[defined as usize].get(param) {
            self.lower(assumed, zeros);
        }
    }

    fn lower(&self, assumed: &Cell<u8>, zeros: u8) {
        if zeros < assumed.get() {
            assumed.set(zeros);
            self.lowered.set(true);
        }
    }

    /// Returns true if less is assumed than when this was asked last.
    pub fn lowered(&self) -> bool {
        self.lowered.take()
    }
}

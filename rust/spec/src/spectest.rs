// SPDX-License-Identifier: Apache-2.0
//! The module `spectest`, which the suite imports from.

use wisp_engine::{Extern, Linker, Store};
use wisp_tape::spectest::{externals, FUNCTIONS, MODULE};

/// The definitions of `spectest` that lie in the store.
pub struct SpecTest([(&'static str, Extern); 6]);

impl SpecTest {
    /// Makes globals, table and memory. `None` if the arena does not hold them.
    pub fn new(store: &mut Store<'_, ()>) -> Option<Self> {
        externals(store).map(Self)
    }

    /// Returns a linker that knows it.
    pub fn linker(&self) -> Linker<'static, ()> {
        let mut linker = Linker::from_table(&FUNCTIONS);
        for (name, external) in self.0 {
            linker.define(MODULE, name, external);
        }
        linker
    }
}

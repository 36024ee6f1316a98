// SPDX-License-Identifier: Apache-2.0
//! Instances.

use wisp_image::format::external;

use crate::api::externals::Extern;
use crate::api::externals::{Global, Memory, Table};
use crate::api::func::{Func, TypedFunc};
use crate::api::store::AsContext;
use crate::api::value::WasmValues;

/// An instance: a plain index, valid in its store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instance {
    pub(crate) index: u16,
}

impl Instance {
    /// Returns its index in the store.
    pub fn index(self) -> u16 {
        self.index
    }

    /// Returns an export. Costs a read of the image's section table (about 100 instructions) and of the names before
    /// it.
    pub fn get_export(self, store: impl AsContext, name: &str) -> Option<Extern> {
        let context = store.as_context();
        let ctx = context.shared.instance(self.index)?;
        let (kind, index) = ctx.image().export_named(name)?;
        Extern::of(ctx, kind, index)
    }

    /// Calls `visit` with each export, in the order of the module.
    pub fn for_each_export(self, store: impl AsContext, mut visit: impl FnMut(&str, Extern)) {
        let context = store.as_context();
        let Some(ctx) = context.shared.instance(self.index) else { return };
        let image = ctx.image();
        for index in 0..image.export_count() {
            if let Ok(export) = image.export(index) {
                if let Some(external) = Extern::of(ctx, export.kind, export.index) {
                    visit(export.name.shown(), external);
                }
            }
        }
    }

    /// Returns an exported function.
    pub fn get_func(self, store: impl AsContext, name: &str) -> Option<Func> {
        match self.get_export(store, name)? {
            Extern::Func(func) => Some(func),
            _ => None,
        }
    }

    /// Returns an exported function of these types.
    pub fn get_typed_func<P: WasmValues, R: WasmValues>(
        self,
        store: impl AsContext,
        name: &str,
    ) -> Option<TypedFunc<P, R>> {
        self.get_func(&store, name)?.typed(store)
    }

    /// Returns an exported memory.
    pub fn get_memory(self, store: impl AsContext, name: &str) -> Option<Memory> {
        match self.get_export(store, name)? {
            Extern::Memory(memory) => Some(memory),
            _ => None,
        }
    }

    /// Returns an exported global.
    pub fn get_global(self, store: impl AsContext, name: &str) -> Option<Global> {
        match self.get_export(store, name)? {
            Extern::Global(global) => Some(global),
            _ => None,
        }
    }

    /// Returns an exported table.
    pub fn get_table(self, store: impl AsContext, name: &str) -> Option<Table> {
        match self.get_export(store, name)? {
            Extern::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Returns its memory, exported or not.
    pub fn memory(self, store: impl AsContext) -> Option<Memory> {
        let ctx = store.as_context().shared.instance(self.index)?;
        ctx.linear()?;
        match Extern::of(ctx, external::MEMORY, 0)? {
            Extern::Memory(memory) => Some(memory),
            _ => None,
        }
    }

    /// Returns a function by its index in the module's function index space, imported ones first.
    pub fn func(self, store: impl AsContext, index: u16) -> Option<Func> {
        let ctx = store.as_context().shared.instance(self.index)?;
        if u32::from(index) < ctx.functions() {
            Func::from_bits(ctx.reference(u32::from(index)))
        } else {
            None
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! The module `spectest`, which the suite imports from.

use wisp_engine::{Caller, Extern, Global, HostFunction, Memory, Store, Table, Val, ValType};

/// Its name.
pub const MODULE: &str = "spectest";
/// Binary logarithm of the page size of its memory.
const PAGE_SIZE_LOG2: u8 = 16;

/// Its functions.
pub static FUNCTIONS: [HostFunction<()>; 7] = [
    HostFunction::wrap(MODULE, "print", |_: Caller<'_, ()>| ()),
    HostFunction::wrap(MODULE, "print_i32", |_: Caller<'_, ()>, _: i32| ()),
    HostFunction::wrap(MODULE, "print_i64", |_: Caller<'_, ()>, _: i64| ()),
    HostFunction::wrap(MODULE, "print_f32", |_: Caller<'_, ()>, _: f32| ()),
    HostFunction::wrap(MODULE, "print_f64", |_: Caller<'_, ()>, _: f64| ()),
    HostFunction::wrap(MODULE, "print_i32_f32", |_: Caller<'_, ()>, _: i32, _: f32| ()),
    HostFunction::wrap(MODULE, "print_f64_f64", |_: Caller<'_, ()>, _: f64, _: f64| ()),
];

/// Makes globals, table and memory. `None` if the arena does not hold them.
pub fn externals(store: &mut Store<'_, ()>) -> Option<[(&'static str, Extern); 6]> {
    let mut global = |value| Some(Extern::Global(Global::new(&mut *store, value, false)?));
    Some([
        ("global_i32", global(Val::I32(666))?),
        ("global_i64", global(Val::I64(666))?),
        ("global_f32", global(Val::from(666.6f32))?),
        ("global_f64", global(Val::from(666.6f64))?),
        ("table", Extern::Table(Table::new(&mut *store, ValType::FuncRef, 10, Some(20))?)),
        ("memory", Extern::Memory(Memory::new(store, 1, Some(2), PAGE_SIZE_LOG2)?)),
    ])
}

// SPDX-License-Identifier: Apache-2.0
//! Random modules.

use std::cell::RefCell;
use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use wasm_smith::{Config, Module};

/// Bytes up to which memories grow.
pub const MEMORY: u32 = 4 << 16;
/// Elements up to which tables grow.
pub const TABLE: u32 = 200;
/// Calls and loop rounds of a module until it ends itself.
const FUEL: u32 = 20_000;

/// The imports that modules may have. [`crate::host`] and [`crate::differential`] define them.
const IMPORTS: &str = r#"(module
  (import "h" "none" (func))
  (import "h" "i" (func (param i32) (result i32)))
  (import "h" "ii" (func (param i32 i32) (result i32)))
  (import "h" "mixed" (func (param i64 i32 f64 f32) (result i64)))
  (import "h" "f" (func (param f32) (result f64)))
  (import "h" "F" (func (param f64) (result f32)))
  (import "h" "two" (func (param i32) (result i32 i64)))
  (import "h" "wide" (func (param i64 i64) (result i64)))
  (import "h" "exit" (func (param i32)))
  (import "h" "gi" (global i32))
  (import "h" "gI" (global (mut i64)))
  (import "h" "gF" (global f64))
  (import "h" "gf" (global (mut f32)))
  (import "h" "table" (table 5 200 funcref))
  (import "h" "memory" (memory 1 3)))"#;

static AVAILABLE: LazyLock<Vec<u8>> =
    LazyLock::new(|| wat::parse_str(IMPORTS).expect("the text of the imports is well formed"));

thread_local! {
    static LAST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The imports of modules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Imports {
    /// The functions of the host of [`crate::differential`].
    Known,
    /// Anything.
    Any,
}

fn config(u: &mut Unstructured<'_>, imports: Imports) -> Result<Config> {
    Ok(Config {
        available_imports: (imports == Imports::Known).then(|| AVAILABLE.clone()),
        max_imports: 20,
        max_type_size: 4000,
        // not every platform has the same bits of a NaN
        canonicalize_nans: true,
        custom_page_sizes_enabled: u.ratio(1, 4)?,
        export_everything: true,
        max_funcs: u.int_in_range(10..=20)?,
        max_globals: 20,
        max_instructions: u.int_in_range(1..=600)?,
        max_memories: 1,
        max_memory32_bytes: u64::from(MEMORY),
        max_tables: 3,
        max_table_elements: u64::from(TABLE),
        memory_max_size_required: true,
        table_max_size_required: true,
        memory_offset_choices: wasm_smith::MemoryOffsetChoices(90, 9, 1),
        compact_imports_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        simd_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    })
}

/// Returns a module that ends.
pub fn module(u: &mut Unstructured<'_>, imports: Imports) -> Result<Vec<u8>> {
    let config = config(u, imports)?;
    let mut module = Module::new(config, u)?;
    if module.ensure_termination(FUEL).is_err() {
        return Err(arbitrary::Error::IncorrectFormat);
    }
    let wasm = module.to_bytes();
    LAST.with_borrow_mut(|last| last.clone_from(&wasm));
    Ok(wasm)
}

/// Writes the module of the last run, if there is one.
pub fn save_last(file: &str) -> bool {
    LAST.with_borrow(|last| !last.is_empty() && std::fs::write(file, last).is_ok())
}

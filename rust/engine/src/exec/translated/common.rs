// SPDX-License-Identifier: Apache-2.0
//! What the entries and helpers of all instruction sets have in common: what their text names, and the tables of helpers that
//! every text has.

use wisp_translate::Helper;

use super::machine;
use crate::vm::context::Ctx;

/// Assembles an entry and its helpers. Their text names fields of the instance and functions in Rust, and behind it come
/// those that only one instruction set names.
macro_rules! assemble {
    ($($line:expr,)* ; $($name:ident,)*) => {
        core::arch::global_asm!(
            $($line,)*
            unwind = const core::mem::offset_of!(crate::vm::context::Ctx, translated)
                + core::mem::offset_of!(crate::vm::translated::State, unwind),
            entries = const core::mem::offset_of!(crate::vm::context::Ctx, translated)
                + core::mem::offset_of!(crate::vm::translated::State, entries),
            fuel = const core::mem::offset_of!(crate::vm::context::Ctx, fuel),
            limit = const core::mem::offset_of!(crate::vm::context::Ctx, limits) + 8,
            ip = const core::mem::offset_of!(crate::vm::context::Ctx, ip),
            fp = const core::mem::offset_of!(crate::vm::context::Ctx, fp),
            code = const core::mem::offset_of!(crate::vm::context::Ctx, code),
            imports = const core::mem::offset_of!(crate::vm::context::Ctx, imports),
            tables = const core::mem::offset_of!(crate::vm::context::Ctx, tables),
            functions = const core::mem::offset_of!(crate::vm::context::Ctx, functions),
            first_reference = const core::mem::offset_of!(crate::vm::context::Ctx, first_reference),
            function_count = const core::mem::offset_of!(crate::vm::context::Ctx, function_count),
            StackOverflow = const crate::vm::trap::TrapCode::StackOverflow as u32,
            deopt = sym super::deopt,
            refill = sym super::refill,
            failed = sym super::failed,
            failed_there = sym super::failed_there,
            indirect = sym super::indirect,
            interpret = sym super::interpret,
            escape = sym crate::exec::interpreter::escape,
            popcnt = sym super::popcnt,
            $($name = sym $name,)*
        );
    };
}
pub(super) use assemble;

/// Assembles helpers for floats, whose text names functions of the interpreter.
#[cfg(feature = "float")]
macro_rules! assemble_floats {
    ($($line:expr,)*) => {
        core::arch::global_asm!(
            $($line,)*
            f64_promote_f32 = sym crate::exec::interpreter::f64_promote_f32,
            i32_trunc_sat_f32_s = sym crate::exec::interpreter::i32_trunc_sat_f32_s,
            i32_trunc_sat_f32_u = sym crate::exec::interpreter::i32_trunc_sat_f32_u,
            i32_trunc_sat_f64_s = sym crate::exec::interpreter::i32_trunc_sat_f64_s,
            i32_trunc_sat_f64_u = sym crate::exec::interpreter::i32_trunc_sat_f64_u,
        );
    };
}
#[cfg(feature = "float")]
pub(super) use assemble_floats;

/// Helpers that every build has.
const COMMON: usize = Helper::Popcnt as usize + 1;
/// The first helper behind those for floats.
#[cfg(any(feature = "float", wisp_thumb1))]
pub const LAST: usize = Helper::DivS as usize;

// the instance is laid out for C where code reads it; the rest of it is not the code's business
#[allow(improper_ctypes)]
extern "C" {
    static wisp_translated_helpers: [u32; COMMON];
    #[cfg(feature = "float")]
    static wisp_translated_floats: [u32; LAST - COMMON];
    /// Calls code with a frame. Writes so many slots of results there. Returns 0 or the number of a trap.
    #[link_name = "wisp_translated_enter"]
    pub fn enter(ctx: &Ctx, entry: u32, slots: *mut u32, results: u32) -> u32;
}

/// Returns the address of each helper, and 0 for one that code never calls.
pub fn helpers() -> [u32; Helper::COUNT] {
    let mut addresses = [0; Helper::COUNT];
    // SAFETY: the text of each instruction set has this table, and nobody writes it.
    addresses[..COMMON].copy_from_slice(unsafe { &wisp_translated_helpers });
    #[cfg(feature = "float")]
    // SAFETY: the text for floats has this table, and nobody writes it.
    addresses[COMMON..LAST].copy_from_slice(unsafe { &wisp_translated_floats });
    machine::more_helpers(&mut addresses);
    addresses
}

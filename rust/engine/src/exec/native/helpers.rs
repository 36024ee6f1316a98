// SPDX-License-Identifier: Apache-2.0
//! What native code calls: operators that concern the store, and arithmetic its processor lacks. The table
//! has the order of [`wisp_image::native::HELPERS`], which is compared with it when this is compiled.

use wisp_image::native::{same, Helper, HELPERS};

use super::entry;
use crate::exec::call::call_reference as call_reference_of;
use crate::exec::ops;
use crate::vm::context::Ctx;
use crate::vm::features::MISSING_FEATURES;
use crate::vm::memory::LinearMemory;
use crate::vm::native::Record;
use crate::vm::segments::init_table;
use crate::vm::table::TableRecord;
use crate::vm::trap::{RawTrap, TrapCode};

/// Returns the trap, as native code gets it from its helpers.
fn number(result: Result<(), TrapCode>) -> u32 {
    RawTrap::from(result).bits()
}

fn context(record: &Record) -> &Ctx {
    record.context()
}

fn memory(record: &Record) -> Result<&LinearMemory, TrapCode> {
    context(record).linear().ok_or(TrapCode::MemoryOutOfBounds)
}

fn table(record: &Record, index: u32) -> Result<&TableRecord, TrapCode> {
    context(record).table(index as usize).ok_or(TrapCode::TableOutOfBounds)
}

/// Returns true if the runtime is built with the feature that a helper belongs to.
const fn built(helper: Helper) -> bool {
    let missing = MISSING_FEATURES;
    match helper.feature() {
        Some(feature) => missing & feature as u8 == 0,
        None => true,
    }
}

/// Returns the helper with this name.
const fn named(name: &str) -> Helper {
    let mut index = 0;
    while !same(HELPERS[index].0, name) {
        index += 1;
    }
    Helper::ALL[index]
}

/// A bit for each helper that the runtime has.
#[cfg_attr(not(feature = "user-mode"), allow(dead_code))]
pub(super) const BUILT: u64 = {
    let (mut bits, mut index) = (0, 0);
    while index < HELPERS.len() {
        bits |= (built(Helper::ALL[index]) as u64) << index;
        index += 1;
    }
    bits
};

/// Functions with the C calling convention, their types, and their table.
macro_rules! helpers {
    ($($name:ident($($parameter:ident: $ty:ty),*) $(-> $result:ty)? $body:block)*) => {
        /// The table.
        #[repr(C)]
        pub(super) struct Helpers {
            $(pub(super) $name: unsafe extern "C" fn($($ty),*) $(-> $result)?,)*
        }

        pub(super) const DIRECT: Helpers = Helpers {
            $($name: if const { built(named(stringify!($name))) } {
                $name
            } else {
                // SAFETY: it takes no arguments and does not return; and code that calls it is refused.
                unsafe {
                    core::mem::transmute::<unsafe extern "C" fn(), unsafe extern "C" fn($($ty),*) $(-> $result)?>(
                        entry::missing,
                    )
                }
            },)*
        };
        static TABLE: Helpers = DIRECT;

        /// Returns the address of the table.
        pub(super) fn address() -> *const () {
            (&raw const TABLE).cast()
        }

        $(unsafe extern "C" fn $name($($parameter: $ty),*) $(-> $result)? $body)*

        const _: () = {
            let names = [$(stringify!($name)),*];
            assert!(names.len() == HELPERS.len());
            let mut index = 0;
            while index < names.len() {
                assert!(same(names[index], HELPERS[index].0));
                index += 1;
            }
        };
    };
}

helpers! {
    memory_grow(record: &Record, delta: u32) -> u32 {
        let ctx = context(record);
        ctx.linear().and_then(|memory| memory.grow(ctx.shared(), delta)).unwrap_or(u32::MAX)
    }
    memory_pages(record: &Record) -> u32 {
        memory(record).map_or(0, LinearMemory::pages)
    }
    memory_copy(record: &Record, to: u32, from: u32, n: u32) -> u32 {
        number(memory(record).and_then(|memory| memory.copy(context(record).shared(), to, from, n)))
    }
    memory_fill(record: &Record, at: u32, value: u32, n: u32) -> u32 {
        number(memory(record).and_then(|memory| memory.fill(context(record).shared(), at, value as u8, n)))
    }
    memory_init(record: &Record, segment: u32, to: u32, from: u32, n: u32) -> u32 {
        let ctx = context(record);
        let index = segment as usize;
        let image = ctx.image();
        let dropped = ctx.data_dropped(index);
        let bytes = if dropped { &[][..] } else { image.data(index).map_or(&[][..], |data| data.bytes) };
        number(memory(record).and_then(|memory| memory.init(ctx.shared(), to, bytes, from, n)))
    }
    data_drop(record: &Record, segment: u32) {
        context(record).drop_data(segment as usize);
    }
    table_get(record: &Record, index: u32, at: u32, value: &mut u32) -> u32 {
        number(table(record, index).and_then(|table| {
            *value = table.get(at).ok_or(TrapCode::TableOutOfBounds)?;
            Ok(())
        }))
    }
    table_set(record: &Record, index: u32, at: u32, value: u32) -> u32 {
        number(table(record, index).and_then(|table| table.set(at, value)))
    }
    table_grow(record: &Record, index: u32, value: u32, delta: u32) -> u32 {
        table(record, index).ok().and_then(|table| table.grow(value, delta)).unwrap_or(u32::MAX)
    }
    table_fill(record: &Record, index: u32, at: u32, value: u32, n: u32) -> u32 {
        number(table(record, index).and_then(|table| table.fill(context(record).shared(), at, value, n)))
    }
    table_copy(record: &Record, to_table: u32, from_table: u32, to: u32, from: u32, n: u32) -> u32 {
        number(table(record, to_table).and_then(|target| target.copy(context(record).shared(), to, table(record, from_table)?, from, n)))
    }
    table_init(record: &Record, index: u32, segment: u32, to: u32, from: u32, n: u32) -> u32 {
        let ctx = context(record);
        let (table, segment) = (index as usize, segment as usize);
        if ctx.elements_dropped(segment) && (from != 0 || n != 0) {
            return TrapCode::TableOutOfBounds as u32;
        }
        match ctx.image().element(segment) {
            Ok(elements) => number(init_table(ctx, table, &elements, to, from, n)),
            Err(_) => TrapCode::TableOutOfBounds as u32,
        }
    }
    elem_drop(record: &Record, segment: u32) {
        context(record).drop_elements(segment as usize);
    }
    call_reference(record: &Record, reference: u32, ty: u32, slots: *mut u32) -> u32 {
        let ctx = context(record);
        if reference == 0 {
            return TrapCode::IndirectCallToNull as u32;
        }
        let wanted = ctx.ty(ty as u16);
        match ctx.shared().resolve(reference) {
            // SAFETY: rule N: the slots are those of this type.
            Some((owner, function)) if owner.function_type(function) == wanted => unsafe {
                call_reference_of(ctx, reference, slots).bits()
            },
            _ => TrapCode::BadSignature as u32,
        }
    }
    i32_div_s(x: u32, y: u32) -> u32 { (x as i32).wrapping_div(if y == 0 { 1 } else { y as i32 }) as u32 }
    i32_div_u(x: u32, y: u32) -> u32 { x.checked_div(y).unwrap_or(0) }
    i32_rem_s(x: u32, y: u32) -> u32 { (x as i32).wrapping_rem(if y == 0 { 1 } else { y as i32 }) as u32 }
    i32_rem_u(x: u32, y: u32) -> u32 { x.checked_rem(y).unwrap_or(0) }
    i64_div_s(x: u64, y: u64) -> u64 { (x as i64).wrapping_div(if y == 0 { 1 } else { y as i64 }) as u64 }
    i64_div_u(x: u64, y: u64) -> u64 { x.checked_div(y).unwrap_or(0) }
    i64_rem_s(x: u64, y: u64) -> u64 { (x as i64).wrapping_rem(if y == 0 { 1 } else { y as i64 }) as u64 }
    i64_rem_u(x: u64, y: u64) -> u64 { x.checked_rem(y).unwrap_or(0) }
    f32_add(x: u32, y: u32) -> u32 { (f32::from_bits(x) + f32::from_bits(y)).to_bits() }
    f32_sub(x: u32, y: u32) -> u32 { (f32::from_bits(x) - f32::from_bits(y)).to_bits() }
    f32_mul(x: u32, y: u32) -> u32 { (f32::from_bits(x) * f32::from_bits(y)).to_bits() }
    f32_div(x: u32, y: u32) -> u32 { (f32::from_bits(x) / f32::from_bits(y)).to_bits() }
    f32_sqrt(x: u32) -> u32 { ops::f32_sqrt(x) }
    f32_eq(x: u32, y: u32) -> u32 { (f32::from_bits(x) == f32::from_bits(y)).into() }
    f32_lt(x: u32, y: u32) -> u32 { (f32::from_bits(x) < f32::from_bits(y)).into() }
    f32_le(x: u32, y: u32) -> u32 { (f32::from_bits(x) <= f32::from_bits(y)).into() }
    f64_add(x: u64, y: u64) -> u64 { (f64::from_bits(x) + f64::from_bits(y)).to_bits() }
    f64_sub(x: u64, y: u64) -> u64 { (f64::from_bits(x) - f64::from_bits(y)).to_bits() }
    f64_mul(x: u64, y: u64) -> u64 { (f64::from_bits(x) * f64::from_bits(y)).to_bits() }
    f64_div(x: u64, y: u64) -> u64 { (f64::from_bits(x) / f64::from_bits(y)).to_bits() }
    f64_sqrt(x: u64) -> u64 { ops::f64_sqrt(x) }
    f64_eq(x: u64, y: u64) -> u32 { (f64::from_bits(x) == f64::from_bits(y)).into() }
    f64_lt(x: u64, y: u64) -> u32 { (f64::from_bits(x) < f64::from_bits(y)).into() }
    f64_le(x: u64, y: u64) -> u32 { (f64::from_bits(x) <= f64::from_bits(y)).into() }
    f32_convert_i32_s(x: u32) -> u32 { (x as i32 as f32).to_bits() }
    f32_convert_i32_u(x: u32) -> u32 { (x as f32).to_bits() }
    f32_convert_i64_s(x: u64) -> u32 { (x as i64 as f32).to_bits() }
    f32_convert_i64_u(x: u64) -> u32 { (x as f32).to_bits() }
    f64_convert_i32_s(x: u32) -> u64 { f64::from(x as i32).to_bits() }
    f64_convert_i32_u(x: u32) -> u64 { f64::from(x).to_bits() }
    f64_convert_i64_s(x: u64) -> u64 { (x as i64 as f64).to_bits() }
    f64_convert_i64_u(x: u64) -> u64 { (x as f64).to_bits() }
    f32_demote_f64(x: u64) -> u32 { ops::f32_demote_f64(x) }
    f64_promote_f32(x: u32) -> u64 { ops::f64_promote_f32(x) }
}

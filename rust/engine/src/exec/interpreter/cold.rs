// SPDX-License-Identifier: Apache-2.0
//! Ops that are rare or long, and the rare ends of the others. Each takes the op at `ip` and the frame at
//! `fp` and returns the trap, or none.

use core::cell::Cell;

use wisp_image::format::ValType;

use super::access::{get32, set32, word};
use super::frame::call_depth;
use crate::exec::call::call_reference;
use crate::vm::context::Ctx;
use crate::vm::segments::init_table;
use crate::vm::table::TableRecord;
use crate::vm::trap::{RawTrap, TrapCode};

/// Returns the next units of fuel less the one that is due, or the trap's number, negative.
///
/// # Safety
/// Rule F for the frame at `fp`.
#[cold]
#[inline(never)]
pub unsafe fn refill(ctx: &Ctx, fp: *mut u8) -> i32 {
    // SAFETY: rule F: the frame at `fp` and those of its callers have headers.
    match ctx.shared().refill(|| unsafe { call_depth(ctx, fp) } + below(ctx)) {
        Ok(units) => units - 1,
        Err(code) => -(code as i32),
    }
}

/// Calls under way below this run, if translated code began it.
#[allow(unused_variables)]
fn below(ctx: &Ctx) -> u32 {
    #[cfg(wisp_translates)]
    return ctx.translated.below();
    #[cfg(not(wisp_translates))]
    0
}

/// Returns the number of the trap with which an access that does not fit is refused.
#[cold]
#[inline(never)]
pub fn refusal(ctx: &Ctx, base: u32, offset: u16, width: u32) -> RawTrap {
    let address = u64::from(base) + u64::from(offset);
    let code = ctx.linear().map(|memory| memory.refusal(address, u64::from(width)));
    RawTrap::of(code.unwrap_or(TrapCode::MemoryOutOfBounds))
}

/// Clears slots.
///
/// # Safety
/// Rule V, `SlotInFrame` for `Zero`, and rule F.
#[inline(always)]
pub unsafe fn clear(fp: *mut u8, first: u16, count: u16) {
    // SAFETY: rules V (`SlotInFrame` for `Zero`) and F: the slots lie in the frame, and the frame in the stack.
    unsafe {
        let first = fp.add(usize::from(first)).cast::<u32>();
        for slot in 0..usize::from(count) {
            first.add(slot).write_volatile(0);
        }
    }
}

/// Moves `slots` slots from byte offset `from` to slot 0.
///
/// # Safety
/// Rule V, `CallFrame` for the type, and rule F.
unsafe fn move_down(fp: *mut u8, from: u16, slots: usize) {
    // SAFETY: rules V (`CallFrame`) and F: source and target lie in the frame; they may overlap.
    unsafe { fp.cast::<u32>().copy_from(fp.add(usize::from(from)).cast(), slots) };
}

/// Moves the arguments of a tail call, of the type that word 2 names, from the frame that word 1 names.
///
/// # Safety
/// The op at `ip` begins with R and Y (rules V and F).
#[inline(never)]
pub unsafe fn move_arguments(ctx: &Ctx, ip: *const u16, fp: *mut u8) {
    // SAFETY: rules V and F: the op has words 1 and 2, and the frame has the slots of the type's parameters.
    unsafe {
        let ty = ctx.ty(word(ip, 2));
        move_down(fp, word(ip, 1), ty.map_or(0, |ty| crate::vm::ty::slots(ty.params)));
    }
}

/// Moves the results of a tail call, of the type that word 2 names, from the frame that word 1 names.
///
/// # Safety
/// The op at `ip` begins with R and Y (rules V and F).
#[inline(never)]
pub unsafe fn move_results(ctx: &Ctx, ip: *const u16, fp: *mut u8) {
    // SAFETY: rules V and F: the op has words 1 and 2, and the frame has the slots of the type's results.
    unsafe {
        let ty = ctx.ty(word(ip, 2));
        move_down(fp, word(ip, 1), ty.map_or(0, |ty| crate::vm::ty::slots(ty.results)));
    }
}

/// Returns the entry of the function in a table, if it is one of this instance. Otherwise returns null, and `pending`
/// holds the reference, or the trap's number shifted by 16 (no reference ends in 16 zeros).
///
/// # Safety
/// Rule V, `Index` for X and Y.
#[inline(never)]
pub unsafe fn indirect(ctx: &Ctx, table: u16, index: u32, ty: u16) -> *const u16 {
    // SAFETY: rules V (`Index`) and A: the table exists, and its record stays.
    let record = unsafe { &*(*ctx.tables.add(usize::from(table))).get() };
    let code = match record.get(index) {
        None => TrapCode::TableOutOfBounds,
        Some(0) => TrapCode::IndirectCallToNull,
        Some(reference) => {
            if reference >> 16 == u32::from(ctx.index()) {
                let function = (reference & 0xffff).wrapping_sub(1);
                if let Some((code, found)) = ctx.defined(function.wrapping_sub(u32::from(ctx.import_count))) {
                    if found == ty || ctx.ty(found) == ctx.ty(ty) {
                        return ctx.code.wrapping_add(code as usize).cast();
                    }
                }
            }
            match ctx.shared().resolve(reference) {
                Some((owner, function)) if owner.function_type(function) == ctx.ty(ty) => {
                    ctx.pending.set(reference);
                    return core::ptr::null();
                }
                _ => TrapCode::BadSignature,
            }
        }
    };
    ctx.pending.set((code as u32) << 16);
    core::ptr::null()
}

/// Calls what `pending` refers to, or traps with what it says.
///
/// # Safety
/// `slots` begins a call frame: rule V, `CallFrame` for Y.
#[cold]
#[inline(never)]
pub unsafe fn call_pending(ctx: &Ctx, slots: *mut u8) -> RawTrap {
    let pending = ctx.pending.get();
    if pending & 0xffff == 0 {
        return RawTrap::from_bits(pending >> 16);
    }
    // SAFETY: rules V (`CallFrame` for Y) and F: the call frame that begins at `slots` lies in the stack.
    unsafe { call_reference(ctx, pending, slots.cast()) }
}

/// Records that the guest takes a reference out of a global. Returns the trap, or none.
#[cold]
#[inline(never)]
pub fn receive(ctx: &Ctx, ty: ValType, bits: u32) -> RawTrap {
    ctx.receive(ty, bits).into()
}

/// Records that the guest puts a reference into a global. Returns the trap, or none.
#[cold]
#[inline(never)]
pub fn give(ctx: &Ctx, ty: ValType, bits: u32) -> RawTrap {
    ctx.give(ty, bits).into()
}

/// Returns a table.
///
/// # Safety
/// Rule V, `Index` for X.
unsafe fn table(ctx: &Ctx, index: u16) -> &TableRecord {
    // SAFETY: rules V (`Index`) and A: the table exists, and instantiation put its record there.
    unsafe { &*(*ctx.tables.add(usize::from(index))).get() }
}

/// Returns the reference, if the instance may use it: only a hostile image can make up another.
fn checked(ctx: &Ctx, table: &TableRecord, reference: u32) -> Result<u32, TrapCode> {
    ctx.give(table.ty, reference)?;
    Ok(reference)
}

/// Writes functions with the common signature. Their bodies may read words and slots.
macro_rules! cold_ops {
    ($($(#[$doc:meta])* $name:ident($ctx:ident, $slot:ident, $word:ident, $set:ident) $body:block)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// `ip` is at an op of this name (rules V and F).
        #[cold]
        #[inline(never)]
        #[allow(unused_variables, clippy::redundant_closure_call)]
        pub unsafe fn $name($ctx: &Ctx, ip: *const u16, fp: *mut u8) -> RawTrap {
            // SAFETY: rule V, `OperandsInFunction`: the bodies below name the words of the op's form.
            let $word = |n: usize| unsafe { word(ip, n) };
            // SAFETY: rules V (`SlotInFrame`) and F: the bodies below name slots of the op's form.
            let $slot = |n: usize| unsafe { get32(ip, fp, n) };
            // SAFETY: rules V (`SlotInFrame`) and F: the bodies below name slots of the op's form.
            let $set = |n: usize, bits: u32| unsafe { set32(ip, fp, n, bits) };
            (|| -> Result<(), TrapCode> { $body })().into()
        }
    )*};
}

cold_ops! {
    /// Dst Slot Imm32
    address_add(ctx, slot, word, set) {
        let offset = u32::from(word(3)) | u32::from(word(4)) << 16;
        set(1, slot(2).checked_add(offset).ok_or(TrapCode::MemoryOutOfBounds)?);
        Ok(())
    }
    /// Dst
    memory_size(ctx, slot, word, set) {
        set(1, ctx.linear().map_or(0, |memory| memory.pages()));
        Ok(())
    }
    /// Dst Slot
    memory_grow(ctx, slot, word, set) {
        ctx.go_on()?;
        let memory = ctx.linear().filter(|_| ctx.shared().guest.may_grow(slot(2)));
        let old = memory.and_then(|memory| memory.grow(ctx.shared(), slot(2)));
        set(1, old.unwrap_or(u32::MAX));
        Ok(())
    }
    /// to, value, n
    memory_fill(ctx, slot, word, set) {
        ctx.go_on()?;
        let memory = ctx.linear().ok_or(TrapCode::MemoryOutOfBounds)?;
        memory.fill(ctx.shared(), slot(1), slot(2) as u8, slot(3))
    }
    /// to, from, n
    memory_copy(ctx, slot, word, set) {
        ctx.go_on()?;
        let memory = ctx.linear().ok_or(TrapCode::MemoryOutOfBounds)?;
        memory.copy(ctx.shared(), slot(1), slot(2), slot(3))
    }
    /// Data, to, from, n
    memory_init(ctx, slot, word, set) {
        ctx.go_on()?;
        let index = usize::from(word(1));
        let image = ctx.image();
        let dropped = ctx.data_dropped(index);
        let bytes = if dropped { &[][..] } else { image.data(index).map_or(&[][..], |data| data.bytes) };
        let memory = ctx.linear().ok_or(TrapCode::MemoryOutOfBounds)?;
        memory.init(ctx.shared(), slot(2), bytes, slot(3), slot(4))
    }
    /// Data
    data_drop(ctx, slot, word, set) {
        ctx.drop_data(usize::from(word(1)));
        Ok(())
    }
    /// Dst Func
    ref_func(ctx, slot, word, set) {
        set(1, ctx.reference(u32::from(word(2))));
        Ok(())
    }
    /// Dst TableIndex Slot
    table_get(ctx, slot, word, set) {
        // SAFETY: rule V, `Index`.
        let table = unsafe { table(ctx, word(2)) };
        let reference = table.get(slot(3)).ok_or(TrapCode::TableOutOfBounds)?;
        ctx.receive(table.ty, reference)?;
        set(1, reference);
        Ok(())
    }
    /// TableIndex, index, value
    table_set(ctx, slot, word, set) {
        // SAFETY: rule V, `Index`.
        let table = unsafe { table(ctx, word(1)) };
        table.set(slot(2), checked(ctx, table, slot(3))?)
    }
    /// Dst TableIndex
    table_size(ctx, slot, word, set) {
        // SAFETY: rule V, `Index`.
        set(1, unsafe { table(ctx, word(2)) }.size());
        Ok(())
    }
    /// Dst TableIndex, value, n
    table_grow(ctx, slot, word, set) {
        ctx.go_on()?;
        // SAFETY: rule V, `Index`.
        let table = unsafe { table(ctx, word(2)) };
        set(1, table.grow(checked(ctx, table, slot(3))?, slot(4)).unwrap_or(u32::MAX));
        Ok(())
    }
    /// TableIndex, index, value, n
    table_fill(ctx, slot, word, set) {
        ctx.go_on()?;
        // SAFETY: rule V, `Index`.
        let table = unsafe { table(ctx, word(1)) };
        table.fill(ctx.shared(), slot(2), checked(ctx, table, slot(3))?, slot(4))
    }
    /// TableIndex, TableIndex, to, from, n
    table_copy(ctx, slot, word, set) {
        ctx.go_on()?;
        // SAFETY: rule V, `Index`.
        let (to, from) = unsafe { (table(ctx, word(1)), table(ctx, word(2))) };
        to.copy(ctx.shared(), slot(3), from, slot(4), slot(5))
    }
    /// Element, TableIndex, to, from, n
    table_init(ctx, slot, word, set) {
        ctx.go_on()?;
        let index = usize::from(word(1));
        let image = ctx.image();
        let elements = image.element(index).map_err(|_| TrapCode::TableOutOfBounds)?;
        let (to, from, n) = (slot(3), slot(4), slot(5));
        let table = usize::from(word(2));
        if ctx.elements_dropped(index) && (from != 0 || n != 0) {
            return Err(TrapCode::TableOutOfBounds);
        }
        init_table(ctx, table, &elements, to, from, n)
    }
    /// Element
    elem_drop(ctx, slot, word, set) {
        ctx.drop_elements(usize::from(word(1)));
        Ok(())
    }
}

/// Returns the slots of an imported global, which the linker bound to a global of the same type.
///
/// # Safety
/// Rule V, `Index` for `GlobalImport` and `GlobalImport64`.
#[inline(always)]
pub unsafe fn imported_global(ctx: &Ctx, index: u16) -> *const Cell<u32> {
    // SAFETY: rules V (`Index`) and A: the imported global exists, and instantiation put its cell there.
    unsafe { (*ctx.imported_globals.add(usize::from(index))).get() }
}

// SPDX-License-Identifier: Apache-2.0
//! From the raw form of host functions to Rust's.

use core::ptr::NonNull;

use crate::api::caller::Caller;
use crate::api::host_function::{HostFunction, HostResult, IntoHostFunction};
use crate::api::slot_function::SlotFunction;
use crate::api::value::WasmValues;
use crate::vm::context::Ctx;
use crate::vm::references::{any, references};
use crate::vm::trap::{RawTrap, Trap};
#[cfg(feature = "alloc")]
use crate::{
    api::value::Val,
    vm::trap::TrapCode,
    vm::ty::{FuncType, Signature},
    ValType,
};

// SAFETY: `env` is only handed to `function`; whoever gave both to `HostFunction::raw` promised that
// whichever thread has the store may call it.
unsafe impl<T> Send for HostFunction<T> {}
// SAFETY: the reason given for `Send` holds for shared references as well.
unsafe impl<T> Sync for HostFunction<T> {}

// SAFETY: `env` is a function, or null, and there is nothing else in it that a thread could change.
unsafe impl<T> Send for SlotFunction<T> {}
// SAFETY: the reason given for `Send` holds for shared references as well.
unsafe impl<T> Sync for SlotFunction<T> {}

/// Calls the function of [`SlotFunction::new`] that `env` is.
pub(crate) unsafe extern "C" fn by_slots<T, R: HostResult>(ctx: *mut Ctx, slots: *mut u32, env: *const ()) -> RawTrap {
    // SAFETY: the interpreter passes its instance, and only a `Linker<T>` links what a `SlotFunction<T>` is.
    let mut caller = unsafe { Caller::<T>::from_raw(ctx) };
    let ctx = caller.ctx;
    let stop = ctx.stop_requested();
    if !stop.is_none() {
        return stop;
    }
    // SAFETY: `SlotFunction::new` made this `env` of a function of this type. It takes the slots as a reference to an
    // array, which is passed as a pointer is.
    let function: unsafe fn(&mut T, &mut [u8], *const u32) -> R = unsafe { core::mem::transmute(env) };
    let (memory, data) = caller.memory_and_data_mut();
    // SAFETY: the array has as many slots as the letters, as `SlotFunction::new` checked, and the linker compared the
    // letters with the type of the import (rule V, `CallFrame`). Nobody writes slots before the function returns.
    match unsafe { function(data, memory, slots) }.into_result() {
        Ok(results) => {
            // SAFETY: the letters have the slots of the results, too (rule V, `CallFrame`).
            results.write(&mut |at, bits| unsafe { slots.add(at).write(bits) });
            RawTrap::NONE
        }
        Err(trap) => failed(ctx, trap),
    }
}

/// Returns the raw form of a function or closure. Without bytes it needs no `env`, else `env` points to it.
pub(crate) unsafe extern "C" fn trampoline<T, P, R, F: IntoHostFunction<T, P, R>>(
    ctx: *mut Ctx,
    slots: *mut u32,
    env: *const (),
) -> RawTrap {
    // SAFETY: `HostFunction::wrap` took a value of a type without bytes, so any aligned pointer will do;
    // `boxed` gave a pointer to one that the store keeps.
    let function = unsafe {
        if size_of::<F>() == 0 {
            NonNull::<F>::dangling().as_ref()
        } else {
            &*env.cast::<F>()
        }
    };
    // SAFETY: the interpreter passes its instance; the data of its store has type T, because only a
    // `Linker<T>` links a `HostFunction<T>` into a `Store<T>`, and `Entry::call` set it for this call.
    let (ctx, data) = unsafe {
        let ctx = &*ctx;
        (ctx, &mut *ctx.shared().data.get().cast::<T>())
    };
    let stop = ctx.stop_requested();
    if !stop.is_none() {
        return stop;
    }
    // SAFETY: the linker compared the types, so arguments and results have these slots (rule V,
    // `CallFrame`).
    let slot = |at: usize| unsafe { slots.add(at).read() };
    if const { any(F::Params::TYPES) } {
        if let Err(code) = references(F::Params::TYPES, slot, |ty, bits| ctx.give(ty, bits)) {
            return RawTrap::of(code);
        }
    }
    let params = F::Params::read(&mut |at| slot(at));
    match function.invoke(Caller { ctx, data }, params) {
        Ok(results) => {
            // SAFETY: the linker compared the types, so the results have these slots (rule V, `CallFrame`).
            results.write(&mut |at, bits| unsafe { slots.add(at).write(bits) });
            if const { any(F::Results::TYPES) } {
                if let Err(code) = references(F::Results::TYPES, slot, |ty, bits| ctx.receive(ty, bits)) {
                    return RawTrap::of(code);
                }
            }
            RawTrap::NONE
        }
        Err(trap) => failed(ctx, trap),
    }
}

impl<T> Caller<'_, T> {
    /// Returns the caller of a function in the raw form, which has only the context.
    ///
    /// # Safety
    /// `ctx` is what a [`crate::RawHostFn`] was passed that a `Linker<T>` linked. It has not returned, and
    /// nothing else made from `ctx` is used while the caller lives.
    pub unsafe fn from_raw(ctx: *mut Ctx) -> Self {
        // SAFETY: rule A for the context, which a host function was passed; the data are of type T, because a
        // `Linker<T>` linked that function, as the caller promises.
        unsafe {
            let ctx = &*ctx;
            Caller { ctx, data: &mut *ctx.shared().data.get().cast::<T>() }
        }
    }
}

#[cold]
fn failed(ctx: &Ctx, trap: Trap) -> RawTrap {
    let shared = ctx.shared();
    match trap.exit_status() {
        Some(status) => shared.exit_status.set(status),
        None if trap.func != Trap::NOWHERE => {
            shared.place.set((trap.func, trap.offset));
            shared.place_known.set(true);
        }
        None => {}
    }
    ctx.reason(trap.code)
}

/// Returns a closure on the heap, and what keeps it there.
#[cfg(feature = "alloc")]
pub(crate) fn boxed<T, P, R, F>(
    function: F,
) -> (HostFunction<T>, crate::vm::owner::Arc<dyn core::any::Any + Send + Sync>)
where
    F: IntoHostFunction<T, P, R> + Send + Sync + 'static,
{
    let keep = crate::vm::owner::Arc::new(function);
    let env = crate::vm::owner::Arc::as_ptr(&keep).cast();
    // SAFETY: the trampoline is made for this signature and this closure, which the store keeps.
    let mut host = unsafe { HostFunction::raw("", "", Signature::Types(F::TYPE), trampoline::<T, P, R, F>, env) };
    host.checks_references = true;
    (host, keep)
}

/// A closure with the type that guests see. The type is known only when the program runs.
#[cfg(feature = "alloc")]
struct Dynamic<F> {
    params: alloc::boxed::Box<[ValType]>,
    results: alloc::boxed::Box<[ValType]>,
    function: F,
}

/// Returns the raw form of a [`Dynamic`] closure, which `env` points to.
#[cfg(feature = "alloc")]
unsafe extern "C" fn dynamic<T, F>(ctx: *mut Ctx, slots: *mut u32, env: *const ()) -> RawTrap
where
    F: Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), Trap>,
{
    use alloc::vec::Vec;
    // SAFETY: `boxed_dynamic` gave a pointer to a closure of this type that the store keeps.
    let Dynamic { params, results, function } = unsafe { &*env.cast::<Dynamic<F>>() };
    // SAFETY: the interpreter passes its instance, and only a `Linker<T>` links a `HostFunction<T>`.
    let caller = unsafe { Caller::<T>::from_raw(ctx) };
    let ctx = caller.ctx;
    let stop = ctx.stop_requested();
    if !stop.is_none() {
        return stop;
    }
    let mut at = 0;
    let mut read = |&ty: &ValType| {
        // SAFETY: the linker compared the types, so the arguments have these slots (rule V, `CallFrame`).
        let slot = |at: usize| u64::from(unsafe { slots.add(at).read() });
        let bits = if ty.slots() == 2 { slot(at) | slot(at + 1) << 32 } else { slot(at) };
        at += ty.slots();
        Val::from_bits(ty, bits)
    };
    let arguments: Vec<Val> = params.iter().map(&mut read).collect();
    let mut values: Vec<Val> = results.iter().map(|&ty| Val::zero(ty)).collect();
    if let Err(trap) = function(caller, &arguments, &mut values) {
        return failed(ctx, trap);
    }
    if values.iter().map(|value| value.ty()).ne(results.iter().copied()) {
        return RawTrap::of(TrapCode::HostError);
    }
    let words = values.iter().flat_map(|value| {
        let bits = value.bits();
        [bits as u32, (bits >> 32) as u32].into_iter().take(value.ty().slots())
    });
    for (at, word) in words.enumerate() {
        // SAFETY: the values have the types that the linker compared, so the results have these slots (rule V).
        unsafe { slots.add(at).write(word) };
    }
    RawTrap::NONE
}

/// Returns a closure of a type that is known only when the program runs, on the heap, and what keeps it there.
#[cfg(feature = "alloc")]
pub(crate) fn boxed_dynamic<T, F>(
    ty: FuncType<'_>,
    function: F,
) -> (HostFunction<T>, crate::vm::owner::Arc<dyn core::any::Any + Send + Sync>)
where
    F: Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), Trap> + Send + Sync + 'static,
{
    let keep = crate::vm::owner::Arc::new(Dynamic { params: ty.params.into(), results: ty.results.into(), function });
    let env = crate::vm::owner::Arc::as_ptr(&keep);
    // SAFETY: the types lie on the heap as long as the closure. The linker keeps both as long as it has the function,
    // and reads the signature of no other.
    let ty: FuncType<'static> = unsafe { FuncType::new(&(&(*env).params)[..], &(&(*env).results)[..]) };
    // SAFETY: `dynamic` is made for this closure, which the store keeps, and reads and writes the slots of its type.
    let host = unsafe { HostFunction::raw("", "", Signature::Types(ty), dynamic::<T, F>, env.cast()) };
    (host, keep)
}

// SPDX-License-Identifier: Apache-2.0
//! From the raw form of host functions to Rust's.

use core::ptr::NonNull;

use crate::api::caller::Caller;
use crate::api::host_function::HostFunction;
use crate::api::host_function::IntoHostFunction;
use crate::api::value::WasmValues;
use crate::vm::context::Ctx;
use crate::vm::references::{any, references};
use crate::vm::trap::{RawTrap, Trap};

// SAFETY: `env` is only handed to `function`; whoever gave both to `HostFunction::raw` promised that
// whichever thread has the store may call it.
unsafe impl<T> Send for HostFunction<T> {}
// SAFETY: the reason given for `Send` holds for shared references as well.
unsafe impl<T> Sync for HostFunction<T> {}

/// The raw form of a function or closure. Without bytes it needs no `env`, else `env` points to it.
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
    /// The caller of a function in the raw form, which has only the context.
    ///
    /// # Safety
    /// `ctx` is what a [`crate::RawHostFn`] was passed that a `Linker<T>` linked; it has not returned, and
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

/// A closure on the heap, and what keeps it there.
#[cfg(feature = "alloc")]
pub(crate) fn boxed<T, P, R, F>(function: F) -> (HostFunction<T>, alloc::sync::Arc<dyn core::any::Any + Send + Sync>)
where
    F: IntoHostFunction<T, P, R> + Send + Sync + 'static,
{
    use crate::vm::ty::Signature;
    let keep = alloc::sync::Arc::new(function);
    let env = alloc::sync::Arc::as_ptr(&keep).cast();
    // SAFETY: the trampoline is made for this signature and this closure, which the store keeps.
    let mut host = unsafe { HostFunction::raw("", "", Signature::Types(F::TYPE), trampoline::<T, P, R, F>, env) };
    host.checks_references = true;
    (host, keep)
}

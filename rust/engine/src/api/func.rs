// SPDX-License-Identifier: Apache-2.0
//! Functions of guests, called by the host.

use core::fmt::Debug;
use core::marker::PhantomData;
use core::num::NonZeroU32;

use crate::api::store::{resolve, AsContext, AsContextMut};
use crate::api::value::{Val, WasmValues};
use crate::exec::call::Entry;
use crate::vm::references::{any, references};
use crate::vm::trap::{Trap, TrapCode};
use crate::vm::ty::FuncType;

/// A function of an instance: a plain number, valid in its store. Another store either refuses it or takes it for a
/// function of its own. Types and memory safety hold in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Func(NonZeroU32);

impl Func {
    /// Returns the bits guests see.
    pub const fn to_bits(func: Option<Self>) -> u32 {
        match func {
            Some(func) => func.0.get(),
            None => 0,
        }
    }

    /// Returns the value of the bits that guests see.
    pub const fn from_bits(bits: u32) -> Option<Self> {
        match NonZeroU32::new(bits) {
            Some(bits) => Some(Self(bits)),
            None => None,
        }
    }

    /// Returns its type, or `None` for a handle of another store.
    pub fn ty<'s, C: AsContext>(self, store: &'s C) -> Option<FuncType<'s>> {
        let (ctx, function) = store.as_context().shared.resolve(self.0.get())?;
        ctx.function_type(function)
    }

    /// Calls it. `results` has as many places as the function has results. What they hold does not matter.
    ///
    /// # Errors
    /// The trap, or [`TrapCode::ArgumentMismatch`] if types or numbers do not fit.
    pub fn call(self, mut store: impl AsContextMut, params: &[Val], results: &mut [Val]) -> Result<(), Trap> {
        let context = store.as_context_mut();
        let shared = context.shared;
        let (ctx, function) = resolve(shared, self)?;
        let mismatch = Trap::new(TrapCode::ArgumentMismatch);
        let ty = ctx.function_type(function).ok_or(mismatch)?;
        let fits = params.iter().map(|value| value.ty()).eq(ty.params.iter().copied());
        if !fits || results.len() != ty.results.len() {
            return Err(mismatch);
        }
        if !params.iter().all(|value| shared.valid(value.ty(), value.bits() as u32)) {
            return Err(Trap::new(TrapCode::UnknownHandle));
        }
        let entry = Entry::new(shared, ty.slots())?;
        let mut at = 0;
        for value in params {
            ctx.receive(value.ty(), value.bits() as u32)?;
            entry.set(at, value.bits() as u32);
            if value.ty().slots() == 2 {
                entry.set(at + 1, (value.bits() >> 32) as u32);
            }
            at += value.ty().slots();
        }
        #[cfg(feature = "record")]
        crate::exec::tap::entered(
            shared,
            self.0.get(),
            &mut (0..crate::vm::ty::slots(ty.params)).map(|at| entry.get(at)),
        );
        entry.call(ctx, function, context.data)?;
        let mut at = 0;
        for (value, &ty) in results.iter_mut().zip(ty.results) {
            let high = if ty.slots() == 2 { entry.get(at + 1) } else { 0 };
            ctx.give(ty, entry.get(at))?;
            *value = Val::from_bits(ty, u64::from(entry.get(at)) | u64::from(high) << 32);
            at += ty.slots();
        }
        Ok(())
    }

    /// Returns the same function with its types known to Rust, or `None` if they differ.
    pub fn typed<P: WasmValues, R: WasmValues>(self, store: impl AsContext) -> Option<TypedFunc<P, R>> {
        let ty = self.ty(&store)?;
        (ty == FuncType::new(P::TYPES, R::TYPES)).then_some(TypedFunc { func: self, types: PhantomData })
    }
}

/// A function whose types are known: calls need no check.
pub struct TypedFunc<P, R> {
    func: Func,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for TypedFunc<P, R> {}

impl<P: WasmValues, R: WasmValues> TypedFunc<P, R> {
    /// Returns the function.
    pub fn func(self) -> Func {
        self.func
    }

    /// Calls it.
    ///
    /// # Errors
    /// The trap.
    #[inline]
    pub fn call(self, mut store: impl AsContextMut, params: P) -> Result<R, Trap> {
        let context = store.as_context_mut();
        let entry = Entry::new(context.shared, P::SLOTS.max(R::SLOTS))?;
        params.write(&mut |at, bits| entry.set(at, bits));
        if const { any(P::TYPES) } {
            let (ctx, _) = resolve(context.shared, self.func)?;
            references(
                P::TYPES,
                |at| entry.get(at),
                |ty, bits| {
                    if context.shared.valid(ty, bits) {
                        ctx.receive(ty, bits)
                    } else {
                        Err(TrapCode::UnknownHandle)
                    }
                },
            )?;
        }
        #[cfg(feature = "record")]
        crate::exec::tap::entered(context.shared, self.func.0.get(), &mut (0..P::SLOTS).map(|at| entry.get(at)));
        entry.call_reference(Func::to_bits(Some(self.func)), context.data)?;
        if const { any(R::TYPES) } {
            let (ctx, _) = resolve(context.shared, self.func)?;
            references(R::TYPES, |at| entry.get(at), |ty, bits| ctx.give(ty, bits))?;
        }
        Ok(R::read(&mut |at| entry.get(at)))
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Functions of the host.

use core::marker::PhantomData;
use core::ptr::null;

use crate::api::caller::Caller;
use crate::api::direct::{Direct, Form};
use crate::api::trampoline::trampoline;
use crate::api::value::for_each_arity;
use crate::api::value::{WasmTy, WasmValues};
use crate::vm::imports::RawHostFn;
use crate::vm::trap::Trap;
use crate::vm::ty::{FuncType, Signature};

/// A host function with its name and type, as it stands in a table in flash. `T` is the data of the stores
/// it works with.
pub struct HostFunction<T> {
    /// Module name guests import it from.
    pub module: &'static str,
    /// Name in the module.
    pub name: &'static str,
    /// Its type.
    pub signature: Signature,
    pub(crate) function: RawHostFn,
    pub(crate) env: *const (),
    /// It checks references among its arguments, and tells the guest's instance of those among its results.
    pub(crate) checks_references: bool,
    /// The function for native code.
    direct: Form,
    data: PhantomData<fn(&mut T)>,
}

impl<T> Clone for HostFunction<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for HostFunction<T> {}

impl<T> HostFunction<T> {
    /// Wraps a function or a closure that captures nothing. May stand in a `static`.
    ///
    /// ```
    /// use wisp_engine::{Caller, HostFunction};
    /// static TABLE: [HostFunction<u32>; 1] =
    ///     [HostFunction::wrap("env", "add", |mut caller: Caller<'_, u32>, x: u32| *caller.data_mut() += x)];
    /// ```
    pub const fn wrap<P, R, F: IntoHostFunction<T, P, R>>(
        module: &'static str,
        name: &'static str,
        function: F,
    ) -> Self {
        const { assert!(size_of::<F>() == 0, "a closure in a table captures nothing; see Linker::func_wrap") };
        // the function is conjured up again where it is called: it has no bytes
        core::mem::forget(function);
        Self {
            module,
            name,
            signature: Signature::Types(F::TYPE),
            function: trampoline::<T, P, R, F>,
            env: null(),
            checks_references: true,
            direct: if F::NATIVE { F::DIRECT } else { Form::NONE },
            data: PhantomData,
        }
    }

    /// Returns the function as native code calls it: the record of its instance and the arguments, as C passes them.
    pub(crate) const fn direct(&self) -> *const () {
        self.direct.address()
    }

    /// Returns what a table of an import module has.
    pub(crate) const fn listed(
        module: &'static str,
        name: &'static str,
        signature: Signature,
        function: RawHostFn,
        env: *const (),
        direct: Form,
    ) -> Self {
        Self { module, name, signature, function, env, checks_references: false, direct, data: PhantomData }
    }

    /// Defines a function in the raw form, without references among parameters and results: guests that import it with
    /// some are not linked.
    ///
    /// # Safety
    /// `function` keeps to the rules of [`RawHostFn`] for this signature, in stores with data `T` (any, if it does not
    /// look at the data). `env` is what it expects, for as long as any store may call it, from whichever thread has the
    /// store.
    #[allow(unsafe_code)]
    pub const unsafe fn raw(
        module: &'static str,
        name: &'static str,
        signature: Signature,
        function: RawHostFn,
        env: *const (),
    ) -> Self {
        Self { module, name, signature, function, env, checks_references: false, direct: Form::NONE, data: PhantomData }
    }
}

/// Functions and closures `(Caller<'_, T>, A, B, ...) -> R` or `-> Result<R, Trap>`, with up to twelve
/// parameters.
pub trait IntoHostFunction<T, P, R> {
    /// Parameters.
    type Params: WasmValues;
    /// Results.
    type Results: WasmValues;
    /// The type guests see.
    const TYPE: FuncType<'static> = FuncType::new(Self::Params::TYPES, Self::Results::TYPES);
    /// Calls it.
    ///
    /// # Errors
    /// What it returns.
    fn invoke(&self, caller: Caller<'_, T>, params: Self::Params) -> Result<Self::Results, Trap>;
    /// Native code may call it with its arguments in registers: it cannot trap and has at most one result. Most
    /// calls of others take longer than their values take through slots.
    const NATIVE: bool;
    /// The function that native code calls then.
    const DIRECT: Form;
}

/// A value, or a trap, that a host function may return.
pub trait HostResult {
    /// Results.
    type Results: WasmValues;
    /// It is a single value or nothing, and never a trap.
    const NATIVE: bool;
    /// Returns the results.
    ///
    /// # Errors
    /// The trap, if it is one.
    fn into_result(self) -> Result<Self::Results, Trap>;
}

impl<R: WasmValues> HostResult for R {
    type Results = R;
    const NATIVE: bool = R::NATIVE;
    #[inline(always)]
    fn into_result(self) -> Result<R, Trap> {
        Ok(self)
    }
}

impl<R: WasmValues> HostResult for Result<R, Trap> {
    type Results = R;
    const NATIVE: bool = false;
    #[inline(always)]
    fn into_result(self) -> Result<R, Trap> {
        self
    }
}

macro_rules! functions {
    ($($name:ident)*) => {
        impl<T, F, R, $($name: WasmTy),*> IntoHostFunction<T, ($($name,)*), R> for F
        where
            F: Fn(Caller<'_, T>, $($name),*) -> R,
            R: HostResult,
        {
            type Params = ($($name,)*);
            type Results = R::Results;
            #[inline(always)]
            #[allow(non_snake_case)]
            fn invoke(&self, caller: Caller<'_, T>, params: Self::Params) -> Result<R::Results, Trap> {
                let ($($name,)*) = params;
                self(caller, $($name),*).into_result()
            }
            const NATIVE: bool = R::NATIVE;
            const DIRECT: Form = <F as Direct<T, ($($name,)*), R>>::DIRECT;
        }
    };
}

for_each_arity!(functions);

// SPDX-License-Identifier: Apache-2.0
//! Host functions as native code calls them: arguments and result as C passes them, after the record.

use core::ptr::{null, NonNull};

use crate::api::caller::Caller;
use crate::api::host_function::HostResult;
use crate::api::value::for_each_arity;
use crate::api::value::{WasmTy, WasmValues};
use crate::vm::native::Record;

/// The address of a function's form for native code, or null.
#[derive(Clone, Copy)]
pub struct Form(*const ());

impl Form {
    /// No form.
    pub const NONE: Self = Self(null());

    /// Returns the address, or null.
    pub(crate) const fn address(self) -> *const () {
        self.0
    }
}

/// A function or closure without bytes.
pub(crate) trait Direct<T, P, R> {
    /// Its form for native code. It does not look at the stop flag: its caller ends if it is to stop.
    const DIRECT: Form;
}

macro_rules! functions {
    ($($name:ident)*) => {
        impl<T, F, R, $($name: WasmTy),*> Direct<T, ($($name,)*), R> for F
        where
            F: Fn(Caller<'_, T>, $($name),*) -> R,
            R: HostResult,
        {
            const DIRECT: Form = {
                #[allow(non_snake_case)]
                unsafe extern "C" fn direct<T, F, R: HostResult, $($name: WasmTy),*>(
                    record: &Record,
                    $($name: $name::Native),*
                ) -> <R::Results as WasmValues>::Native
                where
                    F: Fn(Caller<'_, T>, $($name),*) -> R,
                {
                    let ctx = record.context();
                    // SAFETY: `HostFunction::wrap` took a value of a type without bytes, so any aligned pointer
                    // will do. Rule N: the record is that of the calling instance; the data of its store has
                    // type T, because only a `Linker<T>` links a `HostFunction<T>` into a `Store<T>`.
                    let (function, data) = unsafe {
                        (NonNull::<F>::dangling().as_ref(), &mut *ctx.shared().data.get().cast::<T>())
                    };
                    match function(Caller { ctx, data }, $($name::of_bits($name.into_bits())),*).into_result() {
                        Ok(results) => results.native(),
                        // only what is `HostResult::NATIVE` comes here
                        Err(_) => Default::default(),
                    }
                }
                Form(direct::<T, F, R, $($name),*> as *const ())
            };
        }
    };
}

for_each_arity!(functions);

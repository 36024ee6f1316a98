// SPDX-License-Identifier: Apache-2.0
//! Functions of the host in few bytes: with their arguments as slots, behind trampolines that they share.

use core::marker::PhantomData;
use core::ptr::null;

use wisp_image::format::ValType;

use crate::api::direct::Form;
use crate::api::host_function::{HostFunction, HostResult, IntoHostFunction};
use crate::api::trampoline::{by_slots, trampoline};
use crate::api::value::WasmValues;
use crate::vm::imports::RawHostFn;
use crate::vm::ty::{FuncType, Signature};

/// A host function as it stands in the table of its import module. `T` is the data of the stores it works with.
///
/// It takes half the flash of a [`HostFunction`] in a table, and has no trampoline of its own.
pub struct SlotFunction<T> {
    /// Name in the module.
    pub name: &'static str,
    /// Its type in the letters of [`Signature::Letters`].
    pub letters: &'static str,
    function: RawHostFn,
    env: *const (),
    direct: Form,
    data: PhantomData<fn(&mut T)>,
}

impl<T> SlotFunction<T> {
    /// Returns a function that gets the store's data, the guest's memory and the slots of its arguments. A guest without
    /// memory has an empty one. An argument of 64 bits has two slots, low half first.
    ///
    /// # Panics
    /// If the letters are not those of the function. In a constant, that is an error of the compiler.
    pub const fn new<const N: usize, R: HostResult>(
        name: &'static str,
        letters: &'static str,
        function: fn(&mut T, &mut [u8], &[u32; N]) -> R,
    ) -> Self {
        let (params, results) = slots(letters.as_bytes());
        assert!(params == N && results == R::Results::SLOTS, "the letters are not those of the function");
        Self {
            name,
            letters,
            function: by_slots::<T, R>,
            env: function as *const (),
            direct: Form::NONE,
            data: PhantomData,
        }
    }

    /// Returns a function or closure in the form of [`HostFunction::wrap`], which has a trampoline of its own and which
    /// native code calls with its arguments in registers.
    ///
    /// # Panics
    /// If the letters are not those of the function. In a constant, that is an error of the compiler.
    pub const fn wrap<P, R, F: IntoHostFunction<T, P, R>>(
        name: &'static str,
        letters: &'static str,
        function: F,
    ) -> Self {
        const { assert!(size_of::<F>() == 0, "a closure in a table captures nothing") };
        core::mem::forget(function);
        assert!(are_letters(letters.as_bytes(), F::TYPE), "the letters are not those of the function");
        let direct = if F::NATIVE { F::DIRECT } else { Form::NONE };
        Self { name, letters, function: trampoline::<T, P, R, F>, env: null(), direct, data: PhantomData }
    }

    /// Returns its type.
    pub const fn signature(&self) -> Signature {
        Signature::Letters(self.letters.as_bytes())
    }

    /// Returns the function as linkers take it.
    pub fn of(&self, module: &'static str) -> HostFunction<T> {
        HostFunction::listed(module, self.name, self.signature(), self.function, self.env, self.direct)
    }
}

/// Returns the slots of the parameters and of the results of a type in letters.
const fn slots(letters: &[u8]) -> (usize, usize) {
    let (mut counts, mut side, mut at) = ([0; 2], 0, 1);
    assert!(!letters.is_empty() && letters[0] == b'(', "a type in letters begins with a bracket");
    while at < letters.len() {
        match letters[at] {
            b')' => side += 1,
            b'I' | b'F' => counts[side] += 2,
            b'i' | b'f' | b'*' | b'~' => counts[side] += 1,
            _ => panic!("not a letter of a type"),
        }
        at += 1;
    }
    assert!(side == 1, "a type in letters has one closing bracket");
    (counts[0], counts[1])
}

/// Returns true if these are the letters of a type without pointers and references.
const fn are_letters(letters: &[u8], ty: FuncType<'static>) -> bool {
    let (params, results) = (ty.params.len(), ty.results.len());
    if letters.len() != params + results + 2 || letters[0] != b'(' || letters[params + 1] != b')' {
        return false;
    }
    are_of(letters, 1, ty.params) && are_of(letters, params + 2, ty.results)
}

/// Returns true if the letters from `at` on are those of the types.
const fn are_of(letters: &[u8], at: usize, types: &[ValType]) -> bool {
    let mut n = 0;
    while n < types.len() {
        match ValType::from_letter(letters[at + n]) {
            Some(ty) if ty as u8 == types[n] as u8 => n += 1,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_in_slots() {
        assert_eq!(slots(b"()"), (0, 0));
        assert_eq!(slots(b"(i*~If)F"), (6, 2));
    }

    #[test]
    #[should_panic(expected = "the letters are not those of the function")]
    fn letters_of_another_number_of_slots_are_refused() {
        let _ = SlotFunction::<()>::new("f", "(iI)i", |_, _, _: &[u32; 2]| 0u32);
    }

    #[test]
    #[should_panic(expected = "the letters are not those of the function")]
    fn letters_of_another_result_are_refused() {
        let _ = SlotFunction::<()>::wrap("f", "(i)i", |_: crate::Caller<'_, ()>, _: u32| 0u64);
    }
}

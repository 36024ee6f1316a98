// SPDX-License-Identifier: Apache-2.0
//! Function types.

use wisp_image::format::ValType;

/// A function type, borrowed from an image or from constant data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FuncType<'a> {
    /// Parameter types.
    pub params: &'a [ValType],
    /// Result types.
    pub results: &'a [ValType],
}

impl<'a> FuncType<'a> {
    /// Returns a type with these parameters and results.
    pub const fn new(params: &'a [ValType], results: &'a [ValType]) -> Self {
        Self { params, results }
    }

    /// Returns the slots of the parameters or of the results, whichever take more.
    pub fn slots(self) -> usize {
        slots(self.params).max(slots(self.results))
    }

    /// Returns the type in the letters of [`Signature::Letters`], or `None` if it has references.
    #[cfg(feature = "alloc")]
    pub fn letters(self) -> Option<alloc::string::String> {
        let of = |types: &'a [ValType]| types.iter().map(|ty| ty.letter());
        let parts = [Some('(')].into_iter().chain(of(self.params)).chain([Some(')')]);
        parts.chain(of(self.results)).collect()
    }
}

/// Returns the slots that values of these types take.
pub(crate) fn slots(types: &[ValType]) -> usize {
    types.iter().map(|ty| ty.slots()).sum()
}

/// Returns the bytes of a type of a verified module as value types.
pub(crate) fn val_types(bytes: &[u8]) -> &[ValType] {
    // SAFETY: `ValType` is one byte; rule I, the verifier refuses types with other bytes.
    unsafe { core::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}

/// The type a host function states.
#[derive(Clone, Copy, Debug)]
pub enum Signature {
    /// The signature as types.
    Types(FuncType<'static>),
    /// The signature as letters: parameters in brackets, then results: `i I f F` for the number types, `*` for a pointer
    /// and `~` for its length (both `i32`). Example: `(i*~)i`.
    Letters(&'static [u8]),
}

impl Signature {
    /// Returns true if a function imported with this type may be bound to it.
    pub fn matches(self, ty: FuncType<'_>) -> bool {
        match self {
            Self::Types(own) => own == ty,
            Self::Letters(text) => {
                let mut letters = text.iter().copied();
                letters.next() == Some(b'(')
                    && take(&mut letters, ty.params)
                    && letters.next() == Some(b')')
                    && take(&mut letters, ty.results)
                    && letters.next().is_none()
            }
        }
    }
}

/// Takes a letter for each type: true if they are those of the types.
#[inline(never)]
fn take(letters: &mut impl Iterator<Item = u8>, types: &[ValType]) -> bool {
    types.iter().all(|&ty| letters.next().and_then(letter) == Some(ty))
}

fn letter(letter: u8) -> Option<ValType> {
    match letter {
        b'*' | b'~' => Some(ValType::I32),
        _ => ValType::from_letter(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_match_only_their_type() {
        use ValType::*;
        let ty = FuncType::new(&[I32, I32, I64], &[I32]);
        assert!(Signature::Letters(b"(*~I)i").matches(ty));
        assert!(Signature::Letters(b"(iiI)i").matches(ty));
        for wrong in ["(iiI)", "(iiI)I", "(ii)i", "(iiIi)i", "iiI)i", "(iiI)ii", "", "(iif)i"] {
            assert!(!Signature::Letters(wrong.as_bytes()).matches(ty), "{wrong}");
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_type_in_letters_is_that_type_and_references_have_none() {
        use ValType::*;
        let ty = FuncType::new(&[I32, I64, F32, F64], &[F64, I32]);
        assert_eq!(ty.letters().as_deref(), Some("(iIfF)Fi"));
        assert!(Signature::Letters(b"(iIfF)Fi").matches(ty));
        assert_eq!(FuncType::new(&[FuncRef], &[]).letters(), None);
        assert_eq!(FuncType::new(&[], &[ExternRef]).letters(), None);
    }
}

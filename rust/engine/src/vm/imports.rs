// SPDX-License-Identifier: Apache-2.0
//! Imported functions, as an instance keeps them.

use core::ptr::null;

use super::context::Ctx;
use super::trap::{RawTrap, TrapCode};

/// A host function as guests call it.
///
/// Arguments are in `slots[0..]`, in order, two slots (low half first) for 64-bit values. Results are
/// written from `slots[0]` on. Returns the raw form of a [`TrapCode`], or [`RawTrap::NONE`]. `env` is whatever
/// was given with the function.
pub type RawHostFn = unsafe extern "C" fn(ctx: *mut Ctx, slots: *mut u32, env: *const ()) -> RawTrap;

/// An imported function: what is called, and its type in the importing module. Four words: an index is shifted.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Import {
    pub(crate) function: RawHostFn,
    pub(crate) env: *const (),
    /// The form that native code calls: of the function, or that of the native section.
    pub(crate) direct: *const (),
    pub(crate) ty: u16,
}

const _: () = assert!(size_of::<Import>() == 4 * size_of::<usize>());

/// Returns the entry that stands in an import's place until it is linked: calls of it fail with a host error.
pub(crate) fn unset_import() -> Import {
    unsafe extern "C" fn unset(_: *mut Ctx, _: *mut u32, _: *const ()) -> RawTrap {
        RawTrap::of(TrapCode::HostError)
    }
    Import { function: unset, env: null(), direct: null(), ty: 0 }
}

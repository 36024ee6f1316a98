// SPDX-License-Identifier: Apache-2.0
//! The names of `native/mod.rs` in a runtime without native code. No value of these types takes a byte.

use core::cell::Cell;
use core::convert::Infallible;
use core::marker::PhantomData;

use crate::vm::context::Ctx;
use crate::vm::native::{NativePart, Record};
use crate::vm::shared::Shared;
use crate::vm::trap::RawTrap;

/// Native code that an instance may run: there is none.
pub(crate) type Code<'m> = (Infallible, PhantomData<&'m [u8]>);

/// Room of an instance in the arena: for its globals.
pub(crate) struct Room<'s> {
    /// The globals, as slots.
    pub globals: &'s [Cell<u32>],
    /// Nothing.
    pub part: NativePart,
}

impl<'s> Room<'s> {
    /// Takes the globals from the arena.
    pub fn take(shared: &'s Shared, _: Option<&Code<'_>>, globals: usize) -> Option<Self> {
        shared.clear_frames();
        Some(Self { globals: shared.arena.alloc_zeroed(globals)?, part: NativePart::NONE })
    }

    /// Does nothing.
    pub fn bind(&self, _: &Ctx, _: Option<&Code<'_>>) -> Option<()> {
        Some(())
    }
}

/// Returns the form that the function has.
pub(crate) fn import_form(_: &Ctx, _: Option<&Code<'_>>, _: usize, direct: *const ()) -> *const () {
    direct
}

/// Stands for a function that is not built in, and cannot be called.
///
/// # Safety
/// None.
pub(crate) unsafe fn enter(_: &Ctx, record: &Record, _: u32, _: *mut u32) -> RawTrap {
    match *record {}
}

/// A store as whoever stops its guests from outside sees it: in a runtime without native code, not at all.
#[derive(Clone, Copy)]
pub(crate) struct Watched;

impl Watched {
    /// Watches nothing.
    pub(crate) fn new(_: &Shared) -> Self {
        Self
    }
}

/// The names of `native/callers.rs`.
pub(crate) mod callers {
    use crate::exec::call::Frame;
    use crate::vm::context::Ctx;

    /// Returns nothing.
    pub(crate) fn frames(_: &Ctx) -> impl Iterator<Item = Frame> + '_ {
        core::iter::empty()
    }

    /// Returns false.
    pub(crate) fn cut(_: &Ctx) -> bool {
        false
    }
}

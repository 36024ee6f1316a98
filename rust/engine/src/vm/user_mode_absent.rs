// SPDX-License-Identifier: Apache-2.0
//! The names of `user_mode.rs` in a runtime without user mode. No value of these types takes a byte.

use super::arena::Arena;
use super::config::Config;

/// Cannot be made.
#[derive(Clone, Copy, Debug)]
pub enum UserMode {}

/// Memory of native code in user mode: none.
pub(crate) struct Guest;

impl Guest {
    /// Takes nothing.
    pub fn new(config: &Config) -> Self {
        match config.user_mode {
            None => Self,
            Some(user) => match user {},
        }
    }

    /// Does nothing: there is no memory to go back to.
    pub fn mark(&self) {}

    /// Takes nothing back.
    ///
    /// # Safety
    /// None.
    pub unsafe fn reset(&self, (): ()) {}

    /// Returns `None`: linear memories come from the store's arena.
    pub fn memory(&self, _: &Config) -> Option<&Arena> {
        None
    }

    /// Returns `None`: tables come from the store's arena.
    pub fn window(&self, _: &Config) -> Option<&Arena> {
        None
    }

    /// Returns true: no host has to be asked.
    #[inline(always)]
    pub fn may_grow(&self, _: u32) -> bool {
        true
    }

    /// Returns `None`: what an interpreter writes comes from the store's arena.
    #[cfg(feature = "native")]
    pub fn interpreted(&self, _: &Config) -> Option<&Arena> {
        None
    }
}

/// The view of an instance's code: none.
pub(crate) struct ViewPart;

impl ViewPart {
    /// Returns a value without a view.
    pub const fn new() -> Self {
        Self
    }

    /// Returns false: interpreters run with the rights of the host.
    #[inline(always)]
    pub fn has_part(&self) -> bool {
        false
    }
}

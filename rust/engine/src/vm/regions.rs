// SPDX-License-Identifier: Apache-2.0
//! Where the things of a store come from: its arena and, where native code runs in user mode, what that may write.

use super::arena::Arena;
use super::shared::Shared;
#[cfg(feature = "user-mode")]
use {super::context::Ctx, crate::exec::native::user::View, crate::vm::config::Config, crate::vm::ty::FuncType};

/// For linear memories, and for what else native code in user mode may write.
#[cfg(feature = "user-mode")]
pub(super) fn guest(config: &Config) -> [Arena; 2] {
    match config.user_mode {
        Some(user) => [(user.memory, user.memory_words), (user.window, user.window_words)],
        None => [(core::ptr::dangling_mut(), 0); 2],
    }
    // SAFETY: the contract of `Config::user_mode`; nothing is handed out of no words.
    .map(|(start, words)| unsafe { Arena::new(start, words) })
}

#[cfg(feature = "user-mode")]
impl Ctx {
    /// Returns the view of native code in user mode, if this instance runs such code.
    #[inline]
    pub(crate) fn view(&self) -> Option<&View> {
        // SAFETY: rule A: null or what `new` took from the arena.
        unsafe { self.view.get().as_ref() }
    }

    /// Types of the image.
    pub(crate) fn types(&self) -> impl Iterator<Item = FuncType<'_>> {
        (0..self.type_count).filter_map(|index| self.ty(index))
    }
}

impl Shared {
    /// Gives back what `build` took from the arena if it fails. It may hand out what it took only in its
    /// result.
    pub fn attempt<R, E>(&self, build: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
        let mark = self.arena.mark();
        #[cfg(feature = "user-mode")]
        let guest = self.guest.each_ref().map(Arena::mark);
        let result = build();
        if result.is_err() {
            // SAFETY: `build` registers nothing with the store, so nothing refers to what it took.
            unsafe { self.arena.reset(mark) };
            #[cfg(feature = "user-mode")]
            for (arena, mark) in self.guest.iter().zip(guest) {
                // SAFETY: `build` registers nothing with the store, so nothing refers to what it took here.
                unsafe { arena.reset(mark) };
            }
        }
        result
    }

    /// Returns the arena that linear memories come from.
    pub fn memory_arena(&self) -> &Arena {
        #[cfg(feature = "user-mode")]
        if self.config.user_mode.is_some() {
            return &self.guest[0];
        }
        &self.arena
    }

    /// Returns the arena that the elements of tables come from.
    pub fn table_arena(&self) -> &Arena {
        #[cfg(feature = "user-mode")]
        if self.config.user_mode.is_some() {
            return &self.guest[1];
        }
        &self.arena
    }
}

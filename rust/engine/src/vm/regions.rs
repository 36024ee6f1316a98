// SPDX-License-Identifier: Apache-2.0
//! Where the things of a store come from: its arena and, where native code runs in user mode, what that may write.

use super::arena::Arena;
use super::shared::Shared;

impl Shared {
    /// Gives back what `build` took from the arena if it fails. It may hand out what it took only in its
    /// result.
    pub fn attempt<R, E>(&self, build: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
        let (mark, guest) = (self.arena.mark(), self.guest.mark());
        let result = build();
        if result.is_err() {
            // SAFETY: `build` registers nothing with the store, so nothing refers to what it took.
            unsafe {
                self.arena.reset(mark);
                self.guest.reset(guest);
            }
        }
        result
    }

    /// Returns the arena that linear memories come from.
    pub fn memory_arena(&self) -> &Arena {
        self.guest.memory(&self.config).unwrap_or(&self.arena)
    }

    /// Returns the arena that the elements of tables come from.
    pub fn table_arena(&self) -> &Arena {
        self.guest.window(&self.config).unwrap_or(&self.arena)
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Lets an observer go back to what it has seen.

use super::view::View;
use crate::vm::snapshot::Snapshot;

impl View<'_> {
    /// Copies everything that the guest can change, and its frames. At a step of code for a debugger, nothing else matters:
    /// no op behind it reads the accumulator.
    pub fn snapshot(&self) -> Snapshot {
        self.ctx.snapshot(self.ip, self.fp)
    }

    /// Puts the guest back as it was when the snapshot was taken. The observer then lets the guest go on, also where it
    /// trapped, and sees the op of the snapshot next. Returns false, and changes nothing, if another instance is held, or
    /// if a host function has called this one.
    ///
    /// # Safety
    /// The snapshot was taken of this store, and the observer looks at the guest at present.
    pub unsafe fn go_back(&self, snapshot: &Snapshot) -> bool {
        // SAFETY: rules A and F, by the caller's promise. The loop that called the observer reads where to go on.
        unsafe { self.ctx.put_back(snapshot) }
    }
}

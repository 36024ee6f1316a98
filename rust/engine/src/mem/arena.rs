// SPDX-License-Identifier: Apache-2.0
//! Hands out the arena from its start to its end. Nothing is given back, but for the last things after a
//! failed instantiation.

use core::cell::Cell;
use core::mem::{align_of, needs_drop, size_of};

/// The part of the arena that is not handed out yet.
pub(crate) struct Arena {
    next: Cell<*mut u8>,
    end: *mut u8,
}

/// A point to return to.
#[derive(Clone, Copy)]
pub(crate) struct Mark(*mut u8);

impl Arena {
    /// An arena over this memory.
    ///
    /// # Safety
    /// The memory is valid for reads and writes, used by nobody else while anything handed out is used,
    /// aligned for `u64`.
    pub unsafe fn new(start: *mut u64, words: usize) -> Self {
        let start = start.cast::<u8>();
        Self { next: Cell::new(start), end: start.wrapping_add(words * 8) }
    }

    /// Bytes left.
    pub fn remaining(&self) -> usize {
        self.end.addr().saturating_sub(self.next.get().addr())
    }

    /// Where it stands.
    pub fn mark(&self) -> Mark {
        Mark(self.next.get())
    }

    /// Takes back everything handed out since `mark`.
    ///
    /// # Safety
    /// None of it is used any more.
    pub unsafe fn reset(&self, mark: Mark) {
        self.next.set(mark.0);
    }

    /// Uninitialised bytes, aligned to `align`.
    pub(super) fn take(&self, bytes: usize, align: usize) -> Option<*mut u8> {
        let pad = self.next.get().addr().wrapping_neg() % align;
        let total = bytes.checked_add(pad)?;
        if total > self.remaining() {
            return None;
        }
        let start = self.next.get().wrapping_add(pad);
        self.next.set(start.wrapping_add(bytes));
        Some(start)
    }

    /// A place for a value that needs no drop.
    pub fn alloc<'a, T>(&self, value: T) -> Option<&'a T> {
        const { assert!(!needs_drop::<T>() && align_of::<T>() <= 8) };
        let place = self.take(size_of::<T>(), align_of::<T>())?.cast::<T>();
        // SAFETY: rule A: `take` gave aligned bytes of the arena that nobody else has.
        unsafe {
            place.write(value);
            Some(&*place)
        }
    }

    /// `count` cells, each with this value.
    pub fn alloc_cells<'a, T: Copy>(&self, count: usize, value: T) -> Option<&'a [Cell<T>]> {
        const { assert!(!needs_drop::<T>() && align_of::<T>() <= 8) };
        let place = self.take(size_of::<T>().checked_mul(count)?, align_of::<T>())?.cast::<Cell<T>>();
        // SAFETY: rule A: `take` gave aligned bytes for `count` of them; each is written before it is lent.
        unsafe {
            for index in 0..count {
                place.add(index).write(Cell::new(value));
            }
            Some(core::slice::from_raw_parts(place, count))
        }
    }

    /// A copy of words that lie in this machine's order.
    #[cfg(wisp_threaded)]
    pub fn alloc_copy<'a>(&self, words: &[u8]) -> Option<&'a [Cell<u16>]> {
        let place = self.take(words.len(), 2)?;
        // SAFETY: rule A: `take` gave as many bytes, aligned to a word; each is written before it is lent.
        unsafe {
            place.copy_from_nonoverlapping(words.as_ptr(), words.len());
            Some(core::slice::from_raw_parts(place.cast(), words.len() / 2))
        }
    }

    /// Bytes for a linear memory: `capacity` of them (eight-aligned), the first `zeroed` cleared.
    pub fn alloc_bytes(&self, capacity: usize, zeroed: usize) -> Option<*mut u8> {
        let place = self.take(capacity, 8)?;
        // SAFETY: rule A; `zeroed` is limited to what was taken.
        unsafe { clear(place.cast(), zeroed.min(capacity)) };
        Some(place)
    }
}

/// Zeroes bytes. What comes with the compiler takes four instructions a word on small cores, and clearing
/// is most of the work that a small app's start is: this takes about one.
///
/// # Safety
/// The bytes may be written; aligned for `u64`.
unsafe fn clear(start: *mut u64, bytes: usize) {
    const ROUND: usize = 8;
    let words = bytes / 8;
    let mut at = 0;
    // SAFETY: all that is written lies below `bytes` (contract). Volatile, or the compiler would call what
    // this replaces.
    unsafe {
        while words - at >= ROUND {
            let round = start.add(at);
            round.write_volatile(0);
            round.add(1).write_volatile(0);
            round.add(2).write_volatile(0);
            round.add(3).write_volatile(0);
            round.add(4).write_volatile(0);
            round.add(5).write_volatile(0);
            round.add(6).write_volatile(0);
            round.add(7).write_volatile(0);
            at += ROUND;
        }
        start.add(at).cast::<u8>().write_bytes(0, bytes - at * 8);
    }
}

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

/// Types of which zero bytes are a value.
///
/// # Safety
/// They are.
pub(crate) unsafe trait Zeroed {}
// SAFETY: 0.
unsafe impl Zeroed for u32 {}
// SAFETY: 0.
unsafe impl Zeroed for u64 {}
// SAFETY: null.
unsafe impl<T> Zeroed for *const T {}

impl Arena {
    /// Returns an arena over this memory.
    ///
    /// # Safety
    /// The memory is valid for reads and writes, used by nobody else while anything handed out is used,
    /// aligned for `u64`.
    pub unsafe fn new(start: *mut u64, words: usize) -> Self {
        let start = start.cast::<u8>();
        Self { next: Cell::new(start), end: start.wrapping_add(words * 8) }
    }

    /// Returns the bytes that are left.
    pub fn remaining(&self) -> usize {
        self.end.addr().saturating_sub(self.next.get().addr())
    }

    /// Returns the arena's present end, to go back to.
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

    /// Takes uninitialised bytes, aligned to `align`.
    #[inline(never)]
    pub fn take(&self, bytes: usize, align: usize) -> Option<*mut u8> {
        let pad = self.next.get().addr().wrapping_neg() & (align - 1);
        let total = bytes.checked_add(pad)?;
        if total > self.remaining() {
            return None;
        }
        let start = self.next.get().wrapping_add(pad);
        self.next.set(start.wrapping_add(bytes));
        Some(start)
    }

    /// Takes back the last bytes that were handed out.
    ///
    /// The caller uses none of them any more.
    #[cfg(wisp_translates)]
    pub fn give_back(&self, bytes: usize) {
        self.next.set(self.next.get().wrapping_sub(bytes));
    }

    /// Returns a place for a value that needs no drop.
    pub fn alloc<'a, T>(&self, value: T) -> Option<&'a T> {
        self.alloc_with(|| value)
    }

    /// Allocates like [`Arena::alloc`], and makes the value in its final place.
    pub fn alloc_with<'a, T>(&self, value: impl FnOnce() -> T) -> Option<&'a T> {
        const { assert!(!needs_drop::<T>() && align_of::<T>() <= 8) };
        let place = self.take(size_of::<T>(), align_of::<T>())?.cast::<T>();
        // SAFETY: rule A: `take` gave aligned bytes of the arena that nobody else has.
        unsafe {
            place.write(value());
            Some(&*place)
        }
    }

    /// Allocates `count` cells of zeros.
    pub fn alloc_zeroed<'a, T: Zeroed>(&self, count: usize) -> Option<&'a [Cell<T>]> {
        const { assert!(!needs_drop::<T>() && align_of::<T>() <= 8) };
        if count == 0 {
            return Some(&[]);
        }
        let place = self.take_zeroed(size_of::<T>().checked_mul(count)?, align_of::<T>())?;
        // SAFETY: rule A: `take_zeroed` gave aligned bytes for `count` of them, and zeros are values.
        Some(unsafe { core::slice::from_raw_parts(place.cast(), count) })
    }

    /// Takes bytes like [`Arena::take`] and clears them.
    #[inline(never)]
    fn take_zeroed(&self, bytes: usize, align: usize) -> Option<*mut u8> {
        let place = self.take(bytes, align)?;
        // SAFETY: rule A: `take` gave as many bytes.
        unsafe { place.write_bytes(0, bytes) };
        Some(place)
    }

    /// Allocates `count` cells, each with this value.
    pub fn alloc_cells<'a, T: Copy>(&self, count: usize, value: T) -> Option<&'a [Cell<T>]> {
        const { assert!(!needs_drop::<T>() && align_of::<T>() <= 8) };
        if count == 0 {
            return Some(&[]);
        }
        let place = self.take(size_of::<T>().checked_mul(count)?, align_of::<T>())?.cast::<Cell<T>>();
        // SAFETY: rule A: `take` gave aligned bytes for `count` of them; each is written before it is lent.
        unsafe {
            for index in 0..count {
                place.add(index).write(Cell::new(value));
            }
            Some(core::slice::from_raw_parts(place, count))
        }
    }

    /// Returns a copy of words that lie in this machine's order.
    #[cfg(wisp_threaded)]
    pub fn alloc_copy<'a>(&self, words: &[u8]) -> Option<&'a [Cell<u16>]> {
        let place = self.take(words.len(), 2)?;
        // SAFETY: rule A: `take` gave as many bytes, aligned to a word; each is written before it is lent.
        unsafe {
            place.copy_from_nonoverlapping(words.as_ptr(), words.len());
            Some(core::slice::from_raw_parts(place.cast(), words.len() / 2))
        }
    }

    /// Allocates the bytes of a linear memory: `capacity` of them (aligned to 8), the first `zeroed` cleared.
    pub fn alloc_bytes(&self, capacity: usize, zeroed: usize) -> Option<*mut u8> {
        let place = self.take(capacity, 8)?;
        // SAFETY: rule A; `zeroed` is limited to what was taken.
        unsafe { clear(place.cast(), zeroed.min(capacity)) };
        Some(place)
    }
}

/// Bytes that [`clear`] writes in a round.
const ROUND: usize = 64;

/// Zeroes bytes. What comes with the compiler takes four instructions a word on small cores, and clearing is most of
/// the work of starting a small app. This function takes about one, and less than half of one on ARM.
///
/// # Safety
/// The bytes may be written and are aligned for `u64`.
pub(super) unsafe fn clear(start: *mut u64, bytes: usize) {
    // SAFETY: the caller owns the bytes, aligned for `u64`: whole rounds are written, and what is left of the bytes.
    unsafe {
        if bytes >= ROUND {
            clear_rounds(start, bytes / ROUND);
        }
        let rest = bytes % ROUND;
        start.cast::<u8>().add(bytes - rest).write_bytes(0, rest);
    }
}

/// Zeroes rounds, at least one.
///
/// # Safety
/// The bytes may be written, and `start` is aligned for `u64`.
#[cfg(target_arch = "arm")]
unsafe fn clear_rounds(start: *mut u64, rounds: usize) {
    // SAFETY: writes `rounds` times 64 bytes, which the caller owns; changes no other memory, and only named registers.
    unsafe {
        core::arch::asm!(
            "2:",
            "stm r0!, {{r2, r3, r4, r5}}",
            "stm r0!, {{r2, r3, r4, r5}}",
            "stm r0!, {{r2, r3, r4, r5}}",
            "stm r0!, {{r2, r3, r4, r5}}",
            "subs r1, r1, #1",
            "bne 2b",
            inout("r0") start => _,
            inout("r1") rounds => _,
            in("r2") 0,
            in("r3") 0,
            in("r4") 0,
            in("r5") 0,
            options(nostack),
        );
    }
}

/// Zeroes rounds, at least one.
///
/// # Safety
/// The bytes may be written, and `start` is aligned for `u64`.
#[cfg(not(target_arch = "arm"))]
unsafe fn clear_rounds(start: *mut u64, rounds: usize) {
    for round in 0..rounds {
        // SAFETY: all that is written lies below the end of the rounds, which the caller owns. Volatile, or the
        // compiler would call what this replaces.
        unsafe {
            let round = start.byte_add(round * ROUND);
            round.write_volatile(0);
            round.add(1).write_volatile(0);
            round.add(2).write_volatile(0);
            round.add(3).write_volatile(0);
            round.add(4).write_volatile(0);
            round.add(5).write_volatile(0);
            round.add(6).write_volatile(0);
            round.add(7).write_volatile(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::{clear, Arena, ROUND};

    #[test]
    fn more_cells_than_there_are_addresses_are_refused() {
        let mut words = vec![0; 8];
        // SAFETY: the words outlive the arena and are used by nobody else.
        let arena = unsafe { Arena::new(words.as_mut_ptr(), words.len()) };
        for count in [usize::MAX, usize::MAX / 2, usize::MAX / 4, 17] {
            assert!(arena.alloc_cells(count, 0u32).is_none(), "{count}");
        }
        assert_eq!(arena.alloc_cells(16, 0u32).map(<[_]>::len), Some(16));
        assert_eq!(arena.remaining(), 0);
    }

    #[test]
    fn all_bytes_and_no_others_are_cleared() {
        for bytes in 0..3 * ROUND {
            let mut words = vec![u64::MAX; 3 * ROUND / 8 + 1];
            // SAFETY: fewer bytes than there are.
            unsafe { clear(words.as_mut_ptr(), bytes) };
            let left = words.iter().flat_map(|word| word.to_ne_bytes());
            let at = left.into_iter().position(|byte| byte != 0);
            assert_eq!(at, Some(bytes));
        }
    }
}

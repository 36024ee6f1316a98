// SPDX-License-Identifier: Apache-2.0
//! Linear memories.

use core::cell::Cell;

use wisp_image::format::MEMORY_END;
use wisp_image::Memory;

use super::shared::Shared;
use crate::vm::trap::TrapCode;

/// A linear memory. Its base never moves. Its size only grows, unless a snapshot is restored.
#[cfg_attr(feature = "user-mode", derive(Clone))]
pub struct LinearMemory {
    base: *mut u8,
    /// Bytes that exist.
    size: Cell<usize>,
    /// Pages, as the guest sees them.
    pages: Cell<u32>,
    /// Bytes reserved in the arena.
    capacity: usize,
    pub(crate) max_pages: Option<u32>,
    pub(crate) page_size_log2: u8,
    /// The guest asks for the end of its memory with [`MEMORY_END`].
    adapted: bool,
}

/// Bytes that are written between two looks at the stop flag.
const PIECE: usize = 4096;

/// Calls `write` with begin and length of each piece of `n` bytes, for as long as guests may go on.
fn pieces(shared: &Shared, n: usize, mut write: impl FnMut(usize, usize)) -> Result<(), TrapCode> {
    let mut at = 0;
    loop {
        let piece = (n - at).min(PIECE);
        write(at, piece);
        at += piece;
        if at == n {
            return Ok(());
        }
        shared.go_on()?;
    }
}

impl LinearMemory {
    /// Takes a memory from the arena: `backed` bytes exist now, up to `capacity` later.
    pub fn new(shared: &Shared, backed: usize, capacity: usize, memory: &Memory) -> Option<Self> {
        let base = shared.memory_arena().alloc_bytes(capacity.max(backed), backed)?;
        Some(Self {
            base,
            size: Cell::new(backed),
            pages: Cell::new(memory.min),
            capacity: capacity.max(backed),
            max_pages: memory.max,
            page_size_log2: memory.page_size_log2,
            adapted: memory.trimmed && memory.grows,
        })
    }

    /// Returns the first byte.
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// Returns the bytes that exist.
    pub fn size(&self) -> usize {
        self.size.get()
    }

    /// Returns the bytes that are reserved in the arena.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Pages, as the guest sees them.
    pub fn pages(&self) -> u32 {
        self.pages.get()
    }

    /// Grows by `delta` pages and gives the former number of pages. Returns `None` if that is beyond the
    /// declared maximum or the reserve. The new bytes are zero. In an adapted image, [`MEMORY_END`] is answered
    /// with the number of bytes that exist, and whole pages are added only to whole pages.
    pub fn grow(&self, shared: &Shared, delta: u32) -> Option<u32> {
        if self.adapted && delta == MEMORY_END {
            return u32::try_from(self.size.get()).ok();
        }
        let grown = self.try_grow(shared, delta);
        if grown.is_none() {
            shared.growth_refused(self.size.get(), u64::from(delta) << self.page_size_log2);
        }
        grown
    }

    fn try_grow(&self, shared: &Shared, delta: u32) -> Option<u32> {
        let old = self.pages.get();
        let new = u64::from(old) + u64::from(delta);
        let most = match self.max_pages {
            Some(max) => u64::from(max),
            None => (1 << 32) >> self.page_size_log2,
        };
        let bytes = usize::try_from(new << self.page_size_log2).ok()?;
        if new > most || new > u64::from(u32::MAX) {
            return None;
        }
        if delta == 0 {
            return Some(old);
        }
        let size = self.size.get();
        if bytes > self.capacity || size as u64 != u64::from(old) << self.page_size_log2 {
            return None;
        }
        // SAFETY: rule A: `capacity` bytes from `base` belong to this memory; size <= bytes <= capacity,
        // because there are more pages than before and `size` is that of the old pages.
        unsafe { self.base.add(size).write_bytes(0, bytes - size) };
        self.size.set(bytes);
        self.pages.set(new as u32);
        shared.memory_grew(self);
        Some(old)
    }

    /// Sets the size to one that the memory had before.
    #[cfg(feature = "rewind")]
    pub(super) fn set_size(&self, pages: u32, size: usize) {
        self.pages.set(pages);
        self.size.set(size.min(self.capacity));
    }

    /// Returns the bytes, to read. While they are lent nobody may write them: whoever lends them borrows the store,
    /// and guest code and writers borrow it mutably.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: rule A: `size` bytes from `base` belong to this memory and are initialised; the rule
        // above is kept by the lifetimes of `Memory::data` and `Caller::memory`.
        unsafe { core::slice::from_raw_parts(self.base, self.size.get()) }
    }

    /// Returns the bytes. While they are lent nobody else may use them: whoever lends them borrows the store
    /// mutably.
    #[allow(clippy::mut_from_ref)]
    pub fn bytes_mut(&self) -> &mut [u8] {
        // SAFETY: rule A: `size` bytes from `base` belong to this memory and are initialised; the rule above is kept
        // by the lifetimes of `Memory::data_mut` and `Caller::memory_mut`.
        unsafe { core::slice::from_raw_parts_mut(self.base, self.size.get()) }
    }

    /// Returns the trap with which an access of `width` bytes at `address` that does not fit is refused.
    #[cold]
    pub fn refusal(&self, address: u64, width: u64) -> TrapCode {
        let declared = u64::from(self.pages.get()) << self.page_size_log2;
        if address.saturating_add(width) <= declared {
            TrapCode::BeyondTrimmedMemory
        } else {
            TrapCode::MemoryOutOfBounds
        }
    }

    /// Checks a range. An empty one may lie anywhere in the declared memory.
    fn range(&self, at: u32, n: u32) -> Result<usize, TrapCode> {
        if u64::from(at) + u64::from(n) <= self.size.get() as u64 {
            Ok(at as usize)
        } else if n == 0 && u64::from(at) <= u64::from(self.pages.get()) << self.page_size_log2 {
            Ok(0)
        } else {
            Err(self.refusal(u64::from(at), u64::from(n)))
        }
    }

    /// Carries out `memory.fill`. Like the others below it looks at the stop flag between pieces. What it did before
    /// stays done.
    pub fn fill(&self, shared: &Shared, at: u32, value: u8, n: u32) -> Result<(), TrapCode> {
        let at = self.range(at, n)?;
        pieces(shared, n as usize, |from, n| {
            // SAFETY: rule A; `range` checked that the bytes exist.
            unsafe { self.base.add(at + from).write_bytes(value, n) };
        })
    }

    /// Carries out `memory.copy`. The ranges may overlap.
    pub fn copy(&self, shared: &Shared, to: u32, from: u32, n: u32) -> Result<(), TrapCode> {
        let (to, from, n) = (self.range(to, n)?, self.range(from, n)?, n as usize);
        pieces(shared, n, |at, piece| {
            // what is copied up goes from the end to the beginning
            let at = if to > from { n - at - piece } else { at };
            // SAFETY: rule A; `range` checked that both ranges exist.
            unsafe { self.base.add(to + at).copy_from(self.base.add(from + at), piece) };
        })
    }

    /// Carries out `memory.init`: copies `bytes[from..][..n]` to `to`.
    pub fn init(&self, shared: &Shared, to: u32, bytes: &[u8], from: u32, n: u32) -> Result<(), TrapCode> {
        let to = self.range(to, n)?;
        let source = bytes.get(from as usize..).and_then(|bytes| bytes.get(..n as usize));
        let source = source.ok_or(TrapCode::MemoryOutOfBounds)?;
        pieces(shared, source.len(), |at, n| {
            // SAFETY: rule A; `range` checked the target; the source lies in the image, not in the arena, and `at + n`
            // is no more than its length.
            unsafe { self.base.add(to + at).copy_from_nonoverlapping(source.as_ptr().add(at), n) };
        })
    }
}

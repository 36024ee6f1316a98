// SPDX-License-Identifier: Apache-2.0
//! The heap of the programs that take one: blocks one behind the other. A block that is the last gives its room back, and
//! all room is free again when no block is left.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;

use crate::HEAP;

struct State {
    memory: [u64; HEAP / 8],
    used: usize,
    blocks: usize,
}

struct Heap(UnsafeCell<State>);

// SAFETY: the benchmark calls the programs from one thread.
unsafe impl Sync for Heap {}

#[global_allocator]
static ALLOCATOR: Heap = Heap(UnsafeCell::new(State {
    memory: [0; HEAP / 8],
    used: 0,
    blocks: 0,
}));

impl Heap {
    /// Returns a block's place from the start of the memory.
    fn place(state: &State, block: *mut u8) -> usize {
        block as usize - state.memory.as_ptr() as usize
    }
}

// SAFETY: blocks do not overlap, because each begins where the one before it ends, or later; each has the alignment that was
// asked for, and lies within the memory.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: there is one thread, and no call below comes back here.
        let state = unsafe { &mut *self.0.get() };
        let start = state.used.next_multiple_of(layout.align().max(8));
        if start + layout.size() > HEAP {
            return ptr::null_mut();
        }
        state.used = start + layout.size();
        state.blocks += 1;
        // SAFETY: the block ends within the memory, as was seen above.
        unsafe { state.memory.as_mut_ptr().cast::<u8>().add(start) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        let state = unsafe { &mut *self.0.get() };
        let start = Self::place(state, block);
        state.blocks -= 1;
        if state.blocks == 0 {
            state.used = 0;
        } else if start + layout.size() == state.used {
            state.used = start;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above; the reference ends before `alloc` and `dealloc` make theirs.
        let state = unsafe { &mut *self.0.get() };
        let start = Self::place(state, block);
        if start + layout.size() == state.used && start + size <= HEAP {
            state.used = start + size;
            return block;
        }
        // SAFETY: the caller promises that the alignment is sound and the size no overflow.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: both blocks have so many bytes, and they do not overlap. The old one is not used any more.
            unsafe {
                ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
        }
        new
    }
}

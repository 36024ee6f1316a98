// SPDX-License-Identifier: Apache-2.0
//! Who owns the arena of a store.

use super::shared::Shared;
use crate::vm::config::Config;

/// The records of a store, usable from whatever thread the store is on.
pub(crate) struct SharedRef<'a>(&'a Shared);

// SAFETY: rule T: a store gives access through `&mut self` for what runs guests and through `&self` only on
// the thread that has it (`Store` is not `Sync`: neither is this).
unsafe impl Send for SharedRef<'_> {}

impl<'a> SharedRef<'a> {
    /// Sets up a store in a borrowed arena.
    pub fn borrowed(arena: &'a mut [u64], config: &Config) -> Option<Self> {
        let words = arena.len();
        // SAFETY: the borrow is exclusive and lasts for 'a.
        Some(Self(unsafe { Shared::new(arena.as_mut_ptr(), words, config) }?))
    }

    /// Returns the records.
    #[inline(always)]
    pub fn get(&self) -> &'a Shared {
        self.0
    }
}

#[cfg(not(feature = "alloc"))]
mod owned {
    /// The owner of a store without an allocator. It owns nothing.
    #[derive(Clone)]
    pub(crate) struct Owner;

    impl Owner {
        /// Owns nothing.
        pub fn none() -> Self {
            Self
        }
    }
}

#[cfg(feature = "alloc")]
mod owned {
    use alloc::alloc::{alloc_zeroed, dealloc, Layout};
    use alloc::vec::Vec;
    use core::any::Any;
    use core::ptr::NonNull;

    use super::{Config, Shared, SharedRef};

    /// A pointer whose owners may be several threads.
    #[cfg(target_has_atomic = "ptr")]
    pub(crate) use alloc::sync::Arc;

    /// A pointer whose owners are in one thread, because the processor has no atomic instructions to count them.
    #[cfg(not(target_has_atomic = "ptr"))]
    pub(crate) use alloc::rc::Rc as Arc;

    /// An arena from the heap.
    struct Block {
        start: NonNull<u8>,
        layout: Layout,
    }

    // SAFETY: the block is only a place; who may touch what in it is the business of rule T.
    unsafe impl Send for Block {}
    // SAFETY: the reason given for `Send` holds for shared references as well.
    unsafe impl Sync for Block {}

    impl Drop for Block {
        fn drop(&mut self) {
            // SAFETY: allocated with this layout in `owned`; the last owner is gone.
            unsafe { dealloc(self.start.as_ptr(), self.layout) };
        }
    }

    /// Keeps an owned arena, and the closures that its instances call.
    #[derive(Clone)]
    pub(crate) struct Owner {
        _arena: Option<Arc<Block>>,
        closures: Vec<Arc<dyn Any + Send + Sync>>,
    }

    impl Owner {
        /// Owns nothing yet.
        pub fn none() -> Self {
            Self { _arena: None, closures: Vec::new() }
        }

        /// Keeps a closure until the store is gone.
        pub fn keep(&mut self, closure: &Arc<dyn Any + Send + Sync>) {
            if !self.closures.iter().any(|kept| Arc::ptr_eq(kept, closure)) {
                self.closures.push(closure.clone());
            }
        }
    }

    impl SharedRef<'static> {
        /// Sets up a store in a new arena. The records live as long as the owner, not for 'static: a store
        /// keeps both together and lends them for no longer than itself.
        pub fn owned(bytes: usize, config: &Config) -> Option<(Self, Owner)> {
            let layout = Layout::from_size_align(bytes.max(8) & !7, 8).ok()?;
            // SAFETY: the size is not zero.
            let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
            let block = Block { start, layout };
            // SAFETY: fresh memory, aligned to eight bytes, freed by the owner only.
            let shared = unsafe { Shared::new(start.as_ptr().cast(), layout.size() / 8, config) }?;
            Some((Self(shared), Owner { _arena: Some(Arc::new(block)), closures: Vec::new() }))
        }
    }
}

#[cfg(feature = "alloc")]
pub(crate) use owned::Arc;
pub(crate) use owned::Owner;

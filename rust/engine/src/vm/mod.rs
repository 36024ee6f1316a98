// SPDX-License-Identifier: Apache-2.0
//! Everything that lies in the arena or in the image and is reached through pointers.
//!
//! Rules the unsafe blocks of this folder refer to:
//! - **A (arena)**: whatever [`arena`] hands out lies in the arena, is aligned, initialised, disjoint from
//!   everything else handed out, and stays until the store is dropped. Records hold their mutable fields
//!   in cells, so shared references to them may alias.
//! - **I (image)**: the image outlives the store (the lifetime of `Store`), never changes, and its module
//!   was verified (or its maker promised that it would pass).
//! - **T (thread)**: a store is used by one thread at a time; only the stop flag is shared, and is atomic.

pub(crate) mod arena;
pub(crate) mod config;
pub(crate) mod context;
pub(crate) mod features;
mod fuel;
pub(crate) mod globals;
pub(crate) mod guest_stack;
pub(crate) mod host_objects;
pub(crate) mod imports;
pub(crate) mod memory;
#[cfg_attr(not(feature = "native"), path = "native_absent.rs")]
pub(crate) mod native;
#[cfg_attr(not(feature = "debug"), path = "observer_absent.rs")]
pub(crate) mod observer;
pub(crate) mod owner;
pub(crate) mod references;
mod regions;
pub(crate) mod segments;
pub(crate) mod shared;
#[cfg(feature = "rewind")]
pub(crate) mod snapshot;
pub(crate) mod table;
#[cfg(feature = "record")]
pub(crate) mod tap;
#[cfg(wisp_translates)]
pub(crate) mod translated;
#[cfg(feature = "translate")]
pub(crate) mod translation;
pub(crate) mod trap;
pub(crate) mod ty;
#[cfg_attr(not(feature = "user-mode"), path = "user_mode_absent.rs")]
pub(crate) mod user_mode;

/// Returns the arena as scratch memory for [`crate::Module::new_in`], before a store takes it.
pub fn scratch(arena: &mut [u64]) -> &mut [u32] {
    let (pointer, length) = (arena.as_mut_ptr(), arena.len());
    // SAFETY: the same bytes, borrowed for as long; u32 needs less alignment and has no invalid value.
    unsafe { core::slice::from_raw_parts_mut(pointer.cast(), length * 2) }
}

// SPDX-License-Identifier: Apache-2.0
//! The official suite as a *tape*: images, and what to do with them in which order, in a form that a
//! target plays without a parser, a compiler or a file system. `wisp-spec --tape` makes it; the player runs
//! on a workstation as well, so that the tape itself is checked before a target sees it.
//!
//! Principles
//! 1. The player uses the engine as any embedder does: image, verifier, linker, call.
//! 2. A tape is trusted no more than needed: what it says is read with bounds, a damaged one is an error.
//! 3. What is decided when a module is compiled (`assert_invalid`, `assert_malformed`) is not on the tape:
//!    each file tells how many of its assertions that were.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod format;
mod player;
pub mod spectest;

pub use player::{play, Counts, Damaged, Observer, Place, LARGE_ARENA};

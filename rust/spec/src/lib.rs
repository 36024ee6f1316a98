// SPDX-License-Identifier: Apache-2.0
//! The official WebAssembly test suite, run the way an app takes: text, wasm, compiler, image, verifier,
//! engine.
//!
//! Principles
//! 1. Nothing is left out silently. What runs is compared with what the crate of the suite offers: a
//!    group, file or directive that does not run stands in [`skips`] with its reason, and a skip that
//!    skips nothing is a failure.
//! 2. Assertions are counted, not files. Anything else that goes wrong (a module that does not
//!    instantiate, a file that cannot be read) counts as a failure as well.
//! 3. Every image passes the verifier before it runs.
#![forbid(unsafe_code)]

pub mod features;
mod prepare;
mod report;
mod runner;
pub mod skips;
mod spectest;
mod suite;
pub mod tape;
pub mod translate;
mod values;

pub use prepare::Tier;
pub use report::{Counts, Failure, FileReport};
pub use suite::{cases, groups, not_run, stale_skips, Case};

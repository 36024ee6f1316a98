// SPDX-License-Identifier: Apache-2.0
//! What is fuzzed, as functions from bytes to an [`Outcome`]. They run under libFuzzer (`cargo fuzz`) and under
//! a driver with pseudo-random bytes ([`driver`]), which needs neither nightly Rust nor a corpus.
//!
//! - [`differential`]: modules from wasm-smith, run by Wisp and by wasmi: results, traps, memories, globals,
//!   tables and calls of host functions are the same.
//! - [`compiler`]: damaged modules: an error or an image that passes the verifier.
//! - [`image`]: arbitrary bytes and damaged images: the reader and the verifier give errors.
//! - [`mutated`]: damaged images that pass the verifier run between guard pages and leave them alone.

pub mod compiler;
pub mod differential;
pub mod driver;
mod guard;
mod host;
pub mod image;
mod modules;
pub mod mutated;
mod mutation;

/// How far a run got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The bytes made no input for what is tested.
    Rejected,
    /// What is tested refused the input, or the two sides reached limits that may differ.
    Refused,
    /// What is tested ran.
    Ran,
}

#[cfg(fuzzing)]
impl From<Outcome> for libfuzzer_sys::Corpus {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Rejected => Self::Reject,
            Outcome::Refused | Outcome::Ran => Self::Keep,
        }
    }
}

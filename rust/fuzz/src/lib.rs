// SPDX-License-Identifier: Apache-2.0
//! What is fuzzed, as functions from bytes to an [`Outcome`]. They run under libFuzzer (`cargo fuzz`) and under
//! a driver with pseudo-random bytes ([`driver`]), which needs neither nightly Rust nor a corpus.
//!
//! - [`differential`]: modules from wasm-smith, run by Wisp and by wasmi: results, traps, memories, globals,
//!   tables and calls of host functions are the same.
//! - [`differential::run_native`]: the same with native code of the workstation, by the C compiler there.
//! - [`compiler`]: damaged modules: an error or an image that passes the verifier.
//! - [`large`]: modules of 50 KB to 2 MB, valid by construction: they compile, pass the verifier, and compute what
//!   wasmi computes.
//! - [`image`]: arbitrary bytes and damaged images: the reader and the verifier give errors.
//! - [`host_calls`]: arbitrary arguments for every host function: no panic, no access outside of the guest's memory.
//! - [`grants`]: arbitrary tables of grants: only what is granted can be opened, only what is open used.
//! - [`instances`]: images with another meaning, beside other instances in one store: what the verifier accepts passes a
//!   second checker ([`reference`]), and the others notice nothing.
//! - [`mutated`]: damaged images that pass the verifier run between guard pages and leave them alone.
//! - [`translated`]: machine code of images that pass the verifier touches only what the instance has.

mod calls;
pub mod compiler;
pub mod differential;
pub mod driver;
pub mod grants;
mod guard;
mod host;
pub mod host_calls;
pub mod image;
pub mod instances;
pub mod large;
pub mod modules;
pub mod mutated;
mod mutation;
pub mod reference;
pub mod riscv;
pub mod translated;

/// The point that a run reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The bytes made no input for what is tested.
    Rejected,
    /// The code under test refused the input, or the two sides reached limits that may differ.
    Refused,
    /// The code under test ran.
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

// SPDX-License-Identifier: Apache-2.0
//! Generated from `wisp-abi`: one trait per interface, which the files of this crate implement for
//! [`crate::App`], and a table of functions over it.

use crate::border::{self, Memory};
use crate::stop::{Exit, Failure, Stop};
use wisp_abi::{Errno, WasiErrno};

/// One host function for a linker; `A` is the embedder's data that reaches it.
pub struct HostFunction<A> {
    /// Import module.
    pub module: &'static str,
    /// Import name.
    pub name: &'static str,
    /// `(parameters)result`: `i` for i32, `I` for i64, `*~` for a pointer and its length (two i32).
    pub signature: &'static str,
    /// Takes the guest's linear memory (empty if it has none) and the slots: arguments in order, 64
    /// bits as two slots, low first; results replace them from the start. There must be as many
    /// slots as arguments or results need, whichever is more, else the call is [`Stop::Host`].
    pub call: Call<A>,
}

/// The code of a host function.
pub type Call<A> = fn(app: &mut A, memory: &mut [u8], slots: &mut [u32]) -> Result<(), Stop>;

impl<A> Clone for HostFunction<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for HostFunction<A> {}

#[allow(clippy::too_many_arguments)]
mod generated {
    use super::*;
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use generated::*;

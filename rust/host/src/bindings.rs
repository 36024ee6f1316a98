// SPDX-License-Identifier: Apache-2.0
//! Generated from `wisp-abi`: one trait per interface, which the files of this crate implement for
//! [`crate::App`], and a table of functions over it.

use crate::border::{self, Memory, Reply};
#[cfg(any(test, feature = "by-name"))]
use crate::stop::Stop;
use crate::stop::{Exit, Failure};
use wisp_abi::{Errno, WasiErrno};
use wisp_engine::{Caller, SlotFunction};

// WASI has functions with many parameters.
#[allow(clippy::too_many_arguments)]
mod generated {
    use super::*;
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use generated::*;

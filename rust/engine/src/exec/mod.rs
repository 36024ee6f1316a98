// SPDX-License-Identifier: Apache-2.0
//! Runs code: calls from the host and between instances, the interpreter, native code, and what the ops compute.

pub(crate) mod call;
pub(crate) mod instance;
pub(crate) mod interpreter;
#[cfg_attr(not(feature = "native"), path = "native_absent.rs")]
pub(crate) mod native;
#[cfg(feature = "debug")]
pub(crate) mod observe;
pub mod ops;
#[cfg(feature = "profile")]
pub mod profile;
#[cfg(feature = "rewind")]
mod rewind;
#[cfg(feature = "sample")]
pub(crate) mod sample;
#[cfg(feature = "record")]
pub(crate) mod tap;
#[cfg(wisp_translates)]
pub(crate) mod translated;
pub(crate) mod view;

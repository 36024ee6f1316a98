// SPDX-License-Identifier: Apache-2.0
//! Runs code: calls from the host and between instances, the interpreter, native code, and what the ops compute.

pub(crate) mod call;
pub(crate) mod interpreter;
#[cfg(feature = "native")]
pub(crate) mod native;
pub mod ops;
#[cfg(feature = "profile")]
pub mod profile;

// SPDX-License-Identifier: Apache-2.0
//! What embedders use: modules, linkers, stores, instances, and the values and functions at the border.

pub(crate) mod caller;
#[cfg_attr(not(feature = "native"), path = "direct_absent.rs")]
#[allow(unsafe_code)]
mod direct;
pub(crate) mod error;
#[cfg(feature = "text")]
mod error_text;
pub(crate) mod externals;
pub(crate) mod func;
pub(crate) mod host_function;
pub(crate) mod instance;
mod instantiate;
pub(crate) mod linker;
pub(crate) mod module;
pub(crate) mod slot_function;
pub(crate) mod store;
#[allow(unsafe_code)]
mod trampoline;
pub(crate) mod value;

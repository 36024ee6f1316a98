// SPDX-License-Identifier: Apache-2.0
//! Stands for `rust_functions.rs` in firmware in C, whose section has functions in C only.

use crate::{shim, AppData};
use wisp_engine::HostFunction;

/// Returns `None`: every record is a function in C.
pub(crate) fn table(_record: &shim::wisp_host_function) -> Option<&'static [HostFunction<AppData>]> {
    None
}

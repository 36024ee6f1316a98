// SPDX-License-Identifier: Apache-2.0
//! Host functions written in Rust: a record of the firmware's section that stands for a table of them.

use crate::{shim, AppData};
use core::ptr::null;
use wisp_engine::HostFunction;

/// A record among those of `WISP_HOST_FUNCTION_DEFINE()` that stands for a table of functions in Rust.
///
/// It belongs in the section of host functions, where the apps that start before the firmware's `main` find it
/// too. The macro `main!` of the crate `wisp` places it there.
#[repr(transparent)]
pub struct Record(shim::wisp_host_function);

// SAFETY: the record is a constant, and points to constants that every thread may read.
unsafe impl Sync for Record {}

impl Record {
    /// Makes the record of a table.
    pub const fn new(table: &'static &'static [HostFunction<AppData>]) -> Self {
        let env: *const &'static [HostFunction<AppData>] = table;
        Record(shim::wisp_host_function {
            module: null(),
            name: null(),
            signature: null(),
            function: None,
            env: env.cast(),
        })
    }
}

/// Returns the table that a record of the section stands for, or `None` for a function in C, which has a name.
pub(crate) fn table(record: &shim::wisp_host_function) -> Option<&'static [HostFunction<AppData>]> {
    if !record.name.is_null() {
        return None;
    }
    // SAFETY: C's macro names every function that it defines, so `Record::new` made this record, and its pointer is
    // that of a table that lives as long as the program.
    Some(unsafe { *record.env.cast::<&'static [HostFunction<AppData>]>() })
}

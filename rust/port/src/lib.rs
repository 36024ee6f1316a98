// SPDX-License-Identifier: Apache-2.0
//! Wisp on Zephyr.
#![no_std]

pub mod shim;

/// Version of the runtime, `major << 16 | minor << 8 | patch`.
#[no_mangle]
pub extern "C" fn wisp_version() -> u32 {
    0x0000_0100
}

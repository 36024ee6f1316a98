// SPDX-License-Identifier: Apache-2.0
//! Links the `wisp-port` crate, with its C interface, into C applications.
//!
//! A Rust application depends on `wisp-port` itself and has the panic handler of the
//! `zephyr` crate; this one is for images whose only Rust code is Wisp. It reports the
//! place of a panic but formats no message, so `core::fmt` stays out of the image.
#![no_std]

extern crate wisp_port;

use core::panic::PanicInfo;
use wisp_port::shim::wisp_shim_panic;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let (file, line) = info.location().map_or(("unknown", 0), |place| (place.file(), place.line()));
    // SAFETY: the pointer and the length are those of one &str, which the shim only reads.
    unsafe { wisp_shim_panic(file.as_ptr().cast(), file.len(), line) }
}

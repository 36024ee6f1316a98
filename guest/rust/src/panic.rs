// SPDX-License-Identifier: Apache-2.0
//! A panic becomes a log entry and a trap.

use core::panic::PanicInfo;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    crate::log(crate::Level::Error, format_args!("{info}"));
    core::arch::wasm32::unreachable()
}

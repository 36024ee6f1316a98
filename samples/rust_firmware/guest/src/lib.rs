// SPDX-License-Identifier: Apache-2.0
//! Takes three readings and gives the middle one.
#![no_std]

#[link(wasm_import_module = "firmware")]
extern "C" {
    fn reading(channel: u32) -> i32;
}

/// Returns the middle one of three readings.
#[no_mangle]
pub extern "C" fn median() -> i32 {
    // SAFETY: takes any number and has no preconditions.
    let mut readings = [0, 1, 2].map(|channel| unsafe { reading(channel) });
    readings.sort_unstable();
    readings[1]
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

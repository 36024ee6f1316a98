// SPDX-License-Identifier: Apache-2.0
//! Computes a factorial by recursion, and panics.
#![no_std]
#![no_main]

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

fn factorial(n: u64) -> u64 {
    if n < 2 {
        return 1;
    }
    let below = factorial(n - 1);
    n * below
}

#[no_mangle]
pub extern "C" fn _start() {
    let wide = factorial(20);
    let small = wide as u8;
    if small == 0 {
        core::arch::wasm32::unreachable();
    }
}

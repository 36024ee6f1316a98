// SPDX-License-Identifier: Apache-2.0
//! A guest that panics where the comment says so. `average.hex` beside its folder was made from it, in the
//! repository's root: `scripts/guest.py rust rust/cli/tests/guests/average -o a.wasm; xxd -p -c 60 a.wasm`.
#![no_std]

struct Samples {
    count: u32,
}

trait Mean {
    fn mean(&self, sum: u32) -> u32;
}

impl Samples {
    #[inline(always)]
    fn divide(&self, sum: u32) -> u32 {
        sum / self.count // PANIC
    }
}

impl Mean for Samples {
    #[inline(never)]
    fn mean(&self, sum: u32) -> u32 {
        self.divide(sum).wrapping_mul(3) // INLINED
    }
}

/// Returns the mean of as many samples as the host says.
#[no_mangle]
pub extern "C" fn average(count: u32) -> u32 {
    Samples { count }.mean(1000).wrapping_add(1) // CALL
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable() // TRAP
}

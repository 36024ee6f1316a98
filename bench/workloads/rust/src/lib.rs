// SPDX-License-Identifier: Apache-2.0
//! The seed workloads as a Rust programmer writes them: slices, iterators, checked indices. They
//! compute what `bubble.c` and `crc16.c` compute.
#![no_std]

mod bubble;
mod crc16;

use core::cell::UnsafeCell;
use core::panic::PanicInfo;

/// Data of a workload, at a fixed place as in the C versions.
struct Data<T>(UnsafeCell<T>);

// SAFETY: workloads run on one thread, as the benchmark calls them.
unsafe impl<T> Sync for Data<T> {}

impl<T> Data<T> {
    /// Returns the data.
    ///
    /// # Safety
    /// No other reference to it is alive.
    #[allow(clippy::mut_from_ref)]
    unsafe fn get(&self) -> &mut T {
        // SAFETY: the caller promises that nobody else has it.
        unsafe { &mut *self.0.get() }
    }
}

/// Sorts 100 integers by bubble sort, n times.
#[cfg(not(target_family = "wasm"))]
#[no_mangle]
#[inline(never)]
pub extern "C" fn run_bubble_rust(n: u32) -> u32 {
    bubble::run(n)
}

/// Computes the CRC-16 of 1 KiB, n times.
#[cfg(not(target_family = "wasm"))]
#[no_mangle]
#[inline(never)]
pub extern "C" fn run_crc16_rust(n: u32) -> u32 {
    crc16::run(n)
}

/// Returns the workload of this module.
#[cfg(target_family = "wasm")]
#[no_mangle]
pub extern "C" fn run(n: u32) -> u32 {
    if cfg!(feature = "bubble") {
        bubble::run(n)
    } else {
        crc16::run(n)
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    #[cfg(target_family = "wasm")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_family = "wasm"))]
    loop {}
}

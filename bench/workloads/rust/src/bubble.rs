// SPDX-License-Identifier: Apache-2.0
//! Bubble sort of 100 integers in reverse order, the worst case.

use core::cell::UnsafeCell;

use crate::Data;

static NUMBERS: Data<[i32; 100]> = Data(UnsafeCell::new([0; 100]));

/// Sorts `n` times and folds the results.
pub fn run(n: u32) -> u32 {
    // SAFETY: the only use, and not called again before it returns.
    let numbers = unsafe { NUMBERS.get() };
    let mut checksum = 1u32;
    for _ in 0..n {
        for (i, number) in (0..).zip(numbers.iter_mut()) {
            *number = 100 - i + (checksum & 3) as i32;
        }
        for i in 0..99 {
            for j in 0..99 - i {
                if numbers[j] > numbers[j + 1] {
                    numbers.swap(j, j + 1);
                }
            }
        }
        for &number in numbers.iter() {
            checksum = checksum.wrapping_mul(31).wrapping_add(number as u32);
        }
    }
    checksum
}

// SPDX-License-Identifier: Apache-2.0
//! CRC-16/CCITT, bit by bit, of 1 KiB.

use core::cell::UnsafeCell;

use crate::Data;

static BYTES: Data<[u8; 1024]> = Data(UnsafeCell::new([0; 1024]));

/// Runs over the bytes `n` times.
pub fn run(n: u32) -> u32 {
    // SAFETY: the only use, and not called again before it returns.
    let bytes = unsafe { BYTES.get() };
    for (i, byte) in (0u32..).zip(bytes.iter_mut()) {
        *byte = (i.wrapping_mul(7) + (i >> 3)) as u8;
    }
    let mut crc = 0xffff_u16;
    for _ in 0..n {
        for &byte in bytes.iter() {
            crc ^= u16::from(byte) << 8;
            for _ in 0..8 {
                crc = if crc & 0x8000 != 0 {
                    crc << 1 ^ 0x1021
                } else {
                    crc << 1
                };
            }
        }
    }
    u32::from(crc)
}

// SPDX-License-Identifier: Apache-2.0
//! Numbers of f32 and f64 as text.

use ryu::Buffer;

use crate::{mix, repeat};

pub const HEAP: usize = 0;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let mut buffer = Buffer::new();
        (0..16_u32).fold(round, |sum, at| {
            let bits = (at + round).wrapping_mul(0x9e37_79b9);
            let small = f32::from_bits(bits >> 8 | 0x4100_0000);
            let large = f64::from_bits(u64::from(bits) << 22 | 0x4040_0000_0000_0000);
            let sum = mix(sum, buffer.format_finite(small).as_bytes());
            mix(sum, buffer.format_finite(large).as_bytes())
        })
    })
}

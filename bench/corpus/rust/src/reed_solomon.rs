// SPDX-License-Identifier: Apache-2.0
//! A block of 128 bytes with 16 of Reed and Solomon's, damaged and mended.

use reed_solomon::{Decoder, Encoder};

use crate::{mix, repeat, LOG};

pub const HEAP: usize = 0;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let data = &LOG[round as usize..][..128];
        let mut block = *Encoder::new(16).encode(data);
        for at in 0..5 {
            block[at * 27 + round as usize % 8] ^= 0x5a + at as u8;
        }
        let mended = Decoder::new(16).correct(&block[..144], None).unwrap();
        assert_eq!(mended.data(), data);
        mix(0, mended.ecc())
    })
}

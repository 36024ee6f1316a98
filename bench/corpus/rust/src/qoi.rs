// SPDX-License-Identifier: Apache-2.0
//! A picture of 64 by 64 pixels out of QOI and into it.

use crate::{mix, repeat};

pub const HEAP: usize = 32 << 10;
static PICTURE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/picture.qoi"));

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let mut pixels = alloc::vec![0; 64 * 64 * 3];
        qoi::decode_to_buf(&mut pixels, PICTURE).unwrap();
        pixels[0] = round as u8;
        let mut packed = alloc::vec![0; qoi::encode_max_len(64, 64, 3)];
        let size = qoi::encode_to_buf(&mut packed, &pixels, 64, 64).unwrap();
        mix(size as u32, &packed[..256])
    })
}

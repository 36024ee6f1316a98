// SPDX-License-Identifier: Apache-2.0
//! A picture of 64 by 64 pixels out of PNG.

use crate::{mix, repeat};

pub const HEAP: usize = 16 << 10;
static PICTURE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/picture.png"));

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let mut buffer = alloc::vec![0; 64 * 64 * 3 + 64];
        let picture = minipng::decode_png(PICTURE, &mut buffer).unwrap();
        mix(round, &picture.pixels()[..512])
    })
}

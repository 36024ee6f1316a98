// SPDX-License-Identifier: Apache-2.0
//! A picture of 64 by 64 pixels out of JPEG.

use zune_jpeg::JpegDecoder;

use crate::{mix, repeat};

pub const HEAP: usize = 96 << 10;
static PICTURE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/picture.jpg"));

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let pixels = JpegDecoder::new(PICTURE).decode().unwrap();
        mix(round, &pixels[..512])
    })
}

// SPDX-License-Identifier: Apache-2.0
//! 2 KiB of log compressed by LZ4 and back.

use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};

use crate::{mix, repeat, LOG};

pub const HEAP: usize = 32 << 10;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let input = &LOG[round as usize..][..2048];
        let mut packed = alloc::vec![0; get_maximum_output_size(input.len())];
        let size = compress_into(input, &mut packed).unwrap();
        let mut output = alloc::vec![0; input.len()];
        decompress_into(&packed[..size], &mut output).unwrap();
        assert_eq!(output, input);
        mix(0, &packed[..size])
    })
}

// SPDX-License-Identifier: Apache-2.0
//! 4 KiB of log out of a stream of DEFLATE.

use alloc::boxed::Box;

use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{decompress, DecompressorOxide};
use miniz_oxide::inflate::TINFLStatus;

use crate::{mix, repeat, LOG};

pub const HEAP: usize = 24 << 10;
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/log.deflate"));

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let mut state = Box::new(DecompressorOxide::new());
        let mut output = alloc::vec![0; LOG.len()];
        let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, _, size) = decompress(&mut state, PACKED, &mut output, 0, flags);
        assert!(status == TINFLStatus::Done && size == LOG.len());
        mix(round, &output[..256])
    })
}

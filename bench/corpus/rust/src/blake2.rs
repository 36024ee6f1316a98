// SPDX-License-Identifier: Apache-2.0
//! BLAKE2s of 1 KiB.

use blake2::{Blake2s256, Digest};

use crate::{mix, repeat, LOG};

pub const HEAP: usize = 0;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        mix(0, &Blake2s256::digest(&LOG[round as usize..][..1024]))
    })
}

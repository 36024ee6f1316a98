// SPDX-License-Identifier: Apache-2.0
//! SHA3-256 of 512 bytes.

use tiny_keccak::{Hasher, Sha3};

use crate::{mix, repeat, LOG};

pub const HEAP: usize = 0;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let (mut hasher, mut hash) = (Sha3::v256(), [0; 32]);
        hasher.update(&LOG[round as usize..][..512]);
        hasher.finalize(&mut hash);
        mix(0, &hash)
    })
}

// SPDX-License-Identifier: Apache-2.0
//! AES-128 of eight blocks, there and back.

use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use aes::Aes128;

use crate::{mix, repeat, LOG};

pub const HEAP: usize = 0;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let cipher = Aes128::new(GenericArray::from_slice(&LOG[round as usize..][..16]));
        let mut sum = 0;
        for part in LOG[..128].chunks_exact(16) {
            let mut block = *GenericArray::from_slice(part);
            cipher.encrypt_block(&mut block);
            sum = mix(sum, &block);
            cipher.decrypt_block(&mut block);
            assert_eq!(block.as_slice(), part);
        }
        sum
    })
}

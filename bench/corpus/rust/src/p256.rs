// SPDX-License-Identifier: Apache-2.0
//! A signature on the curve P-256.

use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};

use crate::{mix, repeat, LOG};

pub const HEAP: usize = 0;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let key = SigningKey::from_slice(&LOG[..32]).unwrap();
        let hash = &LOG[100 + round as usize..][..32];
        let signature: Signature = key.sign_prehash(hash).unwrap();
        mix(0, &signature.to_bytes())
    })
}

// SPDX-License-Identifier: Apache-2.0
//! A secret agreed on by two parties on Curve25519: two multiplications.

use x25519_dalek::{PublicKey, StaticSecret};

use crate::{mix, repeat, LOG};

pub const HEAP: usize = 0;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let bytes = |at: usize| *<&[u8; 32]>::try_from(&LOG[at..at + 32]).unwrap();
        let (own, other) = (
            StaticSecret::from(bytes(round as usize)),
            PublicKey::from(&StaticSecret::from(bytes(500))),
        );
        mix(0, own.diffie_hellman(&other).as_bytes())
    })
}

// SPDX-License-Identifier: Apache-2.0
//! 512 bytes of log compressed and back.

use heatshrink::{decode, encode, Config};

use crate::{mix, repeat, LOG};

pub const HEAP: usize = 0;

pub fn run(n: u32) -> u32 {
    let config = Config::new(8, 4).unwrap();
    repeat(n, |round| {
        let input = &LOG[round as usize..][..512];
        let (mut packed, mut output) = ([0; 600], [0; 600]);
        let packed = encode(input, &mut packed, &config).unwrap();
        let output = decode(packed, &mut output, &config).unwrap();
        assert_eq!(output, input);
        mix(0, packed)
    })
}

// SPDX-License-Identifier: Apache-2.0
//! A pattern looked for in 512 bytes of log.

use regex::Regex;

use crate::{mix, repeat, LOG};

pub const HEAP: usize = 96 << 10;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let text = core::str::from_utf8(&LOG[round as usize..][..512]).unwrap();
        let pattern = Regex::new(r"\[([0-9]+)\] (sensor|net): ([a-z]+) (of )?([0-9.]+)").unwrap();
        pattern.captures_iter(text).fold(0, |sum, found| {
            mix(sum, found[1].as_bytes()) ^ mix(0, found[5].as_bytes())
        })
    })
}

// SPDX-License-Identifier: Apache-2.0
//! Messages of a protocol in postcard: into bytes and back.

use serde::{Deserialize, Serialize};

use crate::{mix, repeat};

pub const HEAP: usize = 0;

#[derive(Deserialize, Serialize)]
enum Message<'a> {
    Hello { version: u16, name: &'a str },
    Samples { time: u64, values: [i16; 12] },
    Set { key: &'a str, value: Option<u32> },
    Done,
}

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let mut sum = 0;
        for at in 0..12 {
            let message = match (at + round) % 4 {
                0 => Message::Hello {
                    version: 3,
                    name: "greenhouse",
                },
                1 => Message::Samples {
                    time: u64::from(round) << 20,
                    values: core::array::from_fn(|i| (i as i16 - 5) * at as i16 * 9),
                },
                2 => Message::Set {
                    key: "interval",
                    value: Some(round * at),
                },
                _ => Message::Done,
            };
            let mut buffer = [0; 96];
            let bytes = postcard::to_slice(&message, &mut buffer).unwrap();
            sum = mix(sum, bytes);
            sum ^= match postcard::from_bytes(bytes).unwrap() {
                Message::Hello { version, name } => u32::from(version) + name.len() as u32,
                Message::Samples { time, values } => {
                    time as u32 ^ values.iter().map(|&value| i32::from(value)).sum::<i32>() as u32
                }
                Message::Set { key, value } => key.len() as u32 ^ value.unwrap_or(7),
                Message::Done => 1,
            };
        }
        sum
    })
}

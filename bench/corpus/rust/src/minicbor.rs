// SPDX-License-Identifier: Apache-2.0
//! Records of measurements into CBOR and out of it.

use minicbor::encode::write::Cursor;
use minicbor::{Decode, Encode};

use crate::{mix, repeat};

pub const HEAP: usize = 0;

#[derive(Decode, Encode)]
struct Record<'a> {
    #[n(0)]
    time: u64,
    #[b(1)]
    name: &'a str,
    #[n(2)]
    values: [i32; 6],
    #[n(3)]
    state: State,
    #[n(4)]
    battery: Option<u16>,
}

#[derive(Clone, Copy, Decode, Encode)]
enum State {
    #[n(0)]
    Idle,
    #[n(1)]
    Alarm {
        #[n(0)]
        code: u8,
    },
}

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let mut sum = 0;
        for at in 0..8_u32 {
            let state = if at % 3 == 0 {
                State::Idle
            } else {
                State::Alarm { code: at as u8 }
            };
            let values = core::array::from_fn(|i| (at * 100 + round) as i32 * (i as i32 - 2));
            let time = 1_700_000_000_000 + u64::from(round * 8 + at);
            let record = Record {
                time,
                name: "outside",
                values,
                state,
                battery: (at > 4).then_some(3700),
            };
            let mut buffer = [0; 128];
            let mut to = Cursor::new(&mut buffer[..]);
            minicbor::encode(&record, &mut to).unwrap();
            let size = to.position();
            let back: Record<'_> = minicbor::decode(&buffer[..size]).unwrap();
            sum = mix(sum, &buffer[..size]) ^ back.values.iter().sum::<i32>() as u32;
        }
        sum
    })
}

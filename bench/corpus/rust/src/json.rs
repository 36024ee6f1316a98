// SPDX-License-Identifier: Apache-2.0
//! Settings out of JSON and into it.

use serde::{Deserialize, Serialize};
use serde_json_core::{from_slice, to_slice};

use crate::{mix, repeat};

pub const HEAP: usize = 0;

#[derive(Deserialize, Serialize)]
struct Settings<'a> {
    name: &'a str,
    interval: u32,
    limits: Limits,
    #[serde(borrow)]
    sensors: [Sensor<'a>; 3],
    spare: Option<u32>,
    window: [u16; 4],
}

#[derive(Deserialize, Serialize)]
struct Limits {
    low: i32,
    high: i32,
    alarm: bool,
}

#[derive(Deserialize, Serialize)]
struct Sensor<'a> {
    id: u8,
    kind: &'a str,
    scale: i16,
}

static TEXT: &str = r#"{"name":"greenhouse 4","interval":300,"limits":{"low":-12,"high":3450,"alarm":true},
    "sensors":[{"id":17,"kind":"humidity","scale":125},{"id":18,"kind":"co2","scale":-4},
    {"id":19,"kind":"light","scale":1000}],"spare":null,"window":[0,15,30,45]}"#;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let (mut settings, _) = from_slice::<Settings<'_>>(TEXT.as_bytes()).unwrap();
        settings.interval += round;
        settings.window[1] = round as u16;
        let mut output = [0; 512];
        let size = to_slice(&settings, &mut output).unwrap();
        mix(0, &output[..size])
    })
}

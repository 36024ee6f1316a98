// SPDX-License-Identifier: Apache-2.0
//! Arbitrary arguments for every host function: nothing panics, nothing touches memory that is not the guest's,
//! and every result is one that the function's description allows.

use arbitrary::Unstructured;

use crate::calls::{self, Answer};
use crate::Outcome;

/// A board that grants something of everything.
const BOARD: &str = r#"
    [board]
    duration_ms = 1000000000
    unix_time = 1
    [apps.a]
    args = ["x", "y"]
    env = { A = "b" }
    [apps.a.gpio]
    in = { script = [{ at_ms = 1, active = true }, { at_ms = 2, active = false }] }
    out = {}
    [apps.a.i2c.mem]
    kind = "eeprom"
    address = 0x50
    [apps.a.adc.bat]
    [apps.a.pwm.fan]
    [apps.a.spi.imu]
    [apps.a.sensor.air]
    ambient_temp = [{ value = 20 }]
    [apps.a.uart.port]
    [apps.a.kv]
    size = 300
"#;

/// The names that the board grants, and a key.
const LABELS: [&str; 9] = ["in", "out", "mem", "bat", "fan", "imu", "air", "port", "key"];

/// Runs one input.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let functions: Vec<_> = calls::functions().collect();
    calls::guest(BOARD, |guest| {
        let mut succeeded = false;
        while !u.is_empty() {
            let memory = guest.memory();
            let mut labels = Vec::new();
            for (label, at) in LABELS.iter().zip((0..).step_by(8)) {
                memory[at..at + label.len()].copy_from_slice(label.as_bytes());
                labels.push((at as u32, label.len() as u32));
            }
            let mut call = || {
                calls::write_numbers(&mut u, memory)?;
                let index = u.choose_index(functions.len())?;
                Ok((index, calls::arguments(&mut u, functions[index].1, &labels)?))
            };
            let call: arbitrary::Result<_> = call();
            let Ok((index, arguments)) = call else { break };
            let (interface, function) = functions[index];
            match guest.call(index, &arguments) {
                Answer::Result(result) => succeeded |= !calls::failed(interface, function, result),
                Answer::Ended => break,
            }
        }
        if succeeded {
            Outcome::Ran
        } else {
            Outcome::Refused
        }
    })
}

// SPDX-License-Identifier: Apache-2.0
//! Arbitrary arguments for every host function: nothing panics, nothing touches memory that is not the guest's,
//! and every result is one that the function's description allows.

use arbitrary::Unstructured;

use crate::calls::{self, Answer};
use crate::Outcome;

/// A board that grants something of everything.
const BOARD: &str = include_str!("../../sim/tests/everything.toml");

/// The names that the board grants, and a key.
const LABELS: &[&str] = &[
    "in", "out", "mem", "bat", "fan", "lamp", "imu", "air", "clock", "modem", "wish", "level", "key", "red", "tape",
    "cells", "pad", "bus", "view", "oled", "area",
];

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

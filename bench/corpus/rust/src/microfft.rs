// SPDX-License-Identifier: Apache-2.0
//! A Fourier transform of 256 real samples, in f32.

use crate::{repeat, LOG};

pub const HEAP: usize = 0;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let mut samples = [0.0; 256];
        samples
            .iter_mut()
            .zip(&LOG[round as usize..])
            .for_each(|(to, &from)| *to = f32::from(from));
        let spectrum = microfft::real::rfft_256(&mut samples);
        spectrum.iter().fold(0, |sum: u32, value| {
            sum.rotate_left(3) ^ value.re.to_bits() ^ value.im.to_bits().rotate_left(9)
        })
    })
}

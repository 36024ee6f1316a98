// SPDX-License-Identifier: Apache-2.0
//! Two filters of second order over 128 samples, in f32.

use biquad::{
    Biquad, Coefficients, DirectForm1, DirectForm2Transposed, ToHertz, Type, Q_BUTTERWORTH_F32,
};

use crate::{repeat, LOG};

pub const HEAP: usize = 0;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let low =
            Coefficients::<f32>::from_params(Type::LowPass, 1.khz(), 40.hz(), Q_BUTTERWORTH_F32)
                .unwrap();
        let notch = Coefficients::<f32>::from_params(Type::Notch, 1.khz(), 50.hz(), 4.0).unwrap();
        let (mut first, mut second) = (
            DirectForm1::<f32>::new(low),
            DirectForm2Transposed::<f32>::new(notch),
        );
        LOG[round as usize..][..128]
            .iter()
            .fold(0, |sum: u32, &sample| {
                let value = second.run(first.run(f32::from(sample) - 64.0));
                sum.rotate_left(3) ^ value.to_bits()
            })
    })
}

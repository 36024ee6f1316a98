// SPDX-License-Identifier: Apache-2.0
//! A QR code of an address.

use qrcodegen_no_heap::{QrCode, QrCodeEcc, Version};

use crate::repeat;

pub const HEAP: usize = 0;
const LARGEST: Version = Version::new(5);

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let (mut output, mut scratch) = ([0; LARGEST.buffer_len()], [0; LARGEST.buffer_len()]);
        let text = if round % 2 == 0 {
            "https://example.com/device/00417"
        } else {
            "https://example.com/device/90210"
        };
        let code = QrCode::encode_text(
            text,
            &mut scratch,
            &mut output,
            QrCodeEcc::Medium,
            Version::MIN,
            LARGEST,
            None,
            true,
        );
        let Ok(code) = code else { panic!() };
        let points = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        points.fold(0, |sum: u32, (x, y)| {
            sum.rotate_left(1) ^ u32::from(code.get_module(x, y))
        })
    })
}

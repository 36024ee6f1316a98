// SPDX-License-Identifier: Apache-2.0
//! What the tests of all instruction sets have in common.

use wisp_translate::out::{Memory, Out};

/// The offset of each instruction, far enough from 0 for branches back.
pub const AT: u32 = 0x100_0000;

/// Memory that begins at an offset.
struct Window {
    begin: u32,
    bytes: Vec<u8>,
}

impl Memory for Window {
    fn size(&self) -> u32 {
        u32::MAX
    }

    fn write(&mut self, at: u32, bytes: &[u8]) {
        let place = (at - self.begin) as usize..(at - self.begin) as usize + bytes.len();
        self.bytes.resize(self.bytes.len().max(place.end), 0);
        self.bytes[place].copy_from_slice(bytes);
    }

    fn word_at(&self, at: u32) -> u32 {
        let bytes = self.bytes.get((at - self.begin) as usize..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }
}

/// Returns the halfwords that a function writes at an offset.
pub fn emit(at: u32, write: impl FnOnce(&mut Out<'_>)) -> Vec<u16> {
    let mut window = Window { begin: at, bytes: Vec::new() };
    let mut out = Out::new(&mut window, u32::MAX, at);
    write(&mut out);
    let written = (out.at() - at) as usize;
    drop(out);
    assert_eq!(window.bytes.len(), written);
    window.bytes.chunks_exact(2).map(|half| u16::from_le_bytes([half[0], half[1]])).collect()
}

/// The text of an instruction, what writes it, and its halfwords.
#[allow(dead_code)]
pub type Case = (&'static str, fn(&mut Out<'_>), &'static [u16]);

/// Compares what encoders write with an assembler's halfwords.
#[allow(dead_code)]
pub fn agree(cases: &[Case]) {
    for (text, write, halves) in cases {
        assert_eq!(&emit(AT, write), halves, "{text}");
    }
}

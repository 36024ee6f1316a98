// SPDX-License-Identifier: Apache-2.0
//! The bytes of the code as they grow.

/// A place for machine code, or a counter of the bytes that it would take.
pub struct Out<'b> {
    bytes: Option<&'b mut [u8]>,
    at: u32,
}

impl<'b> Out<'b> {
    /// Writes into a buffer, from byte `at` on.
    pub fn new(bytes: &'b mut [u8], at: u32) -> Self {
        Self { bytes: Some(bytes), at }
    }

    /// Counts bytes from `at` on and keeps none.
    pub fn counter(at: u32) -> Self {
        Self { bytes: None, at }
    }

    /// Returns the offset of the next byte.
    pub fn at(&self) -> u32 {
        self.at
    }

    /// True if nothing is written.
    pub fn counts(&self) -> bool {
        self.bytes.is_none()
    }

    fn put<const N: usize>(&mut self, value: [u8; N]) {
        if let Some(bytes) = self.bytes.as_deref_mut() {
            // whoever has no room for all bytes does not begin to write
            if let Some(place) = bytes.get_mut(self.at as usize..).and_then(|rest| rest.first_chunk_mut()) {
                *place = value;
            }
        }
        self.at += N as u32;
    }

    /// Returns the offset up to which there is room; `None` if nothing is written.
    pub fn room(&self) -> Option<u32> {
        self.bytes.as_deref().map(|bytes| bytes.len() as u32)
    }

    /// Appends 16 bits.
    pub fn half(&mut self, value: u16) {
        self.put(value.to_le_bytes());
    }

    /// Appends 32 bits.
    pub fn word(&mut self, value: u32) {
        self.put(value.to_le_bytes());
    }

    /// Appends an instruction of two halfwords.
    pub fn halves(&mut self, first: u16, second: u16) {
        self.half(first);
        self.half(second);
    }

    /// Calls a function with the writer set back to an earlier offset, and goes on where it was.
    pub fn patch(&mut self, at: u32, write: impl FnOnce(&mut Self)) {
        let end = core::mem::replace(&mut self.at, at);
        write(self);
        self.at = end;
    }

    /// Returns the 32 bits at an offset; 0 if nothing is written.
    pub fn word_at(&self, at: u32) -> u32 {
        let bytes = self.bytes.as_deref().and_then(|bytes| bytes.get(at as usize..)?.first_chunk());
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }
}

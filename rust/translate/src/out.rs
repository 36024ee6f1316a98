// SPDX-License-Identifier: Apache-2.0
//! The bytes of the code as they grow.

/// Memory for machine code, which may not be written like other memory.
pub trait Memory {
    /// Returns the number of its bytes.
    fn size(&self) -> u32;
    /// Writes bytes at an offset. The caller has checked that they lie inside.
    fn write(&mut self, at: u32, bytes: &[u8]);
    /// Returns the 32 bits at an offset, or 0 if they do not lie inside.
    fn word_at(&self, at: u32) -> u32;
}

impl Memory for &mut [u8] {
    fn size(&self) -> u32 {
        self.len() as u32
    }

    fn write(&mut self, at: u32, bytes: &[u8]) {
        if let Some(place) = self.get_mut(at as usize..at as usize + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    fn word_at(&self, at: u32) -> u32 {
        let bytes = self.get(at as usize..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }
}

/// A place for machine code, or a counter of the bytes that it would take.
pub struct Out<'b> {
    memory: Option<&'b mut dyn Memory>,
    room: u32,
    at: u32,
}

impl<'b> Out<'b> {
    /// Writes into the first `room` bytes of a memory, from byte `at` on.
    pub fn new(memory: &'b mut dyn Memory, room: u32, at: u32) -> Self {
        let room = room.min(memory.size());
        Self { memory: Some(memory), room, at }
    }

    /// Counts bytes from `at` on and keeps none.
    pub fn counter(at: u32) -> Self {
        Self { memory: None, room: 0, at }
    }

    /// Returns the offset of the next byte.
    pub fn at(&self) -> u32 {
        self.at
    }

    /// Returns true if nothing is written.
    pub fn counts(&self) -> bool {
        self.memory.is_none()
    }

    fn put<const N: usize>(&mut self, value: [u8; N]) {
        if let Some(memory) = self.memory.as_deref_mut() {
            // whoever has no room for all bytes does not begin to write
            if self.room.checked_sub(self.at).is_some_and(|left| left as usize >= N) {
                memory.write(self.at, &value);
            }
        }
        self.at += N as u32;
    }

    /// Returns the offset up to which there is room, or `None` if nothing is written.
    pub fn room(&self) -> Option<u32> {
        self.memory.as_ref().map(|_| self.room)
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

    /// Returns the 32 bits at an offset, or 0 if nothing is written.
    pub fn word_at(&self, at: u32) -> u32 {
        self.memory.as_deref().map_or(0, |memory| memory.word_at(at))
    }
}

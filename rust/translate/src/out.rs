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

/// Halfwords that are gathered before they are written.
const BUFFER: usize = 16;

/// A place for machine code, or a counter of the bytes that it would take. Code is in memory when this is dropped.
pub struct Out<'b> {
    memory: Option<&'b mut dyn Memory>,
    room: u32,
    at: u32,
    /// Halfwords that are not in memory yet, of which the first `filled` are code. They end at offset `end`.
    buffer: [[u8; 2]; BUFFER],
    filled: usize,
    end: u32,
}

impl<'b> Out<'b> {
    /// Writes into the first `room` bytes of a memory, from byte `at` on.
    pub fn new(memory: &'b mut dyn Memory, room: u32, at: u32) -> Self {
        let room = room.min(memory.size());
        Self { memory: Some(memory), room, at, buffer: [[0; 2]; BUFFER], filled: 0, end: at }
    }

    /// Counts bytes from `at` on and keeps none.
    pub fn counter(at: u32) -> Self {
        Self { memory: None, room: 0, at, buffer: [[0; 2]; BUFFER], filled: 0, end: at }
    }

    /// Returns the offset of the next byte.
    pub fn at(&self) -> u32 {
        self.at
    }

    /// Returns true if nothing is written.
    pub fn counts(&self) -> bool {
        self.memory.is_none()
    }

    /// Writes what was gathered.
    fn flush(&mut self) {
        if let (Some(memory), Some(halves @ [_, ..])) = (self.memory.as_deref_mut(), self.buffer.get(..self.filled)) {
            memory.write(self.end - 2 * halves.len() as u32, halves.as_flattened());
        }
        self.filled = 0;
    }

    /// Returns true if so many more bytes are not all written. A counter has room for everything.
    pub fn lacks(&self, bytes: u32) -> bool {
        !self.counts() && self.room.checked_sub(self.at).is_none_or(|left| left < bytes)
    }

    /// Goes back to an earlier offset.
    pub fn restart(&mut self, at: u32) {
        self.flush();
        self.at = at;
    }

    /// Appends 16 bits.
    pub fn half(&mut self, value: u16) {
        let at = self.at;
        self.at = at.wrapping_add(2);
        // a counter has no room
        if self.room >= self.at {
            self.gather(at, [value]);
        }
    }

    /// Appends 32 bits.
    pub fn word(&mut self, value: u32) {
        self.halves(value as u16, (value >> 16) as u16);
    }

    /// Appends an instruction of two halfwords.
    pub fn halves(&mut self, first: u16, second: u16) {
        let at = self.at;
        self.at = at.wrapping_add(4);
        // whoever has no room for all bytes does not begin to write
        if self.room >= self.at {
            self.gather(at, [first, second]);
        }
    }

    /// Adds halfwords to those that are gathered, if they lie behind them.
    fn gather<const N: usize>(&mut self, at: u32, halves: [u16; N]) {
        if at != self.end || self.filled > BUFFER - N {
            self.flush();
        }
        let places = self.buffer.iter_mut().skip(self.filled);
        places.zip(halves).for_each(|(place, half)| *place = half.to_le_bytes());
        self.filled += N;
        self.end = self.at;
    }

    /// Calls a function with the writer set back to an earlier offset, and goes on where it was.
    pub fn patch(&mut self, at: u32, write: impl FnOnce(&mut Self)) {
        let end = core::mem::replace(&mut self.at, at);
        write(self);
        self.at = end;
    }

    /// Returns the 32 bits at an offset, or 0 if nothing is written.
    pub fn word_at(&mut self, at: u32) -> u32 {
        self.flush();
        self.memory.as_deref().map_or(0, |memory| memory.word_at(at))
    }
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

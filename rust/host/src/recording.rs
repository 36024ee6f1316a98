// SPDX-License-Identifier: Apache-2.0
//! The format of recordings: what came into an app from outside, so that the app can be run again without its board.
//!
//! A recording begins with [`MAGIC`] and nine words: both parts of the image's id, the most linear memory (bytes), the frame
//! stack (bytes), the most nested calls, the fuel (low and high half, all ones for no limit), the number of items that were
//! lost at the beginning, and 0. Words have their low byte first. Items follow. Each is its length, a tag, and numbers. All
//! numbers of items are in LEB128 without sign.

/// First bytes of a recording.
pub const MAGIC: [u8; 4] = *b"WRE1";
/// Bytes of the first part.
pub const HEADER: usize = 40;

/// The host calls a function of the guest: its reference, the number of slots, and the slots.
pub const ENTRY: u8 = b'C';
/// The guest called an imported function: its index among the imported functions, the trap it ended with, or 0, and the exit
/// status. Number and slots of arguments follow, then those of results. Last come the pieces of linear memory that it wrote:
/// their number, and address, length and bytes of each.
pub const HOST_CALL: u8 = b'H';
/// The guest called an imported function whose interface is not recorded: its index.
pub const LEFT_OUT: u8 = b'X';
/// The run has ended: trap or 0, function, code offset, exit status, and the fuel that was used (`u64::MAX` if nobody
/// counted).
pub const END: u8 = b'E';

/// The conditions under which a guest ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conditions {
    /// Both parts of the image's id.
    pub image: (u32, u32),
    /// The most linear memory in bytes.
    pub memory: u32,
    /// The frame stack in bytes.
    pub stack: u32,
    /// The most nested calls, or 0 for no limit.
    pub depth: u32,
    /// Units of fuel, or `u64::MAX` for no limit.
    pub fuel: u64,
    /// Items that were lost at the beginning.
    pub lost: u32,
}

impl Conditions {
    /// Returns the first part of a recording.
    pub fn bytes(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let words = [
            u32::from_le_bytes(MAGIC),
            self.image.0,
            self.image.1,
            self.memory,
            self.stack,
            self.depth,
            self.fuel as u32,
            (self.fuel >> 32) as u32,
            self.lost,
        ];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads the first part of a recording. Returns `None` if it is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..HEADER).filter(|bytes| bytes.starts_with(&MAGIC))?;
        let word = |at: usize| bytes.get(4 * at..)?.first_chunk().map(|word| u32::from_le_bytes(*word));
        Some(Self {
            image: (word(1)?, word(2)?),
            memory: word(3)?,
            stack: word(4)?,
            depth: word(5)?,
            fuel: u64::from(word(6)?) | u64::from(word(7)?) << 32,
            lost: word(8)?,
        })
    }
}

/// Takes the bytes of an item one after the other.
pub type Sink<'s> = &'s mut dyn FnMut(u8);

/// Writes a number.
pub fn number(out: Sink<'_>, mut value: u64) {
    while value >= 0x80 {
        out(value as u8 | 0x80);
        value >>= 7;
    }
    out(value as u8);
}

/// A call of an imported function that has returned.
#[derive(Clone, Copy, Debug)]
pub struct HostCall<'c> {
    /// Index among the imported functions.
    pub import: u16,
    /// The trap's number, or 0.
    pub trap: u32,
    /// The status, if the function ended the guest.
    pub status: i32,
    /// Slots of the arguments.
    pub arguments: &'c [u32],
    /// Slots of the results.
    pub results: &'c [u32],
}

/// Writes a call of an imported function, with what it wrote: `pieces` of them.
pub fn host_call<'m>(
    out: Sink<'_>,
    call: &HostCall<'_>,
    pieces: usize,
    written: impl Iterator<Item = (u32, &'m [u8])>,
) {
    out(HOST_CALL);
    number(out, call.import.into());
    number(out, call.trap.into());
    number(out, u64::from(call.status as u32));
    slots(out, call.arguments);
    slots(out, call.results);
    number(out, pieces as u64);
    for (address, bytes) in written {
        number(out, address.into());
        number(out, bytes.len() as u64);
        bytes.iter().for_each(|&byte| out(byte));
    }
}

/// Writes a call of the guest by the host.
pub fn entry(out: Sink<'_>, function: u32, arguments: &[u32]) {
    out(ENTRY);
    number(out, function.into());
    slots(out, arguments);
}

/// Writes that a call is left out.
pub fn left_out(out: Sink<'_>, import: u16) {
    out(LEFT_OUT);
    number(out, import.into());
}

/// Writes the end of a run: trap or 0, function, code offset, exit status, and fuel.
pub fn end(out: Sink<'_>, trap: u32, place: (u32, u32), status: i32, fuel: u64) {
    out(END);
    number(out, trap.into());
    number(out, place.0.into());
    number(out, place.1.into());
    number(out, u64::from(status as u32));
    number(out, fuel);
}

fn slots(out: Sink<'_>, slots: &[u32]) {
    number(out, slots.len() as u64);
    for &slot in slots {
        number(out, slot.into());
    }
}

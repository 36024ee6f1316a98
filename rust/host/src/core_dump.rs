// SPDX-License-Identifier: Apache-2.0
//! What is kept of an app that trapped, as bytes: frames with their slots, globals and linear memory.
//!
//! A dump begins with [`MAGIC`] and six words: both parts of the image's id, the trap's number, the function and the code
//! offset of the trap, and the bytes of linear memory. Records follow, each with a tag in its first byte. Numbers have their
//! low byte first. A dump that ends without [`END`] was cut.

use wisp_engine::{Store, Trap, View, Watched};

/// First bytes of a dump.
pub const MAGIC: [u8; 4] = *b"WCD1";
/// A frame, innermost first: function, code offset, bytes below, number of slots (4 each), and the slots (4 each).
pub const FRAME: u8 = b'F';
/// There were more frames, or more slots, than the dump has.
pub const FRAMES_CUT: u8 = b'f';
/// A global, in the order of the module: its type as WebAssembly encodes it (1) and its bits (8).
pub const GLOBAL: u8 = b'G';
/// There were more globals than the dump has.
pub const GLOBALS_CUT: u8 = b'g';
/// A piece of linear memory: address (4), length (4), bytes. What no piece has is zero.
pub const MEMORY: u8 = b'M';
/// Linear memory from this address (4) on is not in the dump.
pub const MEMORY_CUT: u8 = b'm';
/// The last record.
pub const END: u8 = b'E';

/// Bytes of the dump's first part.
pub const HEADER: usize = 28;
/// Zeros that end a piece of memory: fewer take less room than another piece.
const ZEROS: usize = 12;
/// Frames at most.
const FRAMES: usize = 64;
/// Slots of one frame at most.
const SLOTS: u32 = 256;
/// Bytes that are read of linear memory at a time.
const READ: usize = 64;

/// The bytes of a dump, as far as there is room.
struct Room<'b> {
    bytes: &'b mut [u8],
    used: usize,
}

impl Room<'_> {
    /// Adds bytes. Returns false, and adds nothing, if `spare` bytes would not be left behind them.
    fn add(&mut self, bytes: &[u8], spare: usize) -> bool {
        let end = self.used + bytes.len();
        if end + spare > self.bytes.len() {
            return false;
        }
        match self.bytes.get_mut(self.used..end) {
            Some(place) => place.copy_from_slice(bytes),
            None => return false,
        }
        self.used = end;
        true
    }

    fn set(&mut self, at: usize, word: u32) {
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&word.to_le_bytes());
        }
    }
}

/// Bytes that are left for [`FRAMES_CUT`], [`GLOBALS_CUT`], [`MEMORY_CUT`] and [`END`].
const REST: usize = 8;

/// Writes the dump of a store whose guest trapped. Returns its length in bytes: 0 if not even its beginning fits.
///
/// Frames come first, then globals, then linear memory up to where `bytes` are full.
pub fn write<T>(store: &Store<'_, T>, trap: Trap, bytes: &mut [u8]) -> usize {
    let Some(view) = store.post_mortem() else { return 0 };
    write_view(&view, trap, bytes)
}

#[inline(never)]
fn write_view(view: &View<'_>, trap: Trap, bytes: &mut [u8]) -> usize {
    if bytes.len() < HEADER + REST {
        return 0;
    }
    let mut room = Room { bytes, used: 0 };
    let id = view.image_id();
    let size = u32::try_from(view.memory_size()).unwrap_or(u32::MAX);
    room.add(&MAGIC, 0);
    for word in [id.wasm, id.code, trap.code as u32, trap.func, trap.offset, size] {
        room.add(&word.to_le_bytes(), 0);
    }
    let mut all = true;
    for (depth, frame) in view.frames().enumerate() {
        let added = if depth < FRAMES { add_frame(&mut room, view, &frame) } else { None };
        all &= added == Some(true);
        if added.is_none() {
            break;
        }
    }
    if !all {
        room.add(&[FRAMES_CUT], REST - 1);
    }
    if (0..view.global_count()).any(|index| !add_global(&mut room, view, index)) {
        room.add(&[GLOBALS_CUT], REST - 2);
    }
    let reached = add_memory(&mut room, view, size);
    if reached < size {
        room.add(&[MEMORY_CUT], 0);
        room.add(&reached.to_le_bytes(), 0);
    }
    room.add(&[END], 0);
    room.used
}

/// Adds a frame. Returns `None` if it does not fit, and false if it has more slots than a dump keeps.
fn add_frame(room: &mut Room<'_>, view: &View<'_>, frame: &Watched) -> Option<bool> {
    let (wanted, start) = (view.slots(frame), room.used);
    let slots = wanted.min(SLOTS);
    let spare = REST + 4 * slots as usize + 17;
    if !room.add(&[FRAME], spare) {
        return None;
    }
    for word in [frame.func, frame.offset, frame.below as u32, slots] {
        room.add(&word.to_le_bytes(), REST);
    }
    let mut count = 0;
    for slot in (0..slots).map_while(|index| view.slot(frame, index)) {
        room.add(&slot.to_le_bytes(), REST);
        count += 1;
    }
    room.set(start + 13, count);
    Some(slots == wanted)
}

/// Adds a global. Returns false if it does not fit.
fn add_global(room: &mut Room<'_>, view: &View<'_>, index: usize) -> bool {
    let Some((ty, value)) = view.global(index) else { return false };
    let mut record = [0; 10];
    record[0] = GLOBAL;
    record[1] = ty as u8;
    record[2..].copy_from_slice(&value.to_le_bytes());
    room.add(&record, REST)
}

/// Adds what is not zero of linear memory. Returns the address up to which all of it is there.
fn add_memory(room: &mut Room<'_>, view: &View<'_>, size: u32) -> u32 {
    let mut address = 0;
    // place of the length of the piece that is open, and its length with the zeros that wait
    let mut piece: Option<(usize, u32)> = None;
    let mut zeros = 0;
    let mut bytes = [0; READ];
    while address < size {
        let count = view.read(address, &mut bytes).min(READ);
        for &byte in bytes.get(..count).unwrap_or_default() {
            if byte == 0 {
                zeros += 1;
                address += 1;
                if zeros > ZEROS {
                    piece = None;
                }
                continue;
            }
            let open = match piece {
                Some((at, length)) => {
                    let pad = [0; ZEROS];
                    if !room.add(pad.get(..zeros).unwrap_or_default(), REST + 1) {
                        return address - zeros as u32;
                    }
                    (at, length + zeros as u32)
                }
                None => {
                    let mut head = [0; 9];
                    head[0] = MEMORY;
                    head[1..5].copy_from_slice(&address.to_le_bytes());
                    if !room.add(&head, REST + 1) {
                        return address;
                    }
                    (room.used - 4, 0)
                }
            };
            room.add(&[byte], REST);
            room.set(open.0, open.1 + 1);
            piece = Some((open.0, open.1 + 1));
            zeros = 0;
            address += 1;
        }
        if count == 0 {
            break;
        }
    }
    address
}

// SPDX-License-Identifier: Apache-2.0
//! Records of the journal: kinds, checksum, reading and writing one.

use crate::app::{half, word};
use crate::layout::{Layout, PAYLOAD_MAX, RECORD_HEADER, WRITE_MAX};
use crate::{Flash, StoreError};

/// Kinds. The numbers are on flash and never change. No kind is 0 or 255.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// First record of an area: magic, version, sequence number, sizes.
    Area = 1,
    /// State of an app.
    App = 2,
    /// An upload begins, or goes on in a snapshot.
    Upload = 3,
    /// A block is about to be erased.
    Erase = 4,
    /// Erase counts.
    Wear = 5,
    /// A retired key.
    Retired = 6,
    /// The upload is given up.
    Abort = 7,
    /// Attempts and crashes of an app.
    Counters = 8,
    /// The snapshot at the beginning of the area is complete.
    Complete = 9,
    /// Rollback counters of names that have no place.
    Floors = 10,
    /// Mark at the end of an area: it is complete, and was before this was written.
    Mark = 11,
    /// Mark at the end of an area: the other area is about to be erased.
    Leaving = 12,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        const ALL: [Kind; 12] = [
            Kind::Area,
            Kind::App,
            Kind::Upload,
            Kind::Erase,
            Kind::Wear,
            Kind::Retired,
            Kind::Abort,
            Kind::Counters,
            Kind::Complete,
            Kind::Floors,
            Kind::Mark,
            Kind::Leaving,
        ];
        ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

const POLYNOMIAL: u32 = 0xedb8_8320;

/// Shifts a CRC by one bit.
fn shift(crc: u32) -> u32 {
    (crc >> 1) ^ (POLYNOMIAL & (crc & 1).wrapping_neg())
}

/// Adds bytes to a CRC-32 (IEEE 802.3), a bit at a time: records are short.
pub fn crc32(state: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(state, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shift(crc)))
}

/// Finds the bit that changed among `bits` bits, by how the checksum changed: its number from the end, or
/// `None` if one bit does not explain it. A CRC-32 tells all single bits of less than 2^32 apart.
pub fn changed_bit(difference: u32, bits: u32) -> Option<u32> {
    let mut effect = POLYNOMIAL;
    for bit in 0..bits {
        if effect == difference {
            return Some(bit);
        }
        effect = shift(effect);
    }
    None
}

/// Computes the checksum of a record of an area with this number: one that is left of an earlier use of the
/// area does not pass.
fn checksum(generation: u32, header: [u8; 4], payload: &[u8]) -> u32 {
    let crc = crc32(u32::MAX, &generation.to_le_bytes());
    !crc32(crc32(crc, &header), payload)
}

/// The content of the journal at an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// A record.
    Record(Record),
    /// Erased bytes.
    Nothing,
    /// Something that is no record: a write that was cut off, or damage.
    Bad,
}

/// A record, whose payload is in the caller's buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    pub kind: Kind,
    /// Bytes of the payload.
    pub length: usize,
    /// Bytes that it takes on flash.
    pub size: u32,
    /// One bit of it had changed.
    pub corrected: bool,
}

/// Reads the record at `at` of an area with this number. `end` is that of the area's records. Puts one bit
/// right that changed anywhere in it.
pub fn read(
    flash: &mut impl Flash,
    layout: &Layout,
    generation: u32,
    at: u32,
    end: u32,
    payload: &mut [u8; PAYLOAD_MAX],
) -> Found {
    let mut header = [0; RECORD_HEADER];
    if end - at < RECORD_HEADER as u32 {
        return Found::Nothing;
    }
    if flash.read(at, &mut header).is_err() {
        return Found::Bad;
    }
    if header.iter().all(|byte| *byte == layout.geometry.erased) {
        return Found::Nothing;
    }
    let length = half(&header, 2).unwrap_or(u16::MAX);
    let stored = word(&header, 4).unwrap_or(0);
    // as it is, then with each bit of the length the other way
    for change in core::iter::once(0).chain((0..16).map(|bit| 1 << bit)) {
        let length = usize::from(length ^ change);
        let size = layout.record_size(length);
        if length > PAYLOAD_MAX || size > end - at {
            continue;
        }
        let [low, high] = (length as u16).to_le_bytes();
        let mut start = [header[0], header[1], low, high];
        let Some(bytes) = payload.get_mut(..length) else { continue };
        if flash.read(at + RECORD_HEADER as u32, bytes).is_err() {
            return Found::Bad;
        }
        let difference = checksum(generation, start, bytes) ^ stored;
        let whole = if change != 0 { difference == 0 } else { correct_bits(difference, &mut start, bytes) };
        if whole {
            let Some(kind) = Kind::from_byte(start[0]) else { return Found::Bad };
            let corrected = change != 0 || difference != 0;
            return Found::Record(Record { kind, length, size, corrected });
        }
    }
    Found::Bad
}

/// Puts the bit right that makes the checksum differ. Returns false if there is more than one.
fn correct_bits(difference: u32, start: &mut [u8; 4], payload: &mut [u8]) -> bool {
    // none, or one of the checksum itself
    if difference.count_ones() <= 1 {
        return true;
    }
    let bytes = start.len() + payload.len();
    let Some(bit) = changed_bit(difference, 8 * bytes as u32) else { return false };
    // the last bit of the last byte is number 0
    let index = bytes - 1 - (bit / 8) as usize;
    let mask = 0x80 >> (bit % 8);
    match start.get_mut(index).or(payload.get_mut(index.wrapping_sub(4))) {
        Some(byte) => *byte ^= mask,
        None => return false,
    }
    true
}

/// Writes a record in one piece, and returns the bytes it takes.
///
/// # Errors
/// [`StoreError::Flash`].
pub fn write(
    flash: &mut impl Flash,
    layout: &Layout,
    generation: u32,
    at: u32,
    kind: Kind,
    payload: &[u8],
) -> Result<u32, StoreError> {
    let mut bytes = [layout.geometry.erased; (RECORD_HEADER + PAYLOAD_MAX).next_multiple_of(WRITE_MAX)];
    let size = layout.record_size(payload.len());
    let [low, high] = (payload.len() as u16).to_le_bytes();
    let start = [kind as u8, 0, low, high];
    bytes[..4].copy_from_slice(&start);
    bytes[4..8].copy_from_slice(&checksum(generation, start, payload).to_le_bytes());
    bytes[RECORD_HEADER..RECORD_HEADER + payload.len()].copy_from_slice(payload);
    flash.write(at, &bytes[..size as usize])?;
    Ok(size)
}

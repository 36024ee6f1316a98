// SPDX-License-Identifier: Apache-2.0
//! Records of the journal: kinds, checksum, reading and writing one.

use crate::app::{half, word};
use crate::layout::{Layout, PAYLOAD_MAX, RECORD_HEADER, WRITE_MAX};
use crate::{Flash, StoreError};

/// Kinds. The numbers are on flash and never change; no kind is 0 or 255.
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
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        const ALL: [Kind; 9] = [
            Kind::Area,
            Kind::App,
            Kind::Upload,
            Kind::Erase,
            Kind::Wear,
            Kind::Retired,
            Kind::Abort,
            Kind::Counters,
            Kind::Complete,
        ];
        ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// CRC-32 (IEEE 802.3), a bit at a time: records are short.
fn crc32(state: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(state, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

fn checksum(kind: u8, payload: &[u8]) -> u32 {
    let length = (payload.len() as u16).to_le_bytes();
    let crc = crc32(u32::MAX, &[kind, 0, length[0], length[1]]);
    !crc32(crc, payload)
}

/// What lies at an address of the journal.
pub enum Found<'p> {
    /// A record: kind, payload, bytes it takes.
    Record(Kind, &'p [u8], u32),
    /// Erased bytes.
    Nothing,
    /// Something that is no record: a write that was cut off, or damage.
    Torn,
}

/// Reads the record at `at`; `end` is that of the area.
///
/// # Errors
/// [`StoreError::Flash`] for the first byte only: a driver that refuses to read what a cut-off write left
/// behind reports a torn record.
pub fn read<'p>(
    flash: &mut impl Flash,
    layout: &Layout,
    at: u32,
    end: u32,
    payload: &'p mut [u8; PAYLOAD_MAX],
) -> Found<'p> {
    let mut header = [0; RECORD_HEADER];
    if end - at < RECORD_HEADER as u32 {
        return Found::Nothing;
    }
    if flash.read(at, &mut header).is_err() {
        return Found::Torn;
    }
    if header.iter().all(|byte| *byte == layout.geometry.erased) {
        return Found::Nothing;
    }
    let length = usize::from(half(&header, 2).unwrap_or(u16::MAX));
    let (Some(kind), Some(payload)) = (Kind::from_byte(header[0]), payload.get_mut(..length)) else {
        return Found::Torn;
    };
    let size = layout.record_size(length);
    let fits = size <= end - at && header[1] == 0;
    if !fits || flash.read(at + RECORD_HEADER as u32, payload).is_err() {
        return Found::Torn;
    }
    if word(&header, 4) != Some(checksum(header[0], payload)) {
        return Found::Torn;
    }
    Found::Record(kind, payload, size)
}

/// Writes a record in one piece; the bytes it takes.
///
/// # Errors
/// [`StoreError::Flash`].
pub fn write(flash: &mut impl Flash, layout: &Layout, at: u32, kind: Kind, payload: &[u8]) -> Result<u32, StoreError> {
    let mut bytes = [layout.geometry.erased; (RECORD_HEADER + PAYLOAD_MAX).next_multiple_of(WRITE_MAX)];
    let size = layout.record_size(payload.len());
    bytes[0] = kind as u8;
    bytes[1] = 0;
    bytes[2..4].copy_from_slice(&(payload.len() as u16).to_le_bytes());
    bytes[4..8].copy_from_slice(&checksum(kind as u8, payload).to_le_bytes());
    bytes[RECORD_HEADER..RECORD_HEADER + payload.len()].copy_from_slice(payload);
    flash.write(at, &bytes[..size as usize])?;
    Ok(size)
}

// SPDX-License-Identifier: Apache-2.0
//! Where things lie in the partition: two journal areas that hold the same, then data blocks. All of it
//! follows from the partition's sizes.

use crate::{Geometry, StoreError};

/// Largest number of apps.
pub const MAX_APPS: usize = 8;
/// Largest number of retired keys.
pub const MAX_RETIRED: usize = 8;
/// Largest number of names without a place of which a rollback counter is remembered.
pub const MAX_FLOORS: usize = 16;
/// Longest name of an app, in bytes.
pub const NAME_MAX: usize = 31;
/// Largest write block that is supported.
pub const WRITE_MAX: usize = 64;

/// Bytes before a record's payload: kind, zero, length of the payload (`u16`), CRC-32.
pub const RECORD_HEADER: usize = 8;
/// Longest payload of a record.
pub const PAYLOAD_MAX: usize = record_size::APP + 8 * MAX_RETIRED;

/// Payload sizes.
pub mod record_size {
    /// An image in an app or upload record.
    pub const IMAGE: usize = 52;
    /// App, without ids of keys it retires.
    pub const APP: usize = 40 + 2 * IMAGE;
    /// Upload.
    pub const UPLOAD: usize = 40 + IMAGE;
    /// Counters of an app.
    pub const COUNTERS: usize = 4;
    /// Retired key.
    pub const RETIRED: usize = 8;
    /// Name and rollback counter of an app that has no place.
    pub const FLOOR: usize = 12;
    /// First block and number of blocks in a table of erase counts.
    pub const WEAR_HEADER: usize = 4;
    /// Largest number of erase counts in a record.
    pub const WEAR_COUNTS: usize = 32;
    /// Header of an area.
    pub const AREA: usize = 24;
}

/// Bytes of the journal that are left for records after the largest snapshot.
const LOG_MIN: u32 = 512;
/// Places at the end of an area for marks.
pub const MARKS: u32 = 6;

/// The partition, divided.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Its sizes.
    pub geometry: Geometry,
    /// Blocks of one journal area.
    pub area_blocks: u32,
    /// First data block.
    pub first_data: u32,
    /// Blocks of the partition.
    pub blocks: u32,
}

impl Layout {
    /// Divides a partition.
    ///
    /// # Errors
    /// [`StoreError::Geometry`].
    pub fn new(geometry: Geometry) -> Result<Self, StoreError> {
        let Geometry { size, erase_block, write_block, .. } = geometry;
        let fits = write_block.is_power_of_two()
            && write_block as usize <= WRITE_MAX
            && erase_block != 0
            && erase_block % write_block == 0
            && size % erase_block == 0;
        if !fits || size / erase_block > u32::from(u16::MAX) {
            return Err(StoreError::Geometry);
        }
        let blocks = size / erase_block;
        let mut layout = Self { geometry, area_blocks: 0, first_data: 0, blocks };
        layout.area_blocks = (layout.snapshot_max() + LOG_MIN + layout.marks_size()).div_ceil(erase_block);
        layout.first_data = 2 * layout.area_blocks;
        if blocks < layout.first_data + 2 {
            return Err(StoreError::Geometry);
        }
        Ok(layout)
    }

    /// Returns the bytes that a record with such a payload takes.
    pub fn record_size(&self, payload: usize) -> u32 {
        ((RECORD_HEADER + payload) as u32).next_multiple_of(self.geometry.write_block)
    }

    /// Returns the number of bytes of the largest snapshot.
    fn snapshot_max(&self) -> u32 {
        use record_size as size;
        let wear_records = self.blocks.div_ceil(size::WEAR_COUNTS as u32);
        self.record_size(size::AREA)
            + MAX_APPS as u32 * (self.record_size(size::APP) + self.record_size(size::COUNTERS))
            + wear_records * self.record_size(size::WEAR_HEADER + 4 * size::WEAR_COUNTS)
            + MAX_RETIRED as u32 * self.record_size(size::RETIRED)
            + self.record_size(MAX_FLOORS * size::FLOOR)
            + self.record_size(size::UPLOAD)
            + self.record_size(0)
    }

    /// Returns the address of a journal area.
    pub fn area_start(&self, area: u8) -> u32 {
        u32::from(area) * self.area_size()
    }

    /// Returns the number of bytes of the places for marks.
    fn marks_size(&self) -> u32 {
        MARKS * self.record_size(0)
    }

    /// Returns the number of bytes of a journal area that are for records. The marks follow.
    pub fn log_end(&self) -> u32 {
        self.area_size() - self.marks_size()
    }

    /// Returns the size of the journal of an app storage that never held an app: header, erase counts, end mark.
    pub fn empty_end(&self) -> u32 {
        use record_size as size;
        let full = self.blocks / size::WEAR_COUNTS as u32;
        let rest = self.blocks as usize % size::WEAR_COUNTS;
        let last = if rest == 0 { 0 } else { self.record_size(size::WEAR_HEADER + 4 * rest) };
        self.record_size(size::AREA)
            + full * self.record_size(size::WEAR_HEADER + 4 * size::WEAR_COUNTS)
            + last
            + self.record_size(0)
    }

    /// Returns the number of bytes of a journal area.
    pub fn area_size(&self) -> u32 {
        self.area_blocks * self.geometry.erase_block
    }

    /// Returns the blocks that so many bytes take.
    pub fn blocks_for(&self, bytes: u32) -> u32 {
        bytes.div_ceil(self.geometry.erase_block)
    }
}

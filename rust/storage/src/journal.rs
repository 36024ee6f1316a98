// SPDX-License-Identifier: Apache-2.0
//! The journal: two areas that hold the same records at the same places. A record is written to the first
//! area, then to the second: what one copy lost, the other has, and one bit that changed in a record is put
//! right by its checksum.
//!
//! A full journal, and one that was not left or not found as it should be, is written anew: a snapshot of the
//! state goes to one area while the other stays as it is. A mark at the end says that the new area is
//! complete, and only then is the other area erased and made its copy.

use crate::app::{half, word, AppRecord, UploadRecord};
use crate::layout::{record_size, MARKS, MAX_APPS, MAX_FLOORS, PAYLOAD_MAX, WRITE_MAX};
use crate::record::{self, Found, Kind};
use crate::store::{Incoming, Place, Store};
use crate::{Flash, Slot, StoreError};

const MAGIC: [u8; 4] = *b"WSTO";
/// Of the layout on flash.
pub(crate) const VERSION: u32 = 2;

/// The header found at the beginning of an area.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Header {
    /// Nothing that can be read.
    None,
    /// The header of another version.
    Version(u32),
    /// The header of a partition with other sizes.
    Sizes,
    /// A header for this partition, with its number.
    Good(u32),
}

/// The condition of a copy of the journal, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Quality {
    /// All records are as they were written.
    Whole,
    /// A record had to be put right.
    Corrected,
    /// The last record is missing.
    Short,
    /// Another record is missing, or the area may have been cut off when it was written or erased.
    Holes,
}

impl<F: Flash> Store<'_, F> {
    fn start(&self, area: usize) -> u32 {
        self.layout.area_start(area as u8)
    }

    /// Reads what lies at an offset of one area.
    pub(crate) fn copy(&mut self, area: usize, at: u32, payload: &mut [u8; PAYLOAD_MAX]) -> Found {
        let start = self.start(area);
        // the header tells the number of the others
        let generation = if at == 0 { 0 } else { self.generation };
        let end = start + self.layout.log_end();
        record::read(&mut self.flash, &self.layout, generation, start + at, end, payload)
    }

    /// Reads the record at an offset from the copy that has it.
    pub(crate) fn read_record<'p>(&mut self, at: u32, payload: &'p mut [u8; PAYLOAD_MAX]) -> Option<(Kind, &'p [u8])> {
        for area in 0..2 {
            if self.live[area] {
                if let Found::Record(record) = self.copy(area, at, payload) {
                    return Some((record.kind, payload.get(..record.length)?));
                }
            }
        }
        None
    }

    /// Reads an area's header.
    pub(crate) fn area_header(&mut self, area: usize) -> Header {
        let mut payload = [0; PAYLOAD_MAX];
        let Found::Record(found) = self.copy(area, 0, &mut payload) else {
            return self.old_header(area);
        };
        let own = self.header(0);
        if found.kind != Kind::Area || payload.get(..4) != own.get(..4) {
            return Header::None;
        }
        match word(&payload, 4) {
            Some(VERSION) if payload.get(..20) == own.get(..20) => Header::Good(word(&payload, 20).unwrap_or(0)),
            Some(VERSION) => Header::Sizes,
            version => Header::Version(version.unwrap_or(0)),
        }
    }

    /// Finds the header of an older version, whose checksums differ.
    fn old_header(&mut self, area: usize) -> Header {
        // kind, zero, length, CRC-32, magic, version
        let mut bytes = [0; 16];
        match self.flash.read(self.start(area), &mut bytes) {
            Ok(()) if bytes[0] == Kind::Area as u8 && bytes[8..12] == MAGIC => {
                word(&bytes, 12).filter(|version| *version < VERSION).map_or(Header::None, Header::Version)
            }
            _ => Header::None,
        }
    }

    fn header(&self, generation: u32) -> [u8; record_size::AREA] {
        let geometry = self.layout.geometry;
        let mut payload = [0; record_size::AREA];
        payload[..4].copy_from_slice(&MAGIC);
        let words = [VERSION, geometry.size, geometry.erase_block, geometry.write_block, generation];
        for (place, word) in payload[4..].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        payload
    }

    pub(crate) fn reset(&mut self) {
        self.places = [Place::default(); MAX_APPS];
        self.incoming = None;
        self.retired_count = 0;
        self.floor_count = 0;
        self.wear.fill(0);
        self.torn = false;
        self.repaired = false;
    }

    /// Takes the state from the areas with this number. Returns false if a record is missing that was followed by
    /// others, or the snapshot is not complete.
    ///
    /// # Errors
    /// [`StoreError::Flash`].
    pub(crate) fn replay(&mut self, generation: u32, live: [bool; 2]) -> Result<bool, StoreError> {
        self.reset();
        self.generation = generation;
        self.live = live;
        self.quality = live.map(|live| if live { Quality::Whole } else { Quality::Holes });
        self.torn = live != [true, true];
        if live == [true, true] {
            for area in 0..2 {
                // its snapshot may have been cut off, or its erasing
                let left = self.is_marked(1 - area, generation, Kind::Leaving);
                if left || !self.is_marked(area, generation, Kind::Mark) {
                    self.torn = true;
                    self.quality[area] = Quality::Holes;
                }
            }
        }
        self.tail = 0;
        let mut complete = false;
        let mut payloads = [[0; PAYLOAD_MAX]; 2];
        loop {
            let [first, second] = &mut payloads;
            let found = [
                if live[0] { self.copy(0, self.tail, first) } else { Found::Nothing },
                if live[1] { self.copy(1, self.tail, second) } else { Found::Nothing },
            ];
            let records = found.map(|found| match found {
                Found::Record(record) => Some(record),
                _ => None,
            });
            let Some(source) = (0..2)
                .find(|area| records[*area].is_some_and(|record| !record.corrected))
                .or((0..2).find(|area| records[*area].is_some()))
            else {
                self.torn |= found.contains(&Found::Bad);
                break;
            };
            let Some(record) = records[source] else { break };
            let payload = payloads[source];
            let payload = payload.get(..record.length).unwrap_or_default();
            for area in (0..2).filter(|area| live[*area]) {
                let same = records[area].is_some_and(|other| {
                    (other.kind, other.length) == (record.kind, record.length)
                        && payloads[area].get(..other.length) == Some(payload)
                });
                let quality = &mut self.quality[area];
                if same && *quality == Quality::Short {
                    // more follows what this copy lacks: no cut does that
                    *quality = Quality::Holes;
                    self.repaired = true;
                } else if same && records[area].is_some_and(|other| other.corrected) {
                    *quality = (*quality).max(Quality::Corrected);
                    self.repaired = true;
                } else if !same {
                    *quality = if *quality < Quality::Short { Quality::Short } else { Quality::Holes };
                }
                self.torn |= *quality != Quality::Whole;
            }
            complete |= record.kind == Kind::Complete;
            self.apply(record.kind, payload, self.tail);
            self.tail += record.size;
        }
        for area in (0..2).filter(|area| live[*area]) {
            if !self.is_erased(area, self.tail) {
                self.torn = true;
                if self.has_record_after(area, self.tail) {
                    return Ok(false);
                }
            }
        }
        Ok(complete)
    }

    /// Returns true if a record that is as it was written lies behind an offset.
    fn has_record_after(&mut self, area: usize, at: u32) -> bool {
        let mut payload = [0; PAYLOAD_MAX];
        let step = self.layout.geometry.write_block;
        (at / step + 1..self.layout.log_end() / step).any(
            |block| matches!(self.copy(area, block * step, &mut payload), Found::Record(record) if !record.corrected),
        )
    }

    /// Returns true if an area is erased from an offset on, up to its marks.
    fn is_erased(&mut self, area: usize, at: u32) -> bool {
        let start = self.start(area);
        self.is_all(start + at, start + self.layout.log_end(), self.layout.geometry.erased)
    }

    /// Returns true if all bytes of a range have this value.
    pub(crate) fn is_all(&mut self, mut at: u32, end: u32, value: u8) -> bool {
        let mut buffer = [0; WRITE_MAX];
        while at < end {
            let piece = buffer.len().min((end - at) as usize);
            let bytes = &mut buffer[..piece];
            if self.flash.read(at, bytes).is_err() || bytes.iter().any(|byte| *byte != value) {
                return false;
            }
            at += piece as u32;
        }
        true
    }

    /// Applies what a record at this offset means to the state in RAM.
    pub(crate) fn apply(&mut self, kind: Kind, payload: &[u8], at: u32) {
        match kind {
            Kind::App => {
                let Some(record) = AppRecord::read(payload) else { return };
                if let Some(place) = self.places.get_mut(usize::from(record.slot)) {
                    *place = Place { at, attempts: record.attempts, crashes: 0 };
                }
                self.forget_floor(record.app.name.as_str(), record.app.floor);
                if record.closes_upload {
                    self.incoming = None;
                }
                for id in record.retires.chunks_exact(8) {
                    self.apply(Kind::Retired, id, at);
                }
            }
            Kind::Upload => {
                let Some(record) = UploadRecord::read(payload) else { return };
                let erase_block = self.layout.geometry.erase_block;
                self.incoming = Some(Incoming {
                    at,
                    first: record.image.first,
                    blocks: record.image.blocks,
                    length: record.image.length,
                    received: u32::from(record.begun.saturating_sub(1)) * erase_block,
                    buffer: [0; WRITE_MAX],
                });
            }
            Kind::Erase => {
                let Some(block) = half(payload, 0) else { return };
                if let Some(count) = self.wear.get_mut(usize::from(block)) {
                    *count = count.saturating_add(1);
                }
                if let Some(incoming) = &mut self.incoming {
                    if let Some(index) = block.checked_sub(incoming.first).filter(|index| *index < incoming.blocks) {
                        incoming.received = u32::from(index) * self.layout.geometry.erase_block;
                    }
                }
            }
            Kind::Wear => {
                let first = usize::from(half(payload, 0).unwrap_or(u16::MAX));
                let counts = payload.get(record_size::WEAR_HEADER..).unwrap_or_default().chunks_exact(4);
                for (place, count) in self.wear.get_mut(first..).unwrap_or_default().iter_mut().zip(counts) {
                    *place = word(count, 0).unwrap_or(0);
                }
            }
            Kind::Retired => {
                let Ok(id) = payload.try_into() else { return };
                if !self.retired().contains(&id) {
                    if let Some(place) = self.retired.get_mut(usize::from(self.retired_count)) {
                        *place = id;
                        self.retired_count += 1;
                    }
                }
            }
            Kind::Floors => {
                for entry in payload.chunks_exact(record_size::FLOOR) {
                    if let (Some(id), Some(floor)) = (entry.first_chunk(), word(entry, 8)) {
                        self.remember_floor(*id, floor);
                    }
                }
            }
            Kind::Abort => self.incoming = None,
            Kind::Counters => {
                if let (Some(slot), Some(attempts), Some(crashes)) = (payload.first(), payload.get(1), half(payload, 2))
                {
                    if let Some(place) = self.places.get_mut(usize::from(*slot)) {
                        place.attempts = *attempts;
                        place.crashes = crashes;
                    }
                }
            }
            Kind::Area | Kind::Complete | Kind::Mark | Kind::Leaving => {}
        }
    }

    /// Appends a record to both copies, which is when the operation takes place, and applies it.
    ///
    /// The first record after the app storage was opened goes to a journal that is written anew. A write that was cut
    /// off may have left bits after the last record that read as erased, but are not.
    pub(crate) fn append(&mut self, kind: Kind, payload: &[u8]) -> Result<(), StoreError> {
        let size = self.layout.record_size(payload.len());
        let fits = |store: &Self| !store.torn && !store.fresh && store.tail + size <= store.layout.log_end();
        if !fits(self) {
            self.rotate()?;
            if !fits(self) {
                return Err(StoreError::JournalFull);
            }
        }
        let at = self.tail;
        for area in 0..2 {
            let address = self.start(area) + at;
            if let Err(error) = record::write(&mut self.flash, &self.layout, self.generation, address, kind, payload) {
                // nobody knows what was written
                self.torn = true;
                return Err(error);
            }
        }
        self.tail = at + size;
        // an upload's bytes in RAM are ahead of what its record says
        if kind != Kind::Erase {
            self.apply(kind, payload, at);
        } else if let Some(count) = half(payload, 0).and_then(|block| self.wear.get_mut(usize::from(block))) {
            *count = count.saturating_add(1);
        }
        Ok(())
    }

    /// Writes the journal anew: a snapshot to one area, a mark, then the same to the other one.
    ///
    /// Without a reason to begin with the first area, the second comes first. A record is written there last, so
    /// that the first area has for certain what a cut left doubtful in the second.
    ///
    /// # Errors
    /// [`StoreError::Flash`].
    pub(crate) fn rotate(&mut self) -> Result<(), StoreError> {
        let lacks = self.quality[0] >= Quality::Short && self.quality[0] > self.quality[1];
        let first = if lacks { 0 } else { 1 };
        let second = 1 - first;
        let generation = self.newest.wrapping_add(1);
        if self.live[second] {
            self.mark(second, Kind::Leaving)?;
        }
        self.live[first] = false;
        self.quality[first] = Quality::Holes;
        self.torn = true;
        for area in 0..2 {
            let block = self.start(area) / self.layout.geometry.erase_block;
            for count in self.wear.iter_mut().skip(block as usize).take(self.layout.area_blocks as usize) {
                *count = count.saturating_add(1);
            }
        }
        self.erase(first)?;
        self.newest = generation;
        let (tail, places, incoming) = self.write_snapshot(first, generation)?;
        self.generation = generation;
        self.mark(first, Kind::Mark)?;
        self.tail = tail;
        self.places = places;
        self.incoming = incoming;
        self.live = [first == 0, first == 1];
        self.quality = self.live.map(|live| if live { Quality::Whole } else { Quality::Holes });

        self.erase(second)?;
        let mut at = 0;
        let mut payload = [0; PAYLOAD_MAX];
        while at < tail {
            let Found::Record(record) = self.copy(first, at, &mut payload) else { return Err(StoreError::Flash) };
            let seed = if at == 0 { 0 } else { generation };
            let payload = payload.get(..record.length).unwrap_or_default();
            let address = self.start(second) + at;
            at += record::write(&mut self.flash, &self.layout, seed, address, record.kind, payload)?;
        }
        self.mark(second, Kind::Mark)?;
        self.live = [true, true];
        self.quality = [Quality::Whole; 2];
        self.torn = false;
        self.fresh = false;
        Ok(())
    }

    fn erase(&mut self, area: usize) -> Result<(), StoreError> {
        for index in 0..self.layout.area_blocks {
            self.flash.erase_block(self.start(area) + index * self.layout.geometry.erase_block)?;
        }
        Ok(())
    }

    /// Writes the state to an erased area: the end of the snapshot, and where apps and upload lie in it.
    fn write_snapshot(
        &mut self,
        area: usize,
        generation: u32,
    ) -> Result<(u32, [Place; MAX_APPS], Option<Incoming>), StoreError> {
        let start = self.start(area);
        let header = self.header(generation);
        let layout = self.layout;
        let mut tail = 0;
        let mut put = |flash: &mut F, kind, payload: &[u8]| -> Result<u32, StoreError> {
            let at = tail;
            let seed = if at == 0 { 0 } else { generation };
            tail += record::write(flash, &layout, seed, start + at, kind, payload)?;
            Ok(at)
        };
        put(&mut self.flash, Kind::Area, &header)?;

        for first in (0..self.wear.len()).step_by(record_size::WEAR_COUNTS) {
            let mut payload = [0; record_size::WEAR_HEADER + 4 * record_size::WEAR_COUNTS];
            let counts = self.wear.get(first..).unwrap_or_default();
            let counts = counts.get(..record_size::WEAR_COUNTS).unwrap_or(counts);
            payload[..2].copy_from_slice(&(first as u16).to_le_bytes());
            payload[2..4].copy_from_slice(&(counts.len() as u16).to_le_bytes());
            for (place, count) in payload[record_size::WEAR_HEADER..].chunks_exact_mut(4).zip(counts) {
                place.copy_from_slice(&count.to_le_bytes());
            }
            let used = record_size::WEAR_HEADER + 4 * counts.len();
            put(&mut self.flash, Kind::Wear, &payload[..used])?;
        }
        for id in self.retired.get(..usize::from(self.retired_count)).unwrap_or_default() {
            put(&mut self.flash, Kind::Retired, id)?;
        }
        if self.floor_count != 0 {
            let mut payload = [0; MAX_FLOORS * record_size::FLOOR];
            let count = usize::from(self.floor_count);
            for (place, floor) in payload.chunks_exact_mut(record_size::FLOOR).zip(&self.floors[..count]) {
                place[..8].copy_from_slice(&floor.id);
                place[8..].copy_from_slice(&floor.floor.to_le_bytes());
            }
            put(&mut self.flash, Kind::Floors, &payload[..count * record_size::FLOOR])?;
        }

        let mut buffer = [0; PAYLOAD_MAX];
        let mut places = self.places;
        for (slot, place) in places.iter_mut().enumerate().filter(|(_, place)| place.at != 0) {
            let Some((Kind::App, payload)) = self.read_record(place.at, &mut buffer) else {
                return Err(StoreError::Damaged);
            };
            let record = AppRecord::read(payload).ok_or(StoreError::Damaged)?;
            let record = AppRecord { closes_upload: false, attempts: place.attempts, retires: &[], ..record };
            let mut out = [0; PAYLOAD_MAX];
            place.at = put(&mut self.flash, Kind::App, record.write(&mut out))?;
            if place.crashes != 0 {
                let payload = counters(Slot(slot as u8), place.attempts, place.crashes);
                put(&mut self.flash, Kind::Counters, &payload)?;
            }
        }

        let mut incoming = self.incoming;
        if let Some(upload) = &mut incoming {
            let Some((Kind::Upload, payload)) = self.read_record(upload.at, &mut buffer) else {
                return Err(StoreError::Damaged);
            };
            let mut record = UploadRecord::read(payload).ok_or(StoreError::Damaged)?;
            record.begun = upload.received.div_ceil(self.layout.geometry.erase_block) as u16;
            upload.at = put(&mut self.flash, Kind::Upload, &record.write())?;
        }
        put(&mut self.flash, Kind::Complete, &[])?;
        Ok((tail, places, incoming))
    }

    /// Writes a mark to the first place in an area that is free for one. Without a place nothing is done: power was
    /// cut that often at this point that the marks there are have to do.
    ///
    /// # Errors
    /// [`StoreError::Flash`].
    pub(crate) fn mark(&mut self, area: usize, kind: Kind) -> Result<(), StoreError> {
        let size = self.layout.record_size(0);
        for index in 0..MARKS {
            let at = self.start(area) + self.layout.log_end() + index * size;
            if self.is_all(at, at + size, self.layout.geometry.erased) {
                record::write(&mut self.flash, &self.layout, self.generation, at, kind, &[])?;
                break;
            }
        }
        Ok(())
    }

    /// Returns true if an area with this number has such a mark.
    pub(crate) fn is_marked(&mut self, area: usize, generation: u32, kind: Kind) -> bool {
        let size = self.layout.record_size(0);
        let end = self.start(area) + self.layout.area_size();
        let mut payload = [0; PAYLOAD_MAX];
        (0..MARKS).any(|index| {
            let at = self.start(area) + self.layout.log_end() + index * size;
            let found = record::read(&mut self.flash, &self.layout, generation, at, end, &mut payload);
            matches!(found, Found::Record(record) if record.kind == kind)
        })
    }
}

/// Returns the payload of a counters record.
pub(crate) fn counters(slot: Slot, attempts: u8, crashes: u16) -> [u8; record_size::COUNTERS] {
    let crashes = crashes.to_le_bytes();
    [slot.0, attempts, crashes[0], crashes[1]]
}

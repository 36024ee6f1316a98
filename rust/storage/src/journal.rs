// SPDX-License-Identifier: Apache-2.0
//! The journal: two areas, of which one is in use. A full or torn one is left for the other, which
//! begins with a snapshot of the state and becomes valid with the record that completes it. Until then
//! the old area is untouched.

use crate::app::{half, word, AppRecord, UploadRecord};
use crate::layout::{record_size, MAX_APPS, PAYLOAD_MAX, WRITE_MAX};
use crate::record::{self, Found, Kind};
use crate::store::{Incoming, Place, Store};
use crate::{Flash, Slot, StoreError};

const MAGIC: [u8; 4] = *b"WSTO";
const VERSION: u32 = 1;

impl<F: Flash> Store<'_, F> {
    /// The sequence number of an area whose header is whole and describes this partition.
    pub(crate) fn area_sequence(&mut self, area: u8) -> Option<u32> {
        let mut payload = [0; PAYLOAD_MAX];
        let header = self.header(0);
        match self.read_record(self.layout.area_start(area), &mut payload)? {
            (Kind::Area, found) if found.get(..20) == header.get(..20) => word(found, 20),
            _ => None,
        }
    }

    fn header(&self, sequence: u32) -> [u8; record_size::AREA] {
        let geometry = self.layout.geometry;
        let mut payload = [0; record_size::AREA];
        payload[..4].copy_from_slice(&MAGIC);
        let words = [VERSION, geometry.size, geometry.erase_block, geometry.write_block, sequence];
        for (place, word) in payload[4..].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        payload
    }

    pub(crate) fn reset(&mut self) {
        self.places = [Place::default(); MAX_APPS];
        self.incoming = None;
        self.retired_count = 0;
        self.wear.fill(0);
        self.torn = false;
    }

    /// Takes the state from an area; false if its snapshot is not complete.
    pub(crate) fn replay(&mut self, area: u8, sequence: u32) -> bool {
        self.reset();
        self.area = area;
        self.sequence = sequence;
        let start = self.layout.area_start(area);
        let end = start + self.layout.area_size();
        let mut complete = false;
        let mut payload = [0; PAYLOAD_MAX];
        self.tail = start;
        loop {
            match record::read(&mut self.flash, &self.layout, self.tail, end, &mut payload) {
                Found::Record(kind, payload, size) => {
                    complete |= kind == Kind::Complete;
                    self.apply(kind, payload, self.tail);
                    self.tail += size;
                }
                Found::Nothing => break,
                Found::Torn => {
                    self.torn = true;
                    break;
                }
            }
        }
        self.torn |= !self.is_erased(self.tail, end);
        complete
    }

    fn is_erased(&mut self, mut at: u32, end: u32) -> bool {
        let mut buffer = [0; WRITE_MAX];
        while at < end {
            let piece = buffer.len().min((end - at) as usize);
            let bytes = &mut buffer[..piece];
            let erased = self.layout.geometry.erased;
            if self.flash.read(at, bytes).is_err() || bytes.iter().any(|byte| *byte != erased) {
                return false;
            }
            at += piece as u32;
        }
        true
    }

    /// What a record at this address means for the state in RAM.
    fn apply(&mut self, kind: Kind, payload: &[u8], at: u32) {
        match kind {
            Kind::App => {
                let Some(record) = AppRecord::read(payload) else { return };
                if let Some(place) = self.places.get_mut(usize::from(record.slot)) {
                    *place = Place { at, attempts: record.attempts, crashes: 0 };
                }
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
                    *count += 1;
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
            Kind::Area | Kind::Complete => {}
        }
    }

    /// Appends a record, which is when the operation takes place, and applies it.
    pub(crate) fn append(&mut self, kind: Kind, payload: &[u8]) -> Result<(), StoreError> {
        let size = self.layout.record_size(payload.len());
        let fits = |store: &Self| {
            !store.torn && store.tail + size <= store.layout.area_start(store.area) + store.layout.area_size()
        };
        if !fits(self) {
            self.rotate()?;
            if !fits(self) {
                return Err(StoreError::JournalFull);
            }
        }
        let at = self.tail;
        match record::write(&mut self.flash, &self.layout, at, kind, payload) {
            Ok(size) => self.tail = at + size,
            Err(error) => {
                // nobody knows what was written
                self.torn = true;
                return Err(error);
            }
        }
        // an upload's bytes in RAM are ahead of what its record says
        if kind != Kind::Erase {
            self.apply(kind, payload, at);
        } else if let Some(count) = half(payload, 0).and_then(|block| self.wear.get_mut(usize::from(block))) {
            *count += 1;
        }
        Ok(())
    }

    /// Moves to the other area: erases it, writes a snapshot, completes it.
    pub(crate) fn rotate(&mut self) -> Result<(), StoreError> {
        let area = 1 - self.area;
        let start = self.layout.area_start(area);
        let erase_block = self.layout.geometry.erase_block;
        for index in 0..self.layout.area_blocks {
            if let Some(count) = self.wear.get_mut((start / erase_block + index) as usize) {
                *count += 1;
            }
            self.flash.erase_block(start + index * erase_block)?;
        }

        let sequence = self.sequence.wrapping_add(1);
        let header = self.header(sequence);
        let mut tail = start;
        let mut put = |flash: &mut F, kind, payload: &[u8]| -> Result<u32, StoreError> {
            let at = tail;
            tail += record::write(flash, &self.layout, at, kind, payload)?;
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

        let mut buffer = [0; PAYLOAD_MAX];
        let old_end = self.layout.area_start(self.area) + self.layout.area_size();
        let mut places = self.places;
        for (slot, place) in places.iter_mut().enumerate().filter(|(_, place)| place.at != 0) {
            let found = record::read(&mut self.flash, &self.layout, place.at, old_end, &mut buffer);
            let Found::Record(Kind::App, payload, _) = found else {
                return Err(StoreError::Flash);
            };
            let record = AppRecord::read(payload).ok_or(StoreError::Flash)?;
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
            let found = record::read(&mut self.flash, &self.layout, upload.at, old_end, &mut buffer);
            let Found::Record(Kind::Upload, payload, _) = found else {
                return Err(StoreError::Flash);
            };
            let mut record = UploadRecord::read(payload).ok_or(StoreError::Flash)?;
            record.begun = upload.received.div_ceil(erase_block) as u16;
            upload.at = put(&mut self.flash, Kind::Upload, &record.write())?;
        }
        put(&mut self.flash, Kind::Complete, &[])?;

        self.area = area;
        self.sequence = sequence;
        self.tail = tail;
        self.torn = false;
        self.places = places;
        self.incoming = incoming;
        Ok(())
    }
}

/// Payload of a counters record.
pub(crate) fn counters(slot: Slot, attempts: u8, crashes: u16) -> [u8; record_size::COUNTERS] {
    let crashes = crashes.to_le_bytes();
    [slot.0, attempts, crashes[0], crashes[1]]
}

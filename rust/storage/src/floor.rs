// SPDX-License-Identifier: Apache-2.0
//! Rollback counters of names that were uninstalled and whose place another app took.

use wisp_trust::sha256;

use crate::app::{AppRecord, Slot};
use crate::layout::{record_size, MAX_APPS, MAX_FLOORS, PAYLOAD_MAX};
use crate::record::{Found, Kind};
use crate::store::{Floor, Store};
use crate::{Flash, StoreError};

fn id(name: &str) -> [u8; 8] {
    sha256(name.as_bytes()).first_chunk().copied().unwrap_or_default()
}

impl<F: Flash> Store<'_, F> {
    /// Returns the rollback counter that is remembered of a name without a place, 0 if there is none.
    pub(crate) fn remembered_floor(&self, name: &str) -> u32 {
        if self.floor_count == 0 {
            return 0;
        }
        let id = id(name);
        self.floors().iter().find(|floor| floor.id == id).map_or(0, |floor| floor.floor)
    }

    fn floors(&self) -> &[Floor] {
        self.floors.get(..usize::from(self.floor_count)).unwrap_or_default()
    }

    /// Keeps a rollback counter in RAM. A record says the same.
    pub(crate) fn remember_floor(&mut self, id: [u8; 8], floor: u32) {
        let count = usize::from(self.floor_count);
        let known = self.floors().iter().position(|known| known.id == id);
        let Some(place) = self.floors.get_mut(known.unwrap_or(count)) else { return };
        if known.is_none() {
            *place = Floor { id, floor: 0 };
            self.floor_count += 1;
        }
        place.floor = place.floor.max(floor);
    }

    /// Forgets the counter of a name whose place has one that is not lower.
    pub(crate) fn forget_floor(&mut self, name: &str, floor: u32) {
        if self.floor_count == 0 {
            return;
        }
        let id = id(name);
        let Some(at) = self.floors().iter().position(|known| known.id == id && known.floor <= floor) else { return };
        self.floor_count -= 1;
        self.floors.swap(at, usize::from(self.floor_count));
    }

    /// Finds a place for a new app: a free one, else that of an app that was uninstalled. The rollback counter of the
    /// latter is put into a record of its own if `take`.
    ///
    /// # Errors
    /// [`StoreError::NoSlot`], [`StoreError::FloorsFull`], and with `take` [`StoreError::Flash`] and
    /// [`StoreError::JournalFull`].
    pub(crate) fn free_place(&mut self, take: bool) -> Result<Slot, StoreError> {
        if let Some(free) = self.places.iter().position(|place| place.at == 0) {
            return Ok(Slot(free as u8));
        }
        let mut found = None;
        for slot in self.slots() {
            let app = self.app(slot)?;
            if !app.is_installed() && found.is_none_or(|(_, kept)| kept != 0) {
                found = Some((slot, app.floor));
            }
        }
        let (slot, floor) = found.ok_or(StoreError::NoSlot)?;
        if floor == 0 {
            return Ok(slot);
        }
        let id = id(self.app(slot)?.name.as_str());
        if self.floors().len() == MAX_FLOORS && !self.floors().iter().any(|known| known.id == id) {
            return Err(StoreError::FloorsFull);
        }
        if take {
            let mut payload = [0; record_size::FLOOR];
            payload[..8].copy_from_slice(&id);
            payload[8..].copy_from_slice(&floor.to_le_bytes());
            self.append(Kind::Floors, &payload)?;
        }
        Ok(slot)
    }

    /// Gathers retired keys and rollback counters from whatever can be read of the journal.
    pub(crate) fn salvage(&mut self) {
        let step = self.layout.geometry.write_block;
        let mut payload = [0; PAYLOAD_MAX];
        let mut floors: [Floor; MAX_APPS] = [Floor::default(); MAX_APPS];
        for area in 0..2 {
            let crate::journal::Header::Good(number) = self.area_header(area) else { continue };
            self.generation = number;
            let mut at = 0;
            while at < self.layout.log_end() {
                let Found::Record(record) = self.copy(area, at, &mut payload) else {
                    at += step;
                    continue;
                };
                at += record.size;
                let bytes = payload.get(..record.length).unwrap_or_default();
                match record.kind {
                    Kind::App => {
                        let Some(app) = AppRecord::read(bytes) else { continue };
                        for key in app.retires.chunks_exact(8) {
                            self.apply(Kind::Retired, key, 0);
                        }
                        // the last record of a place counts; another name before it has a record of its own
                        if let Some(place) = floors.get_mut(usize::from(app.slot)) {
                            *place = Floor { id: id(app.app.name.as_str()), floor: app.app.floor };
                        }
                    }
                    Kind::Retired | Kind::Floors => self.apply(record.kind, bytes, 0),
                    _ => {}
                }
            }
            for floor in floors.iter().filter(|floor| floor.floor != 0) {
                self.remember_floor(floor.id, floor.floor);
            }
        }
        self.live = [false; 2];
    }
}

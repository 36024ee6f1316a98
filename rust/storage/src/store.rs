// SPDX-License-Identifier: Apache-2.0
//! The app storage's state in RAM, mounting, and looking things up.

use wisp_trust::KeyId;

use crate::app::{App, AppRecord, ImageRef, Slot, UploadRecord};
use crate::journal::{Header, Quality};
use crate::layout::{Layout, MAX_APPS, MAX_FLOORS, MAX_RETIRED, PAYLOAD_MAX, WRITE_MAX};
use crate::record::Kind;
use crate::{Flash, StoreError};

/// The part of an app's state that is kept in RAM.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    /// Offset of its newest record in an area, or 0 if the place is free (the first record is no app).
    pub at: u32,
    pub attempts: u8,
    pub crashes: u16,
}

/// A rollback counter of a name that has no place any more.
#[derive(Clone, Copy, Default)]
pub(crate) struct Floor {
    /// The first bytes of the name's SHA-256.
    pub id: [u8; 8],
    pub floor: u32,
}

/// An upload that is going on.
#[derive(Clone, Copy)]
pub(crate) struct Incoming {
    /// Offset of its record in an area.
    pub at: u32,
    pub first: u16,
    pub blocks: u16,
    pub length: u32,
    /// Bytes that arrived, those in the buffer included.
    pub received: u32,
    /// Bytes that do not fill a write block yet.
    pub buffer: [u8; WRITE_MAX],
}

/// The app storage.
///
/// Each operation takes effect with one record, or not at all. After [`StoreError::Flash`] the app storage may
/// go on being used: what was not recorded did not happen.
pub struct Store<'w, F> {
    pub(crate) flash: F,
    pub(crate) layout: Layout,
    /// The number of the journal areas in use, and the largest there was.
    pub(crate) generation: u32,
    pub(crate) newest: u32,
    /// The areas that have this number, and how good they are.
    pub(crate) live: [bool; 2],
    pub(crate) quality: [Quality; 2],
    /// Offset of the next record in both areas.
    pub(crate) tail: u32,
    /// An area is not as it should be: the journal is written anew before the next record.
    pub(crate) torn: bool,
    /// Nothing was appended since the app storage was opened.
    pub(crate) fresh: bool,
    /// Damage was found that no cut explains.
    pub(crate) repaired: bool,
    pub(crate) places: [Place; MAX_APPS],
    pub(crate) incoming: Option<Incoming>,
    pub(crate) retired: [KeyId; MAX_RETIRED],
    pub(crate) retired_count: u8,
    pub(crate) floors: [Floor; MAX_FLOORS],
    pub(crate) floor_count: u8,
    /// Erase counts by block of the partition.
    pub(crate) wear: &'w mut [u32],
}

/// The state in which mounting found the partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mounted {
    /// A store, as it was left.
    Clean,
    /// A store whose last operation was cut off.
    Recovered,
    /// A store whose journal was damaged. Nothing was lost.
    Repaired,
    /// An erased partition: an empty store was made.
    Formatted,
}

impl<'w, F: Flash> Store<'w, F> {
    /// Returns the number of erase blocks of a partition: the length [`Store::mount`] needs of its table.
    pub fn blocks(flash: &F) -> u32 {
        let geometry = flash.geometry();
        geometry.size.checked_div(geometry.erase_block).unwrap_or(0)
    }

    fn new(flash: F, wear: &'w mut [u32]) -> Result<Self, StoreError> {
        let layout = Layout::new(flash.geometry())?;
        let wear = wear.get_mut(..layout.blocks as usize).ok_or(StoreError::WearTable(layout.blocks))?;
        wear.fill(0);
        Ok(Self {
            flash,
            layout,
            generation: 0,
            newest: 0,
            live: [false; 2],
            quality: [Quality::Holes; 2],
            tail: 0,
            torn: true,
            fresh: true,
            repaired: false,
            places: [Place::default(); MAX_APPS],
            incoming: None,
            retired: [KeyId::default(); MAX_RETIRED],
            retired_count: 0,
            floors: [Floor::default(); MAX_FLOORS],
            floor_count: 0,
            wear,
        })
    }

    /// Opens the app storage of a partition. Makes an empty one if the partition is erased. Reads both areas of the
    /// journal, and puts right what a cut or a changed bit left there.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Format`], [`StoreError::Foreign`]: the partition stays as it is, and
    /// [`Store::format`] makes an empty store. [`StoreError::Flash`], [`StoreError::Geometry`],
    /// [`StoreError::WearTable`].
    pub fn mount(flash: F, wear: &'w mut [u32]) -> Result<(Self, Mounted), StoreError> {
        let mut store = Self::new(flash, wear)?;
        let how = store.open()?;
        Ok((store, how))
    }

    fn open(&mut self) -> Result<Mounted, StoreError> {
        let headers = [self.area_header(0), self.area_header(1)];
        let numbers = headers.map(|header| if let Header::Good(number) = header { Some(number) } else { None });
        self.newest = numbers.into_iter().flatten().max().unwrap_or(0);
        let only = |area: usize| (numbers[area].unwrap_or(0), [area == 0, area == 1]);
        let mut marked = None;
        let candidates = match numbers {
            [Some(first), Some(second)] if first == second => [Some((first, [true, true])), None],
            [Some(first), Some(second)] => {
                let newer = usize::from(second > first);
                // an area without a mark may be one whose last write was cut off, and the other is untouched
                if self.is_marked(newer, first.max(second), Kind::Mark) {
                    marked = Some(newer);
                    [Some(only(newer)), Some(only(1 - newer))]
                } else {
                    [Some(only(1 - newer)), Some(only(newer))]
                }
            }
            [Some(_), None] => [Some(only(0)), None],
            [None, Some(_)] => [Some(only(1)), None],
            [None, None] => [None, None],
        };
        for (number, live) in candidates.into_iter().flatten() {
            if !self.replay(number, live)? {
                continue;
            }
            if !self.torn {
                return Ok(Mounted::Clean);
            }
            let repaired = self.repaired;
            if self.quality == [Quality::Holes, Quality::Short] {
                // only the damaged copy has the last record, whose writing was cut off: it did not take place
                self.replay(number, [false, true])?;
            }
            if let Some(area) = marked.filter(|area| live[*area]) {
                // the mark that is there may have been cut off
                self.mark(area, Kind::Mark)?;
            }
            self.rotate()?;
            return Ok(if repaired { Mounted::Repaired } else { Mounted::Recovered });
        }
        if self.is_blank() {
            self.clear();
            self.rotate()?;
            return Ok(Mounted::Formatted);
        }
        Err(if headers.iter().any(|header| matches!(header, Header::Good(_))) {
            StoreError::Damaged
        } else if let Some(Header::Version(version)) =
            headers.into_iter().find(|header| matches!(header, Header::Version(_)))
        {
            StoreError::Format(version)
        } else {
            StoreError::Foreign
        })
    }

    /// Makes an empty store, whatever the partition holds. Retired keys and the rollback counters of apps are kept,
    /// of a store that cannot be opened as far as they can be read, and at most [`MAX_FLOORS`] of them.
    ///
    /// # Errors
    /// [`StoreError::Flash`], [`StoreError::Geometry`], [`StoreError::WearTable`]. It may be called again then.
    pub fn format(flash: F, wear: &'w mut [u32]) -> Result<Self, StoreError> {
        let mut store = Self::new(flash, wear)?;
        match store.open() {
            Ok(_) => {
                if store.incoming.is_some() {
                    store.abort()?;
                }
                for slot in store.slots() {
                    if store.app(slot)?.is_installed() {
                        store.uninstall(slot)?;
                    }
                }
            }
            Err(StoreError::Flash) => return Err(StoreError::Flash),
            Err(_) => {
                store.salvage();
                store.places = [Place::default(); MAX_APPS];
                store.incoming = None;
                store.rotate()?;
            }
        }
        Ok(store)
    }

    /// Forgets everything, for a store that is to be made.
    fn clear(&mut self) {
        self.reset();
        self.live = [false; 2];
        self.quality = [Quality::Holes; 2];
    }

    /// Returns true if there is nothing in the partition but what an interrupted first format wrote, or zeros only, as
    /// in RAM that stands in for flash.
    fn is_blank(&mut self) -> bool {
        let erased = self.layout.geometry.erased;
        let (size, data) = (self.layout.geometry.size, self.layout.area_start(2));
        let (empty, log) = (self.layout.empty_end(), self.layout.log_end());
        let fresh = [0, 1].into_iter().all(|area| {
            let start = self.layout.area_start(area);
            self.is_all(start + empty, start + log, erased)
        });
        (fresh && self.is_all(data, size, erased)) || self.is_all(0, size, 0)
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.flash
    }

    /// Returns the flash, for reading images.
    pub fn flash(&mut self) -> &mut F {
        &mut self.flash
    }

    /// Returns the places that have an app, uninstalled ones of which a rollback counter is kept included.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        let places = self.places;
        (0..MAX_APPS as u8).filter(move |slot| places.get(usize::from(*slot)).is_some_and(|p| p.at != 0)).map(Slot)
    }

    /// Reads an app.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Flash`].
    pub fn app(&mut self, slot: Slot) -> Result<App, StoreError> {
        let at = self.place(slot).at;
        if at == 0 {
            return Err(StoreError::NotFound);
        }
        let mut payload = [0; PAYLOAD_MAX];
        match self.read_record(at, &mut payload) {
            Some((Kind::App, payload)) => AppRecord::read(payload).map(|record| record.app).ok_or(StoreError::Flash),
            _ => Err(StoreError::Flash),
        }
    }

    /// Returns the place of an app with this name that has an image.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Flash`].
    pub fn find(&mut self, name: &str) -> Result<Slot, StoreError> {
        let slot = self.find_place(name)?.ok_or(StoreError::NotFound)?;
        if self.app(slot)?.is_installed() {
            Ok(slot)
        } else {
            Err(StoreError::NotFound)
        }
    }

    /// Returns the place of this name, with or without an image.
    pub(crate) fn find_place(&mut self, name: &str) -> Result<Option<Slot>, StoreError> {
        for slot in self.slots() {
            if self.app(slot)?.name.as_str() == name {
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    /// Returns the number of starts of the candidate, and of crashes of the app, since the last change.
    pub fn counters(&self, slot: Slot) -> (u8, u16) {
        let place = self.place(slot);
        (place.attempts, place.crashes)
    }

    /// Returns the ids of the retired keys.
    pub fn retired(&self) -> &[KeyId] {
        self.retired.get(..usize::from(self.retired_count)).unwrap_or_default()
    }

    /// Returns the address of an image in the partition.
    pub fn address(&self, image: &ImageRef) -> u32 {
        u32::from(image.first) * self.layout.geometry.erase_block
    }

    pub(crate) fn place(&self, slot: Slot) -> Place {
        self.places.get(slot.number()).copied().unwrap_or_default()
    }

    /// Returns the record of the upload that is going on.
    pub(crate) fn upload_record(&mut self) -> Result<(Incoming, UploadRecord), StoreError> {
        let incoming = self.incoming.ok_or(StoreError::NoUpload)?;
        let mut payload = [0; PAYLOAD_MAX];
        match self.read_record(incoming.at, &mut payload) {
            Some((Kind::Upload, payload)) => {
                UploadRecord::read(payload).map(|record| (incoming, record)).ok_or(StoreError::Flash)
            }
            _ => Err(StoreError::Flash),
        }
    }
}

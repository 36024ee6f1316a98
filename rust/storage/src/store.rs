// SPDX-License-Identifier: Apache-2.0
//! The store's state in RAM, mounting, and looking things up.

use wisp_trust::{Hasher, KeyId};

use crate::app::{App, AppRecord, ImageRef, Slot, UploadRecord, Which};
use crate::layout::{Layout, MAX_APPS, MAX_RETIRED, PAYLOAD_MAX, RECORD_HEADER, WRITE_MAX};
use crate::record::{self, Found, Kind};
use crate::{Flash, StoreError};

/// What is kept of an app in RAM.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    /// Address of its newest record; 0 if the place is free (the first record of an area is no app).
    pub at: u32,
    pub attempts: u8,
    pub crashes: u16,
}

/// An upload that is going on.
#[derive(Clone, Copy)]
pub(crate) struct Incoming {
    /// Address of its record.
    pub at: u32,
    pub first: u16,
    pub blocks: u16,
    pub length: u32,
    /// Bytes that arrived, those in the buffer included.
    pub received: u32,
    /// Bytes that do not fill a write block yet.
    pub buffer: [u8; WRITE_MAX],
}

/// The app store.
///
/// Each operation takes effect with one record, or not at all. After [`StoreError::Flash`] the store may
/// go on being used: what was not recorded did not happen.
pub struct Store<'w, F> {
    pub(crate) flash: F,
    pub(crate) layout: Layout,
    /// The journal area in use, its sequence number, and where the next record goes.
    pub(crate) area: u8,
    pub(crate) sequence: u32,
    pub(crate) tail: u32,
    /// Something that is no record lies at the tail: the next record goes to the other area.
    pub(crate) torn: bool,
    pub(crate) places: [Place; MAX_APPS],
    pub(crate) incoming: Option<Incoming>,
    pub(crate) retired: [KeyId; MAX_RETIRED],
    pub(crate) retired_count: u8,
    /// Erase counts by block of the partition.
    pub(crate) wear: &'w mut [u32],
}

/// What mounting found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mounted {
    /// A store, as it was left.
    Clean,
    /// A store whose last operation was cut off.
    Recovered,
    /// No store: an empty one was made.
    Formatted,
}

impl<'w, F: Flash> Store<'w, F> {
    /// Number of erase blocks of a partition: the length [`Store::mount`] needs of its table.
    pub fn blocks(flash: &F) -> u32 {
        let geometry = flash.geometry();
        geometry.size.checked_div(geometry.erase_block).unwrap_or(0)
    }

    /// Opens the store of a partition; makes an empty one if there is none. Reads the journal, at most two
    /// areas.
    ///
    /// # Errors
    /// [`StoreError::Flash`], [`StoreError::Geometry`], [`StoreError::WearTable`].
    pub fn mount(flash: F, wear: &'w mut [u32]) -> Result<(Self, Mounted), StoreError> {
        let layout = Layout::new(flash.geometry())?;
        let wear = wear.get_mut(..layout.blocks as usize).ok_or(StoreError::WearTable(layout.blocks))?;
        let mut store = Self {
            flash,
            layout,
            area: 0,
            sequence: 0,
            tail: 0,
            torn: false,
            places: [Place::default(); MAX_APPS],
            incoming: None,
            retired: [KeyId::default(); MAX_RETIRED],
            retired_count: 0,
            wear,
        };
        let headers = [store.area_sequence(0), store.area_sequence(1)];
        let newer = u8::from(headers[1] > headers[0]);
        let mut mounted = Mounted::Clean;
        for area in [newer, 1 - newer] {
            if let Some(sequence) = headers[usize::from(area)] {
                if store.replay(area, sequence) {
                    if store.torn {
                        mounted = Mounted::Recovered;
                        store.rotate()?;
                    }
                    return Ok((store, mounted));
                }
            }
            mounted = Mounted::Recovered;
        }
        store.reset();
        // the snapshot goes to the other area than the one in use
        store.area = 1;
        store.sequence = 0;
        store.rotate()?;
        Ok((store, Mounted::Formatted))
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.flash
    }

    /// The flash, for reading images.
    pub fn flash(&mut self) -> &mut F {
        &mut self.flash
    }

    /// The places that have an app, uninstalled ones of which a rollback counter is kept included.
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

    /// The place of an app with this name that has an image.
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

    /// The place of this name, with or without an image.
    pub(crate) fn find_place(&mut self, name: &str) -> Result<Option<Slot>, StoreError> {
        for slot in self.slots() {
            if self.app(slot)?.name.as_str() == name {
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    /// How often the candidate was started, and how often the app crashed, since the last change.
    pub fn counters(&self, slot: Slot) -> (u8, u16) {
        let place = self.place(slot);
        (place.attempts, place.crashes)
    }

    /// Ids of the retired keys.
    pub fn retired(&self) -> &[KeyId] {
        self.retired.get(..usize::from(self.retired_count)).unwrap_or_default()
    }

    /// Address of an image in the partition.
    pub fn address(&self, image: &ImageRef) -> u32 {
        u32::from(image.first) * self.layout.geometry.erase_block
    }

    /// An app's image, after its bytes were compared with its hash: the only way to get one to run. About 40
    /// instructions a byte.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Hash`], [`StoreError::Flash`].
    pub fn checked(&mut self, slot: Slot, which: Which) -> Result<ImageRef, StoreError> {
        let image = self.app(slot)?.image(which).ok_or(StoreError::NotFound)?;
        self.check(&image)?;
        Ok(image)
    }

    pub(crate) fn check(&mut self, image: &ImageRef) -> Result<(), StoreError> {
        let mut hasher = Hasher::new();
        let mut buffer = [0; 64];
        let mut at = self.address(image);
        let mut left = image.length;
        if u32::from(image.first) + u32::from(image.blocks) > self.layout.blocks
            || self.layout.blocks_for(left) > u32::from(image.blocks)
        {
            return Err(StoreError::Hash);
        }
        while left != 0 {
            let piece = left.min(buffer.len() as u32);
            let bytes = &mut buffer[..piece as usize];
            self.flash.read(at, bytes)?;
            hasher.update(bytes);
            at += piece;
            left -= piece;
        }
        if hasher.finish() == image.hash {
            Ok(())
        } else {
            Err(StoreError::Hash)
        }
    }

    pub(crate) fn place(&self, slot: Slot) -> Place {
        self.places.get(slot.number()).copied().unwrap_or_default()
    }

    pub(crate) fn read_record<'p>(&mut self, at: u32, payload: &'p mut [u8; PAYLOAD_MAX]) -> Option<(Kind, &'p [u8])> {
        let end = self.layout.area_start(u8::from(at >= self.layout.area_size())) + self.layout.area_size();
        if at + RECORD_HEADER as u32 > end {
            return None;
        }
        match record::read(&mut self.flash, &self.layout, at, end, payload) {
            Found::Record(kind, payload, _) => Some((kind, payload)),
            _ => None,
        }
    }

    /// The record of the upload that is going on.
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

// SPDX-License-Identifier: Apache-2.0
//! Apps as the app storage knows them.

use crate::layout::{record_size, MAX_RETIRED, NAME_MAX, PAYLOAD_MAX};

/// An app's place in the app storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot(pub(crate) u8);

impl Slot {
    /// Returns its number, below [`crate::MAX_APPS`].
    pub fn number(self) -> usize {
        usize::from(self.0)
    }
}

/// Which of an app's images.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// The confirmed one.
    Running,
    /// The update on trial.
    Candidate,
}

/// A name of at most [`NAME_MAX`] bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    length: u8,
    bytes: [u8; NAME_MAX],
}

impl Name {
    /// Returns a name, or `None` if it is empty or too long.
    pub fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; NAME_MAX];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        (!name.is_empty()).then_some(Self { length: name.len() as u8, bytes })
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let length = usize::from(*bytes.first()?);
        core::str::from_utf8(bytes.get(1..1 + NAME_MAX)?.get(..length)?).ok().and_then(Self::new)
    }
}

impl core::fmt::Debug for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An image on flash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageRef {
    /// First erase block.
    pub first: u16,
    /// Erase blocks.
    pub blocks: u16,
    /// Bytes.
    pub length: u32,
    /// Version as in the manifest: major, minor (a byte each), patch (two bytes), little endian.
    pub version: u32,
    /// Rollback counter.
    pub rollback: u32,
    /// SHA-256 of all its bytes, the trailer included.
    pub hash: [u8; 32],
    /// CRC-32 of the same bytes, which tells which bit it is if one changes, or zero in an upload.
    pub crc: u32,
}

impl ImageRef {
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            first: half(bytes, 0)?,
            blocks: half(bytes, 2)?,
            length: word(bytes, 4)?,
            version: word(bytes, 8)?,
            rollback: word(bytes, 12)?,
            hash: bytes.get(16..48)?.try_into().ok()?,
            crc: word(bytes, 48)?,
        })
    }

    fn write(&self, out: &mut [u8; record_size::IMAGE]) {
        out[..2].copy_from_slice(&self.first.to_le_bytes());
        out[2..4].copy_from_slice(&self.blocks.to_le_bytes());
        out[4..8].copy_from_slice(&self.length.to_le_bytes());
        out[8..12].copy_from_slice(&self.version.to_le_bytes());
        out[12..16].copy_from_slice(&self.rollback.to_le_bytes());
        out[16..48].copy_from_slice(&self.hash);
        out[48..].copy_from_slice(&self.crc.to_le_bytes());
    }
}

/// An app.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct App {
    /// Its name.
    pub name: Name,
    /// The confirmed image.
    pub running: Option<ImageRef>,
    /// The update on trial.
    pub candidate: Option<ImageRef>,
    /// Lowest rollback counter that an update may have. Kept when the app is uninstalled.
    pub floor: u32,
    /// Version of the image that was confirmed last, 0 if none was. Kept when the app is uninstalled.
    pub version: u32,
    /// It crashed too often and is not started by itself.
    pub disabled: bool,
    /// It is started by hand only.
    pub manual: bool,
}

impl App {
    /// Returns true if there is an image.
    pub fn is_installed(&self) -> bool {
        self.running.is_some() || self.candidate.is_some()
    }

    /// Returns one of its images.
    pub fn image(&self, which: Which) -> Option<ImageRef> {
        match which {
            Which::Running => self.running,
            Which::Candidate => self.candidate,
        }
    }

    /// Returns the image that a start runs: the update, if there is one.
    pub fn current(&self) -> Option<(Which, ImageRef)> {
        let candidate = self.candidate.map(|image| (Which::Candidate, image));
        candidate.or(self.running.map(|image| (Which::Running, image)))
    }
}

/// Returns a version as numbers that compare as semantic versions do.
pub fn version_order(version: u32) -> (u8, u8, u16) {
    let [major, minor, low, high] = version.to_le_bytes();
    (major, minor, u16::from_le_bytes([low, high]))
}

/// Offset in an app record of the running image's version. The version stays there when the app is uninstalled.
const VERSION_AT: usize = 40 + 8;

const CLOSES_UPLOAD: u8 = 1;
const DISABLED: u8 = 2;
const MANUAL: u8 = 4;
const HAS_RUNNING: u8 = 8;
const HAS_CANDIDATE: u8 = 16;

/// An app record: the app's state from here on.
#[derive(Clone, Copy, Debug)]
pub struct AppRecord<'k> {
    pub slot: u8,
    /// The upload that was going on became this app's candidate.
    pub closes_upload: bool,
    pub app: App,
    /// Number of times that the candidate was started.
    pub attempts: u8,
    /// Ids of keys that the image retires which was confirmed, 8 bytes each.
    pub retires: &'k [u8],
}

impl<'k> AppRecord<'k> {
    /// Reads a payload: slot, flags, number of retired keys, attempts, floor, name (32 bytes), images.
    pub fn read(payload: &'k [u8]) -> Option<Self> {
        let flags = *payload.get(1)?;
        let image = |present: u8, at: usize| {
            if flags & present == 0 {
                return Some(None);
            }
            ImageRef::read(payload.get(at..)?).map(Some)
        };
        Some(Self {
            slot: *payload.first()?,
            closes_upload: flags & CLOSES_UPLOAD != 0,
            app: App {
                name: Name::read(payload.get(8..40)?)?,
                running: image(HAS_RUNNING, 40)?,
                candidate: image(HAS_CANDIDATE, 40 + record_size::IMAGE)?,
                floor: word(payload, 4)?,
                version: word(payload, VERSION_AT)?,
                disabled: flags & DISABLED != 0,
                manual: flags & MANUAL != 0,
            },
            attempts: *payload.get(3)?,
            retires: payload.get(record_size::APP..record_size::APP + 8 * usize::from(*payload.get(2)?))?,
        })
    }

    /// Writes the payload, and returns the bytes that are used.
    pub fn write<'p>(&self, payload: &'p mut [u8; PAYLOAD_MAX]) -> &'p [u8] {
        let app = &self.app;
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        payload.fill(0);
        payload[0] = self.slot;
        payload[1] = flag(self.closes_upload, CLOSES_UPLOAD)
            | flag(app.disabled, DISABLED)
            | flag(app.manual, MANUAL)
            | flag(app.running.is_some(), HAS_RUNNING)
            | flag(app.candidate.is_some(), HAS_CANDIDATE);
        payload[3] = self.attempts;
        payload[4..8].copy_from_slice(&app.floor.to_le_bytes());
        payload[8] = app.name.length;
        payload[9..40].copy_from_slice(&app.name.bytes);
        let mut image = [0; record_size::IMAGE];
        for (at, place) in [(40, app.running), (40 + record_size::IMAGE, app.candidate)] {
            if let Some(reference) = place {
                reference.write(&mut image);
                payload[at..at + record_size::IMAGE].copy_from_slice(&image);
            }
        }
        payload[VERSION_AT..VERSION_AT + 4].copy_from_slice(&app.version.to_le_bytes());
        let retires = self.retires.get(..8 * MAX_RETIRED).unwrap_or(self.retires);
        payload[2] = (retires.len() / 8) as u8;
        let end = record_size::APP + retires.len();
        payload[record_size::APP..end].copy_from_slice(retires);
        &payload[..end]
    }
}

/// An upload record: what is expected, and how much of it is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UploadRecord {
    pub name: Name,
    pub image: ImageRef,
    /// Blocks whose contents were begun. All but the last of them are complete.
    pub begun: u16,
}

impl UploadRecord {
    /// Reads a payload: blocks begun (2), zero (6), name (32), image.
    pub fn read(payload: &[u8]) -> Option<Self> {
        Some(Self {
            begun: half(payload, 0)?,
            name: Name::read(payload.get(8..40)?)?,
            image: ImageRef::read(payload.get(40..)?)?,
        })
    }

    /// Writes the payload.
    pub fn write(&self) -> [u8; record_size::UPLOAD] {
        let mut payload = [0; record_size::UPLOAD];
        payload[..2].copy_from_slice(&self.begun.to_le_bytes());
        payload[8] = self.name.length;
        payload[9..40].copy_from_slice(&self.name.bytes);
        let mut image = [0; record_size::IMAGE];
        self.image.write(&mut image);
        payload[40..].copy_from_slice(&image);
        payload
    }
}

/// Returns a little-endian `u16`, or `None` beyond the end.
pub fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..)?.get(..2)?.try_into().ok()?))
}

/// Returns a little-endian `u32`, or `None` beyond the end.
pub fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..)?.get(..4)?.try_into().ok()?))
}

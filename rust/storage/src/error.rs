// SPDX-License-Identifier: Apache-2.0
//! Why the app storage did not do what it was asked for. An operation that fails leaves the state as it was.

use crate::FlashError;

/// A fault that ends an operation of the app storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreError {
    /// The flash driver failed.
    Flash,
    /// The partition cannot hold a store: sizes that do not fit together, or less than two data blocks.
    Geometry,
    /// The caller's table of erase counts is too short: entries needed.
    WearTable(u32),
    /// Another upload is going on.
    Busy,
    /// There is no such app.
    NotFound,
    /// A name that is empty, or longer than 31 bytes.
    Name,
    /// All places for apps are taken.
    NoSlot,
    /// The app has a candidate that was neither confirmed nor rolled back.
    Pending,
    /// The app has no candidate.
    NoCandidate,
    /// The candidate was not started yet.
    Untried,
    /// This very image is installed.
    Installed,
    /// The rollback counter is lower than that of an image that was confirmed: (offered, needed).
    Rollback(u32, u32),
    /// The version is lower than that of the image that was confirmed last.
    Version,
    /// No free space in one piece: (blocks needed, blocks in the largest hole).
    NoSpace(u32, u32),
    /// No upload is going on.
    NoUpload,
    /// The piece does not begin where the last one ended: the offset expected.
    Offset(u32),
    /// The piece reaches beyond the length that was announced.
    Length,
    /// Bytes are missing: the offset expected.
    Incomplete(u32),
    /// The bytes do not have the hash that was announced or recorded.
    Hash,
    /// More keys are retired than the app storage can remember.
    RetiredFull,
    /// The journal has no room for a record: the partition is too small.
    JournalFull,
    /// Both copies of a part of the journal are damaged. The images are kept as they are.
    Damaged,
    /// The app storage was made by a firmware with another format: its version.
    Format(u32),
    /// The partition holds something that is no store of its size.
    Foreign,
    /// More rollback counters of uninstalled apps would have to be remembered than there is room for.
    FloorsFull,
}

impl From<FlashError> for StoreError {
    fn from(_: FlashError) -> Self {
        Self::Flash
    }
}

impl StoreError {
    /// A few words, without numbers: what a device can afford to say.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Flash => "the flash driver failed",
            Self::Geometry => "the partition is too small, or its sizes do not fit together",
            Self::WearTable(_) => "the table of erase counts is too short",
            Self::Busy => "another upload is going on; wait, or abort it",
            Self::NotFound => "no such app is installed",
            Self::Name => "the name is empty or too long",
            Self::NoSlot => "all places for apps are taken; uninstall one",
            Self::Pending => "the app has an update on trial; confirm it or roll it back first",
            Self::NoCandidate => "the app has no update to confirm or roll back",
            Self::Untried => "the update has not run yet; start the app first",
            Self::Installed => "this image is installed already",
            Self::Rollback(..) => "the rollback counter is lower than the installed one's",
            Self::Version => {
                "the version is lower than the confirmed one's; to go back on purpose, sign with --downgrade"
            }
            Self::NoSpace(..) => "not enough free space in one piece; uninstall an app",
            Self::NoUpload => "no upload is going on",
            Self::Offset(_) => "the piece does not begin where the last one ended",
            Self::Length => "the piece reaches beyond the announced length",
            Self::Incomplete(_) => "bytes are missing",
            Self::Hash => "the image is damaged: its hash differs; install it again",
            Self::RetiredFull => "no room to remember another retired key",
            Self::JournalFull => "the partition is too small for its journal",
            Self::Damaged => "both copies of its journal are damaged; `wisp storage format` erases all apps",
            Self::Format(_) => "it was made by a firmware with another format; `wisp storage format` erases all apps",
            Self::Foreign => "the partition holds no app storage of its size; `wisp storage format` makes an empty one",
            Self::FloorsFull => "no room to remember another rollback counter; install one of the uninstalled apps",
        }
    }
}

#[cfg(feature = "text")]
impl core::fmt::Display for StoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.words())?;
        match *self {
            Self::Rollback(offered, needed) => write!(f, " ({offered}, expected {needed} or more)"),
            Self::NoSpace(needed, largest) => write!(f, " ({needed} blocks needed, the largest hole has {largest})"),
            Self::Offset(expected) | Self::Incomplete(expected) => write!(f, " (expected offset {expected})"),
            Self::WearTable(needed) => write!(f, " ({needed} entries needed)"),
            Self::Format(version) => write!(f, " (format {version})"),
            _ => Ok(()),
        }
    }
}

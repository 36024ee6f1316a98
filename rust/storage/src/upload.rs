// SPDX-License-Identifier: Apache-2.0
//! Installing: announced, streamed in pieces, checked, accepted.
//!
//! Blocks are erased one at a time when the first byte for them arrives, each after a record that counts
//! the erase and says that the blocks before are complete. After a reboot an upload goes on at the start
//! of the block it was in.

use crate::app::{version_order, App, AppRecord, ImageRef, Name, Slot, UploadRecord};
use crate::layout::PAYLOAD_MAX;
use crate::record::Kind;
use crate::store::Store;
use crate::{Flash, StoreError};

/// The announcement of an image. The caller compares name, version and rollback counter with the manifest once the
/// image is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Upload<'n> {
    /// Name of the app.
    pub name: &'n str,
    /// Bytes of the image, the trailer included.
    pub length: u32,
    /// SHA-256 of these bytes.
    pub hash: [u8; 32],
    /// Version, as in the manifest.
    pub version: u32,
    /// Rollback counter.
    pub rollback: u32,
    /// It may have a lower version than the image that was confirmed last.
    pub downgrade: bool,
}

/// An upload that is going on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Name of the app.
    pub name: Name,
    /// Image that was announced, and its place.
    pub image: ImageRef,
    /// Bytes that arrived.
    pub received: u32,
}

/// Checks that an image is not older than what was confirmed last.
fn check_age(app: &App, version: u32, rollback: u32, downgrade: bool) -> Result<(), StoreError> {
    if rollback < app.floor {
        return Err(StoreError::Rollback(rollback, app.floor));
    }
    if !downgrade && version_order(version) < version_order(app.version) {
        return Err(StoreError::Version);
    }
    Ok(())
}

impl<F: Flash> Store<'_, F> {
    /// Announces an image: finds space, erases nothing. If the same upload is going on it is resumed. The
    /// offset at which to go on.
    ///
    /// # Errors
    /// [`StoreError::Busy`], [`StoreError::Name`], [`StoreError::Pending`], [`StoreError::Installed`],
    /// [`StoreError::Rollback`], [`StoreError::Version`], [`StoreError::NoSlot`], [`StoreError::FloorsFull`], [`StoreError::NoSpace`], [`StoreError::Length`] for
    /// an empty image, [`StoreError::Flash`], [`StoreError::JournalFull`].
    pub fn begin(&mut self, upload: &Upload<'_>) -> Result<u32, StoreError> {
        let name = Name::new(upload.name).ok_or(StoreError::Name)?;
        if self.incoming.is_some() {
            let progress = self.progress()?;
            let same =
                progress.name == name && progress.image.length == upload.length && progress.image.hash == upload.hash;
            return if same { Ok(progress.received) } else { Err(StoreError::Busy) };
        }
        let image = self.place_for(upload)?;
        self.append(Kind::Upload, &UploadRecord { name, image, begun: 0 }.write())?;
        Ok(0)
    }

    /// Announces an image in place of the upload that is going on, which is given up. If the announcement is refused,
    /// that upload goes on. If writing the journal fails, both may be lost.
    ///
    /// # Errors
    /// Returns [`StoreError::NoUpload`], and the errors of [`Store::begin`] but [`StoreError::Busy`].
    pub fn replace(&mut self, upload: &Upload<'_>) -> Result<(), StoreError> {
        let name = Name::new(upload.name).ok_or(StoreError::Name)?;
        let replaced = self.incoming.take().ok_or(StoreError::NoUpload)?;
        // the new image may take the place of the other one
        let image = self.place_for(upload);
        self.incoming = Some(replaced);
        let image = image?;
        self.abort()?;
        self.append(Kind::Upload, &UploadRecord { name, image, begun: 0 }.write())
    }

    /// Checks an announcement, and finds space for the image.
    fn place_for(&mut self, upload: &Upload<'_>) -> Result<ImageRef, StoreError> {
        if upload.length == 0 {
            return Err(StoreError::Length);
        }
        match self.find_place(upload.name)? {
            Some(slot) => {
                let app = self.app(slot)?;
                if app.candidate.is_some() {
                    return Err(StoreError::Pending);
                }
                if app.running.is_some_and(|image| image.hash == upload.hash) {
                    return Err(StoreError::Installed);
                }
                check_age(&app, upload.version, upload.rollback, upload.downgrade)?;
            }
            None => {
                let floor = self.remembered_floor(upload.name);
                if upload.rollback < floor {
                    return Err(StoreError::Rollback(upload.rollback, floor));
                }
                self.free_place(false)?;
            }
        }
        let blocks = self.layout.blocks_for(upload.length);
        let first = self.find_space(blocks)?;
        Ok(ImageRef {
            first: first as u16,
            blocks: blocks as u16,
            length: upload.length,
            version: upload.version,
            rollback: upload.rollback,
            hash: upload.hash,
            crc: 0,
        })
    }

    /// Returns the upload that is going on.
    ///
    /// # Errors
    /// [`StoreError::NoUpload`], [`StoreError::Flash`].
    pub fn progress(&mut self) -> Result<Progress, StoreError> {
        let (incoming, record) = self.upload_record()?;
        Ok(Progress { name: record.name, image: record.image, received: incoming.received })
    }

    /// Takes the next piece, of any length, and returns the offset after it.
    ///
    /// # Errors
    /// [`StoreError::NoUpload`], [`StoreError::Offset`], [`StoreError::Length`], [`StoreError::Flash`],
    /// [`StoreError::JournalFull`]. After an error the upload goes on at the offset that
    /// [`Store::progress`] tells.
    pub fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<u32, StoreError> {
        let incoming = self.incoming.as_ref().ok_or(StoreError::NoUpload)?;
        if offset != incoming.received {
            return Err(StoreError::Offset(incoming.received));
        }
        let end = u32::try_from(bytes.len()).ok().and_then(|length| offset.checked_add(length));
        if end.is_none_or(|end| end > incoming.length) {
            return Err(StoreError::Length);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.write_some(rest) {
                Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Err(error) => {
                    self.back_to_block_start();
                    return Err(error);
                }
            }
        }
        Ok(offset + bytes.len() as u32)
    }

    /// Takes as much as one step can: what fills the buffer, or whole write blocks up to the erase block's
    /// end.
    fn write_some(&mut self, bytes: &[u8]) -> Result<usize, StoreError> {
        let (erase_block, write_block) = (self.layout.geometry.erase_block, self.layout.geometry.write_block);
        let incoming = self.incoming.as_ref().ok_or(StoreError::NoUpload)?;
        let base = u32::from(incoming.first) * erase_block;
        let (received, length) = (incoming.received, incoming.length);
        if received % erase_block == 0 {
            let block = u32::from(incoming.first) + received / erase_block;
            self.append(Kind::Erase, &block.to_le_bytes())?;
            self.flash.erase_block(block * erase_block)?;
        }
        let in_block = (erase_block - received % erase_block) as usize;
        let buffered = (received % write_block) as usize;
        let bytes = bytes.get(..in_block).unwrap_or(bytes);
        let whole = bytes.len() - bytes.len() % write_block as usize;
        let taken = if buffered == 0 && whole != 0 {
            self.flash.write(base + received, &bytes[..whole])?;
            whole
        } else {
            let incoming = self.incoming.as_mut().ok_or(StoreError::NoUpload)?;
            let taken = bytes.len().min(write_block as usize - buffered);
            incoming.buffer[buffered..buffered + taken].copy_from_slice(&bytes[..taken]);
            let filled = buffered + taken;
            let last = received + taken as u32 == length;
            if filled == write_block as usize || last {
                incoming.buffer[filled..].fill(self.layout.geometry.erased);
                let piece = incoming.buffer;
                self.flash.write(base + received - buffered as u32, &piece[..write_block as usize])?;
            }
            taken
        };
        if let Some(incoming) = &mut self.incoming {
            incoming.received += taken as u32;
        }
        Ok(taken)
    }

    /// Goes back to the start of the block. After a failed write nobody knows what the block holds: it is erased and
    /// written again.
    fn back_to_block_start(&mut self) {
        let erase_block = self.layout.geometry.erase_block;
        if let Some(incoming) = &mut self.incoming {
            // a position at a block's start may also be the end of the block before, which is complete
            incoming.received -= incoming.received % erase_block;
        }
    }

    /// Compares the bytes that arrived with the hash that was announced. The image may then be looked at in place.
    /// Nothing changes before [`Store::accept`].
    ///
    /// # Errors
    /// [`StoreError::NoUpload`], [`StoreError::Incomplete`], [`StoreError::Hash`], [`StoreError::Flash`].
    pub fn complete(&mut self) -> Result<Progress, StoreError> {
        let progress = self.progress()?;
        if progress.received != progress.image.length {
            return Err(StoreError::Incomplete(progress.received));
        }
        self.check(&progress.image)?;
        Ok(progress)
    }

    /// Replaces the announced hash of a complete upload, which its sender did not know, by that of the bytes that
    /// arrived. So only the image's trailer tells whether they are right.
    ///
    /// # Errors
    /// [`StoreError::NoUpload`], [`StoreError::Incomplete`], [`StoreError::Installed`], [`StoreError::Flash`],
    /// [`StoreError::JournalFull`].
    pub fn identify(&mut self) -> Result<(), StoreError> {
        let (incoming, mut record) = self.upload_record()?;
        if incoming.received != record.image.length {
            return Err(StoreError::Incomplete(incoming.received));
        }
        let hash = self.hash(&record.image, None)?;
        if let Some(slot) = self.find_place(record.name.as_str())? {
            if self.app(slot)?.running.is_some_and(|image| image.hash == hash) {
                return Err(StoreError::Installed);
            }
        }
        record.image.hash = hash;
        record.begun = record.image.blocks;
        self.append(Kind::Upload, &record.write())?;
        if let Some(incoming) = &mut self.incoming {
            // after a reboot, the last block is written again
            incoming.received = record.image.length;
        }
        Ok(())
    }

    /// Makes the upload its app's candidate. The caller has checked who signed the image, and read in it whether
    /// it may have a lower version than the image that was confirmed last.
    ///
    /// # Errors
    /// Returns the errors of [`Store::complete`], and [`StoreError::Rollback`], [`StoreError::Version`],
    /// [`StoreError::NoSlot`], [`StoreError::FloorsFull`] and [`StoreError::JournalFull`].
    pub fn accept(&mut self, downgrade: bool) -> Result<Slot, StoreError> {
        let progress = self.complete()?;
        let (slot, app) = match self.find_place(progress.name.as_str())? {
            Some(slot) => (slot, self.app(slot)?),
            None => {
                let app = App {
                    name: progress.name,
                    running: None,
                    candidate: None,
                    floor: self.remembered_floor(progress.name.as_str()),
                    version: 0,
                    disabled: false,
                    manual: false,
                };
                (self.free_place(true)?, app)
            }
        };
        // what was announced may have been false
        check_age(&app, progress.image.version, progress.image.rollback, downgrade)?;
        let image = ImageRef { crc: self.image_crc(&progress.image)?, ..progress.image };
        let app = App { candidate: Some(image), disabled: false, ..app };
        let record = AppRecord { slot: slot.0, closes_upload: true, app, attempts: 0, retires: &[] };
        self.append(Kind::App, record.write(&mut [0; PAYLOAD_MAX]))?;
        Ok(slot)
    }

    /// Gives the upload up.
    ///
    /// # Errors
    /// [`StoreError::NoUpload`], [`StoreError::Flash`], [`StoreError::JournalFull`].
    pub fn abort(&mut self) -> Result<(), StoreError> {
        if self.incoming.is_none() {
            return Err(StoreError::NoUpload);
        }
        self.append(Kind::Abort, &[])
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Images are compared with their hash before they are used, and one bit that changed is put right.

use wisp_trust::Hasher;

use crate::app::{App, ImageRef, Slot, Which};
use crate::journal::counters;
use crate::record::{changed_bit, crc32, Kind};
use crate::store::Store;
use crate::{Flash, StoreError};

/// Bytes that are read at once: a multiple of each write block.
const PIECE: usize = 64;

impl<F: Flash> Store<'_, F> {
    /// Returns an app's image after its bytes were compared with its hash: the only way to get one to run. About 40
    /// instructions a byte. Says too if one bit of it had changed: the image is then written anew at another
    /// place, for which there must be room.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Hash`], [`StoreError::Flash`], [`StoreError::JournalFull`].
    pub fn checked(&mut self, slot: Slot, which: Which) -> Result<(ImageRef, bool), StoreError> {
        let image = self.app(slot)?.image(which).ok_or(StoreError::NotFound)?;
        match self.check(&image) {
            Ok(()) => Ok((image, false)),
            Err(StoreError::Hash) => Ok((self.repair(slot, which, &image)?, true)),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn check(&mut self, image: &ImageRef) -> Result<(), StoreError> {
        if self.hash(image, None)? == image.hash {
            Ok(())
        } else {
            Err(StoreError::Hash)
        }
    }

    /// Hashes an image, with one bit (byte, mask) the other way.
    pub(crate) fn hash(&mut self, image: &ImageRef, change: Option<(u32, u8)>) -> Result<[u8; 32], StoreError> {
        let mut hasher = Hasher::new();
        self.read_image(image, change, |bytes| hasher.update(bytes))?;
        Ok(hasher.finish())
    }

    /// Computes the CRC-32 of an image.
    pub(crate) fn image_crc(&mut self, image: &ImageRef) -> Result<u32, StoreError> {
        let mut crc = u32::MAX;
        self.read_image(image, None, |bytes| crc = crc32(crc, bytes))?;
        Ok(!crc)
    }

    fn read_image(
        &mut self,
        image: &ImageRef,
        change: Option<(u32, u8)>,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), StoreError> {
        if u32::from(image.first) + u32::from(image.blocks) > self.layout.blocks
            || self.layout.blocks_for(image.length) > u32::from(image.blocks)
        {
            return Err(StoreError::Hash);
        }
        let mut buffer = [0; PIECE];
        let mut at = 0;
        while at < image.length {
            let piece = (image.length - at).min(PIECE as u32);
            take(self.read_piece(image, at, piece, change, &mut buffer)?);
            at += piece;
        }
        Ok(())
    }

    /// Reads a piece of an image, with one bit the other way.
    fn read_piece<'b>(
        &mut self,
        image: &ImageRef,
        at: u32,
        length: u32,
        change: Option<(u32, u8)>,
        buffer: &'b mut [u8; PIECE],
    ) -> Result<&'b [u8], StoreError> {
        let address = self.address(image) + at;
        let bytes = buffer.get_mut(..length as usize).unwrap_or_default();
        self.flash.read(address, bytes)?;
        if let Some((byte, mask)) = change {
            if let Some(byte) = byte.checked_sub(at).and_then(|index| bytes.get_mut(index as usize)) {
                *byte ^= mask;
            }
        }
        Ok(bytes)
    }

    /// Writes an image of which one bit changed to another place, as it was.
    fn repair(&mut self, slot: Slot, which: Which, image: &ImageRef) -> Result<ImageRef, StoreError> {
        let difference = self.image_crc(image)? ^ image.crc;
        let bits = image.length.checked_mul(8).ok_or(StoreError::Hash)?;
        let bit = changed_bit(difference, bits).ok_or(StoreError::Hash)?;
        let change = Some((image.length - 1 - bit / 8, 0x80 >> (bit % 8)));
        if self.hash(image, change)? != image.hash {
            return Err(StoreError::Hash);
        }
        let first = self.find_space(u32::from(image.blocks)).map_err(|_| StoreError::Hash)?;
        let new = ImageRef { first: first as u16, ..*image };
        let (erase_block, write_block) = (self.layout.geometry.erase_block, self.layout.geometry.write_block);
        let mut at = 0;
        while at < image.length {
            let address = self.address(&new) + at;
            if at % erase_block == 0 {
                self.append(Kind::Erase, &(address / erase_block).to_le_bytes())?;
                self.flash.erase_block(address)?;
            }
            let piece = (image.length - at).min(PIECE as u32).min(erase_block - at % erase_block);
            let mut buffer = [0; PIECE];
            self.read_piece(image, at, piece, change, &mut buffer)?;
            let end = (piece.next_multiple_of(write_block) as usize).min(PIECE);
            buffer[piece as usize..].fill(self.layout.geometry.erased);
            self.flash.write(address, &buffer[..end])?;
            at += piece;
        }
        self.check(&new)?;
        let app = self.app(slot)?;
        let (attempts, crashes) = self.counters(slot);
        self.put(
            slot,
            match which {
                Which::Running => App { running: Some(new), ..app },
                Which::Candidate => App { candidate: Some(new), ..app },
            },
        )?;
        if crashes != 0 {
            self.append(Kind::Counters, &counters(slot, attempts, crashes))?;
        }
        Ok(new)
    }
}

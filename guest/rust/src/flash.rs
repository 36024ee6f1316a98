// SPDX-License-Identifier: Apache-2.0
//! Areas of flash.

use crate::abi::flash;
use crate::record::number;
use crate::Error;

/// An area of flash that was granted. Closed when dropped.
#[derive(Debug)]
pub struct FlashArea {
    handle: u32,
    size: u32,
    erase_block: u32,
    write_block: u32,
    erased: u8,
}

impl FlashArea {
    /// Opens the area granted as `label` in `flash-area-names`.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, or the firmware uses some of it, and `ENODEV` if its driver is not ready. `EBUSY` if
    /// another app has it open, and `ENOTSUP` if it does not consist of whole erase blocks of one size.
    pub fn open(label: &str) -> Result<Self, Error> {
        let handle = flash::open(label.as_bytes())?;
        let info = flash::info(handle)?;
        let [size, erase_block, write_block, erased] = [0, 4, 8, 12].map(|at| number(&info, at, 4) as u32);
        Ok(FlashArea { handle, size, erase_block, write_block, erased: erased as u8 })
    }

    /// Returns the number of bytes.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Returns how many bytes are erased together.
    pub fn erase_block(&self) -> u32 {
        self.erase_block
    }

    /// Returns how many bytes are written together.
    pub fn write_block(&self) -> u32 {
        self.write_block
    }

    /// Returns the value of an erased byte.
    pub fn erased(&self) -> u8 {
        self.erased
    }

    /// Reads bytes from an offset on.
    ///
    /// # Errors
    /// `ERANGE` if they do not lie inside the area, otherwise the error of the driver.
    pub fn read(&self, offset: u32, buffer: &mut [u8]) -> Result<(), Error> {
        Ok(flash::read(self.handle, offset, buffer)?)
    }

    /// Writes bytes that were erased before, and waits until the chip has stored them.
    ///
    /// # Errors
    /// `ERANGE` if they do not lie inside the area, `EINVAL` if they are no whole write blocks, `EACCES` if the flash is
    /// write-protected, otherwise the error of the driver.
    pub fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Error> {
        Ok(flash::write(self.handle, offset, bytes)?)
    }

    /// Erases bytes.
    ///
    /// # Errors
    /// `ERANGE` if they do not lie inside the area, `EINVAL` if they are no whole erase blocks, `EACCES` if the flash is
    /// write-protected, otherwise the error of the driver.
    pub fn erase(&mut self, offset: u32, length: u32) -> Result<(), Error> {
        Ok(flash::erase(self.handle, offset, length)?)
    }
}

impl Drop for FlashArea {
    fn drop(&mut self) {
        // The handle is open, so this cannot fail.
        let _ = flash::close(self.handle);
    }
}

/// An area with the block sizes that crates for `embedded-storage` want to know when they are compiled.
#[cfg(feature = "embedded-storage")]
#[derive(Debug)]
pub struct NorFlashArea<const WRITE: usize, const ERASE: usize>(FlashArea);

#[cfg(feature = "embedded-storage")]
mod nor {
    use super::{FlashArea, NorFlashArea};
    use crate::{Errno, Error};
    use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

    impl<const WRITE: usize, const ERASE: usize> NorFlashArea<WRITE, ERASE> {
        /// Takes an area whose blocks divide these sizes.
        ///
        /// # Errors
        /// `EINVAL` if they do not, or if the area has no whole number of them.
        pub fn new(area: FlashArea) -> Result<Self, Error> {
            // A size of 0 is no multiple of a block.
            let is_multiple = |size: usize, block: u32| size != 0 && size % block as usize == 0;
            let fits = is_multiple(WRITE, area.write_block) && is_multiple(ERASE, area.erase_block);
            match fits && ERASE % WRITE == 0 && area.size as usize % ERASE == 0 {
                true => Ok(NorFlashArea(area)),
                false => Err(Errno::Invalid.into()),
            }
        }

        /// Returns the area.
        pub fn area(&mut self) -> &mut FlashArea {
            &mut self.0
        }
    }

    impl NorFlashError for Error {
        fn kind(&self) -> NorFlashErrorKind {
            match self.0 {
                Errno::Range => NorFlashErrorKind::OutOfBounds,
                Errno::Invalid => NorFlashErrorKind::NotAligned,
                _ => NorFlashErrorKind::Other,
            }
        }
    }

    impl<const WRITE: usize, const ERASE: usize> ErrorType for NorFlashArea<WRITE, ERASE> {
        type Error = Error;
    }

    impl<const WRITE: usize, const ERASE: usize> ReadNorFlash for NorFlashArea<WRITE, ERASE> {
        const READ_SIZE: usize = 1;

        fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Error> {
            self.0.read(offset, bytes)
        }

        fn capacity(&self) -> usize {
            self.0.size as usize
        }
    }

    impl<const WRITE: usize, const ERASE: usize> NorFlash for NorFlashArea<WRITE, ERASE> {
        const WRITE_SIZE: usize = WRITE;
        const ERASE_SIZE: usize = ERASE;

        fn erase(&mut self, from: u32, to: u32) -> Result<(), Error> {
            let length = to.checked_sub(from).ok_or(Errno::Range)?;
            self.0.erase(from, length)
        }

        fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Error> {
            self.0.write(offset, bytes)
        }
    }
}

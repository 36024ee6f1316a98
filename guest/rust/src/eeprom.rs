// SPDX-License-Identifier: Apache-2.0
//! EEPROMs.

use crate::abi::eeprom;
use crate::Error;

/// An EEPROM that was granted. Closed when dropped.
#[derive(Debug)]
pub struct Eeprom {
    handle: u32,
    size: u32,
}

impl Eeprom {
    /// Opens the EEPROM granted as `label` in `eeprom-names`.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if its driver is not ready, `EBUSY` if another app has it open.
    pub fn open(label: &str) -> Result<Self, Error> {
        let handle = eeprom::open(label.as_bytes())?;
        Ok(Eeprom { handle, size: eeprom::size(handle)? })
    }

    /// Returns the number of bytes.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Reads bytes from an offset on.
    ///
    /// # Errors
    /// `ERANGE` if they do not lie inside the EEPROM, otherwise the error of the driver.
    pub fn read(&self, offset: u32, buffer: &mut [u8]) -> Result<(), Error> {
        Ok(eeprom::read(self.handle, offset, buffer)?)
    }

    /// Writes bytes from an offset on, and waits until the chip has stored them.
    ///
    /// # Errors
    /// `ERANGE` if they do not lie inside the EEPROM, `EACCES` if it is read-only, otherwise the error of the driver.
    pub fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Error> {
        Ok(eeprom::write(self.handle, offset, bytes)?)
    }
}

impl Drop for Eeprom {
    fn drop(&mut self) {
        // The handle is open, so this cannot fail.
        let _ = eeprom::close(self.handle);
    }
}

#[cfg(feature = "embedded-storage")]
impl embedded_storage::ReadStorage for Eeprom {
    type Error = Error;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Error> {
        Eeprom::read(self, offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.size as usize
    }
}

#[cfg(feature = "embedded-storage")]
impl embedded_storage::Storage for Eeprom {
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Error> {
        Eeprom::write(self, offset, bytes)
    }
}

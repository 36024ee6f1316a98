// SPDX-License-Identifier: Apache-2.0
//! Devices on I2C buses.

use crate::abi::i2c;
use crate::{Errno, Error};
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation, SevenBitAddress};

/// A device that was granted. To a driver crate it is a bus on which only that device answers. Calls
/// for another address end in *no acknowledge* without reaching the bus. Closed when dropped.
#[derive(Debug)]
pub struct I2cDevice {
    handle: u32,
    address: u8,
}

impl I2cDevice {
    /// Opens the device granted as `label`.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if its bus is not ready.
    pub fn open(label: &str) -> Result<Self, Error> {
        let handle = i2c::open(label.as_bytes())?;
        let address = i2c::address(handle)? as u8;
        Ok(I2cDevice { handle, address })
    }

    /// Returns the device's address on its bus.
    pub fn address(&self) -> u8 {
        self.address
    }

    fn addressed(&self, address: SevenBitAddress) -> Result<u32, Error> {
        if address == self.address {
            Ok(self.handle)
        } else {
            Err(Error(Errno::NoDevice))
        }
    }
}

impl Drop for I2cDevice {
    fn drop(&mut self) {
        // The handle is open, so this cannot fail.
        let _ = i2c::close(self.handle);
    }
}

impl embedded_hal::i2c::Error for Error {
    fn kind(&self) -> ErrorKind {
        match self.0 {
            Errno::NoDevice => ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown),
            Errno::Again => ErrorKind::ArbitrationLoss,
            Errno::Overflow => ErrorKind::Overrun,
            Errno::Io => ErrorKind::Bus,
            _ => ErrorKind::Other,
        }
    }
}

impl ErrorType for I2cDevice {
    type Error = Error;
}

/// A record as the host reads it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Record {
    kind: u32,
    address: u32,
    length: u32,
}

impl I2c for I2cDevice {
    fn read(&mut self, address: SevenBitAddress, buffer: &mut [u8]) -> Result<(), Error> {
        Ok(i2c::read(self.addressed(address)?, buffer)?)
    }

    fn write(&mut self, address: SevenBitAddress, bytes: &[u8]) -> Result<(), Error> {
        Ok(i2c::write(self.addressed(address)?, bytes)?)
    }

    fn write_read(&mut self, address: SevenBitAddress, bytes: &[u8], buffer: &mut [u8]) -> Result<(), Error> {
        Ok(i2c::write_read(self.addressed(address)?, bytes, buffer)?)
    }

    fn transaction(&mut self, address: SevenBitAddress, operations: &mut [Operation<'_>]) -> Result<(), Error> {
        let handle = self.addressed(address)?;
        let mut records = [Record { kind: i2c::WRITE, address: 0, length: 0 }; i2c::MAX_OPERATIONS as usize];
        let records = records.get_mut(..operations.len()).ok_or(Error(Errno::Invalid))?;
        // On wasm32, where there is a host, addresses and lengths have 32 bits.
        for (record, operation) in records.iter_mut().zip(operations) {
            *record = match operation {
                Operation::Read(buffer) => Record {
                    kind: i2c::READ,
                    address: buffer.as_mut_ptr() as usize as u32,
                    length: buffer.len() as u32,
                },
                Operation::Write(bytes) => {
                    Record { kind: i2c::WRITE, address: bytes.as_ptr() as usize as u32, length: bytes.len() as u32 }
                }
            };
        }
        let count = records.len() as u32;
        // SAFETY: the records are live and as described; each is that of a live slice, exclusive where
        // the host writes.
        unsafe { i2c::transaction(handle, records.as_mut_ptr().cast(), count)? };
        Ok(())
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Devices on SPI buses.

use crate::abi::spi;
use crate::{Errno, Error};
use embedded_hal::spi::{ErrorKind, ErrorType, Operation, SpiDevice as _};

/// A device that was granted, with its chip select: implements `embedded-hal`'s `SpiDevice`. Closed
/// when dropped.
#[derive(Debug)]
pub struct SpiDevice(u32);

impl SpiDevice {
    /// Opens the device granted as `label`.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if its bus is not ready.
    pub fn open(label: &str) -> Result<Self, Error> {
        Ok(SpiDevice(spi::open(label.as_bytes())?))
    }
}

impl Drop for SpiDevice {
    fn drop(&mut self) {
        // The handle is open, so this cannot fail.
        let _ = spi::close(self.0);
    }
}

impl embedded_hal::spi::Error for Error {
    fn kind(&self) -> ErrorKind {
        match self.0 {
            Errno::Overflow => ErrorKind::Overrun,
            _ => ErrorKind::Other,
        }
    }
}

impl ErrorType for SpiDevice {
    type Error = Error;
}

/// A record as the host reads it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Record {
    kind: u32,
    length: u32,
    write: u32,
    read: u32,
}

// On wasm32, where there is a host, addresses and lengths have 32 bits.

fn reads(buffer: &mut [u8]) -> Record {
    let read = buffer.as_mut_ptr() as usize as u32;
    Record { kind: spi::READ, length: buffer.len() as u32, write: 0, read }
}

fn writes(bytes: &[u8]) -> Record {
    let write = bytes.as_ptr() as usize as u32;
    Record { kind: spi::WRITE, length: bytes.len() as u32, write, read: 0 }
}

/// The records of one transaction, filled from the front.
struct Records {
    all: [Record; spi::MAX_OPERATIONS as usize],
    used: usize,
}

impl Records {
    fn push(&mut self, record: Record) -> Result<(), Error> {
        // One of no bytes, or no wait, is nothing.
        if record.length > 0 {
            *self.all.get_mut(self.used).ok_or(Error(Errno::Invalid))? = record;
            self.used += 1;
        }
        Ok(())
    }
}

impl embedded_hal::spi::SpiDevice for SpiDevice {
    /// Fails with `EINVAL` for more operations than the host takes (eight, where a transfer of two lengths counts
    /// twice) or for delays of more than a second. Fails with `ENOTSUP` for delays if the bus cannot keep the chip
    /// selected.
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Error> {
        let none = Record { kind: spi::WRITE, length: 0, write: 0, read: 0 };
        let mut records = Records { all: [none; spi::MAX_OPERATIONS as usize], used: 0 };
        for operation in operations {
            match operation {
                Operation::Read(buffer) => records.push(reads(buffer))?,
                Operation::Write(bytes) => records.push(writes(bytes))?,
                Operation::TransferInPlace(words) => {
                    let both = reads(words);
                    records.push(Record { kind: spi::TRANSFER, write: both.read, ..both })?;
                }
                Operation::Transfer(buffer, bytes) => {
                    let both = buffer.len().min(bytes.len());
                    let ((buffer, more_buffer), (bytes, more_bytes)) =
                        (buffer.split_at_mut(both), bytes.split_at(both));
                    let write = writes(bytes).write;
                    records.push(Record { kind: spi::TRANSFER, write, ..reads(buffer) })?;
                    records.push(reads(more_buffer))?;
                    records.push(writes(more_bytes))?;
                }
                Operation::DelayNs(ns) => {
                    records.push(Record { kind: spi::DELAY, length: *ns, write: 0, read: 0 })?;
                }
            }
        }
        // SAFETY: the records are live and as described; each is that of live slices, exclusive where
        // the host writes.
        unsafe { spi::transaction(self.0, records.all.as_mut_ptr().cast(), records.used as u32)? };
        Ok(())
    }
}

impl SpiDevice {
    /// Writes, then reads, while the chip stays selected.
    ///
    /// # Errors
    /// What the driver says.
    pub fn write_then_read(&mut self, bytes: &[u8], buffer: &mut [u8]) -> Result<(), Error> {
        self.transaction(&mut [Operation::Write(bytes), Operation::Read(buffer)])
    }
}

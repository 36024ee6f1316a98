// SPDX-License-Identifier: Apache-2.0
//! Serial ports.

use crate::abi::uart;
use crate::timeout::ms;
use crate::Error;
use core::time::Duration;

/// A port that was granted: implements `Read`, `ReadReady` and `Write` of `embedded-io`, and with the feature
/// `embedded-io-06` those of its version 0.6 too. Closed when dropped. What was written is still sent.
#[derive(Debug)]
pub struct Uart(u32);

/// Counts of reception errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UartErrors {
    /// Bytes that found the host's buffer full.
    pub lost: u32,
    /// Overruns, parity and framing errors, breaks.
    pub line: u32,
}

impl Uart {
    /// Opens the port granted as `label`.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `EBUSY` if another app has it, `ENODEV` if it is not ready.
    pub fn open(label: &str) -> Result<Self, Error> {
        Ok(Uart(uart::open(label.as_bytes())?))
    }

    /// Takes what was received, as much as there is and fits, waiting for at least one byte.
    ///
    /// # Errors
    /// `ETIMEDOUT` if nothing came in time.
    pub fn read_within(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize, Error> {
        Ok(uart::read(self.0, buffer, ms(timeout))? as usize)
    }

    /// Hands over bytes to be sent, as many as there is room for, waiting for room for one: how many.
    ///
    /// # Errors
    /// `ETIMEDOUT` if there was no room in time.
    pub fn write_within(&mut self, bytes: &[u8], timeout: Duration) -> Result<usize, Error> {
        Ok(uart::write(self.0, bytes, ms(timeout))? as usize)
    }

    /// Returns how many bytes were received and not read.
    ///
    /// # Errors
    /// None that a port can have while it is open.
    pub fn available(&self) -> Result<usize, Error> {
        Ok(uart::available(self.0)? as usize)
    }

    /// Chooses whether reception becomes events: see [`crate::next_event`]. One tells of data after all
    /// was read.
    ///
    /// # Errors
    /// `ENOTSUP` if the firmware has no events.
    pub fn watch(&mut self, on: bool) -> Result<(), Error> {
        Ok(uart::watch(self.0, u32::from(on))?)
    }

    /// Returns the reception errors since the last call.
    ///
    /// # Errors
    /// Returns the errors of [`Uart::available`].
    pub fn errors(&mut self) -> Result<UartErrors, Error> {
        let (lost, line) = uart::errors(self.0)?;
        Ok(UartErrors { lost, line })
    }

    /// Returns the number that events of this port carry.
    pub fn source(&self) -> u32 {
        self.0
    }
}

impl Drop for Uart {
    fn drop(&mut self) {
        // The handle is open, so this cannot fail.
        let _ = uart::close(self.0);
    }
}

/// The traits of one version of `embedded-io`.
macro_rules! embedded_io {
    ($io:ident) => {
        impl $io::Error for Error {
            fn kind(&self) -> $io::ErrorKind {
                match self.0 {
                    crate::Errno::TimedOut => $io::ErrorKind::TimedOut,
                    crate::Errno::Access => $io::ErrorKind::PermissionDenied,
                    crate::Errno::Invalid => $io::ErrorKind::InvalidInput,
                    crate::Errno::NotSupported | crate::Errno::NoSys => $io::ErrorKind::Unsupported,
                    _ => $io::ErrorKind::Other,
                }
            }
        }

        impl $io::ErrorType for Uart {
            type Error = Error;
        }

        impl $io::Read for Uart {
            fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
                Ok(uart::read(self.0, buffer, uart::FOREVER)? as usize)
            }
        }

        impl $io::ReadReady for Uart {
            fn read_ready(&mut self) -> Result<bool, Error> {
                Ok(self.available()? > 0)
            }
        }

        impl $io::Write for Uart {
            fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
                Ok(uart::write(self.0, bytes, uart::FOREVER)? as usize)
            }

            fn flush(&mut self) -> Result<(), Error> {
                Ok(uart::flush(self.0, uart::FOREVER)?)
            }
        }
    };
}

embedded_io!(embedded_io);
#[cfg(feature = "embedded-io-06")]
embedded_io!(embedded_io_06);

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_io::{Error as _, ErrorKind};

    #[test]
    fn errors_have_the_kinds_of_embedded_io() {
        assert_eq!(Error(crate::Errno::TimedOut).kind(), ErrorKind::TimedOut);
        assert_eq!(Uart::open("modem").unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

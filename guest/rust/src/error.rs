// SPDX-License-Identifier: Apache-2.0
//! The error of everything in this crate that asks the host.

use core::fmt;
use wisp_abi::Errno;

/// The error that the host answered instead of a result. Prints as the name of its number, `EACCES`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error(pub Errno);

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        Error(errno)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl core::error::Error for Error {}

impl embedded_hal::digital::Error for Error {
    fn kind(&self) -> embedded_hal::digital::ErrorKind {
        embedded_hal::digital::ErrorKind::Other
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Values that outlive a restart.

use crate::abi::kv as host;
use crate::{Errno, Error};

/// Reads a value into the buffer, and returns the part of it that was filled. `None` if the key has no value.
///
/// # Errors
/// `EMSGSIZE` if the buffer is too short, `EACCES` if the app has no storage, `EINVAL` for a bad key.
pub fn get<'a>(key: &str, buffer: &'a mut [u8]) -> Result<Option<&'a [u8]>, Error> {
    match host::get(key.as_bytes(), buffer) {
        Ok(length) => buffer.get(..length as usize).map(Some).ok_or(Error(Errno::MessageSize)),
        Err(Errno::NoEntry) => Ok(None),
        Err(errno) => Err(Error(errno)),
    }
}

/// Stores a value of 1 to [`host::MAX_VALUE`] bytes.
///
/// # Errors
/// `ENOSPC` if the app's quota is used up, else as [`get`].
pub fn set(key: &str, value: &[u8]) -> Result<(), Error> {
    Ok(host::set(key.as_bytes(), value)?)
}

/// Removes a value, if there is one.
///
/// # Errors
/// Returns the errors of [`get`].
pub fn remove(key: &str) -> Result<(), Error> {
    match host::remove(key.as_bytes()) {
        Ok(()) | Err(Errno::NoEntry) => Ok(()),
        Err(errno) => Err(Error(errno)),
    }
}

// SPDX-License-Identifier: Apache-2.0
//! What the hardware says of itself. The causes of a reset are constants of [`crate::abi::hwinfo`].

use crate::abi::hwinfo as host;
use crate::{Errno, Error};

/// Reads the identifier of the hardware into the buffer, and returns the part of it that was filled. It has at most
/// [`host::MAX_ID`] bytes.
///
/// # Errors
/// `EACCES` if it was not granted, `ENOTSUP` if the hardware has none, `EMSGSIZE` if the buffer is too short.
pub fn device_id(buffer: &mut [u8]) -> Result<&[u8], Error> {
    let length = host::device_id(buffer)?;
    buffer.get(..length as usize).ok_or(Error(Errno::MessageSize))
}

/// Returns why the hardware was reset: bits such as [`host::WATCHDOG`], 0 if the cause is unknown.
///
/// # Errors
/// `EACCES` if it was not granted, `ENOTSUP` if the hardware does not tell.
pub fn reset_cause() -> Result<u32, Error> {
    Ok(host::reset_cause()?)
}

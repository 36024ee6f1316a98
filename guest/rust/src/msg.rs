// SPDX-License-Identifier: Apache-2.0
//! Messages between apps, and between apps and the firmware.

use crate::abi::msg;
use crate::{Errno, Error};

/// A channel to publish on. Closed when dropped.
#[derive(Debug)]
pub struct Publisher(u32);

impl Publisher {
    /// Opens a channel that the node's `publishes` lists, by the name of the channel's node.
    ///
    /// # Errors
    /// `EACCES` if it was not granted.
    pub fn open(channel: &str) -> Result<Self, Error> {
        Ok(Publisher(msg::open(channel.as_bytes(), msg::PUBLISH)?))
    }

    /// Returns the number of bytes of each message.
    pub fn size(&self) -> u32 {
        // The handle is open, so this cannot fail.
        msg::size(self.0).unwrap_or(0)
    }

    /// Publishes a message, and returns how many apps lost it because their queue was full.
    ///
    /// # Errors
    /// `EMSGSIZE` if it is not [`Publisher::size`] long, `EAGAIN` if others keep the channel,
    /// `EINVAL` if the firmware does not allow the message.
    pub fn publish(&mut self, message: &[u8]) -> Result<u32, Error> {
        Ok(msg::publish(self.0, message)?)
    }

    /// Returns the number of messages that every subscribed app can still take.
    pub fn room(&self) -> u32 {
        // As in `size`.
        msg::room(self.0).unwrap_or(0)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        // As above.
        let _ = msg::close(self.0);
    }
}

/// A channel to receive from, with a queue of its own. Closed when dropped.
#[derive(Debug)]
pub struct Subscriber(u32);

impl Subscriber {
    /// Opens a channel that the node's `subscribes` lists. Messages queue up from now on.
    ///
    /// # Errors
    /// `EACCES` if it was not granted.
    pub fn open(channel: &str) -> Result<Self, Error> {
        Ok(Subscriber(msg::open(channel.as_bytes(), msg::SUBSCRIBE)?))
    }

    /// Returns the number that events of this channel carry: see [`crate::EventKind::Message`].
    pub fn source(&self) -> u32 {
        self.0
    }

    /// Returns the number of bytes of each message.
    pub fn size(&self) -> u32 {
        // The handle is open, so this cannot fail.
        msg::size(self.0).unwrap_or(0)
    }

    /// Takes the oldest message, without waiting: the part of the buffer that it fills, or `None`.
    ///
    /// # Errors
    /// `EMSGSIZE` if the buffer is too short.
    pub fn receive<'a>(&mut self, buffer: &'a mut [u8]) -> Result<Option<&'a [u8]>, Error> {
        match msg::receive(self.0, buffer) {
            Ok(length) => Ok(buffer.get(..length as usize)),
            Err(Errno::Again) => Ok(None),
            Err(errno) => Err(Error(errno)),
        }
    }

    /// Returns the number of messages that found the queue full since the last call.
    pub fn lost(&mut self) -> u32 {
        // As in `size`.
        msg::lost(self.0).unwrap_or(0)
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        // As above.
        let _ = msg::close(self.0);
    }
}

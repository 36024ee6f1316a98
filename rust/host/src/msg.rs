// SPDX-License-Identifier: Apache-2.0
//! `wisp:msg@1`.

use crate::bindings::MsgV1;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{msg, Errno};

/// Channels of messages that the app was granted. `channel` is an index into its grants, from [`Msg::find_msg`]. Other
/// calls come only for channels that are open, with messages of the right size. A board without messages implements
/// nothing.
pub trait Msg {
    /// Returns the index of the grant with this label and direction, below [`msg::MAX_CHANNELS`].
    fn find_msg(&self, _label: &[u8], _publish: bool) -> Option<u32> {
        None
    }

    /// Returns true if the grant is one to publish.
    fn publishes(&self, _channel: u32) -> bool {
        false
    }

    /// Returns the number of bytes of each message.
    fn msg_size(&self, _channel: u32) -> u32 {
        0
    }

    /// Opens a channel. If it is one to receive, its queue is empty and fills from now on.
    ///
    /// # Errors
    /// `ENODEV` if the channel is not what its grant says.
    fn open_msg(&mut self, _channel: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Closes a channel.
    fn close_msg(&mut self, _channel: u32) {}

    /// Publishes, and returns how many apps had no room.
    ///
    /// # Errors
    /// `EAGAIN` if others are publishing, `EINVAL` if the firmware refuses the message.
    fn publish_msg(&mut self, _channel: u32, _message: &[u8]) -> Result<u32, Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Returns the number of messages that all subscribed apps have room for, or `u32::MAX` if there is none.
    fn msg_room(&self, _channel: u32) -> u32 {
        u32::MAX
    }

    /// Takes the oldest message into a buffer of its size.
    ///
    /// # Errors
    /// `EAGAIN` if there is none.
    fn receive_msg(&mut self, _channel: u32, _message: &mut [u8]) -> Result<(), Errno> {
        Err(Errno::Again)
    }

    /// Returns the number of messages that were lost since the last call.
    fn take_lost_msgs(&mut self, _channel: u32) -> u32 {
        0
    }
}

/// The largest number that a result can be.
const MOST: u32 = i32::MAX as u32;

impl<P: Platform> App<P> {
    fn direction(&self, channel: u32, publish: bool) -> Result<(), Errno> {
        self.open.msg.check(channel)?;
        if self.platform.publishes(channel) == publish {
            Ok(())
        } else {
            Err(Errno::Perm)
        }
    }
}

/// Closes the app's channels.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    while let Some(channel) = app.open.msg.pop() {
        app.platform.close_msg(channel);
    }
}

impl<P: Platform> MsgV1 for App<P> {
    fn open(&mut self, label: &[u8], direction: u32) -> Result<u32, Failure<Errno>> {
        let publish = match direction {
            msg::PUBLISH => true,
            msg::SUBSCRIBE => false,
            _ => return Err(Errno::Invalid.into()),
        };
        let channel = self.granted(self.platform.find_msg(label, publish), msg::INTERFACE.module, label)?;
        self.platform.open_msg(channel)?;
        self.open.msg.set(channel, true);
        Ok(channel)
    }

    fn close(&mut self, channel: u32) -> Result<(), Failure<Errno>> {
        self.open.msg.check(channel)?;
        self.open.msg.set(channel, false);
        self.platform.close_msg(channel);
        Ok(())
    }

    fn size(&mut self, channel: u32) -> Result<u32, Failure<Errno>> {
        self.open.msg.check(channel)?;
        Ok(self.platform.msg_size(channel))
    }

    fn publish(&mut self, channel: u32, message: &[u8]) -> Result<u32, Failure<Errno>> {
        self.direction(channel, true)?;
        if message.len() != self.platform.msg_size(channel) as usize {
            return Err(Errno::MessageSize.into());
        }
        Ok(self.platform.publish_msg(channel, message)?.min(MOST))
    }

    fn room(&mut self, channel: u32) -> Result<u32, Failure<Errno>> {
        self.direction(channel, true)?;
        Ok(self.platform.msg_room(channel).min(MOST))
    }

    fn receive(&mut self, channel: u32, buffer: &mut [u8]) -> Result<u32, Failure<Errno>> {
        self.direction(channel, false)?;
        let size = self.platform.msg_size(channel);
        let message = buffer.get_mut(..size as usize).ok_or(Errno::MessageSize)?;
        self.platform.receive_msg(channel, message)?;
        Ok(size)
    }

    fn lost(&mut self, channel: u32) -> Result<u32, Failure<Errno>> {
        self.direction(channel, false)?;
        Ok(self.platform.take_lost_msgs(channel).min(MOST))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Harness, MSG};
    use wisp_abi::msg::{PUBLISH, SUBSCRIBE};

    fn open(harness: &mut Harness, label: &str, direction: u32) -> i32 {
        harness.memory[..label.len()].copy_from_slice(label.as_bytes());
        harness.i32(MSG, "open", &[0, label.len() as u32, direction])
    }

    /// Returns the harness with both channels open: 0 to publish, 1 to receive. Messages have four bytes.
    fn harness() -> Harness {
        let mut harness = Harness::new();
        assert_eq!(open(&mut harness, "out", PUBLISH), 0);
        assert_eq!(open(&mut harness, "in", SUBSCRIBE), 1);
        harness
    }

    #[test]
    fn a_message_of_the_right_size_is_published() {
        let mut harness = harness();
        harness.memory[100..104].copy_from_slice(b"ping");
        assert_eq!(harness.i32(MSG, "size", &[0]), 4);
        assert_eq!(harness.i32(MSG, "publish", &[0, 100, 4]), 2, "two had no room");
        assert_eq!(harness.app.platform().published, [*b"ping"]);
        assert_eq!(harness.i32(MSG, "room", &[0]), i32::MAX);
        for length in [0, 3, 5] {
            assert_eq!(harness.i32(MSG, "publish", &[0, 100, length]), -122);
        }
        assert_eq!(harness.i32(MSG, "publish", &[0, 510, 4]), -14);
    }

    #[test]
    fn messages_are_received_in_order_until_there_is_none() {
        let mut harness = harness();
        harness.app.platform_mut().messages.extend([*b"one.", *b"two."]);
        assert_eq!(harness.i32(MSG, "receive", &[1, 200, 3]), -122);
        assert_eq!(harness.i32(MSG, "receive", &[1, 200, 8]), 4);
        assert_eq!(&harness.memory[200..208], b"one.\0\0\0\0");
        assert_eq!(harness.i32(MSG, "receive", &[1, 200, 4]), 4);
        assert_eq!(&harness.memory[200..204], b"two.");
        assert_eq!(harness.i32(MSG, "receive", &[1, 200, 4]), -11);
        assert_eq!(harness.i32(MSG, "lost", &[1]), 7);
    }

    #[test]
    fn a_direction_that_was_not_granted_or_opened_is_refused() {
        let mut harness = harness();
        assert_eq!(open(&mut harness, "out", SUBSCRIBE), -13);
        assert_eq!(open(&mut harness, "in", PUBLISH), -13);
        assert_eq!(open(&mut harness, "other", PUBLISH), -13);
        assert_eq!(open(&mut harness, "out", 3), -22);
        assert_eq!(harness.app.platform().denied.len(), 3);
        assert_eq!(harness.i32(MSG, "receive", &[0, 200, 4]), -1);
        assert_eq!(harness.i32(MSG, "lost", &[0]), -1);
        assert_eq!(harness.i32(MSG, "publish", &[1, 200, 4]), -1);
        assert_eq!(harness.i32(MSG, "room", &[1]), -1);
    }

    #[test]
    fn what_is_closed_or_was_never_open_is_no_handle() {
        let mut harness = harness();
        assert_eq!(harness.i32(MSG, "close", &[0]), 0);
        for handle in [0, 2, 32, u32::MAX] {
            assert_eq!(harness.i32(MSG, "publish", &[handle, 100, 4]), -9);
            assert_eq!(harness.i32(MSG, "receive", &[handle, 100, 4]), -9);
            for name in ["size", "room", "lost", "close"] {
                assert_eq!(harness.i32(MSG, name, &[handle]), -9, "{name} {handle}");
            }
        }
        harness.app.release();
        assert_eq!(harness.app.platform().closed, [0, 1], "the end of the app closes the rest");
        assert_eq!(harness.i32(MSG, "size", &[1]), -9);
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Channels of messages: zbus.

use crate::platform::Zephyr;
use wisp_host::platform::Msg;

#[cfg(not(feature = "msg"))]
impl Msg for Zephyr {}

#[cfg(feature = "msg")]
mod driver {
    use super::{Msg, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::Errno;

    impl Msg for Zephyr {
        fn find_msg(&self, label: &[u8], publish: bool) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_msg_find(self.app, label.as_ptr(), label.len(), publish) };
            u32::try_from(index).ok()
        }

        fn publishes(&self, channel: u32) -> bool {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_msg_publishes(self.app, channel) }
        }

        fn msg_size(&self, channel: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_msg_size(self.app, channel) }
        }

        fn open_msg(&mut self, channel: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_msg_open(self.app, channel) })
        }

        fn close_msg(&mut self, channel: u32) {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_msg_close(self.app, channel) }
        }

        fn publish_msg(&mut self, channel: u32, message: &[u8]) -> Result<u32, Errno> {
            let mut lost = 0;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; the message is as long as
            // the shim expects, which `Msg` promises and the shim checks; `lost` is written on success.
            check(unsafe {
                shim::wisp_shim_msg_publish(self.app, channel, message.as_ptr(), message.len(), &mut lost)
            })?;
            Ok(lost)
        }

        fn msg_room(&self, channel: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_msg_room(self.app, channel) }
        }

        fn receive_msg(&mut self, channel: u32, message: &mut [u8]) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; pointer and length are those
            // of one exclusive slice.
            check(unsafe { shim::wisp_shim_msg_receive(self.app, channel, message.as_mut_ptr(), message.len()) })
        }

        fn take_lost_msgs(&mut self, channel: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_msg_lost(self.app, channel) }
        }
    }
}

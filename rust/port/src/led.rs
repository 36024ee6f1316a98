// SPDX-License-Identifier: Apache-2.0
//! LEDs.

use crate::platform::Zephyr;
use wisp_host::platform::Led;

#[cfg(not(feature = "led"))]
impl Led for Zephyr {}

#[cfg(feature = "led")]
mod driver {
    use super::{Led, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::Errno;

    impl Led for Zephyr {
        fn find_led(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_led_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_led(&mut self, led: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_led_open(self.app, led) })
        }

        fn close_led(&mut self, led: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_led_close(self.app, led) })
        }

        fn set_led(&mut self, led: u32, percent: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_led_set(self.app, led, percent) })
        }

        fn color_led(&mut self, led: u32, channels: &[u8]) -> Result<(), Errno> {
            // The host passes at most 8 channels.
            let count = channels.len() as u32;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; pointer and count are those
            // of one slice, which is only read.
            check(unsafe { shim::wisp_shim_led_color(self.app, led, channels.as_ptr(), count) })
        }

        fn blink_led(&mut self, led: u32, on: u32, off: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_led_blink(self.app, led, on, off) })
        }
    }
}

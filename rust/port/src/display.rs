// SPDX-License-Identifier: Apache-2.0
//! Displays.

use crate::platform::Zephyr;
use wisp_host::platform::Display;

#[cfg(not(feature = "display"))]
impl Display for Zephyr {}

#[cfg(feature = "display")]
mod driver {
    use super::{Display, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::platform::{DisplayInfo, Rectangle};
    use wisp_host::Errno;

    impl Display for Zephyr {
        fn find_display(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_display_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_display(&mut self, display: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_display_open(self.app, display) })
        }

        fn close_display(&mut self, display: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_display_close(self.app, display) })
        }

        fn display_info(&self, display: u32) -> DisplayInfo {
            let mut info = shim::wisp_display_info { width: 0, height: 0, format: 0, layout: 0 };
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; the record is written.
            unsafe { shim::wisp_shim_display_info(self.app, display, &mut info) };
            DisplayInfo { width: info.width, height: info.height, format: info.format, layout: info.layout }
        }

        fn write_display(&mut self, display: u32, to: Rectangle, pixels: &[u8]) -> Result<(), Errno> {
            let Rectangle { x, y, width, height, is_last } = to;
            let to = shim::wisp_display_rectangle { x, y, width, height, is_last };
            // No guest has 4 GiB of memory, so the length fits.
            let length = pixels.len() as u32;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; the host has checked that the
            // rectangle has so many bytes of pixels, which are only read.
            check(unsafe { shim::wisp_shim_display_write(self.app, display, &to, pixels.as_ptr(), length) })
        }

        fn show_display(&mut self, display: u32, on: bool) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_display_show(self.app, display, on) })
        }

        fn set_display_brightness(&mut self, display: u32, brightness: u8) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_display_brightness(self.app, display, brightness) })
        }
    }
}

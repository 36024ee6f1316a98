// SPDX-License-Identifier: Apache-2.0
//! LED strips.

use crate::platform::Zephyr;
use wisp_host::platform::Strip;

#[cfg(not(feature = "strip"))]
impl Strip for Zephyr {}

#[cfg(feature = "strip")]
mod driver {
    use super::{Strip, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::abi::strip;
    use wisp_host::Errno;

    impl Strip for Zephyr {
        fn find_strip(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_strip_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_strip(&mut self, strip: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_strip_open(self.app, strip) })
        }

        fn close_strip(&mut self, strip: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_strip_close(self.app, strip) })
        }

        fn strip_length(&self, strip: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_strip_length(self.app, strip) }
        }

        fn write_strip(&mut self, strip: u32, colors: &[u8]) -> Result<(), Errno> {
            // No guest has 4 GiB of memory, so the count fits.
            let count = colors.len() as u32 / strip::COLOR;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; it reads three bytes for each
            // LED, which the slice has.
            check(unsafe { shim::wisp_shim_strip_write(self.app, strip, colors.as_ptr(), count) })
        }
    }
}

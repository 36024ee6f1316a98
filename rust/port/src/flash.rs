// SPDX-License-Identifier: Apache-2.0
//! Areas of flash.

use crate::platform::Zephyr;
use wisp_host::platform::Flash;

#[cfg(not(feature = "flash"))]
impl Flash for Zephyr {}

#[cfg(feature = "flash")]
mod driver {
    use super::{Flash, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::platform::FlashInfo;
    use wisp_host::Errno;

    impl Flash for Zephyr {
        fn find_flash(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_area_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_flash(&mut self, flash: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_area_open(self.app, flash) })
        }

        fn close_flash(&mut self, flash: u32) {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_area_close(self.app, flash) }
        }

        fn flash_info(&self, flash: u32) -> FlashInfo {
            let mut info = shim::wisp_flash_geometry { size: 0, erase_block: 1, write_block: 1, erased: 0 };
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; the record is written.
            unsafe { shim::wisp_shim_area_info(self.app, flash, &mut info) };
            let shim::wisp_flash_geometry { size, erase_block, write_block, erased } = info;
            FlashInfo { size, erase_block, write_block, erased }
        }

        fn read_flash(&mut self, flash: u32, offset: u32, buffer: &mut [u8]) -> Result<(), Errno> {
            // The host passes pieces of some bytes.
            let length = buffer.len() as u32;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; pointer and length are those
            // of one exclusive slice.
            check(unsafe { shim::wisp_shim_area_read(self.app, flash, offset, buffer.as_mut_ptr(), length) })
        }

        fn write_flash(&mut self, flash: u32, offset: u32, bytes: &[u8]) -> Result<(), Errno> {
            let length = bytes.len() as u32;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; pointer and length are those
            // of one slice, which is only read.
            check(unsafe { shim::wisp_shim_area_write(self.app, flash, offset, bytes.as_ptr(), length) })
        }

        fn erase_flash(&mut self, flash: u32, offset: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_area_erase(self.app, flash, offset) })
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! EEPROMs.

use crate::platform::Zephyr;
use wisp_host::platform::Eeprom;

#[cfg(not(feature = "eeprom"))]
impl Eeprom for Zephyr {}

#[cfg(feature = "eeprom")]
mod driver {
    use super::{Eeprom, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::Errno;

    impl Eeprom for Zephyr {
        fn find_eeprom(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_eeprom_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_eeprom(&mut self, eeprom: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_eeprom_open(self.app, eeprom) })
        }

        fn close_eeprom(&mut self, eeprom: u32) {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_eeprom_close(self.app, eeprom) }
        }

        fn eeprom_size(&self, eeprom: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_eeprom_size(self.app, eeprom) }
        }

        fn read_eeprom(&mut self, eeprom: u32, offset: u32, buffer: &mut [u8]) -> Result<(), Errno> {
            // The host passes pieces of some bytes.
            let length = buffer.len() as u32;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; pointer and length are those
            // of one exclusive slice.
            check(unsafe { shim::wisp_shim_eeprom_read(self.app, eeprom, offset, buffer.as_mut_ptr(), length) })
        }

        fn write_eeprom(&mut self, eeprom: u32, offset: u32, bytes: &[u8]) -> Result<(), Errno> {
            let length = bytes.len() as u32;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; pointer and length are those
            // of one slice, which is only read.
            check(unsafe { shim::wisp_shim_eeprom_write(self.app, eeprom, offset, bytes.as_ptr(), length) })
        }
    }
}

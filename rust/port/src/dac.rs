// SPDX-License-Identifier: Apache-2.0
//! Analog outputs.

use crate::platform::Zephyr;
use wisp_host::platform::Dac;

#[cfg(not(feature = "dac"))]
impl Dac for Zephyr {}

#[cfg(feature = "dac")]
mod driver {
    use super::{Dac, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::Errno;

    impl Dac for Zephyr {
        fn find_dac(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_dac_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_dac(&mut self, output: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_dac_setup(self.app, output) })
        }

        fn dac_resolution(&self, output: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_dac_resolution(self.app, output) }
        }

        fn write_dac(&mut self, output: u32, value: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_dac_write(self.app, output, value) })
        }
    }
}

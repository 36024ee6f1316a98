// SPDX-License-Identifier: Apache-2.0
//! Analog inputs.

use crate::platform::Zephyr;
use wisp_host::platform::Adc;

#[cfg(not(feature = "adc"))]
impl Adc for Zephyr {}

#[cfg(feature = "adc")]
mod driver {
    use super::{Adc, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::Errno;

    impl Adc for Zephyr {
        fn find_adc(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_adc_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_adc(&mut self, channel: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_adc_setup(self.app, channel) })
        }

        fn adc_resolution(&self, channel: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_adc_resolution(self.app, channel) }
        }

        fn read_adc(&mut self, channel: u32) -> Result<i32, Errno> {
            let mut value = 0;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; `value` is written before
            // the shim returns.
            check(unsafe { shim::wisp_shim_adc_read(self.app, channel, false, &mut value) })?;
            Ok(value)
        }

        fn read_adc_uv(&mut self, channel: u32) -> Result<i32, Errno> {
            let mut value = 0;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; `value` is written before
            // the shim returns.
            check(unsafe { shim::wisp_shim_adc_read(self.app, channel, true, &mut value) })?;
            Ok(value)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Pulse-width modulated outputs.

use crate::platform::Zephyr;
use wisp_host::platform::Pwm;

#[cfg(not(feature = "pwm"))]
impl Pwm for Zephyr {}

#[cfg(feature = "pwm")]
mod driver {
    use super::{Pwm, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::Errno;

    impl Pwm for Zephyr {
        fn find_pwm(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_pwm_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_pwm(&mut self, output: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_pwm_ready(self.app, output) })
        }

        fn pwm_period(&self, output: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_pwm_period(self.app, output) }
        }

        fn set_pwm(&mut self, output: u32, pulse: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_pwm_set(self.app, output, pulse) })
        }
    }
}

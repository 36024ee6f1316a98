// SPDX-License-Identifier: Apache-2.0
//! Counters and their alarms.

use crate::platform::Zephyr;
use wisp_host::platform::Counter;

#[cfg(not(feature = "counter"))]
impl Counter for Zephyr {}

#[cfg(feature = "counter")]
mod driver {
    use super::{Counter, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::Errno;

    impl Counter for Zephyr {
        fn find_counter(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_counter_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_counter(&mut self, counter: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_counter_open(self.app, counter) })
        }

        fn close_counter(&mut self, counter: u32) {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_counter_close(self.app, counter) }
        }

        fn counter_frequency(&self, counter: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_counter_frequency(self.app, counter) }
        }

        fn counter_top(&self, counter: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_counter_top(self.app, counter) }
        }

        fn read_counter(&mut self, counter: u32) -> Result<u32, Errno> {
            let mut ticks = 0;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index and writes the ticks or leaves
            // them as they are.
            check(unsafe { shim::wisp_shim_counter_read(self.app, counter, &mut ticks) })?;
            Ok(ticks)
        }

        fn set_counter_alarm(&mut self, counter: u32, ticks: Option<u32>) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_counter_alarm(self.app, counter, ticks.unwrap_or(0)) })
        }
    }
}

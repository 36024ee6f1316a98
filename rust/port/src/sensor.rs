// SPDX-License-Identifier: Apache-2.0
//! Sensors with a driver in the firmware.

use crate::platform::Zephyr;
use wisp_host::platform::Sensor;

#[cfg(not(feature = "sensor"))]
impl Sensor for Zephyr {}

#[cfg(feature = "sensor")]
mod driver {
    use super::{Sensor, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::Errno;

    impl Sensor for Zephyr {
        fn find_sensor(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_sensor_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_sensor(&mut self, sensor: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_sensor_ready(self.app, sensor) })
        }

        fn fetch_sensor(&mut self, sensor: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_sensor_fetch(self.app, sensor) })
        }

        fn get_sensor(&mut self, sensor: u32, channel: u32) -> Result<i64, Errno> {
            let mut value = 0;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; `value` is written before
            // the shim returns success.
            check(unsafe { shim::wisp_shim_sensor_get(self.app, sensor, channel, &mut value) })?;
            Ok(value)
        }
    }
}

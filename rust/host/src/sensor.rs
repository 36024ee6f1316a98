// SPDX-License-Identifier: Apache-2.0
//! `wisp:sensor@1`.

use crate::bindings::SensorV1;
use crate::handles::Handles;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{sensor, Errno};

/// Sensors that the app was granted. `sensor` is an index into its grants, from [`Sensor::find_sensor`]. Other calls
/// come only for sensors that are open. A board without sensors implements nothing.
pub trait Sensor {
    /// Returns the index of the grant with this label, below [`sensor::MAX_SENSORS`].
    fn find_sensor(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Checks that the sensor is ready.
    ///
    /// # Errors
    /// `ENODEV` if it is not.
    fn open_sensor(&mut self, _sensor: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Takes a sample.
    ///
    /// # Errors
    /// The error of the driver.
    fn fetch_sensor(&mut self, _sensor: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Returns a channel of the last sample, a constant of [`sensor`], in millionths.
    ///
    /// # Errors
    /// `ENOTSUP` if the sensor does not have the channel, otherwise the error of the driver.
    fn get_sensor(&mut self, _sensor: u32, _channel: u32) -> Result<i64, Errno> {
        Err(Errno::NoSuchDevice)
    }
}

/// Forgets all handles of the app.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    app.open.sensor = Handles::new();
}

impl<P: Platform> SensorV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let found = self.granted(self.platform.find_sensor(label), sensor::INTERFACE.module, label)?;
        self.platform.open_sensor(found)?;
        self.open.sensor.set(found, true);
        Ok(found)
    }

    fn close(&mut self, sensor: u32) -> Result<(), Failure<Errno>> {
        self.open.sensor.check(sensor)?;
        self.open.sensor.set(sensor, false);
        Ok(())
    }

    fn fetch(&mut self, sensor: u32) -> Result<(), Failure<Errno>> {
        self.open.sensor.check(sensor)?;
        Ok(self.platform.fetch_sensor(sensor)?)
    }

    fn get(&mut self, sensor: u32, channel: u32) -> Result<i64, Failure<Errno>> {
        self.open.sensor.check(sensor)?;
        if channel >= sensor::CHANNEL_COUNT {
            return Err(Errno::Invalid.into());
        }
        Ok(self.platform.get_sensor(sensor, channel)?)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Harness, SENSOR};
    use wisp_abi::Errno;

    #[test]
    fn a_sample_is_taken_and_read_by_channel() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(SENSOR, "ambient"), 0);
        assert_eq!(harness.i32(SENSOR, "fetch", &[0]), 0);
        assert_eq!(harness.i32(SENSOR, "get", &[0, 10, 64]), 0);
        assert_eq!(harness.memory[64..72], (-1_500_000i64).to_le_bytes());
        assert_eq!(harness.i32(SENSOR, "get", &[0, 0, 64]), -134);
        for channel in [26, u32::MAX] {
            assert_eq!(harness.i32(SENSOR, "get", &[0, channel, 64]), -22);
        }
    }

    #[test]
    fn what_is_not_open_or_granted_is_refused_and_errors_come_through() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(SENSOR, "outside"), -13);
        for handle in [0, 1, 32, u32::MAX] {
            assert_eq!(harness.i32(SENSOR, "fetch", &[handle]), -9);
            assert_eq!(harness.i32(SENSOR, "get", &[handle, 0, 64]), -9);
            assert_eq!(harness.i32(SENSOR, "close", &[handle]), -9);
        }
        harness.open_in(SENSOR, "ambient");
        let size = harness.memory.len() as u32;
        assert_eq!(harness.i32(SENSOR, "get", &[0, 10, size - 7]), -14);
        harness.app.platform_mut().bus_error = Some(Errno::Io);
        assert_eq!(harness.i32(SENSOR, "fetch", &[0]), -5);
        assert_eq!(harness.i32(SENSOR, "close", &[0]), 0);
        assert_eq!(harness.i32(SENSOR, "fetch", &[0]), -9);
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Sensors with a driver in the firmware.

pub use crate::abi::sensor as channel;
use crate::abi::sensor;
use crate::Error;

/// A sensor that was granted. Closed when dropped.
#[derive(Debug)]
pub struct Sensor(u32);

impl Sensor {
    /// Opens the sensor granted as `label`.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if it is not ready.
    pub fn open(label: &str) -> Result<Self, Error> {
        Ok(Sensor(sensor::open(label.as_bytes())?))
    }

    /// Takes a sample of all channels.
    ///
    /// # Errors
    /// What the driver says.
    pub fn fetch(&mut self) -> Result<(), Error> {
        Ok(sensor::fetch(self.0)?)
    }

    /// Returns a channel of the last sample, a constant of [`channel`], in millionths of its unit.
    ///
    /// # Errors
    /// `ENOTSUP` if the sensor does not have it.
    pub fn get(&self, channel: u32) -> Result<i64, Error> {
        Ok(sensor::get(self.0, channel)?)
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        // The handle is open, so this cannot fail.
        let _ = sensor::close(self.0);
    }
}

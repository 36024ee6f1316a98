// SPDX-License-Identifier: Apache-2.0
//! Analog inputs. `embedded-hal` 1.0 has no trait for them.

use crate::abi::adc;
use crate::Error;

/// An analog input that was granted. Closed when dropped.
#[derive(Debug)]
pub struct AnalogInput(u32);

impl AnalogInput {
    /// Opens the channel granted as `label` in `io-channel-names`.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if its converter is not ready.
    pub fn open(label: &str) -> Result<Self, Error> {
        Ok(AnalogInput(adc::open(label.as_bytes())?))
    }

    /// Converts, and returns the converter's number, of [`AnalogInput::resolution`] bits.
    ///
    /// # Errors
    /// What the driver says.
    pub fn read(&mut self) -> Result<i32, Error> {
        Ok(adc::read(self.0)?)
    }

    /// Converts, and returns the microvolts at the input.
    ///
    /// # Errors
    /// `ENOTSUP` if the reference is not known, else what the driver says.
    pub fn read_microvolts(&mut self) -> Result<i32, Error> {
        Ok(adc::read_uv(self.0)?)
    }

    /// Returns the bits of a converted value.
    pub fn resolution(&self) -> u32 {
        // The handle is open, so this cannot fail.
        adc::resolution(self.0).unwrap_or(0)
    }
}

impl Drop for AnalogInput {
    fn drop(&mut self) {
        // As above.
        let _ = adc::close(self.0);
    }
}

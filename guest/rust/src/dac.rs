// SPDX-License-Identifier: Apache-2.0
//! Analog outputs. `embedded-hal` 1.0 has no trait for them.

use crate::abi::dac;
use crate::Error;

/// An analog output that was granted. Set to 0 and closed when dropped.
#[derive(Debug)]
pub struct AnalogOutput(u32);

impl AnalogOutput {
    /// Opens the output granted as `label` in `dac-names`, which is 0 at first.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if its converter is not ready, `ENOTSUP` if the converter does not
    /// have this output or its resolution.
    pub fn open(label: &str) -> Result<Self, Error> {
        Ok(AnalogOutput(dac::open(label.as_bytes())?))
    }

    /// Returns the bits of a value.
    pub fn resolution(&self) -> u32 {
        // The handle is open, so this cannot fail.
        dac::resolution(self.0).unwrap_or(0)
    }

    /// Sets the output to a value from 0 to 2^resolution - 1.
    ///
    /// # Errors
    /// `EINVAL` if the value has more bits, otherwise the error of the driver.
    pub fn write(&mut self, value: u32) -> Result<(), Error> {
        Ok(dac::write(self.0, value)?)
    }
}

impl Drop for AnalogOutput {
    fn drop(&mut self) {
        // Nothing can be done about a driver that fails while the output is given up.
        let _ = dac::close(self.0);
    }
}

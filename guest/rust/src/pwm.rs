// SPDX-License-Identifier: Apache-2.0
//! Pulse-width modulated outputs.

use crate::abi::pwm;
use crate::{Errno, Error};
use core::time::Duration;
use embedded_hal::pwm::{ErrorKind, ErrorType, SetDutyCycle};

/// An output that was granted. Inactive and closed when dropped.
#[derive(Debug)]
pub struct PwmOutput {
    handle: u32,
    /// Nanoseconds.
    period: u32,
}

impl PwmOutput {
    /// Opens the output granted as `label`, inactive at first.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if its controller is not ready.
    pub fn open(label: &str) -> Result<Self, Error> {
        let handle = pwm::open(label.as_bytes())?;
        Ok(PwmOutput { handle, period: pwm::period(handle)? })
    }

    /// Returns the period, which is the board's choice.
    pub fn period(&self) -> Duration {
        Duration::from_nanos(u64::from(self.period))
    }

    /// Sets how long the output is active in each period.
    ///
    /// # Errors
    /// `EINVAL` if that is longer than the period, else what the driver says.
    pub fn set_pulse(&mut self, pulse: Duration) -> Result<(), Error> {
        let pulse = u32::try_from(pulse.as_nanos()).map_err(|_| Error(Errno::Invalid))?;
        Ok(pwm::set(self.handle, pulse)?)
    }
}

impl Drop for PwmOutput {
    fn drop(&mut self) {
        // Nothing can be done about a driver that fails while the output is given up.
        let _ = pwm::close(self.handle);
    }
}

impl embedded_hal::pwm::Error for Error {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for PwmOutput {
    type Error = Error;
}

impl SetDutyCycle for PwmOutput {
    fn max_duty_cycle(&self) -> u16 {
        u16::MAX
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Error> {
        let pulse = u64::from(self.period) * u64::from(duty) / u64::from(u16::MAX);
        // At most the period.
        Ok(pwm::set(self.handle, pulse as u32)?)
    }
}

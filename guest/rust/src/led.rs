// SPDX-License-Identifier: Apache-2.0
//! Single LEDs.

use crate::abi::led;
use crate::{Errno, Error};
use core::time::Duration;
use embedded_hal::digital::OutputPin;
use embedded_hal::pwm::SetDutyCycle;

/// An LED that was granted. Dark and closed when dropped.
#[derive(Debug)]
pub struct Led(u32);

impl Led {
    /// Opens the LED granted as `label` in `led-names`, which is dark at first.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if its driver is not ready, `EBUSY` if another app has it open.
    pub fn open(label: &str) -> Result<Self, Error> {
        Ok(Led(led::open(label.as_bytes())?))
    }

    /// Sets the brightness, from 0 to 100 percent. An LED at a pin is on at every brightness but 0.
    ///
    /// # Errors
    /// `EINVAL` if it is more than 100, otherwise the error of the driver.
    pub fn set_brightness(&mut self, percent: u32) -> Result<(), Error> {
        Ok(led::set(self.0, percent)?)
    }

    /// Sets the color of an LED with several channels, in the order of its driver.
    ///
    /// # Errors
    /// `EINVAL` for another number of channels than the LED has, `ENOTSUP` if the driver sets no colors, otherwise the
    /// error of the driver.
    pub fn set_color(&mut self, channels: &[u8]) -> Result<(), Error> {
        Ok(led::color(self.0, channels)?)
    }

    /// Lets the LED blink without further calls, until its brightness is set.
    ///
    /// # Errors
    /// `EINVAL` for a phase below a millisecond or above a minute, `ENOTSUP` if the driver cannot let it blink,
    /// otherwise the error of the driver.
    pub fn blink(&mut self, on: Duration, off: Duration) -> Result<(), Error> {
        let ms = |phase: Duration| u32::try_from(phase.as_millis()).map_err(|_| Error(Errno::Invalid));
        Ok(led::blink(self.0, ms(on)?, ms(off)?)?)
    }
}

impl Drop for Led {
    fn drop(&mut self) {
        // Nothing can be done about a driver that fails while the LED is given up.
        let _ = led::close(self.0);
    }
}

impl embedded_hal::digital::ErrorType for Led {
    type Error = Error;
}

impl OutputPin for Led {
    fn set_low(&mut self) -> Result<(), Error> {
        self.set_brightness(0)
    }

    fn set_high(&mut self) -> Result<(), Error> {
        self.set_brightness(led::FULL)
    }
}

impl embedded_hal::pwm::ErrorType for Led {
    type Error = Error;
}

impl SetDutyCycle for Led {
    fn max_duty_cycle(&self) -> u16 {
        led::FULL as u16
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Error> {
        self.set_brightness(duty.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_that_is_no_number_of_milliseconds_of_32_bits_is_refused_without_a_host() {
        let mut led = Led(0);
        assert_eq!(led.blink(Duration::MAX, Duration::from_secs(1)), Err(Error(Errno::Invalid)));
        assert_eq!(led.blink(Duration::from_secs(1), Duration::from_secs(1)), Err(Error(Errno::NoSys)));
        assert!(Led::open("status").is_err());
    }
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp:pwm@1`.

use crate::bindings::PwmV1;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{pwm, Errno};

/// Pulse-width modulated outputs that the app was granted. `output` is an index into its grants, from
/// [`Pwm::find_pwm`]. Other calls come only for outputs that are open. A board without them implements nothing.
pub trait Pwm {
    /// Returns the index of the grant with this label, below [`pwm::MAX_OUTPUTS`].
    fn find_pwm(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Checks that the controller is ready.
    ///
    /// # Errors
    /// `ENODEV` if it is not.
    fn open_pwm(&mut self, _output: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Nanoseconds.
    fn pwm_period(&self, _output: u32) -> u32 {
        0
    }

    /// Sets the pulse in nanoseconds, at most the period.
    ///
    /// # Errors
    /// The error of the driver.
    fn set_pwm(&mut self, _output: u32, _pulse: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }
}

/// Makes the app's outputs inactive and closes them.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    while let Some(output) = app.open.pwm.pop() {
        // Nobody is left who could be told of an error.
        let _ = app.platform.set_pwm(output, 0);
    }
}

impl<P: Platform> PwmV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let output = self.granted(self.platform.find_pwm(label), pwm::INTERFACE.module, label)?;
        if !self.open.pwm.contains(output) {
            self.platform.open_pwm(output)?;
            self.platform.set_pwm(output, 0)?;
            self.open.pwm.set(output, true);
        }
        Ok(output)
    }

    fn close(&mut self, output: u32) -> Result<(), Failure<Errno>> {
        self.open.pwm.check(output)?;
        self.open.pwm.set(output, false);
        Ok(self.platform.set_pwm(output, 0)?)
    }

    fn period(&mut self, output: u32) -> Result<u32, Failure<Errno>> {
        self.open.pwm.check(output)?;
        Ok(self.platform.pwm_period(output))
    }

    fn set(&mut self, output: u32, pulse: u32) -> Result<(), Failure<Errno>> {
        self.open.pwm.check(output)?;
        if pulse > self.platform.pwm_period(output) {
            return Err(Errno::Invalid.into());
        }
        Ok(self.platform.set_pwm(output, pulse)?)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Harness, PWM};
    use wisp_abi::Errno;

    #[test]
    fn an_opened_output_is_inactive_and_follows_the_guest_up_to_its_period() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(PWM, "fan"), 0);
        assert_eq!(harness.app.platform().pulse, Some(0));
        assert_eq!(harness.i32(PWM, "period", &[0, 64]), 0);
        assert_eq!(harness.u32_at(64), 20_000);
        for pulse in [1, 20_000, 0] {
            assert_eq!(harness.i32(PWM, "set", &[0, pulse]), 0);
            assert_eq!(harness.app.platform().pulse, Some(pulse));
        }
        assert_eq!(harness.i32(PWM, "set", &[0, 20_001]), -22);
        assert_eq!(harness.i32(PWM, "set", &[0, u32::MAX]), -22);
        assert_eq!(harness.app.platform().pulse, Some(0));
    }

    #[test]
    fn opening_again_leaves_the_output_as_it_is() {
        let mut harness = Harness::new();
        harness.open_in(PWM, "fan");
        harness.i32(PWM, "set", &[0, 77]);
        assert_eq!(harness.open_in(PWM, "fan"), 0);
        assert_eq!(harness.app.platform().pulse, Some(77));
    }

    #[test]
    fn a_closed_or_released_output_is_inactive() {
        for close in [true, false] {
            let mut harness = Harness::new();
            harness.open_in(PWM, "fan");
            harness.i32(PWM, "set", &[0, 77]);
            if close {
                assert_eq!(harness.i32(PWM, "close", &[0]), 0);
            } else {
                harness.app.release();
            }
            assert_eq!(harness.app.platform().pulse, Some(0));
            assert_eq!(harness.i32(PWM, "set", &[0, 77]), -9);
        }
    }

    #[test]
    fn what_was_not_granted_or_opened_is_refused_and_errors_come_through() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(PWM, "pump"), -13);
        for handle in [0, 1, 32, u32::MAX] {
            for (name, rest) in [("set", &[1][..]), ("period", &[64]), ("close", &[])] {
                assert_eq!(harness.i32(PWM, name, &[&[handle], rest].concat()), -9, "{name} {handle}");
            }
        }
        harness.open_in(PWM, "fan");
        harness.app.platform_mut().bus_error = Some(Errno::NotSupported);
        assert_eq!(harness.i32(PWM, "set", &[0, 5]), -134);
    }
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp:led@1`.

use crate::bindings::LedV1;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{led, Errno};

/// LEDs that the app was granted. `led` is an index into its grants, from [`Led::find_led`]. Other calls come only for
/// LEDs that are open. A board without LEDs implements nothing.
pub trait Led {
    /// Returns the index of the grant with this label, below [`led::MAX_LEDS`].
    fn find_led(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Takes the LED for the app and lets it go dark.
    ///
    /// # Errors
    /// `ENODEV` if the driver is not ready, `EBUSY` if another app has it open, otherwise the error of the driver.
    fn open_led(&mut self, _led: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Lets the LED go dark and leaves it to other apps, also if the driver fails.
    ///
    /// # Errors
    /// The error of the driver.
    fn close_led(&mut self, _led: u32) -> Result<(), Errno> {
        Ok(())
    }

    /// Sets the brightness, at most [`led::FULL`].
    ///
    /// # Errors
    /// The error of the driver.
    fn set_led(&mut self, _led: u32, _percent: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Sets 1 to [`led::MAX_COLORS`] channels.
    ///
    /// # Errors
    /// `ENOTSUP` if the driver sets no colors, otherwise the error of the driver.
    fn color_led(&mut self, _led: u32, _channels: &[u8]) -> Result<(), Errno> {
        Err(Errno::NotSupported)
    }

    /// Lets the LED blink with phases of 1 to [`led::MAX_PHASE`] milliseconds.
    ///
    /// # Errors
    /// `ENOTSUP` if the driver cannot, otherwise the error of the driver.
    fn blink_led(&mut self, _led: u32, _on: u32, _off: u32) -> Result<(), Errno> {
        Err(Errno::NotSupported)
    }
}

/// Lets the app's LEDs go dark and closes them.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    while let Some(led) = app.open.led.pop() {
        // Nobody is left who could be told of an error.
        let _ = app.platform.close_led(led);
    }
}

impl<P: Platform> LedV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let led = self.granted(self.platform.find_led(label), led::INTERFACE.module, label)?;
        if !self.open.led.contains(led) {
            self.platform.open_led(led)?;
            self.open.led.set(led, true);
        }
        Ok(led)
    }

    fn close(&mut self, led: u32) -> Result<(), Failure<Errno>> {
        self.open.led.check(led)?;
        self.open.led.set(led, false);
        Ok(self.platform.close_led(led)?)
    }

    fn set(&mut self, led: u32, percent: u32) -> Result<(), Failure<Errno>> {
        self.open.led.check(led)?;
        if percent > led::FULL {
            return Err(Errno::Invalid.into());
        }
        Ok(self.platform.set_led(led, percent)?)
    }

    fn color(&mut self, led: u32, channels: &[u8]) -> Result<(), Failure<Errno>> {
        self.open.led.check(led)?;
        if channels.is_empty() || channels.len() > led::MAX_COLORS as usize {
            return Err(Errno::Invalid.into());
        }
        Ok(self.platform.color_led(led, channels)?)
    }

    fn blink(&mut self, led: u32, on: u32, off: u32) -> Result<(), Failure<Errno>> {
        self.open.led.check(led)?;
        if [on, off].iter().any(|phase| !(1..=led::MAX_PHASE).contains(phase)) {
            return Err(Errno::Invalid.into());
        }
        Ok(self.platform.blink_led(led, on, off)?)
    }
}

#[cfg(test)]
mod tests {
    use super::Led;
    use crate::testing::{Board, Harness, LED};
    use std::vec::Vec;
    use wisp_abi::Errno;

    impl Led for Board {
        fn find_led(&self, label: &[u8]) -> Option<u32> {
            (label == b"status").then_some(2)
        }

        fn open_led(&mut self, led: u32) -> Result<(), Errno> {
            self.calls.push(("open", [led, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn close_led(&mut self, led: u32) -> Result<(), Errno> {
            self.calls.push(("close", [led, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn set_led(&mut self, led: u32, percent: u32) -> Result<(), Errno> {
            self.calls.push(("set", [led, percent]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn color_led(&mut self, _led: u32, channels: &[u8]) -> Result<(), Errno> {
            self.wire.extend_from_slice(channels);
            self.bus_error.map_or(Ok(()), Err)
        }

        fn blink_led(&mut self, _led: u32, on: u32, off: u32) -> Result<(), Errno> {
            self.calls.push(("blink", [on, off]));
            self.bus_error.map_or(Ok(()), Err)
        }
    }

    fn calls(harness: &mut Harness) -> Vec<(&'static str, [u32; 2])> {
        core::mem::take(&mut harness.app.platform_mut().calls)
    }

    #[test]
    fn an_opened_led_has_a_brightness_from_0_to_full_and_is_set_up_once() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(LED, "status"), 2);
        assert_eq!(harness.i32(LED, "set", &[2, 100]), 0);
        for percent in [101, 256, u32::MAX] {
            assert_eq!(harness.i32(LED, "set", &[2, percent]), -22, "{percent}");
        }
        assert_eq!(harness.open_in(LED, "status"), 2);
        assert_eq!(calls(&mut harness), [("open", [2, 0]), ("set", [2, 100])]);
    }

    #[test]
    fn colors_have_1_to_8_channels() {
        let mut harness = Harness::new();
        harness.open_in(LED, "status");
        harness.memory[64..72].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
        let end = harness.memory.len() as u32;
        assert_eq!(harness.i32(LED, "color", &[2, 64, 0]), -22);
        assert_eq!(harness.i32(LED, "color", &[2, 64, 9]), -22);
        assert_eq!(harness.i32(LED, "color", &[2, end - 2, 3]), -14);
        assert_eq!(harness.app.platform().wire, []);
        assert_eq!(harness.i32(LED, "color", &[2, 64, 8]), 0);
        assert_eq!(harness.app.platform().wire, [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn phases_of_a_blinking_led_take_1_ms_to_a_minute() {
        let mut harness = Harness::new();
        harness.open_in(LED, "status");
        calls(&mut harness);
        for phases in [[0, 1], [1, 0], [60_001, 1], [1, u32::MAX]] {
            assert_eq!(harness.i32(LED, "blink", &[2, phases[0], phases[1]]), -22, "{phases:?}");
        }
        assert_eq!(harness.i32(LED, "blink", &[2, 1, 60_000]), 0);
        assert_eq!(calls(&mut harness), [("blink", [1, 60_000])]);
    }

    #[test]
    fn a_closed_or_released_led_is_left_to_other_apps_also_if_its_driver_fails() {
        for close in [true, false] {
            let mut harness = Harness::new();
            harness.open_in(LED, "status");
            harness.app.platform_mut().bus_error = Some(Errno::Io);
            if close {
                assert_eq!(harness.i32(LED, "close", &[2]), -5);
            } else {
                harness.app.release();
            }
            assert_eq!(calls(&mut harness), [("open", [2, 0]), ("close", [2, 0])]);
            assert_eq!(harness.i32(LED, "set", &[2, 1]), -9);
        }
    }

    #[test]
    fn what_was_not_granted_or_opened_is_refused_and_errors_come_through() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(LED, "other"), -13);
        for handle in [0, 2, 32, u32::MAX] {
            for (name, rest) in [("set", &[1][..]), ("color", &[64, 3]), ("blink", &[1, 1]), ("close", &[])] {
                assert_eq!(harness.i32(LED, name, &[&[handle], rest].concat()), -9, "{name} {handle}");
            }
        }
        harness.app.platform_mut().bus_error = Some(Errno::Busy);
        assert_eq!(harness.open_in(LED, "status"), -16);
        assert_eq!(harness.i32(LED, "set", &[2, 1]), -9, "an LED that another app has is not open");
    }
}

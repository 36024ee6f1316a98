// SPDX-License-Identifier: Apache-2.0
//! `wisp:strip@1`.

use crate::bindings::StripV1;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{strip, Errno};

/// LED strips that the app was granted. `strip` is an index into its grants, from [`Strip::find_strip`]. Other calls
/// come only for strips that are open. A board without strips implements nothing.
pub trait Strip {
    /// Returns the index of the grant with this label, below [`strip::MAX_STRIPS`].
    fn find_strip(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Takes the strip for the app and lets its LEDs go dark.
    ///
    /// # Errors
    /// `ENODEV` if the driver is not ready, `EBUSY` if another app has it open, otherwise the error of the driver.
    fn open_strip(&mut self, _strip: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Lets the LEDs go dark and leaves the strip to other apps, also if the driver fails.
    ///
    /// # Errors
    /// The error of the driver.
    fn close_strip(&mut self, _strip: u32) -> Result<(), Errno> {
        Ok(())
    }

    /// Returns the number of LEDs.
    fn strip_length(&self, _strip: u32) -> u32 {
        0
    }

    /// Sets the first LEDs. There are three bytes for each, and at most as many as the strip has LEDs.
    ///
    /// # Errors
    /// The error of the driver.
    fn write_strip(&mut self, _strip: u32, _colors: &[u8]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }
}

/// Lets the LEDs of the app's strips go dark and closes them.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    while let Some(strip) = app.open.strip.pop() {
        // Nobody is left who could be told of an error.
        let _ = app.platform.close_strip(strip);
    }
}

impl<P: Platform> StripV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let strip = self.granted(self.platform.find_strip(label), strip::INTERFACE.module, label)?;
        if !self.open.strip.contains(strip) {
            self.platform.open_strip(strip)?;
            self.open.strip.set(strip, true);
        }
        Ok(strip)
    }

    fn close(&mut self, strip: u32) -> Result<(), Failure<Errno>> {
        self.open.strip.check(strip)?;
        self.open.strip.set(strip, false);
        Ok(self.platform.close_strip(strip)?)
    }

    fn length(&mut self, strip: u32) -> Result<u32, Failure<Errno>> {
        self.open.strip.check(strip)?;
        Ok(self.platform.strip_length(strip))
    }

    fn write(&mut self, strip: u32, colors: &[u8]) -> Result<(), Failure<Errno>> {
        self.open.strip.check(strip)?;
        let color = strip::COLOR as usize;
        if colors.len() % color != 0 {
            return Err(Errno::Invalid.into());
        }
        if colors.len() / color > self.platform.strip_length(strip) as usize {
            return Err(Errno::Range.into());
        }
        if colors.is_empty() {
            return Ok(());
        }
        Ok(self.platform.write_strip(strip, colors)?)
    }
}

#[cfg(test)]
mod tests {
    use super::Strip;
    use crate::testing::{Board, Harness, STRIP};
    use wisp_abi::Errno;

    impl Strip for Board {
        fn find_strip(&self, label: &[u8]) -> Option<u32> {
            (label == b"tape").then_some(1)
        }

        fn open_strip(&mut self, strip: u32) -> Result<(), Errno> {
            self.calls.push(("open", [strip, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn close_strip(&mut self, strip: u32) -> Result<(), Errno> {
            self.calls.push(("close", [strip, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn strip_length(&self, _strip: u32) -> u32 {
            3
        }

        fn write_strip(&mut self, _strip: u32, colors: &[u8]) -> Result<(), Errno> {
            self.wire.extend_from_slice(colors);
            self.bus_error.map_or(Ok(()), Err)
        }
    }

    #[test]
    fn colors_have_three_bytes_each_and_there_are_no_more_than_leds() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(STRIP, "tape"), 1);
        assert_eq!(harness.open_in(STRIP, "tape"), 1);
        assert_eq!(harness.app.platform().calls, [("open", [1, 0])]);
        assert_eq!(harness.i32(STRIP, "length", &[1]), 3);
        harness.memory[64..73].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let end = harness.memory.len() as u32;
        for (arguments, result) in [([64, 8], -22), ([64, 12], -34), ([64, 0], 0), ([end - 2, 3], -14)] {
            assert_eq!(harness.i32(STRIP, "write", &[&[1], &arguments[..]].concat()), result, "{arguments:?}");
        }
        assert_eq!(harness.app.platform().wire, []);
        assert_eq!(harness.i32(STRIP, "write", &[1, 64, 9]), 0);
        assert_eq!(harness.app.platform().wire, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn a_closed_or_released_strip_is_left_to_other_apps_also_if_its_driver_fails() {
        for close in [true, false] {
            let mut harness = Harness::new();
            harness.open_in(STRIP, "tape");
            harness.app.platform_mut().bus_error = Some(Errno::Io);
            if close {
                assert_eq!(harness.i32(STRIP, "close", &[1]), -5);
            } else {
                harness.app.release();
            }
            assert_eq!(harness.app.platform().calls.last(), Some(&("close", [1, 0])));
            assert_eq!(harness.i32(STRIP, "length", &[1]), -9);
        }
    }

    #[test]
    fn what_was_not_granted_or_opened_is_refused_and_errors_come_through() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(STRIP, "other"), -13);
        for handle in [0, 1, 32, u32::MAX] {
            for (name, rest) in [("write", &[64, 3][..]), ("length", &[]), ("close", &[])] {
                assert_eq!(harness.i32(STRIP, name, &[&[handle], rest].concat()), -9, "{name} {handle}");
            }
        }
        harness.app.platform_mut().bus_error = Some(Errno::Busy);
        assert_eq!(harness.open_in(STRIP, "tape"), -16);
        assert_eq!(harness.i32(STRIP, "length", &[1]), -9, "a strip that another app has is not open");
    }
}

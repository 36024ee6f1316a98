// SPDX-License-Identifier: Apache-2.0
//! `wisp:dac@1`.

use crate::bindings::DacV1;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{dac, Errno};

/// Analog outputs that the app was granted. `output` is an index into its grants, from [`Dac::find_dac`]. Other calls
/// come only for outputs that are open. A board without such outputs implements nothing.
pub trait Dac {
    /// Returns the index of the grant with this label, below [`dac::MAX_OUTPUTS`].
    fn find_dac(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Sets the output up with the resolution of its grant.
    ///
    /// # Errors
    /// `ENODEV` if the converter is not ready, otherwise the error of the driver.
    fn open_dac(&mut self, _output: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Returns the resolution in bits.
    fn dac_resolution(&self, _output: u32) -> u32 {
        0
    }

    /// Sets the output to a value that has at most as many bits as its resolution.
    ///
    /// # Errors
    /// The error of the driver.
    fn write_dac(&mut self, _output: u32, _value: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }
}

/// Sets the app's outputs to 0 and closes them.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    while let Some(output) = app.open.dac.pop() {
        // Nobody is left who could be told of an error.
        let _ = app.platform.write_dac(output, 0);
    }
}

impl<P: Platform> DacV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let output = self.granted(self.platform.find_dac(label), dac::INTERFACE.module, label)?;
        if !self.open.dac.contains(output) {
            self.platform.open_dac(output)?;
            self.platform.write_dac(output, 0)?;
            self.open.dac.set(output, true);
        }
        Ok(output)
    }

    fn close(&mut self, output: u32) -> Result<(), Failure<Errno>> {
        self.open.dac.check(output)?;
        self.open.dac.set(output, false);
        Ok(self.platform.write_dac(output, 0)?)
    }

    fn resolution(&mut self, output: u32) -> Result<u32, Failure<Errno>> {
        self.open.dac.check(output)?;
        Ok(self.platform.dac_resolution(output))
    }

    fn write(&mut self, output: u32, value: u32) -> Result<(), Failure<Errno>> {
        self.open.dac.check(output)?;
        if value.checked_shr(self.platform.dac_resolution(output)).unwrap_or(0) != 0 {
            return Err(Errno::Invalid.into());
        }
        Ok(self.platform.write_dac(output, value)?)
    }
}

#[cfg(test)]
mod tests {
    use super::Dac;
    use crate::testing::{Board, Harness, DAC};
    use std::vec::Vec;
    use wisp_abi::Errno;

    impl Dac for Board {
        fn find_dac(&self, label: &[u8]) -> Option<u32> {
            (label == b"level").then_some(0)
        }

        fn open_dac(&mut self, output: u32) -> Result<(), Errno> {
            self.calls.push(("setup", [output, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn dac_resolution(&self, _output: u32) -> u32 {
            10
        }

        fn write_dac(&mut self, output: u32, value: u32) -> Result<(), Errno> {
            self.calls.push(("write", [output, value]));
            self.bus_error.map_or(Ok(()), Err)
        }
    }

    fn calls(harness: &mut Harness) -> Vec<(&'static str, [u32; 2])> {
        core::mem::take(&mut harness.app.platform_mut().calls)
    }

    #[test]
    fn an_opened_output_is_set_up_once_and_follows_the_guest_within_its_resolution() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(DAC, "level"), 0);
        assert_eq!(calls(&mut harness), [("setup", [0, 0]), ("write", [0, 0])]);
        assert_eq!(harness.i32(DAC, "resolution", &[0]), 10);
        assert_eq!(harness.i32(DAC, "write", &[0, 1023]), 0);
        assert_eq!(harness.i32(DAC, "write", &[0, 1024]), -22);
        assert_eq!(harness.i32(DAC, "write", &[0, u32::MAX]), -22);
        assert_eq!(harness.open_in(DAC, "level"), 0);
        assert_eq!(calls(&mut harness), [("write", [0, 1023])]);
    }

    #[test]
    fn a_closed_or_released_output_is_set_to_0() {
        for close in [true, false] {
            let mut harness = Harness::new();
            harness.open_in(DAC, "level");
            harness.i32(DAC, "write", &[0, 77]);
            if close {
                assert_eq!(harness.i32(DAC, "close", &[0]), 0);
            } else {
                harness.app.release();
            }
            assert_eq!(calls(&mut harness).last(), Some(&("write", [0, 0])));
            assert_eq!(harness.i32(DAC, "write", &[0, 77]), -9);
        }
    }

    #[test]
    fn what_was_not_granted_or_opened_is_refused_and_errors_come_through() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(DAC, "pump"), -13);
        for handle in [0, 1, 32, u32::MAX] {
            for (name, rest) in [("write", &[1][..]), ("resolution", &[]), ("close", &[])] {
                assert_eq!(harness.i32(DAC, name, &[&[handle], rest].concat()), -9, "{name} {handle}");
            }
        }
        harness.app.platform_mut().bus_error = Some(Errno::NotSupported);
        assert_eq!(harness.open_in(DAC, "level"), -134);
        assert_eq!(harness.i32(DAC, "write", &[0, 5]), -9, "an output that was not set up is not open");
    }
}

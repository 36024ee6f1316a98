// SPDX-License-Identifier: Apache-2.0
//! `wisp:adc@1`.

use crate::bindings::AdcV1;
use crate::handles::Handles;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{adc, Errno};

/// Analog inputs that the app was granted. `channel` is an index into its grants, from [`Adc::find_adc`]. Other calls
/// come only for channels that are open. A board without converters implements nothing.
pub trait Adc {
    /// Returns the index of the grant with this label, below [`adc::MAX_CHANNELS`].
    fn find_adc(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Sets the channel up.
    ///
    /// # Errors
    /// What the driver says, as for all that follow.
    fn open_adc(&mut self, _channel: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Returns the bits of a raw value.
    fn adc_resolution(&self, _channel: u32) -> u32 {
        0
    }

    /// Converts, and returns the converter's number.
    ///
    /// # Errors
    /// Returns the errors of [`Adc::open_adc`].
    fn read_adc(&mut self, _channel: u32) -> Result<i32, Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Converts, and returns the microvolts at the input.
    ///
    /// # Errors
    /// Returns the errors of [`Adc::open_adc`], and `ENOTSUP` if the reference is not known.
    fn read_adc_uv(&mut self, _channel: u32) -> Result<i32, Errno> {
        Err(Errno::NoSuchDevice)
    }
}

/// Forgets all handles of the app.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    app.open.adc = Handles::new();
}

impl<P: Platform> AdcV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let channel = self.granted(self.platform.find_adc(label), adc::INTERFACE.module, label)?;
        self.platform.open_adc(channel)?;
        self.open.adc.set(channel, true);
        Ok(channel)
    }

    fn close(&mut self, channel: u32) -> Result<(), Failure<Errno>> {
        self.open.adc.check(channel)?;
        self.open.adc.set(channel, false);
        Ok(())
    }

    fn resolution(&mut self, channel: u32) -> Result<u32, Failure<Errno>> {
        self.open.adc.check(channel)?;
        Ok(self.platform.adc_resolution(channel))
    }

    fn read(&mut self, channel: u32) -> Result<i32, Failure<Errno>> {
        self.open.adc.check(channel)?;
        Ok(self.platform.read_adc(channel)?)
    }

    fn read_uv(&mut self, channel: u32) -> Result<i32, Failure<Errno>> {
        self.open.adc.check(channel)?;
        Ok(self.platform.read_adc_uv(channel)?)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Harness, ADC};
    use wisp_abi::Errno;

    #[test]
    fn a_granted_channel_is_read_raw_and_in_microvolts() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(ADC, "battery"), 0);
        assert_eq!(harness.i32(ADC, "resolution", &[0]), 12);
        assert_eq!(harness.i32(ADC, "read", &[0, 33]), 0);
        assert_eq!(harness.u32_at(33) as i32, -5, "an out-pointer may be unaligned, a number negative");
        assert_eq!(harness.i32(ADC, "read_uv", &[0, 64]), 0);
        assert_eq!(harness.u32_at(64), 1_650_000);
    }

    #[test]
    fn what_was_not_granted_or_opened_is_refused() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(ADC, "motor"), -13);
        assert_eq!(harness.open_in(ADC, "battery"), 0);
        assert_eq!(harness.i32(ADC, "close", &[0]), 0);
        for handle in [0, 1, 32, u32::MAX] {
            assert_eq!(harness.i32(ADC, "read", &[handle, 64]), -9);
            assert_eq!(harness.i32(ADC, "read_uv", &[handle, 64]), -9);
            assert_eq!(harness.i32(ADC, "resolution", &[handle]), -9);
            assert_eq!(harness.i32(ADC, "close", &[handle]), -9);
        }
    }

    #[test]
    fn a_bad_pointer_or_a_failing_driver_writes_nothing() {
        let mut harness = Harness::new();
        harness.open_in(ADC, "battery");
        let size = harness.memory.len() as u32;
        for pointer in [size - 3, size, u32::MAX] {
            assert_eq!(harness.i32(ADC, "read", &[0, pointer]), -14);
        }
        harness.app.platform_mut().bus_error = Some(Errno::Busy);
        assert_eq!(harness.i32(ADC, "read", &[0, 64]), -16);
        assert_eq!(harness.i32(ADC, "read_uv", &[0, 64]), -16);
        assert_eq!(harness.u32_at(64), 0);
    }
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp:hwinfo@1`.

use crate::bindings::HwinfoV1;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{hwinfo, Errno};

/// Tells what the hardware says of itself, as far as the app may know it. A board that grants none implements nothing.
pub trait Hwinfo {
    /// Reads what fits of the identifier, and returns its whole length, at most [`hwinfo::MAX_ID`].
    ///
    /// # Errors
    /// `EACCES` without a grant, `ENOTSUP` if there is none, otherwise the error of the driver.
    fn device_id(&mut self, _buffer: &mut [u8]) -> Result<u32, Errno> {
        Err(Errno::Access)
    }

    /// Returns the causes of the last reset, bits of [`hwinfo::CAUSES`] and maybe others.
    ///
    /// # Errors
    /// `EACCES` without a grant, `ENOTSUP` if the hardware does not tell, otherwise the error of the driver.
    fn reset_cause(&mut self) -> Result<u32, Errno> {
        Err(Errno::Access)
    }
}

impl<P: Platform> App<P> {
    /// Returns the result, and reports that a grant is missing.
    fn fact(&mut self, result: Result<u32, Errno>, property: &str) -> Result<u32, Failure<Errno>> {
        if result == Err(Errno::Access) {
            self.platform.denied(hwinfo::INTERFACE.module, property.as_bytes());
        }
        Ok(result?)
    }
}

impl<P: Platform> HwinfoV1 for App<P> {
    fn device_id(&mut self, buffer: &mut [u8]) -> Result<u32, Failure<Errno>> {
        let length = self.platform.device_id(buffer);
        self.fact(length, "hwinfo-device-id")
    }

    fn reset_cause(&mut self) -> Result<u32, Failure<Errno>> {
        let causes = self.platform.reset_cause().map(|causes| causes & hwinfo::ALL_CAUSES);
        self.fact(causes, "hwinfo-reset-cause")
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Harness, HWINFO};
    use wisp_abi::Errno;

    #[test]
    fn an_app_learns_what_it_was_granted() {
        let mut harness = Harness::new();
        harness.app.platform_mut().device_id = Some(Ok(&[1, 2, 3]));
        harness.app.platform_mut().reset_cause = Some(Ok(0x8002_0010));
        assert_eq!(harness.i32(HWINFO, "device_id", &[8, 16]), 3);
        assert_eq!(harness.memory[8..12], [1, 2, 3, 0]);
        assert_eq!(harness.i32(HWINFO, "device_id", &[20, 2]), 3, "the length of all of it");
        assert_eq!(harness.memory[20..24], [1, 2, 0, 0]);
        assert_eq!(harness.i32(HWINFO, "reset_cause", &[]), 0x10, "only causes that have a name");
        assert!(harness.app.platform().denied.is_empty());
    }

    #[test]
    fn what_was_not_granted_is_refused_and_the_property_named() {
        let mut harness = Harness::new();
        assert_eq!(harness.i32(HWINFO, "device_id", &[8, 16]), -13);
        assert_eq!(harness.i32(HWINFO, "reset_cause", &[]), -13);
        let denied =
            ["hwinfo-device-id", "hwinfo-reset-cause"].map(|property| ("wisp:hwinfo@1".into(), property.into()));
        assert_eq!(harness.app.platform().denied, denied);
    }

    #[test]
    fn what_the_hardware_does_not_tell_is_no_missing_grant() {
        let mut harness = Harness::new();
        harness.app.platform_mut().device_id = Some(Err(Errno::NotSupported));
        harness.app.platform_mut().reset_cause = Some(Err(Errno::Io));
        assert_eq!(harness.i32(HWINFO, "device_id", &[8, 16]), -134);
        assert_eq!(harness.i32(HWINFO, "reset_cause", &[]), -5);
        assert!(harness.app.platform().denied.is_empty());
    }
}

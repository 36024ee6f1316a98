// SPDX-License-Identifier: Apache-2.0
//! What the hardware says of itself.

use crate::platform::Zephyr;
use wisp_host::platform::Hwinfo;

#[cfg(not(feature = "hwinfo"))]
impl Hwinfo for Zephyr {}

#[cfg(feature = "hwinfo")]
mod driver {
    use super::{Hwinfo, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::abi::hwinfo;
    use wisp_host::Errno;

    const _: () = assert!(shim::WISP_HWINFO_MAX_ID == hwinfo::MAX_ID);

    impl Hwinfo for Zephyr {
        fn device_id(&mut self, buffer: &mut [u8]) -> Result<u32, Errno> {
            let mut length = 0;
            // SAFETY: `app` is valid by the contract of `new`; buffer and length are those of one exclusive slice;
            // `length` is written before the shim returns success.
            check(unsafe {
                shim::wisp_shim_hwinfo_device_id(self.app, buffer.as_mut_ptr(), buffer.len(), &mut length)
            })?;
            Ok(length)
        }

        fn reset_cause(&mut self) -> Result<u32, Errno> {
            let mut causes = 0;
            // SAFETY: `app` is valid by the contract of `new`; `causes` is written before the shim returns success.
            check(unsafe { shim::wisp_shim_hwinfo_reset_cause(self.app, &mut causes) })?;
            Ok(causes)
        }
    }
}

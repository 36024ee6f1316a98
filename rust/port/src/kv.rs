// SPDX-License-Identifier: Apache-2.0
//! Values that outlive a restart.

use crate::platform::Zephyr;
use wisp_host::platform::Kv;

#[cfg(not(feature = "kv"))]
impl Kv for Zephyr {}

#[cfg(feature = "kv")]
mod driver {
    use super::{Kv, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::abi::kv;
    use wisp_host::Errno;

    const _: () = assert!(shim::WISP_KV_MAX_KEY == kv::MAX_KEY && shim::WISP_KV_MAX_VALUE == kv::MAX_VALUE);

    impl Kv for Zephyr {
        fn kv_size(&self) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`.
            unsafe { shim::wisp_shim_kv_size(self.app) }
        }

        fn kv_used_without(&mut self, key: &[u8]) -> Result<u32, Errno> {
            let mut used = 0;
            // SAFETY: `app` is valid by the contract of `new`; the key is only read; `used` is written
            // before the shim returns success.
            check(unsafe { shim::wisp_shim_kv_used(self.app, key.as_ptr(), key.len(), &mut used) })?;
            Ok(used)
        }

        fn kv_entry(&self, key: usize, value: usize) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`.
            unsafe { shim::wisp_shim_kv_entry(self.app, key, value) }
        }

        fn get_kv(&mut self, key: &[u8], buffer: &mut [u8]) -> Result<u32, Errno> {
            let mut length = 0;
            // SAFETY: `app` is valid by the contract of `new`; the key is only read; `used` is written before the shim
            // returns success; buffer and length are those of one exclusive slice.
            check(unsafe {
                shim::wisp_shim_kv_get(
                    self.app,
                    key.as_ptr(),
                    key.len(),
                    buffer.as_mut_ptr(),
                    buffer.len(),
                    &mut length,
                )
            })?;
            Ok(length)
        }

        fn set_kv(&mut self, key: &[u8], value: &[u8]) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; key and value are only read.
            check(unsafe { shim::wisp_shim_kv_set(self.app, key.as_ptr(), key.len(), value.as_ptr(), value.len()) })
        }

        fn remove_kv(&mut self, key: &[u8]) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; key and value are only read.
            check(unsafe { shim::wisp_shim_kv_remove(self.app, key.as_ptr(), key.len()) })
        }
    }
}

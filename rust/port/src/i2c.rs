// SPDX-License-Identifier: Apache-2.0
//! Devices on I2C buses.

use crate::platform::Zephyr;
use wisp_host::platform::I2c;

#[cfg(not(feature = "i2c"))]
impl I2c for Zephyr {}

#[cfg(feature = "i2c")]
mod driver {
    use super::{I2c, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use core::ptr::null_mut;
    use wisp_host::abi::i2c::MAX_OPERATIONS;
    use wisp_host::platform::Operation;
    use wisp_host::Errno;

    const _: () = assert!(shim::WISP_I2C_MESSAGES == MAX_OPERATIONS);

    const NOTHING: shim::wisp_i2c_message = shim::wisp_i2c_message { bytes: null_mut(), length: 0, read: false };

    /// Returns a message that fills a buffer.
    fn read(buffer: &mut [u8]) -> shim::wisp_i2c_message {
        // No guest has 4 GiB of memory, so the length fits.
        shim::wisp_i2c_message { bytes: buffer.as_mut_ptr(), length: buffer.len() as u32, read: true }
    }

    /// Returns a message that writes bytes. Drivers take one type for both, and only read from these.
    fn write(bytes: &[u8]) -> shim::wisp_i2c_message {
        shim::wisp_i2c_message { bytes: bytes.as_ptr().cast_mut(), length: bytes.len() as u32, read: false }
    }

    impl Zephyr {
        /// # Safety
        /// Messages point to live bytes, those that read to bytes that nothing else refers to.
        unsafe fn i2c(&mut self, device: u32, messages: &[shim::wisp_i2c_message]) -> Result<(), Errno> {
            let count = messages.len() as u32;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; the messages
            // point to live bytes, as `# Safety` above demands.
            check(unsafe { shim::wisp_shim_i2c_transfer(self.app, device, messages.as_ptr(), count) })
        }
    }

    impl I2c for Zephyr {
        fn find_i2c(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_i2c_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_i2c(&mut self, device: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_i2c_ready(self.app, device) })
        }

        fn i2c_address(&self, device: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_i2c_address(self.app, device) }
        }

        fn read_i2c(&mut self, device: u32, buffer: &mut [u8]) -> Result<(), Errno> {
            // SAFETY: the message is that of one exclusive slice.
            unsafe { self.i2c(device, &[read(buffer)]) }
        }

        fn write_i2c(&mut self, device: u32, bytes: &[u8]) -> Result<(), Errno> {
            // SAFETY: the message is that of one slice.
            unsafe { self.i2c(device, &[write(bytes)]) }
        }

        fn write_read_i2c(&mut self, device: u32, bytes: &[u8], buffer: &mut [u8]) -> Result<(), Errno> {
            // SAFETY: the messages are those of two slices, the one that is read exclusive.
            unsafe { self.i2c(device, &[write(bytes), read(buffer)]) }
        }

        fn transact_i2c(&mut self, device: u32, memory: &mut [u8], operations: &[Operation]) -> Result<(), Errno> {
            let mut messages = [NOTHING; MAX_OPERATIONS as usize];
            let messages = messages.get_mut(..operations.len()).ok_or(Errno::Invalid)?;
            let base = memory.as_mut_ptr();
            for (message, operation) in messages.iter_mut().zip(operations) {
                let range = operation.range();
                let length = memory.get(range.clone()).ok_or(Errno::Fault)?.len() as u32;
                // `wrapping_add`, since the range was just found to lie inside.
                let bytes = base.wrapping_add(range.start);
                *message = shim::wisp_i2c_message { bytes, length, read: operation.reads() };
            }
            // SAFETY: all ranges lie in `memory`, which is exclusive; the host saw to it that those
            // which are read overlap no other.
            unsafe { self.i2c(device, messages) }
        }
    }
}

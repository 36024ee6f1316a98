// SPDX-License-Identifier: Apache-2.0
//! Devices on SPI buses.

use crate::platform::Zephyr;
use wisp_host::platform::Spi;

#[cfg(not(feature = "spi"))]
impl Spi for Zephyr {}

#[cfg(feature = "spi")]
mod driver {
    use super::{Spi, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use core::ops::Range;
    use core::ptr::{null, null_mut};
    use wisp_host::abi::spi::MAX_OPERATIONS;
    use wisp_host::platform::SpiOperation;
    use wisp_host::Errno;

    const _: () = assert!(shim::WISP_SPI_OPERATIONS == MAX_OPERATIONS);

    const NOTHING: shim::wisp_spi_operation =
        shim::wisp_spi_operation { write: null(), read: null_mut(), write_length: 0, read_length: 0, delay_ns: 0 };

    impl Zephyr {
        /// # Safety
        /// Operations point to live bytes. What they read into is referred to by nothing else but the
        /// same operation.
        unsafe fn spi(&mut self, device: u32, operations: &[shim::wisp_spi_operation]) -> Result<(), Errno> {
            let count = operations.len() as u32;
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; the operations
            // point to live bytes, as `# Safety` above demands.
            check(unsafe { shim::wisp_shim_spi_transfer(self.app, device, operations.as_ptr(), count) })
        }
    }

    impl Spi for Zephyr {
        fn find_spi(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_spi_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_spi(&mut self, device: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_spi_ready(self.app, device) })
        }

        fn transfer_spi(&mut self, device: u32, bytes: &[u8], buffer: &mut [u8]) -> Result<(), Errno> {
            let mut operation = NOTHING;
            // An empty slice has no address to be used. No guest has 4 GiB, so lengths fit.
            if !bytes.is_empty() {
                operation.write = bytes.as_ptr();
                operation.write_length = bytes.len() as u32;
            }
            if !buffer.is_empty() {
                operation.read = buffer.as_mut_ptr();
                operation.read_length = buffer.len() as u32;
            }
            // SAFETY: the operation is that of two slices, the one that is read into exclusive.
            unsafe { self.spi(device, &[operation]) }
        }

        fn transact_spi(&mut self, device: u32, memory: &mut [u8], operations: &[SpiOperation]) -> Result<(), Errno> {
            let mut raw = [NOTHING; MAX_OPERATIONS as usize];
            let raw = raw.get_mut(..operations.len()).ok_or(Errno::Invalid)?;
            let size = memory.len();
            let base = memory.as_mut_ptr();
            // `wrapping_add`, since the range is found to lie inside first.
            let place = |range: &Range<usize>| {
                let inside = range.start <= range.end && range.end <= size;
                inside.then(|| (base.wrapping_add(range.start), range.len() as u32)).ok_or(Errno::Fault)
            };
            for (raw, operation) in raw.iter_mut().zip(operations) {
                raw.delay_ns = operation.delay_ns;
                if let Some(range) = operation.write.as_ref().filter(|range| !range.is_empty()) {
                    let (bytes, length) = place(range)?;
                    (raw.write, raw.write_length) = (bytes, length);
                }
                if let Some(range) = operation.read.as_ref().filter(|range| !range.is_empty()) {
                    (raw.read, raw.read_length) = place(range)?;
                }
            }
            // SAFETY: all ranges lie in `memory`, which is exclusive; the host saw to it that those
            // which are read into overlap those of no other operation.
            unsafe { self.spi(device, raw) }
        }
    }
}

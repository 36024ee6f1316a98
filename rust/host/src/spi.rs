// SPDX-License-Identifier: Apache-2.0
//! `wisp:spi@1`.

use crate::bindings::SpiV1;
use crate::border::{words, Memory};
use crate::handles::Handles;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use core::ops::Range;
use wisp_abi::{spi, Errno};

/// One operation of a transaction, on bytes of a slice that comes with it. Where there are both
/// ranges, they are of one length, and the same or apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpiOperation {
    /// The range that is written to the device, if any.
    pub write: Option<Range<usize>>,
    /// The range that receives the bytes from the device, if any.
    pub read: Option<Range<usize>>,
    /// Nanoseconds to wait, at least: then there are no ranges.
    pub delay_ns: u32,
}

/// Devices on SPI buses that the app was granted. `device` is an index into its grants, from [`Spi::find_spi`]. Other
/// calls come only for devices that are open. A board without SPI implements nothing.
pub trait Spi {
    /// Returns the index of the grant with this label, below [`spi::MAX_DEVICES`].
    fn find_spi(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Checks that the bus is ready.
    ///
    /// # Errors
    /// `ENODEV` if it is not.
    fn open_spi(&mut self, _device: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Writes and reads at once, in one transaction as long as the longer slice.
    ///
    /// # Errors
    /// The error of the driver.
    fn transfer_spi(&mut self, _device: u32, _bytes: &[u8], _buffer: &mut [u8]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Does operations in one transaction. All ranges lie inside `memory`. What is read overlaps nothing of another
    /// operation. All delays are [`spi::MAX_DELAY`] at most.
    ///
    /// # Errors
    /// The error of the driver.
    fn transact_spi(&mut self, _device: u32, _memory: &mut [u8], _operations: &[SpiOperation]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }
}

const MAX: usize = spi::MAX_OPERATIONS as usize;

fn overlap(a: &Option<Range<usize>>, b: &Option<Range<usize>>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a.start < b.end && b.start < a.end)
}

/// Returns true if a range that is read into overlaps another, other than being the same of one transfer.
fn collide(operations: &[SpiOperation]) -> bool {
    operations.iter().enumerate().any(|(i, a)| {
        let mut earlier = operations.iter().take(i);
        (a.read != a.write && overlap(&a.read, &a.write))
            || earlier.any(|b| overlap(&a.read, &b.read) || overlap(&a.read, &b.write) || overlap(&a.write, &b.read))
    })
}

/// Forgets all handles of the app.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    app.open.spi = Handles::new();
}

impl<P: Platform> SpiV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let device = self.granted(self.platform.find_spi(label), spi::INTERFACE.module, label)?;
        self.platform.open_spi(device)?;
        self.open.spi.set(device, true);
        Ok(device)
    }

    fn close(&mut self, device: u32) -> Result<(), Failure<Errno>> {
        self.open.spi.check(device)?;
        self.open.spi.set(device, false);
        Ok(())
    }

    fn read(&mut self, device: u32, buffer: &mut [u8]) -> Result<(), Failure<Errno>> {
        self.open.spi.check(device)?;
        Ok(self.platform.transfer_spi(device, &[], buffer)?)
    }

    fn write(&mut self, device: u32, bytes: &[u8]) -> Result<(), Failure<Errno>> {
        self.open.spi.check(device)?;
        Ok(self.platform.transfer_spi(device, bytes, &mut [])?)
    }

    fn transfer(&mut self, device: u32, bytes: &[u8], buffer: &mut [u8]) -> Result<(), Failure<Errno>> {
        self.open.spi.check(device)?;
        Ok(self.platform.transfer_spi(device, bytes, buffer)?)
    }

    fn transaction(
        &mut self,
        memory: &mut Memory<'_>,
        device: u32,
        operations: u32,
        count: u32,
    ) -> Result<(), Failure<Errno>> {
        self.open.spi.check(device)?;
        let mut checked = [const { SpiOperation { write: None, read: None, delay_ns: 0 } }; MAX];
        let count = usize::try_from(count).map_err(|_| Errno::Invalid)?;
        let checked = checked.get_mut(..count).ok_or(Errno::Invalid)?;
        let records = memory.bytes(operations, spi::OPERATION.size() * count as u32)?;
        for (operation, record) in checked.iter_mut().zip(records.chunks_exact(spi::OPERATION.size() as usize)) {
            let [kind, length, write, read] = words(record);
            if matches!(kind, spi::WRITE | spi::TRANSFER) {
                operation.write = Some(memory.range(write, length)?);
            }
            if matches!(kind, spi::READ | spi::TRANSFER) {
                operation.read = Some(memory.range(read, length)?);
            }
            match kind {
                spi::READ | spi::WRITE | spi::TRANSFER => {}
                spi::DELAY => operation.delay_ns = length,
                _ => return Err(Errno::Invalid.into()),
            }
        }
        let delay: u64 = checked.iter().map(|operation| u64::from(operation.delay_ns)).sum();
        if delay > u64::from(spi::MAX_DELAY) || collide(checked) {
            return Err(Errno::Invalid.into());
        }
        Ok(self.platform.transact_spi(device, memory.all(), checked)?)
    }
}

#[cfg(test)]
mod tests {
    use super::SpiOperation;
    use crate::testing::{Harness, SPI};
    use wisp_abi::spi::{DELAY, MAX_DELAY, READ, TRANSFER, WRITE};
    use wisp_abi::Errno;

    const EBADF: i32 = -9;
    const EFAULT: i32 = -14;
    const EINVAL: i32 = -22;

    fn opened() -> Harness {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(SPI, "flash"), 0);
        harness
    }

    fn operations(harness: &mut Harness, operations: &[[u32; 4]]) -> i32 {
        for (i, operation) in operations.iter().enumerate() {
            harness.put_u32s(128 + 16 * i, operation);
        }
        harness.i32(SPI, "transaction", &[0, 128, operations.len() as u32])
    }

    #[test]
    fn bytes_go_both_ways_at_once() {
        let mut harness = opened();
        harness.memory[32..35].copy_from_slice(&[9, 8, 7]);
        assert_eq!(harness.i32(SPI, "transfer", &[0, 32, 3, 40, 2]), 0);
        assert_eq!(harness.i32(SPI, "write", &[0, 33, 1]), 0);
        assert_eq!(harness.i32(SPI, "read", &[0, 50, 3]), 0);
        assert_eq!(harness.app.platform().wire, [9, 8, 7, 8]);
        assert_eq!((&harness.memory[40..43], &harness.memory[50..53]), (&[0xa0, 0xa1, 0][..], &[0xa0, 0xa1, 0xa2][..]));
    }

    #[test]
    fn a_transaction_keeps_order_kind_and_place() {
        let mut harness = opened();
        let all = [[WRITE, 2, 0, u32::MAX], [READ, 3, u32::MAX, 64], [TRANSFER, 4, 80, 80], [TRANSFER, 2, 0, 90]];
        assert_eq!(operations(&mut harness, &all), 0);
        let expected =
            [(Some(0..2), None), (None, Some(64..67)), (Some(80..84), Some(80..84)), (Some(0..2), Some(90..92))];
        let expected = expected.map(|(write, read)| SpiOperation { write, read, delay_ns: 0 });
        assert_eq!(harness.app.platform().spi_operations, expected);
    }

    #[test]
    fn a_delay_stands_between_operations_and_needs_no_memory() {
        let mut harness = opened();
        let all = [[WRITE, 1, 0, 0], [DELAY, MAX_DELAY, u32::MAX, u32::MAX], [READ, 1, 0, 64]];
        assert_eq!(operations(&mut harness, &all), 0);
        let delays = harness.app.platform().spi_operations.iter().map(|operation| operation.delay_ns);
        assert_eq!(delays.collect::<std::vec::Vec<_>>(), [0, MAX_DELAY, 0]);
        assert_eq!(harness.app.platform().spi_operations[1].write, None);
    }

    #[test]
    fn a_bad_transaction_does_nothing() {
        let mut harness = opened();
        let size = harness.memory.len() as u32;
        let bad: [(&[[u32; 4]], i32); 9] = [
            (&[[4, 1, 0, 0]], EINVAL),
            (&[[DELAY, MAX_DELAY + 1, 0, 0]], EINVAL),
            (&[[DELAY, u32::MAX, 0, 0], [DELAY, u32::MAX, 0, 0]], EINVAL),
            (&[[WRITE, 2, size - 1, 0]], EFAULT),
            (&[[READ, 2, 0, u32::MAX]], EFAULT),
            (&[[TRANSFER, 4, 0, 2]], EINVAL),
            (&[[READ, 4, 0, 0], [WRITE, 1, 3, 0]], EINVAL),
            (&[[WRITE, 1, 3, 0], [READ, 4, 0, 0]], EINVAL),
            (&[[WRITE, 1, 0, 0]; 9], EINVAL),
        ];
        for (records, error) in bad {
            assert_eq!(operations(&mut harness, records), error, "{records:?}");
        }
        assert_eq!(harness.i32(SPI, "transaction", &[0, size - 15, 1]), EFAULT);
        assert!(harness.app.platform().spi_operations.is_empty());
    }

    #[test]
    fn what_is_not_open_or_granted_is_refused_and_errors_come_through() {
        let mut harness = opened();
        assert_eq!(harness.open_in(SPI, "display"), -13);
        harness.app.platform_mut().bus_error = Some(Errno::TimedOut);
        assert_eq!(harness.i32(SPI, "write", &[0, 0, 1]), -116);
        assert_eq!(operations(&mut harness, &[]), -116);
        assert_eq!(harness.i32(SPI, "close", &[0]), 0);
        for handle in [0, 1, 32, u32::MAX] {
            for (name, rest) in [
                ("close", &[][..]),
                ("read", &[0, 1]),
                ("write", &[0, 1]),
                ("transfer", &[0, 1, 2, 1]),
                ("transaction", &[0, 0]),
            ] {
                assert_eq!(harness.i32(SPI, name, &[&[handle], rest].concat()), EBADF, "{name} {handle}");
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp:i2c@1`.

use crate::bindings::I2cV1;
use crate::border::{words, Memory};
use crate::handles::Handles;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use core::ops::Range;
use wisp_abi::{i2c, Errno};

/// One operation of a transaction, on bytes of a slice that comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Fills the bytes at this range.
    Read(Range<usize>),
    /// Writes the bytes at this range.
    Write(Range<usize>),
}

impl Operation {
    /// Returns the range of the operation's bytes in linear memory.
    pub fn range(&self) -> Range<usize> {
        match self {
            Operation::Read(range) | Operation::Write(range) => range.clone(),
        }
    }

    /// Returns true if the operation reads from the device.
    pub fn reads(&self) -> bool {
        matches!(self, Operation::Read(_))
    }
}

/// Devices on I2C buses that the app was granted. `device` is an index into its grants, from [`I2c::find_i2c`]. Other
/// calls come only for devices that are open. A board without I2C implements nothing.
pub trait I2c {
    /// Returns the index of the grant with this label, below [`i2c::MAX_DEVICES`].
    fn find_i2c(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Checks that the bus is ready.
    ///
    /// # Errors
    /// `ENODEV` if it is not.
    fn open_i2c(&mut self, _device: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Returns the device's 7-bit address.
    fn i2c_address(&self, _device: u32) -> u32 {
        0
    }

    /// Reads until the buffer is full.
    ///
    /// # Errors
    /// What the driver says, as for all that follow.
    fn read_i2c(&mut self, _device: u32, _buffer: &mut [u8]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// Returns the errors of [`I2c::read_i2c`].
    fn write_i2c(&mut self, _device: u32, _bytes: &[u8]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Writes, then reads after a repeated start.
    ///
    /// # Errors
    /// Returns the errors of [`I2c::read_i2c`].
    fn write_read_i2c(&mut self, _device: u32, _bytes: &[u8], _buffer: &mut [u8]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Does operations in one transaction. All ranges lie inside `memory`. What is read overlaps
    /// nothing else.
    ///
    /// # Errors
    /// Returns the errors of [`I2c::read_i2c`].
    fn transact_i2c(&mut self, _device: u32, _memory: &mut [u8], _operations: &[Operation]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }
}

const MAX: usize = i2c::MAX_OPERATIONS as usize;

/// Returns true if a range that is written overlaps another.
fn collide(operations: &[Operation]) -> bool {
    let overlap = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
    operations.iter().enumerate().any(|(i, a)| {
        let earlier = operations.iter().take(i);
        earlier.into_iter().any(|b| (a.reads() || b.reads()) && overlap(&a.range(), &b.range()))
    })
}

/// Forgets all handles of the app.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    app.open.i2c = Handles::new();
}

impl<P: Platform> I2cV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let device = self.granted(self.platform.find_i2c(label), i2c::INTERFACE.module, label)?;
        self.platform.open_i2c(device)?;
        self.open.i2c.set(device, true);
        Ok(device)
    }

    fn close(&mut self, device: u32) -> Result<(), Failure<Errno>> {
        self.open.i2c.check(device)?;
        self.open.i2c.set(device, false);
        Ok(())
    }

    fn address(&mut self, device: u32) -> Result<u32, Failure<Errno>> {
        self.open.i2c.check(device)?;
        Ok(self.platform.i2c_address(device))
    }

    fn read(&mut self, device: u32, buffer: &mut [u8]) -> Result<(), Failure<Errno>> {
        self.open.i2c.check(device)?;
        Ok(self.platform.read_i2c(device, buffer)?)
    }

    fn write(&mut self, device: u32, bytes: &[u8]) -> Result<(), Failure<Errno>> {
        self.open.i2c.check(device)?;
        Ok(self.platform.write_i2c(device, bytes)?)
    }

    fn write_read(&mut self, device: u32, bytes: &[u8], buffer: &mut [u8]) -> Result<(), Failure<Errno>> {
        self.open.i2c.check(device)?;
        Ok(self.platform.write_read_i2c(device, bytes, buffer)?)
    }

    fn transaction(
        &mut self,
        memory: &mut Memory<'_>,
        device: u32,
        operations: u32,
        count: u32,
    ) -> Result<(), Failure<Errno>> {
        self.open.i2c.check(device)?;
        let mut checked = [const { Operation::Write(0..0) }; MAX];
        let count = usize::try_from(count).map_err(|_| Errno::Invalid)?;
        let checked = checked.get_mut(..count).ok_or(Errno::Invalid)?;
        let records = memory.bytes(operations, i2c::OPERATION.size() * count as u32)?;
        for (operation, record) in checked.iter_mut().zip(records.chunks_exact(i2c::OPERATION.size() as usize)) {
            let [kind, address, length] = words(record);
            let range = memory.range(address, length)?;
            *operation = match kind {
                i2c::READ => Operation::Read(range),
                i2c::WRITE => Operation::Write(range),
                _ => return Err(Errno::Invalid.into()),
            };
        }
        if collide(checked) {
            return Err(Errno::Invalid.into());
        }
        Ok(self.platform.transact_i2c(device, memory.all(), checked)?)
    }
}

#[cfg(test)]
mod tests {
    use super::Operation::{Read, Write};
    use crate::testing::{Harness, I2C};
    use wisp_abi::i2c::{READ, WRITE};
    use wisp_abi::Errno;

    const EACCES: i32 = -13;
    const EBADF: i32 = -9;
    const EFAULT: i32 = -14;
    const EINVAL: i32 = -22;
    const ENXIO: i32 = -6;

    fn opened() -> (Harness, u32) {
        let mut harness = Harness::new();
        let device = harness.open_in(I2C, "memory");
        (harness, device as u32)
    }

    fn operations(harness: &mut Harness, operations: &[[u32; 3]]) -> i32 {
        for (i, operation) in operations.iter().enumerate() {
            harness.put_u32s(128 + 12 * i, operation);
        }
        harness.i32(I2C, "transaction", &[0, 128, operations.len() as u32])
    }

    #[test]
    fn a_granted_device_opens_and_others_are_denied() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(I2C, "memory"), 0);
        assert_eq!(harness.open_in(I2C, "memory"), 0);
        assert_eq!(harness.i32(I2C, "address", &[0]), 0x57);
        for label in ["", "other", "memor", "far"] {
            assert_eq!(harness.open_in(I2C, label), EACCES, "{label}");
        }
        assert_eq!(harness.app.platform().denied[1], ("wisp:i2c@1".into(), "other".into()));
    }

    #[test]
    fn bytes_go_to_the_device_and_come_back() {
        let (mut harness, device) = opened();
        harness.memory[32..35].copy_from_slice(&[9, 8, 7]);
        assert_eq!(harness.i32(I2C, "write", &[device, 32, 3]), 0);
        assert_eq!(harness.app.platform().wire, [9, 8, 7]);
        assert_eq!(harness.i32(I2C, "read", &[device, 40, 2]), 0);
        assert_eq!(harness.memory[40..43], [0xa0, 0xa1, 0]);
        assert_eq!(harness.i32(I2C, "write_read", &[device, 32, 1, 50, 3]), 0);
        assert_eq!(harness.memory[50..53], [0xa0, 0xa1, 0xa2]);
        assert_eq!(harness.app.platform().wire, [9, 8, 7, 9]);
    }

    #[test]
    fn a_transaction_keeps_order_kind_and_place() {
        let (mut harness, _) = opened();
        assert_eq!(operations(&mut harness, &[[WRITE, 0, 2], [WRITE, 1, 1], [READ, 64, 3], [WRITE, u32::MAX, 0]]), 0);
        let expected = [Write(0..2), Write(1..2), Read(64..67), Write(0..0)];
        assert_eq!(harness.app.platform().operations, expected);
        assert_eq!(harness.memory[64..67], [0xa0, 0xa1, 0xa2]);
    }

    #[test]
    fn a_bad_transaction_does_nothing() {
        let (mut harness, device) = opened();
        let size = harness.memory.len() as u32;
        let bad: [(&[[u32; 3]], i32); 7] = [
            (&[[2, 0, 1]], EINVAL),
            (&[[WRITE, size, 1]], EFAULT),
            (&[[WRITE, 0, 4], [READ, size - 3, 4]], EFAULT),
            (&[[READ, u32::MAX, 2]], EFAULT),
            (&[[READ, 0, 4], [WRITE, 3, 1]], EINVAL),
            (&[[READ, 0, 4], [READ, 2, 4]], EINVAL),
            (&[[WRITE, 0, 1]; 9], EINVAL),
        ];
        for (records, error) in bad {
            assert_eq!(operations(&mut harness, records), error, "{records:?}");
        }
        assert_eq!(harness.i32(I2C, "transaction", &[device, size - 11, 1]), EFAULT);
        assert_eq!(harness.i32(I2C, "transaction", &[device, 0, u32::MAX]), EINVAL);
        assert!(harness.app.platform().operations.is_empty());
    }

    #[test]
    fn writes_may_share_bytes() {
        let (mut harness, _) = opened();
        assert_eq!(operations(&mut harness, &[[WRITE, 0, 4], [WRITE, 2, 4], [READ, 6, 1]]), 0);
    }

    #[test]
    fn a_handle_that_is_not_open_is_refused_by_every_function() {
        let (mut harness, device) = opened();
        assert_eq!(harness.i32(I2C, "close", &[device]), 0);
        for handle in [device, 1, 31, 32, u32::MAX] {
            for (name, rest) in [
                ("close", &[][..]),
                ("address", &[]),
                ("read", &[0, 1]),
                ("write", &[0, 1]),
                ("write_read", &[0, 1, 2, 1]),
                ("transaction", &[0, 0]),
            ] {
                let arguments = [&[handle], rest].concat();
                assert_eq!(harness.i32(I2C, name, &arguments), EBADF, "{name} {handle}");
            }
        }
        assert!(harness.app.platform().wire.is_empty());
    }

    #[test]
    fn bad_buffers_never_reach_the_bus() {
        let (mut harness, device) = opened();
        let size = harness.memory.len() as u32;
        for (pointer, length) in [(size, 1), (size - 1, 2), (u32::MAX, 2), (0, u32::MAX)] {
            assert_eq!(harness.i32(I2C, "read", &[device, pointer, length]), EFAULT);
            assert_eq!(harness.i32(I2C, "write", &[device, pointer, length]), EFAULT);
            assert_eq!(harness.i32(I2C, "write_read", &[device, 0, 1, pointer, length]), EFAULT);
        }
        assert_eq!(harness.i32(I2C, "write_read", &[device, 0, 2, 1, 2]), EINVAL);
        assert!(harness.app.platform().wire.is_empty());
    }

    #[test]
    fn errors_of_the_bus_reach_the_guest_as_they_are() {
        let (mut harness, device) = opened();
        for errno in [Errno::NoDevice, Errno::Again, Errno::Overflow, Errno::TimedOut, Errno::Io] {
            harness.app.platform_mut().bus_error = Some(errno);
            assert_eq!(harness.i32(I2C, "read", &[device, 0, 1]), errno.code());
            assert_eq!(harness.i32(I2C, "write", &[device, 0, 1]), errno.code());
            assert_eq!(harness.i32(I2C, "write_read", &[device, 0, 1, 4, 1]), errno.code());
            assert_eq!(operations(&mut harness, &[[WRITE, 0, 1]]), errno.code());
        }
        harness.app.platform_mut().bus_error = Some(Errno::NoDevice);
        assert_eq!(operations(&mut harness, &[]), ENXIO, "even without operations the device is asked for");
    }
}

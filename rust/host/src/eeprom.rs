// SPDX-License-Identifier: Apache-2.0
//! `wisp:eeprom@1`.

use crate::bindings::EepromV1;
use crate::parts::{is_inside, piece};
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{eeprom, Errno};

/// Bytes that one call of the driver reads or writes at most. A chip with pages of 8 bytes takes 40 ms to write so
/// many, and a stop waits for that.
const PIECE: u32 = 64;

/// EEPROMs that the app was granted. `eeprom` is an index into its grants, from [`Eeprom::find_eeprom`]. Other calls
/// come only for EEPROMs that are open, and for bytes that lie inside. A board without EEPROMs implements nothing.
pub trait Eeprom {
    /// Returns the index of the grant with this label, below [`eeprom::MAX_EEPROMS`].
    fn find_eeprom(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Takes the EEPROM for the app.
    ///
    /// # Errors
    /// `ENODEV` if the driver is not ready, `EBUSY` if another app has it open.
    fn open_eeprom(&mut self, _eeprom: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Leaves the EEPROM to other apps.
    fn close_eeprom(&mut self, _eeprom: u32) {}

    /// Returns the size in bytes.
    fn eeprom_size(&self, _eeprom: u32) -> u32 {
        0
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// The error of the driver.
    fn read_eeprom(&mut self, _eeprom: u32, _offset: u32, _buffer: &mut [u8]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// `EACCES` if it is read-only, otherwise the error of the driver.
    fn write_eeprom(&mut self, _eeprom: u32, _offset: u32, _bytes: &[u8]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }
}

/// Closes the app's EEPROMs.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    while let Some(eeprom) = app.open.eeprom.pop() {
        app.platform.close_eeprom(eeprom);
    }
}

impl<P: Platform> App<P> {
    /// Checks that so many bytes from an offset lie inside an open EEPROM.
    fn check_eeprom(&self, eeprom: u32, offset: u32, length: usize) -> Result<(), Errno> {
        self.open.eeprom.check(eeprom)?;
        let size = self.platform.eeprom_size(eeprom);
        let fits = u32::try_from(length).is_ok_and(|length| is_inside(offset, length, size));
        fits.then_some(()).ok_or(Errno::Range)
    }
}

impl<P: Platform> EepromV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let eeprom = self.granted(self.platform.find_eeprom(label), eeprom::INTERFACE.module, label)?;
        if !self.open.eeprom.contains(eeprom) {
            self.platform.open_eeprom(eeprom)?;
            self.open.eeprom.set(eeprom, true);
        }
        Ok(eeprom)
    }

    fn close(&mut self, eeprom: u32) -> Result<(), Failure<Errno>> {
        self.open.eeprom.check(eeprom)?;
        self.open.eeprom.set(eeprom, false);
        self.platform.close_eeprom(eeprom);
        Ok(())
    }

    fn size(&mut self, eeprom: u32) -> Result<u32, Failure<Errno>> {
        self.open.eeprom.check(eeprom)?;
        Ok(self.platform.eeprom_size(eeprom))
    }

    fn read(&mut self, eeprom: u32, mut offset: u32, buffer: &mut [u8]) -> Result<(), Failure<Errno>> {
        self.check_eeprom(eeprom, offset, buffer.len())?;
        let mut left = buffer;
        while !left.is_empty() {
            self.go_on()?;
            let (now, later) = left.split_at_mut(piece(offset, left.len(), PIECE));
            self.platform.read_eeprom(eeprom, offset, now)?;
            // At most `PIECE`, and the end fits.
            offset += now.len() as u32;
            left = later;
        }
        Ok(())
    }

    fn write(&mut self, eeprom: u32, mut offset: u32, bytes: &[u8]) -> Result<(), Failure<Errno>> {
        self.check_eeprom(eeprom, offset, bytes.len())?;
        let mut left = bytes;
        while !left.is_empty() {
            self.go_on()?;
            let (now, later) = left.split_at(piece(offset, left.len(), PIECE));
            self.platform.write_eeprom(eeprom, offset, now)?;
            offset += now.len() as u32;
            left = later;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Eeprom;
    use crate::stop::Stop;
    use crate::testing::{Board, Harness, EEPROM};
    use wisp_abi::Errno;

    const SIZE: u32 = 200;

    impl Eeprom for Board {
        fn find_eeprom(&self, label: &[u8]) -> Option<u32> {
            (label == b"store").then_some(0)
        }

        fn open_eeprom(&mut self, eeprom: u32) -> Result<(), Errno> {
            self.calls.push(("open", [eeprom, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn close_eeprom(&mut self, eeprom: u32) {
            self.calls.push(("close", [eeprom, 0]));
        }

        fn eeprom_size(&self, _eeprom: u32) -> u32 {
            SIZE
        }

        fn read_eeprom(&mut self, _eeprom: u32, offset: u32, buffer: &mut [u8]) -> Result<(), Errno> {
            self.calls.push(("read", [offset, buffer.len() as u32]));
            buffer.iter_mut().zip(offset..).for_each(|(byte, at)| *byte = at as u8);
            self.bus_error.map_or(Ok(()), Err)
        }

        fn write_eeprom(&mut self, _eeprom: u32, offset: u32, bytes: &[u8]) -> Result<(), Errno> {
            self.calls.push(("write", [offset, bytes.len() as u32]));
            self.wire.extend_from_slice(bytes);
            self.bus_error.map_or(Ok(()), Err)
        }
    }

    fn opened() -> Harness {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(EEPROM, "store"), 0);
        harness.app.platform_mut().calls.clear();
        harness
    }

    #[test]
    fn bytes_are_read_and_written_in_pieces_that_end_where_pages_end() {
        let mut harness = opened();
        assert_eq!(harness.i32(EEPROM, "read", &[0, 60, 256, 140]), 0);
        assert_eq!(
            harness.app.platform().calls,
            [("read", [60, 4]), ("read", [64, 64]), ("read", [128, 64]), ("read", [192, 8])]
        );
        assert!(harness.memory[256..396].iter().zip(60..).all(|(byte, at)| *byte == at));
        harness.app.platform_mut().calls.clear();
        assert_eq!(harness.i32(EEPROM, "write", &[0, 1, 256, 65]), 0);
        assert_eq!(harness.app.platform().calls, [("write", [1, 63]), ("write", [64, 2])]);
        assert_eq!(harness.app.platform().wire, harness.memory[256..321]);
    }

    #[test]
    fn bytes_beyond_the_end_and_bad_pointers_reach_no_driver() {
        let mut harness = opened();
        let end = harness.memory.len() as u32;
        for name in ["read", "write"] {
            for (offset, length) in [(SIZE, 1), (SIZE + 1, 0), (0, SIZE + 1), (u32::MAX, 1), (u32::MAX, 0), (1, SIZE)] {
                assert_eq!(harness.i32(EEPROM, name, &[0, offset, 256, length]), -34, "{name} {offset} {length}");
            }
            assert_eq!(harness.i32(EEPROM, name, &[0, 0, end - 2, 3]), -14);
            assert_eq!(harness.i32(EEPROM, name, &[0, SIZE, 256, 0]), 0);
        }
        assert_eq!(harness.app.platform().calls, []);
        assert_eq!(harness.i32(EEPROM, "size", &[0, 64]), 0);
        assert_eq!(harness.u32_at(64), SIZE);
    }

    #[test]
    fn a_stop_ends_a_long_write_between_its_pieces() {
        let mut harness = opened();
        harness.app.platform_mut().looks_left = Some(2);
        assert_eq!(harness.call(EEPROM, "write", &[0, 0, 256, SIZE]), Err(Stop::Interrupted));
        assert!(harness.app.platform().calls.len() < 4, "{:?}", harness.app.platform().calls);
    }

    #[test]
    fn a_closed_or_released_eeprom_is_left_to_other_apps() {
        for close in [true, false] {
            let mut harness = opened();
            assert_eq!(harness.open_in(EEPROM, "store"), 0);
            if close {
                assert_eq!(harness.i32(EEPROM, "close", &[0]), 0);
            } else {
                harness.app.release();
            }
            assert_eq!(harness.app.platform().calls, [("close", [0, 0])]);
            assert_eq!(harness.i32(EEPROM, "size", &[0, 64]), -9);
        }
    }

    #[test]
    fn what_was_not_granted_or_opened_is_refused_and_errors_come_through() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(EEPROM, "other"), -13);
        for handle in [0, 1, 32, u32::MAX] {
            let transfers = ["read", "write"].map(|name| (name, &[0, 64, 4][..]));
            for (name, rest) in transfers.into_iter().chain([("size", &[64][..]), ("close", &[])]) {
                assert_eq!(harness.i32(EEPROM, name, &[&[handle], rest].concat()), -9, "{name} {handle}");
            }
        }
        harness.app.platform_mut().bus_error = Some(Errno::Busy);
        assert_eq!(harness.open_in(EEPROM, "store"), -16);
        assert_eq!(harness.i32(EEPROM, "size", &[0, 64]), -9, "an EEPROM that another app has is not open");
        harness = opened();
        harness.app.platform_mut().bus_error = Some(Errno::Io);
        assert_eq!(harness.i32(EEPROM, "read", &[0, 0, 256, 4]), -5);
        assert_eq!(harness.i32(EEPROM, "write", &[0, 0, 256, 4]), -5);
    }
}

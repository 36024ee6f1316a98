// SPDX-License-Identifier: Apache-2.0
//! `wisp:flash@1`.

use crate::bindings::FlashV1;
use crate::parts::{is_inside, piece, put_words};
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{flash, Errno};

/// The size of an area of flash, and of its blocks. Drivers have write blocks that divide [`FlashInfo::PIECE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlashInfo {
    /// Bytes, a multiple of the erase block.
    pub size: u32,
    /// Bytes that are erased together.
    pub erase_block: u32,
    /// Bytes that are written together.
    pub write_block: u32,
    /// The value of an erased byte.
    pub erased: u8,
}

impl FlashInfo {
    /// The most bytes that one call of a driver gets, and a multiple of all write blocks. A stop waits for so many, or for
    /// one erase block.
    pub const PIECE: u32 = 256;
}

/// Areas of flash that the app was granted. `flash` is an index into its grants, from [`Flash::find_flash`]. Other calls
/// come only for areas that are open, for bytes that lie inside, and for whole blocks. A board without flash implements
/// nothing.
pub trait Flash {
    /// Returns the index of the grant with this label, below [`flash::MAX_AREAS`].
    fn find_flash(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Takes the area for the app.
    ///
    /// # Errors
    /// `ENODEV` if the driver is not ready, `EACCES` if the firmware uses some of it, and `EBUSY` if another app has it
    /// open. `ENOTSUP` if it is not made of whole erase blocks of one size, or its write block does not divide
    /// [`FlashInfo::PIECE`].
    fn open_flash(&mut self, _flash: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Leaves the area to other apps.
    fn close_flash(&mut self, _flash: u32) {}

    /// Returns the sizes. No block has 0 bytes.
    fn flash_info(&self, _flash: u32) -> FlashInfo {
        FlashInfo { size: 0, erase_block: 1, write_block: 1, erased: 0 }
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// The error of the driver.
    fn read_flash(&mut self, _flash: u32, _offset: u32, _buffer: &mut [u8]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Writes bytes, [`FlashInfo::PIECE`] at most.
    ///
    /// # Errors
    /// `EACCES` if the flash is write-protected, otherwise the error of the driver.
    fn write_flash(&mut self, _flash: u32, _offset: u32, _bytes: &[u8]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Erases one block.
    ///
    /// # Errors
    /// Returns the errors of [`Flash::write_flash`].
    fn erase_flash(&mut self, _flash: u32, _offset: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }
}

/// Closes the app's areas.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    while let Some(flash) = app.open.flash.pop() {
        app.platform.close_flash(flash);
    }
}

impl<P: Platform> App<P> {
    /// Checks that so many bytes from an offset lie inside an open area. Returns its sizes.
    fn check_flash(&self, flash: u32, offset: u32, length: usize) -> Result<FlashInfo, Errno> {
        self.open.flash.check(flash)?;
        let info = self.platform.flash_info(flash);
        let fits = u32::try_from(length).is_ok_and(|length| is_inside(offset, length, info.size));
        fits.then_some(info).ok_or(Errno::Range)
    }
}

/// Checks that bytes inside an area are whole blocks.
fn check_blocks(offset: u32, length: u32, block: u32) -> Result<(), Errno> {
    if offset % block == 0 && length % block == 0 {
        Ok(())
    } else {
        Err(Errno::Invalid)
    }
}

impl<P: Platform> FlashV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let flash = self.granted(self.platform.find_flash(label), flash::INTERFACE.module, label)?;
        if !self.open.flash.contains(flash) {
            self.platform.open_flash(flash)?;
            self.open.flash.set(flash, true);
        }
        Ok(flash)
    }

    fn close(&mut self, flash: u32) -> Result<(), Failure<Errno>> {
        self.open.flash.check(flash)?;
        self.open.flash.set(flash, false);
        self.platform.close_flash(flash);
        Ok(())
    }

    fn info(&mut self, flash: u32) -> Result<[u8; flash::INFO.size() as usize], Failure<Errno>> {
        self.open.flash.check(flash)?;
        let FlashInfo { size, erase_block, write_block, erased } = self.platform.flash_info(flash);
        let mut record = [0; flash::INFO.size() as usize];
        put_words(&mut record, [size, erase_block, write_block, erased.into()]);
        Ok(record)
    }

    fn read(&mut self, flash: u32, mut offset: u32, buffer: &mut [u8]) -> Result<(), Failure<Errno>> {
        self.check_flash(flash, offset, buffer.len())?;
        let mut left = buffer;
        while !left.is_empty() {
            self.go_on()?;
            let (now, later) = left.split_at_mut(piece(offset, left.len(), FlashInfo::PIECE));
            self.platform.read_flash(flash, offset, now)?;
            // At most `FlashInfo::PIECE`, and the end fits.
            offset += now.len() as u32;
            left = later;
        }
        Ok(())
    }

    fn write(&mut self, flash: u32, mut offset: u32, bytes: &[u8]) -> Result<(), Failure<Errno>> {
        let info = self.check_flash(flash, offset, bytes.len())?;
        // The length fits, as it lies inside.
        check_blocks(offset, bytes.len() as u32, info.write_block)?;
        let mut left = bytes;
        while !left.is_empty() {
            self.go_on()?;
            let (now, later) = left.split_at(piece(offset, left.len(), FlashInfo::PIECE));
            self.platform.write_flash(flash, offset, now)?;
            offset += now.len() as u32;
            left = later;
        }
        Ok(())
    }

    fn erase(&mut self, flash: u32, offset: u32, length: u32) -> Result<(), Failure<Errno>> {
        let info = self.check_flash(flash, offset, length as usize)?;
        check_blocks(offset, length, info.erase_block)?;
        for block in (0..length).step_by(info.erase_block as usize) {
            self.go_on()?;
            self.platform.erase_flash(flash, offset + block)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Flash, FlashInfo};
    use crate::stop::Stop;
    use crate::testing::{Board, Harness, FLASH};
    use wisp_abi::Errno;

    const SIZE: u32 = 4096;

    impl Flash for Board {
        fn find_flash(&self, label: &[u8]) -> Option<u32> {
            (label == b"log").then_some(0)
        }

        fn open_flash(&mut self, flash: u32) -> Result<(), Errno> {
            self.calls.push(("open", [flash, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn close_flash(&mut self, flash: u32) {
            self.calls.push(("close", [flash, 0]));
        }

        fn flash_info(&self, _flash: u32) -> FlashInfo {
            FlashInfo { size: SIZE, erase_block: 1024, write_block: 8, erased: 0xff }
        }

        fn read_flash(&mut self, _flash: u32, offset: u32, buffer: &mut [u8]) -> Result<(), Errno> {
            self.calls.push(("read", [offset, buffer.len() as u32]));
            buffer.iter_mut().zip(offset..).for_each(|(byte, at)| *byte = at as u8);
            self.bus_error.map_or(Ok(()), Err)
        }

        fn write_flash(&mut self, _flash: u32, offset: u32, bytes: &[u8]) -> Result<(), Errno> {
            self.calls.push(("write", [offset, bytes.len() as u32]));
            self.wire.extend_from_slice(bytes);
            self.bus_error.map_or(Ok(()), Err)
        }

        fn erase_flash(&mut self, _flash: u32, offset: u32) -> Result<(), Errno> {
            self.calls.push(("erase", [offset, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }
    }

    fn opened() -> Harness {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(FLASH, "log"), 0);
        harness.app.platform_mut().calls.clear();
        harness
    }

    #[test]
    fn bytes_are_read_written_and_erased_in_pieces() {
        let mut harness = opened();
        assert_eq!(harness.i32(FLASH, "info", &[0, 64]), 0);
        assert_eq!([64, 68, 72, 76].map(|at| harness.u32_at(at)), [SIZE, 1024, 8, 0xff]);
        assert_eq!(harness.i32(FLASH, "read", &[0, 250, 128, 270]), 0);
        assert_eq!(harness.app.platform().calls, [("read", [250, 6]), ("read", [256, 256]), ("read", [512, 8])]);
        assert!(harness.memory[128..398].iter().zip(250..).all(|(byte, at)| *byte == at as u8));
        harness.app.platform_mut().calls.clear();
        assert_eq!(harness.i32(FLASH, "write", &[0, 8, 128, 264]), 0);
        assert_eq!(harness.app.platform().calls, [("write", [8, 248]), ("write", [256, 16])]);
        assert_eq!(harness.app.platform().wire, harness.memory[128..392]);
        harness.app.platform_mut().calls.clear();
        assert_eq!(harness.i32(FLASH, "erase", &[0, 1024, 3072]), 0);
        assert_eq!(harness.app.platform().calls, [1024, 2048, 3072].map(|at| ("erase", [at, 0])));
    }

    #[test]
    fn what_is_beyond_the_end_or_no_whole_block_reaches_no_driver() {
        let mut harness = opened();
        let end = harness.memory.len() as u32;
        for (offset, length) in
            [(SIZE, 8), (SIZE + 8, 0), (0, SIZE + 8), (u32::MAX - 7, 8), (u32::MAX - 7, 0), (8, SIZE)]
        {
            for name in ["read", "write"] {
                let result = harness.i32(FLASH, name, &[0, offset, 0, length]);
                // The last of the lengths are those of more than linear memory.
                assert!(result == -34 || length > end && result == -14, "{name} {offset} {length}: {result}");
            }
            assert_eq!(harness.i32(FLASH, "erase", &[0, offset, length]), -34, "{offset} {length}");
        }
        assert_eq!(harness.i32(FLASH, "erase", &[0, 1024, 0xffff_fc00]), -34, "the end is 0 in 32 bits");
        for (offset, length) in [(4, 8), (8, 4), (0, 7), (1, 0)] {
            assert_eq!(harness.i32(FLASH, "write", &[0, offset, 256, length]), -22, "{offset} {length}");
        }
        for (offset, length) in [(8, 1024), (0, 8), (512, 512), (1023, 0)] {
            assert_eq!(harness.i32(FLASH, "erase", &[0, offset, length]), -22, "{offset} {length}");
        }
        for name in ["read", "write"] {
            assert_eq!(harness.i32(FLASH, name, &[0, 0, end - 2, 8]), -14);
            assert_eq!(harness.i32(FLASH, name, &[0, SIZE, 256, 0]), 0);
        }
        assert_eq!(harness.i32(FLASH, "erase", &[0, SIZE, 0]), 0);
        assert_eq!(harness.app.platform().calls, []);
    }

    #[test]
    fn a_stop_ends_a_long_write_or_erase_between_its_pieces() {
        for (name, arguments) in [("write", &[0, 0, 0, 512][..]), ("erase", &[0, 0, SIZE]), ("read", &[0, 0, 0, 512])] {
            let mut harness = opened();
            harness.app.platform_mut().looks_left = Some(1);
            assert_eq!(harness.call(FLASH, name, arguments), Err(Stop::Interrupted));
            assert!(harness.app.platform().calls.len() < 2, "{:?}", harness.app.platform().calls);
        }
    }

    #[test]
    fn a_closed_or_released_area_is_left_to_other_apps() {
        for close in [true, false] {
            let mut harness = opened();
            assert_eq!(harness.open_in(FLASH, "log"), 0);
            if close {
                assert_eq!(harness.i32(FLASH, "close", &[0]), 0);
            } else {
                harness.app.release();
            }
            assert_eq!(harness.app.platform().calls, [("close", [0, 0])]);
            assert_eq!(harness.i32(FLASH, "info", &[0, 64]), -9);
        }
    }

    #[test]
    fn what_was_not_granted_or_opened_is_refused_and_errors_come_through() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(FLASH, "other"), -13);
        for handle in [0, 1, 32, u32::MAX] {
            let calls = [("read", &[0, 64, 8][..]), ("write", &[0, 64, 8]), ("erase", &[0, 0]), ("info", &[64])];
            for (name, rest) in calls.into_iter().chain([("close", &[][..])]) {
                assert_eq!(harness.i32(FLASH, name, &[&[handle], rest].concat()), -9, "{name} {handle}");
            }
        }
        harness.app.platform_mut().bus_error = Some(Errno::Busy);
        assert_eq!(harness.open_in(FLASH, "log"), -16);
        assert_eq!(harness.i32(FLASH, "info", &[0, 64]), -9, "an area that another app has is not open");
        harness = opened();
        harness.app.platform_mut().bus_error = Some(Errno::Io);
        for (name, arguments) in [("write", &[0, 0, 256, 8][..]), ("erase", &[0, 0, 1024]), ("read", &[0, 0, 256, 8])] {
            assert_eq!(harness.i32(FLASH, name, arguments), -5);
        }
    }
}

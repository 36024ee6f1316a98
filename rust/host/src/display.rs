// SPDX-License-Identifier: Apache-2.0
//! `wisp:display@1`.

use crate::bindings::DisplayV1;
use crate::parts::{is_inside, put_words};
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{display, Errno};

/// The size of what was granted of a display, and the form of its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisplayInfo {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The form of a pixel, as in [`display::INTERFACE`].
    pub format: u32,
    /// The order of pixels, as in [`display::INTERFACE`].
    pub layout: u32,
}

impl DisplayInfo {
    /// Returns how many columns and rows are written at least. A byte has 8 pixels of one bit. Panels of gray have 2 or 4
    /// pixels at one address, and some of their drivers read beyond the end of an odd number.
    const fn tile(&self) -> (u32, u32) {
        match (display::bits(self.format), self.layout & display::VERTICAL) {
            (1, 0) => (8, 1),
            (1, _) => (1, 8),
            (8, _) => (4, 1),
            _ => (1, 1),
        }
    }
}

/// A rectangle inside of what was granted, whose pixels lie one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rectangle {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// No more rectangles of the same call follow.
    pub is_last: bool,
}

/// Displays that the app was granted. `display` is an index into its grants, from [`Display::find_display`]. Other calls
/// come only for displays that are open. A board without displays implements nothing.
pub trait Display {
    /// Returns the index of the grant with this label, below [`display::MAX_DISPLAYS`].
    fn find_display(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Takes the display for the app, makes it black if it can, and switches it on.
    ///
    /// # Errors
    /// `ENODEV` if the driver is not ready, `EBUSY` if another app has it open, and `ERANGE` if the granted rectangle is
    /// none of the display. `ENOTSUP` if the form of its pixels is unknown or its size splits a byte of them, otherwise the
    /// error of the driver.
    fn open_display(&mut self, _display: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Makes the display black, restores the brightness and switches it off if all of it was granted, and leaves it to other
    /// apps, also if the driver fails.
    ///
    /// # Errors
    /// The error of the driver.
    fn close_display(&mut self, _display: u32) -> Result<(), Errno> {
        Ok(())
    }

    /// Returns what was granted.
    fn display_info(&self, _display: u32) -> DisplayInfo {
        DisplayInfo { width: 0, height: 0, format: 0, layout: 0 }
    }

    /// Writes pixels. They are as many as the rectangle has, and neither it nor what was granted splits a byte of pixels.
    /// Pixels of 2 or 4 bytes are aligned.
    ///
    /// # Errors
    /// The error of the driver.
    fn write_display(&mut self, _display: u32, _to: Rectangle, _pixels: &[u8]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Switches the display on or off.
    ///
    /// # Errors
    /// `EACCES` if a part of the display was granted, `ENOTSUP` if the driver cannot, otherwise the error of the driver.
    fn show_display(&mut self, _display: u32, _on: bool) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Sets the brightness.
    ///
    /// # Errors
    /// The errors of [`Display::show_display`].
    fn set_display_brightness(&mut self, _display: u32, _brightness: u8) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }
}

/// Makes the app's displays black and closes them.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    while let Some(display) = app.open.display.pop() {
        // Nobody is left who could be told of an error.
        let _ = app.platform.close_display(display);
    }
}

impl<P: Platform> DisplayV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let display = self.granted(self.platform.find_display(label), display::INTERFACE.module, label)?;
        if !self.open.display.contains(display) {
            self.platform.open_display(display)?;
            self.open.display.set(display, true);
        }
        Ok(display)
    }

    fn close(&mut self, display: u32) -> Result<(), Failure<Errno>> {
        self.open.display.check(display)?;
        self.open.display.set(display, false);
        Ok(self.platform.close_display(display)?)
    }

    fn info(&mut self, display: u32) -> Result<[u8; display::INFO.size() as usize], Failure<Errno>> {
        self.open.display.check(display)?;
        let DisplayInfo { width, height, format, layout } = self.platform.display_info(display);
        let mut record = [0; display::INFO.size() as usize];
        put_words(&mut record, [width, height, format, layout]);
        Ok(record)
    }

    fn write(
        &mut self,
        display: u32,
        x: u32,
        y: u32,
        width: u32,
        height: u32,
        pitch: u32,
        pixels: &[u8],
    ) -> Result<(), Failure<Errno>> {
        self.open.display.check(display)?;
        let info = self.platform.display_info(display);
        if !is_inside(x, width, info.width) || !is_inside(y, height, info.height) {
            return Err(Errno::Range.into());
        }
        let (columns, rows) = info.tile();
        let bits = display::bits(info.format);
        if bits == 0 {
            return Err(Errno::NotSupported.into());
        }
        // A band is what the smallest number of rows takes. Below 2^32 pixels of 32 bits, or 8 rows of 1, it fits.
        let band = |pixels: u32| u64::from(pixels) * u64::from(bits * rows) / 8;
        let length = band(pitch).saturating_mul(u64::from(height / rows));
        let is_narrow = info.layout & display::FULL_ROWS != 0 && width != info.width;
        let is_cut =
            [x, width, pitch].iter().any(|at| at % columns != 0) || [y, height].iter().any(|at| at % rows != 0);
        // Drivers load pixels of these sizes as one number, which faults on some processors if they are not aligned.
        let is_astray = matches!(bits, 16 | 32) && pixels.as_ptr() as usize % (bits as usize / 8) != 0;
        if pitch < width || is_narrow || is_cut || is_astray || length != pixels.len() as u64 {
            return Err(Errno::Invalid.into());
        }
        if width == 0 || height == 0 {
            return Ok(());
        }
        let mut to = Rectangle { x, y, width, height, is_last: true };
        if pitch == width {
            return Ok(self.platform.write_display(display, to, pixels)?);
        }
        // Many drivers take only rows without a gap. Both sizes are at most the length of a slice.
        let (step, shown) = (band(pitch) as usize, band(width) as usize);
        to.height = rows;
        for (row, pixels) in (y..).step_by(rows as usize).zip(pixels.chunks_exact(step)) {
            self.go_on()?;
            to.y = row;
            to.is_last = row + rows == y + height;
            self.platform.write_display(display, to, pixels.get(..shown).unwrap_or_default())?;
        }
        Ok(())
    }

    fn show(&mut self, display: u32, on: u32) -> Result<(), Failure<Errno>> {
        self.open.display.check(display)?;
        Ok(self.platform.show_display(display, on != 0)?)
    }

    fn set_brightness(&mut self, display: u32, brightness: u32) -> Result<(), Failure<Errno>> {
        self.open.display.check(display)?;
        let brightness = u8::try_from(brightness).map_err(|_| Errno::Range)?;
        Ok(self.platform.set_display_brightness(display, brightness)?)
    }
}

#[cfg(test)]
mod tests {
    use super::{Display, DisplayInfo, Rectangle};
    use crate::stop::Stop;
    use crate::testing::{Board, Harness, DISPLAY};
    use std::vec::Vec;
    use wisp_abi::{display, Errno};

    /// The displays of the test's board, by their index.
    const INFOS: [(&[u8], DisplayInfo); 5] = [
        (b"panel", DisplayInfo { width: 20, height: 10, format: display::RGB_565, layout: 0 }),
        (b"oled", DisplayInfo { width: 20, height: 16, format: display::MONO10, layout: display::VERTICAL }),
        (b"rows", DisplayInfo { width: 16, height: 9, format: display::MONO01, layout: display::FULL_ROWS }),
        (b"gray", DisplayInfo { width: 20, height: 10, format: display::L_8, layout: 0 }),
        (b"wide", DisplayInfo { width: 65_535, height: 65_535, format: display::ARGB_8888, layout: 0 }),
    ];

    impl Display for Board {
        fn find_display(&self, label: &[u8]) -> Option<u32> {
            INFOS.iter().position(|(name, _)| *name == label).map(|index| index as u32)
        }

        fn open_display(&mut self, display: u32) -> Result<(), Errno> {
            self.calls.push(("open", [display, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn close_display(&mut self, display: u32) -> Result<(), Errno> {
            self.calls.push(("close", [display, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn display_info(&self, display: u32) -> DisplayInfo {
            INFOS[display as usize].1
        }

        fn write_display(&mut self, _display: u32, to: Rectangle, pixels: &[u8]) -> Result<(), Errno> {
            self.calls.push(("at", [to.x, to.y]));
            self.calls.push((if to.is_last { "last" } else { "size" }, [to.width, to.height]));
            self.wire.extend_from_slice(pixels);
            self.bus_error.map_or(Ok(()), Err)
        }

        fn show_display(&mut self, display: u32, on: bool) -> Result<(), Errno> {
            self.calls.push(("show", [display, on.into()]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn set_display_brightness(&mut self, display: u32, brightness: u8) -> Result<(), Errno> {
            self.calls.push(("brightness", [display, brightness.into()]));
            self.bus_error.map_or(Ok(()), Err)
        }
    }

    /// Opens a display of the test's board and returns its handle.
    fn opened(label: &str) -> (Harness, u32) {
        let mut harness = Harness::new();
        let display = harness.open_in(DISPLAY, label) as u32;
        harness.app.platform_mut().calls.clear();
        (harness, display)
    }

    /// Writes a rectangle (x, y, width, height, pitch) from address 64 on.
    fn write(harness: &mut Harness, display: u32, to: [u32; 5], length: u32) -> i32 {
        harness.i32(DISPLAY, "write", &[&[display], &to[..], &[64, length]].concat())
    }

    #[test]
    fn rows_without_a_gap_are_one_transfer_and_others_one_each() {
        let (mut harness, panel) = opened("panel");
        (64..).zip(&mut harness.memory[64..112]).for_each(|(at, byte)| *byte = at);
        assert_eq!(write(&mut harness, panel, [3, 2, 4, 3, 4], 24), 0);
        let app = harness.app.platform_mut();
        assert_eq!(app.calls, [("at", [3, 2]), ("last", [4, 3])]);
        assert_eq!(app.wire, (64..88).collect::<Vec<u8>>());
        app.calls.clear();
        app.wire.clear();
        assert_eq!(write(&mut harness, panel, [16, 7, 4, 3, 8], 48), 0);
        let app = harness.app.platform();
        let rows =
            [("at", [16, 7]), ("size", [4, 1]), ("at", [16, 8]), ("size", [4, 1]), ("at", [16, 9]), ("last", [4, 1])];
        assert_eq!(app.calls, rows);
        assert_eq!(app.wire, (64..72).chain(80..88).chain(96..104).collect::<Vec<u8>>());
    }

    #[test]
    fn bits_are_written_by_the_byte_of_a_column_or_of_a_row() {
        let (mut harness, oled) = opened("oled");
        assert_eq!(write(&mut harness, oled, [3, 0, 2, 16, 5], 10), 0);
        assert_eq!(harness.app.platform().calls, [("at", [3, 0]), ("size", [2, 8]), ("at", [3, 8]), ("last", [2, 8])]);
        assert_eq!(harness.app.platform().wire.len(), 4);
        for (to, length) in [([0, 4, 2, 8, 2], 2), ([0, 0, 2, 4, 2], 1), ([0, 0, 2, 12, 2], 3), ([0, 0, 2, 8, 2], 1)] {
            assert_eq!(write(&mut harness, oled, to, length), -22, "{to:?}");
        }
        let (mut harness, rows) = opened("rows");
        assert_eq!(write(&mut harness, rows, [0, 8, 16, 1, 16], 2), 0);
        for (to, length) in [([0, 8, 8, 1, 8], 1), ([8, 8, 8, 1, 8], 1), ([0, 0, 16, 2, 20], 5), ([0, 0, 15, 1, 16], 2)]
        {
            assert_eq!(write(&mut harness, rows, to, length), -22, "{to:?}");
        }
        assert_eq!(harness.app.platform().calls, [("at", [0, 8]), ("last", [16, 1])]);
    }

    #[test]
    fn gray_is_written_by_four_pixels_of_a_row() {
        let (mut harness, gray) = opened("gray");
        assert_eq!(write(&mut harness, gray, [4, 1, 8, 3, 8], 24), 0);
        assert_eq!(write(&mut harness, gray, [4, 1, 4, 1, 8], 8), 0);
        for (to, length) in [([0, 0, 1, 1, 1], 1), ([2, 0, 4, 1, 4], 4), ([0, 0, 6, 1, 6], 6), ([0, 0, 4, 1, 5], 5)] {
            assert_eq!(write(&mut harness, gray, to, length), -22, "{to:?}");
        }
        let calls = [("at", [4, 1]), ("last", [8, 3]), ("at", [4, 1]), ("last", [4, 1])];
        assert_eq!(harness.app.platform().calls, calls);
    }

    #[test]
    fn what_is_not_inside_or_has_other_bytes_reaches_no_driver() {
        let (mut harness, panel) = opened("panel");
        let outside = [
            [0, 0, 21, 1, 21],
            [0, 0, 1, 11, 1],
            [20, 0, 1, 1, 1],
            [0, 10, 1, 1, 1],
            [u32::MAX, 0, 2, 1, 2],
            [0, u32::MAX, 1, 2, 1],
            [21, 0, 0, 0, 0],
        ];
        for to in outside {
            assert_eq!(write(&mut harness, panel, to, to[3] * to[4] * 2), -34, "{to:?}");
        }
        let wrong = [
            ([0, 0, 4, 2, 3], 12),
            ([0, 0, 4, 2, 4], 15),
            ([0, 0, 4, 2, 4], 17),
            ([0, 0, 4, 2, 4], 0),
            ([0, 0, 0, 2, 4], 0),
            // 2^31 pixels of 2 bytes wrap to nothing in 32 bits.
            ([0, 0, 4, 2, 0x4000_0000], 0),
            ([0, 0, 4, 1, 0x8000_0000], 0),
            ([0, 0, 4, 8, u32::MAX], 0xffff_fff0),
        ];
        for (to, length) in wrong {
            let result = write(&mut harness, panel, to, length);
            assert!(matches!(result, -22 | -14), "{to:?} {length}: {result}");
        }
        assert_eq!(harness.i32(DISPLAY, "write", &[panel, 0, 0, 1, 2, 1, 65, 4]), -22, "pixels at an odd address");
        let end = harness.memory.len() as u32;
        assert_eq!(harness.i32(DISPLAY, "write", &[panel, 0, 0, 1, 2, 1, end - 2, 4]), -14);
        for nothing in [[20, 10, 0, 0, 0], [0, 0, 0, 10, 0], [0, 0, 20, 0, 20]] {
            assert_eq!(write(&mut harness, panel, nothing, 0), 0, "{nothing:?}");
        }
        let (mut large, wide) = opened("wide");
        assert_eq!(write(&mut large, wide, [0, 0, 65_535, 65_535, u32::MAX], 4), -22);
        assert_eq!(write(&mut large, wide, [0, 0, 32_768, 32_768, 32_768], 0), -22, "2^32 bytes are not 0 bytes");
        assert_eq!(large.app.platform().calls, []);
        assert_eq!(harness.app.platform().calls, []);
    }

    #[test]
    fn a_stop_ends_a_write_between_its_rows() {
        let (mut harness, panel) = opened("panel");
        harness.app.platform_mut().looks_left = Some(2);
        assert_eq!(harness.call(DISPLAY, "write", &[panel, 0, 0, 1, 9, 2, 64, 36]), Err(Stop::Interrupted));
        assert!(harness.app.platform().calls.len() < 8, "{:?}", harness.app.platform().calls);
    }

    #[test]
    fn size_brightness_and_switching_reach_the_driver() {
        let (mut harness, oled) = opened("oled");
        assert_eq!(harness.i32(DISPLAY, "info", &[oled, 64]), 0);
        let info = [64, 68, 72, 76].map(|at| harness.u32_at(at));
        assert_eq!(info, [20, 16, display::MONO10, display::VERTICAL]);
        assert_eq!(harness.i32(DISPLAY, "show", &[oled, 0]), 0);
        assert_eq!(harness.i32(DISPLAY, "show", &[oled, 7]), 0);
        assert_eq!(harness.i32(DISPLAY, "set_brightness", &[oled, 255]), 0);
        assert_eq!(harness.i32(DISPLAY, "set_brightness", &[oled, 256]), -34);
        let calls = [("show", [oled, 0]), ("show", [oled, 1]), ("brightness", [oled, 255])];
        assert_eq!(harness.app.platform().calls, calls);
    }

    #[test]
    fn a_closed_or_released_display_is_left_to_other_apps_also_if_its_driver_fails() {
        for close in [true, false] {
            let (mut harness, panel) = opened("panel");
            assert_eq!(harness.open_in(DISPLAY, "panel"), 0);
            harness.app.platform_mut().bus_error = Some(Errno::Io);
            if close {
                assert_eq!(harness.i32(DISPLAY, "close", &[panel]), -5);
            } else {
                harness.app.release();
            }
            assert_eq!(harness.app.platform().calls, [("close", [panel, 0])]);
            assert_eq!(harness.i32(DISPLAY, "show", &[panel, 1]), -9);
        }
    }

    #[test]
    fn what_was_not_granted_or_opened_is_refused_and_errors_come_through() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(DISPLAY, "other"), -13);
        for handle in [0, 1, 32, u32::MAX] {
            let calls =
                [("write", &[0, 0, 1, 1, 1, 64, 2][..]), ("info", &[64]), ("show", &[1]), ("set_brightness", &[1])];
            for (name, rest) in calls.into_iter().chain([("close", &[][..])]) {
                assert_eq!(harness.i32(DISPLAY, name, &[&[handle], rest].concat()), -9, "{name} {handle}");
            }
        }
        harness.app.platform_mut().bus_error = Some(Errno::Busy);
        assert_eq!(harness.open_in(DISPLAY, "panel"), -16);
        assert_eq!(harness.i32(DISPLAY, "info", &[0, 64]), -9, "a display that another app has is not open");
        let (mut harness, panel) = opened("panel");
        harness.app.platform_mut().bus_error = Some(Errno::Io);
        assert_eq!(write(&mut harness, panel, [0, 0, 1, 1, 1], 2), -5);
        assert_eq!(write(&mut harness, panel, [0, 0, 1, 2, 2], 8), -5);
        assert_eq!(harness.i32(DISPLAY, "show", &[panel, 1]), -5);
    }
}

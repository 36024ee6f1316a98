// SPDX-License-Identifier: Apache-2.0
//! Displays.

use crate::abi::display;
use crate::record::number;
use crate::Error;

/// A display that was granted, or a rectangle of one. It becomes black when it is dropped.
#[derive(Debug)]
pub struct Display {
    handle: u32,
    width: u32,
    height: u32,
    format: u32,
    layout: u32,
}

impl Display {
    /// Opens the display granted as `label` in `display-names`, which is black at first and switched on.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if its driver is not ready, `EBUSY` if another app has it open, `ERANGE` if
    /// the granted rectangle is none of the display.
    pub fn open(label: &str) -> Result<Self, Error> {
        let handle = display::open(label.as_bytes())?;
        let info = display::info(handle)?;
        let [width, height, format, layout] = [0, 4, 8, 12].map(|at| number(&info, at, 4) as u32);
        Ok(Display { handle, width, height, format, layout })
    }

    /// Returns the number of pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the number of rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns the form of a pixel, such as [`RGB_565`](crate::abi::display::RGB_565).
    pub fn format(&self) -> u32 {
        self.format
    }

    /// Returns the order of pixels, a sum of [`VERTICAL`](crate::abi::display::VERTICAL) and its like.
    pub fn layout(&self) -> u32 {
        self.layout
    }

    /// Writes a rectangle whose rows of pixels lie one behind the other. Pixels of 2 or 4 bytes lie at a multiple of their
    /// size.
    ///
    /// # Errors
    /// `ERANGE` if the rectangle does not lie inside, `EINVAL` if the bytes are not those of its pixels, otherwise the error
    /// of the driver.
    pub fn write(&mut self, x: u32, y: u32, width: u32, height: u32, pixels: &[u8]) -> Result<(), Error> {
        self.write_rows(x, y, width, height, width, pixels)
    }

    /// Writes a rectangle as [`Display::write`] does, from rows of `pitch` pixels each.
    ///
    /// # Errors
    /// Returns the errors of [`Display::write`].
    pub fn write_rows(
        &mut self,
        x: u32,
        y: u32,
        width: u32,
        height: u32,
        pitch: u32,
        pixels: &[u8],
    ) -> Result<(), Error> {
        Ok(display::write(self.handle, x, y, width, height, pitch, pixels)?)
    }

    /// Switches the display on or off. It keeps its picture.
    ///
    /// # Errors
    /// `EACCES` if a part of the display was granted, `ENOTSUP` if the driver cannot, otherwise the error of the driver.
    pub fn show(&mut self, on: bool) -> Result<(), Error> {
        Ok(display::show(self.handle, on.into())?)
    }

    /// Sets the brightness, up to 255.
    ///
    /// # Errors
    /// Returns the errors of [`Display::show`].
    pub fn set_brightness(&mut self, brightness: u8) -> Result<(), Error> {
        Ok(display::set_brightness(self.handle, brightness.into())?)
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // Nothing can be done about a driver that fails while the display is given up.
        let _ = display::close(self.handle);
    }
}

#[cfg(feature = "embedded-graphics")]
mod graphics {
    use super::Display;
    use crate::abi::display;
    use crate::{Errno, Error};
    use embedded_graphics_core::pixelcolor::raw::{RawData, RawU16};
    use embedded_graphics_core::pixelcolor::{BinaryColor, Rgb565};
    use embedded_graphics_core::prelude::{DrawTarget, OriginDimensions, Size};
    use embedded_graphics_core::Pixel;

    /// Pixels that are sent at a time.
    const RUN: usize = 64;

    /// Bytes of pixels, aligned as the host wants them.
    #[derive(Debug)]
    #[repr(align(4))]
    struct Aligned<const N: usize>([u8; N]);

    /// Returns column and row of a point that the display has.
    fn place(display: &Display, point: embedded_graphics_core::geometry::Point) -> Option<(u32, u32)> {
        let (x, y) = (u32::try_from(point.x).ok()?, u32::try_from(point.y).ok()?);
        (x < display.width && y < display.height).then_some((x, y))
    }

    /// A display of colors with 16 bits, on which crates for `embedded-graphics` draw. What is drawn is sent at once, in
    /// pieces of a row.
    #[derive(Debug)]
    pub struct ColorScreen {
        display: Display,
        /// The upper byte of a pixel is the first.
        upper_first: bool,
    }

    impl ColorScreen {
        /// Makes a target for drawing of a display.
        ///
        /// # Errors
        /// `ENOTSUP` if its pixels are neither `RGB_565` nor `BGR_565`, or only whole rows can be written.
        pub fn new(display: Display) -> Result<Self, Error> {
            let is_color = matches!(display.format, display::RGB_565 | display::BGR_565);
            match is_color && display.layout & display::FULL_ROWS == 0 {
                true => Ok(ColorScreen { upper_first: display.format == display::BGR_565, display }),
                false => Err(Errno::NotSupported.into()),
            }
        }

        /// Swaps the two bytes of each pixel that is drawn from now on. Some drivers take another order than the interface
        /// says for the form of their pixels.
        #[must_use]
        pub fn swapped(self) -> Self {
            ColorScreen { upper_first: !self.upper_first, ..self }
        }

        /// Returns the display.
        pub fn display(&mut self) -> &mut Display {
            &mut self.display
        }
    }

    impl OriginDimensions for ColorScreen {
        fn size(&self) -> Size {
            Size::new(self.display.width, self.display.height)
        }
    }

    impl DrawTarget for ColorScreen {
        type Color = Rgb565;
        type Error = Error;

        fn draw_iter<I: IntoIterator<Item = Pixel<Rgb565>>>(&mut self, pixels: I) -> Result<(), Error> {
            let mut run = Aligned([0; 2 * RUN]);
            // The position of the first pixel of the run, and how many pixels the run has.
            let (mut x, mut y, mut count) = (0, 0, 0);
            for Pixel(point, color) in pixels {
                let Some(next) = place(&self.display, point) else { continue };
                if count == RUN || next != (x + count as u32, y) {
                    self.display.write(x, y, count as u32, 1, &run.0[..2 * count])?;
                    (x, y, count) = (next.0, next.1, 0);
                }
                let raw = RawU16::from(color).into_inner();
                let bytes = if self.upper_first { raw.to_be_bytes() } else { raw.to_le_bytes() };
                run.0[2 * count..2 * count + 2].copy_from_slice(&bytes);
                count += 1;
            }
            self.display.write(x, y, count as u32, 1, &run.0[..2 * count])
        }
    }

    /// A display of black and white, with a picture of `N` bytes in the app on which crates for `embedded-graphics` draw.
    /// [`BinaryColor::On`] is white.
    #[derive(Debug)]
    pub struct BinaryScreen<const N: usize> {
        display: Display,
        picture: Aligned<N>,
    }

    impl<const N: usize> BinaryScreen<N> {
        /// Makes a target for drawing of a display, with a black picture.
        ///
        /// # Errors
        /// `ENOTSUP` if its pixels are not single bits or its size splits a byte of them, `ENOMEM` if they are more than `N`
        /// bytes have.
        pub fn new(display: Display) -> Result<Self, Error> {
            let dark = match display.format {
                display::MONO01 => 0,
                display::MONO10 => 0xff,
                _ => return Err(Errno::NotSupported.into()),
            };
            let tiled = if display.layout & display::VERTICAL != 0 { display.height } else { display.width };
            if tiled % 8 != 0 {
                return Err(Errno::NotSupported.into());
            }
            // A display has fewer than 2^32 pixels.
            if display.width as usize * display.height as usize > 8 * N {
                return Err(Errno::NoMemory.into());
            }
            Ok(BinaryScreen { display, picture: Aligned([dark; N]) })
        }

        /// Returns the display.
        pub fn display(&mut self) -> &mut Display {
            &mut self.display
        }

        /// Sends the picture.
        ///
        /// # Errors
        /// The error of the driver.
        pub fn flush(&mut self) -> Result<(), Error> {
            let (width, height) = (self.display.width, self.display.height);
            let length = width as usize * height as usize / 8;
            self.display.write(0, 0, width, height, &self.picture.0[..length])
        }
    }

    impl<const N: usize> OriginDimensions for BinaryScreen<N> {
        fn size(&self) -> Size {
            Size::new(self.display.width, self.display.height)
        }
    }

    impl<const N: usize> DrawTarget for BinaryScreen<N> {
        type Color = BinaryColor;
        type Error = Error;

        fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(&mut self, pixels: I) -> Result<(), Error> {
            let Display { width, format, layout, .. } = self.display;
            for Pixel(point, color) in pixels {
                let Some((x, y)) = place(&self.display, point) else { continue };
                let (byte, bit) = match layout & display::VERTICAL {
                    0 => (y * (width / 8) + x / 8, x % 8),
                    _ => (y / 8 * width + x, y % 8),
                };
                let bit = 1 << if layout & display::MSB_FIRST != 0 { 7 - bit } else { bit };
                if color.is_on() == (format == display::MONO01) {
                    self.picture.0[byte as usize] |= bit;
                } else {
                    self.picture.0[byte as usize] &= !bit;
                }
            }
            Ok(())
        }
    }
}

#[cfg(feature = "embedded-graphics")]
pub use graphics::{BinaryScreen, ColorScreen};

// SPDX-License-Identifier: Apache-2.0
//! LED strips.

use crate::abi::strip;
use crate::Error;

/// A strip that was granted. Its LEDs go dark when it is dropped.
#[derive(Debug)]
pub struct LedStrip {
    handle: u32,
    length: usize,
}

impl LedStrip {
    /// Opens the strip granted as `label` in `led-strip-names`, whose LEDs are dark at first.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if its driver is not ready, `EBUSY` if another app has it open.
    pub fn open(label: &str) -> Result<Self, Error> {
        let handle = strip::open(label.as_bytes())?;
        Ok(LedStrip { handle, length: strip::length(handle)? as usize })
    }

    /// Returns the number of LEDs.
    #[allow(clippy::len_without_is_empty)] // no strip is empty
    pub fn len(&self) -> usize {
        self.length
    }

    /// Sends the colors of the first LEDs, with red, green and blue of each. The others keep theirs.
    ///
    /// # Errors
    /// `ERANGE` if there are more colors than LEDs, otherwise the error of the driver.
    pub fn write(&mut self, colors: &[[u8; 3]]) -> Result<(), Error> {
        Ok(strip::write(self.handle, colors.as_flattened())?)
    }
}

impl Drop for LedStrip {
    fn drop(&mut self) {
        // Nothing can be done about a driver that fails while the strip is given up.
        let _ = strip::close(self.handle);
    }
}

/// A strip with room for the colors of `N` LEDs, which crates for `smart-leds` use.
#[cfg(feature = "smart-leds")]
#[derive(Debug)]
pub struct SmartStrip<const N: usize> {
    strip: LedStrip,
    colors: [[u8; 3]; N],
}

#[cfg(feature = "smart-leds")]
impl<const N: usize> From<LedStrip> for SmartStrip<N> {
    fn from(strip: LedStrip) -> Self {
        SmartStrip { strip, colors: [[0; 3]; N] }
    }
}

#[cfg(feature = "smart-leds")]
impl<const N: usize> smart_leds_trait::SmartLedsWrite for SmartStrip<N> {
    type Error = Error;
    type Color = smart_leds_trait::RGB8;

    /// Sends the colors. Those behind the last LED, or behind the `N`-th, are dropped.
    fn write<T, I>(&mut self, iterator: T) -> Result<(), Error>
    where
        T: IntoIterator<Item = I>,
        I: Into<Self::Color>,
    {
        let room = N.min(self.strip.len());
        let mut count = 0;
        for (place, color) in self.colors[..room].iter_mut().zip(iterator) {
            let color = color.into();
            *place = [color.r, color.g, color.b];
            count += 1;
        }
        self.strip.write(&self.colors[..count])
    }
}

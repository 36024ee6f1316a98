// SPDX-License-Identifier: Apache-2.0
//! Counts the work of a check: ends the check when somebody says so, and when it takes more than an image of this
//! size may take.

use crate::{Image, ImageError};

/// Units between two looks at whether to go on.
const LOOK: u32 = 512;
/// Units that every image gets.
const BASE: u32 = 1 << 16;
/// Units that an image gets for each of its bytes.
const PER_BYTE: u32 = 4;

/// Returns the units of work that the check of this image may take. A unit is a word of code, an entry of a section, or
/// four bytes that are read one by one. An image that shares no bytes between its entries takes less than one unit a
/// byte.
pub fn budget(image: &Image<'_>) -> u32 {
    let bytes = u32::try_from(image.bytes().len()).unwrap_or(u32::MAX);
    bytes.saturating_mul(PER_BYTE).saturating_add(BASE)
}

/// The units that are left.
pub(super) struct Meter<'g> {
    left: u32,
    look: u32,
    go_on: &'g dyn Fn() -> bool,
}

impl<'g> Meter<'g> {
    /// Begins with the budget of an image.
    pub fn new(image: &Image<'_>, go_on: &'g dyn Fn() -> bool) -> Self {
        Self { left: budget(image), look: LOOK, go_on }
    }

    /// Takes units.
    ///
    /// # Errors
    /// None are left, or the check is to stop.
    #[inline(never)]
    pub fn spend(&mut self, units: u32) -> Result<(), ImageError> {
        if units < self.look && units <= self.left {
            self.left -= units;
            self.look -= units;
            return Ok(());
        }
        self.look_up(units)
    }

    /// Spends units as [`Meter::spend`] does, for bytes that are looked at one by one.
    pub fn bytes(&mut self, bytes: usize) -> Result<(), ImageError> {
        self.spend(u32::try_from(bytes / 4).unwrap_or(u32::MAX))
    }

    #[cold]
    fn look_up(&mut self, units: u32) -> Result<(), ImageError> {
        self.left = self.left.checked_sub(units).ok_or(ImageError::Work)?;
        self.look = LOOK;
        if (self.go_on)() {
            Ok(())
        } else {
            Err(ImageError::Stopped)
        }
    }
}

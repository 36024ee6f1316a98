// SPDX-License-Identifier: Apache-2.0
//! Digital pins by label. Levels are logical: `embedded-hal`'s *high* is *active*, and whether that
//! is a high or a low voltage is the board's business.

use crate::abi::gpio;
use crate::Error;
use embedded_hal::digital::{ErrorType, InputPin, OutputPin, StatefulOutputPin};

/// A pin that the app drives. Inactive and released when dropped.
#[derive(Debug)]
pub struct Output(u32);

/// Which edges of a pin become events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Edges {
    /// None.
    None = gpio::EDGE_NONE,
    /// From inactive to active.
    Active = gpio::EDGE_ACTIVE,
    /// From active to inactive.
    Inactive = gpio::EDGE_INACTIVE,
    /// Both.
    Both = gpio::EDGE_BOTH,
}

/// A pin that the app reads. Released when dropped.
#[derive(Debug)]
pub struct Input(u32);

impl Output {
    /// Opens the pin granted as `label`, inactive at first.
    ///
    /// # Errors
    /// `EACCES` if it was not granted as an output, else what the driver says.
    pub fn open(label: &str) -> Result<Self, Error> {
        Ok(Output(gpio::open(label.as_bytes(), gpio::OUTPUT_INACTIVE)?))
    }

    /// Opens the pin granted as `label`, active at first.
    ///
    /// # Errors
    /// Returns the errors of [`Output::open`].
    pub fn open_active(label: &str) -> Result<Self, Error> {
        Ok(Output(gpio::open(label.as_bytes(), gpio::OUTPUT_ACTIVE)?))
    }

    /// Drives the pin active or inactive.
    ///
    /// # Errors
    /// `EIO` if the driver failed, as for all that follow.
    pub fn set(&mut self, active: bool) -> Result<(), Error> {
        Ok(gpio::set(self.0, u32::from(active))?)
    }

    /// Inverts the level.
    ///
    /// # Errors
    /// Returns the errors of [`Output::set`].
    pub fn toggle(&mut self) -> Result<(), Error> {
        Ok(gpio::toggle(self.0)?)
    }

    /// Returns true if the pin is driven active.
    ///
    /// # Errors
    /// Returns the errors of [`Output::set`].
    pub fn is_active(&self) -> Result<bool, Error> {
        Ok(gpio::is_active(self.0)? != 0)
    }
}

impl Input {
    /// Opens the pin granted as `label`.
    ///
    /// # Errors
    /// `EACCES` if it was not granted as an input, else what the driver says.
    pub fn open(label: &str) -> Result<Self, Error> {
        Ok(Input(gpio::open(label.as_bytes(), gpio::INPUT)?))
    }

    /// Returns true if the pin is active.
    ///
    /// # Errors
    /// `EIO` if the driver failed.
    pub fn is_active(&self) -> Result<bool, Error> {
        Ok(gpio::is_active(self.0)? != 0)
    }

    /// Chooses which edges become events: see [`crate::next_event`].
    ///
    /// # Errors
    /// `ENOTSUP` if the pin has no interrupts.
    pub fn watch(&mut self, edges: Edges) -> Result<(), Error> {
        Ok(gpio::watch(self.0, edges as u32)?)
    }

    /// Returns the number that events of this pin carry.
    pub fn source(&self) -> u32 {
        self.0
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // Nothing can be done about a driver that fails while the pin is given up.
        let _ = gpio::close(self.0);
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        // As for outputs.
        let _ = gpio::close(self.0);
    }
}

impl ErrorType for Output {
    type Error = Error;
}

impl OutputPin for Output {
    fn set_low(&mut self) -> Result<(), Error> {
        self.set(false)
    }

    fn set_high(&mut self) -> Result<(), Error> {
        self.set(true)
    }
}

impl StatefulOutputPin for Output {
    fn is_set_high(&mut self) -> Result<bool, Error> {
        self.is_active()
    }

    fn is_set_low(&mut self) -> Result<bool, Error> {
        Ok(!self.is_active()?)
    }

    fn toggle(&mut self) -> Result<(), Error> {
        Output::toggle(self)
    }
}

impl ErrorType for Input {
    type Error = Error;
}

impl InputPin for Input {
    fn is_high(&mut self) -> Result<bool, Error> {
        self.is_active()
    }

    fn is_low(&mut self) -> Result<bool, Error> {
        Ok(!self.is_active()?)
    }
}

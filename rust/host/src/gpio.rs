// SPDX-License-Identifier: Apache-2.0
//! `wisp:gpio@1`.

use crate::bindings::GpioV1;
use crate::handles::Handles;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{gpio, Errno};

/// Direction and first level of a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinMode {
    /// Input.
    Input,
    /// Output that is inactive at first.
    OutputInactive,
    /// Output that is active at first.
    OutputActive,
}

/// Edges of a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// No edge.
    None,
    /// From inactive to active.
    Active,
    /// From active to inactive.
    Inactive,
    /// Both edges.
    Both,
}

impl Edges {
    /// Returns true if an edge to this level is among them.
    pub fn contain(self, active: bool) -> bool {
        match self {
            Edges::None => false,
            Edges::Active => active,
            Edges::Inactive => !active,
            Edges::Both => true,
        }
    }
}

/// Digital pins that the app was granted. `pin` is an index into its grants, from [`Gpio::find`]. Calls come only for
/// pins that are open, and levels only for outputs.
pub trait Gpio {
    /// Returns the index of the grant with this label, below [`gpio::MAX_PINS`].
    fn find(&self, label: &[u8]) -> Option<u32>;

    /// Configures the pin as granted.
    ///
    /// # Errors
    /// `EACCES` if the grant excludes the direction, `EBUSY` if another app has the pin, otherwise the error of the
    /// driver.
    fn configure(&mut self, pin: u32, mode: PinMode) -> Result<(), Errno>;

    /// Drives the pin.
    ///
    /// # Errors
    /// The error of the driver.
    fn set(&mut self, pin: u32, active: bool) -> Result<(), Errno>;

    /// Inverts the level to which the pin is driven.
    ///
    /// # Errors
    /// The error of the driver.
    fn toggle(&mut self, pin: u32) -> Result<(), Errno>;

    /// Returns the logical level.
    ///
    /// # Errors
    /// The error of the driver.
    fn is_active(&mut self, pin: u32) -> Result<bool, Errno>;

    /// Selects which edges of an input become events, and drops what the queue holds of the pin.
    ///
    /// # Errors
    /// `ENOTSUP` without interrupts, otherwise the error of the driver.
    fn watch(&mut self, pin: u32, edges: Edges) -> Result<(), Errno>;

    /// Closes the pin. An output was made inactive just before, a watched
    /// input is no longer watched.
    ///
    /// # Errors
    /// The error of the driver. The pin counts as released all the same.
    fn release(&mut self, pin: u32) -> Result<(), Errno>;
}

impl<P: Platform> App<P> {
    fn output(&self, pin: u32) -> Result<(), Errno> {
        self.open.gpio.check(pin)?;
        if self.outputs.contains(pin) {
            Ok(())
        } else {
            Err(Errno::Perm)
        }
    }
}

impl<P: Platform> App<P> {
    /// Stops events of a pin's old use when it gets another one.
    fn unwatch(&mut self, pin: u32) -> Result<(), Errno> {
        if !self.watched.contains(pin) {
            return Ok(());
        }
        self.watched.set(pin, false);
        self.platform.watch(pin, Edges::None)
    }
}

/// Makes the app's outputs inactive and releases its pins.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    // Nobody is left who could be told of an error, and the other pins must be released all the same.
    while let Some(pin) = app.open.gpio.pop() {
        if app.outputs.contains(pin) {
            let _ = app.platform.set(pin, false);
        }
        let _ = app.unwatch(pin);
        let _ = app.platform.release(pin);
    }
    app.outputs = Handles::new();
}

impl<P: Platform> GpioV1 for App<P> {
    fn open(&mut self, label: &[u8], mode: u32) -> Result<u32, Failure<Errno>> {
        let mode = match mode {
            gpio::INPUT => PinMode::Input,
            gpio::OUTPUT_INACTIVE => PinMode::OutputInactive,
            gpio::OUTPUT_ACTIVE => PinMode::OutputActive,
            _ => return Err(Errno::Invalid.into()),
        };
        let pin = self.granted(self.platform.find(label), gpio::INTERFACE.module, label)?;
        self.unwatch(pin)?;
        if let Err(error) = self.platform.configure(pin, mode) {
            if error == Errno::Access {
                self.platform.denied(gpio::INTERFACE.module, label);
            }
            return Err(error.into());
        }
        self.open.gpio.set(pin, true);
        self.outputs.set(pin, mode != PinMode::Input);
        Ok(pin)
    }

    fn close(&mut self, pin: u32) -> Result<(), Failure<Errno>> {
        self.open.gpio.check(pin)?;
        let unwatched = self.unwatch(pin);
        let inactive = if self.outputs.contains(pin) { self.platform.set(pin, false) } else { Ok(()) };
        self.open.gpio.set(pin, false);
        self.outputs.set(pin, false);
        let released = self.platform.release(pin);
        Ok(unwatched.and(inactive).and(released)?)
    }

    fn set_active(&mut self, pin: u32) -> Result<(), Failure<Errno>> {
        self.output(pin)?;
        Ok(self.platform.set(pin, true)?)
    }

    fn set_inactive(&mut self, pin: u32) -> Result<(), Failure<Errno>> {
        self.output(pin)?;
        Ok(self.platform.set(pin, false)?)
    }

    fn set(&mut self, pin: u32, active: u32) -> Result<(), Failure<Errno>> {
        self.output(pin)?;
        Ok(self.platform.set(pin, active != 0)?)
    }

    fn toggle(&mut self, pin: u32) -> Result<(), Failure<Errno>> {
        self.output(pin)?;
        Ok(self.platform.toggle(pin)?)
    }

    fn is_active(&mut self, pin: u32) -> Result<u32, Failure<Errno>> {
        self.open.gpio.check(pin)?;
        Ok(u32::from(self.platform.is_active(pin)?))
    }

    fn watch(&mut self, pin: u32, edges: u32) -> Result<(), Failure<Errno>> {
        self.open.gpio.check(pin)?;
        let edges = match edges {
            gpio::EDGE_NONE => Edges::None,
            gpio::EDGE_ACTIVE => Edges::Active,
            gpio::EDGE_INACTIVE => Edges::Inactive,
            gpio::EDGE_BOTH => Edges::Both,
            _ => return Err(Errno::Invalid.into()),
        };
        if self.outputs.contains(pin) {
            return Err(Errno::Perm.into());
        }
        self.platform.watch(pin, edges)?;
        self.watched.set(pin, edges != Edges::None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::platform::{Edges, PinMode};
    use crate::testing::Harness;
    use wisp_abi::gpio::{EDGE_ACTIVE, EDGE_BOTH, INPUT, OUTPUT_ACTIVE, OUTPUT_INACTIVE};

    const EACCES: i32 = -13;
    const EBADF: i32 = -9;
    const EFAULT: i32 = -14;
    const EINVAL: i32 = -22;
    const EIO: i32 = -5;
    const EPERM: i32 = -1;
    const ON_A_PIN: [&str; 5] = ["set_active", "set_inactive", "toggle", "is_active", "close"];

    #[test]
    fn an_opened_pin_has_the_mode_asked_for() {
        let mut harness = Harness::new();
        for (mode, expected, active) in [
            (INPUT, PinMode::Input, false),
            (OUTPUT_ACTIVE, PinMode::OutputActive, true),
            (OUTPUT_INACTIVE, PinMode::OutputInactive, false),
        ] {
            let led = harness.open("led", mode);
            let pin = &harness.app.platform().pins[led as usize];
            assert_eq!((pin.mode, pin.active), (Some(expected), active));
        }
    }

    #[test]
    fn what_was_not_granted_cannot_be_opened_and_the_log_says_so() {
        let mut harness = Harness::new();
        assert_eq!(harness.try_open("heater", OUTPUT_ACTIVE), EACCES);
        assert_eq!(harness.try_open("", INPUT), EACCES);
        assert_eq!(harness.try_open("le", INPUT), EACCES);
        let denied: [(_, _); 3] = ["heater", "", "le"].map(|l| ("wisp:gpio@1".into(), l.into()));
        assert_eq!(harness.app.platform().denied, denied);
    }

    #[test]
    fn a_grant_may_exclude_a_direction() {
        let mut harness = Harness::new();
        assert_eq!(harness.try_open("button", OUTPUT_ACTIVE), EACCES);
        assert_eq!(harness.app.platform().denied.len(), 1);
        assert_eq!(harness.gpio("is_active", &[1]), EBADF);
    }

    #[test]
    fn an_unknown_mode_or_a_bad_label_opens_nothing() {
        let mut harness = Harness::new();
        assert_eq!(harness.try_open("led", 3), EINVAL);
        let size = harness.memory.len() as u32;
        assert_eq!(harness.gpio("open", &[size - 1, 2, INPUT]), EFAULT);
        assert_eq!(harness.gpio("open", &[u32::MAX, 3, INPUT]), EFAULT);
        assert_eq!(harness.gpio("is_active", &[0]), EBADF);
    }

    #[test]
    fn a_grant_beyond_the_handle_table_is_not_usable() {
        let mut harness = Harness::new();
        assert_eq!(harness.try_open("far", INPUT), EACCES);
    }

    #[test]
    fn outputs_follow_the_guest() {
        let mut harness = Harness::new();
        let led = harness.open("led", OUTPUT_INACTIVE);
        for (name, arguments, active) in [
            ("set_active", &[led][..], 1),
            ("set_inactive", &[led], 0),
            ("toggle", &[led], 1),
            ("set", &[led, 0], 0),
            ("set", &[led, 77], 1),
        ] {
            assert_eq!(harness.gpio(name, arguments), 0);
            assert_eq!(harness.gpio("is_active", &[led]), active, "{name}");
        }
    }

    #[test]
    fn an_input_is_read_and_never_driven() {
        let mut harness = Harness::new();
        let button = harness.open("button", INPUT);
        assert_eq!(harness.gpio("is_active", &[button]), 0);
        harness.app.platform_mut().pins[button as usize].active = true;
        assert_eq!(harness.gpio("is_active", &[button]), 1);
        for name in ["set_active", "set_inactive", "toggle"] {
            assert_eq!(harness.gpio(name, &[button]), EPERM);
        }
        assert_eq!(harness.gpio("set", &[button, 0]), EPERM);
        assert!(harness.app.platform().pins[button as usize].active);
    }

    #[test]
    fn a_handle_that_is_not_open_is_refused_by_every_function() {
        let mut harness = Harness::new();
        harness.open("led", OUTPUT_INACTIVE);
        for handle in [1, 2, 31, 32, 33, 0x8000_0000, u32::MAX] {
            for name in ON_A_PIN {
                assert_eq!(harness.gpio(name, &[handle]), EBADF, "{name} {handle}");
            }
            assert_eq!(harness.gpio("set", &[handle, 1]), EBADF);
        }
    }

    #[test]
    fn a_closed_pin_is_inactive_released_and_gone() {
        let mut harness = Harness::new();
        let led = harness.open("led", OUTPUT_ACTIVE);
        assert_eq!(harness.gpio("close", &[led]), 0);
        let pin = &harness.app.platform().pins[led as usize];
        assert_eq!((pin.mode, pin.active), (None, false));
        assert_eq!(harness.gpio("close", &[led]), EBADF);
        assert_eq!(harness.open("led", INPUT), led);
        assert_eq!(harness.gpio("set_active", &[led]), EPERM);
    }

    #[test]
    fn a_failing_driver_is_an_io_error() {
        let mut harness = Harness::new();
        let led = harness.open("led", OUTPUT_ACTIVE);
        harness.app.platform_mut().broken = true;
        for name in ON_A_PIN {
            assert_eq!(harness.gpio(name, &[led]), EIO, "{name}");
        }
        assert_eq!(harness.try_open("led", INPUT), EIO);
        assert_eq!(harness.gpio("is_active", &[led]), EBADF, "close released it all the same");
    }

    #[test]
    fn only_open_inputs_are_watched() {
        let mut harness = Harness::new();
        assert_eq!(harness.gpio("watch", &[1, EDGE_BOTH]), EBADF);
        let (led, button) = (harness.open("led", OUTPUT_ACTIVE), harness.open("button", INPUT));
        assert_eq!(harness.gpio("watch", &[led, EDGE_ACTIVE]), EPERM);
        assert_eq!(harness.gpio("watch", &[button, 4]), EINVAL);
        for (number, edges) in [(1, Edges::Active), (2, Edges::Inactive), (3, Edges::Both), (0, Edges::None)] {
            assert_eq!(harness.gpio("watch", &[button, number]), 0);
            assert_eq!(harness.app.platform().pins[button as usize].edges, Some(edges));
        }
    }

    #[test]
    fn a_pin_is_no_longer_watched_when_it_is_closed_reopened_or_released() {
        for end in 0..3 {
            let mut harness = Harness::new();
            let button = harness.open("button", INPUT);
            harness.gpio("watch", &[button, EDGE_BOTH]);
            match end {
                0 => assert_eq!(harness.gpio("close", &[button]), 0),
                1 => assert_eq!(harness.open("button", INPUT), button),
                _ => harness.app.release(),
            }
            assert_eq!(harness.app.platform().pins[button as usize].edges, Some(Edges::None));
        }
    }
}

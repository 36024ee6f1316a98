// SPDX-License-Identifier: Apache-2.0
//! Pins.

#[cfg(feature = "gpio")]
use crate::platform::check;
use crate::platform::Zephyr;
#[cfg(feature = "gpio")]
use crate::shim;
use wisp_host::platform::{Edges, Gpio, PinMode};
use wisp_host::Errno;

#[cfg(feature = "gpio")]
impl Gpio for Zephyr {
    fn find(&self, label: &[u8]) -> Option<u32> {
        // SAFETY: `app` is valid by the contract of `new`; the label is only read.
        let index = unsafe { shim::wisp_shim_gpio_find(self.app, label.as_ptr(), label.len()) };
        u32::try_from(index).ok()
    }

    fn configure(&mut self, pin: u32, mode: PinMode) -> Result<(), Errno> {
        let mode = match mode {
            PinMode::Input => shim::wisp_pin_mode_WISP_PIN_INPUT,
            PinMode::OutputInactive => shim::wisp_pin_mode_WISP_PIN_OUTPUT_INACTIVE,
            PinMode::OutputActive => shim::wisp_pin_mode_WISP_PIN_OUTPUT_ACTIVE,
        };
        // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
        check(unsafe { shim::wisp_shim_gpio_configure(self.app, pin, mode) })
    }

    fn set(&mut self, pin: u32, active: bool) -> Result<(), Errno> {
        // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
        check(unsafe { shim::wisp_shim_gpio_set(self.app, pin, active) })
    }

    fn toggle(&mut self, pin: u32) -> Result<(), Errno> {
        // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
        check(unsafe { shim::wisp_shim_gpio_toggle(self.app, pin) })
    }

    fn is_active(&mut self, pin: u32) -> Result<bool, Errno> {
        let mut active = false;
        // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; `active` is written before the
        // shim returns.
        check(unsafe { shim::wisp_shim_gpio_get(self.app, pin, &mut active) })?;
        Ok(active)
    }

    fn watch(&mut self, pin: u32, edges: Edges) -> Result<(), Errno> {
        let edges = match edges {
            Edges::None => shim::wisp_edges_WISP_EDGES_NONE,
            Edges::Active => shim::wisp_edges_WISP_EDGES_ACTIVE,
            Edges::Inactive => shim::wisp_edges_WISP_EDGES_INACTIVE,
            Edges::Both => shim::wisp_edges_WISP_EDGES_BOTH,
        };
        // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
        check(unsafe { shim::wisp_shim_gpio_watch(self.app, pin, edges) })
    }

    fn release(&mut self, pin: u32) -> Result<(), Errno> {
        let released = shim::wisp_pin_mode_WISP_PIN_RELEASED;
        // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
        check(unsafe { shim::wisp_shim_gpio_configure(self.app, pin, released) })
    }
}

/// Without GPIO support no pin is ever found, so nothing else is called.
#[cfg(not(feature = "gpio"))]
impl Gpio for Zephyr {
    fn find(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    fn configure(&mut self, _pin: u32, _mode: PinMode) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    fn set(&mut self, _pin: u32, _active: bool) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    fn toggle(&mut self, _pin: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    fn is_active(&mut self, _pin: u32) -> Result<bool, Errno> {
        Err(Errno::NoSuchDevice)
    }

    fn watch(&mut self, _pin: u32, _edges: Edges) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    fn release(&mut self, _pin: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }
}

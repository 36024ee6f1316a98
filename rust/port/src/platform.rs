// SPDX-License-Identifier: Apache-2.0
//! The board that an app sees: the peripheral traits, implemented by the C shims over Zephyr's
//! drivers. This is the only place where Rust calls into Zephyr on a guest's behalf.

use crate::shim;
use core::ffi::CStr;
use wisp_host::platform::{Clock, Coap, Entropy, Identity, Log, Mqtt, Stdio, Stream};
use wisp_host::{Errno, Interrupted};

/// One app's part of the board.
#[derive(Clone, Copy, Debug)]
pub struct Zephyr {
    /// Points to a `struct wisp_app` in flash.
    pub(crate) app: *const shim::wisp_app,
    #[cfg(feature = "mqtt")]
    mqtt: wisp_host::platform::Session,
    #[cfg(feature = "coap")]
    coap: wisp_host::platform::CoapState,
}

impl Zephyr {
    /// Returns the board as the given app sees it.
    ///
    /// # Safety
    /// `app` points to an app of the firmware, which lives as long as the program.
    pub unsafe fn new(app: *const shim::wisp_app) -> Self {
        Zephyr {
            app,
            #[cfg(feature = "mqtt")]
            mqtt: wisp_host::platform::Session::new(),
            #[cfg(feature = "coap")]
            coap: wisp_host::platform::CoapState::new(),
        }
    }

    /// Returns the app, for C.
    pub fn app(&self) -> *const shim::wisp_app {
        self.app
    }

    /// Returns the trap that ends the app, once it was told to stop or its time is over, else 0.
    pub fn stop_reason(&self) -> u32 {
        // SAFETY: `app` is valid by the contract of `new`.
        unsafe { shim::wisp_shim_app_stop_reason(self.app) }
    }

    /// Logs for the runtime, under the app's name.
    pub fn report(&self, level: u32, text: &[u8]) {
        // SAFETY: `app` is valid by the contract of `new`; the text is only read.
        unsafe { shim::wisp_shim_log(self.app, level, text.as_ptr().cast(), text.len()) }
    }
}

/// Translates an error number of the shims. They are those of the ABI, and 0 is success.
pub(crate) fn check(error: u32) -> Result<(), Errno> {
    match u16::try_from(error) {
        Ok(0) => Ok(()),
        Ok(number) => Err(Errno::from_number(number).unwrap_or(Errno::Io)),
        Err(_) => Err(Errno::Io),
    }
}

/// Returns the bytes of a string, or `None` for NULL.
///
/// # Safety
/// The pointer is NULL or that of a NUL-terminated string that lives and does not change during the run.
unsafe fn string<'s>(text: *const core::ffi::c_char) -> Option<&'s [u8]> {
    // SAFETY: a string that is not NULL ends with NUL, lives and does not change during the run, as the caller knows.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
}

impl Mqtt for Zephyr {
    #[cfg(feature = "mqtt")]
    fn mqtt(&mut self) -> Option<&mut wisp_host::platform::Session> {
        Some(&mut self.mqtt)
    }
}

impl Coap for Zephyr {
    #[cfg(feature = "coap")]
    fn coap(&mut self) -> Option<&mut wisp_host::platform::CoapState> {
        Some(&mut self.coap)
    }
}

impl Identity for Zephyr {
    fn name(&self) -> &str {
        // SAFETY: the shim returns the app's name, a NUL-terminated string in flash, valid as long
        // as the program.
        let name = unsafe { CStr::from_ptr(shim::wisp_shim_app_name(self.app)) };
        name.to_str().unwrap_or("?")
    }

    fn argument(&self, index: usize) -> Option<&[u8]> {
        // SAFETY: `app` is valid by the contract of `new`; the shim returns NULL or a string that does not change
        // during a run.
        unsafe { string(shim::wisp_shim_app_argument(self.app, index)) }
    }

    fn variable(&self, index: usize) -> Option<&[u8]> {
        // SAFETY: `app` is valid by the contract of `new`; the shim returns NULL or a string that does not change
        // during a run.
        unsafe { string(shim::wisp_shim_app_variable(self.app, index)) }
    }

    #[cfg(feature = "record")]
    fn wrote(&mut self, address: u32, length: u32) {
        crate::record::wrote(self.app, address, length);
    }
}

impl Log for Zephyr {
    fn max_level(&self) -> u32 {
        if !cfg!(feature = "log") {
            return 0;
        }
        // SAFETY: no arguments and no preconditions.
        unsafe { shim::wisp_shim_app_log_level() }
    }

    fn line(&mut self, level: u32, line: &[u8]) {
        // SAFETY: `app` is valid by the contract of `new`; the line is only read.
        unsafe { shim::wisp_shim_app_log(self.app, level, line.as_ptr(), line.len()) }
    }

    fn denied(&mut self, interface: &str, label: &[u8]) {
        // SAFETY: `app` is valid by the contract of `new`.
        unsafe { shim::wisp_shim_app_denied(self.app) }
        let mut text = crate::text::Text::new();
        text.push(b"denied: node wisp-apps/");
        text.push(self.name().as_bytes());
        text.push(b" has no grant for ");
        text.push(interface.as_bytes());
        text.push(b" \"");
        text.push_shown(label);
        text.push(b"\"");
        self.report(wisp_host::abi::log::WARN, text.bytes());
    }
}

impl Stdio for Zephyr {
    const LINES: bool = true;

    fn output(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Errno> {
        let error = stream == Stream::Err;
        // SAFETY: `app` is valid by the contract of `new`; the bytes are only read.
        unsafe { shim::wisp_shim_app_output(self.app, error, bytes.as_ptr(), bytes.len()) };
        Ok(())
    }
}

impl Clock for Zephyr {
    fn uptime_us(&mut self) -> u64 {
        // SAFETY: no arguments and no preconditions.
        unsafe { shim::wisp_shim_uptime_us() }
    }

    fn resolution_ns(&self) -> u64 {
        // SAFETY: no arguments and no preconditions.
        u64::from(unsafe { shim::wisp_shim_uptime_resolution_ns() })
    }

    fn is_to_stop(&mut self) -> bool {
        self.stop_reason() != 0
    }

    fn sleep_us(&mut self, duration: u64) -> Result<(), Interrupted> {
        // SAFETY: `app` is valid by the contract of `new`; the call comes from the app's own thread,
        // the only one that runs this code.
        if unsafe { shim::wisp_shim_sleep_us(self.app, duration) } {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }
}

impl Entropy for Zephyr {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Errno> {
        // SAFETY: pointer and length are those of one exclusive slice.
        check(unsafe { shim::wisp_shim_entropy(buffer.as_mut_ptr(), buffer.len()) })
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Input devices.

use crate::platform::Zephyr;
use wisp_host::platform::Input;

#[cfg(not(feature = "input"))]
impl Input for Zephyr {}

#[cfg(feature = "input")]
mod driver {
    use super::{Input, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::platform::Report;
    use wisp_host::{Errno, Interrupted};

    impl Input for Zephyr {
        fn find_input(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_input_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_input(&mut self, input: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_input_open(self.app, input) })
        }

        fn close_input(&mut self, input: u32) {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_input_close(self.app, input) }
        }

        fn read_input(&mut self, input: u32, until_us: u64) -> Result<Option<Report>, Interrupted> {
            let mut event = shim::wisp_input_event { time_us: 0, value: 0, code: 0, kind: 0, sync: false };
            // SAFETY: `app` is valid by the contract of `new`; the device is open, so its index is one that the shim
            // gave; the shim writes the event or leaves it as it is.
            match unsafe { shim::wisp_shim_input_read(self.app, input, until_us, &mut event) } {
                shim::wisp_wait_WISP_WAIT_NOTHING => Ok(None),
                shim::wisp_wait_WISP_WAIT_EVENT => Ok(Some(Report {
                    time_us: event.time_us,
                    kind: event.kind.into(),
                    code: event.code.into(),
                    value: event.value,
                    sync: event.sync,
                })),
                _ => Err(Interrupted),
            }
        }

        fn watch_input(&mut self, input: u32, on: bool) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_input_watch(self.app, input, on) })
        }

        fn take_lost_reports(&mut self, input: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_input_lost(self.app, input) }
        }
    }
}

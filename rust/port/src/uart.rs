// SPDX-License-Identifier: Apache-2.0
//! Serial ports.

use crate::platform::Zephyr;
use wisp_host::platform::Uart;

#[cfg(not(feature = "uart"))]
impl Uart for Zephyr {}

#[cfg(feature = "uart")]
mod driver {
    use super::{Uart, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use wisp_host::platform::UartErrors;
    use wisp_host::{Errno, Interrupted};

    /// Translates the result of a shim's wait.
    fn ended(wait: u32) -> Result<(), Interrupted> {
        match wait {
            shim::wisp_wait_WISP_WAIT_STOP => Err(Interrupted),
            _ => Ok(()),
        }
    }

    impl Uart for Zephyr {
        fn find_uart(&self, label: &[u8]) -> Option<u32> {
            // SAFETY: `app` is valid by the contract of `new`; the label is only read.
            let index = unsafe { shim::wisp_shim_uart_find(self.app, label.as_ptr(), label.len()) };
            u32::try_from(index).ok()
        }

        fn open_uart(&mut self, uart: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            check(unsafe { shim::wisp_shim_uart_open(self.app, uart) })
        }

        fn close_uart(&mut self, uart: u32) {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            unsafe { shim::wisp_shim_uart_close(self.app, uart) }
        }

        fn read_uart(&mut self, uart: u32, buffer: &mut [u8], until_us: u64) -> Result<usize, Interrupted> {
            let mut count = 0;
            // No guest has 4 GiB of memory, so the length fits.
            let length = buffer.len() as u32;
            // SAFETY: `app` is valid by the contract of `new`; the port is open, so its index is one that
            // the shim gave; pointer and length are those of one exclusive slice.
            ended(unsafe {
                shim::wisp_shim_uart_read(self.app, uart, buffer.as_mut_ptr(), length, until_us, &mut count)
            })?;
            Ok(count as usize)
        }

        fn write_uart(&mut self, uart: u32, bytes: &[u8], until_us: u64) -> Result<usize, Interrupted> {
            let mut count = 0;
            let length = bytes.len() as u32;
            // SAFETY: `app` is valid by the contract of `new`; the port is open, so its index is one that the shim
            // gave; pointer and length are those of one slice, which is only read.
            ended(unsafe { shim::wisp_shim_uart_write(self.app, uart, bytes.as_ptr(), length, until_us, &mut count) })?;
            Ok(count as usize)
        }

        fn flush_uart(&mut self, uart: u32, until_us: u64) -> Result<bool, Interrupted> {
            let mut empty = false;
            // SAFETY: `app` is valid by the contract of `new`, and the port is open.
            ended(unsafe { shim::wisp_shim_uart_flush(self.app, uart, until_us, &mut empty) })?;
            Ok(empty)
        }

        fn uart_available(&mut self, uart: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`, and the port is open.
            unsafe { shim::wisp_shim_uart_available(self.app, uart) }
        }

        fn watch_uart(&mut self, uart: u32, on: bool) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`, and the port is open.
            check(unsafe { shim::wisp_shim_uart_watch(self.app, uart, on) })
        }

        fn take_uart_errors(&mut self, uart: u32) -> UartErrors {
            let mut errors = UartErrors::default();
            // SAFETY: `app` is valid by the contract of `new`, and the port is open; both numbers are written.
            unsafe { shim::wisp_shim_uart_errors(self.app, uart, &mut errors.lost, &mut errors.line) };
            errors
        }
    }
}

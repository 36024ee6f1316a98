// SPDX-License-Identifier: Apache-2.0
//! `wisp:uart@1`.

use crate::bindings::UartV1;
use crate::platform::Platform;
use crate::stop::{Failure, Interrupted};
use crate::App;
use wisp_abi::{uart, Errno};

/// Counts of reception errors of a serial port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UartErrors {
    /// Bytes that found the buffer full.
    pub lost: u32,
    /// Errors that the driver reported: overruns, parity and framing errors, breaks.
    pub line: u32,
}

/// Serial ports that the app was granted. `uart` is an index into its grants, from [`Uart::find_uart`]. Other calls
/// come only for ports that are open. Times are uptimes in microseconds, `u64::MAX` is without end, and one that has
/// passed means not to wait. A board without serial ports implements nothing.
pub trait Uart {
    /// Returns the index of the grant with this label, below [`uart::MAX_UARTS`].
    fn find_uart(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Starts reception, with nothing received.
    ///
    /// # Errors
    /// `EBUSY` if another app has the port, `ENODEV` if it is not ready, `ENOTSUP` without interrupts.
    fn open_uart(&mut self, _uart: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Ends reception, and events of it.
    fn close_uart(&mut self, _uart: u32) {}

    /// Takes what was received, waiting for something until a time: how much, 0 if nothing came.
    ///
    /// # Errors
    /// [`Interrupted`] as soon as the app has to stop.
    fn read_uart(&mut self, _uart: u32, _buffer: &mut [u8], _until_us: u64) -> Result<usize, Interrupted> {
        Ok(0)
    }

    /// Takes bytes to be sent, waiting for room until a time: how many, 0 if there was none.
    ///
    /// # Errors
    /// [`Interrupted`] as soon as the app has to stop.
    fn write_uart(&mut self, _uart: u32, _bytes: &[u8], _until_us: u64) -> Result<usize, Interrupted> {
        Ok(0)
    }

    /// Waits until the driver has all that was written, or until a time: whether it has.
    ///
    /// # Errors
    /// [`Interrupted`] as soon as the app has to stop.
    fn flush_uart(&mut self, _uart: u32, _until_us: u64) -> Result<bool, Interrupted> {
        Ok(false)
    }

    /// Returns how many bytes were received and not read.
    fn uart_available(&mut self, _uart: u32) -> u32 {
        0
    }

    /// Selects whether reception raises events, and drops what the queue holds of the port.
    ///
    /// # Errors
    /// `ENOTSUP` without events.
    fn watch_uart(&mut self, _uart: u32, _on: bool) -> Result<(), Errno> {
        Err(Errno::NotSupported)
    }

    /// Returns the reception errors since the last call and clears them.
    fn take_uart_errors(&mut self, _uart: u32) -> UartErrors {
        UartErrors::default()
    }
}

/// Converts a count of bytes. It is one of a slice in linear memory, so it fits.
fn counted(count: usize) -> Result<u32, Failure<Errno>> {
    match count {
        0 => Err(Errno::TimedOut.into()),
        count => Ok(count as u32),
    }
}

/// Closes the app's ports.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    while let Some(uart) = app.open.uart.pop() {
        app.platform.close_uart(uart);
    }
}

impl<P: Platform> UartV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let uart = self.granted(self.platform.find_uart(label), uart::INTERFACE.module, label)?;
        self.platform.open_uart(uart)?;
        self.open.uart.set(uart, true);
        Ok(uart)
    }

    fn close(&mut self, uart: u32) -> Result<(), Failure<Errno>> {
        self.open.uart.check(uart)?;
        self.open.uart.set(uart, false);
        self.platform.close_uart(uart);
        Ok(())
    }

    fn read(&mut self, uart: u32, buffer: &mut [u8], timeout: u32) -> Result<u32, Failure<Errno>> {
        self.open.uart.check(uart)?;
        if buffer.is_empty() {
            return Ok(0);
        }
        let end = self.end_of_wait(timeout);
        counted(self.platform.read_uart(uart, buffer, end).map_err(Failure::interrupted)?)
    }

    fn write(&mut self, uart: u32, bytes: &[u8], timeout: u32) -> Result<u32, Failure<Errno>> {
        self.open.uart.check(uart)?;
        if bytes.is_empty() {
            return Ok(0);
        }
        let end = self.end_of_wait(timeout);
        counted(self.platform.write_uart(uart, bytes, end).map_err(Failure::interrupted)?)
    }

    fn flush(&mut self, uart: u32, timeout: u32) -> Result<(), Failure<Errno>> {
        self.open.uart.check(uart)?;
        let end = self.end_of_wait(timeout);
        if self.platform.flush_uart(uart, end).map_err(Failure::interrupted)? {
            Ok(())
        } else {
            Err(Errno::TimedOut.into())
        }
    }

    fn available(&mut self, uart: u32) -> Result<u32, Failure<Errno>> {
        self.open.uart.check(uart)?;
        Ok(self.platform.uart_available(uart))
    }

    fn watch(&mut self, uart: u32, on: u32) -> Result<(), Failure<Errno>> {
        self.open.uart.check(uart)?;
        Ok(self.platform.watch_uart(uart, on != 0)?)
    }

    fn errors(&mut self, uart: u32) -> Result<(u32, u32), Failure<Errno>> {
        self.open.uart.check(uart)?;
        let UartErrors { lost, line } = self.platform.take_uart_errors(uart);
        Ok((lost, line))
    }
}

#[cfg(test)]
mod tests {
    use super::UartErrors;
    use crate::stop::Stop;
    use crate::testing::{Harness, UART};
    use wisp_abi::uart::FOREVER;
    use wisp_abi::Errno;

    const EBADF: i32 = -9;
    const EFAULT: i32 = -14;
    const ETIMEDOUT: i32 = -116;

    fn opened() -> Harness {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(UART, "modem"), 0);
        harness
    }

    #[test]
    fn a_read_takes_what_there_is_and_fits() {
        let mut harness = opened();
        harness.app.platform_mut().received.extend(b"hello");
        assert_eq!(harness.i32(UART, "available", &[0]), 5);
        assert_eq!(harness.i32(UART, "read", &[0, 64, 3, FOREVER]), 3);
        assert_eq!(harness.i32(UART, "read", &[0, 67, 30, 0]), 2);
        assert_eq!(&harness.memory[64..70], b"hello\0");
    }

    #[test]
    fn a_wait_takes_its_time_and_a_look_takes_none() {
        let mut harness = opened();
        for (name, rest) in [("read", &[64, 4][..]), ("write", &[64, 4]), ("flush", &[])] {
            harness.app.platform_mut().full = true;
            let before = harness.app.platform().now_us;
            assert_eq!(harness.i32(UART, name, &[&[0], rest, &[0]].concat()), ETIMEDOUT, "{name}");
            assert_eq!(harness.app.platform().now_us, before, "{name}");
            assert_eq!(harness.i32(UART, name, &[&[0], rest, &[20]].concat()), ETIMEDOUT, "{name}");
            assert_eq!(harness.app.platform().now_us, before + 20_000, "{name}");
        }
    }

    #[test]
    fn a_write_may_take_less_than_it_was_given() {
        let mut harness = opened();
        harness.memory[64..72].copy_from_slice(b"12345678");
        assert_eq!(harness.i32(UART, "write", &[0, 64, 8, FOREVER]), 4);
        assert_eq!(harness.i32(UART, "write", &[0, 68, 1, FOREVER]), 1);
        assert_eq!(harness.i32(UART, "flush", &[0, 0]), 0);
        assert_eq!(harness.app.platform().wire, b"12345");
    }

    #[test]
    fn no_bytes_are_no_wait() {
        let mut harness = opened();
        harness.app.platform_mut().stopped = true;
        assert_eq!(harness.i32(UART, "read", &[0, u32::MAX, 0, FOREVER]), 0);
        assert_eq!(harness.i32(UART, "write", &[0, u32::MAX, 0, FOREVER]), 0);
    }

    #[test]
    fn a_stop_ends_every_wait() {
        let mut harness = opened();
        harness.app.platform_mut().stopped = true;
        for (name, arguments) in
            [("read", &[0, 64, 1, FOREVER][..]), ("write", &[0, 64, 1, FOREVER]), ("flush", &[0, FOREVER])]
        {
            assert_eq!(harness.call(UART, name, arguments), Err(Stop::Interrupted), "{name}");
        }
    }

    #[test]
    fn errors_are_told_once() {
        let mut harness = opened();
        harness.app.platform_mut().uart_errors = UartErrors { lost: 7, line: 2 };
        let size = harness.memory.len() as u32;
        assert_eq!(harness.i32(UART, "errors", &[0, 64, size - 3]), EFAULT, "nothing has happened");
        assert_eq!(harness.i32(UART, "errors", &[0, 64, 68]), 0);
        assert_eq!((harness.u32_at(64), harness.u32_at(68)), (7, 2));
        assert_eq!(harness.i32(UART, "errors", &[0, 64, 68]), 0);
        assert_eq!((harness.u32_at(64), harness.u32_at(68)), (0, 0));
    }

    #[test]
    fn what_is_not_granted_free_or_open_is_refused() {
        let mut harness = opened();
        assert_eq!(harness.open_in(UART, "console"), -13);
        assert_eq!(harness.app.platform().denied, [("wisp:uart@1".into(), "console".into())]);
        assert_eq!(harness.i32(UART, "watch", &[0, 5]), 0);
        assert_eq!(harness.app.platform().uart_watched, Some(true));
        assert_eq!(harness.i32(UART, "watch", &[0, 0]), 0);
        assert_eq!(harness.app.platform().uart_watched, Some(false));
        assert_eq!(harness.i32(UART, "close", &[0]), 0);
        for handle in [0, 1, 32, u32::MAX] {
            for (name, rest) in [
                ("close", &[][..]),
                ("read", &[0, 1, 0]),
                ("write", &[0, 1, 0]),
                ("flush", &[0]),
                ("available", &[]),
                ("watch", &[1]),
                ("errors", &[0, 4]),
            ] {
                assert_eq!(harness.i32(UART, name, &[&[handle], rest].concat()), EBADF, "{name} {handle}");
            }
        }
        harness.app.platform_mut().bus_error = Some(Errno::Busy);
        assert_eq!(harness.open_in(UART, "modem"), -16);
        assert_eq!(harness.i32(UART, "available", &[0]), EBADF);
    }

    #[test]
    fn bad_pointers_take_and_send_nothing() {
        let mut harness = opened();
        harness.app.platform_mut().received.extend(b"hello");
        let size = harness.memory.len() as u32;
        for pointer in [size - 3, size, u32::MAX] {
            assert_eq!(harness.i32(UART, "read", &[0, pointer, 4, 0]), EFAULT);
            assert_eq!(harness.i32(UART, "write", &[0, pointer, 4, 0]), EFAULT);
        }
        assert_eq!(harness.i32(UART, "available", &[0]), 5);
        assert!(harness.app.platform().wire.is_empty());
    }

    #[test]
    fn release_closes_what_is_open() {
        let mut harness = opened();
        harness.app.release();
        assert_eq!(harness.app.platform().uarts_closed, [0]);
        assert_eq!(harness.i32(UART, "available", &[0]), EBADF);
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Serial ports whose reception follows a script.

use crate::arrivals::{check_script, Arrivals, Step};
use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use std::collections::VecDeque;
use toml::Spanned;
use wisp_abi::Errno;
use wisp_host::platform::{Kind, Uart, UartErrors};
use wisp_host::Interrupted;

/// Bytes that are received and wait to be read: as many as on a device without configuration.
const CAPACITY: usize = 128;
/// Bytes that were typed and wait for room at most. Beyond that they are lost, as those of a script are without room.
const TYPED: usize = 64 << 10;

/// A port as a board file describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// True if every byte that is sent comes back.
    loopback: bool,
    script: Vec<Spanned<Reception>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reception {
    /// Milliseconds since boot, with fractions.
    at_ms: f64,
    #[serde(default)]
    text: String,
    #[serde(default)]
    bytes: Vec<u8>,
}

impl Step for Reception {
    fn at_ms(&self) -> f64 {
        self.at_ms
    }
}

/// Checks what the types of a port's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    check_script(text, key, &config.script, |step| match step.text.is_empty() == step.bytes.is_empty() {
        true => Err("expected either text or bytes".into()),
        false => Ok(()),
    })
}

/// Returns the signal that a waveform viewer shows.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    Some(Signal::text())
}

/// A port.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    loopback: bool,
    /// The bytes that are received.
    pub(crate) arrivals: Arrivals<Reception, u8>,
    /// The bytes that were typed and have not found room.
    typed: VecDeque<u8>,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        let arrivals = Arrivals::new(config.script, CAPACITY);
        Device { label, loopback: config.loopback, arrivals, typed: VecDeque::new() }
    }

    fn take(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.arrivals.put(*byte));
    }

    /// Receives bytes that were typed. Those without room follow as the app reads.
    pub(crate) fn touch(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.arrivals.is_open() && !self.arrivals.has_room() && self.typed.len() < TYPED {
                self.typed.push_back(byte);
            } else {
                self.arrivals.hear(byte);
            }
        }
    }

    /// Receives what was typed and finds room now.
    fn refill(&mut self) {
        while self.arrivals.has_room() {
            let Some(byte) = self.typed.pop_front() else { return };
            self.arrivals.hear(byte);
        }
    }

    /// Receives the next of the script.
    pub(crate) fn receive(&mut self) {
        if let Some(step) = self.arrivals.step() {
            self.take(step.text.as_bytes());
            self.take(&step.bytes);
        }
    }
}

impl SimPlatform {
    fn uart(&mut self, uart: u32) -> Option<&mut Device> {
        self.devices.uart.get_mut(uart as usize)
    }
}

impl Uart for SimPlatform {
    fn find_uart(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.uart.iter().position(|uart| uart.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_uart(&mut self, uart: u32) -> Result<(), Errno> {
        let now = self.now_us();
        self.close_uart(uart);
        self.uart(uart).ok_or(Errno::BadHandle)?.arrivals.open(now);
        Ok(())
    }

    fn close_uart(&mut self, uart: u32) {
        let _ = self.watch_uart(uart, false);
        if let Some(found) = self.uart(uart) {
            found.arrivals.close();
            found.typed.clear();
        }
    }

    fn read_uart(&mut self, uart: u32, buffer: &mut [u8], until_us: u64) -> Result<usize, Interrupted> {
        self.tick();
        self.collect_events();
        loop {
            let Some(found) = self.uart(uart) else { return Ok(0) };
            let count = buffer.len().min(found.arrivals.waiting());
            let received = std::iter::from_fn(|| found.arrivals.take());
            buffer[..count].iter_mut().zip(received).for_each(|(to, from)| *to = from);
            found.refill();
            self.raise(Kind::Uart(uart));
            if count > 0 || !self.wait_for_source(Kind::Uart(uart), until_us)? {
                return Ok(count);
            }
        }
    }

    fn write_uart(&mut self, uart: u32, bytes: &[u8], _until_us: u64) -> Result<usize, Interrupted> {
        self.tick();
        let Some(found) = self.uart(uart) else {
            return Ok(0);
        };
        if found.loopback {
            found.take(bytes);
        }
        let (label, shown) = (found.label.clone(), bytes.escape_ascii().to_string());
        self.trace("uart", &label, &shown, "");
        self.raise(Kind::Uart(uart));
        Ok(bytes.len())
    }

    fn flush_uart(&mut self, _uart: u32, _until_us: u64) -> Result<bool, Interrupted> {
        Ok(true)
    }

    fn uart_available(&mut self, uart: u32) -> u32 {
        self.tick();
        self.collect_events();
        self.uart(uart).map_or(0, |found| found.arrivals.waiting() as u32)
    }

    fn watch_uart(&mut self, uart: u32, on: bool) -> Result<(), Errno> {
        self.watch_source(Kind::Uart(uart), on)
    }

    fn take_uart_errors(&mut self, uart: u32) -> UartErrors {
        self.collect_events();
        let lost = self.uart(uart).map_or(0, |found| found.arrivals.take_lost());
        UartErrors { lost, line: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Board, Capture, TraceFormat};
    use wisp_host::platform::{Clock, Event, Events};

    fn platform(grants: &str) -> (SimPlatform, Capture) {
        let capture = Capture::new();
        let mut board = Board::from_toml(&format!("[apps.a.uart.modem]\n{grants}\n")).unwrap();
        board.set_trace(capture.clone(), TraceFormat::Csv);
        let mut app = board.platform("a");
        assert_eq!(app.find_uart(b"modem"), Some(0));
        app.open_uart(0).unwrap();
        (app, capture)
    }

    #[test]
    fn a_read_waits_for_what_the_script_sends() {
        let (mut app, _) = platform("script = [{ at_ms = 5, text = \"hi\" }, { at_ms = 9, bytes = [0, 255] }]");
        let mut buffer = [9; 8];
        assert_eq!(app.read_uart(0, &mut buffer, 4_000), Ok(0));
        assert_eq!(app.read_uart(0, &mut buffer[..1], u64::MAX), Ok(1));
        assert_eq!((app.now_us(), app.uart_available(0)), (5_000, 1));
        assert_eq!(app.read_uart(0, &mut buffer[1..], 0), Ok(1));
        assert_eq!(app.read_uart(0, &mut buffer[2..], 20_000), Ok(2));
        assert_eq!(&buffer, &[b'h', b'i', 0, 255, 9, 9, 9, 9]);
    }

    #[test]
    fn events_tell_once_until_all_was_read() {
        let steps = ["{ at_ms = 1, text = \"a\" }", "{ at_ms = 2, text = \"b\" }", "{ at_ms = 3, text = \"c\" }"];
        let (mut app, _) = platform(&format!("script = [{}]", steps.join(",")));
        app.watch_uart(0, true).unwrap();
        let told = |time_us| Ok(Some(Event { time_us, kind: Kind::Uart(0), lost: 0 }));
        assert_eq!(app.next_event(10_000), told(1_000));
        app.sleep_us(1_500).unwrap();
        assert_eq!(app.next_event(0), Ok(None), "one told of both");
        assert_eq!(app.read_uart(0, &mut [0; 8], 0), Ok(2));
        assert_eq!(app.next_event(10_000), told(3_000));
        app.watch_uart(0, true).unwrap();
        assert!(app.next_event(0).unwrap().is_some(), "what is there already");
        app.watch_uart(0, false).unwrap();
        assert_eq!(app.next_event(app.now_us() + 5), Ok(None));
    }

    #[test]
    fn what_finds_the_buffer_full_is_lost_and_what_finds_the_port_closed_unheard() {
        let text = "x".repeat(CAPACITY + 3);
        let (mut app, _) =
            platform(&format!("script = [{{ at_ms = 1, text = \"{text}\" }}, {{ at_ms = 2, bytes = [7] }}]"));
        app.sleep_us(1_500).unwrap();
        assert_eq!(app.uart_available(0), CAPACITY as u32);
        assert_eq!(app.take_uart_errors(0), UartErrors { lost: 3, line: 0 });
        assert_eq!(app.take_uart_errors(0), UartErrors::default());
        app.close_uart(0);
        app.sleep_us(5_000).unwrap();
        app.open_uart(0).unwrap();
        assert_eq!(app.uart_available(0), 0);
    }

    #[test]
    fn what_is_sent_is_traced_and_may_come_back() {
        let (mut app, trace) = platform("loopback = true");
        assert_eq!(app.write_uart(0, b"AT\r\n", 0), Ok(4));
        assert_eq!(app.read_uart(0, &mut [0; 8], 0), Ok(4));
        assert_eq!(trace.text(), "time_us,app,source,name,value\n1,a,uart,modem,AT\\r\\n\n");
    }

    #[test]
    fn a_step_back_or_without_content_is_refused() {
        for (script, expected) in [
            ("{ at_ms = 2, text = \"a\" }, { at_ms = 1, text = \"b\" }", "not before 2"),
            ("{ at_ms = 2 }", "either text or bytes"),
        ] {
            let error = Board::from_toml(&format!("[apps.a.uart.m]\nscript = [{script}]\n")).unwrap_err();
            assert!(error.message.contains(expected) && error.line == 2, "{error}");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Serial ports whose reception follows a script.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use std::collections::VecDeque;
use toml::Spanned;
use wisp_abi::Errno;
use wisp_host::platform::{Clock, Kind, Uart, UartErrors};
use wisp_host::Interrupted;

/// Bytes that are received and wait to be read: as many as on a device without configuration.
const CAPACITY: usize = 128;

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
struct Reception {
    /// Milliseconds since boot, with fractions.
    at_ms: f64,
    #[serde(default)]
    text: String,
    #[serde(default)]
    bytes: Vec<u8>,
}

impl Reception {
    fn at_us(&self) -> u64 {
        (self.at_ms * 1000.0).round() as u64
    }
}

/// Checks what the types of a port's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    let mut last = 0.0;
    for step in &config.script {
        let Reception { at_ms, text: received, bytes } = step.get_ref();
        if !at_ms.is_finite() || *at_ms < last {
            let message = format!("{key}.script: at_ms = {at_ms}, expected a time not before {last}");
            return Err(Error::at(text, Some(step.span()), message));
        }
        if received.is_empty() == bytes.is_empty() {
            let message = format!("{key}.script: expected either text or bytes");
            return Err(Error::at(text, Some(step.span()), message));
        }
        last = *at_ms;
    }
    Ok(())
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
    /// The receptions that are still to come.
    script: VecDeque<Reception>,
    open: bool,
    received: VecDeque<u8>,
    lost: u32,
    watched: bool,
    /// An event told of what is there.
    told: bool,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        let script = config.script.into_iter().map(Spanned::into_inner).collect();
        let (received, loopback) = (VecDeque::new(), config.loopback);
        Device { label, loopback, script, open: false, received, lost: 0, watched: false, told: false }
    }

    /// Returns the time at which something comes next, if the port is open to receive it.
    pub(crate) fn next_us(&self) -> Option<u64> {
        self.script.front().filter(|_| self.open).map(Reception::at_us)
    }

    /// Drops the bytes that arrived while the port was closed.
    fn skip(&mut self, now_us: u64) {
        while self.script.front().is_some_and(|step| step.at_us() <= now_us) {
            self.script.pop_front();
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let fits = bytes.len().min(CAPACITY.saturating_sub(self.received.len()));
        self.received.extend(&bytes[..fits]);
        self.lost = self.lost.saturating_add((bytes.len() - fits) as u32);
    }

    /// Receives the next of the script.
    pub(crate) fn receive(&mut self) {
        if let Some(step) = self.script.pop_front() {
            self.take(step.text.as_bytes());
            self.take(&step.bytes);
        }
    }

    /// Returns true, once, if an event is due.
    pub(crate) fn tell(&mut self) -> bool {
        let due = self.watched && !self.told && !self.received.is_empty();
        self.told |= due;
        due
    }
}

impl SimPlatform {
    fn uart(&mut self, uart: u32) -> Option<&mut Device> {
        self.devices.uart.get_mut(uart as usize)
    }

    fn raise_uart_event(&mut self, uart: u32) {
        let now = self.now_us();
        if self.uart(uart).is_some_and(Device::tell) && !self.queue.push(now, Kind::Uart(uart)) {
            self.untold_uart(uart);
        }
    }

    pub(crate) fn untold_uart(&mut self, uart: u32) {
        if let Some(found) = self.uart(uart) {
            found.told = false;
        }
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
        let found = self.uart(uart).ok_or(Errno::BadHandle)?;
        found.skip(now);
        found.open = true;
        found.lost = 0;
        Ok(())
    }

    fn close_uart(&mut self, uart: u32) {
        let _ = self.watch_uart(uart, false);
        if let Some(found) = self.uart(uart) {
            found.open = false;
            found.received.clear();
        }
    }

    fn read_uart(&mut self, uart: u32, buffer: &mut [u8], until_us: u64) -> Result<usize, Interrupted> {
        self.tick();
        loop {
            self.collect_events();
            let now = self.now_us();
            let Some(found) = self.uart(uart) else {
                return Ok(0);
            };
            let count = buffer.len().min(found.received.len());
            for (to, from) in buffer.iter_mut().zip(found.received.drain(..count)) {
                *to = from;
            }
            if found.received.is_empty() {
                found.told = false;
            }
            if count > 0 || until_us <= now {
                return Ok(count);
            }
            let next = found.next_us().unwrap_or(u64::MAX).min(until_us);
            self.sleep_us(next.saturating_sub(now).max(1))?;
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
        self.raise_uart_event(uart);
        Ok(bytes.len())
    }

    fn flush_uart(&mut self, _uart: u32, _until_us: u64) -> Result<bool, Interrupted> {
        Ok(true)
    }

    fn uart_available(&mut self, uart: u32) -> u32 {
        self.tick();
        self.collect_events();
        self.uart(uart).map_or(0, |found| found.received.len() as u32)
    }

    fn watch_uart(&mut self, uart: u32, on: bool) -> Result<(), Errno> {
        self.collect_events();
        self.queue.retain(|kind| kind != Kind::Uart(uart));
        let found = self.uart(uart).ok_or(Errno::BadHandle)?;
        (found.watched, found.told) = (on, false);
        self.raise_uart_event(uart);
        Ok(())
    }

    fn take_uart_errors(&mut self, uart: u32) -> UartErrors {
        self.collect_events();
        let lost = self.uart(uart).map_or(0, |found| std::mem::take(&mut found.lost));
        UartErrors { lost, line: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Board, Capture, TraceFormat};
    use wisp_host::platform::{Event, Events};

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

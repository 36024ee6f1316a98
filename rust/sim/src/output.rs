// SPDX-License-Identifier: Apache-2.0
//! Where a simulated board shows what happens: trace, standard output, standard error.

use crate::panel::Panel;
use crate::vcd::Dump;
use serde::Deserialize;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// The format in which the trace is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TraceFormat {
    /// One line each, as a Zephyr log: `[00:00:00.500,000] <inf> blinky: gpio led active`.
    #[default]
    Text,
    /// `time_us,app,source,name,value` with a header line.
    Csv,
    /// A value change dump, for waveform viewers.
    Vcd,
    /// Nothing.
    Off,
}

/// One thing that happened.
pub(crate) struct Event<'a> {
    pub(crate) time_us: u64,
    pub(crate) app: &'a str,
    /// `log` or the interface.
    pub(crate) source: &'a str,
    /// The level of a log message, or the label of a pin.
    pub(crate) name: &'a str,
    pub(crate) value: &'a str,
    /// A remark for readers: not in CSV.
    pub(crate) remark: &'a str,
}

type Sink = Box<dyn Write + Send>;

/// The three sinks, shared by all apps of a board.
pub(crate) struct Outputs {
    pub(crate) out: Sink,
    pub(crate) err: Sink,
    trace: Option<Sink>,
    format: TraceFormat,
    header_due: bool,
    pub(crate) dump: Dump,
    pub(crate) panel: Option<Panel>,
}

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outputs").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Outputs {
    /// Returns the process's own streams. The trace goes to standard output.
    pub(crate) fn process() -> Self {
        Outputs {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            trace: None,
            format: TraceFormat::Text,
            header_due: true,
            dump: Dump::default(),
            panel: None,
        }
    }

    /// Directs the trace, where `None` is standard output.
    pub(crate) fn set_trace(&mut self, trace: Option<Sink>, format: TraceFormat) {
        (self.trace, self.format, self.header_due) = (trace, format, true);
    }

    /// Writes one event. An error of the sink is dropped: a full disk must not change what a guest does.
    pub(crate) fn trace(&mut self, event: &Event<'_>) {
        if let Some(panel) = &self.panel {
            panel.note(event);
        }
        let mut text = String::new();
        match self.format {
            TraceFormat::Off => return,
            TraceFormat::Csv => {
                if std::mem::take(&mut self.header_due) {
                    text.push_str("time_us,app,source,name,value\n");
                }
                let fields = [event.app, event.source, event.name, event.value].map(quoted);
                text.push_str(&format!("{},{}\n", event.time_us, fields.join(",")));
            }
            TraceFormat::Vcd => {
                if std::mem::take(&mut self.header_due) {
                    text.push_str(&self.dump.header());
                }
                text.push_str(&self.dump.event(event));
            }
            TraceFormat::Text => {
                let level = if event.source == "log" { event.name } else { "inf" };
                text.push_str(&format!("[{}] <{level}> {}: ", clock(event.time_us), event.app));
                if event.source == "log" {
                    text.push_str(event.value);
                } else {
                    text.push_str(&format!("{} {} {}{}", event.source, event.name, event.value, event.remark));
                }
                text.push('\n');
            }
        }
        let sink = self.trace.as_mut().unwrap_or(&mut self.out);
        let _ = sink.write_all(text.as_bytes()).and_then(|()| sink.flush());
    }
}

/// Returns `hh:mm:ss.mmm,uuu`, as Zephyr's log shows time.
fn clock(us: u64) -> String {
    let (s, ms) = (us / 1_000_000, us / 1000);
    format!("{:02}:{:02}:{:02}.{:03},{:03}", s / 3600, s / 60 % 60, s % 60, ms % 1000, us % 1000)
}

/// Returns a CSV field (RFC 4180).
fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_string()
    }
}

/// A sink that keeps what is written, for tests. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    /// Returns an empty sink.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the output so far. Bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: Event<'static> =
        Event { time_us: 3_661_000_042, app: "a", source: "gpio", name: "led", value: "active", remark: " (low)" };

    fn written(format: TraceFormat, events: &[Event<'_>]) -> String {
        let capture = Capture::new();
        let mut outputs = Outputs::process();
        outputs.set_trace(Some(Box::new(capture.clone())), format);
        events.iter().for_each(|event| outputs.trace(event));
        capture.text()
    }

    #[test]
    fn text_looks_like_a_device_log() {
        let log = Event { source: "log", name: "wrn", value: "hot", ..EVENT };
        let expected = "[01:01:01.000,042] <inf> a: gpio led active (low)\n[01:01:01.000,042] <wrn> a: hot\n";
        assert_eq!(written(TraceFormat::Text, &[EVENT, log]), expected);
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        let log = Event { source: "log", name: "inf", value: "a,\"b\"", ..EVENT };
        let expected =
            "time_us,app,source,name,value\n3661000042,a,gpio,led,active\n3661000042,a,log,inf,\"a,\"\"b\"\"\"\n";
        assert_eq!(written(TraceFormat::Csv, &[EVENT, log]), expected);
    }

    #[test]
    fn off_writes_nothing() {
        assert_eq!(written(TraceFormat::Off, &[EVENT]), "");
    }
}

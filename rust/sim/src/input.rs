// SPDX-License-Identifier: Apache-2.0
//! Input devices whose reports follow a script.

use crate::arrivals::{check_script, Arrivals};
use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use toml::Spanned;
use wisp_abi::{input, Errno};
use wisp_host::platform::{Input, Kind, Report};
use wisp_host::Interrupted;

/// Reports that wait at most: as many as on a device without configuration.
const CAPACITY: usize = 16;

/// A device as a board file describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    script: Vec<Spanned<Step>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Milliseconds since boot. Fractions allowed.
    at_ms: f64,
    #[serde(default)]
    kind: StepKind,
    /// A code of Linux's input events.
    code: u16,
    value: i32,
    /// False if more is reported with it.
    #[serde(default = "completes")]
    sync: bool,
}

fn completes() -> bool {
    true
}

/// The kind of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// A key or button.
    #[default]
    Key,
    /// A movement.
    Rel,
    /// A position.
    Abs,
    /// Anything else.
    Misc,
}

impl crate::arrivals::Step for Step {
    fn at_ms(&self) -> f64 {
        self.at_ms
    }
}

impl StepKind {
    fn number(self) -> u32 {
        match self {
            StepKind::Key => input::KEY,
            StepKind::Rel => input::REL,
            StepKind::Abs => input::ABS,
            StepKind::Misc => input::MISC,
        }
    }
}

impl Config {
    /// Returns the codes of the keys in the script.
    pub(crate) fn keys(&self) -> Vec<u16> {
        let steps = self.script.iter().map(|step| step.get_ref());
        let codes = steps.filter(|step| step.kind == StepKind::Key).map(|step| step.code);
        codes.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }
}

impl Step {
    fn report(&self) -> Report {
        Report {
            time_us: crate::arrivals::Step::at_us(self),
            kind: self.kind.number(),
            code: self.code.into(),
            value: self.value,
            sync: self.sync,
        }
    }
}

/// Checks what the types of a device's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    check_script(text, key, &config.script, |_| Ok(()))
}

/// Returns no signal: waveform viewers show nothing of it.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    None
}

/// A device.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    pub(crate) arrivals: Arrivals<Step, Report>,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        Device { label, arrivals: Arrivals::new(config.script, CAPACITY) }
    }

    /// Queues the next report of the script.
    pub(crate) fn report(&mut self) {
        if let Some(step) = self.arrivals.step() {
            self.arrivals.put(step.report());
        }
    }

    /// Reports something.
    pub(crate) fn touch(&mut self, time_us: u64, kind: StepKind, code: u16, value: i32) {
        self.arrivals.hear(Report { time_us, kind: kind.number(), code: code.into(), value, sync: true });
    }
}

impl SimPlatform {
    fn input(&mut self, input: u32) -> Option<&mut Device> {
        self.devices.input.get_mut(input as usize)
    }
}

impl Input for SimPlatform {
    fn find_input(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.input.iter().position(|input| input.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_input(&mut self, input: u32) -> Result<(), Errno> {
        let now = self.now_us();
        self.close_input(input);
        self.input(input).ok_or(Errno::BadHandle)?.arrivals.open(now);
        Ok(())
    }

    fn close_input(&mut self, input: u32) {
        let _ = self.watch_input(input, false);
        if let Some(found) = self.input(input) {
            found.arrivals.close();
        }
    }

    fn read_input(&mut self, input: u32, until_us: u64) -> Result<Option<Report>, Interrupted> {
        self.tick();
        self.collect_events();
        loop {
            let Some(found) = self.input(input) else { return Ok(None) };
            let report = found.arrivals.take();
            if report.is_some() || !self.wait_for_source(Kind::Input(input), until_us)? {
                return Ok(report);
            }
        }
    }

    fn watch_input(&mut self, input: u32, on: bool) -> Result<(), Errno> {
        self.watch_source(Kind::Input(input), on)
    }

    fn take_lost_reports(&mut self, input: u32) -> u32 {
        self.collect_events();
        self.input(input).map_or(0, |found| found.arrivals.take_lost())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, SimPlatform};
    use wisp_host::platform::{Clock, Event, Events, Input, Kind, Report};

    fn platform(script: &str) -> SimPlatform {
        let mut app = Board::from_toml(&format!("[apps.a.input.keys]\nscript = [{script}]\n")).unwrap().platform("a");
        assert_eq!((app.find_input(b"keys"), app.find_input(b"other")), (Some(0), None));
        app.open_input(0).unwrap();
        app
    }

    #[test]
    fn a_read_waits_for_what_the_script_reports() {
        let mut app = platform(
            "{ at_ms = 5, code = 30, value = 1 }, { at_ms = 9, kind = \"abs\", code = 0, value = -7, sync = false }",
        );
        assert_eq!(app.read_input(0, 4_000), Ok(None));
        let key = Report { time_us: 5_000, kind: 1, code: 30, value: 1, sync: true };
        assert_eq!(app.read_input(0, u64::MAX), Ok(Some(key)));
        let axis = Report { time_us: 9_000, kind: 3, code: 0, value: -7, sync: false };
        assert_eq!(app.read_input(0, u64::MAX), Ok(Some(axis)));
        assert_eq!(app.now_us(), 9_000);
    }

    #[test]
    fn events_tell_once_until_all_was_read() {
        let mut app = platform("{ at_ms = 1, code = 1, value = 1 }, { at_ms = 2, code = 1, value = 0 }");
        app.watch_input(0, true).unwrap();
        let told = Event { time_us: 1_000, kind: Kind::Input(0), lost: 0 };
        assert_eq!(app.next_event(10_000), Ok(Some(told)));
        app.sleep_us(5_000).unwrap();
        assert_eq!(app.next_event(0), Ok(None), "one told of both");
        app.watch_input(0, true).unwrap();
        assert!(app.next_event(0).unwrap().is_some(), "what is there already");
        app.read_input(0, 0).unwrap();
        app.read_input(0, 0).unwrap();
        app.watch_input(0, true).unwrap();
        assert_eq!(app.next_event(0), Ok(None));
    }

    #[test]
    fn what_finds_the_queue_full_is_lost_and_what_finds_the_device_closed_unheard() {
        let steps: Vec<_> = (1..=20).map(|ms| format!("{{ at_ms = {ms}, code = {ms}, value = 1 }}")).collect();
        let mut app = platform(&steps.join(","));
        app.sleep_us(19_500).unwrap();
        assert_eq!(app.take_lost_reports(0), 3);
        assert_eq!(app.take_lost_reports(0), 0);
        assert_eq!(app.read_input(0, 0).unwrap().map(|report| report.code), Some(1));
        app.close_input(0);
        app.sleep_us(5_000).unwrap();
        app.open_input(0).unwrap();
        assert_eq!(app.read_input(0, 0), Ok(None));
    }

    #[test]
    fn a_step_back_is_refused() {
        let text =
            "[apps.a.input.x]\nscript = [{ at_ms = 2, code = 1, value = 1 }, { at_ms = 1, code = 1, value = 0 }]\n";
        let error = Board::from_toml(text).unwrap_err();
        assert!(error.message.contains("not before 2") && error.line == 2, "{error}");
    }
}

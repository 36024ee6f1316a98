// SPDX-License-Identifier: Apache-2.0
//! Input devices whose reports follow a script.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use std::collections::VecDeque;
use toml::Spanned;
use wisp_abi::{input, Errno};
use wisp_host::platform::{Clock, Input, Kind, Report};
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
struct Step {
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

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StepKind {
    #[default]
    Key,
    Rel,
    Abs,
    Misc,
}

impl Step {
    fn at_us(&self) -> u64 {
        (self.at_ms * 1000.0).round() as u64
    }

    fn report(&self) -> Report {
        let kind = match self.kind {
            StepKind::Key => input::KEY,
            StepKind::Rel => input::REL,
            StepKind::Abs => input::ABS,
            StepKind::Misc => input::MISC,
        };
        Report { time_us: self.at_us(), kind, code: self.code.into(), value: self.value, sync: self.sync }
    }
}

/// Checks what the types of a device's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    let mut last = 0.0;
    for step in &config.script {
        let at_ms = step.get_ref().at_ms;
        if !at_ms.is_finite() || at_ms < last {
            let message = format!("{key}.script: at_ms = {at_ms}, expected a time not before {last}");
            return Err(Error::at(text, Some(step.span()), message));
        }
        last = at_ms;
    }
    Ok(())
}

/// Returns no signal: waveform viewers show nothing of it.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    None
}

/// A device.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    /// The reports that are still to come.
    script: VecDeque<Step>,
    open: bool,
    queue: VecDeque<Report>,
    lost: u32,
    watched: bool,
    /// An event told of what is there.
    told: bool,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        let script = config.script.into_iter().map(Spanned::into_inner).collect();
        Device { label, script, open: false, queue: VecDeque::new(), lost: 0, watched: false, told: false }
    }

    /// Returns the time at which something is reported next, if the device is open.
    pub(crate) fn next_us(&self) -> Option<u64> {
        self.script.front().filter(|_| self.open).map(Step::at_us)
    }

    /// Queues the next report of the script.
    pub(crate) fn report(&mut self) {
        let Some(step) = self.script.pop_front() else { return };
        if self.queue.len() == CAPACITY {
            self.lost = self.lost.saturating_add(1);
        } else {
            self.queue.push_back(step.report());
        }
    }

    /// Returns true, once, if an event is due.
    pub(crate) fn tell(&mut self) -> bool {
        let due = self.watched && !self.told && !self.queue.is_empty();
        self.told |= due;
        due
    }
}

impl SimPlatform {
    fn input(&mut self, input: u32) -> Option<&mut Device> {
        self.devices.input.get_mut(input as usize)
    }

    pub(crate) fn untold_input(&mut self, input: u32) {
        if let Some(found) = self.input(input) {
            found.told = false;
        }
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
        let found = self.input(input).ok_or(Errno::BadHandle)?;
        // Nobody heard what was reported while it was closed.
        while found.script.front().is_some_and(|step| step.at_us() <= now) {
            found.script.pop_front();
        }
        (found.open, found.lost) = (true, 0);
        Ok(())
    }

    fn close_input(&mut self, input: u32) {
        let _ = self.watch_input(input, false);
        if let Some(found) = self.input(input) {
            found.open = false;
            found.queue.clear();
        }
    }

    fn read_input(&mut self, input: u32, until_us: u64) -> Result<Option<Report>, Interrupted> {
        self.tick();
        loop {
            self.collect_events();
            let now = self.now_us();
            let Some(found) = self.input(input) else { return Ok(None) };
            let report = found.queue.pop_front();
            found.told &= !found.queue.is_empty();
            if report.is_some() || until_us <= now {
                return Ok(report);
            }
            let next = found.next_us().unwrap_or(u64::MAX).min(until_us);
            self.sleep_us(next.saturating_sub(now).max(1))?;
        }
    }

    fn watch_input(&mut self, input: u32, on: bool) -> Result<(), Errno> {
        self.collect_events();
        self.queue.retain(|kind| kind != Kind::Input(input));
        let now = self.now_us();
        let found = self.input(input).ok_or(Errno::BadHandle)?;
        (found.watched, found.told) = (on, false);
        if found.tell() && !self.queue.push(now, Kind::Input(input)) {
            self.untold_input(input);
        }
        Ok(())
    }

    fn take_lost_reports(&mut self, input: u32) -> u32 {
        self.collect_events();
        self.input(input).map_or(0, |found| std::mem::take(&mut found.lost))
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

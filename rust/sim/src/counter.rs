// SPDX-License-Identifier: Apache-2.0
//! Counters that count with the app's clock.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use wisp_abi::Errno;
use wisp_host::platform::{Counter, Kind};

/// A counter as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Ticks per second.
    frequency: u32,
    /// The highest value.
    top: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config { frequency: 32_768, top: u32::MAX }
    }
}

/// Checks what the types of a counter's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    let message = match (config.frequency, config.top) {
        (0, _) => format!("{key}: frequency = 0, expected 1 to 4294967295 ticks per second"),
        (_, 0) => format!("{key}: top = 0, expected 1 to 4294967295 ticks"),
        _ => return Ok(()),
    };
    Err(Error::at(text, None, message))
}

/// Returns no signal: waveform viewers show nothing of it.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    None
}

/// A counter.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    config: Config,
    /// When the alarm is due, in microseconds since boot.
    alarm_us: Option<u64>,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        Device { label, config, alarm_us: None }
    }

    /// Returns the ticks since boot, without beginning again at 0.
    fn ticks(&self, now_us: u64) -> u128 {
        u128::from(now_us) * u128::from(self.config.frequency) / 1_000_000
    }

    /// Returns the first microsecond in which the counter has counted so many ticks since boot.
    fn time_us(&self, ticks: u128) -> u64 {
        u64::try_from((ticks * 1_000_000).div_ceil(u128::from(self.config.frequency))).unwrap_or(u64::MAX)
    }

    /// Returns when the alarm is due, if it is set.
    pub(crate) fn next_us(&self) -> Option<u64> {
        self.alarm_us
    }

    /// Ends the alarm, which was due.
    pub(crate) fn expire(&mut self) {
        self.alarm_us = None;
    }
}

impl SimPlatform {
    fn counter(&self, counter: u32) -> Result<&Device, Errno> {
        self.devices.counter.get(counter as usize).ok_or(Errno::BadHandle)
    }
}

impl Counter for SimPlatform {
    fn find_counter(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.counter.iter().position(|counter| counter.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_counter(&mut self, counter: u32) -> Result<(), Errno> {
        self.set_counter_alarm(counter, None)
    }

    fn close_counter(&mut self, counter: u32) {
        // The index is that of an open counter, so this cannot fail.
        let _ = self.set_counter_alarm(counter, None);
    }

    fn counter_frequency(&self, counter: u32) -> u32 {
        self.counter(counter).map_or(0, |counter| counter.config.frequency)
    }

    fn counter_top(&self, counter: u32) -> u32 {
        self.counter(counter).map_or(0, |counter| counter.config.top)
    }

    fn read_counter(&mut self, counter: u32) -> Result<u32, Errno> {
        self.tick();
        let now = self.now_us();
        let counter = self.counter(counter)?;
        // Less than the number of values, which is at most 2^32.
        Ok((counter.ticks(now) % (u128::from(counter.config.top) + 1)) as u32)
    }

    fn set_counter_alarm(&mut self, counter: u32, ticks: Option<u32>) -> Result<(), Errno> {
        // What happened until now comes before the alarm.
        self.collect_events();
        let now = self.now_us();
        self.queue.retain(|kind| kind != Kind::Alarm(counter));
        let found = self.devices.counter.get_mut(counter as usize).ok_or(Errno::BadHandle)?;
        found.alarm_us = ticks.map(|ticks| found.time_us(found.ticks(now) + u128::from(ticks)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, SimPlatform};
    use wisp_host::platform::{Clock, Counter, Event, Events, Kind};

    fn platform(config: &str) -> SimPlatform {
        Board::from_toml(&format!("[apps.a.counter.clock]\n{config}\n")).unwrap().platform("a")
    }

    #[test]
    fn a_counter_counts_with_the_clock_and_begins_again_after_its_highest_value() {
        let mut app = platform("frequency = 1000\ntop = 9");
        assert_eq!((app.find_counter(b"clock"), app.find_counter(b"other")), (Some(0), None));
        assert_eq!((app.counter_frequency(0), app.counter_top(0)), (1000, 9));
        assert_eq!(app.read_counter(0), Ok(0));
        app.sleep_us(9_000).unwrap();
        assert_eq!(app.read_counter(0), Ok(9));
        app.sleep_us(1_000).unwrap();
        assert_eq!(app.read_counter(0), Ok(0));
    }

    #[test]
    fn an_alarm_is_one_event_at_its_tick() {
        let mut app = platform("frequency = 1000");
        app.sleep_us(2_500).unwrap();
        app.set_counter_alarm(0, Some(3)).unwrap();
        let alarm = Event { time_us: 5_000, kind: Kind::Alarm(0), lost: 0 };
        assert_eq!(app.next_event(1_000_000), Ok(Some(alarm)));
        assert_eq!(app.next_event(1_000_000), Ok(None));
    }

    #[test]
    fn a_new_alarm_or_a_cancelled_one_leaves_no_event_behind() {
        let mut app = platform("frequency = 1000");
        app.set_counter_alarm(0, Some(3)).unwrap();
        app.sleep_us(10_000).unwrap();
        app.set_counter_alarm(0, Some(5)).unwrap();
        assert_eq!(app.next_event(1_000_000).unwrap().map(|event| event.time_us), Some(15_000));
        app.set_counter_alarm(0, Some(5)).unwrap();
        app.set_counter_alarm(0, None).unwrap();
        assert_eq!(app.next_event(1_000_000), Ok(None));
    }

    #[test]
    fn a_counter_that_makes_no_sense_is_refused() {
        for text in ["frequency = 0", "top = 0"] {
            let error = Board::from_toml(&format!("[apps.a.counter.x]\n{text}\n")).unwrap_err();
            assert!(error.message.contains("apps.a.counter.x") && error.message.contains(text), "{error}");
        }
    }
}

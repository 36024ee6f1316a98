// SPDX-License-Identifier: Apache-2.0
//! Sensors whose quantities follow a script.

use crate::arrivals::Step;
use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use std::collections::BTreeMap;
use wisp_abi::{sensor, Errno};
use wisp_host::platform::Sensor;

/// Channels by the name of their constant in lower case, each over time.
pub(crate) type Config = BTreeMap<String, Vec<Quantity>>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quantity {
    #[serde(default)]
    at_ms: f64,
    value: f64,
}

impl Step for Quantity {
    fn at_ms(&self) -> f64 {
        self.at_ms
    }
}

/// Returns the value of a channel at a time.
pub(crate) fn value(steps: &[Quantity], now_us: u64) -> f64 {
    steps.iter().take_while(|step| step.at_us() <= now_us).last().map_or(0.0, |step| step.value)
}

/// Gives a channel a value until its script goes on.
pub(crate) fn set(steps: &mut Vec<Quantity>, now_us: u64, value: f64) {
    steps.retain(|step| step.at_us() > now_us);
    steps.insert(0, Quantity { at_ms: 0.0, value });
}

/// Returns the least and the largest value that a slider offers for a channel.
pub(crate) fn range(name: &str, steps: &[Quantity]) -> (f64, f64) {
    let (min, max) = match name.to_ascii_lowercase().as_str() {
        "die_temp" | "ambient_temp" => (-40.0, 125.0),
        "press" => (30.0, 110.0),
        "prox" => (0.0, 1.0),
        "humidity" => (0.0, 100.0),
        "rotation" => (-180.0, 180.0),
        "altitude" => (-500.0, 9000.0),
        "distance" | "voltage" => (0.0, 10.0),
        "light" | "co2" | "voc" | "rpm" => (0.0, 10_000.0),
        "pm_2_5" | "pm_10" | "power" => (0.0, 1000.0),
        // accelerations, rates, fields and currents
        _ => (-20.0, 20.0),
    };
    let values = steps.iter().map(|step| step.value);
    values.fold((min, max), |(min, max), value| (min.min(value), max.max(value)))
}

fn channel(name: &str) -> Option<u32> {
    let mut constants = sensor::INTERFACE.constants.iter();
    let found = constants.rfind(|constant| constant.name.eq_ignore_ascii_case(name));
    found.map(|constant| constant.value)
}

/// Checks what the types of a sensor's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    for (name, steps) in config {
        if channel(name).is_none() {
            let message = format!("{key}.{name}: expected a channel of wisp:sensor@1, as ambient_temp");
            return Err(Error::at(text, None, message));
        }
        let mut last = 0.0;
        for step in steps {
            if !step.at_ms.is_finite() || step.at_ms < last || !step.value.is_finite() {
                let message = format!("{key}.{name}: expected a value at a time not before {last}");
                return Err(Error::at(text, None, message));
            }
            last = step.at_ms;
        }
    }
    Ok(())
}

/// Returns no signal: waveform viewers show nothing of it.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    None
}

/// A sensor.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    channels: Vec<(u32, Vec<Quantity>)>,
    /// The last sample in millionths, in the order of the channels. Empty if there was none.
    sample: Vec<i64>,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        let channels = config.into_iter().filter_map(|(name, steps)| Some((channel(&name)?, steps)));
        Device { label, channels: channels.collect(), sample: Vec::new() }
    }

    /// Gives a channel a value.
    pub(crate) fn touch(&mut self, now_us: u64, name: &str, value: f64) {
        let number = channel(name);
        if let Some((_, steps)) = self.channels.iter_mut().find(|(found, _)| Some(*found) == number) {
            set(steps, now_us, value);
        }
    }
}

impl Sensor for SimPlatform {
    fn find_sensor(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.sensor.iter().position(|sensor| sensor.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_sensor(&mut self, _sensor: u32) -> Result<(), Errno> {
        Ok(())
    }

    fn fetch_sensor(&mut self, sensor: u32) -> Result<(), Errno> {
        self.tick();
        let now = self.now_us();
        let sensor = self.devices.sensor.get_mut(sensor as usize).ok_or(Errno::BadHandle)?;
        sensor.sample = sensor.channels.iter().map(|(_, steps)| (value(steps, now) * 1e6).round() as i64).collect();
        Ok(())
    }

    fn get_sensor(&mut self, sensor: u32, channel: u32) -> Result<i64, Errno> {
        let sensor = self.devices.sensor.get(sensor as usize).ok_or(Errno::BadHandle)?;
        let found = sensor.channels.iter().position(|(number, _)| *number == channel);
        let index = found.ok_or(Errno::NotSupported)?;
        Ok(sensor.sample.get(index).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use crate::Board;
    use wisp_abi::Errno;
    use wisp_host::platform::{Clock, Sensor};

    #[test]
    fn a_sample_holds_what_was_when_it_was_taken() {
        let text = "[apps.a.sensor.ambient]\nambient_temp = [{ value = 21.5 }, { at_ms = 10, value = -3 }]\n";
        let mut app = Board::from_toml(text).unwrap().platform("a");
        assert_eq!(app.find_sensor(b"ambient"), Some(0));
        app.fetch_sensor(0).unwrap();
        app.sleep_us(10_000).unwrap();
        assert_eq!(app.get_sensor(0, 10), Ok(21_500_000));
        app.fetch_sensor(0).unwrap();
        assert_eq!(app.get_sensor(0, 10), Ok(-3_000_000));
        assert_eq!(app.get_sensor(0, 0), Err(Errno::NotSupported));
    }

    #[test]
    fn an_unknown_channel_or_a_step_back_is_refused() {
        for (text, expected) in [
            ("temp = [{ value = 1 }]", "ambient_temp"),
            ("press = [{ at_ms = 2, value = 1 }, { at_ms = 1, value = 1 }]", "not before 2"),
        ] {
            let error = Board::from_toml(&format!("[apps.a.sensor.s]\n{text}\n")).unwrap_err();
            assert!(error.message.contains(expected) && error.message.contains("apps.a.sensor.s"), "{error}");
        }
    }
}

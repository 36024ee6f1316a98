// SPDX-License-Identifier: Apache-2.0
//! Analog inputs that follow a script.

use crate::arrivals::Step;
use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use toml::Spanned;
use wisp_abi::Errno;
use wisp_host::platform::Adc;

/// A channel as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Bits of a raw value.
    resolution: u32,
    /// Millivolts that give the highest raw value.
    reference_mv: f64,
    /// Millivolts until the script says otherwise.
    initial_mv: f64,
    script: Vec<Spanned<Voltage>>,
}

impl Default for Config {
    fn default() -> Self {
        Config { resolution: 12, reference_mv: 3300.0, initial_mv: 0.0, script: Vec::new() }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Voltage {
    at_ms: f64,
    mv: f64,
}

impl Step for Voltage {
    fn at_ms(&self) -> f64 {
        self.at_ms
    }
}

/// Checks what the types of a channel's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    if !(1..=24).contains(&config.resolution) {
        let message = format!("{key}: resolution = {}, expected 1 to 24 bits", config.resolution);
        return Err(Error::at(text, None, message));
    }
    if !(config.reference_mv > 0.0 && config.reference_mv <= 1e6) {
        let message = format!("{key}: reference_mv = {}, expected more than 0, at most 1000000", config.reference_mv);
        return Err(Error::at(text, None, message));
    }
    let mut last = 0.0;
    for step in &config.script {
        let Voltage { at_ms, mv } = *step.get_ref();
        if !at_ms.is_finite() || at_ms < last || !mv.is_finite() {
            let message = format!("{key}.script: expected a voltage at a time not before {last}");
            return Err(Error::at(text, Some(step.span()), message));
        }
        last = at_ms;
    }
    Ok(())
}

impl Config {
    /// Returns the millivolts that give the highest raw value.
    pub(crate) fn reference_mv(&self) -> f64 {
        self.reference_mv
    }

    /// Returns the millivolts at a time.
    pub(crate) fn mv(&self, now_us: u64) -> f64 {
        self.scripted().take_while(|(time_us, _)| *time_us <= now_us).last().map_or(self.initial_mv, |(_, mv)| mv)
    }

    /// Applies millivolts until the script goes on.
    pub(crate) fn set(&mut self, now_us: u64, mv: f64) {
        self.script.retain(|step| step.get_ref().at_us() > now_us);
        self.initial_mv = mv;
    }

    /// Returns the scripted microseconds and millivolts, from the beginning.
    pub(crate) fn scripted(&self) -> impl Iterator<Item = (u64, f64)> + '_ {
        let steps = self.script.iter().map(|step| step.get_ref());
        std::iter::once((0, self.initial_mv)).chain(steps.map(|step| (step.at_us(), step.mv)))
    }
}

/// Returns the signal that a waveform viewer shows.
pub(crate) fn signal(config: &Config) -> Option<Signal> {
    Some(Signal::real(config.scripted()))
}

/// A channel.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    config: Config,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        Device { label, config }
    }

    /// Applies millivolts.
    pub(crate) fn touch(&mut self, now_us: u64, mv: f64) {
        self.config.set(now_us, mv);
    }

    /// Returns the converter's number, from 0 to its highest.
    fn convert(&self, now_us: u64) -> i32 {
        let steps = f64::from(1u32 << self.config.resolution);
        (self.config.mv(now_us) / self.config.reference_mv * steps).floor().clamp(0.0, steps - 1.0) as i32
    }
}

impl SimPlatform {
    fn channel(&self, channel: u32) -> Result<&Device, Errno> {
        self.devices.adc.get(channel as usize).ok_or(Errno::BadHandle)
    }
}

impl Adc for SimPlatform {
    fn find_adc(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.adc.iter().position(|channel| channel.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_adc(&mut self, _channel: u32) -> Result<(), Errno> {
        Ok(())
    }

    fn adc_resolution(&self, channel: u32) -> u32 {
        self.channel(channel).map_or(0, |channel| channel.config.resolution)
    }

    fn read_adc(&mut self, channel: u32) -> Result<i32, Errno> {
        self.tick();
        Ok(self.channel(channel)?.convert(self.now_us()))
    }

    fn read_adc_uv(&mut self, channel: u32) -> Result<i32, Errno> {
        let raw = f64::from(self.read_adc(channel)?);
        let config = &self.channel(channel)?.config;
        Ok((raw * config.reference_mv * 1000.0 / f64::from(1u32 << config.resolution)) as i32)
    }
}

#[cfg(test)]
mod tests {
    use crate::Board;
    use wisp_host::platform::{Adc, Clock};

    #[test]
    fn a_channel_follows_its_script_and_saturates() {
        let text = "[apps.a.adc.battery]\nresolution = 10\nreference_mv = 3000\ninitial_mv = 1500\n\
                    script = [{ at_ms = 2, mv = 4000 }, { at_ms = 4, mv = -5 }]\n";
        let mut app = Board::from_toml(text).unwrap().platform("a");
        assert_eq!((app.find_adc(b"battery"), app.adc_resolution(0)), (Some(0), 10));
        assert_eq!((app.read_adc(0), app.read_adc_uv(0)), (Ok(512), Ok(1_500_000)));
        app.sleep_us(2000).unwrap();
        assert_eq!(app.read_adc(0), Ok(1023));
        app.sleep_us(2000).unwrap();
        assert_eq!(app.read_adc(0), Ok(0));
    }

    #[test]
    fn a_channel_that_makes_no_sense_is_refused() {
        for (text, expected) in [
            ("resolution = 0", "1 to 24"),
            ("resolution = 25", "1 to 24"),
            ("reference_mv = 0", "more than 0"),
            ("reference_mv = nan", "more than 0"),
            ("script = [{ at_ms = 3, mv = 1 }, { at_ms = 2, mv = 1 }]", "not before 3"),
        ] {
            let error = Board::from_toml(&format!("[apps.a.adc.x]\n{text}\n")).unwrap_err();
            assert!(error.message.contains(expected) && error.message.contains("apps.a.adc.x"), "{error}");
        }
    }
}

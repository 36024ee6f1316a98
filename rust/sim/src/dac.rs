// SPDX-License-Identifier: Apache-2.0
//! Analog outputs: traced.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use wisp_abi::Errno;
use wisp_host::platform::Dac;

/// An output as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Bits of a value.
    resolution: u32,
    /// Millivolts of a value with one bit more than the resolution.
    reference_mv: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config { resolution: 12, reference_mv: 3300.0 }
    }
}

impl Config {
    /// Returns the value with one bit more than the resolution.
    pub(crate) fn full(&self) -> f64 {
        // at most 32 bits
        2f64.powi(self.resolution as i32)
    }
}

/// Checks what the types of an output's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    if !(1..=32).contains(&config.resolution) {
        let message = format!("{key}: resolution = {}, expected 1 to 32 bits", config.resolution);
        return Err(Error::at(text, None, message));
    }
    if !(config.reference_mv > 0.0 && config.reference_mv <= 1e6) {
        let message = format!("{key}: reference_mv = {}, expected more than 0, at most 1000000", config.reference_mv);
        return Err(Error::at(text, None, message));
    }
    Ok(())
}

/// Returns the signal that a waveform viewer shows.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    Some(Signal::real([(0, 0.0)]))
}

/// An output.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    config: Config,
    value: Option<u32>,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        Device { label, config, value: None }
    }
}

impl Dac for SimPlatform {
    fn find_dac(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.dac.iter().position(|output| output.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_dac(&mut self, _output: u32) -> Result<(), Errno> {
        Ok(())
    }

    fn dac_resolution(&self, output: u32) -> u32 {
        self.devices.dac.get(output as usize).map_or(0, |output| output.config.resolution)
    }

    fn write_dac(&mut self, output: u32, value: u32) -> Result<(), Errno> {
        let found = self.devices.dac.get_mut(output as usize).ok_or(Errno::BadHandle)?;
        if found.value.replace(value) != Some(value) {
            let mv = f64::from(value) / found.config.full() * found.config.reference_mv;
            let label = found.label.clone();
            self.trace("dac", &label, &format!("{value}"), &format!(" ({mv:.1} mV)"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, TraceFormat};
    use wisp_host::platform::Dac;

    #[test]
    fn changes_of_the_value_are_traced_with_their_voltage() {
        let capture = Capture::new();
        let mut board = Board::from_toml("[apps.a.dac.level]\nresolution = 10\nreference_mv = 2000\n").unwrap();
        board.set_trace(capture.clone(), TraceFormat::Text);
        let mut app = board.platform("a");
        assert_eq!((app.find_dac(b"level"), app.find_dac(b"other"), app.dac_resolution(0)), (Some(0), None, 10));
        for value in [0, 512, 512, 1023] {
            app.write_dac(0, value).unwrap();
        }
        let lines: Vec<_> = capture.text().lines().map(|line| line[28..].to_string()).collect();
        assert_eq!(lines, ["dac level 0 (0.0 mV)", "dac level 512 (1000.0 mV)", "dac level 1023 (1998.0 mV)"]);
    }

    #[test]
    fn an_output_that_makes_no_sense_is_refused() {
        for (text, expected) in [
            ("resolution = 0", "1 to 32"),
            ("resolution = 33", "1 to 32"),
            ("reference_mv = 0", "more than 0"),
            ("reference_mv = nan", "more than 0"),
        ] {
            let error = Board::from_toml(&format!("[apps.a.dac.x]\n{text}\n")).unwrap_err();
            assert!(error.message.contains(expected) && error.message.contains("apps.a.dac.x"), "{error}");
        }
    }
}

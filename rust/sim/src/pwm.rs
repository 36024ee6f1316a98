// SPDX-License-Identifier: Apache-2.0
//! Pulse-width modulated outputs: traced.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use wisp_abi::Errno;
use wisp_host::platform::Pwm;

/// An output as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    period_us: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config { period_us: 20_000.0 }
    }
}

impl Config {
    /// Returns nanoseconds.
    pub(crate) fn period(&self) -> u32 {
        // The check found that they fit.
        (self.period_us * 1000.0) as u32
    }
}

/// Checks what the types of an output's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    // Periods are 32 bits of nanoseconds.
    if !(config.period_us >= 0.001 && config.period_us * 1000.0 <= f64::from(u32::MAX)) {
        let message = format!("{key}: period_us = {}, expected 0.001 to 4294967.295", config.period_us);
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
    period: u32,
    pulse: Option<u32>,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        Device { label, period: config.period(), pulse: None }
    }
}

impl Pwm for SimPlatform {
    fn find_pwm(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.pwm.iter().position(|output| output.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_pwm(&mut self, _output: u32) -> Result<(), Errno> {
        Ok(())
    }

    fn pwm_period(&self, output: u32) -> u32 {
        self.devices.pwm.get(output as usize).map_or(0, |output| output.period)
    }

    fn set_pwm(&mut self, output: u32, pulse: u32) -> Result<(), Errno> {
        let found = self.devices.pwm.get_mut(output as usize).ok_or(Errno::BadHandle)?;
        if found.pulse.replace(pulse) != Some(pulse) {
            let percent = f64::from(pulse) / f64::from(found.period) * 100.0;
            let label = found.label.clone();
            self.trace("pwm", &label, &format!("{pulse}"), &format!(" ns ({percent:.1} %)"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, TraceFormat};
    use wisp_host::platform::Pwm;

    #[test]
    fn changes_of_the_pulse_are_traced_in_nanoseconds() {
        let capture = Capture::new();
        let mut board = Board::from_toml("[apps.a.pwm.fan]\nperiod_us = 1000\n").unwrap();
        board.set_trace(capture.clone(), TraceFormat::Text);
        let mut app = board.platform("a");
        assert_eq!((app.find_pwm(b"fan"), app.pwm_period(0)), (Some(0), 1_000_000));
        for pulse in [0, 250_000, 250_000, 0] {
            app.set_pwm(0, pulse).unwrap();
        }
        let lines: Vec<_> = capture.text().lines().map(|line| line[28..].to_string()).collect();
        assert_eq!(lines, ["pwm fan 0 ns (0.0 %)", "pwm fan 250000 ns (25.0 %)", "pwm fan 0 ns (0.0 %)"]);
    }

    #[test]
    fn a_period_that_does_not_fit_is_refused() {
        for period in ["0", "-1", "nan", "4294968"] {
            let error = Board::from_toml(&format!("[apps.a.pwm.fan]\nperiod_us = {period}\n")).unwrap_err();
            assert!(error.message.contains("apps.a.pwm.fan"), "{error}");
        }
    }
}

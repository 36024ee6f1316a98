// SPDX-License-Identifier: Apache-2.0
//! LED strips: traced.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use wisp_abi::{strip, Errno};
use wisp_host::platform::Strip;

/// The largest number of LEDs, which a trace can still show.
const LONGEST: u32 = 4096;

/// A strip as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Number of LEDs.
    length: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config { length: 8 }
    }
}

/// Checks what the types of a strip's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    if !(1..=LONGEST).contains(&config.length) {
        let message = format!("{key}: length = {}, expected 1 to {LONGEST} LEDs", config.length);
        return Err(Error::at(text, None, message));
    }
    Ok(())
}

/// Returns the signal that a waveform viewer shows.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    Some(Signal::text())
}

/// A strip.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    /// Red, green and blue of each LED.
    colors: Vec<u8>,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        Device { label, colors: vec![0; (config.length * strip::COLOR) as usize] }
    }
}

impl SimPlatform {
    fn strip(&mut self, strip: u32) -> Result<&mut Device, Errno> {
        self.devices.strip.get_mut(strip as usize).ok_or(Errno::BadHandle)
    }
}

impl Strip for SimPlatform {
    fn find_strip(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.strip.iter().position(|strip| strip.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_strip(&mut self, strip: u32) -> Result<(), Errno> {
        self.close_strip(strip)
    }

    fn close_strip(&mut self, strip: u32) -> Result<(), Errno> {
        let dark = vec![0; self.strip(strip)?.colors.len()];
        self.write_strip(strip, &dark)
    }

    fn strip_length(&self, strip: u32) -> u32 {
        // At most `LONGEST`.
        self.devices.strip.get(strip as usize).map_or(0, |strip| strip.colors.len() as u32 / strip::COLOR)
    }

    fn write_strip(&mut self, strip: u32, colors: &[u8]) -> Result<(), Errno> {
        let found = self.strip(strip)?;
        let part = found.colors.get_mut(..colors.len()).ok_or(Errno::Range)?;
        if part != colors {
            part.copy_from_slice(colors);
            let shown: Vec<_> = found.colors.chunks_exact(strip::COLOR as usize).map(crate::led::hex).collect();
            let label = found.label.clone();
            self.trace("strip", &label, &shown.join(" "), "");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, TraceFormat};
    use wisp_abi::Errno;
    use wisp_host::platform::Strip;

    #[test]
    fn changes_are_traced_and_leds_behind_the_written_ones_keep_their_color() {
        let capture = Capture::new();
        let mut board = Board::from_toml("[apps.a.strip.tape]\nlength = 2\n").unwrap();
        board.set_trace(capture.clone(), TraceFormat::Text);
        let mut app = board.platform("a");
        assert_eq!((app.find_strip(b"tape"), app.find_strip(b"other"), app.strip_length(0)), (Some(0), None, 2));
        app.open_strip(0).unwrap();
        app.write_strip(0, &[1, 2, 3, 4, 5, 255]).unwrap();
        app.write_strip(0, &[9, 2, 3]).unwrap();
        app.write_strip(0, &[9, 2, 3]).unwrap();
        assert_eq!(app.write_strip(0, &[0; 9]), Err(Errno::Range));
        app.close_strip(0).unwrap();
        let lines: Vec<_> = capture.text().lines().map(|line| line[28..].to_string()).collect();
        assert_eq!(lines, ["strip tape 010203 0405ff", "strip tape 090203 0405ff", "strip tape 000000 000000"]);
    }

    #[test]
    fn a_strip_that_makes_no_sense_is_refused() {
        for length in [0, 4097] {
            let error = Board::from_toml(&format!("[apps.a.strip.x]\nlength = {length}\n")).unwrap_err();
            assert!(error.message.contains("apps.a.strip.x") && error.message.contains("1 to 4096"), "{error}");
        }
    }
}

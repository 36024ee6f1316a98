// SPDX-License-Identifier: Apache-2.0
//! LEDs: traced.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use wisp_abi::{led, Errno};
use wisp_host::platform::Led;

/// An LED as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Channels of its color. 1 has brightness only.
    channels: u32,
    /// True if the driver lets it blink.
    blink: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config { channels: 1, blink: true }
    }
}

/// Checks what the types of an LED's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    if !(1..=led::MAX_COLORS).contains(&config.channels) {
        let message = format!("{key}: channels = {}, expected 1 to {}", config.channels, led::MAX_COLORS);
        return Err(Error::at(text, None, message));
    }
    Ok(())
}

/// Returns the signal that a waveform viewer shows.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    Some(Signal::text())
}

/// An LED.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    config: Config,
    /// The state, as the trace shows it.
    state: String,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        Device { label, config, state: String::new() }
    }
}

impl SimPlatform {
    /// Traces what the LED shows, if that is something new.
    fn show_led(&mut self, led: u32, state: String) -> Result<(), Errno> {
        let found = self.devices.led.get_mut(led as usize).ok_or(Errno::BadHandle)?;
        if found.state != state {
            found.state.clone_from(&state);
            let label = found.label.clone();
            self.trace("led", &label, &state, "");
        }
        Ok(())
    }
}

impl Led for SimPlatform {
    fn find_led(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.led.iter().position(|led| led.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_led(&mut self, led: u32) -> Result<(), Errno> {
        self.set_led(led, 0)
    }

    fn close_led(&mut self, led: u32) -> Result<(), Errno> {
        self.set_led(led, 0)
    }

    fn set_led(&mut self, led: u32, percent: u32) -> Result<(), Errno> {
        self.show_led(led, format!("{percent}%"))
    }

    fn color_led(&mut self, led: u32, channels: &[u8]) -> Result<(), Errno> {
        match self.devices.led.get(led as usize).ok_or(Errno::BadHandle)?.config.channels {
            1 => Err(Errno::NotSupported),
            count if count as usize != channels.len() => Err(Errno::Invalid),
            _ => self.show_led(led, format!("#{}", hex(channels))),
        }
    }

    fn blink_led(&mut self, led: u32, on: u32, off: u32) -> Result<(), Errno> {
        if !self.devices.led.get(led as usize).ok_or(Errno::BadHandle)?.config.blink {
            return Err(Errno::NotSupported);
        }
        self.show_led(led, format!("blinks {on}/{off} ms"))
    }
}

/// Returns bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, TraceFormat};
    use wisp_abi::Errno;
    use wisp_host::platform::Led;

    #[test]
    fn changes_of_brightness_color_and_blinking_are_traced() {
        let capture = Capture::new();
        let mut board = Board::from_toml("[apps.a.led.status]\nchannels = 3\n").unwrap();
        board.set_trace(capture.clone(), TraceFormat::Text);
        let mut app = board.platform("a");
        assert_eq!((app.find_led(b"status"), app.find_led(b"other")), (Some(0), None));
        app.open_led(0).unwrap();
        app.set_led(0, 40).unwrap();
        app.set_led(0, 40).unwrap();
        app.color_led(0, &[255, 0, 16]).unwrap();
        assert_eq!(app.color_led(0, &[1, 2]), Err(Errno::Invalid));
        app.blink_led(0, 100, 900).unwrap();
        app.close_led(0).unwrap();
        let lines: Vec<_> = capture.text().lines().map(|line| line[28..].to_string()).collect();
        let expected =
            ["led status 0%", "led status 40%", "led status #ff0010", "led status blinks 100/900 ms", "led status 0%"];
        assert_eq!(lines, expected);
    }

    #[test]
    fn an_led_without_colors_or_blinking_says_so() {
        let mut app = Board::from_toml("[apps.a.led.status]\nblink = false\n").unwrap().platform("a");
        assert_eq!(app.color_led(0, &[1, 2, 3]), Err(Errno::NotSupported));
        assert_eq!(app.blink_led(0, 1, 1), Err(Errno::NotSupported));
    }

    #[test]
    fn an_led_that_makes_no_sense_is_refused() {
        for channels in [0, 9] {
            let error = Board::from_toml(&format!("[apps.a.led.x]\nchannels = {channels}\n")).unwrap_err();
            assert!(error.message.contains("apps.a.led.x") && error.message.contains("1 to 8"), "{error}");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! EEPROMs: writes are traced.

use crate::error::Error;
use crate::led::hex;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use std::collections::BTreeMap;
use wisp_abi::Errno;
use wisp_host::platform::Eeprom;

/// An EEPROM as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Bytes.
    size: usize,
    /// Microseconds that a write of one byte takes.
    write_us: u64,
    /// True if nothing can be written.
    read_only: bool,
    /// Contents at boot, by the offset of their first byte in decimal or 0x hexadecimal. 0xff elsewhere.
    contents: BTreeMap<String, Vec<u8>>,
}

impl Default for Config {
    fn default() -> Self {
        Config { size: 256, write_us: 0, read_only: false, contents: BTreeMap::new() }
    }
}

/// Checks what the types of an EEPROM's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    let largest = crate::i2c::MAX_SIZE;
    if !(1..=largest).contains(&config.size) {
        let message = format!("{key}: size = {}, expected 1 to {largest} bytes", config.size);
        return Err(Error::at(text, None, message));
    }
    crate::i2c::check_contents(text, key, &config.contents, config.size)
}

/// Returns the signal that a waveform viewer shows.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    Some(Signal::text())
}

/// An EEPROM.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    write_us: u64,
    read_only: bool,
    contents: Vec<u8>,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        let contents = crate::i2c::filled(&config.contents, config.size, 0xff);
        Device { label, write_us: config.write_us, read_only: config.read_only, contents }
    }

    fn part(&mut self, offset: u32, length: usize) -> Result<&mut [u8], Errno> {
        part(&mut self.contents, offset, length)
    }
}

/// Returns so many bytes from an offset on, or `Errno::Range` if there are fewer.
pub(crate) fn part(contents: &mut [u8], offset: u32, length: usize) -> Result<&mut [u8], Errno> {
    let start = offset as usize;
    let end = start.checked_add(length).ok_or(Errno::Range)?;
    contents.get_mut(start..end).ok_or(Errno::Range)
}

impl SimPlatform {
    fn eeprom(&mut self, eeprom: u32) -> Result<&mut Device, Errno> {
        self.devices.eeprom.get_mut(eeprom as usize).ok_or(Errno::BadHandle)
    }
}

impl Eeprom for SimPlatform {
    fn find_eeprom(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.eeprom.iter().position(|eeprom| eeprom.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_eeprom(&mut self, _eeprom: u32) -> Result<(), Errno> {
        Ok(())
    }

    fn eeprom_size(&self, eeprom: u32) -> u32 {
        // At most `MAX_SIZE`.
        self.devices.eeprom.get(eeprom as usize).map_or(0, |eeprom| eeprom.contents.len() as u32)
    }

    fn read_eeprom(&mut self, eeprom: u32, offset: u32, buffer: &mut [u8]) -> Result<(), Errno> {
        self.tick();
        buffer.copy_from_slice(self.eeprom(eeprom)?.part(offset, buffer.len())?);
        Ok(())
    }

    fn write_eeprom(&mut self, eeprom: u32, offset: u32, bytes: &[u8]) -> Result<(), Errno> {
        let found = self.eeprom(eeprom)?;
        if found.read_only {
            return Err(Errno::Access);
        }
        let us = found.write_us.saturating_mul(bytes.len() as u64);
        let label = found.label.clone();
        found.part(offset, bytes.len())?.copy_from_slice(bytes);
        self.trace("eeprom", &label, &format!("{offset:#x}: {}", hex(bytes)), "");
        self.pass(us);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, TraceFormat};
    use wisp_abi::Errno;
    use wisp_host::platform::Eeprom;

    #[test]
    fn bytes_are_read_back_and_writes_take_their_time_and_are_traced() {
        let capture = Capture::new();
        let text = "[apps.a.eeprom.store]\nsize = 32\nwrite_us = 500\ncontents = { 0x04 = [1, 2] }\n";
        let mut board = Board::from_toml(text).unwrap();
        board.set_trace(capture.clone(), TraceFormat::Text);
        let mut app = board.platform("a");
        assert_eq!((app.find_eeprom(b"store"), app.find_eeprom(b"other"), app.eeprom_size(0)), (Some(0), None, 32));
        app.write_eeprom(0, 30, &[7, 8]).unwrap();
        assert_eq!(app.now_us(), 1_000);
        let mut read = [0; 4];
        app.read_eeprom(0, 3, &mut read).unwrap();
        assert_eq!(read, [0xff, 1, 2, 0xff]);
        app.read_eeprom(0, 28, &mut read).unwrap();
        assert_eq!(read, [0xff, 0xff, 7, 8]);
        assert_eq!(app.write_eeprom(0, 31, &[7, 8]), Err(Errno::Range));
        let lines: Vec<_> = capture.text().lines().map(|line| line[28..].to_string()).collect();
        assert_eq!(lines, ["eeprom store 0x1e: 0708"]);
    }

    #[test]
    fn a_read_only_eeprom_keeps_its_contents() {
        let mut app = Board::from_toml("[apps.a.eeprom.store]\nread_only = true\n").unwrap().platform("a");
        assert_eq!(app.write_eeprom(0, 0, &[1]), Err(Errno::Access));
        let mut read = [0];
        app.read_eeprom(0, 0, &mut read).unwrap();
        assert_eq!(read, [0xff]);
    }

    #[test]
    fn an_eeprom_that_makes_no_sense_is_refused() {
        for (text, expected) in [("size = 0", "1 to"), ("size = 4\ncontents = { 3 = [1, 2] }", "beyond the size")] {
            let error = Board::from_toml(&format!("[apps.a.eeprom.x]\n{text}\n")).unwrap_err();
            assert!(error.message.contains(expected) && error.message.contains("apps.a.eeprom.x"), "{error}");
        }
    }
}

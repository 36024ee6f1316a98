// SPDX-License-Identifier: Apache-2.0
//! Devices on SPI buses: maps of registers, and loops that give back what they get.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use std::collections::BTreeMap;
use wisp_abi::Errno;
use wisp_host::platform::{Spi, SpiOperation};

/// A device as a board file describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    kind: DeviceKind,
    /// Registers at boot, by number in decimal or 0x hexadecimal, or 0 elsewhere.
    contents: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DeviceKind {
    /// 128 registers: the first byte is the number, with bit 7 set to read.
    #[default]
    Registers,
    /// Reads what it is written.
    Loopback,
}

const REGISTERS: usize = 128;
const READ_BIT: u8 = 0x80;

fn number(text: &str) -> Option<usize> {
    match text.strip_prefix("0x") {
        Some(digits) => usize::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Checks what the types of a device's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    for (at, bytes) in &config.contents {
        let expected = match number(at) {
            Some(start) if start.saturating_add(bytes.len()) <= REGISTERS => continue,
            Some(_) => "registers below 128",
            None => "a decimal or 0x number",
        };
        let message = format!("{key}: contents: {} bytes at \"{at}\", expected {expected}", bytes.len());
        return Err(Error::at(text, None, message));
    }
    Ok(())
}

/// Returns the signal that a waveform viewer shows.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    Some(Signal::text())
}

/// A device with what it holds.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    kind: DeviceKind,
    registers: [u8; REGISTERS],
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        let mut registers = [0; REGISTERS];
        for (at, bytes) in &config.contents {
            if let Some(place) = number(at).and_then(|at| registers.get_mut(at..at + bytes.len())) {
                place.copy_from_slice(bytes);
            }
        }
        Device { label, kind: config.kind, registers }
    }

    /// Returns the device's answer to a whole transaction, byte by byte.
    fn exchange(&mut self, written: &[u8]) -> Vec<u8> {
        if self.kind == DeviceKind::Loopback {
            return written.to_vec();
        }
        let first = written.first().copied().unwrap_or(0);
        let mut at = usize::from(first & !READ_BIT);
        let mut answer = vec![0; written.len()];
        for (from, to) in written.iter().zip(&mut answer).skip(1) {
            if first & READ_BIT != 0 {
                *to = self.registers[at];
            } else {
                self.registers[at] = *from;
            }
            at = (at + 1) % REGISTERS;
        }
        answer
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!(" {byte:02x}")).collect()
}

impl SimPlatform {
    fn spi_exchange(&mut self, device: u32, written: &[u8]) -> Result<Vec<u8>, Errno> {
        self.tick();
        let found = self.devices.spi.get_mut(device as usize).ok_or(Errno::BadHandle)?;
        let label = found.label.clone();
        let answer = found.exchange(written);
        self.trace("spi", &label, &format!("write{} read{}", hex(written), hex(&answer)), "");
        Ok(answer)
    }
}

impl Spi for SimPlatform {
    fn find_spi(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.spi.iter().position(|device| device.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_spi(&mut self, _device: u32) -> Result<(), Errno> {
        Ok(())
    }

    fn transfer_spi(&mut self, device: u32, bytes: &[u8], buffer: &mut [u8]) -> Result<(), Errno> {
        let mut written = bytes.to_vec();
        written.resize(bytes.len().max(buffer.len()), 0);
        let answer = self.spi_exchange(device, &written)?;
        buffer.copy_from_slice(&answer[..buffer.len()]);
        Ok(())
    }

    fn transact_spi(&mut self, device: u32, memory: &mut [u8], operations: &[SpiOperation]) -> Result<(), Errno> {
        let mut written = Vec::new();
        for operation in operations {
            if operation.delay_ns > 0 {
                // No other app and no input of this one can tell when in the transaction it was.
                self.pass(u64::from(operation.delay_ns.div_ceil(1000)));
            }
            match (&operation.write, &operation.read) {
                (Some(range), _) => written.extend_from_slice(memory.get(range.clone()).ok_or(Errno::Fault)?),
                (None, Some(range)) => written.resize(written.len() + range.len(), 0),
                (None, None) => {}
            }
        }
        let answer = self.spi_exchange(device, &written)?;
        let mut at = 0;
        for operation in operations {
            let length = operation.write.as_ref().or(operation.read.as_ref()).map_or(0, |range| range.len());
            if let Some(range) = &operation.read {
                memory.get_mut(range.clone()).ok_or(Errno::Fault)?.copy_from_slice(&answer[at..at + length]);
            }
            at += length;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Board;

    fn platform(text: &str) -> SimPlatform {
        let mut board = Board::from_toml(text).unwrap();
        board.set_trace(crate::Capture::new(), crate::TraceFormat::Off);
        board.platform("a")
    }

    #[test]
    fn registers_are_written_and_read_over_several_operations() {
        let mut app = platform("[apps.a.spi.imu]\ncontents = { 0x00 = [0xd1] }\n");
        assert_eq!(app.find_spi(b"imu"), Some(0));
        app.transfer_spi(0, &[0x40, 7, 8], &mut []).unwrap();
        let mut memory = [0xc0, 0, 0, 0x80, 0];
        let part = |write, read| SpiOperation { write, read, delay_ns: 0 };
        app.transact_spi(0, &mut memory, &[part(Some(0..1), None), part(None, Some(1..3))]).unwrap();
        app.transact_spi(0, &mut memory, &[part(Some(3..5), Some(3..5))]).unwrap();
        assert_eq!(memory, [0xc0, 7, 8, 0, 0xd1]);
    }

    #[test]
    fn a_delay_takes_virtual_time() {
        let mut app = platform("[apps.a.spi.imu]\n");
        let delay = SpiOperation { delay_ns: 1_500_001, ..Default::default() };
        app.transact_spi(0, &mut [], &[delay]).unwrap();
        assert_eq!(app.now_us(), 1_502);
    }

    #[test]
    fn a_loop_gives_back_what_it_gets_and_zeros_for_the_rest() {
        let mut app = platform("[apps.a.spi.wire]\nkind = \"loopback\"\n");
        let mut buffer = [9; 4];
        app.transfer_spi(0, &[1, 2], &mut buffer).unwrap();
        assert_eq!(buffer, [1, 2, 0, 0]);
    }

    #[test]
    fn contents_beyond_the_registers_are_refused() {
        let error = Board::from_toml("[apps.a.spi.d]\ncontents = { 0x7f = [1, 2] }\n").unwrap_err();
        assert!(error.message.contains("apps.a.spi.d") && error.message.contains("below 128"), "{error}");
    }
}

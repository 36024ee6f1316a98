// SPDX-License-Identifier: Apache-2.0
//! Devices on I2C buses: EEPROMs and maps of registers, with faults on demand.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;
use wisp_abi::Errno;
use wisp_host::platform::{I2c, Operation};

/// A device as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    address: u32,
    kind: DeviceKind,
    /// Bytes of memory, or number of registers.
    size: usize,
    /// Bytes of a register: its number counts in these.
    width: usize,
    /// EEPROM: bytes that one write can reach. A longer one wraps around in its page.
    page: usize,
    /// EEPROM: bytes of a memory address.
    address_bytes: usize,
    /// EEPROM: milliseconds after a write in which it does not acknowledge.
    write_ms: f64,
    /// Contents at boot, by the address of their first byte in decimal or 0x hexadecimal, and 0xff or 0 elsewhere.
    contents: BTreeMap<String, Vec<u8>>,
    /// Registers over time.
    script: Vec<Spanned<Change>>,
    /// Faults by the number of the transaction, from 0.
    faults: Vec<Fault>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            address: 0,
            kind: DeviceKind::Registers,
            size: 256,
            width: 1,
            page: 8,
            address_bytes: 1,
            write_ms: 0.0,
            contents: BTreeMap::new(),
            script: Vec::new(),
            faults: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DeviceKind {
    Registers,
    Eeprom,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    at_ms: f64,
    register: usize,
    values: Vec<u8>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    transaction: u64,
    error: FaultKind,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FaultKind {
    NoAcknowledge,
    ArbitrationLoss,
    Overrun,
    Bus,
    Timeout,
}

impl FaultKind {
    fn errno(self) -> Errno {
        match self {
            FaultKind::NoAcknowledge => Errno::NoDevice,
            FaultKind::ArbitrationLoss => Errno::Again,
            FaultKind::Overrun => Errno::Overflow,
            FaultKind::Bus => Errno::Io,
            FaultKind::Timeout => Errno::TimedOut,
        }
    }
}

/// The largest number of bytes of a simulated device.
pub(crate) const MAX_SIZE: usize = 1 << 20;

fn index(text: &str) -> Option<usize> {
    match text.strip_prefix("0x") {
        Some(digits) => usize::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Checks contents at boot, which have to lie inside of a size.
pub(crate) fn check_contents(
    text: &str,
    key: &str,
    contents: &BTreeMap<String, Vec<u8>>,
    size: usize,
) -> Result<(), Error> {
    let wrong = |message: String| Err(Error::at(text, None, format!("{key}: {message}")));
    for (at, bytes) in contents {
        match index(at) {
            Some(start) if start.saturating_add(bytes.len()) <= size => {}
            Some(_) => {
                let count = bytes.len();
                return wrong(format!("contents: {count} bytes at \"{at}\" are beyond the size, {size}"));
            }
            None => return wrong(format!("contents: bytes at \"{at}\", expected a decimal or 0x number")),
        }
    }
    Ok(())
}

/// Returns a memory with contents that were checked, and `blank` elsewhere.
pub(crate) fn filled(contents: &BTreeMap<String, Vec<u8>>, size: usize, blank: u8) -> Vec<u8> {
    let mut memory = vec![blank; size];
    for (at, bytes) in contents {
        if let Some(place) = index(at).and_then(|at| memory.get_mut(at..at + bytes.len())) {
            place.copy_from_slice(bytes);
        }
    }
    memory
}

/// Checks what the types of a device's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    let wrong = |message: String| Err(Error::at(text, None, format!("{key}: {message}")));
    if !(1..=0x7f).contains(&config.address) {
        return wrong(format!("address = {:#x}, expected a 7-bit address above 0", config.address));
    }
    if !(1..=MAX_SIZE).contains(&config.size) {
        return wrong(format!("size = {}, expected 1 to {MAX_SIZE} bytes", config.size));
    }
    if !(1..=2).contains(&config.address_bytes) {
        return wrong(format!("address_bytes = {}, expected 1 or 2", config.address_bytes));
    }
    if !(1..=8).contains(&config.width) {
        return wrong(format!("width = {}, expected 1 to 8 bytes", config.width));
    }
    if config.kind == DeviceKind::Eeprom && (config.page == 0 || !config.size.is_multiple_of(config.page)) {
        return wrong(format!("page = {}, expected a divisor of the size, {}", config.page, config.size));
    }
    check_contents(text, key, &config.contents, config.size)?;
    let mut last = 0.0;
    for step in &config.script {
        let change = step.get_ref();
        let fits = change.register.saturating_add(change.values.len()) <= config.size;
        if !fits || !change.at_ms.is_finite() || change.at_ms < last {
            let message = format!("{key}.script: expected registers below {} at a time not before {last}", config.size);
            return Err(Error::at(text, Some(step.span()), message));
        }
        last = change.at_ms;
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
    config: Config,
    memory: Vec<u8>,
    /// The address from which the next byte is read.
    pointer: usize,
    transactions: u64,
    busy_until_us: u64,
    /// Steps of the script that were done.
    steps: usize,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        let blank = if config.kind == DeviceKind::Eeprom { 0xff } else { 0 };
        let memory = filled(&config.contents, config.size, blank);
        Device { label, config, memory, pointer: 0, transactions: 0, busy_until_us: 0, steps: 0 }
    }

    /// Begins a transaction: faults, and what changed until now.
    fn start(&mut self, now_us: u64) -> Result<(), Errno> {
        let number = self.transactions;
        self.transactions += 1;
        if let Some(fault) = self.config.faults.iter().find(|fault| fault.transaction == number) {
            return Err(fault.error.errno());
        }
        if now_us < self.busy_until_us {
            return Err(Errno::NoDevice);
        }
        while let Some(step) = self.config.script.get(self.steps).map(|step| step.get_ref()) {
            if (step.at_ms * 1000.0) as u64 > now_us {
                break;
            }
            self.memory[step.register..step.register + step.values.len()].copy_from_slice(&step.values);
            self.steps += 1;
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.memory[self.pointer];
            self.pointer = (self.pointer + 1) % self.config.size;
        }
    }

    /// Takes a write from start or repeated start on: an address, then data.
    fn write(&mut self, bytes: &[u8], now_us: u64) {
        let eeprom = self.config.kind == DeviceKind::Eeprom;
        let address_bytes = if eeprom { self.config.address_bytes } else { 1 };
        let (address, data) = bytes.split_at(address_bytes.min(bytes.len()));
        if address.len() < address_bytes {
            return;
        }
        let width = if eeprom { 1 } else { self.config.width };
        self.pointer = address.iter().fold(0, |at, byte| at << 8 | usize::from(*byte)) * width % self.config.size;
        let page = if eeprom { self.config.page } else { self.config.size };
        for byte in data {
            self.memory[self.pointer] = *byte;
            let start = self.pointer - self.pointer % page;
            self.pointer = start + (self.pointer + 1 - start) % page;
        }
        if eeprom && !data.is_empty() {
            self.busy_until_us = now_us.saturating_add((self.config.write_ms * 1000.0) as u64);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!(" {byte:02x}")).collect()
}

impl SimPlatform {
    fn on_bus(&mut self, device: u32, transfer: impl FnOnce(&mut Device, u64) -> Option<String>) -> Result<(), Errno> {
        self.tick();
        let now = self.now_us();
        let found = self.devices.i2c.get_mut(device as usize).ok_or(Errno::BadHandle)?;
        let label = found.label.clone();
        let outcome = found.start(now).map(|()| transfer(found, now));
        match &outcome {
            Ok(Some(done)) => self.trace("i2c", &label, done.trim_start(), ""),
            Ok(None) => {}
            Err(errno) => self.trace("i2c", &label, errno.name(), ""),
        }
        outcome.map(|_| ())
    }
}

impl I2c for SimPlatform {
    fn find_i2c(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.i2c.iter().position(|device| device.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_i2c(&mut self, _device: u32) -> Result<(), Errno> {
        Ok(())
    }

    fn i2c_address(&self, device: u32) -> u32 {
        self.devices.i2c.get(device as usize).map_or(0, |device| device.config.address)
    }

    fn read_i2c(&mut self, device: u32, buffer: &mut [u8]) -> Result<(), Errno> {
        self.on_bus(device, |device, _| {
            device.read(buffer);
            Some(format!("read{}", hex(buffer)))
        })
    }

    fn write_i2c(&mut self, device: u32, bytes: &[u8]) -> Result<(), Errno> {
        self.on_bus(device, |device, now| {
            device.write(bytes, now);
            Some(format!("write{}", hex(bytes)))
        })
    }

    fn write_read_i2c(&mut self, device: u32, bytes: &[u8], buffer: &mut [u8]) -> Result<(), Errno> {
        self.on_bus(device, |device, now| {
            device.write(bytes, now);
            device.read(buffer);
            Some(format!("write{} read{}", hex(bytes), hex(buffer)))
        })
    }

    fn transact_i2c(&mut self, device: u32, memory: &mut [u8], operations: &[Operation]) -> Result<(), Errno> {
        self.on_bus(device, |device, now| {
            let mut done = String::new();
            let mut written = Vec::new();
            for (i, operation) in operations.iter().enumerate() {
                let bytes = memory.get_mut(operation.range())?;
                if operation.reads() {
                    device.read(bytes);
                    done.push_str(&format!(" read{}", hex(bytes)));
                    continue;
                }
                // Writes in a row are one to the device.
                written.extend_from_slice(bytes);
                if !matches!(operations.get(i + 1), Some(Operation::Write(_))) {
                    device.write(&written, now);
                    done.push_str(&format!(" write{}", hex(&written)));
                    written.clear();
                }
            }
            Some(done)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Board, Capture, TraceFormat};
    use wisp_host::platform::Clock;

    fn board(text: &str) -> (SimPlatform, Capture) {
        let capture = Capture::new();
        let mut board = Board::from_toml(text).unwrap();
        board.set_trace(capture.clone(), TraceFormat::Csv);
        (board.platform("a"), capture)
    }

    fn registers(app: &mut SimPlatform, register: u8, count: usize) -> Result<Vec<u8>, Errno> {
        let mut buffer = vec![0; count];
        app.write_read_i2c(0, &[register], &mut buffer).map(|()| buffer)
    }

    #[test]
    fn registers_may_be_wider_than_a_byte() {
        let text = "[apps.a.i2c.adc]\naddress = 0x48\nwidth = 2\ncontents = { 0 = [1, 2, 3, 4] }\n";
        let mut app = crate::Board::from_toml(text).unwrap().platform("a");
        let mut buffer = [0; 2];
        app.write_i2c(0, &[1, 7, 8]).unwrap();
        app.write_read_i2c(0, &[0], &mut buffer).unwrap();
        assert_eq!(buffer, [1, 2]);
        app.write_read_i2c(0, &[1], &mut buffer).unwrap();
        assert_eq!(buffer, [7, 8]);
    }

    #[test]
    fn registers_are_written_read_and_change_by_script() {
        let (mut app, trace) = board(
            "[apps.a.i2c.imu]\naddress = 0x68\ncontents = { 0x00 = [0xd1] }\n\
             script = [{ at_ms = 5, register = 18, values = [1, 2] }]\n",
        );
        assert_eq!((app.find_i2c(b"imu"), app.i2c_address(0)), (Some(0), 0x68));
        assert_eq!(registers(&mut app, 0, 2), Ok(vec![0xd1, 0]));
        app.write_i2c(0, &[0x40, 7, 8]).unwrap();
        assert_eq!(registers(&mut app, 0x40, 2), Ok(vec![7, 8]));
        assert_eq!(registers(&mut app, 18, 2), Ok(vec![0, 0]));
        app.sleep_us(5000).unwrap();
        assert_eq!(registers(&mut app, 18, 2), Ok(vec![1, 2]));
        assert!(trace.text().contains(",a,i2c,imu,write 40 07 08\n"), "{}", trace.text());
    }

    #[test]
    fn an_eeprom_wraps_in_its_page_and_is_busy_after_a_write() {
        let (mut app, _) = board(
            "[apps.a.i2c.store]\nkind = \"eeprom\"\naddress = 0x50\nsize = 512\npage = 4\naddress_bytes = 2\nwrite_ms = 3\n",
        );
        app.write_i2c(0, &[1, 2, 10, 11, 12]).unwrap();
        let mut bytes = [0; 4];
        assert_eq!(app.write_read_i2c(0, &[1, 0], &mut bytes), Err(Errno::NoDevice));
        app.sleep_us(3000).unwrap();
        app.write_read_i2c(0, &[1, 0], &mut bytes).unwrap();
        assert_eq!(bytes, [12, 0xff, 10, 11]);
    }

    #[test]
    fn writes_in_a_row_are_one_write() {
        let (mut app, _) = board("[apps.a.i2c.imu]\naddress = 1\n");
        let mut memory = [0x10, 5, 6, 0x10, 0, 0];
        let operations =
            [Operation::Write(0..1), Operation::Write(1..3), Operation::Write(3..3), Operation::Read(4..4)];
        app.transact_i2c(0, &mut memory, &operations).unwrap();
        let operations = [Operation::Write(3..4), Operation::Read(4..5), Operation::Read(5..6)];
        app.transact_i2c(0, &mut memory, &operations).unwrap();
        assert_eq!(memory[4..], [5, 6]);
    }

    #[test]
    fn faults_come_at_their_transaction_and_are_traced() {
        let (mut app, trace) = board(
            "[apps.a.i2c.imu]\naddress = 1\nfaults = [{ transaction = 1, error = \"arbitration-loss\" }, \
             { transaction = 2, error = \"no-acknowledge\" }]\n",
        );
        let outcomes = [(); 4].map(|()| registers(&mut app, 0, 1).err());
        assert_eq!(outcomes, [None, Some(Errno::Again), Some(Errno::NoDevice), None]);
        assert!(trace.text().contains("imu,EAGAIN\n"), "{}", trace.text());
    }

    #[test]
    fn a_board_that_makes_no_sense_is_refused() {
        for (text, expected) in [
            ("address = 0x80", "7-bit"),
            ("address = 0", "7-bit"),
            ("address = 1\nsize = 0", "size = 0"),
            ("kind = \"eeprom\"\naddress = 1\npage = 7", "divisor"),
            ("address = 1\naddress_bytes = 3", "1 or 2"),
            ("address = 1\ncontents = { 255 = [1, 2] }", "beyond"),
            ("address = 1\ncontents = { x = [1] }", "decimal or 0x"),
            ("address = 1\nscript = [{ at_ms = 1, register = 256, values = [1] }]", "below 256"),
        ] {
            let error = Board::from_toml(&format!("[apps.a.i2c.d]\n{text}\n")).unwrap_err();
            assert!(error.message.contains(expected) && error.message.contains("apps.a.i2c.d"), "{error}");
        }
    }
}

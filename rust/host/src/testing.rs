// SPDX-License-Identifier: Apache-2.0
//! A board that remembers what happened, and a guest that is only its linear memory.

use crate::platform::{
    Adc, Clock, Coap, Edges, Entropy, Event, Events, Files, Gpio, Hwinfo, I2c, Identity, Kv, Lifecycle, Log, Mqtt, Msg,
    Operation, PinMode, Pwm, Sensor, Spi, SpiOperation, Stdio, Stream, Uart, UartErrors,
};
use crate::stop::{Interrupted, Stop};
use crate::App;
use std::collections::{BTreeMap, VecDeque};
use std::string::{String, ToString};
use std::vec::Vec;
use wisp_abi::{log, Errno};

#[derive(Debug, Default)]
pub(crate) struct Pin {
    pub(crate) mode: Option<PinMode>,
    pub(crate) active: bool,
    pub(crate) edges: Option<Edges>,
}

#[derive(Debug, Default)]
pub(crate) struct Board {
    /// Ranges of memory that the call under way may have written.
    pub(crate) wrote: Vec<(u32, u32)>,
    pub(crate) logged: Vec<(u32, String)>,
    pub(crate) denied: Vec<(String, String)>,
    pub(crate) printed: Vec<(u32, String)>,
    pub(crate) pins: [Pin; 2],
    pub(crate) now_us: u64,
    pub(crate) events: VecDeque<Event>,
    pub(crate) wall_ns: Option<u64>,
    pub(crate) stopped: bool,
    /// After as many looks at whether the app has to stop, it is.
    pub(crate) looks_left: Option<u32>,
    pub(crate) broken: bool,
    pub(crate) no_entropy: bool,
    /// Bytes that were written to buses.
    pub(crate) wire: Vec<u8>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) bus_error: Option<Errno>,
    pub(crate) pulse: Option<u32>,
    /// Calls of drivers that have no field of their own: name and arguments.
    pub(crate) calls: Vec<(&'static str, [u32; 2])>,
    pub(crate) spi_operations: Vec<SpiOperation>,
    pub(crate) kv_size: u32,
    pub(crate) device_id: Option<Result<&'static [u8], Errno>>,
    pub(crate) reset_cause: Option<Result<u32, Errno>>,
    pub(crate) values: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) published: Vec<[u8; 4]>,
    pub(crate) messages: VecDeque<[u8; 4]>,
    pub(crate) closed: Vec<u32>,
    pub(crate) heartbeats: u32,
    pub(crate) confirmed: bool,
    pub(crate) received: VecDeque<u8>,
    pub(crate) reports: VecDeque<crate::platform::Report>,
    /// Entries that grant advertising and scanning, and the service.
    pub(crate) ble: [&'static [&'static str]; 3],
    pub(crate) writes: VecDeque<crate::platform::BleWritten>,
    pub(crate) ble_released: bool,
    pub(crate) adverts: VecDeque<crate::platform::BleReport>,
    pub(crate) frames: VecDeque<crate::platform::Frame>,
    /// Nothing more can be sent.
    pub(crate) full: bool,
    pub(crate) uart_errors: UartErrors,
    pub(crate) uart_watched: Option<bool>,
    pub(crate) uarts_closed: Vec<u32>,
    pub(crate) net: crate::net::tests::Network,
    pub(crate) mqtt: crate::platform::Session,
    pub(crate) coap: crate::platform::CoapState,
    /// Bytes that standard input still has.
    pub(crate) typed: VecDeque<u8>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

impl Board {
    fn working(&self) -> Result<(), Errno> {
        if self.broken {
            Err(Errno::Io)
        } else {
            Ok(())
        }
    }
}

impl Board {
    /// Lets the time of a wait pass, if it comes to one.
    pub(crate) fn waited(&mut self, nothing: bool, until_us: u64) -> Result<(), Interrupted> {
        if nothing {
            self.now_us = self.now_us.max(until_us);
        }
        if self.stopped {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }
}

impl Identity for Board {
    fn name(&self) -> &str {
        "test"
    }

    fn argument(&self, index: usize) -> Option<&[u8]> {
        (index == 0).then_some(b"-v=1")
    }

    fn variable(&self, index: usize) -> Option<&[u8]> {
        (index == 0).then_some(b"A=b")
    }

    fn wrote(&mut self, address: u32, length: u32) {
        self.wrote.push((address, length));
    }
}

impl Log for Board {
    fn max_level(&self) -> u32 {
        log::INFO
    }

    fn line(&mut self, level: u32, line: &[u8]) {
        self.logged.push((level, text(line)));
    }

    fn denied(&mut self, interface: &str, label: &[u8]) {
        self.denied.push((interface.to_string(), text(label)));
    }
}

impl Stdio for Board {
    const LINES: bool = true;

    fn output(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Errno> {
        self.working()?;
        self.printed.push((if stream == Stream::Out { 1 } else { 2 }, text(bytes)));
        Ok(())
    }

    fn input(&mut self, buffer: &mut [u8]) -> Result<u32, Errno> {
        let count = buffer.len().min(self.typed.len());
        buffer.iter_mut().zip(self.typed.drain(..count)).for_each(|(place, byte)| *place = byte);
        Ok(count as u32)
    }
}

impl Clock for Board {
    fn uptime_us(&mut self) -> u64 {
        self.now_us
    }

    fn resolution_ns(&self) -> u64 {
        1000
    }

    fn wall_clock_ns(&mut self) -> Option<u64> {
        self.wall_ns
    }

    fn is_to_stop(&mut self) -> bool {
        match &mut self.looks_left {
            Some(0) => self.stopped = true,
            Some(looks) => *looks -= 1,
            None => {}
        }
        self.stopped
    }

    fn sleep_us(&mut self, duration: u64) -> Result<(), Interrupted> {
        self.now_us += duration;
        if self.stopped {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }
}

impl Events for Board {
    fn next_event(&mut self, until_us: u64) -> Result<Option<Event>, Interrupted> {
        if self.stopped {
            return Err(Interrupted);
        }
        let next = self.events.pop_front();
        if next.is_none() {
            assert_ne!(until_us, u64::MAX, "nothing will ever happen");
            self.now_us = self.now_us.max(until_us);
        }
        Ok(next)
    }
}

impl Gpio for Board {
    fn find(&self, label: &[u8]) -> Option<u32> {
        match label {
            b"led" => Some(0),
            b"button" => Some(1),
            b"far" => Some(32),
            _ => None,
        }
    }

    fn configure(&mut self, pin: u32, mode: PinMode) -> Result<(), Errno> {
        self.working()?;
        if pin == 1 && mode != PinMode::Input {
            return Err(Errno::Access);
        }
        self.pins[pin as usize] = Pin {
            mode: Some(mode),
            active: mode == PinMode::OutputActive,
            ..core::mem::take(&mut self.pins[pin as usize])
        };
        Ok(())
    }

    fn set(&mut self, pin: u32, active: bool) -> Result<(), Errno> {
        self.working()?;
        self.pins[pin as usize].active = active;
        Ok(())
    }

    fn toggle(&mut self, pin: u32) -> Result<(), Errno> {
        self.working()?;
        self.pins[pin as usize].active ^= true;
        Ok(())
    }

    fn is_active(&mut self, pin: u32) -> Result<bool, Errno> {
        self.working()?;
        Ok(self.pins[pin as usize].active)
    }

    fn watch(&mut self, pin: u32, edges: Edges) -> Result<(), Errno> {
        self.pins[pin as usize].edges = Some(edges);
        self.working()
    }

    fn release(&mut self, pin: u32) -> Result<(), Errno> {
        self.pins[pin as usize].mode = None;
        self.working()
    }
}

/// Fills a buffer with the bytes that a bus reads: 0xa0, 0xa1, ...
fn answer(buffer: &mut [u8]) {
    for (byte, value) in buffer.iter_mut().zip(0xa0..) {
        *byte = value;
    }
}

impl I2c for Board {
    fn find_i2c(&self, label: &[u8]) -> Option<u32> {
        match label {
            b"memory" => Some(0),
            b"far" => Some(32),
            _ => None,
        }
    }

    fn open_i2c(&mut self, _device: u32) -> Result<(), Errno> {
        self.working()
    }

    fn i2c_address(&self, _device: u32) -> u32 {
        0x57
    }

    fn read_i2c(&mut self, _device: u32, buffer: &mut [u8]) -> Result<(), Errno> {
        answer(buffer);
        self.bus_error.map_or(Ok(()), Err)
    }

    fn write_i2c(&mut self, _device: u32, bytes: &[u8]) -> Result<(), Errno> {
        self.wire.extend(bytes);
        self.bus_error.map_or(Ok(()), Err)
    }

    fn write_read_i2c(&mut self, device: u32, bytes: &[u8], buffer: &mut [u8]) -> Result<(), Errno> {
        self.write_i2c(device, bytes)?;
        self.read_i2c(device, buffer)
    }

    fn transact_i2c(&mut self, _device: u32, memory: &mut [u8], operations: &[Operation]) -> Result<(), Errno> {
        self.operations.extend_from_slice(operations);
        for operation in operations.iter().filter(|operation| operation.reads()) {
            answer(&mut memory[operation.range()]);
        }
        self.bus_error.map_or(Ok(()), Err)
    }
}

impl Adc for Board {
    fn find_adc(&self, label: &[u8]) -> Option<u32> {
        (label == b"battery").then_some(0)
    }

    fn open_adc(&mut self, _channel: u32) -> Result<(), Errno> {
        self.working()
    }

    fn adc_resolution(&self, _channel: u32) -> u32 {
        12
    }

    fn read_adc(&mut self, _channel: u32) -> Result<i32, Errno> {
        self.bus_error.map_or(Ok(-5), Err)
    }

    fn read_adc_uv(&mut self, _channel: u32) -> Result<i32, Errno> {
        self.bus_error.map_or(Ok(1_650_000), Err)
    }
}

impl Pwm for Board {
    fn find_pwm(&self, label: &[u8]) -> Option<u32> {
        (label == b"fan").then_some(0)
    }

    fn open_pwm(&mut self, _output: u32) -> Result<(), Errno> {
        self.working()
    }

    fn pwm_period(&self, _output: u32) -> u32 {
        20_000
    }

    fn set_pwm(&mut self, _output: u32, pulse: u32) -> Result<(), Errno> {
        self.pulse = Some(pulse);
        self.bus_error.map_or(Ok(()), Err)
    }
}

impl Spi for Board {
    fn find_spi(&self, label: &[u8]) -> Option<u32> {
        (label == b"flash").then_some(0)
    }

    fn open_spi(&mut self, _device: u32) -> Result<(), Errno> {
        self.working()
    }

    fn transfer_spi(&mut self, _device: u32, bytes: &[u8], buffer: &mut [u8]) -> Result<(), Errno> {
        self.wire.extend(bytes);
        answer(buffer);
        self.bus_error.map_or(Ok(()), Err)
    }

    fn transact_spi(&mut self, _device: u32, memory: &mut [u8], operations: &[SpiOperation]) -> Result<(), Errno> {
        self.spi_operations.extend_from_slice(operations);
        for range in operations.iter().filter_map(|operation| operation.read.clone()) {
            answer(&mut memory[range]);
        }
        self.bus_error.map_or(Ok(()), Err)
    }
}

impl Uart for Board {
    fn find_uart(&self, label: &[u8]) -> Option<u32> {
        (label == b"modem").then_some(0)
    }

    fn open_uart(&mut self, _uart: u32) -> Result<(), Errno> {
        self.bus_error.map_or(Ok(()), Err)
    }

    fn close_uart(&mut self, uart: u32) {
        self.uarts_closed.push(uart);
    }

    fn read_uart(&mut self, _uart: u32, buffer: &mut [u8], until_us: u64) -> Result<usize, Interrupted> {
        let count = buffer.len().min(self.received.len());
        for (to, from) in buffer.iter_mut().zip(self.received.drain(..count)) {
            *to = from;
        }
        self.waited(count == 0, until_us).map(|()| count)
    }

    fn write_uart(&mut self, _uart: u32, bytes: &[u8], until_us: u64) -> Result<usize, Interrupted> {
        let count = if self.full { 0 } else { bytes.len().min(4) };
        self.wire.extend(&bytes[..count]);
        self.waited(count == 0, until_us).map(|()| count)
    }

    fn flush_uart(&mut self, _uart: u32, until_us: u64) -> Result<bool, Interrupted> {
        self.waited(self.full, until_us).map(|()| !self.full)
    }

    fn uart_available(&mut self, _uart: u32) -> u32 {
        self.received.len() as u32
    }

    fn watch_uart(&mut self, _uart: u32, on: bool) -> Result<(), Errno> {
        self.uart_watched = Some(on);
        Ok(())
    }

    fn take_uart_errors(&mut self, _uart: u32) -> UartErrors {
        core::mem::take(&mut self.uart_errors)
    }
}

impl Sensor for Board {
    fn find_sensor(&self, label: &[u8]) -> Option<u32> {
        (label == b"ambient").then_some(0)
    }

    fn open_sensor(&mut self, _sensor: u32) -> Result<(), Errno> {
        self.working()
    }

    fn fetch_sensor(&mut self, _sensor: u32) -> Result<(), Errno> {
        self.bus_error.map_or(Ok(()), Err)
    }

    fn get_sensor(&mut self, _sensor: u32, channel: u32) -> Result<i64, Errno> {
        if channel == 10 {
            Ok(-1_500_000)
        } else {
            Err(Errno::NotSupported)
        }
    }
}

impl Hwinfo for Board {
    fn device_id(&mut self, buffer: &mut [u8]) -> Result<u32, Errno> {
        let id = self.device_id.unwrap_or(Err(Errno::Access))?;
        buffer.iter_mut().zip(id).for_each(|(to, from)| *to = *from);
        Ok(id.len() as u32)
    }

    fn reset_cause(&mut self) -> Result<u32, Errno> {
        self.reset_cause.unwrap_or(Err(Errno::Access))
    }
}

impl Kv for Board {
    fn kv_size(&self) -> u32 {
        self.kv_size
    }

    fn kv_used_without(&mut self, key: &[u8]) -> Result<u32, Errno> {
        let others = self.values.iter().filter(|(other, _)| other.as_slice() != key);
        Ok(others.map(|(key, value)| (key.len() + value.len()) as u32).sum())
    }

    fn get_kv(&mut self, key: &[u8], buffer: &mut [u8]) -> Result<u32, Errno> {
        let value = self.values.get(key).ok_or(Errno::NoEntry)?;
        for (to, from) in buffer.iter_mut().zip(value) {
            *to = *from;
        }
        Ok(value.len() as u32)
    }

    fn set_kv(&mut self, key: &[u8], value: &[u8]) -> Result<(), Errno> {
        self.values.insert(key.to_vec(), value.to_vec());
        self.working()
    }

    fn remove_kv(&mut self, key: &[u8]) -> Result<(), Errno> {
        self.values.remove(key).map(|_| ()).ok_or(Errno::NoEntry)
    }
}

impl Mqtt for Board {
    fn mqtt(&mut self) -> Option<&mut crate::platform::Session> {
        Some(&mut self.mqtt)
    }
}

impl Coap for Board {
    fn coap(&mut self) -> Option<&mut crate::platform::CoapState> {
        Some(&mut self.coap)
    }
}

/// Channel 0 is one to publish, 1 one to receive. Messages have four bytes.
impl Msg for Board {
    fn find_msg(&self, label: &[u8], publish: bool) -> Option<u32> {
        match (label, publish) {
            (b"out", true) => Some(0),
            (b"in", false) => Some(1),
            _ => None,
        }
    }

    fn publishes(&self, channel: u32) -> bool {
        channel == 0
    }

    fn msg_size(&self, _channel: u32) -> u32 {
        4
    }

    fn open_msg(&mut self, _channel: u32) -> Result<(), Errno> {
        self.working()
    }

    fn close_msg(&mut self, channel: u32) {
        self.closed.push(channel);
    }

    fn publish_msg(&mut self, _channel: u32, message: &[u8]) -> Result<u32, Errno> {
        self.published.push(message.try_into().unwrap());
        Ok(2)
    }

    fn receive_msg(&mut self, _channel: u32, message: &mut [u8]) -> Result<(), Errno> {
        message.copy_from_slice(&self.messages.pop_front().ok_or(Errno::Again)?);
        Ok(())
    }

    fn take_lost_msgs(&mut self, _channel: u32) -> u32 {
        7
    }
}

impl Lifecycle for Board {
    fn confirm(&mut self) {
        self.confirmed = true;
    }

    fn heartbeat(&mut self) {
        self.heartbeats += 1;
    }
}

impl Files for Board {}

impl Entropy for Board {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Errno> {
        if self.no_entropy {
            return Err(Errno::NotSupported);
        }
        buffer.fill(0xa5);
        Ok(())
    }
}

/// Calls host functions through the tables, as an engine does.
pub(crate) struct Harness {
    pub(crate) app: App<Board>,
    pub(crate) memory: Vec<u8>,
}

type ByName = fn(&mut App<Board>, &mut [u8], &str, &[u32]) -> Result<u64, Stop>;

// Interfaces for [`Harness::call`].
include!(concat!(env!("OUT_DIR"), "/testing.rs"));

impl Harness {
    pub(crate) fn new() -> Self {
        Harness { app: App::new(Board::default()), memory: std::vec![0; 512] }
    }

    /// Calls a function with its arguments as slots.
    pub(crate) fn call(&mut self, interface: ByName, name: &str, arguments: &[u32]) -> Result<u64, Stop> {
        let before = self.memory.clone();
        self.app.platform_mut().wrote.clear();
        let result = interface(&mut self.app, &mut self.memory, name, arguments);
        let wrote = &self.app.platform().wrote;
        let told = |at: usize| {
            let within = |&(from, length): &(u32, u32)| {
                at as u64 >= from.into() && (at as u64) < u64::from(from) + u64::from(length)
            };
            wrote.iter().any(within)
        };
        // addresses in memory are told of with the feature only
        let changed = (0..before.len()).find(|&at| before[at] != self.memory[at] && !told(at));
        let quiet = changed.is_none() || (cfg!(not(feature = "record")) && wrote.is_empty());
        assert!(quiet, "{name} wrote at {changed:?} and told of {wrote:?}");
        result
    }

    pub(crate) fn i32(&mut self, interface: ByName, name: &str, arguments: &[u32]) -> i32 {
        self.call(interface, name, arguments).unwrap() as i32
    }

    pub(crate) fn log(&mut self, name: &str, arguments: &[u32]) -> i32 {
        self.i32(LOG, name, arguments)
    }

    pub(crate) fn timer(&mut self, name: &str, arguments: &[u32]) -> i32 {
        self.i32(TIMER, name, arguments)
    }

    pub(crate) fn event(&mut self, name: &str, arguments: &[u32]) -> i32 {
        self.i32(EVENT, name, arguments)
    }

    pub(crate) fn gpio(&mut self, name: &str, arguments: &[u32]) -> i32 {
        self.i32(GPIO, name, arguments)
    }

    pub(crate) fn wasi(&mut self, name: &str, arguments: &[u32]) -> i32 {
        self.i32(WASI, name, arguments)
    }

    pub(crate) fn try_open(&mut self, label: &str, mode: u32) -> i32 {
        self.memory[..label.len()].copy_from_slice(label.as_bytes());
        self.gpio("open", &[0, label.len() as u32, mode])
    }

    /// Calls `open` of an interface with nothing but a label.
    pub(crate) fn open_in(&mut self, interface: ByName, label: &str) -> i32 {
        self.memory[..label.len()].copy_from_slice(label.as_bytes());
        self.i32(interface, "open", &[0, label.len() as u32])
    }

    pub(crate) fn open(&mut self, label: &str, mode: u32) -> u32 {
        u32::try_from(self.try_open(label, mode)).unwrap()
    }

    /// Calls `fd_write` with one vector, which must succeed.
    pub(crate) fn print(&mut self, fd: u32, bytes: &[u8]) {
        self.memory[32..32 + bytes.len()].copy_from_slice(bytes);
        self.put_u32s(0, &[32, bytes.len() as u32]);
        assert_eq!(self.wasi("fd_write", &[fd, 0, 1, 16]), 0);
    }

    pub(crate) fn put_u32s(&mut self, at: usize, values: &[u32]) {
        for (i, value) in values.iter().enumerate() {
            self.memory[at + 4 * i..at + 4 * i + 4].copy_from_slice(&value.to_le_bytes());
        }
    }

    pub(crate) fn u32_at(&self, at: u32) -> u32 {
        let at = at as usize;
        u32::from_le_bytes(self.memory[at..at + 4].try_into().unwrap())
    }

    pub(crate) fn u64_at(&self, at: u32) -> u64 {
        let at = at as usize;
        u64::from_le_bytes(self.memory[at..at + 8].try_into().unwrap())
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Runs one image with the host functions that a firmware has, on a board that is made up: standard output goes to the
//! console, sleeping passes simulated time, and random numbers repeat. Granted are an I2C device as `temp`, the pins `led` and
//! `key`, and an SPI device as `wire`.

use semihosting::{print, println};
use wisp_engine::{scratch, Config, Engine, Linker, Module, Store};
use wisp_host::platform::{
    Adc, Ble, Can, Clock, Coap, Counter, Dac, Display, Edges, Eeprom, Entropy, Event, Events, Files, Flash, Gpio,
    Hwinfo, I2c, Identity, Input, Kv, Led, Lifecycle, Log, Mqtt, Msg, Net, Operation, PinMode, Pwm, Sensor, Spi,
    SpiOperation, Stdio, Stream, Strip, Uart,
};
use wisp_host::{App, Errno, Interfaces, Interrupted};

/// Frames of calls, as a firmware has them by default.
const FRAMES: u32 = 2048;
/// Calls and rounds of loops after which a program counts as endless.
const FUEL: u64 = 50_000_000;
/// The address of the device on its bus.
const ADDRESS: u32 = 0x48;

/// The board: its time in microseconds, its random numbers, the device's registers, and the level of the pin `led`.
struct Board {
    time: u64,
    random: u32,
    registers: [u8; 4],
    register: usize,
    led: bool,
}

impl Board {
    fn read(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.registers[self.register % self.registers.len()];
            self.register += 1;
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let Some((&register, values)) = bytes.split_first() else { return };
        self.register = register.into();
        for &value in values {
            self.registers[self.register % self.registers.len()] = value;
            self.register += 1;
        }
    }
}

impl Identity for Board {
    fn name(&self) -> &str {
        "app"
    }

    fn argument(&self, index: usize) -> Option<&[u8]> {
        [&b"one"[..], b"two"].get(index).copied()
    }

    fn variable(&self, index: usize) -> Option<&[u8]> {
        [&b"PLACE=board"[..]].get(index).copied()
    }
}

impl Stdio for Board {
    const LINES: bool = false;

    fn output(&mut self, _: Stream, bytes: &[u8]) -> Result<(), Errno> {
        bytes.utf8_chunks().for_each(|chunk| print!("{}", chunk.valid()));
        Ok(())
    }
}

impl Log for Board {
    fn max_level(&self) -> u32 {
        4
    }

    fn line(&mut self, _: u32, line: &[u8]) {
        println!("log: {}", core::str::from_utf8(line).unwrap_or("(no text)"));
    }

    fn denied(&mut self, interface: &str, _: &[u8]) {
        println!("denied: {interface}");
    }
}

impl Clock for Board {
    fn uptime_us(&mut self) -> u64 {
        self.time += 1;
        self.time
    }

    fn resolution_ns(&self) -> u64 {
        1000
    }

    fn is_to_stop(&mut self) -> bool {
        false
    }

    fn sleep_us(&mut self, duration: u64) -> Result<(), Interrupted> {
        self.time += duration;
        Ok(())
    }
}

impl Events for Board {
    fn next_event(&mut self, until: u64) -> Result<Option<Event>, Interrupted> {
        self.time = self.time.max(until);
        Ok(None)
    }
}

impl Entropy for Board {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Errno> {
        for byte in buffer {
            self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (self.random >> 24) as u8;
        }
        Ok(())
    }
}

impl I2c for Board {
    fn find_i2c(&self, label: &[u8]) -> Option<u32> {
        (label == b"temp").then_some(0)
    }

    fn open_i2c(&mut self, _: u32) -> Result<(), Errno> {
        Ok(())
    }

    fn i2c_address(&self, _: u32) -> u32 {
        ADDRESS
    }

    fn read_i2c(&mut self, _: u32, buffer: &mut [u8]) -> Result<(), Errno> {
        self.read(buffer);
        Ok(())
    }

    fn write_i2c(&mut self, _: u32, bytes: &[u8]) -> Result<(), Errno> {
        self.write(bytes);
        Ok(())
    }

    fn write_read_i2c(&mut self, _: u32, bytes: &[u8], buffer: &mut [u8]) -> Result<(), Errno> {
        self.write(bytes);
        self.read(buffer);
        Ok(())
    }

    fn transact_i2c(&mut self, _: u32, memory: &mut [u8], operations: &[Operation]) -> Result<(), Errno> {
        for operation in operations {
            let bytes = memory.get_mut(operation.range()).ok_or(Errno::Fault)?;
            if operation.reads() {
                self.read(bytes);
            } else {
                self.write(bytes);
            }
        }
        Ok(())
    }
}

/// The labels of the pins: what is written to the first stays there, and the second is inactive.
const PINS: [&[u8]; 2] = [b"led", b"key"];

impl Gpio for Board {
    fn find(&self, label: &[u8]) -> Option<u32> {
        PINS.iter().position(|pin| *pin == label).map(|pin| pin as u32)
    }

    fn configure(&mut self, pin: u32, mode: PinMode) -> Result<(), Errno> {
        if pin == 0 {
            self.led = mode == PinMode::OutputActive;
        }
        Ok(())
    }

    fn set(&mut self, _: u32, active: bool) -> Result<(), Errno> {
        self.led = active;
        Ok(())
    }

    fn toggle(&mut self, _: u32) -> Result<(), Errno> {
        self.led = !self.led;
        Ok(())
    }

    fn is_active(&mut self, pin: u32) -> Result<bool, Errno> {
        Ok(pin == 0 && self.led)
    }

    fn watch(&mut self, _: u32, _: Edges) -> Result<(), Errno> {
        Err(Errno::NotSupported)
    }

    fn release(&mut self, _: u32) -> Result<(), Errno> {
        Ok(())
    }
}

/// The device `wire` gives back what it gets, and zeros for the rest.
impl Spi for Board {
    fn find_spi(&self, label: &[u8]) -> Option<u32> {
        (label == b"wire").then_some(0)
    }

    fn open_spi(&mut self, _: u32) -> Result<(), Errno> {
        Ok(())
    }

    fn transfer_spi(&mut self, _: u32, bytes: &[u8], buffer: &mut [u8]) -> Result<(), Errno> {
        buffer.fill(0);
        buffer.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Ok(())
    }

    fn transact_spi(&mut self, _: u32, memory: &mut [u8], operations: &[SpiOperation]) -> Result<(), Errno> {
        for operation in operations {
            self.time += u64::from(operation.delay_ns.div_ceil(1000));
            match (operation.write.clone(), operation.read.clone()) {
                (Some(from), Some(to)) => memory.copy_within(from, to.start),
                (None, Some(to)) => memory.get_mut(to).ok_or(Errno::Fault)?.fill(0),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Lifecycle for Board {}
impl Files for Board {}
impl Adc for Board {}
impl Pwm for Board {}
impl Dac for Board {}
impl Uart for Board {}
impl Sensor for Board {}
impl Counter for Board {}
impl Led for Board {}
impl Strip for Board {}
impl Display for Board {}
impl Eeprom for Board {}
impl Flash for Board {}
impl Input for Board {}
impl Can for Board {}
impl Ble for Board {}
impl Hwinfo for Board {}
impl Kv for Board {}
impl Msg for Board {}
impl Net for Board {}
impl Mqtt for Board {}
impl Coap for Board {}

/// Runs the image to its end with so many bytes of linear memory at most, and prints how it ended. False if it was refused
/// or trapped.
pub fn run(image: &[u8], arena: &mut [u64], memory: u32) -> bool {
    let engine = Engine::new(&Config::new().stack_size(FRAMES).max_memory(memory));
    let module = match Module::new_in(&engine, image, scratch(arena)) {
        Ok(module) => module,
        Err(error) => {
            println!("app: the image was refused: {error:?}");
            return false;
        }
    };
    let board = Board { time: 0, random: 1, registers: [0x19, 0x80, 0, 0], register: 0, led: false };
    let Some(mut store) = Store::new(&engine, arena, App::new(board)) else { return false };
    let interfaces = Interfaces(App::<Board>::ALL);
    let instance = match Linker::from_resolvers([&interfaces]).instantiate(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => {
            println!("app: it was not instantiated: {error:?}");
            return false;
        }
    };
    store.set_fuel(Some(FUEL));
    let ended = wisp_host::run(&mut store, instance);
    store.data_mut().release();
    let memory = instance.memory(&store).map_or(0, |memory| memory.data(&store).len());
    println!("app: memory {memory} bytes");
    match ended {
        Some(Ok(())) => println!("app: ended with 0"),
        Some(Err(trap)) => match trap.exit_status() {
            Some(status) => println!("app: ended with {status}"),
            None => {
                println!("app: trapped: {:?}", trap.code);
                return false;
            }
        },
        None => {
            println!("app: there is nothing to run");
            return false;
        }
    }
    true
}

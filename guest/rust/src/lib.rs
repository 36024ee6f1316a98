// SPDX-License-Identifier: Apache-2.0
//! What a Rust guest of Wisp needs: an entry, the log, time, pins, panics.
//!
//! ```no_run
//! // In a guest, `#![no_std]` and `#![no_main]` come first.
//! use wisp_guest::{info, Delay, Error, Output};
//!
//! wisp_guest::main!(run);
//!
//! fn run() -> Result<(), Error> {
//!     let mut led = Output::open("led")?;
//!     info!("blinking");
//!     loop {
//!         led.toggle()?;
//!         Delay.ms(500);
//!     }
//! }
//! ```
//!
//! Principles:
//! - No allocator, no statics with state: a guest pays for what it calls.
//! - Handles are values that close what they opened when dropped.
//! - Pins, delays, I2C and SPI devices and PWM outputs implement `embedded-hal` 1.0, serial ports
//!   and TCP connections `embedded-io`, and `Network` `embedded-nal`, so that driver and protocol crates run unchanged.
//! - Unsafe code is in the generated bindings ([`abi`]) and where they take arrays of addresses.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod abi;
mod adc;
mod ble;
mod can;
mod coap;
mod counter;
mod dac;
mod display;
mod eeprom;
mod entry;
mod error;
mod event;
mod flash;
mod gpio;
pub mod hwinfo;
mod i2c;
mod input;
pub mod kv;
mod led;
pub mod lifecycle;
mod log_line;
#[cfg(feature = "log")]
pub mod logger;
mod mqtt;
mod msg;
#[cfg(feature = "embedded-nal")]
mod nal;
mod net;
#[cfg(all(feature = "panic", target_arch = "wasm32"))]
mod panic;
mod pwm;
mod record;
pub mod sensor;
mod spi;
mod strip;
#[cfg(test)]
mod tests;
mod timeout;
mod timer;
mod uart;

pub use adc::AnalogInput;
pub use ble::{
    uuid_of, Advertisement, Advertiser, CharacteristicUse, GattService, ReceivedAdvertisement, Scanner, WrittenValue,
};
pub use can::{CanBus, CanFrame, CanId, CanState, ReceivedFrame};
pub use coap::{CoapAnswer, CoapCode, CoapMessage, CoapMethod, CoapQuestion, CoapRequest, CoapSocket};
pub use counter::Counter;
pub use dac::AnalogOutput;
pub use display::Display;
#[cfg(feature = "embedded-graphics")]
pub use display::{BinaryScreen, ColorScreen};
pub use eeprom::Eeprom;
#[cfg(feature = "embedded-can")]
pub use embedded_can;
#[cfg(feature = "embedded-graphics")]
pub use embedded_graphics_core;
pub use embedded_hal;
pub use embedded_io;
#[cfg(feature = "embedded-nal")]
pub use embedded_nal;
#[cfg(feature = "embedded-storage")]
pub use embedded_storage;
pub use entry::{argument, exit, random, run, Outcome};
pub use error::Error;
pub use event::{event_within, next_event, Event, EventKind, Timer};
pub use flash::FlashArea;
#[cfg(feature = "embedded-storage")]
pub use flash::NorFlashArea;
pub use gpio::{Edges, Input, Output};
pub use i2c::I2cDevice;
pub use input::{InputDevice, Report, ReportKind};
pub use led::Led;
pub use log_line::{enabled, log, Level};
pub use mqtt::{MqttClient, MqttMessage, MqttOptions, MqttPacket, MqttQuality, MqttWill};
pub use msg::{Publisher, Subscriber};
#[cfg(feature = "embedded-nal")]
pub use nal::Network;
pub use net::{resolve, TcpListener, TcpStream, UdpSocket};
pub use pwm::PwmOutput;
pub use sensor::Sensor;
#[cfg(feature = "smart-leds")]
pub use smart_leds_trait;
pub use spi::SpiDevice;
pub use strip::LedStrip;
#[cfg(feature = "smart-leds")]
pub use strip::SmartStrip;
pub use timer::{uptime, Delay};
pub use uart::{Uart, UartErrors};
pub use wisp_abi::{Errno, WasiErrno};

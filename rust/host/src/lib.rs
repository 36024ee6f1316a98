// SPDX-License-Identifier: Apache-2.0
//! The host's side of the guest ABI: one file per interface, over traits that a board implements.
//!
//! Principles:
//! - A function here matches its description in `wisp-abi` or does not compile: traits, argument
//!   decoding and the function tables are generated from it.
//! - Whatever a guest passes is checked once, in [`border`]; behind it there are only slices and
//!   indices into the app's own grants.
//! - The board is a set of small traits ([`platform`]), resolved at compile time. The same functions
//!   run over Zephyr drivers and over the simulated board.
//! - No unsafe code, no allocation, no panic on input.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod adc;
mod app;
pub mod bindings;
mod ble;
pub mod border;
mod can;
mod claim;
mod coap;
pub mod core_dump;
mod counter;
mod dac;
mod display;
mod eeprom;
mod endpoint;
mod entry;
mod env;
mod event;
mod files;
mod flash;
mod gpio;
mod handles;
mod hwinfo;
mod i2c;
mod input;
mod kv;
mod led;
mod lifecycle;
mod line;
mod log;
mod mqtt;
mod msg;
mod net;
mod parts;
mod path;
pub mod platform;
#[cfg(feature = "profile")]
pub mod profile;
mod pwm;
pub mod recording;
mod sensor;
mod spi;
mod stop;
mod strip;
#[cfg(test)]
mod testing;
mod timer;
mod uart;
mod wasi;

pub use app::{App, Interfaces, Table};
pub use border::Memory;
pub use entry::run;
pub use path::Path;
pub use platform::Platform;
pub use stop::{Exit, Failure, Interrupted, Stop};
pub use wisp_abi as abi;
pub use wisp_abi::{Errno, WasiErrno};

// SPDX-License-Identifier: Apache-2.0
//! A simulated board: the peripheral traits of `wisp-host` on a workstation.
//!
//! Principles:
//! - The host functions are those of the device; only what is behind the traits is simulated.
//! - A run is a function of the guest and `board.toml`: time is virtual unless asked otherwise, and
//!   random bytes come from a seed.
//! - Whatever a board file gets wrong is told with file, line and what is expected.
//!
//! Virtual time passes when the guest sleeps, and by one microsecond with each host call that reads
//! the time or a pin, so that a guest which polls gets on.
#![forbid(unsafe_code)]

mod adc;
mod arrivals;
mod ble;
mod board;
mod can;
mod config;
mod counter;
mod dac;
mod denied;
mod devices;
mod display;
mod eeprom;
mod entropy;
mod error;
mod event;
mod files;
mod flash;
mod functions;
mod gpio;
mod hwinfo;
mod i2c;
mod input;
mod kv;
mod led;
mod lifecycle;
mod msg;
mod net;
mod output;
mod panel;
mod platform;
mod pwm;
mod rate;
mod sensor;
mod spi;
mod stdin;
mod strip;
mod uart;
mod vcd;

pub use board::Board;
pub use display::{Frame, Screen};
pub use error::Error;
pub use output::{Capture, TraceFormat};
pub use panel::{Panel, Snapshot, Touch};
pub use platform::{SharedClock, SimPlatform, Stopper};

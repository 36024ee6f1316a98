// SPDX-License-Identifier: Apache-2.0
//! Wisp on Zephyr: runs apps in their threads, over Zephyr's drivers.
//!
//! Principles:
//! - C owns what Zephyr's macros make: threads, stacks, arenas, grant tables, sections. Rust owns what
//!   happens in them. The border is one header, `src/border/shim.h`, from which the bindings are
//!   generated.
//! - Nothing here depends on the board or the Kconfig of a build, so that one compiled library serves
//!   all builds for a target. It needs neither the `zephyr` crate nor its bindings; an application
//!   written in Rust brings that crate, and this one rides along.
//! - No kernel lock is held while guest code runs.
#![no_std]

#[cfg(test)]
extern crate std;

mod adc;
mod ble;
mod c_functions;
mod can;
#[cfg(feature = "core-dump")]
mod core_dump;
mod counter;
mod dac;
#[cfg(feature = "debug")]
mod debug;
mod display;
mod eeprom;
mod event;
mod files;
mod flash;
mod gpio;
#[cfg(feature = "storage")]
mod held;
#[cfg(feature = "host-time")]
mod host_time;
mod hwinfo;
mod i2c;
mod image;
mod input;
mod kv;
mod led;
mod lifecycle;
mod memory;
mod msg;
#[cfg(feature = "native")]
mod native;
#[cfg(feature = "storage")]
pub mod needs;
mod net;
pub mod platform;
#[cfg(feature = "profile")]
mod profile;
mod pwm;
#[cfg(feature = "record")]
mod record;
#[cfg_attr(not(feature = "error-messages"), path = "report_numbers.rs")]
mod report;
#[cfg(feature = "storage")]
pub mod requests;
mod run;
#[cfg_attr(not(feature = "firmware"), path = "rust_functions_absent.rs")]
mod rust_functions;
mod sensor;
pub mod shim;
mod spi;
#[cfg(feature = "storage")]
pub mod storage;
mod strip;
#[cfg_attr(not(feature = "error-messages"), allow(dead_code))]
mod text;
#[cfg(feature = "translate")]
mod translate;
#[cfg_attr(not(feature = "error-messages"), path = "trap_numbers.rs")]
mod trap;
mod uart;

#[cfg(not(any(feature = "interpreter", feature = "native")))]
compile_error!("wisp-port runs nothing without one of the features `interpreter` and `native`");

pub use c_functions::{wisp_caller_app, wisp_caller_memory, wisp_caller_sleep};
#[cfg(feature = "debug")]
pub use debug::{wisp_rust_debug_image, wisp_rust_debug_look};
pub use image::image;
#[cfg(feature = "user-mode")]
pub use native::wisp_rust_serve;
#[cfg(feature = "signature")]
pub use native::wisp_rust_signed;
#[cfg(feature = "native")]
pub use native::{wisp_rust_forget, wisp_rust_has_native, wisp_rust_redirect};
#[cfg(feature = "profile")]
pub use profile::{wisp_rust_profile_begin, wisp_rust_profile_count, wisp_rust_profile_look, wisp_rust_profile_ticks};
pub use run::{wisp_rust_check, wisp_rust_deadline, wisp_rust_interrupt, wisp_rust_run};
#[cfg(feature = "firmware")]
pub use rust_functions::Record;

pub use wisp_engine as engine;
pub use wisp_host as host;

/// The data of every store on Zephyr.
pub type AppData = wisp_host::App<platform::Zephyr>;

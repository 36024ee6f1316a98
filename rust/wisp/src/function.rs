// SPDX-License-Identifier: Apache-2.0
//! Host functions of the firmware, written in Rust.

use crate::{raw, App, Trap};
use wisp_port::host::platform::Clock;
use wisp_port::{engine, AppData};

pub use wisp_port::Record;

/// A function of the firmware that apps may import, with the name of its import module and its own.
///
/// [`HostFunction::wrap`] takes a function `(Caller, A, B, ...) -> R` or `-> Result<R, Trap>`. Parameters and results
/// are `i32`, `u32`, `i64`, `u64`, `f32` and `f64`. Their types are the function's type in WebAssembly, so an app that
/// imports it with another type is refused when it is started.
///
/// The function runs in the thread and on the native stack of the calling app, so calls of several apps can come at
/// the same time. It may block: see [`CallerExt::sleep`].
pub type HostFunction = engine::HostFunction<AppData>;

/// The app that called a host function, and its memory.
///
/// [`bytes`](engine::Caller::bytes) and [`bytes_mut`](engine::Caller::bytes_mut) give a range of the app's memory. A
/// range that does not exist is a trap, which the function passes on with `?`.
pub type Caller<'c> = engine::Caller<'c, AppData>;

/// Functions of a [`Caller`] that Zephyr adds.
pub trait CallerExt {
    /// Returns the app that called. A function that only some apps may use compares it with its own table of grants.
    fn app(&self) -> App;

    /// Sleeps for a number of microseconds, or until the app has to stop.
    ///
    /// # Errors
    /// The trap that ends the app, because it has to stop. Return it from the host function.
    fn sleep(&mut self, microseconds: u64) -> Result<(), Trap>;
}

impl CallerExt for Caller<'_> {
    fn app(&self) -> App {
        App(raw::app_of(self.data().platform()))
    }

    fn sleep(&mut self, microseconds: u64) -> Result<(), Trap> {
        let platform = self.data_mut().platform_mut();
        platform.sleep_us(microseconds).map_err(|_| raw::stop_trap(platform.stop_reason()))
    }
}

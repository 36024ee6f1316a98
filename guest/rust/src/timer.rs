// SPDX-License-Identifier: Apache-2.0
//! Time since boot, and waiting.

use crate::abi::timer;
use core::time::Duration;
use embedded_hal::delay::DelayNs;

/// Returns the time since boot.
pub fn uptime() -> Duration {
    Duration::from_micros(timer::uptime_us())
}

/// Waits by sleeping: the CPU is free for others. Implements `embedded-hal`'s `DelayNs`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delay;

impl Delay {
    /// Sleeps for at least this many milliseconds.
    pub fn ms(self, duration: u32) {
        // Sleeping has no error that a guest sees.
        let _ = timer::sleep_ms(duration);
    }

    /// Sleeps for at least this many microseconds.
    pub fn us(self, duration: u64) {
        let _ = timer::sleep_us(duration);
    }

    /// Sleeps for at least `duration`, rounded up to microseconds.
    pub fn wait(self, duration: Duration) {
        let us = duration.as_nanos().div_ceil(1000);
        self.us(u64::try_from(us).unwrap_or(u64::MAX));
    }
}

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        self.us(u64::from(ns.div_ceil(1000)));
    }

    fn delay_us(&mut self, us: u32) {
        self.us(u64::from(us));
    }

    fn delay_ms(&mut self, ms: u32) {
        self.ms(ms);
    }
}

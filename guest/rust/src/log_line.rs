// SPDX-License-Identifier: Apache-2.0
//! Logging with `core::fmt` through a buffer on the stack.

use crate::abi::log as host;
use core::fmt::{self, Write};

/// Bytes that reach the host in one call. A longer line becomes several entries.
const LINE: usize = 128;

/// The importance of a message. The numbers are those of `wisp:log@1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Level {
    /// Something failed.
    Error = host::ERROR,
    /// Something is not as it should be.
    Warn = host::WARN,
    /// Worth knowing.
    Info = host::INFO,
    /// For the developer.
    Debug = host::DEBUG,
}

/// Returns true if the host keeps messages of this level.
pub fn enabled(level: Level) -> bool {
    host::max_level().is_ok_and(|max| level as u32 <= max)
}

/// Formats and logs a message, if its level is kept. The macros [`crate::info!`] and its like call it.
pub fn log(level: Level, message: fmt::Arguments<'_>) {
    if let Some(text) = message.as_str() {
        // Nothing to format; the host drops what it does not keep.
        let _ = host::write(level as u32, text.as_bytes());
    } else if enabled(level) {
        let mut line = Line { level, text: [0; LINE], used: 0 };
        // The writer itself never fails, and a value that cannot be formatted ends the message.
        let _ = line.write_fmt(message);
        line.flush();
    }
}

struct Line {
    level: Level,
    text: [u8; LINE],
    used: usize,
}

impl Line {
    fn flush(&mut self) {
        let used = core::mem::take(&mut self.used);
        if let Some(text) = self.text.get(..used).filter(|text| !text.is_empty()) {
            // There is nowhere to report that the log failed.
            let _ = host::write(self.level as u32, text);
        }
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.used == LINE {
                self.flush();
            }
            if let Some(place) = self.text.get_mut(self.used) {
                *place = byte;
                self.used += 1;
            }
        }
        Ok(())
    }
}

/// Logs an error.
#[macro_export]
macro_rules! error {
    ($($arguments:tt)*) => { $crate::log($crate::Level::Error, ::core::format_args!($($arguments)*)) };
}

/// Logs a warning.
#[macro_export]
macro_rules! warn {
    ($($arguments:tt)*) => { $crate::log($crate::Level::Warn, ::core::format_args!($($arguments)*)) };
}

/// Logs something worth knowing.
#[macro_export]
macro_rules! info {
    ($($arguments:tt)*) => { $crate::log($crate::Level::Info, ::core::format_args!($($arguments)*)) };
}

/// Logs something for the developer.
#[macro_export]
macro_rules! debug {
    ($($arguments:tt)*) => { $crate::log($crate::Level::Debug, ::core::format_args!($($arguments)*)) };
}

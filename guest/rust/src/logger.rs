// SPDX-License-Identifier: Apache-2.0
//! The `log` crate's macros, in the guest and in the crates it uses, reach the system log.

use crate::{enabled, Level};
use log::{LevelFilter, Log, Metadata, Record};

struct Logger;

fn level(level: log::Level) -> Level {
    match level {
        log::Level::Error => Level::Error,
        log::Level::Warn => Level::Warn,
        log::Level::Info => Level::Info,
        log::Level::Debug | log::Level::Trace => Level::Debug,
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        enabled(level(metadata.level()))
    }

    fn log(&self, record: &Record<'_>) {
        crate::log(level(record.level()), *record.args());
    }

    fn flush(&self) {}
}

/// Directs the `log` crate here, up to the level that the host keeps. Call it first in `main`. A
/// second call changes nothing.
pub fn init() {
    let max = if enabled(Level::Debug) {
        LevelFilter::Trace
    } else if enabled(Level::Info) {
        LevelFilter::Info
    } else if enabled(Level::Warn) {
        LevelFilter::Warn
    } else if enabled(Level::Error) {
        LevelFilter::Error
    } else {
        LevelFilter::Off
    };
    if log::set_logger(&Logger).is_ok() {
        log::set_max_level(max);
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Keys, touch panels and other input devices.

use crate::abi::input;
use crate::record::number;
use crate::timeout::ms;
use crate::{Errno, Error};
use core::time::Duration;

/// An input device that was granted. Closed when dropped.
#[derive(Debug)]
pub struct InputDevice(u32);

/// A report of an input device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// When the host got it, since boot.
    pub time: Duration,
    /// The kind of the report, with its code.
    pub kind: ReportKind,
    /// The new value: 1 for a key that was pressed and 0 for one that was released.
    pub value: i32,
    /// True if it completes what was reported together.
    pub sync: bool,
}

/// The kind of a [`Report`], with a code of Linux's input events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// A key or button.
    Key(u32),
    /// A movement along an axis.
    Movement(u32),
    /// A position on an axis.
    Position(u32),
    /// Anything else.
    Misc(u32),
    /// A kind of the driver.
    Other {
        /// Its number.
        kind: u32,
        /// The code.
        code: u32,
    },
}

impl Report {
    fn from_record(record: &[u8; input::REPORT_SIZE]) -> Self {
        let [kind, code, value, sync] = [8, 12, 16, 20].map(|at| number(record, at, 4) as u32);
        let kind = match kind {
            input::KEY => ReportKind::Key(code),
            input::REL => ReportKind::Movement(code),
            input::ABS => ReportKind::Position(code),
            input::MISC => ReportKind::Misc(code),
            kind => ReportKind::Other { kind, code },
        };
        let time = Duration::from_micros(number(record, 0, 8));
        Report { time, kind, value: value as i32, sync: sync != 0 }
    }
}

impl InputDevice {
    /// Opens the device granted as `label` in `input-names`, with nothing reported yet.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if it is not ready.
    pub fn open(label: &str) -> Result<Self, Error> {
        Ok(InputDevice(input::open(label.as_bytes())?))
    }

    /// Returns the number that events of this device carry.
    pub fn source(&self) -> u32 {
        self.0
    }

    /// Takes the oldest report, waiting for it without limit. The CPU is free for others.
    ///
    /// # Errors
    /// None but those of a host that breaks its own rules.
    pub fn read(&mut self) -> Result<Report, Error> {
        Ok(Report::from_record(&input::read(self.0, input::FOREVER)?))
    }

    /// Takes the oldest report, waiting for it this long, rounded up to milliseconds. `None` if nothing is reported.
    ///
    /// # Errors
    /// None but those of a host that breaks its own rules.
    pub fn read_within(&mut self, timeout: Duration) -> Result<Option<Report>, Error> {
        match input::read(self.0, ms(timeout).min(input::FOREVER - 1)) {
            Ok(record) => Ok(Some(Report::from_record(&record))),
            Err(Errno::TimedOut) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Chooses whether reports become events: see [`crate::next_event`].
    ///
    /// # Errors
    /// `ENOTSUP` if the firmware has no events.
    pub fn watch(&mut self, on: bool) -> Result<(), Error> {
        Ok(input::watch(self.0, on.into())?)
    }

    /// Returns how many reports found the queue full since the last call.
    pub fn lost(&mut self) -> u32 {
        // The handle is open, so this cannot fail.
        input::lost(self.0).unwrap_or(0)
    }
}

impl Drop for InputDevice {
    fn drop(&mut self) {
        // The handle is open, so this cannot fail.
        let _ = input::close(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_the_host_writes_them() {
        let mut record = [0; input::REPORT_SIZE];
        record[..8].copy_from_slice(&2_000_000u64.to_le_bytes());
        for (at, number) in [(8, input::ABS), (12, 1), (16, -5i32 as u32), (20, 1)] {
            record[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let expected = Report { time: Duration::from_secs(2), kind: ReportKind::Position(1), value: -5, sync: true };
        assert_eq!(Report::from_record(&record), expected);
        record[8] = 0xf0;
        assert_eq!(Report::from_record(&record).kind, ReportKind::Other { kind: 0xf0, code: 1 });
    }
}

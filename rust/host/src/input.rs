// SPDX-License-Identifier: Apache-2.0
//! `wisp:input@1`.

use crate::bindings::InputV1;
use crate::parts::put_words;
use crate::platform::Platform;
use crate::stop::{Failure, Interrupted};
use crate::App;
use wisp_abi::{input, Errno};

/// A report of an input device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// When, in microseconds since boot.
    pub time_us: u64,
    /// `KEY`, `REL`, `ABS` or `MISC` of `wisp:input@1`, or a kind of the driver.
    pub kind: u32,
    /// The source, a code of Linux's input events.
    pub code: u32,
    /// The new value.
    pub value: i32,
    /// True if it completes what was reported together.
    pub sync: bool,
}

/// Input devices that the app was granted. `input` is an index into its grants, from [`Input::find_input`]. Other calls
/// come only for devices that are open. Times are uptimes in microseconds, `u64::MAX` is without end, and one that has
/// passed means not to wait. A board without input devices implements nothing.
pub trait Input {
    /// Returns the index of the grant with this label, below [`input::MAX_INPUTS`].
    fn find_input(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Begins to queue reports, with an empty queue.
    ///
    /// # Errors
    /// `ENODEV` if the device is not ready.
    fn open_input(&mut self, _input: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Ends queuing, and events of the device.
    fn close_input(&mut self, _input: u32) {}

    /// Takes the oldest report, waiting for one until a time.
    ///
    /// # Errors
    /// [`Interrupted`] as soon as the app has to stop.
    fn read_input(&mut self, _input: u32, _until_us: u64) -> Result<Option<Report>, Interrupted> {
        Ok(None)
    }

    /// Selects whether reports raise events, and drops what the queue of events holds of the device.
    ///
    /// # Errors
    /// `ENOTSUP` without events.
    fn watch_input(&mut self, _input: u32, _on: bool) -> Result<(), Errno> {
        Err(Errno::NotSupported)
    }

    /// Returns the number of dropped reports since the last call and clears it.
    fn take_lost_reports(&mut self, _input: u32) -> u32 {
        0
    }
}

/// Closes the app's input devices.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    while let Some(input) = app.open.input.pop() {
        app.platform.close_input(input);
    }
}

const SIZE: usize = input::REPORT.size() as usize;

fn record(report: Report) -> [u8; SIZE] {
    let mut record = [0; SIZE];
    let (time, rest) = record.split_at_mut(8);
    time.copy_from_slice(&report.time_us.to_le_bytes());
    put_words(rest, [report.kind, report.code, report.value as u32, report.sync.into()]);
    record
}

impl<P: Platform> InputV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let input = self.granted(self.platform.find_input(label), input::INTERFACE.module, label)?;
        self.platform.open_input(input)?;
        self.open.input.set(input, true);
        Ok(input)
    }

    fn close(&mut self, input: u32) -> Result<(), Failure<Errno>> {
        self.open.input.check(input)?;
        self.open.input.set(input, false);
        self.platform.close_input(input);
        Ok(())
    }

    fn read(&mut self, input: u32, timeout: u32) -> Result<[u8; SIZE], Failure<Errno>> {
        self.open.input.check(input)?;
        let end = self.end_of_wait(timeout);
        let report = self.platform.read_input(input, end).map_err(Failure::interrupted)?;
        Ok(record(report.ok_or(Errno::TimedOut)?))
    }

    fn watch(&mut self, input: u32, on: u32) -> Result<(), Failure<Errno>> {
        self.open.input.check(input)?;
        Ok(self.platform.watch_input(input, on != 0)?)
    }

    fn lost(&mut self, input: u32) -> Result<u32, Failure<Errno>> {
        self.open.input.check(input)?;
        Ok(self.platform.take_lost_reports(input).min(i32::MAX as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::{Input, Report};
    use crate::stop::{Interrupted, Stop};
    use crate::testing::{Board, Harness, INPUT};
    use wisp_abi::input::FOREVER;
    use wisp_abi::Errno;

    impl Input for Board {
        fn find_input(&self, label: &[u8]) -> Option<u32> {
            (label == b"keys").then_some(3)
        }

        fn open_input(&mut self, input: u32) -> Result<(), Errno> {
            self.calls.push(("open", [input, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn close_input(&mut self, input: u32) {
            self.calls.push(("close", [input, 0]));
        }

        fn read_input(&mut self, _input: u32, until_us: u64) -> Result<Option<Report>, Interrupted> {
            let next = self.reports.pop_front();
            self.waited(next.is_none(), until_us)?;
            Ok(next)
        }

        fn watch_input(&mut self, input: u32, on: bool) -> Result<(), Errno> {
            self.calls.push(("watch", [input, on.into()]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn take_lost_reports(&mut self, _input: u32) -> u32 {
            u32::MAX
        }
    }

    fn opened() -> Harness {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(INPUT, "keys"), 3);
        harness.app.platform_mut().calls.clear();
        harness
    }

    #[test]
    fn a_report_is_a_record_of_its_time_kind_code_value_and_end() {
        let mut harness = opened();
        let report = Report { time_us: 1 << 40, kind: 2, code: 8, value: -3, sync: true };
        harness.app.platform_mut().reports.push_back(report);
        assert_eq!(harness.i32(INPUT, "read", &[3, FOREVER, 64]), 0);
        assert_eq!(harness.u64_at(64), 1 << 40);
        assert_eq!([72, 76, 80, 84].map(|at| harness.u32_at(at)), [2, 8, -3i32 as u32, 1]);
    }

    #[test]
    fn a_wait_takes_its_time_and_a_look_takes_none() {
        let mut harness = opened();
        let before = harness.app.platform().now_us;
        assert_eq!(harness.i32(INPUT, "read", &[3, 0, 64]), -116);
        assert_eq!(harness.app.platform().now_us, before);
        assert_eq!(harness.i32(INPUT, "read", &[3, 20, 64]), -116);
        assert_eq!(harness.app.platform().now_us, before + 20_000);
        harness.app.platform_mut().stopped = true;
        assert_eq!(harness.call(INPUT, "read", &[3, 20, 64]), Err(Stop::Interrupted));
    }

    #[test]
    fn a_bad_pointer_takes_no_report() {
        let mut harness = opened();
        harness.app.platform_mut().reports.push_back(Report { time_us: 1, kind: 1, code: 2, value: 1, sync: true });
        let end = harness.memory.len() as u32;
        assert_eq!(harness.i32(INPUT, "read", &[3, 0, end - 23]), -14);
        assert_eq!(harness.i32(INPUT, "read", &[3, 0, end - 24]), 0);
    }

    #[test]
    fn lost_reports_are_a_number_that_is_no_error() {
        let mut harness = opened();
        assert_eq!(harness.i32(INPUT, "lost", &[3]), i32::MAX);
    }

    #[test]
    fn a_closed_or_released_device_is_closed_on_the_board() {
        for close in [true, false] {
            let mut harness = opened();
            if close {
                assert_eq!(harness.i32(INPUT, "close", &[3]), 0);
            } else {
                harness.app.release();
            }
            assert_eq!(harness.app.platform().calls, [("close", [3, 0])]);
            assert_eq!(harness.i32(INPUT, "lost", &[3]), -9);
        }
    }

    #[test]
    fn what_was_not_granted_or_opened_is_refused_and_errors_come_through() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(INPUT, "other"), -13);
        for handle in [0, 3, 32, u32::MAX] {
            for (name, rest) in [("read", &[0, 64][..]), ("watch", &[1]), ("lost", &[]), ("close", &[])] {
                assert_eq!(harness.i32(INPUT, name, &[&[handle], rest].concat()), -9, "{name} {handle}");
            }
        }
        harness.app.platform_mut().bus_error = Some(Errno::NoSuchDevice);
        assert_eq!(harness.open_in(INPUT, "keys"), -19);
        assert_eq!(harness.i32(INPUT, "lost", &[3]), -9, "a device that is not ready is not open");
        harness = opened();
        assert_eq!(harness.i32(INPUT, "watch", &[3, 7]), 0);
        assert_eq!(harness.app.platform().calls, [("watch", [3, 1])]);
        harness.app.platform_mut().bus_error = Some(Errno::NotSupported);
        assert_eq!(harness.i32(INPUT, "watch", &[3, 0]), -134);
    }
}

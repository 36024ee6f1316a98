// SPDX-License-Identifier: Apache-2.0
//! `wisp:counter@1`.

use crate::bindings::CounterV1;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{counter, Errno};

/// Counters that the app was granted. `counter` is an index into its grants, from [`Counter::find_counter`]. Other
/// calls come only for counters that are open. A board without counters implements nothing.
pub trait Counter {
    /// Returns the index of the grant with this label, below [`counter::MAX_COUNTERS`].
    fn find_counter(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Lets the counter count, without an alarm.
    ///
    /// # Errors
    /// `ENODEV` if it is not ready, `EBUSY` if another app has it open, otherwise the error of the driver.
    fn open_counter(&mut self, _counter: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Cancels the alarm and leaves the counter to other apps.
    fn close_counter(&mut self, _counter: u32) {}

    /// Returns the ticks per second, 0 if it counts external events.
    fn counter_frequency(&self, _counter: u32) -> u32 {
        0
    }

    /// Returns the highest value.
    fn counter_top(&self, _counter: u32) -> u32 {
        0
    }

    /// Returns the value.
    ///
    /// # Errors
    /// The error of the driver.
    fn read_counter(&mut self, _counter: u32) -> Result<u32, Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Cancels the alarm, drops its event from the queue, and sets the alarm anew if there are ticks.
    /// These are at least 1 and at most the highest value.
    ///
    /// # Errors
    /// `ENOTSUP` without alarms or events, otherwise the error of the driver.
    fn set_counter_alarm(&mut self, _counter: u32, _ticks: Option<u32>) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }
}

/// Cancels the alarms of the app's counters and closes them.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    while let Some(counter) = app.open.counter.pop() {
        app.platform.close_counter(counter);
    }
}

impl<P: Platform> CounterV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let counter = self.granted(self.platform.find_counter(label), counter::INTERFACE.module, label)?;
        self.platform.open_counter(counter)?;
        self.open.counter.set(counter, true);
        Ok(counter)
    }

    fn close(&mut self, counter: u32) -> Result<(), Failure<Errno>> {
        self.open.counter.check(counter)?;
        self.open.counter.set(counter, false);
        self.platform.close_counter(counter);
        Ok(())
    }

    fn frequency(&mut self, counter: u32) -> Result<u32, Failure<Errno>> {
        self.open.counter.check(counter)?;
        Ok(self.platform.counter_frequency(counter))
    }

    fn top(&mut self, counter: u32) -> Result<u32, Failure<Errno>> {
        self.open.counter.check(counter)?;
        Ok(self.platform.counter_top(counter))
    }

    fn read(&mut self, counter: u32) -> Result<u32, Failure<Errno>> {
        self.open.counter.check(counter)?;
        Ok(self.platform.read_counter(counter)?)
    }

    fn alarm(&mut self, counter: u32, ticks: u32) -> Result<(), Failure<Errno>> {
        self.open.counter.check(counter)?;
        if ticks == 0 || ticks > self.platform.counter_top(counter) {
            return Err(Errno::Invalid.into());
        }
        Ok(self.platform.set_counter_alarm(counter, Some(ticks))?)
    }

    fn cancel(&mut self, counter: u32) -> Result<(), Failure<Errno>> {
        self.open.counter.check(counter)?;
        Ok(self.platform.set_counter_alarm(counter, None)?)
    }
}

#[cfg(test)]
mod tests {
    use super::Counter;
    use crate::testing::{Board, Harness, COUNTER};
    use std::vec::Vec;
    use wisp_abi::Errno;

    impl Counter for Board {
        fn find_counter(&self, label: &[u8]) -> Option<u32> {
            (label == b"clock").then_some(0)
        }

        fn open_counter(&mut self, counter: u32) -> Result<(), Errno> {
            self.calls.push(("open", [counter, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn close_counter(&mut self, counter: u32) {
            self.calls.push(("close", [counter, 0]));
        }

        fn counter_frequency(&self, _counter: u32) -> u32 {
            32_768
        }

        fn counter_top(&self, _counter: u32) -> u32 {
            0xff_ffff
        }

        fn read_counter(&mut self, _counter: u32) -> Result<u32, Errno> {
            self.bus_error.map_or(Ok(0xab_cdef), Err)
        }

        fn set_counter_alarm(&mut self, counter: u32, ticks: Option<u32>) -> Result<(), Errno> {
            self.calls.push(("alarm", [counter, ticks.unwrap_or(0)]));
            self.bus_error.map_or(Ok(()), Err)
        }
    }

    fn calls(harness: &mut Harness) -> Vec<(&'static str, [u32; 2])> {
        core::mem::take(&mut harness.app.platform_mut().calls)
    }

    #[test]
    fn a_counter_tells_its_frequency_its_top_and_its_value() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(COUNTER, "clock"), 0);
        for (name, value) in [("frequency", 32_768), ("top", 0xff_ffff), ("read", 0xab_cdef)] {
            assert_eq!(harness.i32(COUNTER, name, &[0, 64]), 0);
            assert_eq!(harness.u32_at(64), value, "{name}");
        }
    }

    #[test]
    fn an_alarm_has_at_least_one_tick_and_at_most_the_highest_value() {
        let mut harness = Harness::new();
        harness.open_in(COUNTER, "clock");
        for ticks in [0, 0x100_0000, u32::MAX] {
            assert_eq!(harness.i32(COUNTER, "alarm", &[0, ticks]), -22, "{ticks}");
        }
        assert_eq!(calls(&mut harness), [("open", [0, 0])]);
        assert_eq!(harness.i32(COUNTER, "alarm", &[0, 1]), 0);
        assert_eq!(harness.i32(COUNTER, "alarm", &[0, 0xff_ffff]), 0);
        assert_eq!(harness.i32(COUNTER, "cancel", &[0]), 0);
        assert_eq!(calls(&mut harness), [("alarm", [0, 1]), ("alarm", [0, 0xff_ffff]), ("alarm", [0, 0])]);
    }

    #[test]
    fn a_closed_or_released_counter_is_left_to_other_apps() {
        for close in [true, false] {
            let mut harness = Harness::new();
            harness.open_in(COUNTER, "clock");
            if close {
                assert_eq!(harness.i32(COUNTER, "close", &[0]), 0);
            } else {
                harness.app.release();
            }
            assert_eq!(calls(&mut harness), [("open", [0, 0]), ("close", [0, 0])]);
            assert_eq!(harness.i32(COUNTER, "read", &[0, 64]), -9);
        }
    }

    #[test]
    fn what_was_not_granted_or_opened_is_refused_and_errors_come_through() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(COUNTER, "other"), -13);
        for handle in [0, 1, 32, u32::MAX] {
            let pointer = ["frequency", "top", "read"].map(|name| (name, &[64][..]));
            for (name, rest) in pointer.into_iter().chain([("alarm", &[5][..]), ("cancel", &[]), ("close", &[])]) {
                assert_eq!(harness.i32(COUNTER, name, &[&[handle], rest].concat()), -9, "{name} {handle}");
            }
        }
        harness.app.platform_mut().bus_error = Some(Errno::Busy);
        assert_eq!(harness.open_in(COUNTER, "clock"), -16);
        assert_eq!(harness.i32(COUNTER, "read", &[0, 64]), -9, "a counter that another app has is not open");
    }
}

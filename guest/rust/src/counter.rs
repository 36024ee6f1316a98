// SPDX-License-Identifier: Apache-2.0
//! Counters and their alarms. `embedded-hal` 1.0 has no trait for them.

use crate::abi::counter;
use crate::Error;
use core::time::Duration;

/// A counter that was granted. Its alarm is cancelled and the counter closed when it is dropped.
#[derive(Debug)]
pub struct Counter {
    handle: u32,
    frequency: u32,
    top: u32,
}

impl Counter {
    /// Opens the counter granted as `label` in `counter-names` and lets it count.
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if it is not ready, `EBUSY` if another app has it open.
    pub fn open(label: &str) -> Result<Self, Error> {
        let handle = counter::open(label.as_bytes())?;
        Ok(Counter { handle, frequency: counter::frequency(handle)?, top: counter::top(handle)? })
    }

    /// Returns the number that events of this counter carry.
    pub fn source(&self) -> u32 {
        self.handle
    }

    /// Returns the ticks per second, 0 if the counter counts external events.
    pub fn frequency(&self) -> u32 {
        self.frequency
    }

    /// Returns the highest value, after which the counter begins again at 0.
    pub fn top(&self) -> u32 {
        self.top
    }

    /// Returns the value.
    ///
    /// # Errors
    /// The error of the driver.
    pub fn ticks(&self) -> Result<u32, Error> {
        Ok(counter::read(self.handle)?)
    }

    /// Sets the alarm, which becomes one event after this many ticks, and cancels the one before.
    ///
    /// # Errors
    /// `EINVAL` if there are 0 ticks or more than the highest value, `ENOTSUP` if the counter has no alarm,
    /// otherwise the error of the driver.
    pub fn alarm(&mut self, ticks: u32) -> Result<(), Error> {
        Ok(counter::alarm(self.handle, ticks)?)
    }

    /// Sets the alarm as [`Counter::alarm`] does, after at least this time.
    ///
    /// # Errors
    /// Returns `EINVAL` for a time that the counter cannot measure, and the other errors of [`Counter::alarm`].
    pub fn alarm_after(&mut self, delay: Duration) -> Result<(), Error> {
        self.alarm(ticks_in(delay, self.frequency))
    }

    /// Cancels the alarm. Its event is dropped if it was not delivered.
    ///
    /// # Errors
    /// The error of the driver.
    pub fn cancel(&mut self) -> Result<(), Error> {
        Ok(counter::cancel(self.handle)?)
    }
}

/// Returns the ticks of a time, rounded up, or 0 if there are too many.
fn ticks_in(time: Duration, frequency: u32) -> u32 {
    let ticks = time.as_nanos().checked_mul(u128::from(frequency)).map(|ticks| ticks.div_ceil(1_000_000_000));
    ticks.and_then(|ticks| u32::try_from(ticks).ok()).unwrap_or(0)
}

impl Drop for Counter {
    fn drop(&mut self) {
        // The handle is open, so this cannot fail.
        let _ = counter::close(self.handle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_up_to_ticks_and_an_impossible_one_has_none() {
        assert_eq!(ticks_in(Duration::from_secs(2), 32_768), 65_536);
        assert_eq!(ticks_in(Duration::from_nanos(1), 32_768), 1);
        assert_eq!(ticks_in(Duration::from_secs(1), 0), 0);
        assert_eq!(ticks_in(Duration::from_secs(1 << 32), 1), 0);
        assert_eq!(ticks_in(Duration::MAX, u32::MAX), 0);
    }

    #[test]
    fn without_a_host_there_is_no_counter() {
        assert!(Counter::open("clock").is_err());
    }
}

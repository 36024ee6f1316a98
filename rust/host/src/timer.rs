// SPDX-License-Identifier: Apache-2.0
//! `wisp:timer@1`.

use crate::bindings::TimerV1;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{timer, Errno};

/// A timer that ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry {
    /// The last time it ran out.
    pub(crate) time_us: u64,
    pub(crate) timer: u32,
    /// The number of expiries since the timer was last taken.
    pub(crate) count: u32,
}

#[derive(Debug, Clone, Copy)]
struct Timer {
    /// `u64::MAX` when stopped.
    next_us: u64,
    /// 0 for once only.
    period_us: u64,
}

/// The app's timers. Only [`EventV1::wait`](crate::bindings::EventV1) tells of them, so they need no
/// interrupt: they bound how long it waits. 64 bytes of RAM.
#[derive(Debug)]
pub(crate) struct Timers([Timer; timer::TIMERS as usize]);

impl Timers {
    const STOPPED: Timer = Timer { next_us: u64::MAX, period_us: 0 };

    /// Returns all stopped.
    pub(crate) const fn new() -> Self {
        Timers([Self::STOPPED; timer::TIMERS as usize])
    }

    /// Returns the time at which the next one runs out, or `u64::MAX` for never.
    pub(crate) fn next_us(&self) -> u64 {
        self.0.iter().fold(u64::MAX, |first, timer| first.min(timer.next_us))
    }

    /// Takes the one that ran out first, if any has by now.
    pub(crate) fn take_due(&mut self, now_us: u64) -> Option<Expiry> {
        let (index, timer) = (0..).zip(&mut self.0).min_by_key(|(_, timer)| timer.next_us)?;
        let first_us = timer.next_us;
        let late_us = now_us.checked_sub(first_us)?;
        if first_us == u64::MAX {
            return None;
        }
        let Some(periods) = late_us.checked_div(timer.period_us) else {
            *timer = Self::STOPPED;
            return Some(Expiry { time_us: first_us, timer: index, count: 1 });
        };
        // At most `now_us`, so neither product nor sum overflows.
        let time_us = first_us + periods * timer.period_us;
        timer.next_us = time_us.saturating_add(timer.period_us);
        let count = u32::try_from(periods).unwrap_or(u32::MAX).saturating_add(1);
        Some(Expiry { time_us, timer: index, count })
    }
}

impl<P: Platform> App<P> {
    fn timer(&mut self, timer: u32) -> Result<&mut Timer, Errno> {
        self.timers.0.get_mut(timer as usize).ok_or(Errno::Invalid)
    }
}

impl<P: Platform> TimerV1 for App<P> {
    fn uptime_us(&mut self) -> u64 {
        self.platform.uptime_us()
    }

    fn uptime_ms(&mut self) -> u64 {
        self.platform.uptime_us() / 1000
    }

    fn sleep_us(&mut self, duration: u64) -> Result<(), Failure<Errno>> {
        self.platform.sleep_us(duration).map_err(Failure::interrupted)
    }

    fn sleep_ms(&mut self, duration: u32) -> Result<(), Failure<Errno>> {
        self.platform.sleep_us(u64::from(duration) * 1000).map_err(Failure::interrupted)
    }

    fn start(&mut self, timer: u32, delay: u64, period: u64) -> Result<(), Failure<Errno>> {
        let next_us = self.platform.uptime_us().saturating_add(delay);
        *self.timer(timer)? = Timer { next_us, period_us: period };
        Ok(())
    }

    fn cancel(&mut self, timer: u32) -> Result<(), Failure<Errno>> {
        *self.timer(timer)? = Timers::STOPPED;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Expiry, Timer, Timers};
    use crate::stop::Stop;
    use crate::testing::{Harness, TIMER};

    #[test]
    fn uptime_comes_in_both_units_over_64_bits() {
        let mut harness = Harness::new();
        harness.app.platform_mut().now_us = 0x1_2345_6789_abcd;
        assert_eq!(harness.call(TIMER, "uptime_us", &[]), Ok(0x1_2345_6789_abcd));
        assert_eq!(harness.call(TIMER, "uptime_ms", &[]), Ok(0x1_2345_6789_abcd / 1000));
    }

    #[test]
    fn sleeping_takes_the_time_asked_for() {
        let mut harness = Harness::new();
        assert_eq!(harness.timer("sleep_us", &[5, 1]), 0);
        assert_eq!(harness.app.platform().now_us, 0x1_0000_0005);
        harness.app.platform_mut().now_us = 0;
        assert_eq!(harness.timer("sleep_ms", &[u32::MAX]), 0);
        assert_eq!(harness.app.platform().now_us, u64::from(u32::MAX) * 1000);
    }

    #[test]
    fn an_interrupted_sleep_never_returns_to_the_guest() {
        let mut harness = Harness::new();
        harness.app.platform_mut().stopped = true;
        assert_eq!(harness.call(TIMER, "sleep_us", &[1, 0]), Err(Stop::Interrupted));
        assert_eq!(harness.call(TIMER, "sleep_ms", &[1]), Err(Stop::Interrupted));
    }

    #[test]
    fn a_number_without_a_timer_is_invalid() {
        let mut harness = Harness::new();
        for timer in [4, 5, u32::MAX] {
            assert_eq!(harness.timer("start", &[timer, 1, 0, 0, 0]), -22);
            assert_eq!(harness.timer("cancel", &[timer]), -22);
        }
        assert_eq!(harness.timer("cancel", &[3]), 0);
    }

    #[test]
    fn timers_run_out_in_the_order_of_their_times() {
        let mut timers = Timers::new();
        assert_eq!((timers.next_us(), timers.take_due(u64::MAX)), (u64::MAX, None));
        timers.0[0] = Timer { next_us: 30, period_us: 0 };
        timers.0[1] = Timer { next_us: 10, period_us: 8 };
        assert_eq!((timers.next_us(), timers.take_due(9)), (10, None));
        assert_eq!(timers.take_due(27), Some(Expiry { time_us: 26, timer: 1, count: 3 }));
        assert_eq!(timers.take_due(30), Some(Expiry { time_us: 30, timer: 0, count: 1 }));
        assert_eq!(timers.take_due(33), None);
        assert_eq!(timers.next_us(), 34);
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        let mut harness = Harness::new();
        harness.app.platform_mut().now_us = u64::MAX - 1;
        assert_eq!(harness.timer("start", &[0, u32::MAX, u32::MAX, u32::MAX, u32::MAX]), 0);
        assert_eq!(harness.app.timers.take_due(u64::MAX), None, "the end of time never comes");
        let mut timers = Timers::new();
        timers.0[0] = Timer { next_us: 1, period_us: 1 };
        assert_eq!(timers.take_due(u64::MAX - 1).map(|expiry| expiry.count), Some(u32::MAX));
        timers.0[0] = Timer { next_us: 1, period_us: u64::MAX };
        assert_eq!(timers.take_due(5), Some(Expiry { time_us: 1, timer: 0, count: 1 }));
        assert_eq!(timers.take_due(u64::MAX), None);
    }

    #[test]
    fn a_restarted_or_cancelled_timer_tells_nothing_of_its_past() {
        let mut harness = Harness::new();
        harness.timer("start", &[0, 10, 0, 10, 0]);
        harness.app.platform_mut().now_us = 100;
        harness.timer("start", &[0, 5, 0, 0, 0]);
        assert_eq!(harness.app.timers.take_due(100), None);
        assert_eq!(harness.app.timers.take_due(105), Some(Expiry { time_us: 105, timer: 0, count: 1 }));
        harness.timer("start", &[1, 0, 0, 0, 0]);
        harness.timer("cancel", &[1]);
        assert_eq!(harness.app.timers.take_due(200), None);
    }
}

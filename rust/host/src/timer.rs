// SPDX-License-Identifier: Apache-2.0
//! `wisp:timer@1`.

use crate::bindings::TimerV1;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::Errno;

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
}

#[cfg(test)]
mod tests {
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
}

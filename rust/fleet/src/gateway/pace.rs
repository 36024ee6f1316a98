// SPDX-License-Identifier: Apache-2.0
//! Waits that grow with each failure, with an accidental part, so that many devices do not ask at once.

use std::time::Duration;

/// Longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(300);

/// Returns a time that differs from another one by a tenth at most.
pub fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.9 + 0.2 * fastrand::f64())
}

/// The wait after failures in a row.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    failures: u32,
}

impl Backoff {
    /// Returns the wait of something that did not fail yet.
    pub fn new(first: Duration) -> Self {
        Self { first, failures: 0 }
    }

    /// Notes a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Notes a failure, and returns how long to wait: between half of the doubled time and all of it.
    pub fn next(&mut self) -> Duration {
        let most = self.first.saturating_mul(1 << self.failures.min(16)).min(LONGEST.max(self.first));
        self.failures = self.failures.saturating_add(1);
        most.mul_f64(0.5 + 0.5 * fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(5));
        for most in [5, 10, 20, 40, 80, 160, 300, 300] {
            let wait = backoff.next().as_secs_f64();
            assert!((f64::from(most) / 2.0..=f64::from(most)).contains(&wait), "{wait} of {most}");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_secs(5));
        let mut long = Backoff::new(Duration::from_secs(1000));
        assert!((0..100).all(|_| long.next() >= Duration::from_secs(500)));
    }

    #[test]
    fn jitter_changes_a_time_by_a_tenth_at_most() {
        let times: Vec<Duration> = (0..100).map(|_| jittered(Duration::from_secs(100))).collect();
        assert!(times.iter().all(|time| (90.0..=110.0).contains(&time.as_secs_f64())));
        assert!(times.iter().any(|time| *time != times[0]));
    }
}

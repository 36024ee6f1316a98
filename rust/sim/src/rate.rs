// SPDX-License-Identifier: Apache-2.0
//! Limits of what an app uses within an hour, counted as `src/app/rate.c` does.

pub(crate) const HOUR_US: u64 = 3_600_000_000;

/// A budget that is available at once and comes back evenly.
#[derive(Debug)]
pub(crate) struct Rate {
    /// Units that may be used within an hour. 0 is no limit.
    budget: u64,
    /// Units that count now, and the time since when.
    used: u64,
    at_us: u64,
}

impl Rate {
    pub(crate) fn new(budget: u64) -> Self {
        Rate { budget, used: 0, at_us: 0 }
    }

    /// Lets the budget flow back.
    fn refill(&mut self, now_us: u64) {
        let elapsed = now_us.saturating_sub(self.at_us);
        let (budget, hour) = (u128::from(self.budget), u128::from(HOUR_US));
        let back = u128::from(elapsed) * budget / hour;
        if elapsed >= HOUR_US || back >= self.used.into() {
            (self.used, self.at_us) = (0, now_us);
        } else if back > 0 {
            // less than what is used, and its time is less than what has elapsed: the rest of a unit is kept
            self.used -= back as u64;
            self.at_us += (back * hour / budget) as u64;
        }
    }

    /// Returns true if something is left.
    pub(crate) fn has_some(&mut self, now_us: u64) -> bool {
        self.refill(now_us);
        self.budget == 0 || self.used < self.budget
    }

    /// Counts what was used, whether or not there was room for it.
    pub(crate) fn spend(&mut self, cost: u64) {
        self.used = self.used.saturating_add(cost);
    }

    /// Counts what is to be used. Returns false if there is no room for it. A single use may be more than the budget.
    pub(crate) fn take(&mut self, now_us: u64, cost: u64) -> bool {
        self.refill(now_us);
        if self.budget != 0 && self.used != 0 && self.used.saturating_add(cost) > self.budget {
            return false;
        }
        self.spend(cost);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_comes_back_whole_however_often_it_is_asked_for() {
        let mut rate = Rate::new(1000);
        assert!(rate.take(0, 1000) && !rate.has_some(0));
        // one unit comes back in 3.6 seconds
        for second in (5..=3600).step_by(5) {
            rate.refill(second * 1_000_000);
        }
        assert_eq!(rate.used, 0);
    }

    #[test]
    fn a_use_that_has_no_room_counts_for_nothing() {
        let mut rate = Rate::new(1000);
        assert!(rate.take(0, 900) && !rate.take(0, 101) && rate.take(0, 100) && !rate.take(0, 1));
        assert!(!rate.take(HOUR_US / 10, 101) && rate.take(HOUR_US / 10, 100));
        assert!(rate.take(2 * HOUR_US, 5000), "a single one may be more than the budget");
        assert!(!rate.take(2 * HOUR_US, 1));
        let mut unlimited = Rate::new(0);
        assert!((0..9).all(|_| unlimited.take(0, u64::MAX) && unlimited.has_some(0)));
    }
}

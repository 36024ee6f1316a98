// SPDX-License-Identifier: Apache-2.0
//! Timeouts as the host takes them.

use crate::abi::{coap, event, mqtt, net, uart};
use core::time::Duration;

const _: () = assert!(
    event::FOREVER == u32::MAX
        && net::FOREVER == u32::MAX
        && mqtt::FOREVER == u32::MAX
        && coap::FOREVER == u32::MAX
        && uart::FOREVER == u32::MAX
);

/// Rounds up to milliseconds. 49 days are as good as without limit, which is the largest number.
pub(crate) fn ms(timeout: Duration) -> u32 {
    u32::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_rounded_up_and_the_longest_has_no_limit() {
        assert_eq!(ms(Duration::ZERO), 0);
        assert_eq!(ms(Duration::from_micros(1)), 1);
        assert_eq!(ms(Duration::from_millis(20)), 20);
        assert_eq!(ms(Duration::MAX), u32::MAX);
    }
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp:log@1`.

use crate::bindings::LogV1;
use crate::line::lines;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{log, Errno};

impl<P: Platform> LogV1 for App<P> {
    fn write(&mut self, level: u32, message: &[u8]) -> Result<(), Failure<Errno>> {
        if !(log::ERROR..=log::DEBUG).contains(&level) {
            return Err(Errno::Invalid.into());
        }
        if level <= self.platform.max_level() {
            let mut outcome = Ok(());
            lines(message, &mut |line| {
                outcome = self.go_on();
                if outcome.is_ok() {
                    self.platform.line(level, line);
                }
                outcome.is_ok()
            });
            outcome?;
        }
        Ok(())
    }

    fn max_level(&mut self) -> Result<u32, Failure<Errno>> {
        Ok(self.platform.max_level())
    }
}

#[cfg(test)]
mod tests {
    use crate::stop::Stop;
    use crate::testing::{Harness, LOG};
    use wisp_abi::log::{DEBUG, ERROR, INFO};

    #[test]
    fn a_message_is_logged_line_by_line_with_its_level() {
        let mut harness = Harness::new();
        harness.memory[..7].copy_from_slice(b"one\ntwo");
        assert_eq!(harness.log("write", &[INFO, 0, 7]), 0);
        let expected = [(INFO, "one".into()), (INFO, "two".into())];
        assert_eq!(harness.app.platform().logged, expected);
    }

    #[test]
    fn a_message_of_many_lines_ends_soon_after_the_app_is_to_stop() {
        let mut harness = Harness::new();
        harness.memory[..500].fill(b'\n');
        harness.app.platform_mut().looks_left = Some(7);
        assert_eq!(harness.call(LOG, "write", &[INFO, 0, 500]), Err(Stop::Interrupted));
        assert_eq!(harness.app.platform().logged.len(), 7);
    }

    #[test]
    fn an_empty_message_needs_no_valid_pointer() {
        let mut harness = Harness::new();
        assert_eq!(harness.log("write", &[ERROR, u32::MAX, 0]), 0);
        assert_eq!(harness.app.platform().logged, [(ERROR, "".into())]);
    }

    #[test]
    fn a_level_that_is_not_kept_is_dropped_without_error() {
        let mut harness = Harness::new();
        assert_eq!(harness.log("max_level", &[]), INFO as i32);
        assert_eq!(harness.log("write", &[DEBUG, 0, 1]), 0);
        assert!(harness.app.platform().logged.is_empty());
    }

    #[test]
    fn an_unknown_level_is_invalid() {
        let mut harness = Harness::new();
        for level in [0, 5, u32::MAX] {
            assert_eq!(harness.log("write", &[level, 0, 1]), -22);
        }
    }

    #[test]
    fn a_message_outside_memory_is_a_fault_and_logs_nothing() {
        let mut harness = Harness::new();
        let size = harness.memory.len() as u32;
        for (pointer, length) in [(size, 1), (size - 1, 2), (0, size + 1), (8, u32::MAX), (u32::MAX, 1)] {
            assert_eq!(harness.log("write", &[INFO, pointer, length]), -14);
        }
        assert!(harness.app.platform().logged.is_empty());
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Supervision: traced.

use crate::platform::SimPlatform;
use wisp_host::platform::Lifecycle;

impl Lifecycle for SimPlatform {
    fn confirm(&mut self) {
        self.trace("lifecycle", "confirm", "", "");
    }

    /// Does nothing: heartbeats are too many to trace, and nobody waits for them.
    fn heartbeat(&mut self) {
        self.tick();
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, TraceFormat};
    use wisp_host::platform::Lifecycle;

    #[test]
    fn a_confirmation_is_traced() {
        let capture = Capture::new();
        let mut board = Board::from_toml("").unwrap();
        board.set_trace(capture.clone(), TraceFormat::Csv);
        let mut app = board.platform("a");
        app.heartbeat();
        app.confirm();
        assert!(capture.text().ends_with("1,a,lifecycle,confirm,\n"), "{}", capture.text());
    }
}

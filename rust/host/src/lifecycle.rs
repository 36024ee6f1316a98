// SPDX-License-Identifier: Apache-2.0
//! `wisp:lifecycle@1`.

use crate::bindings::LifecycleV1;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::Errno;

/// The supervisor of the app. A board without supervision implements nothing.
pub trait Lifecycle {
    /// Confirms the app, which wants to be kept.
    fn confirm(&mut self) {}

    /// Notes a heartbeat of the app.
    fn heartbeat(&mut self) {}
}

impl<P: Platform> LifecycleV1 for App<P> {
    fn confirm(&mut self) -> Result<(), Failure<Errno>> {
        self.platform.confirm();
        Ok(())
    }

    fn heartbeat(&mut self) -> Result<(), Failure<Errno>> {
        self.platform.heartbeat();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Harness, LIFECYCLE};

    #[test]
    fn what_an_app_tells_reaches_its_supervisor() {
        let mut harness = Harness::new();
        assert_eq!(harness.i32(LIFECYCLE, "heartbeat", &[]), 0);
        assert_eq!(harness.i32(LIFECYCLE, "confirm", &[]), 0);
        assert_eq!(harness.i32(LIFECYCLE, "heartbeat", &[]), 0);
        assert_eq!((harness.app.platform().heartbeats, harness.app.platform().confirmed), (2, true));
    }
}

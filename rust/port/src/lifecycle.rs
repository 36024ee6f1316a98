// SPDX-License-Identifier: Apache-2.0
//! What an app tells its supervisor.

use crate::platform::Zephyr;
use crate::shim;
use wisp_host::platform::Lifecycle;

impl Lifecycle for Zephyr {
    fn confirm(&mut self) {
        // SAFETY: `app` is valid by the contract of `new`.
        unsafe { shim::wisp_shim_confirm(self.app) }
    }

    fn heartbeat(&mut self) {
        // SAFETY: `app` is valid by the contract of `new`.
        unsafe { shim::wisp_shim_heartbeat(self.app) }
    }
}

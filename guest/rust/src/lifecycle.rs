// SPDX-License-Identifier: Apache-2.0
//! What an app tells whoever supervises it.

use crate::abi::lifecycle as host;

/// Keeps this update: without it the version before comes back.
pub fn confirm() {
    // It has no errors but that of a firmware without supervision, where nothing is on trial.
    let _ = host::confirm();
}

/// Sends a heartbeat: the app makes progress. If its node has a `heartbeat-ms`, silence for longer restarts it.
pub fn heartbeat() {
    // As above.
    let _ = host::heartbeat();
}

// SPDX-License-Identifier: Apache-2.0
//! Measures how long an app is in host functions.

use wisp_engine::{HostCall, RawTrap, Store, Tap};

use crate::platform::Zephyr;
use crate::{shim, AppData};

/// Measures the calls of one run.
pub(crate) struct Timer(Zephyr);

impl Timer {
    pub fn new(board: Zephyr) -> Self {
        Self(board)
    }

    /// Lets the calls of a store be measured.
    pub fn measure<'a>(&'a self, store: &mut Store<'a, AppData>) {
        // SAFETY: a run's store and its timer stay in the app's thread.
        unsafe { store.tap(self) };
    }
}

/// Calls the host function, and measures the call.
pub(crate) fn run(board: &Zephyr, call: &mut HostCall<'_>) -> RawTrap {
    // SAFETY: the board's app is one of the firmware, and this is its thread.
    let began = unsafe { shim::wisp_shim_host_begin(board.app) };
    let trap = call.run();
    // SAFETY: the board's app is one of the firmware, and this is its thread.
    unsafe { shim::wisp_shim_host_end(board.app, began) };
    trap
}

impl Tap for Timer {
    fn host_call(&self, call: &mut HostCall<'_>) -> RawTrap {
        run(&self.0, call)
    }

    fn entry(&self, _: u32, _: &mut dyn Iterator<Item = u32>) {}
}

// SPDX-License-Identifier: Apache-2.0
//! A core dump behind the server: everything can be looked at, and nothing goes on.

use std::sync::mpsc::Sender;
use std::sync::Arc;

use wisp_engine::Watched;

use super::back_end::{Answer, BackEnd};
use super::{Event, Go, Link, Stop};
use crate::core_dump::Dump;
use crate::output;

/// An app that trapped, as a dump has it.
pub struct Core {
    dump: Dump,
    link: Arc<Link>,
    events: Sender<Event>,
}

impl Core {
    /// Returns the app of a dump, which stands where it trapped.
    pub fn new(dump: Dump, link: Arc<Link>, events: Sender<Event>) -> Self {
        let core = Self { dump, link, events };
        core.stop();
        core
    }

    /// Holds the app.
    fn stop(&self) {
        *self.link.held() = Some(Stop::of_trap(self.dump.trap.code));
    }
}

impl BackEnd for Core {
    fn frames(&self) -> Answer<Vec<Watched>> {
        Ok(self.dump.frames.iter().map(|frame| frame.place).collect())
    }

    fn slot(&self, frame: Watched, slot: u32) -> Answer<Option<u32>> {
        let found = self.dump.frames.iter().find(|found| found.place == frame);
        Ok(found.and_then(|found| found.slots.get(slot as usize)).copied())
    }

    fn global(&self, index: usize) -> Answer<Option<(usize, u64)>> {
        Ok(self.dump.globals.get(index).map(|global| (global.ty.slots(), global.bits)))
    }

    fn read(&self, address: u32, length: usize) -> Answer<Vec<u8>> {
        Ok(self.dump.read(address, length))
    }

    fn write(&self, _: u32, _: &[u8]) -> Answer<bool> {
        output::note("a core dump cannot be changed");
        Ok(false)
    }

    fn go(&self, _: Go) -> Answer<()> {
        output::note(
            "the app of a core dump has ended and cannot go on; look at it, and leave with `detach` or `quit`",
        );
        self.stop();
        let _ = self.events.send(Event::Stopped);
        Ok(())
    }

    fn left(&self) {
        *self.link.ended() = Some(0);
    }

    fn interrupt(&self) {}

    fn kill(&self) {
        self.left();
    }
}

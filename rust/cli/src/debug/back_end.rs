// SPDX-License-Identifier: Apache-2.0
//! What stands behind the server: an app in this process, or one on a device.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{channel, Sender};
use std::sync::Arc;

use wisp_engine::{ValType, View, Watched};

use super::{Command, Go, Link};
use crate::output;

/// The guest is gone, which only the end of the run explains.
pub const GONE: &str = "the app does not answer";

/// Holds what was asked for, or why there is no answer.
pub type Answer<T> = Result<T, &'static str>;

/// An app that a debugger looks at while it is held.
pub trait BackEnd: Send {
    /// Returns the frames, innermost first.
    fn frames(&self) -> Answer<Vec<Watched>>;

    /// Returns a slot of a frame that [`BackEnd::frames`] gave.
    fn slot(&self, frame: Watched, slot: u32) -> Answer<Option<u32>>;

    /// Returns the number of slots and the bits of a global.
    fn global(&self, index: usize) -> Answer<Option<(usize, u64)>>;

    /// Returns bytes of linear memory, as many of them as there are.
    fn read(&self, address: u32, length: usize) -> Answer<Vec<u8>>;

    /// Writes bytes of linear memory. Returns false if some of them do not exist.
    fn write(&self, address: u32, bytes: &[u8]) -> Answer<bool>;

    /// Lets the app go on.
    fn go(&self, go: Go) -> Answer<()>;

    /// Returns true if the app can go back.
    fn goes_back(&self) -> bool {
        false
    }

    /// Notes that the debugger has left.
    fn left(&self) {
        let _ = self.go(Go::default());
    }

    /// Makes a running app stop at its next step.
    fn interrupt(&self);

    /// Ends the app at its next step, and a wait of the host that it is in.
    fn kill(&self);
}

/// An app in another thread of this process.
pub struct Desk {
    link: Arc<Link>,
    commands: Sender<Command>,
    /// It replays a recording.
    replays: bool,
}

impl Desk {
    /// Returns the app whose thread takes these commands.
    pub fn new(link: Arc<Link>, commands: Sender<Command>, replays: bool) -> Self {
        Self { link, commands, replays }
    }

    /// Lets the guest's thread look at the guest, and returns what it saw.
    fn look<R: Send + 'static>(&self, look: impl FnOnce(&View<'_>) -> R + Send + 'static) -> Answer<R> {
        let (answer, answered) = channel();
        let look = move |view: &View<'_>| drop(answer.send(look(view)));
        match self.commands.send(Command::Look(Box::new(look))) {
            Ok(()) => answered.recv().map_err(|_| GONE),
            Err(_) => Err(GONE),
        }
    }
}

impl BackEnd for Desk {
    fn frames(&self) -> Answer<Vec<Watched>> {
        self.look(|view| view.frames().collect())
    }

    fn slot(&self, frame: Watched, slot: u32) -> Answer<Option<u32>> {
        self.look(move |view| view.slot(&frame, slot))
    }

    fn global(&self, index: usize) -> Answer<Option<(usize, u64)>> {
        let slots = |(ty, bits): (ValType, u64)| (ty.slots(), bits);
        self.look(move |view| view.global(index).map(slots))
    }

    fn read(&self, address: u32, length: usize) -> Answer<Vec<u8>> {
        self.look(move |view| {
            let mut bytes = vec![0; length];
            let count = view.read(address, &mut bytes);
            bytes.truncate(count);
            bytes
        })
    }

    fn write(&self, address: u32, bytes: &[u8]) -> Answer<bool> {
        if self.replays {
            output::note("the memory of a replay cannot be changed: it would not go back to where it was");
            return Ok(false);
        }
        let bytes = bytes.to_vec();
        self.look(move |view| view.write(address, &bytes))
    }

    fn go(&self, go: Go) -> Answer<()> {
        self.commands.send(Command::Go(go)).map_err(|_| GONE)
    }

    fn goes_back(&self) -> bool {
        self.replays
    }

    fn interrupt(&self) {
        self.link.pause.store(true, Ordering::SeqCst);
    }

    fn kill(&self) {
        self.link.killed.store(true, Ordering::SeqCst);
        self.link.pause.store(true, Ordering::SeqCst);
        let _ = self.commands.send(Command::Kill);
        if let Some(stopper) = self.link.stopper.get() {
            stopper.stop();
        }
    }
}

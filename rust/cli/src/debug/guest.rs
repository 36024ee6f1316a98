// SPDX-License-Identifier: Apache-2.0
//! The guest's side: when it stops, and what it does while it stands still.

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::time::Duration;

use wisp_compiler::DebugMap;
use wisp_engine::{Observer, RawTrap, TrapCode, View};

use super::{Command, Event, Go, Link, Stop};
use crate::exit;

/// A step begins at this code offset.
const STEP: u8 = 1;
/// A breakpoint is there.
const BREAK: u8 = 2;
/// Numbers of signals, as POSIX systems have them.
const SIGINT: u8 = 2;
const SIGTRAP: u8 = 5;

/// Between two looks whether the debugger is still there.
const INTERVAL: Duration = Duration::from_millis(50);

/// Stops a guest for a debugger.
pub struct Guest {
    /// By word of the code: [`STEP`] and [`BREAK`].
    marks: Vec<Cell<u8>>,
    link: Arc<Link>,
    step: Cell<bool>,
    commands: Receiver<Command>,
    events: Sender<Event>,
}

impl Guest {
    /// Returns a guest that stops at its first step.
    pub fn new(map: &DebugMap, link: Arc<Link>, commands: Receiver<Command>, events: Sender<Event>) -> Self {
        let steps = || map.functions.iter().flat_map(|function| &function.steps).map(|step| step.0 as usize / 2);
        let marks = vec![Cell::new(0); steps().max().map_or(0, |last| last + 1)];
        steps().for_each(|at| marks[at].set(STEP));
        Self { marks, link, step: Cell::new(false), commands, events }
    }

    /// Returns true if the debugger ended the guest.
    pub fn was_killed(&self) -> bool {
        self.link.killed.load(Ordering::SeqCst)
    }

    /// Reports the stop to the debugger, and carries out its requests until it lets the guest go on. Before the first
    /// debugger is there, waits for it. Without the last one that was there, the guest goes on.
    #[cold]
    fn stop(&self, view: &View<'_>, signal: u8, at_breakpoint: bool) -> RawTrap {
        // what was sent while the guest ran is about an earlier stop
        self.commands.try_iter().for_each(drop);
        if self.was_killed() {
            return RawTrap::of(TrapCode::Interrupted);
        }
        *self.link.held() = Some(Stop { signal, at_breakpoint });
        self.link.pause.store(false, Ordering::SeqCst);
        let _ = self.events.send(Event::Stopped);
        while !self.is_alone() {
            match self.commands.recv_timeout(INTERVAL) {
                Ok(Command::Look(look)) => look(view),
                Ok(Command::Go(go)) => {
                    self.go(&go);
                    return RawTrap::NONE;
                }
                Ok(Command::Kill) => return RawTrap::of(TrapCode::Interrupted),
                Err(RecvTimeoutError::Timeout) => {}
                // nobody is left who could let the guest go on
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.go(&Go::default());
        RawTrap::NONE
    }

    /// Returns true if the debugger has left. Then the guest does not count as held any more.
    fn is_alone(&self) -> bool {
        let mut held = self.link.held();
        let connected = self.link.connected.load(Ordering::SeqCst);
        let alone = self.link.greeted.load(Ordering::SeqCst) && !connected;
        if alone {
            *held = None;
        }
        alone
    }

    fn go(&self, go: &Go) {
        self.step.set(go.step);
        self.marks.iter().for_each(|mark| mark.set(mark.get() & !BREAK));
        for &at in &go.breakpoints {
            if let Some(mark) = self.marks.get(at as usize / 2) {
                mark.set(mark.get() | BREAK);
            }
        }
    }
}

impl Observer for Guest {
    fn before(&self, view: &View<'_>) -> RawTrap {
        let mark = self.marks.get(view.offset() as usize / 2).map_or(0, Cell::get);
        let paused = self.link.pause.load(Ordering::Relaxed);
        if mark == 0 || (mark == STEP && !self.step.get() && !paused) {
            return RawTrap::NONE;
        }
        let at_breakpoint = mark & BREAK != 0;
        let asked = paused && !at_breakpoint && !self.step.get();
        self.stop(view, if asked { SIGINT } else { SIGTRAP }, at_breakpoint)
    }

    fn trapped(&self, view: &View<'_>, code: RawTrap) {
        let Some(code) = code.code() else { return };
        if !matches!(code, TrapCode::Exit | TrapCode::Interrupted) {
            // codes of the process are 128 and the signal
            self.stop(view, exit::of_trap(code) - 128, false);
        }
    }
}

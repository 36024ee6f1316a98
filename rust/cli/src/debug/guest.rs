// SPDX-License-Identifier: Apache-2.0
//! The guest's side: when it stops, and what it does while it stands still.

use std::cell::{Cell, OnceCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::time::Duration;

use wisp_compiler::DebugMap;
use wisp_engine::{Observer, RawTrap, TrapCode, View};

use super::history::{History, Then};
use super::{Command, Event, Go, Link, Stop};

/// A step begins at this code offset.
const STEP: u8 = 1;
/// A breakpoint is there.
const BREAK: u8 = 2;

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
    /// Keeps the past of a guest that replays a recording.
    history: OnceCell<History>,
    /// Set by somebody who wants an end.
    wanted: OnceCell<Arc<AtomicBool>>,
}

impl Guest {
    /// Returns a guest that stops at its first step.
    pub fn new(map: &DebugMap, link: Arc<Link>, commands: Receiver<Command>, events: Sender<Event>) -> Self {
        let steps = || map.functions.iter().flat_map(|function| &function.steps).map(|step| step.0 as usize / 2);
        let marks = vec![Cell::new(0); steps().max().map_or(0, |last| last + 1)];
        steps().for_each(|at| marks[at].set(STEP));
        Self {
            marks,
            link,
            step: Cell::new(false),
            commands,
            events,
            history: OnceCell::new(),
            wanted: OnceCell::new(),
        }
    }

    /// Returns true if the debugger ended the guest.
    pub fn was_killed(&self) -> bool {
        self.link.killed.load(Ordering::SeqCst)
    }

    /// Lets somebody end the guest while it stands still.
    pub fn end_when(&self, wanted: Arc<AtomicBool>) {
        // a run has one
        let _ = self.wanted.set(wanted);
    }

    /// Keeps what the guest does, which replays a recording, so that the debugger can go back.
    pub fn keep_history(&self, history: History) {
        // a run has one
        let _ = self.history.set(history);
    }

    /// Reports the stop to the debugger, and carries out its requests until it lets the guest go on. Before the first
    /// debugger is there, waits for it. Without the last one that was there, the guest goes on.
    #[cold]
    fn stop(&self, view: &View<'_>, stop: Stop, trapped: bool) -> RawTrap {
        // what was sent while the guest ran is about an earlier stop
        self.commands.try_iter().for_each(drop);
        if self.was_killed() {
            return RawTrap::of(TrapCode::Interrupted);
        }
        self.report(stop);
        while !self.is_alone() {
            if self.wanted.get().is_some_and(|wanted| wanted.load(Ordering::Relaxed)) {
                return RawTrap::of(TrapCode::Interrupted);
            }
            match self.commands.recv_timeout(INTERVAL) {
                Ok(Command::Look(look)) => look(view),
                Ok(Command::Go(go)) => {
                    self.go(&go);
                    let stays = |history: &History| !history.go_back(view, go.step, trapped);
                    if !go.back || !self.history.get().is_none_or(stays) {
                        return RawTrap::NONE;
                    }
                    self.report(Stop::Beginning);
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

    fn report(&self, stop: Stop) {
        *self.link.held() = Some(stop);
        self.link.pause.store(false, Ordering::SeqCst);
        let _ = self.events.send(Event::Stopped);
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
        if mark == 0 {
            return RawTrap::NONE;
        }
        let paused = self.link.pause.load(Ordering::Relaxed);
        let at_breakpoint = mark & BREAK != 0;
        match self.history.get().map_or(Then::AsOrdered, |history| history.step(view, at_breakpoint, paused)) {
            Then::AsOrdered => {}
            Then::Go => return RawTrap::NONE,
            Then::Stop(stop) => return self.stop(view, stop, false),
        }
        let stop = match (at_breakpoint, self.step.get()) {
            (true, _) => Stop::Breakpoint,
            (false, true) => Stop::STEP,
            (false, false) if paused => Stop::ASKED,
            _ => return RawTrap::NONE,
        };
        self.stop(view, stop, false)
    }

    fn trapped(&self, view: &View<'_>, code: RawTrap) {
        let stop = match code.code() {
            None => return,
            // the end of a replay, from where it can go back
            Some(TrapCode::Exit | TrapCode::Interrupted) if self.history.get().is_some() => Stop::End,
            Some(TrapCode::Exit | TrapCode::Interrupted) => return,
            Some(code) => Stop::of_trap(code),
        };
        self.stop(view, stop, true);
    }
}

// SPDX-License-Identifier: Apache-2.0
//! The way back of a replay: a snapshot of what came before, from which the guest runs again to the place that is wanted.
//!
//! A place is the number of steps that have begun. A replay does the same again, so that it passes the same places.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wisp_engine::{Snapshot, View};

use super::Stop;
use crate::replay::{Place, Player};

#[cfg(test)]
mod tests;

/// Steps from one snapshot to the next, as long as there are few of them.
pub const DISTANCE: u64 = 1 << 14;
/// Number of snapshots, up to which none is given up.
const MOST: usize = 32;
/// Bytes of snapshots, up to which none is given up. Two of them always stay.
const MOST_BYTES: usize = 256 << 20;

/// A place to which the guest can go back.
struct Kept {
    /// Number of the step in front of which it was taken.
    at: u64,
    snapshot: Snapshot,
    /// Place in the recording.
    place: Place,
}

/// Says what the guest does until it stops.
#[derive(Clone, Copy)]
enum Way {
    /// It goes forward, as the debugger said.
    Forward,
    /// It runs again up to a step, where it stops.
    To(u64, Stop),
    /// It runs again from the snapshot with this index, up to the step in front of `end`. `last` is the last step with a
    /// breakpoint that it has passed.
    Search { from: usize, end: u64, last: Option<u64> },
}

/// Says what becomes of a guest that is at a step.
pub enum Then {
    /// The debugger's orders hold.
    AsOrdered,
    /// It goes on.
    Go,
    /// It stops.
    Stop(Stop),
}

/// Keeps what a replay has done, for a debugger that goes back.
pub struct History {
    player: Rc<Player>,
    /// Number of steps that have begun.
    now: Cell<u64>,
    way: Cell<Way>,
    distance: Cell<u64>,
    /// In the order of their steps. The first one is that of the first step.
    kept: RefCell<Vec<Kept>>,
}

impl History {
    /// Returns the history of a replay that has not begun. Takes a snapshot every `distance` steps, until there are too many.
    pub fn new(player: Rc<Player>, distance: u64) -> Self {
        Self {
            player,
            now: Cell::new(0),
            way: Cell::new(Way::Forward),
            distance: Cell::new(distance),
            kept: RefCell::default(),
        }
    }

    /// Notes that the guest is at a step, where a breakpoint may be. Says what becomes of it. It may stand elsewhere
    /// afterwards, and then goes on from there.
    pub fn step(&self, view: &View<'_>, at_breakpoint: bool, paused: bool) -> Then {
        let now = self.now.get() + 1;
        self.now.set(now);
        match self.way.get() {
            Way::Forward => {
                self.keep(view, now);
                return Then::AsOrdered;
            }
            // the debugger's wish to stop ends a long way: each place on it is one of the replay
            _ if paused => {}
            Way::To(step, stop) if step == now => {
                self.way.set(Way::Forward);
                return Then::Stop(stop);
            }
            Way::To(..) => return Then::Go,
            Way::Search { from, end, last } => {
                let last = if at_breakpoint { Some(now) } else { last };
                match last {
                    _ if now + 1 < end => self.way.set(Way::Search { from, end, last }),
                    Some(step) if step == now => {
                        self.way.set(Way::Forward);
                        return Then::Stop(Stop::Breakpoint);
                    }
                    Some(step) => self.run_again(view, from, Way::To(step, Stop::Breakpoint)),
                    None => self.search(view, self.kept.borrow()[from].at),
                }
                return Then::Go;
            }
        }
        self.way.set(Way::Forward);
        Then::AsOrdered
    }

    /// Goes back by one step, or to the last breakpoint in front of the guest, which stands still at a step or where it
    /// trapped. Returns false if it stands at the first step.
    pub fn go_back(&self, view: &View<'_>, step: bool, trapped: bool) -> bool {
        // a guest that trapped has begun the step that it stands at
        let end = self.now.get() + u64::from(trapped);
        if end <= 1 {
            return false;
        }
        match step {
            true => self.run_again(view, self.before(end), Way::To(end - 1, Stop::STEP)),
            false => self.search(view, end),
        }
        true
    }

    /// Returns the index of the last snapshot in front of a step.
    fn before(&self, end: u64) -> usize {
        self.kept.borrow().partition_point(|kept| kept.at < end).saturating_sub(1)
    }

    /// Looks for the last breakpoint in front of a step, or else for the first step of all.
    fn search(&self, view: &View<'_>, end: u64) {
        match end {
            0 | 1 => self.run_again(view, 0, Way::To(1, Stop::Beginning)),
            _ => {
                let from = self.before(end);
                self.run_again(view, from, Way::Search { from, end, last: None });
            }
        }
    }

    /// Puts the guest back to a snapshot, from where it goes a way.
    fn run_again(&self, view: &View<'_>, from: usize, way: Way) {
        let kept = self.kept.borrow();
        let Some(kept) = kept.get(from) else { return };
        // SAFETY: a history is that of one guest, in one store, and the observer that keeps it looks at the guest.
        #[allow(unsafe_code)]
        let is_back = unsafe { view.go_back(&kept.snapshot) };
        if is_back {
            self.player.go_to(kept.place);
            // it comes to this step next
            self.now.set(kept.at - 1);
            self.way.set(way);
        }
    }

    /// Takes a snapshot if the last one is far away. If there are too many, gives up every second one.
    fn keep(&self, view: &View<'_>, now: u64) {
        let mut kept = self.kept.borrow_mut();
        if kept.last().is_some_and(|last| now < last.at + self.distance.get()) {
            return;
        }
        kept.push(Kept { at: now, snapshot: view.snapshot(), place: self.player.place() });
        let bytes = |kept: &[Kept]| kept.iter().map(|kept| kept.snapshot.bytes()).sum::<usize>();
        while kept.len() > MOST || (kept.len() > 2 && bytes(&kept) > MOST_BYTES) {
            let mut index = 0;
            kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.distance.set(self.distance.get() * 2);
        }
    }
}

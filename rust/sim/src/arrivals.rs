// SPDX-License-Identifier: Apache-2.0
//! What arrives by itself at a serial port, an input device, a CAN bus or a radio: a script, a queue in which it waits, and the
//! event that tells of it. An event is raised when something waits, and once more after the app has taken all.

use crate::error::Error;
use crate::platform::SimPlatform;
use std::collections::VecDeque;
use toml::Spanned;
use wisp_abi::Errno;
use wisp_host::platform::{Clock, Kind};
use wisp_host::Interrupted;

/// A step of a script.
pub(crate) trait Step {
    /// Returns the milliseconds since boot, with fractions.
    fn at_ms(&self) -> f64;

    /// Returns the microseconds since boot.
    fn at_us(&self) -> u64 {
        (self.at_ms() * 1000.0).round() as u64
    }
}

/// Checks that the times of a script do not go back, and each step by `check`, which returns what is wrong with it.
pub(crate) fn check_script<S: Step>(
    text: &str,
    key: &str,
    script: &[Spanned<S>],
    check: impl Fn(&S) -> Result<(), String>,
) -> Result<(), Error> {
    let mut last = 0.0;
    for step in script {
        let at_ms = step.get_ref().at_ms();
        let order = if at_ms.is_finite() && at_ms >= last {
            Ok(())
        } else {
            Err(format!("at_ms = {at_ms}, expected a time not before {last}"))
        };
        order
            .and_then(|()| check(step.get_ref()))
            .map_err(|message| Error::at(text, Some(step.span()), format!("{key}.script: {message}")))?;
        last = at_ms;
    }
    Ok(())
}

/// A script of steps `S`, and the queue of what they bring.
#[derive(Debug)]
pub(crate) struct Arrivals<S, T> {
    /// The steps that are still to come.
    script: VecDeque<S>,
    capacity: usize,
    open: bool,
    queue: VecDeque<T>,
    lost: u32,
    watched: bool,
    /// An event told of what is there.
    told: bool,
}

impl<S: Step, T> Arrivals<S, T> {
    /// Makes an empty queue, in which so many wait at most.
    pub(crate) fn new(script: Vec<Spanned<S>>, capacity: usize) -> Self {
        let script = script.into_iter().map(Spanned::into_inner).collect();
        Arrivals { script, capacity, open: false, queue: VecDeque::new(), lost: 0, watched: false, told: false }
    }

    /// Begins to hear what comes. Nobody heard what came while it was closed.
    pub(crate) fn open(&mut self, now_us: u64) {
        while self.script.front().is_some_and(|step| step.at_us() <= now_us) {
            self.script.pop_front();
        }
        self.open = true;
        self.clear();
    }

    /// Ends hearing, and drops what waits.
    pub(crate) fn close(&mut self) {
        self.open = false;
        self.clear();
    }

    /// Drops what waits and forgets what was lost.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        (self.lost, self.told) = (0, false);
    }

    /// Takes the next step out of the script.
    pub(crate) fn step(&mut self) -> Option<S> {
        self.script.pop_front()
    }

    /// Queues one, or counts it as lost.
    pub(crate) fn put(&mut self, arrived: T) {
        if self.queue.len() == self.capacity {
            self.lost = self.lost.saturating_add(1);
        } else {
            self.queue.push_back(arrived);
        }
    }

    /// Returns the oldest of those that wait and are looked for.
    pub(crate) fn find_waiting(&mut self, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        self.queue.iter_mut().find(|waiting| is_it(waiting))
    }

    /// Returns true if what comes is heard.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Returns true if another one finds room.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.len() < self.capacity
    }

    /// Queues one that no script has. Nobody hears it while this is closed.
    pub(crate) fn hear(&mut self, arrived: T) {
        if self.open {
            self.put(arrived);
        }
    }

    /// Takes the oldest.
    pub(crate) fn take(&mut self) -> Option<T> {
        let taken = self.queue.pop_front();
        self.told &= !self.queue.is_empty();
        taken
    }

    /// Returns how many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Returns how many were lost since the last call.
    pub(crate) fn take_lost(&mut self) -> u32 {
        std::mem::take(&mut self.lost)
    }
}

/// Raises an event when something waits.
pub(crate) trait Source {
    /// Returns the time at which something comes next, if it is open to receive it.
    fn next_us(&self) -> Option<u64>;

    /// Selects whether there are events.
    fn watch(&mut self, on: bool);

    /// Returns true, once, if an event is due.
    fn tell(&mut self) -> bool;

    /// Takes note that the event found no room.
    fn untold(&mut self);
}

impl<S: Step, T> Source for Arrivals<S, T> {
    fn next_us(&self) -> Option<u64> {
        self.script.front().filter(|_| self.open).map(Step::at_us)
    }

    fn watch(&mut self, on: bool) {
        (self.watched, self.told) = (on, false);
    }

    fn tell(&mut self) -> bool {
        let due = self.watched && !self.told && !self.queue.is_empty();
        self.told |= due;
        due
    }

    fn untold(&mut self) {
        self.told = false;
    }
}

impl SimPlatform {
    /// Returns what raises this kind of event, if it has a script and a queue.
    fn source(&mut self, kind: Kind) -> Option<&mut dyn Source> {
        let devices = &mut self.devices;
        match kind {
            Kind::Uart(uart) => devices.uart.get_mut(uart as usize).map(|port| &mut port.arrivals as &mut dyn Source),
            Kind::Input(input) => devices.input.get_mut(input as usize).map(|found| &mut found.arrivals as _),
            Kind::Can(can) => devices.can.get_mut(can as usize).map(|bus| &mut bus.arrivals as _),
            Kind::Ble => Some(&mut self.ble.arrivals as _),
            Kind::BleWritten => Some(&mut self.ble.writes as _),
            Kind::Edge { .. } | Kind::Alarm(_) | Kind::Message(_) | Kind::Net { .. } => None,
        }
    }

    /// Selects whether a source raises events, and drops what the queue of events holds of it.
    pub(crate) fn watch_source(&mut self, kind: Kind, on: bool) -> Result<(), Errno> {
        self.collect_events();
        self.queue.retain(|queued| queued != kind);
        self.source(kind).ok_or(Errno::BadHandle)?.watch(on);
        self.raise(kind);
        Ok(())
    }

    /// Queues the event of a source if it is due.
    pub(crate) fn raise(&mut self, kind: Kind) {
        let now = self.now_us();
        if self.source(kind).is_some_and(Source::tell) && !self.queue.push(now, kind) {
            self.untold_source(kind);
        }
    }

    /// Takes note that the event of a source found no room.
    pub(crate) fn untold_source(&mut self, kind: Kind) {
        if let Some(source) = self.source(kind) {
            source.untold();
        }
    }

    /// Waits until something arrives at a source. Returns false if the time is over.
    pub(crate) fn wait_for_source(&mut self, kind: Kind, until_us: u64) -> Result<bool, Interrupted> {
        let now = self.now_us();
        if until_us <= now {
            return Ok(false);
        }
        // touches are looked for
        let most = if self.panel.is_some() { until_us.min(now + crate::net::POLL_US) } else { until_us };
        let next = self.source(kind).and_then(|source| source.next_us()).unwrap_or(u64::MAX).min(most);
        self.sleep_us(next.saturating_sub(now).max(1))?;
        self.collect_events();
        Ok(true)
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Waiting for whatever happens first.

use crate::abi::{event, net, timer};
use crate::record::number;
use crate::timeout::ms;
use crate::{Errno, Error};
use core::time::Duration;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When, since boot.
    pub time: Duration,
    /// The kind of the event, with its details.
    pub kind: EventKind,
    /// The number of events that were dropped since the last one, because the app was too slow.
    pub lost: u32,
}

/// The cause of an [`Event`]. Sources compare with [`crate::Input::source`] and its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A [`Timer`] ran out, so often since it was last told.
    Timer {
        /// Its number.
        timer: u32,
        /// At least 1.
        count: u32,
    },
    /// A watched pin changed.
    Edge {
        /// [`crate::Input::source`].
        pin: u32,
        /// The new level.
        active: bool,
    },
    /// A UART received something.
    Uart(u32),
    /// A message arrived on a channel whose queue was empty: [`crate::Subscriber::source`].
    Message(u32),
    /// The alarm of a counter: [`crate::Counter::source`].
    Alarm(u32),
    /// A socket became ready: [`crate::TcpStream::watch`] and its like.
    Net {
        /// [`crate::TcpStream::source`] and its like.
        socket: u32,
        /// Something can be received or accepted, or the connection has ended.
        readable: bool,
        /// Bytes can be sent, or an attempt to connect has ended.
        writable: bool,
    },
    /// An input device reported something: [`crate::InputDevice::source`].
    Input(u32),
    /// A CAN bus received a frame: [`crate::CanBus::source`].
    Can(u32),
    /// Bluetooth received an advertisement: [`crate::Scanner::watch`].
    Ble,
    /// A client has written a value by Bluetooth: [`crate::GattService::watch`].
    BleWritten,
    /// Something that this version of the crate does not know.
    Other(u32),
}

impl Event {
    fn from_record(record: &[u8; event::EVENT_SIZE]) -> Self {
        let [kind, source, value, lost] = [8, 12, 16, 20].map(|at| number(record, at, 4) as u32);
        let kind = match kind {
            event::TIMER => EventKind::Timer { timer: source, count: value },
            event::EDGE => EventKind::Edge { pin: source, active: value != 0 },
            event::UART => EventKind::Uart(source),
            event::MESSAGE => EventKind::Message(source),
            event::ALARM => EventKind::Alarm(source),
            event::NET => EventKind::Net {
                socket: source,
                readable: value & net::READABLE != 0,
                writable: value & net::WRITABLE != 0,
            },
            event::INPUT => EventKind::Input(source),
            event::CAN => EventKind::Can(source),
            event::BLE if source == 0 => EventKind::Ble,
            event::BLE => EventKind::BleWritten,
            other => EventKind::Other(other),
        };
        Event { time: Duration::from_micros(number(record, 0, 8)), kind, lost }
    }
}

fn wait(timeout: u32) -> Option<Event> {
    loop {
        match event::wait(timeout) {
            Ok(record) => return Some(Event::from_record(&record)),
            // The one error there is: for a wait without end no reason to return.
            Err(Errno::TimedOut) if timeout == event::FOREVER => {}
            Err(_) => return None,
        }
    }
}

/// Takes the next event, waiting for it without limit. The CPU is free for others.
///
/// # Panics
/// If the firmware has no events.
pub fn next_event() -> Event {
    wait(event::FOREVER).expect("the firmware has no events: CONFIG_WISP_EVENT")
}

/// Takes the next event, waiting for it this long, rounded up to milliseconds. Returns `None` if nothing
/// happens.
pub fn event_within(timeout: Duration) -> Option<Event> {
    // 49 days are near enough to for ever to look again then.
    wait(ms(timeout).min(event::FOREVER - 1))
}

/// One of the app's timers, whose expiry is an [`Event`]. Stopped when dropped.
#[derive(Debug)]
pub struct Timer(u32);

impl Timer {
    /// Returns the timer with this number, below [`timer::TIMERS`].
    ///
    /// # Errors
    /// `EINVAL` if there is none.
    pub fn new(number: u32) -> Result<Self, Error> {
        timer::cancel(number)?;
        Ok(Timer(number))
    }

    /// Returns the number that events of this timer carry.
    pub fn source(&self) -> u32 {
        self.0
    }

    /// Lets it run out once.
    pub fn after(&mut self, delay: Duration) {
        self.start(delay, Duration::ZERO);
    }

    /// Lets it run out again and again, first after one period.
    pub fn every(&mut self, period: Duration) {
        self.start(period, period);
    }

    /// Stops it, and drops what was not delivered yet.
    pub fn cancel(&mut self) {
        // `new` found that it exists.
        let _ = timer::cancel(self.0);
    }

    fn start(&mut self, delay: Duration, period: Duration) {
        let us = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        // As in `cancel`.
        let _ = timer::start(self.0, us(delay), us(period));
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_the_host_writes_them() {
        let mut record = [0; event::EVENT_SIZE];
        record[0..8].copy_from_slice(&1_500_000u64.to_le_bytes());
        for (at, number) in [(8, event::EDGE), (12, 3), (16, 1), (20, 0x0102_0304)] {
            record[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let kind = EventKind::Edge { pin: 3, active: true };
        let expected = Event { time: Duration::from_millis(1500), kind, lost: 0x0102_0304 };
        assert_eq!(Event::from_record(&record), expected);
        record[8] = event::TIMER as u8;
        assert_eq!(Event::from_record(&record).kind, EventKind::Timer { timer: 3, count: 1 });
        record[8] = event::ALARM as u8;
        assert_eq!(Event::from_record(&record).kind, EventKind::Alarm(3));
        record[8] = event::NET as u8;
        assert_eq!(Event::from_record(&record).kind, EventKind::Net { socket: 3, readable: true, writable: false });
        record[8] = 99;
        assert_eq!(Event::from_record(&record).kind, EventKind::Other(99));
    }

    #[test]
    fn without_a_host_there_are_neither_events_nor_timers() {
        assert_eq!(event_within(Duration::from_secs(1)), None);
        assert!(Timer::new(0).is_err());
    }
}

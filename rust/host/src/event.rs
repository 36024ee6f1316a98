// SPDX-License-Identifier: Apache-2.0
//! `wisp:event@1`.

use crate::bindings::EventV1;
use crate::parts::put_words;
use crate::platform::Platform;
use crate::stop::{Failure, Interrupted};
use crate::App;
use wisp_abi::{event, net, Errno};

/// The cause of an [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A watched pin became active or inactive.
    Edge {
        /// The pin.
        pin: u32,
        /// Its new level.
        active: bool,
    },
    /// A UART received something.
    Uart(u32),
    /// A message arrived in the queue of a channel.
    Message(u32),
    /// The alarm of a counter is due.
    Alarm(u32),
    /// A watched socket became ready.
    Net {
        /// The socket.
        socket: u32,
        /// `READABLE` and `WRITABLE` of `wisp:net@1`.
        readiness: u32,
    },
    /// An input device reported something.
    Input(u32),
    /// A CAN bus received a frame.
    Can(u32),
    /// Bluetooth received an advertisement.
    Ble,
    /// A client has written a value by Bluetooth.
    BleWritten,
}

/// Something that happened on the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When, in microseconds since boot.
    pub time_us: u64,
    /// The cause of the event.
    pub kind: Kind,
    /// The number of events that were dropped since the last one that was taken.
    pub lost: u32,
}

/// The app's queue of events: bounded, filled by the board's interrupts.
pub trait Events {
    /// Takes the oldest event. If there is none, waits for one until this uptime in microseconds
    /// (`u64::MAX`: without end). A time that has passed means not to wait.
    ///
    /// # Errors
    /// [`Interrupted`] as soon as the app has to stop.
    fn next_event(&mut self, until_us: u64) -> Result<Option<Event>, Interrupted>;
}

const SIZE: usize = event::EVENT.size() as usize;

fn record(time_us: u64, numbers: [u32; 4]) -> [u8; SIZE] {
    let mut record = [0; SIZE];
    let (time, rest) = record.split_at_mut(8);
    time.copy_from_slice(&time_us.to_le_bytes());
    put_words(rest, numbers);
    record
}

impl<P: Platform> App<P> {
    fn due_timer(&mut self, now_us: u64) -> Option<[u8; SIZE]> {
        let expiry = self.timers.take_due(now_us)?;
        self.timer_was_last = true;
        Some(record(expiry.time_us, [event::TIMER, expiry.timer, expiry.count, 0]))
    }

    fn next_queued(&mut self, until_us: u64) -> Result<Option<[u8; SIZE]>, Failure<Errno>> {
        let next = self.platform.next_event(until_us).map_err(Failure::interrupted)?;
        Ok(next.map(|Event { time_us, kind, lost }| {
            self.timer_was_last = false;
            let (kind, source, value) = match kind {
                Kind::Edge { pin, active } => (event::EDGE, pin, u32::from(active)),
                Kind::Uart(uart) => (event::UART, uart, 0),
                Kind::Message(channel) => (event::MESSAGE, channel, 0),
                Kind::Alarm(counter) => (event::ALARM, counter, 0),
                Kind::Net { socket, readiness } => (event::NET, socket, readiness),
                Kind::Input(input) => (event::INPUT, input, 0),
                Kind::Can(can) => (event::CAN, can, 0),
                Kind::Ble => (event::BLE, 0, 0),
                Kind::BleWritten => (event::BLE, 1, 0),
            };
            record(time_us, [kind, source, value, lost])
        }))
    }
}

impl<P: Platform> EventV1 for App<P> {
    fn wait(&mut self, timeout: u32) -> Result<[u8; SIZE], Failure<Errno>> {
        let start = self.platform.uptime_us();
        let end = match timeout {
            event::FOREVER => u64::MAX,
            ms => start.saturating_add(u64::from(ms) * 1000),
        };
        let mut now = start;
        loop {
            let due = self.wake_session(now)?.or_else(|| self.wake_coap(now));
            if let Some(socket) = due {
                self.timer_was_last = false;
                return Ok(record(now, [event::NET, socket, net::READABLE, 0]));
            }
            // Neither a fast timer nor a bouncing pin may keep the other from being heard.
            if !self.timer_was_last {
                if let Some(found) = self.due_timer(now) {
                    return Ok(found);
                }
            }
            if let Some(found) = self.next_queued(0)? {
                return Ok(found);
            }
            if let Some(found) = self.due_timer(now) {
                return Ok(found);
            }
            if now >= end {
                return Err(Errno::TimedOut.into());
            }
            let until = end.min(self.timers.next_us()).min(self.session_wake_us()).min(self.coap_wake_us());
            if let Some(found) = self.next_queued(until)? {
                return Ok(found);
            }
            now = self.platform.uptime_us();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Kind};
    use crate::stop::Stop;
    use crate::testing::{Harness, EVENT};
    use wisp_abi::event::{ALARM, EDGE, FOREVER, MESSAGE, NET, TIMER, UART};

    const ETIMEDOUT: i32 = -116;
    const EFAULT: i32 = -14;

    /// Waits and reads the record: time, kind, source, value, lost.
    fn wait(harness: &mut Harness, timeout: u32) -> (u32, [u32; 4]) {
        assert_eq!(harness.event("wait", &[timeout, 64]), 0);
        assert_eq!(harness.u32_at(68), 0, "tests do not run that long");
        (harness.u32_at(64), [72, 76, 80, 84].map(|at| harness.u32_at(at)))
    }

    fn edge(time_us: u64, active: bool, lost: u32) -> Event {
        Event { time_us, kind: Kind::Edge { pin: 1, active }, lost }
    }

    #[test]
    fn without_an_event_the_wait_takes_its_time() {
        let mut harness = Harness::new();
        assert_eq!(harness.event("wait", &[0, 64]), ETIMEDOUT);
        assert_eq!(harness.app.platform().now_us, 0);
        assert_eq!(harness.event("wait", &[5, 64]), ETIMEDOUT);
        assert_eq!(harness.app.platform().now_us, 5000);
    }

    #[test]
    fn queued_events_come_in_order_and_tell_what_was_lost() {
        let mut harness = Harness::new();
        let uart = Event { time_us: 9, kind: Kind::Uart(0), lost: 0 };
        let message = Event { time_us: 10, kind: Kind::Message(5), lost: 0 };
        let alarm = Event { time_us: 11, kind: Kind::Alarm(6), lost: 0 };
        let ready = Event { time_us: 12, kind: Kind::Net { socket: 7, readiness: 3 }, lost: 0 };
        harness.app.platform_mut().events.extend([edge(7, true, 0), edge(8, false, 3), uart, message, alarm, ready]);
        assert_eq!(wait(&mut harness, 0), (7, [EDGE, 1, 1, 0]));
        assert_eq!(wait(&mut harness, FOREVER), (8, [EDGE, 1, 0, 3]));
        assert_eq!(wait(&mut harness, 0), (9, [UART, 0, 0, 0]));
        assert_eq!(wait(&mut harness, 0), (10, [MESSAGE, 5, 0, 0]));
        assert_eq!(wait(&mut harness, 0), (11, [ALARM, 6, 0, 0]));
        assert_eq!(wait(&mut harness, 0), (12, [NET, 7, 3, 0]));
        assert_eq!(harness.event("wait", &[0, 64]), ETIMEDOUT);
    }

    #[test]
    fn a_timer_ends_the_wait_at_its_time() {
        let mut harness = Harness::new();
        assert_eq!(harness.timer("start", &[2, 1500, 0, 0, 0]), 0);
        assert_eq!(wait(&mut harness, FOREVER), (1500, [TIMER, 2, 1, 0]));
        assert_eq!(harness.app.platform().now_us, 1500);
        assert_eq!(harness.event("wait", &[1, 64]), ETIMEDOUT, "once only");
    }

    #[test]
    fn a_wait_may_end_before_the_timer() {
        let mut harness = Harness::new();
        harness.timer("start", &[0, 3000, 0, 0, 0]);
        assert_eq!(harness.event("wait", &[2, 64]), ETIMEDOUT);
        assert_eq!(wait(&mut harness, 2), (3000, [TIMER, 0, 1, 0]));
    }

    #[test]
    fn a_slow_app_gets_one_event_for_many_periods() {
        let mut harness = Harness::new();
        harness.timer("start", &[0, 100, 0, 100, 0]);
        harness.app.platform_mut().now_us = 350;
        assert_eq!(wait(&mut harness, 0), (300, [TIMER, 0, 3, 0]));
        assert_eq!(wait(&mut harness, 1), (400, [TIMER, 0, 1, 0]));
    }

    #[test]
    fn timers_and_the_queue_take_turns() {
        let mut harness = Harness::new();
        harness.timer("start", &[0, 1, 0, 1, 0]);
        harness.app.platform_mut().now_us = 50;
        harness.app.platform_mut().events.extend([edge(1, true, 0), edge(2, false, 0)]);
        let mut kinds = std::vec::Vec::new();
        for _ in 0..4 {
            harness.app.platform_mut().now_us += 10;
            kinds.push(wait(&mut harness, 0).1[0]);
        }
        assert_eq!(kinds, [TIMER, EDGE, TIMER, EDGE]);
    }

    #[test]
    fn a_bad_pointer_takes_no_event() {
        let mut harness = Harness::new();
        harness.app.platform_mut().events.push_back(edge(7, true, 0));
        let size = harness.memory.len() as u32;
        for pointer in [size - 23, size, u32::MAX] {
            assert_eq!(harness.event("wait", &[0, pointer]), EFAULT);
        }
        assert_eq!(wait(&mut harness, 0).0, 7);
    }

    #[test]
    fn a_wait_is_interrupted_when_the_app_is_to_stop() {
        let mut harness = Harness::new();
        harness.app.platform_mut().stopped = true;
        assert_eq!(harness.call(EVENT, "wait", &[FOREVER, 64]), Err(Stop::Interrupted));
    }
}

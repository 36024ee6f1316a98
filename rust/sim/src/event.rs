// SPDX-License-Identifier: Apache-2.0
//! The app's queue of events, filled from the scripts of what it watches.

use crate::arrivals::Source;
use crate::platform::SimPlatform;
use std::collections::VecDeque;
use wisp_host::platform::{Clock, Event, Events, Kind};
use wisp_host::Interrupted;

/// Events that wait at most: as many as on a device without configuration.
const CAPACITY: usize = 8;

/// Events that happened and were not taken.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    events: VecDeque<Event>,
    lost: u32,
}

impl Queue {
    /// Returns false if there was no room.
    pub(crate) fn push(&mut self, time_us: u64, kind: Kind) -> bool {
        let fits = self.events.len() < CAPACITY;
        if fits {
            self.events.push_back(Event { time_us, kind, lost: 0 });
        } else {
            self.lost = self.lost.saturating_add(1);
        }
        fits
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        Some(Event { lost: std::mem::take(&mut self.lost), ..event })
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(Kind) -> bool) {
        self.events.retain(|event| keep(event.kind));
        if self.events.is_empty() {
            // no event is left that could tell of the lost ones
            self.lost = 0;
        }
    }
}

impl Events for SimPlatform {
    fn next_event(&mut self, until_us: u64) -> Result<Option<Event>, Interrupted> {
        self.collect_events();
        if let Some(event) = self.queue.pop() {
            return Ok(Some(event));
        }
        if self.net.is_watched() || self.panel.is_some() {
            return self.next_polled_event(until_us);
        }
        let until = self.next_event_us().unwrap_or(u64::MAX).min(until_us);
        if let Some(wait) = until.checked_sub(self.now_us()).filter(|wait| *wait > 0) {
            self.sleep_us(wait)?;
            self.collect_events();
        }
        Ok(self.queue.pop())
    }
}

impl SimPlatform {
    /// Waits for an event in small steps, since sockets of the workstation and touches are looked for.
    fn next_polled_event(&mut self, until_us: u64) -> Result<Option<Event>, Interrupted> {
        while let Some(wait) = until_us.checked_sub(self.now_us()).filter(|wait| *wait > 0) {
            self.sleep_us(wait.min(crate::net::POLL_US))?;
            self.collect_events();
            if let Some(event) = self.queue.pop() {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Queues what has happened by now, in the order of its time.
    pub(crate) fn collect_events(&mut self) {
        self.take_touches();
        self.collect_scripts(self.now_us());
        self.collect_net_events();
    }

    /// Queues what scripts and alarms bring until a time.
    pub(crate) fn collect_scripts(&mut self, until_us: u64) {
        while let Some((time, kind)) = self.first_event().filter(|(time, _)| *time <= until_us) {
            if self.heard(kind, time) && !self.queue.push(time, kind) {
                self.untold(kind);
            }
        }
    }

    fn next_event_us(&self) -> Option<u64> {
        self.first_event().map(|(time, _)| time)
    }

    /// Returns the first event that is not in the queue yet.
    fn first_event(&self) -> Option<(u64, Kind)> {
        let pins = (0u32..).zip(&self.devices.gpio);
        let edges = pins.filter_map(|(pin, watched)| {
            let (time, active) = watched.next_edge()?;
            Some((time, Kind::Edge { pin, active }))
        });
        let channels = (0u32..).zip(&self.devices.msg);
        let messages = channels.filter_map(|(index, channel)| Some((channel.next_us()?, Kind::Message(index))));
        let ports = (0u32..).zip(&self.devices.uart);
        let receptions = ports.filter_map(|(uart, port)| Some((port.arrivals.next_us()?, Kind::Uart(uart))));
        let counters = (0u32..).zip(&self.devices.counter);
        let alarms = counters.filter_map(|(index, counter)| Some((counter.next_us()?, Kind::Alarm(index))));
        let inputs = (0u32..).zip(&self.devices.input);
        let reports = inputs.filter_map(|(index, found)| Some((found.arrivals.next_us()?, Kind::Input(index))));
        let buses = (0u32..).zip(&self.devices.can);
        let frames = buses.filter_map(|(index, found)| Some((found.arrivals.next_us()?, Kind::Can(index))));
        let adverts = self.ble.arrivals.next_us().map(|time| (time, Kind::Ble));
        let devices = edges.chain(messages).chain(receptions).chain(alarms).chain(reports).chain(frames);
        let writes = self.ble.writes.next_us().map(|time| (time, Kind::BleWritten));
        devices.chain(adverts).chain(writes).min_by_key(|(time, _)| *time)
    }

    /// Records what happened, and returns true if the app is to be notified.
    fn heard(&mut self, kind: Kind, time_us: u64) -> bool {
        match kind {
            Kind::Edge { pin, .. } => {
                if let Some(pin) = self.devices.gpio.get_mut(pin as usize) {
                    pin.heard(time_us);
                }
                true
            }
            Kind::Alarm(counter) => {
                if let Some(counter) = self.devices.counter.get_mut(counter as usize) {
                    counter.expire();
                }
                true
            }
            Kind::Message(channel) => self.devices.msg.get_mut(channel as usize).is_some_and(|found| found.arrive()),
            Kind::Uart(uart) => self.devices.uart.get_mut(uart as usize).is_some_and(|port| {
                port.receive();
                port.arrivals.tell()
            }),
            Kind::Input(input) => self.devices.input.get_mut(input as usize).is_some_and(|found| {
                found.report();
                found.arrivals.tell()
            }),
            Kind::Can(can) => self.devices.can.get_mut(can as usize).is_some_and(|found| {
                found.receive();
                found.arrivals.tell()
            }),
            Kind::Ble => {
                self.hear_ble();
                self.ble.arrivals.tell()
            }
            Kind::BleWritten => {
                self.hear_ble_write();
                self.ble.writes.tell()
            }
            // no script has them
            Kind::Net { .. } => false,
        }
    }

    /// Takes note that the queue had no room: the next byte, message, report or frame tries again, as on a device.
    pub(crate) fn untold(&mut self, kind: Kind) {
        match kind {
            Kind::Uart(_) | Kind::Input(_) | Kind::Can(_) | Kind::Ble | Kind::BleWritten => self.untold_source(kind),
            Kind::Message(channel) => self.untold_msg(channel),
            // each of them is told once, or lost; of a socket, the app learns by `ready`
            Kind::Edge { .. } | Kind::Alarm(_) | Kind::Net { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, SimPlatform, TraceFormat};
    use wisp_host::platform::{Can, Clock, Edges, Event, Events, Gpio, Input, Kind, Msg, PinMode, Uart};
    use wisp_host::Interrupted;

    const BOARD: &str = r#"
        [board]
        duration_ms = 100
        [apps.a.gpio.button]
        script = [
          { at_ms = 1, active = true },
          { at_ms = 2, active = true },
          { at_ms = 3, active = false },
          { at_ms = 4, active = true },
        ]
        [apps.a.gpio.other]
        initial = true
        script = [{ at_ms = 3.5, active = false }]
    "#;

    fn platform(edges: [Edges; 2]) -> SimPlatform {
        let mut board = Board::from_toml(BOARD).unwrap();
        board.set_trace(Capture::new(), TraceFormat::Off);
        let mut app = board.platform("a");
        for (pin, edges) in (0..).zip(edges) {
            app.configure(pin, PinMode::Input).unwrap();
            app.watch(pin, edges).unwrap();
        }
        app
    }

    fn edge(time_us: u64, pin: u32, active: bool) -> Result<Option<Event>, Interrupted> {
        Ok(Some(Event { time_us, kind: Kind::Edge { pin, active }, lost: 0 }))
    }

    #[test]
    fn watched_edges_arrive_at_their_time_and_a_repeated_level_is_none() {
        let mut app = platform([Edges::Both, Edges::Both]);
        assert_eq!(app.next_event(999), Ok(None));
        assert_eq!(app.next_event(u64::MAX), edge(1000, 0, true));
        assert_eq!(app.now_us(), 1000);
        assert_eq!(app.next_event(u64::MAX), edge(3000, 0, false));
        assert_eq!(app.next_event(u64::MAX), edge(3500, 1, false));
        assert_eq!(app.next_event(u64::MAX), edge(4000, 0, true));
        assert_eq!(app.next_event(u64::MAX), Err(Interrupted), "nothing more until the end of the run");
        assert!(app.time_is_up());
    }

    #[test]
    fn only_the_edges_watched_for_are_told() {
        let mut app = platform([Edges::Inactive, Edges::Active]);
        assert_eq!(app.next_event(50_000), edge(3000, 0, false));
        assert_eq!(app.next_event(50_000), Ok(None));
        assert_eq!(app.now_us(), 50_000);
    }

    #[test]
    fn edges_before_the_watch_or_after_its_end_are_not_told() {
        let mut app = platform([Edges::None, Edges::None]);
        app.sleep_us(2500).unwrap();
        app.watch(0, Edges::Both).unwrap();
        app.sleep_us(1000).unwrap();
        app.collect_events();
        app.watch(0, Edges::Active).unwrap();
        assert_eq!(app.next_event(50_000), edge(4000, 0, true), "the one at 3 ms was dropped by the second watch");
    }

    #[test]
    fn a_full_queue_drops_the_newest_and_says_how_many() {
        let steps: String = (1..=20).map(|i| format!("{{ at_ms = {i}, active = {} }},", i % 2 == 1)).collect();
        let board = Board::from_toml(&format!("[apps.a.gpio.button]\nscript = [{steps}]\n")).unwrap();
        let mut app = board.platform("a");
        app.configure(0, PinMode::Input).unwrap();
        app.watch(0, Edges::Both).unwrap();
        app.sleep_us(10_500).unwrap();
        let first = app.next_event(0).unwrap().unwrap();
        assert_eq!((first.time_us, first.lost), (1000, 2));
        for time in 2..=8 {
            assert_eq!(app.next_event(0), edge(time * 1000, 0, time % 2 == 1));
        }
        assert_eq!(app.next_event(u64::MAX), edge(11_000, 0, true));
    }

    /// Runs a pin that fills the queue in the first 8 ms, and something that comes after that.
    fn flooded(other: &str) -> SimPlatform {
        let steps: String = (1..=8).map(|i| format!("{{ at_ms = {i}, active = {} }},", i % 2 == 1)).collect();
        let board = format!("[board]\nduration_ms = 100\n[apps.a.gpio.button]\nscript = [{steps}]\n{other}");
        let mut app = Board::from_toml(&board).unwrap().platform("a");
        app.configure(0, PinMode::Input).unwrap();
        app.watch(0, Edges::Both).unwrap();
        app
    }

    /// Takes the eight events that fitted, of which the first tells of `lost` others.
    fn drain(app: &mut SimPlatform, lost: u32) {
        for time in 1..=8 {
            let event = app.next_event(0).unwrap().unwrap();
            assert_eq!((event.time_us, event.lost), (time * 1000, if time == 1 { lost } else { 0 }));
        }
    }

    #[test]
    fn the_next_byte_tells_of_a_port_whose_event_found_the_queue_full() {
        let mut app =
            flooded("[apps.a.uart.modem]\nscript = [{ at_ms = 9, text = \"a\" }, { at_ms = 20, text = \"b\" }]\n");
        app.open_uart(0).unwrap();
        app.watch_uart(0, true).unwrap();
        app.sleep_us(10_000).unwrap();
        drain(&mut app, 1);
        assert_eq!(app.next_event(u64::MAX), Ok(Some(Event { time_us: 20_000, kind: Kind::Uart(0), lost: 0 })));
    }

    #[test]
    fn the_next_message_tells_of_a_channel_whose_event_found_the_queue_full() {
        let mut app = flooded(
            "[apps.a.msg.wish]\ndirection = \"subscribe\"\nsize = 1\n\
             script = [{ at_ms = 9, bytes = [1] }, { at_ms = 20, bytes = [2] }]\n",
        );
        app.open_msg(0).unwrap();
        app.sleep_us(10_000).unwrap();
        drain(&mut app, 1);
        assert_eq!(app.next_event(u64::MAX), Ok(Some(Event { time_us: 20_000, kind: Kind::Message(0), lost: 0 })));
    }

    #[test]
    fn the_next_report_tells_of_an_input_device_whose_event_found_the_queue_full() {
        let steps = "{ at_ms = 9, code = 1, value = 1 }, { at_ms = 20, code = 1, value = 0 }";
        let mut app = flooded(&format!("[apps.a.input.keys]\nscript = [{steps}]\n"));
        app.open_input(0).unwrap();
        app.watch_input(0, true).unwrap();
        app.sleep_us(10_000).unwrap();
        drain(&mut app, 1);
        assert_eq!(app.next_event(u64::MAX), Ok(Some(Event { time_us: 20_000, kind: Kind::Input(0), lost: 0 })));
    }

    #[test]
    fn the_next_frame_tells_of_a_bus_whose_event_found_the_queue_full() {
        let mut app = flooded("[apps.a.can.bus]\nscript = [{ at_ms = 9, id = 1 }, { at_ms = 20, id = 2 }]\n");
        app.open_can(0).unwrap();
        app.filter_can(0, 0, 0, false).unwrap();
        app.watch_can(0, true).unwrap();
        app.sleep_us(10_000).unwrap();
        drain(&mut app, 1);
        assert_eq!(app.next_event(u64::MAX), Ok(Some(Event { time_us: 20_000, kind: Kind::Can(0), lost: 0 })));
    }

    #[test]
    fn events_that_were_dropped_with_all_others_are_not_told_of() {
        let mut app = flooded("[apps.a.gpio.other]\nscript = [{ at_ms = 9, active = true }]\n");
        app.configure(1, PinMode::Input).unwrap();
        app.watch(1, Edges::Both).unwrap();
        app.sleep_us(10_000).unwrap();
        app.watch(0, Edges::None).unwrap();
        app.watch(1, Edges::None).unwrap();
        assert_eq!(app.queue.lost, 0);
    }
}

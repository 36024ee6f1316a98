// SPDX-License-Identifier: Apache-2.0
//! CAN buses: frames that are sent are traced, and those that come follow a script.

use crate::error::Error;
use crate::led::hex;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use std::collections::VecDeque;
use toml::Spanned;
use wisp_abi::{can, Errno};
use wisp_host::platform::{Can, Clock, Frame, Kind, ReceivedFrame};
use wisp_host::Interrupted;

/// Frames that wait at most, and filters: as many as on a device without configuration.
const CAPACITY: usize = 8;
const FILTERS: usize = 4;

/// A bus as a board file describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// True if the app gets the frames that it sends.
    loopback: bool,
    /// True if nobody acknowledges: a frame cannot be sent.
    off: bool,
    script: Vec<Spanned<Step>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Milliseconds since boot. Fractions allowed.
    at_ms: f64,
    id: u32,
    #[serde(default)]
    extended: bool,
    /// A remote frame asks for as many bytes as there are.
    #[serde(default)]
    remote: bool,
    #[serde(default)]
    bytes: Vec<u8>,
}

impl Step {
    fn at_us(&self) -> u64 {
        (self.at_ms * 1000.0).round() as u64
    }

    fn frame(&self) -> Frame {
        let mut data = [0; can::MAX_DATA as usize];
        if !self.remote {
            data.iter_mut().zip(&self.bytes).for_each(|(place, byte)| *place = *byte);
        }
        // The check found at most 8 bytes.
        let length = self.bytes.len() as u8;
        Frame { id: self.id, extended: self.extended, remote: self.remote, length, data }
    }
}

/// Checks what the types of a bus's description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    let mut last = 0.0;
    for step in &config.script {
        let Step { at_ms, id, extended, bytes, .. } = step.get_ref();
        let wrong = |message: String| Err(Error::at(text, Some(step.span()), format!("{key}.script: {message}")));
        if !at_ms.is_finite() || *at_ms < last {
            return wrong(format!("at_ms = {at_ms}, expected a time not before {last}"));
        }
        let bits = if *extended { 29 } else { 11 };
        if id >> bits != 0 {
            return wrong(format!("id = {id:#x}, expected {bits} bits (extended = true has 29)"));
        }
        if bytes.len() > can::MAX_DATA as usize {
            return wrong(format!("{} bytes, expected {} at most", bytes.len(), can::MAX_DATA));
        }
        last = *at_ms;
    }
    Ok(())
}

/// Returns the signal that a waveform viewer shows.
pub(crate) fn signal(_config: &Config) -> Option<Signal> {
    Some(Signal::text())
}

#[derive(Debug)]
struct Filter {
    id: u32,
    mask: u32,
    extended: bool,
}

/// A bus.
#[derive(Debug)]
pub(crate) struct Device {
    label: String,
    loopback: bool,
    off: bool,
    /// The frames that are still to come.
    script: VecDeque<Step>,
    open: bool,
    filters: Vec<Filter>,
    queue: VecDeque<(u64, Frame)>,
    lost: u32,
    watched: bool,
    /// An event told of what is there.
    told: bool,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        let Config { loopback, off, script } = config;
        let script = script.into_iter().map(Spanned::into_inner).collect();
        let (filters, queue) = (Vec::new(), VecDeque::new());
        Device { label, loopback, off, script, open: false, filters, queue, lost: 0, watched: false, told: false }
    }

    /// Returns the time at which a frame comes next, if the bus is open.
    pub(crate) fn next_us(&self) -> Option<u64> {
        self.script.front().filter(|_| self.open).map(Step::at_us)
    }

    /// Receives the next frame of the script.
    pub(crate) fn receive(&mut self) {
        if let Some(step) = self.script.pop_front() {
            self.take(step.at_us(), step.frame());
        }
    }

    fn take(&mut self, time_us: u64, frame: Frame) {
        let passes = |filter: &Filter| filter.extended == frame.extended && (filter.id ^ frame.id) & filter.mask == 0;
        if !self.filters.iter().any(passes) {
            return;
        }
        if self.queue.len() == CAPACITY {
            self.lost = self.lost.saturating_add(1);
        } else {
            self.queue.push_back((time_us, frame));
        }
    }

    /// Returns true, once, if an event is due.
    pub(crate) fn tell(&mut self) -> bool {
        let due = self.watched && !self.told && !self.queue.is_empty();
        self.told |= due;
        due
    }
}

/// Returns a frame in the notation of candump: `123#0102`, `12345678#R2`.
fn shown(frame: &Frame) -> String {
    let id = if frame.extended { format!("{:08X}", frame.id) } else { format!("{:03X}", frame.id) };
    let data = frame.data.get(..frame.length.into()).unwrap_or_default();
    match frame.remote {
        true => format!("{id}#R{}", frame.length),
        false => format!("{id}#{}", hex(data).to_uppercase()),
    }
}

impl SimPlatform {
    fn can(&mut self, can: u32) -> Option<&mut Device> {
        self.devices.can.get_mut(can as usize)
    }

    pub(crate) fn untold_can(&mut self, can: u32) {
        if let Some(found) = self.can(can) {
            found.told = false;
        }
    }

    fn raise_can_event(&mut self, can: u32) {
        let now = self.now_us();
        if self.can(can).is_some_and(Device::tell) && !self.queue.push(now, Kind::Can(can)) {
            self.untold_can(can);
        }
    }
}

impl Can for SimPlatform {
    fn find_can(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.can.iter().position(|can| can.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_can(&mut self, can: u32) -> Result<(), Errno> {
        let now = self.now_us();
        self.close_can(can);
        let found = self.can(can).ok_or(Errno::BadHandle)?;
        // Nobody heard what came while it was closed.
        while found.script.front().is_some_and(|step| step.at_us() <= now) {
            found.script.pop_front();
        }
        found.open = true;
        Ok(())
    }

    fn close_can(&mut self, can: u32) {
        let _ = self.watch_can(can, false);
        self.unfilter_can(can);
        if let Some(found) = self.can(can) {
            found.open = false;
        }
    }

    fn filter_can(&mut self, can: u32, id: u32, mask: u32, extended: bool) -> Result<(), Errno> {
        // What came until now did not pass it.
        self.collect_events();
        let found = self.can(can).ok_or(Errno::BadHandle)?;
        if found.filters.len() == FILTERS {
            return Err(Errno::NoSpace);
        }
        found.filters.push(Filter { id, mask, extended });
        Ok(())
    }

    fn unfilter_can(&mut self, can: u32) {
        self.collect_events();
        self.queue.retain(|kind| kind != Kind::Can(can));
        if let Some(found) = self.can(can) {
            found.filters.clear();
            found.queue.clear();
            (found.lost, found.told) = (0, false);
        }
    }

    fn receive_can(&mut self, can: u32, until_us: u64) -> Result<Option<ReceivedFrame>, Interrupted> {
        self.tick();
        loop {
            self.collect_events();
            let now = self.now_us();
            let Some(found) = self.can(can) else { return Ok(None) };
            if let Some((time_us, frame)) = found.queue.pop_front() {
                found.told &= !found.queue.is_empty();
                return Ok(Some(ReceivedFrame { time_us, frame, lost: std::mem::take(&mut found.lost) }));
            }
            if until_us <= now {
                return Ok(None);
            }
            let next = found.next_us().unwrap_or(u64::MAX).min(until_us);
            self.sleep_us(next.saturating_sub(now).max(1))?;
        }
    }

    fn send_can(&mut self, can: u32, frame: &Frame, _until_us: u64) -> Result<Result<(), Errno>, Interrupted> {
        self.tick();
        let now = self.now_us();
        let Some(found) = self.can(can) else { return Ok(Err(Errno::BadHandle)) };
        if found.off {
            return Ok(Err(Errno::Io));
        }
        let label = found.label.clone();
        if found.loopback {
            found.take(now, *frame);
        }
        self.trace("can", &label, &shown(frame), "");
        self.raise_can_event(can);
        Ok(Ok(()))
    }

    fn watch_can(&mut self, can: u32, on: bool) -> Result<(), Errno> {
        self.collect_events();
        self.queue.retain(|kind| kind != Kind::Can(can));
        let found = self.can(can).ok_or(Errno::BadHandle)?;
        (found.watched, found.told) = (on, false);
        self.raise_can_event(can);
        Ok(())
    }

    fn can_state(&mut self, can: u32) -> Result<u32, Errno> {
        let off = self.can(can).ok_or(Errno::BadHandle)?.off;
        Ok(if off { can::BUS_OFF } else { can::ACTIVE })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, SimPlatform, TraceFormat};
    use wisp_abi::Errno;
    use wisp_host::platform::{Can, Clock, Event, Events, Frame, Kind};

    fn platform(config: &str) -> (SimPlatform, Capture) {
        let capture = Capture::new();
        let mut board = Board::from_toml(&format!("[apps.a.can.bus]\n{config}\n")).unwrap();
        board.set_trace(capture.clone(), TraceFormat::Text);
        let mut app = board.platform("a");
        assert_eq!((app.find_can(b"bus"), app.find_can(b"other")), (Some(0), None));
        app.open_can(0).unwrap();
        (app, capture)
    }

    fn id(app: &mut SimPlatform, until_us: u64) -> Option<u32> {
        app.receive_can(0, until_us).unwrap().map(|received| received.frame.id)
    }

    #[test]
    fn frames_of_the_script_come_if_a_filter_lets_them_in() {
        let (mut app, _) = platform(
            "script = [{ at_ms = 1, id = 0x123, bytes = [1] }, { at_ms = 2, id = 0x200 }, \
             { at_ms = 3, id = 0x12f, bytes = [2, 3] }, { at_ms = 4, id = 0x120, extended = true, remote = true }]",
        );
        app.filter_can(0, 0x120, 0x7f0, false).unwrap();
        assert_eq!(id(&mut app, 500), None);
        assert_eq!(id(&mut app, u64::MAX), Some(0x123));
        let received = app.receive_can(0, u64::MAX).unwrap().unwrap();
        let frame = Frame { id: 0x12f, length: 2, data: [2, 3, 0, 0, 0, 0, 0, 0], ..Frame::default() };
        assert_eq!((received.time_us, received.frame, received.lost), (3_000, frame, 0));
        app.filter_can(0, 0, 0, true).unwrap();
        let received = app.receive_can(0, 10_000).unwrap().unwrap();
        assert!(received.frame.extended && received.frame.remote);
    }

    #[test]
    fn an_app_has_few_filters_and_frames_that_find_the_queue_full_are_counted() {
        let steps: Vec<_> = (1..=11).map(|ms| format!("{{ at_ms = {ms}, id = {ms} }}")).collect();
        let (mut app, _) = platform(&format!("script = [{}]", steps.join(",")));
        for _ in 0..4 {
            app.filter_can(0, 0, 0, false).unwrap();
        }
        assert_eq!(app.filter_can(0, 0, 0, false), Err(Errno::NoSpace));
        app.sleep_us(10_500).unwrap();
        let first = app.receive_can(0, 0).unwrap().unwrap();
        assert_eq!((first.frame.id, first.lost), (1, 2));
        assert_eq!(app.receive_can(0, 0).unwrap().unwrap().lost, 0);
        app.unfilter_can(0);
        assert_eq!(id(&mut app, 20_000), None);
    }

    #[test]
    fn events_tell_once_until_all_was_received() {
        let (mut app, _) = platform("script = [{ at_ms = 1, id = 1 }, { at_ms = 2, id = 2 }, { at_ms = 3, id = 3 }]");
        app.filter_can(0, 0, 0, false).unwrap();
        app.watch_can(0, true).unwrap();
        let told = |time_us| Ok(Some(Event { time_us, kind: Kind::Can(0), lost: 0 }));
        assert_eq!(app.next_event(10_000), told(1_000));
        app.sleep_us(1_500).unwrap();
        assert_eq!(app.next_event(0), Ok(None), "one told of both");
        assert_eq!((id(&mut app, 0), id(&mut app, 0)), (Some(1), Some(2)));
        assert_eq!(app.next_event(10_000), told(3_000));
    }

    #[test]
    fn what_is_sent_is_traced_and_may_come_back() {
        let (mut app, trace) = platform("loopback = true");
        app.filter_can(0, 0x7ff, 0x7ff, false).unwrap();
        let frame = Frame { id: 0x7ff, length: 3, data: [0xab, 1, 2, 0, 0, 0, 0, 0], ..Frame::default() };
        assert_eq!(app.send_can(0, &frame, 0), Ok(Ok(())));
        let remote = Frame { id: 0x123_4567, extended: true, remote: true, length: 8, data: [0; 8] };
        assert_eq!(app.send_can(0, &remote, 0), Ok(Ok(())));
        assert_eq!(app.receive_can(0, 0).unwrap().map(|received| received.frame), Some(frame));
        assert_eq!(id(&mut app, 0), None, "no filter lets the extended one in");
        let lines: Vec<_> = trace.text().lines().map(|line| line[28..].to_string()).collect();
        assert_eq!(lines, ["can bus 7FF#AB0102", "can bus 01234567#R8"]);
    }

    #[test]
    fn a_bus_that_is_off_sends_nothing() {
        let (mut app, _) = platform("off = true");
        assert_eq!(app.can_state(0), Ok(3));
        assert_eq!(app.send_can(0, &Frame::default(), 0), Ok(Err(Errno::Io)));
    }

    #[test]
    fn a_step_that_makes_no_sense_is_refused() {
        for (script, expected) in [
            ("{ at_ms = 2, id = 1 }, { at_ms = 1, id = 1 }", "not before 2"),
            ("{ at_ms = 2, id = 0x800 }", "11 bits"),
            ("{ at_ms = 2, id = 0x20000000, extended = true }", "29 bits"),
            ("{ at_ms = 2, id = 1, bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9] }", "8 at most"),
        ] {
            let error = Board::from_toml(&format!("[apps.a.can.x]\nscript = [{script}]\n")).unwrap_err();
            assert!(error.message.contains(expected) && error.line == 2, "{error}");
        }
    }
}

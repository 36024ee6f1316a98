// SPDX-License-Identifier: Apache-2.0
//! CAN buses: frames that are sent are traced, and those that come follow a script.

use crate::arrivals::{check_script, Arrivals};
use crate::error::Error;
use crate::led::hex;
use crate::platform::SimPlatform;
use crate::vcd::Signal;
use serde::Deserialize;
use toml::Spanned;
use wisp_abi::{can, Errno};
use wisp_host::platform::{Can, Frame, Kind, ReceivedFrame};
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
    /// True if so many frames failed that the controller is off the bus: it neither sends nor receives.
    off: bool,
    script: Vec<Spanned<Step>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
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

impl crate::arrivals::Step for Step {
    fn at_ms(&self) -> f64 {
        self.at_ms
    }
}

impl Step {
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
    check_script(text, key, &config.script, |Step { id, extended, bytes, .. }| {
        let bits = if *extended { 29 } else { 11 };
        if id >> bits != 0 {
            return Err(format!("id = {id:#x}, expected {bits} bits (extended = true has 29)"));
        }
        match bytes.len() > can::MAX_DATA as usize {
            true => Err(format!("{} bytes, expected {} at most", bytes.len(), can::MAX_DATA)),
            false => Ok(()),
        }
    })
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
    filters: Vec<Filter>,
    pub(crate) arrivals: Arrivals<Step, (u64, Frame)>,
}

impl Device {
    pub(crate) fn new((label, config): (String, Config)) -> Self {
        let Config { loopback, off, script } = config;
        Device { label, loopback, off, filters: Vec::new(), arrivals: Arrivals::new(script, CAPACITY) }
    }

    /// Receives the next frame of the script.
    pub(crate) fn receive(&mut self) {
        if let Some(step) = self.arrivals.step().filter(|_| !self.off) {
            self.take(crate::arrivals::Step::at_us(&step), step.frame());
        }
    }

    fn take(&mut self, time_us: u64, frame: Frame) {
        let passes = |filter: &Filter| filter.extended == frame.extended && (filter.id ^ frame.id) & filter.mask == 0;
        if self.filters.iter().any(passes) {
            self.arrivals.put((time_us, frame));
        }
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
}

impl Can for SimPlatform {
    fn find_can(&self, label: &[u8]) -> Option<u32> {
        let index = self.devices.can.iter().position(|can| can.label.as_bytes() == label)?;
        u32::try_from(index).ok()
    }

    fn open_can(&mut self, can: u32) -> Result<(), Errno> {
        let now = self.now_us();
        self.close_can(can);
        self.can(can).ok_or(Errno::BadHandle)?.arrivals.open(now);
        Ok(())
    }

    fn close_can(&mut self, can: u32) {
        let _ = self.watch_can(can, false);
        self.unfilter_can(can);
        if let Some(found) = self.can(can) {
            found.arrivals.close();
        }
    }

    fn filter_can(&mut self, can: u32, id: u32, mask: u32, extended: bool) -> Result<(), Errno> {
        // A filter passes frames that arrive after it was added. Frames whose time has come are judged, and dropped if
        // no filter passes them, before there is one more. A controller keeps no frame that it did not pass.
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
            found.arrivals.clear();
        }
    }

    fn receive_can(&mut self, can: u32, until_us: u64) -> Result<Option<ReceivedFrame>, Interrupted> {
        self.tick();
        self.collect_events();
        loop {
            let Some(found) = self.can(can) else { return Ok(None) };
            if let Some((time_us, frame)) = found.arrivals.take() {
                return Ok(Some(ReceivedFrame { time_us, frame, lost: found.arrivals.take_lost() }));
            }
            if !self.wait_for_source(Kind::Can(can), until_us)? {
                return Ok(None);
            }
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
        self.raise(Kind::Can(can));
        Ok(Ok(()))
    }

    fn watch_can(&mut self, can: u32, on: bool) -> Result<(), Errno> {
        self.watch_source(Kind::Can(can), on)
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
    fn a_controller_that_is_off_the_bus_sends_and_receives_nothing() {
        let (mut app, trace) = platform("off = true\nloopback = true\nscript = [{ at_ms = 1, id = 1 }]");
        assert_eq!(app.can_state(0), Ok(3));
        app.filter_can(0, 0, 0, false).unwrap();
        app.watch_can(0, true).unwrap();
        assert_eq!(app.send_can(0, &Frame::default(), 0), Ok(Err(Errno::Io)));
        assert_eq!(id(&mut app, 5_000), None);
        assert_eq!(app.next_event(6_000), Ok(None));
        assert_eq!((trace.text().as_str(), app.take_failed_frames(0)), ("", 0));
    }

    #[test]
    fn a_filter_passes_frames_that_arrive_after_it_was_added() {
        let (mut app, _) = platform("script = [{ at_ms = 1, id = 1 }, { at_ms = 3, id = 3 }]");
        app.sleep_us(2_000).unwrap();
        app.filter_can(0, 0, 0, false).unwrap();
        assert_eq!(id(&mut app, 10_000), Some(3));
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

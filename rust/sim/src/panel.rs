// SPDX-License-Identifier: Apache-2.0
//! A view of a board while an app runs on it, and the inputs that a user changes: the page of `wisp run --ui`.
//!
//! The devices belong to the app's thread. The trace tells the panel what the app does to them. A touch, which is a change of
//! an input by the user, waits in the panel until the app's thread asks for the time, for a device or for events. The touch
//! then takes effect like a step of a script at the time of the touch. A later step of a script overrides it.

use crate::devices::AppConfig;
use crate::display::{Frame, Picture, Screen};
use crate::gpio::{Direction, Polarity};
use crate::input::StepKind;
use crate::output::Event;
use crate::platform::{SharedClock, SimPlatform};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wisp_host::platform::{Adc, Gpio, Input, Kind, Sensor, Stream, Uart};

/// Touches that wait at most for an app that asks for nothing.
const TOUCHES: usize = 1000;
/// Bytes of text that are kept at most, and lines.
const TEXT: usize = 256 << 10;
const LINES: usize = 4000;
/// Characters of one line, and bytes of what an app prints at once.
const LINE: usize = 4 << 10;
const PRINTED: usize = 64 << 10;
/// Bytes that are typed at once.
const TYPED: usize = 1024;
/// Largest amount of a quantity, which fits in the millionths of `wisp:sensor@1`.
const QUANTITY: f64 = 9e12;

/// Something that is done to an input.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "interface", rename_all = "lowercase", deny_unknown_fields)]
pub enum Touch {
    /// Gives a pin a level.
    Gpio {
        /// The pin.
        label: String,
        /// The logical level.
        active: bool,
    },
    /// Gives a channel a voltage.
    Adc {
        /// The channel.
        label: String,
        /// Millivolts.
        mv: f64,
    },
    /// Gives a sensor a quantity.
    Sensor {
        /// The sensor.
        label: String,
        /// The name of the channel, as in a board file.
        channel: String,
        /// The quantity, in the channel's unit.
        value: f64,
    },
    /// Reports something from an input device.
    Input {
        /// The device.
        label: String,
        /// A key, an axis or something else.
        #[serde(default)]
        kind: StepKind,
        /// A code of Linux's input events.
        code: u16,
        /// For a key, 1 if it was pressed and 0 if it was released.
        value: i32,
    },
    /// Sends text to a serial port.
    Uart {
        /// The port.
        label: String,
        /// The text.
        text: String,
    },
}

/// The way in which an input is touched.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Control {
    /// By a button.
    Switch {
        /// The present level.
        active: bool,
    },
    /// By a slider.
    Range {
        /// The lower end.
        min: f64,
        /// The upper end.
        max: f64,
        /// The present amount.
        value: f64,
    },
    /// By keys with these codes, or others.
    Keys(Vec<u16>),
    /// By typing.
    Text,
}

/// A pin, a channel or another part of the board.
#[derive(Debug, Serialize)]
pub struct Part {
    interface: &'static str,
    label: String,
    /// The channel of a sensor.
    channel: Option<String>,
    /// True if an output exists, shown or not.
    output: bool,
    /// The value that the app wrote last, and a remark for readers.
    shown: Option<(String, String)>,
    /// The value of an output that is fully on, if it has one.
    full: Option<f64>,
    /// True if the active level is the low voltage.
    low: bool,
    control: Option<Control>,
    /// The picture of a display.
    picture: Option<Picture>,
}

impl Part {
    fn new(interface: &'static str, label: &str) -> Self {
        Part {
            interface,
            label: label.into(),
            channel: None,
            output: false,
            shown: None,
            full: None,
            low: false,
            control: None,
            picture: None,
        }
    }
}

/// A line of the trace, or a piece of what the app printed.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    time_us: u64,
    /// `log`, an interface, `out` or `err`.
    source: String,
    /// The level of a log message, or a label.
    name: String,
    text: String,
}

/// A board at one moment.
#[derive(Debug, Serialize)]
pub struct Snapshot {
    /// The app.
    pub app: String,
    /// Microseconds on its clock.
    pub time_us: u64,
    /// The end of the app in words, if it has ended.
    pub end: Option<String>,
    /// The parts of the board.
    pub parts: Vec<Part>,
    /// The lines that are new.
    pub lines: Vec<Line>,
    /// The number of the next line.
    pub next: u64,
}

#[derive(Debug)]
struct State {
    app: String,
    /// The inputs as they are, touches included.
    config: AppConfig,
    clock: Option<SharedClock>,
    /// The displays, in the order of the board file.
    screens: Vec<Screen>,
    /// With microseconds on the app's clock.
    touches: Vec<(u64, Touch)>,
    /// The value that the app wrote last, and a remark, by interface and label.
    shown: BTreeMap<(String, String), (String, String)>,
    lines: VecDeque<Line>,
    /// Bytes of the lines' texts.
    bytes: usize,
    /// Number of the next line.
    next: u64,
    /// Bytes of an unfinished character on standard output and standard error.
    unfinished: [Vec<u8>; 2],
    end: Option<(u64, String)>,
}

/// The side of a board that somebody sees and touches while one app runs on it. Clones share it.
#[derive(Debug, Clone)]
pub struct Panel(Arc<Mutex<State>>);

impl Panel {
    pub(crate) fn new(app: &str, config: AppConfig) -> Self {
        let app = app.into();
        Panel(Arc::new(Mutex::new(State {
            app,
            config,
            clock: None,
            screens: Vec::new(),
            touches: Vec::new(),
            shown: BTreeMap::new(),
            lines: VecDeque::new(),
            bytes: 0,
            next: 0,
            unfinished: Default::default(),
            end: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the app's thread lets others look at.
    pub(crate) fn connect(&self, clock: SharedClock, screens: Vec<Screen>) {
        let mut state = self.state();
        (state.clock, state.screens) = (Some(clock), screens);
    }

    /// Returns what a display shows, by its place among the displays.
    pub fn frame(&self, display: usize) -> Option<Frame> {
        let screen = self.state().screens.get(display).cloned();
        screen.map(|screen| screen.frame())
    }

    /// Takes note that the app has ended.
    pub fn end(&self, how: String) {
        let mut state = self.state();
        state.end = Some((state.now_us(), how));
    }

    /// Returns the board as it is now, with the lines from this number on.
    pub fn snapshot(&self, since: u64) -> Snapshot {
        let state = self.state();
        let now = state.now_us();
        let first = state.next - state.lines.len() as u64;
        let skipped = usize::try_from(since.saturating_sub(first)).unwrap_or(usize::MAX);
        Snapshot {
            app: state.app.clone(),
            time_us: now,
            end: state.end.as_ref().map(|(_, how)| how.clone()),
            parts: state.parts(now),
            lines: state.lines.iter().skip(skipped).cloned().collect(),
            next: state.next,
        }
    }

    /// Does something to an input.
    ///
    /// # Errors
    /// The app has ended, too many touches wait for the app, the board has no such input, or the input does not take the
    /// value. The text says which, and what was expected.
    pub fn touch(&self, touch: Touch) -> Result<(), String> {
        let mut state = self.state();
        if state.end.is_some() {
            return Err("the app has ended".into());
        }
        if state.touches.len() == TOUCHES {
            return Err(format!("{TOUCHES} touches wait for the app, which takes none of them"));
        }
        let now = state.now_us();
        state.apply(now, &touch)?;
        state.touches.push((now, touch));
        Ok(())
    }

    fn take_touches(&self) -> Vec<(u64, Touch)> {
        std::mem::take(&mut self.state().touches)
    }

    /// Takes note of what the trace shows.
    pub(crate) fn note(&self, event: &Event<'_>) {
        let mut state = self.state();
        if matches!(event.source, "gpio" | "pwm" | "dac" | "led" | "strip" | "display") {
            let value = (event.value.into(), event.remark.trim().into());
            state.shown.insert((event.source.into(), event.name.into()), value);
            return;
        }
        let mut text: String = event.value.chars().take(LINE).collect();
        if text.len() < event.value.len() {
            text += "...";
        }
        state.add(Line { time_us: event.time_us, source: event.source.into(), name: event.name.into(), text });
    }

    /// Takes note of what the app prints.
    pub(crate) fn print(&self, time_us: u64, stream: Stream, bytes: &[u8]) {
        let (index, source) = if stream == Stream::Out { (0, "out") } else { (1, "err") };
        let mut state = self.state();
        let mut bytes = [std::mem::take(&mut state.unfinished[index]), bytes.to_vec()].concat();
        // a character may come in two pieces
        if let Err(error) = std::str::from_utf8(&bytes) {
            if error.error_len().is_none() {
                state.unfinished[index] = bytes.split_off(error.valid_up_to());
            }
        }
        let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(PRINTED)..]).into_owned();
        if !text.is_empty() {
            state.add(Line { time_us, source: source.into(), name: String::new(), text });
        }
    }
}

/// Returns the names of what there is.
fn named<T>(map: &BTreeMap<String, T>) -> String {
    if map.is_empty() {
        return "none".into();
    }
    map.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Returns what a touch concerns, or which there are.
fn find<'a, T>(interface: &str, map: &'a mut BTreeMap<String, T>, label: &str) -> Result<&'a mut T, String> {
    if !map.contains_key(label) {
        return Err(format!("the board has no {interface} `{label}`, expected one of: {}", named(map)));
    }
    map.get_mut(label).ok_or_else(String::new)
}

impl State {
    fn now_us(&self) -> u64 {
        let now = || self.clock.as_ref().map_or(Duration::ZERO, SharedClock::now);
        self.end.as_ref().map_or_else(|| u64::try_from(now().as_micros()).unwrap_or(u64::MAX), |(time, _)| *time)
    }

    fn add(&mut self, line: Line) {
        self.bytes += line.text.len();
        self.next += 1;
        self.lines.push_back(line);
        while self.bytes > TEXT || self.lines.len() > LINES {
            self.bytes -= self.lines.pop_front().map_or(0, |line| line.text.len());
        }
    }

    /// Checks a touch, and makes it part of the inputs.
    fn apply(&mut self, now_us: u64, touch: &Touch) -> Result<(), String> {
        let config = &mut self.config;
        match touch {
            Touch::Gpio { label, active } => {
                let pin = find("gpio", &mut config.gpio, label)?;
                if pin.direction == Direction::Output {
                    return Err(format!("the pin `{label}` is an output, expected an input"));
                }
                pin.set(now_us, *active);
            }
            Touch::Adc { label, mv } => {
                let channel = find("adc", &mut config.adc, label)?;
                if !(0.0..=channel.reference_mv()).contains(mv) {
                    return Err(format!("mv = {mv}, expected 0 to {}", channel.reference_mv()));
                }
                channel.set(now_us, *mv);
            }
            Touch::Sensor { label, channel, value } => {
                let steps = find("channel", find("sensor", &mut config.sensor, label)?, channel)?;
                if !(-QUANTITY..=QUANTITY).contains(value) {
                    return Err(format!("value = {value}, expected -{QUANTITY:e} to {QUANTITY:e}"));
                }
                crate::sensor::set(steps, now_us, *value);
            }
            Touch::Input { label, .. } => {
                find("input", &mut config.input, label)?;
            }
            Touch::Uart { label, text } => {
                find("uart", &mut config.uart, label)?;
                if text.len() > TYPED {
                    return Err(format!("text has {} bytes, expected at most {TYPED}", text.len()));
                }
            }
        }
        Ok(())
    }

    /// Returns the parts that somebody can see or touch.
    fn parts(&self, now_us: u64) -> Vec<Part> {
        let config = &self.config;
        let mut parts = Vec::new();
        for (label, pin) in &config.gpio {
            let control = Control::Switch { active: pin.level(now_us) };
            let control = (pin.direction != Direction::Output).then_some(control);
            let output = pin.direction != Direction::Input;
            let low = pin.active == Polarity::Low;
            parts.push(Part { output, low, control, ..Part::new("gpio", label) });
        }
        for (label, output) in &config.pwm {
            parts.push(Part { output: true, full: Some(output.period().into()), ..Part::new("pwm", label) });
        }
        for (label, output) in &config.dac {
            parts.push(Part { output: true, full: Some(output.full()), ..Part::new("dac", label) });
        }
        parts.extend(config.led.keys().map(|label| Part { output: true, ..Part::new("led", label) }));
        parts.extend(config.strip.keys().map(|label| Part { output: true, ..Part::new("strip", label) }));
        for screen in &self.screens {
            parts.push(Part { output: true, picture: Some(screen.picture()), ..Part::new("display", screen.label()) });
        }
        for (label, channel) in &config.adc {
            let control = Control::Range { min: 0.0, max: channel.reference_mv(), value: channel.mv(now_us) };
            parts.push(Part { control: Some(control), ..Part::new("adc", label) });
        }
        for (label, sensor) in &config.sensor {
            for (channel, steps) in sensor {
                let (min, max) = crate::sensor::range(channel, steps);
                let control = Control::Range { min, max, value: crate::sensor::value(steps, now_us) };
                parts.push(Part {
                    channel: Some(channel.clone()),
                    control: Some(control),
                    ..Part::new("sensor", label)
                });
            }
        }
        for (label, device) in &config.input {
            parts.push(Part { control: Some(Control::Keys(device.keys())), ..Part::new("input", label) });
        }
        parts.extend(config.uart.keys().map(|label| Part { control: Some(Control::Text), ..Part::new("uart", label) }));
        for part in &mut parts {
            part.shown = self.shown.get(&(part.interface.to_string(), part.label.clone())).cloned();
        }
        parts
    }
}

impl SimPlatform {
    /// Lets what was touched meanwhile take effect.
    pub(crate) fn take_touches(&mut self) {
        let touches = self.panel.as_ref().map(Panel::take_touches).unwrap_or_default();
        for (time_us, touch) in touches {
            self.collect_scripts(time_us);
            self.touch(time_us, touch);
        }
    }

    fn touch(&mut self, time_us: u64, touch: Touch) {
        // The panel has checked the label, and a device has the index of its grant.
        match touch {
            Touch::Gpio { label, active } => {
                let Some(pin) = self.find(label.as_bytes()) else { return };
                if self.devices.gpio[pin as usize].touch(time_us, active) {
                    self.queue.push(time_us, Kind::Edge { pin, active });
                }
            }
            Touch::Adc { label, mv } => {
                let Some(channel) = self.find_adc(label.as_bytes()) else { return };
                self.devices.adc[channel as usize].touch(time_us, mv);
            }
            Touch::Sensor { label, channel, value } => {
                let Some(sensor) = self.find_sensor(label.as_bytes()) else { return };
                self.devices.sensor[sensor as usize].touch(time_us, &channel, value);
            }
            Touch::Input { label, kind, code, value } => {
                let Some(input) = self.find_input(label.as_bytes()) else { return };
                self.devices.input[input as usize].touch(time_us, kind, code, value);
                self.raise(Kind::Input(input));
            }
            Touch::Uart { label, text } => {
                let Some(uart) = self.find_uart(label.as_bytes()) else { return };
                self.devices.uart[uart as usize].touch(text.as_bytes());
                self.raise(Kind::Uart(uart));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Board, Capture, TraceFormat};
    use wisp_host::platform::{Clock, Edges, Events, Log, PinMode, Stdio};

    fn platform(grants: &str) -> (SimPlatform, Panel) {
        let mut board = Board::from_toml(grants).unwrap();
        board.set_trace(Capture::new(), TraceFormat::Off);
        board.set_output(Capture::new(), Capture::new());
        let panel = board.panel("a");
        (board.platform("a"), panel)
    }

    fn press(active: bool) -> Touch {
        Touch::Gpio { label: "key".into(), active }
    }

    #[test]
    fn a_touch_is_between_the_steps_of_a_script() {
        let script = "[{ at_ms = 1, active = true }, { at_ms = 9, active = true }]";
        let (mut app, panel) = platform(&format!("[apps.a.gpio.key]\nscript = {script}\n"));
        app.configure(0, PinMode::Input).unwrap();
        app.watch(0, Edges::Both).unwrap();
        app.sleep_us(5_000).unwrap();
        // the same level again is no edge
        for active in [true, false, false] {
            panel.touch(press(active)).unwrap();
        }
        let mut edges = Vec::new();
        while let Some(event) = app.next_event(app.now_us() + 10_000).unwrap() {
            edges.push((event.time_us, event.kind));
        }
        let edge = |active| Kind::Edge { pin: 0, active };
        assert_eq!(edges, [(1_000, edge(true)), (5_000, edge(false)), (9_000, edge(true))]);
        let shown = panel.snapshot(0).parts.remove(0).control;
        assert!(matches!(shown, Some(Control::Switch { active: true })), "{shown:?}");
    }

    #[test]
    fn a_sample_stays_what_it_was_when_the_quantity_is_touched() {
        let (mut app, panel) = platform("[apps.a.sensor.air]\nambient_temp = [{ value = 20 }]\n");
        app.fetch_sensor(0).unwrap();
        panel.touch(Touch::Sensor { label: "air".into(), channel: "ambient_temp".into(), value: -3.5 }).unwrap();
        app.uptime_us();
        assert_eq!(app.get_sensor(0, 10), Ok(20_000_000));
        app.fetch_sensor(0).unwrap();
        assert_eq!(app.get_sensor(0, 10), Ok(-3_500_000));
    }

    #[test]
    fn nobody_hears_what_is_typed_while_the_port_is_closed() {
        let (mut app, panel) = platform("[apps.a.uart.line]\n");
        let typed = |text: &str| Touch::Uart { label: "line".into(), text: text.into() };
        panel.touch(typed("a")).unwrap();
        app.open_uart(0).unwrap();
        panel.touch(typed("bc")).unwrap();
        let mut buffer = [0; 4];
        assert_eq!((app.read_uart(0, &mut buffer, 0), &buffer[..2]), (Ok(2), &b"bc"[..]));
    }

    #[test]
    fn a_text_that_is_longer_than_the_queue_comes_whole_as_the_app_reads() {
        let (mut app, panel) = platform("[apps.a.uart.line]\n");
        let typed = |text: String| Touch::Uart { label: "line".into(), text };
        app.open_uart(0).unwrap();
        app.watch_uart(0, true).unwrap();
        let text: String = ('a'..='z').cycle().take(300).collect();
        panel.touch(typed(text.clone())).unwrap();
        panel.touch(typed("!".into())).unwrap();
        let (mut heard, mut events) = (Vec::new(), 0);
        while app.next_event(app.now_us() + 10_000).unwrap().is_some() {
            events += 1;
            let mut buffer = [0; 128];
            let count = app.read_uart(0, &mut buffer, 0).unwrap();
            heard.extend_from_slice(&buffer[..count]);
        }
        assert_eq!((String::from_utf8(heard).unwrap(), events), (text + "!", 3));
        assert_eq!(app.take_uart_errors(0).lost, 0);
        // the rest is of no port that is closed, and there is an end to it
        panel.touch(typed("x".repeat(300))).unwrap();
        app.open_uart(0).unwrap();
        assert_eq!(app.read_uart(0, &mut [0; 8], 0), Ok(0));
        for _ in 0..66 {
            panel.touch(typed("x".repeat(TYPED))).unwrap();
        }
        app.uptime_us();
        assert_eq!(app.take_uart_errors(0).lost, 66 * 1024 - (64 << 10) - 128);
    }

    #[test]
    fn an_app_that_asks_for_nothing_lets_touches_wait_up_to_a_limit() {
        let (mut app, panel) = platform("[apps.a.gpio.key]\n");
        for _ in 0..TOUCHES {
            panel.touch(press(true)).unwrap();
        }
        assert!(panel.touch(press(true)).unwrap_err().starts_with("1000 touches wait"));
        app.uptime_us();
        panel.touch(press(true)).unwrap();
    }

    #[test]
    fn characters_may_come_in_pieces_and_old_text_makes_room() {
        let (mut app, panel) = platform("");
        app.output(Stream::Out, b"gr\xc3").unwrap();
        app.output(Stream::Err, b"\xff!").unwrap();
        app.output(Stream::Out, b"\xbcn").unwrap();
        let texts: Vec<_> = panel.snapshot(0).lines.into_iter().map(|line| line.source + ":" + &line.text).collect();
        assert_eq!(texts, ["out:gr", "err:\u{fffd}!", "out:\u{fc}n"]);
        for _ in 0..9 {
            app.output(Stream::Out, &[b'x'; 10 * PRINTED]).unwrap();
        }
        app.line(wisp_abi::log::INFO, &[b'y'; 2 * LINE]);
        let seen = panel.snapshot(0);
        assert_eq!((seen.lines.iter().map(|line| line.text.len()).sum::<usize>() <= TEXT, seen.next), (true, 13));
        assert_eq!(seen.lines.last().unwrap().text.len(), LINE + 3);
        // a page of an earlier run asks for more than there is
        assert_eq!((panel.snapshot(12).lines.len(), panel.snapshot(u64::MAX).lines.len()), (1, 0));
    }
}

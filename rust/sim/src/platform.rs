// SPDX-License-Identifier: Apache-2.0
//! One app's part of a simulated board.

use crate::ble::Radio;
use crate::config::BoardConfig;
use crate::devices::{AppConfig, Devices};
use crate::entropy::Generator;
use crate::event::Queue;
use crate::files::Folders;
use crate::functions::Function;
use crate::kv::Storage;
use crate::net::Network;
use crate::output::{Event, Outputs};
use crate::panel::Panel;
use crate::stdin::Stdin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use wisp_abi::{log, Errno};
use wisp_host::platform::{Clock, Coap, CoapState, Entropy, Identity, Log, Mqtt, Session, Stdio, Stream};
use wisp_host::Interrupted;

/// The part of a [`crate::Board`] that one app gets: implements every trait of [`wisp_host::platform`].
#[derive(Debug)]
pub struct SimPlatform {
    name: String,
    args: Vec<String>,
    env: Vec<String>,
    pub(crate) devices: Devices,
    pub(crate) functions: Vec<Function>,
    pub(crate) queue: Queue,
    pub(crate) hwinfo: crate::hwinfo::Config,
    pub(crate) storage: Storage,
    pub(crate) ble: Radio,
    pub(crate) net: Network,
    mqtt: Session,
    coap: CoapState,
    pub(crate) files: Folders,
    /// Standard input is that of the process, or else is at its end.
    standard_input: Option<Stdin>,
    board: BoardConfig,
    board_file: String,
    booted: Instant,
    virtual_us: Arc<AtomicU64>,
    time_is_up: bool,
    entropy: Generator,
    outputs: Arc<Mutex<Outputs>>,
    stop: Arc<Stop>,
    pub(crate) panel: Option<Panel>,
}

#[derive(Debug, Default)]
struct Stop {
    asked: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    fn is_asked(&self) -> bool {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An app's clock, which another thread reads.
#[derive(Debug, Clone)]
pub struct SharedClock {
    virtual_us: Option<Arc<AtomicU64>>,
    booted: Instant,
    limit: Option<Duration>,
}

impl SharedClock {
    /// Returns the time since the board booted.
    pub fn now(&self) -> Duration {
        match &self.virtual_us {
            Some(us) => Duration::from_micros(us.load(Ordering::Relaxed)),
            None => self.booted.elapsed(),
        }
    }

    /// Returns when the app is to end, if it is.
    pub fn limit(&self) -> Option<Duration> {
        self.limit
    }
}

/// Stops the app's blocking calls, from any thread.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<Stop>);

impl Stopper {
    /// Ends a sleep that is under way, and every one after it, by an interruption.
    pub fn stop(&self) {
        *self.0.asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }
}

impl SimPlatform {
    pub(crate) fn new(
        name: &str,
        mut app: AppConfig,
        functions: Vec<Function>,
        board: &BoardConfig,
        entropy: Generator,
        outputs: Arc<Mutex<Outputs>>,
        board_file: &str,
    ) -> Self {
        let mut board = board.clone();
        board.realtime |= app.net.is_real();
        SimPlatform {
            name: name.to_string(),
            args: std::mem::take(&mut app.args),
            env: app.env.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            devices: Devices::new(&mut app),
            functions,
            queue: Queue::default(),
            ble: Radio::new(app.ble),
            hwinfo: app.hwinfo,
            storage: Storage::new(app.kv),
            net: Network::new(app.net),
            mqtt: Session::new(),
            coap: CoapState::new(),
            files: Folders::new(app.folders),
            standard_input: None,
            board,
            board_file: board_file.to_string(),
            booted: Instant::now(),
            virtual_us: Arc::default(),
            time_is_up: false,
            entropy,
            outputs,
            stop: Arc::default(),
            panel: None,
        }
    }

    /// Shows the app on a panel, and lets what is touched there happen.
    pub(crate) fn show(&mut self, panel: Panel) {
        panel.connect(self.clock(), self.screens());
        self.panel = Some(panel);
    }

    /// Replaces the arguments after the app's name.
    pub fn set_arguments(&mut self, arguments: Vec<String>) {
        self.args = arguments;
    }

    /// Adds environment variables to those of the board. One of the same name is replaced.
    pub fn add_variables(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in variables {
            self.env.retain(|variable| variable.split_once('=').is_none_or(|(present, _)| present != name));
            self.env.push(format!("{name}={value}"));
        }
    }

    /// Grants a folder of the workstation under a name, without a quota.
    ///
    /// # Errors
    /// The folder cannot be opened, or is none.
    pub fn add_folder(&mut self, host: &std::path::Path, name: &str) -> std::io::Result<()> {
        self.files.add(host, name, None)
    }

    /// Opens the folders that the board grants to the app.
    ///
    /// # Errors
    /// The path of the folder that cannot be opened, and why.
    pub fn open_folders(&mut self) -> Result<(), (std::path::PathBuf, std::io::Error)> {
        self.files.open_granted()
    }

    /// Lets the app read the standard input of the process.
    pub fn use_standard_input(&mut self) {
        self.standard_input = Some(Stdin::new(std::io::stdin()));
    }

    /// Returns a way to stop the app's blocking calls from elsewhere.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.clone())
    }

    /// Returns true if the board's duration ran out: then an interruption is a normal end.
    pub fn time_is_up(&self) -> bool {
        self.time_is_up
    }

    /// Returns the app's clock for another thread.
    pub fn clock(&self) -> SharedClock {
        SharedClock {
            virtual_us: (!self.board.realtime).then(|| self.virtual_us.clone()),
            booted: self.booted,
            limit: self.board.duration_ms.map(Duration::from_millis),
        }
    }

    /// Returns the time on the app's clock, without letting any pass.
    pub fn now_us(&self) -> u64 {
        if self.board.realtime {
            u64::try_from(self.booted.elapsed().as_micros()).unwrap_or(u64::MAX)
        } else {
            self.virtual_us.load(Ordering::Relaxed)
        }
    }

    /// Lets some virtual time pass for a host call, so that a guest which polls gets on.
    pub(crate) fn tick(&mut self) {
        self.advance(1);
        self.take_touches();
    }

    /// Lets time pass in a call that a stop does not break off.
    pub(crate) fn pass(&mut self, us: u64) {
        if self.board.realtime {
            std::thread::sleep(Duration::from_micros(us));
        } else {
            self.advance(us);
        }
    }

    fn advance(&self, us: u64) {
        // this thread is the only one that writes
        let now = self.virtual_us.load(Ordering::Relaxed);
        self.virtual_us.store(now.saturating_add(us), Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.stop.is_asked()
    }

    pub(crate) fn trace(&self, source: &str, name: &str, value: &str, remark: &str) {
        let event = Event { time_us: self.now_us(), app: &self.name, source, name, value, remark };
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner).trace(&event);
    }
}

impl Mqtt for SimPlatform {
    fn mqtt(&mut self) -> Option<&mut Session> {
        Some(&mut self.mqtt)
    }
}

impl Coap for SimPlatform {
    fn coap(&mut self) -> Option<&mut CoapState> {
        Some(&mut self.coap)
    }
}

impl Identity for SimPlatform {
    fn name(&self) -> &str {
        &self.name
    }

    fn argument(&self, index: usize) -> Option<&[u8]> {
        self.args.get(index).map(String::as_bytes)
    }

    fn variable(&self, index: usize) -> Option<&[u8]> {
        self.env.get(index).map(String::as_bytes)
    }
}

impl Log for SimPlatform {
    fn max_level(&self) -> u32 {
        self.board.log_level as u32
    }

    fn line(&mut self, level: u32, line: &[u8]) {
        let level = match level {
            log::ERROR => "err",
            log::WARN => "wrn",
            log::INFO => "inf",
            _ => "dbg",
        };
        self.trace("log", level, &String::from_utf8_lossy(line), "");
    }

    fn denied(&mut self, interface: &str, label: &[u8]) {
        let message = crate::denied::message(interface, label, &self.name, &self.board_file);
        self.trace("log", "wrn", &message, "");
    }
}

impl Stdio for SimPlatform {
    const LINES: bool = false;

    fn output(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Errno> {
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(panel) = &self.panel {
            panel.print(self.now_us(), stream, bytes);
        }
        let sink = if stream == Stream::Out { &mut outputs.out } else { &mut outputs.err };
        sink.write_all(bytes).and_then(|()| sink.flush()).map_err(|_| Errno::Io)
    }

    fn input(&mut self, buffer: &mut [u8]) -> Result<u32, Errno> {
        let Some(input) = &mut self.standard_input else { return Ok(0) };
        let limit = self.board.duration_ms.map(Duration::from_millis);
        let (start, booted, realtime) = (Instant::now(), self.booted, self.board.realtime);
        // virtual time stands still while the app waits for the workstation
        let waited = || if realtime { booted.elapsed() } else { start.elapsed() };
        let is_over = || limit.is_some_and(|limit| waited() >= limit) || self.stop.is_asked();
        match input.read(buffer, is_over).map_err(|_| Errno::Io)? {
            Some(read) => Ok(u32::try_from(read).unwrap_or(u32::MAX)),
            None => {
                self.time_is_up |= limit.is_some_and(|limit| waited() >= limit);
                Err(Errno::Io)
            }
        }
    }
}

impl Clock for SimPlatform {
    fn uptime_us(&mut self) -> u64 {
        self.tick();
        self.now_us()
    }

    fn resolution_ns(&self) -> u64 {
        1000
    }

    fn wall_clock_ns(&mut self) -> Option<u64> {
        let boot = self.board.unix_time?.saturating_mul(1_000_000_000).saturating_add(self.board.unix_ns);
        Some(boot.saturating_add(self.uptime_us().saturating_mul(1000)))
    }

    fn is_to_stop(&mut self) -> bool {
        self.time_is_up || self.stopped()
    }

    fn sleep_us(&mut self, duration: u64) -> Result<(), Interrupted> {
        let end = self.now_us().saturating_add(duration);
        let limit = self.board.duration_ms.map_or(u64::MAX, |ms| ms.saturating_mul(1000));
        let until = end.min(limit);
        if self.board.realtime {
            let wait = Duration::from_micros(until.saturating_sub(self.now_us()));
            let asked = self.stop.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = self.stop.changed.wait_timeout_while(asked, wait, |asked| !*asked);
        } else {
            self.virtual_us.store(until, Ordering::Relaxed);
        }
        self.time_is_up |= end >= limit;
        if self.time_is_up || self.stopped() {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }
}

impl Entropy for SimPlatform {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Errno> {
        self.entropy.fill(buffer).map_err(|_| Errno::Io)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Board, Capture, TraceFormat};
    use wisp_host::platform::{Gpio, PinMode};

    const BOARD: &str = r#"
        [board]
        duration_ms = 10
        unix_time = 1_000
        [apps.a]
        args = ["x"]
        env = { HOME = "/" }
        [apps.a.gpio]
        led = { direction = "output", active = "low" }
        button = { direction = "input", script = [{ at_ms = 2, active = true }, { at_ms = 2.5, active = false }] }
        free = { initial = true }
    "#;

    fn platform(text: &str, app: &str) -> (SimPlatform, Capture) {
        let capture = Capture::new();
        let mut board = Board::from_toml(text).unwrap();
        board.set_trace(capture.clone(), TraceFormat::Csv);
        (board.platform(app), capture)
    }

    #[test]
    fn virtual_time_passes_by_sleeping_and_a_little_by_asking() {
        let (mut app, _) = platform(BOARD, "a");
        assert_eq!(app.uptime_us(), 1);
        app.sleep_us(5000).unwrap();
        assert_eq!(app.uptime_us(), 5002);
        assert_eq!(app.wall_clock_ns(), Some(1_000_005_003_000));
    }

    #[test]
    fn the_duration_ends_a_run_at_its_time() {
        let (mut app, _) = platform(BOARD, "a");
        app.sleep_us(9_999).unwrap();
        assert!(!app.time_is_up());
        assert_eq!(app.sleep_us(1_000_000), Err(Interrupted));
        assert_eq!((app.time_is_up(), app.now_us()), (true, 10_000));
    }

    #[test]
    fn a_stopper_interrupts_in_both_kinds_of_time() {
        for realtime in [false, true] {
            let mut board = Board::from_toml("").unwrap();
            board.set_realtime(realtime);
            let mut app = board.platform("a");
            let stopper = app.stopper();
            let stopping = std::thread::spawn(move || stopper.stop());
            // An hour; were the stop not heard, the virtual one would end with success.
            stopping.join().unwrap();
            assert_eq!(app.sleep_us(3_600_000_000), Err(Interrupted));
            assert!(!app.time_is_up());
        }
    }

    #[test]
    fn outputs_are_traced_with_level_and_voltage() {
        let (mut app, trace) = platform(BOARD, "a");
        let led = app.find(b"led").unwrap();
        app.configure(led, PinMode::OutputInactive).unwrap();
        app.sleep_us(1000).unwrap();
        app.toggle(led).unwrap();
        assert!(app.is_active(led).unwrap());
        let expected = "time_us,app,source,name,value\n0,a,gpio,led,inactive\n1000,a,gpio,led,active\n";
        assert_eq!(trace.text(), expected);
    }

    #[test]
    fn inputs_follow_their_script() {
        let (mut app, _) = platform(BOARD, "a");
        let button = app.find(b"button").unwrap();
        app.configure(button, PinMode::Input).unwrap();
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.push(app.is_active(button).unwrap());
            app.sleep_us(499).unwrap();
        }
        // Read at 1, 501, 1001, 1501, 2001 and 2501 microseconds.
        assert_eq!(seen, [false, false, false, false, true, false]);
    }

    #[test]
    fn a_direction_that_was_not_granted_is_refused() {
        let (mut app, _) = platform(BOARD, "a");
        let (led, button) = (app.find(b"led").unwrap(), app.find(b"button").unwrap());
        assert_eq!(app.configure(led, PinMode::Input), Err(Errno::Access));
        assert_eq!(app.configure(button, PinMode::OutputActive), Err(Errno::Access));
        let free = app.find(b"free").unwrap();
        app.configure(free, PinMode::OutputInactive).unwrap();
        assert!(!app.is_active(free).unwrap());
        app.configure(free, PinMode::Input).unwrap();
        assert!(app.is_active(free).unwrap());
    }

    #[test]
    fn an_unknown_app_has_no_grants_and_the_trace_says_how_to_get_them() {
        let (mut app, trace) = platform(BOARD, "b");
        assert_eq!(app.find(b"led"), None);
        app.denied("wisp:gpio@1", b"led");
        assert!(trace.text().contains("[apps.b.gpio.led]"), "{}", trace.text());
        assert_eq!((app.argument(0), app.variable(0)), (None, None));
        app.denied("wisp:gpio@1", b"\x1b[2J\n");
        assert!(!trace.text().contains('\x1b') && trace.text().lines().count() == 3, "{}", trace.text());
    }

    #[test]
    fn arguments_and_environment_come_from_the_board_or_the_caller() {
        let (mut app, _) = platform(BOARD, "a");
        assert_eq!((app.name(), app.argument(0), app.argument(1)), ("a", Some(&b"x"[..]), None));
        app.set_arguments(vec!["y".into(), "z".into()]);
        app.add_variables([("K".into(), "v".into())]);
        assert_eq!(app.argument(1), Some(&b"z"[..]));
        assert_eq!((app.variable(0), app.variable(1)), (Some(&b"HOME=/"[..]), Some(&b"K=v"[..])));
    }

    #[test]
    fn printing_reaches_the_streams_as_it_is() {
        let mut board = Board::from_toml("").unwrap();
        let (out, err) = (Capture::new(), Capture::new());
        board.set_output(out.clone(), err.clone());
        let mut app = board.platform("a");
        app.output(Stream::Out, b"a\r").unwrap();
        app.output(Stream::Err, b"b").unwrap();
        assert_eq!((out.text().as_str(), err.text().as_str()), ("a\r", "b"));
    }

    #[test]
    fn a_seeded_board_gives_the_same_random_bytes_each_time() {
        let sample = || {
            let mut bytes = [0; 8];
            platform("[board]\nseed = 3\n", "a").0.fill(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(sample(), sample());
    }
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp run --ui` of an app that does something with each kind of input, and requests of its page.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Folder;

/// Longest wait for something that should happen: a test that fails ends.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks.
pub const PAUSE: Duration = Duration::from_millis(10);

/// The board of [`GUEST`]. Its duration would end the app before anything happens.
pub const BOARD: &str = r#"
[board]
duration_ms = 1
[apps.app.gpio.led]
direction = "output"
[apps.app.gpio.button]
direction = "input"
active = "low"
[apps.app.adc.dial]
reference_mv = 3300
[apps.app.pwm.fan]
period_us = 4.096
[apps.app.uart.line]
[apps.app.sensor.air]
ambient_temp = [{ value = 21.5 }]
[apps.app.input.keys]
script = [{ at_ms = 0, code = 30, value = 1 }]
[apps.app.strip.tape]
length = 2
[apps.app.display.view]
width = 2
height = 1
format = "bgr565"
"#;

/// The LED follows the button. When the button is pressed, the fan gets as many nanoseconds as the dial's number. What comes
/// over the serial port is printed, but `!` traps and `.` ends the app with status 7. A key prints its code as a
/// character. The strip shows the temperature, and so does the left pixel of the display.
pub const GUEST: &str = r#"(module
  (import "wisp:gpio@1" "open" (func $pin (param i32 i32 i32) (result i32)))
  (import "wisp:gpio@1" "set" (func $drive (param i32 i32) (result i32)))
  (import "wisp:gpio@1" "watch" (func $watch_pin (param i32 i32) (result i32)))
  (import "wisp:adc@1" "open" (func $adc (param i32 i32) (result i32)))
  (import "wisp:adc@1" "read" (func $convert (param i32 i32) (result i32)))
  (import "wisp:pwm@1" "open" (func $pwm (param i32 i32) (result i32)))
  (import "wisp:pwm@1" "set" (func $pulse (param i32 i32) (result i32)))
  (import "wisp:uart@1" "open" (func $uart (param i32 i32) (result i32)))
  (import "wisp:uart@1" "read" (func $receive (param i32 i32 i32 i32) (result i32)))
  (import "wisp:uart@1" "watch" (func $watch_uart (param i32 i32) (result i32)))
  (import "wisp:input@1" "open" (func $input (param i32 i32) (result i32)))
  (import "wisp:input@1" "read" (func $report (param i32 i32 i32) (result i32)))
  (import "wisp:input@1" "watch" (func $watch_input (param i32 i32) (result i32)))
  (import "wisp:sensor@1" "open" (func $sensor (param i32 i32) (result i32)))
  (import "wisp:sensor@1" "fetch" (func $fetch (param i32) (result i32)))
  (import "wisp:sensor@1" "get" (func $get (param i32 i32 i32) (result i32)))
  (import "wisp:strip@1" "open" (func $strip (param i32 i32) (result i32)))
  (import "wisp:strip@1" "write" (func $colors (param i32 i32 i32) (result i32)))
  (import "wisp:display@1" "open" (func $display (param i32 i32) (result i32)))
  (import "wisp:display@1" "write" (func $draw (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wisp:event@1" "wait" (func $wait (param i32 i32) (result i32)))
  (import "wisp:log@1" "write" (func $log (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "ledbuttondialfanlineairkeystape<b>ready</b>view")
  (data (i32.const 64) "\80\00\00\00")
  (func $print (param $bytes i32)
    (i32.store (i32.const 68) (local.get $bytes))
    (drop (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 72))))
  (func (export "_start")
    (local $led i32) (local $button i32) (local $dial i32) (local $fan i32) (local $line i32) (local $air i32)
    (local $keys i32) (local $tape i32) (local $kind i32) (local $view i32)
    (local.set $led (call $pin (i32.const 0) (i32.const 3) (i32.const 1)))
    (local.set $button (call $pin (i32.const 3) (i32.const 6) (i32.const 0)))
    (local.set $dial (call $adc (i32.const 9) (i32.const 4)))
    (local.set $fan (call $pwm (i32.const 13) (i32.const 3)))
    (local.set $line (call $uart (i32.const 16) (i32.const 4)))
    (local.set $air (call $sensor (i32.const 20) (i32.const 3)))
    (local.set $keys (call $input (i32.const 23) (i32.const 4)))
    (local.set $tape (call $strip (i32.const 27) (i32.const 4)))
    (local.set $view (call $display (i32.const 43) (i32.const 4)))
    (drop (call $watch_pin (local.get $button) (i32.const 3)))
    (drop (call $watch_uart (local.get $line) (i32.const 1)))
    (drop (call $watch_input (local.get $keys) (i32.const 1)))
    (drop (call $log (i32.const 3) (i32.const 31) (i32.const 12)))
    (loop $next
      (drop (call $wait (i32.const -1) (i32.const 256)))
      (local.set $kind (i32.load (i32.const 264)))
      (if (i32.eq (local.get $kind) (i32.const 2)) (then
        (drop (call $drive (local.get $led) (i32.load (i32.const 272))))
        (if (i32.load (i32.const 272)) (then
          (drop (call $convert (local.get $dial) (i32.const 512)))
          (drop (call $pulse (local.get $fan) (i32.load (i32.const 512))))))))
      (if (i32.eq (local.get $kind) (i32.const 3)) (then
        (call $print (call $receive (local.get $line) (i32.const 128) (i32.const 100) (i32.const 0)))
        (if (i32.eq (i32.load8_u (i32.const 128)) (i32.const 33)) (then (unreachable)))
        (if (i32.eq (i32.load8_u (i32.const 128)) (i32.const 46)) (then (call $exit (i32.const 7))))))
      (if (i32.eq (local.get $kind) (i32.const 7)) (then
        (drop (call $report (local.get $keys) (i32.const 0) (i32.const 512)))
        (i32.store8 (i32.const 128) (i32.load (i32.const 524)))
        (call $print (i32.const 1))
        (drop (call $fetch (local.get $air)))
        (drop (call $get (local.get $air) (i32.const 10) (i32.const 512)))
        (i32.store8 (i32.const 640) (i32.div_s (i32.load (i32.const 512)) (i32.const 1000000)))
        (drop (call $draw (local.get $view) (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 1) (i32.const 2)
          (i32.const 640) (i32.const 4)))
        (drop (call $colors (local.get $tape) (i32.const 640) (i32.const 6)))))
      (br $next))))"#;

/// A run, which ends with the test.
pub struct Session {
    process: Child,
    errors: BufReader<std::process::ChildStderr>,
    pub address: SocketAddr,
    pub folder: Folder,
}

impl Session {
    /// Runs [`GUEST`] and waits for its page.
    pub fn begin(options: &[&str]) -> Self {
        Self::of(GUEST, BOARD, options)
    }

    /// Runs an app on a board and waits for its page.
    pub fn of(guest: &str, board: &str, options: &[&str]) -> Self {
        let folder = Folder::new();
        folder.module("app.wasm", guest);
        folder.write("board.toml", board);
        let mut command = Command::new(env!("CARGO_BIN_EXE_wisp"));
        command.args(["run", "app.wasm", "--board", "board.toml", "--ui"]).args(options).current_dir(folder.path("."));
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(process.stderr.take().unwrap());
        let line = line(&mut errors);
        let address = line.trim().strip_prefix("wisp: note: the board is shown on http://");
        let address = address.unwrap_or_else(|| panic!("{line}")).trim_end_matches('/').parse().unwrap();
        Self { process, errors, address, folder }
    }

    /// Returns the next line of standard error.
    pub fn line(&mut self) -> String {
        line(&mut self.errors)
    }

    /// Sends a request as it is, and returns the answer.
    pub fn ask(&self, request: &[u8]) -> String {
        String::from_utf8(self.ask_for_bytes(request)).unwrap()
    }

    /// Sends a request like [`Session::ask`], whose answer may be no text.
    pub fn ask_for_bytes(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    /// Returns the board as the page gets it.
    pub fn state(&self) -> Value {
        let answer = self.ask(format!("GET /state HTTP/1.1\r\nHost: {}\r\n\r\n", self.address).as_bytes());
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Posts something as the page does, and returns the status and the body of the answer.
    pub fn post(&self, body: &str) -> (u16, String) {
        let head = format!("POST /touch HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\n", self.address);
        let head = format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        let answer = self.ask(format!("{head}{body}").as_bytes());
        (status(&answer), answer.split_once("\r\n\r\n").unwrap().1.into())
    }

    /// Touches an input, which has to go well.
    pub fn touch(&self, touch: Value) {
        assert_eq!(self.post(&touch.to_string()), (200, "{}".into()), "{touch}");
    }

    /// Returns the state once it meets a condition.
    pub fn until(&self, condition: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let state = self.state();
            if condition(&state) {
                return state;
            }
            assert!(state["end"].is_null() && begun.elapsed() < PATIENCE, "{state}");
            sleep(PAUSE);
        }
    }

    /// Does what Ctrl-C does.
    pub fn interrupt(&self) {
        let done = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Waits until the command has ended.
    pub fn ended(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn line(errors: &mut BufReader<std::process::ChildStderr>) -> String {
    let mut line = String::new();
    errors.read_line(&mut line).unwrap();
    line
}

/// Returns the status of an answer.
pub fn status(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.1 ").unwrap_or_else(|| panic!("{answer}"))[..3].parse().unwrap()
}

/// Returns what a part of the board shows.
pub fn shown<'a>(state: &'a Value, interface: &str, label: &str) -> &'a str {
    part(state, interface, label)["shown"][0].as_str().unwrap_or_default()
}

/// Returns a part of the board.
pub fn part<'a>(state: &'a Value, interface: &str, label: &str) -> &'a Value {
    let mut parts = state["parts"].as_array().unwrap().iter();
    parts.find(|part| part["interface"] == interface && part["label"] == label).unwrap()
}

/// Returns what the app has printed.
pub fn printed(state: &Value) -> String {
    let lines = state["lines"].as_array().unwrap().iter();
    lines.filter(|line| line["source"] == "out").map(|line| line["text"].as_str().unwrap()).collect()
}

/// Returns true if the app is ready to be touched.
pub fn is_ready(state: &Value) -> bool {
    state["lines"].as_array().unwrap().iter().any(|line| line["source"] == "log")
}

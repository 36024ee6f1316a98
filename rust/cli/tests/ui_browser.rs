// SPDX-License-Identifier: Apache-2.0
//! The page of `wisp run --ui` in a browser: headless Chromium, which the test does without where it is not installed. The
//! test presses keys and buttons of a mouse through the browser's debugging pipe.
#![cfg(unix)]

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Instant;

use common::panel::{part, printed, shown, Session, PATIENCE, PAUSE};
use common::Folder;
use serde_json::{json, Value};

/// Names of the browser's program, by distribution.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Returns the browser's program, if there is one.
fn program() -> Option<&'static str> {
    BROWSERS
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|done| done.status.success()))
}

/// A browser with one page, which ends with the test.
struct Browser {
    process: Child,
    orders: File,
    answers: BufReader<File>,
    session: Option<String>,
    count: u32,
    folder: Folder,
}

impl Browser {
    fn open(program: &str, address: &str) -> Self {
        let folder = Folder::new();
        let pipes = ["orders", "answers"].map(|name| folder.path(name));
        assert!(Command::new("mkfifo").args(&pipes).status().unwrap().success());
        let errors = File::create(folder.path("errors")).unwrap();
        // the browser has its pipes at numbers 3 and 4
        let mut command = Command::new("sh");
        command
            .args(["-c", "orders=$1 answers=$2; shift 2; exec \"$@\" 3<\"$orders\" 4>\"$answers\"", "sh"])
            .args(&pipes);
        // containers have no sandbox of the browser's own, and little shared memory
        command.args([
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ]);
        command.args(["--remote-debugging-pipe", "--enable-logging=stderr", "--window-size=1000,900"]);
        command.arg(format!("--user-data-dir={}", folder.path("profile").display())).arg("about:blank");
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn().unwrap();
        let orders = File::options().write(true).open(&pipes[0]).unwrap();
        let answers = BufReader::new(File::open(&pipes[1]).unwrap());
        let mut browser = Browser { process, orders, answers, session: None, count: 0, folder };
        let target = browser.order("Target.createTarget", json!({ "url": address }))["targetId"].clone();
        let session = browser.order("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        browser.session = Some(session["sessionId"].as_str().unwrap().into());
        browser
    }

    /// Lets the browser do something, and returns its answer.
    fn order(&mut self, method: &str, params: Value) -> Value {
        self.count += 1;
        let mut order = json!({ "id": self.count, "method": method, "params": params });
        if let Some(session) = &self.session {
            order["sessionId"] = json!(session);
        }
        self.orders.write_all(format!("{order}\0").as_bytes()).unwrap();
        loop {
            let mut answer = Vec::new();
            self.answers.read_until(0, &mut answer).unwrap();
            assert_eq!(answer.pop(), Some(0), "the browser has ended");
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            // the rest tells of what happens by itself
            if answer["id"] == self.count {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// Returns the value of an expression of JavaScript, null while that fails.
    fn value(&mut self, expression: &str) -> Value {
        let done = self.order("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true }));
        done["result"]["value"].clone()
    }

    /// Waits until an expression of JavaScript has this value.
    fn until(&mut self, expression: &str, value: Value) {
        let begun = Instant::now();
        loop {
            let found = self.value(expression);
            if found == value {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{expression} is {found}, expected {value}");
            sleep(PAUSE);
        }
    }

    /// Presses or releases the mouse on an element.
    fn mouse(&mut self, event: &str, element: &str) {
        let place = self.value(&format!(
            "(() => {{ {element}.scrollIntoView(); const box = {element}.getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        let params = json!({ "type": event, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
        self.order("Input.dispatchMouseEvent", params);
    }

    /// Presses or releases a key.
    fn key(&mut self, event: &str, key: &str, code: u32) {
        let text = if event == "keyDown" && key.chars().count() == 1 { key } else { "" };
        let params = json!({ "type": event, "key": key, "text": text, "windowsVirtualKeyCode": code });
        self.order("Input.dispatchKeyEvent", params);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns an element of JavaScript by its label for readers of screens.
fn labelled(label: &str) -> String {
    format!("document.querySelector('[aria-label=\"{label}\"]')")
}

#[test]
fn a_browser_presses_buttons_moves_a_slider_types_and_runs_nothing_that_the_app_says() {
    let Some(program) = program() else {
        eprintln!("skipped: none of {BROWSERS:?} is installed");
        return;
    };
    let session = Session::begin(&[]);
    let mut browser = Browser::open(program, &format!("http://{}/", session.address));
    browser.until("document.getElementById('state').textContent", json!("running"));
    browser.until("document.title", json!("app"));
    // what looks like HTML is text
    browser.until("document.getElementById('log').textContent.includes('<b>ready</b>')", json!(true));
    assert_eq!(browser.value("document.querySelectorAll('b').length"), 0);

    // the slider, by keyboard: its end is 3300 mV
    browser.until(&format!("{}.max", labelled("dial")), json!("3300"));
    browser.value(&format!("{}.focus()", labelled("dial")));
    for event in ["keyDown", "keyUp"] {
        browser.key(event, "End", 35);
    }
    session.until(|state| part(state, "adc", "dial")["control"]["range"]["value"] == 3300.0);

    // the button, by mouse, and held down
    let lamp = format!("{}.getAttribute('aria-label')", labelled("led on"));
    browser.mouse("mousePressed", &labelled("Press button"));
    browser.until(&lamp, json!("led on"));
    assert_eq!(browser.value(&format!("{}.getAttribute('aria-pressed')", labelled("Press button"))), "true");
    browser.until(&format!("{}.value", labelled("fan")), json!(4095));
    browser.mouse("mouseReleased", &labelled("Press button"));
    browser.until(&format!("!!{}", labelled("led off")), json!(true));

    // the same by keyboard
    browser.value(&format!("{}.focus()", labelled("Press button")));
    browser.key("keyDown", " ", 32);
    browser.until(&lamp, json!("led on"));
    browser.key("keyUp", " ", 32);
    session.until(|state| shown(state, "gpio", "led") == "inactive");

    // a press ends although the page is still shown the level before it, and one that is held ends with the next
    let presses = "(() => { const said = [], key = press('', on => said.push(on)); \
        const strike = show => { for (const event of ['keydown', 'keyup']) { \
            key.button.dispatchEvent(new KeyboardEvent(event, { key: ' ' })); if (show !== undefined) key.show(show); } }; \
        strike(false); key.elements[1].firstChild.checked = true; strike(); strike(); return said.join(); })()";
    assert_eq!(browser.value(presses), "true,false,true,false");

    // a key, at which the app draws what the sensor measures
    browser.mouse("mousePressed", "[...document.querySelectorAll('button')].find(key => key.textContent === 'Key 30')");
    browser.until(
        "[...document.querySelector('canvas').getContext('2d').getImageData(0, 0, 2, 1).data].join()",
        json!("16,161,0,255,0,0,0,255"),
    );

    browser.mouse("mouseReleased", "document.body");

    // lines that the page has missed are counted
    let gap = "(() => { const line = { source: 'out', text: 'x' }, before = next; \
        take({ next: next + 7, lines: [line, line] }); next = before; \
        return byId('log').textContent.endsWith('\\n[5 lines left out]\\nxx'); })()";
    assert_eq!(browser.value(gap), true);
    // pieces as long as an app can print make room for newer ones
    let long = "(() => { for (let piece = 0; piece < 9; piece++) write({ source: 'out', text: 'y'.repeat(65536) }); \
        const text = byId('log').textContent; return [text.length, characters, text.includes('x')]; })()";
    assert_eq!(browser.value(long), json!([256 << 10, 256 << 10, false]));

    // a serial port, whose app prints and then traps
    browser.value(&format!("{}.focus()", labelled("Text for line")));
    browser.order("Input.insertText", json!({ "text": "!<img src=x>" }));
    browser.key("keyDown", "\r", 13);
    browser.until("document.getElementById('state').textContent", json!("trapped"));
    browser.until("document.getElementById('end').textContent.startsWith('trap: unreachable\\n  0: ')", json!(true));
    assert!(printed(&session.state()).ends_with("!<img src=x>\n"));
    assert_eq!(browser.value("document.querySelectorAll('img').length"), 0);

    // without its command, the page says so
    drop(session);
    browser.until("document.getElementById('state').textContent", json!("wisp run has ended"));
    // the browser reports what the page's policy refuses: its own style and script are allowed
    let log = String::from_utf8(browser.folder.read("errors")).unwrap();
    assert!(!log.contains("Content Security Policy") && !log.contains("Uncaught"), "{log}");
}

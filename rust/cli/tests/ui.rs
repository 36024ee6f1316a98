// SPDX-License-Identifier: Apache-2.0
//! `wisp run --ui`: what its page asks for and posts, and what others may not.
#![cfg(unix)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;

use common::panel::{is_ready, part, printed, shown, status, Session};
use common::Folder;
use serde_json::json;

#[test]
fn a_button_lights_the_led_and_the_app_reads_what_a_slider_says() {
    let session = Session::begin(&[]);
    let state = session.until(is_ready);
    assert_eq!((shown(&state, "gpio", "led"), shown(&state, "pwm", "fan")), ("inactive", "0"));
    assert_eq!(part(&state, "gpio", "button")["low"], true);
    session.touch(json!({ "interface": "adc", "label": "dial", "mv": 1650 }));
    session.touch(json!({ "interface": "gpio", "label": "button", "active": true }));
    let state = session.until(|state| shown(state, "pwm", "fan") == "2048");
    assert_eq!(shown(&state, "gpio", "led"), "active");
    assert_eq!(part(&state, "adc", "dial")["control"]["range"]["value"], 1650.0);
    assert_eq!(part(&state, "gpio", "button")["control"]["switch"]["active"], true);
    // a second browser has its own connections, and sees and touches the same board
    session.touch(json!({ "interface": "gpio", "label": "button", "active": false }));
    session.until(|state| shown(state, "gpio", "led") == "inactive");
}

#[test]
fn a_press_that_is_shorter_than_the_app_sleeps_is_two_events() {
    let session = Session::begin(&[]);
    session.until(is_ready);
    session.touch(json!({ "interface": "adc", "label": "dial", "mv": 3300 }));
    for active in [true, false] {
        session.touch(json!({ "interface": "gpio", "label": "button", "active": active }));
    }
    session.until(|state| shown(state, "pwm", "fan") == "4095" && shown(state, "gpio", "led") == "inactive");
}

#[test]
fn keys_quantities_and_text_reach_the_app() {
    let session = Session::begin(&[]);
    session.until(is_ready);
    session.touch(json!({ "interface": "uart", "label": "line", "text": "gr\u{fc}n\n" }));
    session.until(|state| printed(state) == "gr\u{fc}n\n");
    session.touch(json!({ "interface": "sensor", "label": "air", "channel": "ambient_temp", "value": 255 }));
    session.touch(json!({ "interface": "input", "label": "keys", "code": 65, "value": 1 }));
    let state = session.until(|state| shown(state, "strip", "tape") == "ff0000 000000");
    assert_eq!(printed(&state), "gr\u{fc}n\nA");
    assert_eq!(part(&state, "input", "keys")["control"]["keys"], json!([30]));
}

#[test]
fn a_display_is_fetched_when_its_version_has_changed() {
    let session = Session::begin(&[]);
    let state = session.until(is_ready);
    let picture = part(&state, "display", "view")["picture"].clone();
    assert_eq!((&picture["on"], &picture["brightness"]), (&json!(true), &json!(255)));
    session.touch(json!({ "interface": "sensor", "label": "air", "channel": "ambient_temp", "value": 255 }));
    session.touch(json!({ "interface": "input", "label": "keys", "code": 65, "value": 1 }));
    session.until(|state| part(state, "display", "view")["picture"]["version"] != picture["version"]);
    let host = format!("HTTP/1.1\r\nHost: {}\r\n\r\n", session.address);
    let answer = session.ask_for_bytes(format!("GET /picture?display=0 {host}").as_bytes());
    // 0xff00 of red, green and blue with 5, 6 and 5 bits, and black
    assert!(answer.ends_with(b"\r\n\r\nP6\n2 1\n255\n\xff\xe2\0\0\0\0"), "{}", answer.escape_ascii());
    for query in ["?display=1", "?display=-1", "?display=x", ""] {
        assert_eq!(status(&session.ask(format!("GET /picture{query} {host}").as_bytes())), 404, "{query}");
    }
}

#[test]
fn a_touch_that_makes_no_sense_says_what_was_expected() {
    let session = Session::begin(&[]);
    session.until(is_ready);
    for (touch, expected) in [
        (r#"{"interface":"gpio","label":"knob","active":true}"#, "no gpio `knob`, expected one of: button, led"),
        (r#"{"interface":"gpio","label":"led","active":true}"#, "the pin `led` is an output"),
        (r#"{"interface":"gpio","label":"button","active":"yes"}"#, "expected a boolean"),
        (r#"{"interface":"gpio","label":"button"}"#, "missing field `active`"),
        (r#"{"interface":"gpio","label":"button","active":true,"at_ms":3}"#, "unknown field `at_ms`"),
        (r#"{"interface":"adc","label":"dial","mv":3300.5}"#, "mv = 3300.5, expected 0 to 3300"),
        (r#"{"interface":"adc","label":"dial","mv":-1}"#, "mv = -1, expected 0 to 3300"),
        (r#"{"interface":"adc","label":"dial","mv":NaN}"#, "expected value"),
        (r#"{"interface":"adc","label":"dial","mv":1e999}"#, "number out of range"),
        (r#"{"interface":"sensor","label":"air","channel":"press","value":1}"#, "no channel `press`"),
        (r#"{"interface":"sensor","label":"air","channel":"ambient_temp","value":1e13}"#, "expected -9e12 to 9e12"),
        (r#"{"interface":"input","label":"keys","code":65536,"value":1}"#, "expected u16"),
        (r#"{"interface":"motor","label":"keys"}"#, "unknown variant `motor`"),
        ("", "EOF"),
        ("[1]", "invalid"),
    ] {
        let (status, body) = session.post(touch);
        assert!(status == 400 && body.contains(expected), "{touch}: {status} {body}");
    }
    let long = json!({ "interface": "uart", "label": "line", "text": "x".repeat(1025) });
    assert!(session.post(&long.to_string()).1.contains("text has 1025 bytes, expected at most 1024"));
    let state = session.state();
    assert_eq!((shown(&state, "gpio", "led"), printed(&state).as_str()), ("inactive", ""));
}

#[test]
fn other_sites_are_refused() {
    let session = Session::begin(&[]);
    let port = session.address.port();
    let get = |host: &str| session.ask(format!("GET /state HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
    for host in ["board.example", &format!("board.example:{port}"), "10.0.0.1", ""] {
        assert_eq!(status(&get(host)), 403, "{host}");
    }
    assert_eq!(status(&session.ask(b"GET /state HTTP/1.1\r\n\r\n")), 403);
    assert_eq!(status(&session.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: board.example\r\n\r\n")), 403);
    // such as one that a tunnel leads to
    assert_eq!(status(&get("localhost:80")), 200);
    let body = r#"{"interface":"gpio","label":"button","active":true}"#;
    let post = |more: &str| {
        let head = format!("POST /touch HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: {}\r\n", body.len());
        status(&session.ask(format!("{head}{more}\r\n\r\n{body}").as_bytes()))
    };
    let json = "Content-Type: application/json";
    assert_eq!(post(&format!("{json}\r\nOrigin: http://board.example")), 403);
    assert_eq!(post(&format!("{json}\r\nOrigin: null")), 403);
    assert_eq!(post(&format!("{json}\r\nOrigin: http://localhost:1")), 403);
    assert_eq!(post("Content-Type: text/plain"), 415);
    assert_eq!(post("X: y"), 415);
    let state = session.until(is_ready);
    assert_eq!(part(&state, "gpio", "button")["control"]["switch"]["active"], false);
    assert_eq!(post(json), 200, "a program of this machine has no Origin");
    session.until(|state| shown(state, "gpio", "led") == "active");
}

#[test]
fn requests_that_are_too_long_or_none_are_refused_and_the_page_goes_on() {
    let session = Session::begin(&[]);
    let host = format!("Host: {}\r\n", session.address);
    for (request, expected) in [
        (format!("GET /{} HTTP/1.1\r\n{host}\r\n", "x".repeat(20_000)), 431),
        (format!("GET / HTTP/1.1\r\n{host}{}\r\n", "X: y\r\n".repeat(100)), 431),
        (format!("POST /touch HTTP/1.1\r\n{host}Content-Length: 18446744073709551615\r\n\r\n"), 413),
        (format!("POST /touch HTTP/1.1\r\n{host}Content-Length: 16385\r\n\r\n"), 413),
        (format!("POST /touch HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n"), 413),
        (format!("POST /touch HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n"), 411),
        ("\0\0\0\0".into(), 400),
        ("GET\r\n\r\n".into(), 400),
        (format!("GET /state?since=x HTTP/1.1\r\n{host}\r\n"), 400),
        (format!("GET /../etc/passwd HTTP/1.1\r\n{host}\r\n"), 404),
        (format!("GET /touch HTTP/1.1\r\n{host}\r\n"), 405),
        (format!("DELETE / HTTP/1.1\r\n{host}\r\n"), 405),
    ] {
        let answer = session.ask(request.as_bytes());
        assert_eq!(status(&answer), expected, "{answer}");
    }
    // One that never ends is cut off: the client gets an answer, or cannot write any more.
    let mut stream = TcpStream::connect(session.address).unwrap();
    while stream.write_all(&[b'x'; 65536]).is_ok() {}
    let _ = stream.read_to_end(&mut Vec::new());
    // One that never begins keeps nobody waiting.
    let _silent = TcpStream::connect(session.address).unwrap();
    session.until(is_ready);
}

#[test]
fn the_page_is_one_file_that_loads_nothing_and_runs_its_own_script_only() {
    let session = Session::begin(&[]);
    let answer = session.ask(format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", session.address).as_bytes());
    let (head, page) = answer.split_once("\r\n\r\n").unwrap();
    let nonce = page.split_once("<script nonce=\"").unwrap().1.split_once('"').unwrap().0;
    assert!(nonce.len() > 9 && nonce.bytes().all(|byte| byte.is_ascii_digit()), "{nonce}");
    assert!(head.contains(&format!("default-src 'none'; script-src 'nonce-{nonce}';")), "{head}");
    assert_eq!(page.matches("<script").count(), 1);
    // whatever an app says becomes text
    for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "src=", "http:", "https:"] {
        assert!(!page.contains(way), "{way}");
    }
}

#[test]
fn the_end_of_the_app_stays_until_ctrl_c_and_gives_the_exit_code() {
    let mut session = Session::begin(&[]);
    session.until(is_ready);
    session.touch(json!({ "interface": "uart", "label": "line", "text": ".\n" }));
    let ended = "wisp: note: the app has ended; its board is shown until Ctrl-C\n";
    assert_eq!(session.line(), ended);
    let state = session.state();
    assert_eq!(state["end"], "the app has ended with exit code 7");
    assert_eq!((state["time_us"].clone(), printed(&state).as_str()), (session.state()["time_us"].clone(), ".\n"));
    let button = r#"{"interface":"gpio","label":"button","active":true}"#;
    assert_eq!(session.post(button), (400, r#"{"error":"the app has ended"}"#.into()));
    session.interrupt();
    assert_eq!(session.ended().code(), Some(7));
}

#[test]
fn a_trap_is_shown_with_its_backtrace() {
    let mut session = Session::begin(&[]);
    session.until(is_ready);
    session.touch(json!({ "interface": "uart", "label": "line", "text": "!" }));
    assert_eq!(session.line(), "wisp: trap: unreachable\n");
    while !session.line().starts_with("wisp: note: the app has ended") {}
    let end = session.state()["end"].as_str().unwrap().to_string();
    assert!(end.starts_with("trap: unreachable\n  0: "), "{end}");
    session.interrupt();
    assert_eq!(session.ended().code(), Some(134));
}

#[test]
fn ctrl_c_ends_an_app_that_waits_and_one_that_computes() {
    const SPINS: &str = r#"(module
        (import "wisp:log@1" "write" (func $log (param i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (drop (call $log (i32.const 3) (i32.const 0) (i32.const 1))) (loop (br 0))))"#;
    for guest in [common::panel::GUEST, SPINS] {
        let mut session = Session::of(guest, common::panel::BOARD, &["--json", "--profile", "--record", "app.record"]);
        session.until(is_ready);
        session.interrupt();
        assert_eq!(session.ended().code(), Some(130));
        assert!(session.line().contains("host calls were recorded"));
        let outcome: serde_json::Value = serde_json::from_str(&session.line()).unwrap();
        assert!(!outcome["profile"].as_array().unwrap().is_empty(), "{outcome}");
        let recording = session.folder.succeeds("inspect app.record --json");
        assert!(recording.contains(r#""kind":"end""#) && recording.contains(r#""cut":false"#), "{recording}");
        assert_eq!((&outcome["ended"], &outcome["exit_code"]), (&json!("killed"), &json!(130)));
    }
}

#[test]
fn ctrl_c_ends_an_app_that_waits_for_a_debugger() {
    let mut session = Session::begin(&["--debug=0", "--record", "app.record"]);
    assert!(session.line().contains("the app waits for a debugger"));
    session.interrupt();
    assert_eq!(session.ended().code(), Some(130));
    assert!(session.line().contains("host calls were recorded"));
}

#[test]
fn a_page_needs_a_board_and_a_port_of_this_machine() {
    let folder = Folder::new();
    folder.module("a.wasm", r#"(module (func (export "_start")))"#);
    folder.write("board.toml", "");
    assert!(folder.wisp("run a.wasm --ui").err.contains("--board <BOARD.TOML>"));
    folder.fails("run a.wasm --board board.toml --ui=192.0.2.1:80", &["--ui=192.0.2.1:80: ", "this machine"]);
    folder.fails("run a.wasm --board board.toml --ui=http", &["--ui=http: expected a port"]);
    for free in ["--ui", "--ui=0", "--ui=127.0.0.1:0", "--ui=localhost:0", "--ui=[::1]:0"] {
        folder.fails(&format!("run a.wasm --board board.toml {free} --watch"), &["--ui=8080"]);
    }
    let session = Session::begin(&[]);
    let port = session.address.port();
    folder
        .fails(&format!("run a.wasm --board board.toml --ui={port}"), &["--ui: no browser can connect to 127.0.0.1:"]);
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp run --ui`: a page on which the board can be seen and touched while the app runs.
//!
//! The page asks for the state of the board several times a second, and posts each touch. [`http`] answers browsers of this
//! machine only, and no other site can make them touch anything.

mod http;

use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use signal_hook::consts::SIGINT;
use wisp_sim::{Panel, Snapshot};

use self::http::{Request, Response};
use crate::failure::Failure;
use crate::{debug, exit, output};

/// The page. `NONCE` stands for a number that only its own script has.
const PAGE: &str = include_str!("page.html");

/// Between two looks at whether Ctrl-C was pressed.
const INTERVAL: Duration = Duration::from_millis(20);

/// The page of a run.
pub struct Ui {
    panel: Panel,
    interrupted: Arc<AtomicBool>,
}

/// The state that the page asks for.
#[derive(Serialize)]
struct State {
    /// Another number if `wisp run` began anew.
    run: u64,
    #[serde(flatten)]
    board: Snapshot,
}

impl Ui {
    /// Shows a board at an address of this machine, and takes note of Ctrl-C.
    ///
    /// # Errors
    /// The address is none of this machine, or something else listens there.
    pub fn start(address: &str, panel: Panel) -> Result<Self, Failure> {
        let wanted = debug::address("--ui", address)?;
        let failed = |error| Failure::new(format!("--ui: no browser can connect to {wanted}: {error}"));
        let listener = TcpListener::bind(wanted).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let interrupted = Arc::new(AtomicBool::new(false));
        // the second one ends this process at once
        let code = i32::from(exit::of_trap(wisp_engine::TrapCode::Interrupted));
        signal_hook::flag::register_conditional_shutdown(SIGINT, code, interrupted.clone()).map_err(failed)?;
        signal_hook::flag::register(SIGINT, interrupted.clone()).map_err(failed)?;
        let shown = panel.clone();
        // nobody can guess them, and the next run has others; a number of JavaScript has 53 bits
        let [run, nonce] = [0; 2].map(|_| RandomState::new().hash_one(0) >> 12);
        std::thread::Builder::new()
            .spawn(move || http::serve(&listener, move |request| answer(request, &shown, run, nonce)))
            .map_err(failed)?;
        output::note(format_args!("the board is shown on http://{address}/"));
        Ok(Self { panel, interrupted })
    }

    /// Returns what is set when somebody presses Ctrl-C.
    pub fn interrupted(&self) -> Arc<AtomicBool> {
        self.interrupted.clone()
    }

    /// Shows how the app ended until somebody presses Ctrl-C.
    pub fn finish(self, how: String) {
        self.panel.end(how);
        if !self.interrupted.load(Ordering::Relaxed) {
            output::note("the app has ended; its board is shown until Ctrl-C");
        }
        while !self.interrupted.load(Ordering::Relaxed) {
            std::thread::sleep(INTERVAL);
        }
    }
}

fn answer(request: &Request, panel: &Panel, run: u64, nonce: u64) -> Response {
    match (request.path.as_str(), request.method.as_str()) {
        ("/", "GET" | "HEAD") => {
            let nonce = nonce.to_string();
            let mut response = Response::new("200 OK", "text/html; charset=utf-8", PAGE.replace("NONCE", &nonce));
            response.headers += &format!(
                "Content-Security-Policy: default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
                 connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
            );
            response
        }
        ("/state", "GET" | "HEAD") => {
            let since = match request.query.strip_prefix("since=").map(str::parse) {
                Some(Ok(number)) => number,
                None if request.query.is_empty() => 0,
                _ => return Response::refusal("400 Bad Request", "expected since=NUMBER"),
            };
            let state = State { run, board: panel.snapshot(since) };
            Response::new("200 OK", "application/json", output::line(&state))
        }
        ("/picture", "GET" | "HEAD") => {
            let display = request.query.strip_prefix("display=").and_then(|number| number.parse().ok());
            match display.and_then(|display| panel.frame(display)) {
                Some(frame) => Response::new("200 OK", "image/x-portable-pixmap", frame.ppm()),
                None => Response::refusal("404 Not Found", "expected display=NUMBER, of a display of the board"),
            }
        }
        ("/touch", "POST") => match serde_json::from_slice(&request.body) {
            Err(error) => Response::refusal("400 Bad Request", &error.to_string()),
            Ok(touch) => match panel.touch(touch) {
                Ok(()) => Response::new("200 OK", "application/json", "{}"),
                Err(reason) => Response::refusal("400 Bad Request", &reason),
            },
        },
        ("/" | "/state" | "/picture" | "/touch", _) => {
            Response::refusal("405 Method Not Allowed", "expected another method")
        }
        _ => Response::refusal("404 Not Found", "expected /, /state, /picture or /touch"),
    }
}

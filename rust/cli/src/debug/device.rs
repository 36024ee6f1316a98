// SPDX-License-Identifier: Apache-2.0
//! An app on a device. `west wisp debug` carries requests to the device: a line in hexadecimal digits on standard output, and
//! the answer as a line on standard input. `src/border/debug.h` describes both.

use std::io::{BufRead, Write};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use wisp_engine::{TrapCode, Watched};
use wisp_image::ImageId;

use super::back_end::{Answer, BackEnd, GONE};
use super::{Event, Go, Link, Stop};
use crate::exit;
use crate::failure::Failure;
use crate::output;

/// Between two looks at an app that runs.
const INTERVAL: Duration = Duration::from_millis(20);
/// Times of an answer between two looks at least: a device that checks signatures has to run its apps, too.
const REST: u32 = 3;
/// Between two looks at an app that is held, which tell the device that the workstation is still there.
const ALIVE: Duration = Duration::from_secs(1);
/// Frames that are shown at most.
const FRAMES: usize = 1000;
/// Bytes of a piece of memory, for which requests and answers have room.
const PIECE: usize = 128;

/// First byte of a request: an enum wisp_debug_request.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Request {
    Attach = 1,
    Detach = 2,
    State = 3,
    Pause = 4,
    Go = 5,
    Kill = 6,
    Frames = 16,
    Slot = 17,
    Global = 18,
    Read = 19,
    Write = 20,
}

/// Says how the app of a device is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Waiting,
    Running,
    Held { stop: u8, reason: u32, image: ImageId },
    Ended { trap: u32, status: i32 },
}

/// Reasons of an enum wisp_debug_reason.
const ASKED: u32 = 1;
const BREAKPOINT: u32 = 3;
const TRAP: u32 = 256;

/// The way to a device, for both threads.
pub struct Wire {
    ends: Mutex<(Box<dyn BufRead + Send>, Box<dyn Write + Send>)>,
}

/// Returns the words of an enum wisp_debug_result.
fn words(result: u8) -> &'static str {
    match result {
        1 => "the device does not understand the debugger; are tool and firmware of the same version?",
        2 => "another app of the device is debugged; end that first",
        3 => "the device no longer debugs this app: it was reset, another debugger took over, or it did not hear from this \
              workstation in time",
        4 => "the app is not held any more",
        5 => "the app's image was not built for a debugger; build it with wisp build --debug, and push it",
        6 => "the device holds fewer breakpoints at a time; remove some, or raise CONFIG_WISP_DEBUG_BREAKPOINTS",
        _ => "the device answers what this tool does not know; are tool and firmware of the same version?",
    }
}

/// Returns a number of an answer, or 0 if the answer is shorter.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

/// Returns bytes in hexadecimal digits.
fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the bytes of a line in hexadecimal digits.
fn bytes(line: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(line.get(at..at + 2)?, 16).ok();
    (0..line.len()).step_by(2).map(pair).collect()
}

impl Wire {
    /// Returns a way over a pair of streams.
    pub fn new(from: impl BufRead + Send + 'static, to: impl Write + Send + 'static) -> Self {
        Self { ends: Mutex::new((Box::new(from), Box::new(to))) }
    }

    /// Sends a request to the device. Returns its answer without the first byte.
    fn ask(&self, request: Request, parameters: &[u8]) -> Result<Vec<u8>, String> {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let line = digits(&[&[request as u8], parameters].concat());
        let sent = writeln!(ends.1, "{line}").and_then(|()| ends.1.flush());
        let mut answer = String::new();
        let ended = sent.is_err() || !matches!(ends.0.read_line(&mut answer), Ok(1..));
        if ended {
            return Err("the connection with the device has ended".into());
        }
        let answer = answer.trim_end();
        if let Some(problem) = answer.strip_prefix('!') {
            return Err(problem.into());
        }
        match bytes(answer).as_deref() {
            Some([0, rest @ ..]) => Ok(rest.to_vec()),
            Some([result, ..]) => Err(words(*result).into()),
            _ => Err(words(u8::MAX).into()),
        }
    }

    fn state(&self) -> Result<State, String> {
        let answer = self.ask(Request::State, &[])?;
        Ok(match answer.first() {
            Some(0) => State::Waiting,
            Some(1) => State::Running,
            Some(2) => State::Held {
                stop: answer.get(1).copied().unwrap_or_default(),
                reason: number(&answer, 2),
                image: ImageId { wasm: number(&answer, 6), code: number(&answer, 10) },
            },
            Some(3) => State::Ended { trap: number(&answer, 1), status: number(&answer, 5) as i32 },
            _ => return Err(words(u8::MAX).into()),
        })
    }
}

/// Returns why an app is held, as a debugger is told.
fn stop_of(reason: u32) -> Stop {
    match reason {
        BREAKPOINT => Stop::Breakpoint,
        ASKED => Stop::ASKED,
        TRAP.. => TrapCode::from_u32(reason - TRAP).map_or(Stop::STEP, Stop::of_trap),
        _ => Stop::STEP,
    }
}

/// Returns the exit code of an app that ended.
fn code_of(trap: u32, status: i32) -> u8 {
    match TrapCode::from_u32(trap) {
        None | Some(TrapCode::Exit) => u8::try_from(status as u32).unwrap_or(exit::LARGE_STATUS),
        Some(code) => exit::of_trap(code),
    }
}

/// An app on a device.
pub struct Device {
    wire: Arc<Wire>,
    /// The number of the stop at which the app is held, and its frames once they were read.
    held: Arc<Mutex<(u8, Option<Vec<Watched>>)>>,
}

impl Device {
    /// Begins to debug the app.
    ///
    /// # Errors
    /// The device refuses, or does not answer.
    pub fn attach(wire: Wire) -> Result<Self, Failure> {
        wire.ask(Request::Attach, &[]).map_err(Failure::new)?;
        Ok(Self { wire: Arc::new(wire), held: Arc::default() })
    }

    /// Follows the app in a thread of its own until it has ended, and tells of its stops.
    pub fn follow(&self, image: ImageId, link: Arc<Link>, events: Sender<Event>) {
        let (wire, held) = (self.wire.clone(), self.held.clone());
        std::thread::spawn(move || {
            let code = match watch(&wire, &held, image, &link, &events) {
                Ok(code) => code,
                Err(problem) => {
                    output::note(format_args!("the debugging ends: {problem}"));
                    exit::FAILURE
                }
            };
            let _ = wire.ask(Request::Detach, &[]);
            *link.ended() = Some(code);
            let _ = events.send(Event::Ended(code));
        });
    }

    /// Sends a request to the device while the app is held. Prints a failure, because the protocol of debuggers has no
    /// words for it.
    fn look(&self, request: Request, parameters: &[u8]) -> Answer<Vec<u8>> {
        self.wire.ask(request, parameters).map_err(|problem| {
            output::note(format_args!("{problem}"));
            GONE
        })
    }
}

/// Returns true if the debugger has left.
fn is_alone(link: &Link) -> bool {
    link.greeted.load(Ordering::SeqCst) && !link.connected.load(Ordering::SeqCst)
}

/// Looks at the app again and again. Returns its exit code once it has ended.
fn watch(
    wire: &Wire,
    held: &Mutex<(u8, Option<Vec<Watched>>)>,
    expected: ImageId,
    link: &Link,
    events: &Sender<Event>,
) -> Result<u8, String> {
    let mut last = None;
    let mut asked = Instant::now();
    let mut waits = false;
    let mut took = Duration::ZERO;
    loop {
        // a stop that was told is looked at again only to keep the session alive
        let quiet = link.held().is_some();
        if !quiet || asked.elapsed() >= ALIVE {
            asked = Instant::now();
            let state = wire.state()?;
            took = asked.elapsed();
            match state {
                State::Ended { trap, status } => return Ok(code_of(trap, status)),
                State::Held { image, .. } if image != expected => {
                    return Err(format!(
                        "the device runs another image ({image}) than the one made from this module ({expected}); build it \
                         with wisp build --debug and the same options, push it, and start it again"
                    ));
                }
                // nobody is left who could let the app go on
                State::Held { stop, .. } if is_alone(link) => drop(wire.ask(Request::Go, &[stop, 0])?),
                State::Held { stop, reason, .. } if last != Some(stop) => {
                    last = Some(stop);
                    *held.lock().unwrap_or_else(PoisonError::into_inner) = (stop, None);
                    *link.held() = Some(stop_of(reason));
                    let _ = events.send(Event::Stopped);
                }
                State::Waiting if !waits => {
                    waits = true;
                    output::note("the app does not run; it is held at its first step once it is started");
                }
                _ => {}
            }
        }
        std::thread::sleep(INTERVAL.max(REST * took));
    }
}

impl BackEnd for Device {
    fn frames(&self) -> Answer<Vec<Watched>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frames) = &held.1 {
            return Ok(frames.clone());
        }
        let mut frames = Vec::new();
        while frames.len() < FRAMES {
            let answer = self.look(Request::Frames, &(frames.len() as u16).to_le_bytes())?;
            let frame = |bytes: &[u8]| Watched {
                func: number(bytes, 0),
                offset: number(bytes, 4),
                below: number(bytes, 8) as usize,
            };
            let before = frames.len();
            frames.extend(answer.chunks_exact(12).map(frame));
            if frames.len() == before {
                break;
            }
        }
        held.1 = Some(frames.clone());
        Ok(frames)
    }

    fn slot(&self, frame: Watched, slot: u32) -> Answer<Option<u32>> {
        let parameters = [(frame.below as u32).to_le_bytes(), slot.to_le_bytes()].concat();
        let answer = self.look(Request::Slot, &parameters)?;
        Ok((answer.len() == 4).then(|| number(&answer, 0)))
    }

    fn global(&self, index: usize) -> Answer<Option<(usize, u64)>> {
        let answer = self.look(Request::Global, &(index as u32).to_le_bytes())?;
        let bits = || u64::from(number(&answer, 1)) | u64::from(number(&answer, 5)) << 32;
        Ok(answer.first().filter(|&&slots| matches!(slots, 1 | 2)).map(|&slots| (usize::from(slots), bits())))
    }

    fn read(&self, address: u32, length: usize) -> Answer<Vec<u8>> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let Some(from) = u32::try_from(bytes.len()).ok().and_then(|done| address.checked_add(done)) else { break };
            let piece = PIECE.min(length - bytes.len());
            let answer = self.look(Request::Read, &[&from.to_le_bytes()[..], &[piece as u8]].concat())?;
            bytes.extend_from_slice(&answer);
            if answer.len() < piece {
                break;
            }
        }
        Ok(bytes)
    }

    fn write(&self, address: u32, bytes: &[u8]) -> Answer<bool> {
        for (index, piece) in bytes.chunks(PIECE).enumerate() {
            let Some(to) = address.checked_add((index * PIECE) as u32) else { return Ok(false) };
            let answer = self.look(Request::Write, &[&to.to_le_bytes()[..], piece].concat())?;
            if answer.first() != Some(&1) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn go(&self, go: Go) -> Answer<()> {
        let stop = self.held.lock().unwrap_or_else(PoisonError::into_inner).0;
        let mut parameters = vec![stop, go.step.into()];
        go.breakpoints.iter().for_each(|at| parameters.extend(at.to_le_bytes()));
        self.look(Request::Go, &parameters).map(drop)
    }

    fn interrupt(&self) {
        let _ = self.look(Request::Pause, &[]);
    }

    fn kill(&self) {
        let _ = self.look(Request::Kill, &[]);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Returns the numbers of the enumerators in the firmware's header.
    fn header() -> Vec<(String, u32)> {
        let text = include_str!("../../../../src/border/debug.h");
        let line = |line: &str| {
            let (name, number) = line.trim().strip_prefix("WISP_DEBUG_")?.split_once(" = ")?;
            Some((name.to_owned(), number.strip_suffix(',')?.parse().ok()?))
        };
        text.lines().filter_map(line).collect()
    }

    /// Returns a way to a device that gives these answers.
    fn device(answers: &str) -> Wire {
        Wire::new(Cursor::new(answers.to_owned()), Vec::new())
    }

    #[test]
    fn numbers_are_those_of_the_firmware() {
        let all = header();
        let requests = [
            ("ATTACH", Request::Attach),
            ("DETACH", Request::Detach),
            ("STATE", Request::State),
            ("PAUSE", Request::Pause),
            ("GO", Request::Go),
            ("KILL", Request::Kill),
            ("FRAMES", Request::Frames),
            ("SLOT", Request::Slot),
            ("GLOBAL", Request::Global),
            ("READ", Request::Read),
            ("WRITE", Request::Write),
        ];
        let requests = requests.map(|(name, request)| (name, request as u32));
        let others =
            [("ASKED", ASKED), ("BREAKPOINT", BREAKPOINT), ("TRAP", TRAP), ("NO_STEPS", 5), ("HELD", 2), ("ENDED", 3)];
        for (name, number) in requests.into_iter().chain(others) {
            assert!(all.contains(&(name.into(), number)), "{name} = {number}");
        }
    }

    #[test]
    fn a_state_is_read_and_what_is_none_is_refused() {
        let image = ImageId { wasm: 0x0403_0201, code: 16 };
        let held = State::Held { stop: 7, reason: BREAKPOINT, image };
        assert_eq!(device("000207030000000102030410000000\n").state(), Ok(held));
        assert_eq!(device("0001\n").state(), Ok(State::Running));
        assert_eq!(device("00030800000000000000\n").state(), Ok(State::Ended { trap: 8, status: 0 }));
        assert!(device("0009\n").state().unwrap_err().contains("does not know"));
        assert!(device("0\n").state().unwrap_err().contains("does not know"));
        assert!(device("05\n").state().unwrap_err().contains("wisp build --debug"));
        assert_eq!(device("!no answer\n").state(), Err("no answer".into()));
        assert!(device("").state().unwrap_err().contains("has ended"));
    }

    #[test]
    fn a_trap_is_the_signal_and_the_exit_code_of_a_run() {
        let division = TrapCode::IntegerDivisionByZero as u32;
        assert_eq!((stop_of(TRAP + division), code_of(division, 0)), (Stop::Signal(8), 136));
        assert_eq!((code_of(0, 3), code_of(TrapCode::Exit as u32, 5), code_of(0, -5)), (3, 5, exit::LARGE_STATUS));
        assert_eq!(stop_of(BREAKPOINT), Stop::Breakpoint);
        assert_eq!(stop_of(ASKED), Stop::Signal(2));
    }

    #[test]
    fn memory_is_read_in_pieces_until_its_end() {
        let (full, rest) = (format!("00{}\n", "ab".repeat(PIECE)), "00cd\n");
        let device = Device { wire: Arc::new(device(&format!("{full}{rest}"))), held: Arc::default() };
        let bytes = device.read(0, 2 * PIECE).unwrap();
        assert_eq!((bytes.len(), bytes[0], bytes[PIECE]), (PIECE + 1, 0xab, 0xcd));
    }
}

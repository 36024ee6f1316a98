// SPDX-License-Identifier: Apache-2.0
//! The thread that speaks with debuggers, one after the other.

use std::collections::VecDeque;
use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::Arc;

use gdbstub::common::Signal;
use gdbstub::stub::state_machine::GdbStubStateMachine as Machine;
use gdbstub::stub::{DisconnectReason, GdbStub, SingleThreadStopReason};
use gdbstub::target::ext::base::reverse_exec::ReplayLogPosition;
use gdbstub_arch::wasm::reg::id::WasmRegId;

use super::target::App;
use super::{Event, Link, Stop};
use crate::output;

/// End of a session with a debugger.
#[derive(PartialEq, Eq)]
enum Left {
    /// The app goes on without a debugger.
    Detached,
    /// The debugger ended the app, or the app ended itself.
    Over,
}

/// A connection from its beginning to its end.
struct Session<'s> {
    stream: TcpStream,
    app: &'s mut App,
    events: &'s Receiver<Event>,
    /// Bytes that came and wait for their turn.
    pending: VecDeque<u8>,
}

/// Takes debuggers one after the other until the app has ended.
pub fn serve(
    listener: &TcpListener,
    mut app: App,
    events: &Sender<Event>,
    received: &Receiver<Event>,
    link: &Arc<Link>,
) {
    while let Ok((stream, _)) = listener.accept() {
        let Ok(reader) = stream.try_clone() else { continue };
        link.connected.store(true, Ordering::SeqCst);
        let (sender, shared) = (events.clone(), link.clone());
        let thread = std::thread::spawn(move || read(reader, &sender, &shared));
        let mut session = Session { stream, app: &mut app, events: received, pending: VecDeque::new() };
        let left = session.hold();
        let _ = session.stream.shutdown(Shutdown::Both);
        let _ = thread.join();
        if left == Left::Over {
            return;
        }
        app.detached();
        link.connected.store(false, Ordering::SeqCst);
        // what the last debugger sent is nothing to the next
        if received.try_iter().any(|event| matches!(event, Event::Ended(_))) {
            return;
        }
    }
}

/// Passes on what a debugger sends.
fn read(mut stream: TcpStream, events: &Sender<Event>, link: &Link) {
    let mut buffer = [0; 4096];
    loop {
        let event = match stream.read(&mut buffer) {
            Ok(0) | Err(_) => Event::Closed,
            Ok(count) => {
                // the first byte of a packet, which no other client begins with
                if buffer[..count].contains(&b'$') {
                    link.greeted.store(true, Ordering::SeqCst);
                }
                Event::Bytes(buffer[..count].to_vec())
            }
        };
        let closed = matches!(event, Event::Closed);
        if events.send(event).is_err() || closed {
            return;
        }
    }
}

impl Session<'_> {
    /// Stops the app and does what the debugger wants.
    fn hold(&mut self) -> Left {
        self.app.interrupt();
        let stop = loop {
            if let Some(stop) = self.app.held() {
                break stop;
            }
            match self.events.recv() {
                Ok(Event::Stopped) => {}
                Ok(Event::Bytes(bytes)) => self.pending.extend(bytes),
                Ok(Event::Closed) => return Left::Detached,
                Ok(Event::Ended(_)) | Err(_) => return Left::Over,
            }
        };
        if self.app.stopped(&stop).is_err() {
            return Left::Over;
        }
        match self.talk() {
            Ok(DisconnectReason::Disconnect) => Left::Detached,
            Ok(DisconnectReason::Kill) => {
                self.app.kill();
                Left::Over
            }
            Ok(DisconnectReason::TargetExited(_) | DisconnectReason::TargetTerminated(_)) => Left::Over,
            Err(problem) => {
                output::note(format_args!("the app goes on without the debugger: {problem}"));
                Left::Detached
            }
        }
    }

    /// Waits for what comes next, bytes one by one.
    fn next(&mut self) -> Result<Event, String> {
        if let Some(byte) = self.pending.pop_front() {
            return Ok(Event::Bytes(vec![byte]));
        }
        match self.events.recv() {
            Ok(Event::Bytes(bytes)) => {
                self.pending.extend(bytes);
                self.next()
            }
            Ok(Event::Closed) | Err(_) => Err("the connection was closed".into()),
            Ok(event) => Ok(event),
        }
    }

    fn talk(&mut self) -> Result<DisconnectReason, String> {
        let stream = self.stream.try_clone().map_err(|error| error.to_string())?;
        let said = |error: gdbstub::stub::GdbStubError<&'static str, std::io::Error>| error.to_string();
        let mut machine = GdbStub::new(stream).run_state_machine(self.app).map_err(said)?;
        loop {
            machine = match machine {
                Machine::Idle(idle) => match self.next()? {
                    Event::Bytes(bytes) => idle.incoming_data(self.app, bytes[0]).map_err(said)?,
                    // a device has ended an app that is held, and the protocol has no word for that
                    Event::Ended(code) => return Ok(DisconnectReason::TargetExited(code)),
                    _ => Machine::Idle(idle),
                },
                Machine::Running(running) => match self.next()? {
                    Event::Bytes(bytes) => running.incoming_data(self.app, bytes[0]).map_err(said)?,
                    Event::Stopped => match self.app.held() {
                        Some(stop) => {
                            let pc = self.app.stopped(&stop)?.to_le_bytes();
                            let mut registers = [(WasmRegId::Pc, &pc[..])].into_iter();
                            running.report_stop_with_regs(self.app, reason(stop), &mut registers).map_err(said)?
                        }
                        // a stop that is over, from before this debugger came
                        None => Machine::Running(running),
                    },
                    Event::Ended(code) => {
                        let exited = SingleThreadStopReason::<u64>::Exited(code);
                        running.report_stop(self.app, exited).map_err(said)?
                    }
                    Event::Closed => Machine::Running(running),
                },
                Machine::CtrlCInterrupt(interrupt) => {
                    self.app.interrupt();
                    // the stop is reported when the guest stands still
                    interrupt.interrupt_handled(self.app, None::<SingleThreadStopReason<u64>>).map_err(said)?
                }
                Machine::Disconnected(over) => return Ok(over.get_reason()),
            };
        }
    }
}

fn reason(stop: Stop) -> SingleThreadStopReason<u64> {
    match stop {
        Stop::Breakpoint => SingleThreadStopReason::SwBreak(()),
        Stop::Signal(number) => SingleThreadStopReason::SignalWithThread { tid: (), signal: Signal(number) },
        Stop::Beginning => SingleThreadStopReason::ReplayLog { tid: Some(()), pos: ReplayLogPosition::Begin },
        Stop::End => SingleThreadStopReason::ReplayLog { tid: Some(()), pos: ReplayLogPosition::End },
    }
}

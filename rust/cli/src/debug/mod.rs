// SPDX-License-Identifier: Apache-2.0
//! `wisp run --debug` and `west wisp debug`: an app under a debugger that speaks the gdb remote protocol with LLDB's packets for WebAssembly.
//!
//! Two threads work together. The guest's own thread asks the [`Guest`] before each op whether to stop, and while it stands
//! still, it does what the other thread sends it ([`Command`]). The other thread speaks with the debugger: [`serve`] has its
//! loop, [`target`] what the protocol asks of the app, and the crate `gdbstub` the packets. What the other thread wants of the
//! guest goes through a [`BackEnd`]. An app on a device ([`device`]) is another one, with a thread that asks how the app is.

mod back_end;
pub mod core;
pub mod device;
mod guest;
mod history;
mod serve;
mod target;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use wisp_compiler::DebugMap;
use wisp_engine::{TrapCode, View};
use wisp_image::ImageId;
use wisp_sim::Stopper;

use self::back_end::{BackEnd, Desk};
use self::device::Device;
pub use self::guest::Guest;
pub use self::history::{History, DISTANCE};
use self::target::App;
use crate::core_dump::Dump;
use crate::exit;
use crate::failure::Failure;

/// Address at which a debugger is awaited if the user names none.
pub const ADDRESS: &str = "127.0.0.1:1234";

/// Between two looks at whether an app on a device has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// Something that the guest's thread does while the guest stands still.
pub enum Command {
    /// Looks at the guest, or writes its memory.
    Look(Box<dyn FnOnce(&View<'_>) + Send>),
    /// Lets the guest go on.
    Go(Go),
    /// Ends the guest.
    Kill,
}

/// Orders how a guest goes on.
#[derive(Default)]
pub struct Go {
    /// Only to the next step.
    pub step: bool,
    /// It goes back, to a step or a breakpoint before. Only a replay can.
    pub back: bool,
    /// Code offsets of the steps at which it stops.
    pub breakpoints: Vec<u32>,
}

/// Something that the thread which speaks with the debugger waits for.
pub enum Event {
    /// The debugger sent these bytes.
    Bytes(Vec<u8>),
    /// The connection is closed.
    Closed,
    /// The guest stands still. [`Link::held`] says why.
    Stopped,
    /// The guest ended with this exit code.
    Ended(u8),
}

/// State that both threads look at.
#[derive(Default)]
pub struct Link {
    /// The guest is to stop at its next step.
    pub pause: AtomicBool,
    /// Something is connected.
    pub connected: AtomicBool,
    /// A debugger has spoken: a packet began.
    pub greeted: AtomicBool,
    /// The debugger ended the guest.
    pub killed: AtomicBool,
    /// Ends the waits of the host, once the guest has one.
    pub stopper: OnceLock<Stopper>,
    /// Why the guest stands still, or `None` while it runs.
    pub held: Mutex<Option<Stop>>,
    /// Exit code of an app on a device that has ended.
    pub ended: Mutex<Option<u8>>,
}

impl Link {
    /// Returns the exit code of an app on a device, to be read or set.
    pub fn ended(&self) -> MutexGuard<'_, Option<u8>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the reason for which the guest stands still, to be read or changed.
    pub fn held(&self) -> MutexGuard<'_, Option<Stop>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a guest stands still.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The debugger shows the signal with this number.
    Signal(u8),
    /// The code offset of the step is that of a breakpoint.
    Breakpoint,
    /// It went back to the beginning of the recording.
    Beginning,
    /// The recording ends here, without a trap.
    End,
}

impl Stop {
    /// It did a step: `SIGTRAP`, as POSIX systems have it.
    pub const STEP: Self = Self::Signal(5);
    /// The debugger asked for it: `SIGINT`.
    pub const ASKED: Self = Self::Signal(2);

    /// Returns the stop at a trap, whose exit code is 128 and the signal.
    pub const fn of_trap(code: TrapCode) -> Self {
        Self::Signal(exit::of_trap(code) - 128)
    }
}

/// The side of a debugged run that waits for debuggers.
pub struct Debugger {
    address: SocketAddr,
    events: Sender<Event>,
    link: Arc<Link>,
    thread: Option<JoinHandle<()>>,
}

/// Returns the address that a text names: a port, or an address of this machine and a port.
///
/// # Errors
/// The text is none, or the address is that of a network. The message begins with the option.
pub fn address(option: &str, text: &str) -> Result<SocketAddr, Failure> {
    let parsed = match text.parse::<u16>() {
        Ok(port) => Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)),
        Err(_) => text.replacen("localhost:", "127.0.0.1:", 1).parse().ok(),
    };
    let parsed = parsed.ok_or_else(|| {
        Failure::new(format!("{option}={text}: expected a port, or an address and a port, as in 127.0.0.1:1234"))
    })?;
    if !parsed.ip().is_loopback() {
        return Err(Failure::new(format!(
            "{option}={text}: whoever connects controls the app, so only addresses of this machine are served; reach it \
             from another one with `ssh -L`"
        )));
    }
    Ok(parsed)
}

impl Debugger {
    /// Waits for debuggers at an address of this machine, in a thread of its own. Returns the side of the guest as well. A
    /// guest that `replays` goes back too, once it has a player ([`Guest::keep_history`]).
    ///
    /// # Errors
    /// The address is none of this machine, or something else listens there.
    pub fn listen(
        text: &str,
        path: &Path,
        wasm: &[u8],
        map: DebugMap,
        replays: bool,
    ) -> Result<(Self, Guest), Failure> {
        let (events, received) = channel();
        let (commands, orders) = channel();
        let link = Arc::new(Link { pause: true.into(), ..Link::default() });
        let guest = Guest::new(&map, link.clone(), orders, events.clone());
        let back_end = Box::new(Desk::new(link.clone(), commands, replays));
        let debugger = Self::serve(("--debug", text), path, wasm, map, back_end, link, (events, received))?;
        Ok((debugger, guest))
    }

    /// Waits for debuggers of an app on a device, which runs the image with this id.
    ///
    /// # Errors
    /// The address is none of this machine, or something else listens there.
    pub fn bridge(
        text: &str,
        path: &Path,
        wasm: &[u8],
        map: DebugMap,
        device: Device,
        image: ImageId,
    ) -> Result<Self, Failure> {
        let (events, received) = channel();
        let link = Arc::new(Link::default());
        device.follow(image, link.clone(), events.clone());
        Self::serve(("--listen", text), path, wasm, map, Box::new(device), link, (events, received))
    }

    /// Waits for debuggers that look at a core dump.
    ///
    /// # Errors
    /// The address is none of this machine, or something else listens there.
    pub fn of_dump(text: &str, path: &Path, wasm: &[u8], map: DebugMap, dump: Dump) -> Result<Self, Failure> {
        let (events, received) = channel();
        let link = Arc::new(Link::default());
        let back_end = Box::new(core::Core::new(dump, link.clone(), events.clone()));
        Self::serve(("--listen", text), path, wasm, map, back_end, link, (events, received))
    }

    fn serve(
        (option, text): (&str, &str),
        path: &Path,
        wasm: &[u8],
        map: DebugMap,
        back_end: Box<dyn BackEnd>,
        link: Arc<Link>,
        (events, received): (Sender<Event>, Receiver<Event>),
    ) -> Result<Self, Failure> {
        let wanted = address(option, text)?;
        let failed = |error| Failure::new(format!("{option}: no debugger can connect to {wanted}: {error}"));
        let listener = TcpListener::bind(wanted).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let name = std::path::absolute(path).unwrap_or_else(|_| path.into());
        let app = App::new(&name.to_string_lossy(), wasm.into(), Arc::new(map), link.clone(), back_end);
        let (sender, shared) = (events.clone(), link.clone());
        let thread = std::thread::spawn(move || serve::serve(&listener, app, &sender, &received, &shared));
        Ok(Self { address, events, link, thread: Some(thread) })
    }

    /// Waits until an app on a device has ended. Returns its exit code, after a debugger that is connected was told.
    pub fn wait(mut self) -> u8 {
        let code = loop {
            let ended = *self.link.ended();
            match ended {
                Some(code) => break code,
                None => std::thread::sleep(PAUSE),
            }
        };
        if let Some(thread) = self.thread.take().filter(|_| self.link.connected.load(Ordering::SeqCst)) {
            let _ = thread.join();
        }
        code
    }

    /// Returns where a debugger can connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets what ends the waits of the host when the debugger ends the app.
    pub fn stop_with(&self, stopper: Stopper) {
        // a run has one
        let _ = self.link.stopper.set(stopper);
    }

    /// Reports to a debugger, if one is connected, with which exit code the app ended, and waits until that was sent.
    pub fn finish(mut self, code: u8) {
        let _ = self.events.send(Event::Ended(code));
        if let Some(thread) = self.thread.take().filter(|_| self.link.connected.load(Ordering::SeqCst)) {
            let _ = thread.join();
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! What the host keeps for one app: its part of the board and what it has open.

use crate::handles::Handles;
use crate::line::LineBuffer;
use crate::platform::{Platform, Stream};
use crate::stop::{Failure, Interrupted};
use crate::timer::Timers;
use crate::wasi::SocketFlags;
use wisp_abi::Errno;
use wisp_engine::{FuncType, HostFunction, Name, Resolve, SlotFunction};

/// Pieces that a call takes although its time is over. A peer that sends without a pause does not hold it longer.
pub(crate) const PIECES: u32 = 32;

/// The context of one app: the `T` of the store its instance lives in. About 200 bytes plus `P`.
#[derive(Debug)]
pub struct App<P> {
    pub(crate) platform: P,
    pub(crate) open: Open,
    /// The open pins that are outputs.
    pub(crate) outputs: Handles,
    /// The open pins that are watched.
    pub(crate) watched: Handles,
    pub(crate) timers: Timers,
    /// True if `wait` last delivered a timer.
    pub(crate) timer_was_last: bool,
    pub(crate) pending: LineBuffer,
    pub(crate) pending_stream: Stream,
    /// The table of file descriptors was filled in.
    pub(crate) descriptors_ready: bool,
    /// A bit for each standard stream that was closed, where there is no such table.
    pub(crate) closed_streams: u8,
    pub(crate) sockets: SocketFlags,
}

impl<P: Platform> App<P> {
    /// Returns an app with nothing open on its part of the board.
    pub const fn new(platform: P) -> Self {
        App {
            platform,
            open: Open::new(),
            outputs: Handles::new(),
            watched: Handles::new(),
            timers: Timers::new(),
            timer_was_last: false,
            pending: LineBuffer::new(),
            pending_stream: Stream::Out,
            descriptors_ready: false,
            closed_streams: 0,
            sockets: SocketFlags::new(),
        }
    }

    /// Returns the app's part of the board.
    pub fn platform(&self) -> &P {
        &self.platform
    }

    /// Returns the app's part of the board.
    pub fn platform_mut(&mut self) -> &mut P {
        &mut self.platform
    }

    /// Fails if the app has to stop: called between the pieces of work that may take long.
    pub(crate) fn go_on<E>(&mut self) -> Result<(), Failure<E>> {
        if self.platform.is_to_stop() {
            Err(Failure::interrupted(Interrupted))
        } else {
            Ok(())
        }
    }

    /// Looks between the pieces of a long call whether it goes on: the app may have to stop, or the time may be over.
    pub(crate) fn take_more(&mut self, pieces: &mut u32, end: u64) -> Result<(), Failure<Errno>> {
        self.go_on()?;
        *pieces = pieces.saturating_sub(1);
        if *pieces == 0 && self.platform.uptime_us() >= end {
            return Err(Errno::TimedOut.into());
        }
        Ok(())
    }

    /// Returns the uptime at which a wait of so many milliseconds ends. The largest number has no limit.
    pub(crate) fn end_of_wait(&mut self, timeout: u32) -> u64 {
        match timeout {
            0 => 0,
            u32::MAX => u64::MAX,
            ms => self.platform.uptime_us().saturating_add(u64::from(ms) * 1000),
        }
    }

    /// Returns the grant that was found for a label. Otherwise, logs how it would be granted.
    pub(crate) fn granted(&mut self, found: Option<u32>, module: &str, label: &[u8]) -> Result<u32, Errno> {
        let found = found.filter(|index| *index < Handles::COUNT);
        if found.is_none() {
            self.platform.denied(module, label);
        }
        found.ok_or(Errno::Access)
    }

    /// Shows unfinished output, makes outputs inactive and releases all pins. Has to be called when the guest has
    /// ended, however it did. Afterwards the app may be started again.
    pub fn release(&mut self) {
        // Nobody is left to be told of an error, and the rest must be released all the same.
        let _ = self.flush();
        self.close_descriptors();
        self.release_grants();
        self.platform.release_net();
        self.platform.release_ble();
        self.release_session();
        self.release_coap();
        self.forget_sockets();
        self.timers = Timers::new();
    }
}

impl<P: Platform + 'static> App<P> {
    /// `env`, for guests in AssemblyScript.
    pub const ENV: Table<Self> = Table { module: crate::env::MODULE, functions: &crate::env::functions() };
}

include!(concat!(env!("OUT_DIR"), "/app.rs"));

/// The host functions of one import module. `T` is the data of the stores they work with.
pub struct Table<T: 'static> {
    /// Name that guests import them from.
    pub module: &'static str,
    /// The functions.
    pub functions: &'static [SlotFunction<T>],
}

/// Tables of interfaces as one source of a [`wisp_engine::Linker`], which holds few.
#[derive(Clone, Copy)]
pub struct Interfaces<P: 'static>(pub &'static [Table<App<P>>]);

impl<P> Interfaces<P> {
    /// Returns the function with this name.
    pub fn find(&self, module: Name<'_>, name: Name<'_>) -> Option<HostFunction<App<P>>> {
        let table = self.0.iter().find(|table| module == table.module)?;
        table.functions.iter().find(|function| name == function.name).map(|function| function.of(table.module))
    }
}

impl<P> core::fmt::Debug for Interfaces<P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Interfaces").field(&self.0.len()).finish()
    }
}

impl<P> Resolve<App<P>> for Interfaces<P> {
    fn resolve(&self, module: Name<'_>, name: Name<'_>, _ty: FuncType<'_>) -> Option<HostFunction<App<P>>> {
        self.find(module, name)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Board, Harness};
    use crate::App;
    use std::string::String;
    use wisp_abi::{gpio, render, INTERFACES};

    #[test]
    fn the_tables_hold_every_described_function_with_its_type() {
        let mut described = 0;
        for interface in INTERFACES {
            for function in interface.functions {
                let table = App::<Board>::ALL.iter().find(|table| table.module == interface.module).unwrap();
                let Some(found) = table.functions.iter().find(|f| f.name == function.name) else {
                    panic!("{} is not in the tables", function.name);
                };
                let mut letters = String::new();
                render::signature(&mut letters, function).unwrap();
                assert_eq!(found.letters, letters, "{}", function.name);
                described += 1;
            }
        }
        let all = App::<Board>::ALL.iter().map(|table| table.functions.len()).sum::<usize>();
        assert_eq!(all - App::<Board>::ENV.functions.len(), described);
    }

    #[test]
    fn release_makes_outputs_inactive_and_shows_unfinished_output() {
        let mut harness = Harness::new();
        let led = harness.open("led", gpio::OUTPUT_ACTIVE);
        harness.open("button", gpio::INPUT);
        harness.print(1, b"no line end");
        harness.app.release();
        let board = harness.app.platform();
        assert_eq!(board.printed, [(1, "no line end".into())]);
        assert!(!board.pins[led as usize].active);
        assert!(board.pins.iter().all(|pin| pin.mode.is_none()));
        assert_eq!(harness.gpio("set_active", &[led]), -9);
    }

    #[test]
    fn release_goes_on_when_a_driver_fails() {
        let mut harness = Harness::new();
        harness.open("led", gpio::OUTPUT_ACTIVE);
        harness.open("button", gpio::INPUT);
        harness.app.platform_mut().broken = true;
        harness.app.release();
        assert!(harness.app.platform().pins.iter().all(|pin| pin.mode.is_none()));
    }
}

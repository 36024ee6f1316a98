// SPDX-License-Identifier: Apache-2.0
//! What a board gives to one app. One value of a [`Platform`] belongs to one app: its names, grants
//! and arguments are that app's own.

pub use crate::ble::{bad_ble_entry, may_hear, BleList, BleReport, BleWritten, Characteristic, DEFAULT_MIN_INTERVAL};
pub use crate::can::{Frame, ReceivedFrame};
pub use crate::claim::{ble_service, BleEntry, BleEntryError};
pub use crate::coap::CoapState;
pub use crate::display::{DisplayInfo, Rectangle};
pub use crate::endpoint::{is_ipv4, mapped, Endpoint, EndpointError, Peer, Protocol};
pub use crate::event::{Event, Events, Kind};
pub use crate::files::{Descriptor, Entry, FileResult, FileType, Files, Metadata, Opening, Time};
pub use crate::flash::FlashInfo;
pub use crate::gpio::{Edges, PinMode};
pub use crate::i2c::Operation;
pub use crate::input::Report;
pub use crate::lifecycle::Lifecycle;
pub use crate::mqtt::Session;
pub use crate::net::{bad_endpoint, may_enter, may_reach, may_receive, proved, Received, Socket, Stage, Waited};
pub use crate::spi::SpiOperation;
pub use crate::uart::UartErrors;

use crate::stop::Interrupted;
use wisp_abi::Errno;

include!(concat!(env!("OUT_DIR"), "/platform.rs"));

/// The name, arguments and environment of the app.
pub trait Identity {
    /// Returns the app's name, also its first argument.
    fn name(&self) -> &str;

    /// Returns the `index`-th argument after the name.
    fn argument(&self, _index: usize) -> Option<&[u8]> {
        None
    }

    /// Returns the `index`-th environment variable, `name=value`.
    fn variable(&self, _index: usize) -> Option<&[u8]> {
        None
    }

    /// Notes bytes of linear memory that a host function may have written. Only recordings need it.
    fn wrote(&mut self, _address: u32, _length: u32) {}
}

/// System log of the board.
pub trait Log {
    /// Returns the highest level that is kept, a constant of [`wisp_abi::log`], or 0 if none is.
    fn max_level(&self) -> u32;

    /// Logs one line under the app's name: no control characters but tab, level at most `max_level`.
    /// Bytes above 0x7f are the guest's UTF-8, unchecked.
    fn line(&mut self, level: u32, line: &[u8]);

    /// Reports that the app asked for something it was not granted, and which property of which node
    /// would grant it. The label is the guest's: any bytes, of any length.
    fn denied(&mut self, interface: &str, label: &[u8]);
}

/// Standard stream of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Output and input of the standard streams.
pub trait Stdio {
    /// Is true if [`Stdio::output`] gets complete lines without their end and without control characters, as for a log.
    /// Otherwise it gets the guest's bytes unchanged.
    const LINES: bool;

    /// Writes output. A line longer than the host's buffer comes in pieces.
    ///
    /// # Errors
    /// `EIO` if it cannot be written.
    fn output(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Errno>;

    /// Reads from standard input and returns how many bytes were read. Returns 0 at the end.
    ///
    /// # Errors
    /// `EIO` if it cannot be read.
    fn input(&mut self, _buffer: &mut [u8]) -> Result<u32, Errno> {
        Ok(0)
    }
}

/// Clocks and sleeping.
pub trait Clock {
    /// Returns the time since boot in microseconds.
    fn uptime_us(&mut self) -> u64;

    /// Returns the resolution of [`Clock::uptime_us`] in nanoseconds, at least 1.
    fn resolution_ns(&self) -> u64;

    /// Returns the nanoseconds since 1970, if the board has a wall clock.
    fn wall_clock_ns(&mut self) -> Option<u64> {
        None
    }

    /// Returns true once the app has to stop: called between the pieces of work that may take long.
    fn is_to_stop(&mut self) -> bool;

    /// Blocks for at least `duration` microseconds. Zero yields.
    ///
    /// # Errors
    /// [`Interrupted`] as soon as the app has to stop.
    fn sleep_us(&mut self, duration: u64) -> Result<(), Interrupted>;
}

/// Randomness.
pub trait Entropy {
    /// Fills the buffer.
    ///
    /// # Errors
    /// `ENOTSUP` without a source, `EIO` if it failed.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Errno>;
}

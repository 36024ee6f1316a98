// SPDX-License-Identifier: Apache-2.0
//! CAN buses.

use crate::abi::can;
use crate::record::number;
use crate::timeout::ms;
use crate::{Errno, Error};
use core::time::Duration;

/// A CAN bus that was granted. Its filters are removed and the bus is closed when it is dropped.
#[derive(Debug)]
pub struct CanBus(u32);

/// The identifier of a frame, or the bits of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CanId {
    /// 11 bits.
    Standard(u16),
    /// 29 bits.
    Extended(u32),
}

impl CanId {
    fn parts(self) -> (u32, u32) {
        match self {
            CanId::Standard(id) => (id.into(), 0),
            CanId::Extended(id) => (id, can::EXTENDED),
        }
    }
}

/// A frame on a CAN bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanFrame {
    id: CanId,
    remote: bool,
    length: u8,
    bytes: [u8; can::MAX_DATA as usize],
}

impl CanFrame {
    /// Returns a frame with data. `None` for more than 8 bytes or for an identifier with too many bits.
    pub fn new(id: CanId, data: &[u8]) -> Option<Self> {
        let mut bytes = [0; can::MAX_DATA as usize];
        bytes.get_mut(..data.len())?.copy_from_slice(data);
        Self::checked(id, false, data.len(), bytes)
    }

    /// Returns a frame that asks for so many bytes. `None` for more than 8, or for an identifier with too many bits.
    pub fn new_remote(id: CanId, length: usize) -> Option<Self> {
        Self::checked(id, true, length, [0; can::MAX_DATA as usize])
    }

    fn checked(id: CanId, remote: bool, length: usize, bytes: [u8; can::MAX_DATA as usize]) -> Option<Self> {
        let fits = match id {
            CanId::Standard(id) => id >> 11 == 0,
            CanId::Extended(id) => id >> 29 == 0,
        };
        let length = u8::try_from(length).ok().filter(|length| u32::from(*length) <= can::MAX_DATA)?;
        fits.then_some(CanFrame { id, remote, length, bytes })
    }

    /// Returns the identifier.
    pub fn id(&self) -> CanId {
        self.id
    }

    /// Returns true if it asks for data.
    pub fn is_remote(&self) -> bool {
        self.remote
    }

    /// Returns the number of data bytes, of a remote frame those that it asks for.
    pub fn length(&self) -> usize {
        self.length.into()
    }

    /// Returns the data bytes, none of a remote frame.
    pub fn data(&self) -> &[u8] {
        let length = if self.remote { 0 } else { self.length() };
        &self.bytes[..length]
    }

    fn from_record(record: &[u8; can::FRAME_SIZE]) -> Self {
        let [id, flags, length] = [16, 20, 24].map(|at| number(record, at, 4) as u32);
        let id = if flags & can::EXTENDED != 0 { CanId::Extended(id) } else { CanId::Standard(id as u16) };
        let mut bytes = [0; can::MAX_DATA as usize];
        bytes.copy_from_slice(&record[8..16]);
        CanFrame { id, remote: flags & can::REMOTE != 0, length: length.min(can::MAX_DATA) as u8, bytes }
    }
}

/// A frame that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedFrame {
    /// When the host got it, since boot.
    pub time: Duration,
    /// The frame.
    pub frame: CanFrame,
    /// Number of frames that were dropped since the one received before, because the app was too slow.
    pub lost: u32,
}

impl ReceivedFrame {
    fn from_record(record: &[u8; can::FRAME_SIZE]) -> Self {
        let time = Duration::from_micros(number(record, 0, 8));
        ReceivedFrame { time, frame: CanFrame::from_record(record), lost: number(record, 28, 4) as u32 }
    }
}

/// The state of a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CanState {
    /// It sends and receives.
    Active,
    /// Some frames failed.
    Warning,
    /// So many frames failed that it reports no errors of others.
    Passive,
    /// So many frames failed that it sends none.
    BusOff,
    /// The firmware has stopped it.
    Stopped,
}

impl CanBus {
    /// Opens the bus granted as `label` in `can-names`. No frames are received before [`CanBus::filter`].
    ///
    /// # Errors
    /// `EACCES` if it was not granted, `ENODEV` if its controller is not ready, `EIO` if that cannot be started.
    pub fn open(label: &str) -> Result<Self, Error> {
        Ok(CanBus(can::open(label.as_bytes())?))
    }

    /// Returns the number that events of this bus carry.
    pub fn source(&self) -> u32 {
        self.0
    }

    /// Lets frames in whose identifier is `id` in the bits of `mask`, and of the same kind.
    ///
    /// # Errors
    /// `EINVAL` if identifier or mask has too many bits, `ENOSPC` if there are no more filters, `ENOTSUP` if the
    /// controller has no such filter, otherwise the error of the driver.
    pub fn filter(&mut self, id: CanId, mask: u32) -> Result<(), Error> {
        let (id, flags) = id.parts();
        Ok(can::filter(self.0, id, mask, flags)?)
    }

    /// Removes all filters and drops what was received.
    pub fn unfilter(&mut self) {
        // The handle is open, so this cannot fail.
        let _ = can::unfilter(self.0);
    }

    fn receive_for(&mut self, timeout: u32) -> Result<ReceivedFrame, Errno> {
        Ok(ReceivedFrame::from_record(&can::receive(self.0, timeout)?))
    }

    /// Takes the oldest frame, waiting for it without limit. The CPU is free for others.
    ///
    /// # Errors
    /// None but those of a host that breaks its own rules.
    pub fn receive(&mut self) -> Result<ReceivedFrame, Error> {
        Ok(self.receive_for(can::FOREVER)?)
    }

    /// Takes the oldest frame, waiting for it this long, rounded up to milliseconds. `None` if nothing comes.
    ///
    /// # Errors
    /// None but those of a host that breaks its own rules.
    pub fn receive_within(&mut self, timeout: Duration) -> Result<Option<ReceivedFrame>, Error> {
        match self.receive_for(ms(timeout).min(can::FOREVER - 1)) {
            Ok(frame) => Ok(Some(frame)),
            Err(Errno::TimedOut) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn send_for(&mut self, frame: &CanFrame, timeout: u32) -> Result<(), Errno> {
        let (id, extended) = frame.id.parts();
        let flags = extended | if frame.remote { can::REMOTE } else { 0 };
        can::send(self.0, id, flags, &frame.bytes[..frame.length()], timeout)
    }

    /// Hands a frame to the controller, waiting for room without limit.
    ///
    /// # Errors
    /// `EIO` if the controller is off the bus or stopped, `ENOTSUP` if it cannot send such a frame, otherwise the error
    /// of the driver.
    pub fn send(&mut self, frame: &CanFrame) -> Result<(), Error> {
        Ok(self.send_for(frame, can::FOREVER)?)
    }

    /// Hands a frame to the controller, waiting for room this long, rounded up to milliseconds.
    ///
    /// # Errors
    /// `ETIMEDOUT` if there was no room in time, and the errors of [`CanBus::send`].
    pub fn send_within(&mut self, frame: &CanFrame, timeout: Duration) -> Result<(), Error> {
        Ok(self.send_for(frame, ms(timeout).min(can::FOREVER - 1))?)
    }

    /// Chooses whether frames become events: see [`crate::next_event`].
    ///
    /// # Errors
    /// `ENOTSUP` if the firmware has no events.
    pub fn watch(&mut self, on: bool) -> Result<(), Error> {
        Ok(can::watch(self.0, on.into())?)
    }

    /// Returns the state of the controller.
    ///
    /// # Errors
    /// The error of the driver.
    pub fn state(&self) -> Result<CanState, Error> {
        Ok(match can::state(self.0)? {
            can::ACTIVE => CanState::Active,
            can::WARNING => CanState::Warning,
            can::PASSIVE => CanState::Passive,
            can::BUS_OFF => CanState::BusOff,
            _ => CanState::Stopped,
        })
    }

    /// Returns how many frames were handed to the controller and not sent since the last call.
    pub fn failed(&mut self) -> u32 {
        // The handle is open, so this cannot fail.
        can::failed(self.0).unwrap_or(0)
    }
}

impl Drop for CanBus {
    fn drop(&mut self) {
        // The handle is open, so this cannot fail.
        let _ = can::close(self.0);
    }
}

#[cfg(feature = "embedded-can")]
mod traits {
    use super::{CanBus, CanFrame, CanId};
    use crate::{Errno, Error};
    use embedded_can::{blocking, nb, ErrorKind, ExtendedId, Frame, Id, StandardId};

    impl embedded_can::Error for Error {
        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    impl From<Id> for CanId {
        fn from(id: Id) -> Self {
            match id {
                Id::Standard(id) => CanId::Standard(id.as_raw()),
                Id::Extended(id) => CanId::Extended(id.as_raw()),
            }
        }
    }

    impl Frame for CanFrame {
        fn new(id: impl Into<Id>, data: &[u8]) -> Option<Self> {
            CanFrame::new(id.into().into(), data)
        }

        fn new_remote(id: impl Into<Id>, length: usize) -> Option<Self> {
            CanFrame::new_remote(id.into().into(), length)
        }

        fn is_extended(&self) -> bool {
            matches!(self.id, CanId::Extended(_))
        }

        fn is_remote_frame(&self) -> bool {
            self.remote
        }

        fn id(&self) -> Id {
            // A frame's identifier has no more bits than it may.
            match self.id {
                CanId::Standard(id) => StandardId::new(id).unwrap_or(StandardId::MAX).into(),
                CanId::Extended(id) => ExtendedId::new(id).unwrap_or(ExtendedId::MAX).into(),
            }
        }

        fn dlc(&self) -> usize {
            self.length()
        }

        fn data(&self) -> &[u8] {
            CanFrame::data(self)
        }
    }

    impl blocking::Can for CanBus {
        type Frame = CanFrame;
        type Error = Error;

        fn transmit(&mut self, frame: &CanFrame) -> Result<(), Error> {
            self.send(frame)
        }

        fn receive(&mut self) -> Result<CanFrame, Error> {
            Ok(CanBus::receive(self)?.frame)
        }
    }

    /// Returns the error of a call that did not wait.
    fn at_once(error: Errno) -> ::nb::Error<Error> {
        match error {
            Errno::TimedOut => ::nb::Error::WouldBlock,
            error => ::nb::Error::Other(error.into()),
        }
    }

    impl nb::Can for CanBus {
        type Frame = CanFrame;
        type Error = Error;

        /// Frames in the controller are not replaced by others, so the result has none.
        fn transmit(&mut self, frame: &CanFrame) -> ::nb::Result<Option<CanFrame>, Error> {
            self.send_for(frame, 0).map(|()| None).map_err(at_once)
        }

        fn receive(&mut self) -> ::nb::Result<CanFrame, Error> {
            self.receive_for(0).map(|received| received.frame).map_err(at_once)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn frames_have_the_parts_that_they_were_made_of() {
            let id = ExtendedId::new(0x1234_5678).unwrap();
            let frame = <CanFrame as Frame>::new(id, &[1, 2, 3]).unwrap();
            assert!(frame.is_extended() && frame.is_data_frame());
            assert_eq!((Frame::id(&frame), frame.dlc(), Frame::data(&frame)), (id.into(), 3, &[1, 2, 3][..]));
            let id = StandardId::new(0x7ff).unwrap();
            let frame = <CanFrame as Frame>::new_remote(id, 8).unwrap();
            assert!(frame.is_standard() && frame.is_remote_frame());
            assert_eq!((Frame::id(&frame), frame.dlc(), Frame::data(&frame)), (id.into(), 8, &[][..]));
            assert!(<CanFrame as Frame>::new(id, &[0; 9]).is_none());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_8_bytes_and_identifiers_of_11_or_29_bits_at_most() {
        let frame = CanFrame::new(CanId::Standard(0x7ff), &[1; 8]).unwrap();
        assert_eq!((frame.id(), frame.data(), frame.is_remote()), (CanId::Standard(0x7ff), &[1; 8][..], false));
        assert!(CanFrame::new(CanId::Standard(0x800), &[]).is_none());
        assert!(CanFrame::new(CanId::Extended(0x2000_0000), &[]).is_none());
        assert!(CanFrame::new(CanId::Extended(0), &[0; 9]).is_none());
        assert!(CanFrame::new_remote(CanId::Extended(0), 9).is_none());
        let remote = CanFrame::new_remote(CanId::Extended(0x1fff_ffff), 8).unwrap();
        assert_eq!((remote.length(), remote.data(), remote.is_remote()), (8, &[][..], true));
    }

    #[test]
    fn records_are_read_as_the_host_writes_them() {
        let mut record = [0; can::FRAME_SIZE];
        record[..8].copy_from_slice(&3_000_000u64.to_le_bytes());
        record[8..11].copy_from_slice(&[7, 8, 9]);
        for (at, number) in [(16, 0x123u32), (20, 0), (24, 3), (28, 5)] {
            record[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let frame = CanFrame::new(CanId::Standard(0x123), &[7, 8, 9]).unwrap();
        let expected = ReceivedFrame { time: Duration::from_secs(3), frame, lost: 5 };
        assert_eq!(ReceivedFrame::from_record(&record), expected);
    }
}

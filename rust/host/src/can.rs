// SPDX-License-Identifier: Apache-2.0
//! `wisp:can@1`.

use crate::bindings::CanV1;
use crate::platform::Platform;
use crate::stop::{Failure, Interrupted};
use crate::App;
use wisp_abi::{can, Errno};

/// A frame on a CAN bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frame {
    /// The identifier, of 29 bits if it is extended, else of 11.
    pub id: u32,
    /// The identifier has 29 bits.
    pub extended: bool,
    /// It asks for data.
    pub remote: bool,
    /// Number of data bytes, at most 8. A remote frame asks for so many.
    pub length: u8,
    /// The data bytes, and 0 behind them.
    pub data: [u8; can::MAX_DATA as usize],
}

/// A frame that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedFrame {
    /// When, in microseconds since boot.
    pub time_us: u64,
    /// The frame.
    pub frame: Frame,
    /// Number of frames that were dropped since the one received before.
    pub lost: u32,
}

/// CAN buses that the app was granted. `can` is an index into its grants, from [`Can::find_can`]. Other calls come only
/// for buses that are open, and with identifiers and masks that have no more bits than they may. Times are uptimes in
/// microseconds, `u64::MAX` is without end, and one that has passed means not to wait. A board without CAN implements
/// nothing.
pub trait Can {
    /// Returns the index of the grant with this label, below [`can::MAX_CANS`].
    fn find_can(&self, _label: &[u8]) -> Option<u32> {
        None
    }

    /// Starts the controller, unless it was started. The app has no filters then, and has received nothing.
    ///
    /// # Errors
    /// `ENODEV` if the controller is not ready, otherwise the error of the driver.
    fn open_can(&mut self, _can: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Removes the app's filters, drops what was received, and ends events of the bus.
    fn close_can(&mut self, _can: u32) {}

    /// Adds a filter.
    ///
    /// # Errors
    /// `ENOSPC` if the app has all its filters, otherwise the error of the driver.
    fn filter_can(&mut self, _can: u32, _id: u32, _mask: u32, _extended: bool) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Removes the app's filters and drops what was received.
    fn unfilter_can(&mut self, _can: u32) {}

    /// Takes the oldest frame, waiting for one until a time.
    ///
    /// # Errors
    /// [`Interrupted`] as soon as the app has to stop.
    fn receive_can(&mut self, _can: u32, _until_us: u64) -> Result<Option<ReceivedFrame>, Interrupted> {
        Ok(None)
    }

    /// Hands a frame to the controller, waiting for room until a time: `ETIMEDOUT` if there was none, otherwise the
    /// error of the driver.
    ///
    /// # Errors
    /// [`Interrupted`] as soon as the app has to stop.
    fn send_can(&mut self, _can: u32, _frame: &Frame, _until_us: u64) -> Result<Result<(), Errno>, Interrupted> {
        Ok(Err(Errno::NoSuchDevice))
    }

    /// Selects whether frames raise events, and drops what the queue of events holds of the bus.
    ///
    /// # Errors
    /// `ENOTSUP` without events.
    fn watch_can(&mut self, _can: u32, _on: bool) -> Result<(), Errno> {
        Err(Errno::NotSupported)
    }

    /// Returns the state of the controller, a constant of [`can`].
    ///
    /// # Errors
    /// The error of the driver.
    fn can_state(&mut self, _can: u32) -> Result<u32, Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Returns the number of frames that were handed over and not sent since the last call, and clears it.
    fn take_failed_frames(&mut self, _can: u32) -> u32 {
        0
    }
}

/// Closes the app's buses.
pub(crate) fn release<P: Platform>(app: &mut App<P>) {
    while let Some(can) = app.open.can.pop() {
        app.platform.close_can(can);
    }
}

const SIZE: usize = can::FRAME.size() as usize;

fn record(received: ReceivedFrame) -> [u8; SIZE] {
    let ReceivedFrame { time_us, frame, lost } = received;
    let flags = if frame.extended { can::EXTENDED } else { 0 } | if frame.remote { can::REMOTE } else { 0 };
    let mut record = [0; SIZE];
    record[..8].copy_from_slice(&time_us.to_le_bytes());
    record[8..16].copy_from_slice(&frame.data);
    for (field, number) in record[16..].chunks_exact_mut(4).zip([frame.id, flags, frame.length.into(), lost]) {
        field.copy_from_slice(&number.to_le_bytes());
    }
    record
}

/// Checks that numbers have no more bits than an identifier.
fn check_id<const N: usize>(numbers: [u32; N], extended: bool) -> Result<(), Errno> {
    let bits = if extended { 29 } else { 11 };
    if numbers.iter().all(|number| number >> bits == 0) {
        Ok(())
    } else {
        Err(Errno::Invalid)
    }
}

impl<P: Platform> CanV1 for App<P> {
    fn open(&mut self, label: &[u8]) -> Result<u32, Failure<Errno>> {
        let can = self.granted(self.platform.find_can(label), can::INTERFACE.module, label)?;
        self.platform.open_can(can)?;
        self.open.can.set(can, true);
        Ok(can)
    }

    fn close(&mut self, can: u32) -> Result<(), Failure<Errno>> {
        self.open.can.check(can)?;
        self.open.can.set(can, false);
        self.platform.close_can(can);
        Ok(())
    }

    fn filter(&mut self, can: u32, id: u32, mask: u32, flags: u32) -> Result<(), Failure<Errno>> {
        self.open.can.check(can)?;
        if flags & !can::EXTENDED != 0 {
            return Err(Errno::Invalid.into());
        }
        let extended = flags == can::EXTENDED;
        check_id([id, mask], extended)?;
        Ok(self.platform.filter_can(can, id, mask, extended)?)
    }

    fn unfilter(&mut self, can: u32) -> Result<(), Failure<Errno>> {
        self.open.can.check(can)?;
        self.platform.unfilter_can(can);
        Ok(())
    }

    fn receive(&mut self, can: u32, timeout: u32) -> Result<[u8; SIZE], Failure<Errno>> {
        self.open.can.check(can)?;
        let end = self.end_of_wait(timeout);
        let frame = self.platform.receive_can(can, end).map_err(Failure::interrupted)?;
        Ok(record(frame.ok_or(Errno::TimedOut)?))
    }

    fn send(&mut self, can: u32, id: u32, flags: u32, bytes: &[u8], timeout: u32) -> Result<(), Failure<Errno>> {
        self.open.can.check(can)?;
        if flags & !(can::EXTENDED | can::REMOTE) != 0 {
            return Err(Errno::Invalid.into());
        }
        let (extended, remote) = (flags & can::EXTENDED != 0, flags & can::REMOTE != 0);
        check_id([id], extended)?;
        let mut data = [0; can::MAX_DATA as usize];
        let place = data.get_mut(..bytes.len()).ok_or(Errno::MessageSize)?;
        if !remote {
            place.copy_from_slice(bytes);
        }
        // At most 8.
        let frame = Frame { id, extended, remote, length: bytes.len() as u8, data };
        let end = self.end_of_wait(timeout);
        Ok(self.platform.send_can(can, &frame, end).map_err(Failure::interrupted)??)
    }

    fn watch(&mut self, can: u32, on: u32) -> Result<(), Failure<Errno>> {
        self.open.can.check(can)?;
        Ok(self.platform.watch_can(can, on != 0)?)
    }

    fn state(&mut self, can: u32) -> Result<u32, Failure<Errno>> {
        self.open.can.check(can)?;
        Ok(self.platform.can_state(can)?)
    }

    fn failed(&mut self, can: u32) -> Result<u32, Failure<Errno>> {
        self.open.can.check(can)?;
        Ok(self.platform.take_failed_frames(can).min(i32::MAX as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::{Can, Frame, ReceivedFrame};
    use crate::stop::{Interrupted, Stop};
    use crate::testing::{Board, Harness, CAN};
    use wisp_abi::can::{BUS_OFF, FOREVER};
    use wisp_abi::Errno;

    impl Can for Board {
        fn find_can(&self, label: &[u8]) -> Option<u32> {
            (label == b"bus").then_some(0)
        }

        fn open_can(&mut self, can: u32) -> Result<(), Errno> {
            self.calls.push(("open", [can, 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn close_can(&mut self, can: u32) {
            self.calls.push(("close", [can, 0]));
        }

        fn filter_can(&mut self, _can: u32, id: u32, mask: u32, extended: bool) -> Result<(), Errno> {
            self.calls.push((if extended { "extended" } else { "standard" }, [id, mask]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn unfilter_can(&mut self, can: u32) {
            self.calls.push(("unfilter", [can, 0]));
        }

        fn receive_can(&mut self, _can: u32, until_us: u64) -> Result<Option<ReceivedFrame>, Interrupted> {
            let next = self.frames.pop_front();
            self.waited(next.is_none(), until_us)?;
            Ok(next.map(|frame| ReceivedFrame { time_us: 1 << 40, frame, lost: 7 }))
        }

        fn send_can(&mut self, _can: u32, frame: &Frame, until_us: u64) -> Result<Result<(), Errno>, Interrupted> {
            let full = self.full;
            self.waited(full, until_us)?;
            if full {
                return Ok(Err(Errno::TimedOut));
            }
            self.frames.push_back(*frame);
            Ok(self.bus_error.map_or(Ok(()), Err))
        }

        fn watch_can(&mut self, can: u32, on: bool) -> Result<(), Errno> {
            self.calls.push(("watch", [can, on.into()]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn can_state(&mut self, _can: u32) -> Result<u32, Errno> {
            self.bus_error.map_or(Ok(BUS_OFF), Err)
        }

        fn take_failed_frames(&mut self, _can: u32) -> u32 {
            u32::MAX
        }
    }

    fn opened() -> Harness {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(CAN, "bus"), 0);
        harness.app.platform_mut().calls.clear();
        harness.memory[64..73].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        harness
    }

    #[test]
    fn identifiers_and_masks_of_filters_have_11_or_29_bits() {
        let mut harness = opened();
        for (arguments, result) in [
            ([0x7ff, 0x7ff, 0], 0),
            ([0x800, 0x7ff, 0], -22),
            ([0x7ff, 0x800, 0], -22),
            ([0x1fff_ffff, 0, 1], 0),
            ([0x2000_0000, 0, 1], -22),
            ([0, u32::MAX, 1], -22),
            ([0, 0, 2], -22),
            ([0, 0, 0x8000_0000], -22),
        ] {
            assert_eq!(harness.i32(CAN, "filter", &[&[0], &arguments[..]].concat()), result, "{arguments:x?}");
        }
        let calls = &harness.app.platform().calls;
        assert_eq!(*calls, [("standard", [0x7ff, 0x7ff]), ("extended", [0x1fff_ffff, 0])]);
    }

    #[test]
    fn a_frame_that_is_sent_has_up_to_8_bytes_and_a_remote_one_none_of_them() {
        let mut harness = opened();
        let end = harness.memory.len() as u32;
        for (arguments, result) in [
            ([0x800, 0, 64, 1], -22),
            ([0x2000_0000, 1, 64, 1], -22),
            ([1, 4, 64, 1], -22),
            ([1, 0, 64, 9], -122),
            ([1, 0, end - 2, 3], -14),
        ] {
            assert_eq!(harness.i32(CAN, "send", &[&[0], &arguments[..], &[0]].concat()), result, "{arguments:x?}");
        }
        assert!(harness.app.platform().frames.is_empty());
        assert_eq!(harness.i32(CAN, "send", &[0, 0x123, 0, 64, 8, 0]), 0);
        assert_eq!(harness.i32(CAN, "send", &[0, 0x1234_5678, 3, 64, 5, 0]), 0);
        assert_eq!(harness.i32(CAN, "send", &[0, 1, 0, 0, 0, FOREVER]), 0);
        let data = [1, 2, 3, 4, 5, 6, 7, 8];
        let expected = [
            Frame { id: 0x123, length: 8, data, ..Frame::default() },
            Frame { id: 0x1234_5678, extended: true, remote: true, length: 5, data: [0; 8] },
            Frame { id: 1, ..Frame::default() },
        ];
        assert_eq!(harness.app.platform().frames, expected);
    }

    #[test]
    fn a_received_frame_is_a_record() {
        let mut harness = opened();
        let frame = Frame { id: 0x1fff_ffff, extended: true, remote: true, length: 3, data: [9, 8, 7, 0, 0, 0, 0, 0] };
        harness.app.platform_mut().frames.push_back(frame);
        let end = harness.memory.len() as u32;
        assert_eq!(harness.i32(CAN, "receive", &[0, 0, end - 31]), -14, "nothing was taken");
        assert_eq!(harness.i32(CAN, "receive", &[0, FOREVER, 128]), 0);
        assert_eq!(harness.u64_at(128), 1 << 40);
        assert_eq!(harness.memory[136..144], [9, 8, 7, 0, 0, 0, 0, 0]);
        assert_eq!([144, 148, 152, 156].map(|at| harness.u32_at(at)), [0x1fff_ffff, 3, 3, 7]);
    }

    #[test]
    fn waits_take_their_time_and_a_stop_ends_them() {
        let mut harness = opened();
        harness.app.platform_mut().full = true;
        for (name, rest) in [("receive", &[0, 128][..]), ("send", &[1, 0, 64, 8, 0])] {
            let before = harness.app.platform().now_us;
            let mut arguments = [&[0], rest].concat();
            let place = if name == "send" { arguments.len() - 1 } else { 1 };
            assert_eq!(harness.i32(CAN, name, &arguments), -116, "{name}");
            assert_eq!(harness.app.platform().now_us, before, "{name}");
            arguments[place] = 20;
            assert_eq!(harness.i32(CAN, name, &arguments), -116, "{name}");
            assert_eq!(harness.app.platform().now_us, before + 20_000, "{name}");
            harness.app.platform_mut().stopped = true;
            assert_eq!(harness.call(CAN, name, &arguments), Err(Stop::Interrupted), "{name}");
            harness.app.platform_mut().stopped = false;
        }
    }

    #[test]
    fn a_closed_or_released_bus_is_closed_on_the_board() {
        for close in [true, false] {
            let mut harness = opened();
            if close {
                assert_eq!(harness.i32(CAN, "close", &[0]), 0);
            } else {
                harness.app.release();
            }
            assert_eq!(harness.app.platform().calls, [("close", [0, 0])]);
            assert_eq!(harness.i32(CAN, "state", &[0]), -9);
        }
    }

    #[test]
    fn what_was_not_granted_or_opened_is_refused_and_errors_come_through() {
        let mut harness = Harness::new();
        assert_eq!(harness.open_in(CAN, "other"), -13);
        for handle in [0, 1, 32, u32::MAX] {
            for (name, rest) in [
                ("filter", &[1, 1, 0][..]),
                ("unfilter", &[]),
                ("receive", &[0, 64]),
                ("send", &[1, 0, 64, 1, 0]),
                ("watch", &[1]),
                ("state", &[]),
                ("failed", &[]),
                ("close", &[]),
            ] {
                assert_eq!(harness.i32(CAN, name, &[&[handle], rest].concat()), -9, "{name} {handle}");
            }
        }
        harness.app.platform_mut().bus_error = Some(Errno::Io);
        assert_eq!(harness.open_in(CAN, "bus"), -5);
        assert_eq!(harness.i32(CAN, "state", &[0]), -9, "a bus whose controller does not start is not open");
        harness = opened();
        assert_eq!(harness.i32(CAN, "state", &[0]), 3);
        assert_eq!(harness.i32(CAN, "failed", &[0]), i32::MAX);
        assert_eq!(harness.i32(CAN, "unfilter", &[0]), 0);
        assert_eq!(harness.i32(CAN, "watch", &[0, 9]), 0);
        assert_eq!(harness.app.platform().calls, [("unfilter", [0, 0]), ("watch", [0, 1])]);
        harness.app.platform_mut().bus_error = Some(Errno::NotSupported);
        for (name, rest) in [("filter", &[1, 1, 0][..]), ("send", &[1, 0, 64, 1, 0]), ("watch", &[1]), ("state", &[])] {
            assert_eq!(harness.i32(CAN, name, &[&[0], rest].concat()), -134, "{name}");
        }
    }
}

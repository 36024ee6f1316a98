// SPDX-License-Identifier: Apache-2.0
//! `wisp:ble@1`.

use crate::bindings::BleV1;
use crate::claim::{any_claim, ble_service, claims, is_of_gatt, BleEntry, BleEntryError, Claim, Label};
use crate::parts::put_words;
use crate::platform::Platform;
use crate::stop::{Failure, Interrupted};
use crate::App;
use wisp_abi::ble::{self, MAX_DATA, MAX_INTERVAL, MAX_VALUE, MIN_INTERVAL};
use wisp_abi::Errno;

/// Shortest interval between two advertisements in milliseconds, if the board says nothing.
pub const DEFAULT_MIN_INTERVAL: u32 = 100;

/// A list of entries that grant something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BleList {
    /// Grants what the app announces.
    Advertise,
    /// Grants what the app receives.
    Scan,
    /// Grants the service that the app offers, by one UUID.
    Service,
}

/// A characteristic of the app's service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Characteristic {
    /// Its UUID.
    pub uuid: u128,
    /// `READ`, `WRITE` and `NOTIFY` of `wisp:ble@1`.
    pub properties: u8,
    /// Longest value in bytes, at most [`MAX_VALUE`].
    pub size: u8,
}

/// A value that a client has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BleWritten {
    /// When, in microseconds since boot.
    pub time_us: u64,
    /// The client, a number of 48 bits.
    pub address: u64,
    /// The value, and 0 behind it.
    pub data: [u8; 24],
    /// Number of bytes, at most [`MAX_VALUE`].
    pub length: u8,
    /// The index of the characteristic.
    pub characteristic: u8,
}

/// An advertisement that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BleReport {
    /// When, in microseconds since boot.
    pub time_us: u64,
    /// The sender, a number of 48 bits.
    pub address: u64,
    /// The data, and 0 behind them.
    pub data: [u8; 32],
    /// Number of data bytes, at most [`MAX_DATA`].
    pub length: u8,
    /// Strength of the signal in dBm.
    pub rssi: i8,
    /// `RANDOM`, `CONNECTABLE` and `RESPONSE` of `wisp:ble@1`.
    pub flags: u8,
    /// Number of reports that were dropped since the one received before.
    pub lost: u32,
}

/// Bluetooth, as far as an app sees it. The host has checked that what is advertised is granted. A board must check with
/// [`may_hear`] what it receives, before it takes room. Times are uptimes in microseconds, `u64::MAX` is without end, and
/// one that has passed means not to wait. A board without Bluetooth implements nothing.
pub trait Ble {
    /// Returns the text of an entry, `None` behind the last one.
    fn ble_entry(&self, _list: BleList, _index: u32) -> Option<&[u8]> {
        None
    }

    /// Returns the shortest interval between two advertisements of the app, in milliseconds.
    fn ble_min_interval(&self) -> u32 {
        DEFAULT_MIN_INTERVAL
    }

    /// Starts advertising every so many milliseconds, or replaces what is advertised. An empty response answers no scanner.
    ///
    /// # Errors
    /// `EBUSY` if another app or the firmware advertises, otherwise the error of the driver.
    fn advertise_ble(&mut self, _data: &[u8], _response: &[u8], _interval_ms: u32) -> Result<(), Failure<Errno>> {
        Err(Errno::NoSuchDevice.into())
    }

    /// Stops advertising.
    ///
    /// # Errors
    /// The error of the driver.
    fn stop_ble_advertising(&mut self) -> Result<(), Failure<Errno>> {
        Ok(())
    }

    /// Starts or stops scanning, with an empty queue.
    ///
    /// # Errors
    /// `EBUSY` if the firmware scans, otherwise the error of the driver.
    fn scan_ble(&mut self, on: bool) -> Result<(), Failure<Errno>> {
        match on {
            true => Err(Errno::NoSuchDevice.into()),
            false => Ok(()),
        }
    }

    /// Takes the oldest report, waiting for one until a time.
    ///
    /// # Errors
    /// [`Interrupted`] as soon as the app has to stop.
    fn receive_ble(&mut self, _until_us: u64) -> Result<Option<BleReport>, Interrupted> {
        Ok(None)
    }

    /// Selects whether reports raise events, and drops what the queue of events holds of Bluetooth.
    ///
    /// # Errors
    /// `ENOTSUP` without events.
    fn watch_ble(&mut self, _on: bool) -> Result<(), Errno> {
        Err(Errno::NotSupported)
    }

    /// Adds a characteristic to the app's service, and returns its index.
    ///
    /// # Errors
    /// `EBUSY` if the service is offered, `ENOSPC` if there are too many, `ENOTSUP` without connections.
    fn declare_ble(&mut self, _characteristic: Characteristic) -> Result<u32, Failure<Errno>> {
        Err(Errno::NotSupported.into())
    }

    /// Offers the service with this UUID.
    ///
    /// # Errors
    /// `EINVAL` without characteristics, `EBUSY` if it is offered, otherwise the error of the driver.
    fn serve_ble(&mut self, _service: u128) -> Result<(), Failure<Errno>> {
        Err(Errno::NotSupported.into())
    }

    /// Withdraws the service, and forgets characteristics and what was written.
    ///
    /// # Errors
    /// The error of the driver.
    fn stop_ble_serving(&mut self) -> Result<(), Failure<Errno>> {
        Ok(())
    }

    /// Sets a value and tells clients.
    ///
    /// # Errors
    /// `EINVAL` if there is no such characteristic, `EMSGSIZE` if the value is too long.
    fn set_ble(&mut self, _characteristic: u32, _value: &[u8]) -> Result<(), Failure<Errno>> {
        Err(Errno::NotSupported.into())
    }

    /// Takes the oldest value that was written, waiting for one until a time.
    ///
    /// # Errors
    /// [`Interrupted`] as soon as the app has to stop.
    fn written_ble(&mut self, _until_us: u64) -> Result<Option<BleWritten>, Interrupted> {
        Ok(None)
    }

    /// Stops advertising, scanning and serving, and ends events: the app has ended. Need not wait until it is done.
    fn release_ble(&mut self) {}
}

fn texts<B: Ble + ?Sized>(board: &B, list: BleList) -> impl Iterator<Item = &[u8]> {
    (0..).map_while(move |index| board.ble_entry(list, index))
}

fn grants<B: Ble + ?Sized>(board: &B, list: BleList, claim: Claim<'_>) -> bool {
    // a malformed one was refused before the app started
    texts(board, list).any(|text| BleEntry::parse(text).is_ok_and(|entry| entry.has(claim)))
}

/// Finds the first entry that cannot be read: its text and what is wrong with it.
pub fn bad_ble_entry<B: Ble + ?Sized>(board: &B) -> Option<(&[u8], BleEntryError)> {
    let mut all = [BleList::Advertise, BleList::Scan].into_iter().flat_map(|list| texts(board, list));
    let bad = all.find_map(|text| Some((text, BleEntry::parse(text).err()?)));
    let mut services = texts(board, BleList::Service).filter(|text| ble_service(text).is_none());
    bad.or_else(|| services.next().map(|text| (text, BleEntryError::Service)))
}

/// Returns true if the app may receive an advertisement with these data.
pub fn may_hear<B: Ble + ?Sized>(board: &B, data: &[u8]) -> bool {
    any_claim(data, |claim| grants(board, BleList::Scan, claim))
        || texts(board, BleList::Scan).any(|text| BleEntry::parse(text) == Ok(BleEntry::Any))
}

const SIZE: usize = ble::REPORT.size() as usize;
const WRITTEN: usize = ble::VALUE.size() as usize;

fn record(report: &BleReport) -> [u8; SIZE] {
    let mut record = [0; SIZE];
    let (time, rest) = record.split_at_mut(8);
    time.copy_from_slice(&report.time_us.to_le_bytes());
    let (address, rest) = rest.split_at_mut(8);
    address.copy_from_slice(&report.address.to_le_bytes());
    let (data, rest) = rest.split_at_mut(report.data.len());
    data.copy_from_slice(&report.data);
    // sign extension, as the description says
    put_words(rest, [report.length.into(), i32::from(report.rssi) as u32, report.flags.into(), report.lost]);
    record
}

impl<P: Platform> App<P> {
    fn ble_denied(&mut self, label: &[u8]) -> Failure<Errno> {
        self.platform.denied(ble::INTERFACE.module, label);
        Errno::Access.into()
    }

    /// Returns the UUID of the service that the app may offer.
    fn granted_service(&mut self) -> Result<u128, Failure<Errno>> {
        // a malformed one was refused before the app started
        match self.platform.ble_entry(BleList::Service, 0).and_then(ble_service) {
            Some(uuid) => Ok(uuid),
            None => Err(self.ble_denied(b"ble-service")),
        }
    }

    fn has_ble(&self, list: BleList) -> bool {
        self.platform.ble_entry(list, 0).is_some()
    }

    /// Fails unless the app may send all that these structures say.
    fn may_advertise(&mut self, data: &[u8]) -> Result<(), Failure<Errno>> {
        if data.len() > MAX_DATA as usize {
            return Err(Errno::MessageSize.into());
        }
        for claim in claims(data) {
            let claim = claim.map_err(|_| Errno::Invalid)?;
            if !grants(&self.platform, BleList::Advertise, claim) {
                return Err(self.ble_denied(Label::new(claim).bytes()));
            }
        }
        Ok(())
    }
}

impl<P: Platform> BleV1 for App<P> {
    fn advertise(&mut self, data: &[u8], response: &[u8], interval: u32) -> Result<(), Failure<Errno>> {
        if !self.has_ble(BleList::Advertise) {
            return Err(self.ble_denied(b"ble-advertise"));
        }
        self.may_advertise(data)?;
        self.may_advertise(response)?;
        if !(MIN_INTERVAL..=MAX_INTERVAL).contains(&interval) {
            return Err(Errno::Invalid.into());
        }
        if interval < self.platform.ble_min_interval() {
            return Err(self.ble_denied(b"ble-min-interval-ms"));
        }
        self.platform.advertise_ble(data, response, interval)
    }

    fn stop_advertising(&mut self) -> Result<(), Failure<Errno>> {
        self.platform.stop_ble_advertising()
    }

    fn scan(&mut self) -> Result<(), Failure<Errno>> {
        if !self.has_ble(BleList::Scan) {
            return Err(self.ble_denied(b"ble-scan"));
        }
        self.platform.scan_ble(true)
    }

    fn stop_scanning(&mut self) -> Result<(), Failure<Errno>> {
        self.platform.scan_ble(false)
    }

    fn receive(&mut self, timeout: u32) -> Result<[u8; SIZE], Failure<Errno>> {
        let end = self.end_of_wait(timeout);
        let report = self.platform.receive_ble(end).map_err(Failure::interrupted)?;
        Ok(record(&report.ok_or(Errno::TimedOut)?))
    }

    fn watch(&mut self, on: u32) -> Result<(), Failure<Errno>> {
        if !self.has_ble(BleList::Scan) && !self.has_ble(BleList::Service) {
            return Err(self.ble_denied(b"ble-scan"));
        }
        Ok(self.platform.watch_ble(on != 0)?)
    }

    fn declare(&mut self, high: u64, low: u64, properties: u32, size: u32) -> Result<u32, Failure<Errno>> {
        self.granted_service()?;
        let all = ble::READ | ble::WRITE | ble::NOTIFY;
        let uuid = u128::from(high) << 64 | u128::from(low);
        let has_uses = properties != 0 && properties & !all == 0;
        // a client would read a value with such a UUID as a service that was not granted
        if !has_uses || !(1..=MAX_VALUE).contains(&size) || is_of_gatt(uuid) {
            return Err(Errno::Invalid.into());
        }
        // both were checked
        let characteristic = Characteristic { uuid, properties: properties as u8, size: size as u8 };
        self.platform.declare_ble(characteristic)
    }

    fn serve(&mut self) -> Result<(), Failure<Errno>> {
        let service = self.granted_service()?;
        self.platform.serve_ble(service)
    }

    fn stop_serving(&mut self) -> Result<(), Failure<Errno>> {
        self.platform.stop_ble_serving()
    }

    fn set(&mut self, characteristic: u32, value: &[u8]) -> Result<(), Failure<Errno>> {
        self.granted_service()?;
        if value.len() > MAX_VALUE as usize {
            return Err(Errno::MessageSize.into());
        }
        self.platform.set_ble(characteristic, value)
    }

    fn written(&mut self, timeout: u32) -> Result<[u8; WRITTEN], Failure<Errno>> {
        let end = self.end_of_wait(timeout);
        let written = self.platform.written_ble(end).map_err(Failure::interrupted)?.ok_or(Errno::TimedOut)?;
        let mut record = [0; WRITTEN];
        let (time, rest) = record.split_at_mut(8);
        time.copy_from_slice(&written.time_us.to_le_bytes());
        let (address, rest) = rest.split_at_mut(8);
        address.copy_from_slice(&written.address.to_le_bytes());
        let (data, rest) = rest.split_at_mut(written.data.len());
        data.copy_from_slice(&written.data);
        put_words(rest, [written.characteristic.into(), written.length.into()]);
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::{bad_ble_entry, may_hear, Ble, BleList, BleReport, BleWritten, Characteristic};
    use crate::stop::{Failure, Interrupted, Stop};
    use crate::testing::{Board, Harness, BLE};
    use std::vec::Vec;
    use wisp_abi::ble::FOREVER;
    use wisp_abi::Errno;

    impl Ble for Board {
        fn ble_entry(&self, list: BleList, index: u32) -> Option<&[u8]> {
            let entries = match list {
                BleList::Advertise => self.ble[0],
                BleList::Scan => self.ble[1],
                BleList::Service => self.ble[2],
            };
            entries.get(index as usize).map(|entry| entry.as_bytes())
        }

        fn advertise_ble(&mut self, data: &[u8], response: &[u8], interval_ms: u32) -> Result<(), Failure<Errno>> {
            self.wire = [data, &[0xfe], response].concat();
            self.calls.push(("advertise", [interval_ms, 0]));
            Ok(self.bus_error.map_or(Ok(()), Err)?)
        }

        fn stop_ble_advertising(&mut self) -> Result<(), Failure<Errno>> {
            self.calls.push(("quiet", [0, 0]));
            Ok(self.bus_error.map_or(Ok(()), Err)?)
        }

        fn scan_ble(&mut self, on: bool) -> Result<(), Failure<Errno>> {
            self.calls.push(("scan", [on.into(), 0]));
            Ok(self.bus_error.map_or(Ok(()), Err)?)
        }

        fn receive_ble(&mut self, until_us: u64) -> Result<Option<BleReport>, Interrupted> {
            let next = self.adverts.pop_front();
            self.waited(next.is_none(), until_us)?;
            Ok(next)
        }

        fn watch_ble(&mut self, on: bool) -> Result<(), Errno> {
            self.calls.push(("watch", [on.into(), 0]));
            self.bus_error.map_or(Ok(()), Err)
        }

        fn declare_ble(&mut self, characteristic: Characteristic) -> Result<u32, Failure<Errno>> {
            let Characteristic { uuid, properties, size } = characteristic;
            self.wire = uuid.to_be_bytes().to_vec();
            self.calls.push(("declare", [properties.into(), size.into()]));
            Ok(self.bus_error.map_or(Ok(1), Err)?)
        }

        fn serve_ble(&mut self, service: u128) -> Result<(), Failure<Errno>> {
            self.wire = service.to_be_bytes().to_vec();
            Ok(self.bus_error.map_or(Ok(()), Err)?)
        }

        fn set_ble(&mut self, characteristic: u32, value: &[u8]) -> Result<(), Failure<Errno>> {
            self.wire = value.to_vec();
            self.calls.push(("set", [characteristic, 0]));
            Ok(self.bus_error.map_or(Ok(()), Err)?)
        }

        fn written_ble(&mut self, until_us: u64) -> Result<Option<BleWritten>, Interrupted> {
            let next = self.writes.pop_front();
            self.waited(next.is_none(), until_us)?;
            Ok(next)
        }

        fn release_ble(&mut self) {
            self.ble_released = true;
        }
    }

    fn granted(advertise: &'static [&'static str], scan: &'static [&'static str]) -> Harness {
        let mut harness = Harness::new();
        harness.app.platform_mut().ble = [advertise, scan, &[]];
        harness
    }

    fn advertise(harness: &mut Harness, data: &[u8], response: &[u8], interval: u32) -> i32 {
        harness.memory[64..64 + data.len()].copy_from_slice(data);
        harness.memory[128..128 + response.len()].copy_from_slice(response);
        harness.i32(BLE, "advertise", &[64, data.len() as u32, 128, response.len() as u32, interval])
    }

    #[test]
    fn all_that_is_advertised_has_to_be_listed() {
        let mut harness = granted(&["name:Lamp", "service:181a"], &["any"]);
        let service = &[3, 3, 0x1a, 0x18][..];
        assert_eq!(advertise(&mut harness, &[&[2, 1, 6][..], service].concat(), b"\x05\x09Lamp", 100), 0);
        assert_eq!(harness.app.platform().wire, b"\x02\x01\x06\x03\x03\x1a\x18\xfe\x05\x09Lamp");
        assert_eq!(advertise(&mut harness, &[], &[], 10_240), 0);
        harness.app.platform_mut().calls.clear();
        assert_eq!(advertise(&mut harness, b"\x05\x09Lamb", &[], 100), -13);
        assert_eq!(advertise(&mut harness, service, b"\x04\x08Lam", 100), -13, "the response counts, too");
        assert_eq!(advertise(&mut harness, &[5, 3, 0x1a, 0x18, 0x0f, 0x18], &[], 100), -13);
        assert_eq!(advertise(&mut harness, &[3, 0xff, 0x4c, 0], &[], 100), -13);
        let denied: Vec<_> = harness.app.platform().denied.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(denied, ["name:Lamb", "name:Lam", "service:180f", "company:004c"]);
        assert!(harness.app.platform().calls.is_empty());
    }

    #[test]
    fn what_is_malformed_too_long_or_too_frequent_is_refused() {
        let mut harness = granted(&["any"], &[]);
        let long = [&[31, 9][..], &[b'x'; 30]].concat();
        for (data, interval, result) in [
            (&[2, 1][..], 100, -22),
            (&[2, 0x0a, 1], 100, -22),
            (&[2, 1, 5], 100, -22),
            (&long, 100, -122),
            (&[2, 1, 6], 19, -22),
            (&[2, 1, 6], 10_241, -22),
            (&[2, 1, 6], u32::MAX, -22),
            (&[2, 1, 6], 99, -13),
        ] {
            assert_eq!(advertise(&mut harness, data, &[], interval), result, "{data:x?} {interval}");
        }
        assert_eq!(harness.app.platform().denied[0].1, "ble-min-interval-ms");
        assert!(harness.app.platform().calls.is_empty());
        let end = harness.memory.len() as u32;
        assert_eq!(harness.i32(BLE, "advertise", &[end - 2, 3, 0, 0, 100]), -14);
    }

    #[test]
    fn without_an_entry_nothing_is_sent_or_received() {
        let mut harness = Harness::new();
        assert_eq!(advertise(&mut harness, &[], &[], 100), -13);
        assert_eq!(harness.i32(BLE, "scan", &[]), -13);
        assert_eq!(harness.i32(BLE, "watch", &[1]), -13);
        let denied: Vec<_> = harness.app.platform().denied.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(denied, ["ble-advertise", "ble-scan", "ble-scan"]);
        assert!(harness.app.platform().calls.is_empty());
    }

    #[test]
    fn a_report_is_a_record() {
        let mut harness = granted(&[], &["any"]);
        let mut data = [0; 32];
        data[..31].iter_mut().zip(1..).for_each(|(place, byte)| *place = byte);
        let report =
            BleReport { time_us: 1 << 40, address: 0xc0de_0000_0001, data, length: 31, rssi: -60, flags: 5, lost: 9 };
        harness.app.platform_mut().adverts.push_back(report);
        let end = harness.memory.len() as u32;
        assert_eq!(harness.i32(BLE, "receive", &[0, end - 63]), -14, "nothing was taken");
        assert_eq!(harness.i32(BLE, "receive", &[FOREVER, 128]), 0);
        assert_eq!((harness.u64_at(128), harness.u64_at(136)), (1 << 40, 0xc0de_0000_0001));
        assert_eq!(harness.memory[144..176], data);
        assert_eq!([176, 180, 184, 188].map(|at| harness.u32_at(at)), [31, -60i32 as u32, 5, 9]);
    }

    #[test]
    fn a_wait_takes_its_time_and_a_stop_ends_it() {
        let mut harness = granted(&[], &["any"]);
        let before = harness.app.platform().now_us;
        assert_eq!(harness.i32(BLE, "receive", &[0, 128]), -116);
        assert_eq!(harness.app.platform().now_us, before);
        assert_eq!(harness.i32(BLE, "receive", &[20, 128]), -116);
        assert_eq!(harness.app.platform().now_us, before + 20_000);
        harness.app.platform_mut().stopped = true;
        assert_eq!(harness.call(BLE, "receive", &[20, 128]), Err(Stop::Interrupted));
    }

    #[test]
    fn one_claim_that_is_listed_lets_a_report_in() {
        let board = |scan| Board { ble: [&[], scan, &[]], ..Board::default() };
        let data = b"\x02\x01\x06\x05\x09Lamp\x03\x03\x1a\x18";
        for (scan, expected) in [
            (&["name:Heater", "service:181a"][..], true),
            (&["name:La*"], true),
            (&["company:004c"], false),
            (&["any"], true),
            (&[], false),
        ] {
            assert_eq!(may_hear(&board(scan), data), expected, "{scan:?}");
        }
        assert!(may_hear(&board(&["any"]), &[]) && !may_hear(&board(&["name:La*"]), &[]));
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_found_in_both_lists() {
        let found = |advertise, scan| {
            let board = Board { ble: [advertise, scan, &["181a"]], ..Board::default() };
            bad_ble_entry(&board).map(|(text, error)| (text.to_vec(), error.expected()))
        };
        assert_eq!(found(&["any"], &["name:x"]), None);
        let (text, expected) = found(&["any", "nme:x"], &[]).unwrap();
        assert!(text == b"nme:x" && expected.starts_with("expected name:TEXT"));
        assert_eq!(found(&["any"], &["service:1"]).unwrap().0, b"service:1");
        let board = Board { ble: [&[], &[], &["service:181a"]], ..Board::default() };
        assert_eq!(bad_ble_entry(&board).unwrap().0, b"service:181a");
    }

    fn served() -> Harness {
        let mut harness = Harness::new();
        harness.app.platform_mut().ble = [&[], &[], &["6e400001-b5a3-f393-e0a9-e50e24dcca9e"]];
        harness
    }

    #[test]
    fn a_characteristic_cannot_pass_for_a_service_or_another_part_of_gatt() {
        let mut harness = served();
        for (short, second, result) in [
            (0x27ff, 0x1000, 1),
            (0x2800, 0x1000, -22),
            (0x2803, 0x1000, -22),
            (0x2902, 0x1000, -22),
            (0x29ff, 0x1000, -22),
            (0x2a00, 0x1000, 1),
            // these are no short UUIDs of 16 bits
            (0x0001_2800, 0x1000, 1),
            (0x2800, 0x1001, 1),
        ] {
            let arguments = [second, short, 0x5f9b_34fb, 0x8000_0080, 2, 1];
            assert_eq!(harness.i32(BLE, "declare", &arguments), result, "{short:x} {second:x}");
        }
        assert_eq!(harness.app.platform().calls.len(), 4);
    }

    #[test]
    fn an_app_with_a_service_declares_and_serves_it() {
        let mut harness = served();
        let uuid = [0x2222_2222, 0x1111_1111, 0x4444_4444, 0x3333_3333];
        for (properties, size, result) in
            [(0, 1, -22), (1, 1, -22), (32, 1, -22), (2, 0, -22), (2, 21, -22), (26, 20, 1)]
        {
            let arguments = [&uuid[..], &[properties, size]].concat();
            assert_eq!(harness.i32(BLE, "declare", &arguments), result, "{properties} {size}");
        }
        assert_eq!(harness.app.platform().calls, [("declare", [26, 20])]);
        assert_eq!(harness.app.platform().wire, 0x1111_1111_2222_2222_3333_3333_4444_4444u128.to_be_bytes());
        assert_eq!(harness.i32(BLE, "serve", &[]), 0);
        assert_eq!(harness.app.platform().wire, 0x6e40_0001_b5a3_f393_e0a9_e50e_24dc_ca9eu128.to_be_bytes());
        harness.memory[64..67].copy_from_slice(&[7, 8, 9]);
        assert_eq!(harness.i32(BLE, "set", &[1, 64, 3]), 0);
        assert_eq!(harness.app.platform().wire, [7, 8, 9]);
        assert_eq!(harness.i32(BLE, "set", &[1, 64, 21]), -122);
        assert_eq!(harness.i32(BLE, "watch", &[1]), 0);
        assert_eq!(harness.i32(BLE, "stop_serving", &[]), 0);
        harness.app.platform_mut().bus_error = Some(Errno::NoSpace);
        assert_eq!(harness.i32(BLE, "declare", &[&uuid[..], &[2, 1]].concat()), -28);
        assert_eq!(harness.i32(BLE, "set", &[1, 64, 3]), -28);
        harness.app.platform_mut().ble = [&[], &["any"], &[]];
        for (name, arguments) in [("declare", &[0, 0, 0, 0, 2, 1][..]), ("serve", &[]), ("set", &[0, 0, 0])] {
            assert_eq!(harness.i32(BLE, name, arguments), -13, "{name}");
        }
        assert!(harness.app.platform().denied.iter().all(|(_, label)| label == "ble-service"));
    }

    #[test]
    fn a_written_value_is_a_record() {
        let mut harness = served();
        let mut data = [0; 24];
        data[..20].iter_mut().zip(1..).for_each(|(place, byte)| *place = byte);
        let written = BleWritten { time_us: 1 << 40, address: 0xc0de_0000_0001, data, length: 20, characteristic: 3 };
        harness.app.platform_mut().writes.push_back(written);
        let end = harness.memory.len() as u32;
        assert_eq!(harness.i32(BLE, "written", &[0, end - 47]), -14, "nothing was taken");
        assert_eq!(harness.i32(BLE, "written", &[FOREVER, 128]), 0);
        assert_eq!((harness.u64_at(128), harness.u64_at(136)), (1 << 40, 0xc0de_0000_0001));
        assert_eq!(harness.memory[144..168], data);
        assert_eq!([168, 172].map(|at| harness.u32_at(at)), [3, 20]);
        assert_eq!(harness.i32(BLE, "written", &[0, 128]), -116);
    }

    #[test]
    fn errors_come_through_and_an_app_that_ends_is_released() {
        let mut harness = granted(&["any"], &["any"]);
        for (name, arguments) in [("stop_advertising", &[][..]), ("scan", &[]), ("stop_scanning", &[]), ("watch", &[7])]
        {
            assert_eq!(harness.i32(BLE, name, arguments), 0, "{name}");
        }
        let calls = [("quiet", [0, 0]), ("scan", [1, 0]), ("scan", [0, 0]), ("watch", [1, 0])];
        assert_eq!(harness.app.platform().calls, calls);
        harness.app.platform_mut().bus_error = Some(Errno::Busy);
        for (name, arguments) in [("advertise", &[0, 0, 0, 0, 100][..]), ("scan", &[]), ("watch", &[1])] {
            assert_eq!(harness.i32(BLE, name, arguments), -16, "{name}");
        }
        assert!(!harness.app.platform().ble_released);
        harness.app.release();
        assert!(harness.app.platform().ble_released);
    }
}

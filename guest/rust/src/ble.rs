// SPDX-License-Identifier: Apache-2.0
//! Advertisements of Bluetooth LE.

use crate::abi::ble;
use crate::record::number;
use crate::timeout::ms;
use crate::{Errno, Error};
use core::time::Duration;

const MAX_DATA: usize = ble::MAX_DATA as usize;

/// The data of an advertisement, put together from structures.
///
/// ```no_run
/// use core::time::Duration;
/// use wisp_guest::{Advertisement, Advertiser};
///
/// # fn beacon(centi_degrees: i16) -> Option<Advertiser> {
/// let data = Advertisement::new().flags()?.service_data(0x181a, &centi_degrees.to_le_bytes())?;
/// let name = Advertisement::new().name("Lamp")?;
/// Advertiser::start(&data, &name, Duration::from_secs(1)).ok()
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Advertisement {
    bytes: [u8; MAX_DATA],
    length: u8,
}

impl Advertisement {
    /// Returns data without structures.
    pub const fn new() -> Self {
        Advertisement { bytes: [0; MAX_DATA], length: 0 }
    }

    /// Adds a structure of any type, whose data are the parts one after the other. `None` if it does not fit.
    pub fn structure(mut self, kind: u8, parts: &[&[u8]]) -> Option<Self> {
        let length = parts.iter().map(|part| part.len()).sum::<usize>() + 1;
        let start = usize::from(self.length);
        let end = start + 1 + length;
        let place = self.bytes.get_mut(start..end)?;
        let structure = [length as u8, kind].into_iter().chain(parts.iter().copied().flatten().copied());
        place.iter_mut().zip(structure).for_each(|(place, byte)| *place = byte);
        self.length = end as u8;
        Some(self)
    }

    /// Adds the flags of a device that can be found at any time and has no other Bluetooth.
    pub fn flags(self) -> Option<Self> {
        self.structure(0x01, &[&[0x06]])
    }

    /// Adds the whole name. `None` if it does not fit.
    pub fn name(self, name: &str) -> Option<Self> {
        self.structure(0x09, &[name.as_bytes()])
    }

    /// Adds a service with a UUID of 16 bits. `None` if it does not fit.
    pub fn service(self, uuid: u16) -> Option<Self> {
        self.structure(0x03, &[&uuid.to_le_bytes()])
    }

    /// Adds a service with a UUID of 128 bits. `None` if it does not fit.
    pub fn long_service(self, uuid: u128) -> Option<Self> {
        self.structure(0x07, &[&uuid.to_le_bytes()])
    }

    /// Adds data of a service with a UUID of 16 bits. `None` if they do not fit.
    pub fn service_data(self, uuid: u16, data: &[u8]) -> Option<Self> {
        self.structure(0x16, &[&uuid.to_le_bytes(), data])
    }

    /// Adds data of a maker, which has a number of Bluetooth's. `None` if they do not fit.
    pub fn company_data(self, company: u16, data: &[u8]) -> Option<Self> {
        self.structure(0xff, &[&company.to_le_bytes(), data])
    }

    /// Returns the data.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length.into()).unwrap_or_default()
    }
}

/// The app advertises, until this is dropped.
#[derive(Debug)]
pub struct Advertiser(());

impl Advertiser {
    /// Advertises data, and a response for scanners that ask, which may be empty. The interval is rounded up to
    /// milliseconds.
    ///
    /// # Errors
    /// `EACCES` if some of it was not granted, `EBUSY` if another app or the firmware advertises, `EINVAL` if the interval
    /// is out of range, `ENODEV` and `EIO` of the controller.
    pub fn start(data: &Advertisement, response: &Advertisement, interval: Duration) -> Result<Self, Error> {
        ble::advertise(data.bytes(), response.bytes(), ms(interval))?;
        Ok(Advertiser(()))
    }

    /// Replaces what is advertised. It does not stop in between, unless the interval is another one, or there is a response
    /// and there was none, or the other way round.
    ///
    /// # Errors
    /// Those of [`Advertiser::start`]. What was advertised before may have ended then.
    pub fn update(&mut self, data: &Advertisement, response: &Advertisement, interval: Duration) -> Result<(), Error> {
        Ok(ble::advertise(data.bytes(), response.bytes(), ms(interval))?)
    }
}

impl Drop for Advertiser {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = ble::stop_advertising();
    }
}

/// An advertisement that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedAdvertisement {
    /// When the host got it, since boot.
    pub time: Duration,
    /// The sender's address, a number of 48 bits.
    pub address: u64,
    /// True if the address is random, and not one that a maker was assigned.
    pub is_random: bool,
    /// True if the sender can be connected to.
    pub is_connectable: bool,
    /// True if it is the answer to a request of the scanner.
    pub is_response: bool,
    /// Strength of the signal in dBm.
    pub rssi: i32,
    /// Number of reports that found the queue full before this one.
    pub lost: u32,
    data: Advertisement,
}

impl ReceivedAdvertisement {
    fn from_record(record: &[u8; ble::REPORT_SIZE]) -> Self {
        let [length, rssi, flags, lost] = [48, 52, 56, 60].map(|at| number(record, at, 4) as u32);
        let mut data = Advertisement { length: length.min(ble::MAX_DATA) as u8, ..Advertisement::new() };
        data.bytes.iter_mut().zip(record.iter().skip(16)).for_each(|(place, byte)| *place = *byte);
        ReceivedAdvertisement {
            time: Duration::from_micros(number(record, 0, 8)),
            address: number(record, 8, 8),
            is_random: flags & ble::RANDOM != 0,
            is_connectable: flags & ble::CONNECTABLE != 0,
            is_response: flags & ble::RESPONSE != 0,
            rssi: rssi as i32,
            lost,
            data,
        }
    }

    /// Returns the data.
    pub fn data(&self) -> &[u8] {
        self.data.bytes()
    }

    /// Returns the structures, each with its type, up to one that is cut off.
    pub fn structures(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let mut rest = self.data();
        core::iter::from_fn(move || {
            let (length, behind) = rest.split_first()?;
            let (kind, data) = behind.get(..usize::from(*length))?.split_first()?;
            rest = behind.get(usize::from(*length)..)?;
            Some((*kind, data))
        })
    }

    /// Returns the data of a service with a UUID of 16 bits.
    pub fn service_data(&self, uuid: u16) -> Option<&[u8]> {
        self.structures().filter(|(kind, _)| *kind == 0x16).find_map(|(_, data)| data.strip_prefix(&uuid.to_le_bytes()))
    }

    /// Returns the data of a maker.
    pub fn company_data(&self, company: u16) -> Option<&[u8]> {
        self.structures()
            .filter(|(kind, _)| *kind == 0xff)
            .find_map(|(_, data)| data.strip_prefix(&company.to_le_bytes()))
    }

    /// Returns the name, or its beginning.
    pub fn name(&self) -> Option<&[u8]> {
        self.structures().find(|(kind, _)| matches!(kind, 0x08 | 0x09)).map(|(_, data)| data)
    }
}

/// The app scans, until this is dropped.
#[derive(Debug)]
pub struct Scanner(());

impl Scanner {
    /// Starts scanning, with nothing received yet.
    ///
    /// # Errors
    /// `EACCES` if the app was granted nothing that it could receive, `EBUSY` if the firmware scans for itself, `ENODEV` and
    /// `EIO` of the controller.
    pub fn start() -> Result<Self, Error> {
        ble::scan()?;
        Ok(Scanner(()))
    }

    /// Takes the oldest advertisement, waiting for it without limit. The CPU is free for others.
    ///
    /// # Errors
    /// None but those of a host that breaks its own rules.
    pub fn receive(&mut self) -> Result<ReceivedAdvertisement, Error> {
        Ok(ReceivedAdvertisement::from_record(&ble::receive(ble::FOREVER)?))
    }

    /// Takes the oldest advertisement, waiting for it this long, rounded up to milliseconds. `None` if nothing comes.
    ///
    /// # Errors
    /// None but those of a host that breaks its own rules.
    pub fn receive_within(&mut self, timeout: Duration) -> Result<Option<ReceivedAdvertisement>, Error> {
        match ble::receive(ms(timeout).min(ble::FOREVER - 1)) {
            Ok(record) => Ok(Some(ReceivedAdvertisement::from_record(&record))),
            Err(Errno::TimedOut) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Chooses whether advertisements become events: see [`crate::next_event`].
    ///
    /// # Errors
    /// `ENOTSUP` if the firmware has no events.
    pub fn watch(&mut self, on: bool) -> Result<(), Error> {
        Ok(ble::watch(on.into())?)
    }
}

impl Drop for Scanner {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = ble::stop_scanning();
        let _ = ble::watch(0);
    }
}

/// Returns the whole UUID of one with 16 bits.
pub const fn uuid_of(short: u16) -> u128 {
    (short as u128) << 96 | 0x1000_8000_0080_5f9b_34fb
}

/// Rights of clients to a characteristic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CharacteristicUse {
    /// Read the value.
    pub read: bool,
    /// Write the value.
    pub write: bool,
    /// Be told of each new value.
    pub notify: bool,
}

/// The app's GATT service. It is withdrawn when this is dropped.
#[derive(Debug)]
pub struct GattService(());

/// A value that a client has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenValue {
    /// When the host got it, since boot.
    pub time: Duration,
    /// The client's address, a number of 48 bits.
    pub address: u64,
    /// The number that [`GattService::declare`] returned.
    pub characteristic: u32,
    length: u8,
    bytes: [u8; ble::MAX_VALUE as usize],
}

impl WrittenValue {
    fn from_record(record: &[u8; ble::VALUE_SIZE]) -> Self {
        let mut bytes = [0; ble::MAX_VALUE as usize];
        bytes.iter_mut().zip(record.iter().skip(16)).for_each(|(place, byte)| *place = *byte);
        WrittenValue {
            time: Duration::from_micros(number(record, 0, 8)),
            address: number(record, 8, 8),
            characteristic: number(record, 40, 4) as u32,
            length: number(record, 44, 4).min(ble::MAX_VALUE.into()) as u8,
            bytes,
        }
    }

    /// Returns the value.
    pub fn value(&self) -> &[u8] {
        self.bytes.get(..self.length.into()).unwrap_or_default()
    }
}

impl GattService {
    /// Begins a service without characteristics, which nobody finds before [`GattService::serve`].
    ///
    /// # Errors
    /// `EIO` if one from before cannot be withdrawn.
    pub fn new() -> Result<Self, Error> {
        ble::stop_serving()?;
        Ok(GattService(()))
    }

    /// Declares a characteristic whose value has so many bytes at most, and returns its number.
    ///
    /// # Errors
    /// `EACCES` if the app was granted no service, and `ENOTSUP` if the firmware has no connections. `EINVAL` for no use, a
    /// size out of range or the UUID of a declaration or descriptor, `ENOSPC` for too many, and `EBUSY` after
    /// [`GattService::serve`].
    pub fn declare(&mut self, uuid: u128, uses: CharacteristicUse, size: usize) -> Result<u32, Error> {
        let bit = |is_set, bit| if is_set { bit } else { 0 };
        let properties = bit(uses.read, ble::READ) | bit(uses.write, ble::WRITE) | bit(uses.notify, ble::NOTIFY);
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        Ok(ble::declare((uuid >> 64) as u64, uuid as u64, properties, size)?)
    }

    /// Offers the service to clients. An advertisement that starts after that lets them connect.
    ///
    /// # Errors
    /// `EINVAL` without characteristics, `ENODEV` and `EIO` of the controller, and those of [`GattService::declare`].
    pub fn serve(&mut self) -> Result<(), Error> {
        Ok(ble::serve()?)
    }

    /// Sets a value, and tells clients that asked for it.
    ///
    /// # Errors
    /// `EINVAL` if there is no such characteristic, `EMSGSIZE` if the value is longer than was declared.
    pub fn set(&mut self, characteristic: u32, value: &[u8]) -> Result<(), Error> {
        Ok(ble::set(characteristic, value)?)
    }

    /// Takes the oldest value that was written, waiting for it without limit. The CPU is free for others.
    ///
    /// # Errors
    /// None but those of a host that breaks its own rules.
    pub fn written(&mut self) -> Result<WrittenValue, Error> {
        Ok(WrittenValue::from_record(&ble::written(ble::FOREVER)?))
    }

    /// Takes the oldest value that was written, waiting for it this long, rounded up to milliseconds. `None` if nothing comes.
    ///
    /// # Errors
    /// None but those of a host that breaks its own rules.
    pub fn written_within(&mut self, timeout: Duration) -> Result<Option<WrittenValue>, Error> {
        match ble::written(ms(timeout).min(ble::FOREVER - 1)) {
            Ok(record) => Ok(Some(WrittenValue::from_record(&record))),
            Err(Errno::TimedOut) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Chooses whether written values become events: see [`crate::next_event`]. So it does for advertisements.
    ///
    /// # Errors
    /// `ENOTSUP` if the firmware has no events.
    pub fn watch(&mut self, on: bool) -> Result<(), Error> {
        Ok(ble::watch(on.into())?)
    }
}

impl Drop for GattService {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = ble::stop_serving();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn an_advertisement_is_put_together_from_structures_as_far_as_they_fit() {
        let data = Advertisement::new().flags().and_then(|data| data.service_data(0x181a, &[1, 2])).unwrap();
        assert_eq!(data.bytes(), [2, 1, 6, 5, 0x16, 0x1a, 0x18, 1, 2]);
        let data = data.name("Lamp").and_then(|data| data.company_data(0xffff, &[3])).unwrap();
        assert_eq!(data.bytes()[9..], *b"\x05\x09Lamp\x04\xff\xff\xff\x03");
        assert_eq!(Advertisement::new().service(0x180f).unwrap().bytes(), [3, 3, 0x0f, 0x18]);
        let long = Advertisement::new().long_service(0x0102).unwrap();
        assert_eq!((long.bytes().len(), &long.bytes()[..5]), (18, &[17, 7, 2, 1, 0][..]));
        assert!(Advertisement::new().structure(9, &[&[b'x'; 29]]).is_some_and(|data| data.bytes().len() == 31));
        assert_eq!(Advertisement::new().structure(9, &[&[b'x'; 30]]), None);
        assert_eq!(long.structure(9, &[&[b'x'; 12]]), None);
    }

    #[test]
    fn a_written_value_is_read_as_the_host_writes_it() {
        let mut record = [0; ble::VALUE_SIZE];
        record[..8].copy_from_slice(&3_000_000u64.to_le_bytes());
        record[8..16].copy_from_slice(&0xc0de_0000_0001u64.to_le_bytes());
        record[16..20].copy_from_slice(&[1, 2, 3, 4]);
        record[40] = 5;
        record[44] = 3;
        let found = WrittenValue::from_record(&record);
        assert_eq!((found.time, found.address), (Duration::from_secs(3), 0xc0de_0000_0001));
        assert_eq!((found.characteristic, found.value()), (5, &[1, 2, 3][..]));
        record[44] = 0xff;
        assert_eq!(WrittenValue::from_record(&record).value().len(), 20);
        assert_eq!(uuid_of(0x2a6e), 0x0000_2a6e_0000_1000_8000_0080_5f9b_34fb);
    }

    #[test]
    fn records_are_read_as_the_host_writes_them() {
        let mut record = [0; ble::REPORT_SIZE];
        record[..8].copy_from_slice(&2_000_000u64.to_le_bytes());
        record[8..16].copy_from_slice(&0xc0de_0000_0001u64.to_le_bytes());
        let data = b"\x05\x09Lamp\x05\x16\x1a\x18\x07\x08\x04\xff\xff\xff\x01\x09\x09cut off at 31";
        record[16..16 + data.len()].copy_from_slice(data);
        for (at, number) in [(48, 31), (52, -60i32 as u32), (56, ble::RANDOM | ble::RESPONSE), (60, 3)] {
            record[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let found = ReceivedAdvertisement::from_record(&record);
        assert_eq!((found.time, found.address), (Duration::from_secs(2), 0xc0de_0000_0001));
        assert_eq!((found.is_random, found.is_connectable, found.is_response), (true, false, true));
        assert_eq!((found.rssi, found.lost, found.data().len()), (-60, 3, 31));
        assert_eq!(found.structures().map(|(kind, _)| kind).collect::<Vec<_>>(), [9, 0x16, 0xff, 9]);
        assert_eq!(found.name(), Some(&b"Lamp"[..]));
        assert_eq!((found.service_data(0x181a), found.service_data(0x180f)), (Some(&[7, 8][..]), None));
        assert_eq!((found.company_data(0xffff), found.company_data(1)), (Some(&[1][..]), None));
        record[48..52].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(ReceivedAdvertisement::from_record(&record).data().len(), 31);
    }
}

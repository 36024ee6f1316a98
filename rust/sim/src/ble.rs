// SPDX-License-Identifier: Apache-2.0
//! Bluetooth LE: what the app advertises is traced, and what it receives follows a script.

use crate::arrivals::{check_script, Arrivals};
use crate::error::Error;
use crate::led::hex;
use crate::platform::SimPlatform;
use serde::Deserialize;
use toml::Spanned;
use wisp_abi::ble::{self, MAX_DATA, MAX_INTERVAL, MAX_VALUE, MIN_INTERVAL};
use wisp_abi::Errno;
use wisp_host::platform::{
    ble_service, may_hear, Ble, BleEntry, BleEntryError, BleList, BleReport, BleWritten, Characteristic, Kind,
    DEFAULT_MIN_INTERVAL,
};
use wisp_host::{Failure, Interrupted};

/// Reports that wait at most: as many as on a device without configuration.
const CAPACITY: usize = 8;

/// Bluetooth as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    advertise: Vec<String>,
    scan: Vec<String>,
    min_interval_ms: u32,
    /// True if the firmware or another app advertises.
    busy: bool,
    script: Vec<Spanned<Step>>,
    /// UUID of the service that the app may offer.
    service: Option<String>,
    /// The values that a client writes.
    writes: Vec<Spanned<Write>>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            advertise: Vec::new(),
            scan: Vec::new(),
            min_interval_ms: DEFAULT_MIN_INTERVAL,
            busy: false,
            script: Vec::new(),
            service: None,
            writes: Vec::new(),
        }
    }
}

/// A value that a client writes, if the app serves by then and has such a characteristic.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Write {
    /// Milliseconds since boot. Fractions allowed.
    at_ms: f64,
    characteristic: u8,
    bytes: Vec<u8>,
}

impl crate::arrivals::Step for Write {
    fn at_ms(&self) -> f64 {
        self.at_ms
    }
}

/// The address of the client that writes.
const CLIENT: u64 = 0xc000_0000_00c1;
/// Characteristics at most: as many as on a device without configuration.
const CHARACTERISTICS: usize = 4;

/// An advertisement that somebody sends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Milliseconds since boot. Fractions allowed.
    at_ms: f64,
    /// Six bytes in hexadecimal digits, between colons.
    address: String,
    /// True if a maker was assigned the address.
    #[serde(default)]
    public: bool,
    #[serde(default)]
    connectable: bool,
    /// True for the answer to a request of the scanner.
    #[serde(default)]
    response: bool,
    #[serde(default = "near")]
    rssi: i8,
    /// A name, whose structure stands before the bytes.
    name: Option<String>,
    /// More structures.
    #[serde(default)]
    bytes: Vec<u8>,
}

fn near() -> i8 {
    -60
}

impl crate::arrivals::Step for Step {
    fn at_ms(&self) -> f64 {
        self.at_ms
    }
}

/// Reads an address such as c0:00:00:00:00:01.
fn address(text: &str) -> Option<u64> {
    let parts: Vec<_> = text.split(':').collect();
    let is_byte = |part: &&str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
    let is_address = parts.len() == 6 && parts.iter().all(is_byte);
    is_address.then(|| u64::from_str_radix(&parts.concat(), 16).ok()).flatten()
}

impl Step {
    fn data(&self) -> Vec<u8> {
        let name = self.name.iter().flat_map(|name| [&[name.len() as u8 + 1, 0x09], name.as_bytes()].concat());
        name.chain(self.bytes.iter().copied()).collect()
    }

    fn report(&self) -> BleReport {
        let sent = self.data();
        let mut data = [0; 32];
        data.iter_mut().zip(&sent).for_each(|(place, byte)| *place = *byte);
        let flag = |is_set, flag| if is_set { flag } else { 0 };
        let flags = flag(!self.public, ble::RANDOM)
            | flag(self.connectable, ble::CONNECTABLE)
            | flag(self.response, ble::RESPONSE);
        BleReport {
            time_us: crate::arrivals::Step::at_us(self),
            // The check read the address and found at most 31 bytes. The flags are three bits.
            address: address(&self.address).unwrap_or_default(),
            data,
            length: sent.len() as u8,
            rssi: self.rssi,
            flags: flags as u8,
            lost: 0,
        }
    }
}

/// Checks what the types of the description leave open.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    let wrong = |message: String| Err(Error::at(text, None, format!("{key}: {message}")).under(text, key));
    for entry in config.advertise.iter().chain(&config.scan) {
        if let Err(error) = BleEntry::parse(entry.as_bytes()) {
            return wrong(format!("\"{entry}\", {error}"));
        }
    }
    if let Some(service) = config.service.as_ref().filter(|text| ble_service(text.as_bytes()).is_none()) {
        return wrong(format!("service = \"{service}\", {}", BleEntryError::Service));
    }
    if !(MIN_INTERVAL..=MAX_INTERVAL).contains(&config.min_interval_ms) {
        let found = config.min_interval_ms;
        return wrong(format!("min_interval_ms = {found}, expected {MIN_INTERVAL} to {MAX_INTERVAL}"));
    }
    check_script(text, key, &config.writes, |write| match write.bytes.len() > MAX_VALUE as usize {
        true => Err(format!("{} bytes, expected {MAX_VALUE} at most", write.bytes.len())),
        false => Ok(()),
    })?;
    check_script(text, key, &config.script, |step| {
        if address(&step.address).is_none() {
            return Err(format!("address = \"{}\", expected six bytes such as c0:00:00:00:00:01", step.address));
        }
        // The length of a name is one byte of its structure.
        let length = step.name.as_ref().map_or(0, |name| name.len() + 2) + step.bytes.len();
        match length > MAX_DATA as usize {
            true => Err(format!("{length} bytes of data, expected {MAX_DATA} at most, of which a name takes two more")),
            false => Ok(()),
        }
    })
}

/// Bluetooth of an app.
#[derive(Debug)]
pub(crate) struct Radio {
    advertise: Vec<String>,
    scan: Vec<String>,
    min_interval_ms: u32,
    busy: bool,
    advertises: bool,
    pub(crate) arrivals: Arrivals<Step, BleReport>,
    service: Option<String>,
    characteristics: Vec<Characteristic>,
    serves: bool,
    pub(crate) writes: Arrivals<Write, BleWritten>,
}

impl Radio {
    pub(crate) fn new(config: Config) -> Self {
        let Config { advertise, scan, min_interval_ms, busy, script, service, writes } = config;
        Radio {
            advertise,
            scan,
            min_interval_ms,
            busy,
            advertises: false,
            arrivals: Arrivals::new(script, CAPACITY),
            service,
            characteristics: Vec::new(),
            serves: false,
            writes: Arrivals::new(writes, CAPACITY),
        }
    }
}

impl SimPlatform {
    /// Receives the next advertisement of the script.
    pub(crate) fn hear_ble(&mut self) {
        let Some(report) = self.ble.arrivals.step().map(|step| step.report()) else { return };
        let length = usize::from(report.length);
        if !may_hear(self, report.data.get(..length).unwrap_or_default()) {
            return;
        }
        let is_same = |waiting: &BleReport| {
            (waiting.address, waiting.flags, waiting.length, waiting.data)
                == (report.address, report.flags, report.length, report.data)
        };
        if let Some(waiting) = self.ble.arrivals.find_waiting(is_same) {
            *waiting = report;
        } else {
            self.ble.arrivals.put(report);
        }
    }

    /// Lets a client write the next value of its script. It gets an error if there is no room, or if it may not.
    pub(crate) fn hear_ble_write(&mut self) {
        let Some(write) = self.ble.writes.step() else { return };
        let found = self.ble.characteristics.get(usize::from(write.characteristic));
        let may = found.is_some_and(|found| {
            u32::from(found.properties) & ble::WRITE != 0 && write.bytes.len() <= usize::from(found.size)
        });
        if may && self.ble.writes.has_room() {
            let mut data = [0; 24];
            data.iter_mut().zip(&write.bytes).for_each(|(place, byte)| *place = *byte);
            self.ble.writes.put(BleWritten {
                time_us: crate::arrivals::Step::at_us(&write),
                address: CLIENT,
                data,
                // The check found at most 20.
                length: write.bytes.len() as u8,
                characteristic: write.characteristic,
            });
        }
    }
}

impl Ble for SimPlatform {
    fn ble_entry(&self, list: BleList, index: u32) -> Option<&[u8]> {
        let list = match list {
            BleList::Advertise => &self.ble.advertise,
            BleList::Scan => &self.ble.scan,
            BleList::Service => return self.ble.service.as_ref().filter(|_| index == 0).map(String::as_bytes),
        };
        list.get(index as usize).map(String::as_bytes)
    }

    fn ble_min_interval(&self) -> u32 {
        self.ble.min_interval_ms
    }

    fn advertise_ble(&mut self, data: &[u8], response: &[u8], interval_ms: u32) -> Result<(), Failure<Errno>> {
        if self.ble.busy {
            return Err(Errno::Busy.into());
        }
        self.ble.advertises = true;
        let response = if response.is_empty() { String::new() } else { format!(" response {}", hex(response)) };
        self.trace("ble", "advertise", &format!("every {interval_ms} ms {}{response}", hex(data)), "");
        Ok(())
    }

    fn stop_ble_advertising(&mut self) -> Result<(), Failure<Errno>> {
        if std::mem::take(&mut self.ble.advertises) {
            self.trace("ble", "advertise", "nothing", "");
        }
        Ok(())
    }

    fn scan_ble(&mut self, on: bool) -> Result<(), Failure<Errno>> {
        self.collect_events();
        self.queue.retain(|kind| kind != Kind::Ble);
        let now = self.now_us();
        match on {
            true => self.ble.arrivals.open(now),
            false => self.ble.arrivals.close(),
        }
        Ok(())
    }

    fn receive_ble(&mut self, until_us: u64) -> Result<Option<BleReport>, Interrupted> {
        self.tick();
        self.collect_events();
        loop {
            if let Some(report) = self.ble.arrivals.take() {
                return Ok(Some(BleReport { lost: self.ble.arrivals.take_lost(), ..report }));
            }
            if !self.wait_for_source(Kind::Ble, until_us)? {
                return Ok(None);
            }
        }
    }

    fn watch_ble(&mut self, on: bool) -> Result<(), Errno> {
        self.watch_source(Kind::Ble, on)?;
        self.watch_source(Kind::BleWritten, on)
    }

    fn declare_ble(&mut self, characteristic: Characteristic) -> Result<u32, Failure<Errno>> {
        if self.ble.serves {
            return Err(Errno::Busy.into());
        }
        let index = self.ble.characteristics.len();
        if index == CHARACTERISTICS {
            return Err(Errno::NoSpace.into());
        }
        self.ble.characteristics.push(characteristic);
        // below 4
        Ok(index as u32)
    }

    fn serve_ble(&mut self, service: u128) -> Result<(), Failure<Errno>> {
        if self.ble.serves {
            return Err(Errno::Busy.into());
        }
        if self.ble.characteristics.is_empty() {
            return Err(Errno::Invalid.into());
        }
        self.ble.serves = true;
        let now = self.now_us();
        self.ble.writes.open(now);
        self.trace("ble", "serve", &format!("{service:032x}"), "");
        Ok(())
    }

    fn stop_ble_serving(&mut self) -> Result<(), Failure<Errno>> {
        self.collect_events();
        self.queue.retain(|kind| kind != Kind::BleWritten);
        self.ble.writes.close();
        self.ble.characteristics.clear();
        if std::mem::take(&mut self.ble.serves) {
            self.trace("ble", "serve", "nothing", "");
        }
        Ok(())
    }

    fn set_ble(&mut self, characteristic: u32, value: &[u8]) -> Result<(), Failure<Errno>> {
        let found = self.ble.characteristics.get(characteristic as usize).ok_or(Errno::Invalid)?;
        if value.len() > usize::from(found.size) {
            return Err(Errno::MessageSize.into());
        }
        self.trace("ble", "value", &format!("{characteristic} {}", hex(value)), "");
        Ok(())
    }

    fn written_ble(&mut self, until_us: u64) -> Result<Option<BleWritten>, Interrupted> {
        self.tick();
        self.collect_events();
        loop {
            let written = self.ble.writes.take();
            if written.is_some() || !self.wait_for_source(Kind::BleWritten, until_us)? {
                return Ok(written);
            }
        }
    }

    fn release_ble(&mut self) {
        let _ = self.stop_ble_advertising();
        let _ = self.watch_ble(false);
        let _ = self.scan_ble(false);
        let _ = self.stop_ble_serving();
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, SimPlatform, TraceFormat};
    use wisp_abi::ble::{CONNECTABLE, RANDOM, READ, RESPONSE, WRITE};
    use wisp_host::platform::{Ble, BleList, Characteristic, Clock, Event, Events, Kind};

    fn platform(config: &str) -> (SimPlatform, Capture) {
        let capture = Capture::new();
        let mut board = Board::from_toml(&format!("[apps.a.ble]\n{config}\n")).unwrap();
        board.set_trace(capture.clone(), TraceFormat::Text);
        (board.platform("a"), capture)
    }

    fn sender(app: &mut SimPlatform, until_us: u64) -> Option<u64> {
        app.receive_ble(until_us).unwrap().map(|report| report.address & 0xff)
    }

    #[test]
    fn what_is_granted_arrives_while_the_app_scans() {
        let (mut app, _) = platform(
            "scan = [\"name:La*\", \"company:ffff\"]\nscript = [\
             { at_ms = 1, address = \"c0:00:00:00:00:01\", name = \"Lamp\" },\
             { at_ms = 2, address = \"c0:00:00:00:00:02\", name = \"Lamp\" },\
             { at_ms = 3, address = \"c0:00:00:00:00:03\", name = \"Heater\" },\
             { at_ms = 4, address = \"0a:1B:2c:3d:4e:04\", public = true, connectable = true, response = true, \
               rssi = -90, bytes = [3, 0xff, 0xff, 0xff] }]",
        );
        assert_eq!(sender(&mut app, 1_500), None, "the app does not scan");
        app.scan_ble(true).unwrap();
        assert_eq!(sender(&mut app, u64::MAX), Some(2));
        let report = app.receive_ble(u64::MAX).unwrap().unwrap();
        assert_eq!((report.time_us, report.address, report.rssi), (4_000, 0x0a1b_2c3d_4e04, -90));
        assert_eq!((report.length, &report.data[..5]), (4, &[3, 0xff, 0xff, 0xff, 0][..]));
        assert_eq!(u32::from(report.flags), CONNECTABLE | RESPONSE);
        assert_eq!(sender(&mut app, 10_000), None);
    }

    #[test]
    fn a_repeated_advertisement_takes_one_place_and_what_finds_none_is_counted() {
        let step = |ms, last, rssi| {
            format!("{{ at_ms = {ms}, address = \"c0:00:00:00:00:{last:02x}\", rssi = {rssi}, name = \"L\" }}")
        };
        let steps: Vec<_> =
            (1..=3).map(|ms| step(ms, 1, -40 - ms)).chain((4..=12).map(|ms| step(ms, ms, -60))).collect();
        let (mut app, _) = platform(&format!("scan = [\"any\"]\nscript = [{}]", steps.join(",")));
        app.scan_ble(true).unwrap();
        app.watch_ble(true).unwrap();
        let told = Event { time_us: 1_000, kind: Kind::Ble, lost: 0 };
        assert_eq!(app.next_event(10_000), Ok(Some(told)));
        app.sleep_us(20_000).unwrap();
        let first = app.receive_ble(0).unwrap().unwrap();
        assert_eq!((first.time_us, first.rssi, first.lost, u32::from(first.flags)), (3_000, -43, 2, RANDOM));
        let others: Vec<_> = std::iter::from_fn(|| sender(&mut app, 0)).collect();
        assert_eq!(others, [4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(app.next_event(0), Ok(None), "one told of all");
    }

    #[test]
    fn what_is_advertised_is_traced_until_the_app_ends() {
        let (mut app, trace) = platform("advertise = [\"any\"]");
        app.advertise_ble(&[2, 1, 6], &[], 100).unwrap();
        app.advertise_ble(&[2, 1, 6], b"\x02\x09L", 200).unwrap();
        app.release_ble();
        app.release_ble();
        let lines: Vec<_> = trace.text().lines().map(|line| line[28..].to_string()).collect();
        let every = ["every 100 ms 020106", "every 200 ms 020106 response 02094c", "nothing"];
        assert_eq!(lines, every.map(|text| format!("ble advertise {text}")));
        let (mut app, _) = platform("advertise = [\"any\"]\nbusy = true");
        assert!(app.advertise_ble(&[], &[], 100).is_err());
    }

    #[test]
    fn a_client_writes_what_the_app_serves() {
        let (mut app, trace) = platform(
            "service = \"181a\"\nwrites = [\
             { at_ms = 1, characteristic = 0, bytes = [1] },\
             { at_ms = 3, characteristic = 0, bytes = [2] },\
             { at_ms = 4, characteristic = 1, bytes = [3, 4] },\
             { at_ms = 5, characteristic = 1, bytes = [5, 6, 7] },\
             { at_ms = 6, characteristic = 2, bytes = [] }]",
        );
        assert_eq!(app.ble_entry(BleList::Service, 0), Some(&b"181a"[..]));
        assert!(app.serve_ble(1).is_err(), "nothing was declared");
        let read = Characteristic { uuid: 1, properties: READ as u8, size: 2 };
        assert!(matches!(app.declare_ble(read), Ok(0)));
        assert!(matches!(app.declare_ble(Characteristic { properties: WRITE as u8, ..read }), Ok(1)));
        app.sleep_us(2_000).unwrap();
        app.serve_ble(0x181a).unwrap();
        assert!(app.serve_ble(0x181a).is_err() && app.declare_ble(read).is_err());
        app.watch_ble(true).unwrap();
        assert_eq!(app.next_event(3_500), Ok(None), "the first may not be written");
        assert_eq!(app.next_event(10_000), Ok(Some(Event { time_us: 4_000, kind: Kind::BleWritten, lost: 0 })));
        let written = app.written_ble(u64::MAX).unwrap().unwrap();
        assert_eq!((written.characteristic, written.length, &written.data[..3]), (1, 2, &[3, 4, 0][..]));
        assert_eq!(app.written_ble(10_000), Ok(None), "the others are too long, or may not be written");
        assert!(app.set_ble(0, &[7]).is_ok() && app.set_ble(0, &[1, 2, 3]).is_err() && app.set_ble(2, &[]).is_err());
        app.release_ble();
        let lines: Vec<_> = trace.text().lines().map(|line| line[28..].to_string()).collect();
        assert_eq!(lines, ["ble serve 0000000000000000000000000000181a", "ble value 0 07", "ble serve nothing"]);
        for _ in 0..4 {
            app.declare_ble(read).unwrap();
        }
        assert!(app.declare_ble(read).is_err());
    }

    #[test]
    fn a_description_that_makes_no_sense_is_refused() {
        for (config, expected) in [
            ("advertise = [\"nam:x\"]", "\"nam:x\", expected name:TEXT"),
            ("scan = [\"service:1\"]", "expected a UUID"),
            ("service = \"x\"", "service = \"x\", expected a UUID"),
            ("writes = [{ at_ms = 1, characteristic = 0, bytes = [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21] }]", "21 bytes, expected 20 at most"),
            ("min_interval_ms = 19", "min_interval_ms = 19, expected 20 to 10240"),
            ("script = [{ at_ms = 1, address = \"c0:1\" }]", "expected six bytes"),
            ("script = [{ at_ms = 1, address = \"c0:00:00:00:00:+1\" }]", "expected six bytes"),
            (
                "script = [{ at_ms = 1, address = \"c0:00:00:00:00:01\", name = \"twenty-nine\", \
                 bytes = [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19] }]",
                "32 bytes of data, expected 31 at most",
            ),
            (
                "script = [{ at_ms = 2, address = \"c0:00:00:00:00:01\" }, { at_ms = 1, address = \"c0:00:00:00:00:01\" }]",
                "not before 2",
            ),
        ] {
            let error = Board::from_toml(&format!("[apps.a.ble]\n{config}\n")).unwrap_err();
            assert!(error.message.contains("apps.a.ble") && error.message.contains(expected), "{error}");
        }
    }
}

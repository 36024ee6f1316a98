// SPDX-License-Identifier: Apache-2.0
//! Stored values, which a run begins with as the board file says.

use crate::error::Error;
use crate::platform::SimPlatform;
use crate::rate::Rate;
use serde::Deserialize;
use std::collections::BTreeMap;
use wisp_abi::Errno;
use wisp_host::platform::{Identity, Kv};

/// An app's storage as a board file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KvConfig {
    /// Bytes of all entries, as they lie in flash. 0 grants nothing.
    pub(crate) size: u32,
    /// Erase blocks that the writes of the app may amount to within an hour. 0 is no limit.
    pub(crate) erases_per_hour: u16,
    /// Values at boot.
    pub(crate) contents: BTreeMap<String, Vec<u8>>,
}

impl Default for KvConfig {
    /// Grants nothing. The limit is that of a device without configuration.
    fn default() -> Self {
        KvConfig { size: 0, erases_per_hour: 2, contents: BTreeMap::new() }
    }
}

/// Checks that values have room.
pub(crate) fn check(text: &str, key: &str, config: &KvConfig) -> Result<(), Error> {
    if config.size > 0 || config.contents.is_empty() {
        return Ok(());
    }
    let message = format!("{key}: contents without a size, expected size = BYTES, which the app may store");
    Err(Error::at(text, None, message).under(text, key))
}

/// An app's storage.
#[derive(Debug)]
pub(crate) struct Storage {
    size: u32,
    rate: Rate,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Storage {
    pub(crate) fn new(config: KvConfig) -> Self {
        let values = config.contents.into_iter().map(|(key, value)| (key.into_bytes(), value));
        let rate = Rate::new(u64::from(config.erases_per_hour) * ERASE_BLOCK);
        Storage { size: config.size, rate, values: values.collect() }
    }
}

/// Bytes of a record beside what it is about, and of a write block.
const RECORD: usize = 8;
const WRITE_BLOCK: usize = 8;
/// Bytes of an erase block.
const ERASE_BLOCK: u64 = 4096;

impl SimPlatform {
    /// Fails with `EAGAIN` if the app has written as much as it may within an hour.
    fn write_kv(&mut self, key: &[u8], value: &[u8]) -> Result<(), Errno> {
        let (now, size) = (self.now_us(), self.kv_entry(key.len(), value.len()));
        self.storage.rate.take(now, size.into()).then_some(()).ok_or(Errno::Again)
    }
}

impl Kv for SimPlatform {
    fn kv_size(&self) -> u32 {
        self.storage.size
    }

    /// Counts as the settings of a board with NVS do, on flash that is written by 8 bytes: name and value, with a
    /// record each.
    fn kv_entry(&self, key: usize, value: usize) -> u32 {
        let name = "wisp/".len() + self.name().len() + 1 + key;
        let size = 2 * RECORD + name.next_multiple_of(WRITE_BLOCK) + value.next_multiple_of(WRITE_BLOCK);
        u32::try_from(size).unwrap_or(u32::MAX)
    }

    fn kv_used_without(&mut self, key: &[u8]) -> Result<u32, Errno> {
        let others = self.storage.values.iter().filter(|(other, _)| other.as_slice() != key);
        Ok(others.map(|(key, value)| self.kv_entry(key.len(), value.len())).fold(0, u32::saturating_add))
    }

    fn get_kv(&mut self, key: &[u8], buffer: &mut [u8]) -> Result<u32, Errno> {
        let value = self.storage.values.get(key).ok_or(Errno::NoEntry)?;
        let fits = buffer.len().min(value.len());
        buffer[..fits].copy_from_slice(&value[..fits]);
        Ok(u32::try_from(value.len()).unwrap_or(u32::MAX))
    }

    fn set_kv(&mut self, key: &[u8], value: &[u8]) -> Result<(), Errno> {
        self.write_kv(key, value)?;
        self.storage.values.insert(key.to_vec(), value.to_vec());
        let shown: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        self.trace("kv", &String::from_utf8_lossy(key), &shown, "");
        Ok(())
    }

    fn remove_kv(&mut self, key: &[u8]) -> Result<(), Errno> {
        if !self.storage.values.contains_key(key) {
            return Err(Errno::NoEntry);
        }
        self.write_kv(key, &[])?;
        self.storage.values.remove(key);
        self.trace("kv", &String::from_utf8_lossy(key), "removed", "");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Board, Capture, TraceFormat};
    use wisp_abi::Errno;
    use wisp_host::platform::{Clock, Kv};

    #[test]
    fn values_are_there_at_boot_change_and_are_traced() {
        let capture = Capture::new();
        let mut board = Board::from_toml("[apps.a.kv]\nsize = 100\ncontents = { boots = [7] }\n").unwrap();
        board.set_trace(capture.clone(), TraceFormat::Csv);
        let mut app = board.platform("a");
        let mut buffer = [0; 2];
        assert_eq!((app.kv_size(), app.get_kv(b"boots", &mut buffer), buffer), (100, Ok(1), [7, 0]));
        app.set_kv(b"boots", &[8, 1]).unwrap();
        assert_eq!((app.get_kv(b"boots", &mut buffer[..1]), buffer), (Ok(2), [8, 0]));
        assert_eq!((app.kv_used_without(b"x"), app.kv_used_without(b"boots")), (Ok(40), Ok(0)));
        app.remove_kv(b"boots").unwrap();
        assert_eq!(app.remove_kv(b"boots"), Err(Errno::NoEntry));
        assert!(capture.text().ends_with("0,a,kv,boots,0801\n0,a,kv,boots,removed\n"), "{}", capture.text());
    }
    #[test]
    fn an_app_stores_as_much_within_an_hour_as_on_a_device() {
        let mut app = Board::from_toml("[apps.a.kv]\nsize = 1000\n").unwrap().platform("a");
        // 280 bytes with name and records, of two blocks of 4096
        assert_eq!((0..99).take_while(|_| app.set_kv(b"k", &[0; 256]) == Ok(())).count(), 29);
        assert_eq!(app.remove_kv(b"missing"), Err(Errno::NoEntry));
        assert_eq!((app.set_kv(b"k", &[0; 256]), app.set_kv(b"k", &[0; 8])), (Err(Errno::Again), Ok(())));
        assert_eq!(app.remove_kv(b"k"), Ok(()));
        app.sleep_us(3_600_000_000).unwrap();
        assert_eq!(app.set_kv(b"k", &[0; 256]), Ok(()));
        let mut free = Board::from_toml("[apps.a.kv]\nsize = 1000\nerases_per_hour = 0\n").unwrap().platform("a");
        assert!((0..99).all(|_| free.set_kv(b"k", &[0; 256]) == Ok(())));
    }
}

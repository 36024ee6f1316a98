// SPDX-License-Identifier: Apache-2.0
//! `wisp:kv@1`.

use crate::bindings::KvV1;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{kv, Errno};

/// The app's stored values. Keys were checked: no board needs to look at their characters. A board
/// without storage implements nothing.
pub trait Kv {
    /// Returns how many bytes the app's entries may take together as they are stored, or 0 without a grant.
    fn kv_size(&self) -> u32 {
        0
    }

    /// Returns the number of bytes that an entry with a key and a value of these lengths takes, as it is stored.
    fn kv_entry(&self, key: usize, value: usize) -> u32 {
        u32::try_from(key.saturating_add(value)).unwrap_or(u32::MAX)
    }

    /// Returns the number of bytes that they take now, without those of `key`.
    ///
    /// # Errors
    /// `EIO` if the storage failed, as for all that follow.
    fn kv_used_without(&mut self, _key: &[u8]) -> Result<u32, Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Reads what fits into the buffer, and returns the whole value's length.
    ///
    /// # Errors
    /// `ENOENT` if there is none.
    fn get_kv(&mut self, _key: &[u8], _buffer: &mut [u8]) -> Result<u32, Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Stores a value, of at most [`kv::MAX_VALUE`] bytes.
    ///
    /// # Errors
    /// `ENOSPC` if the storage is full, `EAGAIN` if the app has written as much as it may within an hour.
    fn set_kv(&mut self, _key: &[u8], _value: &[u8]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Removes a value.
    ///
    /// # Errors
    /// `ENOENT` if there is none, `EAGAIN` as for [`Kv::set_kv`].
    fn remove_kv(&mut self, _key: &[u8]) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }
}

impl<P: Platform> App<P> {
    fn check_key(&mut self, key: &[u8]) -> Result<(), Errno> {
        if self.platform.kv_size() == 0 {
            self.platform.denied(kv::INTERFACE.module, b"kv-size");
            return Err(Errno::Access);
        }
        let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if (1..=kv::MAX_KEY as usize).contains(&key.len()) && key.iter().all(known) {
            Ok(())
        } else {
            Err(Errno::Invalid)
        }
    }
}

impl<P: Platform> KvV1 for App<P> {
    fn get(&mut self, key: &[u8], buffer: &mut [u8]) -> Result<u32, Failure<Errno>> {
        self.check_key(key)?;
        Ok(self.platform.get_kv(key, buffer)?)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Failure<Errno>> {
        self.check_key(key)?;
        if value.is_empty() {
            return Err(Errno::Invalid.into());
        }
        if value.len() > kv::MAX_VALUE as usize {
            return Err(Errno::MessageSize.into());
        }
        let needed = self.platform.kv_entry(key.len(), value.len());
        if self.platform.kv_used_without(key)?.saturating_add(needed) > self.platform.kv_size() {
            return Err(Errno::NoSpace.into());
        }
        Ok(self.platform.set_kv(key, value)?)
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), Failure<Errno>> {
        self.check_key(key)?;
        Ok(self.platform.remove_kv(key)?)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Harness, KV};
    use std::string::String;

    fn with_key(harness: &mut Harness, name: &str, key: &str, rest: &[u32]) -> i32 {
        harness.memory[..key.len()].copy_from_slice(key.as_bytes());
        harness.i32(KV, name, &[&[0, key.len() as u32], rest].concat())
    }

    fn harness() -> Harness {
        let mut harness = Harness::new();
        harness.app.platform_mut().kv_size = 64;
        harness
    }

    #[test]
    fn values_are_stored_read_and_removed() {
        let mut harness = harness();
        harness.memory[100..105].copy_from_slice(b"value");
        assert_eq!(with_key(&mut harness, "get", "a.b-c_1", &[200, 8]), -2);
        assert_eq!(with_key(&mut harness, "set", "a.b-c_1", &[100, 5]), 0);
        assert_eq!(with_key(&mut harness, "get", "a.b-c_1", &[200, 8]), 5);
        assert_eq!(&harness.memory[200..206], b"value\0");
        assert_eq!(with_key(&mut harness, "get", "a.b-c_1", &[220, 2]), 5, "a short buffer gets the beginning");
        assert_eq!(&harness.memory[220..223], b"va\0");
        assert_eq!(with_key(&mut harness, "remove", "a.b-c_1", &[]), 0);
        assert_eq!(with_key(&mut harness, "remove", "a.b-c_1", &[]), -2);
        assert_eq!(with_key(&mut harness, "set", "empty", &[0, 0]), -22);
    }

    #[test]
    fn the_quota_counts_keys_and_values_and_what_is_replaced_does_not_count() {
        let mut harness = harness();
        assert_eq!(with_key(&mut harness, "set", "full", &[100, 60]), 0);
        assert_eq!(with_key(&mut harness, "set", "full", &[100, 60]), 0);
        assert_eq!(with_key(&mut harness, "set", "full", &[100, 61]), -28);
        assert_eq!(with_key(&mut harness, "set", "k", &[100, 1]), -28);
        assert_eq!(with_key(&mut harness, "set", "full", &[100, 10]), 0);
        assert_eq!(with_key(&mut harness, "set", "k", &[100, 49]), 0);
    }

    #[test]
    fn bad_keys_and_values_store_nothing() {
        let mut harness = harness();
        harness.app.platform_mut().kv_size = 4096;
        let long: String = "k".repeat(33);
        for key in ["", "a/b", "a b", "a=b", "\u{e4}", "a\0", &long] {
            for name in ["get", "set"] {
                assert_eq!(with_key(&mut harness, name, key, &[100, 4]), -22, "{key}");
            }
            assert_eq!(with_key(&mut harness, "remove", key, &[]), -22);
        }
        assert_eq!(with_key(&mut harness, "set", &long[..32], &[100, 257]), -122);
        assert_eq!(with_key(&mut harness, "set", &long[..32], &[100, 256]), 0);
        assert_eq!(with_key(&mut harness, "set", "k", &[500, 100]), -14);
    }

    #[test]
    fn an_app_without_a_quota_has_no_storage() {
        let mut harness = Harness::new();
        assert_eq!(with_key(&mut harness, "set", "k", &[100, 1]), -13);
        assert_eq!(with_key(&mut harness, "get", "k", &[100, 1]), -13);
        assert_eq!(with_key(&mut harness, "remove", "k", &[]), -13);
        assert_eq!(harness.app.platform().denied.len(), 3);
    }
}

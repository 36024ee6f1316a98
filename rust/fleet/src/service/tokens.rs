// SPDX-License-Identifier: Apache-2.0
//! Who may compile: a file with hashes of tokens, and a quota for each client.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use crate::failure::Failure;

/// Seconds in which a client's quota of an hour is full again.
const HOUR: f64 = 3600.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    client: Vec<ClientLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientLine {
    name: String,
    sha256: Vec<String>,
    #[serde(default = "default_active")]
    active: usize,
    #[serde(default = "default_hourly")]
    hourly: u32,
}

fn default_active() -> usize {
    256
}

fn default_hourly() -> u32 {
    3600
}

/// A client that may compile.
#[derive(Debug)]
pub struct Client {
    /// Its name, which owns jobs.
    pub name: String,
    /// Jobs that it may have at once, and uploads.
    pub active: usize,
    hourly: u32,
    /// Hashes of its tokens.
    hashes: Vec<[u8; 32]>,
    uploads: Arc<Semaphore>,
    /// Jobs that it may still post, and since when.
    left: Mutex<(f64, Instant)>,
}

impl Client {
    /// Returns a client with these quotas.
    pub fn new(name: &str, active: usize, hourly: u32, hashes: Vec<[u8; 32]>) -> Self {
        Self {
            name: name.into(),
            active,
            hourly,
            hashes,
            uploads: Arc::new(Semaphore::new(active.min(Semaphore::MAX_PERMITS))),
            left: Mutex::new((hourly.into(), Instant::now())),
        }
    }

    /// Counts a job that the compiler has to run for.
    ///
    /// # Errors
    /// The client had as many in the last hour as it may have.
    pub fn count_job(&self) -> Result<(), Problem> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let rate = f64::from(self.hourly) / HOUR;
        let filled = left.0 + now.duration_since(left.1).as_secs_f64() * rate;
        *left = (filled.min(self.hourly.into()), now);
        if left.0 < 1.0 {
            let wait = if self.hourly == 0 { HOUR } else { ((1.0 - left.0) / rate).ceil() };
            let text = format!("this token has posted the {} new jobs that it may post in an hour", self.hourly);
            return Err(Problem::quota(text, wait as u16));
        }
        left.0 -= 1.0;
        Ok(())
    }

    /// Returns the right to send a body, for as long as it is held.
    ///
    /// # Errors
    /// Returns the problem `quota` if the client already sends as many bodies as it may have jobs that wait or run.
    pub fn begin_upload(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.uploads.clone().try_acquire_owned().map_err(|_| {
            Problem::quota(format!("this token sends {} modules at once already, as many as it may", self.active), 5)
        })
    }
}

/// The clients of a file.
pub struct Tokens(Vec<Arc<Client>>);

impl Tokens {
    /// Reads the file. Clients that were known before go on with what is left of their quota.
    ///
    /// # Errors
    /// The file cannot be read, or something in it is not as expected.
    pub fn read(path: &Path, before: Option<&Self>) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::in_file(path, format_args!("the token file cannot be read: {error}; doc/service.md shows one"))
        })?;
        let file: File = toml::from_str(&text).map_err(|error| {
            Failure::in_file(path, format_args!("not a token file: {error}\ndoc/service.md shows what is expected"))
        })?;
        Self::of(file, before).map_err(|words| Failure::in_file(path, words))
    }

    fn of(file: File, before: Option<&Self>) -> Result<Self, String> {
        if file.client.is_empty() {
            return Err("there is no client, so nobody could compile; add a table [[client]]".into());
        }
        let (mut names, mut known) = (BTreeSet::new(), BTreeSet::new());
        let mut clients = Vec::new();
        for line in file.client {
            let name = &line.name;
            if name.is_empty() || !names.insert(name.clone()) {
                return Err(format!("the client `{name}` is there twice or has no name; give each a name of its own"));
            }
            let mut hashes = Vec::new();
            for text in &line.sha256 {
                let hash = parse_hash(text).ok_or_else(|| {
                    format!("client `{name}`: `{text}` is no SHA-256; expected the 64 digits that `sha256sum` prints")
                })?;
                if !known.insert(hash) {
                    return Err(format!("client `{name}`: the hash {text} is there twice; each token has one client"));
                }
                hashes.push(hash);
            }
            let client = Client::new(name, line.active, line.hourly, hashes);
            let old = before.and_then(|tokens| tokens.0.iter().find(|old| old.name == *name));
            if let Some(old) = old {
                let left = *old.left.lock().unwrap_or_else(PoisonError::into_inner);
                *client.left.lock().unwrap_or_else(PoisonError::into_inner) = left;
            }
            clients.push(Arc::new(client));
        }
        Ok(Self(clients))
    }

    /// Returns the client with this token. All hashes are compared, each in the same time wherever it differs.
    pub fn client(&self, token: &str) -> Option<Arc<Client>> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for client in &self.0 {
            for known in &client.hashes {
                if bool::from(known.ct_eq(&hash)) {
                    found = Some(client.clone());
                }
            }
        }
        found
    }
}

fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut out = [0; 32];
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tokens, String> {
        let file = toml::from_str(text).map_err(|error| error.to_string())?;
        Tokens::of(file, None)
    }

    fn line(name: &str, tokens: &[&str]) -> String {
        let hashes: Vec<String> = tokens.iter().map(|token| super::super::order::sha256(token.as_bytes())).collect();
        format!("[[client]]\nname = \"{name}\"\nsha256 = {hashes:?}\n")
    }

    #[test]
    fn each_token_has_its_client_and_others_have_none() {
        let tokens = read(&(line("anne", &["one", "two"]) + &line("bob", &["three"]))).unwrap();
        let name = |token: &str| tokens.client(token).map(|client| client.name.clone());
        assert_eq!(name("one").as_deref(), Some("anne"));
        assert_eq!(name("two").as_deref(), Some("anne"));
        assert_eq!(name("three").as_deref(), Some("bob"));
        for wrong in ["", "on", "one ", "ONE", "four"] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_token_file_that_is_not_in_order_is_refused_in_words() {
        for (text, words) in [
            (String::new(), "there is no client"),
            (line("", &["a"]), "has no name"),
            (line("anne", &["a"]) + &line("anne", &["b"]), "there twice"),
            (line("anne", &["a"]) + &line("bob", &["a"]), "each token has one client"),
            ("[[client]]\nname = \"a\"\nsha256 = [\"12\"]".into(), "expected the 64 digits"),
            ("[[client]]\nname = \"a\"\nsha256 = [\"é\"]".into(), "expected the 64 digits"),
            (line("anne", &["a"]) + "quota = 1", "unknown field"),
        ] {
            let error = read(&text).err().unwrap_or_else(|| panic!("{text} is taken"));
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_quota_of_an_hour_is_used_up_and_says_how_long_to_wait() {
        let client = Client::new("anne", 1, 2, vec![]);
        assert!(client.count_job().is_ok() && client.count_job().is_ok());
        let problem = client.count_job().unwrap_err();
        let text = serde_json::to_string(&problem).unwrap();
        assert!(text.contains("the 2 new jobs that it may post in an hour"), "{text}");
        // half an hour has passed: one more
        client.left.lock().unwrap().1 -= std::time::Duration::from_secs(1801);
        assert!(client.count_job().is_ok() && client.count_job().is_err());
        assert!(Client::new("bob", 1, 0, vec![]).count_job().is_err());
    }
}

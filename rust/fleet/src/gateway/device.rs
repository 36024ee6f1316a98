// SPDX-License-Identifier: Apache-2.0
//! Requests of Wisp's MCUmgr group, which `doc/lifecycle.md` describes.

use std::time::Duration;

use ciborium::Value;
use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_bytes::ByteBuf;
use wisp_contract::storage::PortError;
use wisp_trust::{sign_request, Challenge, NONCE_SIZE};

use super::config;
use super::package::Package;
use super::smp::{self, Error, Link, Operation};
use super::store::CLAIM;

/// The group.
const GROUP: u16 = 87;
/// Bytes of a packet with a piece of an upload, beside the piece: head, map, keys, offset, length and token.
const AROUND_PIECE: usize = 53;
/// Bytes of the signature itself: what stands before it in its entry is part of what is signed.
const ENTRY_VALUE: usize = 76;
/// Largest number of apps that a device is asked for.
const APPS_MAX: usize = 64;

mod command {
    pub const LIST: u8 = 0;
    pub const UPLOAD: u8 = 1;
    pub const INFO: u8 = 2;
    pub const ROLLBACK: u8 = 6;
    pub const ABORT: u8 = 9;
    pub const FAILURES: u8 = 11;
    pub const CHALLENGE: u8 = 13;
}

/// An app on a device.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct App {
    /// Its name, or `None` behind the last app.
    pub name: Option<String>,
    /// The device does not start the app.
    pub disabled: bool,
    /// The confirmed image.
    pub running: Option<Image>,
    /// The image on trial.
    pub candidate: Option<Image>,
    /// Place at which the list goes on.
    pub next: Option<u32>,
}

/// An image on a device.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Image {
    /// Its version as a number.
    pub ver: u32,
    /// First eight bytes of its SHA-256.
    pub sha: ByteBuf,
}

impl Image {
    /// Returns the version as it is written.
    pub fn version(&self) -> String {
        let [major, minor, low, high] = self.ver.to_le_bytes();
        format!("{major}.{minor}.{}", u16::from_le_bytes([low, high]))
    }
}

#[derive(Deserialize)]
struct Progress {
    off: usize,
    tok: Option<ByteBuf>,
    #[serde(default)]
    done: bool,
}

#[derive(Deserialize)]
struct Failure {
    name: Option<String>,
    what: Option<String>,
    next: Option<u32>,
}

#[derive(Deserialize)]
struct Nonce {
    nonce: ByteBuf,
    next: u32,
}

/// An answer without content.
#[derive(Deserialize)]
struct Nothing {}

type Entries = Vec<(&'static str, Value)>;

fn payload(entries: Entries) -> Vec<u8> {
    smp::encode(&Value::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect()))
}

/// A device that answers.
pub struct Device {
    link: Link,
    claim: [u8; CLAIM],
    key: Option<[u8; 32]>,
    sent_all: bool,
}

impl Device {
    /// Reaches a device.
    ///
    /// # Errors
    /// Returns an error if the device does not answer.
    pub async fn open(device: &config::Device, claim: [u8; CLAIM], patience: Duration) -> Result<Self, Error> {
        let link = Link::open(&device.address, patience).await?;
        Ok(Self { link, claim, key: device.management_key, sent_all: false })
    }

    /// Returns whether the last piece of an image was sent, answered or not.
    pub fn has_sent_all(&self) -> bool {
        self.sent_all
    }

    /// Returns how many requests were sent again.
    pub fn repeated(&self) -> u64 {
        self.link.repeated
    }

    async fn read<T: DeserializeOwned>(&mut self, command: u8, entries: Entries) -> Result<T, Error> {
        self.link.ask(Operation::Read, GROUP, command, &payload(entries)).await
    }

    /// Sends a request that changes something, signed if there is a key. One whose number was used up is signed again.
    async fn change<T: DeserializeOwned>(&mut self, command: u8, entries: Entries) -> Result<T, Error> {
        let Some(key) = self.key else {
            return self.link.ask(Operation::Write, GROUP, command, &payload(entries)).await;
        };
        let mut unsigned = entries;
        unsigned.push(("signature", Value::Bytes(vec![0; ENTRY_VALUE])));
        let replayed = Error::Store(PortError::Replayed.code());
        for last in [false, true] {
            let nonce: Nonce = self.read(command::CHALLENGE, Vec::new()).await?;
            let bytes: [u8; NONCE_SIZE] = nonce.nonce[..]
                .try_into()
                .map_err(|_| Error::Nonsense(format!("its nonce has {} bytes", nonce.nonce.len())))?;
            let mut payload = payload(unsigned.clone());
            sign_request(&mut payload, &key, &Challenge { nonce: bytes, next: nonce.next }, command);
            match self.link.ask(Operation::Write, GROUP, command, &payload).await {
                Err(error) if error == replayed && !last => {}
                answer => return answer,
            }
        }
        Err(replayed)
    }

    /// Returns an app.
    ///
    /// # Errors
    /// `NOT_FOUND` if the device has none of this name, or the device does not answer.
    pub async fn app(&mut self, name: &str) -> Result<App, Error> {
        self.read(command::INFO, vec![("name", name.into())]).await
    }

    /// Returns all apps.
    ///
    /// # Errors
    /// The device does not answer.
    pub async fn apps(&mut self) -> Result<Vec<App>, Error> {
        let (mut found, mut slot) = (Vec::new(), 0);
        while found.len() < APPS_MAX {
            let app: App = self.read(command::LIST, vec![("slot", slot.into())]).await?;
            if app.name.is_none() {
                break;
            }
            let next = app.next;
            found.push(app);
            match next {
                Some(next) if next > slot => slot = next,
                _ => break,
            }
        }
        Ok(found)
    }

    /// Returns how the last failed run of an app ended, if the device remembers one.
    ///
    /// # Errors
    /// The device does not answer.
    pub async fn failure(&mut self, app: &str) -> Result<Option<String>, Error> {
        let mut index = 0;
        for _ in 0..APPS_MAX {
            let failure: Failure = self.read(command::FAILURES, vec![("index", index.into())]).await?;
            match (failure.name, failure.next) {
                (Some(name), _) if name == app => return Ok(failure.what),
                (Some(_), Some(next)) if next > index => index = next,
                _ => break,
            }
        }
        Ok(None)
    }

    /// Drops the update of an app.
    ///
    /// # Errors
    /// Returns an error if the device has none, or does not answer.
    pub async fn roll_back(&mut self, app: &str) -> Result<(), Error> {
        self.change::<Nothing>(command::ROLLBACK, vec![("name", app.into())]).await.map(|_| ())
    }

    /// Gives the gateway's upload up.
    ///
    /// # Errors
    /// Returns an error if the device has none, or does not answer.
    pub async fn abort(&mut self) -> Result<(), Error> {
        self.change::<Nothing>(command::ABORT, vec![("own", self.own())]).await.map(|_| ())
    }

    fn own(&self) -> Value {
        Value::Bytes(self.claim.to_vec())
    }

    /// Sends an image. An upload that broke off goes on where it was. `count` gets the bytes that the device has.
    ///
    /// # Errors
    /// The device refuses the image, or does not answer.
    pub async fn upload(&mut self, package: &Package, mut count: impl FnMut(usize)) -> Result<(), Error> {
        let mut entries: Entries = vec![("off", 0.into()), ("data", Value::Bytes(Vec::new()))];
        entries.extend(package.announcement.iter().cloned());
        entries.push(("sha", Value::Bytes(package.sha.to_vec())));
        entries.push(("own", self.own()));
        let mut at: Progress = self.change(command::UPLOAD, entries).await?;
        let token = at.tok.take();
        let piece = self.link.size().saturating_sub(AROUND_PIECE).max(32);
        // a device that stays where it is would never end
        let (mut idle, mut furthest) = (0, at.off);
        while !at.done {
            let rest = package.bytes.get(at.off..).filter(|rest| !rest.is_empty());
            let (Some(rest), Some(token)) = (rest, &token) else {
                return Err(Error::Nonsense(format!("the upload is at byte {} of {}", at.off, package.bytes.len())));
            };
            count(at.off);
            let data = rest.get(..piece).unwrap_or(rest);
            self.sent_all |= data.len() == rest.len();
            let entries = vec![
                ("off", (at.off as u64).into()),
                ("data", Value::Bytes(data.to_vec())),
                ("tok", Value::Bytes(token.to_vec())),
            ];
            let next: Progress = self.link.ask(Operation::Write, GROUP, command::UPLOAD, &payload(entries)).await?;
            idle = if next.off > furthest || next.done { 0 } else { idle + 1 };
            furthest = furthest.max(next.off);
            if idle > 16 {
                return Err(Error::Nonsense(format!("the upload stays at byte {}", at.off)));
            }
            at = next;
        }
        count(package.bytes.len());
        Ok(())
    }
}

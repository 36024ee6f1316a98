// SPDX-License-Identifier: Apache-2.0
//! A device that speaks SMP over UDP: what doc/lifecycle.md says of the MCUmgr group, with faults on demand.

use std::collections::HashMap;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use ciborium::Value;
use sha2::{Digest, Sha256};
use wisp_trust::{Challenge, PublicKey};

/// Errors of `enum wisp_store_error`.
const NOT_FOUND: u32 = 5;
const NO_CANDIDATE: u32 = 9;
const INSTALLED: u32 = 11;
const NO_UPLOAD: u32 = 14;
const OFFSET: u32 = 15;
const HASH: u32 = 18;
const NOT_SIGNED: u32 = 81;

/// Behaviour of an app on trial.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Nature {
    /// Confirms itself after the device was asked a few times.
    #[default]
    Good,
    /// Crashes, so the device rolls it back after it was asked a few times.
    Crashing,
    /// Does nothing of both.
    Silent,
}

#[derive(Clone)]
struct Image {
    sha: Vec<u8>,
    version: u32,
}

#[derive(Default)]
struct App {
    running: Option<Image>,
    candidate: Option<Image>,
    /// Number of times that the device was asked since the trial began.
    asked: u32,
}

struct Upload {
    name: String,
    sha: Vec<u8>,
    length: usize,
    version: u32,
    owner: Vec<u8>,
    bytes: Vec<u8>,
}

/// State that tests change and look at.
#[derive(Default)]
pub struct Inside {
    apps: HashMap<String, App>,
    upload: Option<Upload>,
    /// Behaviour of apps on trial, by name.
    pub natures: HashMap<String, Nature>,
    /// Text that follows the trap of an app that crashed.
    pub remark: &'static str,
    /// Behaviour of apps that are not named.
    pub nature: Nature,
    /// Receives, and answers nothing.
    pub silent: bool,
    /// Loses each request whose number is a multiple of this, and each answer whose number is one more.
    pub loss: Option<u64>,
    /// Answers with noise.
    pub noise: bool,
    /// Refuses announcements with this error.
    pub refuses: Option<u32>,
    /// Is silent when it has that many bytes of an upload.
    pub stops_at: Option<usize>,
    /// Takes requests only if they are signed by this key.
    pub manager: Option<PublicKey>,
    challenge: u32,
    /// Requests that came.
    pub requests: u64,
    /// Bytes of pieces that were new.
    pub taken: usize,
    /// Announcements, with all their entries.
    pub announced: Vec<Vec<(String, Value)>>,
    /// Uploads that were complete, by app.
    pub installs: Vec<String>,
}

/// The device.
pub struct Device {
    pub name: String,
    pub address: String,
    /// Further lines of its table in the configuration.
    pub more: String,
    inside: Arc<Mutex<Inside>>,
}

impl Device {
    pub fn new(name: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let inside = Arc::new(Mutex::new(Inside::default()));
        let shared = inside.clone();
        // ends with the process
        thread::spawn(move || loop {
            let mut packet = [0; 2048];
            let Ok((length, from)) = socket.recv_from(&mut packet) else { continue };
            if let Some(answer) = shared.lock().unwrap().packet(&packet[..length]) {
                let _ = socket.send_to(&answer, from);
            }
        });
        Self { name: name.into(), address, more: String::new(), inside }
    }

    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    /// Returns the first bytes of the hash of the image that an app keeps.
    pub fn running(&self, app: &str) -> Option<Vec<u8>> {
        self.inside().apps.get(app)?.running.as_ref().map(|image| image.sha.clone())
    }

    /// Returns whether an app has an update on trial.
    pub fn on_trial(&self, app: &str) -> bool {
        self.inside().apps.get(app).is_some_and(|app| app.candidate.is_some())
    }

    /// Loses its RAM: all but the apps, and what it has of an upload.
    pub fn cut_power(&self) {
        let mut inside = self.inside();
        if let Some(upload) = &mut inside.upload {
            upload.owner.clear();
        }
        inside.silent = false;
        inside.challenge = 0;
    }
}

/// Returns what a device knows an image by.
pub fn mark(image: &[u8]) -> Vec<u8> {
    Sha256::digest(image)[..8].to_vec()
}

fn get<'a>(entries: &'a [(String, Value)], key: &str) -> Option<&'a Value> {
    entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

fn number(entries: &[(String, Value)], key: &str) -> usize {
    get(entries, key).and_then(|value| value.as_integer()).and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

fn bytes(entries: &[(String, Value)], key: &str) -> Vec<u8> {
    get(entries, key).and_then(|value| value.as_bytes().cloned()).unwrap_or_default()
}

fn text(entries: &[(String, Value)], key: &str) -> String {
    get(entries, key).and_then(|value| value.as_text()).unwrap_or_default().into()
}

type Answer = Result<Vec<(&'static str, Value)>, u32>;

fn shown(image: &Option<Image>) -> Option<Value> {
    let image = image.as_ref()?;
    let entry = |key: &str, value: Value| (Value::from(key), value);
    Some(Value::Map(vec![
        entry("len", 1.into()),
        entry("ver", image.version.into()),
        entry("rb", 0.into()),
        entry("sha", Value::Bytes(image.sha.clone())),
    ]))
}

impl Inside {
    fn packet(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.requests += 1;
        if self.silent || self.loss.is_some_and(|every| self.requests.is_multiple_of(every)) {
            return None;
        }
        if self.noise {
            return Some(vec![0xff; 64]);
        }
        let (head, payload) = packet.split_at(8);
        let Ok(Value::Map(entries)) = ciborium::from_reader(payload) else { return None };
        let entries: Vec<(String, Value)> =
            entries.into_iter().map(|(key, value)| (key.as_text().unwrap().into(), value)).collect();
        let group = u16::from_be_bytes([head[4], head[5]]);
        let answer = match (group, head[7], head[0] & 7) {
            (0, 6, 0) => Ok(vec![("buf_size", 512.into()), ("buf_count", 4.into())]),
            (87, command, 2) if !self.is_allowed(command, payload, &entries) => Err(NOT_SIGNED),
            (87, command, _) => self.command(command, &entries),
            _ => return None,
        };
        if self.silent || self.loss.is_some_and(|every| self.requests % every == 1) {
            return None;
        }
        let answer = match answer {
            Ok(entries) => entries,
            Err(code) => {
                let error = vec![("group".into(), 87.into()), ("rc".into(), code.into())];
                vec![("err", Value::Map(error))]
            }
        };
        let map = Value::Map(answer.into_iter().map(|(key, value)| (key.into(), value)).collect());
        let mut body = Vec::new();
        ciborium::into_writer(&map, &mut body).unwrap();
        let mut out = head.to_vec();
        out[0] += 1;
        out[2..4].copy_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
        out.extend(body);
        Some(out)
    }

    fn nonce(&self) -> Challenge {
        Challenge { nonce: [7; 16], next: self.challenge }
    }

    /// Checks the signature of a request that changes something. Pieces of an upload need none.
    fn is_allowed(&mut self, command: u8, payload: &[u8], entries: &[(String, Value)]) -> bool {
        let Some(key) = self.manager else { return true };
        if command == 1 && get(entries, "tok").is_some() {
            return true;
        }
        let mut challenge = self.nonce();
        let accepted = challenge.accept(&[key], command, payload).is_ok();
        self.challenge = challenge.next;
        accepted
    }

    fn command(&mut self, command: u8, entries: &[(String, Value)]) -> Answer {
        let name = text(entries, "name");
        match command {
            0 => Ok(self.list(number(entries, "slot"))),
            1 if get(entries, "tok").is_none() => self.announce(entries),
            1 => self.piece(entries),
            2 => self.info(&name),
            6 => {
                let app = self.apps.get_mut(&name).ok_or(NOT_FOUND)?;
                app.candidate.take().map(|_| vec![]).ok_or(NO_CANDIDATE)
            }
            9 => self.upload.take().map(|_| vec![]).ok_or(NO_UPLOAD),
            11 => {
                let failed = self.natures.iter().find(|(_, nature)| **nature == Nature::Crashing);
                let mut out = vec![("total", 1.into())];
                if let Some((name, _)) = failed.filter(|_| number(entries, "index") == 0) {
                    out.extend([
                        ("name", name.as_str().into()),
                        ("what", format!("trap: unreachable (2:0x1c){}", self.remark).into()),
                        ("next", 1.into()),
                    ]);
                }
                Ok(out)
            }
            13 => Ok(vec![("nonce", Value::Bytes(self.nonce().nonce.to_vec())), ("next", self.challenge.into())]),
            _ => Err(NOT_FOUND),
        }
    }

    fn list(&self, slot: usize) -> Vec<(&'static str, Value)> {
        let mut names: Vec<&String> = self.apps.keys().collect();
        names.sort();
        let Some(name) = names.get(slot) else { return vec![] };
        let mut out = self.shown(name);
        out.push(("next", (slot as u64 + 1).into()));
        out
    }

    fn shown(&self, name: &str) -> Vec<(&'static str, Value)> {
        let app = &self.apps[name];
        let mut out = vec![("name", name.into()), ("state", "running".into()), ("disabled", false.into())];
        out.extend(shown(&app.running).map(|image| ("running", image)));
        out.extend(shown(&app.candidate).map(|image| ("candidate", image)));
        out
    }

    fn info(&mut self, name: &str) -> Answer {
        let nature = self.natures.get(name).copied().unwrap_or(self.nature);
        let app = self.apps.get_mut(name).ok_or(NOT_FOUND)?;
        app.asked += 1;
        if app.asked > 3 && app.candidate.is_some() {
            match nature {
                Nature::Good => app.running = app.candidate.take(),
                Nature::Crashing => app.candidate = None,
                Nature::Silent => {}
            }
        }
        Ok(self.shown(name))
    }

    fn announce(&mut self, entries: &[(String, Value)]) -> Answer {
        self.announced.push(entries.to_vec());
        if let Some(code) = self.refuses {
            return Err(code);
        }
        let (name, sha, owner) = (text(entries, "name"), bytes(entries, "sha"), bytes(entries, "own"));
        let is_it = |image: &Option<Image>| image.as_ref().is_some_and(|image| sha.starts_with(&image.sha));
        if self.apps.get(&name).is_some_and(|app| is_it(&app.running) || is_it(&app.candidate)) {
            return Err(INSTALLED);
        }
        let goes_on = self
            .upload
            .as_ref()
            .is_some_and(|upload| upload.sha == sha && (upload.owner == owner || upload.owner.is_empty()));
        if !goes_on {
            let (length, version) = (number(entries, "len"), u32::try_from(number(entries, "ver")).unwrap());
            self.upload = Some(Upload { name, sha, length, version, owner: owner.clone(), bytes: Vec::new() });
        }
        let upload = self.upload.as_mut().unwrap();
        upload.owner = owner;
        Ok(vec![("off", (upload.bytes.len() as u64).into()), ("tok", Value::Bytes(b"8 bytes!".to_vec()))])
    }

    fn piece(&mut self, entries: &[(String, Value)]) -> Answer {
        let upload = self.upload.as_mut().ok_or(NO_UPLOAD)?;
        assert_eq!(bytes(entries, "tok"), b"8 bytes!");
        let (off, data) = (number(entries, "off"), bytes(entries, "data"));
        // a piece that came twice
        if off + data.len() == upload.bytes.len() {
            return Ok(vec![("off", (upload.bytes.len() as u64).into())]);
        }
        if off != upload.bytes.len() {
            return Err(OFFSET);
        }
        self.taken += data.len();
        upload.bytes.extend(data);
        if self.stops_at.is_some_and(|at| upload.bytes.len() >= at) {
            self.silent = true;
        }
        let off = ("off", (upload.bytes.len() as u64).into());
        if upload.bytes.len() < upload.length {
            return Ok(vec![off]);
        }
        let upload = self.upload.take().unwrap();
        if Sha256::digest(&upload.bytes)[..] != upload.sha[..] {
            return Err(HASH);
        }
        let app = self.apps.entry(upload.name.clone()).or_default();
        app.candidate = Some(Image { sha: upload.sha[..8].to_vec(), version: upload.version });
        app.asked = 0;
        self.installs.push(upload.name);
        Ok(vec![off, ("done", true.into())])
    }
}

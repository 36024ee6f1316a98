// SPDX-License-Identifier: Apache-2.0
//! An action on a device: download, upload and trial of one app after the other.
//!
//! A future of this module may be given up at any point and begun again, by this process or the next one: what was done
//! is in the record before the next step, and the device tells the rest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::block_in_place;
use tokio::time::sleep;
use wisp_contract::storage::{PortError, StoreError};

use super::config;
use super::ddi::{Controller, State, Trouble};
use super::device::{App, Device};
use super::pace::Backoff;
use super::package::Package;
use super::record::{Installed, Record, Step, Verdict};
use super::server::Shared;
use super::smp::Error;
use super::telemetry::{now, AppLine, Phase};

/// Number of times that an image is sent before its loss on the way counts as the outcome.
const UPLOADS: u32 = 3;
/// Number of times that the server is asked for a file that it does not have.
const ASKS: u32 = 6;

/// Why a step was not done.
#[derive(Debug)]
pub enum Stop {
    /// Another try may succeed.
    Passing(String, Option<Duration>),
    /// The server says that it does not have a file. A proxy may have said so while the server was away.
    Missing(String),
    /// This is the outcome.
    Lasting(String),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Passing(words, wait) => Self::Passing(words, wait),
            Trouble::Gone(words) => Self::Missing(words),
            Trouble::Lasting(words) => Self::Lasting(words),
        }
    }
}

/// Errors of the app storage that pass: another client uploads, another update is on trial, an app has not ended yet.
fn passes(code: u32) -> bool {
    [
        StoreError::Busy.code(),
        StoreError::Pending.code(),
        PortError::NotStopped.code(),
        PortError::NotOwner.code(),
        PortError::Replayed.code(),
    ]
    .contains(&code)
}

/// Errors that say that an image was damaged or lost on its way.
fn is_loss(code: u32) -> bool {
    [
        StoreError::NoUpload.code(),
        StoreError::Offset(0).code(),
        StoreError::Length.code(),
        StoreError::Incomplete(0).code(),
        StoreError::Hash.code(),
    ]
    .contains(&code)
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let passing = error.is_passing() || matches!(error, Error::Store(code) if passes(code));
        let words = error.to_string();
        if passing {
            Self::Passing(words, None)
        } else {
            Self::Lasting(words)
        }
    }
}

/// State of an image that a device was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// The image is on trial.
    Trial,
    /// The device keeps the image.
    Kept,
    /// The device keeps the image, and another update of the app is on trial.
    Covered,
    /// The device has the image and does not start it any more.
    Disabled,
    /// The device does not have the image.
    Absent,
}

/// Compares an app with an image.
fn compare(app: &App, sha: &[u8; 8]) -> Look {
    let is_it = |image: &Option<super::device::Image>| image.as_ref().is_some_and(|image| image.sha[..] == sha[..]);
    match (is_it(&app.candidate), is_it(&app.running), app.candidate.is_some(), app.disabled) {
        (false, false, ..) => Look::Absent,
        (false, true, true, _) => Look::Covered,
        (.., true) => Look::Disabled,
        (true, ..) => Look::Trial,
        (false, true, false, false) => Look::Kept,
    }
}

/// A device in an action.
pub struct Job<'a> {
    /// State that all devices share.
    pub shared: &'a Shared,
    /// The device.
    pub device: &'a config::Device,
    /// The device on the server.
    pub controller: &'a Controller,
    /// Its record, with an action that has not ended.
    pub record: &'a mut Record,
    /// Nothing is to be installed yet. An update on trial is watched in any case.
    pub held: bool,
}

impl Job<'_> {
    /// Leads the action to its end, however long that takes. Returns `None` if what remains is held.
    pub async fn run(&mut self) -> Option<Verdict> {
        let mut details = Vec::new();
        let count = self.record.action.as_ref().map_or(0, |action| action.parts.len());
        for index in 0..count {
            if self.held && self.is_waiting(index) {
                return None;
            }
            let outcome = self.part(index).await;
            let (what, module) = self.subject(index);
            match outcome {
                Ok(()) => details.push(format!("{what}: kept")),
                Err(words) => {
                    details.push(if words.starts_with(&what) { words } else { format!("{what}: {words}") });
                    let rest = (index + 1..count)
                        .map(|rest| format!("{}: not installed, because {module} failed", self.subject(rest).0));
                    details.extend(rest.collect::<Vec<_>>());
                    return Some(Verdict { success: false, details });
                }
            }
        }
        Some(Verdict { success: true, details })
    }

    /// Returns whether the device has not accepted the image of a part.
    fn is_waiting(&self, index: usize) -> bool {
        let part = self.record.action.as_ref().and_then(|action| action.parts.get(index));
        part.is_some_and(|part| matches!(part.step, Step::Waiting | Step::Sending(_)))
    }

    /// Returns the app of a part as people call it, and the name of its module.
    fn subject(&self, index: usize) -> (String, String) {
        let Some(part) = self.record.action.as_ref().and_then(|action| action.parts.get(index)) else {
            return Default::default();
        };
        let what = match &part.step {
            Step::Waiting => part.module.clone(),
            Step::Sending(it) | Step::Trial(it) | Step::Kept(it) => format!("{} {}", it.app, it.version),
        };
        (what, part.module.clone())
    }

    /// Leads one app to its end.
    async fn part(&mut self, index: usize) -> Result<(), String> {
        let name = &self.device.name;
        let mut tries = Tries::new(self.shared.config.pace.retry);
        loop {
            match self.step(index, &mut tries).await {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    tries.backoff.reset();
                    self.shared.telemetry.change(name, |line| line.trouble = None);
                }
                Err(Stop::Lasting(words)) => return Err(words),
                Err(Stop::Missing(words)) => {
                    tries.asks += 1;
                    if tries.asks >= ASKS {
                        return Err(words);
                    }
                    self.shared.telemetry.trouble(name, &words);
                    sleep(tries.backoff.next()).await;
                }
                Err(Stop::Passing(words, wait)) => {
                    self.shared.telemetry.trouble(name, &words);
                    let least = tries.backoff.next();
                    sleep(wait.map_or(least, |asked| asked.max(least))).await;
                }
            }
        }
    }

    /// Does one step for an app. Returns whether it was the last one.
    async fn step(&mut self, index: usize, tries: &mut Tries) -> Result<bool, Stop> {
        let subject = self.subject(index).0;
        let Some(part) = self.record.action.as_ref().and_then(|action| action.parts.get(index)) else {
            return Ok(true);
        };
        let name = &self.device.name;
        match part.step.clone() {
            Step::Kept(_) => return Ok(true),
            Step::Waiting => {
                let package = self.package(index).await?;
                let mut sha = [0; 8];
                sha.copy_from_slice(&package.sha[..8]);
                let installed = Installed { app: package.app.clone(), version: package.version.clone(), sha };
                self.go_on(index, Step::Sending(installed))?;
                self.tell(format!("{}: downloaded", self.subject(index).0)).await;
            }
            Step::Sending(it) => {
                self.shared
                    .telemetry
                    .change(name, |line| (line.phase, line.subject) = (Phase::Uploading, Some(subject)));
                match self.look(&it).await? {
                    Look::Kept => self.go_on(index, Step::Kept(it))?,
                    Look::Trial => self.go_on(index, Step::Trial(it))?,
                    Look::Disabled => {
                        return Err(Stop::Lasting(self.failed(&it, "the update is installed and disabled").await))
                    }
                    Look::Absent | Look::Covered => {
                        self.send(index, tries).await?;
                        self.go_on(index, Step::Trial(it.clone()))?;
                        self.tell(format!("{} {}: on trial", it.app, it.version)).await;
                    }
                }
            }
            Step::Trial(it) => {
                self.shared.telemetry.change(name, |line| {
                    (line.phase, line.subject, line.percent) = (Phase::Trial, Some(subject), None);
                });
                self.trial(index, it, tries).await?;
            }
        }
        Ok(false)
    }

    /// Looks at an update on trial once.
    async fn trial(&mut self, index: usize, it: Installed, tries: &mut Tries) -> Result<(), Stop> {
        let pace = &self.shared.config.pace;
        match self.look(&it).await? {
            Look::Kept | Look::Covered => return self.go_on(index, Step::Kept(it)),
            Look::Disabled => return Err(Stop::Lasting(self.failed(&it, "the update was disabled").await)),
            Look::Absent => return Err(Stop::Lasting(self.failed(&it, "the update was rolled back").await)),
            Look::Trial => {}
        }
        let begun = *tries.begun.get_or_insert_with(Instant::now);
        if begun.elapsed() < pace.trial {
            sleep(pace.look).await;
            return Ok(());
        }
        match self.open().await?.roll_back(&it.app).await {
            Ok(()) => {}
            // decided since the look: the next one tells how
            Err(Error::Store(code)) if code == StoreError::NoCandidate.code() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        Err(Stop::Lasting(format!(
            "the update did not confirm itself within {} seconds, so the gateway rolled it back",
            pace.trial.as_secs()
        )))
    }

    /// Sends an image to the device.
    async fn send(&mut self, index: usize, tries: &mut Tries) -> Result<(), Stop> {
        let package = self.package(index).await?;
        let telemetry = &self.shared.telemetry;
        telemetry.change(&self.device.name, |line| line.phase = Phase::Uploading);
        let mut device = self.open().await?;
        let (total, mut before) = (package.bytes.len(), None);
        let sent = device.upload(&package, |done| {
            // what the device had already was sent by an earlier upload
            let from = before.replace(done).unwrap_or(done);
            telemetry.uploaded.inc_by(done.saturating_sub(from) as u64);
            let percent = u8::try_from(done.saturating_mul(100) / total.max(1)).ok();
            telemetry.change(&self.device.name, |line| (line.percent, line.heard) = (percent, Some(now())));
        });
        let sent = sent.await;
        telemetry.repeated.inc_by(device.repeated());
        // a device that got the last piece may have ended before it could answer
        let whole = device.has_sent_all();
        tries.uploads += u32::from(whole || !matches!(sent, Err(ref error) if Stop::is_wait(error)));
        match sent {
            Ok(()) => Ok(()),
            Err(error) if whole && Stop::is_wait(&error) && tries.uploads >= UPLOADS => Err(Stop::Lasting(format!(
                "the whole image was sent {UPLOADS} times, and the device did not have it afterwards: {error}"
            ))),
            // another look tells what it is there as
            Err(Error::Store(code))
                if (code == StoreError::Installed.code() || is_loss(code)) && tries.uploads < UPLOADS =>
            {
                Err(Stop::Passing(Error::Store(code).to_string(), None))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns what the device says of an image.
    async fn look(&self, it: &Installed) -> Result<Look, Stop> {
        let mut device = self.open().await?;
        let app = device.app(&it.app).await;
        self.shared.telemetry.repeated.inc_by(device.repeated());
        match app {
            Ok(app) => {
                self.show(&app);
                Ok(compare(&app, &it.sha))
            }
            Err(Error::Store(code)) if code == StoreError::NotFound.code() => Ok(Look::Absent),
            Err(error) => Err(error.into()),
        }
    }

    /// Shows the state of an app.
    fn show(&self, app: &App) {
        let Some(new) = AppLine::of(app) else { return };
        self.shared.telemetry.change(&self.device.name, |line| {
            match line.apps.iter_mut().find(|known| known.name == new.name) {
                Some(known) => *known = new,
                None => line.apps.push(new),
            }
        });
    }

    /// Reaches the device.
    async fn open(&self) -> Result<Device, Error> {
        open(self.shared, self.device).await
    }

    /// Returns words on an update that was not kept, with the device's reason if it tells one.
    async fn failed(&self, it: &Installed, what: &str) -> String {
        let reason = match self.open().await {
            Ok(mut device) => device.failure(&it.app).await.ok().flatten(),
            Err(_) => None,
        };
        reason.map_or_else(|| what.to_string(), |reason| format!("{what}: {reason}"))
    }

    /// Returns the image of a part.
    async fn package(&self, index: usize) -> Result<Arc<Package>, Stop> {
        let part = self.record.action.as_ref().and_then(|action| action.parts.get(index));
        let part = part.ok_or_else(|| Stop::Lasting("internal error: there is no such part".into()))?;
        let telemetry = &self.shared.telemetry;
        let subject = part.module.clone();
        telemetry.change(&self.device.name, |line| (line.phase, line.subject) = (Phase::Downloading, Some(subject)));
        let count = |bytes| telemetry.downloaded.inc_by(bytes);
        let bytes = self.shared.artifacts.get(self.controller, &part.source, count).await?;
        block_in_place(|| self.shared.packages.read(&part.source, bytes)).map_err(Stop::Lasting)
    }

    /// Downloads all that the device does not have.
    ///
    /// # Errors
    /// See [`Stop`].
    pub async fn prepare(&mut self) -> Result<(), Stop> {
        let count = self.record.action.as_ref().map_or(0, |action| action.parts.len());
        for index in 0..count {
            self.package(index).await?;
        }
        Ok(())
    }

    /// Writes down that a part is at another step.
    fn go_on(&mut self, index: usize, step: Step) -> Result<(), Stop> {
        if let Some(part) = self.record.action.as_mut().and_then(|action| action.parts.get_mut(index)) {
            part.step = step;
        }
        let written = block_in_place(|| self.shared.store.write(self.record));
        written.map_err(|error| Stop::Passing(format!("the state folder cannot be written: {error}"), None))
    }

    /// Reports the progress of the action to the server. The action goes on if that fails.
    async fn tell(&self, words: String) {
        let Some(action) = &self.record.action else { return };
        tracing::info!("{}: action {}: {words}", self.device.name, action.id);
        let _ = self.controller.feedback(&action.id, State::Proceeding, action.done(), &[words]).await;
    }

    /// Undoes what the action did, as far as nothing is kept yet. Returns why it cannot be undone.
    ///
    /// # Errors
    /// The device does not answer, so it is not known.
    pub async fn undo(&mut self) -> Result<Result<(), String>, Stop> {
        let Some(action) = &self.record.action else { return Ok(Ok(())) };
        if action.verdict.is_some() {
            return Ok(Err("the action has ended already".into()));
        }
        for (index, part) in action.parts.clone().into_iter().enumerate() {
            let it = match part.step {
                Step::Waiting => continue,
                Step::Kept(it) => return Ok(Err(format!("{} {} is kept already", it.app, it.version))),
                Step::Sending(it) | Step::Trial(it) => it,
            };
            let mut device = self.open().await?;
            match self.look(&it).await? {
                Look::Kept | Look::Covered => {
                    let words = format!("{} {} is kept already", it.app, it.version);
                    self.go_on(index, Step::Kept(it))?;
                    return Ok(Err(words));
                }
                Look::Trial | Look::Disabled => match device.roll_back(&it.app).await {
                    Ok(()) => {}
                    Err(error) if Stop::is_wait(&error) => return Err(error.into()),
                    // an update that confirmed itself and was disabled later, for example
                    Err(error) => return Ok(Err(format!("{} {}: {error}", it.app, it.version))),
                },
                // nothing to give up is as good
                Look::Absent => {
                    device.abort().await.or_else(|error| if error.is_passing() { Err(error) } else { Ok(()) })?
                }
            }
            self.go_on(index, Step::Waiting)?;
        }
        Ok(Ok(()))
    }
}

impl Stop {
    /// Returns whether an upload did not take place, as its time has not come.
    fn is_wait(error: &Error) -> bool {
        error.is_passing() || matches!(error, Error::Store(code) if passes(*code))
    }
}

/// Tries for an app since the process began with it.
struct Tries {
    backoff: Backoff,
    uploads: u32,
    asks: u32,
    begun: Option<Instant>,
}

impl Tries {
    fn new(retry: Duration) -> Self {
        Self { backoff: Backoff::new(retry), uploads: 0, asks: 0, begun: None }
    }
}

/// Reaches a device, and writes down when it answered.
///
/// # Errors
/// Returns an error if the device does not answer.
pub async fn open(shared: &Shared, device: &config::Device) -> Result<Device, Error> {
    let open = Device::open(device, shared.store.claim, shared.config.pace.answer).await?;
    shared.telemetry.change(&device.name, |line| line.heard = Some(now()));
    Ok(open)
}

#[cfg(test)]
mod tests {
    use serde_bytes::ByteBuf;

    use super::super::device::Image;
    use super::*;

    #[test]
    fn an_image_is_looked_for_among_the_kept_one_and_the_one_on_trial() {
        let image = |sha: Option<u8>| sha.map(|sha| Image { ver: 1, sha: ByteBuf::from(vec![sha; 8]) });
        for (running, candidate, disabled, look) in [
            (None, None, false, Look::Absent),
            (Some(1), Some(1), true, Look::Absent),
            (Some(7), None, false, Look::Kept),
            (Some(7), None, true, Look::Disabled),
            (Some(7), Some(1), false, Look::Covered),
            (Some(7), Some(1), true, Look::Covered),
            (Some(1), Some(7), false, Look::Trial),
            (None, Some(7), false, Look::Trial),
            (Some(1), Some(7), true, Look::Disabled),
        ] {
            let app = App { running: image(running), candidate: image(candidate), disabled, ..App::default() };
            assert_eq!(compare(&app, &[7; 8]), look, "{running:?} {candidate:?} {disabled}");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! What the gateway does for one device: it polls the server, and does what the server wants.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::task::block_in_place;
use tokio::time::sleep;

use super::config;
use super::ddi::{Action as Asked, Controller, Link, Poll, Server, State, Trouble};
use super::install::{open, Job, Stop};
use super::pace::{jittered, Backoff};
use super::record::{Action, Record, Step, Verdict};
use super::server::Shared;
use super::telemetry::{now, AppLine, Phase};
use crate::failure::Failure;

/// Devices that ask the server in a second when the gateway starts.
const STARTS_PER_SECOND: f64 = 50.0;
/// Longest value of an attribute, in characters: what hawkBit takes.
const VALUE_MAX: usize = 128;

/// A device's task.
pub struct Agent {
    shared: Arc<Shared>,
    device: config::Device,
    controller: Controller,
    record: Record,
    /// Id of the action whose artifacts the server knows to be here.
    told: Option<String>,
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Passing(words, wait) => Self::Passing(words, wait),
            Stop::Missing(words) => Self::Passing(words, None),
            Stop::Lasting(words) => Self::Lasting(words),
        }
    }
}

impl Agent {
    /// Returns the task of a device, with what is on disk of it.
    ///
    /// # Errors
    /// The server's address can have no paths.
    pub fn new(shared: Arc<Shared>, server: &Server, device: config::Device) -> Result<Self, Failure> {
        let controller = Controller::new(server, &device.name, &device.authorization)?;
        let record = shared.store.read(&device.name);
        Ok(Self { shared, device, controller, record, told: None })
    }

    /// Runs until it is given up, which it may be at any point.
    pub async fn run(mut self) {
        let spread = self.shared.config.devices.len() as f64 / STARTS_PER_SECOND;
        sleep(Duration::from_secs_f64(spread * fastrand::f64())).await;
        let mut backoff = Backoff::new(self.shared.config.pace.retry);
        loop {
            let pause = match self.turn().await {
                Ok(pause) => {
                    backoff.reset();
                    self.shared.telemetry.change(&self.device.name, |line| line.trouble = None);
                    pause
                }
                Err(trouble) => {
                    self.shared.telemetry.trouble(&self.device.name, &trouble.to_string());
                    let wait = backoff.next();
                    match trouble {
                        Trouble::Passing(_, Some(asked)) => asked.max(wait),
                        _ => wait,
                    }
                }
            };
            sleep(pause).await;
        }
    }

    /// Polls the server once and does what it wants. Returns the time until the next turn.
    async fn turn(&mut self) -> Result<Duration, Trouble> {
        let poll = poll(&self.shared, &self.device.name, &self.controller).await?;
        let pause = jittered(self.shared.config.pace.poll.unwrap_or(poll.sleep));
        // the server may have more to say at once
        let soon = self.shared.config.pace.retry.min(pause);
        if let Some(link) = &poll.cancel {
            self.cancel(link).await?;
            return Ok(soon);
        }
        if poll.config_data.is_some() {
            if let Err(trouble) = self.tell_attributes().await {
                tracing::warn!("{}: the server does not take the attributes: {trouble}", self.device.name);
            }
        }
        match &poll.deployment {
            Some(link) => Ok(if self.deployment(link, pause).await? { soon } else { pause }),
            None => {
                self.leave().await?;
                self.shared.telemetry.change(&self.device.name, |line| {
                    (line.phase, line.action, line.subject, line.percent) = (Phase::Idle, None, None, None);
                });
                Ok(pause)
            }
        }
    }

    /// Writes the record.
    fn write(&self) -> Result<(), Trouble> {
        let written = block_in_place(|| self.shared.store.write(&self.record));
        written.map_err(|error| Trouble::Passing(format!("the state folder cannot be written: {error}"), None))
    }

    /// Leads an action to its end, or until the server wants something else. Returns whether to ask the server soon.
    async fn deployment(&mut self, link: &Link, pause: Duration) -> Result<bool, Trouble> {
        let asked = match self.controller.action(link).await {
            Err(Trouble::Gone(_)) => return Ok(true),
            other => other?,
        };
        self.adopt(&asked)?;
        let id = Some(asked.id.clone());
        self.shared.telemetry.change(&self.device.name, |line| line.action = id);
        let ended = self.record.action.as_ref().is_some_and(|action| action.verdict.is_some());
        if !ended {
            let held = is_held(&asked);
            let Self { shared, device, controller, record, .. } = self;
            let mut job = Job { shared, device, controller, record, held };
            let verdict = tokio::select! {
                verdict = job.run() => verdict,
                () = changed(shared, device, controller, &asked.id, held, pause) => return Ok(true),
            };
            let Some(verdict) = verdict else {
                self.hold(&asked.id).await?;
                return Ok(false);
            };
            self.end(verdict)?;
        }
        self.deliver(true).await?;
        Ok(true)
    }

    /// Makes an action of the server that of the device. One that is the same goes on.
    fn adopt(&mut self, asked: &Asked) -> Result<(), Trouble> {
        let wanted = Action::of(asked);
        if let Some(known) = self.record.action.as_mut().filter(|known| known.id == asked.id) {
            let Ok(wanted) = &wanted else {
                // what the server says of it now concerns a verdict that was found before
                return Ok(());
            };
            let same = known.parts.len() == wanted.parts.len()
                && known.parts.iter().zip(&wanted.parts).all(|(a, b)| a.source.hash == b.source.hash);
            if same {
                // addresses may have an end
                known
                    .parts
                    .iter_mut()
                    .zip(&wanted.parts)
                    .for_each(|(known, wanted)| known.source = wanted.source.clone());
                return Ok(());
            }
        }
        let action = wanted.unwrap_or_else(|words| Action {
            id: asked.id.clone(),
            parts: Vec::new(),
            verdict: Some(Verdict { success: false, details: vec![words] }),
        });
        tracing::info!("{}: action {}: {} apps", self.device.name, action.id, action.parts.len());
        self.record.action = Some(action);
        self.write()
    }

    /// Downloads what an action brings that is not to be installed yet.
    async fn hold(&mut self, id: &str) -> Result<(), Trouble> {
        if self.told.as_deref() != Some(id) {
            let Self { shared, device, controller, record, .. } = self;
            Job { shared, device, controller, record, held: true }.prepare().await?;
            self.controller.feedback(id, State::Downloaded, (0, 1), &["all images are here".into()]).await?;
            self.told = Some(id.into());
        }
        self.shared.telemetry.change(&self.device.name, |line| line.phase = Phase::Holding);
        Ok(())
    }

    /// Writes down how the action ended.
    fn end(&mut self, verdict: Verdict) -> Result<(), Trouble> {
        if let Some(action) = &mut self.record.action {
            tracing::info!(
                "{}: action {} {}: {}",
                self.device.name,
                action.id,
                if verdict.success { "succeeded" } else { "failed" },
                verdict.details.join("; ")
            );
            action.verdict = Some(verdict);
        }
        self.write()
    }

    /// Reports to the server how the action ended, and forgets the action when the server has it. `offered` says that
    /// the server named the action a moment ago.
    async fn deliver(&mut self, offered: bool) -> Result<(), Trouble> {
        let Some(action) = self.record.action.clone() else { return Ok(()) };
        let Some(verdict) = action.verdict.clone() else { return Ok(()) };
        self.shared.telemetry.change(&self.device.name, |line| line.phase = Phase::Reporting);
        let (state, word) = if verdict.success { (State::Success, "success") } else { (State::Failure, "failure") };
        match self.controller.feedback(&action.id, state, action.done(), &verdict.details).await {
            Ok(()) => {}
            // a proxy may have answered; if the server ended the action, the next poll does not name it
            Err(Trouble::Gone(words)) if offered => return Err(Trouble::Passing(words, None)),
            Err(Trouble::Gone(words)) => {
                tracing::info!("{}: the server ended the action before: {words}", self.device.name)
            }
            Err(trouble) => return Err(trouble),
        }
        self.forget(word, verdict.details)
    }

    /// Forgets the action, which ended in this way.
    fn forget(&mut self, word: &str, details: Vec<String>) -> Result<(), Trouble> {
        self.record.action = None;
        self.write()?;
        self.shared.telemetry.actions.with_label_values(&[word]).inc();
        let last = Some((word.to_string(), details));
        self.shared.telemetry.change(&self.device.name, |line| {
            (line.phase, line.action, line.subject, line.percent, line.last) = (Phase::Idle, None, None, None, last);
        });
        Ok(())
    }

    /// Leaves an action that the server does not have any more. What is on trial is left to the device.
    async fn leave(&mut self) -> Result<(), Trouble> {
        let Some(action) = &self.record.action else { return Ok(()) };
        if action.verdict.is_some() {
            return self.deliver(false).await;
        }
        tracing::info!("{}: the server does not have action {} any more", self.device.name, action.id);
        if action.parts.iter().any(|part| matches!(part.step, Step::Sending(_))) {
            if let Ok(mut device) = open(&self.shared, &self.device).await {
                let _ = device.abort().await;
            }
        }
        self.forget("canceled", vec!["the server ended the action".into()])
    }

    /// Fulfils a wish to end an action, or says why not.
    async fn cancel(&mut self, link: &Link) -> Result<(), Trouble> {
        let cancel = match self.controller.cancel(link).await {
            Err(Trouble::Gone(_)) => return Ok(()),
            other => other?,
        };
        let mine = self.record.action.as_ref().is_some_and(|action| action.id == cancel.action);
        let undone = if mine {
            let Self { shared, device, controller, record, .. } = self;
            Job { shared, device, controller, record, held: true }.undo().await?
        } else {
            Ok(())
        };
        let (state, words) = match (undone, mine) {
            (Ok(()), true) => (State::Success, "what the action did was undone".into()),
            (Ok(()), false) => (State::Success, "the action was not begun".into()),
            (Err(words), _) => (State::Rejected, words),
        };
        tracing::info!("{}: action {} is to be cancelled: {words}", self.device.name, cancel.action);
        match self.controller.answer_cancel(&cancel, state, std::slice::from_ref(&words)).await {
            Ok(()) | Err(Trouble::Gone(_)) => {}
            Err(trouble) => return Err(trouble),
        }
        if mine && state == State::Success {
            self.forget("canceled", vec![words])?;
        }
        Ok(())
    }

    /// Reports the attributes of the configuration, and the versions of the apps if the device answers.
    async fn tell_attributes(&mut self) -> Result<(), Trouble> {
        let mut data: Map<String, Value> =
            self.device.attributes.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        let apps = match open(&self.shared, &self.device).await {
            Ok(mut device) => device.apps().await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        let lines: Vec<AppLine> = apps.iter().filter_map(AppLine::of).collect();
        for line in &lines {
            let version = line.running.as_deref().unwrap_or("none");
            let value = if line.disabled { format!("{version} disabled") } else { version.into() };
            data.insert(format!("app.{}", line.name), value.into());
        }
        if !lines.is_empty() {
            self.shared.telemetry.change(&self.device.name, |line| line.apps = lines);
        }
        for value in data.values_mut() {
            let text: String = value.as_str().unwrap_or_default().chars().take(VALUE_MAX).collect();
            *value = text.into();
        }
        self.controller.attributes(&Value::Object(data)).await
    }
}

/// Polls the server once.
async fn poll(shared: &Shared, name: &str, controller: &Controller) -> Result<Poll, Trouble> {
    let answer = controller.poll().await;
    let word = if answer.is_ok() { "ok" } else { "failed" };
    shared.telemetry.polls.with_label_values(&[word]).inc();
    if answer.is_ok() {
        shared.telemetry.change(name, |line| line.polled = Some(now()));
    }
    answer
}

/// Returns whether an action is not to be installed yet.
fn is_held(asked: &Asked) -> bool {
    asked.deployment.update == "skip" || asked.deployment.maintenance_window.as_deref() == Some("unavailable")
}

/// Waits until the server wants something else than an action that is held or not. A server that does not answer wants
/// nothing else.
async fn changed(
    shared: &Shared,
    device: &config::Device,
    controller: &Controller,
    id: &str,
    held: bool,
    pause: Duration,
) {
    loop {
        sleep(pause).await;
        let Ok(poll) = poll(shared, &device.name, controller).await else { continue };
        if poll.cancel.is_some() {
            return;
        }
        let Some(link) = poll.deployment else { return };
        match controller.action(&link).await {
            Ok(asked) if asked.id != id || is_held(&asked) != held => return,
            Err(Trouble::Gone(_)) => return,
            _ => {}
        }
    }
}

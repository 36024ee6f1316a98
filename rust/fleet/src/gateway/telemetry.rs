// SPDX-License-Identifier: Apache-2.0
//! What the gateway shows of itself: a line for each device, and counters for Prometheus.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::{Encoder, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::device::App;

/// Activity of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The server was not asked yet.
    #[default]
    Starting,
    /// The server has no action for it.
    Idle,
    /// An image is downloaded from the server.
    Downloading,
    /// The action waits for permission to install.
    Holding,
    /// An image is sent to it.
    Uploading,
    /// An update is on trial.
    Trial,
    /// The outcome is told to the server.
    Reporting,
}

impl Phase {
    /// All of them.
    const ALL: [Self; 7] =
        [Self::Starting, Self::Idle, Self::Downloading, Self::Holding, Self::Uploading, Self::Trial, Self::Reporting];

    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Downloading => "downloading",
            Self::Holding => "holding",
            Self::Uploading => "uploading",
            Self::Trial => "trial",
            Self::Reporting => "reporting",
        }
    }
}

/// An app of a device, as it was seen last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AppLine {
    /// Its name.
    pub name: String,
    /// Version that is kept.
    pub running: Option<String>,
    /// Version on trial.
    pub candidate: Option<String>,
    /// The app is not started.
    pub disabled: bool,
}

/// A device.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Way to it.
    pub address: String,
    /// Its activity.
    pub phase: Phase,
    /// Id of its action.
    pub action: Option<String>,
    /// Name of the app that the action is at.
    pub subject: Option<String>,
    /// Part of the image that the device has, in percent.
    pub percent: Option<u8>,
    /// End of its last action: `success`, `failure` or `canceled`, and what happened.
    pub last: Option<(String, Vec<String>)>,
    /// Why it does not go on.
    pub trouble: Option<String>,
    /// When the server answered last, in seconds since 1970.
    pub polled: Option<u64>,
    /// When the device answered last, in seconds since 1970.
    pub heard: Option<u64>,
    /// Its apps.
    pub apps: Vec<AppLine>,
}

impl AppLine {
    /// Returns what a device says of an app.
    pub fn of(app: &App) -> Option<Self> {
        Some(Self {
            name: app.name.clone()?,
            running: app.running.as_ref().map(super::device::Image::version),
            candidate: app.candidate.as_ref().map(super::device::Image::version),
            disabled: app.disabled,
        })
    }
}

/// Returns the seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// Lines and counters.
pub struct Telemetry {
    lines: Mutex<BTreeMap<String, Line>>,
    registry: Registry,
    devices: IntGaugeVec,
    troubled: IntGaugeVec,
    /// Polls by `result`: `ok` or `failed`.
    pub polls: IntCounterVec,
    /// Actions by `end`: `success`, `failure` or `canceled`.
    pub actions: IntCounterVec,
    /// Bytes that came from the server.
    pub downloaded: IntCounter,
    /// Bytes that devices took.
    pub uploaded: IntCounter,
    /// Requests to devices that were sent again.
    pub repeated: IntCounter,
}

impl Telemetry {
    /// Returns counters that are zero, and a line for each device.
    ///
    /// # Errors
    /// Two counters have the same name, or one has a bad name.
    pub fn new(config: &Config) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let family = |name: &str, help: &str, label: &str| IntCounterVec::new(Opts::new(name, help), &[label]);
        let gauge = |name: &str, help: &str, label: &str| IntGaugeVec::new(Opts::new(name, help), &[label]);
        let lines = config.devices.iter().map(|device| {
            let line = Line { name: device.name.clone(), address: device.address.to_string(), ..Line::default() };
            (device.name.clone(), line)
        });
        let out = Self {
            lines: Mutex::new(lines.collect()),
            devices: gauge("wisp_gateway_devices", "Devices by what they are doing", "phase")?,
            troubled: gauge(
                "wisp_gateway_devices_in_trouble",
                "Devices that do not go on, by what they are doing",
                "phase",
            )?,
            polls: family("wisp_gateway_polls_total", "Polls of the server by result", "result")?,
            actions: family("wisp_gateway_actions_total", "Actions by their end", "end")?,
            downloaded: IntCounter::new("wisp_gateway_downloaded_bytes_total", "Bytes of artifacts from the server")?,
            uploaded: IntCounter::new("wisp_gateway_uploaded_bytes_total", "Bytes of images that devices took")?,
            repeated: IntCounter::new(
                "wisp_gateway_repeated_requests_total",
                "Requests to devices that were sent again",
            )?,
            registry,
        };
        out.register()?;
        Ok(out)
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        for gauge in [&self.devices, &self.troubled] {
            self.registry.register(Box::new(gauge.clone()))?;
        }
        for family in [&self.polls, &self.actions] {
            self.registry.register(Box::new(family.clone()))?;
        }
        for counter in [&self.downloaded, &self.uploaded, &self.repeated] {
            self.registry.register(Box::new(counter.clone()))?;
        }
        for word in ["ok", "failed"] {
            self.polls.with_label_values(&[word]);
        }
        for word in ["success", "failure", "canceled"] {
            self.actions.with_label_values(&[word]);
        }
        Ok(())
    }

    /// Changes the line of a device.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Line)) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get_mut(name) {
            change(line);
        }
    }

    /// Says why a device does not go on. What was said before is not logged again.
    pub fn trouble(&self, name: &str, words: &str) {
        self.change(name, |line| {
            if line.trouble.as_deref() != Some(words) {
                tracing::warn!("{name}: {words}");
                line.trouble = Some(words.into());
            }
        });
    }

    /// Returns all lines.
    pub fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Returns all numbers in the text format of Prometheus.
    pub fn text(&self) -> String {
        let lines = self.lines();
        for phase in Phase::ALL {
            let of = |troubled: bool| {
                let found = lines.iter().filter(|line| line.phase == phase && (!troubled || line.trouble.is_some()));
                i64::try_from(found.count()).unwrap_or(i64::MAX)
            };
            self.devices.with_label_values(&[phase.word()]).set(of(false));
            self.troubled.with_label_values(&[phase.word()]).set(of(true));
        }
        let mut out = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut out) {
            tracing::error!("metrics cannot be written: {error}");
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}

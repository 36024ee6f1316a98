// SPDX-License-Identifier: Apache-2.0
//! `wisp fleet status`: what a gateway says of its devices.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::ddi::{reason, shown};
use super::page::ago;
use super::telemetry::{AppLine, Line};
use crate::failure::Failure;
use crate::output::Form;

/// Longest answer of a gateway, in bytes.
const ANSWER_MAX: usize = 64 << 20;
/// Longest silence of a gateway.
const SILENCE: Duration = Duration::from_secs(30);

/// Look at devices behind a gateway
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Status(Where),
}

/// Show what each device has and does
#[derive(Args)]
struct Where {
    /// Address that the gateway was given with --listen
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8471")]
    gateway: Url,
}

/// The document that a gateway serves.
#[derive(Serialize, Deserialize)]
pub struct Status {
    /// Address of the rollout server.
    pub server: String,
    /// Time at the gateway, in seconds since 1970.
    pub now: u64,
    /// The devices.
    pub devices: Vec<Line>,
}

/// Shows the devices of a gateway.
///
/// # Errors
/// The gateway does not answer, or something else answers.
pub async fn run(arguments: &Arguments, form: Form) -> Result<ExitCode, Failure> {
    let Verb::Status(Where { gateway }) = &arguments.verb;
    let status = fetch(gateway).await.map_err(|words| Failure::new(format!("{gateway}: {words}")))?;
    form.report(&status, text);
    Ok(ExitCode::SUCCESS)
}

async fn fetch(gateway: &Url) -> Result<Status, String> {
    let silent = |error: reqwest::Error| {
        format!("the gateway does not answer: {}; was it started with --listen?", reason(&error))
    };
    let none = || "the answer is not that of a gateway; give the address of its --listen".to_string();
    let client = reqwest::Client::builder().no_proxy().read_timeout(SILENCE).build().map_err(silent)?;
    let url = gateway.join("status").map_err(|_| none())?;
    let mut response = client.get(url).send().await.map_err(silent)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(silent)? {
        if bytes.len() + chunk.len() > ANSWER_MAX {
            return Err(none());
        }
        bytes.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&bytes).map_err(|_| none())
}

/// Returns an app with its version, as people read it.
fn app(app: &AppLine) -> String {
    let running = app.running.as_deref().unwrap_or("none");
    let trial = app.candidate.as_ref().map_or_else(String::new, |version| format!(" ({version} on trial)"));
    format!("{} {running}{trial}{}", app.name, if app.disabled { " disabled" } else { "" })
}

/// Returns a line for each device, and one for what is wrong with it or how its last action ended.
fn text(status: &Status) -> String {
    let mut out = format!("{} devices, for {}\n", status.devices.len(), shown(&status.server));
    for line in &status.devices {
        let apps: Vec<String> = line.apps.iter().map(app).collect();
        let doing = [line.phase.word(), line.subject.as_deref().unwrap_or_default()].join(" ");
        let apps = if apps.is_empty() { String::new() } else { format!("; {}", apps.join(", ")) };
        out += &format!("{}: {}\n", shown(&line.name), shown(&format!("{}{apps}", doing.trim())));
        let (heard, polled) = (ago(line.heard, status.now), ago(line.polled, status.now));
        out += &format!("    device answered: {heard}, server answered: {polled}\n");
        if let Some((word, details)) = &line.last {
            out += &format!("    last action: {}\n", shown(&format!("{word}: {}", details.join("; "))));
        }
        if let Some(words) = &line.trouble {
            out += &format!("    {}\n", shown(words));
        }
    }
    out
}

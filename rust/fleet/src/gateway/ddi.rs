// SPDX-License-Identifier: Apache-2.0
//! hawkBit's protocol for devices (DDI), version 1 of its API, spoken for one device.

use std::fmt;
use std::time::Duration;

use reqwest::header::{HeaderMap, ACCEPT, AUTHORIZATION, CONTENT_TYPE, RANGE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::{Deserialize, Deserializer};
use serde_json::{json, Value};

use super::config::{self, Config};
use crate::failure::Failure;

/// Longest answer of the server, in bytes, artifacts excepted.
const ANSWER_MAX: usize = 256 << 10;
/// Longest time that the server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence of the server.
const SILENCE: Duration = Duration::from_secs(60);
/// Longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Time between two polls if the server names none.
const SLEEP: Duration = Duration::from_secs(300);
/// Redirects that are followed for an artifact.
const REDIRECTS: usize = 3;
/// Longest text of a feedback, in characters: what hawkBit keeps.
const DETAIL_MAX: usize = 512;

/// Why a request was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// Another try may succeed. The server may have said when to try.
    Passing(String, Option<Duration>),
    /// The action or file does not exist, or has ended.
    Gone(String),
    /// Another try has the same end.
    Lasting(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passing(words, _) | Self::Gone(words) | Self::Lasting(words) => f.write_str(words),
        }
    }
}

/// Something that the server calls by a link.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Link {
    /// The address.
    pub href: String,
}

/// Answer to a poll: what the server wants of a device.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Poll {
    /// Time until the next poll.
    pub sleep: Duration,
    /// Link to the action that the device is to carry out.
    pub deployment: Option<Link>,
    /// Link to the wish that an action ends.
    pub cancel: Option<Link>,
    /// Link under which the server wants the device's attributes.
    pub config_data: Option<Link>,
}

/// Only a rollout server answers with a `config`: no answer of a proxy means that there is no action.
#[derive(Deserialize)]
struct PollAnswer {
    config: PollConfig,
    #[serde(rename = "_links", default)]
    links: PollLinks,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PollConfig {
    polling: Polling,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Polling {
    sleep: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PollLinks {
    deployment_base: Option<Link>,
    cancel_action: Option<Link>,
    config_data: Option<Link>,
}

/// An action: what to bring to the device.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Action {
    /// Its id.
    #[serde(deserialize_with = "id")]
    pub id: String,
    /// Content of the action.
    pub deployment: Deployment,
}

/// The content of an action.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// `skip` if artifacts are not to be installed yet.
    #[serde(default)]
    pub update: String,
    /// `unavailable` outside of a window in which the device may be updated.
    pub maintenance_window: Option<String>,
    /// Software modules.
    #[serde(default)]
    pub chunks: Vec<Chunk>,
}

/// A software module.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Chunk {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// Its files.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
}

/// A file of a software module.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Artifact {
    /// Its name.
    pub filename: String,
    /// Hashes of its bytes, in hexadecimal digits.
    #[serde(default)]
    pub hashes: Hashes,
    /// Its length in bytes.
    pub size: u64,
    /// Address of the file.
    #[serde(rename = "_links")]
    pub links: ArtifactLinks,
}

/// Hashes of an artifact.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Hashes {
    /// SHA-256.
    pub sha256: Option<String>,
    /// SHA-1, which some servers have alone.
    pub sha1: Option<String>,
}

/// Addresses of an artifact.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArtifactLinks {
    /// With TLS.
    pub download: Option<Link>,
    /// Without TLS.
    pub download_http: Option<Link>,
}

/// A wish that an action ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cancel {
    /// Id of the wish.
    pub id: String,
    /// Id of the action.
    pub action: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CancelAnswer {
    #[serde(deserialize_with = "id")]
    id: String,
    cancel_action: CancelTarget,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CancelTarget {
    #[serde(deserialize_with = "id")]
    stop_id: String,
}

/// Reads an id, which is a text or a number.
fn id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) if !text.is_empty() && text.len() <= 64 => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("expected an id")),
    }
}

/// State of an action, as a feedback tells it: `execution` and `result.finished` of DDI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Work goes on.
    Proceeding,
    /// All artifacts are here, and are not to be installed yet.
    Downloaded,
    /// All apps are kept. Of a wish to cancel: it was fulfilled.
    Success,
    /// An app was not installed or not kept.
    Failure,
    /// A wish to cancel comes too late.
    Rejected,
}

impl State {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Proceeding => ("proceeding", "none"),
            Self::Downloaded => ("downloaded", "none"),
            Self::Success => ("closed", "success"),
            Self::Failure => ("closed", "failure"),
            Self::Rejected => ("rejected", "none"),
        }
    }
}

/// The server of the configuration.
#[derive(Clone)]
pub struct Server {
    /// For documents of the protocol, which are where the configuration says.
    http: reqwest::Client,
    /// For artifacts, which may be elsewhere.
    files: reqwest::Client,
    base: Url,
    plain_http: bool,
}

impl Server {
    /// Prepares requests to the server of the configuration.
    ///
    /// # Errors
    /// The system has no certificates, for example.
    pub fn new(config: &Config) -> Result<Self, Failure> {
        let http = client(config, Policy::none())?;
        let without_tls = config.plain_http || config.url.scheme() == "http";
        let files = client(
            config,
            Policy::custom(move |attempt| match attempt.url().scheme() {
                _ if attempt.previous().len() > REDIRECTS => attempt.stop(),
                "https" => attempt.follow(),
                "http" if without_tls => attempt.follow(),
                _ => attempt.stop(),
            }),
        )?;
        let base = config.url.join(&format!("{}/controller/v1/", config.tenant));
        let base = base.map_err(|error| Failure::new(format!("{}: {error}", config.url)))?;
        Ok(Self { http, files, base, plain_http: config.plain_http })
    }
}

/// Returns a client of HTTP that follows the redirects that a policy allows.
fn client(config: &Config, policy: Policy) -> Result<reqwest::Client, Failure> {
    let mut builder = reqwest::Client::builder()
        .redirect(policy)
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .user_agent(concat!("wisp-gateway/", env!("CARGO_PKG_VERSION")));
    if config::is_near(&config.url) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| Failure::new(format!("HTTP cannot be used here: {}", reason(&error))))
}

/// Returns the innermost reason of an error.
pub fn reason(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// Returns text of a server without what could command a terminal, and not too much of it.
pub fn shown(text: &str) -> String {
    text.trim().chars().take(DETAIL_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Reads `HH:MM:SS`.
fn sleep(text: &str) -> Option<Duration> {
    let mut parts = text.split(':').map(|part| part.parse::<u32>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let total = u64::from(hours) * 3600 + u64::from(minutes) * 60 + u64::from(seconds);
    (parts.next().is_none() && total <= 30 * 86400).then(|| Duration::from_secs(total.max(1)))
}

/// A device on the server.
#[derive(Clone)]
pub struct Controller {
    server: Server,
    root: Url,
    authorization: String,
}

impl Controller {
    /// Returns the device with this name.
    ///
    /// # Errors
    /// The server's address can have no paths.
    pub fn new(server: &Server, name: &str, authorization: &str) -> Result<Self, Failure> {
        let mut root = server.base.clone();
        let path = root.path_segments_mut();
        path.map_err(|()| Failure::new(format!("{}: no address of a server", server.base)))?.pop_if_empty().push(name);
        Ok(Self { server: server.clone(), root, authorization: authorization.into() })
    }

    /// Returns an address below that of the device.
    fn path(&self, segments: &[&str]) -> Url {
        let mut url = self.root.clone();
        // the root was made with segments
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        url
    }

    /// Returns the address of a link to the protocol's documents, which are on the server itself.
    fn own(&self, link: &Link) -> Result<Url, Trouble> {
        let url = self.root.join(&link.href).ok().filter(|url| url.origin() == self.root.origin());
        url.ok_or_else(|| {
            Trouble::Lasting(format!(
                "the server's link {} leads away from {}; let the server (or the proxy before it) name the address of the \
                 configuration",
                shown(&link.href),
                self.root
            ))
        })
    }

    /// Returns a request. Only the server of the configuration gets the token.
    fn request(&self, http: &reqwest::Client, method: Method, url: Url) -> RequestBuilder {
        let own = url.origin() == self.root.origin();
        let request = http.request(method, url);
        if own {
            request.header(AUTHORIZATION, &self.authorization)
        } else {
            request
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Trouble> {
        let response = request.send().await;
        let passing = |error: reqwest::Error| {
            Trouble::Passing(format!("{}: the server does not answer: {}", self.root, reason(&error)), None)
        };
        let response = response.map_err(passing)?;
        let status = response.status();
        if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(response);
        }
        let wait = retry_after(response.headers());
        let url = response.url().clone();
        // what another server answers is not told to this one
        let body = match url.origin() == self.root.origin() {
            true => body(response, 1024).await.unwrap_or_default(),
            false => Vec::new(),
        };
        let text = shown(&String::from_utf8_lossy(&body));
        let said = if text.is_empty() { String::new() } else { format!(": {text}") };
        let words = format!("{}{}: the server answers {status}{said}", url.origin().ascii_serialization(), url.path());
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Trouble::Passing(format!("{words}; is the token of the configuration that of the server?"), wait)
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => Trouble::Gone(words),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Trouble::Passing(words, wait),
            _ if status.is_client_error() => Trouble::Lasting(words),
            _ => Trouble::Passing(words, wait),
        })
    }

    async fn get(&self, url: Url) -> Result<Vec<u8>, Trouble> {
        let response =
            self.send(self.request(&self.server.http, Method::GET, url).header(ACCEPT, "application/json")).await?;
        body(response, ANSWER_MAX).await
    }

    /// Reads an answer.
    fn read<'a, T: Deserialize<'a>>(&self, what: &str, bytes: &'a [u8]) -> Result<T, Trouble> {
        serde_json::from_slice(bytes).map_err(|error| {
            Trouble::Passing(format!("{}: the server's {what} cannot be read: {error}", self.root), None)
        })
    }

    /// Polls the server.
    ///
    /// # Errors
    /// The server does not answer as it should.
    pub async fn poll(&self) -> Result<Poll, Trouble> {
        let bytes = self.get(self.root.clone()).await?;
        let answer: PollAnswer = self.read("answer to a poll", &bytes)?;
        Ok(Poll {
            sleep: sleep(&answer.config.polling.sleep).unwrap_or(SLEEP),
            deployment: answer.links.deployment_base,
            cancel: answer.links.cancel_action,
            config_data: answer.links.config_data,
        })
    }

    /// Gets an action.
    ///
    /// # Errors
    /// The server does not answer as it should, or the action has ended.
    pub async fn action(&self, link: &Link) -> Result<Action, Trouble> {
        let bytes = self.get(self.own(link)?).await?;
        self.read("action", &bytes)
    }

    /// Gets a wish that an action ends.
    ///
    /// # Errors
    /// The server does not answer as it should, or the wish was withdrawn.
    pub async fn cancel(&self, link: &Link) -> Result<Cancel, Trouble> {
        let bytes = self.get(self.own(link)?).await?;
        let answer: CancelAnswer = self.read("wish to cancel", &bytes)?;
        Ok(Cancel { id: answer.id, action: answer.cancel_action.stop_id })
    }

    async fn put(&self, method: Method, url: Url, value: &Value) -> Result<(), Trouble> {
        let request = self.request(&self.server.http, method, url);
        let request = request.header(CONTENT_TYPE, "application/json").body(value.to_string());
        self.send(request).await.map(|_| ())
    }

    /// Reports the progress of an action: `done` apps out of a number of them.
    ///
    /// # Errors
    /// The server does not take it. [`Trouble::Gone`] if it does not have the action any more.
    pub async fn feedback(
        &self,
        id: &str,
        state: State,
        done: (usize, usize),
        details: &[String],
    ) -> Result<(), Trouble> {
        let mut value = feedback(id, state, details);
        value["status"]["result"]["progress"] = json!({"cnt": done.0, "of": done.1});
        self.put(Method::POST, self.path(&["deploymentBase", id, "feedback"]), &value).await
    }

    /// Answers a wish to cancel.
    ///
    /// # Errors
    /// The server does not take it. [`Trouble::Gone`] if it does not have the wish any more.
    pub async fn answer_cancel(&self, cancel: &Cancel, state: State, details: &[String]) -> Result<(), Trouble> {
        let value = feedback(&cancel.id, state, details);
        self.put(Method::POST, self.path(&["cancelAction", &cancel.id, "feedback"]), &value).await
    }

    /// Reports attributes of the device. Those that are not named stay.
    ///
    /// # Errors
    /// The server does not take them.
    pub async fn attributes(&self, data: &Value) -> Result<(), Trouble> {
        let (execution, finished) = State::Success.words();
        let status = json!({"execution": execution, "result": {"finished": finished}, "details": []});
        let value = json!({"mode": "merge", "data": data, "status": status});
        self.put(Method::PUT, self.path(&["configData"]), &value).await
    }

    /// Begins to get an artifact from a byte on.
    ///
    /// # Errors
    /// The server does not answer as it should, or has no such artifact.
    pub async fn artifact(&self, href: &str, from: u64) -> Result<Response, Trouble> {
        let url = self.root.join(href).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
        let url = url.ok_or_else(|| Trouble::Lasting(format!("the artifact's address {} is none", shown(href))))?;
        let own = url.origin() == self.root.origin();
        if url.scheme() == "http" && !own && !self.server.plain_http {
            return Err(Trouble::Lasting(format!(
                "the artifact's address {} is without TLS; let the server name one with https, or set `plain-http = true`",
                shown(href)
            )));
        }
        let request = self.request(&self.server.files, Method::GET, url);
        let request = if from > 0 { request.header(RANGE, format!("bytes={from}-")) } else { request };
        self.send(request).await
    }
}

/// Returns the wait that a server asks for, in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

/// Returns the body of an answer that has a limit.
async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= limit => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => {
                let words = format!("{}: the answer is longer than {limit} bytes", response.url());
                return Err(Trouble::Passing(words, None));
            }
            Ok(None) => return Ok(bytes),
            Err(error) => {
                let words = format!("{}: the answer broke off: {}", response.url(), reason(&error));
                return Err(Trouble::Passing(words, None));
            }
        }
    }
}

/// Returns the part of a feedback that both kinds have.
fn feedback(id: &str, state: State, details: &[String]) -> Value {
    let (execution, finished) = state.words();
    let details: Vec<String> = details.iter().map(|text| shown(text)).collect();
    json!({"id": id, "status": {"execution": execution, "result": {"finished": finished}, "details": details}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_server_is_hours_minutes_and_seconds() {
        for (text, seconds) in [("00:05:00", Some(300)), ("12:00:01", Some(43201)), ("00:00:00", Some(1))] {
            assert_eq!(sleep(text), seconds.map(Duration::from_secs), "{text}");
        }
        for text in ["", "5", "00:05", "00:05:00:00", "a:b:c", "-1:00:00", "9999999:00:00"] {
            assert_eq!(sleep(text), None, "{text}");
        }
    }

    #[test]
    fn ids_are_texts_and_numbers() {
        for (text, id) in [("\"17\"", "17"), ("17", "17"), ("\"a/b\"", "a/b")] {
            let action: Action = serde_json::from_str(&format!("{{\"id\": {text}, \"deployment\": {{}}}}")).unwrap();
            assert_eq!(action.id, id);
        }
        for text in ["null", "\"\"", "[]"] {
            let bad = serde_json::from_str::<Action>(&format!("{{\"id\": {text}, \"deployment\": {{}}}}"));
            assert!(bad.is_err(), "{text}");
        }
    }
}

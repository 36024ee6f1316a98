// SPDX-License-Identifier: Apache-2.0
//! A repository of a registry, over HTTP. Downloads have a limit, and are compared with the digest that they were asked
//! for. The crate `oci-client` logs in and uploads.

use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, RegistryOperation};
use reqwest::header::{HeaderMap, ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, Response, StatusCode};

use crate::failure::{reason, Failure};
use crate::registry::blob::{self, Blob};
use crate::registry::credentials::Access;
use crate::registry::documents::{media, Descriptor, Index, Manifest};
use crate::registry::place::Place;

/// Largest manifest or index, in bytes: what registries accept.
const DOCUMENT_MAX: u64 = 4 << 20;
/// Longest time that a registry may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence of a registry.
const SILENCE: Duration = Duration::from_secs(60);
/// Media types that are asked for. Docker's own types are among them so that a container image is told as one.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                        application/vnd.docker.distribution.manifest.list.v2+json, \
                        application/vnd.docker.distribution.manifest.v2+json";

/// A repository.
pub struct Remote {
    place: Place,
    client: Client,
    http: reqwest::Client,
    auth: RegistryAuth,
    token: Option<String>,
    base: String,
}

/// A document that a tag or a digest names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Digest of the bytes.
    pub digest: String,
    /// Their media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Both kinds of documents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// A list of artifacts.
    Index(Index),
    /// One artifact.
    Manifest(Box<Manifest>),
}

impl Document {
    /// Reads the JSON.
    ///
    /// # Errors
    /// It is something else.
    pub fn content(&self) -> Result<Content, String> {
        let wrong = |error: serde_json::Error| format!("the registry's manifest is damaged: {error}; publish it again");
        let value: serde_json::Value = serde_json::from_slice(&self.bytes).map_err(wrong)?;
        let stated = value.get("mediaType").and_then(|text| text.as_str()).unwrap_or(&self.media_type);
        match stated {
            media::INDEX => serde_json::from_value(value).map(Content::Index).map_err(wrong),
            media::MANIFEST => serde_json::from_value(value).map(|manifest| Content::Manifest(Box::new(manifest))).map_err(wrong),
            other => Err(format!(
                "there is a document of the type `{}`, expected an index or a manifest of OCI; give the name of an app that \
                 `wisp publish` wrote",
                shown(other)
            )),
        }
    }
}

/// Returns text of a registry without what could command a terminal, and not too much of it.
fn shown(text: &str) -> String {
    text.trim().chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Remote {
    /// Reaches a repository and logs in.
    ///
    /// # Errors
    /// The registry cannot be reached, or it refuses the credentials.
    pub async fn connect(place: Place, access: &Access, writes: bool) -> Result<Self, Failure> {
        let auth = access.credentials(&place)?;
        let plain = access.plain_http || place.is_local();
        let (protocol, scheme) = if plain { (ClientProtocol::Http, "http") } else { (ClientProtocol::Https, "https") };
        let client = Client::new(ClientConfig {
            protocol,
            use_monolithic_push: true,
            connect_timeout: Some(CONNECT),
            read_timeout: Some(SILENCE),
            user_agent: USER_AGENT,
            ..Default::default()
        });
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .user_agent(USER_AGENT)
            .build()
            .map_err(|error| Failure::new(format!("HTTP cannot be used here: {}", reason(&error))))?;
        let anything = place.reference("latest");
        let base = format!("{scheme}://{}/v2/{}", anything.resolve_registry(), place.repository);
        let mut remote = Self { place, client, http, auth, token: None, base };
        let operation = if writes { RegistryOperation::Push } else { RegistryOperation::Pull };
        let token = remote.client.auth(&anything, &remote.auth, operation).await;
        remote.token = token.map_err(|error| remote.library(&remote.place.name(), error))?;
        Ok(remote)
    }

    /// Returns the repository.
    pub fn place(&self) -> &Place {
        &self.place
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match (&self.token, &self.auth) {
            (Some(token), _) => request.bearer_auth(token),
            (None, RegistryAuth::Basic(name, password)) => request.basic_auth(name, Some(password)),
            (None, RegistryAuth::Bearer(token)) => request.bearer_auth(token),
            (None, RegistryAuth::Anonymous) => request,
        }
    }

    /// Sends a request. `what` names its object for messages. All requests here may be sent twice.
    async fn send(&self, what: &str, request: RequestBuilder) -> Result<Response, Failure> {
        let again = request.try_clone();
        let mut response = self.authorized(request).send().await;
        // a server may close a connection that was kept for the next request
        let closed = response.as_ref().is_err_and(|error| !error.is_connect() && !error.is_timeout());
        if let Some(again) = again.filter(|_| closed) {
            response = self.authorized(again).send().await;
        }
        response.map_err(|error| Failure::new(format!("{what}: {}", self.unreachable(&error))))
    }

    /// Returns the body of an answer, or nothing for 404.
    async fn body(&self, what: &str, mut response: Response, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let status = response.status();
        let good = status.is_success();
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        // of an error, its beginning is enough
        let limit = if good { limit } else { 4096 };
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if good && (bytes.len() + chunk.len()) as u64 > limit => {
                    let text =
                        format!("the registry sends more than the {limit} bytes that were expected; do not trust it");
                    return Err(Failure::new(format!("{what}: {text}")));
                }
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(_) if !good => break,
                Err(error) => {
                    let text = format!("the download broke off after {} bytes: {}", bytes.len(), reason(&error));
                    return Err(Failure::new(format!("{what}: {text}; try again")));
                }
            }
            if !good && bytes.len() as u64 > limit {
                break;
            }
        }
        if good {
            return Ok(Some(bytes));
        }
        Err(self.refused(what, status.as_u16(), &String::from_utf8_lossy(&bytes)))
    }

    /// Gets what a tag or digest names, or nothing if there is no such thing.
    ///
    /// # Errors
    /// The registry fails, or sends something with another digest.
    pub async fn document(&self, version: &str) -> Result<Option<Document>, Failure> {
        let what = self.place.name_of(version);
        let request = self.http.get(format!("{}/manifests/{version}", self.base)).header(ACCEPT, ACCEPTED);
        let response = self.send(&what, request).await?;
        let text =
            |headers: &HeaderMap, name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(String::from);
        let stated = text(response.headers(), "docker-content-digest");
        let media_type = text(response.headers(), CONTENT_TYPE.as_str()).unwrap_or_default();
        let Some(bytes) = self.body(&what, response, DOCUMENT_MAX).await? else { return Ok(None) };
        let digest = blob::digest(&bytes);
        let expected = if blob::is_digest(version) { Some(version.into()) } else { stated };
        match expected {
            Some(expected) if expected != digest => Err(mismatch(&what, &expected, &digest)),
            _ => Ok(Some(Document { digest, media_type, bytes })),
        }
    }

    /// Gets the bytes that a descriptor names.
    ///
    /// # Errors
    /// They are larger than the limit, missing, or other bytes.
    pub async fn blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, Failure> {
        let Descriptor { digest, size, .. } = descriptor;
        if !blob::is_digest(digest) {
            let text = format!("the manifest names content by `{}`, expected sha256 and 64 digits", shown(digest));
            return Err(Failure::new(format!("{}: {text}; publish it again", self.place.name())));
        }
        let what = self.place.name_of(digest);
        if *size > limit {
            let text = format!("{size} bytes, {limit} are allowed; this is no file of Wisp");
            return Err(Failure::new(format!("{what}: {text}")));
        }
        let response = self.send(&what, self.http.get(format!("{}/blobs/{digest}", self.base))).await?;
        let Some(bytes) = self.body(&what, response, *size).await? else {
            return Err(Failure::new(format!("{what}: the registry has lost this content; publish it again")));
        };
        if bytes.len() as u64 != *size {
            let text = format!("cut short: {size} bytes expected, {} received; try again", bytes.len());
            return Err(Failure::new(format!("{what}: {text}")));
        }
        let found = blob::digest(&bytes);
        if found != *digest {
            return Err(mismatch(&what, digest, &found));
        }
        Ok(bytes)
    }

    /// Uploads a blob unless the registry has it. Returns the bytes that were sent.
    ///
    /// # Errors
    /// The registry cannot be written to.
    pub async fn put_blob(&self, blob: &Blob) -> Result<usize, Failure> {
        let digest = blob::digest(&blob.bytes);
        let reference = self.place.reference(&digest);
        let failed = |error| self.library(&self.place.name_of(&digest), error);
        if self.client.blob_exists(&reference, &digest).await.map_err(failed)? {
            return Ok(0);
        }
        self.client.push_blob(&reference, blob.bytes.clone(), &digest).await.map_err(failed)?;
        Ok(blob.bytes.len())
    }

    /// Stores a document under a tag or its digest. Returns true if the registry took note of its subject by itself.
    ///
    /// # Errors
    /// The registry cannot be written to.
    pub async fn put_document(&self, version: &str, media_type: &str, bytes: &[u8]) -> Result<bool, Failure> {
        let what = self.place.name_of(version);
        let request = self.http.put(format!("{}/manifests/{version}", self.base)).header(CONTENT_TYPE, media_type);
        let response = self.send(&what, request.body(bytes.to_vec())).await?;
        let noted = response.headers().contains_key("oci-subject");
        match self.body(&what, response, DOCUMENT_MAX).await? {
            Some(_) => Ok(noted),
            None => Err(self.refused(&what, 404, "the registry knows no such repository")),
        }
    }

    /// Lists the tags that begin with a text.
    ///
    /// # Errors
    /// The registry fails.
    pub async fn tags(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        // tags are sorted, so that a long list need not be read whole
        let last = (!prefix.is_empty()).then_some(prefix);
        match self.client.list_tags(&self.place.reference("latest"), &self.auth, Some(1000), last).await {
            Ok(list) => Ok(list.tags.into_iter().filter(|tag| tag.starts_with(prefix)).collect()),
            Err(OciDistributionError::RegistryError { envelope, .. })
                if envelope.errors.iter().all(|error| error.code == OciErrorCode::NameUnknown) =>
            {
                Ok(Vec::new())
            }
            Err(error) => Err(self.library(&self.place.name(), error)),
        }
    }

    /// Lists what says something about a document, or nothing if the registry has no such list.
    ///
    /// # Errors
    /// The registry fails.
    pub async fn referrers(&self, digest: &str) -> Result<Option<Index>, Failure> {
        let what = self.place.name_of(digest);
        let response = self.send(&what, self.http.get(format!("{}/referrers/{digest}", self.base))).await?;
        let Some(bytes) = self.body(&what, response, DOCUMENT_MAX).await? else { return Ok(None) };
        let document = Document { digest: digest.into(), media_type: media::INDEX.into(), bytes };
        match document.content() {
            Ok(Content::Index(index)) => Ok(Some(index)),
            _ => Ok(None),
        }
    }

    /// Says why no answer came.
    fn unreachable(&self, error: &reqwest::Error) -> String {
        let why = reason(error);
        if error.is_timeout() {
            return format!("{} does not answer in time; try again", self.place.registry);
        }
        let tls =
            self.base.starts_with("https") && (why.contains("InvalidContentType") || why.contains("corrupt message"));
        let advice = match tls {
            true => "it answers without TLS, which --plain-http allows",
            false => "check its name and port, and whether it runs",
        };
        format!("{} cannot be reached: {}; {advice}", self.place.registry, shown(&why))
    }

    /// Says why the registry did not do it.
    fn refused(&self, what: &str, status: u16, said: &str) -> Failure {
        let registry = &self.place.registry;
        let user = match &self.auth {
            RegistryAuth::Basic(name, _) => Some(name),
            _ => None,
        };
        let text = match (status, user) {
            (401, None) => format!(
                "the registry wants to know who asks; run `docker login {registry}`, or give --username and \
                 --password-stdin"
            ),
            (401, Some(name)) => {
                format!(
                    "the registry refuses the password of `{name}`; run `docker login {registry}` again, or correct it"
                )
            }
            (403, _) => {
                let who = user.map_or_else(|| "nobody in particular".into(), |name| format!("`{name}`"));
                format!("the registry forbids this to {who}; ask those who run it for the right")
            }
            (429, _) => "the registry has too many requests; try again later".into(),
            (500.., _) => format!("the registry failed with {status}: {}; try again later", shown(said)),
            _ => format!("the registry refuses this with {status}: {}", shown(said)),
        };
        Failure::new(format!("{what}: {text}"))
    }

    /// Says why the library failed.
    fn library(&self, what: &str, error: OciDistributionError) -> Failure {
        let code = |code: &OciErrorCode| match code {
            OciErrorCode::Unauthorized => 401,
            OciErrorCode::Denied => 403,
            OciErrorCode::Toomanyrequests => 429,
            _ => 400,
        };
        match error {
            OciDistributionError::UnauthorizedError { .. } => self.refused(what, 401, ""),
            OciDistributionError::AuthenticationFailure(said) => self.refused(what, 401, &said),
            OciDistributionError::RegistryError { envelope, .. } => {
                let status = envelope.errors.first().map_or(400, |error| code(&error.code));
                self.refused(what, status, &envelope.to_string())
            }
            OciDistributionError::ServerError { code, message, .. } => self.refused(what, code, &message),
            OciDistributionError::RequestError(error) => Failure::new(format!("{what}: {}", self.unreachable(&error))),
            other => Failure::new(format!("{what}: {}; is this a registry?", shown(&other.to_string()))),
        }
    }
}

const USER_AGENT: &str = concat!("wisp/", env!("CARGO_PKG_VERSION"));

fn mismatch(what: &str, expected: &str, found: &str) -> Failure {
    Failure::new(format!(
        "{what}: the registry sent other content: its digest is {found}, expected {}; do not use this registry before that is \
         explained",
        shown(expected)
    ))
}

// SPDX-License-Identifier: Apache-2.0
//! A repository of a registry, over HTTP. Downloads have a limit, and are compared with the digest that they were asked
//! for. The crate `oci-client` logs in and uploads.

use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, RegistryOperation};
use reqwest::header::{HeaderMap, ACCEPT, CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::{RequestBuilder, Response, StatusCode};

use crate::failure::{reason, Failure};
use crate::output::shown;
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

impl Remote {
    /// Reaches a repository and logs in.
    ///
    /// # Errors
    /// The registry cannot be reached, or it refuses the credentials.
    pub async fn connect(place: Place, access: &Access, writes: bool) -> Result<Self, Failure> {
        let auth = access.credentials(&place)?;
        let plain = access.plain_http || place.is_local();
        let scheme = if plain { "http" } else { "https" };
        let unusable =
            |error: &dyn std::error::Error| Failure::new(format!("HTTP cannot be used here: {}", reason(error)));
        let client = Client::try_from(uploads(&place, plain)).map_err(|error| unusable(&error))?;
        let http = http(&place, plain).build().map_err(|error| unusable(&error))?;
        let anything = place.reference("latest");
        let base = format!("{scheme}://{}/v2/{}", anything.resolve_registry(), place.repository);
        let mut remote = Self { place, client, http, auth, token: None, base };
        if !plain && matches!(remote.auth, RegistryAuth::Basic(..)) {
            remote.asks_safely().await?;
        }
        let operation = if writes { RegistryOperation::Push } else { RegistryOperation::Pull };
        let token = remote.client.auth(&anything, &remote.auth, operation).await;
        remote.token = token.map_err(|error| remote.library(&remote.place.name(), error))?;
        match &remote.token {
            // the library would panic
            Some(token) if !token.bytes().all(|byte| byte.is_ascii_graphic()) => Err(Failure::new(format!(
                "{}: the registry gave a token that no header can hold; is this a registry?",
                remote.place.name()
            ))),
            _ => Ok(remote),
        }
    }

    /// Checks that the registry, which is reached by HTTPS, sends nobody with a password to an address of HTTP.
    async fn asks_safely(&self) -> Result<(), Failure> {
        let what = self.place.name();
        let root = self.base.strip_suffix(&self.place.repository).unwrap_or(&self.base);
        let response = self.http.get(root).send().await;
        let response = response.map_err(|error| Failure::new(format!("{what}: {}", self.unreachable(&error))))?;
        let challenge = response.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        match challenge.is_some_and(is_plain) {
            true => Err(Failure::new(format!(
                "{what}: the registry wants the password at an address of HTTP, where others could read it; tell those who run it"
            ))),
            false => Ok(()),
        }
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
    /// The registry fails, or sends no list.
    pub async fn tags(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let what = self.place.name();
        // tags are sorted, so that a long list need not be read whole
        let last = if prefix.is_empty() { String::new() } else { format!("&last={prefix}") };
        let response = self.send(&what, self.http.get(format!("{}/tags/list?n=1000{last}", self.base))).await?;
        let Some(bytes) = self.body(&what, response, DOCUMENT_MAX).await? else { return Ok(Vec::new()) };
        let tags = tags_of(&bytes).map_err(|text| Failure::new(format!("{what}: {text}")))?;
        Ok(tags.into_iter().filter(|tag| tag.starts_with(prefix)).collect())
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
        if error.is_redirect() && why.contains("scheme") {
            return format!(
                "{} redirects to an address of HTTP, where others could change the answer",
                self.place.registry
            );
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

/// Returns the settings of the client that logs in and uploads.
fn uploads(place: &Place, plain: bool) -> ClientConfig {
    ClientConfig {
        protocol: if plain { ClientProtocol::Http } else { ClientProtocol::Https },
        use_monolithic_push: true,
        connect_timeout: Some(CONNECT),
        read_timeout: Some(SILENCE),
        user_agent: USER_AGENT,
        // a proxy for nothing, in place of the one that the environment names: what is on this machine stays on it
        http_proxy: place.is_local().then(|| "http://localhost:9".into()),
        no_proxy: Some("*,0.0.0.0/0,::/0".into()),
        ..Default::default()
    }
}

/// Returns the client for downloads and documents. No redirection takes it from HTTPS to HTTP.
fn http(place: &Place, plain: bool) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .user_agent(USER_AGENT)
        .https_only(!plain);
    // what is on this machine stays on it
    if place.is_local() {
        builder.no_proxy()
    } else {
        builder
    }
}

/// Returns true for a challenge that sends a client to an address of HTTP for a token.
fn is_plain(challenge: &str) -> bool {
    let text = challenge.to_ascii_lowercase().replace([' ', '\t', '"'], "");
    text.starts_with("bearer") && text.contains("realm=http:")
}

/// Reads a list of tags. A repository without tags has `null` in some registries.
fn tags_of(bytes: &[u8]) -> Result<Vec<String>, String> {
    #[derive(serde::Deserialize)]
    struct Tags {
        tags: Option<Vec<String>>,
    }
    let list: Tags = serde_json::from_slice(bytes)
        .map_err(|error| format!("the list of tags is damaged: {error}; is this a registry?"))?;
    Ok(list.tags.unwrap_or_default())
}

const USER_AGENT: &str = concat!("wisp/", env!("CARGO_PKG_VERSION"));

fn mismatch(what: &str, expected: &str, found: &str) -> Failure {
    Failure::new(format!(
        "{what}: the registry sent other content: its digest is {found}, expected {}; do not use this registry before that is \
         explained",
        shown(expected)
    ))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use oci_client::secrets::RegistryAuth;
    use oci_client::{Client, RegistryOperation};

    use super::{http, is_plain, tags_of, uploads};
    use crate::registry::place::Place;

    /// Listens on this machine and answers each of four requests with nothing. Returns the port.
    fn listener() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().take(4) {
                let mut stream = stream.unwrap();
                assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            }
        });
        port
    }

    #[tokio::test]
    async fn both_clients_reach_a_registry_on_this_machine_directly() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = listener();
        for host in ["127.0.0.1", "localhost"] {
            let place = Place::parse(&format!("{host}:{port}/lamp")).unwrap();
            let client = Client::try_from(uploads(&place, true)).unwrap();
            let token =
                client.auth(&place.reference("latest"), &RegistryAuth::Anonymous, RegistryOperation::Pull).await;
            assert_eq!(token.unwrap(), None);
            let answer = http(&place, true).build().unwrap().get(format!("http://{host}:{port}/v2/")).send().await;
            assert_eq!(answer.unwrap().status(), 200);
        }
    }

    #[test]
    fn a_list_of_tags_may_be_empty_or_null() {
        assert_eq!(tags_of(br#"{"name":"lamp","tags":["1.0.0","stable"]}"#), Ok(vec!["1.0.0".into(), "stable".into()]));
        assert_eq!(tags_of(br#"{"name":"lamp","tags":null}"#), Ok(vec![]));
        assert!(tags_of(b"<html>").unwrap_err().starts_with("the list of tags is damaged: "));
    }

    #[test]
    fn an_address_of_http_gets_no_password() {
        assert!(is_plain(r#"Bearer realm="http://example.org/token",service="example.org""#));
        assert!(is_plain(r#"Bearer service="example.org", REALM = HTTP://example.org/token"#));
        assert!(!is_plain(r#"Bearer realm="https://example.org/token",service="http://example.org""#));
        // a name that a user would be shown, not an address
        assert!(!is_plain(r#"Basic realm="http://example.org""#));
    }
}

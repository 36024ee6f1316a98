// SPDX-License-Identifier: Apache-2.0
//! `wisp compile`: native code from a service, for whoever has no C compiler.
//!
//! IR and manifest are made on this machine. The service only contributes native sections, and only if everything else
//! of its image equals the image that was made here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Args;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::Serialize;
use serde_json::Value;
use tokio::time::sleep;
use wisp_image::format::{Section, TAG_HASH};
use wisp_image::native::Native;
use wisp_image::writer::{append_trailer, Writer};
use wisp_image::Image;

use super::compilers::find_wisp;
use super::order::{self, sha256, Stop};
use super::record::{Job, Phase};
use crate::failure::{reason, Failure};
use crate::output::Form;
use crate::registry::app::serves;
use crate::registry::pull::write;

/// Tries of a request that the service is too busy for.
const TRIES: u32 = 20;
/// Longest time between two looks at a job.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Longest answer that is received, which is an image.
const ANSWER_MAX: usize = 64 << 20;
/// Longest problem that is received.
const PROBLEM_MAX: usize = 64 << 10;
/// Longest time until a connection is accepted.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest time until the service answers a request, which it does after it has received the module.
const SILENCE: Duration = Duration::from_secs(300);

/// Compile a wasm module with native code from a service
#[derive(Args)]
pub struct Arguments {
    /// The wasm module or component
    file: PathBuf,
    /// Address of the service, which `wisp serve` runs
    #[arg(long, value_name = "URL", value_parser = address)]
    service: Url,
    /// File with the token for the service
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Add native code for this machine; may be given several times
    #[arg(long, value_name = "NAME", required = true)]
    target: Vec<String>,
    /// Path of the image [default: the module's path, ending in .wisp]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name of the app, at most 31 bytes [default: that of the file]
    #[arg(long)]
    name: Option<String>,
    /// Version of the app
    #[arg(long, value_name = "MAJOR.MINOR.PATCH", default_value = "0.1.0")]
    version: String,
    /// Rollback counter
    #[arg(long, value_name = "N", default_value_t = 0)]
    rollback: u32,
    /// Way in which the code is stopped
    #[arg(long, value_enum, default_value = "poll")]
    stop: Stop,
    /// Optimise for size
    #[arg(long)]
    small: bool,
    /// Program that makes the IR [default: `wisp` beside this program, or on the path]
    #[arg(long, value_name = "FILE")]
    wisp: Option<PathBuf>,
    /// Send the token to another machine without TLS
    #[arg(long)]
    plain_http: bool,
}

/// A report of what was made.
#[derive(Serialize)]
struct Report {
    image: String,
    bytes: usize,
    targets: Vec<String>,
    compilers: Vec<String>,
}

/// Compiles a module here, and adds native sections of the service.
///
/// # Errors
/// The module cannot be compiled, the service refuses it, or its image is another than the one that was made here.
pub async fn run(arguments: &Arguments, form: Form) -> Result<ExitCode, Failure> {
    let service = Service::new(arguments)?;
    let output = arguments.output.clone().unwrap_or_else(|| arguments.file.with_extension("wisp"));
    let (made, symbols) = build(arguments, &output)?;
    let wasm = read(&arguments.file)?;
    let image = Image::parse(&made).map_err(|error| Failure::in_file(&output, error))?;
    let name = image.manifest().map_err(|error| Failure::in_file(&output, error))?.name.shown();
    let mut writer = Writer::of(&image, |_| true);
    let (mut compilers, mut kinds) = (Vec::new(), BTreeSet::new());
    for target in &arguments.target {
        let (bytes, compiler) = service.compiled(arguments, target, name, &wasm).await?;
        for (kind, section) in native_sections(&image, &bytes, target, &compiler)? {
            // a target that was named twice has its code once
            if kinds.insert(kind) {
                writer.optional(kind, section);
            }
        }
        compilers.push(compiler);
    }
    let mut bytes = writer.finish();
    let hash = order::digest(&bytes);
    append_trailer(&mut bytes, &[(TAG_HASH, &hash)]);
    write(&beside(&output), &symbols)?;
    write(&output, &bytes)?;
    let report = Report {
        image: output.display().to_string(),
        bytes: bytes.len(),
        targets: arguments.target.clone(),
        compilers,
    };
    form.report(&report, |report| {
        format!("{}: {} bytes, with native code for {}", report.image, report.bytes, report.targets.join(", "))
    });
    Ok(ExitCode::SUCCESS)
}

/// Reads the address of a service.
fn address(text: &str) -> Result<Url, String> {
    let form = "expected the address of a service, such as https://compile.example.org";
    let url = Url::parse(text).map_err(|error| format!("{error}; {form}"))?;
    match (url.scheme(), url.username(), url.password()) {
        ("http" | "https", "", None) => Ok(url),
        // messages name the address
        ("http" | "https", ..) => {
            Err(format!("user and password do not belong here, because the token says who asks; {form}"))
        }
        _ => Err(form.into()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::in_file(path, format_args!("cannot be read: {error}")))
}

/// Returns the path of an image's symbols.
fn beside(image: &Path) -> PathBuf {
    let mut path = image.as_os_str().to_owned();
    path.push(".sym");
    path.into()
}

/// Makes the image without native code, and its symbols, with the `wisp` of this machine. They are not in the place of
/// the output before the service has done its part: an image without native code is not what was asked for.
fn build(arguments: &Arguments, output: &Path) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let wisp = find_wisp(arguments.wisp.as_deref())?;
    let folder =
        tempfile::tempdir().map_err(|error| Failure::new(format!("no temporary folder can be made: {error}")))?;
    let image =
        folder.path().join(output.file_name().ok_or_else(|| Failure::in_file(output, "this is no name of a file"))?);
    let mut command = Command::new(&wisp);
    command.arg("build").arg("--quiet").arg(&arguments.file).arg("--output").arg(&image);
    command.arg(format!("--version={}", arguments.version)).arg(format!("--rollback={}", arguments.rollback));
    command.args(arguments.name.iter().map(|name| format!("--name={name}")));
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match status.map_err(|error| Failure::in_file(&wisp, error))?.success() {
        true => Ok((read(&image)?, read(&beside(&image))?)),
        // its words are on standard error
        false => Err(Failure::in_file(&arguments.file, "`wisp build` does not take the module, as it says above")),
    }
}

/// Returns the native sections, which are for `target`, of an image whose other sections are those of `made`.
fn native_sections(
    made: &Image<'_>,
    bytes: &[u8],
    target: &str,
    compiler: &str,
) -> Result<Vec<(u16, Vec<u8>)>, Failure> {
    let bad = |words: String| Failure::new(format!("the service sent a bad image: {words}; tell its operator"));
    let image = Image::parse(bytes).map_err(|error| bad(error.to_string()))?;
    let native = |kind: u16| kind >= Section::NATIVE;
    if !made.sections().eq(image.sections().filter(|&(kind, _)| !native(kind))) {
        return Err(Failure::new(format!(
            "the service made another image of this module than `wisp build` here, so its native code does not fit; use \
             the `wisp` of the service, which is {compiler}"
        )));
    }
    let sections: Vec<(u16, Vec<u8>)> =
        image.sections().filter(|&(kind, _)| native(kind)).map(|(kind, bytes)| (kind, bytes.to_vec())).collect();
    let wasm = made.wasm_hash().map_err(|error| bad(error.to_string()))?;
    for (_, section) in &sections {
        match Native::parse(section) {
            Ok(code) if code.wasm_hash() == wasm && serves(target, code.target) => {}
            Ok(code) if code.wasm_hash() == wasm => return Err(bad(format!("its native code is not for {target}"))),
            Ok(_) => return Err(bad("its native code is of another module".into())),
            Err(_) => return Err(bad("a native section cannot be read".into())),
        }
    }
    match sections.is_empty() {
        true => Err(bad("it has no native code".into())),
        false => Ok(sections),
    }
}

/// Returns the token in a file: one word that a header can hold.
fn token(text: &str) -> Option<&str> {
    let token = text.trim();
    (!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())).then_some(token)
}

/// Returns an address below another one.
fn under(url: &Url, parts: &[&str]) -> Url {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // every address of http has a path
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

/// A service and the right to use it.
struct Service {
    url: Url,
    token: String,
    client: Client,
}

impl Service {
    fn new(arguments: &Arguments) -> Result<Self, Failure> {
        let url = arguments.service.clone();
        let host = url.host_str().unwrap_or_default();
        let near = matches!(host, "127.0.0.1" | "[::1]" | "localhost");
        if url.scheme() != "https" && !near && !arguments.plain_http {
            return Err(Failure::new(format!(
                "{url}: the token would be readable on its way; use an address with https, or add --plain-http on a \
                 network that you trust"
            )));
        }
        let file = &arguments.token_file;
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::in_file(file, format_args!("the token cannot be read: {error}")))?;
        let token = token(&text).ok_or_else(|| {
            Failure::in_file(file, "this is no token; expected one line of letters, digits and signs, without spaces")
        })?;
        // a redirection would take the token along
        let client = Client::builder().redirect(reqwest::redirect::Policy::none());
        let client = client.connect_timeout(CONNECT).read_timeout(SILENCE);
        // what is on this machine stays on it
        let client = if near { client.no_proxy() } else { client };
        let client =
            client.build().map_err(|error| Failure::new(format!("the network cannot be used: {}", reason(&error))))?;
        Ok(Self { url, token: token.into(), client })
    }

    /// Returns the address of something under that of the service, which may have a path itself.
    fn path(&self, parts: &[&str]) -> Url {
        under(&self.url, parts)
    }

    /// Sends a request, again while the service is too busy, and returns the body.
    async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
        let failed = |error: reqwest::Error| {
            Failure::new(format!("{}: the service does not answer: {}", self.url, reason(&error)))
        };
        for attempt in 1.. {
            let again =
                request.try_clone().ok_or_else(|| Failure::new("internal error: a request cannot be repeated"))?;
            let mut response = again.bearer_auth(&self.token).send().await.map_err(failed)?;
            let status = response.status();
            let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
            let busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            if busy && attempt < TRIES {
                sleep(Duration::from_secs(wait.unwrap_or(5).min(60))).await;
                continue;
            }
            let limit = if status.is_success() { ANSWER_MAX } else { PROBLEM_MAX };
            let mut body = Vec::new();
            while let Some(part) = response.chunk().await.map_err(failed)? {
                if body.len() + part.len() > limit {
                    return Err(Failure::new(format!("{}: the answer is longer than {limit} bytes", self.url)));
                }
                body.extend_from_slice(&part);
            }
            return if status.is_success() { Ok(body) } else { Err(self.problem(status, &body)) };
        }
        unreachable!("the loop returns in its last round")
    }

    /// Returns a problem of the service in a sentence.
    fn problem(&self, status: StatusCode, body: &[u8]) -> Failure {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |member: &str| json[member].as_str().map(str::to_string);
        match (text("detail"), text("expected"), text("todo")) {
            (Some(detail), Some(expected), Some(todo)) => {
                Failure::new(format!("{}: {detail}; expected {expected}; {todo}", self.url))
            }
            _ => Failure::new(format!("{}: the answer is {status}; is this the address of `wisp serve`?", self.url)),
        }
    }

    /// Reads a job.
    fn job(&self, body: &[u8]) -> Result<Job, Failure> {
        let job: Option<Job> = serde_json::from_slice(body).ok();
        job.filter(|job| order::is_id(&job.id)).ok_or_else(|| {
            Failure::new(format!("{}: the answer is no job; is this the address of `wisp serve`?", self.url))
        })
    }

    /// Returns the service's image for one target, and the compilers that made it.
    async fn compiled(
        &self,
        arguments: &Arguments,
        target: &str,
        name: &str,
        wasm: &[u8],
    ) -> Result<(Vec<u8>, String), Failure> {
        let mut url = self.path(&["v1", "jobs"]);
        url.query_pairs_mut()
            .append_pair("target", target)
            .append_pair("name", name)
            .append_pair("version", &arguments.version)
            .append_pair("rollback", &arguments.rollback.to_string())
            .append_pair("stop", arguments.stop.word())
            .append_pair("small", &arguments.small.to_string());
        let mut job = self.job(&self.send(self.client.post(url).body(wasm.to_vec())).await?)?;
        let mut pause = Duration::from_millis(100);
        while matches!(job.state, Phase::Queued | Phase::Running) {
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
            let url = self.path(&["v1", "jobs", &job.id]);
            job = self.job(&self.send(self.client.get(url)).await?)?;
        }
        let Some(result) = job.result else {
            let words = job.words.unwrap_or_default();
            return Err(Failure::in_file(&arguments.file, format_args!("no native code for {target}: {words}")));
        };
        // the token goes to no address that the answer names
        let bytes = self.send(self.client.get(self.path(&["v1", "jobs", &job.id, "result"]))).await?;
        if sha256(&bytes) != result.sha256 {
            return Err(Failure::new(format!("{}: the image was changed on its way; try again", self.url)));
        }
        Ok((bytes, job.compiler))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_service_has_a_host_and_no_password() {
        for good in ["https://compile.example.org", "http://127.0.0.1:8470", "https://example.org/wisp/"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for (wrong, words) in [
            ("compile.example.org", "relative URL without a base; expected the address of a service"),
            ("localhost:8470", "expected the address of a service, such as https://compile.example.org"),
            ("ftp://example.org", "expected the address of a service"),
            ("https://anne:secret@example.org", "user and password do not belong here"),
        ] {
            let said = address(wrong).unwrap_err();
            assert!(said.contains(words) && !said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn requests_go_below_the_address_of_the_service() {
        let path = |base: &str, parts: &[&str]| under(&Url::parse(base).unwrap(), parts).to_string();
        assert_eq!(path("http://127.0.0.1:8470", &["v1", "jobs"]), "http://127.0.0.1:8470/v1/jobs");
        assert_eq!(path("https://example.org/wisp/?a#b", &["v1", "jobs"]), "https://example.org/wisp/v1/jobs");
        assert_eq!(
            path("https://example.org", &["v1", "//evil.example/"]),
            "https://example.org/v1/%2F%2Fevil.example%2F"
        );
    }

    #[test]
    fn a_token_is_one_word() {
        assert_eq!(token(" 3f1d\r\n"), Some("3f1d"));
        for wrong in ["", "\n", "two words", "two\nlines", "é"] {
            assert_eq!(token(wrong), None, "{wrong:?}");
        }
    }
}

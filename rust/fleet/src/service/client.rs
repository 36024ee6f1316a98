// SPDX-License-Identifier: Apache-2.0
//! `wisp compile`: native code from a service, for whoever has no C compiler.
//!
//! IR and manifest are made on this machine. The service only contributes native sections, and only if everything else
//! of its image equals the image that was made here.

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

/// Tries of a request that the service is too busy for.
const TRIES: u32 = 20;
/// Longest time between two looks at a job.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Longest image that is received.
const IMAGE_MAX: u64 = 64 << 20;

/// Compile a wasm module with native code from a service
#[derive(Args)]
pub struct Arguments {
    /// The wasm module or component
    file: PathBuf,
    /// Address of the service, which `wisp serve` runs
    #[arg(long, value_name = "URL")]
    service: Url,
    /// File with the token for the service
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Add native code for this machine (may be given several times)
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
    build(arguments, &output)?;
    let read = |path: &Path| fs::read(path).map_err(|error| Failure::in_file(path, error));
    let (wasm, made) = (read(&arguments.file)?, read(&output)?);
    let image = Image::parse(&made).map_err(|error| Failure::in_file(&output, error))?;
    let name = image.manifest().map_err(|error| Failure::in_file(&output, error))?.name.shown();
    let mut writer = Writer::of(&image, |_| true);
    let mut compilers = Vec::new();
    for target in &arguments.target {
        let (bytes, compiler) = service.compiled(arguments, target, name, &wasm).await?;
        for (kind, section) in native_sections(&image, &bytes, &compiler)? {
            writer.optional(kind, section);
        }
        compilers.push(compiler);
    }
    let mut bytes = writer.finish();
    let hash = order::digest(&bytes);
    append_trailer(&mut bytes, &[(TAG_HASH, &hash)]);
    fs::write(&output, &bytes).map_err(|error| Failure::in_file(&output, error))?;
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

/// Makes the image without native code, and its symbols, with the `wisp` of this machine.
fn build(arguments: &Arguments, output: &Path) -> Result<(), Failure> {
    let wisp = find_wisp(arguments.wisp.as_deref())?;
    let mut command = Command::new(&wisp);
    command.arg("build").arg("--quiet").arg(&arguments.file).arg("--output").arg(output);
    command.arg(format!("--version={}", arguments.version)).arg(format!("--rollback={}", arguments.rollback));
    command.args(arguments.name.iter().map(|name| format!("--name={name}")));
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match status.map_err(|error| Failure::in_file(&wisp, error))?.success() {
        true => Ok(()),
        // its words are on standard error
        false => Err(Failure::in_file(&arguments.file, "`wisp build` does not take the module, as it says above")),
    }
}

/// Returns the native sections of an image whose other sections are those of `made`.
fn native_sections(made: &Image<'_>, bytes: &[u8], compiler: &str) -> Result<Vec<(u16, Vec<u8>)>, Failure> {
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
            Ok(code) if code.wasm_hash() == wasm => {}
            Ok(_) => return Err(bad("its native code is of another module".into())),
            Err(_) => return Err(bad("a native section cannot be read".into())),
        }
    }
    match sections.is_empty() {
        true => Err(bad("it has no native code".into())),
        false => Ok(sections),
    }
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
        if !matches!(url.scheme(), "http" | "https") || host.is_empty() {
            return Err(Failure::new(format!(
                "{url}: no address of a service, expected https://HOST or https://HOST:PORT"
            )));
        }
        if url.scheme() != "https" && !near && !arguments.plain_http {
            return Err(Failure::new(format!(
                "{url}: the token would be readable on its way; use an address with https, or add --plain-http on a \
                 network that you trust"
            )));
        }
        let token = fs::read_to_string(&arguments.token_file).map_err(|error| {
            Failure::in_file(&arguments.token_file, format_args!("the token cannot be read: {error}"))
        })?;
        if token.trim().is_empty() {
            return Err(Failure::in_file(
                &arguments.token_file,
                "there is no token; whoever runs the service gives one",
            ));
        }
        // a redirection would take the token along
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let client = client.map_err(|error| Failure::new(format!("the network cannot be used: {error}")))?;
        Ok(Self { url, token: token.trim().into(), client })
    }

    fn path(&self, path: &str) -> Result<Url, Failure> {
        self.url.join(path).map_err(|error| Failure::new(format!("{}{path}: {error}", self.url)))
    }

    /// Sends a request, again while the service is too busy, and returns the body.
    async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
        let failed = |error: reqwest::Error| {
            let (address, why) = (&self.url, reason(&error));
            let advice = "check its name and port, and whether it runs";
            Failure::new(format!("{address}: the service does not answer: {why}; {advice}"))
        };
        for attempt in 1.. {
            let again =
                request.try_clone().ok_or_else(|| Failure::new("internal error: a request cannot be repeated"))?;
            let response = again.bearer_auth(&self.token).send().await.map_err(failed)?;
            let status = response.status();
            let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
            let busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            if busy && attempt < TRIES {
                sleep(Duration::from_secs(wait.unwrap_or(5).min(60))).await;
                continue;
            }
            if response.content_length().is_some_and(|length| length > IMAGE_MAX) {
                return Err(Failure::new(format!("{}: the answer is longer than {IMAGE_MAX} bytes", self.url)));
            }
            let body = response.bytes().await.map_err(failed)?.to_vec();
            return if status.is_success() { Ok(body) } else { Err(self.problem(status, &body)) };
        }
        unreachable!("the loop returns in its last round")
    }

    /// Returns a problem of the service in a sentence.
    fn problem(&self, status: StatusCode, body: &[u8]) -> Failure {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |member: &str| json[member].as_str().map(str::to_string);
        match (text("detail"), text("expected"), text("remedy")) {
            (Some(detail), Some(expected), Some(remedy)) => {
                Failure::new(format!("{}: {detail}; expected {expected}; {remedy}", self.url))
            }
            _ => Failure::new(format!("{}: the answer is {status}; is this the address of `wisp serve`?", self.url)),
        }
    }

    /// Reads a job.
    fn job(&self, body: &[u8]) -> Result<Job, Failure> {
        serde_json::from_slice(body).map_err(|_| {
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
        let mut url = self.path("/v1/jobs")?;
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
            let url = self.path(&format!("/v1/jobs/{}", job.id))?;
            job = self.job(&self.send(self.client.get(url)).await?)?;
        }
        let Some(result) = job.result else {
            let words = job.words.unwrap_or_default();
            return Err(Failure::in_file(&arguments.file, format_args!("no native code for {target}: {words}")));
        };
        let bytes = self.send(self.client.get(self.path(&result.href)?)).await?;
        if sha256(&bytes) != result.sha256 {
            return Err(Failure::new(format!("{}: the image was changed on its way; try again", self.url)));
        }
        Ok((bytes, job.compiler))
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Starts and ends the gateway: its devices' tasks, its page, signals.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::agent::Agent;
use super::artifacts::Artifacts;
use super::config::{self, Config};
use super::ddi::Server;
use super::package::Packages;
use super::page;
use super::store::Store;
use super::telemetry::Telemetry;
use crate::failure::Failure;
use crate::output::Form;

/// Wait before the task of a device is begun again after a fault of the gateway.
const AFTER_FAULT: Duration = Duration::from_secs(60);

/// Bring the updates of a rollout server to devices that speak SMP only
#[derive(Args)]
pub struct Arguments {
    /// File with the server and the devices (doc/gateway.md)
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Folder for what has to outlive a restart (one gateway for each folder)
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,
    /// Address of the page, of /status and of /metrics: HTTP without TLS and without a password, for reading only
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Check the configuration and end
    #[arg(long)]
    check: bool,
}

/// State that all devices share.
pub struct Shared {
    /// The configuration.
    pub config: Config,
    /// The state folder.
    pub store: Store,
    /// Downloads.
    pub artifacts: Artifacts,
    /// Images that devices are being sent.
    pub packages: Packages,
    /// Lines and counters.
    pub telemetry: Telemetry,
}

/// Reports what a gateway does.
#[derive(Serialize)]
struct Started {
    server: String,
    devices: usize,
    listen: Option<String>,
}

/// Runs the gateway until SIGTERM or SIGINT.
///
/// # Errors
/// The configuration is not in order, or the gateway cannot start.
pub async fn run(arguments: &Arguments, form: Form) -> Result<ExitCode, Failure> {
    let config = Config::read(&arguments.config)?;
    let server = Server::new(&config)?;
    let (url, devices) = (config.url.to_string(), config.devices.len());
    let text = |report: &Started| {
        let page = report.listen.as_ref().map_or_else(String::new, |page| format!(", with a page at {page}"));
        format!("speaking for {} devices to {}{page}", report.devices, report.server)
    };
    if arguments.check {
        form.report(&Started { server: url, devices, listen: None }, |report| {
            format!("in order: {} devices", report.devices)
        });
        return Ok(ExitCode::SUCCESS);
    }
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    warn_of_readers(&arguments.config);
    let shared = shared(config, arguments)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let (stop, stopped) = watch::channel(false);
    let (page, listen) = match arguments.listen {
        Some(address) => {
            let (listener, at) = listen(address).await?;
            (Some(tokio::spawn(page::serve(listener, shared.clone(), stopped.clone()))), Some(at))
        }
        None => (None, None),
    };
    form.report(&Started { server: url, devices, listen }, text);
    let mut tasks = JoinSet::new();
    for device in shared.config.devices.clone() {
        tasks.spawn(attend(shared.clone(), server.clone(), device, stopped.clone()));
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("the gateway ends; what it did is in its state folder");
    stop.send_replace(true);
    while tasks.join_next().await.is_some() {}
    if let Some(page) = page {
        let _ = page.await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Warns if others than its owner can read the file with the tokens.
fn warn_of_readers(config: &Path) {
    if std::fs::metadata(config).is_ok_and(|data| data.permissions().mode() & 0o077 != 0) {
        tracing::warn!("{}: others can read the tokens in this file; run `chmod 600` on it", config.display());
    }
}

fn no_signals(error: std::io::Error) -> Failure {
    Failure::new(format!("signals cannot be received: {error}"))
}

/// Opens what all devices share.
fn shared(config: Config, arguments: &Arguments) -> Result<Arc<Shared>, Failure> {
    let store = Store::open(&arguments.state)?;
    let telemetry = Telemetry::new(&config).map_err(|error| Failure::new(format!("internal error: {error}")))?;
    let artifacts = Artifacts::new(store.artifacts());
    Ok(Arc::new(Shared { config, store, artifacts, packages: Packages::default(), telemetry }))
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, String), Failure> {
    let failed = |error| Failure::new(format!("{address}: the gateway cannot listen there: {error}; see --listen"));
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let at = format!("http://{}", listener.local_addr().map_err(failed)?);
    Ok((listener, at))
}

/// Runs the task of a device until the gateway ends. A fault of the gateway in it concerns this device only.
async fn attend(shared: Arc<Shared>, server: Server, device: config::Device, mut stopped: watch::Receiver<bool>) {
    let name = device.name.clone();
    while !*stopped.borrow() {
        let agent = match Agent::new(shared.clone(), &server, device.clone()) {
            Ok(agent) => agent,
            Err(failure) => return tracing::error!("{name}: {failure}"),
        };
        let mut task = tokio::spawn(agent.run());
        tokio::select! {
            ended = &mut task => {
                if let Err(fault) = ended {
                    shared.telemetry.trouble(&name, &format!("internal error: {fault}; please report it"));
                }
            }
            _ = stopped.changed() => {
                task.abort();
                let _ = task.await;
                return;
            }
        }
        tokio::select! {
            () = sleep(AFTER_FAULT) => {}
            _ = stopped.changed() => {}
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Starts and ends the service: connections, workers, signals.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{signal, Signal, SignalKind};
use tokio::sync::{watch, Notify};
use tokio::task::{spawn_blocking, JoinSet};
use tokio::time::sleep;

use super::api;
use super::board::{Board, Limits, Outcome, Run};
use super::compilers::Compilers;
use super::metrics::Metrics;
use super::options::Arguments;
use super::problem::Problem;
use super::record::Reason;
use super::store::Store;
use super::tokens::{Client, Tokens};
use super::worker::{self, Kill};
use crate::connections;
use crate::failure::Failure;
use crate::output::Form;

/// Time that connections may go on after the last job.
const GOODBYE: Duration = Duration::from_secs(5);

/// State that handlers and workers share.
pub struct Service {
    /// The state folder.
    pub store: Arc<Store>,
    /// The compilers.
    pub compilers: Compilers,
    /// The counters.
    pub metrics: Metrics,
    /// The command line.
    pub options: Arguments,
    /// Is notified when a job may wait.
    pub wake: Notify,
    board: Mutex<Board>,
    tokens: RwLock<Tokens>,
    numbers: AtomicU64,
}

impl Service {
    fn new(options: Arguments) -> Result<Self, Failure> {
        let tokens = Tokens::read(&options.tokens, None)?;
        let compilers = Compilers::find(options.wisp.as_deref())?;
        let store = Arc::new(Store::open(&options.state)?);
        let limits = Limits { queue: options.requests.queue_limit, cache: options.requests.cache_limit };
        let board = Board::open(store.clone(), limits)
            .map_err(|error| Failure::in_file(&options.state, format_args!("the jobs cannot be read: {error}")))?;
        let metrics = Metrics::new().map_err(|error| Failure::new(format!("internal error: {error}")))?;
        Ok(Self {
            store,
            compilers,
            metrics,
            options,
            wake: Notify::new(),
            board: Mutex::new(board),
            tokens: RwLock::new(tokens),
            numbers: AtomicU64::new(0),
        })
    }

    /// Works with the board in a thread that may wait for the disk.
    ///
    /// # Errors
    /// The work panicked.
    pub async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Board) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let service = self.clone();
        let done = spawn_blocking(move || work(&mut service.board.lock().unwrap_or_else(PoisonError::into_inner)));
        done.await.map_err(|error| {
            tracing::error!("internal error: {error}; please report it");
            Problem::internal("the service has a fault of its own")
        })
    }

    /// Returns a number that no other upload of this server has.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the client with this token.
    pub fn client(&self, token: &str) -> Option<Arc<Client>> {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).client(token)
    }

    /// Reads the token file again. A file that is not in order changes nothing.
    fn reload(&self) {
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        match Tokens::read(&self.options.tokens, Some(&tokens)) {
            Ok(read) => {
                *tokens = read;
                tracing::info!("the token file was read again");
            }
            Err(failure) => tracing::error!("{failure}; the tokens that were read before stay valid"),
        }
    }
}

/// Prints where a server listens and which targets it has.
#[derive(Serialize)]
struct Started {
    listen: String,
    targets: String,
    workers: u16,
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// The server cannot start, or its compiler was replaced while it ran.
pub async fn run(options: Arguments, form: Form) -> Result<ExitCode, Failure> {
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    let workers = options.workers.unwrap_or_else(|| available_parallelism().map_or(1, |n| n.get() as u16));
    let service =
        Arc::new(spawn_blocking(|| Service::new(options)).await.map_err(|error| Failure::new(error.to_string()))??);
    let address = service.options.listen;
    let failed = |error| Failure::new(format!("{address}: the server cannot listen there: {error}; see --listen"));
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let started = Started {
        listen: format!("http://{}", listener.local_addr().map_err(failed)?),
        targets: service.compilers.offered(),
        workers,
    };
    let (stop, stopped) = watch::channel(false);
    let signals = Signals::new().map_err(|error| Failure::new(format!("signals cannot be received: {error}")))?;
    form.report(&started, |report| format!("serving at {} for {}", report.listen, report.targets));
    let mut running = JoinSet::new();
    for _ in 0..workers {
        running.spawn(work(service.clone(), stopped.clone(), stop.clone()));
    }
    let signals = tokio::spawn(signals.handle(service.clone(), stop));
    let ended = async { while running.join_next().await.is_some() {} };
    let requests = &service.options.requests;
    let limits = connections::Limits {
        connections: requests.connections.into(),
        idle: requests.idle_seconds,
        connection: requests.connection_seconds,
        goodbye: GOODBYE,
    };
    connections::serve(listener, api::router(service.clone()), limits, ended).await;
    signals.abort();
    if service.compilers.is_unchanged() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::in_file(&service.compilers.wisp, "this program was replaced, so the server ended; start it again"))
}

/// Runs jobs one after the other until the server stops.
async fn work(service: Arc<Service>, mut stopped: watch::Receiver<bool>, stop: watch::Sender<bool>) {
    while !*stopped.borrow() {
        let Ok(Some(run)) = service.with(Board::next).await else {
            tokio::select! {
                () = service.wake.notified() => {}
                _ = stopped.changed() => {}
            }
            continue;
        };
        // another worker looks whether there are more
        service.wake.notify_one();
        let (compiler, outcome) = perform(&service, &run, stopped.clone(), &stop).await;
        let _ = service.with(move |board| board.finish(&run, &compiler, outcome)).await;
    }
}

/// Runs a job. Returns the compiler that it ran with, and how it ended.
async fn perform(
    service: &Arc<Service>,
    run: &Run,
    mut stopped: watch::Receiver<bool>,
    stop: &watch::Sender<bool>,
) -> (String, Outcome) {
    let id = &run.record.id;
    let Ok(compiler) = service.compilers.of(&run.record.order.target) else {
        let words = format!("the service has no compiler for {} any more", run.record.order.target);
        return (String::new(), Outcome::Failed(Reason::Internal, words));
    };
    if !service.compilers.is_unchanged() {
        tracing::error!("{} was replaced; the server ends", service.compilers.wisp.display());
        begin_to_stop(service, stop).await;
        return (compiler.identity.clone(), Outcome::PutBack);
    }
    let limits = &service.options.jobs;
    let kill = async {
        let late = async {
            // an error says that nobody can stop the server any more
            let _ = stopped.wait_for(|stopped| *stopped).await;
            sleep(limits.grace_seconds).await;
        };
        tokio::select! {
            () = run.kill.notified() => Kill::Cancelled,
            () = late => Kill::Stopping,
        }
    };
    tracing::info!("job {id} for {} starts", run.record.order.target);
    let began = Instant::now();
    let outcome = worker::run(&service.store, &service.compilers, compiler, limits, run, kill).await;
    service.metrics.ended(&outcome, began.elapsed());
    match &outcome {
        Outcome::Done(image, _) => tracing::info!("job {id} is done: {} bytes", image.len()),
        Outcome::Failed(reason, words) => tracing::info!("job {id} failed ({reason:?}): {words:?}"),
        Outcome::PutBack => tracing::info!("job {id} goes back to the queue"),
    }
    (compiler.identity.clone(), outcome)
}

/// Takes no more jobs, and lets the workers end.
async fn begin_to_stop(service: &Arc<Service>, stop: &watch::Sender<bool>) {
    tracing::info!("the server takes no more jobs, and ends");
    let _ = service.with(Board::stop).await;
    stop.send_replace(true);
}

/// The signals that a server knows.
struct Signals {
    term: Signal,
    interrupt: Signal,
    reload: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            reload: signal(SignalKind::hangup())?,
        })
    }

    async fn handle(mut self, service: Arc<Service>, stop: watch::Sender<bool>) {
        loop {
            tokio::select! {
                _ = self.term.recv() => begin_to_stop(&service, &stop).await,
                _ = self.interrupt.recv() => begin_to_stop(&service, &stop).await,
                _ = self.reload.recv() => {
                    let service = service.clone();
                    let _ = spawn_blocking(move || service.reload()).await;
                }
            }
        }
    }
}

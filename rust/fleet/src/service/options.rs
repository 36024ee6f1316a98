// SPDX-License-Identifier: Apache-2.0
//! Arguments of `wisp serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// Serve compilation to native code over HTTP
#[derive(Args, Clone)]
pub struct Arguments {
    /// Folder for queue, cache and scratch files (one server for each folder)
    #[arg(long, value_name = "FOLDER")]
    pub state: PathBuf,
    /// File with the hashes of the tokens that may compile (read again on SIGHUP)
    #[arg(long, value_name = "FILE")]
    pub tokens: PathBuf,
    /// Address to listen on: HTTP without TLS, so another than this machine's needs a proxy with TLS before it
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8470")]
    pub listen: SocketAddr,
    /// Program that compiles [default: `wisp` beside this program, or on the path]
    #[arg(long, value_name = "FILE")]
    pub wisp: Option<PathBuf>,
    /// Jobs that run at once [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: Option<u16>,
    #[command(flatten)]
    pub requests: Requests,
    #[command(flatten)]
    pub jobs: Jobs,
}

/// Limits of requests.
#[derive(Args, Clone)]
#[command(next_help_heading = "Limits of requests")]
pub struct Requests {
    /// Longest module
    #[arg(long, value_name = "BYTES", default_value_t = 8 << 20)]
    pub body_limit: u64,
    /// Jobs that wait at once, of all clients
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub queue_limit: usize,
    /// Bytes of results that are kept (those that nobody fetched for longest make room)
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub cache_limit: u64,
    /// Connections at once
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: u16,
    /// Seconds in which a client has to send the next part of its request
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub idle_seconds: Duration,
    /// Seconds that a connection lasts at most
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub connection_seconds: Duration,
}

/// Limits of a job.
#[derive(Args, Clone)]
#[command(next_help_heading = "Limits of a job")]
pub struct Jobs {
    /// Seconds that a job runs at most
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub job_seconds: Duration,
    /// Address space of each process
    #[arg(long, value_name = "BYTES", default_value_t = 2 << 30)]
    pub job_memory: u64,
    /// Longest file that a process may write
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20)]
    pub job_file: u64,
    /// Processes of the user that the server runs as, at most, its own included (root has no such limit)
    #[arg(long, value_name = "N", default_value_t = 512)]
    pub job_processes: u64,
    /// Longest image that a job may make
    #[arg(long, value_name = "BYTES", default_value_t = 32 << 20)]
    pub output_limit: u64,
    /// Seconds that running jobs have to end after SIGTERM, before they go back to the queue
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub grace_seconds: Duration,
}

/// Reads a number of seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_secs).map_err(|_| "expected whole seconds".into())
}

// SPDX-License-Identifier: Apache-2.0
//! The command `wisp-fleet`, to which `wisp` hands over what needs a network.
//!
//! Principles
//! 1. A folder for each concern: `registry` (publish and pull) and `service` (compilation over HTTP).
//! 2. Nothing that came over a network is believed before its digest, its size or its token was checked.
//! 3. An error says what is wrong, where, what was expected, and what to do.
#![forbid(unsafe_code)]

mod failure;
mod output;
mod registry;
mod service;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::output::Form;

/// Moves images between registries, services and devices
#[derive(Parser)]
#[command(name = "wisp-fleet", bin_name = "wisp", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Report as JSON: one object, or one a line
    #[arg(long, global = true, display_order = 900)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Network(Box<Network>),
    #[command(hide = true)]
    ServeJob(service::sitter::Arguments),
}

#[derive(Subcommand)]
enum Network {
    Publish(registry::publish::Arguments),
    Pull(registry::pull::Arguments),
    Compile(service::client::Arguments),
    Serve(service::Arguments),
}

async fn run(command: Network, form: Form) -> Result<ExitCode, Failure> {
    match command {
        Network::Publish(arguments) => registry::publish::run(&arguments, form).await,
        Network::Pull(arguments) => registry::pull::run(&arguments, form).await,
        Network::Compile(arguments) => service::client::run(&arguments, form).await,
        Network::Serve(arguments) => service::run(arguments, form).await,
    }
}

fn on_network(command: Network, form: Form) -> Result<ExitCode, Failure> {
    // Fails only if somebody chose a provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(format!("this system gives no threads for the network: {error}")))?;
    runtime.block_on(run(command, form))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let form = if arguments.json { Form::Json } else { Form::Text };
    let result = match arguments.command {
        Command::Network(command) => on_network(*command, form),
        // without the runtime, whose threads would count towards the limits of the job
        Command::ServeJob(arguments) => service::sitter::run(&arguments),
    };
    result.unwrap_or_else(|failure| {
        form.failure(&failure);
        ExitCode::FAILURE
    })
}

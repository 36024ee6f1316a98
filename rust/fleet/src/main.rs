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
    Publish(registry::publish::Arguments),
    Pull(registry::pull::Arguments),
}

async fn run(command: Command, form: Form) -> Result<ExitCode, Failure> {
    match command {
        Command::Publish(arguments) => registry::publish::run(&arguments, form).await,
        Command::Pull(arguments) => registry::pull::run(&arguments, form).await,
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let form = if arguments.json { Form::Json } else { Form::Text };
    // Fails only if somebody chose a provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            form.failure(&Failure::new(format!("this system gives no threads for the network: {error}")));
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(run(arguments.command, form)).unwrap_or_else(|failure| {
        form.failure(&failure);
        ExitCode::FAILURE
    })
}

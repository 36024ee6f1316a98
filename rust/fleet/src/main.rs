// SPDX-License-Identifier: Apache-2.0
//! The command `wisp-fleet`, to which `wisp` hands over what needs a network.
//!
//! Principles
//! 1. A folder for each concern: `registry` (publish and pull), `service` (compilation over HTTP) and `gateway` (updates of
//!    a rollout server for devices behind SMP).
//! 2. Nothing that came over a network is believed before its digest, its size or its token was checked.
//! 3. An error says what is wrong, where, what was expected, and what to do.
#![forbid(unsafe_code)]

mod connections;
mod failure;
mod gateway;
mod output;
mod registry;
mod service;

use std::io::Write;
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
    Gateway(gateway::Arguments),
    Fleet(gateway::status::Arguments),
}

async fn run(command: Network, form: Form) -> Result<ExitCode, Failure> {
    match command {
        Network::Publish(arguments) => registry::publish::run(&arguments, form).await,
        Network::Pull(arguments) => registry::pull::run(&arguments, form).await,
        Network::Compile(arguments) => service::client::run(&arguments, form).await,
        Network::Serve(arguments) => service::run(arguments, form).await,
        Network::Gateway(arguments) => gateway::run(&arguments, form).await,
        Network::Fleet(arguments) => gateway::status::run(&arguments, form).await,
    }
}

fn on_network(command: Network, form: Form) -> Result<ExitCode, Failure> {
    // Fails only if somebody chose a provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(format!("this system gives no threads for the network: {error}")))?;
    runtime.block_on(run(command, form))
}

/// Reports arguments that are not understood, or shows the help or the version that they ask for.
fn explain_usage(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().take_while(|argument| argument != "--").any(|argument| argument == "--json");
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let said = text.split("\n\n").take_while(|part| !part.starts_with("Usage:") && !part.starts_with("For more"));
        Form::Json.error(said.collect::<Vec<_>>().join("\n").trim_start_matches("error: "));
    }
    let printed = error.print();
    if !error.use_stderr() {
        output::keep(printed);
    }
    finish(ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1)))
}

/// Ends a command that went well, unless what it said did not get to standard output.
fn finish(code: ExitCode) -> ExitCode {
    let Some(error) = output::unsaid() else { return code };
    let _ = std::io::stderr().write_fmt(format_args!("wisp: standard output cannot be written: {error}\n"));
    ExitCode::FAILURE
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return explain_usage(&error),
    };
    let form = if arguments.json { Form::Json } else { Form::Text };
    let result = match arguments.command {
        Command::Network(command) => on_network(*command, form),
        // without the runtime, whose threads would count towards the limits of the job
        Command::ServeJob(arguments) => service::sitter::run(&arguments),
    };
    match result {
        Ok(code) => finish(code),
        Err(failure) => {
            form.failure(&failure);
            ExitCode::FAILURE
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! The `wisp` command.
//!
//! Principles
//! 1. One file for each subcommand in [`cmd`]; what they share stands beside it.
//! 2. What a guest prints goes to standard output as it is; what `wisp` has to say goes to standard error.
//! 3. An error says what is wrong, where, what was expected, and what to do.
#![deny(unsafe_code)]

mod arena;
mod check;
mod cmd;
mod core_dump;
mod debug;
mod depth;
mod desk;
mod entry;
mod exit;
mod explain;
mod facts;
mod failure;
mod grants;
mod imports;
mod input;
mod keys;
mod native;
mod options;
mod outcome;
mod output;
mod profile;
mod proposals;
mod replay;
mod stubs;
mod symbols;
mod ui;
mod values;
mod watch;
mod world;
mod xml;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Builds, runs and inspects WebAssembly apps for microcontrollers
#[derive(Parser)]
#[command(name = "wisp", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Report as JSON: one object, or one a line
    #[arg(long, global = true, display_order = 900)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    New(cmd::new::Arguments),
    Build(cmd::build::Arguments),
    Run(Box<cmd::run::Arguments>),
    Debug(cmd::debug::Arguments),
    #[command(hide = true)]
    Core(cmd::core::Arguments),
    #[command(hide = true)]
    Profile(cmd::profile::Arguments),
    #[command(hide = true)]
    Watch(cmd::watch::Arguments),
    Inspect(cmd::inspect::Arguments),
    Keygen(cmd::keygen::Arguments),
    Sign(cmd::sign::Arguments),
    Attach(cmd::attach::Arguments),
    Verify(cmd::verify::Arguments),
    Symbolize(cmd::symbolize::Arguments),
    /// Put an app into an OCI registry, by the program wisp-fleet
    #[command(disable_help_flag = true)]
    Publish(cmd::fleet::Arguments),
    /// Get an image from an OCI registry and check it, by the program wisp-fleet
    #[command(disable_help_flag = true)]
    Pull(cmd::fleet::Arguments),
    /// Compile with native code from a service, by the program wisp-fleet
    #[command(disable_help_flag = true)]
    Compile(cmd::fleet::Arguments),
    /// Compile for others over HTTP, by the program wisp-fleet
    #[command(disable_help_flag = true)]
    Serve(cmd::fleet::Arguments),
    /// Bring updates of a rollout server to devices, by the program wisp-fleet
    #[command(disable_help_flag = true)]
    Gateway(cmd::fleet::Arguments),
    /// Look at devices behind a gateway, by the program wisp-fleet
    #[command(disable_help_flag = true)]
    Fleet(cmd::fleet::Arguments),
    Completions(cmd::completions::Arguments),
    Man(cmd::man::Arguments),
}

/// Ends the command where an invariant of the program itself does not hold.
fn broken(panic: &std::panic::PanicHookInfo<'_>) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let what = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic without words");
    let place = panic.location().map_or_else(String::new, |place| format!(" ({}:{})", place.file(), place.line()));
    output::failure(&format_args!("internal error: {what}{place}; please report it with the command and its files"));
    std::process::exit(exit::INTERNAL.into());
}

/// Reports arguments that are not understood, or shows the help or the version that they ask for.
fn explain_usage(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().take_while(|argument| argument != "--").any(|argument| argument == "--json");
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let said = text.split("\n\n").take_while(|part| !part.starts_with("Usage:") && !part.starts_with("For more"));
        let said = said.collect::<Vec<_>>().join("\n");
        output::say(&output::line(&serde_json::json!({ "error": said.trim_start_matches("error: ") })));
    }
    let printed = error.print();
    if !error.use_stderr() {
        output::keep(printed);
    }
    finish(ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::FAILURE)))
}

/// Ends a command that went well, unless what it said did not get to standard output.
fn finish(code: ExitCode) -> ExitCode {
    let Some(error) = output::unsaid() else { return code };
    output::complain(format_args!("wisp: standard output cannot be written: {error}\n"));
    ExitCode::from(exit::FAILURE)
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(broken));
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return explain_usage(&error),
    };
    output::set_json(arguments.json);
    let result = match arguments.command {
        Command::New(arguments) => cmd::new::run(&arguments),
        Command::Build(arguments) => cmd::build::run(&arguments),
        Command::Run(arguments) => cmd::run::run(*arguments),
        Command::Debug(arguments) => cmd::debug::run(&arguments),
        Command::Core(arguments) => cmd::core::run(&arguments),
        Command::Profile(arguments) => cmd::profile::run(&arguments),
        Command::Watch(arguments) => cmd::watch::run(&arguments),
        Command::Inspect(arguments) => cmd::inspect::run(&arguments),
        Command::Keygen(arguments) => cmd::keygen::run(&arguments),
        Command::Sign(arguments) => cmd::sign::run(&arguments),
        Command::Attach(arguments) => cmd::attach::run(&arguments),
        Command::Verify(arguments) => cmd::verify::run(&arguments),
        Command::Symbolize(arguments) => cmd::symbolize::run(&arguments),
        Command::Publish(more) => cmd::fleet::run("publish", &more, arguments.json),
        Command::Pull(more) => cmd::fleet::run("pull", &more, arguments.json),
        Command::Compile(more) => cmd::fleet::run("compile", &more, arguments.json),
        Command::Serve(more) => cmd::fleet::run("serve", &more, arguments.json),
        Command::Gateway(more) => cmd::fleet::run("gateway", &more, arguments.json),
        Command::Fleet(more) => cmd::fleet::run("fleet", &more, arguments.json),
        Command::Completions(arguments) => cmd::completions::run(&arguments, &mut Arguments::command()),
        Command::Man(arguments) => cmd::man::run(&arguments, Arguments::command()),
    };
    match result {
        Ok(code) => finish(code),
        Err(failure) => {
            output::failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

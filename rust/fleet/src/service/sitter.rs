// SPDX-License-Identifier: Apache-2.0
//! The process between server and compiler, which keeps the compiler within limits and never outlives the server.
//!
//! The server starts it as the leader of a process group, and holds the other end of its standard input. The compiler
//! and all that it starts are in the same group. The sitter kills the group, itself included, when the compiler has
//! ended or when standard input ends, because then the server has gone. So no process of a job is ever left.

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use clap::Args;
use rustix::process::{getpgrp, getpid, kill_process_group, setrlimit, Pid, Resource, Rlimit, Signal};

use crate::failure::Failure;

/// File in the scratch folder that says how the compiler ended.
pub const STATUS: &str = "status";

/// Run a compiler within limits: `wisp serve` calls this
#[derive(Args)]
pub struct Arguments {
    /// Seconds of processor time of each process
    #[arg(long)]
    seconds: u64,
    /// Bytes of address space of each process
    #[arg(long)]
    memory: u64,
    /// Longest file
    #[arg(long)]
    file: u64,
    /// Processes of the user
    #[arg(long)]
    processes: u64,
    /// Program and arguments
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// The end of the compiler, as the sitter tells the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Ended {
    /// Reads what the sitter wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, number) = text.trim_end().split_once(' ')?;
        let number = number.parse().ok()?;
        match kind {
            "code" => Some(Self::Code(number)),
            "signal" => Some(Self::Signal(number)),
            _ => None,
        }
    }
}

fn limit(resource: Resource, value: u64) -> Result<(), Failure> {
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
        .map_err(|error| Failure::new(format!("the limit {resource:?} of {value} cannot be set: {error}")))
}

/// Runs the compiler in the working directory, and ends with the whole process group.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let own = getpid();
    if getpgrp() != own {
        return Err(Failure::new("this command is for `wisp serve`, which makes it the leader of a process group"));
    }
    limit(Resource::Cpu, arguments.seconds)?;
    limit(Resource::As, arguments.memory)?;
    limit(Resource::Fsize, arguments.file)?;
    limit(Resource::Nproc, arguments.processes)?;
    limit(Resource::Core, 0)?;
    let (program, rest) = arguments.command.split_first().ok_or_else(|| Failure::new("there is nothing to run"))?;
    let child = Command::new(program).args(rest).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let mut child = child.map_err(|error| Failure::new(format!("{program} cannot be started: {error}")))?;
    thread::Builder::new()
        .spawn(move || {
            // nobody writes: this returns when the server closes its end, or has gone
            let _ = std::io::stdin().lock().read(&mut [0]);
            end(own);
        })
        .map_err(|error| Failure::new(format!("no thread can be started: {error}")))?;
    let status = child.wait().map_err(|error| Failure::new(format!("{program}: {error}")))?;
    let text = match (status.code(), status.signal()) {
        (Some(code), _) => format!("code {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    };
    fs::write(STATUS, text).map_err(|error| Failure::new(format!("{STATUS}: {error}")))?;
    end(own);
    Ok(ExitCode::SUCCESS)
}

/// Kills the group of this process.
fn end(group: Pid) {
    let _ = kill_process_group(group, Signal::KILL);
}

#[cfg(test)]
mod tests {
    use super::Ended;

    #[test]
    fn ends_are_read_as_they_are_written() {
        assert_eq!(Ended::parse("code 1"), Some(Ended::Code(1)));
        assert_eq!(Ended::parse("signal 25\n"), Some(Ended::Signal(25)));
        for wrong in ["", "code", "code x", "exit 1"] {
            assert_eq!(Ended::parse(wrong), None, "{wrong}");
        }
    }
}

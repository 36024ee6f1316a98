// SPDX-License-Identifier: Apache-2.0
//! Runs jobs: a scratch folder and a process group for each.

use std::fs;
use std::future::Future;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{kill_process_group, Pid, Signal};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::board::{Outcome, Run};
use super::compilers::{Compiler, Compilers};
use super::options::Jobs;
use super::record::Reason;
use super::sitter::{Ended, STATUS};
use super::store::Store;

/// Bytes of the compiler's words that are kept.
const WORDS: usize = 16 << 10;
const MODULE: &str = "module.wasm";
const IMAGE: &str = "image.wisp";
/// Words of C compilers and of the system when a limit was reached.
const LIMITS: [&str; 6] = [
    "out of memory",
    "memory exhausted",
    "Cannot allocate memory",
    "File size limit exceeded",
    "CPU time limit exceeded",
    "Killed signal",
];

/// Why a job was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// Nobody wants it any more.
    Cancelled,
    /// The server is about to end.
    Stopping,
}

/// The end of the process group.
enum End {
    /// By itself, or by the system. The words are what it wrote to standard error.
    Itself(String),
    /// After the time that a job has.
    Time,
    Killed(Kill),
}

/// Runs a job, until `kill` says that it has to end.
pub async fn run(
    store: &Store,
    compilers: &Compilers,
    compiler: &Compiler,
    limits: &Jobs,
    run: &Run,
    kill: impl Future<Output = Kill>,
) -> Outcome {
    let scratch = store.scratch(run.record.sequence);
    let module = store.module(&run.record.wasm_sha256);
    let fault = |error: io::Error| {
        tracing::error!("job {}: {error}", run.record.id);
        Outcome::Failed(Reason::Internal, "the service could not start the compiler".into())
    };
    let prepared = fs::create_dir(&scratch).and_then(|()| fs::copy(&module, scratch.join(MODULE)));
    let outcome = match prepared.and_then(|_| start(&scratch, compilers, compiler, limits, run)) {
        Err(error) => fault(error),
        Ok(child) => match wait(child, limits.job_seconds, kill).await {
            Err(error) => fault(error),
            Ok(End::Killed(Kill::Stopping)) => Outcome::PutBack,
            Ok(End::Killed(Kill::Cancelled)) => Outcome::Failed(Reason::Limit, "cancelled".into()),
            Ok(End::Time) => {
                let seconds = limits.job_seconds.as_secs();
                let words = format!(
                    "the compiler did not end within {seconds} seconds, which is what a job of this service may \
                     take; make the module smaller, or ask the service's operator for a higher --job-seconds"
                );
                Outcome::Failed(Reason::Limit, words)
            }
            Ok(End::Itself(words)) => read(&scratch, limits, &plain(&words, &scratch)),
        },
    };
    if let Err(error) = fs::remove_dir_all(&scratch) {
        tracing::warn!("{}: {error}", scratch.display());
    }
    outcome
}

fn start(scratch: &Path, compilers: &Compilers, compiler: &Compiler, limits: &Jobs, run: &Run) -> io::Result<Child> {
    // the program that runs, even if its file has been replaced since
    let mut command = Command::new("/proc/self/exe");
    command.arg("serve-job");
    command.arg(format!("--seconds={}", limits.job_seconds.as_secs().max(1)));
    command.arg(format!("--memory={}", limits.job_memory));
    command.arg(format!("--file={}", limits.job_file));
    command.arg(format!("--processes={}", limits.job_processes));
    command.arg("--").arg(&compilers.wisp).args(run.record.order.command(MODULE, IMAGE, &compiler.path));
    command.env_clear().env("PATH", &compilers.path).env("LC_ALL", "C").env("TMPDIR", scratch);
    command.current_dir(scratch).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
}

/// Waits for the end of a job, and kills its process group if it does not come.
async fn wait(mut child: Child, time: Duration, kill: impl Future<Output = Kill>) -> io::Result<End> {
    let group = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    // held open: the sitter ends when this end is closed
    let held = child.stdin.take();
    let words = tokio::spawn(words(child.stderr.take()));
    let killed = tokio::select! {
        biased;
        status = child.wait() => { status?; None }
        cause = kill => Some(End::Killed(cause)),
        () = tokio::time::sleep(time) => Some(End::Time),
    };
    if killed.is_some() {
        // not waited for yet, so the number still is this group's
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _: ExitStatus = child.wait().await?;
    }
    drop(held);
    let words = words.await.unwrap_or_default();
    Ok(killed.unwrap_or(End::Itself(words)))
}

/// Reads the first bytes of a pipe, and the rest as well so that nobody waits for room in it.
async fn words(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut pipe) = pipe else { return String::new() };
    let (mut kept, mut part) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = pipe.read(&mut part).await {
        let room = WORDS - kept.len();
        kept.extend(part.iter().take(length.min(room)));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Returns the compiler's words without the service's paths and without control characters.
fn plain(words: &str, scratch: &Path) -> String {
    let folder = scratch.to_string_lossy();
    let words = words.replace(&format!("{folder}/"), "").replace(&*folder, ".");
    let lines = words.lines().map(|line| line.strip_prefix("wisp: ").unwrap_or(line).replace(char::is_control, " "));
    lines.collect::<Vec<_>>().join("\n")
}

/// Reads what a job left in its folder.
fn read(scratch: &Path, limits: &Jobs, words: &str) -> Outcome {
    let status = fs::read_to_string(scratch.join(STATUS)).ok();
    let with = |reason, text: &str| Outcome::Failed(reason, text.to_string());
    match status.as_deref().and_then(Ended::parse) {
        Some(Ended::Code(0)) => image(scratch, limits, words),
        Some(Ended::Code(1)) if LIMITS.iter().any(|text| words.contains(text)) => with(Reason::Limit, words),
        Some(Ended::Code(1)) => with(Reason::Refused, words),
        Some(Ended::Code(_)) => with(Reason::Internal, words),
        Some(Ended::Signal(signal)) => with(
            Reason::Limit,
            &format!("the compiler was ended by signal {signal}, at a limit of the service\n{words}"),
        ),
        None => with(Reason::Limit, &format!("the system ended the compiler, perhaps for lack of memory\n{words}")),
    }
}

fn image(scratch: &Path, limits: &Jobs, words: &str) -> Outcome {
    let path = scratch.join(IMAGE);
    let length = fs::metadata(&path).map_or(0, |data| data.len());
    if length > limits.output_limit {
        let text = format!("the image has {length} bytes, and this service allows {}", limits.output_limit);
        return Outcome::Failed(Reason::Limit, text);
    }
    let bytes = fs::read(&path).unwrap_or_default();
    match wisp_image::Image::parse(&bytes) {
        Ok(_) => Outcome::Done(bytes, words.into()),
        Err(error) => Outcome::Failed(Reason::Internal, format!("the compiler made a bad image: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_without_folders_and_control_characters() {
        let words = "wisp: /state/scratch/7/module.wasm: bad\x1b[31m\ngcc: /state/scratch/7: full\n";
        assert_eq!(plain(words, Path::new("/state/scratch/7")), "module.wasm: bad [31m\ngcc: .: full");
    }

    #[tokio::test]
    async fn of_endless_words_the_first_are_kept() {
        let text = words(Some(&b"x".repeat(5 * WORDS)[..])).await;
        assert_eq!(text.len(), WORDS);
    }
}

// SPDX-License-Identifier: Apache-2.0
//! `wisp run --watch` and `west wisp watch`: begin anew whenever files change. The first of them runs the app in a process of
//! its own.
//!
//! The files are looked at again and again. That needs nothing of the system, and works in every folder, also in one that
//! another machine writes to.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use clap::Args;
use wisp_engine::TrapCode;

use crate::failure::Failure;
use crate::{exit, output};

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(100);

/// Names what is watched.
#[derive(Args)]
pub struct WatchArguments {
    /// Run the app anew when the module or the board file changes, or a file in FOLDER (may be given several times)
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = folder)]
    watch: Vec<PathBuf>,
    /// With --watch=FOLDER: a command that makes the module when a file in FOLDER has changed
    #[arg(long, value_name = "COMMAND", require_equals = true, requires = "watch")]
    build: Option<String>,
}

/// Returns the path of a folder. An empty one stands for none.
fn folder(text: &str) -> Result<PathBuf, String> {
    Ok(text.into())
}

impl WatchArguments {
    /// Returns true if something is watched.
    pub fn is_given(&self) -> bool {
        !self.watch.is_empty()
    }

    /// Returns the folders that are watched.
    fn folders(&self) -> Result<Vec<PathBuf>, Failure> {
        let folders: Vec<PathBuf> = self.watch.iter().filter(|path| !path.as_os_str().is_empty()).cloned().collect();
        if let Some(path) = folders.iter().find(|path| !path.exists()) {
            return Err(Failure::new(format!("--watch={}: there is no such folder or file", path.display())));
        }
        if folders.is_empty() && self.build.is_some() {
            return Err(Failure::new("--build: say which sources it concerns, with --watch=FOLDER"));
        }
        Ok(folders)
    }
}

/// Options of [`run`] that the process of the app does not get.
const OPTIONS: [&str; 2] = ["--watch", "--build="];

/// Names to the process of an app the process that watches.
const WATCHER: &str = "WISP_WATCHER";

/// When files were written, and how long they are. A folder stands for all its files.
type Stamp = Vec<(PathBuf, SystemTime, u64)>;

/// Adds the stamp of a file, or of all files in a folder.
fn add(path: &Path, stamp: &mut Stamp) {
    let Ok(found) = path.metadata() else { return };
    if !found.is_dir() {
        stamp.push((path.into(), found.modified().unwrap_or(SystemTime::UNIX_EPOCH), found.len()));
        return;
    }
    let entries = path.read_dir().into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| !(path.is_symlink() && path.is_dir())).collect();
    paths.sort();
    paths.iter().for_each(|path| add(path, stamp));
}

/// Returns the stamp of files and folders.
fn stamp(paths: &[PathBuf]) -> Stamp {
    let mut all = Stamp::new();
    paths.iter().for_each(|path| add(path, &mut all));
    all
}

/// Returns the stamp of folders without these files.
fn stamp_without(folders: &[PathBuf], files: &[PathBuf]) -> Stamp {
    let apart: Vec<PathBuf> = files.iter().filter_map(|file| file.canonicalize().ok()).collect();
    let is_named = |path: &Path| files.iter().any(|file| file.file_name() == path.file_name());
    let mut all = stamp(folders);
    // a path is resolved only where its name is that of one of the files
    all.retain(|(path, ..)| !is_named(path) || path.canonicalize().map_or(true, |path| !apart.contains(&path)));
    all
}

/// Returns the arguments of this process without those that only concern watching.
fn arguments(all: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut own = true;
    let kept = all.filter(|argument| {
        own = own && argument != "--";
        let text = argument.to_string_lossy();
        !own || !OPTIONS.iter().any(|option| text.starts_with(option))
    });
    kept.collect()
}

/// Ends this process when the one that watches its files has ended, in whichever way. Does nothing without such a process.
pub fn end_with_watcher() {
    let watcher = std::env::var(WATCHER).ok().and_then(|id| id.parse::<u32>().ok());
    #[cfg(unix)]
    if let Some(watcher) = watcher {
        std::thread::spawn(move || {
            // an orphan gets another parent
            while std::os::unix::process::parent_id() == watcher {
                std::thread::sleep(INTERVAL);
            }
            std::process::exit(exit::of_trap(TrapCode::Interrupted).into());
        });
    }
    #[cfg(not(unix))]
    let _ = watcher;
}

/// The process of the app, which ends with this.
pub struct App(Child);

impl App {
    /// Runs this command without the watch.
    ///
    /// # Errors
    /// No process can be started.
    pub fn start() -> Result<Self, Failure> {
        let failed = |error| Failure::new(format!("the app cannot be started anew: {error}"));
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.args(arguments(std::env::args_os().skip(1))).env(WATCHER, std::process::id().to_string());
        let child = command.spawn().map_err(failed)?;
        Ok(Self(child))
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().ok().flatten()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // one that has ended already needs no end
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command of the user's in a shell. Returns true if it went well.
fn build(command: &str) -> Result<bool, Failure> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    // Standard output is the app's, or for the paths of images. Nobody writes to the command.
    match Command::new(shell).args([flag, command]).stdin(Stdio::null()).stdout(io::stderr()).status() {
        Ok(status) => Ok(status.success()),
        Err(error) => Err(Failure::new(format!("--build: {shell} cannot be started: {error}"))),
    }
}

/// Begins anew again and again, when one of `files` has changed. When something in the folders has changed, runs the command
/// that the user gave first, if there is one. `begin` gives the app that runs until then, if it runs here. Ends only with an
/// error.
///
/// # Errors
/// The arguments make no sense, or no process can be started.
pub fn run(
    arguments: &WatchArguments,
    files: &[PathBuf],
    mut begin: impl FnMut() -> Result<Option<App>, Failure>,
) -> Result<(), Failure> {
    let (folders, builder) = (&arguments.folders()?, arguments.build.as_deref());
    let mut sources = stamp_without(folders, files);
    // true if the last build is followed by another one, because files changed during it
    let mut repeats = false;
    loop {
        let before = stamp(files);
        let mut app = begin()?;
        let mut told = false;
        let mut missed = false;
        loop {
            std::thread::sleep(INTERVAL);
            if let Some(status) = app.as_mut().and_then(App::ended).filter(|_| !told) {
                told = true;
                output::note(format_args!("the app has ended ({status}); it starts anew once its files change"));
            }
            let now = stamp_without(folders, files);
            if now != sources {
                sources = now;
                let Some(command) = builder else { break };
                if !build(command)? {
                    output::note(format_args!("`{command}` failed; the app stays as it is"));
                }
                // Somebody may have saved a file meanwhile, so the command runs once more. What changes in that run
                // as well is written by the command itself.
                let after = stamp_without(folders, files);
                repeats = !repeats && after != sources;
                if !repeats {
                    sources = after;
                }
            }
            // a file that is still being written changes until the next look
            let now = stamp(files);
            let gone = files.iter().find(|file| !file.exists());
            if let Some(file) = gone.filter(|_| !missed) {
                output::note(format_args!("{} is gone; the app starts anew once it is back", file.display()));
            }
            missed = gone.is_some();
            if now != before && now.len() >= before.len() {
                std::thread::sleep(INTERVAL);
                if stamp(files) == now {
                    break;
                }
            }
        }
        drop(app);
    }
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn what_concerns_watching_is_left_out_and_what_the_app_gets_is_kept() {
        let given = ["run", "a.wasm", "--watch", "--watch=src", "--build=make a", "--fuel", "1", "--", "--watch"];
        let kept = arguments(given.iter().map(Into::into));
        assert_eq!(kept, ["run", "a.wasm", "--fuel", "1", "--", "--watch"]);
    }
}

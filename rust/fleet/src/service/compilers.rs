// SPDX-License-Identifier: Apache-2.0
//! The compilers of the service: the program `wisp`, and a C compiler for each target.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use wisp_aotc::{target::NAMES, Machine};

use super::order::sha256;
use super::problem::Problem;
use crate::failure::Failure;

/// A C compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    /// Its path.
    pub path: String,
    /// Says which compilers make the code, `wisp` included: part of a job's id.
    pub identity: String,
}

/// Device, number, length and time of a file, of which one changes when the file is replaced.
type Stamp = (u64, u64, u64, i64, i64);

/// The compilers of the service.
pub struct Compilers {
    /// Path of the program `wisp`.
    pub wisp: PathBuf,
    /// The path that compilers find their own tools on.
    pub path: String,
    stamp: Stamp,
    targets: BTreeMap<&'static str, Option<Compiler>>,
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let data = fs::metadata(path)?;
    Ok((data.dev(), data.ino(), data.len(), data.mtime(), data.mtime_nsec()))
}

/// Returns the first executable file of this name in these folders.
fn find(name: &str, folders: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    folders.into_iter().map(|folder| folder.join(name)).find(|path| {
        path.is_absolute() && fs::metadata(path).is_ok_and(|data| data.is_file() && data.mode() & 0o111 != 0)
    })
}

fn folders() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// Returns the C compiler for a machine: that of the Zephyr SDK, or one on the path.
fn compiler_of(machine: &Machine) -> Option<PathBuf> {
    machine.compilers.iter().find_map(|prefix| {
        let sdk = env::var_os("ZEPHYR_SDK_INSTALL_DIR").map(PathBuf::from);
        let folder = prefix.trim_end_matches('-');
        let inside =
            sdk.into_iter().flat_map(|sdk| [sdk.join(folder).join("bin"), sdk.join("gnu").join(folder).join("bin")]);
        find(&format!("{prefix}gcc"), inside.chain(folders()))
    })
}

/// Returns the first line of what a program prints for `--version`.
fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").env("LC_ALL", "C").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_string())
}

/// Returns the path of the program `wisp`: the one that is named, or one beside this program or on the path.
///
/// # Errors
/// There is none.
pub fn find_wisp(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = named {
        return path.canonicalize().map_err(|error| Failure::in_file(path, error));
    }
    let beside = env::current_exe().ok().and_then(|path| path.parent().map(PathBuf::from));
    find("wisp", beside.into_iter().chain(folders()))
        .ok_or_else(|| Failure::new("there is no program `wisp` beside this one or on the path; name one with --wisp"))
}

impl Compilers {
    /// Finds the compilers.
    ///
    /// # Errors
    /// There is no `wisp`, or no C compiler for any target.
    pub fn find(wisp: Option<&Path>) -> Result<Self, Failure> {
        let wisp = find_wisp(wisp)?;
        let bad = |error: io::Error| Failure::in_file(&wisp, error);
        let stamp = stamp(&wisp).map_err(bad)?;
        let hash = sha256(&fs::read(&wisp).map_err(bad)?);
        let version = version_of(&wisp)
            .ok_or_else(|| Failure::in_file(&wisp, "this program does not tell its version; --wisp takes `wisp`"))?;
        let mut targets = BTreeMap::new();
        for name in NAMES {
            let machine = Machine::named(name).map_err(|error| Failure::new(error.to_string()))?;
            let found = compiler_of(&machine).and_then(|path| Some((version_of(&path)?, path)));
            let compiler = found.map(|(gcc, path)| Compiler {
                path: path.to_string_lossy().into_owned(),
                identity: format!("{version} (sha256 {hash}), {gcc}"),
            });
            targets.insert(*name, compiler);
        }
        if targets.values().all(Option::is_none) {
            return Err(Failure::new(
                "there is no C compiler for any target; install a cross gcc (doc/aot.md), or set ZEPHYR_SDK_INSTALL_DIR",
            ));
        }
        let path = env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".into());
        Ok(Self { wisp, path, stamp, targets })
    }

    /// Returns the names of the targets with a compiler, in a list for people.
    pub fn offered(&self) -> String {
        let names: Vec<&str> = self.targets().filter_map(|(name, found)| found.map(|_| name)).collect();
        names.join(", ")
    }

    /// Returns all targets, each with its compiler if there is one.
    pub fn targets(&self) -> impl Iterator<Item = (&'static str, Option<&Compiler>)> {
        self.targets.iter().map(|(name, found)| (*name, found.as_ref()))
    }

    /// Returns the compiler for a target.
    ///
    /// # Errors
    /// There is no such target, or no compiler for it.
    pub fn of(&self, target: &str) -> Result<&Compiler, Problem> {
        match self.targets.get(target) {
            None => Err(Problem::unknown_target(target, &self.offered())),
            Some(None) => Err(Problem::target_not_offered(target, &self.offered())),
            Some(Some(compiler)) => Ok(compiler),
        }
    }

    /// Returns whether `wisp` is still the file whose hash is part of the jobs' ids.
    pub fn is_unchanged(&self) -> bool {
        stamp(&self.wisp).is_ok_and(|stamp| stamp == self.stamp)
    }
}

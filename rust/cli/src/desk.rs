// SPDX-License-Identifier: Apache-2.0
//! Runs on this machine that need more than the engine: native code, and an end by the clock.
#![allow(unsafe_code)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use wisp_aotc::desk::Mapping;
use wisp_aotc::{add_section, Machine, Options};
use wisp_compiler::Compiled;
use wisp_engine::{Engine, InterruptHandle, Module, Refusal};
use wisp_image::Image;
use wisp_sim::{SharedClock, Stopper};

use crate::failure::Failure;
use crate::output::Progress;
use crate::{check, input};

/// The name of this machine for `--target`.
const HERE: &str = "x86-64";

/// Returns the image with native code for this machine, made from its module.
pub fn compile(path: &Path, wasm: &[u8], compiled: &Compiled, compiler: Option<String>) -> Result<Vec<u8>, Failure> {
    let failed = |error: wisp_aotc::AotError| Failure::native(path, error);
    let mut progress = Progress::new();
    progress.step("compiling native code for this machine");
    let options = Options { compiler, callers: true, ..Options::default() };
    let machine = Machine::named(HERE).map_err(failed)?;
    let native = wisp_aotc::compile_and_tell(wasm, compiled, &machine, &options, |text| progress.note(text));
    let native = native.map_err(failed)?;
    add_section(&compiled.image, &native).map_err(failed)
}

/// Maps the native code of an image for this machine, so that the processor may execute it.
pub fn map(path: &Path, engine: &Engine, bytes: &[u8]) -> Result<Mapping, Failure> {
    let image = input::image(path, bytes)?;
    let section = Module::section_of(engine, &image).map_err(|refusal| refused(path, refusal))?;
    Mapping::new(section.bytes())
        .map_err(|error| Failure::in_file(path, format_args!("the native code cannot be mapped: {error}")))
}

fn refused(path: &Path, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Target(_, None) => Failure::new("--native: there is no native code for this machine, only for x86-64"),
        Refusal::Target(found, Some(_)) => {
            let found = found.map_or_else(String::new, |found| format!(", only for {found}"));
            Failure::in_file(
                path,
                format_args!(
                    "the image has no native code for this machine{found}; build it with --target {HERE} as well, or run \
                     the wasm module"
                ),
            )
        }
        refusal => Failure::in_file(path, refusal),
    }
}

/// Returns the module whose instances run the mapped code.
pub fn module<'m>(path: &Path, engine: &Engine, bytes: &'m [u8], mapping: &'m Mapping) -> Result<Module<'m>, Failure> {
    let image: Image<'m> = input::image(path, bytes)?;
    check::all(&image).map_err(|error| Failure::in_file(path, error))?;
    let section = mapping.section().map_err(|refusal| refused(path, refusal))?;
    // SAFETY: the section is of this image, and lies in read-only memory that lives as long as the module. Either
    // this process made it from the module, or the user asked with --native to run the machine code in the file, as
    // with any program.
    unsafe { Module::new_native(engine, image, section) }.map_err(|refusal| refused(path, refusal))
}

/// Ends a run when its duration is over, although the guest does not sleep, or when somebody wants it. The duration is one of
/// the app's clock, or of wall-clock time if the app's clock stands still because the guest only computes.
pub struct Watch {
    clock: SharedClock,
    limit: Option<Duration>,
    /// Set by somebody who wants an end, and what then ends the waits of the host.
    wanted: Option<(Arc<AtomicBool>, Stopper)>,
    over: Mutex<bool>,
    changed: Condvar,
    ended_it: AtomicBool,
}

/// Between two looks at the clock.
const INTERVAL: Duration = Duration::from_millis(20);
/// Computing for less than this is no sign that the guest spins.
const PATIENCE: Duration = Duration::from_millis(500);

impl Watch {
    /// Watches an app's clock, if its run has a duration.
    pub fn new(clock: SharedClock) -> Self {
        let limit = clock.limit();
        Self {
            clock,
            limit,
            wanted: None,
            over: Mutex::new(false),
            changed: Condvar::new(),
            ended_it: AtomicBool::new(false),
        }
    }

    /// Does not watch the clock: an app that a debugger holds does not spin.
    pub fn ignore_clock(&mut self) {
        self.limit = None;
    }

    /// Watches for an end that somebody wants.
    pub fn end_when(&mut self, wanted: Arc<AtomicBool>, stopper: Stopper) {
        self.wanted = Some((wanted, stopper));
    }

    /// Returns true if the end of the duration is what ended the run.
    pub fn ended_it(&self) -> bool {
        self.ended_it.load(Ordering::Relaxed)
    }

    /// Does something, and interrupts the guest meanwhile if its time is over or somebody wants it.
    pub fn during<R>(&self, handle: InterruptHandle<'_>, run: impl FnOnce() -> R) -> R {
        if self.limit.is_none() && self.wanted.is_none() {
            return run();
        }
        std::thread::scope(|scope| {
            scope.spawn(move || self.watch(&handle));
            let result = run();
            *self.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.changed.notify_all();
            result
        })
    }

    fn watch(&self, handle: &InterruptHandle<'_>) {
        let (mut last, mut moved) = (self.clock.now(), Instant::now());
        let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        while !*over {
            over = self.changed.wait_timeout(over, INTERVAL).unwrap_or_else(PoisonError::into_inner).0;
            if let Some((_, stopper)) = self.wanted.as_ref().filter(|(wanted, _)| wanted.load(Ordering::Relaxed)) {
                stopper.stop();
                handle.interrupt();
                return;
            }
            let Some(limit) = self.limit else { continue };
            let now = self.clock.now();
            if now != last {
                (last, moved) = (now, Instant::now());
            }
            // a sleep to the limit ends the run itself
            if now > limit || moved.elapsed() >= limit.max(PATIENCE) {
                self.ended_it.store(true, Ordering::Relaxed);
                handle.interrupt();
                return;
            }
        }
    }
}

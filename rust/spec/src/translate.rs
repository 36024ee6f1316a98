// SPDX-License-Identifier: Apache-2.0
//! Native code for the modules of a tape, by the cross compiler of a target.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::thread;

use wast::WastDirective;
use wisp_aotc::{add_section, compile, Machine, Options};
use wisp_compiler::Compiled;

use crate::prepare::{native_options, prepare_with, Prepared};
use crate::skips::{Directives, THUMB1_NATIVE};

/// Images with native code, by those without.
pub type Native = HashMap<Vec<u8>, Vec<u8>>;

/// Machine that the modules are translated for, and options of the translation.
pub struct Translator {
    machine: Machine,
    options: Options,
}

impl Translator {
    /// Returns the translator for a target that `wisp build --target` knows.
    ///
    /// # Errors
    /// There is no such target.
    pub fn named(target: &str) -> Result<Self, String> {
        Machine::named(target).map(|machine| Self::new(machine, None)).map_err(|error| error.to_string())
    }

    /// Returns the translator for what a compiler makes code for with these flags.
    ///
    /// # Errors
    /// The compiler cannot be started, or native code is not made for its machine.
    pub fn of_compiler(compiler: String, flags: &str) -> Result<Self, String> {
        let flags: Vec<String> = flags.split_whitespace().map(String::from).collect();
        let machine = Machine::of_compiler(&compiler, &flags).map_err(|error| error.to_string())?;
        Ok(Self::new(machine, Some(compiler)))
    }

    /// Makes code that is stopped from outside, as on devices.
    fn new(machine: Machine, compiler: Option<String>) -> Self {
        Self { machine, options: Options { poll: false, compiler, ..native_options() } }
    }

    /// Divides all functions into parts of so many bytes of C.
    pub fn in_parts(&mut self, bytes: usize) {
        self.options.part = Some(bytes);
    }

    /// Directives that code for this target cannot run.
    pub(crate) fn skips(&self) -> &'static [Directives] {
        if self.machine.thumb1() {
            THUMB1_NATIVE
        } else {
            &[]
        }
    }

    /// Translates all modules, on all processors.
    pub(crate) fn translate(&self, modules: &Modules) -> Result<Native, String> {
        let modules: Vec<(&Vec<u8>, &Compiled)> = modules.0.iter().collect();
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Ok(Native::new()));
        let work = || {
            while let Some(&(wasm, compiled)) = modules.get(next.fetch_add(1, Ordering::Relaxed)) {
                let image = compile(wasm, compiled, &self.machine, &self.options)
                    .and_then(|native| add_section(&compiled.image, &native));
                let Ok(mut done) = done.lock() else { return };
                match (image, done.as_mut()) {
                    (Ok(image), Ok(done)) => drop(done.insert(compiled.image.clone(), image)),
                    (Err(error), Ok(_)) => *done = Err(error.to_string()),
                    (_, Err(_)) => return,
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        done.into_inner().map_err(|_| "a translation panicked")?
    }
}

/// Modules that compile, by their wasm.
#[derive(Default)]
pub(crate) struct Modules(HashMap<Vec<u8>, Compiled>);

impl Modules {
    /// Adds one, and returns its image.
    pub(crate) fn compile(&mut self, wasm: &[u8]) -> Result<Vec<u8>, String> {
        let options = wisp_compiler::Options { name: "spec", trim: false, ..Default::default() };
        let compiled = wisp_compiler::compile(wasm, &options).map_err(|error| error.to_string())?;
        let image = compiled.image.clone();
        self.0.insert(wasm.to_vec(), compiled);
        Ok(image)
    }

    /// Adds those of a file.
    pub(crate) fn add(&mut self, directives: &mut [WastDirective<'_>]) {
        for directive in directives {
            prepare_with(directive, &mut |wasm, compiled| {
                self.0.insert(wasm.to_vec(), compiled);
                Prepared::None
            });
        }
    }
}

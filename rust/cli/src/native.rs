// SPDX-License-Identifier: Apache-2.0
//! Native code for images: what `--target` asks for.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use wisp_aotc::{add_section, compile, without_ir, Machine, Options};
use wisp_compiler::Compiled;

use crate::failure::Failure;

/// How native code is stopped.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stop {
    /// It looks at the stop flag in loops and recursive functions: works everywhere
    Poll,
    /// The runtime rewrites the program counter of its thread: costs nothing, where the port can
    Async,
}

/// Arguments that concern native code.
#[derive(Args)]
#[command(next_help_heading = "Native code")]
pub struct NativeArguments {
    /// Add native code for this machine; may be given several times
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// C compiler [default: the Zephyr SDK's or the cross compiler on the path]
    #[arg(long, value_name = "COMMAND", requires = "target")]
    cc: Option<String>,
    /// How the code is stopped
    #[arg(long, value_enum, default_value = "poll", requires = "target")]
    stop: Stop,
    /// Optimise for size
    #[arg(long, requires = "target")]
    small: bool,
    /// Trap exactly where the specification has it, with all earlier stores done
    #[arg(long, requires = "target")]
    strict: bool,
    /// Leave out where in a function a trap arises: smaller
    #[arg(long, requires = "target")]
    no_trap_sites: bool,
    /// Leave out the IR: the app runs only where its native code does
    #[arg(long, requires = "target")]
    native_only: bool,
    /// Keep the generated C in this folder
    #[arg(long, value_name = "FOLDER", requires = "target")]
    keep_c: Option<PathBuf>,
}

impl NativeArguments {
    /// The image with native code, and a line about each section.
    ///
    /// # Errors
    /// An unknown target, a missing compiler, what the compiler says.
    pub fn add(&self, path: &Path, wasm: &[u8], compiled: &Compiled) -> Result<(Vec<u8>, Vec<String>), Failure> {
        let failed = |error: wisp_aotc::AotError| Failure::in_file(path, error);
        let (mut image, mut report) = (compiled.image.clone(), Vec::new());
        for name in &self.target {
            let machine = Machine::named(name).map_err(|error| Failure::new(error.to_string()))?;
            let options = Options {
                strict: self.strict,
                poll: self.stop == Stop::Poll,
                sites: !self.no_trap_sites,
                optimize: if self.small { "-Os" } else { "-O2" }.into(),
                compiler: self.cc.clone(),
                keep: self.keep_c.as_ref().map(|folder| folder.join(name)),
            };
            let native = compile(wasm, compiled, &machine, &options).map_err(failed)?;
            image = add_section(&image, &native).map_err(failed)?;
            report.push(format!(
                "native code for {name}: {} bytes, {} of them code; {} bytes of stack",
                native.section.len(),
                native.code_size,
                native.stack
            ));
        }
        if self.native_only {
            image = without_ir(&image).map_err(failed)?;
        }
        Ok((image, report))
    }
}

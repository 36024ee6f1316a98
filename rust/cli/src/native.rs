// SPDX-License-Identifier: Apache-2.0
//! Native code for images: what `--target` asks for.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use wisp_aotc::{add_section, compile_and_tell, without_ir, Machine, Options};
use wisp_compiler::Compiled;

use crate::failure::Failure;
use crate::output::Progress;

/// The way in which native code is stopped.
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
    /// Add native code for this machine (may be given several times)
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// C compiler [default: the Zephyr SDK's or the cross compiler on the path]
    #[arg(long, value_name = "COMMAND")]
    cc: Option<String>,
    /// Add native code for what the compiler makes code for with these flags, instead of a --target
    #[arg(long, value_name = "FLAGS", requires = "cc", allow_hyphen_values = true)]
    cflags: Option<String>,
    /// Add native code for the board of a Zephyr build, with its compiler and flags
    #[arg(long, value_name = "FOLDER")]
    build_dir: Option<PathBuf>,
    /// Way in which the code is stopped
    #[arg(long, value_enum, default_value = "poll")]
    stop: Stop,
    /// Optimise for size
    #[arg(long)]
    small: bool,
    /// Trap exactly where the specification has it, with all earlier stores done
    #[arg(long)]
    strict: bool,
    /// Leave out where in a function a trap arises: smaller
    #[arg(long)]
    no_trap_sites: bool,
    /// Tell who called the function that traps: larger (needs gcc)
    #[arg(long)]
    callers: bool,
    /// Leave out the IR: the app runs only where its native code does
    #[arg(long)]
    native_only: bool,
    /// Keep the generated C in this folder
    #[arg(long, value_name = "FOLDER")]
    keep_c: Option<PathBuf>,
}

/// Returns the compiler and the flags of a Zephyr build, from any of its C files.
fn of_build(folder: &Path) -> Result<(String, Vec<String>), Failure> {
    let path = folder.join("compile_commands.json");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::in_file(&path, format_args!("{error}; --build-dir takes the folder of a Zephyr build"))
    })?;
    // the file has one form: lines "command": "compiler flags... -o object -c file.c"
    let command = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("\"command\": \""))
        .map(|line| line.trim_end_matches(',').trim_end_matches('"').replace("\\\"", "\""))
        .find(|command| command.ends_with(".c") && !command.contains("native_simulator"))
        .ok_or_else(|| Failure::in_file(&path, "it has no C file"))?;
    let mut words = command.split_whitespace().map(String::from).peekable();
    if words.peek().is_some_and(|word| word.ends_with("ccache")) {
        words.next();
    }
    let compiler = words.next().unwrap_or_default();
    Ok((compiler, words.collect()))
}

impl NativeArguments {
    /// Returns the machines to make code for, each with a name and the compiler that was asked for.
    fn machines(&self) -> Result<Vec<(String, Machine, Option<String>)>, Failure> {
        let failed = |error: wisp_aotc::AotError| Failure::new(error.to_string());
        let mut out = Vec::new();
        for name in &self.target {
            out.push((name.clone(), Machine::named(name).map_err(failed)?, self.cc.clone()));
        }
        if let (Some(flags), Some(compiler)) = (&self.cflags, &self.cc) {
            let flags: Vec<String> = flags.split_whitespace().map(String::from).collect();
            let machine = Machine::of_compiler(compiler, &flags).map_err(failed)?;
            out.push((machine.target.to_string(), machine, Some(compiler.clone())));
        }
        if let Some(folder) = &self.build_dir {
            let (compiler, flags) = of_build(folder)?;
            let machine = Machine::of_compiler(&compiler, &flags).map_err(failed)?;
            out.push((machine.target.to_string(), machine, Some(self.cc.clone().unwrap_or(compiler))));
        }
        Ok(out)
    }

    /// Returns the first option that changes nothing without a machine.
    fn without_machine(&self) -> Option<&'static str> {
        let options = [
            (self.native_only, "--native-only"),
            (self.strict, "--strict"),
            (self.small, "--small"),
            (self.no_trap_sites, "--no-trap-sites"),
            (self.callers, "--callers"),
            (self.stop == Stop::Async, "--stop"),
            (self.cc.is_some(), "--cc"),
            (self.keep_c.is_some(), "--keep-c"),
        ];
        options.iter().find(|(given, _)| *given).map(|&(_, option)| option)
    }

    /// Returns the image with native code.
    ///
    /// # Errors
    /// An unknown target, a missing compiler, what the compiler says.
    pub fn add(
        &self,
        path: &Path,
        wasm: &[u8],
        compiled: &Compiled,
        progress: &mut Progress,
    ) -> Result<Vec<u8>, Failure> {
        let failed = |error: wisp_aotc::AotError| Failure::native(path, error);
        let mut image = compiled.image.clone();
        let machines = self.machines()?;
        if let (true, Some(option)) = (machines.is_empty(), self.without_machine()) {
            return Err(Failure::new(format!("{option} concerns native code: say for what machine, with --target")));
        }
        for (index, (name, machine, compiler)) in machines.iter().enumerate() {
            progress.step(&format!("compiling native code for {name} ({} of {})", index + 1, machines.len()));
            let options = Options {
                strict: self.strict,
                poll: self.stop == Stop::Poll,
                sites: !self.no_trap_sites,
                callers: self.callers,
                assert_known: false,
                part: None,
                optimize: if self.small { "-Os" } else { "-O2" }.into(),
                compiler: compiler.clone(),
                keep: self.keep_c.as_ref().map(|folder| folder.join(name)),
            };
            let tell = |text: &str| progress.note(format_args!("native code for {name}: {text}"));
            let native = compile_and_tell(wasm, compiled, machine, &options, tell).map_err(failed)?;
            image = add_section(&image, &native).map_err(failed)?;
        }
        if self.native_only {
            image = without_ir(&image).map_err(failed)?;
        }
        Ok(image)
    }
}

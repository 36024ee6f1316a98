// SPDX-License-Identifier: Apache-2.0
//! The suites, and what they print: `scripts/spec_targets.py` reads it.

use core::fmt::{Arguments as Text, Write};
use core::slice;

use semihosting::{print, println};
use wisp_engine::{Config, Engine, Module};
use wisp_tape::{Counts, Observer, Place};

use crate::arguments::{Arguments, Command, Region};
use crate::{demo, fail};

/// Bytes of the stack that translated code may take: less than the board has by far.
#[cfg(feature = "translate")]
const STACK: u32 = 3 << 18;

/// Runs what the command line names. False if something failed.
pub fn run(arguments: &Arguments) -> bool {
    let Region { address, size } = arguments.arena;
    if address == 0 || address % 8 != 0 {
        fail(format_args!("there is no arena, or it is not aligned to 8 bytes"));
    }
    // SAFETY: the emulated board has RAM there that nothing else uses (scripts/suites/bare.py), aligned to 8.
    let arena = unsafe { slice::from_raw_parts_mut(address as *mut u64, size / 8) };
    match arguments.command {
        Command::Forms => forms(arena, arguments),
        Command::Play => play(tape(arguments), arena, arguments),
        Command::Demo => demo::run(tape(arguments), arena),
        #[cfg(feature = "app")]
        Command::App => crate::app::run(tape(arguments), arena, arguments.memory),
        #[cfg(not(feature = "app"))]
        Command::App => fail(format_args!("the program is built without host functions")),
        #[cfg(feature = "translate")]
        Command::Compare => crate::compare::run(tape(arguments), arena, &translating),
        #[cfg(feature = "callers")]
        Command::Callers => crate::callers::run(tape(arguments), arena, arguments.native),
        #[cfg(not(feature = "callers"))]
        Command::Callers => fail(format_args!("the program is built without callers of native code")),
        #[cfg(not(feature = "translate"))]
        Command::Compare => fail(format_args!("the program is built without the translator")),
    }
}

/// Returns the tape, or the image in its place.
fn tape(arguments: &Arguments) -> &'static [u8] {
    let Region { address, size } = arguments.tape;
    if address == 0 {
        fail(format_args!("there is no tape"));
    }
    // SAFETY: the emulator has put it there before the program began, and nothing writes to it.
    unsafe { slice::from_raw_parts(address as *const u8, size) }
}

/// The emulator's console.
struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        print!("{text}");
        Ok(())
    }
}

/// Random programs that interpreter and translated code are compared by.
const PROGRAMS: usize = 400;

/// Returns the configuration of stores in which code may take so many bytes.
fn translating(config: Config, bytes: u32) -> Config {
    #[cfg(feature = "translate")]
    return config.translate(bytes).translated_stack(STACK);
    #[cfg(not(feature = "translate"))]
    match bytes {
        0 => config,
        _ => fail(format_args!("the program is built without the translator")),
    }
}

fn forms(arena: &mut [u64], arguments: &Arguments) -> bool {
    let config = translating(Config::new(), arguments.translate);
    let outcome = wisp_forms::check_all(&config, arena, arguments.effort, &mut Console);
    println!("forms: {} ops, {} failed", outcome.checked, outcome.failed);
    if arguments.translate == 0 {
        return outcome.failed == 0;
    }
    let programs = wisp_forms::check_programs((&Config::new(), &config), PROGRAMS, arena, &mut Console);
    println!("programs: {} checked, {} translated, {} failed", programs.checked, programs.translated, programs.failed);
    outcome.failed == 0 && programs.failed == 0
}

fn play(tape: &[u8], arena: &mut [u64], arguments: &Arguments) -> bool {
    let large = arena.len() * 8 >= wisp_tape::LARGE_ARENA;
    let mut player = Player { arguments, functions: (0, 0) };
    match wisp_tape::play(tape, arena, large, &mut player) {
        Ok(Counts { passed, failed, skipped, desk }) => {
            if arguments.translate != 0 {
                println!("translated: {} of {} functions", player.functions.1, player.functions.0);
            }
            println!("suite: {passed} passed, {failed} failed, {skipped} skipped, {desk} judged on the workstation");
            failed == 0
        }
        Err(damaged) => fail(format_args!("the tape is damaged: {damaged:?}")),
    }
}

/// Prints what happens on the console, and runs native code if it may take stack.
struct Player<'a> {
    arguments: &'a Arguments,
    /// Functions, and those that became machine code.
    functions: (u32, u32),
}

impl Observer for Player<'_> {
    fn functions(&mut self, all: u32, translated: u32) {
        self.functions.0 += all;
        self.functions.1 += translated;
    }

    fn file(&mut self, name: &str, counts: Counts) {
        let Counts { passed, failed, skipped, desk } = counts;
        println!("spec: {name} {passed} {failed} {skipped} {desk}");
    }

    fn failure(&mut self, place: Place<'_>, what: Text<'_>) {
        println!("spec: failed: {}:{}: {what}", place.file, place.line);
    }

    fn config(&self, config: Config) -> Config {
        #[cfg(feature = "native")]
        if self.arguments.native != 0 {
            return config.native_stack(self.arguments.native).native_stop(true);
        }
        translating(config, self.arguments.translate)
    }

    fn module(&mut self, engine: &Engine, module: &mut Module<'_>) -> Result<(), &'static str> {
        match self.arguments.native {
            0 => Ok(()),
            _ => use_native(engine, module),
        }
    }
}

#[cfg(feature = "native")]
pub fn use_native(engine: &Engine, module: &mut Module<'_>) -> Result<(), &'static str> {
    let section = module.native_section(engine).map_err(|_| "there is no native code for this machine")?;
    // SAFETY: `wisp-spec` had the code made by `wisp-aotc` for the tape, which nothing writes to.
    unsafe { module.use_native(engine, section) }.map_err(|_| "the native code was refused")
}

#[cfg(not(feature = "native"))]
fn use_native(_: &Engine, _: &mut Module<'_>) -> Result<(), &'static str> {
    Err("the program is built without native code")
}

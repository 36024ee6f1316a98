// SPDX-License-Identifier: Apache-2.0
//! The suites, and what they print: `scripts/spec_targets.py` reads it.

use core::fmt::{Arguments as Text, Write};
use core::slice;

use semihosting::{print, println};
#[cfg(feature = "native")]
use wisp_engine::Config;
use wisp_engine::{Engine, Module};
use wisp_forms::Effort;
use wisp_tape::{Counts, Observer, Place};

use crate::arguments::{Arguments, Command, Region};
use crate::{demo, fail};

/// Runs what the command line names. False if something failed.
pub fn run(arguments: &Arguments) -> bool {
    let Region { address, size } = arguments.arena;
    if address == 0 || address % 8 != 0 {
        fail(format_args!("there is no arena, or it is not aligned to 8 bytes"));
    }
    // SAFETY: the emulated board has RAM there that nothing else uses (scripts/suites/bare.py), aligned to 8.
    let arena = unsafe { slice::from_raw_parts_mut(address as *mut u64, size / 8) };
    match arguments.command {
        Command::Forms => forms(arena, arguments.effort),
        Command::Play => play(tape(arguments), arena, arguments.native),
        Command::Demo => demo::run(tape(arguments), arena),
    }
}

/// The tape, or the image in its place.
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

fn forms(arena: &mut [u64], effort: Effort) -> bool {
    let outcome = wisp_forms::check_all(arena, effort, &mut Console);
    println!("forms: {} ops, {} failed", outcome.checked, outcome.failed);
    outcome.failed == 0
}

fn play(tape: &[u8], arena: &mut [u64], native_stack: u32) -> bool {
    let large = arena.len() * 8 >= wisp_tape::LARGE_ARENA;
    match wisp_tape::play(tape, arena, large, &mut Player { native_stack }) {
        Ok(Counts { passed, failed, skipped, desk }) => {
            println!("suite: {passed} passed, {failed} failed, {skipped} skipped, {desk} judged on the desk");
            failed == 0
        }
        Err(damaged) => fail(format_args!("the tape is damaged: {damaged:?}")),
    }
}

/// Tells the console what happens, and runs native code if it may take stack.
struct Player {
    native_stack: u32,
}

impl Observer for Player {
    fn file(&mut self, name: &str, counts: Counts) {
        let Counts { passed, failed, skipped, desk } = counts;
        println!("spec: {name} {passed} {failed} {skipped} {desk}");
    }

    fn failure(&mut self, place: Place<'_>, what: Text<'_>) {
        println!("spec: failed: {}:{}: {what}", place.file, place.line);
    }

    #[cfg(feature = "native")]
    fn config(&self, config: Config) -> Config {
        config.native_stack(self.native_stack).native_stop(true)
    }

    fn module(&mut self, engine: &Engine, module: &mut Module<'_>) -> Result<(), &'static str> {
        match self.native_stack {
            0 => Ok(()),
            _ => use_native(engine, module),
        }
    }
}

#[cfg(feature = "native")]
fn use_native(engine: &Engine, module: &mut Module<'_>) -> Result<(), &'static str> {
    let section = module.native_section(engine).map_err(|_| "there is no native code for this machine")?;
    // SAFETY: `wisp-spec` had the code made by `wisp-aotc` for the tape, which nothing writes to.
    unsafe { module.use_native(engine, section) }.map_err(|_| "the native code was refused")
}

#[cfg(not(feature = "native"))]
fn use_native(_: &Engine, _: &mut Module<'_>) -> Result<(), &'static str> {
    Err("the program is built without native code")
}

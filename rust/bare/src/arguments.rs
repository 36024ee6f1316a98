// SPDX-License-Identifier: Apache-2.0
//! Reads the command line.

use semihosting::experimental::env;
use wisp_forms::Effort;

use crate::fail;

/// Bytes of the longest command line.
const LONGEST: usize = 512;

/// A piece of the address space.
#[derive(Clone, Copy, Default)]
pub struct Region {
    /// Its first byte.
    pub address: usize,
    /// Its number of bytes.
    pub size: usize,
}

/// The task that the program was started for.
#[derive(Clone, Copy, Default)]
pub enum Command {
    /// Check every form of every op.
    #[default]
    Forms,
    /// Play the tape.
    Play,
    /// Run the image that lies where the tape would.
    Demo,
    /// Run the image that lies where the tape would, with the host functions of a firmware.
    App,
    /// Run images that lie where the tape would, in the interpreter and as translated code.
    Compare,
    /// Run images that lie where the tape would, in the interpreter and as native code, and compare the callers of traps.
    Callers,
}

/// The command line.
#[derive(Default)]
pub struct Arguments {
    /// The task of the program.
    pub command: Command,
    /// Memory for the allocator.
    pub heap: Region,
    /// The end of the stack's memory, or 0 to stay on the one that the board begins with.
    pub stack: usize,
    /// Memory for stores.
    pub arena: Region,
    /// The tape.
    pub tape: Region,
    /// Bytes of the arena that machine code made from IR may take. With 0 nothing is translated.
    pub translate: u32,
    /// Bytes of stack that native code may take. With 0 the interpreter runs.
    pub native: u32,
    /// Bytes of linear memory that `app` may have.
    pub memory: u32,
    /// Cases and rounds of the forms.
    pub effort: Effort,
}

/// Calls a function with the command line, and ends the program if that is not understood.
pub fn with<R>(then: impl FnOnce(&Arguments) -> R) -> R {
    let Ok(line) = env::args::<LONGEST>() else { fail(format_args!("the emulator gave no command line")) };
    let mut arguments = Arguments::default();
    let mut command = None;
    // the first is the program's own name
    for word in (&line).skip(1) {
        let Ok(word) = word else { fail(format_args!("the command line is not UTF-8")) };
        let unknown = || -> ! { fail(format_args!("`{word}` is not understood")) };
        match word.split_once('=') {
            None if word == "forms" => command = Some(Command::Forms),
            None if word == "play" => command = Some(Command::Play),
            None if word == "demo" => command = Some(Command::Demo),
            None if word == "app" => command = Some(Command::App),
            None if word == "compare" => command = Some(Command::Compare),
            None if word == "callers" => command = Some(Command::Callers),
            None => unknown(),
            Some((name, value)) => {
                let Some(region) = region(value) else { unknown() };
                match name {
                    "heap" => arguments.heap = region,
                    "stack" => arguments.stack = region.address,
                    "arena" => arguments.arena = region,
                    "tape" => arguments.tape = region,
                    "cases" => arguments.effort = Effort { cases: region.address, rounds: region.size },
                    "translate" => arguments.translate = region.address as u32,
                    "memory" => arguments.memory = region.address as u32,
                    "native" => arguments.native = region.address as u32,
                    _ => unknown(),
                }
            }
        }
    }
    let Some(command) = command else {
        fail(format_args!("the command line names none of forms, play, compare, demo, app"))
    };
    then(&Arguments { command, ..arguments })
}

/// Reads `A` or `A:N`, in decimal numbers.
fn region(text: &str) -> Option<Region> {
    let (address, size) = text.split_once(':').unwrap_or((text, "0"));
    Some(Region { address: address.parse().ok()?, size: size.parse().ok()? })
}

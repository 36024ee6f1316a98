// SPDX-License-Identifier: Apache-2.0
//! Runs the engine's test suites on an emulated board, without an operating system: the official suite and
//! other cases from a tape, in the interpreter or as native code, and every form of every op.
//!
//! `forms heap=A:N stack=A arena=A:N [cases=CASES:ROUNDS]` checks the forms. `play heap=A:N stack=A arena=A:N tape=A:N
//! [native=STACK]` plays the tape that the emulator has put there. `A` is an address, `N` a number of bytes.
//! `compare` with the same arguments runs images in place of the tape in two tiers, and `callers` runs images with native
//! code. `demo` with the same arguments runs
//! an image in place of the tape, for `make demo`. `app` runs one with all host functions of a firmware.
//! The emulator passes the command line, shows what is printed and takes the exit code, by semihosting.
#![no_std]
#![no_main]

extern crate alloc;

#[cfg(feature = "app")]
mod app;
mod arguments;
#[cfg(feature = "callers")]
mod callers;
#[cfg(feature = "translate")]
mod compare;
mod demo;
#[cfg(any(feature = "callers", feature = "translate"))]
mod images;
mod machine;
mod suites;

use core::panic::PanicInfo;

use embedded_alloc::LlffHeap;
use semihosting::{eprintln, process};

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

/// Ends the program with what went wrong.
fn fail(why: core::fmt::Arguments<'_>) -> ! {
    eprintln!("bare: {why}");
    process::exit(2)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    fail(format_args!("{info}"))
}

/// Does what the command line asks for, on the board's small initial stack until it is known where there is a larger one.
fn main() -> ! {
    let stack = arguments::with(|arguments| arguments.stack);
    machine::continue_on(stack, run)
}

/// Runs the suite with the stack that it takes.
fn run() -> ! {
    let passed = arguments::with(|arguments| {
        // SAFETY: the emulated board has RAM there which nothing else uses (scripts/suites/bare.py), and this
        // is the only call.
        unsafe { HEAP.init(arguments.heap.address, arguments.heap.size) };
        suites::run(arguments)
    });
    process::exit(if passed { 0 } else { 1 })
}

// SPDX-License-Identifier: Apache-2.0
//! Tests of the engine on the target, in the very library that ships: called by `tests/spec`, whose
//! `selftest.h` declares what is exported here and defines what is taken from it.

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::fmt::{Arguments, Write};

#[cfg(feature = "native")]
use wisp_engine::Config;
use wisp_engine::{Engine, Module};
use wisp_tape::{Counts, Observer, Place};

extern "C" {
    fn selftest_alloc(size: usize, align: usize) -> *mut u8;
    fn selftest_free(place: *mut u8);
    fn selftest_print(text: *const u8, length: usize);
}

struct Heap;

#[global_allocator]
static HEAP: Heap = Heap;

// SAFETY: the C functions give a block of that size and alignment which nothing else has, or null, and take
// it back; they may be called from any thread.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size is not zero, by the contract of this function.
        unsafe { selftest_alloc(layout.size(), layout.align()) }
    }

    unsafe fn dealloc(&self, place: *mut u8, _: Layout) {
        // SAFETY: `place` is what `alloc` gave, by the contract of this function.
        unsafe { selftest_free(place) }
    }
}

/// The console.
struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        // SAFETY: pointer and length are those of one string, which is only read.
        unsafe { selftest_print(text.as_ptr(), text.len()) }
        Ok(())
    }
}

/// Assertions by outcome, for C.
#[repr(C)]
pub struct Outcome {
    passed: u32,
    failed: u32,
    skipped: u32,
    desk: u32,
}

/// Tells the console what happens, and runs native code if it may take stack.
struct Player {
    native_stack: u32,
}

impl Observer for Player {
    fn file(&mut self, name: &str, counts: Counts) {
        let Counts { passed, failed, skipped, desk } = counts;
        // the console takes everything
        let _ = writeln!(Console, "spec: {name} {passed} {failed} {skipped} {desk}");
    }

    fn failure(&mut self, place: Place<'_>, what: Arguments<'_>) {
        let _ = writeln!(Console, "spec: failed: {}:{}: {what}", place.file, place.line);
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
    // SAFETY: the tape is part of the firmware; `wisp-spec` had it made by `wisp-aotc`.
    unsafe { module.use_native(engine, section) }.map_err(|_| "the native code was refused")
}

#[cfg(not(feature = "native"))]
fn use_native(_: &Engine, _: &mut Module<'_>) -> Result<(), &'static str> {
    Err("the library is built without native code")
}

/// Plays a tape: native code with this many bytes of stack, or the IR with 0. False if it cannot be read.
///
/// # Safety
/// `tape` has `tape_size` bytes that nobody writes; `arena` has `arena_size` bytes that nobody else uses,
/// aligned to 8; `outcome` may be written.
#[no_mangle]
pub unsafe extern "C" fn selftest_play(
    tape: *const u8,
    tape_size: usize,
    arena: *mut u64,
    arena_size: usize,
    large: bool,
    native_stack: u32,
    outcome: *mut Outcome,
) -> bool {
    // SAFETY: by the contract of this function.
    let tape = unsafe { core::slice::from_raw_parts(tape, tape_size) };
    // SAFETY: as above.
    let arena = unsafe { core::slice::from_raw_parts_mut(arena, arena_size / 8) };
    match wisp_tape::play(tape, arena, large, &mut Player { native_stack }) {
        Ok(Counts { passed, failed, skipped, desk }) => {
            // SAFETY: as above.
            unsafe { outcome.write(Outcome { passed, failed, skipped, desk }) };
            true
        }
        Err(damaged) => {
            let _ = writeln!(Console, "spec: {damaged:?}");
            false
        }
    }
}

/// Checks every form of every op and gives the number of those checked; failures are counted in `failed`.
///
/// # Safety
/// `arena` has 4096 bytes that nobody else uses, aligned to 8; `failed` may be written.
#[no_mangle]
pub unsafe extern "C" fn selftest_forms(arena: *mut u64, failed: *mut u32) -> u32 {
    // SAFETY: by the contract of this function.
    let arena = unsafe { core::slice::from_raw_parts_mut(arena, 512) };
    let outcome = wisp_forms::check_all(arena, &mut Console);
    // SAFETY: as above.
    unsafe { failed.write(outcome.failed as u32) };
    outcome.checked as u32
}

// SPDX-License-Identifier: Apache-2.0
//! Machine code that the engine makes of IR: the memory that it lies in, and the stack that it takes.

use wisp_engine::{Config, Engine, Translated, TRANSLATED_RESERVE};

use crate::shim;

/// Bytes of stack that code has at least beside what it leaves free. With less, the app is interpreted.
const STACK: usize = 1024;

/// Returns the bytes that the running thread's stack lacks for code.
#[inline(never)]
fn stack_needed(run: &shim::wisp_run) -> u32 {
    let here = (&raw const *run).addr();
    let least = run.translated_limit + TRANSLATED_RESERVE + STACK;
    least.saturating_sub(here) as u32
}

/// Returns the engine for a store whose instance of `functions` functions is translated, and takes memory for the code.
/// If the stack lacks room for code, the instance is interpreted.
#[inline(never)]
pub fn engine(config: &Config, run: &shim::wisp_run, functions: usize) -> Engine {
    let stack_needed = stack_needed(run);
    if stack_needed != 0 {
        keep(run.app, &Translated { functions: functions as u32, ..Translated::default() }, stack_needed);
        return Engine::new(config);
    }
    let mut size = 0;
    // SAFETY: the app is that of this thread.
    let start = unsafe { shim::wisp_shim_code_take(run.app, &mut size) };
    let config = config.translate_budget(run.translate_budget).translated_limit(run.translated_limit);
    // SAFETY: C gives this memory to this app alone until `done` is called, and the bytes that it names then until the
    // run ends. The function writes to it.
    Engine::new(&unsafe {
        config.translate_to(start, size, shim::wisp_shim_code_write, done, run.app.expose_provenance())
    })
}

/// Logs the figures of a translation. Is called when the app's instance has its code, before anything of the app runs.
fn done(app: usize, figures: Translated) {
    keep(core::ptr::with_exposed_provenance(app), &figures, 0);
}

/// Gives back the memory that no code was written to, and tells what is interpreted. The app is that of this thread.
#[inline(never)]
fn keep(app: *const shim::wisp_app, figures: &Translated, stack_needed: u32) {
    let figures = shim::wisp_translated {
        functions: figures.functions,
        translated: figures.translated,
        bytes: figures.bytes,
        no_room: figures.no_room,
        over_budget: figures.over_budget,
        stack_needed,
    };
    // SAFETY: the app is that of this thread; the figures are only read.
    unsafe { shim::wisp_shim_code_keep(app, &figures) }
}

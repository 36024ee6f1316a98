// SPDX-License-Identifier: Apache-2.0
//! Machine code that the engine makes of IR: the memory that it lies in, and the stack that it takes.

use wisp_engine::{Config, Engine, Store, TRANSLATED_RESERVE};

use crate::{shim, AppData};

/// Bytes of stack that code has at least beside what it leaves free. With less, the app is interpreted.
const STACK: usize = 1024;

/// Bytes that the running thread's stack lacks for code.
#[inline(never)]
fn stack_needed(run: &shim::wisp_run) -> u32 {
    let here = (&raw const *run).addr();
    let least = run.translated_limit + TRANSLATED_RESERVE + STACK;
    least.saturating_sub(here) as u32
}

/// Returns the engine for a store whose instance is translated, and takes memory for the code. [`keep`] has to follow
/// when the instance is made, or cannot be made.
#[inline(never)]
pub fn engine(config: &Config, run: &shim::wisp_run) -> Engine {
    let mut size = 0;
    if stack_needed(run) == 0 {
        // SAFETY: the app is that of this thread.
        let start = unsafe { shim::wisp_shim_code_take(run.app, &mut size) };
        let config = config.translate_budget(run.translate_budget).translated_limit(run.translated_limit);
        // SAFETY: C gives this memory to this app alone until the run ends, and the function writes to it.
        return Engine::new(&unsafe { config.translate_to(start, size, shim::wisp_shim_code_write) });
    }
    Engine::new(config)
}

/// Gives back the memory that no code was written to, and tells what is interpreted.
#[inline(never)]
pub fn keep(run: &shim::wisp_run, store: &Store<'_, AppData>, functions: usize) {
    let figures = store.translated();
    let figures = shim::wisp_translated {
        functions: functions as u32,
        translated: figures.translated,
        bytes: figures.bytes,
        no_room: figures.no_room,
        over_budget: figures.over_budget,
        stack_needed: stack_needed(run),
    };
    // SAFETY: the app is that of this thread; the figures are only read.
    unsafe { shim::wisp_shim_code_keep(run.app, &figures) }
}

// SPDX-License-Identifier: Apache-2.0
//! How often each op was executed: what the choice of pairs in the op table rests on.

use core::sync::atomic::{AtomicU64, Ordering};

/// Words of code that are counted.
const WORDS: usize = 1 << 16;

static EXECUTED: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];

/// Counts the op at this offset in the code, in bytes, which is about to run.
pub(crate) fn count(offset: u32) {
    if let Some(executed) = EXECUTED.get(offset as usize / 2) {
        executed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Returns how often the op at this offset in the code ran, in all instances, or 0 above 128 KiB.
pub fn executed(offset: usize) -> u64 {
    EXECUTED.get(offset / 2).map_or(0, |executed| executed.load(Ordering::Relaxed))
}

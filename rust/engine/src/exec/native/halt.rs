// SPDX-License-Identifier: Apache-2.0
//! Stops native code that is in a helper when it is to stop: its record gets a table of helpers that all end
//! it, so that the next one it calls is its last. Code between two calls stands where it can be redirected.
//!
//! Such a table entry is called as any helper and told nothing: neither its arguments nor its type lead to
//! the record. It knows its stack pointer, though, and the stores that are being stopped are listed: its own
//! is the one whose native code was entered next above on the stack.
//!
//! All of this happens on one processor. [`begin`] runs while the threads of all stores stand still, and
//! never twice at a time; the others run in the thread of their store.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

use wisp_image::native::HELPERS;

use super::helpers::{self, Helpers};
use super::{entry, section, stopped_at};
use crate::vm::native::Record;
use crate::vm::shared::Shared;

/// Stores that may be stopped in helpers at a time. Others wait until one of these has ended.
const STORES: usize = 4;

/// Those with a record that has [`ENDS`].
static STOPPING: [AtomicPtr<Shared>; STORES] = [const { AtomicPtr::new(null_mut()) }; STORES];

/// The table: as many functions as there are helpers.
static ENDS: [unsafe extern "C" fn(); HELPERS.len()] = [entry::halted; HELPERS.len()];
const _: () = assert!(size_of::<Helpers>() == size_of::<[unsafe extern "C" fn(); HELPERS.len()]>());

/// Makes the next helper that the record's code calls end it. The host function that it is in ends it too, when it
/// returns.
pub(super) fn begin(shared: &Shared, record: &Record) {
    record.trap_with(shared.stop_code());
    let own = core::ptr::from_ref(shared).cast_mut();
    let holds = |wanted| STOPPING.iter().find(|place| place.load(Ordering::Relaxed) == wanted);
    let Some(place) = holds(own).or_else(|| holds(null_mut())) else { return };
    place.store(own, Ordering::Relaxed);
    record.helpers.set((&raw const ENDS).cast());
}

/// Notes that an entry of the record has ended while the store was to stop.
#[cold]
pub(super) fn over(shared: &Shared, record: &Record, outermost: bool) {
    record.helpers.set(helpers::address());
    if outermost {
        forget(shared);
    }
}

/// Takes a store off the list. It is not looked at, and may be gone already.
pub(super) fn forget(store: *const Shared) {
    for place in STOPPING.iter().filter(|place| core::ptr::eq(place.load(Ordering::Relaxed), store)) {
        place.store(null_mut(), Ordering::Relaxed);
    }
}

/// Returns the record whose code called a helper with this stack pointer from before this address, with its trap.
pub(super) extern "C" fn halting(place: usize, stack: usize) -> *const Record {
    let mut found: Option<(&Shared, &Record)> = None;
    for listed in &STOPPING {
        // SAFETY: `over` takes a store off the list before it goes away, and nothing runs in between; of one
        // whose thread faulted, the embedder says so before its memory is used again.
        let Some(shared) = (unsafe { listed.load(Ordering::Relaxed).as_ref() }) else { continue };
        let Some(record) = shared.current().and_then(|ctx| ctx.native()) else { continue };
        let distance = |record: &Record| record.unwind.get().wrapping_sub(stack);
        if found.is_none_or(|(_, other)| distance(record) < distance(other)) {
            found = Some((shared, record));
        }
    }
    let Some((shared, record)) = found else { return core::ptr::null() };
    let native = shared.current().and_then(|ctx| section(&ctx.image(), &shared.config).ok());
    if let Some(native) = native {
        // the address of the call, not of what follows it
        stopped_at(record, shared, &native, place - 2);
    }
    record
}

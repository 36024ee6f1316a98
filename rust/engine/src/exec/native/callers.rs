// SPDX-License-Identifier: Apache-2.0
//! Callers of native code that traps. The way out of a trap notes where the calls under way return to while their frames
//! are still there. The section's table of callers ([`wisp_image::native::callers`]) says how far each frame reaches and
//! which places of the module a call stands for.
//!
//! The table may be wrong and the stack may hold anything: what is read are words between the stack pointer of the code
//! that traps and that of its entry, and the walk goes one way. It stops at the first address that is not the end of a
//! call in the table.

use core::cell::Cell;

use wisp_image::native::callers::Callers;
use wisp_image::native::{Arch, Native};

use super::{section, target, user};
use crate::exec::call::Frame;
use crate::vm::context::Ctx;
use crate::vm::native::Record;
use crate::vm::shared::Shared;

/// Calls that are noted, at most.
const DEPTH: usize = if cfg!(target_pointer_width = "64") { 128 } else { 16 };
/// In [`Trail::count`]: there were more calls, or it is not known.
const CUT: u32 = 1 << 31;
/// Bytes of stack that a walk takes, at most.
#[cfg_attr(not(feature = "user-mode"), allow(dead_code))]
pub(super) const STACK: usize = 320;

/// Calls under way at a trap. It lies in front of the [`Record`], where the code does not look. Code in user mode may
/// write any bits there. The walk has the rights of that code, and reads what the code may read itself. The host looks at
/// `count` and `returns` only.
#[repr(C)]
pub(super) struct Trail {
    /// The table of callers, its length, and the length of the code, for the walk.
    table: *const u8,
    length: usize,
    code_length: usize,
    count: Cell<u32>,
    /// Offsets in the code that the calls return to, the innermost first.
    returns: [Cell<u32>; DEPTH],
}

/// Bytes in front of a record.
pub(super) const ROOM: usize = size_of::<Trail>().next_multiple_of(align_of::<Record>());

fn trail_of(record: *const Record) -> *const Trail {
    record.wrapping_byte_sub(ROOM).cast()
}

/// Fills in the trail of a record that was placed with [`ROOM`] in front of it.
pub(super) fn bind(record: *const Record, code: &Native<'_>) {
    let table = code.callers().bytes();
    let trail = Trail {
        table: table.as_ptr(),
        length: table.len(),
        code_length: code.code().len(),
        count: Cell::new(0),
        returns: [const { Cell::new(0) }; DEPTH],
    };
    // SAFETY: rule A: `place` took the room for it, aligned as the record, that nobody else has.
    unsafe { trail_of(record).cast_mut().write(trail) };
}

/// Notes the callers of code that raises a trap with this stack pointer, by a call that returns to this address. Runs
/// with the rights of the code.
pub(super) unsafe extern "C" fn walk(record: &Record, returns: usize, stack: usize) {
    // SAFETY: rule A: there is one in front of every record. Code in user mode may have written any bits there, but then
    // this runs with its rights only.
    let trail = unsafe { &*trail_of(record) };
    trail.count.set(CUT);
    // SAFETY: rule I: `bind` took both from the image. In user mode, see above.
    let table = unsafe { core::slice::from_raw_parts(trail.table, trail.length) };
    let Some(here) = target::HERE else { return };
    let callers = Callers::new(table, here.arch);
    let end = record.unwind.get();
    let (mut returns, mut stack) = (returns, stack);
    for (count, noted) in (1..).zip(&trail.returns) {
        // the lowest bit of an address says Thumb
        let thumb = usize::from(here.arch == Arch::Thumb);
        let offset = (returns & !thumb).wrapping_sub(record.code.addr());
        let Some(caller) = callers.find(offset as u32).filter(|_| offset <= trail.code_length) else { return };
        let next = (caller.frame as usize).checked_mul(size_of::<usize>()).and_then(|frame| stack.checked_add(frame));
        let Some(next) = next.filter(|&next| next > stack && next <= end) else { return };
        noted.set(offset as u32);
        trail.count.set(if next == end { count } else { count | CUT });
        if next == end {
            return;
        }
        let kept = core::ptr::with_exposed_provenance::<usize>(next - size_of::<usize>());
        // SAFETY: rule T: the word lies in the stack that this thread has used since the entry, which is not unwound
        // yet. It may be any word there.
        returns = unsafe { kept.read_unaligned() };
        stack = next;
    }
}

/// Forgets what is noted: the code was stopped from outside.
pub(super) fn unknown(record: &Record) {
    // SAFETY: rule A: there is one in front of every record.
    unsafe { &*trail_of(record) }.count.set(CUT);
}

/// Notes that an instance is the one that trapped.
pub(super) fn trapped(shared: &Shared, ctx: &Ctx) {
    shared.trapped.0.set(ctx);
    shared.trapped.1.set(core::ptr::null_mut());
}

/// Returns the trail of the record that the code of an instance works with.
fn trail(ctx: &Ctx) -> Option<&Trail> {
    let record = user::record(ctx).or(ctx.native().map(core::ptr::from_ref))?;
    // SAFETY: rule A: there is one in front of every record.
    Some(unsafe { &*trail_of(record) })
}

/// Returns the callers of the place where native code of an instance trapped, the innermost first.
pub(crate) fn frames(ctx: &Ctx) -> impl Iterator<Item = Frame> + '_ {
    let callers = section(&ctx.image(), &ctx.shared().config).ok().map(|native| native.callers());
    let trail = callers.zip(trail(ctx));
    trail.into_iter().flat_map(move |(callers, trail)| {
        let count = (trail.count.get() & !CUT) as usize;
        let calls = trail.returns.iter().take(count).filter_map(move |returns| callers.find(returns.get()));
        let places = calls.flat_map(|caller| caller.places());
        let known = places.filter(|place| place.function < ctx.function_count);
        known.map(|place| Frame { instance: ctx.index(), func: place.function, offset: place.offset })
    })
}

/// Returns true if there were more callers than [`frames`] gives.
pub(crate) fn cut(ctx: &Ctx) -> bool {
    trail(ctx).is_some_and(|trail| trail.count.get() & CUT != 0)
}

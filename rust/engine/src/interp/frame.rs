// SPDX-License-Identifier: Apache-2.0
//! Headers of frames: where the caller continues, and the caller's frame.

use crate::mem::ctx::Ctx;

/// What the back ends with dispatch tables find when the outermost frame returns: an op that only they
/// have, behind the last of the table, which ends the run.
#[cfg(not(any(wisp_back_end = "loop", wisp_threaded)))]
static EXIT: [u16; 1] = [wisp_image::ops::COUNT as u16 * 4];

/// Where the outermost frame returns to. Only its address matters to the portable back end.
#[cfg(not(any(wisp_back_end = "loop", wisp_threaded)))]
pub fn outside() -> *const u16 {
    EXIT.as_ptr()
}

/// As above: in threaded code an op is where its handler is.
#[cfg(wisp_threaded)]
pub fn outside() -> *const u16 {
    &raw const super::assembly::handlers()[wisp_image::ops::COUNT]
}

/// As above.
#[cfg(wisp_back_end = "loop")]
pub fn outside() -> *const u16 {
    core::ptr::null()
}

/// What a header says of where the caller continues: the place itself in cores in assembly, which return there, else
/// its offset in the code. A guest may read what a header left behind: of its own code, but nothing of where the
/// stack is.
#[inline(always)]
fn packed(ctx: &Ctx, ip: *const u16) -> u32 {
    if cfg!(wisp_back_end = "loop") {
        ctx.code_offset(ip)
    } else {
        ip.expose_provenance() as u32
    }
}

/// Lays a callee's header: the distance of the frames, and where the caller continues.
///
/// # Safety
/// Rule V, `CallFrame`: the two slots below `callee` lie in the caller's frame.
#[inline(always)]
pub unsafe fn push(ctx: &Ctx, callee: *mut u8, ip: *const u16, fp: *mut u8) {
    // SAFETY: contract.
    unsafe {
        let header = callee.cast::<u32>().sub(2);
        header.write(callee.addr().wrapping_sub(fp.addr()) as u32);
        header.add(1).write(packed(ctx, ip));
    }
}

/// Lays the header of an outermost frame.
///
/// # Safety
/// The two slots below `slots` lie in the frame stack.
#[inline(always)]
pub unsafe fn outermost(slots: *mut u32) {
    // SAFETY: contract.
    unsafe {
        slots.sub(2).write(0);
        slots.sub(1).write(outside().expose_provenance() as u32);
    }
}

/// Takes the header of an outermost frame away, where frames of guests that go on will lie.
///
/// # Safety
/// As [`outermost`].
#[inline(always)]
pub unsafe fn over(slots: *mut u32) {
    // SAFETY: contract.
    unsafe { slots.sub(1).write(0) };
}

/// Where the caller of the frame at `fp` continues, and its frame; `None` if that is outside the
/// interpreter.
///
/// # Safety
/// Rule F: there is a header below `fp`.
#[inline(always)]
pub unsafe fn caller(ctx: &Ctx, fp: *mut u8) -> Option<(*const u16, *mut u8)> {
    // SAFETY: contract; a header holds what `push` or `outermost` wrote.
    unsafe {
        let header = fp.cast::<u32>().sub(2);
        let distance = header.read();
        let ip = header.add(1).read();
        if ip == outside().addr() as u32 {
            None
        } else if cfg!(wisp_back_end = "loop") {
            Some((ctx.code.add(ip as usize).cast(), fp.sub(distance as usize)))
        } else {
            Some((core::ptr::with_exposed_provenance(ip as usize), fp.sub(distance as usize)))
        }
    }
}

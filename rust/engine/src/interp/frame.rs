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

/// Lays a callee's header: where the caller at `fp` continues.
///
/// # Safety
/// Rule V, `CallFrame`: the two slots below `callee` lie in the caller's frame.
#[inline(always)]
pub unsafe fn push(ctx: &Ctx, callee: *mut u8, ip: *const u16, fp: *mut u8) {
    // SAFETY: contract.
    unsafe {
        let header = callee.cast::<u32>().sub(2);
        if cfg!(target_pointer_width = "64") {
            header.write(ctx.code_offset(ip));
            header.add(1).write(callee.addr().wrapping_sub(fp.addr()) as u32);
        } else {
            header.write(ip.expose_provenance() as u32);
            header.add(1).write(fp.expose_provenance() as u32);
        }
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
        slots.sub(2).write(outside().expose_provenance() as u32);
        slots.sub(1).write(0);
    }
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
        let ip = header.read();
        let frame = header.add(1).read();
        if ip == outside().addr() as u32 {
            None
        } else if cfg!(target_pointer_width = "64") {
            Some((ctx.code.add(ip as usize).cast(), fp.sub(frame as usize)))
        } else {
            Some((
                core::ptr::with_exposed_provenance(ip as usize),
                core::ptr::with_exposed_provenance_mut(frame as usize),
            ))
        }
    }
}

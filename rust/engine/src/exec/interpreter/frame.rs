// SPDX-License-Identifier: Apache-2.0
//! Headers of frames: where the caller continues, and the caller's frame.

use crate::vm::context::Ctx;

/// The op at which an outermost frame returns, in back ends with dispatch tables: one that only they have. It stands
/// behind the last of the table and ends the run.
#[cfg(not(any(wisp_back_end = "loop", wisp_threaded)))]
static EXIT: [u16; 1] = [wisp_image::ops::COUNT as u16 * 4];

/// Returns the address to which the outermost frame returns. Only its identity matters to the portable back end.
#[cfg(not(any(wisp_back_end = "loop", wisp_threaded)))]
pub fn outside() -> *const u16 {
    EXIT.as_ptr()
}

/// Returns the address to which the outermost frame returns: in threaded code an op is the address of its handler.
#[cfg(wisp_threaded)]
pub fn outside() -> *const u16 {
    &raw const super::assembly::handlers()[wisp_image::ops::COUNT]
}

/// Returns the address to which the outermost frame returns: null, which is no address in the code.
#[cfg(wisp_back_end = "loop")]
pub fn outside() -> *const u16 {
    core::ptr::null()
}

/// Returns the word of a header that says where the caller continues. In cores in assembly it is the address itself, to
/// which they return, else the offset in the code. A guest may read what a header left behind: it learns of its own
/// code, but nothing of the stack's address.
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
    // SAFETY: rules V (`CallFrame`) and F: the two slots below `callee` lie in the caller's frame.
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
    // SAFETY: rule F: the caller laid `slots` so that the two slots below lie in the frame stack.
    unsafe {
        slots.sub(2).write(0);
        slots.sub(1).write(outside().expose_provenance() as u32);
    }
}

/// Takes the header of an outermost frame away, where frames of guests that go on will lie.
///
/// # Safety
/// The two slots below `slots` lie in the frame stack (rule F).
#[inline(always)]
pub unsafe fn over(slots: *mut u32) {
    // SAFETY: rule F: the slot below `slots` lies in the frame stack, as it did when `outermost` wrote it.
    unsafe { slots.sub(1).write(0) };
}

/// Returns the distance of the frame at `fp` from its caller's, and the word that says where the caller continues. Returns
/// `None` for an outermost frame. It lies at no distance, also after [`over`] has taken its address away.
///
/// # Safety
/// Rule F: there is a header below `fp`.
#[inline(always)]
unsafe fn header(fp: *mut u8) -> Option<(u32, u32)> {
    // SAFETY: rule F: the header below `fp` lies in the stack, and holds what `push`, `outermost` or `over` wrote.
    let [distance, ip] = unsafe { fp.cast::<[u32; 2]>().sub(1).read() };
    (distance != 0).then_some((distance, ip))
}

/// Returns the place where the caller of the frame at `fp` continues, and the caller's frame, or `None` if the caller
/// is outside the interpreter. While the frame is under way, the frame that this leads to lies in the stack, and the
/// place in the code of this instance.
///
/// # Safety
/// Rule F: there is a header below `fp`.
#[inline(always)]
pub unsafe fn caller(ctx: &Ctx, fp: *mut u8) -> Option<(*const u16, *mut u8)> {
    // SAFETY: rule F for the header, from the caller.
    let (distance, ip) = unsafe { header(fp) }?;
    let ip = if cfg!(wisp_back_end = "loop") {
        ctx.code.wrapping_add(ip as usize).cast()
    } else {
        core::ptr::with_exposed_provenance(ip as usize)
    };
    Some((ip, fp.wrapping_sub(distance as usize)))
}

/// Returns the number of calls under way in the run whose innermost frame is at `fp`.
///
/// # Safety
/// Rule F: there is a header below `fp`, and below every frame of the chain.
pub unsafe fn call_depth(ctx: &Ctx, fp: *mut u8) -> u32 {
    // SAFETY: rule F: there is a header below `fp`, and below every frame of the chain.
    let frames = core::iter::successors(Some(fp), |&fp| unsafe { caller(ctx, fp) }.map(|(_, fp)| fp));
    frames.count() as u32
}

#[cfg(test)]
mod tests {
    use super::{header, outermost, over};

    #[test]
    fn a_frame_at_no_distance_is_the_outermost_whatever_its_address_says() {
        let mut stack = [7u32; 4];
        let fp = stack.as_mut_ptr().wrapping_add(2);
        // SAFETY: the two words below `fp` are those of the array.
        unsafe {
            assert_eq!(header(fp.cast()), Some((7, 7)));
            outermost(fp);
            assert_eq!(header(fp.cast()), None);
            over(fp);
            assert_eq!(header(fp.cast()), None);
            fp.sub(1).write(7);
            assert_eq!(header(fp.cast()), None);
        }
    }
}

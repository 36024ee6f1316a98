// SPDX-License-Identifier: Apache-2.0
//! The interpreter's back ends, one of which is built, and with the feature `debug` the portable one as well. Each back end is a file with the same function:
//!
//! `unsafe fn run(ctx: &Ctx, ip: *const u16, fp: *mut u8) -> RawTrap`
//!
//! which begins with the op at `ip` and the frame at `fp`, returns no trap when the outermost
//! frame returns, or the trap, and leaves in `ctx` where it stood (`ip`, `fp`) and the fuel in hand.
//!
//! A frame is a row of `u32` slots. In the two slots below a callee's slot 0 lies its *header*: where the
//! caller continues, and the caller's frame. On 32-bit targets these are the pointers themselves, else the
//! offset in the code and the distance of the frames.
//!
//! Rules the unsafe blocks of this folder refer to, beside those of [`crate::vm`]:
//! - **V (verifier)**: opcodes, operands, slots, branch targets, call targets, call frames and indices are
//!   valid, as [`wisp_image::verify`] states; the name of its rule follows.
//! - **F (frames)**: `enter` checked that the running function's frame lies in the frame stack; whoever
//!   makes a frame lays its header and arguments inside the stack.

// without the interpreter, what lays and walks frames is left
#![cfg_attr(not(feature = "interpreter"), allow(dead_code))]

// a core does most of them itself, and ops of features that are not built in are left out
#[allow(dead_code)]
mod access;
#[cfg(not(wisp_back_end = "loop"))]
mod assembly;
#[allow(dead_code)]
pub(super) mod cold;
#[cfg(not(wisp_back_end = "loop"))]
mod escape;
pub(super) mod frame;
#[cfg(wisp_loop)]
mod loop_;
#[cfg(wisp_threaded)]
mod threaded;

#[cfg(not(wisp_back_end = "loop"))]
pub(super) use self::assembly::run;
#[cfg(all(wisp_translates, feature = "float"))]
pub(super) use self::assembly::{
    f64_promote_f32, i32_trunc_sat_f32_s, i32_trunc_sat_f32_u, i32_trunc_sat_f64_s, i32_trunc_sat_f64_u,
};
#[cfg(wisp_back_end = "loop")]
pub(super) use self::loop_::run;
#[cfg(wisp_translates)]
pub(super) use self::{assembly::run_with, escape::escape};

#[cfg(feature = "debug")]
pub(super) use self::access::word;
use wisp_image::format::Section;
use wisp_image::Image;

use crate::vm::arena::Arena;

/// Returns the code that an instance runs: the image's own.
#[cfg(not(wisp_threaded))]
#[inline(always)]
pub(super) fn code(_: &Arena, image: &Image<'_>, _native: bool) -> Option<*const u8> {
    Some(image.section(Section::Code).as_ptr())
}

/// Returns the code that an instance runs: the image's own beside native code, else a threaded copy.
#[cfg(wisp_threaded)]
pub(super) fn code(arena: &Arena, image: &Image<'_>, native: bool) -> Option<*const u8> {
    let code = image.section(Section::Code);
    if native {
        return Some(code.as_ptr());
    }
    threaded::copy(arena, code)
}

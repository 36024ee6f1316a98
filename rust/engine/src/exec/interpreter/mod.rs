// SPDX-License-Identifier: Apache-2.0
//! The interpreter's back ends, one of which is built. Each back end is a file with the same function:
//!
//! `unsafe fn run(ctx: &Ctx, ip: *const u16, fp: *mut u8) -> u32`
//!
//! which begins with the op at `ip` and the frame at `fp`, returns 0 when the outermost frame returns
//! or the number of a trap, and leaves in `ctx` where it stood (`ip`, `fp`) and the fuel in hand.
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

#[cfg_attr(not(wisp_back_end = "loop"), allow(dead_code))]
mod access;
#[cfg(not(wisp_back_end = "loop"))]
mod assembly;
// a core does some of them itself
#[cfg_attr(not(wisp_back_end = "loop"), allow(dead_code))]
mod cold;
#[cfg(not(wisp_back_end = "loop"))]
mod escape;
pub(super) mod frame;
#[cfg(wisp_back_end = "loop")]
mod loop_;
#[cfg(wisp_threaded)]
pub(crate) mod threaded;

#[cfg(not(wisp_back_end = "loop"))]
pub(super) use self::assembly::run;
#[cfg(wisp_back_end = "loop")]
pub(super) use self::loop_::run;

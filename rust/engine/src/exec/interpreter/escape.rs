// SPDX-License-Identifier: Apache-2.0
//! One op at a time, for back ends that leave rare ops to the portable one: the same arms, for those ops
//! only (`portable.rs` of the crate `cores` writes them).

#[allow(unused_imports)]
use core::hint::unreachable_unchecked;

use super::access::*;
use super::cold;
#[allow(unused_imports)]
use super::frame::{caller, outside, push};
use crate::exec::ops;
use crate::vm::context::Ctx;
use crate::vm::trap::RawTrap;

/// Does the op at `ctx.ip` in the frame at `ctx.fp` and leaves there where to go on, and the fuel in
/// `ctx.fuel`. Gives the trap, or 0, in the lower half, the accumulator in the upper.
///
/// # Safety
/// `ctx.ip` is an op of a function of the instance, whose module was verified (rule V), and one of those that the back end
/// leaves to this function. `ctx.fp` is that function's frame, with a header below it (rule F).
pub unsafe extern "C" fn escape(ctx: &Ctx) -> u64 {
    let mut ip = ctx.ip.get();
    let mut fp = ctx.fp.get();
    let mut acc = 0u32;
    let code = 'run: {
        // Leaves the running function. Without tail calls nothing here does.
        #[allow(unused_macros)]
        macro_rules! leave {
            () => {
                (ip, fp) = caller(ctx, fp).unwrap_or((outside(), fp))
            };
        }
        // The op at ip.
        macro_rules! opcode {
            () => {
                word(ctx.encoded(ip), 0) / 4
            };
        }
        // The instance says already where the guest stands.
        macro_rules! outside {
            ($call:expr) => {{
                let code = $call;
                if !code.is_none() {
                    break 'run code;
                }
            }};
        }
        // SAFETY: rule V, as in the portable back end; `KnownOp` with the contract for the last arm.
        unsafe { include!(concat!(env!("OUT_DIR"), "/escape_arms.rs")) }
        RawTrap::NONE
    };
    ctx.ip.set(ip);
    ctx.fp.set(fp);
    u64::from(code.bits()) | u64::from(acc) << 32
}

/// Hands out fuel when the core's is below zero. Returns the units to go on with, or a trap's number, negative.
///
/// # Safety
/// Rule F for the frame at `fp`.
pub unsafe extern "C" fn refill(ctx: &Ctx, fp: *mut u8) -> i32 {
    // SAFETY: rule F: the frame at `fp` and those of its callers have headers.
    unsafe { cold::refill(ctx, fp) }
}

/// Returns the number of the trap with which an access of `width` bytes at `address` is refused.
///
/// # Safety
/// None beyond those of the reference.
pub unsafe extern "C" fn refused(ctx: &Ctx, address: u32, width: u32) -> RawTrap {
    cold::refusal(ctx, address, 0, width)
}

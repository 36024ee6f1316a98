// SPDX-License-Identifier: Apache-2.0
//! The portable back end: a loop around a match over the opcodes. The build script writes the arms from
//! the op table (`portable.rs` of the crate `cores`); what they use is here.

#[allow(unused_imports)]
use core::hint::unreachable_unchecked;

use super::access::*;
use super::cold;
use super::frame::{caller, push};
use crate::exec::ops;
use crate::vm::context::Ctx;
use crate::vm::trap::RawTrap;

#[cfg(all(feature = "debug", wisp_threaded))]
compile_error!("the features `debug` and `threaded-code` exclude each other: the portable loop reads opcodes");

/// Runs until the outermost frame returns (0) or something traps (its number). See the module above.
///
/// # Safety
/// The instance's module was verified. `ip` is the entry of one of its functions, and `fp` lies in the frame
/// stack with a header below it.
#[inline(always)]
#[cfg(wisp_back_end = "loop")]
pub unsafe fn run(ctx: &Ctx, ip: *const u16, fp: *mut u8) -> RawTrap {
    #[cfg(feature = "debug")]
    if ctx.shared().observer.get().is_some() {
        // SAFETY: rules V and F for `ip` and `fp`, from the caller.
        return unsafe { run_watched(ctx, ip, fp) };
    }
    // SAFETY: rules V and F for `ip` and `fp`, from the caller.
    unsafe { run_as::<false>(ctx, ip, fp) }
}

/// Runs as [`run`] does. The store's observer sees each op first. If it goes back to a snapshot, the run goes on from there.
///
/// # Safety
/// `ip` is the entry of a function of the instance, whose module was verified (rule V). `fp` lies in the frame stack with a
/// header below it (rule F).
#[cfg(feature = "debug")]
#[inline(always)]
pub unsafe fn run_watched(ctx: &Ctx, mut ip: *const u16, mut fp: *mut u8) -> RawTrap {
    loop {
        // SAFETY: rules V and F for `ip` and `fp`, from the caller; a snapshot has the place of an op, with the frames that
        // there were.
        let code = unsafe { run_as::<true>(ctx, ip, fp) };
        if !ctx.shared().take_put_back() {
            return code;
        }
        (ip, fp) = (ctx.ip.get(), ctx.fp.get());
    }
}

/// Runs as [`run`] does. If `WATCHED`, the store's observer sees each op first.
///
/// # Safety
/// `ip` is the entry of a function of the instance, whose module was verified (rule V). `fp` lies in the frame stack with a
/// header below it (rule F).
#[inline(never)]
pub unsafe fn run_as<const WATCHED: bool>(ctx: &Ctx, mut ip: *const u16, mut fp: *mut u8) -> RawTrap {
    let observer = if WATCHED { ctx.shared().observer.get() } else { None };
    let memory = ctx.memory.get();
    let mut fuel = ctx.fuel.get();
    let mut acc = 0u32;
    let code = 'run: loop {
        // Takes a unit of fuel, or stops.
        macro_rules! take_fuel {
            () => {
                fuel -= 1;
                if fuel < 0 {
                    fuel = cold::refill(ctx, fp);
                    if fuel < 0 {
                        let code = RawTrap::from_bits(fuel.unsigned_abs());
                        fuel = 0;
                        break 'run code;
                    }
                }
            };
        }
        // Stops for an access that does not fit.
        macro_rules! refuse {
            ($base:expr, $offset:expr, $width:expr) => {
                break 'run cold::refusal(ctx, $base, $offset, $width)
            };
        }
        // Leaves the running function.
        macro_rules! leave {
            () => {
                match caller(ctx, fp) {
                    Some((caller_ip, caller_fp)) => {
                        ip = caller_ip;
                        fp = caller_fp;
                    }
                    None => break 'run RawTrap::NONE,
                }
            };
        }
        // Lets the host see where the guest stands, and takes back what it left of the fuel.
        macro_rules! outside {
            ($call:expr) => {{
                ctx.ip.set(ip);
                ctx.fp.set(fp);
                ctx.fuel.set(fuel);
                let code = $call;
                fuel = ctx.fuel.get();
                if !code.is_none() {
                    break 'run code;
                }
            }};
        }
        // The op at ip.
        macro_rules! opcode {
            () => {
                word(ip, 0) / 4
            };
        }
        #[cfg(feature = "profile")]
        crate::exec::profile::count(ctx.code_offset(ip));
        if let Some(observer) = observer {
            // what a snapshot has
            #[cfg(feature = "rewind")]
            ctx.fuel.set(fuel);
            // SAFETY: this is the instance, and its frames are in order (rule F).
            let code = unsafe { observer.before(core::ptr::from_ref(ctx).cast(), ip, fp) };
            #[cfg(feature = "rewind")]
            if ctx.shared().was_put_back.get() {
                return RawTrap::NONE;
            }
            if !code.is_none() {
                break 'run code;
            }
        }
        // SAFETY: rule V. `OperandsInFunction` for the words of an op, `SlotInFrame` (with rule F) for
        // slots, `BranchTarget` and `FallsThrough` for where `ip` goes, `CallTarget` for callees,
        // `CallFrame` for their frames, `Index` for globals, imports, tables and types, `KnownOp` for the
        // last arm. Memory is touched where `effective` allows it.
        unsafe { include!(concat!(env!("OUT_DIR"), "/loop_arms.rs")) }
    };
    ctx.ip.set(ip);
    ctx.fp.set(fp);
    ctx.fuel.set(fuel);
    if let Some(observer) = observer.filter(|_| !code.is_none()) {
        // SAFETY: this is the instance, and its frames are in order (rule F).
        unsafe { observer.trapped(core::ptr::from_ref(ctx).cast(), ip, fp, code) };
    }
    code
}

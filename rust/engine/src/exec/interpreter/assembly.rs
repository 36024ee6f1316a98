// SPDX-License-Identifier: Apache-2.0
//! The back ends in assembly: a core that the crate `wisp-cores` writes from the op table, for Thumb or for 32-bit
//! RISC-V. Here is what it takes from Rust, and how it is called.
//!
//! A core trusts what the portable back end trusts: rule V for everything it reads from the code, rule F
//! for frames; it checks every address against the limits in its registers, which it loads again after
//! whatever may have moved them. It calls Rust with all of its state in callee-saved registers.

use core::mem::offset_of;

use super::escape::{escape, refill, refused};
use crate::exec::ops;
use crate::vm::context::Ctx;
use crate::vm::trap::{RawTrap, TrapCode};

// The order in which a core loads registers from the instance.
const _: () = {
    assert!(offset_of!(Ctx, memory) == 0);
    assert!(offset_of!(Ctx, limits) == 4);
    assert!(offset_of!(Ctx, fuel) == 16);
    assert!(offset_of!(Ctx, fp) == offset_of!(Ctx, ip) + 4);
};

/// Conversions as a core calls them.
macro_rules! conversions {
    ($($name:ident $from:ty as $to:ty;)*) => {$(
        // a core for a runtime without floats calls none
        #[allow(dead_code)]
        pub extern "C" fn $name(x: $from) -> $to {
            ops::$name(x)
        }
    )*};
}

conversions! {
    f64_promote_f32 u32 as u64;
    i32_trunc_sat_f32_s u32 as u32;
    i32_trunc_sat_f32_u u32 as u32;
    i32_trunc_sat_f64_s u64 as u32;
    i32_trunc_sat_f64_u u64 as u32;
}

include!(concat!(env!("OUT_DIR"), "/core.rs"));

// the instance is laid out for C where a core reads it; the rest of it is not the core's business
#[allow(improper_ctypes)]
extern "C" {
    #[cfg_attr(wisp_back_end = "thumb", link_name = "wisp_thumb_run")]
    #[cfg_attr(wisp_back_end = "riscv", link_name = "wisp_riscv_run")]
    fn enter(ctx: &Ctx, ip: *const u16, fp: *mut u8) -> RawTrap;
}

#[cfg(wisp_translates)]
#[allow(improper_ctypes, clashing_extern_declarations)]
extern "C" {
    #[cfg(wisp_back_end = "thumb")]
    #[link_name = "wisp_thumb_run"]
    fn enter_with(ctx: &Ctx, ip: *const u16, fp: *mut u8, acc: u32) -> RawTrap;
    #[cfg(wisp_back_end = "riscv")]
    #[link_name = "wisp_riscv_run"]
    fn enter_sixth(ctx: &Ctx, ip: *const u16, fp: *mut u8, unused: u32, unused: u32, acc: u32) -> RawTrap;
}

/// Calls the core, which has the accumulator in the register of the sixth argument.
///
/// # Safety
/// Those of [`run_with`].
#[cfg(all(wisp_translates, wisp_back_end = "riscv"))]
#[inline(always)]
unsafe fn enter_with(ctx: &Ctx, ip: *const u16, fp: *mut u8, acc: u32) -> RawTrap {
    // SAFETY: rules V and F, from the caller.
    unsafe { enter_sixth(ctx, ip, fp, 0, 0, acc) }
}

/// Runs as [`run`] does, from any op on, with this value in the accumulator: the core for Thumb has the accumulator in the
/// register of the fourth argument.
///
/// # Safety
/// `ip` is an op of a function of the instance, whose module was verified (rule V). `fp` is that function's frame, with the
/// header of an outermost frame below it (rule F).
#[cfg(wisp_translates)]
pub unsafe fn run_with(ctx: &Ctx, ip: *const u16, fp: *mut u8, acc: u32) -> RawTrap {
    // SAFETY: rules V and F for `ip` and `fp`, from the caller.
    unsafe { enter_with(ctx, ip, fp, acc) }
}

/// Returns the distance of each op's handler from the core's first byte, and behind the last that of the op which ends
/// a run.
#[cfg(wisp_threaded)]
pub fn handlers() -> &'static [u16; wisp_image::ops::COUNT + 1] {
    extern "C" {
        static wisp_riscv_handlers: [u16; wisp_image::ops::COUNT + 1];
    }
    // SAFETY: the core has this table, of that many halfwords, and nobody writes it.
    unsafe { &wisp_riscv_handlers }
}

/// Runs until the outermost frame returns (no trap) or something traps. See the module above.
///
/// # Safety
/// `ip` is the entry of a function of the instance, whose module was verified (rule V). `fp` lies in the frame stack, with the
/// header of an outermost frame below it (rule F).
#[inline(always)]
pub unsafe fn run(ctx: &Ctx, ip: *const u16, fp: *mut u8) -> RawTrap {
    #[cfg(feature = "debug")]
    if ctx.shared().observer.get().is_some() {
        // SAFETY: rules V and F for `ip` and `fp`, from the caller.
        return unsafe { super::loop_::run_watched(ctx, ip, fp) };
    }
    // SAFETY: rules V and F for `ip` and `fp`, from the caller, which laid the header of an outermost frame.
    unsafe { enter(ctx, ip, fp) }
}

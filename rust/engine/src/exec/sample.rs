// SPDX-License-Identifier: Apache-2.0
//! Tells profilers that sample where a guest stands whose thread was preempted.
//!
//! Rule, beside those of [`crate::vm`] and [`super::interpreter`]:
//! - **S (sample)**: the thread was preempted at any instruction, so that its registers and the frames may contradict each
//!   other. Whatever is found is checked before it is followed, and a sample may be wrong, but reads nothing else.

use wisp_image::format::Section;

#[cfg(feature = "native")]
use super::native::section;
#[cfg(wisp_translates)]
use super::translated;
use super::view::View;
#[cfg(any(feature = "native", wisp_translates))]
use crate::vm::context::Ctx;
use crate::vm::shared::Shared;

/// Registers and stack of a thread that was preempted. 0 stands for a register that is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Preempted<'s> {
    /// The program counter.
    pub pc: usize,
    /// The register of return addresses.
    pub returns: usize,
    /// The register in which the interpreter has the place of the op that runs: r4 on Arm, s0 on RISC-V.
    pub ip: usize,
    /// The register in which the interpreter has the frame of the running function: r5 on Arm, s1 on RISC-V.
    pub fp: usize,
    /// Words of its stack, the innermost first.
    pub stack: &'s [usize],
}

#[cfg(any(feature = "native", wisp_translates))]
impl Preempted<'_> {
    /// Returns what may be an address in the code under way, the innermost first. Words of the stack may be anything.
    fn addresses(&self) -> impl Iterator<Item = usize> + '_ {
        [self.pc, self.returns].into_iter().chain(self.stack.iter().copied())
    }
}

/// A store as whoever samples its guests from outside sees it.
#[derive(Clone, Copy)]
pub(crate) struct Sampled(*const Shared);

// SAFETY: the pointer is only followed by `frames`, whose contract says when.
unsafe impl Send for Sampled {}
// SAFETY: the pointer is only followed by `frames`, whose contract says when.
unsafe impl Sync for Sampled {}

/// Returns true if the address lies in the core in assembly.
fn in_core(pc: usize) -> bool {
    #[cfg(all(feature = "interpreter", not(wisp_back_end = "loop")))]
    {
        extern "C" {
            static wisp_core_begin: u8;
            static wisp_core_end: u8;
        }
        ((&raw const wisp_core_begin).addr()..(&raw const wisp_core_end).addr()).contains(&pc)
    }
    #[cfg(not(all(feature = "interpreter", not(wisp_back_end = "loop"))))]
    {
        _ = pc;
        false
    }
}

/// Returns the innermost function with native code under way.
#[cfg(feature = "native")]
fn native_function(ctx: &Ctx, at: &Preempted<'_>) -> Option<u32> {
    let code = ctx.native()?.code.addr();
    let native = section(&ctx.image(), &ctx.shared().config).ok()?;
    let offset = |address: usize| (address & !1).wrapping_sub(code);
    let offset = at.addresses().map(offset).find(|&offset| offset < native.code().len())?;
    Some(native.function_at(offset as u32))
}

/// Returns the innermost function with translated code under way, unless the interpreter runs below it.
#[cfg(wisp_translates)]
fn translated_function(ctx: &Ctx, at: &Preempted<'_>) -> Option<u32> {
    if ctx.translated.length == 0 {
        return None;
    }
    let is_code = |&address: &usize| in_core(address) || ctx.translated.offset(address as u32).is_some();
    // what is left of a host function that was called from far above may hide the caller, which the guest has told
    let innermost = at.addresses().find(is_code).unwrap_or(ctx.ip.get().addr());
    translated::function_of(ctx, innermost)
}

impl Sampled {
    pub(crate) fn new(shared: &Shared) -> Self {
        Self(shared)
    }

    /// Passes on functions and code offsets, innermost first, until `take` returns false.
    ///
    /// # Safety
    /// The store lives, and its thread does not run.
    pub(crate) unsafe fn frames(self, at: &Preempted<'_>, take: &mut dyn FnMut(u32, Option<u32>) -> bool) {
        // SAFETY: rules A and T: the store lives, and the thread's cells do not change while it does not run.
        let shared = unsafe { &*self.0 };
        let Some(ctx) = shared.current() else { return };
        #[cfg(feature = "native")]
        if ctx.native().is_some() {
            if let Some(function) = native_function(ctx, at) {
                take(function, None);
            }
            return;
        }
        // the portable interpreter, which watches, has the place in registers that nobody knows
        #[cfg(feature = "debug")]
        if shared.observer.get().is_some() {
            return;
        }
        let interpreted = in_core(at.pc);
        let (ip, fp) = match interpreted {
            true => (core::ptr::with_exposed_provenance(at.ip), core::ptr::with_exposed_provenance_mut(at.fp)),
            // the guest has said where it stands, before it left
            false => (ctx.ip.get(), ctx.fp.get()),
        };
        #[cfg(wisp_translates)]
        if let (false, Some(function)) = (interpreted, translated_function(ctx, at)) {
            take(function, None);
            return;
        }
        let length = ctx.image().section(Section::Code).len() as u32;
        // rule S: a register may be any number
        if !shared.holds_frame(fp) {
            return;
        }
        for frame in (View { ctx, ip, fp }).frames() {
            // rule S: a word that is no place in the code ends the walk
            if frame.offset >= length || !take(frame.func, Some(frame.offset)) {
                return;
            }
        }
    }
}

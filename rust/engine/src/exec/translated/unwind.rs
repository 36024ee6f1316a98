// SPDX-License-Identifier: Apache-2.0
//! Where the callers of translated code stand: from the native stack, on which each function keeps registers and a return
//! address. What a return address means is found out by going through the translation again.

use core::cell::Cell;
use core::slice;

use wisp_translate::isa::{Isa as _, Kept, Reg};
use wisp_translate::{calling, locate, Helper, Pins, Site};

use super::environment;
use super::machine::{Isa, Registers};
use crate::exec::interpreter::frame;
use crate::vm::context::Ctx;

/// Returns the function with the call that returns to an offset of the code, and where its code begins.
pub fn function_at(ctx: &Ctx, offset: u32) -> Option<(usize, u32)> {
    let state = &ctx.translated;
    // SAFETY: rule A: `translate` took a cell for each defined function.
    let entries = unsafe { slice::from_raw_parts(state.entries, ctx.function_count as usize) };
    calling(entries.len(), |index| state.offset(entries[index].get()), offset)
}

/// Finds what the call that returns to an offset of the code means.
pub fn site(ctx: &Ctx, offset: u32) -> Option<(Site, Pins)> {
    let (index, begin) = function_at(ctx, offset)?;
    let state = &ctx.translated;
    // SAFETY: rule A: these words are for this only, and nothing else made from them is in use.
    let scratch = unsafe { slice::from_raw_parts_mut(state.scratch, state.words as usize) };
    let trampolines = [const { Cell::new(0) }; Helper::COUNT];
    let image = ctx.image();
    let env = environment(&image, state.memory, &[], &trampolines);
    locate::<Isa>(&env, index, scratch, begin, offset).ok()
}

/// Returns what the function around an offset of the code keeps.
fn kept(ctx: &Ctx, offset: u32) -> Option<Kept> {
    let (_, begin) = function_at(ctx, offset)?;
    // SAFETY: rule M: the code of a function is more than four bytes, two-aligned.
    let first = unsafe { ctx.translated.code.add(begin as usize).cast::<[u8; 4]>().read() };
    Some(Isa::kept_by(u32::from_le_bytes(first)))
}

/// Returns the return address of a function, and the native stack of its caller.
///
/// # Safety
/// `stack` is the native stack of the function around `returns`, which is translated.
unsafe fn caller(ctx: &Ctx, returns: u32, stack: *const u32) -> Option<(u32, *const u32)> {
    let kept = kept(ctx, ctx.translated.offset(returns)?)?;
    // SAFETY: rule M: the registers lie there, and the return address behind them.
    unsafe { Some((stack.add(kept.mask.count_ones() as usize).read(), stack.add(kept.words as usize))) }
}

/// Returns the number of calls under way in the run of which the function around `returns` is the innermost.
///
/// # Safety
/// Rule M: `stack` is the native stack of the translated function that the call at `returns` is in.
pub unsafe fn depth(ctx: &Ctx, mut returns: u32, mut stack: *const u32) -> u32 {
    let mut count = 0;
    // SAFETY: rule M: each caller but the entry is translated code.
    while let Some(next) = unsafe { caller(ctx, returns, stack) } {
        count += 1;
        (returns, stack) = next;
    }
    count
}

/// Lays the headers of the frame at `fp`, that of the function around `returns`, and of those of its callers.
///
/// # Safety
/// Rule M: `stack` is the native stack of the translated function that the call at `returns` is in.
pub unsafe fn lay_headers(ctx: &Ctx, fp: *mut u8, returns: u32, stack: *const u32) {
    // SAFETY: rule M.
    if let Some((returns, stack)) = unsafe { caller(ctx, returns, stack) } {
        // SAFETY: rule M: it returns to translated code, or to the entry, of which the following function knows nothing.
        unsafe { lay_headers_above(ctx, fp, returns, stack) };
    }
}

/// The number of calls of which a walk of the frames knows what they mean.
const KNOWN: usize = 8;

/// The calls that a walk of the frames met last. Functions that call each other in turn are translated again once, and
/// not for each of their frames.
struct Calls {
    /// For each call the offset that it returns to, where the IR goes on, and the distance of the frames. No call
    /// returns to offset 0.
    known: [(u32, u32, u32); KNOWN],
    /// The place for the next one.
    turn: usize,
}

impl Calls {
    fn new() -> Self {
        Self { known: [(0, 0, 0); KNOWN], turn: 0 }
    }

    /// Returns where the IR goes on behind a call, and the distance of the frames.
    fn find(&mut self, ctx: &Ctx, offset: u32) -> Option<(u32, u32)> {
        if let Some(&(_, next, frame)) = self.known.iter().find(|&&(known, ..)| known == offset) {
            return Some((next, frame));
        }
        let (site, _) = site(ctx, offset)?;
        let frame = site.frame.unwrap_or(0);
        self.known[self.turn % KNOWN] = (offset, site.next, frame);
        self.turn += 1;
        Some((site.next, frame))
    }
}

/// Lays the header of the frame at `fp`, that of a function called at `returns`, and of those of its callers.
///
/// # Safety
/// Rule M: `stack` is the native stack of the translated function that the call at `returns` is in.
pub unsafe fn lay_headers_above(ctx: &Ctx, mut fp: *mut u8, mut returns: u32, mut stack: *const u32) {
    let mut calls = Calls::new();
    while let Some(offset) = ctx.translated.offset(returns) {
        let Some((next, frame)) = calls.find(ctx, offset) else { return };
        let caller_fp = fp.wrapping_sub(frame as usize);
        // SAFETY: rules V (`CallFrame`) and M: the two slots below the frame lie in the caller's.
        unsafe { frame::push(ctx, fp, ctx.code.wrapping_add(next as usize).cast(), caller_fp) };
        fp = caller_fp;
        // SAFETY: rule M.
        let Some(next) = (unsafe { caller(ctx, returns, stack) }) else { return };
        (returns, stack) = next;
    }
}

/// Gives a function's caller back the registers that the function keeps.
///
/// # Safety
/// Rule M: `stack` is the native stack of the translated function that the call at `registers.returns` is in.
pub unsafe fn restore(ctx: &Ctx, registers: &mut Registers, stack: *const u32) {
    let kept = ctx.translated.offset(registers.returns).and_then(|offset| kept(ctx, offset));
    let Some(Kept { mask, words }) = kept else { return };
    let mut at = stack;
    for number in (0..32).filter(|number| mask >> number & 1 == 1) {
        // SAFETY: rule M: the registers lie there in their order.
        unsafe {
            registers.set(Reg(number), at.read());
            at = at.add(1);
        }
    }
    // SAFETY: rule M: behind them lies the return address.
    registers.returns = unsafe { at.read() };
    registers.set_stack(stack.wrapping_add(words as usize));
}

// SPDX-License-Identifier: Apache-2.0
//! The translated tier: machine code that `wisp-translate` makes of verified IR when an instance is made, in the arena.
//!
//! Code of the tier keeps to the conventions of the crate: slots lie in the frame stack, as in the interpreter, or in
//! registers; return addresses and saved registers lie on the thread's own stack. It lays no headers. They are laid when
//! somebody has to walk the frames: [`unwind`] finds out from the native stack where each caller stands.
//!
//! Whatever would trap, the interpreter does again: [`deopt`] puts slots back into the frame and runs the rest of the
//! function there. So traps, their numbers and places are the interpreter's.
//!
//! Rules, beside those of [`crate::vm`] and [`super::interpreter`]:
//! - **M (machine code)**: the code between `code` and `code + length` is what `wisp_translate::translate_all` made of the
//!   instance's own, verified image, and nobody has written to it since. It lies in the arena, or in memory of the host
//!   which nobody else uses ([`Config::translate_to`](crate::Config::translate_to)). Helpers are called by it only,
//!   with the registers that [`wisp_translate::Helper`] describes.

mod common;
#[cfg_attr(all(wisp_back_end = "thumb", wisp_thumb1), path = "thumb1.rs")]
#[cfg_attr(all(wisp_back_end = "thumb", not(wisp_thumb1)), path = "thumb.rs")]
#[cfg_attr(wisp_back_end = "riscv", path = "riscv.rs")]
mod machine;
#[cfg(wisp_back_end = "thumb")]
mod saved;
mod unwind;

use core::cell::Cell;
use core::mem::offset_of;

use wisp_image::Image;
use wisp_translate::isa::Isa as _;
use wisp_translate::out::Memory;
use wisp_translate::{Env, Helper, Layout};

use self::common::helpers;
use self::machine::{synchronise, Isa, Registers};
use super::interpreter::{cold, frame, run_with};
use crate::vm::arena::Arena;
use crate::vm::config::{CodeWriter, Config, TRANSLATED_RESERVE};
use crate::vm::context::Ctx;
use crate::vm::shared::Shared;
use crate::vm::translated::State;
use crate::vm::trap::{RawTrap, TrapCode};
use crate::vm::ty::slots as slots_of;

/// The fields of an instance that code reads.
const LAYOUT: Layout = Layout {
    stack_limit: offset_of!(Ctx, stack_limit) as u32,
    floor: (offset_of!(Ctx, translated) + offset_of!(State, floor)) as u32,
    globals: offset_of!(Ctx, globals) as u32,
    imported_globals: offset_of!(Ctx, imported_globals) as u32,
};

// code reads these fields, and linear memory without an offset, by one instruction each
const _: () = {
    let Layout { stack_limit, floor, globals, imported_globals } = LAYOUT;
    assert!(stack_limit < Isa::REACH && floor < Isa::REACH && globals < Isa::REACH && imported_globals < Isa::REACH);
    assert!(offset_of!(Ctx, memory) == 0);
};

/// Returns the bytes of linear memory that exist from the start, whatever the configuration says.
fn least_memory(image: &Image<'_>) -> u32 {
    // an imported memory may have been trimmed where it was defined
    let memory = image.memory().ok().flatten().filter(|memory| !memory.imported);
    memory.map_or(0, |memory| {
        let declared = u64::from(memory.min) << memory.page_size_log2;
        let least = if memory.trimmed { declared.min(u64::from(memory.backed)) } else { declared };
        u32::try_from(least).unwrap_or(u32::MAX)
    })
}

/// Translates an image. An image of which nothing can be translated, or for which there is no room, is interpreted.
pub fn new(shared: &Shared, image: &Image<'_>) -> State {
    let arena = &shared.arena;
    let mark = arena.mark();
    let state = translate(shared, image);
    if state.translated == 0 {
        // SAFETY: what was taken since is used by code only, and there is none.
        unsafe { arena.reset(mark) };
    }
    state
}

/// The bytes that code is written to.
struct Place {
    start: *mut u8,
    write: CodeWriter,
    bytes: u32,
}

impl Memory for Place {
    fn size(&self) -> u32 {
        self.bytes
    }

    fn write(&mut self, at: u32, bytes: &[u8]) {
        // SAFETY: the caller of this method has checked that the bytes lie inside; nobody else uses the memory (rule M).
        unsafe { (self.write)(self.start.wrapping_add(at as usize), bytes.as_ptr(), bytes.len()) }
    }

    fn word_at(&self, at: u32) -> u32 {
        if self.bytes.checked_sub(at).is_none_or(|left| left < 4) {
            return 0;
        }
        // SAFETY: the bytes lie inside the memory, which may be read (rule M).
        let bytes = unsafe { self.start.wrapping_add(at as usize).cast::<[u8; 4]>().read() };
        u32::from_le_bytes(bytes)
    }
}

/// Writes to memory that can be written as it is.
///
/// # Safety
/// The bytes may be read and written, and nobody else uses them.
unsafe extern "C" fn copy(to: *mut u8, from: *const u8, bytes: usize) {
    // SAFETY: from the caller.
    unsafe { to.copy_from_nonoverlapping(from, bytes) }
}

/// Returns the bytes of the arena that are not for linear memory.
fn beside_memory(config: &Config, arena: &Arena, image: &Image<'_>) -> usize {
    let own = image.memory().ok().flatten().filter(|memory| !memory.imported);
    let grows = own.as_ref().is_some_and(|memory| memory.grows);
    let limit = if grows && config.max_memory != u32::MAX { config.max_memory } else { 0 };
    arena.remaining().saturating_sub(limit.max(least_memory(image)) as usize)
}

/// Holds the memory that a translation needs.
struct Room<'a> {
    scratch: &'a mut [u32],
    /// A word for each function.
    functions: &'a [Cell<u32>],
    code: Place,
}

/// Takes memory for code, and the rest of what a translation needs from the arena.
fn room<'a>(shared: &Shared, image: &Image<'_>, count: usize) -> Option<Room<'a>> {
    let (config, arena) = (&shared.config, &shared.arena);
    if config.code_memory.as_ref().is_some_and(|memory| memory.start % 8 != 0) {
        return None;
    }
    let words = wisp_translate::scratch_words(image).ok()?;
    let fixed = (words + count) * 4;
    let left = beside_memory(config, arena, image).saturating_sub(16).checked_sub(fixed)?;
    let scratch = arena.take(words * 4, 4)?.cast::<u32>();
    let functions = arena.alloc_zeroed::<u32>(count)?;
    let (start, write, bytes) = match &config.code_memory {
        Some(memory) => (memory.start(), memory.write, memory.size),
        None => {
            let room = left.min((config.translate as usize).checked_sub(fixed)?) & !7;
            (arena.take(room, 8)?, copy as CodeWriter, room as u32)
        }
    };
    // SAFETY: rule A: the arena has just given these words, and nobody else has them.
    let scratch = unsafe {
        scratch.write_bytes(0, words);
        core::slice::from_raw_parts_mut(scratch, words)
    };
    // a call may be the last instruction: what it returns to is inside, too
    Some(Room { scratch, functions, code: Place { start, write, bytes: (bytes & !7).checked_sub(8)? } })
}

/// Keeps the first bytes of a place, which have code, and gives back the others if they are of the arena.
fn keep(shared: &Shared, code: &Place, length: u32) {
    if shared.config.code_memory.is_none() {
        shared.arena.give_back(code.bytes as usize + 8 - length as usize);
    }
}

fn translate(shared: &Shared, image: &Image<'_>) -> State {
    let count = image.function_count();
    let config = &shared.config;
    if count == 0 || (config.translate == 0 && config.code_memory.is_none()) {
        return State::none();
    }
    let room = if shared.translates.get() { room(shared, image, count) } else { None };
    let Some(Room { scratch, functions, mut code }) = room else {
        return State { no_room: count as u32, ..State::none() };
    };
    let memory = least_memory(image);
    let trampolines = [const { Cell::new(0) }; Helper::COUNT];
    let addresses = helpers();
    let go_on = || shared.go_on().is_ok();
    let env = Env { helpers: &addresses, go_on: &go_on, ..environment(image, memory, functions, &trampolines) };
    let outcome = wisp_translate::translate_all::<Isa>(&env, scratch, &mut code, config.translate_budget);
    let begin = code.start;
    let refused = State { no_room: outcome.no_room, over_budget: outcome.over_budget, ..State::none() };
    if outcome.translated == 0 {
        return refused;
    }
    let length = (outcome.bytes + 1).next_multiple_of(8);
    keep(shared, &code, length);
    for entry in functions.iter().filter(|entry| entry.get() != 0) {
        entry.set(begin.addr() as u32 + entry.get() - 1 + Isa::ENTRY);
    }
    synchronise();
    State {
        place,
        entries: functions.as_ptr(),
        code: begin,
        length,
        memory,
        words: scratch.len() as u32,
        scratch: scratch.as_mut_ptr(),
        translated: outcome.translated,
        ..refused
    }
}

/// Offsets of trampolines: there is none yet, or nobody asks.
type Trampolines = [Cell<u32>; Helper::COUNT];

fn environment<'e>(
    image: &'e Image<'e>,
    memory: u32,
    functions: &'e [Cell<u32>],
    trampolines: &'e Trampolines,
) -> Env<'e> {
    let helpers = &[0; Helper::COUNT];
    Env { image, layout: LAYOUT, memory, fuel: true, helpers, trampolines, functions, go_on: &|| true }
}

/// The state from before an entry into an instance, which comes back when the entry ends.
pub struct Entry {
    floor: usize,
    below: u32,
}

/// Begins an entry into an instance, whether it is interpreted or runs machine code. The outermost one decides how much
/// native stack all of them may take together. The calls below a run of the interpreter are counted anew.
#[inline(always)]
pub fn begin(ctx: &Ctx) -> Entry {
    let shared = ctx.shared();
    let floor = shared.translated_floor.get();
    if floor == 0 {
        shared.translated_floor.set(match shared.config.translated_limit {
            0 => (&raw const floor).addr().saturating_sub(shared.config.translated_stack as usize),
            limit => limit.saturating_add(TRANSLATED_RESERVE),
        });
    }
    Entry { floor, below: ctx.translated.below.replace(0) }
}

/// Ends an entry.
#[inline(always)]
pub fn end(ctx: &Ctx, entry: &Entry) {
    ctx.shared().translated_floor.set(entry.floor);
    ctx.translated.below.set(entry.below);
}

/// Runs a defined function, whose code in the image begins at `code`, as machine code. Returns `None` if it has none.
///
/// # Safety
/// `code` is the offset of a function of the instance, whose module was verified (rule V). The slots lie in the frame stack,
/// with a header below them (rule F).
#[inline(always)]
pub unsafe fn enter(ctx: &Ctx, code: u32, slots: *mut u32) -> Option<RawTrap> {
    if ctx.translated.length == 0 {
        return None;
    }
    // SAFETY: rules V and F for the offset and the slots, from the caller.
    unsafe { enter_code(ctx, code, slots) }
}

/// Runs a function that has machine code, as [`enter`] does.
///
/// # Safety
/// `code` is the offset of a function of the instance (rule V). The slots lie in the frame stack, with a header below them
/// (rule F).
unsafe fn enter_code(ctx: &Ctx, code: u32, slots: *mut u32) -> Option<RawTrap> {
    let function = ctx.function_at(code);
    let entry = ctx.translated.entry(function)?;
    let (_, ty) = ctx.defined(function)?;
    let results = ctx.ty(ty).map_or(0, |ty| match ty.results {
        [one] => slots_of(core::slice::from_ref(one)) as u32,
        _ => 0,
    });
    let shared = ctx.shared();
    ctx.translated.floor.set(shared.translated_floor.get());
    // SAFETY: rules M and F: the entry is that of a function of this instance, and its arguments lie at the slots.
    Some(RawTrap::from_bits(unsafe { common::enter(ctx, entry, slots, results) }))
}

/// Finds where the guest stands if `ctx.ip` is a return address in the machine code: byte offset in the code section, and
/// the frame.
///
/// # Safety
/// The address is that of an instance.
unsafe fn place(ctx: *const ()) -> Option<(u32, *mut u8)> {
    // SAFETY: `ctx` is the address of an instance, which the state of that instance passes.
    let ctx = unsafe { &*ctx.cast::<Ctx>() };
    let offset = ctx.translated.offset(ctx.ip.get().addr() as u32)?;
    let (site, _) = unwind::site(ctx, offset)?;
    Some((site.op, ctx.fp.get().wrapping_sub(site.frame.unwrap_or(0) as usize)))
}

/// Returns the function in whose machine code the address lies. Reads nothing that a thread in the midst of an unwinding
/// may have begun to write.
#[cfg(feature = "sample")]
pub fn function_of(ctx: &Ctx, address: usize) -> Option<u32> {
    let offset = ctx.translated.offset(address as u32)?;
    // the first instruction of a function is that function's as well
    unwind::function_at(ctx, offset + 2).map(|(index, _)| index as u32)
}

/// Goes on in the interpreter, at the place of the call, to the end of the function. Returns 0, and the registers that
/// the function's caller expects, with the stack pointer in the last, or the number of a trap.
///
/// # Safety
/// Rule M.
unsafe extern "C" fn deopt(ctx: &Ctx, registers: *mut Registers) -> u32 {
    // SAFETY: rule M: the helper has saved the registers there, and the function's native stack lies behind them.
    let (registers, stack) = unsafe { (&mut *registers, registers.add(1).cast::<u32>()) };
    let found = ctx.translated.offset(registers.returns).and_then(|offset| unwind::site(ctx, offset));
    let Some((site, pins)) = found else { return TrapCode::Unreachable as u32 };
    let fp = registers.get(Isa::PLAN.frame) as usize;
    let fp: *mut u8 = core::ptr::with_exposed_provenance_mut(fp);
    let function = ctx.function_at(site.op);
    let begins = ctx.defined(function).is_some_and(|(code, _)| code == site.op);
    // at its entry the registers are still the caller's
    for (slot, register) in pins.iter().filter(|_| !begins) {
        // SAFETY: rules V (`SlotInFrame`) and F.
        unsafe { fp.add(slot as usize).cast::<u32>().write(registers.get(register)) };
    }
    let ip = ctx.code.wrapping_add(site.op as usize).cast::<u16>();
    let code = if site.first {
        // SAFETY: rule M: `stack` is that of the function. Its own frame counts as one of the interpreter's.
        let below = unsafe { deeper(ctx, registers.returns, stack, 1) };
        let acc = site.acc.map_or(0, |acc| registers.get(acc));
        // SAFETY: rules V and F: the op is one of the function's, and the frame is the running one.
        unsafe {
            frame::outermost(fp.cast());
            let code = run_with(ctx, ip, fp, acc).bits();
            frame::over(fp.cast());
            ctx.translated.below.set(below);
            code
        }
    } else {
        ctx.ip.set(ip);
        ctx.fp.set(fp);
        let (register, bytes) = site.refused.unwrap_or((Isa::PLAN.context, 0));
        cold::refusal(ctx, registers.get(register), 0, bytes).bits()
    };
    // SAFETY: rule M: `stack` is that of the function.
    unsafe {
        if code != 0 {
            unwind::lay_headers(ctx, fp, registers.returns, stack);
            return code;
        }
        unwind::restore(ctx, registers, stack);
    }
    0
}

/// Notes how many calls are under way below a run of the interpreter that begins now, and returns what was noted before.
///
/// # Safety
/// Rule M: `stack` is the native stack of the function that the call at `returns` is in, of whose frames the innermost
/// `own` are the interpreter's.
unsafe fn deeper(ctx: &Ctx, returns: u32, stack: *const u32, own: u32) -> u32 {
    if ctx.shared().config.max_depth == 0 {
        return 0;
    }
    // SAFETY: rule M.
    let depth = unsafe { unwind::depth(ctx, returns, stack) } - own;
    ctx.translated.below.replace(depth)
}

/// Hands out fuel. Returns the units to go on with, or a trap's number, negative.
///
/// # Safety
/// Rule M: `stack` is the native stack of the function that the call at `returns` is in.
unsafe extern "C" fn refill(ctx: &Ctx, fp: *mut u8, returns: u32, stack: *const u32) -> i32 {
    // SAFETY: rule M.
    let units = ctx.shared().refill(|| unsafe { unwind::depth(ctx, returns, stack) });
    match units {
        Ok(units) => units - 1,
        Err(code) => {
            // SAFETY: rule M.
            unsafe { failed(ctx, fp, returns, stack) };
            -(code as i32)
        }
    }
}

/// Says in the instance where the guest stands, and lays the headers of its frames: something trapped.
///
/// # Safety
/// Rule M: `stack` is the native stack of the function that the call at `returns` is in.
unsafe extern "C" fn failed(ctx: &Ctx, fp: *mut u8, returns: u32, stack: *const u32) {
    let site = ctx.translated.offset(returns).and_then(|offset| unwind::site(ctx, offset));
    if let Some((site, _)) = site {
        ctx.ip.set(ctx.code.wrapping_add(site.op as usize).cast());
        let fp = fp.wrapping_sub(site.frame.unwrap_or(0) as usize);
        ctx.fp.set(fp);
        // SAFETY: rule M.
        unsafe { unwind::lay_headers(ctx, fp, returns, stack) };
    }
}

/// Lays the headers of the guest's frames, as [`failed`] does, if the instance says already where the guest stands.
///
/// # Safety
/// Rule M: `stack` is the native stack of the function that the call at `returns` is in.
unsafe extern "C" fn failed_there(ctx: &Ctx, fp: *mut u8, returns: u32, stack: *const u32) {
    // SAFETY: rule M.
    unsafe { unwind::lay_headers(ctx, fp, returns, stack) };
}

/// Interprets a function for translated code. 0 or the number of a trap.
///
/// # Safety
/// Rule M: `stack` is the native stack of the function that the call at `returns` is in.
/// `code` is the offset of a function of the instance (rule V), and `fp` its frame (rule F).
unsafe extern "C" fn interpret(ctx: &Ctx, code: u32, fp: *mut u8, returns: u32, stack: *const u32) -> u32 {
    let here = (&raw const code).addr();
    if here < ctx.translated.floor.get() {
        // SAFETY: rule M.
        unsafe { failed(ctx, fp, returns, stack) };
        return TrapCode::StackOverflow as u32;
    }
    // SAFETY: rules V (`CallTarget`) and F: the caller has made the frame.
    let result = unsafe {
        let below = deeper(ctx, returns, stack, 0);
        frame::outermost(fp.cast());
        let result = run_with(ctx, ctx.code.add(code as usize).cast(), fp, 0).bits();
        frame::over(fp.cast());
        ctx.translated.below.set(below);
        result
    };
    if result != 0 {
        // SAFETY: rule M.
        unsafe { unwind::lay_headers_above(ctx, fp, returns, stack) };
    }
    result
}

/// Calls through a table what is no translated function of the very type. 0 or the number of a trap.
///
/// # Safety
/// Rule M: `stack` is the native stack of the function that the call at `returns` is in.
/// Index, type and table lie at `operands`, and the callee's frame begins at `fp` (rule F).
unsafe extern "C" fn indirect(
    ctx: &Ctx,
    operands: *const [u32; 2],
    fp: *mut u8,
    returns: u32,
    stack: *const u32,
) -> u32 {
    // SAFETY: rule M: the helper has saved the registers there: index, type and table.
    let [index, operand] = unsafe { *operands };
    // SAFETY: rules M and V (`Index` for X and Y).
    let entry = unsafe { cold::indirect(ctx, (operand >> 16) as u16, index, operand as u16) };
    if !entry.is_null() {
        // SAFETY: rule M for the native stack; the entry is that of a function of the instance (rule V), `fp` its frame.
        return unsafe { interpret(ctx, ctx.code_offset(entry), fp, returns, stack) };
    }
    ctx.ip.set(core::ptr::without_provenance(returns as usize));
    ctx.fp.set(fp);
    // SAFETY: rule M: the callee's frame begins at `fp`.
    let code = unsafe { cold::call_pending(ctx, fp).bits() };
    if code != 0 {
        // SAFETY: rule M.
        unsafe { failed(ctx, fp, returns, stack) };
    }
    code
}

/// Returns the number of bits that are one.
extern "C" fn popcnt(x: u32) -> u32 {
    x.count_ones()
}

/// Returns the number of zeros above the highest bit that is one.
#[cfg(any(wisp_thumb1, wisp_back_end = "riscv"))]
extern "C" fn clz(x: u32) -> u32 {
    x.leading_zeros()
}

/// Returns the number of zeros below the lowest bit that is one.
#[cfg(any(wisp_thumb1, wisp_back_end = "riscv"))]
extern "C" fn ctz(x: u32) -> u32 {
    x.trailing_zeros()
}

// SPDX-License-Identifier: Apache-2.0
//! Interpreters that run with fewer rights than the host, in the thread and with the memory of [`UserMode`].
//!
//! An instance then has its records twice. Those of the host lie in the store's arena, and host functions work with them.
//! The interpreter has a copy in the window, in a store of its own that is made there ([`Ctx::copied`]). Frames, globals,
//! elements of tables and linear memory exist once, where both reach them. So the interpreter runs as it always does, in
//! [`interpret`], and asks the host for two things only: host functions, and more memory.
//!
//! The host does not read the copy. What the interpreter tells it is taken as rule U of [`super::user`] says.

use core::cell::Cell;
use core::ffi::c_void;
use core::mem::MaybeUninit;

use wisp_image::format::{Section, FRAME_HEADER_SLOTS};

use crate::exec::call;
use crate::vm::config::Config;
use crate::vm::context::Ctx;
use crate::vm::shared::Shared;
use crate::vm::trap::{RawTrap, Trap, TrapCode};
use crate::vm::ty::slots as slots_of;
use crate::vm::user_mode::{Job, Outcome, Part, UserMode, IMPORT, MEMORY_GROW};

/// Lays out what the interpreter of an instance may write, if interpreters run in user mode. Gives `None` if the window is
/// too small.
pub(crate) fn bind(ctx: &Ctx) -> Option<()> {
    let shared = ctx.shared();
    let window = shared.guest.interpreted(&shared.config).filter(|_| ctx.native().is_none());
    let (Some(window), Some(user)) = (window, shared.config.user_mode) else { return Some(()) };
    let job = window.take(size_of::<Job>(), align_of::<u64>())?.cast::<Job>();
    let words = window.remaining() / size_of::<u64>();
    let rest = window.take(words * size_of::<u64>(), align_of::<u64>())?;
    let config = Config { stack_size: user.frames, user_mode: None, growth_refused: None, ..shared.config };
    // SAFETY: rule A: the window gave these words, and nobody else uses them.
    let own = unsafe { Shared::new(rest.cast(), words, &config) }?;
    own.guest.ask_with(user.request);
    own.clear_frames();
    let copy = ctx.copied(own, import)?;
    own.add_instance(copy);
    let slots = own.frame_top().cast::<u32>().wrapping_add(FRAME_HEADER_SLOTS);
    let slot_count = (own.stack_bytes() / size_of::<u32>()).checked_sub(FRAME_HEADER_SLOTS)?;
    let value = Job {
        record: MaybeUninit::zeroed(),
        ctx: copy,
        fuel: Cell::new(u64::MAX),
        code: Cell::new(0),
        trap: Cell::new(RawTrap::NONE),
        offset: Cell::new(0),
    };
    // SAFETY: rule A: the window gave the room, aligned to eight bytes.
    unsafe { job.write(value) };
    ctx.view.1.set(shared.arena.alloc(Part { job, slots, slot_count, runs: Cell::new(false) })?);
    Some(())
}

/// Runs the job's function in the copy of its instance, with the rights of the code.
unsafe extern "C" fn interpret(job: &Job, slots: *mut u32) {
    // SAFETY: `bind` put the copy there. If the code changed it, it reaches what it could reach itself. Rule F: the slots
    // are those of `bind`, with a header below them.
    unsafe {
        let ctx = &*job.ctx;
        let shared = ctx.shared();
        shared.set_fuel(Some(job.fuel.get()).filter(|&fuel| fuel != u64::MAX));
        job.trap.set(call::enter(ctx, job.code.get(), slots));
        let (function, offset) = shared.place.get();
        job.offset.set(if function == Trap::NOWHERE { u32::MAX } else { offset });
        job.fuel.set(shared.fuel().unwrap_or(u64::MAX));
    }
}

/// Stands in place of every imported function, with the rights of the code.
unsafe extern "C" fn import(ctx: *mut Ctx, slots: *mut u32, env: *const ()) -> RawTrap {
    // SAFETY: the interpreter passes its instance.
    match unsafe { &*ctx }.shared().guest.asks() {
        // SAFETY: this is the function that the embedder gave for it.
        Some(ask) => RawTrap::from_bits(unsafe { ask(IMPORT, env.addr(), slots.expose_provenance(), 0, 0, 0) }),
        None => RawTrap::of(TrapCode::HostError),
    }
}

/// Runs a defined function in user mode, or gives `None` if its instance does not run so.
///
/// # Safety
/// `slots` holds the slots of the function's type.
pub(crate) unsafe fn enter(ctx: &Ctx, code: u32, slots: *mut u32) -> Option<RawTrap> {
    let part = ctx.part()?;
    let user = ctx.shared().config.user_mode?;
    // SAFETY: the caller's slots are those of the function's type.
    Some(unsafe { enter_part(ctx, part, &user, code, slots) })
}

/// Runs a defined function.
///
/// # Safety
/// `slots` holds the slots of the function's type.
#[inline(never)]
unsafe fn enter_part(ctx: &Ctx, part: &Part, user: &UserMode, code: u32, slots: *mut u32) -> RawTrap {
    let shared = ctx.shared();
    shared.place.set((Trap::NOWHERE, 0));
    if part.runs.get() {
        // its stack and its frames are in use by the code that called the host
        return RawTrap::of(TrapCode::NestingExceeded);
    }
    let Some(ty) = ctx.type_at(code) else { return RawTrap::of(TrapCode::UnknownHandle) };
    let (params, count) = (slots_of(ty.params), ty.slots());
    if count > part.slot_count {
        return RawTrap::of(TrapCode::StackOverflow);
    }
    // frames of calls by the host would begin behind this one
    ctx.fp.set(slots.wrapping_add(count).cast());
    // SAFETY: rule A: `bind` took it from the window, and its fields may have any bits.
    let job = unsafe { &*part.job };
    let fuel = shared.fuel();
    job.fuel.set(fuel.unwrap_or(u64::MAX));
    job.code.set(code);
    job.trap.set(RawTrap::NONE);
    // SAFETY: the caller's slots are those of the function's type, and the window has as many. Those of results hold what
    // was there before.
    unsafe {
        part.slots.copy_from(slots, params);
        part.slots.add(params).write_bytes(0, count - params);
    }
    let function = interpret as unsafe extern "C" fn(&Job, *mut u32);
    let mut pc = 0;
    part.runs.set(true);
    // SAFETY: `Config::user_mode` promises that it runs the function, and that nothing it does reaches the host.
    let outcome = unsafe {
        let ctx = core::ptr::from_ref(ctx).cast::<c_void>();
        (user.enter)(user.env, ctx, part.job.cast(), part.slots, function as *const u8, &mut pc)
    };
    part.runs.set(false);
    if fuel.is_some() {
        shared.set_fuel(fuel.map(|fuel| fuel.min(job.fuel.get())));
    }
    match outcome {
        Outcome::RETURNED => match job.trap.get() {
            RawTrap::NONE => {
                // SAFETY: the caller's slots are those of the function's type, and the window has as many.
                unsafe { slots.copy_from(part.slots, count) };
                RawTrap::NONE
            }
            trap => {
                let offset = job.offset.get();
                if (offset as usize) < ctx.image().section(Section::Code).len() {
                    shared.place.set((ctx.function_at(offset), offset));
                }
                shared.told(trap)
            }
        },
        Outcome::STOPPED => shared.stop_code(),
        _ => RawTrap::of(TrapCode::MemoryProtection),
    }
}

/// Does what the interpreter asked for. Gives `None` for what is no request.
pub(super) fn answer(ctx: &Ctx, user: &UserMode, request: &[usize; 6]) -> Option<u32> {
    match *request {
        [MEMORY_GROW, delta, ..] => {
            let grown = ctx.linear().and_then(|memory| memory.grow(ctx.shared(), delta as u32));
            Some(grown.unwrap_or(u32::MAX))
        }
        [IMPORT, index, slots, ..] => {
            let import = ctx.imports().get(index)?.get();
            let slots = in_window(user, slots, ctx.ty(import.ty)?.slots())?;
            // SAFETY: the function keeps to the ABI, and the slots of its type are in the window. The thread of the code
            // waits, and nothing of the host's lies there.
            Some(unsafe { (import.function)(core::ptr::from_ref(ctx).cast_mut(), slots, import.env) }.bits())
        }
        _ => None,
    }
}

/// Returns the words in the window.
fn in_window(user: &UserMode, at: usize, count: usize) -> Option<*mut u32> {
    let start = user.window.expose_provenance();
    let end = at.checked_add(count.checked_mul(size_of::<u32>())?)?;
    let inside = at % size_of::<u32>() == 0 && at >= start && end <= start + user.window_words * size_of::<u64>();
    inside.then(|| core::ptr::with_exposed_provenance_mut(at))
}

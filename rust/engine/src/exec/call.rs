// SPDX-License-Identifier: Apache-2.0
//! Calls: from the host, of imported functions, and between instances.
//!
//! The rules that the unsafe blocks refer to are those of [`crate::vm`] and of [`super::interpreter`].

use core::cell::Cell;
use core::ptr::null;
use core::sync::atomic::Ordering;

use wisp_image::format::FRAME_HEADER_SLOTS;

use super::interpreter::{frame, run};
use super::native;
#[cfg(wisp_translates)]
use super::translated;
use crate::vm::context::Ctx;
use crate::vm::imports::RawHostFn;
use crate::vm::references::references;
use crate::vm::shared::Shared;
use crate::vm::trap::{RawTrap, Trap, TrapCode};
use crate::vm::ty::slots as slots_of;

/// Bytes of a frame's header.
const HEADER: usize = FRAME_HEADER_SLOTS * 4;

/// A frame for a call from the host: room for arguments and results.
pub(crate) struct Entry<'s> {
    shared: &'s Shared,
    slots: *const Cell<u32>,
    count: usize,
}

impl<'s> Entry<'s> {
    /// Takes the frame behind those in use.
    #[inline(always)]
    pub fn new(shared: &'s Shared, count: usize) -> Result<Self, Trap> {
        let slots = shared.frame_top().wrapping_add(HEADER);
        if slots.addr() + count * 4 > shared.stack_limit().addr() {
            return Err(Trap::new(TrapCode::StackOverflow));
        }
        // frames that a backtrace would walk are about to be overwritten
        shared.trapped.0.set(null());
        Ok(Self { shared, slots: slots.cast(), count })
    }

    /// Returns a slot.
    #[inline(always)]
    pub fn get(&self, index: usize) -> u32 {
        if index >= self.count {
            return 0;
        }
        // SAFETY: rule F: `new` checked that `count` slots lie in the stack.
        unsafe { (*self.slots.add(index)).get() }
    }

    /// Writes a slot.
    #[inline(always)]
    pub fn set(&self, index: usize, bits: u32) {
        if index < self.count {
            // SAFETY: rule F: `new` checked that `count` slots lie in the stack.
            unsafe { (*self.slots.add(index)).set(bits) };
        }
    }

    /// Calls a function whose parameters and results take no more slots than there are.
    pub fn call<T>(&self, ctx: &Ctx, function: u32, data: &mut T) -> Result<(), Trap> {
        // SAFETY: rule F: `new` checked that the slots lie in the stack, and left room for the header.
        let code = unsafe { call_with(self.shared, ctx, function, self.start(), core::ptr::from_mut(data).cast()) };
        self.ended(code)
    }

    /// Calls a function as [`Entry::call`] does, if the caller knows its type from before.
    #[inline(always)]
    pub fn call_reference<T>(&self, reference: u32, data: &mut T) -> Result<(), Trap> {
        let data = core::ptr::from_mut(data).cast();
        // SAFETY: rule F: `new` checked that the slots lie in the stack, and left room for the header.
        let code = unsafe { call_typed(self.shared, reference, self.start(), data) };
        self.ended(code)
    }

    #[inline(always)]
    fn start(&self) -> *mut u32 {
        self.slots.cast::<u32>().cast_mut()
    }

    #[inline(always)]
    fn ended(&self, raw: RawTrap) -> Result<(), Trap> {
        // a guest that was to stop has not succeeded, even if nobody told it in time
        match raw.bits() | self.shared.stop.load(Ordering::Relaxed) {
            0 => Ok(()),
            _ => Err(self.trap(raw)),
        }
    }

    #[cold]
    fn trap(&self, raw: RawTrap) -> Trap {
        let ended = raw.is_none() || raw == RawTrap::of(TrapCode::Exit);
        let code = match self.shared.go_on() {
            Err(stop) if ended => {
                self.shared.place.set((Trap::NOWHERE, 0));
                stop
            }
            _ => raw.code().unwrap_or(TrapCode::HostError),
        };
        if code == TrapCode::Exit {
            return Trap::exit(self.shared.exit_status.get());
        }
        let (func, offset) = self.shared.place.get();
        Trap { code, func, offset }
    }
}

/// Calls the function behind a reference, of a type that the caller knows, for the host.
///
/// # Safety
/// The two slots below `slots` and those of arguments and results lie in the frame stack (rule F).
#[inline(never)]
unsafe fn call_typed(shared: &Shared, reference: u32, slots: *mut u32, data: *mut ()) -> RawTrap {
    if cfg!(feature = "interpreter") && shared.current.get().is_null() {
        if let Some((ctx, code)) = shared.first_defined(reference).filter(|(ctx, _)| ctx.native().is_none()) {
            shared.data.set(data);
            // SAFETY: rule F: the caller's slots and the two below them lie in the stack.
            return unsafe { enter_first(shared, ctx, code, slots) };
        }
    }
    // SAFETY: rule F: the caller's slots and the two below them lie in the stack.
    unsafe { call_resolved(shared, reference, slots, data) }
}

/// Calls any function behind a reference: imported ones, those of other instances, native code, calls by host
/// functions.
///
/// # Safety
/// The two slots below `slots` and those of arguments and results lie in the frame stack (rule F).
#[cold]
#[inline(never)]
unsafe fn call_resolved(shared: &Shared, reference: u32, slots: *mut u32, data: *mut ()) -> RawTrap {
    match shared.resolve(reference) {
        // SAFETY: rule F: the caller's slots and the two below them lie in the stack.
        Some((ctx, function)) => unsafe { call_with(shared, ctx, function, slots, data) },
        None => RawTrap::of(TrapCode::UnknownHandle),
    }
}

/// Calls a function as [`call`] does, with the store's data for the host functions that the guest calls.
///
/// # Safety
/// The two slots below `slots` and those of arguments and results lie in the frame stack (rule F).
#[inline(never)]
unsafe fn call_with(shared: &Shared, ctx: &Ctx, function: u32, slots: *mut u32, data: *mut ()) -> RawTrap {
    let before = shared.data.replace(data);
    // SAFETY: rule F: the caller's slots and the two below them lie in the stack.
    let code = unsafe { call(ctx, function, slots) };
    shared.data.set(before);
    code
}

/// Calls any function of an instance with its arguments at `slots`, where the results are left.
///
/// # Safety
/// The two slots below `slots` and those of arguments and results lie in the frame stack.
pub(crate) unsafe fn call(ctx: &Ctx, function: u32, slots: *mut u32) -> RawTrap {
    let Some(defined) = function.checked_sub(u32::from(ctx.import_count)) else {
        // SAFETY: the caller's slots are those of the function's type.
        return unsafe { call_import(ctx, function, slots) };
    };
    if let Some(record) = ctx.native() {
        // SAFETY: the caller's slots are those of the function's type; the module of an instance with a record promised
        // rule N.
        return unsafe { native::enter(ctx, record, defined, slots) };
    }
    if let Some((code, _)) = ctx.defined(defined).filter(|_| cfg!(feature = "interpreter")) {
        // SAFETY: rule F: the caller's slots and the two below them lie in the stack.
        return unsafe { enter(ctx, code, slots) };
    }
    RawTrap::of(TrapCode::UnknownHandle)
}

/// Calls an imported function.
///
/// # Safety
/// The two slots below `slots` and those of arguments and results lie in the frame stack (rule F).
#[cold]
unsafe fn call_import(ctx: &Ctx, function: u32, slots: *mut u32) -> RawTrap {
    let Some(import) = ctx.imports().get(function as usize).map(Cell::get) else {
        return RawTrap::of(TrapCode::UnknownHandle);
    };
    ctx.shared().place.set((Trap::NOWHERE, 0));
    // SAFETY: the caller's slots are those of the function's type, and the function keeps to the ABI: its definition or
    // the linker promised that.
    unsafe { (import.function)(core::ptr::from_ref(ctx).cast_mut(), slots, import.env) }
}

/// Runs a defined function.
///
/// # Safety
/// The two slots below `slots` and those of arguments and results lie in the frame stack (rule F).
pub(super) unsafe fn enter(ctx: &Ctx, code: u32, slots: *mut u32) -> RawTrap {
    let shared = ctx.shared();
    if shared.current.get().is_null() {
        // SAFETY: rule F: the caller's slots and the two below them lie in the stack.
        return unsafe { enter_first(shared, ctx, code, slots) };
    }
    let depth = shared.depth.get();
    if depth + 1 >= shared.config.native_depth {
        shared.place.set((Trap::NOWHERE, 0));
        return RawTrap::of(TrapCode::NestingExceeded);
    }
    shared.depth.set(depth + 1);
    let (ip, fp) = (ctx.ip.get(), ctx.fp.get());
    let before = shared.begin(ctx, code, slots);
    // SAFETY: rule F: the caller's slots and the two below them lie in the stack.
    let result = unsafe { run_outermost(shared, ctx, code, slots) };
    shared.end(before);
    // SAFETY: rule F: the header below the caller's slots lies in the stack.
    unsafe { frame::over(slots) };
    if !core::ptr::eq(before, ctx) {
        let results = ctx.type_at(code).map_or(0, |ty| slots_of(ty.results));
        shared.clear_frames_from(slots.wrapping_add(if result.is_none() { results } else { 0 }));
    }
    ctx.ip.set(ip);
    ctx.fp.set(fp);
    shared.depth.set(depth);
    result
}

/// Runs a defined function while nothing else runs: no state has to be restored, and one entry is always allowed.
///
/// # Safety
/// The two slots below `slots` and those of arguments and results lie in the frame stack (rule F).
#[inline(always)]
unsafe fn enter_first(shared: &Shared, ctx: &Ctx, code: u32, slots: *mut u32) -> RawTrap {
    shared.begin(ctx, code, slots);
    // SAFETY: rule F: the caller's slots and the two below them lie in the stack.
    let result = unsafe { run_outermost(shared, ctx, code, slots) };
    shared.current.set(null());
    result
}

/// Runs a defined function in an outermost frame of an instance that has begun.
///
/// # Safety
/// The two slots below `slots` and those of arguments and results lie in the frame stack (rule F).
#[inline(always)]
unsafe fn run_outermost(shared: &Shared, ctx: &Ctx, code: u32, slots: *mut u32) -> RawTrap {
    #[cfg(feature = "user-mode")]
    // SAFETY: rule F: the caller's slots lie in the stack, and are those of the function's type.
    if let Some(result) = unsafe { native::inside::enter(ctx, code, slots) } {
        return result;
    }
    #[cfg(wisp_translates)]
    let entry = translated::begin(ctx);
    // SAFETY: rule F: the header below the caller's slots lies in the stack. The code offset is that of a function
    // (rule V, `structure`), which begins with `enter` ([`Rule::EnterFirst`]).
    let result = unsafe {
        frame::outermost(slots);
        #[cfg(wisp_translates)]
        let result = translated::enter(ctx, code, slots);
        #[cfg(not(wisp_translates))]
        let result: Option<RawTrap> = None;
        match result {
            Some(result) => result,
            None => run(ctx, ctx.code.add(code as usize).cast(), slots.cast()),
        }
    };
    #[cfg(wisp_translates)]
    translated::end(ctx, &entry);
    if !result.is_none() {
        trapped(shared, ctx);
    }
    result
}

/// Notes where a trap arose, unless it came from further inside.
#[cold]
fn trapped(shared: &Shared, ctx: &Ctx) {
    if shared.place_known.replace(false) {
        return;
    }
    let offset = ctx.code_offset(ctx.ip.get());
    shared.place.set((ctx.function_at(offset), offset));
    shared.trapped.0.set(ctx);
    shared.trapped.1.set(ctx.fp.get());
}

/// Returns the raw host function that stands for a function of another instance.
pub(crate) fn foreign(reference: u32) -> (RawHostFn, *const ()) {
    unsafe extern "C" fn function(ctx: *mut Ctx, slots: *mut u32, env: *const ()) -> RawTrap {
        // SAFETY: the interpreter passes its instance, and slots of a call frame with room for a header
        // (rule V, `CallFrame`).
        unsafe { call_reference(&*ctx, env.addr() as u32, slots) }
    }
    (function, core::ptr::without_provenance(reference as usize))
}

/// Calls the function behind a reference.
///
/// # Safety
/// The two slots below `slots` and those of arguments and results lie in the frame stack (rule F).
#[cold]
pub(crate) unsafe fn call_reference(ctx: &Ctx, reference: u32, slots: *mut u32) -> RawTrap {
    let shared = ctx.shared();
    let Some((callee, function)) = shared.resolve(reference) else {
        return RawTrap::of(TrapCode::UnknownHandle);
    };
    let ty = callee.function_type(function).filter(|ty| ty.has_references());
    // SAFETY: the caller's slots are those of this type.
    let slot = |at: usize| unsafe { slots.add(at).read() };
    if let Some(ty) = ty {
        let given = references(ty.params, slot, |ty, bits| {
            ctx.give(ty, bits)?;
            callee.receive(ty, bits)
        });
        if let Err(code) = given {
            return RawTrap::of(code);
        }
    }
    // SAFETY: the caller's slots are those of the function's type.
    let code = unsafe { call_out(ctx, callee, function, slots) };
    match ty.filter(|_| code.is_none()) {
        None => code,
        Some(ty) => {
            let taken = references(ty.results, slot, |ty, bits| {
                callee.give(ty, bits)?;
                ctx.receive(ty, bits)
            });
            taken.into()
        }
    }
}

/// Calls a function of another instance without a look at the values.
///
/// # Safety
/// The two slots below `slots` and those of arguments and results lie in the frame stack (rule F).
unsafe fn call_out(ctx: &Ctx, callee: &Ctx, function: u32, slots: *mut u32) -> RawTrap {
    let shared = ctx.shared();
    if cfg!(feature = "interpreter") && ctx.native().is_some() {
        // SAFETY: the caller's slots are those of the function's type; native code has them on its own stack.
        return unsafe { call_on_frames(shared, callee, function, slots) };
    }
    // SAFETY: rule F; or both sides are native code, which takes slots on any stack.
    let code = unsafe { call(callee, function, slots) };
    shared.place_known.set(!code.is_none() && shared.place.get().0 != Trap::NOWHERE);
    code
}

/// Calls a function of another instance for native code, whose slots lie on the native stack: the callee
/// may be interpreted and wants them in the frame stack.
///
/// # Safety
/// `slots` holds the slots of the function's type.
unsafe fn call_on_frames(shared: &Shared, callee: &Ctx, function: u32, slots: *mut u32) -> RawTrap {
    let Some(ty) = callee.function_type(function) else { return RawTrap::of(TrapCode::UnknownHandle) };
    let Ok(entry) = Entry::new(shared, ty.slots()) else {
        shared.place.set((Trap::NOWHERE, 0));
        return RawTrap::of(TrapCode::StackOverflow);
    };
    for slot in 0..slots_of(ty.params) {
        // SAFETY: the caller's slots are those of the function's type, and the entry has as many.
        entry.set(slot, unsafe { slots.add(slot).read() });
    }
    // SAFETY: the entry has room for the slots, and a header below them.
    let code = unsafe { call(callee, function, entry.start()) };
    shared.place_known.set(!code.is_none() && shared.place.get().0 != Trap::NOWHERE);
    // if it trapped, what the frame held before is nobody's business
    for slot in 0..if code.is_none() { slots_of(ty.results) } else { 0 } {
        // SAFETY: the caller's slots are those of the function's type, and the entry has as many.
        unsafe { slots.add(slot).write(entry.get(slot)) };
    }
    code
}

/// A place in guest code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Index of the instance in its store.
    pub instance: u16,
    /// Index among the defined functions.
    pub func: u32,
    /// Byte offset in the code section of the op that runs.
    pub offset: u32,
}

/// Returns the instance that trapped, if its frames are known.
fn trapped_instance(shared: &Shared) -> Option<&Ctx> {
    // SAFETY: rule A: null or an instance of this store.
    unsafe { shared.trapped.0.get().as_ref() }.filter(|_| shared.place.get().0 != Trap::NOWHERE)
}

/// Frames of the last trap.
pub(crate) fn backtrace(shared: &Shared) -> impl Iterator<Item = Frame> + '_ {
    let fp = shared.trapped.1.get();
    let (func, offset) = shared.place.get();
    let (native, interpreted) = match trapped_instance(shared) {
        Some(ctx) if cfg!(feature = "callers") && ctx.native().is_some() => (Some(ctx), None),
        ctx => (None, ctx.filter(|_| cfg!(feature = "interpreter"))),
    };
    let mut next = interpreted.map(|_| (offset, fp));
    let interpreted = core::iter::from_fn(move || {
        let ctx = interpreted?;
        let (offset, fp) = next?;
        // SAFETY: rule F: the frame that trapped lay in the stack with its header, and so does each that the filter
        // lets through. If a host function kept the trap to itself, the guest went on over these frames. Then
        // the numbers are any, but the walk stays in the stack and goes one way.
        next = unsafe { frame::caller(ctx, fp) }
            .filter(|&(_, caller)| caller < fp && shared.holds_frame(caller))
            .map(|(ip, fp)| (ctx.code_offset(ip), fp));
        Some(Frame { instance: ctx.index(), func: ctx.function_at(offset), offset })
    });
    let native = native.into_iter().flat_map(move |ctx| {
        core::iter::once(Frame { instance: ctx.index(), func, offset }).chain(native::callers::frames(ctx))
    });
    interpreted.chain(native)
}

/// Returns true if there are callers that [`backtrace`] does not know.
pub(crate) fn backtrace_is_cut(shared: &Shared) -> bool {
    trapped_instance(shared).is_some_and(|ctx| ctx.native().is_some() && native::callers::cut(ctx))
}

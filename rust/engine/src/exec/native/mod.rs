// SPDX-License-Identifier: Apache-2.0
//! Native code: loads native sections and runs what is in them.
//!
//! A native section is machine code that `wisp-aotc` made from the module. It works with the instance's
//! [`Record`], laid out as [`wisp_image::native::CONTEXT`] says, and calls back through [`helpers`]. The
//! host enters it through an assembly stub per instruction set ([`entry`]), which also is where a trap
//! comes out: a trap throws away the C frames above its entry, and only those. There is never a Rust frame
//! among them, because every call out of native code returns its trap as a number.
//!
//! Rules the unsafe blocks of this folder refer to, beside those of [`crate::vm`]:
//! - **N (native)**: whoever called [`crate::Module::use_native`] promised that the code was made by
//!   `wisp-aotc` for this image: it keeps to the record, the helpers, the slots of a function's type, the
//!   bounds of memory, globals and tables, and checks the stack as its header says.

#[cfg_attr(not(feature = "callers"), path = "callers_absent.rs")]
pub(crate) mod callers;
#[cfg_attr(target_arch = "x86_64", path = "entry_x86_64.rs")]
#[cfg_attr(target_arch = "arm", path = "entry_thumb.rs")]
#[cfg_attr(target_arch = "riscv32", path = "entry_riscv32.rs")]
#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "arm", target_arch = "riscv32")), path = "entry_none.rs")]
mod entry;
mod halt;
mod helpers;
#[cfg(feature = "user-mode")]
pub(crate) mod inside;
mod target;
#[cfg_attr(not(feature = "user-mode"), path = "user_absent.rs")]
pub(crate) mod user;

use core::cell::Cell;
use core::ptr::null;
use core::sync::atomic::Ordering;

use wisp_image::native::{flags, header, Native, Refusal, Target, HELPERS, SITE_STOP};
use wisp_image::Image;

use crate::vm::arena::Arena;
use crate::vm::config::Config;
use crate::vm::context::Ctx;
use crate::vm::features::MISSING_FEATURES;
use crate::vm::native::{NativePart, Record};
use crate::vm::shared::Shared;
use crate::vm::trap::{RawTrap, Trap, TrapCode};

/// Native code that an instance may run.
pub(crate) type Code<'m> = Native<'m>;

/// Room of an instance in the arena: for its record, and for the globals behind it.
pub(crate) struct Room<'s> {
    /// The globals, as slots.
    pub globals: &'s [Cell<u32>],
    /// The record, not filled in yet.
    pub part: NativePart,
    /// The record that code in user mode works with, not filled in yet, or null.
    guest: *const Record,
}

/// Takes room for a record, and for the globals behind it.
fn place<'s>(arena: &Arena, globals: usize) -> Option<(*const Record, &'s [Cell<u32>])> {
    // no gap between the two
    const { assert!(size_of::<Record>() % align_of::<u32>() == 0) };
    let start = arena.take(callers::ROOM + size_of::<Record>(), align_of::<Record>())?;
    Some((start.wrapping_byte_add(callers::ROOM).cast(), arena.alloc_zeroed(globals)?))
}

impl<'s> Room<'s> {
    /// Takes the room from the arena. An instance without native code has only globals.
    pub fn take(shared: &'s Shared, code: Option<&Code<'_>>, globals: usize) -> Option<Self> {
        if code.is_none() {
            shared.clear_frames();
            let arena = shared.guest.interpreted(&shared.config).unwrap_or(&shared.arena);
            return Some(Self { globals: arena.alloc_zeroed(globals)?, part: NativePart::NONE, guest: null() });
        }
        Some(match shared.guest.window(&shared.config) {
            Some(window) => {
                let (guest, globals) = place(window, globals)?;
                Self { globals, part: NativePart(place(&shared.arena, 0)?.0), guest }
            }
            None => {
                let (record, globals) = place(&shared.arena, globals)?;
                Self { globals, part: NativePart(record), guest: null() }
            }
        })
    }

    /// Fills in the records of an instance.
    pub fn bind(&self, ctx: &Ctx, code: Option<&Code<'_>>) -> Option<()> {
        let Some(code) = code else { return Some(()) };
        let record = Record::new(ctx, code, helpers::address(), entry::trap);
        // SAFETY: rule A: `place` took room for it, aligned to eight bytes, that nobody else has.
        unsafe { self.part.0.cast_mut().write(record) };
        callers::bind(self.part.0, code);
        user::bind(ctx, self.guest, code)
    }
}

/// Returns the form of an import through which native code calls it: that of the function, or of the section.
pub(crate) fn import_form(ctx: &Ctx, code: Option<&Code<'_>>, index: usize, direct: *const ()) -> *const () {
    match (ctx.native(), code) {
        (Some(record), Some(code)) if direct.is_null() => record.import(code, index),
        _ => direct,
    }
}

/// Notes the trap of code that stood at an address when it was stopped from outside.
fn stopped_at(record: &Record, shared: &Shared, native: &Native<'_>, pc: usize) {
    record.site.set(NOWHERE_IN_FUNCTION);
    callers::unknown(record);
    record.function.set(native.function_at(pc.wrapping_sub(record.code.addr()) as u32));
    record.trap_with(shared.stop_code());
}

/// Returns an address in the frame of whoever calls: where the stack is now.
#[inline(always)]
fn stack_pointer() -> usize {
    let here = 0u8;
    core::hint::black_box(&raw const here).addr()
}

/// Runs a defined function.
///
/// # Safety
/// `slots` holds the slots of the function's type, for arguments and results. Rule N.
pub(crate) unsafe fn enter(ctx: &Ctx, record: &Record, defined: u32, slots: *mut u32) -> RawTrap {
    // SAFETY: rule N, and the caller's slots are those of the function's type.
    if let Some(trap) = unsafe { user::enter(ctx, record, defined, slots) } {
        return trap;
    }
    let shared = ctx.shared();
    // the outermost entry is not counted
    let depth = shared.depth.get();
    let entries = depth + u32::from(!shared.current.get().is_null());
    let floor = match shared.native_floor.0.get() {
        0 if shared.config.native.lowest != 0 => shared.config.native.lowest,
        0 => stack_pointer().saturating_sub(shared.config.native.stack as usize),
        floor => floor,
    };
    // from here to the first check, and from every check to the next, the code may take this much
    let reserve = record.reserve as usize;
    if entries >= shared.config.native_depth || stack_pointer() < floor + reserve {
        shared.place.set((Trap::NOWHERE, 0));
        return RawTrap::of(TrapCode::StackOverflow);
    }
    let Some(thunk) = record.thunk(defined) else {
        return RawTrap::of(TrapCode::UnknownHandle);
    };
    let count = ctx.function_type(defined + u32::from(ctx.import_count)).map_or(0, |ty| ty.slots());
    let top = shared.frame_top_over(slots, slots.wrapping_add(count));
    shared.depth.set(entries);
    let before = shared.begin(ctx, 0, core::ptr::null_mut());
    let floor_before = shared.native_floor.0.replace(floor);
    let fp = ctx.fp.replace(top);
    record.stack_limit.set(floor + reserve);
    let function = record.code.wrapping_add(thunk as usize);
    // SAFETY: rule N: the thunk lies in the code and takes these arguments.
    let trapped = unsafe { entry::enter(record, slots, function) } != 0;
    let mut code = if trapped { note(shared, ctx, record) } else { RawTrap::NONE };
    record.trap_with(RawTrap::NONE);
    if shared.stop.load(Ordering::Relaxed) != 0 {
        let outermost = before.is_null();
        halt::over(shared, record, outermost);
        // the guest that called this is to stop as well, whatever the host function makes of the trap
        // SAFETY: rule A: an instance of this store, or null.
        if let Some(outer) = unsafe { before.as_ref() } {
            if let Some(outer) = outer.native() {
                outer.trap_with(shared.stop_code());
            }
            if code.is_none() {
                shared.place.set((Trap::NOWHERE, 0));
                code = shared.stop_code();
            }
        }
    }
    ctx.fp.set(fp);
    shared.native_floor.0.set(floor_before);
    shared.end(before);
    shared.depth.set(depth);
    code
}

/// A store as whoever stops its guests from outside sees it.
#[derive(Clone, Copy)]
pub(crate) struct Watched(*const Shared);

// SAFETY: the pointer is only followed by `redirect`, whose contract says when.
unsafe impl Send for Watched {}
// SAFETY: the pointer is only followed by `redirect`, whose contract says when.
unsafe impl Sync for Watched {}

impl Watched {
    pub(crate) fn new(shared: &Shared) -> Self {
        Self(shared)
    }

    /// Returns the address at which a thread that stands at `pc` has to go on, and the argument it has to find there.
    /// Its native code then ends with the trap that the stop flag names. `None` if the thread does not stand in native
    /// code: then the code ends when it calls the next helper.
    ///
    /// # Safety
    /// The store lives. Its thread does not run, and what is given here is put into its registers before it
    /// does.
    pub(crate) unsafe fn redirect(self, pc: usize) -> Option<(usize, usize)> {
        // SAFETY: rules A and T: the store lives, and the thread's cells do not change while it does not run.
        let shared = unsafe { &*self.0 };
        let ctx = shared.current()?;
        let record = ctx.native()?;
        if record.unwind.get() == 0 || shared.stop.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let native = section(&ctx.image(), &shared.config).ok()?;
        if pc.wrapping_sub(record.code.addr()) >= native.code().len() {
            halt::begin(shared, record);
            return None;
        }
        stopped_at(record, shared, &native, pc);
        let entry = entry::stopped as unsafe extern "C" fn(*const Record) -> u32;
        Some((entry as usize, core::ptr::from_ref(record).expose_provenance()))
    }

    /// Notes that the store's thread has ended without coming back from its guest, as one that faults does.
    pub(crate) fn forget(self) {
        halt::forget(self.0);
    }
}

/// Site of a trap that came from outside: no operator raised it.
const NOWHERE_IN_FUNCTION: u32 = u32::MAX;

/// Finds out what trap arose, and where.
#[cold]
fn note(shared: &Shared, ctx: &Ctx, record: &Record) -> RawTrap {
    let (function, site) = (record.function.get(), record.site.get());
    let section = section(&ctx.image(), &shared.config);
    let (offset, number) = section.ok().and_then(|native| native.site(function, site)).unwrap_or((0, 0));
    // code in user mode can write anything there
    let function = if function < ctx.function_count { function } else { Trap::NOWHERE };
    let code = match number {
        // 0 only if the section is not in the image, against the contract: but a trap it is
        0 => match record.code_number.get() {
            RawTrap::NONE => RawTrap::of(TrapCode::HostError),
            trap => trap,
        },
        SITE_STOP => shared.stop_code(),
        code => RawTrap::from_bits(u32::from(code)),
    };
    if shared.place_known.replace(false) {
        // The trap came from code that a host function called. This way out has noted other callers in its place.
        callers::unknown(record);
    } else {
        shared.place.set((function, offset));
        callers::trapped(shared, ctx);
    }
    code
}

/// Returns the target that runs here: the one this was compiled for, with the features that the embedder knows besides.
pub(crate) fn here(config: &Config) -> Option<Target> {
    target::HERE.map(|here| Target { features: here.features | config.native.features, ..here })
}

/// Returns the section that runs here: of those in the image, the one that uses most of the machine.
pub(crate) fn section<'m>(image: &Image<'m>, config: &Config) -> Result<Native<'m>, Refusal> {
    let here = here(config);
    let mut best: Option<Native<'m>> = None;
    let mut other = None;
    let mut refusal = None;
    for (_, bytes) in image.native_sections() {
        match Native::parse(bytes) {
            Ok(native) if here.is_some_and(|here: Target| here.runs(native.target)) => {
                if best.is_none_or(|best| best.target.features < native.target.features) {
                    best = Some(native);
                }
            }
            Ok(native) => other = other.or(Some(native.target)),
            Err(error) => refusal = Some(error),
        }
    }
    best.ok_or(refusal.unwrap_or(Refusal::Target(other, here)))
}

/// Checks a section against the image it is to stand for.
pub(crate) fn check(image: &Image<'_>, native: &Native<'_>, config: &Config) -> Result<(), Refusal> {
    let here = here(config);
    if !here.is_some_and(|here| here.runs(native.target)) {
        return Err(Refusal::Target(Some(native.target), here));
    }
    native.fits(image)?;
    if usize::from(native.helpers()) > HELPERS.len() {
        return Err(Refusal::Helpers(native.helpers(), HELPERS.len() as u16));
    }
    let missing = native.features() & MISSING_FEATURES;
    if missing != 0 {
        return Err(Refusal::Features(missing));
    }
    if native.flags & flags::POLLS == 0 && !config.native.stop {
        return Err(Refusal::Unstoppable);
    }
    // constants of the code are aligned to where the linker put it
    let align = if cfg!(target_arch = "x86_64") { 16 } else { 4 };
    if native.code().as_ptr().addr() % align != 0 {
        return Err(Refusal::Damaged(header::CODE as u16));
    }
    Ok(())
}

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

#[cfg_attr(target_arch = "x86_64", path = "entry_x86_64.rs")]
#[cfg_attr(target_arch = "arm", path = "entry_thumb.rs")]
#[cfg_attr(target_arch = "riscv32", path = "entry_riscv32.rs")]
#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "arm", target_arch = "riscv32")), path = "entry_none.rs")]
mod entry;
mod halt;
mod helpers;
mod target;
#[cfg(feature = "user-mode")]
pub(crate) mod user;

use core::cell::Cell;
use core::mem::{offset_of, size_of};
use core::ptr::null;
use core::sync::atomic::{AtomicU32, Ordering};

use wisp_image::format::Section;
use wisp_image::native::{context_offset, flags, header, Native, Refusal, Target, FUNCTION_SIZE, HELPERS};
use wisp_image::native::{NONE, SITE_STOP};
use wisp_image::Image;

#[cfg(feature = "interpreter")]
use crate::exec::call;
use crate::vm::arena::Arena;
use crate::vm::config::Config;
use crate::vm::context::Ctx;
use crate::vm::imports::Import;
use crate::vm::shared::Shared;
use crate::vm::table::TableRecord;
use crate::vm::trap::{Trap, TrapCode};

use helpers::Helpers;

/// State that native code works with. The globals follow it.
#[repr(C)]
pub(crate) struct Record {
    memory: Cell<*mut u8>,
    memory_size: Cell<usize>,
    stack_limit: Cell<usize>,
    stop: *const AtomicU32,
    helpers: Cell<*const Helpers>,
    imports: *const Cell<Import>,
    engine: *const Ctx,
    tables: *const Cell<*const TableRecord>,
    functions: *const u8,
    code: *const u8,
    imported_globals: *const Cell<*const Cell<u32>>,
    trap: unsafe extern "C" fn(*const Record, u32, u32) -> u32,
    unwind: Cell<usize>,
    first_reference: u32,
    function_count: u32,
    site: Cell<u32>,
    function: Cell<u32>,
    code_number: Cell<u32>,
    reserve: u32,
    scratch: Cell<u64>,
}

/// The layout is described once, in the image crate; here and in the generated C it is compared with that.
macro_rules! same_layout {
    ($($field:ident)*) => {
        const _: () = {
            $(assert!(offset_of!(Record, $field) == context_offset(stringify!($field), size_of::<usize>()));)*
            assert!(size_of::<Record>() == context_offset("", size_of::<usize>()));
        };
    };
}

same_layout! {
    memory memory_size stack_limit stop helpers imports engine tables functions code imported_globals trap unwind
    first_reference function_count site function code_number reserve scratch
}

/// Room for a record, and the globals behind it: what an instance takes from the arena.
pub(crate) fn place<'s>(arena: &Arena, globals: usize) -> Option<(*const Record, &'s [Cell<u32>])> {
    // no gap between the two
    const { assert!(size_of::<Record>() % align_of::<u32>() == 0) };
    let record = arena.take(size_of::<Record>(), align_of::<Record>())?;
    Some((record.cast(), arena.alloc_zeroed(globals)?))
}

impl Record {
    /// Fills in the record of an instance.
    pub(crate) fn bind(ctx: &Ctx, place: *const Self, code: &Native<'_>) {
        // SAFETY: rule A: `place` took room for it, aligned to eight bytes, that nobody else has.
        unsafe { place.cast_mut().write(Self::new(ctx, code)) };
    }

    /// The record of an instance whose code may do what the host may.
    fn new(ctx: &Ctx, code: &Native<'_>) -> Self {
        Self {
            memory: Cell::new(ctx.memory.get()),
            memory_size: Cell::new(0),
            stack_limit: Cell::new(0),
            stop: &ctx.shared().stop,
            helpers: Cell::new(&helpers::TABLE),
            imports: ctx.imports,
            engine: ctx,
            tables: ctx.tables,
            functions: code.function_table().as_ptr(),
            code: code.code().as_ptr(),
            imported_globals: ctx.imported_globals,
            trap: entry::trap,
            unwind: Cell::new(0),
            first_reference: ctx.first_reference,
            function_count: code.function_count(),
            site: Cell::new(0),
            function: Cell::new(0),
            code_number: Cell::new(0),
            reserve: code.stack(),
            scratch: Cell::new(0),
        }
    }

    /// Memory has come or grown.
    pub(crate) fn set_memory(&self, base: *mut u8, size: usize) {
        self.memory.set(base);
        self.memory_size.set(size);
    }

    /// Notes the trap of code that stood at an address when it was stopped from outside.
    fn stopped_at(&self, shared: &Shared, native: &Native<'_>, pc: usize) {
        self.site.set(NOWHERE_IN_FUNCTION);
        self.function.set(native.function_at(pc.wrapping_sub(self.code.addr()) as u32));
        self.code_number.set(shared.stop_code());
    }

    /// Returns the address of the section's form of an imported function that passes values through slots, or null.
    pub(crate) fn import(&self, native: &Native<'_>, index: usize) -> *const () {
        native.import(index).map_or(null(), |offset| self.code.wrapping_add(offset as usize).cast())
    }

    /// The context of the instance.
    pub(crate) fn context(&self) -> &Ctx {
        // SAFETY: rule A: the instance of this record, which lives as long.
        unsafe { &*self.engine }
    }

    /// Sets the trap with which the code ends when the host function that it called returns.
    pub(crate) fn trap_with(&self, code: u32) {
        self.code_number.set(code);
    }

    /// Offset of the form of a function that the host calls.
    fn thunk(&self, defined: u32) -> Option<u32> {
        if defined >= self.function_count {
            return None;
        }
        let entry = self.functions.wrapping_add(defined as usize * FUNCTION_SIZE + 4);
        // SAFETY: rule N: the table has `function_count` entries; sections lie on multiples of eight bytes,
        // and the table on one of four in them, but a mapping may be anywhere.
        let offset = unsafe { entry.cast::<u32>().read_unaligned() };
        (offset != NONE).then_some(offset)
    }
}

/// An address in the frame of whoever calls: where the stack is now.
#[inline(always)]
fn stack_pointer() -> usize {
    let here = 0u8;
    core::hint::black_box(&raw const here).addr()
}

/// Runs a defined function.
///
/// # Safety
/// `slots` holds the slots of the function's type, for arguments and results. Rule N.
pub(crate) unsafe fn enter(ctx: &Ctx, record: &Record, defined: u32, slots: *mut u32) -> u32 {
    #[cfg(feature = "user-mode")]
    if let Some(view) = ctx.view() {
        // SAFETY: rule N, and the caller's slots are those of the function's type.
        return unsafe { user::enter(ctx, record, view, defined, slots) };
    }
    let shared = ctx.shared();
    // the outermost entry is not counted
    let depth = shared.depth.get();
    let entries = depth + u32::from(!shared.current.get().is_null());
    let floor = match shared.native_floor.get() {
        0 if shared.config.native_limit != 0 => shared.config.native_limit,
        0 => stack_pointer().saturating_sub(shared.config.native_stack as usize),
        floor => floor,
    };
    // from here to the first check, and from every check to the next, the code may take this much
    let reserve = record.reserve as usize;
    if entries >= shared.config.native_depth || stack_pointer() < floor + reserve {
        shared.place.set((Trap::NOWHERE, 0));
        return TrapCode::StackOverflow as u32;
    }
    let Some(thunk) = record.thunk(defined) else {
        return TrapCode::UnknownHandle as u32;
    };
    let count = ctx.function_type(defined + u32::from(ctx.import_count)).map_or(0, |ty| ty.slots());
    let top = shared.frame_top_over(slots, slots.wrapping_add(count));
    shared.depth.set(entries);
    let before = shared.begin(ctx, 0, core::ptr::null_mut());
    let floor_before = shared.native_floor.replace(floor);
    let fp = ctx.fp.replace(top);
    record.stack_limit.set(floor + reserve);
    let function = record.code.wrapping_add(thunk as usize);
    // SAFETY: rule N: the thunk lies in the code and takes these arguments.
    let trapped = unsafe { entry::enter(record, slots, function) } != 0;
    let mut code = if trapped { note(shared, ctx, record) } else { 0 };
    record.trap_with(0);
    if shared.stop.load(Ordering::Relaxed) != 0 {
        let outermost = before.is_null();
        halt::over(shared, record, outermost);
        // the guest that called this is to stop as well, whatever the host function makes of the trap
        // SAFETY: rule A: an instance of this store, or null.
        if let Some(outer) = unsafe { before.as_ref() } {
            if let Some(outer) = outer.native() {
                outer.trap_with(shared.stop_code());
            }
            if code == 0 {
                shared.place.set((Trap::NOWHERE, 0));
                code = shared.stop_code();
            }
        }
    }
    ctx.fp.set(fp);
    shared.native_floor.set(floor_before);
    shared.end(before);
    shared.depth.set(depth);
    code
}

/// Calls a function of another instance for native code, whose slots lie on the native stack: the callee
/// may be interpreted and wants them in the frame stack.
///
/// # Safety
/// `slots` holds the slots of the function's type.
#[cfg(feature = "interpreter")]
pub(crate) unsafe fn call_out(shared: &Shared, callee: &Ctx, function: u32, slots: *mut u32) -> u32 {
    let Some(ty) = callee.function_type(function) else { return TrapCode::UnknownHandle as u32 };
    let Ok(entry) = call::Entry::new(shared, ty.slots()) else {
        shared.place.set((Trap::NOWHERE, 0));
        return TrapCode::StackOverflow as u32;
    };
    for slot in 0..crate::vm::ty::slots(ty.params) {
        // SAFETY: the caller's slots are those of the function's type, and the entry has as many.
        entry.set(slot, unsafe { slots.add(slot).read() });
    }
    // SAFETY: the entry has room for the slots, and a header below them.
    let code = unsafe { call::call(callee, function, entry.slots()) };
    shared.place_known.set(code != 0 && shared.place.get().0 != Trap::NOWHERE);
    // if it trapped, what the frame held before is nobody's business
    for slot in 0..if code == 0 { crate::vm::ty::slots(ty.results) } else { 0 } {
        // SAFETY: the caller's slots are those of the function's type, and the entry has as many.
        unsafe { slots.add(slot).write(entry.get(slot)) };
    }
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
        record.stopped_at(shared, &native, pc);
        let entry = entry::stopped as unsafe extern "C" fn(*const Record) -> u32;
        Some((entry as usize, core::ptr::from_ref(record).expose_provenance()))
    }

    /// The store's thread has ended without coming back from its guest, as one that faults does.
    pub(crate) fn forget(self) {
        halt::forget(self.0);
    }
}

/// Site of a trap that came from outside: no operator raised it.
const NOWHERE_IN_FUNCTION: u32 = u32::MAX;

/// Finds out what trap arose, and where.
#[cold]
fn note(shared: &Shared, ctx: &Ctx, record: &Record) -> u32 {
    let (function, site) = (record.function.get(), record.site.get());
    let section = section(&ctx.image(), &shared.config);
    let (offset, number) = section.ok().and_then(|native| native.site(function, site)).unwrap_or((0, 0));
    // code in user mode can write anything there
    let function = if function < ctx.function_count { function } else { Trap::NOWHERE };
    let code = match number {
        // 0 only if the section is not in the image, against the contract: but a trap it is
        0 => match record.code_number.get() {
            0 => TrapCode::HostError as u32,
            code => code,
        },
        SITE_STOP => shared.stop_code(),
        code => u32::from(code),
    };
    if !shared.place_known.replace(false) {
        shared.place.set((function, offset));
    }
    code
}

/// Returns the target that runs here: the one this was compiled for, with the features that the embedder knows besides.
pub(crate) fn here(config: &Config) -> Option<Target> {
    target::HERE.map(|here| Target { features: here.features | config.native_features, ..here })
}

/// The section that runs here: of those in the image, the one that uses most of the machine.
pub(crate) fn section<'m>(image: &Image<'m>, config: &Config) -> Result<Native<'m>, Refusal> {
    let here = here(config);
    let mut best: Option<Native<'m>> = None;
    let mut other = None;
    let mut refusal = None;
    for (_, bytes) in image.sections_from(Section::NATIVE) {
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
    let missing = native.features() & crate::api::module::MISSING_FEATURES;
    if missing != 0 {
        return Err(Refusal::Features(missing));
    }
    if native.flags & flags::POLLS == 0 && !config.native_stop {
        return Err(Refusal::Unstoppable);
    }
    // constants of the code are aligned to where the linker put it
    let align = if cfg!(target_arch = "x86_64") { 16 } else { 4 };
    if native.code().as_ptr().addr() % align != 0 {
        return Err(Refusal::Damaged(header::CODE as u16));
    }
    Ok(())
}

// SPDX-License-Identifier: Apache-2.0
//! Native code that runs with fewer rights than the host: in a thread of its own, which may write its linear
//! memory, its globals, its tables and its stack, and nothing else. See [`UserMode`].
//!
//! The code works with a [`Record`] of its own, in what it may write; the instance's stays with the host, and
//! is what the host goes by. Helpers that concern the store, and host functions, are replaced by functions
//! that ask the host ([`UserMode::request`]) and run with the rights of the code. The host does what is asked
//! in [`serve`].
//!
//! Nothing here trusts the code, rule N does not hold:
//! - **U (user)**: what the code may write is of types that any bits are values of, is read once, and is
//!   compared with a bound where it is an index or an address. While the host does something, the code's
//!   thread waits for it.

use core::cell::Cell;
use core::ffi::c_void;

use wisp_image::native::{Helper, Native};

use super::helpers::{self, Helpers};
use super::{note, section};
use crate::vm::arena::Arena;
use crate::vm::context::Ctx;
use crate::vm::imports::Import;
use crate::vm::native::Record;
use crate::vm::trap::{RawTrap, Trap, TrapCode};
use crate::vm::user_mode::{Outcome, Request, TableView, UserMode, View, IMPORT, MEMORY_GROW};

impl View {
    /// Takes what code works with from the window, the record and the globals behind it excepted.
    pub(crate) fn new(window: &Arena, record: *const Record, ctx: &Ctx, code: &Native<'_>) -> Option<Self> {
        let slot_count = ctx.types().map(|ty| ty.slots()).max().unwrap_or(0);
        let slots = window.alloc_cells(slot_count, 0u32)?.as_ptr().cast::<u32>().cast_mut();
        let user = ctx.shared().config.user_mode?;
        // what a helper or an import gets as the engine's record is how to ask the host
        let engine = user.request as *const Ctx;
        let imports = window.take(size_of::<Import>().checked_mul(ctx.imports().len())?, align_of::<Import>())?;
        let imports = imports.cast::<Import>();
        for index in 0..ctx.imports().len() {
            // whatever the host's functions are: all are asked for through slots
            let direct = ctx.native()?.import(code, index);
            let import = Import { function: import, env: core::ptr::without_provenance(index), direct, ty: 0 };
            // SAFETY: rule A: the window has room for as many.
            unsafe { imports.add(index).write(import) };
        }
        let count = ctx.table_count();
        let none = core::ptr::null::<TableView>();
        let pointers = window.alloc_cells(count, none)?;
        let tables = window.take(size_of::<TableView>().checked_mul(count)?, align_of::<TableView>())?;
        let tables = tables.cast::<TableView>();
        for (index, pointer) in pointers.iter().enumerate() {
            // SAFETY: rule A: the window has room for as many.
            unsafe {
                let table = tables.add(index);
                table.write(TableView { elements: Cell::new(core::ptr::dangling()), size: Cell::new(0) });
                pointer.set(table);
            }
        }
        let never = window.alloc(core::sync::atomic::AtomicU32::new(0))?;
        let view = Record {
            stop: never,
            helpers: Cell::new((&raw const HELPERS).cast()),
            imports: imports.cast(),
            engine,
            tables: pointers.as_ptr().cast(),
            // code that imports globals would need those of others in its window
            imported_globals: core::ptr::null(),
            ..Record::new(ctx, code, helpers::address(), super::entry::trap)
        };
        // SAFETY: rule A: whoever took room for the record gives it to this instance only.
        unsafe { record.cast_mut().write(view) };
        super::callers::bind(record, code);
        Some(Self { record, tables, slots, slot_count })
    }

    fn record(&self) -> &Record {
        // SAFETY: rule A; rule U: its fields are cells, or addresses that only the code follows.
        unsafe { &*self.record }
    }

    /// Reads memory and tables again, which may have changed.
    fn refresh(&self, ctx: &Ctx) {
        let (base, size) = ctx.linear().map_or((core::ptr::dangling_mut(), 0), |memory| (memory.base(), memory.size()));
        self.record().set_memory(base, size);
        for index in 0..ctx.table_count() {
            let Some(table) = ctx.table(index) else { continue };
            // SAFETY: rule A: `new` took as many as there are tables.
            let view = unsafe { &*self.tables.add(index) };
            view.elements.set(table.start());
            view.size.set(table.size());
        }
    }
}

/// Returns the record that the code of an instance works with, if it is not that of the instance.
#[cfg(feature = "callers")]
pub(super) fn record(ctx: &Ctx) -> Option<*const Record> {
    ctx.view().map(|view| view.record)
}

/// Lays out what the code of an instance may write, if code runs in user mode.
pub(super) fn bind(ctx: &Ctx, record: *const Record, code: &Native<'_>) -> Option<()> {
    let shared = ctx.shared();
    if let Some(window) = shared.guest.window(&shared.config) {
        let view = View::new(window, record, ctx, code)?;
        ctx.view.0.set(shared.arena.alloc(view)?);
    }
    Some(())
}

/// Runs a defined function in user mode, or gives `None` if its instance does not run so.
///
/// # Safety
/// `slots` holds the slots of the function's type.
pub(super) unsafe fn enter(ctx: &Ctx, record: &Record, defined: u32, slots: *mut u32) -> Option<RawTrap> {
    let view = ctx.view()?;
    // SAFETY: the caller's slots are those of the function's type.
    Some(unsafe { enter_view(ctx, record, view, defined, slots) })
}

/// Runs a defined function.
///
/// # Safety
/// `slots` holds the slots of the function's type.
unsafe fn enter_view(ctx: &Ctx, record: &Record, view: &View, defined: u32, slots: *mut u32) -> RawTrap {
    let shared = ctx.shared();
    let Some(user) = shared.config.user_mode else { return RawTrap::of(TrapCode::HostError) };
    shared.place.set((Trap::NOWHERE, 0));
    if !shared.current.get().is_null() {
        // its stack is in use by the code that called the host
        return RawTrap::of(TrapCode::NestingExceeded);
    }
    // the host's own look at the stack when the code traps runs on it, too
    let reserve = record.reserve as usize + super::callers::STACK;
    if user.stack_end.saturating_sub(user.stack) < reserve {
        return RawTrap::of(TrapCode::StackOverflow);
    }
    let ty = ctx.function_type(defined + u32::from(ctx.import_count));
    let (Some(thunk), Some(ty)) = (record.thunk(defined), ty) else { return RawTrap::of(TrapCode::UnknownHandle) };
    let count = ty.slots().min(view.slot_count);
    let top = shared.frame_top_over(slots, slots.wrapping_add(count));
    let before = shared.begin(ctx, 0, core::ptr::null_mut());
    let fp = ctx.fp.replace(top);
    view.record().stack_limit.set(user.stack + reserve);
    view.record().trap_with(RawTrap::NONE);
    view.refresh(ctx);
    // SAFETY: the caller's slots are those of the function's type. Rule A: `View::new` took slots for every type. Those
    // of results hold what was there before.
    unsafe {
        let params = crate::vm::ty::slots(ty.params).min(count);
        view.slots.copy_from(slots, params);
        view.slots.add(params).write_bytes(0, count - params);
    }
    let function = record.code.wrapping_add(thunk as usize);
    let (env, engine) = (user.env, core::ptr::from_ref(ctx).cast());
    let mut pc = 0;
    // SAFETY: `Config::user_mode` promises that it runs the function, and that nothing it does reaches the host.
    let outcome = unsafe { (user.enter)(env, engine, view.record.cast(), view.slots, function, &mut pc) };
    let code = match outcome {
        Outcome::RETURNED => {
            // SAFETY: the caller's slots are those of the function's type. Rule A: `View::new` took slots for every
            // type.
            unsafe { slots.copy_from(view.slots, count) };
            RawTrap::NONE
        }
        Outcome::TRAPPED => shared.told(note(shared, ctx, view.record())),
        outcome => {
            let offset = pc.wrapping_sub(record.code.addr());
            let native = section(&ctx.image(), &shared.config).ok().filter(|native| offset < native.code().len());
            // it may have stood in the functions that ask the host: then what is known is what was called
            shared.place.set((native.map_or(defined, |native| native.function_at(offset as u32)), 0));
            super::callers::unknown(view.record());
            super::callers::trapped(shared, ctx);
            match outcome {
                Outcome::STOPPED => shared.stop_code(),
                _ => RawTrap::of(TrapCode::MemoryProtection),
            }
        }
    };
    ctx.fp.set(fp);
    shared.end(before);
    code
}

// The helpers that concern the store: the number of each, its place in the table, is what is asked for.
const MEMORY_PAGES: usize = Helper::MemoryPages as usize;
const MEMORY_COPY: usize = Helper::MemoryCopy as usize;
const MEMORY_FILL: usize = Helper::MemoryFill as usize;
const MEMORY_INIT: usize = Helper::MemoryInit as usize;
const DATA_DROP: usize = Helper::DataDrop as usize;
const TABLE_GET: usize = Helper::TableGet as usize;
const TABLE_SET: usize = Helper::TableSet as usize;
const TABLE_GROW: usize = Helper::TableGrow as usize;
const TABLE_FILL: usize = Helper::TableFill as usize;
const TABLE_COPY: usize = Helper::TableCopy as usize;
const TABLE_INIT: usize = Helper::TableInit as usize;
const ELEM_DROP: usize = Helper::ElemDrop as usize;
const CALL_REFERENCE: usize = Helper::CallReference as usize;

/// Runs with the rights of the code, as everything up to `serve` does.
unsafe fn ask(engine: *const Ctx, what: usize, words: [usize; 5]) -> u32 {
    // SAFETY: `View::new` put the function there. If the code changed it, it calls what it could call itself.
    unsafe {
        let request = core::mem::transmute::<*const Ctx, Request>(engine);
        request(what, words[0], words[1], words[2], words[3], words[4])
    }
}

/// Stands in place of every imported function.
unsafe extern "C" fn import(engine: *mut Ctx, slots: *mut u32, env: *const ()) -> RawTrap {
    // SAFETY: `View::new` put the function there. If the code changed it, it calls what it could call itself.
    RawTrap::from_bits(unsafe { ask(engine, IMPORT, [env.addr(), slots.expose_provenance(), 0, 0, 0]) })
}

macro_rules! asking {
    ($($number:ident $name:ident($($parameter:ident),*);)*) => {
        $(unsafe extern "C" fn $name(record: &Record, $($parameter: u32),*) -> u32 {
            let mut words = [0; 5];
            let given: &[u32] = &[$($parameter),*];
            words.iter_mut().zip(given).for_each(|(word, &given)| *word = given as usize);
            // SAFETY: `View::new` put the function there. If the code changed it, it calls what it could call itself.
            unsafe { ask(record.engine, $number, words) }
        })*

        static HELPERS: Helpers =
            Helpers { $($name,)* data_drop, table_get, elem_drop, call_reference, ..helpers::DIRECT };
    };
}

asking! {
    MEMORY_GROW memory_grow(delta);
    MEMORY_PAGES memory_pages();
    MEMORY_COPY memory_copy(to, from, n);
    MEMORY_FILL memory_fill(at, value, n);
    MEMORY_INIT memory_init(segment, to, from, n);
    TABLE_SET table_set(table, at, value);
    TABLE_GROW table_grow(table, value, delta);
    TABLE_FILL table_fill(table, at, value, n);
    TABLE_COPY table_copy(to_table, from_table, to, from, n);
    TABLE_INIT table_init(table, segment, to, from, n);
}

unsafe extern "C" fn data_drop(record: &Record, segment: u32) {
    // SAFETY: `View::new` put the function there. If the code changed it, it calls what it could call itself.
    unsafe { ask(record.engine, DATA_DROP, [segment as usize, 0, 0, 0, 0]) };
}

unsafe extern "C" fn elem_drop(record: &Record, segment: u32) {
    // SAFETY: `View::new` put the function there. If the code changed it, it calls what it could call itself.
    unsafe { ask(record.engine, ELEM_DROP, [segment as usize, 0, 0, 0, 0]) };
}

unsafe extern "C" fn table_get(record: &Record, table: u32, at: u32, value: &mut u32) -> u32 {
    let value = core::ptr::from_mut(value).expose_provenance();
    // SAFETY: `View::new` put the function there. If the code changed it, it calls what it could call itself.
    unsafe { ask(record.engine, TABLE_GET, [table as usize, at as usize, value, 0, 0]) }
}

unsafe extern "C" fn call_reference(record: &Record, reference: u32, ty: u32, slots: *mut u32) -> u32 {
    let words = [reference as usize, ty as usize, slots.expose_provenance(), 0, 0];
    // SAFETY: `View::new` put the function there. If the code changed it, it calls what it could call itself.
    unsafe { ask(record.engine, CALL_REFERENCE, words) }
}

/// Returns the words on the stack of the code.
fn on_stack(user: &UserMode, at: usize, count: usize) -> Option<*mut u32> {
    let end = at.checked_add(count.checked_mul(4)?)?;
    (at % 4 == 0 && at >= user.stack && end <= user.stack_end).then(|| core::ptr::with_exposed_provenance_mut(at))
}

/// Does what native code asked for: the six words that [`UserMode::request`] was called with. Gives what that has to
/// return. Whatever the words are, nothing happens that a guest may not do. What is not a request gives
/// [`TrapCode::MemoryProtection`].
///
/// # Safety
/// `ctx` is what [`UserMode::enter`] was called with, by the thread that this runs in, and it has not returned. The
/// thread of the code waits for the result.
pub unsafe fn serve(ctx: *const c_void, request: &[usize; 6]) -> u32 {
    // SAFETY: rules A and T: `ctx` is that of `UserMode::enter`, which has not returned in this thread.
    let ctx = unsafe { &*ctx.cast::<Ctx>() };
    let Some(user) = ctx.shared().config.user_mode else { return TrapCode::HostError as u32 };
    if ctx.part().is_some() {
        return super::inside::answer(ctx, &user, request).unwrap_or(TrapCode::MemoryProtection as u32);
    }
    let (Some(record), Some(view)) = (ctx.native(), ctx.view()) else { return TrapCode::HostError as u32 };
    let result = answer(ctx, record, &user, request);
    view.refresh(ctx);
    result.unwrap_or(TrapCode::MemoryProtection as u32)
}

fn answer(ctx: &Ctx, record: &Record, user: &UserMode, request: &[usize; 6]) -> Option<u32> {
    let &[what, ref words @ ..] = request;
    let [a, b, c, d, e] = words.map(|word| word as u32);
    if what < IMPORT && helpers::BUILT >> what & 1 == 0 {
        // an app that needs it was refused
        return None;
    }
    let asked = &helpers::DIRECT;
    // SAFETY: the record is the host's own, and the helpers check all else that they are given; words on the stack of
    // the code were checked to be there, and it does not run.
    Some(unsafe {
        match what {
            MEMORY_GROW => (asked.memory_grow)(record, a),
            MEMORY_PAGES => (asked.memory_pages)(record),
            MEMORY_COPY => (asked.memory_copy)(record, a, b, c),
            MEMORY_FILL => (asked.memory_fill)(record, a, b, c),
            MEMORY_INIT => (asked.memory_init)(record, a, b, c, d),
            DATA_DROP => {
                (asked.data_drop)(record, a);
                0
            }
            TABLE_GET => (asked.table_get)(record, a, b, on_stack(user, words[2], 1)?.as_mut()?),
            TABLE_SET => (asked.table_set)(record, a, b, c),
            TABLE_GROW => (asked.table_grow)(record, a, b, c),
            TABLE_FILL => (asked.table_fill)(record, a, b, c, d),
            TABLE_COPY => (asked.table_copy)(record, a, b, c, d, e),
            TABLE_INIT => (asked.table_init)(record, a, b, c, d, e),
            ELEM_DROP => {
                (asked.elem_drop)(record, a);
                0
            }
            CALL_REFERENCE => {
                let slots = on_stack(user, words[2], ctx.ty(u16::try_from(b).ok()?)?.slots())?;
                (asked.call_reference)(record, a, b, slots)
            }
            IMPORT => {
                let import = ctx.imports().get(words[0])?.get();
                let slots = on_stack(user, words[1], ctx.ty(import.ty)?.slots())?;
                (import.function)(core::ptr::from_ref(ctx).cast_mut(), slots, import.env).bits()
            }
            _ => return None,
        }
    })
}

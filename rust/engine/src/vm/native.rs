// SPDX-License-Identifier: Apache-2.0
//! What native code adds to the records of a store: a [`Record`] for each instance that runs such code.
//!
//! A runtime without native code has `native_absent.rs` in this file's place: the same names, without a byte.

use core::cell::Cell;
use core::mem::{offset_of, size_of};
use core::ptr::null;
use core::sync::atomic::{AtomicU32, Ordering};

use wisp_image::native::{context_offset, Native, FUNCTION_SIZE, NONE};

use super::config::Config;
use super::context::Ctx;
use super::imports::Import;
use super::shared::Shared;
use super::table::TableRecord;
use super::trap::RawTrap;

/// The way out of native code: unwinds to the innermost entry of the record, with the site and the function.
pub(crate) type Leave = unsafe extern "C" fn(*const Record, u32, u32) -> u32;

/// State that native code works with. The globals follow it.
#[repr(C)]
pub(crate) struct Record {
    pub memory: Cell<*mut u8>,
    pub memory_size: Cell<usize>,
    pub stack_limit: Cell<usize>,
    pub stop: *const AtomicU32,
    /// The table of helpers, which the loader of native code lays out.
    pub helpers: Cell<*const ()>,
    pub imports: *const Cell<Import>,
    pub engine: *const Ctx,
    pub tables: *const Cell<*const TableRecord>,
    pub functions: *const u8,
    pub code: *const u8,
    pub imported_globals: *const Cell<*const Cell<u32>>,
    pub trap: Leave,
    pub unwind: Cell<usize>,
    pub first_reference: u32,
    pub function_count: u32,
    pub site: Cell<u32>,
    pub function: Cell<u32>,
    pub code_number: Cell<RawTrap>,
    pub reserve: u32,
    pub scratch: Cell<u64>,
}

/// The layout is described once, in the image crate. Here and in the generated C it is compared with that.
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

impl Record {
    /// Makes the record of an instance whose code may do what the host may.
    pub(crate) fn new(ctx: &Ctx, code: &Native<'_>, helpers: *const (), trap: Leave) -> Self {
        Self {
            memory: Cell::new(ctx.memory.get()),
            memory_size: Cell::new(0),
            stack_limit: Cell::new(0),
            stop: &ctx.shared().stop,
            helpers: Cell::new(helpers),
            imports: ctx.imports,
            engine: ctx,
            tables: ctx.tables,
            functions: code.function_table().as_ptr(),
            code: code.code().as_ptr(),
            imported_globals: ctx.imported_globals,
            trap,
            unwind: Cell::new(0),
            first_reference: ctx.first_reference,
            function_count: code.function_count(),
            site: Cell::new(0),
            function: Cell::new(0),
            code_number: Cell::new(RawTrap::NONE),
            reserve: code.stack(),
            scratch: Cell::new(0),
        }
    }

    /// Sets the linear memory, after it has come or grown.
    pub(crate) fn set_memory(&self, base: *mut u8, size: usize) {
        self.memory.set(base);
        self.memory_size.set(size);
    }

    /// Returns the address of the section's form of an imported function that passes values through slots, or null.
    pub(crate) fn import(&self, native: &Native<'_>, index: usize) -> *const () {
        native.import(index).map_or(null(), |offset| self.code.wrapping_add(offset as usize).cast())
    }

    /// Returns the context of the instance.
    pub(crate) fn context(&self) -> &Ctx {
        // SAFETY: rule A: the instance of this record, which lives as long.
        unsafe { &*self.engine }
    }

    /// Sets the trap with which the code ends when the host function that it called returns.
    pub(crate) fn trap_with(&self, code: RawTrap) {
        self.code_number.set(code);
    }

    /// Returns the offset of the form of a function that the host calls.
    pub(crate) fn thunk(&self, defined: u32) -> Option<u32> {
        if defined >= self.function_count {
            return None;
        }
        let entry = self.functions.wrapping_add(defined as usize * FUNCTION_SIZE + 4);
        // SAFETY: rule N of `exec::native`: the table has `function_count` entries; sections lie on multiples of
        // eight bytes, and the table on one of four in them, but a mapping may be anywhere.
        let offset = unsafe { entry.cast::<u32>().read_unaligned() };
        (offset != NONE).then_some(offset)
    }
}

/// Native code of an instance: its record, or null if it is interpreted.
#[derive(Clone, Copy)]
pub(crate) struct NativePart(pub *const Record);

impl NativePart {
    /// The part of an instance that is interpreted.
    pub const NONE: Self = Self(null());

    /// Returns the record.
    #[inline(always)]
    pub fn record(&self) -> Option<&Record> {
        // SAFETY: rule A: null, or the record that the loader filled in before the instance could run.
        unsafe { self.0.as_ref() }
    }
}

/// Limits of native code, in a configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub stack: u32,
    pub lowest: usize,
    pub stop: bool,
    pub features: u8,
}

impl Limits {
    /// Returns the defaults.
    pub const fn new() -> Self {
        let stack = if cfg!(target_pointer_width = "64") { 256 << 10 } else { 1536 };
        Self { stack, lowest: 0, stop: false, features: 0 }
    }
}

impl Config {
    /// Sets how many bytes of the calling thread's stack native code may take, counted from the outermost entry.
    /// The stack that host functions need is not counted. The default is 1536, and 256 KiB on 64-bit systems.
    pub const fn native_stack(mut self, bytes: u32) -> Self {
        self.native.stack = bytes;
        self
    }

    /// Returns the lowest address of the calling thread's stack that native code may use, where it is known: instead of
    /// [`Config::native_stack`]. 0 is unknown.
    pub const fn native_limit(mut self, address: usize) -> Self {
        self.native.lowest = address;
        self
    }

    /// Says whether the one who runs the store can stop native code from outside, by rewriting the program counter of
    /// its thread. Then code that never reads the stop flag is accepted.
    pub const fn native_stop(mut self, can: bool) -> Self {
        self.native.stop = can;
        self
    }

    /// Returns the features of the processor ([`wisp_image::native::features`]) beside those this was compiled for.
    pub const fn native_features(mut self, bits: u8) -> Self {
        self.native.features = bits;
        self
    }
}

/// Lowest address of the stack that native code may use, while some runs, else 0.
pub(crate) struct Floor(pub Cell<usize>);

impl Floor {
    /// Turns native code off.
    pub const fn new() -> Self {
        Self(Cell::new(0))
    }
}

impl Shared {
    /// Returns the trap that the stop flag asks for.
    pub fn stop_code(&self) -> RawTrap {
        match self.stop.load(Ordering::Relaxed) {
            0 => super::trap::RawTrap::of(super::trap::TrapCode::Interrupted),
            code => RawTrap::from_bits(code),
        }
    }

    /// Returns the top of the frames, as [`Shared::frame_top`] does, for a call with arguments and results from `slots`
    /// to `end`.
    pub fn frame_top_over(&self, slots: *mut u32, end: *mut u32) -> *mut u8 {
        if self.in_stack(slots.addr()) {
            end.cast()
        } else {
            self.frame_top()
        }
    }
}

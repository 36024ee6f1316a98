// SPDX-License-Identifier: Apache-2.0
//! What user mode adds to the records of a store: the memory that native code and interpreters may write, and a [`View`]
//! or a [`Part`] for each instance.
//!
//! A runtime without user mode has `user_mode_absent.rs` in this file's place: the same names, without a byte.

use core::cell::Cell;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::{dangling_mut, null};
use core::sync::atomic::Ordering;

use wisp_image::native::Helper;

use super::arena::{Arena, Mark};
use super::config::Config;
use super::context::Ctx;
use super::native::Record;
use super::shared::Shared;
use super::table::TableRecord;
use super::trap::{RawTrap, TrapCode};
use super::ty::FuncType;

/// Memory, stack and functions with which native code runs with fewer rights: [`crate::Config::user_mode`].
#[derive(Clone, Copy, Debug)]
pub struct UserMode {
    /// Memory that the code may read and write: linear memories are taken from it.
    pub memory: *mut u64,
    /// Words of it.
    pub memory_words: usize,
    /// Other memory that the code may read and write. It has the elements of tables, and for each instance about 100
    /// bytes, its globals, 16 bytes for each import, and slots for arguments and results.
    pub window: *mut u64,
    /// Words of it.
    pub window_words: usize,
    /// Bytes of the window for the frames of an interpreted instance, whose interpreter then runs with the rights of the
    /// code. Its records, about 600 bytes, and its globals also lie in the window. 0 leaves interpreters to the host.
    pub frames: u32,
    /// First address of the stack on which the code runs.
    pub stack: usize,
    /// First address behind it.
    pub stack_end: usize,
    /// Calls `wisp_native_enter(record, slots, function)` with the rights of the code, which gives 0, or 1 if a trap
    /// ended it. Serves its requests meanwhile: hands each to [`crate::serve`], with `ctx`, and the result back. Says
    /// how it ended, as one of [`crate::Outcome`]. If the code was stopped or faulted, `pc` says where it stood, if
    /// that is known.
    pub enter: unsafe extern "C" fn(
        env: *const c_void,
        ctx: *const c_void,
        record: *const c_void,
        slots: *mut u32,
        function: *const u8,
        pc: *mut usize,
    ) -> u32,
    /// Has [`crate::serve`] do something for the code. Called with the rights of the code.
    pub request: Request,
    /// For `enter`.
    pub env: *const c_void,
}

// SAFETY: the addresses are only used by the store that is made with this configuration, on its thread; whoever
// gives them promises that in `Config::user_mode`.
unsafe impl Send for UserMode {}
// SAFETY: the reason given for `Send` holds for shared references as well.
unsafe impl Sync for UserMode {}

/// Function through which native code asks the host for something: it passes the arguments to [`crate::serve`].
pub type Request = unsafe extern "C" fn(usize, usize, usize, usize, usize, usize) -> u32;

impl Config {
    /// Returns the native code runs with fewer rights than the host, as this says. One store, that of `user`, has this
    /// configuration.
    ///
    /// # Safety
    /// Memory and window are valid for reads and writes while the store lives, aligned for `u64`, and used by nobody
    /// but the store and its native code. `user.enter` does what it says. While it runs the code, the code can write
    /// both and the stack only, and call only what any code with its rights may.
    pub const unsafe fn user_mode(mut self, user: UserMode) -> Self {
        self.user_mode = Some(user);
        self
    }
}

/// Numbers of the ways in which a call of native code ends.
#[derive(Clone, Copy, Debug)]
pub struct Outcome;

impl Outcome {
    /// It returned.
    pub const RETURNED: u32 = 0;
    /// A trap ended it.
    pub const TRAPPED: u32 = 1;
    /// The host ended it, because its stop flag was set.
    pub const STOPPED: u32 = 2;
    /// It did what it may not.
    pub const FAULTED: u32 = 3;
}

/// Number of the request for more memory: that of the helper.
pub(crate) const MEMORY_GROW: usize = Helper::MemoryGrow as usize;

/// Number of the request for a host function, by the index of its import.
pub(crate) const IMPORT: usize = Helper::CallReference as usize + 1;

/// A table as native code sees it. Of the elements, which it may write, the host relies on nothing.
#[repr(C)]
pub(crate) struct TableView {
    pub elements: Cell<*const Cell<u32>>,
    pub size: Cell<u32>,
}

/// Addresses of the part of an instance that its code can write. They are the host's own and cannot be written.
pub(crate) struct View {
    pub record: *const Record,
    pub tables: *const TableView,
    pub slots: *mut u32,
    pub slot_count: usize,
}

/// An interpreted instance whose interpreter runs in user mode. It is the host's own and cannot be written there.
pub(crate) struct Part {
    /// The place where the host and that thread pass values to each other.
    pub job: *const Job,
    /// Slots of the outermost frame in the window, and how many there are.
    pub slots: *mut u32,
    pub slot_count: usize,
    /// The interpreter runs.
    pub runs: Cell<bool>,
}

/// A function that an interpreter in user mode has to run, and how that ended. The interpreter may write any bits there.
#[repr(C)]
pub(crate) struct Job {
    /// Room for the entry's stack pointer, as native code has it.
    pub record: MaybeUninit<Record>,
    /// The instance's records in the window, for the interpreter only.
    pub ctx: *const Ctx,
    /// Units of fuel, or `u64::MAX` without a limit.
    pub fuel: Cell<u64>,
    /// Offset of the function to run.
    pub code: Cell<u32>,
    pub trap: Cell<RawTrap>,
    /// Offset at which the trap arose, or `u32::MAX`.
    pub offset: Cell<u32>,
}

/// Memory that code in user mode may write: for linear memories, and for the rest. In the window itself, a store has none
/// of it, and asks the host.
pub(crate) struct Guest {
    arenas: [Arena; 2],
    asks: Cell<Option<Request>>,
}

impl Guest {
    /// Takes over the memory that the configuration names.
    pub fn new(config: &Config) -> Self {
        let parts = match config.user_mode {
            Some(user) => [(user.memory, user.memory_words), (user.window, user.window_words)],
            None => [(dangling_mut(), 0); 2],
        };
        // SAFETY: the contract of `Config::user_mode`; nothing is handed out of no words.
        Self { arenas: parts.map(|(start, words)| unsafe { Arena::new(start, words) }), asks: Cell::new(None) }
    }

    /// Returns the present ends, to go back to.
    pub fn mark(&self) -> [Mark; 2] {
        self.arenas.each_ref().map(Arena::mark)
    }

    /// Takes back everything handed out since `marks`.
    ///
    /// # Safety
    /// None of it is used any more.
    pub unsafe fn reset(&self, marks: [Mark; 2]) {
        for (arena, mark) in self.arenas.iter().zip(marks) {
            // SAFETY: the caller uses nothing that was handed out since the marks.
            unsafe { arena.reset(mark) };
        }
    }

    /// Returns the arena of linear memories, if code runs in user mode.
    pub fn memory(&self, config: &Config) -> Option<&Arena> {
        config.user_mode.map(|_| &self.arenas[0])
    }

    /// Returns the arena of what else code in user mode may write.
    pub fn window(&self, config: &Config) -> Option<&Arena> {
        config.user_mode.map(|_| &self.arenas[1])
    }

    /// Returns the arena of what an interpreter may write, if interpreters run in user mode.
    pub fn interpreted(&self, config: &Config) -> Option<&Arena> {
        config.user_mode.filter(|user| user.frames != 0).map(|_| &self.arenas[1])
    }

    /// Makes the store one whose interpreter asks the host.
    pub fn ask_with(&self, request: Request) {
        self.asks.set(Some(request));
    }

    /// Returns true if the memory of an instance may grow by as many pages: in the window, the host's record has grown.
    pub fn may_grow(&self, delta: u32) -> bool {
        // SAFETY: this is the function that the embedder gave for it.
        self.asks().is_none_or(|ask| unsafe { ask(MEMORY_GROW, delta as usize, 0, 0, 0, 0) } != u32::MAX)
    }

    /// Returns how the interpreter of this store asks the host, if it runs in user mode.
    pub fn asks(&self) -> Option<Request> {
        self.asks.get()
    }
}

/// The view of an instance's code, or null, and the part of its interpreter, or null.
pub(crate) struct ViewPart(pub Cell<*const View>, pub Cell<*const Part>);

impl ViewPart {
    /// Returns a value without a view or a part.
    pub const fn new() -> Self {
        Self(Cell::new(null()), Cell::new(null()))
    }

    /// Returns true if the instance's interpreter runs in user mode, where its frames are.
    #[inline(always)]
    pub fn has_part(&self) -> bool {
        !self.1.get().is_null()
    }
}

impl Ctx {
    /// Returns the view of native code in user mode, if this instance runs such code.
    #[inline]
    pub(crate) fn view(&self) -> Option<&View> {
        // SAFETY: rule A: null, or what the loader took from the arena.
        unsafe { self.view.0.get().as_ref() }
    }

    /// Returns the part of its interpreter in user mode, if it has one.
    #[inline]
    pub(crate) fn part(&self) -> Option<&Part> {
        // SAFETY: rule A: null, or what `inside::bind` took from the arena.
        unsafe { self.view.1.get().as_ref() }
    }

    /// Returns the types of the image.
    pub(crate) fn types(&self) -> impl Iterator<Item = FuncType<'_>> {
        (0..self.type_count).filter_map(|index| self.ty(index))
    }
}

impl Shared {
    /// Returns the number of a trap as the code reported it. Whether the host stopped the code, the host knows itself.
    pub(crate) fn told(&self, trap: RawTrap) -> RawTrap {
        match trap.code() {
            Some(TrapCode::Interrupted | TrapCode::DeadlineExceeded) if self.stop.load(Ordering::Relaxed) == 0 => {
                RawTrap::of(TrapCode::HostError)
            }
            Some(code) => RawTrap::of(code),
            None => RawTrap::of(TrapCode::HostError),
        }
    }
}

impl TableRecord {
    /// Returns the address of the first element.
    pub(crate) fn start(&self) -> *const Cell<u32> {
        self.elements
    }
}

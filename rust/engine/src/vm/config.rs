// SPDX-License-Identifier: Apache-2.0
//! Limits that hold for all stores of an engine.

use super::native::Limits;
#[cfg(feature = "translate")]
use super::translation::TranslationDone;
use super::user_mode::UserMode;

/// Is called with the context, the bytes that a memory has, and the bytes that its growth asked for.
pub type GrowthRefused = fn(usize, u32, u32);

/// Memory for machine code that lies outside of the arena, as [`Config::translate_to`] describes it.
#[derive(Clone, Copy, Debug)]
#[cfg(wisp_translates)]
pub(crate) struct CodeMemory {
    pub start: usize,
    pub size: u32,
    pub write: CodeWriter,
    pub done: TranslationDone,
    pub context: usize,
}

#[cfg(wisp_translates)]
impl CodeMemory {
    /// Returns the first byte.
    pub fn start(&self) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(self.start)
    }
}

/// Bytes of native stack that a trap, or an op that the interpreter does again, takes below the translated function it
/// arises in. It is 4,064 bytes in code for Cortex-M0+, 3,420 on a Cortex-M3 and 3,664 on RV32. A function that calls
/// nothing takes up to 48 bytes more, which no check covers.
#[cfg(feature = "translate")]
pub const TRANSLATED_RESERVE: usize = 9 << 9;

/// Copies bytes into memory for machine code: to, from, number.
pub type CodeWriter = unsafe extern "C" fn(*mut u8, *const u8, usize);

/// Limits of a store. All sizes are taken from the store's arena.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub(crate) stack_size: u32,
    pub(crate) max_memory: u32,
    pub(crate) table_capacity: u32,
    pub(crate) max_table: u32,
    pub(crate) max_imports: u32,
    pub(crate) max_functions: u32,
    pub(crate) max_depth: u32,
    pub(crate) max_references: u16,
    pub(crate) native_depth: u32,
    pub(crate) fuel_slice: u32,
    #[cfg(wisp_translates)]
    pub(crate) translate: u32,
    #[cfg(wisp_translates)]
    pub(crate) code_memory: Option<CodeMemory>,
    #[cfg(wisp_translates)]
    pub(crate) translate_budget: u32,
    #[cfg(wisp_translates)]
    pub(crate) translated_stack: u32,
    #[cfg(wisp_translates)]
    pub(crate) translated_limit: usize,
    pub(crate) growth_refused: Option<(GrowthRefused, usize)>,
    #[cfg_attr(not(feature = "native"), allow(dead_code))]
    pub(crate) native: Limits,
    pub(crate) user_mode: Option<UserMode>,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// Returns the default limits. Frames take 2 KiB. Tables do not grow. Four entries into guest code may nest. The
    /// arena alone limits linear memories and tables, and the frames alone limit the depth of calls. Imports and
    /// functions are unlimited. The guest looks at the stop flag every 1000 units of fuel.
    pub const fn new() -> Self {
        Self {
            stack_size: 2048,
            max_memory: u32::MAX,
            table_capacity: 0,
            max_table: u32::MAX,
            max_imports: u32::MAX,
            max_functions: u32::MAX,
            max_depth: 0,
            max_references: 256,
            native_depth: 4,
            fuel_slice: 1000,
            #[cfg(wisp_translates)]
            translate: 0,
            #[cfg(wisp_translates)]
            code_memory: None,
            #[cfg(wisp_translates)]
            translate_budget: u32::MAX,
            #[cfg(wisp_translates)]
            translated_stack: 1536,
            #[cfg(wisp_translates)]
            translated_limit: 0,
            growth_refused: None,
            native: Limits::new(),
            user_mode: None,
        }
    }

    /// Sets the bytes for the frames of guest functions, which bound the depth of calls.
    pub const fn stack_size(mut self, bytes: u32) -> Self {
        self.stack_size = bytes;
        self
    }

    /// Limits the bytes of a linear memory, whatever the module declares. The initial size must fit. `memory.grow`
    /// stops here.
    pub const fn max_memory(mut self, bytes: u32) -> Self {
        self.max_memory = bytes;
        self
    }

    /// Elements up to which a table may grow (never less than its initial size, never more than its
    /// declared maximum). They are reserved at instantiation, four bytes each.
    pub const fn table_capacity(mut self, elements: u32) -> Self {
        self.table_capacity = elements;
        self
    }

    /// Sets the function that is called the first time in each store that a memory could not grow. It gets `context`,
    /// the bytes that the memory has, and the bytes that the guest wanted more. Runs in the guest's thread.
    pub const fn on_growth_refused(mut self, tell: GrowthRefused, context: usize) -> Self {
        self.growth_refused = Some((tell, context));
        self
    }

    /// Limits the elements of a table, whatever the module declares. The initial size must fit. `table.grow` stops
    /// here, or before where [`Config::table_capacity`] is less.
    pub const fn max_table(mut self, elements: u32) -> Self {
        self.max_table = elements;
        self
    }

    /// Limits the imports of a module, all kinds together.
    pub const fn max_imports(mut self, count: u32) -> Self {
        self.max_imports = count;
        self
    }

    /// Limits the functions that a module defines.
    pub const fn max_functions(mut self, count: u32) -> Self {
        self.max_functions = count;
        self
    }

    /// Limits the calls that are under way at once in one entry into guest code, the first included. The limit is exact
    /// in the interpreter. 0, the default, leaves the frame stack as the only limit. Costs nothing until a guest comes
    /// near it: then fuel is handed out in smaller portions, each after a walk over the frames.
    pub const fn max_depth(mut self, calls: u32) -> Self {
        self.max_depth = calls;
        self
    }

    /// Limits the references of others (functions of other instances, references of the host) that an instance holds:
    /// 256 by default. Four bytes each are reserved for an instance that can be given one, and for no other.
    pub const fn max_references(mut self, count: u16) -> Self {
        self.max_references = count;
        self
    }

    /// Limits how deep entries into guest code may nest: host functions that call the guest, and calls from one
    /// instance to another. Each takes native stack. At least 1: the host's own call.
    pub const fn native_depth(mut self, depth: u32) -> Self {
        self.native_depth = if depth == 0 { 1 } else { depth };
        self
    }

    /// Lets each instance turn its code into machine code, with at most so many bytes of the arena for that. Code takes
    /// about 1.4 times the bytes of IR (2 times on Armv6-M and RV32), and each function 4 bytes. Scratch memory takes a
    /// third of the largest function's IR, a word for each slot of its frame, and 8 bytes for each entry of its tables of
    /// branches. Functions for which there is no room are interpreted. 0, the default, translates nothing. Has an effect
    /// on Armv6-M, Armv7-M, Armv8-M and RV32 only, on processors without caches or with caches that are off. The processor
    /// must be allowed to execute from the arena.
    #[cfg(feature = "translate")]
    #[allow(unused_mut, unused_variables)]
    pub const fn translate(mut self, bytes: u32) -> Self {
        #[cfg(wisp_translates)]
        {
            self.translate = bytes;
        }
        self
    }

    /// Lets each instance turn its code into machine code, as [`Config::translate`] does, but into memory outside of the
    /// arena. `write` is called for pieces of at most 32 bytes, and may lift the protection of the memory for as long. The
    /// arena gives the scratch memory and the 4 bytes for each function, never of what linear memory may take. An
    /// instance whose records do not fit beside scratch memory is interpreted. So is each instance if `start` is no multiple
    /// of 8, because code has numbers in it that have to be aligned.
    ///
    /// `done` is called with `context` when the first instance of a store has its code, before its start function, or when
    /// that instance could not be made. The memory behind the bytes of code is then the caller's again. Later instances of
    /// the store are interpreted.
    ///
    /// # Safety
    /// The `size` bytes from `start` on, a multiple of 8, may be read and executed, nobody else uses them, and `write`
    /// copies into them. For the bytes of code this holds as long as a store of this configuration exists, for the others
    /// until `done` is called.
    #[cfg(feature = "translate")]
    #[allow(unused_mut, unused_variables)]
    pub const unsafe fn translate_to(
        mut self,
        start: usize,
        size: u32,
        write: CodeWriter,
        done: TranslationDone,
        context: usize,
    ) -> Self {
        #[cfg(wisp_translates)]
        {
            self.code_memory = Some(CodeMemory { start, size, write, done, context });
        }
        self
    }

    /// Limits the bytes of IR of an image that are looked at in order to translate them: the functions behind are
    /// interpreted. It bounds the time that an instance takes to be made, room or not. Unlimited by default.
    #[cfg(feature = "translate")]
    #[allow(unused_mut, unused_variables)]
    pub const fn translate_budget(mut self, bytes: u32) -> Self {
        #[cfg(wisp_translates)]
        {
            self.translate_budget = bytes;
        }
        self
    }

    /// Sets the bytes of the calling thread's stack that translated code may take, counted from the outermost entry into an
    /// instance without native code. What host functions need comes on top, and 4.5 KB for traps and for ops that the
    /// interpreter does again. 1536 by default.
    #[cfg(feature = "translate")]
    #[allow(unused_mut, unused_variables)]
    pub const fn translated_stack(mut self, bytes: u32) -> Self {
        #[cfg(wisp_translates)]
        {
            self.translated_stack = bytes;
        }
        self
    }

    /// Sets the lowest address of the calling thread's stack, where it is known: instead of [`Config::translated_stack`].
    /// Translated code leaves 4.5 KB above it for traps and for ops that the interpreter does again. 0 is unknown.
    #[cfg(feature = "translate")]
    #[allow(unused_mut, unused_variables)]
    pub const fn translated_limit(mut self, address: usize) -> Self {
        #[cfg(wisp_translates)]
        {
            self.translated_limit = address;
        }
        self
    }

    /// Sets the number of backward branches and calls after which a guest looks at its stop flag. At least 1.
    pub const fn fuel_slice(mut self, units: u32) -> Self {
        self.fuel_slice = if units == 0 {
            1
        } else if units > i32::MAX as u32 {
            i32::MAX as u32
        } else {
            units
        };
        self
    }
}

/// The limits that stores have in common. Cheap to copy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Engine {
    config: Config,
}

impl Engine {
    /// Returns an engine with these limits.
    pub const fn new(config: &Config) -> Self {
        Self { config: *config }
    }

    /// Returns its limits.
    pub const fn config(&self) -> &Config {
        &self.config
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Limits that hold for all stores of an engine.

/// Limits of a store. All sizes are taken from the store's arena.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub(crate) stack_size: u32,
    pub(crate) max_memory: u32,
    pub(crate) table_capacity: u32,
    pub(crate) native_depth: u32,
    pub(crate) fuel_slice: u32,
    #[cfg(feature = "native")]
    pub(crate) native_stack: u32,
    #[cfg(feature = "native")]
    pub(crate) native_stop: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// 2 KiB of frames, no limit of linear memory but the arena, tables that do not grow, four nested
    /// entries into guest code, a look at the stop flag every 1000 units of fuel.
    pub const fn new() -> Self {
        Self {
            stack_size: 2048,
            max_memory: u32::MAX,
            table_capacity: 0,
            native_depth: 4,
            fuel_slice: 1000,
            #[cfg(feature = "native")]
            native_stack: if cfg!(target_pointer_width = "64") { 256 << 10 } else { 1536 },
            #[cfg(feature = "native")]
            native_stop: false,
        }
    }

    /// Bytes for the frames of guest functions: bounds the depth of calls.
    pub const fn stack_size(mut self, bytes: u32) -> Self {
        self.stack_size = bytes;
        self
    }

    /// Most bytes of a linear memory, whatever the module declares. The initial size must fit;
    /// `memory.grow` stops here.
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

    /// How deep entries into guest code may nest: host functions that call the guest, and calls from one
    /// instance to another. Each takes native stack.
    pub const fn native_depth(mut self, depth: u32) -> Self {
        self.native_depth = depth;
        self
    }

    /// Bytes of the calling thread's stack that native code may take, counted from the outermost entry.
    /// What host functions need comes on top. 1536 by default, 256 KiB on 64-bit systems.
    #[cfg(feature = "native")]
    pub const fn native_stack(mut self, bytes: u32) -> Self {
        self.native_stack = bytes;
        self
    }

    /// Whoever runs the store can stop native code from outside, by rewriting the program counter of its
    /// thread: code that never looks at the stop flag is accepted.
    #[cfg(feature = "native")]
    pub const fn native_stop(mut self, can: bool) -> Self {
        self.native_stop = can;
        self
    }

    /// Backward branches and calls after which a guest looks at its stop flag. At least 1.
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

/// What stores have in common: today the limits. Cheap to copy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Engine {
    config: Config,
}

impl Engine {
    /// An engine with these limits.
    pub const fn new(config: &Config) -> Self {
        Self { config: *config }
    }

    /// Its limits.
    pub const fn config(&self) -> &Config {
        &self.config
    }
}

// SPDX-License-Identifier: Apache-2.0
//! What a host function sees of the guest that called it.

use crate::api::externals::Memory;
use crate::api::instance::Instance;
use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::vm::context::Ctx;
use crate::vm::trap::{Trap, TrapCode};

/// The calling instance and the store's data. Nothing here panics.
pub struct Caller<'c, T> {
    pub(crate) ctx: &'c Ctx,
    pub(crate) data: &'c mut T,
}

impl<T> Caller<'_, T> {
    /// Returns the host's data.
    pub fn data(&self) -> &T {
        self.data
    }

    /// Returns the host's data.
    pub fn data_mut(&mut self) -> &mut T {
        self.data
    }

    /// Returns the guest's memory, if it has one.
    pub fn memory(&self) -> Option<&[u8]> {
        self.ctx.linear().map(|memory| memory.bytes())
    }

    /// Returns the guest's memory, if it has one.
    pub fn memory_mut(&mut self) -> Option<&mut [u8]> {
        self.ctx.linear().map(|memory| memory.bytes_mut())
    }

    /// Returns the guest's memory (empty if it has none) and the host's data.
    pub fn memory_and_data_mut(&mut self) -> (&mut [u8], &mut T) {
        (self.ctx.linear().map_or(&mut [], |memory| memory.bytes_mut()), self.data)
    }

    /// Returns `length` bytes of the guest's memory.
    ///
    /// # Errors
    /// The range does not exist: the guest's mistake, a trap.
    pub fn bytes(&self, at: u32, length: u32) -> Result<&[u8], Trap> {
        let memory = self.memory().unwrap_or(&[]);
        let range = memory.get(at as usize..).and_then(|bytes| bytes.get(..length as usize));
        range.ok_or(Trap::new(TrapCode::MemoryOutOfBounds))
    }

    /// Returns `length` bytes of the guest's memory.
    ///
    /// # Errors
    /// Returns the errors of [`Caller::bytes`].
    pub fn bytes_mut(&mut self, at: u32, length: u32) -> Result<&mut [u8], Trap> {
        let memory = self.memory_mut().unwrap_or(&mut []);
        let range = memory.get_mut(at as usize..).and_then(|bytes| bytes.get_mut(..length as usize));
        range.ok_or(Trap::new(TrapCode::MemoryOutOfBounds))
    }

    /// Returns the calling instance.
    pub fn instance(&self) -> Instance {
        Instance { index: self.ctx.index() }
    }

    /// Returns the guest's memory as a handle.
    pub fn memory_handle(&self) -> Option<Memory> {
        self.instance().memory(self)
    }

    /// Returns true if the guest is to stop: a host function that waits gives up then.
    pub fn interrupted(&self) -> bool {
        self.ctx.shared().stop.load(core::sync::atomic::Ordering::Relaxed) != 0
    }

    /// Returns the fuel left, where `None` is no limit.
    pub fn fuel(&self) -> Option<u64> {
        self.ctx.shared().fuel()
    }

    /// Sets the fuel left.
    pub fn set_fuel(&mut self, fuel: Option<u64>) {
        self.ctx.shared().set_fuel(fuel);
    }
}

impl<T> AsContext for Caller<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { shared: self.ctx.shared(), data: self.data }
    }
}

impl<T> AsContextMut for Caller<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { shared: self.ctx.shared(), data: self.data }
    }
}

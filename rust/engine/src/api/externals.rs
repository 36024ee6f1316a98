// SPDX-License-Identifier: Apache-2.0
//! Memories, tables and globals, of instances or made by the host.

use core::cell::Cell;

use crate::vm::globals::{bits, global_record, set_bits};
use crate::vm::host_objects::{add, host, HostKind};
use wisp_image::format::{external, ValType};

use crate::api::func::Func;
use crate::api::store::{AsContext, AsContextMut};
use crate::api::value::Val;
use crate::vm::context::Ctx;
use crate::vm::memory::LinearMemory;
use crate::vm::shared::Shared;
use crate::vm::table::TableRecord;
use crate::vm::trap::TrapCode;

/// The instance index of what the host made.
const HOST: u16 = u16::MAX;

/// Something an instance exports and another may import.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A table.
    Table(Table),
    /// A memory.
    Memory(Memory),
    /// A global.
    Global(Global),
}

impl Extern {
    /// Returns the export with this kind and index.
    pub(crate) fn of(ctx: &Ctx, kind: u8, index: u16) -> Option<Self> {
        let instance = ctx.index();
        Some(match kind {
            external::FUNCTION => Self::Func(Func::from_bits(ctx.reference(u32::from(index)))?),
            external::TABLE => Self::Table(Table { instance, index }),
            external::MEMORY => Self::Memory(Memory { instance, index: 0 }),
            external::GLOBAL => Self::Global(Global { instance, index }),
            _ => return None,
        })
    }
}

/// A linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    pub(crate) instance: u16,
    index: u16,
}

impl Memory {
    /// Returns a memory made by the host, of `pages` pages of `1 << page_size_log2` bytes (16 is what wasm uses
    /// unless the module says otherwise). Reserves its maximum, or without one what the engine's limit for
    /// memories allows. `None` if the arena does not hold it.
    pub fn new(mut store: impl AsContextMut, pages: u32, max: Option<u32>, page_size_log2: u8) -> Option<Self> {
        let shared = store.as_context_mut().shared;
        let bytes = |pages: u32| usize::try_from(u64::from(pages) << page_size_log2.min(16)).ok();
        let limit = (shared.config.max_memory as usize).min(shared.memory_arena().remaining().saturating_sub(128));
        let capacity = bytes(max.unwrap_or(u32::MAX)).unwrap_or(usize::MAX).min(limit);
        let memory = wisp_image::Memory {
            imported: false,
            min: pages,
            max,
            page_size_log2: page_size_log2.min(16),
            backed: 0,
            trimmed: false,
            grows: true,
        };
        let memory = LinearMemory::new(shared, bytes(pages)?, capacity, &memory)?;
        Some(Self { instance: HOST, index: add(shared, HostKind::Memory(memory))? })
    }

    pub(crate) fn record(self, shared: &Shared) -> Option<&LinearMemory> {
        if self.instance == HOST {
            match host(shared, self.index)? {
                HostKind::Memory(memory) => Some(memory),
                _ => None,
            }
        } else {
            shared.instance(self.instance)?.linear()
        }
    }

    /// Returns the bytes. Empty for a handle of another store.
    pub fn data<C: AsContext>(self, store: &C) -> &[u8] {
        self.record(store.as_context().shared).map_or(&[], |memory| memory.bytes())
    }

    /// Returns the bytes. Empty for a handle of another store.
    pub fn data_mut<C: AsContextMut>(self, store: &mut C) -> &mut [u8] {
        self.record(store.as_context_mut().shared).map_or(&mut [], |memory| memory.bytes_mut())
    }

    /// Returns the bytes, and the host's data.
    pub fn data_and_store_mut<C: AsContextMut>(self, store: &mut C) -> (&mut [u8], &mut C::Data) {
        let context = store.as_context_mut();
        (self.record(context.shared).map_or(&mut [], |memory| memory.bytes_mut()), context.data)
    }

    /// Returns the size in pages, as the guest sees it.
    pub fn size(self, store: impl AsContext) -> u32 {
        self.record(store.as_context().shared).map_or(0, LinearMemory::pages)
    }

    /// Grows by `delta` pages and gives the former size. Returns `None` beyond the maximum or the reserve.
    pub fn grow(self, mut store: impl AsContextMut, delta: u32) -> Option<u32> {
        let shared = store.as_context_mut().shared;
        self.record(shared)?.grow(shared, delta)
    }

    /// Copies bytes out of the memory.
    ///
    /// # Errors
    /// The range does not exist.
    pub fn read(self, store: impl AsContext, at: usize, into: &mut [u8]) -> Result<(), TrapCode> {
        let context = store.as_context();
        let bytes: &[u8] = self.record(context.shared).map_or(&[], |memory| memory.bytes());
        let range = bytes.get(at..).and_then(|bytes| bytes.get(..into.len()));
        into.copy_from_slice(range.ok_or(TrapCode::MemoryOutOfBounds)?);
        Ok(())
    }

    /// Copies bytes into the memory.
    ///
    /// # Errors
    /// The range does not exist.
    pub fn write(self, mut store: impl AsContextMut, at: usize, from: &[u8]) -> Result<(), TrapCode> {
        let bytes = self.data_mut(&mut store);
        let range = bytes.get_mut(at..).and_then(|bytes| bytes.get_mut(..from.len()));
        range.ok_or(TrapCode::MemoryOutOfBounds)?.copy_from_slice(from);
        Ok(())
    }
}

/// A table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    instance: u16,
    index: u16,
}

impl Table {
    /// Returns a table made by the host, all null. `None` if the arena does not hold it.
    pub fn new(mut store: impl AsContextMut, ty: ValType, size: u32, max: Option<u32>) -> Option<Self> {
        let shared = store.as_context_mut().shared;
        let record = TableRecord::new(shared, ty, size, max)?;
        Some(Self { instance: HOST, index: add(shared, HostKind::Table(record))? })
    }

    pub(crate) fn record(self, shared: &Shared) -> Option<&TableRecord> {
        if self.instance == HOST {
            match host(shared, self.index)? {
                HostKind::Table(table) => Some(table),
                _ => None,
            }
        } else {
            shared.instance(self.instance)?.table(usize::from(self.index))
        }
    }

    /// Returns the number of elements.
    pub fn size(self, store: impl AsContext) -> u32 {
        self.record(store.as_context().shared).map_or(0, TableRecord::size)
    }

    /// Returns an element.
    pub fn get(self, store: impl AsContext, index: u32) -> Option<Val> {
        let context = store.as_context();
        let table = self.record(context.shared)?;
        table.get(index).map(|bits| Val::from_bits(table.ty, u64::from(bits)))
    }

    /// Sets an element.
    ///
    /// # Errors
    /// The index does not exist, or the value is no reference of the table's type and of this store.
    pub fn set(self, mut store: impl AsContextMut, index: u32, value: Val) -> Result<(), TrapCode> {
        let shared = store.as_context_mut().shared;
        let table = self.record(shared).ok_or(TrapCode::UnknownHandle)?;
        table.set(index, reference(shared, table.ty, value)?)
    }

    /// Grows by `delta` elements of this value and gives the former size.
    ///
    /// # Errors
    /// Beyond the maximum or the reserve (`TableOutOfBounds`), or as [`Table::set`].
    pub fn grow(self, mut store: impl AsContextMut, delta: u32, value: Val) -> Result<u32, TrapCode> {
        let shared = store.as_context_mut().shared;
        let table = self.record(shared).ok_or(TrapCode::UnknownHandle)?;
        table.grow(reference(shared, table.ty, value)?, delta).ok_or(TrapCode::TableOutOfBounds)
    }
}

fn reference(shared: &Shared, ty: ValType, value: Val) -> Result<u32, TrapCode> {
    let bits = value.bits() as u32;
    if value.ty() != ty {
        Err(TrapCode::ArgumentMismatch)
    } else if !shared.valid(ty, bits) {
        Err(TrapCode::UnknownHandle)
    } else {
        Ok(bits)
    }
}

/// A global.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Global {
    instance: u16,
    index: u16,
}

impl Global {
    /// Returns a global made by the host. `None` if the arena does not hold it or a function is of another store.
    pub fn new(mut store: impl AsContextMut, value: Val, mutable: bool) -> Option<Self> {
        let shared = store.as_context_mut().shared;
        if !shared.valid(value.ty(), value.bits() as u32) {
            return None;
        }
        let slots = [Cell::new(value.bits() as u32), Cell::new((value.bits() >> 32) as u32)];
        Some(Self { instance: HOST, index: add(shared, HostKind::Global(value.ty(), mutable, slots))? })
    }

    /// Returns type, mutability and slots.
    pub(crate) fn record(self, shared: &Shared) -> Option<(ValType, bool, &[Cell<u32>])> {
        if self.instance == HOST {
            match host(shared, self.index)? {
                HostKind::Global(ty, mutable, slots) => Some((*ty, *mutable, slots.get(..ty.slots())?)),
                _ => None,
            }
        } else {
            global_record(shared.instance(self.instance)?, usize::from(self.index))
        }
    }

    /// Returns the type and mutability.
    pub fn ty(self, store: impl AsContext) -> Option<(ValType, bool)> {
        self.record(store.as_context().shared).map(|(ty, mutable, _)| (ty, mutable))
    }

    /// Returns the value, or `None` for a handle of another store.
    pub fn get(self, store: impl AsContext) -> Option<Val> {
        let (ty, _, slots) = self.record(store.as_context().shared)?;
        Some(Val::from_bits(ty, bits(slots)))
    }

    /// Sets the value.
    ///
    /// # Errors
    /// The global is immutable or of another type (`ArgumentMismatch`), or something is of another store.
    pub fn set(self, mut store: impl AsContextMut, value: Val) -> Result<(), TrapCode> {
        let shared = store.as_context_mut().shared;
        let (ty, mutable, slots) = self.record(shared).ok_or(TrapCode::UnknownHandle)?;
        if !mutable || ty != value.ty() {
            return Err(TrapCode::ArgumentMismatch);
        }
        if !shared.valid(ty, value.bits() as u32) {
            return Err(TrapCode::UnknownHandle);
        }
        set_bits(slots, value.bits());
        Ok(())
    }
}

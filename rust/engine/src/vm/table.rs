// SPDX-License-Identifier: Apache-2.0
//! Tables. An element is a reference: 0 is null, a function is its instance's index in the upper and its
//! function index plus one in the lower half, a host reference its number plus one. Who sets an element
//! checks it, so that calls need not.

use core::cell::Cell;

use wisp_image::format::ValType;

use super::shared::Shared;
use crate::vm::trap::TrapCode;

/// Elements that are written between two looks at the stop flag.
const PIECE: usize = 1024;

/// A table. Its elements never move. Back ends in assembly read the first two fields.
#[cfg_attr(feature = "user-mode", derive(Clone))]
#[repr(C)]
pub struct TableRecord {
    pub(super) elements: *const Cell<u32>,
    size: Cell<u32>,
    capacity: u32,
    /// Element type.
    pub(crate) ty: ValType,
    /// Declared maximum.
    pub(crate) max: Option<u32>,
}

impl TableRecord {
    /// Takes a table from the arena.
    pub fn new(shared: &Shared, ty: ValType, size: u32, max: Option<u32>) -> Option<Self> {
        let capacity = Self::capacity(shared, size, max);
        let elements = shared.table_arena().alloc_zeroed(capacity as usize)?.as_ptr();
        Some(Self { elements, size: Cell::new(size), capacity, ty, max })
    }

    /// Returns the number of elements that a table with this size and maximum has room for.
    pub fn capacity(shared: &Shared, size: u32, max: Option<u32>) -> u32 {
        let most = shared.config.max_table.min(max.unwrap_or(u32::MAX));
        shared.config.table_capacity.min(most).max(size)
    }

    /// Returns the number of elements.
    #[inline]
    pub fn size(&self) -> u32 {
        self.size.get()
    }

    /// Sets the number of elements to one that the table had before.
    #[cfg(feature = "rewind")]
    pub(super) fn set_size(&self, size: u32) {
        self.size.set(size.min(self.capacity));
    }

    pub(super) fn elements(&self) -> &[Cell<u32>] {
        // SAFETY: rule A: `capacity` cells were taken; size <= capacity.
        unsafe { core::slice::from_raw_parts(self.elements, self.size.get() as usize) }
    }

    /// Returns an element.
    #[inline]
    pub fn get(&self, index: u32) -> Option<u32> {
        self.elements().get(index as usize).map(Cell::get)
    }

    /// Sets an element to a reference that was checked.
    pub fn set(&self, index: u32, reference: u32) -> Result<(), TrapCode> {
        self.elements().get(index as usize).ok_or(TrapCode::TableOutOfBounds)?.set(reference);
        Ok(())
    }

    fn range(&self, at: u32, n: u32) -> Result<&[Cell<u32>], TrapCode> {
        let elements = self.elements().get(at as usize..).and_then(|elements| elements.get(..n as usize));
        elements.ok_or(TrapCode::TableOutOfBounds)
    }

    /// Carries out `table.fill` with a reference that was checked. Like `copy` it looks at the stop flag between
    /// pieces.
    pub fn fill(&self, shared: &Shared, at: u32, reference: u32, n: u32) -> Result<(), TrapCode> {
        for piece in self.range(at, n)?.chunks(PIECE) {
            shared.go_on()?;
            piece.iter().for_each(|element| element.set(reference));
        }
        Ok(())
    }

    /// Carries out `table.grow` with a reference that was checked. Returns the former size, or `None` beyond the
    /// maximum or the reserve.
    pub fn grow(&self, reference: u32, delta: u32) -> Option<u32> {
        let old = self.size.get();
        let new = old.checked_add(delta)?;
        if new > self.capacity || self.max.is_some_and(|max| new > max) {
            return None;
        }
        self.size.set(new);
        self.elements().iter().skip(old as usize).for_each(|element| element.set(reference));
        Some(old)
    }

    /// Carries out `table.copy` from another table, or this one. The ranges may overlap.
    pub fn copy(&self, shared: &Shared, to: u32, source: &Self, from: u32, n: u32) -> Result<(), TrapCode> {
        let (to, from) = (self.range(to, n)?, source.range(from, n)?);
        let pieces = to.chunks(PIECE).zip(from.chunks(PIECE));
        if to.as_ptr() <= from.as_ptr() {
            for (to, from) in pieces {
                shared.go_on()?;
                to.iter().zip(from).for_each(|(to, from)| to.set(from.get()));
            }
        } else {
            for (to, from) in pieces.rev() {
                shared.go_on()?;
                to.iter().zip(from).rev().for_each(|(to, from)| to.set(from.get()));
            }
        }
        Ok(())
    }
}

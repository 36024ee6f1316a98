// SPDX-License-Identifier: Apache-2.0
//! The state of translated code in the record of an instance.

use core::cell::Cell;
use core::ptr::null;

use super::translation::Translated;

/// The state of an instance's machine code. Code and helpers read it.
#[repr(C)]
#[derive(Clone)]
pub(crate) struct State {
    /// For each defined function the address of its code, or 0.
    pub(crate) entries: *const Cell<u32>,
    /// The stack pointer of the innermost entry.
    pub(crate) unwind: Cell<usize>,
    /// Lowest address that the native stack may have at the entry of a function that calls others.
    pub(crate) floor: Cell<usize>,
    pub(crate) code: *const u8,
    pub(crate) length: u32,
    /// Bytes of linear memory that exist for as long as the instance does.
    pub(crate) memory: u32,
    pub(crate) scratch: *mut u32,
    pub(crate) words: u32,
    pub(crate) translated: u32,
    /// Functions without code because there was no room, or because the others had used the budget.
    pub(crate) no_room: u32,
    pub(crate) over_budget: u32,
    /// Finds the byte offset in the code section at which the guest stands, and its frame, if the instance at the address
    /// was left from machine code.
    ///
    /// # Safety
    /// The address is that of the instance.
    pub(crate) place: unsafe fn(*const ()) -> Option<(u32, *mut u8)>,
    /// Calls under way below a run of the interpreter that translated code began.
    pub(crate) below: Cell<u32>,
}

impl State {
    /// Returns the state of an instance without code.
    pub fn none() -> Self {
        Self {
            entries: null(),
            unwind: Cell::new(0),
            floor: Cell::new(0),
            code: null(),
            length: 0,
            memory: 0,
            scratch: core::ptr::null_mut(),
            words: 0,
            translated: 0,
            no_room: 0,
            over_budget: 0,
            place: |_| None,
            below: Cell::new(0),
        }
    }

    /// Returns what is known here, which is all but the number of functions.
    pub fn figures(&self) -> Translated {
        Translated {
            functions: 0,
            translated: self.translated,
            bytes: self.length,
            no_room: self.no_room,
            over_budget: self.over_budget,
        }
    }

    /// Returns the address of a function's code, if it has any.
    pub(crate) fn entry(&self, index: u32) -> Option<u32> {
        if self.entries.is_null() {
            return None;
        }
        // SAFETY: rule A: `translate` took a cell for each defined function, and the caller's index is of one.
        Some(unsafe { (*self.entries.add(index as usize)).get() }).filter(|&entry| entry != 0)
    }

    /// Returns the number of calls under way below the run of the interpreter that goes on.
    pub fn below(&self) -> u32 {
        self.below.get()
    }

    /// Returns the offset in the code of an address, if it lies there.
    pub(crate) fn offset(&self, address: u32) -> Option<u32> {
        let offset = (address & !1).wrapping_sub(self.code.addr() as u32);
        (offset < self.length && self.length != 0).then_some(offset)
    }
}

// SPDX-License-Identifier: Apache-2.0
//! References of others that an instance was given.
//!
//! In its slots a reference is a number like any other, so that code could make one up. What it may use, wherever a
//! reference leaves its slots (tables, globals, calls of others, results), is null, a function of its own, and what
//! it received: out of a table or a global, as an argument, or as a result. Native code is trusted to make none up.

use core::cell::Cell;

use wisp_image::format::{external, ValType};
use wisp_image::{Image, ImportKind};

use super::arena::Arena;
use super::context::Ctx;
use crate::vm::trap::TrapCode;
use crate::vm::ty::FuncType;

/// References that an instance was given. Functions stand at the beginning of the places, host references at the end.
pub(crate) struct Held {
    places: *const Cell<u32>,
    capacity: u16,
    functions: Cell<u16>,
    externs: Cell<u16>,
}

/// Returns true if an instance of this image can be given a reference: by its imports or exports, or by a type that has
/// one. Looks at each entry of the image at most once.
pub(crate) fn receives(image: &Image<'_>) -> bool {
    let types = image.types();
    let in_types = (0..types.len().min(usize::from(u16::MAX))).any(|index| {
        types.get(index as u16).is_ok_and(|ty| ty.params().chain(ty.results()).any(ValType::is_reference))
    });
    let imports = image.imports();
    let imported = (0..imports.len()).any(|index| match imports.get(index).map(|import| import.kind) {
        Ok(ImportKind::Table(_)) => true,
        Ok(ImportKind::Global(ty, _)) => ty.is_reference(),
        _ => false,
    });
    let mut global = false;
    let mut table = || {
        (0..image.export_count()).filter_map(|index| image.export(index).ok()).any(|export| {
            global |= export.kind == external::GLOBAL;
            export.kind == external::TABLE
        })
    };
    let written =
        || image.globals().any(|global| global.is_ok_and(|global| global.mutable && global.ty.is_reference()));
    in_types || imported || table() || global && written()
}

impl Held {
    /// Takes room for as many references from the arena.
    pub fn new(arena: &Arena, capacity: u16) -> Option<Self> {
        let places = arena.alloc_zeroed(usize::from(capacity))?.as_ptr();
        Some(Self { places, capacity, functions: Cell::new(0), externs: Cell::new(0) })
    }

    fn places(&self) -> &[Cell<u32>] {
        // SAFETY: rule A: `capacity` cells were taken.
        unsafe { core::slice::from_raw_parts(self.places, usize::from(self.capacity)) }
    }

    fn has(&self, ty: ValType, bits: u32) -> bool {
        let places = self.places();
        let of_type = match ty {
            ValType::FuncRef => places.get(..usize::from(self.functions.get())),
            _ => places.len().checked_sub(usize::from(self.externs.get())).and_then(|first| places.get(first..)),
        };
        of_type.is_some_and(|places| places.iter().any(|place| place.get() == bits))
    }

    fn add(&self, ty: ValType, bits: u32) -> Option<()> {
        let (functions, externs) = (self.functions.get(), self.externs.get());
        if functions + externs >= self.capacity {
            return None;
        }
        let at = match ty {
            ValType::FuncRef => {
                self.functions.set(functions + 1);
                functions
            }
            _ => {
                self.externs.set(externs + 1);
                self.capacity - externs - 1
            }
        };
        self.places().get(usize::from(at))?.set(bits);
        Some(())
    }
}

impl Ctx {
    /// Returns true if a reference of this type needs no giver: null, a function of its own, or what is no reference.
    fn needs_none(&self, ty: ValType, bits: u32) -> bool {
        match ty {
            ValType::FuncRef => {
                let own = bits >> 16 == u32::from(self.index()) && (1..=self.functions()).contains(&(bits & 0xffff));
                bits == 0 || own
            }
            ValType::ExternRef => bits == 0,
            _ => true,
        }
    }

    /// Records that the instance is given a value.
    ///
    /// # Errors
    /// It is a reference, and the instance holds as many as it may.
    pub(crate) fn receive(&self, ty: ValType, bits: u32) -> Result<(), TrapCode> {
        if self.trusts_its_code() || self.needs_none(ty, bits) || self.held().has(ty, bits) {
            return Ok(());
        }
        self.held().add(ty, bits).ok_or(TrapCode::TooManyReferences)
    }

    /// Records that the instance gives a value away.
    ///
    /// # Errors
    /// It is a reference, and nobody gave it to the instance: its code made it up.
    pub(crate) fn give(&self, ty: ValType, bits: u32) -> Result<(), TrapCode> {
        if self.trusts_its_code() || self.needs_none(ty, bits) || self.held().has(ty, bits) {
            Ok(())
        } else {
            Err(TrapCode::BadSignature)
        }
    }

    fn trusts_its_code(&self) -> bool {
        self.native().is_some()
    }
}

/// Calls `visit` with type and bits of each reference among values of these types, which `get` has the slots of.
pub(crate) fn references(
    types: &[ValType],
    get: impl Fn(usize) -> u32,
    mut visit: impl FnMut(ValType, u32) -> Result<(), TrapCode>,
) -> Result<(), TrapCode> {
    let mut at = 0;
    for &ty in types {
        if ty.is_reference() {
            visit(ty, get(at))?;
        }
        at += ty.slots();
    }
    Ok(())
}

/// Returns true if there is a reference among values of these types.
pub(crate) const fn any(types: &[ValType]) -> bool {
    let mut index = 0;
    while index < types.len() {
        if types[index].is_reference() {
            return true;
        }
        index += 1;
    }
    false
}

impl FuncType<'_> {
    /// Returns true if there is a reference among parameters and results.
    pub(crate) const fn has_references(&self) -> bool {
        any(self.params) || any(self.results)
    }
}

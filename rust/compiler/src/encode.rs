// SPDX-License-Identifier: Apache-2.0
//! Instructions to code words: chooses branch reaches and resolves labels.

use alloc::vec;
use alloc::vec::Vec;

use wisp_image::ops::{Class, Operand, Sem};

use crate::inst::{immediate_mask, inverse, Arg, Dst, Inst, Item, Label, Reach, ARGS};

/// Why a function cannot be encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EncodeError {
    /// The frame needs this many slots.
    Frame(u32),
    /// A `br_table` is farther than 64 KiB from one of its targets.
    TableReach,
    /// No op of the table has this form: the compiler and the table disagree.
    Form(Sem),
}

/// A call whose distance is filled in when all functions have their place.
pub struct CallSite {
    /// Offset in the function's code of the op, in bytes.
    pub op: u32,
    /// Offset of the distance.
    pub word: u32,
    /// The defined function called.
    pub callee: u32,
}

/// A function's code.
pub struct Encoded {
    /// The words, little endian.
    pub code: Vec<u8>,
    /// Calls to patch.
    pub calls: Vec<CallSite>,
    /// (offset in `code`, offset in the wasm module), ascending.
    pub source_map: Vec<(u32, u32)>,
}

/// Largest frame: a slot is named by a 16-bit byte offset.
pub const FRAME_MAX: u32 = 65_532;

/// Encodes the items of one function. `frame` is its size in slots.
pub fn encode(items: &[Item], targets: &[Vec<Label>], frame: u32, far_calls: bool) -> Result<Encoded, EncodeError> {
    if frame * 4 > FRAME_MAX {
        return Err(EncodeError::Frame(frame));
    }
    let mut items = items.to_vec();
    let mut fresh = items.iter().filter(|i| matches!(i, Item::Label(_))).count() as u32 + 0x8000_0000;
    loop {
        let call = if far_calls { Reach::Far } else { Reach::Forward };
        let layout = Layout::new(&items, targets, call)?;
        match layout.too_far(&items) {
            None => return layout.write(&items, targets, frame, call),
            Some(index) => {
                let Item::Inst(inst) = items[index] else { return Err(EncodeError::TableReach) };
                if inst.joined {
                    // on its own it has forms that reach farther; what is left of the sequence may be none
                    for item in items[..=index].iter_mut().rev() {
                        match item {
                            Item::Inst(part) if part.joined => part.joined = false,
                            _ => break,
                        }
                    }
                    continue;
                }
                if inst.class != Class::Br32 {
                    return Err(EncodeError::TableReach);
                }
                // a far conditional branch: the opposite condition jumps over a far branch
                let label = inst.args[2];
                fresh += 1;
                let mut skip = Inst { sem: inverse(inst.sem), ..inst };
                skip.args[2] = Arg::Label(fresh);
                let mut args = [Arg::None; ARGS];
                args[0] = label;
                let far = Inst { class: Class::Special, sem: Sem::Br, dst: Dst::None, args, ..inst };
                items.splice(index..=index, [Item::Inst(skip), Item::Inst(far), Item::Label(fresh)]);
            }
        }
    }
}

struct Layout {
    /// Byte offset of each item.
    at: Vec<u32>,
    /// Reach of each item's branch.
    reach: Vec<Reach>,
    places: alloc::collections::BTreeMap<Label, u32>,
}

impl Layout {
    fn new(items: &[Item], targets: &[Vec<Label>], call: Reach) -> Result<Self, EncodeError> {
        let mut order = alloc::collections::BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            if let Item::Label(label) = item {
                order.insert(*label, index);
            }
        }
        let mut reach = vec![Reach::Forward; items.len()];
        for (index, item) in items.iter().enumerate() {
            if let Item::Inst(inst) = item {
                if let Some(label) = inst.label() {
                    if order[&label] < index {
                        reach[index] = Reach::Backward;
                    }
                }
            }
        }
        loop {
            let mut at: Vec<u32> = Vec::with_capacity(items.len());
            let mut places = alloc::collections::BTreeMap::new();
            let mut offset = 0;
            for (index, item) in items.iter().enumerate() {
                // all of a sequence is at its start
                let joined = matches!(item, Item::Inst(Inst { joined: true, .. }));
                at.push(if joined { at[index - 1] } else { offset });
                match item {
                    Item::Label(label) => {
                        places.insert(*label, offset);
                    }
                    Item::Inst(inst) => {
                        let (form, n) = inst.form(reach[index], call);
                        let mut words = usize::from(!joined) + form[..n].iter().map(|k| k.words()).sum::<usize>();
                        for arg in inst.args {
                            if let Arg::Targets(list) = arg {
                                words += targets[list as usize].len();
                            }
                        }
                        offset += 2 * words as u32;
                    }
                }
            }
            // only plain branches have a far form; growing one may push another out of reach
            let mut grown = false;
            for (index, item) in items.iter().enumerate() {
                if let Item::Inst(inst) = item {
                    if inst.sem == Sem::Br && !inst.joined && reach[index] != Reach::Far {
                        if let Some(label) = inst.label() {
                            if places[&label].abs_diff(at[index]) > u32::from(u16::MAX) {
                                reach[index] = Reach::Far;
                                grown = true;
                            }
                        }
                    }
                }
            }
            if !grown {
                return Ok(Self { at, reach, places });
            }
        }
    }

    /// The first conditional branch or table that does not reach its target.
    fn too_far(&self, items: &[Item]) -> Option<usize> {
        items.iter().enumerate().position(|(index, item)| match item {
            Item::Inst(inst) if self.reach[index] != Reach::Far => {
                inst.label().is_some_and(|label| self.places[&label].abs_diff(self.at[index]) > u32::from(u16::MAX))
            }
            _ => false,
        })
    }

    fn write(&self, items: &[Item], targets: &[Vec<Label>], frame: u32, call: Reach) -> Result<Encoded, EncodeError> {
        let mut out = Encoded { code: Vec::new(), calls: Vec::new(), source_map: Vec::new() };
        for (index, item) in items.iter().enumerate() {
            let Item::Inst(inst) = item else { continue };
            let here = self.at[index];
            let sequence = sequence(items, index);
            // a sequence is where that of its ops is that may trap
            let place = sequence.iter().filter(|part| part.traps()).map(|part| part.offset).next();
            let inst_offset = place.unwrap_or(inst.offset);
            if inst.joined {
                // the words of its operands follow
            } else if out.source_map.last().is_none_or(|&(_, wasm)| wasm != inst_offset) {
                out.source_map.push((here, inst_offset));
            }
            let opcode = match sequence.len() {
                _ if inst.joined => None,
                1 => inst.opcode(self.reach[index], call),
                n => sequence_opcode(&sequence, &self.reach[index..index + n], call),
            };
            let mut words = Words(&mut out.code);
            match opcode {
                Some(opcode) => words.half(opcode * 4),
                None if inst.joined => {}
                None => return Err(EncodeError::Form(inst.sem)),
            }
            match inst.dst {
                Dst::Narrow(slot) | Dst::Wide(slot) | Dst::Modified(slot) => words.half((slot * 4) as u16),
                Dst::None | Dst::Acc => {}
            }
            for arg in inst.args {
                match arg {
                    Arg::None => break,
                    Arg::Acc => {}
                    Arg::Narrow { slot, .. } | Arg::Wide { slot, .. } | Arg::Frame(slot) => {
                        words.half((slot * 4) as u16);
                    }
                    Arg::Imm(value) => words.half((value & immediate_mask(inst.sem)) as u16),
                    Arg::Imm32(value) => words.long(value),
                    Arg::Imm64(value) => {
                        words.long(value as u32);
                        words.long((value >> 32) as u32);
                    }
                    Arg::Offset(value) | Arg::Word(_, value) => words.half(value),
                    Arg::Label(label) => {
                        let target = self.places[&label];
                        match self.reach[index] {
                            Reach::Forward => words.half((target - here) as u16),
                            Reach::Backward => words.half((here - target) as u16),
                            Reach::Far => words.long(target.wrapping_sub(here)),
                        }
                    }
                    Arg::Targets(list) => {
                        let list = &targets[list as usize];
                        words.half((list.len() - 1) as u16);
                        for label in list {
                            let distance = self.places[label].wrapping_sub(here);
                            words.half(u16::try_from(distance).map_err(|_| EncodeError::TableReach)?);
                        }
                    }
                    Arg::Callee(callee) => {
                        let word = words.0.len() as u32;
                        if call == Reach::Far {
                            words.long(0);
                        } else {
                            words.half(0);
                        }
                        out.calls.push(CallSite { op: here, word, callee });
                        words = Words(&mut out.code);
                    }
                    Arg::FrameSize => words.half((frame * 4) as u16),
                    Arg::Zero(first, count) => {
                        words.half((first * 4) as u16);
                        words.half(count as u16);
                    }
                }
            }
        }
        Ok(out)
    }
}

/// The instruction at this index and those that are one op with it.
fn sequence(items: &[Item], index: usize) -> Vec<Inst> {
    let mut parts = Vec::new();
    for item in &items[index..] {
        match item {
            Item::Inst(inst) if parts.is_empty() || inst.joined => parts.push(*inst),
            _ => break,
        }
    }
    parts
}

/// The opcode of instructions as one op, if the table has it.
pub fn sequence_opcode(parts: &[Inst], reach: &[Reach], call: Reach) -> Option<u16> {
    let forms: Vec<_> = parts.iter().zip(reach).map(|(part, &reach)| part.form(reach, call)).collect();
    let ops: Vec<_> = parts.iter().zip(&forms).map(|(part, (form, n))| (part.class, part.sem, &form[..*n])).collect();
    wisp_image::ops::sequence_opcode(&ops)
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

/// The operand kinds that calls use; kept here so that the patching in `module` and the layout agree.
pub const fn call_distance(kind: Operand, distance: i64) -> Option<i64> {
    match kind {
        Operand::N if distance % 2 == 0 && distance / 2 >= i16::MIN as i64 && distance / 2 <= i16::MAX as i64 => {
            Some(distance / 2)
        }
        Operand::NFar => Some(distance),
        _ => None,
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Reads ops: what an op does, and its operands.

use wisp_image::ops::{self, Class, Operand, Sem, ENDS_FLOW, PACKED, SEQUENCE, SINGLE};

use crate::pins::Counts;

/// The largest number of operands of an op that is no sequence.
pub const OPERANDS: usize = 6;

/// By opcode: how an op behaves, and what it computes.
static MEANINGS: [(Class, Sem); SINGLE] = {
    let mut meanings = [(Class::Special, Sem::Unreachable); SINGLE];
    let mut n = 0;
    while n < SINGLE {
        if let Some(op) = ops::op(n as u16) {
            meanings[n] = (op.class, op.sem);
        }
        n += 1;
    }
    meanings
};

/// The kinds of operands by their numbers.
const KINDS: [Operand; 32] = {
    let mut kinds = [Operand::None; 32];
    let mut n = 0;
    while n < Operand::ALL.len() {
        kinds[n] = Operand::ALL[n];
        n += 1;
    }
    kinds
};

/// The words that an operand takes in the code, by the number of its kind.
const WORDS: [u8; 32] = {
    let mut words = [0; 32];
    let mut n = 0;
    while n < words.len() {
        words[n] = KINDS[n].words() as u8;
        n += 1;
    }
    words
};

/// Returns how an op that is no sequence behaves, and what it computes.
pub fn meaning(opcode: usize) -> (Class, Sem) {
    MEANINGS.get(opcode).copied().unwrap_or((Class::Special, Sem::Unreachable))
}

/// Returns the kinds of the operands of an op that is no sequence, five bits each from the lowest.
fn packed(opcode: usize) -> u32 {
    ops::packed(opcode).map_or(0, |packed| packed & !ENDS_FLOW)
}

/// Returns the kind of operand that the lowest five bits say.
fn kind(packed: u32) -> Operand {
    KINDS[packed as usize & 31]
}

/// The way in which the words of an operand make its value.
#[derive(Clone, Copy)]
enum Read {
    Nothing,
    Acc,
    Word,
    Signed,
    Long,
    Longer,
}

/// By the number of an operand's kind: how it is read.
const READ: [Read; 32] = {
    let mut read = [Read::Nothing; 32];
    let mut n = 0;
    while n < read.len() {
        read[n] = match (KINDS[n], WORDS[n]) {
            (Operand::Acc, _) => Read::Acc,
            (Operand::Imm16 | Operand::Callee, _) => Read::Signed,
            (_, 0) => Read::Nothing,
            (_, 1) => Read::Word,
            (_, 2) => Read::Long,
            _ => Read::Longer,
        };
        n += 1;
    }
    read
};

/// A bit for each kind of operand that names a slot.
const SLOTS: u32 = {
    let kinds = [Operand::Dst, Operand::DstFirst, Operand::Slot, Operand::Dst64, Operand::Slot64];
    let (mut bits, mut n) = (0, 0);
    while n < kinds.len() {
        bits |= 1 << kinds[n] as u32;
        n += 1;
    }
    bits
};

/// By opcode: the words of its operands without the entries of a table, and bits that tell of branches.
static SHAPES: [u8; SINGLE] = {
    let mut shapes = [0; SINGLE];
    let mut n = 0;
    while n < SINGLE {
        let (mut kinds, mut words) = (PACKED[n] & !ENDS_FLOW, 0);
        while kinds != 0 {
            let number = kinds as usize & 31;
            words += WORDS[number];
            shapes[n] |= match KINDS[number] {
                Operand::Forward => BRANCH,
                Operand::Back => BRANCH | BACK,
                Operand::Far => BRANCH | BACK | FAR,
                Operand::Targets => TABLE,
                _ => 0,
            };
            kinds >>= 5;
        }
        assert!(words <= WORDS_OF);
        shapes[n] |= words;
        n += 1;
    }
    shapes
};
/// Bits of [`SHAPES`]: the words.
const WORDS_OF: u8 = 0x0f;
/// The branch may go back.
const BACK: u8 = 0x10;
/// A branch.
const BRANCH: u8 = 0x20;
/// A branch of which nobody knows whether it goes ahead.
const FAR: u8 = 0x40;
/// A table of branches, whose operand is the last.
const TABLE: u8 = 0x80;

/// The code of a function, as words.
#[derive(Clone, Copy)]
pub struct Code<'i> {
    /// The code section.
    pub section: &'i [u8],
    /// The function's first byte in it.
    pub start: u32,
    /// The byte behind its last.
    pub end: u32,
}

impl Code<'_> {
    /// Returns the word at a byte offset of the section, or 0 behind its end, which no verified op reads.
    pub fn word(self, at: u32) -> u16 {
        match self.section.get(at as usize..) {
            Some(&[low, high, ..]) => u16::from_le_bytes([low, high]),
            _ => 0,
        }
    }
}

/// An op, or one op of a sequence.
#[derive(Clone, Copy)]
pub struct Part {
    /// Its behaviour.
    pub class: Class,
    /// Its computation.
    pub sem: Sem,
    /// The kinds of its operands, five bits each from the lowest.
    kinds: u32,
    /// The value of each operand: an offset, an index, or an immediate extended to 32 bits. What lies behind says nothing.
    values: [u32; OPERANDS],
    /// The upper half of an immediate of 64 bits.
    pub high: u32,
    /// Number of operands.
    pub count: usize,
    /// Byte offset of the op, or of the sequence that it is part of.
    pub start: u32,
    /// True for the first op of a sequence, and for an op that is in none.
    pub first: bool,
    /// Byte offset of the first entry of a table.
    pub table: u32,
    /// The accumulator is an operand.
    pub reads_acc: bool,
}

impl Part {
    /// A place for what [`Ops::next`] reads.
    pub const NONE: Self = Self {
        class: Class::Special,
        sem: Sem::Unreachable,
        kinds: 0,
        values: [0; OPERANDS],
        high: 0,
        count: 0,
        start: 0,
        first: true,
        table: 0,
        reads_acc: false,
    };

    /// Returns the kind of an operand.
    pub fn kind(&self, operand: usize) -> Operand {
        if operand < OPERANDS {
            kind(self.kinds >> (5 * operand))
        } else {
            Operand::None
        }
    }

    /// Returns the value of an operand.
    pub fn value(&self, operand: usize) -> u32 {
        self.values.get(operand).copied().unwrap_or(0)
    }

    /// Returns the halves of an operand that is a number of 64 bits.
    pub fn number_wide(&self, operand: usize) -> (u32, u32) {
        let low = self.value(operand);
        let high = if self.kind(operand) == Operand::Imm64 { self.high } else { (low as i32 >> 31) as u32 };
        (low, high)
    }

    /// Returns the kind of the last operand.
    pub fn last(&self) -> Operand {
        self.kind(self.count.wrapping_sub(1))
    }

    /// Returns the kinds and the values of the operands.
    pub fn operands(&self) -> impl Iterator<Item = (Operand, u32)> + '_ {
        let mut kinds = self.kinds;
        self.values.iter().map_while(move |&value| {
            let kind = kind(kinds);
            kinds >>= 5;
            (kind != Operand::None).then_some((kind, value))
        })
    }

    /// Returns the slots that the op names as sources: byte offset, and whether it is a pair.
    pub fn sources(&self) -> impl Iterator<Item = (u32, bool)> + '_ {
        self.operands().filter_map(|(kind, value)| match kind {
            Operand::Slot | Operand::DstFirst => Some((value, false)),
            Operand::Slot64 => Some((value, true)),
            _ => None,
        })
    }

    /// Returns the slot that the op writes: byte offset, and whether it is a pair.
    pub fn result(&self) -> Option<(u32, bool)> {
        match self.kind(0) {
            Operand::Dst | Operand::DstFirst => Some((self.values[0], false)),
            Operand::Dst64 => Some((self.values[0], true)),
            _ => None,
        }
    }

    /// Returns the target of the branch that the op ends with, as a byte offset of the section.
    pub fn target(&self) -> Option<u32> {
        let distance = self.value(self.count.wrapping_sub(1));
        match self.last() {
            Operand::Forward | Operand::Far => Some(self.start.wrapping_add(distance)),
            Operand::Back => Some(self.start.wrapping_sub(distance)),
            _ => None,
        }
    }

    /// Returns true if the op takes a unit of fuel when it branches.
    pub fn takes_fuel(&self) -> bool {
        matches!(self.last(), Operand::Back | Operand::Far)
    }
}

/// Reads the ops of a function one after the other, and the ops of a sequence one by one.
#[derive(Clone, Copy)]
pub struct Ops<'i> {
    code: Code<'i>,
    /// Start of the op that is read.
    start: u32,
    /// The next word.
    at: u32,
    /// Opcodes of what is left of a sequence.
    rest: u32,
    ends: bool,
}

impl<'i> Ops<'i> {
    /// Begins at an op.
    pub fn new(code: Code<'i>, at: u32) -> Self {
        Self { code, start: at, at, rest: 0, ends: false }
    }

    /// Returns the byte offset behind the op that was read last, or inside a sequence behind that op's operands.
    pub fn at(&self) -> u32 {
        self.at
    }

    /// Returns true if the next op is the first of a sequence, or none of one.
    pub fn between(&self) -> bool {
        self.rest == 0
    }

    /// Returns true if the next op compares the accumulator with zero for equality, and branches by that.
    pub fn branches_by_acc(mut self, next_target: u32) -> bool {
        if self.between() && self.at == next_target {
            return false;
        }
        let Some(opcode) = self.opcode() else { return false };
        let (class, sem) = meaning(opcode);
        if class != Class::Br32 || !matches!(sem, Sem::I32Eq | Sem::I32Ne) {
            return false;
        }
        let mut part = Part::NONE;
        self.operands(opcode, &mut part);
        part.kind(0) == Operand::Acc && part.kind(1) == Operand::Imm16 && part.value(1) == 0
    }

    /// Returns true if control never goes on behind the op, or sequence, that was read last.
    pub fn ends_flow(&self) -> bool {
        self.ends && self.rest == 0
    }

    /// Reads the next op. False at the end of the function.
    pub fn next(&mut self, part: &mut Part) -> bool {
        part.first = self.rest == 0;
        let Some(opcode) = self.opcode() else { return false };
        self.operands(opcode, part);
        true
    }

    /// Steps over the next op. Returns how many branches its code has at most, and for a table one more than it has entries.
    /// Returns `None` at the end of the function.
    pub fn skip(&mut self) -> Option<u32> {
        let opcode = self.opcode()?;
        Some(self.skip_operands(opcode))
    }

    /// Steps over the operands of an op whose opcode was read. Returns what [`Ops::skip`] does.
    pub fn skip_operands(&mut self, opcode: usize) -> u32 {
        let shape = SHAPES.get(opcode).copied().unwrap_or(0);
        self.at += 2 * u32::from(shape & WORDS_OF);
        if shape < BRANCH {
            return 0;
        }
        if shape & TABLE != 0 {
            let entries = u32::from(self.code.word(self.at - 2)) + 1;
            self.at += 2 * entries;
            return entries + 1;
        }
        // of a far branch one is for the case that fuel ends
        1 + u32::from(shape / FAR)
    }

    /// Goes on to the next op that may branch back, and reads it. False at the end of the function.
    pub fn next_back(&mut self, part: &mut Part) -> bool {
        while let Some(opcode) = self.opcode() {
            if SHAPES.get(opcode).is_some_and(|&shape| shape & BACK != 0) {
                self.operands(opcode, part);
                return true;
            }
            self.skip_operands(opcode);
        }
        false
    }

    /// Steps over the next op, and counts the slots that it names. Returns what the op computes, and whether it branches, in
    /// which case it is in `part`. Returns `None` at the end of the function.
    pub fn survey(&mut self, part: &mut Part, counts: &mut Counts<'_>) -> Option<(Sem, bool)> {
        counts.reach(self.at);
        let opcode = self.opcode()?;
        let operands = self.code.section.get(self.at as usize..).unwrap_or(&[]);
        let (mut kinds, mut at) = (packed(opcode), 0);
        while kinds != 0 {
            let number = kinds as usize & 31;
            if SLOTS >> number & 1 == 1 {
                let word = operands.get(at..at + 2).map_or(0, |word| u16::from_le_bytes([word[0], word[1]]));
                counts.add(KINDS[number], word.into());
            }
            at += 2 * usize::from(WORDS[number]);
            kinds >>= 5;
        }
        let branches = SHAPES.get(opcode).is_some_and(|&shape| shape >= BRANCH);
        if branches {
            self.operands(opcode, part);
        } else {
            self.at += at as u32;
        }
        Some((meaning(opcode).1, branches))
    }

    /// Returns the slot that the op writes whose opcode was read, as [`Part::result`] does.
    pub fn result(&self, opcode: usize) -> Option<(u32, bool)> {
        match kind(packed(opcode)) {
            Operand::Dst | Operand::DstFirst => Some((self.code.word(self.at).into(), false)),
            Operand::Dst64 => Some((self.code.word(self.at).into(), true)),
            _ => None,
        }
    }

    /// Reads the opcode of the next op.
    pub fn opcode(&mut self) -> Option<usize> {
        let mut rest = self.rest;
        if rest == 0 {
            if self.at >= self.code.end {
                return None;
            }
            self.start = self.at;
            let opcode = usize::from(self.code.word(self.at) / 4);
            self.at += 2;
            let packed = ops::packed(opcode)?;
            self.ends = packed & ENDS_FLOW != 0;
            if packed & SEQUENCE == 0 {
                return Some(opcode);
            }
            rest = packed & !(ENDS_FLOW | SEQUENCE);
        }
        self.rest = rest >> 10;
        Some(rest as usize & 0x3ff)
    }

    /// Reads the operands of an op whose opcode was read.
    pub fn operands(&mut self, opcode: usize, part: &mut Part) {
        (part.class, part.sem) = meaning(opcode);
        let kinds = packed(opcode);
        (part.kinds, part.start, part.table, part.reads_acc) = (kinds, self.start, 0, false);
        // five bits for each operand
        part.count = (32 - kinds.leading_zeros() as usize).div_ceil(5);
        let operands = self.code.section.get(self.at as usize..).unwrap_or(&[]);
        let mut words = operands.chunks_exact(2).map(|word| u16::from_le_bytes([word[0], word[1]]));
        let mut word = || words.next().unwrap_or(0);
        let mut left = kinds;
        for slot in &mut part.values {
            if left == 0 {
                break;
            }
            match READ[left as usize & 31] {
                Read::Nothing => *slot = 0,
                Read::Acc => (part.reads_acc, *slot) = (true, 0),
                Read::Word => *slot = word().into(),
                Read::Signed => *slot = word() as i16 as u32,
                Read::Long => *slot = u32::from(word()) | u32::from(word()) << 16,
                Read::Longer => {
                    *slot = u32::from(word()) | u32::from(word()) << 16;
                    part.high = u32::from(word()) | u32::from(word()) << 16;
                }
            }
            left >>= 5;
        }
        let shape = SHAPES.get(opcode).copied().unwrap_or(0);
        self.at += 2 * u32::from(shape & WORDS_OF);
        if shape & TABLE != 0 {
            // behind the number of entries less one, which is the last operand
            part.table = self.at;
            self.at += 2 * (part.value(part.count - 1) + 1);
        }
    }
}

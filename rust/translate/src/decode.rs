// SPDX-License-Identifier: Apache-2.0
//! Reads ops: what an op does, and its operands.

use wisp_image::ops::{self, packed, Class, Operand, Sem, ENDS_FLOW, SEQUENCE, SINGLE};

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
        let bytes = self.section.get(at as usize..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u16::from_le_bytes(*bytes))
    }

    /// Returns the two words at a byte offset of the section as a number, as [`Code::word`] does.
    fn long(self, at: u32) -> u32 {
        let bytes = self.section.get(at as usize..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }
}

/// An op, or one op of a sequence.
#[derive(Clone, Copy)]
pub struct Part {
    /// Its behaviour.
    pub class: Class,
    /// Its computation.
    pub sem: Sem,
    /// The kinds of its operands, or [`Operand::None`] behind the last.
    pub kinds: [Operand; OPERANDS],
    /// The value of each: an offset, an index, or an immediate extended to 32 bits.
    pub values: [u32; OPERANDS],
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
    /// Returns the kind of an operand.
    pub fn kind(&self, operand: usize) -> Operand {
        self.kinds.get(operand).copied().unwrap_or(Operand::None)
    }

    /// Returns the value of an operand.
    pub fn value(&self, operand: usize) -> u32 {
        self.values.get(operand).copied().unwrap_or(0)
    }

    /// Returns the kind of the last operand.
    pub fn last(&self) -> Operand {
        self.kind(self.count.wrapping_sub(1))
    }

    /// Returns the slots that the op names as sources: byte offset, and whether it is a pair.
    pub fn sources(&self) -> impl Iterator<Item = (u32, bool)> + '_ {
        self.kinds.iter().zip(self.values).filter_map(|(kind, value)| match kind {
            Operand::Slot | Operand::DstFirst => Some((value, false)),
            Operand::Slot64 => Some((value, true)),
            _ => None,
        })
    }

    /// Returns the slot that the op writes: byte offset, and whether it is a pair.
    pub fn result(&self) -> Option<(u32, bool)> {
        match self.kinds[0] {
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

    /// Returns true if control never goes on behind the op, or sequence, that was read last.
    pub fn ends_flow(&self) -> bool {
        self.ends && self.rest == 0
    }

    /// Reads the next op. `None` at the end of the function.
    pub fn next(&mut self) -> Option<Part> {
        let first = self.rest == 0;
        let opcode = self.opcode()?;
        self.part(opcode, first)
    }

    /// Steps over the next op. Returns the number of branches in it, entries of a table included. Returns `None` at the
    /// end of the function.
    pub fn skip(&mut self) -> Option<u32> {
        const TABLE: u32 = Operand::Targets as u32;
        const FIRST: u32 = Operand::Forward as u32;
        const LAST: u32 = Operand::Far as u32;
        let (mut kinds, mut targets) = (packed(self.opcode()?)? & !ENDS_FLOW, 0);
        while kinds != 0 {
            let kind = kinds & 31;
            kinds >>= 5;
            match kind {
                FIRST..=LAST => targets += 1,
                TABLE => {
                    let entries = u32::from(self.code.word(self.at)) + 1;
                    targets += entries;
                    self.at += 2 * entries;
                }
                _ => {}
            }
            self.at += 2 * u32::from(WORDS[kind as usize]);
        }
        Some(targets)
    }

    /// Reads the opcode of the next op.
    fn opcode(&mut self) -> Option<usize> {
        let mut rest = self.rest;
        if rest == 0 {
            if self.at >= self.code.end {
                return None;
            }
            self.start = self.at;
            let opcode = usize::from(self.code.word(self.at) / 4);
            self.at += 2;
            let packed = packed(opcode)?;
            self.ends = packed & ENDS_FLOW != 0;
            if packed & SEQUENCE == 0 {
                return Some(opcode);
            }
            rest = packed & !(ENDS_FLOW | SEQUENCE);
        }
        self.rest = rest >> 10;
        Some(rest as usize & 0x3ff)
    }

    /// Reads the operands of an op.
    fn part(&mut self, opcode: usize, first: bool) -> Option<Part> {
        let (class, sem) = *MEANINGS.get(opcode)?;
        let mut part = Part {
            class,
            sem,
            kinds: [Operand::None; OPERANDS],
            values: [0; OPERANDS],
            high: 0,
            count: 0,
            start: self.start,
            first,
            table: 0,
            reads_acc: false,
        };
        let (mut kinds, mut at) = (packed(opcode)? & !ENDS_FLOW, self.at);
        for (place, slot) in part.kinds.iter_mut().zip(&mut part.values) {
            if kinds == 0 {
                break;
            }
            let number = kinds as usize & 31;
            let kind = KINDS[number];
            kinds >>= 5;
            part.count += 1;
            *place = kind;
            match WORDS[number] {
                0 => part.reads_acc |= kind == Operand::Acc,
                1 => {
                    let word = self.code.word(at);
                    at += 2;
                    *slot = if matches!(kind, Operand::Imm16 | Operand::Callee) {
                        word as i16 as u32
                    } else {
                        u32::from(word)
                    };
                    if kind == Operand::Targets {
                        part.table = at;
                        at += 2 * (u32::from(word) + 1);
                    }
                }
                words => {
                    *slot = self.code.long(at);
                    if words == 4 {
                        part.high = self.code.long(at + 4);
                    }
                    at += 2 * u32::from(words);
                }
            }
        }
        self.at = at;
        Some(part)
    }
}

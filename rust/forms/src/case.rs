// SPDX-License-Identifier: Apache-2.0
//! An op with operands, as code and as what it should do.

use alloc::vec::Vec;

use wisp_engine::{ops, TrapCode};
use wisp_image::ops::{Class, Op, Operand, Sem};

use crate::assembler::Function;
use crate::semantics::{bin32, bin64, div32, div64, narrow, test32, test64, un32, un64, widen};
use crate::{Frame, ACC_IN, ACC_OUT, GLOBAL, MEMORY, SLOTS, WAY};

/// Slots that operands may name: below those with a meaning of their own.
const OPERAND_SLOTS: u32 = 12;

/// An op, and the first word of each of its operands.
pub struct Case {
    /// The op.
    pub op: Op,
    /// Slot offset, immediate or memory offset of each operand.
    pub words: Vec<u16>,
}

/// Returns the width and the signedness of accesses.
fn width(sem: Sem) -> (usize, bool) {
    match sem {
        Sem::Load8S | Sem::Load64From8S => (1, true),
        Sem::Load8U | Sem::Load64From8U | Sem::Store8 => (1, false),
        Sem::Load16S | Sem::Load64From16S => (2, true),
        Sem::Load16U | Sem::Load64From16U | Sem::Store16 => (2, false),
        Sem::Load | Sem::Load64From32U | Sem::Store => (4, false),
        Sem::Load64From32S => (4, true),
        _ => (8, false),
    }
}

/// Returns the number modulo which an immediate count is taken.
fn modulus(sem: Sem) -> Option<u32> {
    match sem {
        Sem::I32Shl | Sem::I32ShrS | Sem::I32ShrU | Sem::I32Rotl | Sem::I32Rotr => Some(32),
        Sem::I64Shl | Sem::I64ShrS | Sem::I64ShrU | Sem::I64Rotl | Sem::I64Rotr | Sem::I64XorShrU => Some(64),
        _ => None,
    }
}

/// Immediates of 32 bits of all shapes that instruction sets have short forms for, and their negatives. The lower halves
/// differ.
const NUMBERS: [u32; 14] = [
    0x8080_8080,
    0x7f7f_7f80,
    0xab00_ab00,
    0x54ff_5500,
    0x00ab_00ab,
    0xff54_ff55,
    0x7f7f_7f7f,
    0x8000_0000,
    0x0000_ffff,
    0x0003_fc00,
    4095,
    4096,
    0u32.wrapping_sub(4095),
    0u32.wrapping_sub(4096),
];
/// Immediates of 16 bits: small ones, and the ends of what instructions and words hold.
const SMALL: [i16; 12] = [0, 1, 7, -3, 0, 1, 7, -3, 255, 4095, i16::MAX, i16::MIN];

/// Returns the immediate of 32 bits with this lower half.
fn number(lower: u16) -> u32 {
    NUMBERS.into_iter().find(|&number| number as u16 == lower).unwrap_or(u32::from(lower) | 0x8001_0000)
}

impl Case {
    /// Makes a case with random slots, which may be the same, and random immediates.
    pub fn new(op: Op, random: &mut dyn FnMut() -> u32) -> Self {
        let mut words = Vec::new();
        for part in op.parts() {
            for operand in part.form {
                words.push(match operand {
                    Operand::Dst | Operand::Slot | Operand::DstFirst => (random() % OPERAND_SLOTS * 4) as u16,
                    Operand::Dst64 | Operand::Slot64 => (random() % (OPERAND_SLOTS - 1) * 4) as u16,
                    Operand::Imm16 => match modulus(part.sem) {
                        Some(modulus) => (random() % modulus) as u16,
                        None => SMALL[random() as usize % SMALL.len()] as u16,
                    },
                    Operand::Imm32 => match random() as usize % (2 * NUMBERS.len()) {
                        of if of < NUMBERS.len() => NUMBERS[of] as u16,
                        _ => random() as u16,
                    },
                    // most fit into the memory, the others lie around the farthest that instructions reach
                    Operand::Offset => match random() % 16 {
                        14 => 4088 + (random() % 12) as u16,
                        15 => u16::MAX,
                        other => [0, 24][other as usize % 2],
                    },
                    _ => 0,
                });
            }
        }
        Self { op, words }
    }

    /// Does to frame and memory what the op is meant to do.
    pub fn expected(&self, frame: &mut Frame, memory: &mut [u8]) -> Result<(), TrapCode> {
        frame[WAY] = 1;
        let mut words = &self.words[..];
        let mut acc = frame[ACC_IN];
        for op in self.op.parts() {
            let (now, rest) = words.split_at(op.form.len());
            Part { op, words: now }.execute(frame, &mut acc, memory)?;
            words = rest;
        }
        if leaves_acc(&self.op) {
            frame[ACC_OUT] = acc;
        }
        Ok(())
    }

    /// Returns the words of the operands in the code.
    pub fn code_words(&self) -> Vec<u16> {
        let mut words = Vec::new();
        for (operand, &word) in self.op.form.iter().zip(&self.words) {
            match operand.words() {
                0 => {}
                1 => words.push(word),
                _ => words.extend([word, (number(word) >> 16) as u16]),
            }
        }
        words
    }

    /// Returns a function that runs the op with the accumulator set before and saved after.
    pub fn function(&self) -> Function {
        let mut f = Function::new((SLOTS * 4) as u16 + 8);
        let slot = |n: usize| (n * 4) as u16;
        let target = self.op.form.last().copied();
        let backward = target == Some(Operand::Back);
        let branched = f.label();
        let over = f.label();
        let global = |f: &mut Function, sem, form, words: &[u16]| f.op(&single(sem, form), words);
        let save = |f: &mut Function| global(f, Sem::GlobalGet, &[Operand::Dst, Operand::Global], &[slot(GLOBAL), 0]);
        if backward {
            f.branch(&single(Sem::Br, &[Operand::Forward]), &[], over);
            f.bind(branched);
            save(&mut f);
            f.op(&single(Sem::Const, &[Operand::Dst, Operand::Imm16]), &[slot(WAY), 2]);
            f.op(&single(Sem::Return, &[]), &[]);
        }
        f.bind(over);
        global(&mut f, Sem::GlobalSet, &[Operand::Global, Operand::Slot], &[0, slot(GLOBAL)]);
        f.op(&single(Sem::Mov, &[Operand::Dst, Operand::Slot]), &[slot(ACC_IN), slot(ACC_IN)]);
        let words = self.code_words();
        if matches!(target, Some(Operand::Forward | Operand::Back)) {
            f.branch(&self.op, &words[..words.len() - 1], branched);
        } else {
            f.op(&self.op, &words);
        }
        if leaves_acc(&self.op) {
            f.op(&single(Sem::Mov, &[Operand::Dst, Operand::Acc]), &[slot(ACC_OUT)]);
        }
        save(&mut f);
        f.op(&single(Sem::Const, &[Operand::Dst, Operand::Imm16]), &[slot(WAY), 1]);
        f.op(&single(Sem::Return, &[]), &[]);
        if !backward {
            f.bind(branched);
            save(&mut f);
            f.op(&single(Sem::Const, &[Operand::Dst, Operand::Imm16]), &[slot(WAY), 2]);
            f.op(&single(Sem::Return, &[]), &[]);
        }
        f
    }
}

fn single(sem: Sem, form: &'static [Operand]) -> Op {
    Op { class: Class::Special, sem, form, sequence: &[] }
}

/// Returns true if the accumulator holds a result after the op.
fn leaves_acc(op: &Op) -> bool {
    op.parts()
        .last()
        .is_some_and(|op| matches!(op.form.first(), Some(Operand::Dst | Operand::DstAcc | Operand::DstFirst)))
}

/// One of the ops of a case.
struct Part<'w> {
    op: Op,
    words: &'w [u16],
}

impl Part<'_> {
    fn get32(&self, frame: &Frame, acc: u32, operand: usize) -> u32 {
        match self.op.form[operand] {
            Operand::Slot | Operand::DstFirst => frame[usize::from(self.words[operand]) / 4],
            Operand::Acc => acc,
            Operand::Imm16 => self.words[operand] as i16 as u32,
            Operand::Imm32 => number(self.words[operand]),
            other => panic!("{other:?} is no 32-bit source"),
        }
    }

    fn get64(&self, frame: &Frame, operand: usize) -> u64 {
        let at = usize::from(self.words[operand]) / 4;
        match self.op.form[operand] {
            Operand::Slot64 => u64::from(frame[at]) | u64::from(frame[at + 1]) << 32,
            Operand::Imm16 => self.words[operand] as i16 as u64,
            other => panic!("{other:?} is no 64-bit source"),
        }
    }

    fn set32(&self, frame: &mut Frame, acc: &mut u32, value: u32) {
        if matches!(self.op.form[0], Operand::Dst | Operand::DstFirst) {
            frame[usize::from(self.words[0]) / 4] = value;
        }
        *acc = value;
    }

    fn set64(&self, frame: &mut Frame, value: u64) {
        let at = usize::from(self.words[0]) / 4;
        frame[at] = value as u32;
        frame[at + 1] = (value >> 32) as u32;
    }

    /// Returns the address of an access whose address operands are `from..to`.
    fn address(&self, frame: &Frame, acc: u32, from: usize, to: usize, width: usize) -> Result<usize, TrapCode> {
        let (mut base, mut offset) = (0u32, 0u64);
        for operand in from..to {
            match self.op.form[operand] {
                Operand::Offset => offset = u64::from(self.words[operand]),
                _ => base = base.wrapping_add(self.get32(frame, acc, operand)),
            }
        }
        let address = u64::from(base) + offset;
        if address + width as u64 > MEMORY as u64 {
            return Err(TrapCode::MemoryOutOfBounds);
        }
        Ok(address as usize)
    }

    /// Does it.
    fn execute(&self, frame: &mut Frame, acc: &mut u32, memory: &mut [u8]) -> Result<(), TrapCode> {
        let (op, f, a) = (self.op, *frame, *acc);
        let x32 = |operand| self.get32(&f, a, operand);
        let x64 = |operand| self.get64(&f, operand);
        let last = op.form.len() - 1;
        let (x, y) = if op.form[0] == Operand::DstFirst { (0, 1) } else { (1, 2) };
        match op.class {
            Class::Bin32 => self.set32(frame, acc, bin32(op.sem)(x32(x), x32(y))),
            Class::Div32 => self.set32(frame, acc, div32(op.sem)(x32(1), x32(2))?),
            Class::Un32 => self.set32(frame, acc, un32(op.sem)(x32(1))),
            Class::Set32 => self.set32(frame, acc, test32(op.sem)(x32(1), x32(2)).into()),
            Class::Br32 => frame[WAY] = if test32(op.sem)(x32(0), x32(1)) { 2 } else { 1 },
            Class::Select32 => {
                let value = if test32(op.sem)(x32(1), x32(2)) { x32(3) } else { x32(4) };
                self.set32(frame, acc, value);
            }
            Class::Select64 => self.set64(frame, if x32(1) != 0 { x64(2) } else { x64(3) }),
            Class::Bin64 => self.set64(frame, bin64(op.sem)(x64(1), x64(2))),
            Class::Div64 => self.set64(frame, div64(op.sem)(x64(1), x64(2))?),
            Class::Un64 => self.set64(frame, un64(op.sem)(x64(1))),
            Class::Set64 => self.set32(frame, acc, test64(op.sem)(x64(1), x64(2)).into()),
            Class::Narrow => self.set32(frame, acc, narrow(op.sem)(x64(1))),
            Class::Widen => self.set64(frame, widen(op.sem)(x32(1))),
            Class::Un32Trap => self.set32(
                frame,
                acc,
                match op.sem {
                    Sem::I32TruncF32S => ops::i32_trunc_f32_s(x32(1))?,
                    _ => ops::i32_trunc_f32_u(x32(1))?,
                },
            ),
            Class::Un64Trap => self.set64(
                frame,
                match op.sem {
                    Sem::I64TruncF64S => ops::i64_trunc_f64_s(x64(1))?,
                    _ => ops::i64_trunc_f64_u(x64(1))?,
                },
            ),
            Class::NarrowTrap => self.set32(
                frame,
                acc,
                match op.sem {
                    Sem::I32TruncF64S => ops::i32_trunc_f64_s(x64(1))?,
                    _ => ops::i32_trunc_f64_u(x64(1))?,
                },
            ),
            Class::WidenTrap => self.set64(
                frame,
                match op.sem {
                    Sem::I64TruncF32S => ops::i64_trunc_f32_s(x32(1))?,
                    _ => ops::i64_trunc_f32_u(x32(1))?,
                },
            ),
            Class::Load32 | Class::Load64 => {
                let (width, signed) = width(op.sem);
                let at = self.address(&f, a, 1, op.form.len(), width)?;
                let mut bytes = [if signed && memory[at + width - 1] > 127 { 0xff } else { 0 }; 8];
                bytes[..width].copy_from_slice(&memory[at..at + width]);
                let value = u64::from_le_bytes(bytes);
                match op.class {
                    Class::Load32 => self.set32(frame, acc, value as u32),
                    _ => self.set64(frame, value),
                }
            }
            Class::Store32 | Class::Store64 => {
                let (width, _) = width(op.sem);
                let at = self.address(&f, a, 0, last, width)?;
                let value = if op.class == Class::Store32 { u64::from(x32(last)) } else { x64(last) };
                memory[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
            }
            // as parts of pairs
            Class::Special => match op.sem {
                Sem::Mov | Sem::Const => self.set32(frame, acc, x32(1)),
                Sem::Const64 => self.set64(frame, x64(1)),
                Sem::Br => frame[WAY] = 2,
                Sem::GlobalGet => self.set32(frame, acc, f[GLOBAL]),
                Sem::GlobalSet => frame[GLOBAL] = x32(1),
                other => panic!("{other:?} is not among the cases"),
            },
            Class::Sequence => panic!("a sequence in a sequence"),
        }
        Ok(())
    }
}

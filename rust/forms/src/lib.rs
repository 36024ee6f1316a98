// SPDX-License-Identifier: Apache-2.0
//! Every form of every op that computes, loads, stores, selects or branches does what its semantics in
//! `wisp_engine::ops` and its operands say: checked with random frames and memories, which are compared as
//! a whole afterwards, so that a write to a wrong place shows.
//!
//! It needs nothing but memory, so that it runs on targets as well, where the back ends are.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod assembler;
mod semantics;

use alloc::vec::Vec;
use core::fmt::Write;

use assembler::{assemble, Function};
use semantics::{bin32, bin64, div32, div64, narrow, test32, test64, un32, un64, widen};
use wisp_engine::{ops, scratch, Config, Engine, Linker, Module, Store, TrapCode, Val};
use wisp_image::ops::{op, Class, Op, Operand, Sem, COUNT};

/// Slots that go in and come out.
const SLOTS: usize = 16;
/// The accumulator before the op, and after it.
const ACC_IN: usize = 14;
const ACC_OUT: usize = 13;
/// 1 if the op fell through, 2 if it branched.
const WAY: usize = 12;
/// Where address operands point.
const BASE: u32 = 40;
const MEMORY: usize = 256;
/// Random frames for each case.
const ROUNDS: usize = 40;

type Frame = [u32; SLOTS];

/// Width, signedness for loads.
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

/// The words of each operand, and what they say.
struct Case {
    op: Op,
    /// Slot offset, immediate or memory offset of each operand.
    words: Vec<u16>,
}

impl Case {
    /// Sources in distinct slots from 2 on, the result in slot 0; the k-th variant moves the result onto a
    /// source.
    fn new(op: Op, immediate: i16, overlap: bool) -> Self {
        let mut next = 2;
        let mut slot = |wide: bool| {
            let at = next;
            next += 1 + u16::from(wide);
            at * 4
        };
        let immediate = match op.sem {
            Sem::I32Shl | Sem::I32ShrS | Sem::I32ShrU | Sem::I32Rotl | Sem::I32Rotr => immediate & 31,
            Sem::I64Shl | Sem::I64ShrS | Sem::I64ShrU | Sem::I64Rotl | Sem::I64Rotr => immediate & 63,
            _ => immediate,
        };
        let words = op.form.iter().map(|operand| match operand {
            Operand::D | Operand::E if overlap => 8,
            Operand::D | Operand::E => 0,
            Operand::S => slot(false),
            Operand::T => slot(true),
            Operand::I => immediate as u16,
            Operand::O => 24,
            _ => 0,
        });
        Self { op, words: words.collect() }
    }

    fn get32(&self, frame: &Frame, operand: usize) -> u32 {
        match self.op.form[operand] {
            Operand::S => frame[usize::from(self.words[operand]) / 4],
            Operand::A => frame[ACC_IN],
            Operand::I => self.words[operand] as i16 as u32,
            other => panic!("{other:?} is no 32-bit source"),
        }
    }

    fn get64(&self, frame: &Frame, operand: usize) -> u64 {
        let at = usize::from(self.words[operand]) / 4;
        match self.op.form[operand] {
            Operand::T => u64::from(frame[at]) | u64::from(frame[at + 1]) << 32,
            Operand::I => self.words[operand] as i16 as u64,
            other => panic!("{other:?} is no 64-bit source"),
        }
    }

    fn set32(&self, frame: &mut Frame, value: u32) {
        if self.op.form[0] == Operand::D {
            frame[usize::from(self.words[0]) / 4] = value;
        }
        frame[ACC_OUT] = value;
    }

    fn set64(&self, frame: &mut Frame, value: u64) {
        let at = usize::from(self.words[0]) / 4;
        frame[at] = value as u32;
        frame[at + 1] = (value >> 32) as u32;
    }

    /// The address of an access whose address operands are `from..to`.
    fn address(&self, frame: &Frame, from: usize, to: usize, width: usize) -> Result<usize, TrapCode> {
        let (mut base, mut offset) = (0u32, 0u64);
        for operand in from..to {
            match self.op.form[operand] {
                Operand::O => offset = u64::from(self.words[operand]),
                _ => base = base.wrapping_add(self.get32(frame, operand)),
            }
        }
        let address = u64::from(base) + offset;
        if address + width as u64 > MEMORY as u64 {
            return Err(TrapCode::MemoryOutOfBounds);
        }
        Ok(address as usize)
    }

    /// What the op does to frame and memory.
    fn expected(&self, frame: &mut Frame, memory: &mut [u8]) -> Result<(), TrapCode> {
        let (op, f) = (self.op, *frame);
        let x32 = |operand| self.get32(&f, operand);
        let x64 = |operand| self.get64(&f, operand);
        frame[WAY] = 1;
        let last = op.form.len() - 1;
        match op.class {
            Class::Bin32 => self.set32(frame, bin32(op.sem)(x32(1), x32(2))),
            Class::Div32 => self.set32(frame, div32(op.sem)(x32(1), x32(2))?),
            Class::Un32 => self.set32(frame, un32(op.sem)(x32(1))),
            Class::Set32 => self.set32(frame, test32(op.sem)(x32(1), x32(2)).into()),
            Class::Br32 => frame[WAY] = if test32(op.sem)(x32(0), x32(1)) { 2 } else { 1 },
            Class::Select32 => {
                let value = if test32(op.sem)(x32(1), x32(2)) { x32(3) } else { x32(4) };
                self.set32(frame, value);
            }
            Class::Select64 => self.set64(frame, if x32(1) != 0 { x64(2) } else { x64(3) }),
            Class::Bin64 => self.set64(frame, bin64(op.sem)(x64(1), x64(2))),
            Class::Div64 => self.set64(frame, div64(op.sem)(x64(1), x64(2))?),
            Class::Un64 => self.set64(frame, un64(op.sem)(x64(1))),
            Class::Set64 => self.set32(frame, test64(op.sem)(x64(1), x64(2)).into()),
            Class::Narrow => self.set32(frame, narrow(op.sem)(x64(1))),
            Class::Widen => self.set64(frame, widen(op.sem)(x32(1))),
            Class::Un32Trap => self.set32(
                frame,
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
                let at = self.address(&f, 1, op.form.len(), width)?;
                let mut bytes = [if signed && memory[at + width - 1] > 127 { 0xff } else { 0 }; 8];
                bytes[..width].copy_from_slice(&memory[at..at + width]);
                let value = u64::from_le_bytes(bytes);
                match op.class {
                    Class::Load32 => self.set32(frame, value as u32),
                    _ => self.set64(frame, value),
                }
            }
            Class::Store32 | Class::Store64 => {
                let (width, _) = width(op.sem);
                let at = self.address(&f, 0, last, width)?;
                let value = if op.class == Class::Store32 { u64::from(x32(last)) } else { x64(last) };
                memory[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
            }
            Class::Special => unreachable!("not among the cases"),
        }
        Ok(())
    }

    /// A function that runs the op with the accumulator set before and saved after.
    fn function(&self) -> Function {
        let mut f = Function::new((SLOTS * 4) as u16 + 8);
        let slot = |n: usize| (n * 4) as u16;
        let target = self.op.form.last().copied();
        let backward = target == Some(Operand::B);
        let branched = f.label();
        let over = f.label();
        if backward {
            f.branch(Class::Special, Sem::Br, &[Operand::F], &[], over);
            f.bind(branched);
            f.op(Class::Special, Sem::Const, &[Operand::D, Operand::I], &[slot(WAY), 2]);
            f.op(Class::Special, Sem::Return, &[], &[]);
        }
        f.bind(over);
        f.op(Class::Special, Sem::Mov, &[Operand::D, Operand::S], &[slot(ACC_IN), slot(ACC_IN)]);
        let words: Vec<u16> =
            self.op.form.iter().zip(&self.words).filter(|(o, _)| o.words() == 1).map(|(_, &w)| w).collect();
        if matches!(target, Some(Operand::F | Operand::B)) {
            f.branch(self.op.class, self.op.sem, self.op.form, &words[..words.len() - 1], branched);
        } else {
            f.op(self.op.class, self.op.sem, self.op.form, &words);
        }
        if matches!(self.op.form.first(), Some(Operand::D | Operand::AccD)) {
            f.op(Class::Special, Sem::Mov, &[Operand::D, Operand::A], &[slot(ACC_OUT)]);
        }
        f.op(Class::Special, Sem::Const, &[Operand::D, Operand::I], &[slot(WAY), 1]);
        f.op(Class::Special, Sem::Return, &[], &[]);
        if !backward {
            f.bind(branched);
            f.op(Class::Special, Sem::Const, &[Operand::D, Operand::I], &[slot(WAY), 2]);
            f.op(Class::Special, Sem::Return, &[], &[]);
        }
        f
    }
}

/// Interesting values: small, large, addresses near both ends of the memory, floats.
const VALUES: [u32; 14] = [
    0,
    1,
    BASE,
    BASE + 1,
    31,
    MEMORY as u32 - 25,
    MEMORY as u32 - 2,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0xffff_fff0,
    0x3fc0_0000,
    0xc479_8000,
    0x7fa0_0001,
];

fn random(state: &mut u64) -> u32 {
    *state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
    (*state >> 33) as u32
}

/// Runs the op with random frames and memories. False, and a line in `report`, at the first difference.
fn check(case: &Case, state: &mut u64, arena: &mut [u64], report: &mut dyn Write) -> bool {
    let image = assemble(&case.function(), SLOTS, MEMORY as u32);
    let engine = Engine::new(&Config::new().stack_size(512));
    let module = Module::new_in(&engine, &image, scratch(arena)).expect("the image is valid");
    let mut store = Store::new(&engine, arena, ()).expect("the arena is large enough");
    let instance = Linker::new().instantiate(&mut store, &module).expect("it needs nothing");
    let func = instance.get_func(&store, "f").expect("it is exported");
    let handle = instance.memory(&store).expect("it has one");
    for _ in 0..ROUNDS {
        let mut frame: Frame = core::array::from_fn(|_| match random(state) % 4 {
            0 => random(state) ^ random(state) << 16,
            1 => random(state) % MEMORY as u32,
            _ => VALUES[random(state) as usize % VALUES.len()],
        });
        let mut memory: [u8; MEMORY] = core::array::from_fn(|_| random(state) as u8);
        handle.data_mut(&mut store).copy_from_slice(&memory);
        let params = frame.map(|bits| Val::I32(bits as i32));
        let mut results = [Val::I32(0); SLOTS];
        let before = frame;
        let got = func.call(&mut store, &params, &mut results).map_err(|trap| trap.code);
        let want = case.expected(&mut frame, &mut memory);
        let slots = results.map(|value| value.bits() as u32);
        if got != want || (want.is_ok() && slots != frame) || handle.data(&store) != memory {
            // a report that cannot be written is a failure all the same
            let _ = writeln!(
                report,
                "{:?} {:?} {:x?}\n  from {before:x?}\n  want {want:?} {frame:x?}\n  got  {got:?} {slots:x?}",
                case.op.sem, case.op.form, case.words
            );
            return false;
        }
    }
    true
}

/// How many ops were checked, and how many cases of them failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Ops with cases.
    pub checked: usize,
    /// Cases that went wrong.
    pub failed: usize,
}

/// Checks all ops but those of `Class::Special`, each in several cases. The arena takes 4 KiB.
///
/// # Panics
/// If the arena is too small or an image is refused.
pub fn check_all(arena: &mut [u64], report: &mut dyn Write) -> Outcome {
    let mut state = 1;
    let mut outcome = Outcome { checked: 0, failed: 0 };
    for opcode in 0..COUNT as u16 {
        let op = op(opcode).expect("below COUNT");
        if op.class == Class::Special {
            continue;
        }
        for immediate in [7, -3] {
            for overlap in [false, true] {
                outcome.failed += usize::from(!check(&Case::new(op, immediate, overlap), &mut state, arena, report));
            }
        }
        outcome.checked += 1;
    }
    outcome
}

// SPDX-License-Identifier: Apache-2.0
//! Every form of every op that computes, loads, stores, selects or branches does what its semantics in
//! `wisp_engine::ops` and its operands say. The frame and the memory are compared as a whole, so that a
//! write to a wrong place shows.

// tables of functions have such types
#![allow(clippy::type_complexity)]

mod common;

use common::assembler::{assemble, Function};
use wisp_engine::{ops, Linker, Module, Store, TrapCode, Val};
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

type Frame = [u32; SLOTS];

macro_rules! by_sem {
    ($($sem:ident $function:ident)*) => { |sem: Sem| match sem { $(Sem::$sem => Some(ops::$function as _),)* _ => None } };
}

fn bin32(sem: Sem) -> fn(u32, u32) -> u32 {
    let find: fn(Sem) -> Option<fn(u32, u32) -> u32> = by_sem! {
        I32Add i32_add I32Sub i32_sub I32Mul i32_mul I32And i32_and I32Or i32_or I32Xor i32_xor I32Shl i32_shl
        I32ShrS i32_shr_s I32ShrU i32_shr_u I32Rotl i32_rotl I32Rotr i32_rotr
        F32Add f32_add F32Sub f32_sub F32Mul f32_mul F32Div f32_div F32Min f32_min F32Max f32_max F32Copysign f32_copysign
    };
    find(sem).expect("a 32-bit operation")
}

fn bin64(sem: Sem) -> fn(u64, u64) -> u64 {
    let find: fn(Sem) -> Option<fn(u64, u64) -> u64> = by_sem! {
        I64Add i64_add I64Sub i64_sub I64Mul i64_mul I64And i64_and I64Or i64_or I64Xor i64_xor I64Shl i64_shl
        I64ShrS i64_shr_s I64ShrU i64_shr_u I64Rotl i64_rotl I64Rotr i64_rotr
        F64Add f64_add F64Sub f64_sub F64Mul f64_mul F64Div f64_div F64Min f64_min F64Max f64_max F64Copysign f64_copysign
    };
    find(sem).expect("a 64-bit operation")
}

fn test32(sem: Sem) -> fn(u32, u32) -> bool {
    let find: fn(Sem) -> Option<fn(u32, u32) -> bool> = by_sem! {
        I32Eq i32_eq I32Ne i32_ne I32LtS i32_lt_s I32LtU i32_lt_u I32GeS i32_ge_s I32GeU i32_ge_u
        F32Eq f32_eq F32Ne f32_ne F32Lt f32_lt F32Le f32_le
    };
    find(sem).expect("a 32-bit test")
}

fn test64(sem: Sem) -> fn(u64, u64) -> bool {
    let find: fn(Sem) -> Option<fn(u64, u64) -> bool> = by_sem! {
        I64Eq i64_eq I64Ne i64_ne I64LtS i64_lt_s I64LtU i64_lt_u I64GeS i64_ge_s I64GeU i64_ge_u
        F64Eq f64_eq F64Ne f64_ne F64Lt f64_lt F64Le f64_le
    };
    find(sem).expect("a 64-bit test")
}

fn un32(sem: Sem) -> fn(u32) -> u32 {
    let find: fn(Sem) -> Option<fn(u32) -> u32> = by_sem! {
        I32Clz i32_clz I32Ctz i32_ctz I32Popcnt i32_popcnt I32Extend8S i32_extend8_s I32Extend16S i32_extend16_s
        F32Abs f32_abs F32Neg f32_neg F32Ceil f32_ceil F32Floor f32_floor F32Trunc f32_trunc F32Nearest f32_nearest
        F32Sqrt f32_sqrt I32TruncSatF32S i32_trunc_sat_f32_s I32TruncSatF32U i32_trunc_sat_f32_u
        F32ConvertI32S f32_convert_i32_s F32ConvertI32U f32_convert_i32_u
    };
    find(sem).expect("32 bits to 32")
}

fn un64(sem: Sem) -> fn(u64) -> u64 {
    let find: fn(Sem) -> Option<fn(u64) -> u64> = by_sem! {
        I64Clz i64_clz I64Ctz i64_ctz I64Popcnt i64_popcnt I64Extend8S i64_extend8_s I64Extend16S i64_extend16_s
        I64Extend32S i64_extend32_s F64Abs f64_abs F64Neg f64_neg F64Ceil f64_ceil F64Floor f64_floor
        F64Trunc f64_trunc F64Nearest f64_nearest F64Sqrt f64_sqrt
        I64TruncSatF64S i64_trunc_sat_f64_s I64TruncSatF64U i64_trunc_sat_f64_u
        F64ConvertI64S f64_convert_i64_s F64ConvertI64U f64_convert_i64_u
    };
    find(sem).expect("64 bits to 64")
}

fn narrow(sem: Sem) -> fn(u64) -> u32 {
    let find: fn(Sem) -> Option<fn(u64) -> u32> = by_sem! {
        I64Eqz i64_eqz I32TruncSatF64S i32_trunc_sat_f64_s I32TruncSatF64U i32_trunc_sat_f64_u
        F32ConvertI64S f32_convert_i64_s F32ConvertI64U f32_convert_i64_u F32DemoteF64 f32_demote_f64
    };
    find(sem).expect("64 bits to 32")
}

fn widen(sem: Sem) -> fn(u32) -> u64 {
    let find: fn(Sem) -> Option<fn(u32) -> u64> = by_sem! {
        I64ExtendI32S i64_extend_i32_s I64ExtendI32U i64_extend_i32_u
        I64TruncSatF32S i64_trunc_sat_f32_s I64TruncSatF32U i64_trunc_sat_f32_u
        F64ConvertI32S f64_convert_i32_s F64ConvertI32U f64_convert_i32_u F64PromoteF32 f64_promote_f32
    };
    find(sem).expect("32 bits to 64")
}

type Checked<R> = Result<R, TrapCode>;

fn div32(sem: Sem) -> fn(u32, u32) -> Checked<u32> {
    let find: fn(Sem) -> Option<fn(u32, u32) -> Checked<u32>> =
        by_sem! { I32DivS i32_div_s I32DivU i32_div_u I32RemS i32_rem_s I32RemU i32_rem_u };
    find(sem).expect("a 32-bit division")
}

fn div64(sem: Sem) -> fn(u64, u64) -> Checked<u64> {
    let find: fn(Sem) -> Option<fn(u64, u64) -> Checked<u64>> =
        by_sem! { I64DivS i64_div_s I64DivU i64_div_u I64RemS i64_rem_s I64RemU i64_rem_u };
    find(sem).expect("a 64-bit division")
}

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

fn check(case: &Case, state: &mut u64) {
    let image = assemble(&case.function(), SLOTS, MEMORY as u32);
    let engine = common::engine();
    let module = Module::new(&engine, &image).unwrap_or_else(|e| panic!("{:?} {:?}: {e}", case.op.sem, case.op.form));
    let mut store = Store::with_capacity(&engine, 256 << 10, ()).expect("there is memory");
    let instance = Linker::new().instantiate(&mut store, &module).expect("it needs nothing");
    let func = instance.get_func(&store, "f").expect("it is exported");
    let handle = instance.memory(&store).expect("it has one");
    for _ in 0..40 {
        let mut frame: Frame = core::array::from_fn(|_| match random(state) % 4 {
            0 => random(state) ^ random(state) << 16,
            1 => random(state) % MEMORY as u32,
            _ => VALUES[random(state) as usize % VALUES.len()],
        });
        let mut memory: Vec<u8> = (0..MEMORY).map(|_| random(state) as u8).collect();
        handle.data_mut(&mut store).copy_from_slice(&memory);
        let params: Vec<Val> = frame.iter().map(|&bits| Val::I32(bits as i32)).collect();
        let mut results = [Val::I32(0); SLOTS];
        let before = frame;
        let got = func.call(&mut store, &params, &mut results).map_err(|trap| trap.code);
        let want = case.expected(&mut frame, &mut memory);
        let context = format!("{:?} {:?} {:?} in {before:x?}", case.op.sem, case.op.form, case.words);
        assert_eq!(got, want, "{context}");
        if want.is_ok() {
            let got: Vec<u32> = results.iter().map(|v| v.bits() as u32).collect();
            assert_eq!(got, frame, "{context}");
        }
        assert_eq!(handle.data(&store), memory, "{context}");
    }
}

#[test]
fn every_form_reads_and_writes_what_it_names() {
    let mut state = 1;
    let mut checked = 0;
    for opcode in 0..COUNT as u16 {
        let op = op(opcode).expect("below COUNT");
        if op.class == Class::Special {
            continue;
        }
        for immediate in [7, -3] {
            for overlap in [false, true] {
                check(&Case::new(op, immediate, overlap), &mut state);
            }
        }
        checked += 1;
    }
    assert!(checked > 450, "{checked} ops");
}

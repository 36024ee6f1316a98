// SPDX-License-Identifier: Apache-2.0
//! Sequences: two or three ops that often follow each other, in one, so that a back end dispatches once.
//! Chosen by counting what programs execute (`doc/interpreter.md` says how, and what each brings).
//!
//! At most one op of a sequence can trap by itself, so that the place of a trap is known; a branch, a call of the
//! guest's own or a return comes last, `enter` first. An op without its own entry in the table cannot be part of one.

use super::Operand::{self, *};
use super::Sem::{self, *};
use super::{Class, Simple};

/// The largest number of ops of a sequence.
pub const PARTS: usize = 3;

const fn bin(sem: Sem, form: &'static [Operand]) -> Simple {
    Simple { class: Class::Bin32, sem, form }
}
const fn bin64(sem: Sem, form: &'static [Operand]) -> Simple {
    Simple { class: Class::Bin64, sem, form }
}
const fn un(sem: Sem, form: &'static [Operand]) -> Simple {
    Simple { class: Class::Un32, sem, form }
}
const fn set(sem: Sem, form: &'static [Operand]) -> Simple {
    Simple { class: Class::Set32, sem, form }
}
const fn set64(sem: Sem, form: &'static [Operand]) -> Simple {
    Simple { class: Class::Set64, sem, form }
}
const fn select(sem: Sem, form: &'static [Operand]) -> Simple {
    Simple { class: Class::Select32, sem, form }
}
const fn br(sem: Sem, form: &'static [Operand]) -> Simple {
    Simple { class: Class::Br32, sem, form }
}
const fn load(sem: Sem, form: &'static [Operand]) -> Simple {
    Simple { class: Class::Load32, sem, form }
}
const fn store(sem: Sem, form: &'static [Operand]) -> Simple {
    Simple { class: Class::Store32, sem, form }
}
const fn load64(sem: Sem, form: &'static [Operand]) -> Simple {
    Simple { class: Class::Load64, sem, form }
}
const fn store64(sem: Sem, form: &'static [Operand]) -> Simple {
    Simple { class: Class::Store64, sem, form }
}
const fn special(sem: Sem, form: &'static [Operand]) -> Simple {
    Simple { class: Class::Special, sem, form }
}

/// All sequences, in the order of their opcodes.
#[rustfmt::skip]
pub const SEQUENCES: &[&[Simple]] = &[
    // The end of a loop: a count, an index or a pointer moves on.
    &[store(Store8, &[Slot, Imm16, Imm16]), bin(I32Add, &[DstFirst, Slot]), br(I32LtU, &[Acc, Imm16, Back])],
    &[bin(I32Add, &[DstFirst, Imm16]), br(I32Ne, &[Acc, Imm16, Back])],
    &[special(Mov, &[Dst, Slot]), bin(I32Add, &[DstFirst, Imm16]), br(I32Ne, &[Acc, Slot, Back])],
    &[select(I32LtS, &[Dst, Acc, Imm16, Slot, Slot]), bin(I32Add, &[DstFirst, Imm16]), br(I32Ne, &[Acc, Imm16, Back])],
    &[store(Store, &[Slot, Imm16, Slot]), bin(I32Add, &[DstFirst, Imm16]), special(Br, &[Back])],
    &[store(Store, &[Slot, Acc]), bin(I32Add, &[DstFirst, Imm16]), br(I32Ne, &[Acc, Imm16, Back])],
    &[special(Mov, &[Dst, Slot]), bin(I32Add, &[DstFirst, Imm16]), br(I32Ne, &[Acc, Imm16, Back])],
    &[bin(I32Add, &[DstFirst, Imm16]), bin(I32Add, &[DstFirst, Imm16]), br(I32Ne, &[Acc, Imm16, Back])],
    &[special(Const, &[Dst, Imm16]), bin(I32Add, &[DstFirst, Imm16]), br(I32Ne, &[Acc, Imm16, Back])],
    &[store(Store8, &[Slot, Imm16, Acc]), bin(I32Add, &[DstFirst, Imm16]), br(I32Ne, &[Acc, Imm16, Back])],
    &[bin(I32Add, &[DstFirst, Imm16]), br(I32Ne, &[Acc, Slot, Back])],
    &[bin(I32Add, &[DstFirst, Imm16]), br(I32LtU, &[Acc, Imm16, Back])],
    &[bin(I32Add, &[DstFirst, Imm16]), br(I32LtU, &[Acc, Slot, Back])],
    &[bin(I32Add, &[DstFirst, Imm16]), br(I32LtS, &[Acc, Imm16, Back])],
    &[bin(I32Add, &[DstFirst, Imm16]), br(I32LtS, &[Acc, Slot, Back])],
    &[bin(I32Add, &[DstFirst, Slot]), br(I32Ne, &[Acc, Imm16, Back])],
    &[bin(I32Add, &[DstFirst, Slot]), br(I32Ne, &[Acc, Slot, Back])],
    &[bin(I32Add, &[DstFirst, Slot]), br(I32LtU, &[Acc, Imm16, Back])],
    &[bin(I32Add, &[DstFirst, Slot]), br(I32LtU, &[Acc, Slot, Back])],
    &[bin(I32Add, &[DstFirst, Slot]), br(I32LtS, &[Acc, Imm16, Back])],
    &[bin(I32Add, &[DstFirst, Slot]), br(I32LtS, &[Acc, Slot, Back])],
    &[special(Mov, &[Dst, Slot]), special(Br, &[Back])],
    &[bin(I32Add, &[DstFirst, Imm16]), special(Br, &[Back])],
    &[special(Const, &[Dst, Imm16]), special(Br, &[Back])],
    &[store(Store8, &[Slot, Offset, Imm16]), special(Br, &[Back])],
    &[load(Load8U, &[DstAcc, Slot]), br(I32Ne, &[Acc, Imm16, Back])],
    // Copies, constants and what follows them.
    &[special(Mov, &[Dst, Slot]), bin(I32Add, &[Dst, Slot, Imm16]), special(Mov, &[Dst, Acc])],
    &[special(Mov, &[Dst, Slot]), special(Mov, &[Dst, Slot])],
    &[special(Mov, &[Dst, Slot]), bin(I32ShrU, &[DstAcc, Slot, Imm16]), bin(I32And, &[DstAcc, Acc, Imm16])],
    &[special(Mov, &[Dst, Slot]), bin(I32Xor, &[DstAcc, Slot, Imm16]), bin(I32And, &[Dst, Acc, Slot])],
    &[special(Mov, &[Dst, Slot]), bin(I32And, &[DstAcc, Acc, Slot]), bin(I32Or, &[DstAcc, Acc, Slot])],
    &[special(Mov, &[Dst, Slot]), special(Mov, &[Dst, Slot]), special(Mov, &[Dst, Slot])],
    &[special(Const, &[Dst, Imm16]), special(Const, &[Dst, Imm16])],
    &[special(Const, &[Dst, Imm16]), special(Mov, &[Dst, Slot])],
    &[special(Mov, &[Dst, Slot]), special(Const, &[Dst, Imm16])],
    &[special(Const, &[Dst, Imm16]), bin(I32Add, &[Dst, Slot, Imm16])],
    &[special(Const, &[Dst, Imm16]), bin(I32Shl, &[DstAcc, Acc, Slot])],
    &[special(Const, &[Dst, Imm16]), select(I32Ne, &[Dst, Slot, Imm16, Slot, Slot])],
    &[special(Const, &[Dst, Imm16]), special(Const, &[Dst, Imm16]), select(I32Ne, &[Dst, Slot, Imm16, Slot, Slot])],
    &[bin(I32Add, &[Dst, Slot, Imm16]), special(Const, &[Dst, Imm16])],
    &[bin(I32Add, &[Dst, Slot, Imm16]), special(Const, &[Dst, Imm16]), special(Const, &[Dst, Imm16])],
    &[bin(I32Add, &[Dst, Slot, Imm16]), special(Mov, &[Dst, Slot])],
    &[bin(I32Add, &[Dst, Slot, Imm16]), special(Mov, &[Dst, Acc])],
    &[bin(I32Add, &[Dst, Slot, Slot]), bin(I32Add, &[Dst, Slot, Imm16]), special(Mov, &[Dst, Acc])],
    // A load and what uses it.
    &[load(Load, &[DstAcc, Slot, Imm16]), bin(I32Mul, &[Dst, Acc, Slot])],
    &[load(Load8U, &[Dst, Slot, Imm16]), bin(I32And, &[DstAcc, Acc, Imm16]), bin(I32Shl, &[DstAcc, Acc, Imm16])],
    &[load(Load8U, &[DstAcc, Slot, Imm16]), bin(I32Add, &[DstFirst, Acc])],
    &[load(Load8U, &[DstAcc, Slot, Imm16]), bin(I32Shl, &[DstAcc, Acc, Imm16]), bin(I32Xor, &[DstFirst, Acc])],
    &[load(Load, &[Dst, Acc, Imm16]), special(Mov, &[Dst, Slot]), special(Mov, &[Dst, Slot])],
    &[bin(I32Add, &[DstFirst, Acc]), load(Load, &[DstAcc, Slot, Imm16])],
    &[load(Load8U, &[DstAcc, Slot, Imm16]), bin(I32Add, &[Dst, Acc, Slot])],
    &[bin(I32Add, &[Dst, Slot, Slot]), load(Load, &[Dst, Acc, Imm16])],
    &[bin(I32Add, &[Dst, Acc, Slot]), load(Load, &[DstAcc, Slot, Imm16]), bin(I32Add, &[DstFirst, Acc])],
    &[load(Load, &[DstAcc, Slot, Imm16]), bin(I32Mul, &[DstAcc, Acc, Slot])],
    &[bin(I32Add, &[Dst, Slot, Imm16]), load(Load, &[Dst, Slot, Imm16])],
    &[load(Load, &[Dst, Slot, Slot, Offset]), bin(I32Shl, &[Dst, Acc, Imm16]), bin(I32And, &[DstAcc, Slot, Slot])],
    &[bin(I32Add, &[DstFirst, Acc]), load(Load8U, &[DstAcc, Slot, Imm16])],
    &[bin(I32Shl, &[DstAcc, Slot, Imm16]), load(Load, &[Dst, Acc, Imm16])],
    &[load(Load, &[Dst, Slot, Imm16]), bin(I32Rotr, &[Dst, Acc, Imm16])],
    &[bin(I32Add, &[DstFirst, Imm16]), load(Load8U, &[Dst, Acc]), bin(I32Add, &[DstAcc, Acc, Imm16])],
    &[bin(I32Add, &[Dst, Slot, Imm16]), load(Load8U, &[Dst, Slot, Offset])],
    &[bin(I32Add, &[Dst, Slot, Imm16]), load64(Load64From32U, &[Dst64, Slot, Offset])],
    // A store with what precedes or follows it.
    &[bin(I32ShrU, &[DstAcc, Acc, Imm16]), store(Store8, &[Slot, Imm16, Acc]), bin(I32Mul, &[DstAcc, Slot, Slot])],
    &[bin(I32Add, &[DstAcc, Slot, Imm16]), store(Store, &[Slot, Imm16, Acc])],
    &[store(Store8, &[Slot, Imm16, Acc]), bin(I32Add, &[DstAcc, Slot, Imm16])],
    &[bin(I32Add, &[DstAcc, Acc, Slot]), store(Store, &[Slot, Acc]), special(Mov, &[Dst, Slot])],
    &[bin(I32Add, &[DstAcc, Acc, Slot]), bin(I32ShrU, &[DstAcc, Acc, Imm16]), store(Store8, &[Slot, Imm16, Acc])],
    &[store(Store8, &[Slot, Imm16, Acc]), bin(I32Add, &[DstFirst, Imm16]), bin(I32Add, &[DstFirst, Imm16])],
    &[bin(I32Or, &[DstAcc, Acc, Slot]), store(Store, &[Slot, Imm16, Acc])],
    &[bin(I32Add, &[DstAcc, Slot, Imm16]), store(Store, &[Slot, Offset, Acc])],
    &[special(Const64, &[Dst64, Imm16]), store64(Store64, &[Slot, Offset, Slot64])],
    // Decisions.
    &[bin(I32Add, &[Dst, Slot, Imm16]), load(Load, &[Dst, Acc]), br(I32LtS, &[Acc, Slot, Forward])],
    &[store(Store8, &[Slot, Imm16, Imm16]), br(I32Ne, &[Slot, Imm16, Forward])],
    &[set64(F64Lt, &[DstAcc, Slot64, Slot64]), br(I32Eq, &[Acc, Imm16, Forward])],
    &[set64(F64Lt, &[DstAcc, Slot64, Slot64]), br(I32Ne, &[Acc, Imm16, Forward])],
    &[load(Load, &[DstAcc, Slot]), br(I32Eq, &[Acc, Imm16, Forward])],
    &[load(Load, &[DstAcc, Slot]), br(I32Ne, &[Acc, Imm16, Forward])],
    &[load(Load, &[DstAcc, Slot, Imm16]), br(I32Eq, &[Acc, Imm16, Forward])],
    &[load(Load, &[DstAcc, Slot, Imm16]), br(I32Ne, &[Acc, Imm16, Forward])],
    &[load(Load8U, &[DstAcc, Slot]), br(I32Eq, &[Acc, Imm16, Forward])],
    &[load(Load8U, &[DstAcc, Slot]), br(I32Ne, &[Acc, Imm16, Forward])],
    &[load(Load8U, &[DstAcc, Slot, Imm16]), br(I32Eq, &[Acc, Imm16, Forward])],
    &[load(Load8U, &[DstAcc, Slot, Imm16]), br(I32Ne, &[Acc, Imm16, Forward])],
    &[load(Load8U, &[DstAcc, Slot, Offset]), br(I32Eq, &[Acc, Imm16, Forward])],
    &[load(Load8U, &[DstAcc, Slot, Offset]), br(I32Ne, &[Acc, Imm16, Forward])],
    &[special(Mov, &[Dst, Slot]), br(I32Eq, &[Acc, Imm16, Forward])],
    &[special(Mov, &[Dst, Slot]), br(I32Ne, &[Acc, Imm16, Forward])],
    &[bin(I32Add, &[DstAcc, Slot, Imm16]), bin(I32And, &[DstAcc, Acc, Imm16]), br(I32LtU, &[Acc, Imm16, Forward])],
    &[bin(I32And, &[DstAcc, Slot, Imm16]), br(I32Eq, &[Acc, Imm16, Forward])],
    &[set(F32Lt, &[DstAcc, Slot, Slot]), br(I32Eq, &[Acc, Imm16, Forward])],
    &[bin(I32And, &[DstAcc, Slot, Imm16]), br(I32Ne, &[Acc, Imm16, Forward])],
    &[set(F32Lt, &[DstAcc, Slot, Slot]), br(I32Ne, &[Acc, Imm16, Forward])],
    &[special(Mov, &[Dst, Slot]), special(Br, &[Forward])],
    &[bin(I32Add, &[DstFirst, Imm16]), special(Br, &[Forward])],
    &[bin(I32And, &[DstAcc, Acc, Imm16]), special(BrTable, &[Acc, Targets])],
    &[special(Const, &[Dst, Imm16]), special(Br, &[Forward])],
    // Calls, entries and returns.
    &[special(Enter, &[FrameSize]), br(I32LtU, &[Slot, Imm16, Forward])],
    &[bin(I32Add, &[Dst, Slot, Imm16]), special(Mov, &[Dst, Slot]), special(Call, &[Frame, Callee])],
    &[bin(I32Add, &[Dst, Slot, Imm16]), special(Call, &[Frame, Callee])],
    &[special(Enter, &[FrameSize]), bin(I32Shl, &[Dst, Slot, Imm16]), bin(I32ShrU, &[DstAcc, Slot, Imm16])],
    &[special(Enter, &[FrameSize]), bin(I32Shl, &[DstAcc, Slot, Imm16]), bin(I32Xor, &[DstAcc, Acc, Slot])],
    &[special(Enter, &[FrameSize]), bin(I32Mul, &[DstAcc, Slot, Imm16]), bin(I32Add, &[DstAcc, Acc, Slot])],
    &[special(Enter, &[FrameSize]), bin(I32Add, &[DstAcc, Slot, Slot]), special(Return32, &[Acc])],
    &[bin(I32Or, &[DstAcc, Acc, Slot]), special(Return32, &[Acc])],
    &[special(Mov, &[Dst, Slot]), special(Call, &[Frame, Callee])],
    &[special(Const, &[Dst, Imm16]), special(Call, &[Frame, Callee])],
    &[special(Mov, &[Dst, Slot]), special(Mov, &[Dst, Slot]), special(Call, &[Frame, Callee])],
    &[special(Mov, &[Dst, Slot]), special(Const, &[Dst, Imm16]), special(Call, &[Frame, Callee])],
    &[special(Const, &[Dst, Imm16]), special(Mov, &[Dst, Slot]), special(Call, &[Frame, Callee])],
    &[special(Mov, &[Dst, Slot]), special(CallImport, &[Frame, Import])],
    &[special(Const, &[Dst, Imm16]), special(CallImport, &[Frame, Import])],
    &[special(Mov, &[Dst, Slot]), special(Mov, &[Dst, Slot]), special(CallImport, &[Frame, Import])],
    &[special(Const, &[Dst, Imm16]), special(Const, &[Dst, Imm16]), special(CallImport, &[Frame, Import])],
    &[special(CallImport, &[Frame, Import]), special(Mov, &[Dst, Slot])],
    &[special(Enter, &[FrameSize]), special(Const, &[Dst, Imm16])],
    // The stack pointer of C and Rust.
    &[special(GlobalGet, &[DstAcc, Global]), bin(I32Add, &[Dst, Acc, Imm16]), special(GlobalSet, &[Global, Acc])],
    &[bin(I32Add, &[DstAcc, Slot, Imm16]), special(GlobalSet, &[Global, Acc]), special(Return, &[])],
    &[bin(I32Add, &[DstAcc, Slot, Imm16]), special(GlobalSet, &[Global, Acc]), special(Return32, &[Slot])],
    // Arithmetic.
    &[bin(I32Shl, &[Dst, Acc, Imm16]), bin(I32Xor, &[Dst, Acc, Imm16]), un(I32Extend16S, &[DstAcc, Slot])],
    &[bin(I32Add, &[DstAcc, Acc, Slot]), bin(I32Add, &[DstAcc, Acc, Slot]), bin(I32Add, &[DstAcc, Acc, Slot])],
    &[bin(I32Add, &[DstFirst, Slot]), bin(I32And, &[DstAcc, Slot, Imm32]), bin(I32Xor, &[Dst, Acc, Slot])],
    &[bin(I32Rotr, &[Dst, Acc, Imm16]), bin(I32Rotr, &[DstAcc, Slot, Imm16]), bin(I32Xor, &[DstFirst, Acc])],
    &[bin(I32Rotr, &[DstAcc, Slot, Imm16]), bin(I32Xor, &[DstFirst, Acc]), bin(I32Xor, &[DstAcc, Slot, Slot])],
    &[bin(I32And, &[Dst, Acc, Slot]), bin(I32And, &[DstAcc, Slot, Slot]), bin(I32Xor, &[DstAcc, Acc, Slot])],
    &[bin(I32Rotr, &[DstAcc, Slot, Imm16]), bin(I32Xor, &[DstAcc, Acc, Slot]), bin(I32Add, &[Dst, Acc, Slot])],
    &[bin(I32Add, &[Dst, Acc, Slot]), bin(I32Add, &[Dst, Acc, Slot]), bin(I32Add, &[DstFirst, Slot])],
    &[bin(I32ShrU, &[DstAcc, Slot, Imm16]), bin(I32Xor, &[DstAcc, Acc, Slot])],
    &[bin(I32Add, &[DstAcc, Slot, Slot]), bin(I32Add, &[Dst, Acc, Imm16])],
    &[bin(I32Add, &[DstFirst, Acc]), special(Mov, &[Dst, Slot])],
    &[bin(I32Mul, &[DstAcc, Slot, Slot]), bin(I32Add, &[Dst, Acc, Slot])],
    &[bin(I32Shl, &[DstAcc, Acc, Imm16]), bin(I32Or, &[DstFirst, Acc]), bin(I32ShrU, &[DstAcc, Slot, Imm16])],
    &[bin(I32And, &[Dst, Acc, Slot]), bin(I32ShrU, &[DstAcc, Slot, Imm16]), bin(I32Or, &[DstAcc, Acc, Slot])],
    &[bin(I32And, &[DstAcc, Slot, Imm16]), bin(I32Or, &[DstAcc, Acc, Imm16])],
    &[bin(I32And, &[DstAcc, Slot, Imm16]), bin(I32Shl, &[DstAcc, Acc, Imm16])],
    &[bin(I32Shl, &[DstAcc, Slot, Imm16]), bin(I32Add, &[Dst, Acc, Slot])],
    &[bin(I32Add, &[DstAcc, Slot, Imm16]), bin(I32And, &[DstAcc, Acc, Imm16])],
    &[bin(I32Add, &[DstAcc, Slot, Imm16]), bin(I32And, &[Dst, Acc, Imm16])],
    &[bin(I32Add, &[DstAcc, Slot, Imm16]), bin(I32Add, &[Dst, Acc, Slot])],
    &[bin(I32Add, &[Dst, Slot, Imm16]), bin(I32Add, &[Dst, Slot, Imm16])],
    &[bin(I32ShrU, &[DstAcc, Slot, Imm16]), bin(I32And, &[DstAcc, Acc, Imm16])],
    &[bin(I32Mul, &[DstAcc, Slot, Slot]), bin(I32Add, &[DstFirst, Acc])],
    &[bin(I32Shl, &[Dst, Acc, Imm16]), bin(I32Xor, &[Dst, Acc, Imm16])],
    &[bin(I32Add, &[DstAcc, Acc, Slot]), bin(I32Add, &[DstAcc, Acc, Slot])],
    // 64 bits, and floats.
    &[bin64(I64XorShrU, &[Dst64, Slot64, Imm16]), bin64(I64Mul, &[Dst64, Slot64, Slot64])],
    &[load(Load, &[Dst, Slot, Imm16]), bin(F32Mul, &[Dst, Slot, Slot])],
    &[bin64(I64Xor, &[Dst64, Slot64, Slot64]), bin64(I64ShrU, &[Dst64, Slot64, Imm16]), bin64(I64Xor, &[Dst64, Slot64, Slot64])],
    &[bin64(F64Add, &[Dst64, Slot64, Slot64]), bin64(F64Mul, &[Dst64, Slot64, Slot64]), bin64(F64Add, &[Dst64, Slot64, Slot64])],
    &[bin(F32Add, &[Dst, Slot, Slot]), bin(F32Add, &[Dst, Slot, Slot])],
    &[bin64(I64Xor, &[Dst64, Slot64, Slot64]), bin64(I64Add, &[Dst64, Slot64, Slot64])],
    &[bin64(I64Add, &[Dst64, Slot64, Slot64]), bin64(I64XorShrU, &[Dst64, Slot64, Imm16]), bin64(I64Mul, &[Dst64, Slot64, Slot64])],
    &[bin64(F64Mul, &[Dst64, Slot64, Slot64]), bin64(F64Mul, &[Dst64, Slot64, Slot64]), bin64(F64Add, &[Dst64, Slot64, Slot64])],
    &[bin64(F64Sub, &[Dst64, Slot64, Slot64]), bin64(F64Add, &[Dst64, Slot64, Slot64])],
    &[un(F32ConvertI32U, &[Dst, Slot]), bin(F32Mul, &[Dst, Slot, Slot]), bin(F32Add, &[Dst, Slot, Slot])],
    &[bin(F32Mul, &[Dst, Slot, Slot]), bin(F32Add, &[Dst, Slot, Slot])],
    &[bin64(F64Mul, &[Dst64, Slot64, Slot64]), bin64(F64Add, &[Dst64, Slot64, Slot64])],
];

/// Number of sequences.
pub const COUNT: usize = SEQUENCES.len();

/// The largest number of operands of a sequence.
const OPERANDS: usize = 12;

static FORMS: [([Operand; OPERANDS], usize); COUNT] = {
    let mut forms = [([Operand::None; OPERANDS], 0); COUNT];
    let mut n = 0;
    while n < COUNT {
        let mut part = 0;
        while part < SEQUENCES[n].len() {
            let form = SEQUENCES[n][part].form;
            let mut k = 0;
            while k < form.len() {
                forms[n].0[forms[n].1] = form[k];
                forms[n].1 += 1;
                k += 1;
            }
            part += 1;
        }
        n += 1;
    }
    forms
};

/// Returns the operands of all ops of a sequence.
pub const fn form(sequence: usize) -> &'static [Operand] {
    FORMS[sequence].0.split_at(FORMS[sequence].1).0
}

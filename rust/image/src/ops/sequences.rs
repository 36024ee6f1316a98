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
    &[store(Store8, &[S, I, I]), bin(I32Add, &[M, S]), br(I32LtU, &[A, I, B])],
    &[bin(I32Add, &[M, I]), br(I32Ne, &[A, I, B])],
    &[special(Mov, &[D, S]), bin(I32Add, &[M, I]), br(I32Ne, &[A, S, B])],
    &[select(I32LtS, &[D, A, I, S, S]), bin(I32Add, &[M, I]), br(I32Ne, &[A, I, B])],
    &[store(Store, &[S, I, S]), bin(I32Add, &[M, I]), special(Br, &[B])],
    &[store(Store, &[S, A]), bin(I32Add, &[M, I]), br(I32Ne, &[A, I, B])],
    &[special(Mov, &[D, S]), bin(I32Add, &[M, I]), br(I32Ne, &[A, I, B])],
    &[bin(I32Add, &[M, I]), bin(I32Add, &[M, I]), br(I32Ne, &[A, I, B])],
    &[special(Const, &[D, I]), bin(I32Add, &[M, I]), br(I32Ne, &[A, I, B])],
    &[store(Store8, &[S, I, A]), bin(I32Add, &[M, I]), br(I32Ne, &[A, I, B])],
    &[bin(I32Add, &[M, I]), br(I32Ne, &[A, S, B])],
    &[bin(I32Add, &[M, I]), br(I32LtU, &[A, I, B])],
    &[bin(I32Add, &[M, I]), br(I32LtU, &[A, S, B])],
    &[bin(I32Add, &[M, I]), br(I32LtS, &[A, I, B])],
    &[bin(I32Add, &[M, I]), br(I32LtS, &[A, S, B])],
    &[bin(I32Add, &[M, S]), br(I32Ne, &[A, I, B])],
    &[bin(I32Add, &[M, S]), br(I32Ne, &[A, S, B])],
    &[bin(I32Add, &[M, S]), br(I32LtU, &[A, I, B])],
    &[bin(I32Add, &[M, S]), br(I32LtU, &[A, S, B])],
    &[bin(I32Add, &[M, S]), br(I32LtS, &[A, I, B])],
    &[bin(I32Add, &[M, S]), br(I32LtS, &[A, S, B])],
    &[special(Mov, &[D, S]), special(Br, &[B])],
    &[bin(I32Add, &[M, I]), special(Br, &[B])],
    &[special(Const, &[D, I]), special(Br, &[B])],
    &[store(Store8, &[S, O, I]), special(Br, &[B])],
    &[load(Load8U, &[AccD, S]), br(I32Ne, &[A, I, B])],
    // Copies, constants and what follows them.
    &[special(Mov, &[D, S]), bin(I32Add, &[D, S, I]), special(Mov, &[D, A])],
    &[special(Mov, &[D, S]), special(Mov, &[D, S])],
    &[special(Mov, &[D, S]), bin(I32ShrU, &[AccD, S, I]), bin(I32And, &[AccD, A, I])],
    &[special(Mov, &[D, S]), bin(I32Xor, &[AccD, S, I]), bin(I32And, &[D, A, S])],
    &[special(Mov, &[D, S]), bin(I32And, &[AccD, A, S]), bin(I32Or, &[AccD, A, S])],
    &[special(Mov, &[D, S]), special(Mov, &[D, S]), special(Mov, &[D, S])],
    &[special(Const, &[D, I]), special(Const, &[D, I])],
    &[special(Const, &[D, I]), special(Mov, &[D, S])],
    &[special(Mov, &[D, S]), special(Const, &[D, I])],
    &[special(Const, &[D, I]), bin(I32Add, &[D, S, I])],
    &[special(Const, &[D, I]), bin(I32Shl, &[AccD, A, S])],
    &[special(Const, &[D, I]), select(I32Ne, &[D, S, I, S, S])],
    &[special(Const, &[D, I]), special(Const, &[D, I]), select(I32Ne, &[D, S, I, S, S])],
    &[bin(I32Add, &[D, S, I]), special(Const, &[D, I])],
    &[bin(I32Add, &[D, S, I]), special(Const, &[D, I]), special(Const, &[D, I])],
    &[bin(I32Add, &[D, S, I]), special(Mov, &[D, S])],
    &[bin(I32Add, &[D, S, I]), special(Mov, &[D, A])],
    &[bin(I32Add, &[D, S, S]), bin(I32Add, &[D, S, I]), special(Mov, &[D, A])],
    // A load and what uses it.
    &[load(Load, &[AccD, S, I]), bin(I32Mul, &[D, A, S])],
    &[load(Load8U, &[D, S, I]), bin(I32And, &[AccD, A, I]), bin(I32Shl, &[AccD, A, I])],
    &[load(Load8U, &[AccD, S, I]), bin(I32Add, &[M, A])],
    &[load(Load8U, &[AccD, S, I]), bin(I32Shl, &[AccD, A, I]), bin(I32Xor, &[M, A])],
    &[load(Load, &[D, A, I]), special(Mov, &[D, S]), special(Mov, &[D, S])],
    &[bin(I32Add, &[M, A]), load(Load, &[AccD, S, I])],
    &[load(Load8U, &[AccD, S, I]), bin(I32Add, &[D, A, S])],
    &[bin(I32Add, &[D, S, S]), load(Load, &[D, A, I])],
    &[bin(I32Add, &[D, A, S]), load(Load, &[AccD, S, I]), bin(I32Add, &[M, A])],
    &[load(Load, &[AccD, S, I]), bin(I32Mul, &[AccD, A, S])],
    &[bin(I32Add, &[D, S, I]), load(Load, &[D, S, I])],
    &[load(Load, &[D, S, S, O]), bin(I32Shl, &[D, A, I]), bin(I32And, &[AccD, S, S])],
    &[bin(I32Add, &[M, A]), load(Load8U, &[AccD, S, I])],
    &[bin(I32Shl, &[AccD, S, I]), load(Load, &[D, A, I])],
    &[load(Load, &[D, S, I]), bin(I32Rotr, &[D, A, I])],
    &[bin(I32Add, &[M, I]), load(Load8U, &[D, A]), bin(I32Add, &[AccD, A, I])],
    &[bin(I32Add, &[D, S, I]), load(Load8U, &[D, S, O])],
    &[bin(I32Add, &[D, S, I]), load64(Load64From32U, &[E, S, O])],
    // A store with what precedes or follows it.
    &[bin(I32ShrU, &[AccD, A, I]), store(Store8, &[S, I, A]), bin(I32Mul, &[AccD, S, S])],
    &[bin(I32Add, &[AccD, S, I]), store(Store, &[S, I, A])],
    &[store(Store8, &[S, I, A]), bin(I32Add, &[AccD, S, I])],
    &[bin(I32Add, &[AccD, A, S]), store(Store, &[S, A]), special(Mov, &[D, S])],
    &[bin(I32Add, &[AccD, A, S]), bin(I32ShrU, &[AccD, A, I]), store(Store8, &[S, I, A])],
    &[store(Store8, &[S, I, A]), bin(I32Add, &[M, I]), bin(I32Add, &[M, I])],
    &[bin(I32Or, &[AccD, A, S]), store(Store, &[S, I, A])],
    &[bin(I32Add, &[AccD, S, I]), store(Store, &[S, O, A])],
    &[special(Const64, &[E, I]), store64(Store64, &[S, O, T])],
    // Decisions.
    &[bin(I32Add, &[D, S, I]), load(Load, &[D, A]), br(I32LtS, &[A, S, F])],
    &[store(Store8, &[S, I, I]), br(I32Ne, &[S, I, F])],
    &[set64(F64Lt, &[AccD, T, T]), br(I32Eq, &[A, I, F])],
    &[set64(F64Lt, &[AccD, T, T]), br(I32Ne, &[A, I, F])],
    &[load(Load, &[AccD, S]), br(I32Eq, &[A, I, F])],
    &[load(Load, &[AccD, S]), br(I32Ne, &[A, I, F])],
    &[load(Load, &[AccD, S, I]), br(I32Eq, &[A, I, F])],
    &[load(Load, &[AccD, S, I]), br(I32Ne, &[A, I, F])],
    &[load(Load8U, &[AccD, S]), br(I32Eq, &[A, I, F])],
    &[load(Load8U, &[AccD, S]), br(I32Ne, &[A, I, F])],
    &[load(Load8U, &[AccD, S, I]), br(I32Eq, &[A, I, F])],
    &[load(Load8U, &[AccD, S, I]), br(I32Ne, &[A, I, F])],
    &[load(Load8U, &[AccD, S, O]), br(I32Eq, &[A, I, F])],
    &[load(Load8U, &[AccD, S, O]), br(I32Ne, &[A, I, F])],
    &[special(Mov, &[D, S]), br(I32Eq, &[A, I, F])],
    &[special(Mov, &[D, S]), br(I32Ne, &[A, I, F])],
    &[bin(I32Add, &[AccD, S, I]), bin(I32And, &[AccD, A, I]), br(I32LtU, &[A, I, F])],
    &[bin(I32And, &[AccD, S, I]), br(I32Eq, &[A, I, F])],
    &[set(F32Lt, &[AccD, S, S]), br(I32Eq, &[A, I, F])],
    &[bin(I32And, &[AccD, S, I]), br(I32Ne, &[A, I, F])],
    &[set(F32Lt, &[AccD, S, S]), br(I32Ne, &[A, I, F])],
    &[special(Mov, &[D, S]), special(Br, &[F])],
    &[bin(I32Add, &[M, I]), special(Br, &[F])],
    &[bin(I32And, &[AccD, A, I]), special(BrTable, &[A, Table])],
    &[special(Const, &[D, I]), special(Br, &[F])],
    // Calls, entries and returns.
    &[special(Enter, &[V]), br(I32LtU, &[S, I, F])],
    &[bin(I32Add, &[D, S, I]), special(Mov, &[D, S]), special(Call, &[R, N])],
    &[bin(I32Add, &[D, S, I]), special(Call, &[R, N])],
    &[special(Enter, &[V]), bin(I32Shl, &[D, S, I]), bin(I32ShrU, &[AccD, S, I])],
    &[special(Enter, &[V]), bin(I32Shl, &[AccD, S, I]), bin(I32Xor, &[AccD, A, S])],
    &[special(Enter, &[V]), bin(I32Mul, &[AccD, S, I]), bin(I32Add, &[AccD, A, S])],
    &[special(Enter, &[V]), bin(I32Add, &[AccD, S, S]), special(Return32, &[A])],
    &[bin(I32Or, &[AccD, A, S]), special(Return32, &[A])],
    &[special(Mov, &[D, S]), special(Call, &[R, N])],
    &[special(Const, &[D, I]), special(Call, &[R, N])],
    &[special(Mov, &[D, S]), special(Mov, &[D, S]), special(Call, &[R, N])],
    &[special(Mov, &[D, S]), special(Const, &[D, I]), special(Call, &[R, N])],
    &[special(Const, &[D, I]), special(Mov, &[D, S]), special(Call, &[R, N])],
    &[special(Mov, &[D, S]), special(CallImport, &[R, H])],
    &[special(Const, &[D, I]), special(CallImport, &[R, H])],
    &[special(Mov, &[D, S]), special(Mov, &[D, S]), special(CallImport, &[R, H])],
    &[special(Const, &[D, I]), special(Const, &[D, I]), special(CallImport, &[R, H])],
    &[special(CallImport, &[R, H]), special(Mov, &[D, S])],
    &[special(Enter, &[V]), special(Const, &[D, I])],
    // The stack pointer of C and Rust.
    &[special(GlobalGet, &[AccD, G]), bin(I32Add, &[D, A, I]), special(GlobalSet, &[G, A])],
    &[bin(I32Add, &[AccD, S, I]), special(GlobalSet, &[G, A]), special(Return, &[])],
    &[bin(I32Add, &[AccD, S, I]), special(GlobalSet, &[G, A]), special(Return32, &[S])],
    // Arithmetic.
    &[bin(I32Shl, &[D, A, I]), bin(I32Xor, &[D, A, I]), un(I32Extend16S, &[AccD, S])],
    &[bin(I32Add, &[AccD, A, S]), bin(I32Add, &[AccD, A, S]), bin(I32Add, &[AccD, A, S])],
    &[bin(I32Add, &[M, S]), bin(I32And, &[AccD, S, J]), bin(I32Xor, &[D, A, S])],
    &[bin(I32Rotr, &[D, A, I]), bin(I32Rotr, &[AccD, S, I]), bin(I32Xor, &[M, A])],
    &[bin(I32Rotr, &[AccD, S, I]), bin(I32Xor, &[M, A]), bin(I32Xor, &[AccD, S, S])],
    &[bin(I32And, &[D, A, S]), bin(I32And, &[AccD, S, S]), bin(I32Xor, &[AccD, A, S])],
    &[bin(I32Rotr, &[AccD, S, I]), bin(I32Xor, &[AccD, A, S]), bin(I32Add, &[D, A, S])],
    &[bin(I32Add, &[D, A, S]), bin(I32Add, &[D, A, S]), bin(I32Add, &[M, S])],
    &[bin(I32ShrU, &[AccD, S, I]), bin(I32Xor, &[AccD, A, S])],
    &[bin(I32Add, &[AccD, S, S]), bin(I32Add, &[D, A, I])],
    &[bin(I32Add, &[M, A]), special(Mov, &[D, S])],
    &[bin(I32Mul, &[AccD, S, S]), bin(I32Add, &[D, A, S])],
    &[bin(I32Shl, &[AccD, A, I]), bin(I32Or, &[M, A]), bin(I32ShrU, &[AccD, S, I])],
    &[bin(I32And, &[D, A, S]), bin(I32ShrU, &[AccD, S, I]), bin(I32Or, &[AccD, A, S])],
    &[bin(I32And, &[AccD, S, I]), bin(I32Or, &[AccD, A, I])],
    &[bin(I32And, &[AccD, S, I]), bin(I32Shl, &[AccD, A, I])],
    &[bin(I32Shl, &[AccD, S, I]), bin(I32Add, &[D, A, S])],
    &[bin(I32Add, &[AccD, S, I]), bin(I32And, &[AccD, A, I])],
    &[bin(I32Add, &[AccD, S, I]), bin(I32And, &[D, A, I])],
    &[bin(I32Add, &[AccD, S, I]), bin(I32Add, &[D, A, S])],
    &[bin(I32Add, &[D, S, I]), bin(I32Add, &[D, S, I])],
    &[bin(I32ShrU, &[AccD, S, I]), bin(I32And, &[AccD, A, I])],
    &[bin(I32Mul, &[AccD, S, S]), bin(I32Add, &[M, A])],
    &[bin(I32Shl, &[D, A, I]), bin(I32Xor, &[D, A, I])],
    &[bin(I32Add, &[AccD, A, S]), bin(I32Add, &[AccD, A, S])],
    // 64 bits, and floats.
    &[bin64(I64XorShrU, &[E, T, I]), bin64(I64Mul, &[E, T, T])],
    &[load(Load, &[D, S, I]), bin(F32Mul, &[D, S, S])],
    &[bin64(I64Xor, &[E, T, T]), bin64(I64ShrU, &[E, T, I]), bin64(I64Xor, &[E, T, T])],
    &[bin64(F64Add, &[E, T, T]), bin64(F64Mul, &[E, T, T]), bin64(F64Add, &[E, T, T])],
    &[bin(F32Add, &[D, S, S]), bin(F32Add, &[D, S, S])],
    &[bin64(I64Xor, &[E, T, T]), bin64(I64Add, &[E, T, T])],
    &[bin64(I64Add, &[E, T, T]), bin64(I64XorShrU, &[E, T, I]), bin64(I64Mul, &[E, T, T])],
    &[bin64(F64Mul, &[E, T, T]), bin64(F64Mul, &[E, T, T]), bin64(F64Add, &[E, T, T])],
    &[bin64(F64Sub, &[E, T, T]), bin64(F64Add, &[E, T, T])],
    &[un(F32ConvertI32U, &[D, S]), bin(F32Mul, &[D, S, S]), bin(F32Add, &[D, S, S])],
    &[bin(F32Mul, &[D, S, S]), bin(F32Add, &[D, S, S])],
    &[bin64(F64Mul, &[E, T, T]), bin64(F64Add, &[E, T, T])],
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

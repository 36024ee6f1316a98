// SPDX-License-Identifier: Apache-2.0
//! Ops on 64 bits. Such values live in the frame; the first pair of registers may have a copy.

use wisp_image::ops::{Operand, Sem};

use crate::decode::Part;
use crate::function::Function;
use crate::isa::{Bin, Cond, Isa, Un, Val};
use crate::ops::{operation, relation};
use crate::{Helper, Unfit};

impl<I: Isa> Function<'_, '_, I> {
    /// Loads both operands: the first into the first pair, the second into the other.
    fn sources_wide(&mut self, part: &Part) {
        self.source_wide(part, 1, I::PLAN.wide);
        self.source_wide(part, 2, I::PLAN.other);
    }

    /// Writes `e = f(x, y)`. Returns false if there is no emitter.
    pub fn binary_wide(&mut self, part: &Part) -> bool {
        match part.sem {
            Sem::I64XorShrU => {
                self.source_wide(part, 1, I::PLAN.wide);
                self.shift_wide(Bin::ShrU, part.value(2));
                self.pair = None;
                self.clobber_other();
                I::get_pair(self.out, I::PLAN.other, I::PLAN.frame, part.value(1));
                I::wide_bin(self.out, Bin::Xor);
            }
            Sem::F64Copysign => {
                self.sources_wide(part);
                let (high, other) = (I::PLAN.wide.1, I::PLAN.other.1);
                I::bin_imm(self.out, Bin::Shl, high, high, 1, high);
                I::bin_imm(self.out, Bin::ShrU, high, high, 1, high);
                I::bin_imm(self.out, Bin::ShrU, other, other, 31, other);
                I::bin_imm(self.out, Bin::Shl, other, other, 31, other);
                I::bin(self.out, Bin::Or, high, high, other, other);
            }
            _ => {
                let Some(op) = operation(part.sem) else { return false };
                self.operation_wide(part, op);
            }
        }
        self.done_wide(part);
        true
    }

    /// Writes a shift or a rotation of the first pair by a number, which is taken modulo 64.
    fn shift_wide(&mut self, op: Bin, n: u32) {
        let (op, n) = if op == Bin::Rotl { (Bin::Rotr, n.wrapping_neg()) } else { (op, n) };
        if n & 63 != 0 {
            I::wide_shift(self.out, op, n & 63);
        }
    }

    fn operation_wide(&mut self, part: &Part, op: Bin) {
        let immediate = part.kind(2) == Operand::Imm16;
        match op {
            Bin::Shl | Bin::ShrS | Bin::ShrU | Bin::Rotl | Bin::Rotr => {
                if immediate {
                    self.source_wide(part, 1, I::PLAN.wide);
                    self.clobber_other();
                    return self.shift_wide(op, part.value(2));
                }
                self.source_wide(part, 1, I::PLAN.wide);
                self.clobber_other();
                I::get(self.out, I::PLAN.other.0, I::PLAN.frame, part.value(2));
                if !I::wide_shift_by(self.out, op) {
                    self.helper(match op {
                        Bin::Shl => Helper::Shl64,
                        Bin::ShrS => Helper::ShrS64,
                        Bin::ShrU => Helper::ShrU64,
                        Bin::Rotl => Helper::Rotl64,
                        _ => Helper::Rotr64,
                    });
                }
            }
            Bin::And | Bin::Or | Bin::Xor
                if matches!(part.kind(2), Operand::Imm16 | Operand::Imm32 | Operand::Imm64) =>
            {
                self.source_wide(part, 1, I::PLAN.wide);
                self.clobber_other();
                self.bits_of_number(part, op);
            }
            _ => {
                // the one that is in the registers already goes first
                let swap = op != Bin::Sub && !immediate && self.pair == Some(part.value(2));
                let (x, y) = if swap { (2, 1) } else { (1, 2) };
                self.source_wide(part, x, I::PLAN.wide);
                self.source_wide(part, y, I::PLAN.other);
                if !I::wide_bin(self.out, op) {
                    self.helper(Helper::Mul64);
                }
            }
        }
    }

    /// Writes an operation on single bits of the first pair and a number: each half by itself.
    fn bits_of_number(&mut self, part: &Part, op: Bin) {
        let (low, high) = part.number_wide(2);
        let (first, second) = I::PLAN.wide;
        for (register, v) in [(first, low), (second, high)] {
            match (op, v) {
                (Bin::And, 0) => I::imm(self.out, register, 0),
                (Bin::And, u32::MAX) | (Bin::Or | Bin::Xor, 0) => {}
                _ => drop(I::bin_imm(self.out, op, register, register, v, I::PLAN.other.0)),
            }
        }
    }

    fn clobber_other(&mut self) {
        self.clobber(I::PLAN.other.0);
        self.clobber(I::PLAN.other.1);
    }

    /// Writes `e = f(x)`. Returns false if there is no emitter.
    pub fn unary_wide(&mut self, part: &Part) -> bool {
        let (low, high) = I::PLAN.wide;
        let extends = match part.sem {
            Sem::I64Extend8S => Some(Some(Un::Extend8)),
            Sem::I64Extend16S => Some(Some(Un::Extend16)),
            Sem::I64Extend32S => Some(None),
            Sem::F64Abs | Sem::F64Neg => None,
            _ => return false,
        };
        self.source_wide(part, 1, I::PLAN.wide);
        match extends {
            Some(un) => {
                if un.is_some_and(|un| !I::un(self.out, un, low, low)) {
                    return false;
                }
                I::bin_imm(self.out, Bin::ShrS, high, low, 31, high);
            }
            None if part.sem == Sem::F64Abs => {
                I::bin_imm(self.out, Bin::Shl, high, high, 1, high);
                I::bin_imm(self.out, Bin::ShrU, high, high, 1, high);
            }
            None => {
                self.clobber_other();
                I::bin_imm(self.out, Bin::Xor, high, high, 0x8000_0000, I::PLAN.other.0);
            }
        }
        self.done_wide(part);
        true
    }

    /// Writes `d = f(x, y) ? 1 : 0`.
    pub fn set_wide(&mut self, part: &Part) -> Result<(), Unfit> {
        let Some(cond) = relation(part.sem) else { return self.escape(part) };
        self.sources_wide(part);
        let test = I::wide_compare(self.out, cond);
        self.pair = None;
        self.set(part, test);
        Ok(())
    }

    /// Writes `d = x == 0 ? 1 : 0`.
    pub fn is_zero(&mut self, part: &Part) {
        self.source_wide(part, 1, I::PLAN.wide);
        let (low, high) = I::PLAN.wide;
        self.clobber(low);
        let flags = I::bin(self.out, Bin::Or, low, low, high, high);
        let test = I::on_flags(Cond::Eq).filter(|_| flags);
        let test = test.unwrap_or_else(|| I::compare(self.out, Cond::Eq, low, Val::Imm(0), high));
        self.set(part, test);
    }

    /// Writes `e = f(s)`. Returns false if there is no emitter.
    pub fn widen(&mut self, part: &Part) -> bool {
        let signed = match part.sem {
            Sem::I64ExtendI32S => true,
            Sem::I64ExtendI32U => false,
            _ => return false,
        };
        let (low, high) = I::PLAN.wide;
        self.source_into(part, 1, low);
        self.clobber(low);
        self.clobber(high);
        match signed {
            true => drop(I::bin_imm(self.out, Bin::ShrS, high, low, 31, high)),
            false => I::imm(self.out, high, 0),
        }
        self.done_wide(part);
        true
    }

    /// Writes `e = x != 0 ? a : b`.
    pub fn select_wide(&mut self, part: &Part) {
        let other = I::PLAN.other.0;
        self.source_into(part, 1, other);
        self.clobber_other();
        self.pair = None;
        let (a, b) = (part.value(2), part.value(3));
        self.clobber(I::PLAN.wide.0);
        self.clobber(I::PLAN.wide.1);
        I::get_pair(self.out, I::PLAN.wide, I::PLAN.frame, b);
        let test = I::compare(self.out, Cond::Ne, other, Val::Imm(0), I::PLAN.other.1);
        self.when(test, |function| I::get_pair(function.out, I::PLAN.wide, I::PLAN.frame, a));
        self.done_wide(part);
    }
}

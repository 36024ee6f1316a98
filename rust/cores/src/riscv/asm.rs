// SPDX-License-Identifier: Apache-2.0
//! Emits RISC-V instructions: what the templates have in common, and the ends that handlers share.
//!
//! Registers of the core:
//!
//! | register | holds |
//! |---|---|
//! | a0-a4, a6, a7, t0-t6, ra | scratch |
//! | a5 | accumulator; scratch in ops that neither read nor write it |
//! | s0 | ip: the op that runs |
//! | s1 | fp: slot 0 of the running function |
//! | s2 | first byte of linear memory |
//! | s3 | handler table; for threaded code the core's first byte |
//! | s4, s5, s6 | first address at which an access of 1, 2, 4 bytes does not fit |
//! | s7 | units of fuel in hand |
//! | s8 | globals |
//! | s9 | end of the frame stack |
//! | s10 | instance |

use wisp_image::ops::{Op, Operand};

use super::Target;
pub(super) use crate::asm::{emit, word, End};

/// The text of a RISC-V core as it grows.
pub type Asm = crate::asm::Asm<Target>;

/// Bytes that a conditional branch reaches, less a margin for the handler and the ends between.
pub(super) const REACH: usize = 3000;

/// Emits an end.
pub(super) fn end(asm: &mut Asm, end: End) {
    match end {
        End::Trap(code) => {
            emit!(asm, "li a0, <{code}>");
            asm.line("j wisp.stop");
        }
        End::Refused(width, register) => {
            if register != "a1" {
                emit!(asm, "mv a1, {register}");
            }
            emit!(asm, "li a2, {width}");
            asm.line("j wisp.refused");
        }
        End::Forward(word) => {
            asm.word("a0", word);
            asm.line("add s0, s0, a0");
            asm.go();
        }
        End::Backward(word) => {
            asm.word("a0", word);
            asm.line("sub s0, s0, a0");
            asm.take_fuel(End::Refill);
            asm.go();
        }
        End::Refill => asm.line("j wisp.refill"),
        End::RefillAgain => asm.line("j wisp.refill.again"),
        End::Escape => asm.line("j wisp.escape"),
    }
}

impl Asm {
    /// Takes a unit of fuel, or goes to an end.
    pub fn take_fuel(&mut self, end: End) {
        let end = self.end(end);
        self.line("addi s7, s7, -1");
        emit!(self, "bltz s7, {end}");
    }

    /// Goes on with the op at ip.
    pub fn go(&mut self) {
        self.line("lhu a0, 0(s0)");
        self.dispatch();
    }

    /// Goes on with the op after this one, which has this many words.
    pub fn next(&mut self, words: usize) {
        if self.open {
            return;
        }
        self.word("a0", words);
        emit!(self, "addi s0, s0, {}", (words + self.shift) * 2);
        self.dispatch();
    }

    fn dispatch(&mut self) {
        self.line("add a0, a0, s3");
        if !self.isa.threaded {
            self.line("lw a0, 0(a0)");
        }
        self.line("jr a0");
    }

    /// Loads a word of the op.
    pub fn word(&mut self, register: &str, word: usize) {
        emit!(self, "lhu {register}, {}(s0)", (word + self.shift) * 2);
    }

    /// Loads a word of the op, sign-extended.
    pub fn signed(&mut self, register: &str, word: usize) {
        emit!(self, "lh {register}, {}(s0)", (word + self.shift) * 2);
    }

    /// Loads two words of the op, which may lie across an aligned word. Overwrites a4.
    pub fn long(&mut self, register: &str, word: usize) {
        self.word(register, word);
        self.word("a4", word + 1);
        self.line("slli a4, a4, 16");
        emit!(self, "or {register}, {register}, a4");
    }

    /// Turns the slot offset in a register into an address.
    pub fn slot(&mut self, register: &str) {
        emit!(self, "add {register}, {register}, s1");
    }

    /// Loads 32-bit sources: for each the index of the operand and its register. The accumulator is
    /// where it is.
    pub fn sources(&mut self, op: &Op, wanted: &[(usize, &str)]) {
        for &(operand, register) in wanted {
            match op.form[operand] {
                Operand::Acc => {}
                Operand::Imm16 => self.signed(register, word(op, operand)),
                Operand::Imm32 => self.long(register, word(op, operand)),
                _ => self.word(register, word(op, operand)),
            }
        }
        let slots = || wanted.iter().filter(|&&(operand, _)| op.form[operand] == Operand::Slot);
        for &(_, register) in slots() {
            self.slot(register);
        }
        for &(_, register) in slots() {
            emit!(self, "lw {register}, 0({register})");
        }
    }

    /// Loads a 64-bit source into two registers, the higher one first used as its address.
    pub fn wide_source(&mut self, op: &Op, operand: usize, low: &str, high: &str) {
        self.word(high, word(op, operand));
        self.slot(high);
        emit!(self, "lw {low}, 0({high})");
        emit!(self, "lw {high}, 4({high})");
    }

    /// Loads two 64-bit sources into a0, a1 and a2, a3. The second may be an immediate.
    pub fn wide_sources(&mut self, op: &Op, first: usize, second: usize) {
        self.wide_source(op, first, "a0", "a1");
        if op.form[second] == Operand::Imm16 {
            self.signed("a2", word(op, second));
            self.line("srai a3, a2, 31");
        } else {
            self.wide_source(op, second, "a2", "a3");
        }
    }

    /// Reads operands like [`Asm::wide_sources`], but only the low half of the second, in a2.
    pub fn wide_sources_low(&mut self, op: &Op, first: usize, second: usize) {
        self.wide_source(op, first, "a0", "a1");
        self.word("a2", word(op, second));
        if op.form[second] != Operand::Imm16 {
            self.slot("a2");
            self.line("lw a2, 0(a2)");
        }
    }

    /// Writes a5 to the result if it is a slot (for [`Operand::DstFirst`] that at a6), and goes on with the next op.
    pub fn result(&mut self, op: &Op) {
        match op.form[0] {
            Operand::Dst => {
                self.word("a0", 1);
                self.slot("a0");
                self.line("sw a5, 0(a0)");
            }
            Operand::DstFirst => self.line("sw a5, 0(a6)"),
            _ => {}
        }
        self.next(op.words());
    }

    /// Writes two registers to a 64-bit result and goes on. Overwrites a4.
    pub fn wide_result(&mut self, op: &Op, low: &str, high: &str) {
        self.word("a4", 1);
        self.slot("a4");
        emit!(self, "sw {low}, 0(a4)");
        emit!(self, "sw {high}, 4(a4)");
        self.next(op.words());
    }

    /// Stops if the branch (mnemonic and registers) is taken.
    pub fn trap_if(&mut self, branch: &str, code: &'static str) {
        let end = self.end(End::Trap(code));
        emit!(self, "{branch}, {end}");
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Emits Thumb instructions: what the templates have in common, and the ends that handlers share.
//!
//! Registers of the core, the same in both flavours:
//!
//! | register | holds |
//! |---|---|
//! | r0, r1, r2, r12, lr | scratch |
//! | r3 | accumulator; scratch in ops that neither read nor write it |
//! | r4 | ip: the op that runs |
//! | r5 | fp: slot 0 of the running function |
//! | r6 | first byte of linear memory |
//! | r7 | handler table |
//! | r8, r9, r10 | first address at which an access of 1, 2, 4 bytes does not fit |
//! | r11 | units of fuel in hand |
//! | sp | instance, end of the frame stack, globals |

use wisp_image::ops::{Op, Operand};

pub(super) use crate::asm::{emit, word, End};

/// Which instructions there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// ARMv6-M and ARMv8-M baseline: 16-bit instructions, and accesses must be aligned.
    V6,
    /// ARMv7-M, ARMv7E-M, ARMv8-M mainline: all of Thumb-2. Hardware splits unaligned accesses.
    V7,
}

/// The text of a Thumb core as it grows.
pub type Asm = crate::asm::Asm<Flavour>;

/// Bytes that a conditional branch of v6-M reaches, less a margin for the handler and the ends between.
pub(super) const REACH: usize = 96;
/// Bytes that it reaches backwards, less one handler.
pub(super) const REACH_BACK: usize = 180;

/// Emits an end.
pub(super) fn end(asm: &mut Asm, end: End) {
    // `bl` reaches everywhere, and nothing returns from there
    let far = if asm.v6() { "bl" } else { "b" };
    match end {
        End::Trap(code) => {
            emit!(asm, "movs r0, #<{code}>");
            emit!(asm, "{far} wisp.stop");
        }
        End::Refused(width, register) => {
            if register != "r1" {
                emit!(asm, "mov r1, {register}");
            }
            emit!(asm, "movs r2, #{width}");
            emit!(asm, "{far} wisp.refused");
        }
        End::Forward(word) => {
            asm.word("r0", word);
            asm.line("adds r4, r4, r0");
            asm.go();
        }
        End::Backward(word) => {
            asm.word("r0", word);
            asm.line("subs r4, r4, r0");
            asm.take_fuel(End::Refill);
            asm.go();
        }
        End::Refill => emit!(asm, "{far} wisp.refill"),
        End::RefillAgain => emit!(asm, "{far} wisp.refill.again"),
        End::Escape => emit!(asm, "{far} wisp.escape"),
    }
}

impl Asm {
    /// Returns true where there are 16-bit instructions only.
    pub fn v6(&self) -> bool {
        self.isa == Flavour::V6
    }

    /// Takes a unit of fuel, or goes to an end.
    pub fn take_fuel(&mut self, end: End) {
        if self.v6() {
            self.lines(&["mov r0, r11", "subs r0, r0, #1", "mov r11, r0"]);
        } else {
            self.line("subs r11, r11, #1");
        }
        let end = self.end(end);
        emit!(self, "bmi {end}");
    }

    /// Goes on with the op at ip.
    pub fn go(&mut self) {
        self.line("ldrh r0, [r4]");
        self.dispatch();
    }

    /// Goes on with the op after this one, which has this many words.
    pub fn next(&mut self, words: usize) {
        if self.open {
            return;
        }
        let words = words + self.shift;
        if self.v6() {
            emit!(self, "ldrh r0, [r4, #{}]", words * 2);
            emit!(self, "adds r4, r4, #{}", words * 2);
        } else {
            emit!(self, "ldrh r0, [r4, #{}]!", words * 2);
        }
        self.dispatch();
    }

    fn dispatch(&mut self) {
        if self.v6() {
            self.lines(&["ldr r0, [r7, r0]", "mov pc, r0"]);
        } else {
            self.line("ldr pc, [r7, r0]");
        }
    }

    /// Loads a word of the op.
    pub fn word(&mut self, register: &str, word: usize) {
        emit!(self, "ldrh {register}, [r4, #{}]", (word + self.shift) * 2);
    }

    /// Loads a word of the op, sign-extended.
    pub fn signed(&mut self, register: &str, word: usize) {
        let word = word + self.shift;
        if self.v6() {
            emit!(self, "movs {register}, #{}", word * 2);
            emit!(self, "ldrsh {register}, [r4, {register}]");
        } else {
            emit!(self, "ldrsh {register}, [r4, #{}]", word * 2);
        }
    }

    /// Loads two words of the op. The small flavour overwrites `scratch`.
    pub fn long(&mut self, register: &str, word: usize, scratch: &str) {
        if self.v6() {
            self.word(register, word);
            self.word(scratch, word + 1);
            emit!(self, "lsls {scratch}, {scratch}, #16");
            emit!(self, "orrs {register}, {scratch}");
        } else {
            emit!(self, "ldr {register}, [r4, #{}]", (word + self.shift) * 2);
        }
    }

    /// Loads 32-bit sources: for each the index of the operand and its register. The accumulator is
    /// where it is.
    pub fn sources(&mut self, op: &Op, wanted: &[(usize, &str)]) {
        for &(operand, register) in wanted {
            match op.form[operand] {
                Operand::Acc => {}
                Operand::Imm16 => self.signed(register, word(op, operand)),
                Operand::Imm32 => self.long(register, word(op, operand), "r0"),
                _ => self.word(register, word(op, operand)),
            }
        }
        for &(operand, register) in wanted {
            if op.form[operand] == Operand::Slot {
                emit!(self, "ldr {register}, [r5, {register}]");
            }
        }
    }

    /// Loads a 64-bit source into two registers, the higher one first used as its address.
    pub fn wide_source(&mut self, op: &Op, operand: usize, low: &str, high: &str) {
        self.word(high, word(op, operand));
        emit!(self, "adds {high}, {high}, r5");
        emit!(self, "ldm {high}, {{{low}, {high}}}");
    }

    /// Loads two 64-bit sources into r0, r1 and r2, r3. The second may be an immediate.
    pub fn wide_sources(&mut self, op: &Op, first: usize, second: usize) {
        if op.form[second] == Operand::Imm16 {
            self.wide_source(op, first, "r0", "r1");
            self.signed("r2", word(op, second));
            self.line("asrs r3, r2, #31");
            return;
        }
        self.word("r1", word(op, first));
        self.word("r3", word(op, second));
        self.lines(&["adds r1, r1, r5", "adds r3, r3, r5", "ldm r1, {r0, r1}", "ldm r3, {r2, r3}"]);
    }

    /// Reads operands like [`Asm::wide_sources`], but only the low half of the second, in r2. R3 is free.
    pub fn wide_sources_low(&mut self, op: &Op, first: usize, second: usize) {
        self.word("r1", word(op, first));
        self.word("r2", word(op, second));
        if op.form[second] != Operand::Imm16 {
            self.line("ldr r2, [r5, r2]");
        }
        self.lines(&["adds r1, r1, r5", "ldm r1, {r0, r1}"]);
    }

    /// Writes r3 to the result if it is a slot (for [`Operand::DstFirst`] that at the offset in r1), and goes on with
    /// the next op.
    pub fn result(&mut self, op: &Op) {
        if op.form[0] == Operand::Dst {
            self.word("r1", 1);
        }
        if op.form[0] != Operand::DstAcc {
            self.line("str r3, [r5, r1]");
        }
        self.next(op.words());
    }

    /// Writes two registers to a 64-bit result and goes on. `scratch` is another low register.
    pub fn wide_result(&mut self, op: &Op, low: &str, high: &str, scratch: &str) {
        self.word(scratch, 1);
        emit!(self, "adds {scratch}, {scratch}, r5");
        emit!(self, "stm {scratch}!, {{{low}, {high}}}");
        self.next(op.words());
    }

    /// Stops if the flags say so.
    pub fn trap_if(&mut self, condition: &str, code: &'static str) {
        let end = self.end(End::Trap(code));
        emit!(self, "b{condition} {end}");
    }
}

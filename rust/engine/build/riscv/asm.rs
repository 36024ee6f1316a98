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

use std::collections::BTreeMap;
use std::fmt::Write;

use wisp_image::ops::{Op, Operand};

/// Ends that handlers branch to instead of having them themselves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Stop with this trap, a name of `TrapCode`.
    Trap(&'static str),
    /// Stop because an access of this many bytes at the address in this register does not fit.
    Refused(u32, &'static str),
    /// Branch ahead by the operand in this word.
    Forward(usize),
    /// Branch back by the operand in this word.
    Backward(usize),
    /// Take more fuel and go on at ip.
    Refill,
    /// Take more fuel and begin the op at ip again.
    RefillAgain,
    /// The portable back end does this op.
    Escape,
}

impl End {
    fn name(self) -> String {
        match self {
            Self::Trap(code) => format!("trap.{code}"),
            Self::Refused(width, register) => format!("refused.{width}.{register}"),
            Self::Forward(word) => format!("forward.{word}"),
            Self::Backward(word) => format!("backward.{word}"),
            Self::Refill => "refill".into(),
            Self::RefillAgain => "refill.again".into(),
            Self::Escape => "escape".into(),
        }
    }
}

/// Bytes that a conditional branch reaches, less a margin for the handler and the ends between.
const REACH: usize = 3000;

/// The text of the core as it grows.
#[derive(Default)]
pub struct Asm {
    lines: Vec<String>,
    /// Bytes so far, at most.
    at: usize,
    /// The line at which each end was placed last, and the number of its copies.
    placed: BTreeMap<End, (usize, usize)>,
    /// Ends that are branched to and not placed yet, with the place of the first branch.
    pending: BTreeMap<End, usize>,
    /// Words before the operands of the op that is expanded, less one: those of the ops of a sequence before it.
    pub shift: usize,
    /// An op of a sequence follows the one that is expanded: no dispatch.
    open: bool,
    /// The lines behind the handler: rare paths that join the handler again.
    aside: Vec<String>,
    labels: usize,
    /// In place of its opcode an op has the distance of its handler from the core's first byte.
    pub threaded: bool,
}

/// Emits a line of assembly, formatted.
macro_rules! emit {
    ($asm:expr, $($text:tt)*) => { $asm.line(&format!($($text)*)) };
}
pub(super) use emit;

impl Asm {
    /// Without a line yet.
    pub fn new(threaded: bool) -> Self {
        Self { threaded, ..Self::default() }
    }

    /// Expands a sequence: templates of the ops in turn. False if one has none.
    pub fn sequence(&mut self, op: &Op, expand: impl Fn(&mut Self, &Op) -> bool) -> bool {
        let parts: Vec<_> = op.parts().collect();
        let mut done = true;
        for (place, part) in parts.iter().enumerate() {
            self.open = place + 1 < parts.len();
            done = done && expand(self, part);
            self.shift += part.words() - 1;
        }
        self.shift = 0;
        done
    }

    /// A label that nothing else has.
    pub fn label(&mut self) -> String {
        self.labels += 1;
        format!(".Lhandler.{}", self.labels)
    }

    /// Lines for behind the handler.
    pub fn aside(&mut self, lines: &[&str]) {
        self.aside.extend(lines.iter().map(|line| line.to_string()));
    }

    /// Takes the lines that were emitted beside and puts them behind the handler.
    pub fn aside_of(&mut self, beside: Self) {
        self.aside.extend(beside.lines);
    }

    /// Ends a handler.
    pub fn end_handler(&mut self) {
        for line in std::mem::take(&mut self.aside) {
            self.line(&line);
        }
        self.place_ends(false);
    }

    /// One line: an instruction, a label or a directive.
    pub fn line(&mut self, text: &str) {
        if !text.ends_with(':') && !text.starts_with('.') {
            self.at += 4;
        }
        self.lines.push(text.to_string());
    }

    /// Several lines.
    pub fn lines(&mut self, lines: &[&str]) {
        for line in lines {
            self.line(line);
        }
    }

    /// Begins a function of this name.
    pub fn function(&mut self, name: &str) {
        self.line(".p2align 1");
        emit!(self, ".type {name}, @function");
        emit!(self, "{name}:");
    }

    /// The label of an end, for a conditional branch from here.
    pub fn end(&mut self, end: End) -> String {
        let end = match end {
            End::Forward(word) => End::Forward(word + self.shift),
            End::Backward(word) => End::Backward(word + self.shift),
            other => other,
        };
        let (place, count) = self.placed.get(&end).copied().unwrap_or_default();
        let version = if count > 0 && self.at - place < REACH {
            count - 1
        } else {
            self.pending.entry(end).or_insert(self.at);
            count
        };
        format!(".L{}.{version}", end.name())
    }

    /// Places the ends that are due: all of them if `all`.
    pub fn place_ends(&mut self, all: bool) {
        if !all && self.pending.values().all(|&first| self.at - first < REACH) {
            return;
        }
        while let Some((end, _)) = self.pending.pop_first() {
            let count = self.placed.get(&end).map_or(0, |&(_, count)| count);
            emit!(self, ".L{}.{count}:", end.name());
            self.placed.insert(end, (self.at, count + 1));
            self.body(end);
        }
    }

    fn body(&mut self, end: End) {
        match end {
            End::Trap(code) => {
                emit!(self, "li a0, <{code}>");
                self.line("j wisp.stop");
            }
            End::Refused(width, register) => {
                if register != "a1" {
                    emit!(self, "mv a1, {register}");
                }
                emit!(self, "li a2, {width}");
                self.line("j wisp.refused");
            }
            End::Forward(word) => {
                self.word("a0", word);
                self.line("add s0, s0, a0");
                self.go();
            }
            End::Backward(word) => {
                self.word("a0", word);
                self.line("sub s0, s0, a0");
                self.take_fuel(End::Refill);
                self.go();
            }
            End::Refill => self.line("j wisp.refill"),
            End::RefillAgain => self.line("j wisp.refill.again"),
            End::Escape => self.line("j wisp.escape"),
        }
    }

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
        if !self.threaded {
            self.line("lw a0, 0(a0)");
        }
        self.line("jr a0");
    }

    /// A word of the op.
    pub fn word(&mut self, register: &str, word: usize) {
        emit!(self, "lhu {register}, {}(s0)", (word + self.shift) * 2);
    }

    /// A word of the op, sign-extended.
    pub fn signed(&mut self, register: &str, word: usize) {
        emit!(self, "lh {register}, {}(s0)", (word + self.shift) * 2);
    }

    /// Two words of the op; they may lie across an aligned word. Overwrites a4.
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
                Operand::A => {}
                Operand::I => self.signed(register, word(op, operand)),
                Operand::J => self.long(register, word(op, operand)),
                _ => self.word(register, word(op, operand)),
            }
        }
        let slots = || wanted.iter().filter(|&&(operand, _)| op.form[operand] == Operand::S);
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

    /// Loads two 64-bit sources into a0, a1 and a2, a3; the second may be an immediate.
    pub fn wide_sources(&mut self, op: &Op, first: usize, second: usize) {
        self.wide_source(op, first, "a0", "a1");
        if op.form[second] == Operand::I {
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
        if op.form[second] != Operand::I {
            self.slot("a2");
            self.line("lw a2, 0(a2)");
        }
    }

    /// Writes a5 to the result if it is a slot (for [`Operand::M`] that at a6), and goes on with the next op.
    pub fn result(&mut self, op: &Op) {
        match op.form[0] {
            Operand::D => {
                self.word("a0", 1);
                self.slot("a0");
                self.line("sw a5, 0(a0)");
            }
            Operand::M => self.line("sw a5, 0(a6)"),
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

    /// The arguments of a `global_asm!`: a string for each line. `<x>` becomes the operand `{x}`.
    pub fn finish(mut self) -> String {
        self.place_ends(true);
        let mut text = String::new();
        for line in &self.lines {
            let line = line.replace('<', "{").replace('>', "}");
            writeln!(text, "{line:?},").expect("a string grows");
        }
        text
    }
}

/// The index of an operand's first word.
pub fn word(op: &Op, operand: usize) -> usize {
    1 + op.form[..operand].iter().map(|o| o.words()).sum::<usize>()
}

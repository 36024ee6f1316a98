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

use std::collections::BTreeMap;
use std::fmt::Write;

use wisp_image::ops::{Op, Operand};

/// Which instructions there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// ARMv6-M and ARMv8-M baseline: 16-bit instructions; accesses must be aligned.
    V6,
    /// ARMv7-M, ARMv7E-M, ARMv8-M mainline: all of Thumb-2; hardware splits unaligned accesses.
    V7,
}

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

/// Bytes that a conditional branch of v6-M reaches, less a margin for the handler and the ends between.
const REACH: usize = 96;
/// Bytes that it reaches backwards, less one handler.
const REACH_BACK: usize = 180;

/// The text of the core as it grows.
pub struct Asm {
    /// Which instructions there are.
    pub flavour: Flavour,
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
}

/// Emits a line of assembly, formatted.
macro_rules! emit {
    ($asm:expr, $($text:tt)*) => { $asm.line(&format!($($text)*)) };
}
pub(super) use emit;

impl Asm {
    /// An empty core.
    pub fn new(flavour: Flavour) -> Self {
        Self {
            flavour,
            lines: Vec::new(),
            at: 0,
            placed: BTreeMap::new(),
            pending: BTreeMap::new(),
            shift: 0,
            open: false,
            aside: Vec::new(),
            labels: 0,
        }
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

    /// An empty text of the same flavour.
    pub fn beside(&self) -> Self {
        Self::new(self.flavour)
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

    /// True where there are 16-bit instructions only.
    pub fn v6(&self) -> bool {
        self.flavour == Flavour::V6
    }

    /// One line: an instruction, a label or a directive.
    pub fn line(&mut self, text: &str) {
        let is_code = !text.ends_with(':') && !text.starts_with('.');
        if is_code {
            self.at += if self.v6() && !text.starts_with("bl ") { 2 } else { 4 };
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
        emit!(self, ".type {name}, %function");
        self.line(".thumb_func");
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
        let near = count > 0 && (!self.v6() || self.at - place < REACH_BACK);
        let version = if near {
            count - 1
        } else {
            self.pending.entry(end).or_insert(self.at);
            count
        };
        format!(".L{}.{version}", end.name())
    }

    /// Places the ends that are due: all of them if `all`.
    pub fn place_ends(&mut self, all: bool) {
        let due = |asm: &Self| asm.v6() && asm.pending.values().any(|&first| asm.at - first > REACH);
        if !all && !due(self) {
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
        // `bl` reaches everywhere, and nothing returns from there
        let far = if self.v6() { "bl" } else { "b" };
        match end {
            End::Trap(code) => {
                emit!(self, "movs r0, #<{code}>");
                emit!(self, "{far} wisp.stop");
            }
            End::Refused(width, register) => {
                if register != "r1" {
                    emit!(self, "mov r1, {register}");
                }
                emit!(self, "movs r2, #{width}");
                emit!(self, "{far} wisp.refused");
            }
            End::Forward(word) => {
                self.word("r0", word);
                self.line("adds r4, r4, r0");
                self.go();
            }
            End::Backward(word) => {
                self.word("r0", word);
                self.line("subs r4, r4, r0");
                self.take_fuel(End::Refill);
                self.go();
            }
            End::Refill => emit!(self, "{far} wisp.refill"),
            End::RefillAgain => emit!(self, "{far} wisp.refill.again"),
            End::Escape => emit!(self, "{far} wisp.escape"),
        }
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

    /// A word of the op.
    pub fn word(&mut self, register: &str, word: usize) {
        emit!(self, "ldrh {register}, [r4, #{}]", (word + self.shift) * 2);
    }

    /// A word of the op, sign-extended.
    pub fn signed(&mut self, register: &str, word: usize) {
        let word = word + self.shift;
        if self.v6() {
            emit!(self, "movs {register}, #{}", word * 2);
            emit!(self, "ldrsh {register}, [r4, {register}]");
        } else {
            emit!(self, "ldrsh {register}, [r4, #{}]", word * 2);
        }
    }

    /// Two words of the op. The small flavour overwrites `scratch`.
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
                Operand::A => {}
                Operand::I => self.signed(register, word(op, operand)),
                Operand::J => self.long(register, word(op, operand), "r0"),
                _ => self.word(register, word(op, operand)),
            }
        }
        for &(operand, register) in wanted {
            if op.form[operand] == Operand::S {
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

    /// Loads two 64-bit sources into r0, r1 and r2, r3; the second may be an immediate.
    pub fn wide_sources(&mut self, op: &Op, first: usize, second: usize) {
        if op.form[second] == Operand::I {
            self.wide_source(op, first, "r0", "r1");
            self.signed("r2", word(op, second));
            self.line("asrs r3, r2, #31");
            return;
        }
        self.word("r1", word(op, first));
        self.word("r3", word(op, second));
        self.lines(&["adds r1, r1, r5", "adds r3, r3, r5", "ldm r1, {r0, r1}", "ldm r3, {r2, r3}"]);
    }

    /// Reads operands like [`Asm::wide_sources`], but only the low half of the second, in r2; r3 is free.
    pub fn wide_sources_low(&mut self, op: &Op, first: usize, second: usize) {
        self.word("r1", word(op, first));
        self.word("r2", word(op, second));
        if op.form[second] != Operand::I {
            self.line("ldr r2, [r5, r2]");
        }
        self.lines(&["adds r1, r1, r5", "ldm r1, {r0, r1}"]);
    }

    /// Writes r3 to the result if it is a slot (for [`Operand::M`] that at the offset in r1), and goes on with
    /// the next op.
    pub fn result(&mut self, op: &Op) {
        if op.form[0] == Operand::D {
            self.word("r1", 1);
        }
        if op.form[0] != Operand::AccD {
            self.line("str r3, [r5, r1]");
        }
        self.next(op.words());
    }

    /// Writes two registers to a 64-bit result and goes on; `scratch` is another low register.
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

    /// The arguments of a `global_asm!`: a string for each line. `<x>` becomes the operand `{x}`.
    pub fn finish(mut self) -> String {
        self.place_ends(true);
        let mut text = String::new();
        for line in &self.lines {
            let line = line.replace('{', "{{").replace('}', "}}").replace('<', "{").replace('>', "}");
            writeln!(text, "{line:?},").expect("a string grows");
        }
        text
    }
}

/// The index of an operand's first word.
pub fn word(op: &Op, operand: usize) -> usize {
    1 + op.form[..operand].iter().map(|o| o.words()).sum::<usize>()
}

// SPDX-License-Identifier: Apache-2.0
//! The text of a core as it grows: what the templates of all instruction sets have in common.

use std::collections::BTreeMap;
use std::fmt::Write;

use wisp_image::ops::Op;

use crate::isa::Isa;

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

/// The text of a core as it grows.
pub struct Asm<I> {
    /// The instruction set.
    pub isa: I,
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
    pub open: bool,
    /// Handlers that call a library say first in the instance where the guest stands.
    pub tells: bool,
    /// The lines behind the handler: rare paths that join the handler again.
    aside: Vec<String>,
    labels: usize,
}

/// Emits a line of assembly, formatted.
macro_rules! emit {
    ($asm:expr, $($text:tt)*) => { $asm.line(&format!($($text)*)) };
}
pub(crate) use emit;

impl<I: Isa> Asm<I> {
    /// Returns an empty text.
    pub fn new(isa: I) -> Self {
        Self {
            isa,
            lines: Vec::new(),
            at: 0,
            placed: BTreeMap::new(),
            pending: BTreeMap::new(),
            shift: 0,
            open: false,
            tells: false,
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

    /// Returns a label that nothing else has.
    pub fn label(&mut self) -> String {
        self.labels += 1;
        format!(".Lhandler.{}", self.labels)
    }

    /// Adds lines that go behind the handler.
    pub fn aside(&mut self, lines: &[&str]) {
        self.aside.extend(lines.iter().map(|line| line.to_string()));
    }

    /// Returns an empty text for the same instruction set.
    pub fn beside(&self) -> Self {
        Self::new(self.isa.clone())
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

    /// Emits one line: an instruction, a label or a directive.
    pub fn line(&mut self, text: &str) {
        if !text.ends_with(':') && !text.starts_with('.') {
            self.at += self.isa.bytes(text);
        }
        self.lines.push(text.to_string());
    }

    /// Emits several lines.
    pub fn lines(&mut self, lines: &[&str]) {
        for line in lines {
            self.line(line);
        }
    }

    /// Begins a function of this name.
    pub fn function(&mut self, name: &str) {
        self.line(".p2align 1");
        I::function(self, name);
        emit!(self, "{name}:");
    }

    /// Marks where the core begins or ends, for profilers.
    pub fn border(&mut self, name: &str) {
        if self.tells {
            emit!(self, ".global {name}");
            emit!(self, "{name}:");
        }
    }

    /// Returns the label of an end, for a conditional branch from here.
    pub fn end(&mut self, end: End) -> String {
        let end = match end {
            End::Forward(word) => End::Forward(word + self.shift),
            End::Backward(word) => End::Backward(word + self.shift),
            other => other,
        };
        let (place, count) = self.placed.get(&end).copied().unwrap_or_default();
        let version = if count > 0 && self.isa.reaches_back(self.at - place) {
            count - 1
        } else {
            self.pending.entry(end).or_insert(self.at);
            count
        };
        format!(".L{}.{version}", end.name())
    }

    /// Places the ends that are due: all of them if `all`.
    pub fn place_ends(&mut self, all: bool) {
        if !all && self.pending.values().all(|&first| self.isa.reaches(self.at - first)) {
            return;
        }
        while let Some((end, _)) = self.pending.pop_first() {
            let count = self.placed.get(&end).map_or(0, |&(_, count)| count);
            emit!(self, ".L{}.{count}:", end.name());
            self.placed.insert(end, (self.at, count + 1));
            I::end(self, end);
        }
    }

    /// Returns the arguments of a `global_asm!`: a string for each line. `<x>` becomes the operand `{x}`.
    pub fn text(mut self) -> String {
        self.place_ends(true);
        let mut text = String::new();
        for line in &self.lines {
            let line = line.replace('{', "{{").replace('}', "}}").replace('<', "{").replace('>', "}");
            writeln!(text, "{line:?},").expect("a string grows");
        }
        text
    }
}

/// Returns the index of an operand's first word.
pub fn word(op: &Op, operand: usize) -> usize {
    1 + op.form[..operand].iter().map(|o| o.words()).sum::<usize>()
}

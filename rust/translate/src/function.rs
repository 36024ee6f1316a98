// SPDX-License-Identifier: Apache-2.0
//! One function from IR to code, in one pass. Branches ahead are written before the places of their targets are known, and
//! go there in the end. Which of them are short is guessed from the bytes of IR that they go over. If one does not reach,
//! the function is translated again: a pass before counts bytes with all branches ahead in their long form, and short ones
//! are chosen by that.
//!
//! Sizes and distances do not depend on where a function's code begins.

use core::cell::Cell;

use wisp_image::format::Section;
use wisp_image::ops::{Operand, Sem};
use wisp_image::{Functions, Image};

use crate::control::callee;
pub use crate::decode::Code;
use crate::decode::{Ops, Part};
use crate::flow::{bind, Pending, COLD, WAITS};
use crate::isa::{Isa, Reg};
use crate::labels::{Branch, Labels, Marks};
use crate::out::Out;
use crate::pins::{Counts, Loops, Pins};
use crate::values::{HELD, NO_SLOT};
use crate::{Helper, Layout, Unfit};

/// The facts that the translations of all functions of an instance share.
#[derive(Clone, Copy)]
pub struct Env<'e> {
    /// The image, which was verified.
    pub image: &'e Image<'e>,
    /// Fields of the instance's record.
    pub layout: Layout,
    /// Bytes of linear memory that exist for as long as the instance does.
    pub memory: u32,
    /// Entries and backward branches take a unit of fuel, as in the interpreter.
    pub fuel: bool,
    /// Address of each helper.
    pub helpers: &'e [u32; Helper::COUNT],
    /// Offset of each helper's trampoline in the code plus one, or what `functions` says of calls that wait.
    pub trampolines: &'e [Cell<u32>; Helper::COUNT],
    /// For each defined function the offset of its code plus one. With the highest bit set, it is the last call that
    /// waits for it. 0 is neither.
    pub functions: &'e [Cell<u32>],
    /// Returns false if the translation has to end. It is asked once for at most 32 ops, but not while a
    /// function is read before its first pass.
    pub go_on: &'e dyn Fn() -> bool,
}

/// The place of a call in the code, in terms of the IR.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Site {
    /// Byte offset of the op, or of its sequence, in the code section.
    pub op: u32,
    /// Byte offset behind it.
    pub next: u32,
    /// True if the interpreter can begin with the op.
    pub first: bool,
    /// The register with the accumulator, if the op reads it.
    pub acc: Option<Reg>,
    /// For a call of a function of the module, the distance of the frames.
    pub frame: Option<u32>,
    /// For an access that does not fit, where the interpreter cannot begin: the register with an address, and the bytes
    /// from there on that would have to exist.
    pub refused: Option<(Reg, u32)>,
}

/// Accesses by a slot that fit: `bound` bytes from its value plus `low` on.
#[derive(Clone, Copy)]
pub struct Fact {
    /// Byte offset of the slot, or [`NO_SLOT`].
    pub slot: u32,
    /// Added to its value, wrapping.
    pub low: u32,
    /// Bytes.
    pub bound: u32,
}

impl Fact {
    /// Says nothing.
    pub const NONE: Self = Self { slot: NO_SLOT, low: 0, bound: 0 };
}

/// The way in which the lengths of branches ahead are chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// By bytes of IR. In the end the places of their targets tell whether the short ones reach.
    Guessed,
    /// By a pass that counts bytes before.
    Counted,
    /// All are long, and reach everything.
    Long,
}

impl Ahead {
    /// In the order in which they are tried.
    const ALL: [Self; 3] = [Self::Guessed, Self::Counted, Self::Long];
}

/// A function that is translated, in one pass.
pub struct Function<'f, 'o, I: Isa> {
    pub(crate) env: &'f Env<'f>,
    pub(crate) code: Code<'f>,
    pub(crate) out: &'f mut Out<'o>,
    pub(crate) labels: &'f Labels<'f>,
    pub(crate) pins: Pins,
    /// The pass finds out where code lies at most.
    pub(crate) estimates: bool,
    pub(crate) ahead: Ahead,
    /// Offset of the function's code.
    pub(crate) begin: u32,
    /// Bytes by which code is shorter than in the pass that estimates.
    pub(crate) shrunk: u32,
    pub(crate) params: u32,
    pub(crate) results: u32,
    /// The function calls nothing that takes native stack.
    pub(crate) leaf: bool,
    /// Behind the op that is translated.
    pub(crate) ops: Ops<'f>,
    /// The op that is translated: where it, or its sequence, begins, and what [`Part`] says of it.
    pub(crate) start: u32,
    pub(crate) first: bool,
    pub(crate) reads_acc: bool,
    pub(crate) result: Option<(u32, bool)>,
    pub(crate) after_slot: Option<u32>,
    /// The register of the accumulator, and a slot with the same value.
    pub(crate) acc: Option<Reg>,
    pub(crate) acc_slot: Option<u32>,
    /// The flags tell of the accumulator.
    pub(crate) flags: bool,
    /// The comparison that the accumulator is the outcome of, in place of a value. The next op branches by it.
    pub(crate) outcome: Option<I::Test>,
    /// A comparison that the flags still tell of, and the slot that is its outcome.
    pub(crate) truth: Option<(I::Test, u32)>,
    /// Which slot each of the low registers has a copy of, or [`NO_SLOT`].
    pub(crate) held: [u32; HELD],
    /// The slots that the first pair has a copy of.
    pub(crate) pair: Option<u32>,
    /// The accesses that the cached address is for.
    pub(crate) fact: Fact,
    /// The address whose rest is known: base, divisor, and offset modulo that.
    pub(crate) rest: Option<(Reg, u32, u32)>,
    pub(crate) checked: [Fact; 4],
    /// A bit for each slot that `held`, `fact` or `checked` may be about. Slots share bits.
    pub(crate) named: u32,
    /// Registers that this op uses.
    pub(crate) busy: u32,
    pub(crate) turn: u8,
    /// Cold ends, of which the first `waiting` wait for their places.
    pub(crate) pending: &'f mut [Option<Pending<I::Test>>; COLD],
    pub(crate) waiting: usize,
    pub(crate) end_of_flow: u32,
    /// The next target, and the number of those before it.
    pub(crate) next_target: u32,
    targets: usize,
    /// Number of branches ahead, and entries of tables, that are noted.
    pub(crate) branches: usize,
    /// Helpers that are called, a bit for each.
    pub(crate) helpers: u64,
    pub(crate) unfit: Option<Unfit>,
    /// The return address that is looked for, and what was found.
    pub(crate) wanted: Option<u32>,
    pub(crate) found: Option<Site>,
}

/// A function's code, and what its type says.
struct Shape<'i> {
    code: Code<'i>,
    params: u32,
    /// Slots of results, and number of results.
    results: (u32, usize),
}

impl Shape<'_> {
    /// Returns the bytes of the frame, which the first op says.
    fn frame(&self) -> u32 {
        u32::from(self.code.word(self.code.start + 2))
    }
}

/// Bounds of a function in the code section.
fn shape<'i>(image: &Image<'i>, index: usize) -> Result<Shape<'i>, Unfit> {
    let section = image.section(Section::Code);
    let functions: Functions<'i> = image.functions();
    let function = functions.get(index).map_err(|_| Unfit::Op)?;
    let end = functions.get(index + 1).map_or(section.len() as u32, |next| next.code);
    let ty = image.ty(function.ty).map_err(|_| Unfit::Op)?;
    Ok(Shape {
        code: Code { section, start: function.code, end },
        params: ty.param_slots() as u32,
        results: (ty.result_slots() as u32, ty.results().len()),
    })
}

/// Returns the bytes of a function's IR, or 0 if the function table cannot be read.
pub fn ir_bytes(image: &Image<'_>, index: usize) -> u32 {
    shape(image, index).map_or(0, |shape| shape.code.end.saturating_sub(shape.code.start))
}

/// Returns the words of scratch memory that the largest function of an image takes at most.
///
/// # Errors
/// The function table cannot be read, which the verifier refuses.
pub fn scratch_words(image: &Image<'_>) -> Result<usize, Unfit> {
    let mut most = 0;
    for index in 0..image.function_count() {
        let code = shape(image, index)?.code;
        let frame = usize::from(code.word(code.start + 2)) / 4;
        let ir = (code.end - code.start) as usize / 2;
        // each branch has a target, and what is noted of it
        most = most.max(ir.div_ceil(32) * 2 + targets(code) * 2 + frame);
    }
    Ok(most)
}

/// Returns the number of branches in a function's code, and of what is noted of tables.
fn targets(code: Code<'_>) -> usize {
    let mut count = 0;
    let mut ops = Ops::new(code, code.start);
    while let Some(branches) = ops.skip() {
        count += branches as usize;
    }
    count
}

/// The place of a function's code.
#[derive(Clone, Copy, Debug)]
pub struct Translated {
    /// Offset of its code.
    pub begin: u32,
    /// Offset behind it.
    pub end: u32,
}

/// Appends the code of a defined function, and behind it the trampolines of helpers that it is the first to call.
///
/// # Errors
/// Why it gets none. What was written behind the former end may be overwritten.
pub fn translate<I: Isa>(
    env: &Env<'_>,
    index: usize,
    scratch: &mut [u32],
    out: &mut Out<'_>,
) -> Result<Translated, Unfit> {
    let shape = shape(env.image, index)?;
    let survey = survey::<I>(&shape, scratch)?;
    let begin = out.at();
    for ahead in Ahead::ALL {
        let done = place::<I>(env, &shape, &survey, out, ahead, None);
        let done = done.and_then(|done| trampolines::<I>(env, done.helpers, out));
        let Err(unfit) = done else { return Ok(Translated { begin, end: out.at() }) };
        forget_calls::<I>(env, &shape, out, begin);
        out.restart(begin);
        // the long forms reach everything
        if unfit != Unfit::Reach {
            return Err(unfit);
        }
    }
    Err(Unfit::Reach)
}

/// Writes the trampolines of helpers that have none, and lets the calls that wait for them go there.
fn trampolines<I: Isa>(env: &Env<'_>, helpers: u64, out: &mut Out<'_>) -> Result<(), Unfit> {
    let waits = |&n: &usize| helpers >> n & 1 == 1 && env.trampolines[n].get() & WAITS != 0;
    if out.lacks((0..Helper::COUNT).filter(waits).count() as u32 * I::TRAMPOLINE) {
        return Err(Unfit::Room);
    }
    for n in (0..Helper::COUNT).filter(waits) {
        let to = I::trampoline(out, env.helpers[n]);
        bind::<I>(out, &env.trampolines[n], to);
        env.trampolines[n].set(to + 1);
    }
    Ok(())
}

/// Takes the calls that were written from an offset on out of the chains of those that wait.
fn forget_calls<I: Isa>(env: &Env<'_>, shape: &Shape<'_>, out: &mut Out<'_>, begin: u32) {
    let mut forget = |entry: &Cell<u32>| {
        while entry.get() & WAITS != 0 && entry.get() & !WAITS >= begin {
            let at = entry.get() & !WAITS;
            let before = I::called(at, out.word_at(at));
            entry.set(if before == 0 { 0 } else { before | WAITS });
        }
    };
    env.trampolines.iter().for_each(&mut forget);
    let mut ops = Ops::new(shape.code, shape.code.start);
    let mut part = Part::NONE;
    while ops.next(&mut part) {
        if part.sem == Sem::Call {
            callee(env.image, &part).and_then(|index| env.functions.get(index)).into_iter().for_each(&mut forget);
        }
    }
}

/// Finds the call that returns to an offset of the code, in a function whose code begins at `begin`, and which slots
/// live in registers there.
///
/// # Errors
/// The scratch memory is too small. There is no such call.
pub fn locate<I: Isa>(
    env: &Env<'_>,
    index: usize,
    scratch: &mut [u32],
    begin: u32,
    returns: u32,
) -> Result<(Site, Pins), Unfit> {
    let shape = shape(env.image, index)?;
    let survey = survey::<I>(&shape, scratch)?;
    for ahead in Ahead::ALL {
        match place::<I>(env, &shape, &survey, &mut Out::counter(begin), ahead, Some(returns)) {
            Err(Unfit::Reach) => {}
            done => return Ok((done?.found.ok_or(Unfit::Op)?, survey.pins)),
        }
    }
    Err(Unfit::Op)
}

/// Returns the slots of a function that live in registers.
///
/// # Errors
/// The scratch memory is too small.
pub fn pins<I: Isa>(env: &Env<'_>, index: usize, scratch: &mut [u32]) -> Result<Pins, Unfit> {
    let shape = shape(env.image, index)?;
    Pins::choose(shape.code, shape.frame(), shape.params, I::PLAN.pins, scratch)
}

/// The facts about a function that are found before it is translated.
struct Survey<'s> {
    pins: Pins,
    labels: Labels<'s>,
    /// It calls nothing that takes native stack.
    leaf: bool,
}

fn survey<'s, I: Isa>(shape: &Shape<'_>, scratch: &'s mut [u32]) -> Result<Survey<'s>, Unfit> {
    let code = shape.code;
    let (mut counts, rest) = Counts::new(shape.frame(), scratch)?;
    let mut marks = Marks::new(code, rest)?;
    let mut leaf = true;
    let mut ops = Ops::new(code, code.start);
    let mut part = Part::NONE;
    counts.weigh(Loops::find(code));
    while let Some((sem, branches)) = ops.survey(&mut part, &mut counts) {
        if branches {
            marks.add(code, &part);
        }
        leaf &= !matches!(sem, Sem::Call | Sem::CallImport | Sem::CallIndirect);
    }
    Ok(Survey { pins: counts.choose(shape.params, I::PLAN.pins), labels: marks.labels()?, leaf })
}

/// The outcome of a pass.
struct Done {
    helpers: u64,
    found: Option<Site>,
}

/// Translates a function with one way to choose the lengths of branches ahead.
fn place<I: Isa>(
    env: &Env<'_>,
    shape: &Shape<'_>,
    survey: &Survey<'_>,
    out: &mut Out<'_>,
    ahead: Ahead,
    wanted: Option<u32>,
) -> Result<Done, Unfit> {
    // a branch back goes to a place that is known
    if survey.labels.ahead && ahead == Ahead::Counted {
        run::<I>(env, shape, &mut Out::counter(out.at()), survey, true, ahead, None)?;
    }
    run::<I>(env, shape, out, survey, false, ahead, wanted)
}

fn run<I: Isa>(
    env: &Env<'_>,
    shape: &Shape<'_>,
    out: &mut Out<'_>,
    survey: &Survey<'_>,
    estimates: bool,
    ahead: Ahead,
    wanted: Option<u32>,
) -> Result<Done, Unfit> {
    let begin = out.at();
    // no field of the function: a field would be made on the stack and then copied, which takes its size twice
    let mut pending = [const { None }; COLD];
    let mut function = Function::<I> {
        env,
        code: shape.code,
        out,
        labels: &survey.labels,
        pins: survey.pins,
        estimates,
        ahead,
        begin,
        shrunk: 0,
        params: shape.params,
        results: shape.results.0,
        leaf: survey.leaf,
        ops: Ops::new(shape.code, shape.code.start),
        start: shape.code.start,
        first: true,
        reads_acc: false,
        result: None,
        after_slot: None,
        acc: None,
        acc_slot: None,
        flags: false,
        outcome: None,
        truth: None,
        held: [NO_SLOT; HELD],
        pair: None,
        fact: Fact::NONE,
        rest: None,
        checked: [Fact::NONE; 4],
        named: 0,
        busy: 0,
        turn: 0,
        pending: &mut pending,
        waiting: 0,
        end_of_flow: 0,
        next_target: survey.labels.next(shape.code.start),
        targets: 0,
        branches: 0,
        helpers: 0,
        unfit: None,
        wanted,
        found: None,
    };
    function.body()?;
    if !estimates {
        function.aim();
    }
    // the pass that estimates says nothing of reach
    match function.unfit {
        Some(unfit) if !estimates || unfit != Unfit::Reach => Err(unfit),
        _ => Ok(Done { helpers: function.helpers, found: function.found }),
    }
}

impl<I: Isa> Function<'_, '_, I> {
    /// Goes through the function once.
    fn body(&mut self) -> Result<(), Unfit> {
        let mut part = Part::NONE;
        for step in 0u32.. {
            if step % 32 == 0 && !(self.env.go_on)() {
                return Err(Unfit::Stopped);
            }
            if self.ops.between() {
                self.between();
            }
            if !self.ops.next(&mut part) {
                break;
            }
            if self.unfit.is_some() && !self.estimates {
                return Ok(());
            }
            if self.out.lacks(0) {
                return Err(Unfit::Room);
            }
            if self.out.at() - self.begin > Branch::REACH && !self.estimates {
                return Err(Unfit::Reach);
            }
            self.start = part.start;
            self.first = part.first;
            self.result = part.result();
            self.after_slot = self.result.filter(|&(_, wide)| !wide).map(|(slot, _)| slot);
            self.reads_acc = part.reads_acc;
            self.busy = self.acc.filter(|_| self.reads_acc).map_or(0, |acc| 1 << acc.0);
            let flags = core::mem::take(&mut self.flags);
            let truth = self.truth.take();
            self.part(&part, flags, truth)?;
            if self.after_slot.is_none() && part.kind(0) != Operand::DstAcc {
                self.acc = None;
                self.acc_slot = None;
            }
            if self.ops.ends_flow() {
                self.lay_cold();
                self.forget_registers();
            }
        }
        self.lay_cold();
        Ok(())
    }

    /// Does what is due between two ops: control may come from elsewhere, and cold ends may have to be laid.
    fn between(&mut self) {
        // nothing comes between a comparison and the branch that uses it
        if self.outcome.is_none() {
            self.island();
        }
        if self.ops.at() == self.next_target {
            self.forget_registers();
            self.checked = [Fact::NONE; 4];
            self.named = 0;
            self.labels.bind(self.targets, self.out.at() - self.begin);
            self.targets += 1;
            self.next_target = self.labels.next(self.next_target + 2);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! One function from IR to code: in two passes, each of which goes through the same steps. The first finds the places of
//! all targets. The second writes. Which branches ahead are short is guessed from the bytes of IR that they go over, and
//! the first pass finds out whether all short ones reach. If one does not, a pass before counts bytes with all branches
//! ahead in their long form, and short ones are chosen by that.
//!
//! Sizes and distances do not depend on where a function's code begins. So the last pass may begin elsewhere, behind
//! trampolines that the one before found missing.

use core::cell::Cell;

use wisp_image::format::Section;
use wisp_image::ops::Sem;
use wisp_image::{Functions, Image};

pub use crate::decode::Code;
use crate::decode::Ops;
use crate::flow::{Pending, COLD};
use crate::isa::{Isa, Reg};
use crate::labels::{Labels, Marks};
use crate::out::Out;
use crate::pins::{Counts, Pins};
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
    /// Offset of each helper's trampoline in the code plus one, or 0 where there is none yet.
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
    /// Byte offset of the slot.
    pub slot: u32,
    /// Added to its value, wrapping.
    pub low: u32,
    /// Bytes.
    pub bound: u32,
}

/// The way in which the lengths of branches ahead are chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// By bytes of IR. The places of their targets tell whether the short ones reach.
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

/// Which pass it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Finds where code lies at most.
    Estimate,
    /// Finds where it lies.
    Place,
    /// Writes it.
    Write,
}

/// A function that is translated, in one of the passes.
pub struct Function<'f, 'o, I: Isa> {
    pub(crate) env: &'f Env<'f>,
    pub(crate) code: Code<'f>,
    pub(crate) out: &'f mut Out<'o>,
    pub(crate) labels: &'f Labels<'f>,
    pub(crate) pins: Pins,
    pub(crate) pass: Pass,
    pub(crate) ahead: Ahead,
    /// Offset of the function's code.
    pub(crate) begin: u32,
    /// Bytes by which code is shorter than in the first pass.
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
    /// Which slot each of the low registers has a copy of, or [`NO_SLOT`].
    pub(crate) held: [u32; HELD],
    /// The slots that the first pair has a copy of.
    pub(crate) pair: Option<u32>,
    /// The accesses that the cached address is for.
    pub(crate) fact: Option<Fact>,
    /// The address whose rest is known: base, divisor, and offset modulo that.
    pub(crate) rest: Option<(Reg, u32, u32)>,
    pub(crate) checked: [Option<Fact>; 4],
    /// Registers that this op uses.
    pub(crate) busy: u32,
    pub(crate) turn: u8,
    /// Cold ends, of which the first `waiting` wait for their places.
    pub(crate) pending: &'f mut [Option<Pending<I::Test>>; COLD],
    pub(crate) waiting: usize,
    pub(crate) end_of_flow: u32,
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
        // each word of IR is at most one target, as an entry of a table is
        most = most.max(ir.div_ceil(32) * 2 + (ir * 2).min(targets(code) * 2) + frame);
    }
    Ok(most)
}

/// Returns the number of branches and entries of tables.
fn targets(code: Code<'_>) -> usize {
    let mut count = 0;
    let mut ops = Ops::new(code, code.start);
    while let Some(targets) = ops.skip() {
        count += targets as usize;
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

/// Appends the code of a defined function, behind the trampolines of helpers that it is the first to call.
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
    for ahead in Ahead::ALL {
        let survey = survey::<I>(&shape, scratch)?;
        let mut counter = Out::counter(out.at());
        let done = place::<I>(env, &shape, &survey, &mut counter, ahead, None)?;
        // the long forms reach everything
        if done.unfit == Some(Unfit::Reach) && ahead != Ahead::Long {
            continue;
        }
        if let Some(unfit) = done.unfit {
            return Err(unfit);
        }
        if counter.at() - out.at() > I::BRANCHES {
            return Err(Unfit::Reach);
        }
        trampolines::<I>(env, done.helpers, counter.at(), out)?;
        let begin = out.at();
        let done = run::<I>(env, &shape, out, &survey, Pass::Write, ahead, None)?;
        return done.unfit.map_or(Ok(Translated { begin, end: out.at() }), Err);
    }
    Err(Unfit::Reach)
}

/// Writes the trampolines of helpers that have none, if there is room for them and for code that would end at `end`
/// without them.
fn trampolines<I: Isa>(env: &Env<'_>, helpers: u64, end: u32, out: &mut Out<'_>) -> Result<(), Unfit> {
    let new = |&n: &usize| helpers >> n & 1 == 1 && env.trampolines[n].get() == 0;
    let missing = (0..Helper::COUNT).filter(new).count() as u32;
    if out.room().is_some_and(|room| end + missing * I::TRAMPOLINE > room) {
        return Err(Unfit::Room);
    }
    for n in (0..Helper::COUNT).filter(new) {
        env.trampolines[n].set(I::trampoline(out, env.helpers[n]) + 1);
    }
    Ok(())
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
    for ahead in Ahead::ALL {
        let survey = survey::<I>(&shape, scratch)?;
        let done = place::<I>(env, &shape, &survey, &mut Out::counter(begin), ahead, Some(returns))?;
        if done.unfit == Some(Unfit::Reach) {
            continue;
        }
        return Ok((done.found.ok_or(Unfit::Op)?, survey.pins));
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

/// The facts about a function that are found before the passes.
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
    while let Some(part) = ops.next() {
        counts.add(&part);
        marks.add(code, &part);
        leaf &= !matches!(part.sem, Sem::Call | Sem::CallImport | Sem::CallIndirect);
    }
    Ok(Survey { pins: counts.choose(shape.params, I::PLAN.pins), labels: marks.labels()?, leaf })
}

/// The outcome of a pass.
struct Done {
    helpers: u64,
    unfit: Option<Unfit>,
    found: Option<Site>,
}

/// Finds the places of all targets, and counts the bytes of the code.
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
        let done = run::<I>(env, shape, &mut Out::counter(out.at()), survey, Pass::Estimate, ahead, None)?;
        if done.unfit.is_some_and(|unfit| unfit != Unfit::Reach) {
            return Ok(done);
        }
    }
    run::<I>(env, shape, out, survey, Pass::Place, ahead, wanted)
}

fn run<I: Isa>(
    env: &Env<'_>,
    shape: &Shape<'_>,
    out: &mut Out<'_>,
    survey: &Survey<'_>,
    pass: Pass,
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
        pass,
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
        held: [NO_SLOT; HELD],
        pair: None,
        fact: None,
        rest: None,
        checked: [None; 4],
        busy: 0,
        turn: 0,
        pending: &mut pending,
        waiting: 0,
        end_of_flow: 0,
        helpers: 0,
        unfit: None,
        wanted,
        found: None,
    };
    function.body()?;
    Ok(Done { helpers: function.helpers, unfit: function.unfit, found: function.found })
}

impl<I: Isa> Function<'_, '_, I> {
    /// Goes through the function once.
    fn body(&mut self) -> Result<(), Unfit> {
        for step in 0u32.. {
            if step % 32 == 0 && !(self.env.go_on)() {
                return Err(Unfit::Stopped);
            }
            if self.ops.between() {
                self.between();
            }
            let at = self.ops.at();
            let Some(part) = self.ops.next() else { break };
            if self.unfit.is_some() && self.pass != Pass::Estimate {
                return Ok(());
            }
            self.start = part.start;
            self.first = part.first;
            self.result = part.result();
            self.after_slot = self.result.filter(|&(_, wide)| !wide).map(|(slot, _)| slot);
            self.reads_acc = part.reads_acc;
            self.busy = self.acc.filter(|_| self.reads_acc).map_or(0, |acc| 1 << acc.0);
            debug_assert!(at <= self.ops.at());
            let flags = core::mem::take(&mut self.flags);
            self.part(&part, flags)?;
            if self.after_slot.is_none() && part.kind(0) != wisp_image::ops::Operand::DstAcc {
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
        self.island();
        if let Some(index) = self.labels.index(self.ops.at()) {
            self.forget_registers();
            self.checked = [None; 4];
            let place = self.out.at() - self.begin;
            if self.pass == Pass::Place && !self.labels.reached(index, place) {
                self.unfit.get_or_insert(Unfit::Reach);
            }
            self.labels.bind(index, place, self.pass != Pass::Estimate);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! The check after which the engine trusts an image it was given by a stranger.
//!
//! One linear pass over the code with two bits of scratch memory for each word of the largest function (where ops
//! start, and where branches go) and a word for each type and each import. Reading a slot that nothing wrote is
//! harmless, because what a frame may hold belongs to the same instance (the engine sees to that), so no data flow
//! is followed. The accumulator is different: it may hold what is the engine's.
//!
//! The rules are listed in `doc/ir.md`: by operand in [`Operand::rule`], by op in [`rules::of`], and by section in
//! [`rules::SECTIONS`].
//!
//! Established here, relied on by the engine:
//! - every opcode is in the table, every operand lies in its function ([`Rule::KnownOp`],
//!   [`Rule::OperandsInFunction`])
//! - every slot, of 64-bit values both, lies in the frame that the function's `enter` states
//!   ([`Rule::SlotInFrame`]); `enter` itself is checked against the stack limit at run time
//! - every branch goes to the start of an op of its function, forward ones ahead, backward ones back,
//!   so that each loop passes a branch that counts fuel ([`Rule::BranchTarget`])
//! - calls go to `enter` ops ([`Rule::CallTarget`]) with a frame above the caller's first two slots
//!   ([`Rule::CallFrame`])
//! - indices of types, functions, globals, tables, segments exist ([`Rule::Index`])
//! - what is written may be written ([`Rule::Mutable`]), and tables, globals, segments and results have the types
//!   that the op is for ([`Rule::Type`])
//! - the accumulator is read only behind an op that wrote it, on the same path ([`Rule::Accumulator`])
//! - no function's end is run past ([`Rule::FallsThrough`])

mod meter;
pub mod rules;
mod structure;

use crate::features::{Feature, NEEDED};
use crate::format::{entry, Section, ValType, FRAME_HEADER_SLOTS};
use crate::ops::{packed, Operand, Sem, ENDS_FLOW, SEQUENCE};
use crate::reader::u16_at;
use crate::{Functions, Image, ImageError};

pub use self::meter::budget;
use self::meter::Meter;
use self::structure::{GlobalKind, Spaces};
pub use crate::error::Rule;

/// Returns the number of words of scratch memory that [`verify`] needs for this image.
///
/// # Errors
/// Returns the errors that [`verify`] has for the function table.
pub fn scratch_words(image: &Image<'_>) -> Result<usize, ImageError> {
    if image.is_native_only() {
        return Err(ImageError::NativeOnly);
    }
    let (functions, code) = (image.functions(), image.section(Section::Code));
    let mut largest = 0;
    for index in 0..functions.len() {
        let (start, end) = bounds(functions, code, index)?;
        largest = largest.max(end - start);
    }
    Ok(map_words(largest) * 2 + structure::words(image))
}

/// Returns the number of words of a map with a bit for each word of this many bytes of code.
fn map_words(bytes: usize) -> usize {
    (bytes / 2).div_ceil(32)
}

/// Returns the number of words of scratch memory that [`verify_structure`] needs for this image.
pub fn structure_words(image: &Image<'_>) -> usize {
    structure::words(image)
}

/// Checks everything in the image but its code. It is all that there is to check of an image without IR, beside
/// its native sections. `scratch` has [`structure_words`] and may hold anything.
///
/// # Errors
/// The first entry that cannot be read or refers to something that does not exist.
pub fn verify_structure(image: &Image<'_>, scratch: &mut [u32]) -> Result<(), ImageError> {
    let needed = structure::words(image);
    let tables = scratch.get_mut(..needed).ok_or(ImageError::Scratch((needed * 4) as u32))?;
    structure::check(image, tables, &mut Meter::new(image, &|| true)).map(|_| ())
}

/// Checks everything in the image that the engine relies on.
///
/// Cost: about 35 instructions a word of code, and never more than [`budget`] units. `scratch` may hold anything.
///
/// # Errors
/// The first rule that is broken, with its place.
pub fn verify(image: &Image<'_>, scratch: &mut [u32]) -> Result<(), ImageError> {
    verify_for::<0>(image, scratch)
}

/// Checks an image as [`verify`] does, for a runtime without the features of this sum ([`Feature`]): refuses their ops.
///
/// # Errors
/// Returns the errors of [`verify`].
pub fn verify_for<const MISSING: u8>(image: &Image<'_>, scratch: &mut [u32]) -> Result<(), ImageError> {
    verify_while::<MISSING>(image, scratch, &|| true)
}

/// Checks an image as [`verify_for`] does, while `go_on` returns true: it is asked every 512 units of work.
///
/// # Errors
/// Returns the errors of [`verify`], and [`ImageError::Stopped`].
pub fn verify_while<const MISSING: u8>(
    image: &Image<'_>,
    scratch: &mut [u32],
    go_on: &dyn Fn() -> bool,
) -> Result<(), ImageError> {
    let mut meter = Meter::new(image, go_on);
    let needed = scratch_words(image)?;
    let Some((maps, tables)) = scratch.get_mut(..needed).map(|all| all.split_at_mut(needed - structure::words(image)))
    else {
        return Err(ImageError::Scratch((needed * 4) as u32));
    };
    let spaces = structure::check(image, tables, &mut meter)?;
    let (starts, targets) = maps.split_at_mut(maps.len() / 2);
    let (functions, code) = (image.functions(), image.section(Section::Code));
    for index in 0..functions.len() {
        let (start, end) = bounds(functions, code, index)?;
        let ty = functions.get(index)?.ty;
        let used = map_words(end - start);
        let (Some(starts), Some(targets)) = (starts.get_mut(..used), targets.get_mut(..used)) else {
            return Err(ImageError::Scratch((needed * 4) as u32));
        };
        starts.fill(0);
        targets.fill(0);
        let (params, results) =
            spaces.slots(ty).ok_or(ImageError::Entry(Section::Functions, (index * entry::FUNCTION) as u32))?;
        let mut checker = Checker {
            image,
            spaces: &spaces,
            functions,
            index,
            code: code.get(..end).unwrap_or(code),
            start,
            frame: 0,
            ty,
            params,
            results,
            starts,
            targets,
            at: start,
            op: start,
            due: start,
            counted: start,
            owed: 0,
            acc: false,
            read: false,
            callee: None,
            global: (ValType::I32, false),
        };
        checker.function::<MISSING>(&mut meter)?;
    }
    Ok(())
}

/// Returns the first byte and end of a function's code.
fn bounds(functions: Functions<'_>, code: &[u8], index: usize) -> Result<(usize, usize), ImageError> {
    let start = functions.get(index)?.code as usize;
    let end = if index + 1 < functions.len() { functions.get(index + 1)?.code as usize } else { code.len() };
    let inside = start < end && end <= code.len();
    if !inside || start % 2 != 0 || end % 2 != 0 || (index == 0 && start != 0) {
        return Err(ImageError::Entry(Section::Functions, (index * entry::FUNCTION) as u32));
    }
    Ok((start, end))
}

/// The computations of the ops before the first that only computes.
static HEAD: [Sem; HEAD_END] = sems(0);
/// The computations of the ops from [`REFERENCES`] on: those of globals that hold references. [`crate::ops::op`] would
/// bring the whole op table into the program.
static REFERENCE_OPS: [Sem; crate::ops::SINGLE - REFERENCES] = sems(REFERENCES);

/// Returns the computations of the ops from this opcode on.
const fn sems<const N: usize>(first: usize) -> [Sem; N] {
    let mut sems = [Sem::Unreachable; N];
    let mut n = 0;
    while n < N {
        sems[n] = crate::ops::ALL[first + n].sem;
        n += 1;
    }
    sems
}

/// Bytes of code that are counted at once.
const PIECE: usize = 512;
const HEAD_END: usize = crate::ops::first(Sem::I32Add);
const TABLE_COPY: usize = crate::ops::first(Sem::TableCopy);
const TABLE_INIT: usize = crate::ops::first(Sem::TableInit);
const REFERENCES: usize = crate::ops::first(Sem::GlobalGetFunc);

/// Returns the computation of an op that has a rule beside those of its operands.
fn sem(opcode: usize) -> Option<Sem> {
    match opcode {
        TABLE_COPY => Some(Sem::TableCopy),
        TABLE_INIT => Some(Sem::TableInit),
        opcode if opcode >= REFERENCES => REFERENCE_OPS.get(opcode - REFERENCES).copied(),
        opcode => HEAD.get(opcode).copied(),
    }
}

struct Checker<'i, 'c> {
    image: &'c Image<'i>,
    spaces: &'c Spaces<'i, 'c>,
    functions: Functions<'i>,
    /// The function, among the defined ones.
    index: usize,
    /// The code up to the end of the function.
    code: &'i [u8],
    start: usize,
    frame: usize,
    ty: u16,
    params: usize,
    results: usize,
    starts: &'c mut [u32],
    targets: &'c mut [u32],
    at: usize,
    op: usize,
    /// Place in the code at which work is counted next.
    due: usize,
    /// End of the code that was counted.
    counted: usize,
    /// Bytes that were looked at and are not counted yet.
    owed: usize,
    /// The accumulator holds what the op before wrote, if control came from there.
    acc: bool,
    /// The op reads what the accumulator held before it.
    read: bool,
    /// Type of the function that an operand named last.
    callee: Option<u16>,
    /// The global that an operand named last, and whether this function may write it.
    global: GlobalKind,
}

impl Checker<'_, '_> {
    fn function<const MISSING: u8>(&mut self, meter: &mut Meter<'_>) -> Result<(), ImageError> {
        let mut flows = true;
        while self.at < self.code.len() {
            if self.at >= self.due {
                self.count(meter)?;
            }
            self.op = self.at;
            flows = self.one::<MISSING>().map_err(|rule| self.broken(rule))?;
        }
        self.count(meter)?;
        if flows {
            return Err(self.broken(Rule::FallsThrough));
        }
        for (start, target) in self.starts.iter().zip(self.targets.iter()) {
            if target & !start != 0 {
                return Err(self.broken(Rule::BranchTarget));
            }
        }
        Ok(())
    }

    /// Counts the next piece of code, and what ops have taken beside their words.
    #[inline(never)]
    fn count(&mut self, meter: &mut Meter<'_>) -> Result<(), ImageError> {
        meter.bytes(core::mem::take(&mut self.owed))?;
        if self.at >= self.counted {
            let piece = (self.code.len() - self.at).min(PIECE);
            meter.spend(piece as u32 / 2)?;
            self.counted = self.at + piece;
        }
        self.due = self.counted;
        Ok(())
    }

    #[cold]
    fn broken(&self, rule: Rule) -> ImageError {
        ImageError::Code(self.index as u16, self.op as u32, rule)
    }

    /// Checks the op that is next. True if control goes on behind it.
    fn one<const MISSING: u8>(&mut self) -> Result<bool, Rule> {
        let word = self.word()?;
        let opcode = usize::from(word / 4);
        let packed = packed(opcode).filter(|_| word % 4 == 0).ok_or(Rule::KnownOp)?;
        let missing = if MISSING == 0 { 0 } else { NEEDED[opcode] & MISSING };
        if missing != 0 {
            let feature = Feature::ALL.into_iter().find(|&feature| feature as u8 & missing != 0);
            return Err(feature.map_or(Rule::KnownOp, Rule::Built));
        }
        self.read = false;
        if packed & SEQUENCE == 0 {
            self.part(opcode, packed)?;
            // a branch leaves the accumulator undefined: it may not go where that is read
            if !self.read {
                mark(self.starts, self.op - self.start)?;
            }
        } else {
            let mut parts = packed & !(ENDS_FLOW | SEQUENCE);
            let mut first = true;
            while parts != 0 {
                let opcode = parts as usize & 0x3ff;
                self.part(opcode, crate::ops::packed(opcode).ok_or(Rule::KnownOp)?)?;
                if first && !self.read {
                    mark(self.starts, self.op - self.start)?;
                }
                first = false;
                parts >>= 10;
            }
        }
        Ok(packed & ENDS_FLOW == 0)
    }

    /// Checks an op with this entry in the table, or one of a sequence.
    fn part(&mut self, opcode: usize, packed: u32) -> Result<(), Rule> {
        let words = self.at;
        let mut kinds = packed & !ENDS_FLOW;
        let first = kinds & 31;
        let enters = first == Operand::FrameSize as u32;
        // it is the first op, or the first of a sequence that is
        if enters != (self.at == self.start + 2) {
            return Err(Rule::EnterFirst);
        }
        let mut frame_base = None;
        while kinds != 0 {
            self.operand(kinds & 31, &mut frame_base)?;
            kinds >>= 5;
        }
        if let Some(sem) = sem(opcode) {
            self.own_rule(sem, words)?;
        }
        self.acc = first == Operand::Dst as u32 || first == Operand::DstAcc as u32 || first == Operand::DstFirst as u32;
        Ok(())
    }

    /// Returns the word with this number of the operands that begin at `words`, which were read before.
    fn again(&self, words: usize, number: usize) -> Result<u16, Rule> {
        u16_at(self.code, words + 2 * number).ok_or(Rule::OperandsInFunction)
    }

    /// Returns the rules that an op has beside those of its operands, which begin at `words`. [`rules::of`] is the
    /// list.
    fn own_rule(&mut self, sem: Sem, words: usize) -> Result<(), Rule> {
        let is = |holds: bool| if holds { Ok(()) } else { Err(Rule::Type) };
        match sem {
            Sem::Return => is(self.results != 1 && (self.results != 2 || self.result_count() != 1)),
            Sem::Return32 => is(self.results == 1),
            Sem::Return64 => is(self.results == 2 && self.result_count() == 1),
            Sem::GlobalGet => is(!self.global.0.is_reference()),
            Sem::GlobalGetFunc => is(self.global.0 == ValType::FuncRef),
            Sem::GlobalGetExtern => is(self.global.0 == ValType::ExternRef),
            Sem::GlobalSet | Sem::GlobalSet64 | Sem::GlobalSetFunc | Sem::GlobalSetExtern => {
                is(match sem {
                    Sem::GlobalSetFunc => self.global.0 == ValType::FuncRef,
                    Sem::GlobalSetExtern => self.global.0 == ValType::ExternRef,
                    _ => !self.global.0.is_reference(),
                })?;
                if self.global.1 {
                    Ok(())
                } else {
                    Err(Rule::Mutable)
                }
            }
            Sem::CallIndirect => is(self.spaces.table(self.again(words, 2)?) == Some(ValType::FuncRef)),
            Sem::ReturnCallIndirect => {
                is(self.spaces.table(self.again(words, 2)?) == Some(ValType::FuncRef))?;
                is(self.returns(self.again(words, 1)?))
            }
            Sem::ReturnCall => {
                is(self.callee == Some(self.again(words, 1)?))?;
                is(self.returns(self.again(words, 1)?))
            }
            Sem::ReturnCallImport => {
                is(self.spaces.imported_function(self.again(words, 2)?) == Some(self.again(words, 1)?))?;
                is(self.returns(self.again(words, 1)?))
            }
            Sem::TableCopy => is(self.spaces.table(self.again(words, 0)?) == self.spaces.table(self.again(words, 1)?)),
            Sem::TableInit => {
                let segment = self.image.element(usize::from(self.again(words, 0)?)).map_err(|_| Rule::Index)?;
                is(self.spaces.table(self.again(words, 1)?) == Some(segment.ty))
            }
            _ => Ok(()),
        }
    }

    /// Returns true if a type has the results of this function.
    fn returns(&mut self, ty: u16) -> bool {
        if ty != self.ty {
            // a list that an image has once may be compared as often as it has ops
            self.owed += self.results;
            self.due = self.at;
        }
        self.spaces.same_results(ty, self.ty)
    }

    fn result_count(&self) -> usize {
        self.image.ty(self.ty).map_or(0, |ty| ty.results.len())
    }

    fn word(&mut self) -> Result<u16, Rule> {
        let word = u16_at(self.code, self.at).ok_or(Rule::OperandsInFunction)?;
        self.at += 2;
        Ok(word)
    }

    fn long(&mut self) -> Result<i32, Rule> {
        let low = self.word()?;
        let high = self.word()?;
        Ok((u32::from(low) | u32::from(high) << 16) as i32)
    }

    /// Returns the number of bytes of the frame up to the end of `slots` slots at this offset.
    fn slot(&mut self, slots: usize) -> Result<usize, Rule> {
        let offset = usize::from(self.word()?);
        if offset % 4 != 0 || offset + 4 * slots > self.frame {
            return Err(Rule::SlotInFrame);
        }
        Ok(offset)
    }

    fn branch(&mut self, distance: i64) -> Result<(), Rule> {
        let target = self.op as i64 - self.start as i64 + distance;
        let length = (self.code.len() - self.start) as i64;
        // the entry is no target: `enter` would clear the locals again
        if target <= 0 || target >= length || target % 2 != 0 {
            return Err(Rule::BranchTarget);
        }
        mark(self.targets, target as usize)
    }

    /// Returns the callee whose entry lies at this distance: a defined function, whose arguments and results lie in the
    /// frame.
    fn callee(&mut self, distance: i64, base: Option<usize>) -> Result<(), Rule> {
        let target = self.op as i64 + distance;
        let (mut low, mut high) = (0, self.functions.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let function = self.functions.get(middle).map_err(|_| Rule::CallTarget)?;
            match i64::from(function.code).cmp(&target) {
                core::cmp::Ordering::Equal => {
                    self.callee = Some(function.ty);
                    return self.call_values(base, function.ty);
                }
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(Rule::CallTarget)
    }

    fn below(&mut self, space: usize) -> Result<u16, Rule> {
        let index = self.word()?;
        if usize::from(index) < space {
            Ok(index)
        } else {
            Err(Rule::Index)
        }
    }

    /// Returns a global of the given width, if it was found.
    fn global(&mut self, found: Option<GlobalKind>, own: bool, slots: usize) -> Result<(), Rule> {
        let (ty, mutable) = found.ok_or(Rule::Index)?;
        // the init function gives constants of the instance their values
        let first = own && self.spaces.init() == Some(self.index as u32);
        self.global = (ty, mutable || first);
        if ty.slots() == slots {
            Ok(())
        } else {
            Err(Rule::Type)
        }
    }

    /// Arguments and results of a call lie in this frame.
    fn call_values(&self, base: Option<usize>, ty: u16) -> Result<(), Rule> {
        let (params, results) = self.spaces.slots(ty).ok_or(Rule::Index)?;
        match base {
            Some(base) if base + 4 * params.max(results) <= self.frame => Ok(()),
            _ => Err(Rule::CallFrame),
        }
    }

    fn operand(&mut self, kind: u32, base: &mut Option<usize>) -> Result<(), Rule> {
        match kind {
            k if k == Operand::Dst as u32 || k == Operand::Slot as u32 || k == Operand::DstFirst as u32 => {
                self.slot(1).map(drop)
            }
            k if k == Operand::Dst64 as u32 || k == Operand::Slot64 as u32 => self.slot(2).map(drop),
            k if k == Operand::DstAcc as u32 => Ok(()),
            k if k == Operand::Acc as u32 => {
                self.read = true;
                if self.acc {
                    Ok(())
                } else {
                    Err(Rule::Accumulator)
                }
            }
            k if k == Operand::Imm16 as u32 || k == Operand::Offset as u32 => self.word().map(drop),
            k if k == Operand::Imm32 as u32 => self.long().map(drop),
            k if k == Operand::Imm64 as u32 => {
                self.long()?;
                self.long().map(drop)
            }
            k if k == Operand::Forward as u32 => {
                let distance = i64::from(self.word()?);
                if distance == 0 {
                    return Err(Rule::BranchTarget);
                }
                self.branch(distance)
            }
            k if k == Operand::Back as u32 => {
                let distance = i64::from(self.word()?);
                self.branch(-distance)
            }
            k if k == Operand::Far as u32 => {
                let distance = i64::from(self.long()?);
                self.branch(distance)
            }
            k if k == Operand::Targets as u32 => {
                let n = usize::from(self.word()?);
                if self.at + 2 * (n + 1) > self.code.len() {
                    return Err(Rule::OperandsInFunction);
                }
                for _ in 0..=n {
                    let distance = i64::from(self.word()?);
                    if distance == 0 {
                        return Err(Rule::BranchTarget);
                    }
                    self.branch(distance)?;
                }
                Ok(())
            }
            k if k == Operand::Frame as u32 => {
                let offset = usize::from(self.word()?);
                if offset % 4 != 0 || offset < 4 * FRAME_HEADER_SLOTS || offset > self.frame {
                    return Err(Rule::CallFrame);
                }
                *base = Some(offset);
                Ok(())
            }
            k if k == Operand::Callee as u32 => {
                let distance = 2 * i64::from(self.word()? as i16);
                self.callee(distance, *base)
            }
            k if k == Operand::CalleeFar as u32 => {
                let distance = i64::from(self.long()?);
                self.callee(distance, *base)
            }
            k if k == Operand::Import as u32 => {
                let ty = self.spaces.imported_function(self.word()?).ok_or(Rule::Index)?;
                self.call_values(*base, ty)
            }
            k if k == Operand::Func as u32 => self.below(self.spaces.functions()).map(drop),
            k if k == Operand::Global as u32 || k == Operand::Global64 as u32 => {
                let offset = self.word()?;
                self.global(self.spaces.own_global(offset), true, if k == Operand::Global as u32 { 1 } else { 2 })
            }
            k if k == Operand::GlobalImport as u32 || k == Operand::GlobalImport64 as u32 => {
                let index = usize::from(self.word()?);
                self.global(
                    self.spaces.imported_global(index),
                    false,
                    if k == Operand::GlobalImport as u32 { 1 } else { 2 },
                )
            }
            k if k == Operand::Type as u32 => {
                let ty = self.below(self.spaces.types())?;
                self.call_values(*base, ty)
            }
            k if k == Operand::TableIndex as u32 => {
                let table = self.word()?;
                self.spaces.table(table).map(drop).ok_or(Rule::Index)
            }
            k if k == Operand::Element as u32 => self.below(self.image.element_count()).map(drop),
            k if k == Operand::Data as u32 => self.below(self.image.data_count()).map(drop),
            k if k == Operand::FrameSize as u32 => {
                self.frame = usize::from(self.word()?);
                let slots = self.params.max(self.results).max(2);
                if self.frame % 4 != 0 || self.frame < 4 * slots {
                    return Err(Rule::FrameSize);
                }
                Ok(())
            }
            k if k == Operand::Zero as u32 => {
                let first = usize::from(self.word()?);
                let count = usize::from(self.word()?);
                if first % 4 != 0 || first + 4 * count > self.frame {
                    return Err(Rule::SlotInFrame);
                }
                Ok(())
            }
            _ => Err(Rule::KnownOp),
        }
    }
}

/// Sets the bit of the word at this byte offset.
fn mark(bits: &mut [u32], offset: usize) -> Result<(), Rule> {
    let word = offset / 2;
    *bits.get_mut(word / 32).ok_or(Rule::BranchTarget)? |= 1 << (word % 32);
    Ok(())
}

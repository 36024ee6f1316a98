// SPDX-License-Identifier: Apache-2.0
//! The check after which the engine trusts an image it was given by a stranger.
//!
//! One linear pass over the code with two bits of scratch memory for each word of the largest
//! function: where ops start, and where branches go. Reading a slot that nothing wrote is harmless (an
//! app's stack holds only its own data), so no data flow is followed.
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
//! - no function's end is run past ([`Rule::FallsThrough`])

use crate::features::{Feature, NEEDED};
use crate::format::{external, Section, ValType, FRAME_HEADER_SLOTS};
use crate::ops::{Operand, COUNT, ENDS_FLOW, PACKED, SEQUENCE};
use crate::reader::u16_at;
use crate::{Functions, Image, ImageError, ImportKind, TypeRef};

pub use crate::error::Rule;

/// Words of scratch memory that [`verify`] needs for this image.
///
/// # Errors
/// As [`verify`], for the function table.
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
    // one bit per two bytes of code, two maps, rounded up to whole words each
    Ok((largest / 2).div_ceil(32) * 2)
}

/// Checks everything in the image but its code. It is all that there is to check of an image without IR, beside
/// its native sections.
///
/// # Errors
/// The first entry that cannot be read or refers to something that does not exist.
pub fn verify_structure(image: &Image<'_>) -> Result<(), ImageError> {
    structure(image).map(|_| ())
}

/// Checks everything in the image that the engine relies on.
///
/// Cost: about 25 instructions a word of code. `scratch` may hold anything.
///
/// # Errors
/// The first rule that is broken, with its place.
pub fn verify(image: &Image<'_>, scratch: &mut [u32]) -> Result<(), ImageError> {
    verify_for::<0>(image, scratch)
}

/// As [`verify`], for a runtime without the features of this sum ([`Feature`]): their ops are refused.
///
/// # Errors
/// As [`verify`].
pub fn verify_for<const MISSING: u8>(image: &Image<'_>, scratch: &mut [u32]) -> Result<(), ImageError> {
    let spaces = structure(image)?;
    let needed = scratch_words(image)?;
    let Some(scratch) = scratch.get_mut(..needed) else {
        return Err(ImageError::Scratch((needed * 4) as u32));
    };
    let (starts, targets) = scratch.split_at_mut(needed / 2);
    let (functions, code) = (image.functions(), image.section(Section::Code));
    for index in 0..functions.len() {
        let (start, end) = bounds(functions, code, index)?;
        let function = functions.get(index)?;
        let words = (end - start) / 2;
        let used = words.div_ceil(32);
        let (Some(starts), Some(targets)) = (starts.get_mut(..used), targets.get_mut(..used)) else {
            return Err(ImageError::Scratch((needed * 4) as u32));
        };
        starts.fill(0);
        targets.fill(0);
        let mut checker = Checker {
            image,
            spaces: &spaces,
            functions,
            code,
            start,
            end,
            frame: 0,
            ty: image.ty(function.ty)?,
            starts,
            targets,
            at: start,
            op: start,
        };
        checker.function::<MISSING>().map_err(|rule| ImageError::Code(index as u16, checker.op as u32, rule))?;
    }
    Ok(())
}

/// First byte and end of a function's code.
fn bounds(functions: Functions<'_>, code: &[u8], index: usize) -> Result<(usize, usize), ImageError> {
    let start = functions.get(index)?.code as usize;
    let end = if index + 1 < functions.len() { functions.get(index + 1)?.code as usize } else { code.len() };
    let inside = start < end && end <= code.len();
    if !inside || start % 2 != 0 || end % 2 != 0 || (index == 0 && start != 0) {
        return Err(ImageError::Entry(Section::Functions, (index * crate::format::entry::FUNCTION) as u32));
    }
    Ok((start, end))
}

/// Sizes of the index spaces.
struct Spaces {
    functions: usize,
    imported_functions: usize,
    tables: usize,
}

/// Every entry of every section can be read and refers to what exists.
fn structure(image: &Image<'_>) -> Result<Spaces, ImageError> {
    let manifest = image.manifest()?;
    manifest.name.text().ok_or(ImageError::Entry(Section::Manifest, crate::format::manifest::NAME as u32))?;
    let types = image.type_count();
    for index in 0..types {
        let ty = image.ty(u16::try_from(index).map_err(|_| ImageError::Entry(Section::Types, 0))?)?;
        let (params, results) = ty.bytes();
        if params.iter().chain(results).any(|&b| ValType::from_byte(b).is_none()) {
            return Err(ImageError::Entry(Section::Types, (index * crate::format::entry::TYPE) as u32));
        }
    }
    for index in 0..image.import_count() {
        let import = image.import(index)?;
        if import.module.text().and(import.name.text()).is_none() {
            return Err(ImageError::Entry(Section::Imports, (index * crate::format::entry::IMPORT) as u32));
        }
        if let ImportKind::Function(ty) = import.kind {
            image.ty(ty)?;
        }
    }
    let imported_functions = image.imports_of(external::FUNCTION);
    let imported_globals = image.imports_of(external::GLOBAL);
    let functions = imported_functions + image.function_count();
    let globals = imported_globals + image.global_count();
    let tables = image.imports_of(external::TABLE) + image.table_count();
    let memories = usize::from(manifest.memory.is_some());
    if functions > crate::format::FUNCTIONS_MAX {
        return Err(ImageError::Entry(Section::Functions, 0));
    }
    for index in 0..image.global_count() {
        let global = image.global(index)?;
        let end = global.offset.checked_add(4 * global.ty.slots() as u32);
        if global.offset % 4 != 0 || end.is_none_or(|end| end > manifest.globals_size) {
            return Err(ImageError::Entry(Section::Globals, (index * crate::format::entry::GLOBAL) as u32));
        }
    }
    for index in 0..image.table_count() {
        image.table(index)?;
    }
    for index in 0..image.export_count() {
        let export = image.export(index)?;
        let space = match export.kind {
            external::FUNCTION => functions,
            external::TABLE => tables,
            external::MEMORY => memories,
            external::GLOBAL => globals,
            _ => 0,
        };
        if usize::from(export.index) >= space || export.name.text().is_none() {
            return Err(ImageError::Entry(Section::Exports, (index * crate::format::entry::EXPORT) as u32));
        }
    }
    for index in 0..image.element_count() {
        let segment = image.element(index)?;
        let fail = ImageError::Entry(Section::Elements, (index * crate::format::entry::ELEMENT) as u32);
        if segment.mode == crate::format::segment::ACTIVE && usize::from(segment.table) >= tables {
            return Err(fail);
        }
        for item in 0..segment.len() {
            let item = segment.item(item).ok_or(fail)?;
            let known = if item & crate::format::ITEM_GLOBAL != 0 {
                ((item & !crate::format::ITEM_GLOBAL) as usize) < imported_globals
            } else {
                item as usize <= functions && (item == 0 || segment.ty == ValType::FuncRef)
            };
            if !known {
                return Err(fail);
            }
        }
    }
    for index in 0..image.data_count() {
        image.data(index)?;
    }
    if let Some(init) = manifest.init {
        let known = (init as usize) < image.function_count();
        let ty = if known { Some(image.ty(image.function(init as usize)?.ty)?) } else { None };
        if ty.is_none_or(|ty| ty.param_slots() + ty.result_slots() != 0) {
            return Err(ImageError::Entry(Section::Manifest, crate::format::manifest::INIT as u32));
        }
    }
    Ok(Spaces { functions, imported_functions, tables })
}

struct Checker<'i, 'c> {
    image: &'c Image<'i>,
    spaces: &'c Spaces,
    functions: Functions<'i>,
    code: &'i [u8],
    start: usize,
    end: usize,
    frame: usize,
    ty: TypeRef<'i>,
    starts: &'c mut [u32],
    targets: &'c mut [u32],
    at: usize,
    op: usize,
}

impl Checker<'_, '_> {
    fn function<const MISSING: u8>(&mut self) -> Result<(), Rule> {
        let mut flows = true;
        while self.at < self.end {
            self.op = self.at;
            mark(self.starts, self.op - self.start)?;
            let word = self.word()?;
            let opcode = usize::from(word / 4);
            if word % 4 != 0 || opcode >= COUNT {
                return Err(Rule::KnownOp);
            }
            let missing = if MISSING == 0 { 0 } else { NEEDED[opcode] & MISSING };
            if missing != 0 {
                let feature = Feature::ALL.into_iter().find(|&feature| feature as u8 & missing != 0);
                return Err(feature.map_or(Rule::KnownOp, Rule::Built));
            }
            let packed = PACKED[opcode];
            flows = packed & ENDS_FLOW == 0;
            if packed & SEQUENCE == 0 {
                self.operands(packed)?;
            } else {
                let mut parts = packed & !(ENDS_FLOW | SEQUENCE);
                while parts != 0 {
                    self.operands(PACKED[parts as usize & 0x3ff])?;
                    parts >>= 10;
                }
            }
        }
        if flows {
            return Err(Rule::FallsThrough);
        }
        for (start, target) in self.starts.iter().zip(self.targets.iter()) {
            if target & !start != 0 {
                return Err(Rule::BranchTarget);
            }
        }
        Ok(())
    }

    /// The operands of an op with this entry in the table.
    fn operands(&mut self, packed: u32) -> Result<(), Rule> {
        let mut kinds = packed & !ENDS_FLOW;
        let enters = kinds & 31 == Operand::V as u32;
        // it is the first op, or the first of a sequence that is
        if enters != (self.at == self.start + 2) {
            return Err(Rule::EnterFirst);
        }
        let mut frame_base = None;
        while kinds != 0 {
            self.operand(kinds & 31, &mut frame_base)?;
            kinds >>= 5;
        }
        Ok(())
    }

    fn word(&mut self) -> Result<u16, Rule> {
        if self.at + 2 > self.end {
            return Err(Rule::OperandsInFunction);
        }
        let word = u16_at(self.code, self.at).ok_or(Rule::OperandsInFunction)?;
        self.at += 2;
        Ok(word)
    }

    fn long(&mut self) -> Result<i32, Rule> {
        let low = self.word()?;
        let high = self.word()?;
        Ok((u32::from(low) | u32::from(high) << 16) as i32)
    }

    /// Bytes of the frame up to the end of `slots` slots at this offset.
    fn slot(&mut self, slots: usize) -> Result<usize, Rule> {
        let offset = usize::from(self.word()?);
        if offset % 4 != 0 || offset + 4 * slots > self.frame {
            return Err(Rule::SlotInFrame);
        }
        Ok(offset)
    }

    fn branch(&mut self, distance: i64) -> Result<(), Rule> {
        let target = self.op as i64 - self.start as i64 + distance;
        let length = (self.end - self.start) as i64;
        // the entry is no target: `enter` would clear the locals again
        if target <= 0 || target >= length || target % 2 != 0 {
            return Err(Rule::BranchTarget);
        }
        mark(self.targets, target as usize)
    }

    /// The defined function whose entry lies at this distance.
    fn callee(&self, distance: i64) -> Result<usize, Rule> {
        let target = self.op as i64 + distance;
        let (mut low, mut high) = (0, self.functions.len());
        while low < high {
            let middle = (low + high) / 2;
            let code = i64::from(self.functions.get(middle).map_err(|_| Rule::CallTarget)?.code);
            if code == target {
                return Ok(middle);
            }
            if code < target {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Err(Rule::CallTarget)
    }

    fn index(&mut self, space: usize) -> Result<u16, Rule> {
        let index = self.word()?;
        if usize::from(index) < space {
            Ok(index)
        } else {
            Err(Rule::Index)
        }
    }

    /// A global of the given width at the byte offset that follows.
    fn own_global(&mut self, slots: usize) -> Result<(), Rule> {
        let offset = u32::from(self.word()?);
        for global in self.image.globals() {
            let global = global.map_err(|_| Rule::Index)?;
            if global.offset == offset && global.ty.slots() == slots {
                return Ok(());
            }
        }
        Err(Rule::Index)
    }

    fn imported_global(&mut self, slots: usize) -> Result<(), Rule> {
        let wanted = usize::from(self.word()?);
        let mut seen = 0;
        for index in 0..self.image.import_count() {
            if let ImportKind::Global(ty, _) = self.image.import(index).map_err(|_| Rule::Index)?.kind {
                if seen == wanted {
                    return if ty.slots() == slots { Ok(()) } else { Err(Rule::Index) };
                }
                seen += 1;
            }
        }
        Err(Rule::Index)
    }

    /// Arguments and results of a callee that the engine itself moves lie in this frame.
    fn call_values(&self, base: Option<usize>, ty: TypeRef<'_>) -> Result<(), Rule> {
        let slots = ty.param_slots().max(ty.result_slots());
        match base {
            Some(base) if base + 4 * slots <= self.frame => Ok(()),
            _ => Err(Rule::CallFrame),
        }
    }

    fn operand(&mut self, kind: u32, base: &mut Option<usize>) -> Result<(), Rule> {
        match kind {
            k if k == Operand::D as u32 || k == Operand::S as u32 || k == Operand::M as u32 => self.slot(1).map(drop),
            k if k == Operand::E as u32 || k == Operand::T as u32 => self.slot(2).map(drop),
            k if k == Operand::AccD as u32 || k == Operand::A as u32 => Ok(()),
            k if k == Operand::I as u32 || k == Operand::O as u32 => self.word().map(drop),
            k if k == Operand::J as u32 => self.long().map(drop),
            k if k == Operand::K as u32 => {
                self.long()?;
                self.long().map(drop)
            }
            k if k == Operand::F as u32 => {
                let distance = i64::from(self.word()?);
                if distance == 0 {
                    return Err(Rule::BranchTarget);
                }
                self.branch(distance)
            }
            k if k == Operand::B as u32 => {
                let distance = i64::from(self.word()?);
                self.branch(-distance)
            }
            k if k == Operand::BFar as u32 => {
                let distance = i64::from(self.long()?);
                self.branch(distance)
            }
            k if k == Operand::Table as u32 => {
                let n = usize::from(self.word()?);
                for _ in 0..=n {
                    let distance = i64::from(self.word()?);
                    if distance == 0 {
                        return Err(Rule::BranchTarget);
                    }
                    self.branch(distance)?;
                }
                Ok(())
            }
            k if k == Operand::R as u32 => {
                let offset = usize::from(self.word()?);
                if offset % 4 != 0 || offset < 4 * FRAME_HEADER_SLOTS || offset > self.frame {
                    return Err(Rule::CallFrame);
                }
                *base = Some(offset);
                Ok(())
            }
            k if k == Operand::N as u32 => {
                let distance = 2 * i64::from(self.word()? as i16);
                self.callee(distance).map(drop)
            }
            k if k == Operand::NFar as u32 => {
                let distance = i64::from(self.long()?);
                self.callee(distance).map(drop)
            }
            k if k == Operand::H as u32 => {
                let wanted = usize::from(self.index(self.spaces.imported_functions)?);
                let ty = self.image.imported_function_type(wanted).map_err(|_| Rule::Index)?;
                self.call_values(*base, ty)
            }
            k if k == Operand::Func as u32 => self.index(self.spaces.functions).map(drop),
            k if k == Operand::G as u32 => self.own_global(1),
            k if k == Operand::G64 as u32 => self.own_global(2),
            k if k == Operand::GI as u32 => self.imported_global(1),
            k if k == Operand::GI64 as u32 => self.imported_global(2),
            k if k == Operand::Y as u32 => {
                let index = self.index(self.image.type_count())?;
                let ty = self.image.ty(index).map_err(|_| Rule::Index)?;
                self.call_values(*base, ty)
            }
            k if k == Operand::X as u32 => self.index(self.spaces.tables).map(drop),
            k if k == Operand::L as u32 => self.index(self.image.element_count()).map(drop),
            k if k == Operand::P as u32 => self.index(self.image.data_count()).map(drop),
            k if k == Operand::V as u32 => {
                self.frame = usize::from(self.word()?);
                let slots = self.ty.param_slots().max(self.ty.result_slots()).max(2);
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

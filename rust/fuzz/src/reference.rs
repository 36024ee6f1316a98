// SPDX-License-Identifier: Apache-2.0
//! A second checker of images, slow and simple, which shares nothing with the verifier but the op table: it follows
//! the flow of control of each function to a fixed point, and looks up everything anew for each op.
//!
//! What it finds in an image that the verifier accepted is a hole in the verifier.

use std::collections::{BTreeMap, BTreeSet};

use wisp_image::disassemble::{ops, Decoded};
use wisp_image::format::{external, Section, ValType};
use wisp_image::ops::{Op, Operand, Sem};
use wisp_image::{Image, ImportKind, TypeRef};

/// A global as the module's index space has it.
#[derive(Clone, Copy)]
struct Known {
    ty: ValType,
    mutable: bool,
}

/// The module, in tables.
struct Module<'i> {
    image: Image<'i>,
    imported: Vec<u16>,
    globals: Vec<Known>,
    own: BTreeMap<u32, Known>,
    tables: Vec<ValType>,
    segments: Vec<ValType>,
    entries: BTreeMap<usize, u16>,
    init: Option<u32>,
}

fn module<'i>(image: &Image<'i>) -> Result<Module<'i>, String> {
    let wrong = |error: wisp_image::ImageError| error.to_string();
    let mut module = Module {
        image: *image,
        imported: Vec::new(),
        globals: Vec::new(),
        own: BTreeMap::new(),
        tables: Vec::new(),
        segments: Vec::new(),
        entries: BTreeMap::new(),
        init: image.init().map_err(wrong)?,
    };
    for index in 0..image.import_count() {
        match image.import(index).map_err(wrong)?.kind {
            ImportKind::Function(ty) => module.imported.push(ty),
            ImportKind::Global(ty, mutable) => module.globals.push(Known { ty, mutable }),
            ImportKind::Table(table) => module.tables.push(table.ty),
            ImportKind::Memory(..) => {}
        }
    }
    for index in 0..image.global_count() {
        let global = image.global(index).map_err(wrong)?;
        let known = Known { ty: global.ty, mutable: global.mutable };
        if module.own.insert(global.offset, known).is_some() {
            return Err(format!("two globals at {}", global.offset));
        }
    }
    let mut end = 0;
    for (&offset, global) in &module.own {
        if offset < end || offset % 4 != 0 {
            return Err(format!("globals overlap at {offset}"));
        }
        end = offset + 4 * global.ty.slots() as u32;
    }
    if end > image.globals_size().map_err(wrong)? {
        return Err("globals beyond their place".into());
    }
    for index in 0..image.table_count() {
        module.tables.push(image.table(index).map_err(wrong)?.ty);
    }
    let reference = |ty: &ValType| matches!(ty, ValType::FuncRef | ValType::ExternRef);
    if !module.tables.iter().all(reference) {
        return Err("a table of numbers".into());
    }
    let functions = (module.imported.len() + image.function_count()) as u32;
    for index in 0..image.element_count() {
        let segment = image.element(index).map_err(wrong)?;
        if segment.mode == 0 && module.tables.get(usize::from(segment.table)) != Some(&segment.ty) {
            return Err(format!("segment {index} for a table of another type"));
        }
        for item in (0..segment.len()).filter_map(|item| segment.item(item)) {
            let right = match (item >> 31, segment.ty) {
                (1, ty) => module.globals.get((item & 0x7fff_ffff) as usize).is_some_and(|global| global.ty == ty),
                (_, ValType::FuncRef) => item <= functions,
                (_, ty) => item == 0 && reference(&ty),
            };
            if !right {
                return Err(format!("item {item:#x} in a segment of {:?}", segment.ty));
            }
        }
        module.segments.push(segment.ty);
    }
    for index in 0..image.export_count() {
        let export = image.export(index).map_err(wrong)?;
        let most = match export.kind {
            external::FUNCTION => functions as usize,
            external::TABLE => module.tables.len(),
            external::MEMORY => 1,
            external::GLOBAL => module.globals.len() + module.own.len(),
            other => return Err(format!("an export of kind {other}")),
        };
        if usize::from(export.index) >= most {
            return Err(format!("export {index} of what does not exist"));
        }
    }
    for index in 0..image.function_count() {
        let function = image.function(index).map_err(wrong)?;
        module.entries.insert(function.code as usize, function.ty);
    }
    Ok(module)
}

/// One function.
struct Function<'m, 'i> {
    module: &'m Module<'i>,
    ty: TypeRef<'i>,
    start: usize,
    init: bool,
    frame: usize,
}

/// An operand with its words, as numbers.
struct Place {
    operand: Operand,
    word: u16,
    long: i64,
}

/// Returns the operands of an op, by parts.
fn operands(decoded: &Decoded<'_>) -> Vec<(Op, Vec<Place>)> {
    let word = |at: usize| u16::from_le_bytes([decoded.bytes[at], decoded.bytes[at + 1]]);
    let mut at = 2;
    let part = |op: Op, at: &mut usize| {
        let mut places = Vec::new();
        for &operand in op.form {
            let (first, second) = match operand.words() {
                0 => (0, 0),
                1 => (word(*at), 0),
                _ => (word(*at), word(*at + 2)),
            };
            let long = i64::from((u32::from(first) | u32::from(second) << 16) as i32);
            places.push(Place { operand, word: first, long });
            *at += 2 * operand.words();
        }
        (op, places)
    };
    decoded.op.parts().map(|op| part(op, &mut at)).collect()
}

fn targets(decoded: &Decoded<'_>) -> Vec<usize> {
    let mut targets = Vec::new();
    for (_, places) in operands(decoded) {
        for place in places {
            let at = decoded.offset as i64;
            match place.operand {
                Operand::Forward => targets.push(at + i64::from(place.word)),
                Operand::Back => targets.push(at - i64::from(place.word)),
                Operand::Far => targets.push(at + place.long),
                Operand::Targets => {
                    let first = decoded.bytes.len() - 2 * (usize::from(place.word) + 1);
                    for entry in decoded.bytes[first..].chunks_exact(2) {
                        targets.push(at + i64::from(u16::from_le_bytes([entry[0], entry[1]])));
                    }
                }
                _ => {}
            }
        }
    }
    targets.into_iter().map(|target| usize::try_from(target).unwrap_or(usize::MAX)).collect()
}

fn slots(types: impl Iterator<Item = ValType>) -> usize {
    types.map(ValType::slots).sum()
}

impl Function<'_, '_> {
    fn slot(&self, offset: u16, slots: usize) -> Result<(), String> {
        if offset.is_multiple_of(4) && usize::from(offset) + 4 * slots <= self.frame {
            Ok(())
        } else {
            Err(format!("slot {offset} of a frame of {}", self.frame))
        }
    }

    fn values(&self, base: u16, ty: u16) -> Result<TypeRef<'_>, String> {
        let ty = self.module.image.ty(ty).map_err(|error| error.to_string())?;
        let most = slots(ty.params()).max(slots(ty.results()));
        if !base.is_multiple_of(4) || base < 8 || usize::from(base) + 4 * most > self.frame {
            return Err(format!("a call frame at {base} in a frame of {}", self.frame));
        }
        Ok(ty)
    }

    /// Checks what does not depend on the way control came. `acc` says whether the accumulator holds a result, and
    /// is changed to what holds behind the op.
    fn op(&mut self, decoded: &Decoded<'_>, acc: &mut bool) -> Result<(), String> {
        for (op, places) in operands(decoded) {
            self.part(&op, &places, decoded.offset, acc).map_err(|error| format!("{error} in {:?}", op.sem))?;
        }
        Ok(())
    }

    fn part(&mut self, op: &Op, places: &[Place], offset: usize, acc: &mut bool) -> Result<(), String> {
        let module = self.module;
        let mut tables = Vec::new();
        let (mut global, mut segment, mut ty, mut callee, mut base) = (None, None, None, None, 0);
        for place in places {
            let index = usize::from(place.word);
            let missing = |what: &str| format!("{what} {index} does not exist");
            match place.operand {
                Operand::Dst | Operand::Slot | Operand::DstFirst => self.slot(place.word, 1)?,
                Operand::Dst64 | Operand::Slot64 => self.slot(place.word, 2)?,
                Operand::Acc if !*acc => return Err("the accumulator is read, and holds nothing".into()),
                Operand::Zero => {
                    let count = (place.long >> 16) as u16;
                    self.slot(place.word, usize::from(count))?;
                }
                Operand::FrameSize => {
                    self.frame = index;
                    if index % 4 != 0 || index < 4 * slots(self.ty.params()).max(slots(self.ty.results())).max(2) {
                        return Err(format!("a frame of {index}"));
                    }
                }
                Operand::Global | Operand::Global64 => {
                    let known = *module.own.get(&u32::from(place.word)).ok_or(missing("global"))?;
                    global = Some((Known { mutable: known.mutable || self.init, ..known }, place.operand));
                }
                Operand::GlobalImport | Operand::GlobalImport64 => {
                    global = Some((*module.globals.get(index).ok_or(missing("imported global"))?, place.operand));
                }
                Operand::TableIndex => tables.push(*module.tables.get(index).ok_or(missing("table"))?),
                Operand::Element => segment = Some(*module.segments.get(index).ok_or(missing("segment"))?),
                Operand::Data if index >= module.image.data_count() => return Err(missing("data")),
                Operand::Func if index >= module.imported.len() + module.entries.len() => {
                    return Err(missing("function"))
                }
                Operand::Import => callee = Some(*module.imported.get(index).ok_or(missing("import"))?),
                Operand::Callee | Operand::CalleeFar => {
                    let distance =
                        if place.operand == Operand::Callee { 2 * i64::from(place.word as i16) } else { place.long };
                    let target = usize::try_from(offset as i64 + distance).unwrap_or(usize::MAX);
                    callee = Some(*module.entries.get(&target).ok_or(missing("entry"))?);
                }
                Operand::Frame => base = place.word,
                Operand::Type => ty = Some(place.word),
                _ => {}
            }
        }
        if let Some((known, operand)) = global {
            let slots = if matches!(operand, Operand::Global64 | Operand::GlobalImport64) { 2 } else { 1 };
            let (wanted, written) = match op.sem {
                Sem::GlobalGetFunc => (Some(ValType::FuncRef), false),
                Sem::GlobalGetExtern => (Some(ValType::ExternRef), false),
                Sem::GlobalSetFunc => (Some(ValType::FuncRef), true),
                Sem::GlobalSetExtern => (Some(ValType::ExternRef), true),
                Sem::GlobalSet | Sem::GlobalSet64 => (None, true),
                _ => (None, false),
            };
            let number = !matches!(known.ty, ValType::FuncRef | ValType::ExternRef);
            if known.ty.slots() != slots || wanted.is_some_and(|ty| ty != known.ty) || wanted.is_none() && !number {
                return Err(format!("a global of {:?}", known.ty));
            }
            if written && !known.mutable {
                return Err("a constant is written".into());
            }
        }
        match (op.sem, &tables[..], segment) {
            (Sem::TableCopy, [to, from], _) if to != from => return Err("tables of different types".into()),
            (Sem::TableInit, [to], Some(from)) if *to != from => return Err("a segment of another type".into()),
            (Sem::CallIndirect | Sem::ReturnCallIndirect, [table], _) if *table != ValType::FuncRef => {
                return Err("a call through a table of host references".into());
            }
            _ => {}
        }
        if let Some(called) = callee.or(ty) {
            let (called, results) = (self.values(base, called)?, self.ty.results());
            if callee.is_some() && ty.is_some() && callee != ty {
                return Err("a call of another type".into());
            }
            let tail = matches!(op.sem, Sem::ReturnCall | Sem::ReturnCallImport | Sem::ReturnCallIndirect);
            if tail && !called.results().eq(results) {
                return Err("a tail call with other results".into());
            }
        }
        let results: Vec<_> = self.ty.results().collect();
        let returns = match op.sem {
            Sem::Return => results.len() != 1,
            Sem::Return32 => matches!(results[..], [ty] if ty.slots() == 1),
            Sem::Return64 => matches!(results[..], [ty] if ty.slots() == 2),
            _ => true,
        };
        if !returns {
            return Err(format!("a return of {results:?}"));
        }
        *acc = matches!(op.form.first(), Some(Operand::Dst | Operand::DstAcc | Operand::DstFirst));
        Ok(())
    }
}

/// Checks an image.
///
/// # Errors
/// The first rule that the image breaks.
pub fn check(image: &Image<'_>) -> Result<(), String> {
    let module = module(image)?;
    let code = image.section(Section::Code);
    let starts: Vec<usize> = module.entries.keys().copied().collect();
    for index in 0..image.function_count() {
        let function = image.function(index).map_err(|error| error.to_string())?;
        let start = function.code as usize;
        let end = starts.iter().copied().find(|&other| other > start).unwrap_or(code.len());
        let decoded: BTreeMap<usize, Decoded<'_>> = ops(code, start, end).map(|op| (op.offset, op)).collect();
        let place = |at: usize, error: &str| format!("function {index}, {at:#x}: {error}");
        let ty = image.ty(function.ty).map_err(|error| error.to_string())?;
        let init = module.init == Some(index as u32);
        let mut function = Function { module: &module, ty, start, init, frame: 0 };
        // ways to an op with the accumulator full, and with it empty
        let mut todo = vec![(start, false)];
        let mut seen = BTreeSet::new();
        while let Some((at, full)) = todo.pop() {
            if !seen.insert((at, full)) {
                continue;
            }
            let op = decoded.get(&at).ok_or_else(|| place(at, "control comes where no op begins"))?;
            if at != function.start && op.op.parts().next().is_some_and(|first| first.sem == Sem::Enter) {
                return Err(place(at, "control enters twice"));
            }
            let mut acc = full;
            function.op(op, &mut acc).map_err(|error| place(at, &error))?;
            // who branches leaves nothing in the accumulator that others may rely on
            todo.extend(targets(op).into_iter().map(|target| (target, false)));
            if !op.op.ends_flow() {
                todo.push((at + op.bytes.len(), acc));
            }
        }
        // loops count fuel: no branch but those that do goes back
        for op in decoded.values() {
            let forward =
                op.op.parts().any(|part| part.form.iter().any(|o| matches!(o, Operand::Forward | Operand::Targets)));
            if forward && targets(op).iter().any(|&target| target <= op.offset) {
                return Err(place(op.offset, "a branch back that counts no fuel"));
            }
        }
    }
    Ok(())
}

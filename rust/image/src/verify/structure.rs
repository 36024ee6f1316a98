// SPDX-License-Identifier: Apache-2.0
//! Everything of an image but its code: every entry of every section can be read and refers to what exists and is of
//! the right kind.

use super::meter::Meter;
use crate::format::{entry, external, manifest, segment, Section, ValType, FUNCTIONS_MAX, ITEM_GLOBAL, NONE};
use crate::views::{Imports, Types};
use crate::{Image, ImageError, ImportKind, Manifest, TypeRef};

/// Bit of a global's word: it may be written.
const MUTABLE: u32 = 1 << 8;

/// Facts about the other sections that the rules for code need: sizes of the index spaces, and tables in scratch
/// memory, so that each question takes the same time.
pub(super) struct Spaces<'i, 's> {
    types: Types<'i>,
    globals: &'i [u8],
    tables: &'i [u8],
    /// A word for each import, functions first, then globals, then tables.
    imports: &'s [u32],
    imported: [usize; 3],
    /// A word for each type: slots of its parameters, and of its results in the upper half.
    slots: &'s [u32],
    functions: usize,
    init: Option<u32>,
}

/// Type of a global, and whether it may be written.
pub(super) type GlobalKind = (ValType, bool);

/// Returns the number of words of scratch memory that [`Spaces`] takes.
pub(super) fn words(image: &Image<'_>) -> usize {
    let [functions, tables, _, globals] = image.imports().counts();
    // a count of more types than the section holds is found when they are read
    functions + tables + globals + image.types().len().min(image.section(Section::Types).len() / entry::TYPE)
}

fn kind(word: u32) -> Option<GlobalKind> {
    Some((ValType::from_byte(word as u8)?, word & MUTABLE != 0))
}

impl<'i> Spaces<'i, '_> {
    /// Returns the number of types.
    pub fn types(&self) -> usize {
        self.types.len()
    }

    /// Returns the number of functions, imported ones first.
    pub fn functions(&self) -> usize {
        self.functions
    }

    /// Returns the defined function that runs at instantiation.
    pub fn init(&self) -> Option<u32> {
        self.init
    }

    /// Returns the slots of the parameters and of the results of a type, or 65535 for more.
    pub fn slots(&self, ty: u16) -> Option<(usize, usize)> {
        let word = *self.slots.get(usize::from(ty))?;
        Some(((word & 0xffff) as usize, (word >> 16) as usize))
    }

    /// Returns true if two types have the same results.
    pub fn same_results(&self, one: u16, other: u16) -> bool {
        let results = |ty| self.types.get(ty).map(TypeRef::bytes).map(|(_, results)| results);
        one == other || matches!((results(one), results(other)), (Ok(one), Ok(other)) if one == other)
    }

    /// Returns the type index of an imported function.
    pub fn imported_function(&self, index: u16) -> Option<u16> {
        let [functions, ..] = self.imported;
        let word = self.imports.get(..functions)?.get(usize::from(index))?;
        Some(*word as u16)
    }

    /// Returns an imported global.
    pub fn imported_global(&self, index: usize) -> Option<GlobalKind> {
        let [functions, globals, _] = self.imported;
        kind(*self.imports.get(functions..functions + globals)?.get(index)?)
    }

    /// Returns the defined global at a byte offset. They lie one behind the other.
    pub fn own_global(&self, offset: u16) -> Option<GlobalKind> {
        let entry = |index: usize| {
            let entry = self.globals.get(index * entry::GLOBAL..)?.get(..entry::GLOBAL)?;
            Some((u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]), entry[0], entry[1]))
        };
        let (mut low, mut high) = (0, self.globals.len() / entry::GLOBAL);
        while low < high {
            let middle = low + (high - low) / 2;
            let (at, ty, mutable) = entry(middle)?;
            match at.cmp(&u32::from(offset)) {
                core::cmp::Ordering::Equal => return Some((ValType::from_byte(ty)?, mutable != 0)),
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Returns the element type of a table.
    pub fn table(&self, index: u16) -> Option<ValType> {
        let [functions, globals, tables] = self.imported;
        match usize::from(index).checked_sub(tables) {
            None => ValType::from_byte(*self.imports.get(functions + globals + usize::from(index))? as u8),
            Some(defined) => ValType::from_byte(*self.tables.get(defined * entry::TABLE)?),
        }
    }

    /// Returns the number of tables.
    fn table_count(&self) -> usize {
        let [_, _, imported] = self.imported;
        imported + self.tables.len() / entry::TABLE
    }
}

/// Returns the error for an entry of a section that is a table.
fn fail(section: Section, size: usize, index: usize) -> ImageError {
    ImageError::Entry(section, (index * size) as u32)
}

/// Checks all sections but the code.
pub(super) fn check<'i, 's>(
    image: &Image<'i>,
    scratch: &'s mut [u32],
    meter: &mut Meter<'_>,
) -> Result<Spaces<'i, 's>, ImageError> {
    let stated = image.manifest()?;
    stated.name.text().ok_or(ImageError::Entry(Section::Manifest, manifest::NAME as u32))?;
    let types = image.types();
    let counts = image.imports().counts();
    let [functions, tables, _, globals] = counts;
    let imported = [functions, globals, tables];
    let Some((places, slots)) = scratch.split_at_mut_checked(functions + globals + tables) else {
        return Err(ImageError::Scratch((words(image) * 4) as u32));
    };
    check_types(types, slots, meter)?;
    check_imports(image.imports(), &stated, imported, types, places, meter)?;
    let spaces = Spaces {
        types,
        globals: image.section(Section::Globals),
        tables: image.section(Section::Tables),
        imports: places,
        imported,
        slots,
        functions: functions + image.function_count(),
        init: stated.init,
    };
    if spaces.functions > FUNCTIONS_MAX {
        return Err(ImageError::Entry(Section::Functions, 0));
    }
    check_globals(image, &stated, meter)?;
    for index in 0..image.table_count() {
        meter.spend(1)?;
        let table = image.table(index)?;
        if !table.ty.is_reference() || table.max.is_some_and(|max| max < table.min) {
            return Err(fail(Section::Tables, entry::TABLE, index));
        }
    }
    check_exports(image, &stated, &spaces, globals, meter)?;
    check_segments(image, &stated, &spaces, meter)?;
    if let Some(init) = stated.init {
        let known = (init as usize) < image.function_count();
        let ty = if known { Some(image.ty(image.function(init as usize)?.ty)?) } else { None };
        if ty.is_none_or(|ty| !ty.params.is_empty() || !ty.results.is_empty()) {
            return Err(ImageError::Entry(Section::Manifest, manifest::INIT as u32));
        }
    }
    Ok(spaces)
}

fn check_types(types: Types<'_>, slots: &mut [u32], meter: &mut Meter<'_>) -> Result<(), ImageError> {
    for index in 0..types.len() {
        let ty = types.get(u16::try_from(index).map_err(|_| ImageError::Entry(Section::Types, 0))?)?;
        let (params, results) = ty.bytes();
        meter.spend(1)?;
        meter.bytes(params.len() + results.len())?;
        if params.iter().chain(results).any(|&b| ValType::from_byte(b).is_none()) {
            return Err(fail(Section::Types, entry::TYPE, index));
        }
        let limited = |slots: usize| slots.min(0xffff) as u32;
        if let Some(place) = slots.get_mut(index) {
            *place = limited(ty.param_slots()) | limited(ty.result_slots()) << 16;
        }
    }
    Ok(())
}

fn check_imports(
    imports: Imports<'_>,
    stated: &Manifest<'_>,
    imported: [usize; 3],
    types: Types<'_>,
    places: &mut [u32],
    meter: &mut Meter<'_>,
) -> Result<(), ImageError> {
    let [functions, globals, _] = imported;
    let mut next = [0, functions, functions + globals];
    let mut memories = 0;
    let mut module = None;
    for index in 0..imports.len() {
        meter.spend(1)?;
        let import = imports.get(index)?;
        let fail = fail(Section::Imports, entry::IMPORT, index);
        // neighbours most often have the same module
        if module != Some(import.module.as_bytes().as_ptr()) {
            meter.bytes(import.module.as_bytes().len())?;
            import.module.text().ok_or(fail)?;
            module = Some(import.module.as_bytes().as_ptr());
        }
        meter.bytes(import.name.as_bytes().len())?;
        import.name.text().ok_or(fail)?;
        let (run, word) = match import.kind {
            ImportKind::Function(ty) => {
                types.get(ty)?;
                (0, u32::from(ty))
            }
            ImportKind::Global(ty, mutable) => (1, ty as u32 | if mutable { MUTABLE } else { 0 }),
            ImportKind::Table(table) => {
                if !table.ty.is_reference() {
                    return Err(fail);
                }
                (2, table.ty as u32)
            }
            ImportKind::Memory(..) => {
                memories += 1;
                continue;
            }
        };
        *places.get_mut(next[run]).ok_or(fail)? = word;
        next[run] += 1;
    }
    if memories != usize::from(stated.memory.is_some_and(|memory| memory.imported)) {
        return Err(ImageError::Entry(Section::Manifest, manifest::MEMORY_FLAGS as u32));
    }
    Ok(())
}

/// Checks that defined globals lie one behind the other, in their order, and fill what the manifest states.
fn check_globals(image: &Image<'_>, stated: &Manifest<'_>, meter: &mut Meter<'_>) -> Result<(), ImageError> {
    let mut end = 0u32;
    for (index, global) in image.globals().enumerate() {
        meter.spend(1)?;
        let global = global?;
        if global.offset != end {
            return Err(fail(Section::Globals, entry::GLOBAL, index));
        }
        end += 4 * global.ty.slots() as u32;
        // a reference begins as null; others are made by the init function
        if global.ty.is_reference() && global.init != 0 {
            return Err(fail(Section::Globals, entry::GLOBAL, index));
        }
    }
    if end != stated.globals_size {
        return Err(ImageError::Entry(Section::Manifest, manifest::GLOBALS_SIZE as u32));
    }
    Ok(())
}

fn check_exports(
    image: &Image<'_>,
    stated: &Manifest<'_>,
    spaces: &Spaces<'_, '_>,
    imported_globals: usize,
    meter: &mut Meter<'_>,
) -> Result<(), ImageError> {
    for index in 0..image.export_count() {
        meter.spend(1)?;
        let export = image.export(index)?;
        let space = match export.kind {
            external::FUNCTION => spaces.functions,
            external::TABLE => spaces.table_count(),
            external::MEMORY => usize::from(stated.memory.is_some()),
            external::GLOBAL => imported_globals + image.global_count(),
            _ => 0,
        };
        meter.bytes(export.name.as_bytes().len())?;
        if usize::from(export.index) >= space || export.name.text().is_none() {
            return Err(fail(Section::Exports, entry::EXPORT, index));
        }
    }
    Ok(())
}

fn check_segments(
    image: &Image<'_>,
    stated: &Manifest<'_>,
    spaces: &Spaces<'_, '_>,
    meter: &mut Meter<'_>,
) -> Result<(), ImageError> {
    for index in 0..image.element_count() {
        meter.spend(1)?;
        let elements = image.element(index)?;
        let fail = fail(Section::Elements, entry::ELEMENT, index);
        let fits = elements.mode != segment::ACTIVE || spaces.table(elements.table) == Some(elements.ty);
        if elements.mode > segment::DECLARED || !elements.ty.is_reference() || !fits {
            return Err(fail);
        }
        for item in 0..elements.len() {
            meter.spend(1)?;
            let item = elements.item(item).ok_or(fail)?;
            let known = if item & ITEM_GLOBAL != 0 {
                let global = spaces.imported_global((item & !ITEM_GLOBAL) as usize);
                global.is_some_and(|(ty, _)| ty == elements.ty)
            } else {
                item as usize <= spaces.functions && (item == 0 || elements.ty == ValType::FuncRef)
            };
            if !known {
                return Err(fail);
            }
        }
    }
    for index in 0..image.data_count() {
        meter.spend(1)?;
        let data = image.data(index)?;
        // what instantiation copies
        meter.bytes(data.bytes.len() / 4)?;
        let fits = data.mode == segment::PASSIVE || data.mode == segment::ACTIVE && stated.memory.is_some();
        if !fits {
            return Err(fail(Section::Data, entry::DATA, index));
        }
    }
    // counts that take two bytes where the engine keeps them
    let most = usize::from(u16::MAX);
    if image.element_count() > most || image.data_count() > most || spaces.table_count() > most {
        return Err(ImageError::Entry(Section::Elements, NONE));
    }
    Ok(())
}

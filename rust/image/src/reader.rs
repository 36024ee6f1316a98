// SPDX-License-Identifier: Apache-2.0
//! Zero-copy reader.

use crate::format::{self, entry, external, manifest, Section, ValType};
use crate::views::{Functions, Imports, Types};
use crate::ImageError;

/// Returns a little-endian `u16`, or `None` beyond the end.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(offset..)?.get(..2)?.try_into().ok()?))
}

/// Returns a little-endian `u32`, or `None` beyond the end.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(offset..)?.get(..4)?.try_into().ok()?))
}

/// A name in an image: bytes that the writer took from UTF-8. They are checked where somebody wants text, and by
/// [`crate::verify::verify`]. To compare them takes no check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name<'a>(pub(crate) &'a [u8]);

impl<'a> Name<'a> {
    /// Returns a name made elsewhere.
    pub const fn new(text: &'a str) -> Self {
        Self(text.as_bytes())
    }

    /// Returns the bytes of the name as they stand in the image.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Returns the name as text, or `None` if it is not UTF-8.
    pub fn text(self) -> Option<&'a str> {
        core::str::from_utf8(self.0).ok()
    }

    /// Returns the name as text to show.
    pub fn shown(self) -> &'a str {
        self.text().unwrap_or("?")
    }
}

impl PartialEq<str> for Name<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Name<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

/// A view of an image. Copying it copies a few pointers, not the bytes.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    bytes: &'a [u8],
    total: u32,
    rows: Rows,
}

/// Row of the section table by kind, counted from one, or 0 where the section is absent. Copies take words.
#[derive(Clone, Copy)]
#[repr(align(4))]
struct Rows([u8; Section::COUNT]);

/// A function type in place.
#[derive(Clone, Copy)]
pub struct TypeRef<'a> {
    pub(crate) params: &'a [u8],
    pub(crate) results: &'a [u8],
}

impl<'a> TypeRef<'a> {
    /// Returns the types of the parameters. A byte that is no value type counts as `i32`. A verified image has none.
    pub fn params(self) -> impl ExactSizeIterator<Item = ValType> + Clone + 'a {
        self.params.iter().map(|&b| ValType::from_byte(b).unwrap_or(ValType::I32))
    }

    /// Returns the types of the results. A byte that is no value type counts as `i32`. A verified image has none.
    pub fn results(self) -> impl ExactSizeIterator<Item = ValType> + Clone + 'a {
        self.results.iter().map(|&b| ValType::from_byte(b).unwrap_or(ValType::I32))
    }

    /// Returns the number of slots of all parameters.
    pub fn param_slots(self) -> usize {
        self.params().map(ValType::slots).sum()
    }

    /// Returns the number of slots of all results.
    pub fn result_slots(self) -> usize {
        self.results().map(ValType::slots).sum()
    }

    /// Returns the wasm encodings of parameters and results.
    pub fn bytes(self) -> (&'a [u8], &'a [u8]) {
        (self.params, self.results)
    }

    /// Returns true if both have the same parameters and results.
    pub fn same(self, other: TypeRef<'_>) -> bool {
        self.params == other.params && self.results == other.results
    }
}

/// An import.
#[derive(Clone, Copy)]
pub struct Import<'a> {
    /// Module name.
    pub module: Name<'a>,
    /// Name in the module.
    pub name: Name<'a>,
    /// The kind and type of the imported item.
    pub kind: ImportKind,
}

/// The kind and type that an import asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportKind {
    /// A function with this type index.
    Function(u16),
    /// A table.
    Table(Table),
    /// The memory: minimum and maximum in pages, binary logarithm of the page size.
    Memory(u32, Option<u32>, u8),
    /// A global: type, mutable.
    Global(ValType, bool),
}

/// A defined function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Function {
    /// Offset of its `enter` in the code section, in bytes.
    pub code: u32,
    /// Type index.
    pub ty: u16,
}

/// A defined global.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Global {
    /// Type.
    pub ty: ValType,
    /// May be written.
    pub mutable: bool,
    /// Byte offset in the instance's globals.
    pub offset: u32,
    /// Initial bits, or zero where the init function writes it.
    pub init: u64,
}

impl Global {
    fn read(e: &[u8], index: usize) -> Result<Self, ImageError> {
        let ty = ValType::from_byte(e[0]);
        let ty = ty.ok_or(ImageError::Entry(Section::Globals, (index * entry::GLOBAL) as u32))?;
        let low = u32::from_le_bytes([e[8], e[9], e[10], e[11]]);
        let high = u32::from_le_bytes([e[12], e[13], e[14], e[15]]);
        Ok(Self {
            ty,
            mutable: e[1] != 0,
            offset: u32::from_le_bytes([e[4], e[5], e[6], e[7]]),
            init: u64::from(low) | u64::from(high) << 32,
        })
    }
}

/// A table, defined or imported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    /// Element type.
    pub ty: ValType,
    /// Initial number of elements.
    pub min: u32,
    /// Largest number of elements.
    pub max: Option<u32>,
}

/// An export.
#[derive(Clone, Copy)]
pub struct Export<'a> {
    /// Name.
    pub name: Name<'a>,
    /// One of [`external`].
    pub kind: u8,
    /// Index in the index space of its kind.
    pub index: u16,
}

/// An element segment.
#[derive(Clone, Copy)]
pub struct ElementSegment<'a> {
    /// One of [`format::segment`].
    pub mode: u8,
    /// Element type.
    pub ty: ValType,
    /// Table of an active segment.
    pub table: u16,
    /// Offset in that table.
    pub offset: u32,
    items: &'a [u8],
}

impl<'a> ElementSegment<'a> {
    /// Returns the number of items.
    pub fn len(&self) -> u32 {
        (self.items.len() / 4) as u32
    }

    /// Returns true if there is no item.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns an item: 0 for null, a function index plus one, or [`format::ITEM_GLOBAL`] and a global index.
    pub fn item(&self, index: u32) -> Option<u32> {
        u32_at(self.items, (index as usize).checked_mul(4)?)
    }
}

/// A data segment.
#[derive(Clone, Copy)]
pub struct DataSegment<'a> {
    /// One of [`format::segment`].
    pub mode: u8,
    /// Offset in memory of an active segment.
    pub offset: u32,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// Returns the rows of the section table of an image.
fn rows(image: &[u8]) -> impl Iterator<Item = &[u8]> {
    let count = usize::from(u16_at(image, 12).unwrap_or(0));
    let table = image.get(format::HEADER_SIZE..format::HEADER_SIZE + count * format::SECTION_ENTRY_SIZE);
    table.unwrap_or(&[]).chunks_exact(format::SECTION_ENTRY_SIZE)
}

/// Returns the bytes that a row of the section table is about.
pub(crate) fn section_bytes<'a>(image: &'a [u8], row: &[u8]) -> Option<&'a [u8]> {
    image.get(u32_at(row, 4)? as usize..)?.get(..u32_at(row, 8)? as usize)
}

/// Returns an entry of a section that is a table.
pub(crate) fn entry_of(bytes: &[u8], section: Section, size: usize, index: usize) -> Result<&[u8], ImageError> {
    let at = index.saturating_mul(size);
    let entry = bytes.get(at..).and_then(|rest| rest.get(..size));
    entry.ok_or(ImageError::Entry(section, at as u32))
}

/// Returns the bytes of a string of the strings section.
pub(crate) fn string_at(strings: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(u16_at(strings, at)?);
    strings.get(at + 2..)?.get(..length)
}

/// Returns a number for which [`format::NONE`] stands for none.
pub(crate) fn optional(value: u32) -> Option<u32> {
    (value != format::NONE).then_some(value)
}

impl<'a> Image<'a> {
    /// Reads header and section table. Costs about 30 instructions a section. The contents of the
    /// sections are checked where they are read, or all at once by [`crate::verify::verify`].
    ///
    /// # Errors
    /// Bytes that are no image of this version, cut short, or with sections that lie outside.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ImageError> {
        let present = bytes.len() as u32;
        let header = bytes.get(..format::HEADER_SIZE);
        let Some(header) = header else {
            return Err(match bytes.get(..4) {
                Some(b"\0asm") => ImageError::RawWasm,
                Some(m) if m != format::MAGIC => ImageError::Magic([m[0], m[1], m[2], m[3]]),
                _ => ImageError::Truncated(format::HEADER_SIZE as u32, present),
            });
        };
        if header[..4] != format::MAGIC {
            return Err(if &header[..4] == b"\0asm" {
                ImageError::RawWasm
            } else {
                ImageError::Magic([header[0], header[1], header[2], header[3]])
            });
        }
        let half = |at| u16::from_le_bytes([header[at], header[at + 1]]);
        if half(4) != format::FORMAT_VERSION {
            return Err(ImageError::FormatVersion(half(4), format::FORMAT_VERSION));
        }
        if half(6) != format::IR_VERSION {
            return Err(ImageError::IrVersion(half(6), format::IR_VERSION));
        }
        let total = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
        let Some(content) = bytes.get(..total as usize) else {
            return Err(ImageError::Truncated(total, present));
        };
        let count = usize::from(half(12));
        let table_end = format::HEADER_SIZE + count * format::SECTION_ENTRY_SIZE;
        let Some(table) = content.get(format::HEADER_SIZE..table_end) else {
            return Err(ImageError::Truncated(table_end as u32, total));
        };
        let mut rows = Rows([0; Section::COUNT]);
        for (row, number) in table.chunks_exact(format::SECTION_ENTRY_SIZE).zip(1u32..) {
            let kind = u16::from_le_bytes([row[0], row[1]]);
            let offset = u32::from_le_bytes([row[4], row[5], row[6], row[7]]);
            let length = u32::from_le_bytes([row[8], row[9], row[10], row[11]]);
            let inside = offset.checked_add(length).is_some_and(|end| end <= total);
            if !inside || offset as usize % format::SECTION_ALIGN != 0 || (offset as usize) < table_end {
                return Err(ImageError::SectionBounds(kind));
            }
            match rows.0.get_mut(usize::from(kind)) {
                Some(place) if kind != 0 => {
                    if *place != 0 || number > u32::from(u8::MAX) {
                        return Err(ImageError::SectionBounds(kind));
                    }
                    *place = number as u8;
                }
                _ if kind >= Section::OPTIONAL => {}
                _ => return Err(ImageError::UnknownSection(kind)),
            }
        }
        let image = Self { bytes, total, rows };
        if image.section(Section::Manifest).len() != manifest::SIZE {
            return Err(ImageError::MissingSection(Section::Manifest));
        }
        Ok(image)
    }

    /// Returns an image that [`Image::parse`] accepted before, from the same bytes: finds the sections, at 10
    /// instructions each, and checks nothing anew. From other bytes it is an image of no or wrong sections.
    pub fn parsed(bytes: &'a [u8]) -> Self {
        let mut found = Rows([0; Section::COUNT]);
        for (row, number) in rows(bytes).zip(1u32..) {
            if let Some(place) = found.0.get_mut(usize::from(u16::from_le_bytes([row[0], row[1]]))) {
                *place = number as u8;
            }
        }
        Self { bytes, total: u32_at(bytes, 8).unwrap_or(0), rows: found }
    }

    /// Returns the bytes of everything before the trailer, as the header says.
    pub fn content_length(&self) -> u32 {
        self.total
    }

    /// Returns the bytes of a section, or empty if the image has none.
    pub fn section(&self, section: Section) -> &'a [u8] {
        let row = usize::from(self.rows.0[section as usize]);
        if row == 0 {
            return &[];
        }
        let at = format::HEADER_SIZE + (row - 1) * format::SECTION_ENTRY_SIZE;
        let row = self.bytes.get(at..at + format::SECTION_ENTRY_SIZE);
        row.and_then(|row| section_bytes(self.bytes, row)).unwrap_or(&[])
    }

    /// Returns the kind and bytes of each section, optional ones included. Reads the section table again.
    pub fn sections(&self) -> impl Iterator<Item = (u16, &'a [u8])> + 'a {
        self.sections_from(0)
    }

    /// Yields the sections of this kind and of those above, like [`Image::sections`]. Costs 6 instructions for each of the others.
    pub fn sections_from(&self, first: u16) -> impl Iterator<Item = (u16, &'a [u8])> + 'a {
        let bytes = self.bytes;
        rows(bytes).filter_map(move |row| {
            let kind = u16::from_le_bytes([row[0], row[1]]);
            if kind < first {
                return None;
            }
            Some((kind, section_bytes(bytes, row)?))
        })
    }

    /// Returns everything before the trailer: what hash and signature cover.
    pub fn content(&self) -> &'a [u8] {
        self.bytes.get(..self.total as usize).unwrap_or(&[])
    }

    /// Returns the whole image.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns a record of the trailer.
    pub fn trailer(&self, tag: u16) -> Option<&'a [u8]> {
        let trailer = self.bytes.get(self.total as usize..)?;
        if u16_at(trailer, 0)? != format::TRAILER_MAGIC {
            return None;
        }
        let mut rest = trailer.get(4..usize::from(u16_at(trailer, 2)?))?;
        while !rest.is_empty() {
            let length = usize::from(u16_at(rest, 2)?);
            let value = rest.get(4..4 + length)?;
            if u16_at(rest, 0)? == tag {
                return Some(value);
            }
            rest = rest.get(4 + length..)?;
        }
        None
    }

    fn entry(&self, section: Section, size: usize, index: usize) -> Result<&'a [u8], ImageError> {
        entry_of(self.section(section), section, size, index)
    }

    fn len(&self, section: Section, size: usize) -> usize {
        self.section(section).len() / size
    }

    fn string(&self, offset: u32) -> Option<Name<'a>> {
        string_at(self.section(Section::Strings), offset as usize).map(Name)
    }

    /// Returns the types, found once.
    pub fn types(&self) -> Types<'a> {
        Types(self.section(Section::Types))
    }

    /// Returns the number of types.
    pub fn type_count(&self) -> usize {
        self.types().len()
    }

    /// Returns a type.
    ///
    /// # Errors
    /// The index does not exist or the entry is cut short.
    pub fn ty(&self, index: u16) -> Result<TypeRef<'a>, ImageError> {
        self.types().get(index)
    }

    /// Returns the imports, found once.
    pub fn imports(&self) -> Imports<'a> {
        Imports { entries: self.section(Section::Imports), strings: self.section(Section::Strings) }
    }

    /// Returns the number of imports of all kinds.
    pub fn import_count(&self) -> usize {
        self.len(Section::Imports, entry::IMPORT)
    }

    /// Returns an import, in the order of the module.
    ///
    /// # Errors
    /// The entry is cut short or names what does not exist.
    pub fn import(&self, index: usize) -> Result<Import<'a>, ImageError> {
        self.imports().get(index)
    }

    /// Returns the number of imports of one kind of [`external`].
    pub fn imports_of(&self, kind: u8) -> usize {
        self.section(Section::Imports).chunks_exact(entry::IMPORT).filter(|e| e[8] == kind).count()
    }

    /// Returns the type of an imported function, counted among the imported functions.
    ///
    /// # Errors
    /// The index does not exist.
    pub fn imported_function_type(&self, index: usize) -> Result<TypeRef<'a>, ImageError> {
        let mut entries = self.section(Section::Imports).chunks_exact(entry::IMPORT);
        let found = entries.by_ref().filter(|e| e[8] == external::FUNCTION).nth(index);
        let found = found.ok_or(ImageError::Entry(Section::Imports, 0))?;
        self.ty(u16::from_le_bytes([found[10], found[11]]))
    }

    /// Returns the number of defined functions.
    pub fn function_count(&self) -> usize {
        self.len(Section::Functions, entry::FUNCTION)
    }

    /// Returns a defined function (imports not counted).
    ///
    /// # Errors
    /// The index does not exist.
    pub fn function(&self, index: usize) -> Result<Function, ImageError> {
        self.functions().get(index)
    }

    /// Returns the defined functions, found once.
    pub fn functions(&self) -> Functions<'a> {
        Functions(self.section(Section::Functions))
    }

    /// Returns the number of defined globals.
    pub fn global_count(&self) -> usize {
        self.len(Section::Globals, entry::GLOBAL)
    }

    /// Returns a defined global (imports not counted).
    ///
    /// # Errors
    /// The index does not exist or the type is none.
    pub fn global(&self, index: usize) -> Result<Global, ImageError> {
        Global::read(self.entry(Section::Globals, entry::GLOBAL, index)?, index)
    }

    /// Returns the defined globals: for whoever looks at many.
    pub fn globals(&self) -> impl Iterator<Item = Result<Global, ImageError>> + 'a {
        let entries = self.section(Section::Globals).chunks_exact(entry::GLOBAL);
        entries.enumerate().map(|(index, entry)| Global::read(entry, index))
    }

    /// Returns the number of defined tables.
    pub fn table_count(&self) -> usize {
        self.len(Section::Tables, entry::TABLE)
    }

    /// Returns a defined table (imports not counted).
    ///
    /// # Errors
    /// The index does not exist or the type is none.
    pub fn table(&self, index: usize) -> Result<Table, ImageError> {
        let e = self.entry(Section::Tables, entry::TABLE, index)?;
        let ty = ValType::from_byte(e[0]);
        let ty = ty.ok_or(ImageError::Entry(Section::Tables, (index * entry::TABLE) as u32))?;
        Ok(Table {
            ty,
            min: u32::from_le_bytes([e[4], e[5], e[6], e[7]]),
            max: optional(u32::from_le_bytes([e[8], e[9], e[10], e[11]])),
        })
    }

    /// Returns the number of exports.
    pub fn export_count(&self) -> usize {
        self.len(Section::Exports, entry::EXPORT)
    }

    /// Returns an export.
    ///
    /// # Errors
    /// The index does not exist or the name lies outside.
    pub fn export(&self, index: usize) -> Result<Export<'a>, ImageError> {
        let e = self.entry(Section::Exports, entry::EXPORT, index)?;
        let name = self.string(u32::from_le_bytes([e[0], e[1], e[2], e[3]]));
        let name = name.ok_or(ImageError::Entry(Section::Exports, (index * entry::EXPORT) as u32))?;
        Ok(Export { name, kind: e[4], index: u16::from_le_bytes([e[6], e[7]]) })
    }

    /// Returns the kind and index of the export with this name. Costs 25 instructions for each export before it.
    pub fn export_named(&self, name: &str) -> Option<(u8, u16)> {
        let strings = self.section(Section::Strings);
        let mut entries = self.section(Section::Exports).chunks_exact(entry::EXPORT);
        let found = entries.find(|e| {
            let at = u32::from_le_bytes([e[0], e[1], e[2], e[3]]) as usize;
            string_at(strings, at) == Some(name.as_bytes())
        })?;
        Some((found[4], u16::from_le_bytes([found[6], found[7]])))
    }

    /// Returns the number of element segments.
    pub fn element_count(&self) -> usize {
        self.len(Section::Elements, entry::ELEMENT)
    }

    /// Returns an element segment.
    ///
    /// # Errors
    /// The index does not exist or its items lie outside.
    pub fn element(&self, index: usize) -> Result<ElementSegment<'a>, ImageError> {
        let e = self.entry(Section::Elements, entry::ELEMENT, index)?;
        let read = || {
            let first = (u32_at(e, 8)? as usize).checked_mul(4)?;
            let length = (u32_at(e, 12)? as usize).checked_mul(4)?;
            Some(ElementSegment {
                mode: e[0],
                ty: ValType::from_byte(e[1])?,
                table: u16_at(e, 2)?,
                offset: u32_at(e, 4)?,
                items: self.section(Section::Items).get(first..)?.get(..length)?,
            })
        };
        read().ok_or(ImageError::Entry(Section::Elements, (index * entry::ELEMENT) as u32))
    }

    /// Returns the number of data segments.
    pub fn data_count(&self) -> usize {
        self.len(Section::Data, entry::DATA)
    }

    /// Returns a data segment.
    ///
    /// # Errors
    /// The index does not exist or its bytes lie outside.
    pub fn data(&self, index: usize) -> Result<DataSegment<'a>, ImageError> {
        let e = self.entry(Section::Data, entry::DATA, index)?;
        let read = || {
            let bytes = self.section(Section::DataBytes);
            Some(DataSegment {
                mode: e[0],
                offset: u32_at(e, 4)?,
                bytes: bytes.get(u32_at(e, 8)? as usize..)?.get(..u32_at(e, 12)? as usize)?,
            })
        };
        read().ok_or(ImageError::Entry(Section::Data, (index * entry::DATA) as u32))
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::writer::Writer;

    #[test]
    fn a_section_is_found_in_the_first_255_rows_or_refused() {
        for before in [0, 1, 254, 255, 300] {
            let mut writer = Writer::new();
            for _ in 0..before {
                writer.optional(Section::OPTIONAL, vec![1]);
            }
            let bytes = writer.section(Section::Manifest, vec![7; manifest::SIZE]);
            let bytes = core::mem::take(bytes).finish();
            let found = Image::parse(&bytes).map(|image| image.section(Section::Manifest)[0]);
            let refused = Err(ImageError::SectionBounds(Section::Manifest as u16));
            assert_eq!(found, if before < 255 { Ok(7) } else { refused });
        }
    }

    #[test]
    fn a_kind_that_occurs_twice_is_refused() {
        let mut writer = Writer::new();
        for _ in 0..2 {
            writer.section(Section::Manifest, vec![0; manifest::SIZE]);
        }
        let refused = ImageError::SectionBounds(Section::Manifest as u16);
        assert_eq!(Image::parse(&writer.finish()).map(|_| ()), Err(refused));
    }
}

// SPDX-License-Identifier: Apache-2.0
//! Zero-copy reader.

use crate::format::{self, entry, external, manifest, memory_flags, Section, ValType};
use crate::ImageError;

/// A little-endian `u16`, or `None` beyond the end.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(offset..)?.get(..2)?.try_into().ok()?))
}

/// A little-endian `u32`, or `None` beyond the end.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(offset..)?.get(..4)?.try_into().ok()?))
}

/// A view of an image. Copying it copies a few pointers, not the bytes.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    bytes: &'a [u8],
    total: u32,
    /// (offset, length) by kind; (0, 0) where the section is absent.
    sections: [(u32, u32); Section::COUNT],
}

/// The manifest.
#[derive(Clone, Copy, Debug)]
pub struct Manifest<'a> {
    /// SHA-256 of the wasm module the image was made from.
    pub wasm_hash: &'a [u8; 32],
    /// Name of the app.
    pub name: &'a str,
    /// Major, minor, patch.
    pub version: (u8, u8, u16),
    /// The memory, defined or imported.
    pub memory: Option<Memory>,
    /// Bytes of the defined globals.
    pub globals_size: u32,
    /// Rollback counter.
    pub rollback: u32,
    /// Defined function to run at instantiation.
    pub init: Option<u32>,
    /// Bytes of the largest frame.
    pub max_frame: u32,
}

/// What the module says about its memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    /// True if the memory is imported.
    pub imported: bool,
    /// Initial size in pages, as declared.
    pub min: u32,
    /// Largest size in pages.
    pub max: Option<u32>,
    /// Binary logarithm of the page size: 16, or 0 for pages of one byte.
    pub page_size_log2: u8,
    /// Bytes that exist from the start.
    pub backed: u32,
    /// `backed` is less than the declared size, and the module never looks.
    pub trimmed: bool,
    /// The module may call `memory.grow`, or somebody else may.
    pub grows: bool,
}

/// A function type in place.
#[derive(Clone, Copy)]
pub struct TypeRef<'a> {
    params: &'a [u8],
    results: &'a [u8],
}

impl<'a> TypeRef<'a> {
    /// Parameter types; bytes that are no value type are skipped.
    pub fn params(self) -> impl ExactSizeIterator<Item = ValType> + Clone + 'a {
        self.params.iter().map(|&b| ValType::from_byte(b).unwrap_or(ValType::I32))
    }

    /// Result types.
    pub fn results(self) -> impl ExactSizeIterator<Item = ValType> + Clone + 'a {
        self.results.iter().map(|&b| ValType::from_byte(b).unwrap_or(ValType::I32))
    }

    /// Slots of all parameters.
    pub fn param_slots(self) -> usize {
        self.params().map(ValType::slots).sum()
    }

    /// Slots of all results.
    pub fn result_slots(self) -> usize {
        self.results().map(ValType::slots).sum()
    }

    /// The wasm encodings of parameters and results.
    pub fn bytes(self) -> (&'a [u8], &'a [u8]) {
        (self.params, self.results)
    }

    /// True if both have the same parameters and results.
    pub fn same(self, other: TypeRef<'_>) -> bool {
        self.params == other.params && self.results == other.results
    }
}

/// An import.
#[derive(Clone, Copy)]
pub struct Import<'a> {
    /// Module name.
    pub module: &'a str,
    /// Name in the module.
    pub name: &'a str,
    /// What is imported.
    pub kind: ImportKind,
}

/// What an import asks for.
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
    /// Initial bits; zero where the init function writes it.
    pub init: u64,
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
    pub name: &'a str,
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
    /// Number of items.
    pub fn len(&self) -> u32 {
        (self.items.len() / 4) as u32
    }

    /// True if there is no item.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Item: 0 is null, a function index plus one, or [`format::ITEM_GLOBAL`] and a global index.
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

fn optional(value: u32) -> Option<u32> {
    (value != format::NONE).then_some(value)
}

impl<'a> Image<'a> {
    /// Reads header and section table. Costs about 40 instructions a section. The contents of the
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
        let mut sections = [(0, 0); Section::COUNT];
        for row in table.chunks_exact(format::SECTION_ENTRY_SIZE) {
            let kind = u16::from_le_bytes([row[0], row[1]]);
            let offset = u32::from_le_bytes([row[4], row[5], row[6], row[7]]);
            let length = u32::from_le_bytes([row[8], row[9], row[10], row[11]]);
            let inside = offset.checked_add(length).is_some_and(|end| end <= total);
            if !inside || offset as usize % format::SECTION_ALIGN != 0 || (offset as usize) < table_end {
                return Err(ImageError::SectionBounds(kind));
            }
            match sections.get_mut(usize::from(kind)) {
                Some(place) if kind != 0 => {
                    if *place != (0, 0) {
                        return Err(ImageError::SectionBounds(kind));
                    }
                    *place = (offset, length);
                }
                _ if kind >= Section::OPTIONAL => {}
                _ => return Err(ImageError::UnknownSection(kind)),
            }
        }
        let image = Self { bytes, total, sections };
        if image.section(Section::Manifest).len() != manifest::SIZE {
            return Err(ImageError::MissingSection(Section::Manifest));
        }
        Ok(image)
    }

    /// The bytes of a section; empty if the image has none.
    pub fn section(&self, section: Section) -> &'a [u8] {
        let (offset, length) = self.sections[section as usize];
        self.bytes.get(offset as usize..(offset + length) as usize).unwrap_or(&[])
    }

    /// Kind and bytes of each section, optional ones included. Reads the section table again.
    pub fn sections(&self) -> impl Iterator<Item = (u16, &'a [u8])> + 'a {
        let bytes = self.bytes;
        let count = usize::from(u16_at(bytes, 12).unwrap_or(0));
        let table = bytes.get(format::HEADER_SIZE..format::HEADER_SIZE + count * format::SECTION_ENTRY_SIZE);
        table.unwrap_or(&[]).chunks_exact(format::SECTION_ENTRY_SIZE).filter_map(move |row| {
            let (offset, length) = (u32_at(row, 4)? as usize, u32_at(row, 8)? as usize);
            Some((u16_at(row, 0)?, bytes.get(offset..)?.get(..length)?))
        })
    }

    /// Everything before the trailer: what hash and signature cover.
    pub fn content(&self) -> &'a [u8] {
        self.bytes.get(..self.total as usize).unwrap_or(&[])
    }

    /// The whole image.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// A record of the trailer.
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
        let at = index.saturating_mul(size);
        let bytes = self.section(section).get(at..).and_then(|rest| rest.get(..size));
        bytes.ok_or(ImageError::Entry(section, at as u32))
    }

    fn len(&self, section: Section, size: usize) -> usize {
        self.section(section).len() / size
    }

    fn string(&self, offset: u32) -> Option<&'a str> {
        let strings = self.section(Section::Strings);
        let at = offset as usize;
        let length = usize::from(u16_at(strings, at)?);
        core::str::from_utf8(strings.get(at + 2..)?.get(..length)?).ok()
    }

    /// The manifest.
    ///
    /// # Errors
    /// A name that is no text, a function or page size that does not exist.
    pub fn manifest(&self) -> Result<Manifest<'a>, ImageError> {
        let m = self.section(Section::Manifest);
        let fail = |at: usize| ImageError::Entry(Section::Manifest, at as u32);
        let word = |at: usize| u32_at(m, at).ok_or(fail(at));
        let hash = m.get(..32).and_then(|h| h.try_into().ok()).ok_or(fail(manifest::WASM_HASH))?;
        let name = m.get(manifest::NAME).and_then(|&n| m.get(manifest::NAME + 1..)?.get(..usize::from(n)));
        let name = name
            .filter(|n| n.len() <= format::NAME_MAX)
            .and_then(|n| core::str::from_utf8(n).ok())
            .ok_or(fail(manifest::NAME))?;
        let version = word(manifest::VERSION)?.to_le_bytes();
        let flags = word(manifest::MEMORY_FLAGS)?;
        let memory = if flags & (memory_flags::DEFINED | memory_flags::IMPORTED) != 0 {
            let page_size_log2 = (flags >> memory_flags::PAGE_SHIFT) as u8;
            if page_size_log2 > format::PAGE_SIZE_LOG2 {
                return Err(fail(manifest::MEMORY_FLAGS));
            }
            let memory = Memory {
                imported: flags & memory_flags::IMPORTED != 0,
                min: word(manifest::MEMORY_MIN)?,
                max: optional(word(manifest::MEMORY_MAX)?),
                page_size_log2,
                backed: word(manifest::MEMORY_BACKED)?,
                trimmed: flags & memory_flags::TRIMMED != 0,
                grows: flags & memory_flags::GROWS != 0,
            };
            if memory.trimmed && memory.grows {
                return Err(fail(manifest::MEMORY_FLAGS));
            }
            Some(memory)
        } else {
            None
        };
        Ok(Manifest {
            wasm_hash: hash,
            name,
            version: (version[0], version[1], u16::from_le_bytes([version[2], version[3]])),
            memory,
            globals_size: word(manifest::GLOBALS_SIZE)?,
            rollback: word(manifest::ROLLBACK)?,
            init: optional(word(manifest::INIT)?),
            max_frame: word(manifest::MAX_FRAME)?,
        })
    }

    /// Number of types.
    pub fn type_count(&self) -> usize {
        u32_at(self.section(Section::Types), 0).unwrap_or(0) as usize
    }

    /// A type.
    ///
    /// # Errors
    /// The index does not exist or the entry is cut short.
    pub fn ty(&self, index: u16) -> Result<TypeRef<'a>, ImageError> {
        let section = self.section(Section::Types);
        let at = 4 + usize::from(index) * entry::TYPE;
        let read = || {
            if usize::from(index) >= self.type_count() {
                return None;
            }
            let offset = u32_at(section, at)? as usize;
            let params = usize::from(u16_at(section, at + 4)?);
            let results = usize::from(u16_at(section, at + 6)?);
            let bytes = section.get(offset..)?.get(..params + results)?;
            let (params, results) = bytes.split_at(params);
            Some(TypeRef { params, results })
        };
        read().ok_or(ImageError::Entry(Section::Types, at as u32))
    }

    /// Number of imports of all kinds.
    pub fn import_count(&self) -> usize {
        self.len(Section::Imports, entry::IMPORT)
    }

    /// An import, in the order of the module.
    ///
    /// # Errors
    /// The entry is cut short or names what does not exist.
    pub fn import(&self, index: usize) -> Result<Import<'a>, ImageError> {
        let e = self.entry(Section::Imports, entry::IMPORT, index)?;
        let read = || {
            let min = u32_at(e, 12)?;
            let max = optional(u32_at(e, 16)?);
            let kind = match e[8] {
                external::FUNCTION => ImportKind::Function(u16_at(e, 10)?),
                external::TABLE => ImportKind::Table(Table { ty: ValType::from_byte(e[9])?, min, max }),
                external::MEMORY => ImportKind::Memory(min, max, e[9]),
                external::GLOBAL => ImportKind::Global(ValType::from_byte(e[9])?, u16_at(e, 10)? != 0),
                _ => return None,
            };
            Some(Import { module: self.string(u32_at(e, 0)?)?, name: self.string(u32_at(e, 4)?)?, kind })
        };
        read().ok_or(ImageError::Entry(Section::Imports, (index * entry::IMPORT) as u32))
    }

    /// Number of imports of one kind of [`external`].
    pub fn imports_of(&self, kind: u8) -> usize {
        self.section(Section::Imports).chunks_exact(entry::IMPORT).filter(|e| e[8] == kind).count()
    }

    /// Type of an imported function, counted among the imported functions.
    ///
    /// # Errors
    /// The index does not exist.
    pub fn imported_function_type(&self, index: usize) -> Result<TypeRef<'a>, ImageError> {
        let mut entries = self.section(Section::Imports).chunks_exact(entry::IMPORT);
        let found = entries.by_ref().filter(|e| e[8] == external::FUNCTION).nth(index);
        let found = found.ok_or(ImageError::Entry(Section::Imports, 0))?;
        self.ty(u16::from_le_bytes([found[10], found[11]]))
    }

    /// Number of defined functions.
    pub fn function_count(&self) -> usize {
        self.len(Section::Functions, entry::FUNCTION)
    }

    /// A defined function (imports not counted).
    ///
    /// # Errors
    /// The index does not exist.
    pub fn function(&self, index: usize) -> Result<Function, ImageError> {
        let e = self.entry(Section::Functions, entry::FUNCTION, index)?;
        Ok(Function { code: u32::from_le_bytes([e[0], e[1], e[2], e[3]]), ty: u16::from_le_bytes([e[4], e[5]]) })
    }

    /// Number of defined globals.
    pub fn global_count(&self) -> usize {
        self.len(Section::Globals, entry::GLOBAL)
    }

    /// A defined global (imports not counted).
    ///
    /// # Errors
    /// The index does not exist or the type is none.
    pub fn global(&self, index: usize) -> Result<Global, ImageError> {
        let e = self.entry(Section::Globals, entry::GLOBAL, index)?;
        let ty = ValType::from_byte(e[0]);
        let ty = ty.ok_or(ImageError::Entry(Section::Globals, (index * entry::GLOBAL) as u32))?;
        let low = u32::from_le_bytes([e[8], e[9], e[10], e[11]]);
        let high = u32::from_le_bytes([e[12], e[13], e[14], e[15]]);
        Ok(Global {
            ty,
            mutable: e[1] != 0,
            offset: u32::from_le_bytes([e[4], e[5], e[6], e[7]]),
            init: u64::from(low) | u64::from(high) << 32,
        })
    }

    /// Number of defined tables.
    pub fn table_count(&self) -> usize {
        self.len(Section::Tables, entry::TABLE)
    }

    /// A defined table (imports not counted).
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

    /// Number of exports.
    pub fn export_count(&self) -> usize {
        self.len(Section::Exports, entry::EXPORT)
    }

    /// An export.
    ///
    /// # Errors
    /// The index does not exist or the name is no text.
    pub fn export(&self, index: usize) -> Result<Export<'a>, ImageError> {
        let e = self.entry(Section::Exports, entry::EXPORT, index)?;
        let name = self.string(u32::from_le_bytes([e[0], e[1], e[2], e[3]]));
        let name = name.ok_or(ImageError::Entry(Section::Exports, (index * entry::EXPORT) as u32))?;
        Ok(Export { name, kind: e[4], index: u16::from_le_bytes([e[6], e[7]]) })
    }

    /// Number of element segments.
    pub fn element_count(&self) -> usize {
        self.len(Section::Elements, entry::ELEMENT)
    }

    /// An element segment.
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

    /// Number of data segments.
    pub fn data_count(&self) -> usize {
        self.len(Section::Data, entry::DATA)
    }

    /// A data segment.
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

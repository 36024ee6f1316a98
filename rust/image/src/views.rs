// SPDX-License-Identifier: Apache-2.0
//! Tables of an image whose sections are looked up once, for whoever reads several entries.

use crate::format::{entry, external, Section, ValType};
use crate::reader::{entry_of, optional, string_at, u16_at, u32_at};
use crate::{Function, ImageError, Import, ImportKind, Name, Table, TypeRef};

/// The types of an image.
#[derive(Clone, Copy)]
pub struct Types<'a>(pub(crate) &'a [u8]);

impl<'a> Types<'a> {
    /// Returns the number of entries.
    pub fn len(self) -> usize {
        u32_at(self.0, 0).unwrap_or(0) as usize
    }

    /// Returns true if there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns the address at which the section begins.
    pub fn as_ptr(self) -> *const u8 {
        self.0.as_ptr()
    }

    /// Returns one of them.
    ///
    /// # Errors
    /// The index does not exist or the entry is cut short.
    pub fn get(self, index: u16) -> Result<TypeRef<'a>, ImageError> {
        let at = 4 + usize::from(index) * entry::TYPE;
        let read = || {
            if usize::from(index) >= self.len() {
                return None;
            }
            let offset = u32_at(self.0, at)? as usize;
            let params = usize::from(u16_at(self.0, at + 4)?);
            let results = usize::from(u16_at(self.0, at + 6)?);
            let bytes = self.0.get(offset..)?.get(..params + results)?;
            let (params, results) = bytes.split_at(params);
            Some(TypeRef { params, results })
        };
        read().ok_or(ImageError::Entry(Section::Types, at as u32))
    }
}

/// The imports of an image, in the order of the module.
#[derive(Clone, Copy)]
pub struct Imports<'a> {
    pub(crate) entries: &'a [u8],
    pub(crate) strings: &'a [u8],
}

impl<'a> Imports<'a> {
    /// Returns the number of entries.
    pub fn len(self) -> usize {
        self.entries.len() / entry::IMPORT
    }

    /// Returns true if there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns the number of entries of each kind of [`external`].
    pub fn counts(self) -> [usize; 4] {
        let mut counts = [0; 4];
        for entry in self.entries.chunks_exact(entry::IMPORT) {
            if let Some(count) = counts.get_mut(usize::from(entry[8])) {
                *count += 1;
            }
        }
        counts
    }

    /// Returns one of them.
    ///
    /// # Errors
    /// The entry is cut short or names what does not exist.
    pub fn get(self, index: usize) -> Result<Import<'a>, ImageError> {
        let e = entry_of(self.entries, Section::Imports, entry::IMPORT, index)?;
        let string = |at| string_at(self.strings, u32_at(e, at)? as usize).map(Name);
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
            Some(Import { module: string(0)?, name: string(4)?, kind })
        };
        read().ok_or(ImageError::Entry(Section::Imports, (index * entry::IMPORT) as u32))
    }
}

/// The defined functions of an image.
#[derive(Clone, Copy)]
pub struct Functions<'a>(pub(crate) &'a [u8]);

impl Functions<'_> {
    /// Returns the number of entries.
    pub fn len(self) -> usize {
        self.0.len() / entry::FUNCTION
    }

    /// Returns true if there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns the address at which the section begins.
    pub fn as_ptr(self) -> *const u8 {
        self.0.as_ptr()
    }

    /// Returns one of them.
    ///
    /// # Errors
    /// The index does not exist.
    pub fn get(self, index: usize) -> Result<Function, ImageError> {
        let e = entry_of(self.0, Section::Functions, entry::FUNCTION, index)?;
        Ok(Function { code: u32::from_le_bytes([e[0], e[1], e[2], e[3]]), ty: u16::from_le_bytes([e[4], e[5]]) })
    }
}
